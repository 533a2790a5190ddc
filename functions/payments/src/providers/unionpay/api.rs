//! How UnionPay is called: forms to its gateway, and what the answers say. All
//! answers are signed as notices are.

use std::collections::BTreeMap;

use aftercart::model::{
    money::Money,
    payment::{Flow, PaymentEvent, RefundStatus},
    time::{Period, Timestamp},
};
use bytes::Bytes;
use http::{Request, header};

use super::{
    event,
    fields::{self, Fields, digits},
    is_success, number,
};
use crate::{
    providers::{
        Answer, Asking, CallError, GivingBack, Known, RefundAnswer, api_url, event_identity,
        reference, word,
    },
    wire::NextAction,
};

/// Where its gateway is.
const URL: &str = "https://gateway.95516.com";

/// How long a buyer has to pay: as long as an order's stock is held unless the
/// merchant says otherwise.
const PAY_WITHIN: Period = Period::of_seconds(30 * 60);

/// For how long UnionPay may not know a refund that it was sent. The same
/// refund sent again is refused as a duplicate if it came after all.
const UNKNOWN_WITHIN: Period = Period::of_days(1);

/// By computer.
const COMPUTER: &str = "07";
/// By telephone.
const TELEPHONE: &str = "08";

/// An amount as UnionPay takes it: whole fen, at least one.
pub(super) fn fen(amount: Money) -> Result<String, CallError> {
    if amount.currency().code() != "CNY" {
        return Err(CallError::Amount("only CNY is taken".to_owned()));
    }
    if amount.minor() <= 0 {
        return Err(CallError::Amount("at least one fen is taken".to_owned()));
    }
    Ok(amount.minor().to_string())
}

fn fields<const N: usize>(pairs: [(&str, String); N]) -> Fields {
    Fields::of(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)))
}

/// The fields that ask for a payment.
fn asked(asking: &Asking<'_>, channel: &str, back: Option<&str>) -> Result<Fields, CallError> {
    let attempt = asking.attempt;
    if attempt.at.plus(PAY_WITHIN) <= asking.now {
        return Err(CallError::TooOld);
    }
    let fields = fields([
        ("txnType", "01".to_owned()),
        ("txnSubType", "01".to_owned()),
        ("channelType", channel.to_owned()),
        ("orderId", number(attempt.id.as_str()).to_owned()),
        ("txnTime", digits(attempt.at)),
        ("payTimeout", digits(attempt.at.plus(PAY_WITHIN))),
        ("txnAmt", fen(attempt.amount)?),
        ("currencyCode", "156".to_owned()),
        ("backUrl", asking.notify_url.to_owned()),
        ("frontUrl", back.unwrap_or_default().to_owned()),
    ]);
    fields.signed(asking.credentials)
}

/// The form that brings the buyer to UnionPay's page.
pub(super) fn page(asking: &Asking<'_>) -> Result<NextAction, CallError> {
    let channel = if asking.attempt.flow == Flow::Mobile { TELEPHONE } else { COMPUTER };
    let missing = || CallError::Unwritable("where the buyer comes back to is not known".to_owned());
    let back = asking.return_url.ok_or_else(missing)?;
    let fields = asked(asking, channel, Some(back))?.into_map();
    let url = format!("{}/gateway/api/frontTransReq.do", api_url(asking.credentials, URL));
    Ok(NextAction::Form { url, fields })
}

/// The call that begins a payment in UnionPay's app.
pub(super) fn app(asking: &Asking<'_>) -> Result<Request<Bytes>, CallError> {
    post(asking.credentials, "appTransReq.do", &asked(asking, TELEPHONE, None)?)
}

