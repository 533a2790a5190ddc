//! What WeChat reports: the envelope, what is encrypted in it, and the events
//! of a transaction, which a query tells in the same words.

use aftercart::{
    model::{
        money::{Currency, Money},
        payment::{PaymentEvent, PaymentEventKind, Provider},
        signature::body_digest,
        time::Timestamp,
    },
    run::secrets::Credentials,
};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use data_encoding::BASE64;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::ours;
use crate::providers::{Report, Unreadable, event_identity, reference, word};

/// The only way in which WeChat encrypts, by its name in the envelope.
const ENCRYPTION: &str = "AEAD_AES_256_GCM";

#[derive(Deserialize)]
struct Envelope {
    id: String,
    create_time: String,
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
pub(super) struct Resource {
    algorithm: String,
    ciphertext: String,
    #[serde(default)]
    associated_data: String,
    nonce: String,
}

/// A payment, as notices and queries tell it.
#[derive(Deserialize)]
pub(super) struct Transaction {
    mchid: String,
    #[serde(default)]
    appid: Option<String>,
    out_trade_no: String,
    #[serde(default)]
    transaction_id: String,
    pub(super) trade_state: String,
    #[serde(default)]
    success_time: Option<String>,
    #[serde(default)]
    amount: Option<Total>,
}

#[derive(Deserialize)]
struct Total {
    total: i64,
    #[serde(default)]
    currency: Option<String>,
}

#[derive(Deserialize)]
struct RefundNotice {
    mchid: String,
    out_trade_no: String,
    out_refund_no: String,
    #[serde(default)]
    transaction_id: String,
    refund_status: String,
    #[serde(default)]
    success_time: Option<String>,
    amount: RefundTotal,
}

#[derive(Deserialize)]
struct RefundTotal {
    refund: i64,
}

/// Under which identity, word and moment something is told.
pub(super) struct Told<'a> {
    /// The identity of the event.
    pub(super) id: String,
    /// What it is called.
    pub(super) what: String,
    /// When it is told, which is when it happened if it does not say.
    pub(super) at: Timestamp,
    /// The body that tells it.
    pub(super) body: &'a [u8],
}

/// Reads a notice.
pub(super) fn read(credentials: &Credentials, body: &[u8]) -> Result<Report, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    let envelope: Envelope = parsed(text)?;
    if envelope.id.is_empty() {
        return Err(Unreadable::Form("the event has no identity".to_owned()));
    }
    let (id, what) = (event_identity(&envelope.id), word(&envelope.event_type));
    let told = Told { id, what, at: time(&envelope.create_time)?, body };
    match envelope.event_type.as_str() {
        "TRANSACTION.SUCCESS" => {
            let transaction: Transaction = parsed(&opened(credentials, &envelope.resource)?)?;
            transaction.report(credentials, told, None)
        }
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
            let refund: RefundNotice = parsed(&opened(credentials, &envelope.resource)?)?;
            refund.report(credentials, told)
        }
        _ => Ok(Report::Unknown { id: told.id, what: told.what }),
    }
}

impl Transaction {
    /// What a transaction says. A query of one that was closed tells no
    /// amount: then `asked` is what it is about.
    pub(super) fn report(
        &self,
        credentials: &Credentials,
        told: Told<'_>,
        asked: Option<Money>,
    ) -> Result<Report, Unreadable> {
        let appid = self.appid.as_deref();
        let Some(payment) = ours(credentials, &self.mchid, appid, &self.out_trade_no) else {
            return Ok(Report::Foreign { id: told.id, what: told.what });
        };
        let kind = match self.trade_state.as_str() {
            "SUCCESS" | "REFUND" => PaymentEventKind::Succeeded,
            "PAYERROR" => PaymentEventKind::Failed,
            "CLOSED" => PaymentEventKind::Expired,
            "REVOKED" => PaymentEventKind::Cancelled,
            "USERPAYING" | "ACCEPT" => PaymentEventKind::Processing,
            "NOTPAY" => return Ok(Report::Nothing { what: told.what }),
            _ => return Err(Unreadable::Value("`trade_state` is not known".to_owned())),
        };
        let amount = match (&self.amount, asked) {
            (Some(amount), _) => money(amount.total, amount.currency.as_deref())?,
            (None, Some(asked)) => asked,
            (None, None) => return Err(Unreadable::Form("there is no `amount`".to_owned())),
        };
        Ok(Report::Event(PaymentEvent {
            id: told.id,
            payment,
            provider: Provider::WechatPay,
            kind,
            amount,
            at: self.success_time.as_deref().map_or(Ok(told.at), time)?,
            reason: (kind == PaymentEventKind::Failed).then(|| word(&self.trade_state)),
            reference: reference(&self.transaction_id),
            part: None,
            body_digest: body_digest(told.body),
        }))
    }
}

impl RefundNotice {
    fn report(&self, credentials: &Credentials, told: Told<'_>) -> Result<Report, Unreadable> {
        let Some(payment) = ours(credentials, &self.mchid, None, &self.out_trade_no) else {
            return Ok(Report::Foreign { id: told.id, what: told.what });
        };
        let (kind, reason) = match self.refund_status.as_str() {
            "SUCCESS" => (PaymentEventKind::Refunded, None),
            "ABNORMAL" | "CLOSED" => {
                (PaymentEventKind::RefundFailed, Some(word(&self.refund_status)))
            }
            _ => return Err(Unreadable::Value("`refund_status` is not known".to_owned())),
        };
        let part = reference(&self.out_refund_no)
            .ok_or_else(|| Unreadable::Value("`out_refund_no` is no number".to_owned()))?;
        Ok(Report::Event(PaymentEvent {
            id: told.id,
            payment,
            provider: Provider::WechatPay,
            kind,
            amount: money(self.amount.refund, None)?,
            at: self.success_time.as_deref().map_or(Ok(told.at), time)?,
            reason,
            reference: reference(&self.transaction_id),
            part: Some(part),
            body_digest: body_digest(told.body),
        }))
    }
}

/// The content of a notice, by any of the keys.
fn opened(credentials: &Credentials, resource: &Resource) -> Result<String, Unreadable> {
    if resource.algorithm != ENCRYPTION {
        return Err(Unreadable::Form("the content is encrypted in another way".to_owned()));
    }
    let mut keys = credentials.decryption_keys.iter();
    keys.find_map(|key| open(&AES_256_GCM, key.expose_secret().as_bytes(), resource))
        .ok_or(Unreadable::Encrypted)
}

/// The text behind a resource. The key and the nonce are used as they are
/// written, byte for byte.
pub(super) fn open(
    algorithm: &'static Algorithm,
    key: &[u8],
    resource: &Resource,
) -> Option<String> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(resource.nonce.as_bytes()).ok()?;
    let mut text = BASE64.decode(resource.ciphertext.as_bytes()).ok()?;
    let data = Aad::from(resource.associated_data.as_bytes());
    let length = key.open_in_place(nonce, data, &mut text).ok()?.len();
    text.truncate(length);
    String::from_utf8(text).ok()
}

/// So many fen; WeChat writes no other currency, and none with refunds.
fn money(fen: i64, currency: Option<&str>) -> Result<Money, Unreadable> {
    let currency = Currency::parse(currency.unwrap_or("CNY"));
    currency
        .and_then(|currency| Money::new(fen, currency))
        .map_err(|error| Unreadable::Value(error.to_string()))
}

fn time(text: &str) -> Result<Timestamp, Unreadable> {
    Timestamp::parse(text).map_err(|_| Unreadable::Value("a time is no time".to_owned()))
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))
}
