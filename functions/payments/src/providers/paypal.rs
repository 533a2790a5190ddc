//! PayPal: orders, version 2 (<https://developer.paypal.com/docs/api/orders/v2>).
//! The buyer approves an order on PayPal's page; then the shop captures it.
//!
//! What the secret holds:
//!
//! | member | what |
//! |---|---|
//! | `webhook_secrets` | the certificates that PayPal signs with, as PEM: what the header `paypal-cert-url` of its callbacks names. The next one beside the present one |
//! | `api_keys` | the secret of the REST app |
//! | `account.client_id` | the name of the REST app |
//! | `account.webhook_id` | the identity of the webhook; it is signed, but not sent |
//! | `account.api_url` | `https://api-m.sandbox.paypal.com` for PayPal's sandbox |
//!
//! A callback is signed with RSA-SHA256 over
//! `transmission id|transmission time|webhook id|CRC-32 of the body, decimal`
//! (<https://developer.paypal.com/api/rest/webhooks/rest/>). It is verified
//! with the certificates of the secret: the address in its header is not
//! called, because a callback has to be answered without any call, and because
//! whoever calls us would choose what we call. So a certificate that PayPal
//! replaces has to be added: until then its callbacks are refused, and the
//! alarm on refused callbacks tells. PayPal repeats a callback that is not
//! answered with 2xx up to 25 times in 3 days, and sets no limit to the age of
//! a signature: none is set here, the event's identity makes it the same one.
//! A CRC is no hash: whoever has one signed callback can make another body
//! with the same sum. Only its sender and TLS's ends ever see one; this is as
//! much as PayPal offers.
//!
//! | event | kind | attempt, part and amount |
//! |---|---|---|
//! | `CHECKOUT.ORDER.APPROVED` | authorised: it waits to be captured | `purchase_units` |
//! | `CHECKOUT.PAYMENT-APPROVAL.REVERSED` | cancelled | `purchase_units`; the amount is in our `reference_id` |
//! | `PAYMENT.CAPTURE.COMPLETED` | succeeded | `custom_id` |
//! | `PAYMENT.CAPTURE.PENDING` | processing | `custom_id` |
//! | `PAYMENT.CAPTURE.DENIED`, `.DECLINED` | failed, with `status_details.reason` | `custom_id` |
//! | `PAYMENT.CAPTURE.REFUNDED`, `.REVERSED` | refunded | `custom_id`; a refund of ours names itself in `invoice_id`; else `total_refunded_amount`, of all so far |
//! | `CUSTOMER.DISPUTE.CREATED`, `.UPDATED` | disputed | `disputed_transactions[].custom` or `invoice_number`; `dispute_id` |
//! | `CUSTOMER.DISPUTE.RESOLVED` | by `dispute_outcome.outcome_code`: lost (`RESOLVED_BUYER_FAVOUR`, `ACCEPTED`), or won | the same |
//! | `CHECKOUT.ORDER.COMPLETED`, `.PROCESSED`, `.SAVED` | of no interest | |
//!
//! The attempt's identity is the `custom_id` and the `invoice_id` of what the
//! buyer approves, and PayPal hands both on to what follows. It need not with
//! disputes, and does not with what somebody does in PayPal's own pages: an
//! event that does not name an attempt is kept as foreign, with PayPal's
//! identity of what it is about, for a person.
//!
//! The reference of a payment is the order's identity, whichever event tells
//! it. Only events tell it: before the buyer has approved there is nothing to
//! ask PayPal, and no money that could have moved, for only a capture takes it.

mod amount;

mod api;

mod event;

use aftercart::{
    model::{
        money::Money,
        payment::{Flow, Method, PaymentEvent},
        signature::SignatureError,
        time::Timestamp,
    },
    run::secrets::Credentials,
};
use data_encoding::BASE64;
use secrecy::ExposeSecret as _;
use x509_parser::{parse_x509_certificate, time::ASN1Time};

use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, rsa,
};
use crate::wire::NextAction;

/// The identity of a transmission.
pub const TRANSMISSION_ID: &str = "paypal-transmission-id";
/// When it was sent.
pub const TRANSMISSION_TIME: &str = "paypal-transmission-time";
/// The signature, base 64.
pub const SIGNATURE: &str = "paypal-transmission-sig";
/// How it was signed.
pub const ALGORITHM: &str = "paypal-auth-algo";

