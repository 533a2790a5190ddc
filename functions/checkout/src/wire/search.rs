//! Orders as operators find them.

use aftercart::model::{
    customer::CustomerId,
    order::{Order, OrderRisk},
    policy::Policy,
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OrderSummary;

/// A page of orders that were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundOrders {
    /// The orders.
    pub orders: Vec<FoundOrder>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An order in short, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundOrder {
    /// What its buyer sees, too.
    #[serde(flatten)]
    pub summary: OrderSummary,
    /// Whose it is.
    pub customer: CustomerId,
    /// Since when it waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at: Option<Timestamp>,
    /// What the risk rules said of it, if they said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskView>,
}

/// What the risk rules said of an order. Its buyer never sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskView {
    /// Whether its payment needs an extra verification of the buyer.
    pub verification_required: bool,
    /// The rules that held.
    pub rules: Vec<RiskReason>,
}

/// A rule that held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskReason {
    /// Its name in the policy.
    pub id: Text<40>,
    /// What it looks for, if the policy still has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<200>>,
}

impl RiskView {
    /// With the rules' titles of this policy.
    #[must_use]
    pub fn of(risk: &OrderRisk, policy: &Policy) -> Self {
        let reason = |id: &Text<40>| RiskReason {
            id: id.clone(),
            title: policy.risk.rules.iter().find(|it| it.id == *id).map(|it| it.title.clone()),
        };
        Self {
            verification_required: risk.challenge,
            rules: risk.rules.iter().map(reason).collect(),
        }
    }
}

impl FoundOrder {
    /// The order as it stands.
    #[must_use]
    pub fn of(order: &Order, policy: &Policy) -> Self {
        Self {
            summary: OrderSummary::from(order),
            customer: order.customer.clone(),
            held_at: order.held_at,
            risk: order.risk.as_ref().map(|risk| RiskView::of(risk, policy)),
        }
    }
}
