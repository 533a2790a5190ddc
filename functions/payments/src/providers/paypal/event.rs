//! What PayPal reports.

use aftercart::model::{
    id::{PaymentId, RefundId},
    money::{Currency, Money},
    payment::{PaymentEvent, PaymentEventKind, Provider},
    signature::body_digest,
    time::Timestamp,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::amount::Amount;
use crate::providers::{Report, Unreadable, event_identity, reference, word};

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    create_time: String,
    #[serde(default)]
    resource: Value,
}

/// An order, or what tells of one.
#[derive(Deserialize)]
pub(super) struct Order {
    #[serde(default, alias = "order_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) purchase_units: Vec<Unit>,
    #[serde(default)]
    update_time: Option<String>,
}

/// What an order asks for.
#[derive(Deserialize)]
pub(super) struct Unit {
    #[serde(default)]
    reference_id: String,
    #[serde(flatten)]
    names: Names,
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default)]
    pub(super) payments: Payments,
}

/// What was made of an order.
#[derive(Default, Deserialize)]
pub(super) struct Payments {
    #[serde(default)]
    pub(super) captures: Vec<Capture>,
}

/// What we call something.
#[derive(Deserialize)]
struct Names {
    #[serde(default, alias = "custom")]
    custom_id: Option<String>,
    #[serde(default, alias = "invoice_number")]
    invoice_id: Option<String>,
}

impl Names {
    fn given(&self) -> impl Iterator<Item = &str> {
        [&self.custom_id, &self.invoice_id].into_iter().flatten().map(String::as_str)
    }

    fn payment(&self) -> Option<PaymentId> {
        self.given().find_map(|name| PaymentId::parse(name).ok())
    }

    fn refund(&self) -> Option<RefundId> {
        self.given().find_map(|name| RefundId::parse(name).ok())
    }
}

/// A capture, or a refund of one.
#[derive(Deserialize)]
pub(super) struct Capture {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    amount: Amount,
    #[serde(flatten)]
    names: Names,
    #[serde(default)]
    create_time: Option<String>,
    #[serde(default)]
    update_time: Option<String>,
    #[serde(default)]
    status_details: Details,
    #[serde(default)]
    supplementary_data: Supplement,
    #[serde(default)]
    seller_payable_breakdown: Breakdown,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Supplement {
    #[serde(default)]
    related_ids: Related,
}

#[derive(Default, Deserialize)]
struct Related {
    #[serde(default)]
    order_id: String,
}

#[derive(Default, Deserialize)]
struct Breakdown {
    #[serde(default)]
    total_refunded_amount: Option<Amount>,
}

#[derive(Deserialize)]
struct Dispute {
    dispute_id: String,
    #[serde(default)]
    update_time: Option<String>,
    #[serde(default)]
    create_time: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: Option<String>,
    dispute_amount: Amount,
    #[serde(default)]
    disputed_transactions: Vec<Disputed>,
    #[serde(default)]
    dispute_outcome: Outcome,
}

#[derive(Deserialize)]
struct Disputed {
    #[serde(default)]
    seller_transaction_id: String,
    #[serde(flatten)]
    names: Names,
}

#[derive(Default, Deserialize)]
struct Outcome {
    #[serde(default)]
    outcome_code: String,
    #[serde(default)]
    amount_refunded: Option<Amount>,
}

/// Under which identity and moment something is told.
pub(super) struct Told<'a> {
    /// The identity of the event.
    pub(super) id: String,
    /// When it is told, which is when it happened if it does not say.
    pub(super) at: Timestamp,
    /// The body that tells it.
    pub(super) body: &'a [u8],
}

impl Told<'_> {
    fn event(
        self,
        payment: PaymentId,
        kind: PaymentEventKind,
        amount: Money,
        times: [&Option<String>; 2],
    ) -> Result<PaymentEvent, Unreadable> {
        let at = times.into_iter().flatten().next();
        Ok(PaymentEvent {
            id: self.id,
            payment,
            provider: Provider::Paypal,
            kind,
            amount,
            at: at.map_or(Ok(self.at), |at| time(at))?,
            reason: None,
            reference: None,
            part: None,
            body_digest: body_digest(self.body),
        })
    }
}

/// What an order's amount is called at PayPal, which does not always repeat
/// the amount.
pub(super) fn unit_name(amount: Money) -> String {
    format!("{} {}", amount.minor(), amount.currency().code())
}

fn unit_amount(name: &str) -> Option<Money> {
    let (minor, code) = name.split_once(' ')?;
    Money::new(minor.parse().ok()?, Currency::parse(code).ok()?).ok()
}

/// Reads a callback.
pub(super) fn read(body: &[u8]) -> Result<Report, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    let envelope: Envelope = serde_json::from_str(text).map_err(malformed)?;
    if envelope.id.is_empty() {
        return Err(Unreadable::Form("the event has no identity".to_owned()));
    }
    let (id, what) = (event_identity(&envelope.id), word(&envelope.event_type));
    let told = Told { id: id.clone(), at: time(&envelope.create_time)?, body };
    let resource = envelope.resource;
    let foreign = Report::Foreign { id: id.clone(), what: what.clone() };
    let event = match envelope.event_type.as_str() {
        "CHECKOUT.ORDER.APPROVED" => {
            of::<Order>(resource)?.event(PaymentEventKind::Authorised, told)?
        }
        "CHECKOUT.PAYMENT-APPROVAL.REVERSED" => {
            of::<Order>(resource)?.event(PaymentEventKind::Cancelled, told)?
        }
        "PAYMENT.CAPTURE.COMPLETED" => {
            of::<Capture>(resource)?.event(PaymentEventKind::Succeeded, told)?
        }
        "PAYMENT.CAPTURE.PENDING" => {
            of::<Capture>(resource)?.event(PaymentEventKind::Processing, told)?
        }
        "PAYMENT.CAPTURE.DENIED" | "PAYMENT.CAPTURE.DECLINED" => {
            of::<Capture>(resource)?.event(PaymentEventKind::Failed, told)?
        }
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.CAPTURE.REVERSED" => {
            of::<Capture>(resource)?.refund(told)?
        }
        "CUSTOMER.DISPUTE.CREATED" | "CUSTOMER.DISPUTE.UPDATED" | "CUSTOMER.DISPUTE.RESOLVED" => {
            return of::<Dispute>(resource)?.report(told, &what);
        }
        "CHECKOUT.ORDER.COMPLETED" | "CHECKOUT.ORDER.PROCESSED" | "CHECKOUT.ORDER.SAVED" => {
            return Ok(Report::Nothing { what });
        }
        _ => return Ok(Report::Unknown { id, what }),
    };
    Ok(event.map_or(foreign, Report::Event))
}

