//! Attempts to pay and what providers report of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    id::{OrderId, PaymentId},
    money::Money,
    time::Timestamp,
};

/// Who takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Stripe payment intents.
    Stripe,
    /// A provider of play money, whose callbacks follow Standard Webhooks.
    Sandbox,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 2] = [Self::Stripe, Self::Sandbox];

    /// The name in paths, requests and secrets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Sandbox => "sandbox",
        }
    }

    /// The provider of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One attempt to pay one order with one provider. It never changes: its state
/// is the fold of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Derived from the order and the key of the call that started it.
    pub id: PaymentId,
    /// What is paid.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// With whom.
    pub provider: Provider,
    /// How much.
    pub amount: Money,
    /// Whether the risk rules want an extra verification of the buyer.
    pub verify: bool,
    /// When it was started.
    pub at: Timestamp,
    /// A digest of the request that started it.
    pub request: String,
}

/// What an event says happened.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEventKind {
    /// The provider works on it; the outcome comes later.
    Processing,
    /// This try was declined; the attempt may still succeed.
    Failed,
    /// The attempt was called off at the provider.
    Cancelled,
    /// The money was taken.
    Succeeded,
}

/// One verified report of a provider about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentEvent {
    /// The provider's identity of the event, or a digest where it has none.
    pub id: String,
    /// The attempt it is about.
    pub payment: PaymentId,
    /// Who reports.
    pub provider: Provider,
    /// What happened.
    pub kind: PaymentEventKind,
    /// How much it is about.
    pub amount: Money,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// Why it failed, in the provider's code; at most [`MAX_REASON`] characters.
    pub reason: Option<String>,
    /// SHA-256 of the raw body, to prove later what was received.
    pub body_digest: String,
}

/// The longest reason code that is kept; providers' codes are shorter.
pub const MAX_REASON: usize = 64;

/// What the events of an attempt amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing was heard yet.
    Pending,
    /// The provider works on it.
    Processing,
    /// The last try was declined.
    Failed,
    /// Called off.
    Cancelled,
    /// Paid in full.
    Succeeded,
    /// Paid, but not the amount or currency that was asked: a person decides.
    Mismatched,
}

impl PaymentStatus {
    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Succeeded => "succeeded",
            Self::Mismatched => "mismatched",
        }
    }
}
