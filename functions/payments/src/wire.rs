//! What clients and providers send and get.

use std::fmt;

use aftercart::model::{
    id::PaymentId,
    money::Money,
    payment::{Attempt, PaymentStatus, Provider},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /orders/{id}/payments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartPayment {
    /// With whom the order is paid.
    pub provider: Provider,
}

/// An attempt to pay, as it was started, and how the client goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartedPayment {
    /// Its identity.
    pub id: PaymentId,
    /// With whom.
    pub provider: Provider,
    /// How much: the total of the order.
    pub amount: Money,
    /// Always `pending`: the order tells how it goes on.
    pub status: PaymentStatus,
    /// With Stripe: what Stripe's libraries need to let the buyer pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// With the sandbox: what has to be done for the attempt to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action: Option<NextAction>,
}

impl StartedPayment {
    /// The attempt as it was started, without its provider's part.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Self {
        Self {
            id: attempt.id.clone(),
            provider: attempt.provider,
            amount: attempt.amount,
            status: PaymentStatus::Pending,
            client_secret: None,
            next_action: None,
        }
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
}

/// What happened to an attempt with the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SandboxEventKind {
    /// The outcome comes later.
    #[serde(rename = "payment.processing")]
    Processing,
    /// The money was taken.
    #[serde(rename = "payment.succeeded")]
    Succeeded,
    /// This try was declined.
    #[serde(rename = "payment.failed")]
    Failed,
    /// The attempt was called off.
    #[serde(rename = "payment.cancelled")]
    Cancelled,
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