impl Order {
    /// The event of an order of ours.
    pub(super) fn event(
        &self,
        kind: PaymentEventKind,
        told: Told<'_>,
    ) -> Result<Option<PaymentEvent>, Unreadable> {
        let unit = self.purchase_units.first();
        let Some((unit, payment)) = unit.and_then(|unit| Some((unit, unit.names.payment()?)))
        else {
            return Ok(None);
        };
        let amount = match &unit.amount {
            Some(amount) => amount.money()?,
            None => unit_amount(&unit.reference_id)
                .ok_or_else(|| Unreadable::Form("there is no `amount`".to_owned()))?,
        };
        let event = told.event(payment, kind, amount, [&self.update_time, &None])?;
        Ok(Some(PaymentEvent { reference: reference(&self.id), ..event }))
    }
}

impl Capture {
    /// The event of a capture of ours.
    pub(super) fn event(
        &self,
        kind: PaymentEventKind,
        told: Told<'_>,
    ) -> Result<Option<PaymentEvent>, Unreadable> {
        let Some(payment) = self.names.payment() else {
            return Ok(None);
        };
        let (amount, times) = (self.amount.money()?, [&self.update_time, &self.create_time]);
        let event = told.event(payment, kind, amount, times)?;
        let failed = kind == PaymentEventKind::Failed;
        let reason = self.status_details.reason.as_deref().filter(|_| failed).map(word);
        Ok(Some(PaymentEvent { reason, reference: self.order(), ..event }))
    }

    /// A refund of ours is a part under its own identity. Of another one the
    /// sum of all refunds so far is told.
    fn refund(&self, told: Told<'_>) -> Result<Option<PaymentEvent>, Unreadable> {
        let Some(payment) = self.names.payment() else {
            return Ok(None);
        };
        let total = self.seller_payable_breakdown.total_refunded_amount.as_ref();
        let (amount, part) = match (self.names.refund(), total) {
            (Some(refund), _) => (self.amount.money()?, Some(refund.to_string())),
            (None, Some(total)) => (total.money()?, None),
            (None, None) => (self.amount.money()?, reference(&self.id)),
        };
        let times = [&self.update_time, &self.create_time];
        let event = told.event(payment, PaymentEventKind::Refunded, amount, times)?;
        Ok(Some(PaymentEvent { part, reference: self.order(), ..event }))
    }

    fn order(&self) -> Option<String> {
        reference(&self.supplementary_data.related_ids.order_id)
    }
}

impl Dispute {
    /// The outcomes are those of PayPal's reference of disputes,
    /// `dispute_outcome.outcome_code`.
    fn report(&self, told: Told<'_>, what: &str) -> Result<Report, Unreadable> {
        let named = self.disputed_transactions.iter().find_map(|it| it.names.payment());
        let Some(payment) = named else {
            let about = self.disputed_transactions.first();
            let about = about.map_or("", |it| it.seller_transaction_id.as_str());
            let what = word(&format!("{what} {} {}", word(&self.dispute_id), word(about)));
            return Ok(Report::Foreign { id: told.id, what });
        };
        let outcome = &self.dispute_outcome;
        let (kind, amount) = match (self.status.as_str(), outcome.outcome_code.as_str()) {
            ("RESOLVED", "RESOLVED_BUYER_FAVOUR" | "ACCEPTED") => (
                PaymentEventKind::DisputeLost,
                outcome.amount_refunded.as_ref().unwrap_or(&self.dispute_amount),
            ),
            (
                "RESOLVED",
                "RESOLVED_SELLER_FAVOUR"
                | "RESOLVED_WITH_PAYOUT"
                | "CANCELED_BY_BUYER"
                | "DENIED"
                | "NONE",
            ) => (PaymentEventKind::DisputeWon, &self.dispute_amount),
            ("RESOLVED", other) => {
                let what = word(&format!("{what} {}", word(other)));
                return Ok(Report::Unknown { id: told.id, what });
            }
            _ => (PaymentEventKind::Disputed, &self.dispute_amount),
        };
        let times = [&self.update_time, &self.create_time];
        let event = told.event(payment, kind, amount.money()?, times)?;
        let (reason, part) = (self.reason.as_deref().map(word), reference(&self.dispute_id));
        Ok(Report::Event(PaymentEvent { reason, part, ..event }))
    }
}

fn of<T: DeserializeOwned>(resource: Value) -> Result<T, Unreadable> {
    serde_json::from_value(resource).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Unreadable {
    Unreadable::Form(error.to_string())
}

fn time(text: &str) -> Result<Timestamp, Unreadable> {
    Timestamp::parse(text).map_err(|_| Unreadable::Value("a time is no time".to_owned()))
}
