//! Money that goes back: how much of a payment each refund is, and what becomes
//! of one when its provider has answered.

use std::collections::BTreeMap;

use aftercart::model::{
    id::RefundId,
    money::Money,
    order::RefundDue,
    payment::{Attempt, PaymentEvent, PaymentEventKind, PaymentStatus, Refund, RefundStatus},
    time::{Period, Timestamp},
};

use super::{fold::Folded, reconcile::next_at};
use crate::providers::{CallError, RefundAnswer};

/// For how long a provider is called that does not answer. Longer than any
/// outage, and well within the time in which every provider gives money back.
const CALLED_FOR: Period = Period::of_days(14);

/// For how long a provider is asked that took a refund and has not said how it
/// ended: twice the month that banks take at the longest.
const ASKED_FOR: Period = Period::of_days(60);

/// How long a refund of a payment that is disputed waits before it is looked
/// at again: banks take weeks to decide.
const DISPUTE_WAIT: Period = Period::of_days(1);

/// Why a refund failed before its provider was called: all that was taken has
/// gone back, also by a dispute, or is on its way.
const NOTHING_LEFT: &str = "nothing_left";
/// Why a refund failed before its provider was called: it is in a currency
/// that the payment was not made in.
const CURRENCY_DIFFERS: &str = "currency_differs";
/// Why a refund failed whose provider was never reached.
const UNREACHABLE: &str = "unreachable";

/// The kinds of events that say how a refund ended.
const ENDS: [PaymentEventKind; 2] = [PaymentEventKind::Refunded, PaymentEventKind::RefundFailed];

/// A refund that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The refund: pending, or failed if there is nothing that could go back.
    pub refund: Refund,
    /// What should go back, if that is more than there is: a person has to look.
    pub short_of: Option<Money>,
}

/// The refunds that an order's dues of one attempt ask for and that are not
/// noted yet. What is due in the order's currency of an attempt that was paid
/// in another is the difference of two exact shares of what was paid, of all
/// dues so far with and without it, each rounded down: whatever the order in
/// which dues come, the refunds of the whole sum to the whole. No more goes
/// back than was received and has not gone back.
#[must_use]
pub fn owed(
    attempt: &Attempt,
    (folded, events): (&Folded, &[PaymentEvent]),
    refunds: &[Refund],
    dues: &[&RefundDue],
    now: Timestamp,
) -> Vec<Owed> {
    let noted: BTreeMap<&RefundId, &Refund> = refunds.iter().map(|it| (&it.id, it)).collect();
    let shared = |due: &RefundDue| {
        attempt.amount != attempt.settles && due.amount.currency() == attempt.settles.currency()
    };
    let (mut due_so_far, mut given) = (0_i64, 0_i64);
    for due in dues.iter().filter(|due| shared(due)) {
        if let Some(refund) = noted.get(&due.id) {
            due_so_far = due_so_far.saturating_add(due.amount.minor());
            given = given.saturating_add(refund.amount.minor());
        }
    }
    let mut left = left(attempt, folded, events, refunds);
    let mut owed = Vec::new();
    for due in dues.iter().filter(|due| !noted.contains_key(&due.id)) {
        let wanted = if shared(due) {
            due_so_far = due_so_far.saturating_add(due.amount.minor());
            let share = share(attempt, due_so_far).saturating_sub(given).max(0);
            given = given.saturating_add(share);
            Money::new(share, attempt.amount.currency()).unwrap_or(attempt.amount)
        } else {
            due.amount
        };
        // What points paid, or less than the smallest coin of the other currency.
        if wanted.minor() <= 0 {
            continue;
        }
        owed.push(note(attempt, due, wanted, &mut left, now));
    }
    owed
}