/// What the shop's app gives to UnionPay's. An attempt that UnionPay knows
/// already may get no second `tn`: then the buyer begins another.
pub(super) fn began(asking: &Asking<'_>, answer: &Answer) -> Result<NextAction, CallError> {
    let said = said(answer, asking.credentials, asking.now)?;
    match (said.get("respCode"), said.get("tn")) {
        ("12", _) => Err(CallError::TooOld),
        (code, tn) if is_success(code) && !tn.is_empty() => {
            let parameters = BTreeMap::from([("tn".to_owned(), tn.to_owned())]);
            Ok(NextAction::App { parameters })
        }
        (code, _) => Err(refused(code)),
    }
}

/// The call that gives money back, of what UnionPay calls `paid`.
pub(super) fn refund(giving: &GivingBack<'_>, paid: &str) -> Result<Request<Bytes>, CallError> {
    let (refund, known) = (giving.refund, &giving.payment);
    let fields = fields([
        ("txnType", "04".to_owned()),
        ("txnSubType", "00".to_owned()),
        ("channelType", COMPUTER.to_owned()),
        ("orderId", number(refund.id.as_str()).to_owned()),
        ("origQryId", paid.to_owned()),
        ("txnTime", digits(refund.at)),
        ("txnAmt", fen(refund.amount)?),
        ("currencyCode", "156".to_owned()),
        ("backUrl", giving.notify_url.to_owned()),
        ("reqReserved", known.attempt.id.to_string()),
    ]);
    post(known.credentials, "backTransReq.do", &fields.signed(known.credentials)?)
}

/// What the answer to [`refund`] says. A refund that was taken is no refund
/// yet: a notice or a query tells how it ends. One that UnionPay has already
/// (12), or is not sure of (03, 04, 05), is asked about.
pub(super) fn refunded(
    giving: &GivingBack<'_>,
    answer: &Answer,
) -> Result<RefundAnswer, CallError> {
    let known = &giving.payment;
    let said = said(answer, known.credentials, known.now)?;
    let code = said.get("respCode");
    match code {
        "12" => Ok(stands(RefundStatus::Sent, &said, None)),
        _ if is_success(code) || is_open(code) => Ok(stands(RefundStatus::Sent, &said, None)),
        _ => match refused(code) {
            CallError::Refused(_) if !is_ours(code) => {
                Ok(stands(RefundStatus::Failed, &said, Some(code)))
            }
            error => Err(error),
        },
    }
}

fn stands(status: RefundStatus, said: &Fields, code: Option<&str>) -> RefundAnswer {
    RefundAnswer { status, reference: reference(said.get("queryId")), reason: code.map(word) }
}

/// The call that asks about a payment.
pub(super) fn query_payment(known: &Known<'_>) -> Result<Request<Bytes>, CallError> {
    query(known, known.attempt.id.as_str(), known.attempt.at)
}

/// The call that asks about a refund.
pub(super) fn query_refund(giving: &GivingBack<'_>) -> Result<Request<Bytes>, CallError> {
    query(&giving.payment, giving.refund.id.as_str(), giving.refund.at)
}

fn query(known: &Known<'_>, id: &str, at: Timestamp) -> Result<Request<Bytes>, CallError> {
    let fields = fields([
        ("txnType", "00".to_owned()),
        ("txnSubType", "00".to_owned()),
        ("orderId", number(id).to_owned()),
        ("txnTime", digits(at)),
    ]);
    post(known.credentials, "queryTrans.do", &fields.signed(known.credentials)?)
}

/// What a query found; nothing if UnionPay does not know the transaction (34).
fn found(known: &Known<'_>, id: &str, answer: &Answer) -> Result<Option<Fields>, CallError> {
    let said = said(answer, known.credentials, known.now)?;
    match said.get("respCode") {
        "34" => Ok(None),
        "00" if said.get("orderId") == number(id) => Ok(Some(said)),
        "00" => Err(CallError::Unusable("it is about another transaction".to_owned())),
        code => Err(refused(code)),
    }
}

