//! How PayPal is called. Every task begins with a token; its answer is the
//! first of the answers. Keys are the header `PayPal-Request-Id`: PayPal keeps
//! those of orders for 6 hours and, by its guide on idempotency, those of
//! refunds for 45 days.

use aftercart::{
    model::{
        payment::{PaymentEvent, PaymentEventKind, RefundStatus},
        signature::body_digest,
        time::Period,
    },
    run::secrets::Credentials,
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderValue, Method as Verb, Request, header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    amount::to_paypal,
    event::{Order, Told, unit_name},
};
use crate::{
    providers::{
        Answer, Asking, CallError, GivingBack, Known, RefundAnswer, Unreadable, account, api_url,
        event_identity, reference, word,
    },
    wire::{ClientSecret, NextAction},
};

/// Where its API is.
const URL: &str = "https://api-m.paypal.com";

/// The header of the key.
const KEY: &str = "paypal-request-id";

/// For how long after its start an attempt is taken up again: an hour less
/// than PayPal keeps the key of an order.
const ORDER_KEY_LIFE: Period = Period::of_seconds(5 * 3_600);

/// For how long a refund is asked for again: a day less than its key is kept.
const REFUND_KEY_LIFE: Period = Period::of_days(44);

/// The call that gets a token.
pub(super) fn token(credentials: &Credentials) -> Result<Request<Bytes>, CallError> {
    let secret = credentials.api_keys.first();
    let secret = secret.ok_or_else(|| CallError::Unwritable("there is no API key".to_owned()))?;
    let name = account(credentials, "client_id")?;
    let pair = BASE64.encode(format!("{name}:{}", secret.expose_secret()).as_bytes());
    let request = Request::post(format!("{}/v1/oauth2/token", api_url(credentials, URL)))
        .header(header::AUTHORIZATION, sensitive(&format!("Basic {pair}"))?)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from_static(b"grant_type=client_credentials"));
    request.map_err(|error| CallError::Unwritable(error.to_string()))
}