/// Notes a refund over what is wanted, as far as that is left.
fn note(
    attempt: &Attempt,
    due: &RefundDue,
    wanted: Money,
    left: &mut Money,
    now: Timestamp,
) -> Owed {
    let same = wanted.currency() == left.currency();
    let (amount, reason) = match left.minor() {
        _ if !same => (wanted, Some(CURRENCY_DIFFERS)),
        0 => (wanted, Some(NOTHING_LEFT)),
        most if wanted.minor() > most => (*left, None),
        _ => (wanted, None),
    };
    if reason.is_none() {
        *left = left.minus(amount).unwrap_or(Money::zero(left.currency()));
    }
    let refund = Refund {
        id: due.id.clone(),
        payment: attempt.id.clone(),
        order: attempt.order.clone(),
        customer: attempt.customer.clone(),
        amount,
        status: reason.map_or(RefundStatus::Pending, |_| RefundStatus::Failed),
        again: 0,
        at: now,
        reference: None,
        reason: reason.map(str::to_owned),
        tries: 0,
        // Whoever notes it calls the provider, too; should that be broken
        // off, the schedule does.
        next_at: reason.is_none().then(|| next_at(0, now)),
    };
    Owed { refund, short_of: (amount != wanted || reason.is_some()).then_some(wanted) }
}

/// What of the payment so much of the order is, rounded down.
fn share(attempt: &Attempt, settled: i64) -> i64 {
    let exact = i128::from(attempt.amount.minor()) * i128::from(settled);
    let share = exact.checked_div_euclid(i128::from(attempt.settles.minor())).unwrap_or(0);
    i64::try_from(share).unwrap_or(attempt.amount.minor())
}

/// What was received and has neither gone back nor is about to. Nothing is
/// left when the buyer's bank took the money back.
fn left(attempt: &Attempt, folded: &Folded, events: &[PaymentEvent], refunds: &[Refund]) -> Money {
    let received = folded.received.unwrap_or(Money::zero(attempt.amount.currency()));
    if folded.payment.status == PaymentStatus::ChargebackLost {
        return Money::zero(received.currency());
    }
    let ours = |event: &&PaymentEvent| {
        event.provider == attempt.provider && event.amount.currency() == received.currency()
    };
    let mut parts: BTreeMap<&str, &PaymentEvent> = BTreeMap::new();
    for event in events.iter().filter(ours).filter(|event| ENDS.contains(&event.kind)) {
        let Some(part) = event.part.as_deref() else { continue };
        let latest = parts.entry(part).or_insert(event);
        if (latest.at, latest.kind) < (event.at, event.kind) {
            *latest = event;
        }
    }
    let mut back: BTreeMap<String, i64> = parts
        .into_iter()
        .filter(|(_, event)| event.kind == PaymentEventKind::Refunded)
        .map(|(part, event)| (part.to_owned(), event.amount.minor()))
        .collect();
    for refund in refunds.iter().filter(|it| it.status != RefundStatus::Failed) {
        let known_by = refund.reference.as_ref().filter(|it| back.contains_key(*it));
        let known_by = known_by.cloned().unwrap_or_else(|| refund.key().to_string());
        back.insert(known_by, refund.amount.minor());
    }
    let by_part = back.values().fold(0_i64, |sum, minor| sum.saturating_add(*minor));
    let gone = folded.refunded.minor().max(by_part);
    let left = received.minor().saturating_sub(gone).max(0);
    Money::new(left, received.currency()).unwrap_or(received)
}

/// How the events say that a refund ended, if any does: its provider names it
/// by our key or by its own identity.
#[must_use]
pub fn told(refund: &Refund, events: &[PaymentEvent]) -> Option<RefundAnswer> {
    let key = refund.key();
    let of_it = |part: &str| {
        part == key.as_str() || refund.reference.as_deref().is_some_and(|it| it == part)
    };
    let told = events
        .iter()
        .filter(|event| ENDS.contains(&event.kind) && event.part.as_deref().is_some_and(of_it))
        .max_by_key(|event| (event.at, event.kind, &event.id))?;
    let status = match told.kind {
        PaymentEventKind::Refunded => RefundStatus::Succeeded,
        _ => RefundStatus::Failed,
    };
    Some(RefundAnswer { status, reference: None, reason: told.reason.clone() })
}

/// Whether the events say that a refund failed that is not known to have: it
/// may have been told as made before.
#[must_use]
pub fn undone(refund: &Refund, events: &[PaymentEvent]) -> bool {
    let failed = |told: RefundAnswer| told.status == RefundStatus::Failed;
    refund.status != RefundStatus::Failed && told(refund, events).is_some_and(failed)
}

