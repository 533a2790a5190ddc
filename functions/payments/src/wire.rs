//! What clients and providers send and get.

mod settlement;

pub use settlement::{
    SettlementClass, SettlementDifference, SettlementKind, SettlementReport, SettlementSum,
    SettlementTotals,
};

pub mod attempt;

pub mod case;

use std::{collections::BTreeMap, fmt};

use aftercart::model::{
    exchange::Rate,
    id::PaymentId,
    money::Money,
    payment::{Attempt, Flow, Instalments, Method, PaymentStatus, Provider},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::methods;

/// The body of `POST /orders/{id}/payments`: a method, or a provider, or both.
/// What is left out is the first that fits of those that
/// `GET /orders/{id}/payment-methods` lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartPayment {
    /// With what the order is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// With whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// How the buyer gets there; the usual way of the method if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// In how many monthly parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalments: Option<u8>,
    /// To pay in another currency: the quote of its rate, as the list of
    /// methods gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_quote: Option<String>,
    /// Who pays, where the provider wants to be told: in a mini programme the
    /// buyer's openid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Text<128>>,
}

/// An attempt to pay, as it was started, and how the client goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartedPayment {
    /// Its identity.
    pub id: PaymentId,
    /// With what.
    pub method: Method,
    /// With whom.
    pub provider: Provider,
    /// How much the provider takes.
    pub amount: Money,
    /// The total of the order, if the buyer pays in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<Money>,
    /// In how many parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalments: Option<Instalments>,
    /// Always `pending`: the payment tells how it goes on.
    pub status: PaymentStatus,
    /// What the client does next.
    pub next_action: NextAction,
}

impl StartedPayment {
    /// The attempt as it was started.
    #[must_use]
    pub fn of(attempt: &Attempt, next_action: NextAction) -> Self {
        Self {
            id: attempt.id.clone(),
            method: attempt.method,
            provider: attempt.provider,
            amount: attempt.amount,
            settles: Some(attempt.settles).filter(|it| *it != attempt.amount),
            instalments: attempt.instalments,
            status: PaymentStatus::Pending,
            next_action,
        }
    }
}

/// The ways to pay an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMethods {
    /// What is due.
    pub amount: Money,
    /// The ways, in the order in which the shop wants them shown. At most one
    /// is recommended, and none only if none is available.
    pub methods: Vec<PaymentMethodView>,
}

/// A way to pay an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMethodView {
    /// With what.
    pub method: Method,
    /// With whom.
    pub provider: Provider,
    /// How the buyer may get there, the usual one first.
    pub flows: Vec<Flow>,
    /// The total, if it can be paid in the order's own currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// In which parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instalments: Vec<InstalmentOption>,
    /// The total in other currencies, for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_currencies: Vec<QuotedAmount>,
    /// Whether a lender pays the shop and the buyer pays later.
    pub pay_later: bool,
    /// Whether its provider answers at the moment.
    pub available: bool,
    /// When its provider is tried again, if it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_at: Option<Timestamp>,
    /// Whether it is the one to show first.
    pub recommended: bool,
}

/// The total in another currency than the order's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuotedAmount {
    /// What is charged: the total at the rate, with the margin, rounded up to
    /// the minor unit.
    pub amount: Money,
    /// What one unit of the order's currency costs.
    pub rate: Rate,
    /// When the market had this rate.
    pub rate_at: Timestamp,
    /// What the shop adds, in basis points.
    pub margin_bp: u32,
    /// Until when a payment may be started at it.
    pub until: Timestamp,
    /// To start one at it: the `rate_quote` of `POST /orders/{id}/payments`.
    pub rate_quote: String,
    /// In which parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instalments: Vec<InstalmentOption>,
}

/// Monthly parts in which an amount may be paid. They sum to the amount; what
/// the lender asks of the buyer comes on top, unless it is free of interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstalmentOption {
    /// So many.
    pub months: u8,
    /// Whether the shop pays what it costs.
    pub interest_free: bool,
    /// The first part, which bears what does not divide.
    pub first: Money,
    /// Each of the other parts.
    pub others: Money,
}

impl InstalmentOption {
    /// The parts of an amount.
    #[must_use]
    pub fn of(amount: Money, Instalments { months, interest_free }: Instalments) -> Self {
        let (first, others) = methods::parts(amount, months);
        Self { months, interest_free, first, others }
    }
}

/// A secret of one attempt, for the buyer's browser and nobody else: it never
/// shows in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientSecret(pub String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// What a client does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NextAction {
    /// Give this to the provider's library in the buyer's page or app.
    ClientSecret {
        /// What the library asks for.
        client_secret: ClientSecret,
    },
    /// Open the provider's session with its library.
    Session {
        /// The session's identity.
        id: String,
        /// What the library asks for besides.
        data: ClientSecret,
    },
    /// Send the buyer to this address.
    Redirect {
        /// The address, for this buyer only.
        url: ClientSecret,
    },
    /// Send the buyer there with a form: `POST`, fields as they are.
    Form {
        /// The address.
        url: String,
        /// The fields.
        fields: BTreeMap<String, String>,
    },
    /// Show this as a QR code, which the buyer scans with the provider's app.
    Qr {
        /// What the code says.
        content: ClientSecret,
    },
    /// Give these to the provider's app or mini programme.
    App {
        /// The parameters that its library asks for, by their names there.
        parameters: BTreeMap<String, String>,
    },
    /// Nobody takes money here: whoever plays the provider posts a signed
    /// [`SandboxEvent`] there.
    Sandbox {
        /// The path of the callback.
        callback: String,
    },
}

/// What the sandbox reports to `POST /callbacks/sandbox`, signed as Standard
/// Webhooks has it. The header `webhook-id` is the identity of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxEvent {
    /// For people; the same as the header `webhook-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: SandboxEventKind,
    /// To which attempt.
    pub payment: PaymentId,
    /// How much it is about.
    pub amount: Money,
    /// When.
    pub occurred_at: Timestamp,
    /// Why it failed, in a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of captures, refunds and disputes: which one. Without it the amount is
    /// that of all of them so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// What happened to an attempt with the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SandboxEventKind {
    /// The outcome comes later.
    #[serde(rename = "payment.processing")]
    Processing,
    /// The money is set aside.
    #[serde(rename = "payment.authorised")]
    Authorised,
    /// This try was declined.
    #[serde(rename = "payment.failed")]
    Failed,
    /// The time to pay ended.
    #[serde(rename = "payment.expired")]
    Expired,
    /// The attempt was called off.
    #[serde(rename = "payment.cancelled")]
    Cancelled,
    /// Money that was set aside was taken.
    #[serde(rename = "payment.captured")]
    Captured,
    /// The money was taken.
    #[serde(rename = "payment.succeeded")]
    Succeeded,
    /// Money went back.
    #[serde(rename = "payment.refunded")]
    Refunded,
    /// A refund did not work after all.
    #[serde(rename = "payment.refund_failed")]
    RefundFailed,
    /// The buyer's bank wants the money back.
    #[serde(rename = "payment.disputed")]
    Disputed,
    /// A dispute ended for the shop.
    #[serde(rename = "payment.dispute_won")]
    DisputeWon,
    /// A dispute ended against the shop.
    #[serde(rename = "payment.dispute_lost")]
    DisputeLost,
}

/// What a provider gets for a callback that is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// Always true.
    pub received: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_secret_does_not_show() {
        let secret = ClientSecret("pi_1_secret_2".to_owned());
        assert_eq!(format!("{secret:?}"), "ClientSecret");
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""pi_1_secret_2""#);
    }
}