/// The only way in which PayPal signs.
const RSA_SHA256: &str = "SHA256withRSA";

/// What it can do. PayPal gives back for 180 days.
const CAPABILITIES: [Capability; 1] = [Capability {
    method: Method::Paypal,
    flows: &[Flow::Redirect, Flow::Mobile],
    currencies: amount::CURRENCIES,
    instalments: &[],
    pay_later: false,
    refund_days: 180,
    partial_refunds: true,
}];

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Paypal;

impl PaymentProvider for Paypal {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, _: Method, amount: Money) -> Result<(), CallError> {
        amount::to_paypal(amount).map(drop)
    }

    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        let required =
            |name: &'static str| (call.header)(name).ok_or(SignatureError::MissingHeader(name));
        let (id, time) = (required(TRANSMISSION_ID)?, required(TRANSMISSION_TIME)?);
        let signature = BASE64
            .decode(required(SIGNATURE)?.as_bytes())
            .map_err(|_| SignatureError::MalformedHeader(SIGNATURE))?;
        if required(ALGORITHM)? != RSA_SHA256 {
            return Err(SignatureError::MalformedHeader(ALGORITHM));
        }
        let keys = keys(call.credentials, call.now);
        let webhook = call.credentials.account.get("webhook_id").filter(|it| !it.is_empty());
        let webhook = webhook.filter(|_| !call.credentials.webhook_secrets.is_empty());
        let webhook = webhook.ok_or(SignatureError::NoSecret)?;
        let sum = crc32fast::hash(call.body);
        let message = format!("{id}|{time}|{webhook}|{sum}");
        let good = keys.iter().any(|key| rsa::verifies(key, message.as_bytes(), &signature));
        if good { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        event::read(call.body).map(|report| vec![report])
    }

    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        match answers {
            [] => api::token(asking.credentials).map(Step::Call),
            [token] => api::order(asking, token).map(Step::Call),
            [.., answer] => api::approval(answer).map(Step::Done),
        }
    }

    fn captures(&self) -> bool {
        true
    }

    /// An order that was captured before is looked at instead.
    fn capture(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        match answers {
            [] => api::token(payment.credentials).map(Step::Call),
            [token] => api::capture(payment, token).map(Step::Call),
            [token, answer] if api::is_captured(answer) => api::ask(payment, token).map(Step::Call),
            [_, answer] => api::captured(payment, answer).map(Step::Done),
            [.., answer] => api::stands(payment, answer).map(Step::Done),
        }
    }

    /// PayPal gives back captures, which are found in the order.
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        match answers {
            [] => api::token(giving.payment.credentials).map(Step::Call),
            [token] => api::ask(&giving.payment, token).map(Step::Call),
            [token, order] => api::refund(giving, token, order).map(Step::Call),
            [.., answer] => api::refunded(answer).map(Step::Done),
        }
    }

    /// A refund without PayPal's identity of it is asked for again: that is
    /// the same one.
    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        let Some(reference) = giving.refund.reference.as_deref() else {
            return self.refund(giving, answers);
        };
        match answers {
            [] => api::token(giving.payment.credentials).map(Step::Call),
            [token] => api::ask_refund(&giving.payment, token, reference).map(Step::Call),
            [.., answer] => api::refunded(answer).map(Step::Done),
        }
    }

    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        match answers {
            _ if payment.reference.is_none() => Ok(Step::Done(Vec::new())),
            [] => api::token(payment.credentials).map(Step::Call),
            [token] => api::ask(payment, token).map(Step::Call),
            [.., answer] => api::stands(payment, answer).map(Step::Done),
        }
    }
}

/// The public keys of the secret, as DER; not those of certificates that are
/// out of their time.
fn keys(credentials: &Credentials, now: Timestamp) -> Vec<Vec<u8>> {
    let now = ASN1Time::from_timestamp(now.unix_seconds()).ok();
    let in_time = |text: &str| {
        let Some(der) = rsa::der(text) else { return false };
        let parsed = parse_x509_certificate(&der).ok();
        parsed.is_none_or(|(_, it)| now.is_some_and(|now| it.validity().is_valid_at(now)))
    };
    let texts = credentials.webhook_secrets.iter().map(|text| text.expose_secret());
    texts.filter(|text| in_time(text)).filter_map(rsa::public_key).collect()
}

#[cfg(test)]
mod tests;