/// What is to be said of a refund of a payment that the buyer's bank has taken
/// up, instead of calling the provider for it: it waits while that is open, and
/// nothing can go back when the money is gone.
#[must_use]
pub fn disputed(refund: &Refund, folded: &Folded) -> Option<RefundAnswer> {
    let status = match folded.payment.status {
        _ if refund.status != RefundStatus::Pending => return None,
        PaymentStatus::ChargebackLost => RefundStatus::Failed,
        _ if folded.dispute.is_some() => RefundStatus::Pending,
        _ => return None,
    };
    let lost = status == RefundStatus::Failed;
    Some(RefundAnswer { status, reference: None, reason: lost.then(|| NOTHING_LEFT.to_owned()) })
}

/// A refund that failed, begun anew; none if there is not so much left. One
/// whose provider never answered may have been made all the same: it keeps its
/// key. Any other is a new one at its provider.
#[must_use]
pub fn again(
    attempt: &Attempt,
    (folded, events): (&Folded, &[PaymentEvent]),
    refunds: &[Refund],
    failed: &Refund,
    now: Timestamp,
) -> Option<Refund> {
    let left = left(attempt, folded, events, refunds);
    let enough =
        left.currency() == failed.amount.currency() && left.minor() >= failed.amount.minor();
    let reason = failed.reason.as_deref();
    if !enough || matches!(reason, Some(NOTHING_LEFT | CURRENCY_DIFFERS)) {
        return None;
    }
    let begun = Refund {
        status: RefundStatus::Pending,
        reason: None,
        next_at: Some(now),
        ..failed.clone()
    };
    if reason == Some(UNREACHABLE) {
        return Some(begun);
    }
    Some(Refund { again: failed.again.saturating_add(1), at: now, reference: None, ..begun })
}

/// What a refund is after its provider was called, or asked about it.
#[must_use]
pub fn after(refund: &Refund, said: Result<&RefundAnswer, &CallError>, now: Timestamp) -> Refund {
    let tries = refund.tries.saturating_add(1);
    let still = |status| Refund {
        status,
        tries,
        next_at: Some(next_at(refund.tries, now)),
        ..refund.clone()
    };
    let ended = |status, reason: Option<String>| Refund {
        status,
        tries,
        reason,
        next_at: None,
        ..refund.clone()
    };
    let failed = |reason: &str| ended(RefundStatus::Failed, Some(reason.to_owned()));
    match (said, refund.status) {
        (Ok(answer), _) => {
            let reference = answer.reference.clone().or_else(|| refund.reference.clone());
            let after = match answer.status {
                RefundStatus::Pending => {
                    Refund { next_at: Some(now.plus(DISPUTE_WAIT)), ..refund.clone() }
                }
                RefundStatus::Sent => waiting(refund, still(RefundStatus::Sent), now),
                ended_as => ended(ended_as, answer.reason.clone()),
            };
            Refund { reference, ..after }
        }
        // The provider has it. What it says of the question says nothing of the refund.
        (Err(_), RefundStatus::Sent) => waiting(refund, still(RefundStatus::Sent), now),
        (Err(CallError::Refused(code)), _) => failed(code),
        (Err(CallError::TooOld), _) => failed("too_old"),
        (Err(CallError::Unsupported | CallError::Paid), _) => failed("unsupported"),
        (Err(CallError::Amount(_)), _) => failed("amount"),
        // These pass, or are mended by somebody who looks at the log.
        (Err(CallError::Again(_) | CallError::Unusable(_) | CallError::Unwritable(_)), _) => {
            match refund.at.plus(CALLED_FOR) <= now {
                true => failed(UNREACHABLE),
                false => still(RefundStatus::Pending),
            }
        }
    }
}