/// What the answer to [`query_payment`] says. Nothing while it is not sure.
pub(super) fn queried(known: &Known<'_>, answer: &Answer) -> Result<Vec<PaymentEvent>, CallError> {
    let payment = known.attempt.id.clone();
    let Some(said) = found(known, payment.as_str(), answer)? else {
        return Ok(Vec::new());
    };
    let code = said.get("origRespCode");
    if is_open(code) || code.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = [said.get("queryId"), said.get("orderId")];
    let number = numbers.into_iter().find(|number| !number.is_empty()).unwrap_or_default();
    let id = event_identity(&format!("{number}-01-{code}"));
    let event = event(&said, id, payment, code, known.now, answer.body());
    event.map(|event| vec![event]).map_err(|error| CallError::Unusable(error.to_string()))
}

/// UnionPay's identity of a payment, by the answer to [`query_payment`].
pub(super) fn query_id(known: &Known<'_>, answer: &Answer) -> Result<String, CallError> {
    let said = found(known, known.attempt.id.as_str(), answer)?;
    let paid = said.filter(|said| is_success(said.get("origRespCode")));
    let paid = paid.and_then(|said| reference(said.get("queryId")));
    paid.ok_or_else(|| CallError::Refused("UnionPay knows of no such payment".to_owned()))
}

/// What the answer to [`query_refund`] says.
pub(super) fn refund_stands(
    giving: &GivingBack<'_>,
    answer: &Answer,
) -> Result<RefundAnswer, CallError> {
    let (refund, known) = (giving.refund, &giving.payment);
    let Some(said) = found(known, refund.id.as_str(), answer)? else {
        let unknown = Fields::default();
        return Ok(if refund.at.plus(UNKNOWN_WITHIN) > known.now {
            stands(RefundStatus::Sent, &unknown, None)
        } else {
            stands(RefundStatus::Failed, &unknown, Some("34"))
        });
    };
    Ok(match said.get("origRespCode") {
        code if is_success(code) => stands(RefundStatus::Succeeded, &said, None),
        code if is_open(code) || code.is_empty() => stands(RefundStatus::Sent, &said, None),
        code => stands(RefundStatus::Failed, &said, Some(code)),
    })
}

fn post(
    credentials: &aftercart::run::secrets::Credentials,
    name: &str,
    fields: &Fields,
) -> Result<Request<Bytes>, CallError> {
    Request::post(format!("{}/gateway/api/{name}", api_url(credentials, URL)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
        .body(fields.form().into())
        .map_err(|error| CallError::Unwritable(error.to_string()))
}

/// The fields of an answer that UnionPay signed.
fn said(
    answer: &Answer,
    credentials: &aftercart::run::secrets::Credentials,
    now: Timestamp,
) -> Result<Fields, CallError> {
    let status = answer.status();
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(CallError::Again(format!("status {}", status.as_u16())));
    }
    if !status.is_success() {
        return Err(CallError::Refused(format!("status {}", status.as_u16())));
    }
    let text = std::str::from_utf8(answer.body());
    let text = text.map_err(|_| CallError::Unusable("it is not UTF-8".to_owned()))?;
    let fields = Fields::of_answer(text.trim());
    fields::check(&fields, credentials, now)
        .map_err(|error| CallError::Unusable(error.to_string()))?;
    Ok(fields)
}

/// Codes after which UnionPay has to be asked how a transaction ended: it
/// timed out, is not clear, is worked on.
fn is_open(code: &str) -> bool {
    matches!(code, "03" | "04" | "05")
}

/// Codes that say that the message, or the merchant's contract, is at fault:
/// malformed, incomplete; see [`refused`] for the others.
fn is_ours(code: &str) -> bool {
    matches!(code, "10" | "13")
}

/// Codes that are worth another call: closed, busy, asked too often, out of
/// hours. All others stay as they are (appendix of UnionPay's specification,
/// part 5).
fn refused(code: &str) -> CallError {
    let why = format!("code `{}`", word(code));
    match code {
        "02" | "03" | "04" | "05" | "06" | "37" | "39" => CallError::Again(why),
        // The signature does not hold, or the merchant has no right to this.
        "11" | "31" | "32" => CallError::Unwritable(why),
        _ => CallError::Refused(why),
    }
}