fn sensitive(text: &str) -> Result<HeaderValue, CallError> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|error| CallError::Unwritable(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// A call with the token of the first answer and, where something is made,
/// with its key. PayPal repeats what it made, whole.
fn call(
    credentials: &Credentials,
    token: &Answer,
    verb: Verb,
    path: &str,
    keyed: Option<(&str, &Value)>,
) -> Result<Request<Bytes>, CallError> {
    let Token { access_token } = done(token)?;
    let mut request = Request::builder()
        .method(verb)
        .uri(format!("{}{path}", api_url(credentials, URL)))
        .header(header::AUTHORIZATION, sensitive(&format!("Bearer {access_token}"))?)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some((key, _)) = keyed {
        request = request.header(KEY, key).header("prefer", "return=representation");
    }
    let body = keyed.map_or_else(String::new, |(_, body)| body.to_string());
    request.body(body.into()).map_err(|error| CallError::Unwritable(error.to_string()))
}

/// The call that makes the order of an attempt.
pub(super) fn order(asking: &Asking<'_>, token: &Answer) -> Result<Request<Bytes>, CallError> {
    let attempt = asking.attempt;
    if attempt.at.plus(ORDER_KEY_LIFE) <= asking.now {
        return Err(CallError::TooOld);
    }
    let missing = || CallError::Unwritable("where the buyer comes back to is not known".to_owned());
    let back = asking.return_url.ok_or_else(missing)?;
    let body = json!({
        "intent": "CAPTURE",
        "purchase_units": [{
            "reference_id": unit_name(attempt.amount),
            "custom_id": attempt.id.as_str(),
            "invoice_id": attempt.id.as_str(),
            "amount": {
                "currency_code": attempt.amount.currency().code(),
                "value": to_paypal(attempt.amount)?,
            },
        }],
        "payment_source": { "paypal": { "experience_context": {
            "return_url": back,
            "cancel_url": back,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        } } },
    });
    let keyed = Some((attempt.id.as_str(), &body));
    call(asking.credentials, token, Verb::POST, "/v2/checkout/orders", keyed)
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

/// Where the buyer approves the order that [`order`] made.
pub(super) fn approval(answer: &Answer) -> Result<NextAction, CallError> {
    let Links { links } = done(answer)?;
    let link = links.into_iter().find(|it| matches!(it.rel.as_str(), "payer-action" | "approve"));
    let missing = || CallError::Unusable("there is no address to approve at".to_owned());
    let url = ClientSecret(link.ok_or_else(missing)?.href);
    Ok(NextAction::Redirect { url })
}

/// The order of a payment, as an address.
fn path_of(known: &Known<'_>) -> Result<String, CallError> {
    let order = known.reference.and_then(segment);
    let unknown = || CallError::Refused("PayPal's identity of the order is not known".to_owned());
    Ok(format!("/v2/checkout/orders/{}", order.ok_or_else(unknown)?))
}

/// An identity of PayPal's as part of an address: letters, digits and hyphens.
fn segment(id: &str) -> Option<&str> {
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Some(id).filter(|id| plain && !id.is_empty())
}

/// The call that captures an order.
pub(super) fn capture(known: &Known<'_>, token: &Answer) -> Result<Request<Bytes>, CallError> {
    let path = format!("{}/capture", path_of(known)?);
    let key = format!("capture-{}", known.attempt.id);
    call(known.credentials, token, Verb::POST, &path, Some((&key, &json!({}))))
}

/// Whether the answer to [`capture`] says that it was done before.
pub(super) fn is_captured(answer: &Answer) -> bool {
    issue(answer) == "ORDER_ALREADY_CAPTURED"
}

/// What the answer to [`capture`] says. A refusal about the buyer or the
/// buyer's means is a payment that failed.
pub(super) fn captured(known: &Known<'_>, answer: &Answer) -> Result<Vec<PaymentEvent>, CallError> {
    let issue = issue(answer);
    let kind = match issue.as_str() {
        _ if answer.status().is_success() => return stands(known, answer),
        "INSTRUMENT_DECLINED"
        | "PAYER_ACCOUNT_LOCKED_OR_CLOSED"
        | "PAYER_ACCOUNT_RESTRICTED"
        | "PAYER_CANNOT_PAY"
        | "TRANSACTION_LIMIT_EXCEEDED"
        | "TRANSACTION_RECEIVING_LIMIT_EXCEEDED"
        | "TRANSACTION_REFUSED"
        | "TRANSACTION_BLOCKED_BY_PAYEE"
        | "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"
        | "COMPLIANCE_VIOLATION"
        | "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED" => PaymentEventKind::Failed,
        "ORDER_EXPIRED" => PaymentEventKind::Expired,
        _ if answer.status().as_u16() == 404 => PaymentEventKind::Expired,
        _ => return Err(refusal(answer)),
    };
    let reason = (kind == PaymentEventKind::Failed).then(|| word(&issue));
    Ok(vec![PaymentEvent { reason, ..ours(known, kind, answer) }])
}

/// An event that PayPal has no words of its own for.
fn ours(known: &Known<'_>, kind: PaymentEventKind, answer: &Answer) -> PaymentEvent {
    let order = known.reference.unwrap_or_default();
    PaymentEvent {
        id: event_identity(&format!("order:{order}:{}", word(&issue(answer)))),
        payment: known.attempt.id.clone(),
        provider: known.attempt.provider,
        kind,
        amount: known.attempt.amount,
        at: known.now,
        reason: None,
        reference: reference(order),
        part: None,
        body_digest: body_digest(answer.body()),
    }
}

/// The call that asks for an order.
pub(super) fn ask(known: &Known<'_>, token: &Answer) -> Result<Request<Bytes>, CallError> {
    call(known.credentials, token, Verb::GET, &path_of(known)?, None)
}

/// What an order says, as [`ask`] and [`capture`] get it. PayPal forgets an
/// order that nobody captured in time.
pub(super) fn stands(known: &Known<'_>, answer: &Answer) -> Result<Vec<PaymentEvent>, CallError> {
    if answer.status().as_u16() == 404 {
        return Ok(vec![ours(known, PaymentEventKind::Expired, answer)]);
    }
    let order: Order = done(answer)?;
    let unusable = |error: Unreadable| CallError::Unusable(error.to_string());
    let told = |name: &str, status: &str| Told {
        id: event_identity(&format!("{name}:{}", word(status))),
        at: known.now,
        body: answer.body(),
    };
    let of_order = |kind| order.event(kind, told(&order.id, &order.status));
    let captures = || order.purchase_units.iter().flat_map(|unit| &unit.payments.captures);
    let events: Vec<Option<PaymentEvent>> = match order.status.as_str() {
        "APPROVED" => vec![of_order(PaymentEventKind::Authorised).map_err(unusable)?],
        "VOIDED" => vec![of_order(PaymentEventKind::Cancelled).map_err(unusable)?],
        _ => captures()
            .filter_map(|capture| Some((capture, capture_kind(&capture.status)?)))
            .map(|(capture, kind)| capture.event(kind, told(&capture.id, &capture.status)))
            .collect::<Result<_, _>>()
            .map_err(unusable)?,
    };
    let named = |event: PaymentEvent| PaymentEvent { reference: reference(&order.id), ..event };
    let events: Vec<PaymentEvent> = events.into_iter().flatten().map(named).collect();
    if events.iter().any(|event| event.payment != known.attempt.id) {
        return Err(CallError::Unusable("it is about another payment".to_owned()));
    }
    Ok(events)
}

/// What the status of a capture means: one that was given back was taken.
fn capture_kind(status: &str) -> Option<PaymentEventKind> {
    match status {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => Some(PaymentEventKind::Succeeded),
        "PENDING" => Some(PaymentEventKind::Processing),
        "DECLINED" | "FAILED" => Some(PaymentEventKind::Failed),
        _ => None,
    }
}

/// The call that gives money back, of the capture in the order.
pub(super) fn refund(
    giving: &GivingBack<'_>,
    token: &Answer,
    order: &Answer,
) -> Result<Request<Bytes>, CallError> {
    let (refund, known) = (giving.refund, &giving.payment);
    if refund.at.plus(REFUND_KEY_LIFE) <= known.now {
        return Err(CallError::TooOld);
    }
    let order: Order = done(order)?;
    let captures = order.purchase_units.iter().flat_map(|unit| &unit.payments.captures);
    let taken = |status: &str| capture_kind(status) == Some(PaymentEventKind::Succeeded);
    let capture = captures.filter(|it| taken(&it.status)).find_map(|it| segment(&it.id));
    let capture = capture.ok_or_else(|| CallError::Refused("nothing was captured".to_owned()))?;
    let body = json!({
        "amount": {
            "currency_code": refund.amount.currency().code(),
            "value": to_paypal(refund.amount)?,
        },
        "custom_id": known.attempt.id.as_str(),
        "invoice_id": refund.id.as_str(),
    });
    let path = format!("/v2/payments/captures/{capture}/refund");
    call(known.credentials, token, Verb::POST, &path, Some((refund.id.as_str(), &body)))
}

/// The call that asks about a refund.
pub(super) fn ask_refund(
    known: &Known<'_>,
    token: &Answer,
    id: &str,
) -> Result<Request<Bytes>, CallError> {
    let id = segment(id).ok_or_else(|| CallError::Unwritable("the refund's name".to_owned()))?;
    call(known.credentials, token, Verb::GET, &format!("/v2/payments/refunds/{id}"), None)
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    status: String,
}

/// What PayPal says of a refund. A refusal about the capture is a refund that
/// failed.
pub(super) fn refunded(answer: &Answer) -> Result<RefundAnswer, CallError> {
    if answer.status().as_u16() == 422 {
        let reason = Some(word(&issue(answer)));
        return Ok(RefundAnswer { status: RefundStatus::Failed, reference: None, reason });
    }
    let refund: Refund = done(answer)?;
    let (status, reason) = match refund.status.as_str() {
        "COMPLETED" => (RefundStatus::Succeeded, None),
        "PENDING" => (RefundStatus::Sent, None),
        "CANCELLED" | "FAILED" => (RefundStatus::Failed, Some(word(&refund.status))),
        _ => return Err(CallError::Unusable("`status` is not known".to_owned())),
    };
    Ok(RefundAnswer { status, reference: reference(&refund.id), reason })
}

/// The body of an answer that did what was asked.
fn done<T: DeserializeOwned>(answer: &Answer) -> Result<T, CallError> {
    if !answer.status().is_success() {
        return Err(refusal(answer));
    }
    serde_json::from_slice(answer.body()).map_err(|error| {
        CallError::Unusable(format!("line {}, column {}", error.line(), error.column()))
    })
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    name: String,
    #[serde(default)]
    debug_id: String,
    #[serde(default)]
    details: Vec<Issue>,
}

/// PayPal's `description` and `value` are not among these: they quote what it
/// was sent.
#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    issue: String,
}

/// PayPal's word for what is wrong; empty when nothing is.
fn issue(answer: &Answer) -> String {
    let refusal: Refusal = serde_json::from_slice(answer.body()).unwrap_or_default();
    refusal.details.into_iter().next().map_or(refusal.name, |first| first.issue)
}

fn refusal(answer: &Answer) -> CallError {
    let (status, issue) = (answer.status().as_u16(), issue(answer));
    let Refusal { debug_id, .. } = serde_json::from_slice(answer.body()).unwrap_or_default();
    let why = format!("status {status}, `{}`, request `{}`", word(&issue), word(&debug_id));
    match status {
        // A call with the same key that is under way may be answered with 409.
        409 | 429 | 500.. => CallError::Again(why),
        // The secret is wrong, was rolled, or may not do this.
        401 | 403 => CallError::Unwritable(why),
        _ => CallError::Refused(why),
    }
}