/// A refund that its provider has is asked for so long, and then left to
/// callbacks.
fn waiting(before: &Refund, after: Refund, now: Timestamp) -> Refund {
    let over = before.at.plus(ASKED_FOR) <= now;
    Refund { next_at: after.next_at.filter(|_| !over), ..after }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        money::Currency,
        order::RefundCause,
        payment::{Flow, Method, Provider},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fold::fold;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    fn attempt(amount: Money, settles: Money) -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Stripe,
            method: Method::Card,
            flow: Flow::Embedded,
            amount,
            settles,
            instalments: None,
            payer: None,
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
            ask_at: None,
            asked: 0,
        }
    }

    fn event(kind: PaymentEventKind, amount: Money, part: Option<&str>, at: i64) -> PaymentEvent {
        PaymentEvent {
            id: format!("evt_{kind:?}_{part:?}_{at}"),
            payment: PaymentId::derive(&["1"]),
            provider: Provider::Stripe,
            kind,
            amount,
            at: Timestamp::from_unix_seconds(at).unwrap(),
            reason: None,
            reference: None,
            part: part.map(str::to_owned),
            body_digest: String::new(),
        }
    }

    fn paid(attempt: &Attempt) -> PaymentEvent {
        event(PaymentEventKind::Succeeded, attempt.amount, None, 1)
    }

    fn due(name: &str, amount: Money) -> RefundDue {
        RefundDue {
            id: RefundId::derive(&[name]),
            payment: PaymentId::derive(&["1"]),
            amount,
            cause: RefundCause::Returned,
        }
    }

    fn reckon(
        attempt: &Attempt,
        events: &[PaymentEvent],
        refunds: &[Refund],
        dues: &[RefundDue],
    ) -> Vec<Owed> {
        let folded = fold(attempt, events);
        let dues: Vec<&RefundDue> = dues.iter().collect();
        owed(attempt, (&folded, events), refunds, &dues, Timestamp::EPOCH)
    }

    fn sum(owed: &[Owed]) -> i64 {
        owed.iter().map(|it| it.refund.amount.minor()).sum()
    }

    #[test]
    fn what_is_due_goes_back_once() {
        let attempt = attempt(money(2500, "GBP"), money(2500, "GBP"));
        let dues = [due("a", money(1000, "GBP")), due("b", money(1500, "GBP"))];
        let events = [paid(&attempt)];
        let all = reckon(&attempt, &events, &[], &dues);
        assert_eq!(sum(&all), 2500);
        assert!(all.iter().all(|it| it.refund.status == RefundStatus::Pending));
        assert!(all.iter().all(|it| it.refund.next_at.is_some() && it.short_of.is_none()));
        let noted: Vec<Refund> = all.into_iter().map(|it| it.refund).collect();
        assert_eq!(reckon(&attempt, &events, &noted, &dues), []);
        assert_eq!(sum(&reckon(&attempt, &events, noted.get(..1).unwrap(), &dues)), 1500);
        // What points paid costs no call.
        assert_eq!(reckon(&attempt, &events, &[], &[due("c", money(0, "GBP"))]), []);
    }

    #[test]
    fn no_more_goes_back_than_is_left() {
        use PaymentEventKind::{RefundFailed, Refunded};
        let attempt = attempt(money(1000, "GBP"), money(1000, "GBP"));
        let back = |kind, minor, part, at| event(kind, money(minor, "GBP"), part, at);
        let whole = [due("a", money(1000, "GBP"))];
        for (more, left) in [
            (vec![], Some(1000)),
            (vec![back(Refunded, 400, None, 2)], Some(600)),
            (vec![back(Refunded, 400, Some("re_1"), 2)], Some(600)),
            (vec![back(Refunded, 400, Some("re_1"), 2), back(Refunded, 400, None, 2)], Some(600)),
            (
                vec![back(Refunded, 400, Some("re_1"), 2), back(Refunded, 100, Some("re_2"), 2)],
                Some(500),
            ),
            (
                vec![
                    back(Refunded, 400, Some("re_1"), 2),
                    back(RefundFailed, 400, Some("re_1"), 3),
                ],
                Some(1000),
            ),
            (vec![back(Refunded, 1000, None, 2)], None),
        ] {
            let events: Vec<_> = [paid(&attempt)].into_iter().chain(more).collect();
            let all = reckon(&attempt, &events, &[], &whole);
            let [Owed { refund, short_of }] = &*all else { panic!("{all:?}") };
            match left {
                Some(left) => {
                    assert_eq!(refund.amount.minor(), left, "{events:?}");
                    assert_eq!(refund.status, RefundStatus::Pending);
                    assert_eq!(short_of.is_some(), left < 1000);
                }
                None => {
                    assert_eq!(refund.status, RefundStatus::Failed);
                    assert_eq!(refund.reason.as_deref(), Some(NOTHING_LEFT));
                    assert_eq!(refund.next_at, None);
                }
            }
        }
        let unpaid = reckon(&attempt, &[], &[], &whole);
        assert_eq!(unpaid.first().unwrap().refund.reason.as_deref(), Some(NOTHING_LEFT));
        let other = reckon(&attempt, &[paid(&attempt)], &[], &[due("a", money(1, "EUR"))]);
        assert_eq!(other.first().unwrap().refund.reason.as_deref(), Some(CURRENCY_DIFFERS));
    }

    fn noted(status: RefundStatus, tries: u32) -> Refund {
        let attempt = attempt(money(1000, "GBP"), money(1000, "GBP"));
        let owed = reckon(&attempt, &[paid(&attempt)], &[], &[due("a", money(1000, "GBP"))]);
        Refund { status, tries, ..owed.into_iter().next().unwrap().refund }
    }

    fn said(status: RefundStatus) -> RefundAnswer {
        RefundAnswer { status, reference: Some("re_1".to_owned()), reason: None }
    }

    #[test]
    fn an_answer_moves_a_refund_on() {
        use RefundStatus::{Failed, Pending, Sent, Succeeded};
        let again = || CallError::Again("503".to_owned());
        let refused = || CallError::Refused("charge_disputed".to_owned());
        let unusable = || CallError::Unusable("no JSON".to_owned());
        for (from, said, to, waits) in [
            (Pending, Ok(said(Succeeded)), Succeeded, false),
            (Pending, Ok(said(Sent)), Sent, true),
            (Pending, Ok(said(Failed)), Failed, false),
            (Pending, Err(again()), Pending, true),
            (Pending, Err(unusable()), Pending, true),
            (Pending, Err(CallError::Unwritable(String::new())), Pending, true),
            (Pending, Err(refused()), Failed, false),
            (Pending, Err(CallError::TooOld), Failed, false),
            (Pending, Err(CallError::Unsupported), Failed, false),
            (Pending, Err(CallError::Amount(String::new())), Failed, false),
            (Sent, Ok(said(Sent)), Sent, true),
            (Sent, Ok(said(Succeeded)), Succeeded, false),
            (Sent, Ok(said(Failed)), Failed, false),
            (Sent, Err(again()), Sent, true),
            (Sent, Err(refused()), Sent, true),
            (Sent, Err(CallError::Unsupported), Sent, true),
        ] {
            let after = after(&noted(from, 3), said.as_ref(), Timestamp::EPOCH);
            assert_eq!((after.status, after.next_at.is_some()), (to, waits), "{from} {said:?}");
            assert_eq!(after.tries, 4);
            assert_eq!(after.reference.is_some(), said.is_ok());
            assert_eq!(after.reason.is_some(), to == Failed && said.is_err(), "{said:?}");
        }
    }

    #[test]
    fn what_nobody_answers_ends_with_a_person() {
        let again = CallError::Again("503".to_owned());
        let late = Timestamp::EPOCH.plus(CALLED_FOR);
        let after_all = after(&noted(RefundStatus::Pending, 30), Err(&again), late);
        assert_eq!(after_all.status, RefundStatus::Failed);
        assert_eq!(after_all.reason.as_deref(), Some(UNREACHABLE));
        let later = Timestamp::EPOCH.plus(ASKED_FOR);
        let let_go = after(&noted(RefundStatus::Sent, 90), Err(&again), later);
        assert_eq!((let_go.status, let_go.next_at), (RefundStatus::Sent, None));
    }

    #[test]
    fn callbacks_tell_how_a_refund_ended() {
        use PaymentEventKind::{RefundFailed, Refunded};
        let refund = Refund { reference: Some("re_1".to_owned()), ..noted(RefundStatus::Sent, 1) };
        let back = |kind, part: &str, at| event(kind, money(1000, "GBP"), Some(part), at);
        assert_eq!(told(&refund, &[back(Refunded, "re_2", 2)]), None);
        for part in ["re_1", refund.id.as_str()] {
            let done = [back(Refunded, part, 2)];
            assert_eq!(told(&refund, &done).unwrap().status, RefundStatus::Succeeded);
            assert!(!undone(&refund, &done));
            let failed = [back(RefundFailed, part, 3), back(Refunded, part, 2)];
            assert_eq!(told(&refund, &failed).unwrap().status, RefundStatus::Failed);
            assert!(undone(&refund, &failed));
            assert!(!undone(&Refund { status: RefundStatus::Failed, ..refund.clone() }, &failed));
        }
    }

    fn begun(failed: &Refund, more: Vec<PaymentEvent>, others: &[Refund]) -> Option<Refund> {
        let attempt = attempt(money(1000, "GBP"), money(1000, "GBP"));
        let events: Vec<_> = [paid(&attempt)].into_iter().chain(more).collect();
        let facts = (&fold(&attempt, &events), events.as_slice());
        let refunds = [std::slice::from_ref(failed), others].concat();
        again(&attempt, facts, &refunds, failed, Timestamp::from_unix_seconds(9).unwrap())
    }

    #[test]
    fn a_refund_that_failed_is_begun_anew_under_another_key() {
        use PaymentEventKind::{RefundFailed, Refunded};
        let failed = |reason: &str| Refund {
            reason: Some(reason.to_owned()),
            reference: Some("re_1".to_owned()),
            ..noted(RefundStatus::Failed, 2)
        };
        let first = failed("account_closed");
        let back = |kind, part: &str, at| event(kind, money(1000, "GBP"), Some(part), at);
        let word = vec![back(Refunded, first.id.as_str(), 2), back(RefundFailed, "re_1", 3)];
        let word = [word, vec![back(RefundFailed, first.id.as_str(), 3)]].concat();
        let second = begun(&first, word.clone(), &[]).unwrap();
        assert_eq!((second.status, second.again, second.tries), (RefundStatus::Pending, 1, 2));
        assert_eq!((&second.id, second.at.unix_seconds()), (&first.id, 9));
        assert_ne!(second.key(), first.key());
        assert_eq!((first.key(), told(&second, &word)), (first.id.clone(), None));
        let third = begun(&Refund { status: RefundStatus::Failed, ..second.clone() }, word, &[]);
        assert_ne!(third.unwrap().key(), second.key());
        // It may have been made: its provider has to know it again.
        let unheard = failed(UNREACHABLE);
        let same = begun(&unheard, vec![], &[]).unwrap();
        assert_eq!((same.key(), same.at), (unheard.key(), unheard.at));
    }

    #[test]
    fn no_more_is_begun_anew_than_is_left() {
        use PaymentEventKind::{DisputeLost, Refunded};
        let failed = |reason: &str| Refund {
            reason: Some(reason.to_owned()),
            ..noted(RefundStatus::Failed, 2)
        };
        for reason in [NOTHING_LEFT, CURRENCY_DIFFERS] {
            assert_eq!(begun(&failed(reason), vec![], &[]), None);
        }
        let closed = failed("account_closed");
        for more in [
            event(Refunded, money(1, "GBP"), None, 2),
            event(Refunded, money(1, "GBP"), Some("re_2"), 2),
            event(DisputeLost, money(1000, "GBP"), Some("dp_1"), 2),
        ] {
            assert_eq!(begun(&closed, vec![more.clone()], &[]), None, "{more:?}");
        }
        let other = Refund {
            id: RefundId::derive(&["b"]),
            amount: money(1, "GBP"),
            ..noted(RefundStatus::Sent, 1)
        };
        assert_eq!(begun(&closed, vec![], &[other]), None);
    }

    #[test]
    fn money_that_is_disputed_does_not_go_back() {
        use PaymentEventKind::{DisputeLost, DisputeWon, Disputed};
        let attempt = attempt(money(1000, "GBP"), money(1000, "GBP"));
        let (whole, now) = ([due("a", money(1000, "GBP"))], Timestamp::EPOCH);
        for (kind, expected, left) in [
            (Disputed, Some(RefundStatus::Pending), true),
            (DisputeWon, None, true),
            (DisputeLost, Some(RefundStatus::Failed), false),
        ] {
            let events = [paid(&attempt), event(kind, money(1000, "GBP"), Some("dp_1"), 2)];
            let folded = fold(&attempt, &events);
            let pending = noted(RefundStatus::Pending, 1);
            let said = disputed(&pending, &folded);
            assert_eq!(said.as_ref().map(|it| it.status), expected, "{kind:?}");
            assert_eq!(disputed(&noted(RefundStatus::Sent, 1), &folded), None);
            if let Some(said) = said {
                let after = after(&pending, Ok(&said), now);
                assert_eq!((Some(after.status), after.next_at.is_some()), (expected, left));
            }
            let [Owed { refund, .. }] = &*reckon(&attempt, &events, &[], &whole) else { panic!() };
            let noted = if left { RefundStatus::Pending } else { RefundStatus::Failed };
            assert_eq!(refund.status, noted, "{kind:?}");
        }
    }

    proptest! {
        /// In whatever order dues come, and however many at a time.
        #[test]
        fn converted_refunds_sum_to_the_payment(
            weights in prop::collection::vec(0_i64..10_000, 1..12),
            amount in 1_i64..1_000_000,
            batches in prop::collection::vec(1_usize..4, 12),
            seed in 0_usize..1000,
        ) {
            let total: i64 = weights.iter().sum();
            prop_assume!(total > 0);
            let attempt = attempt(money(amount, "USD"), money(total, "GBP"));
            let events = [paid(&attempt)];
            let mut dues: Vec<RefundDue> = weights
                .iter()
                .enumerate()
                .map(|(n, weight)| due(&n.to_string(), money(*weight, "GBP")))
                .collect();
            let turn = seed % dues.len();
            dues.rotate_left(turn);
            let mut noted: Vec<Refund> = Vec::new();
            let mut listed = 0;
            for batch in batches {
                listed = dues.len().min(listed + batch);
                let so_far = dues.get(..listed).unwrap();
                let new = reckon(&attempt, &events, &noted, so_far);
                prop_assert!(new.iter().all(|it| it.short_of.is_none()));
                noted.extend(new.into_iter().map(|it| it.refund));
                let due: i64 = so_far.iter().map(|it| it.amount.minor()).sum();
                let back: i64 = noted.iter().map(|it| it.amount.minor()).sum();
                let exact = i128::from(amount) * i128::from(due) / i128::from(total);
                prop_assert_eq!(i128::from(back), exact);
            }
            if listed == dues.len() {
                prop_assert_eq!(noted.iter().map(|it| it.amount.minor()).sum::<i64>(), amount);
            }
        }

        #[test]
        fn never_more_than_was_received(
            amounts in prop::collection::vec(1_i64..2_000, 1..8),
            back in prop::collection::vec((1_i64..600, prop::option::of(0_u8..3)), 0..4),
        ) {
            let attempt = attempt(money(2_000, "GBP"), money(2_000, "GBP"));
            let gone = back.iter().enumerate().map(|(n, (minor, part))| {
                let part = part.map(|part| format!("re_{part}"));
                let at = i64::try_from(n).unwrap() + 2;
                event(PaymentEventKind::Refunded, money(*minor, "GBP"), part.as_deref(), at)
            });
            let events: Vec<_> = [paid(&attempt)].into_iter().chain(gone).collect();
            let mut dues: Vec<RefundDue> = Vec::new();
            let mut noted: Vec<Refund> = Vec::new();
            let before = left(&attempt, &fold(&attempt, &events), &events, &[]).minor();
            for (n, minor) in amounts.iter().enumerate() {
                dues.push(due(&n.to_string(), money(*minor, "GBP")));
                let new = reckon(&attempt, &events, &noted, &dues);
                noted.extend(new.into_iter().map(|it| it.refund));
            }
            let live = noted.iter().filter(|it| it.status != RefundStatus::Failed);
            let live: i64 = live.map(|it| it.amount.minor()).sum();
            // What was told without saying of which refund may be of ours.
            prop_assert!(live <= 2_000);
            if back.iter().all(|(_, part)| part.is_some()) {
                prop_assert!(live <= before);
            }
        }
    }
}
