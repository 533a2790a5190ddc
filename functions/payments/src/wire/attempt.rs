//! An attempt to pay as its buyer sees it.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        id::{OrderId, PaymentId, RefundId},
        money::Money,
        order::{Order, OrderPayment, RefundCause, RefundDue},
        payment::{
            Attempt, Flow, Instalments, Method, PaymentEvent, PaymentEventKind, PaymentStatus,
            Provider, Refund, RefundStatus,
        },
        time::Timestamp,
    },
    store::payments::PaymentHistory,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{fold::Folded, methods};

/// The most of what happened that is shown, the latest of it. A payment has
/// some five reports.
const EVENTS_MAX: usize = 50;

/// An attempt to pay, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// Its identity.
    pub id: PaymentId,
    /// What is paid.
    pub order: OrderId,
    /// With what.
    pub method: Method,
    /// With whom.
    pub provider: Provider,
    /// How the buyer gets there.
    pub flow: Flow,
    /// Where it stands.
    pub status: PaymentStatus,
    /// How much the provider takes.
    pub amount: Money,
    /// What of the order that pays, if the buyer pays in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<Money>,
    /// In how many parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalments: Option<Instalments>,
    /// Why the last try was declined, in the provider's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// What was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Money>,
    /// How much of that went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Money>,
    /// What goes back, or went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<AttemptRefund>,
    /// What the provider reported, in the order of time; the latest 50.
    pub events: Vec<AttemptEvent>,
    /// Whether another attempt to pay the order can be started.
    pub can_try_again: bool,
}

/// What a provider reported of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptEvent {
    /// What happened.
    pub kind: PaymentEventKind,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// How much it is about.
    pub amount: Money,
}

/// Money that goes back of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRefund {
    /// Its identity.
    pub id: RefundId,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why it goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<RefundCause>,
}

/// The attempts to pay an order that were heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptList {
    /// The attempts, the latest first.
    pub payments: Vec<AttemptSummary>,
    /// Whether another attempt can be started.
    pub can_try_again: bool,
}

/// An attempt to pay, as its order knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptSummary {
    /// Its identity.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Since when, by the provider's clock.
    pub at: Timestamp,
}

impl AttemptView {
    /// An attempt of an order as all that is known of it amounts to.
    #[must_use]
    pub fn of(
        attempt: &Attempt,
        history: &PaymentHistory,
        folded: Folded,
        order: &Order,
        now: Timestamp,
    ) -> Self {
        Self {
            id: attempt.id.clone(),
            order: attempt.order.clone(),
            method: attempt.method,
            provider: attempt.provider,
            flow: attempt.flow,
            status: folded.payment.status,
            amount: attempt.amount,
            settles: Some(attempt.settles).filter(|it| *it != attempt.amount),
            instalments: attempt.instalments,
            reason: folded.reason,
            started_at: attempt.at,
            received: folded.received,
            refunded: Some(folded.refunded).filter(|it| it.minor() > 0),
            refunds: refunds(attempt, &history.refunds, &order.refunds_due),
            events: events(attempt, &history.events),
            can_try_again: methods::payable(order, now).is_ok(),
        }
    }
}

/// What the provider was asked to give back, and what it will be asked.
fn refunds(attempt: &Attempt, asked: &[Refund], due: &[RefundDue]) -> Vec<AttemptRefund> {
    let due = due.iter().filter(|it| it.payment == attempt.id);
    let mut refunds: BTreeMap<&RefundId, AttemptRefund> = due
        .map(|it| {
            let (id, amount, cause) = (it.id.clone(), it.amount, Some(it.cause));
            (&it.id, AttemptRefund { id, amount, status: RefundStatus::Pending, cause })
        })
        .collect();
    for refund in asked {
        let cause = refunds.get(&refund.id).and_then(|it| it.cause);
        let (id, amount, status) = (refund.id.clone(), refund.amount, refund.status);
        refunds.insert(&refund.id, AttemptRefund { id, amount, status, cause });
    }
    refunds.into_values().collect()
}

/// Events of another provider have no say, see the fold.
fn events(attempt: &Attempt, events: &[PaymentEvent]) -> Vec<AttemptEvent> {
    let ours = events.iter().filter(|event| event.provider == attempt.provider);
    let mut ours: Vec<&PaymentEvent> = ours.collect();
    ours.sort_by_key(|event| (event.at, event.kind, event.id.as_str()));
    let latest = ours.iter().skip(ours.len().saturating_sub(EVENTS_MAX));
    latest
        .map(|event| AttemptEvent { kind: event.kind, at: event.at, amount: event.amount })
        .collect()
}

impl AttemptList {
    /// The attempts that an order knows.
    #[must_use]
    pub fn of(order: &Order, now: Timestamp) -> Self {
        let mut known: Vec<&OrderPayment> = order.payments.iter().collect();
        known.sort_by_key(|it| (std::cmp::Reverse(it.at), it.payment.as_str()));
        let summary = |it: &OrderPayment| AttemptSummary {
            id: it.payment.clone(),
            status: it.status,
            at: it.at,
        };
        Self {
            payments: known.into_iter().map(summary).collect(),
            can_try_again: methods::payable(order, now).is_ok(),
        }
    }
}
