//! What waits for a person, and what a person may do about it.

use std::{collections::BTreeMap, io};

use aftercart::{
    model::{
        id::CaseId,
        money::Money,
        payment::{
            Attempt, CaseAction, CaseReason, CaseResolved, PaymentCase, PaymentEvent, Provider,
            Refund,
        },
        signature::body_digest,
        text::{Text, TextError},
        time::{Period, Timestamp},
    },
    run::deflate::deflated,
};

use super::fold::Folded;

/// How long a case that is resolved is kept: a year and a month, so that a year
/// can be looked back on. No provider sends an event again so late. The body and
/// headers, in which a provider may have named a buyer, are kept only while the
/// case is open.
const KEPT: Period = Period::of_days(400);

/// The longest sentence of a case.
const WHAT_MAX: usize = 300;

/// What a verified call brought that is no event of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Odd<'a> {
    /// Why it waits.
    pub reason: CaseReason,
    /// Who reports.
    pub provider: Provider,
    /// The provider's identity of the event; the digest of the body if it has none.
    pub id: Option<&'a str>,
    /// What it is, in the provider's word, or what is wrong with it.
    pub what: &'a str,
    /// The body as it came.
    pub body: &'a [u8],
}

/// Why something cannot be written down as a case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// What happened has no words.
    #[error("the case cannot be described")]
    What(#[from] TextError),
    /// The body cannot be made small.
    #[error("the body of the case cannot be deflated")]
    Body(#[from] io::Error),
}

/// The case of an event that is unknown, foreign or impossible. The same event
/// again is the same case.
///
/// # Errors
/// [`CaseError`].
pub fn of_callback(
    odd: &Odd<'_>,
    headers: BTreeMap<String, String>,
    now: Timestamp,
) -> Result<PaymentCase, CaseError> {
    let digest = body_digest(odd.body);
    let id = odd.id.unwrap_or(&digest);
    let what = match odd.reason {
        CaseReason::UnknownEvent => format!("an event of the unknown type {}", odd.what),
        CaseReason::Foreign => {
            format!("{}, about a payment that was not started here", odd.what)
        }
        _ => odd.what.to_owned(),
    };
    Ok(PaymentCase {
        id: CaseId::derive(&[odd.reason.as_str(), odd.provider.as_str(), id]),
        reason: odd.reason,
        provider: odd.provider,
        payment: None,
        amount: None,
        what: sentence(&what)?,
        at: now,
        body: Some(deflated(odd.body)?),
        headers,
        resolved: None,
    })
}

/// The case of an event about an attempt of which nothing is known.
pub fn of_unknown_attempt(event: &PaymentEvent, now: Timestamp) -> Result<PaymentCase, CaseError> {
    let reason = CaseReason::Foreign;
    let what =
        format!("{} reports of {}, which was not started here", event.provider, event.payment);
    Ok(PaymentCase {
        id: CaseId::derive(&[reason.as_str(), event.payment.as_str()]),
        reason,
        provider: event.provider,
        payment: Some(event.payment.clone()),
        amount: Some(event.amount),
        what: sentence(&what)?,
        at: now,
        body: None,
        headers: BTreeMap::new(),
        resolved: None,
    })
}

/// The case of an attempt whose state is for a person: of each reason one, and
/// of each dispute.
///
/// # Errors
/// [`CaseError`].
pub fn of_attempt(
    reason: CaseReason,
    attempt: &Attempt,
    folded: &Folded,
    now: Timestamp,
) -> Result<PaymentCase, CaseError> {
    let about = folded.dispute.as_deref().filter(|_| reason == CaseReason::Disputed);
    let amount = folded.received.unwrap_or(Money::zero(attempt.amount.currency()));
    let what = match reason {
        CaseReason::AmountDiffers if folded.refunded.minor() > 0 => format!(
            "{amount} came for {}, which asks {}, and {} went back",
            attempt.order, attempt.amount, folded.refunded
        ),
        CaseReason::AmountDiffers => {
            format!("{amount} came for {}, which asks {}", attempt.order, attempt.amount)
        }
        CaseReason::TooManyRefunds => format!(
            "{amount} came for {}, which lists as much money to go back as it may",
            attempt.order
        ),
        _ => format!(
            "the dispute {} of {amount} for {}: evidence is due at {}",
            about.unwrap_or_default(),
            attempt.order,
            attempt.provider
        ),
    };
    Ok(PaymentCase {
        id: CaseId::derive(&[reason.as_str(), attempt.id.as_str(), about.unwrap_or_default()]),
        reason,
        provider: attempt.provider,
        payment: Some(attempt.id.clone()),
        amount: Some(amount),
        what: sentence(&what)?,
        at: now,
        body: None,
        headers: BTreeMap::new(),
        resolved: None,
    })
}

/// The identity of the case of a refund that a provider will not make: of each
/// time that the calls to it came to nothing, one.
#[must_use]
pub fn refund_failed(refund: &Refund) -> CaseId {
    let reason = CaseReason::RefundFailed.as_str();
    CaseId::derive(&[reason, refund.id.as_str(), &refund.tries.to_string()])
}

/// What may be done about a case.
#[must_use]
pub fn actions(case: &PaymentCase) -> Vec<CaseAction> {
    let may = |action: &CaseAction| match action {
        CaseAction::Replay => {
            let reported = matches!(
                case.reason,
                CaseReason::UnknownEvent | CaseReason::Foreign | CaseReason::Impossible
            );
            reported && (case.body.is_some() || case.payment.is_some())
        }
        CaseAction::Accept => case.reason == CaseReason::AmountDiffers,
        CaseAction::Refund => matches!(
            case.reason,
            CaseReason::AmountDiffers | CaseReason::TooManyRefunds | CaseReason::RefundFailed
        ),
        CaseAction::Dismiss => true,
    };
    CaseAction::ALL.iter().copied().filter(may).collect()
}

/// A resolution by a person, and when the case may be forgotten.
#[must_use]
pub fn resolved(how: CaseAction, by: Text<128>, now: Timestamp) -> (CaseResolved, Timestamp) {
    (CaseResolved { at: now, by, how }, now.plus(KEPT))
}

/// A sentence within its bounds.
fn sentence(text: &str) -> Result<Text<WHAT_MAX>, TextError> {
    let printable: String = text.chars().filter(|c| !c.is_control()).take(WHAT_MAX).collect();
    Text::new(&printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(reason: CaseReason, id: Option<&'static str>, body: &'static [u8]) -> PaymentCase {
        let odd = Odd { reason, provider: Provider::Stripe, id, what: "a.b\u{1}c", body };
        of_callback(&odd, BTreeMap::new(), Timestamp::EPOCH).unwrap()
    }

    #[test]
    fn the_same_event_is_the_same_case() {
        let unknown = odd(CaseReason::UnknownEvent, Some("evt_1"), b"{}");
        assert_eq!(unknown.id, odd(CaseReason::UnknownEvent, Some("evt_1"), b"{ }").id);
        assert_ne!(unknown.id, odd(CaseReason::UnknownEvent, Some("evt_2"), b"{}").id);
        assert_ne!(unknown.id, odd(CaseReason::Foreign, Some("evt_1"), b"{}").id);
        let impossible = odd(CaseReason::Impossible, None, b"{}");
        assert_eq!(impossible.id, odd(CaseReason::Impossible, None, b"{}").id);
        assert_ne!(impossible.id, odd(CaseReason::Impossible, None, b"{ }").id);
        assert_eq!(unknown.what.as_str(), "an event of the unknown type a.bc");
    }

    #[test]
    fn each_reason_has_its_actions() {
        use CaseAction::{Accept, Dismiss, Refund, Replay};
        for (reason, actions_of) in [
            (CaseReason::UnknownEvent, &[Replay, Dismiss][..]),
            (CaseReason::Foreign, &[Replay, Dismiss]),
            (CaseReason::Impossible, &[Replay, Dismiss]),
            (CaseReason::AmountDiffers, &[Accept, Refund, Dismiss]),
            (CaseReason::TooManyRefunds, &[Refund, Dismiss]),
            (CaseReason::RefundFailed, &[Refund, Dismiss]),
            (CaseReason::Disputed, &[Dismiss]),
            (CaseReason::StatementDiffers, &[Dismiss]),
        ] {
            assert_eq!(actions(&odd(reason, None, b"{}")), actions_of, "{reason}");
        }
        let told = PaymentCase { body: None, ..odd(CaseReason::Foreign, None, b"{}") };
        assert_eq!(actions(&told), [Dismiss]);
    }
}
