//! What a provider's statement and our records say of one another.

use std::collections::BTreeMap;

use aftercart::model::{
    id::{PaymentId, RefundId},
    money::{Currency, Money},
    payment::{Provider, Settled},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::statement::{Missing, Row, RowKind, Sum, Totals, Verdict};

/// What came of comparing a provider's statement with our records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettlementReport {
    /// Whose statement.
    pub provider: Provider,
    /// A digest of the file. The same file again gives the same report, unless
    /// our records have changed.
    pub statement: String,
    /// The first moment that the statement tells of: by its own words or else
    /// by its rows, or the query's `from` if that is earlier. Money of ours from then on is missing if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The last moment that it tells of, or the query's `to` if that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// How many rows there are.
    pub rows: u32,
    /// The sums, by the currency of the merchant's account; those of what is
    /// missing by the currency that was paid.
    pub totals: BTreeMap<Currency, SettlementTotals>,
    /// What does not agree, as far as it is told in full: rows in the order of
    /// the file, and then what is missing, the earliest first.
    pub differences: Vec<SettlementDifference>,
    /// How many more differences there are than are told in full.
    pub more_differences: u32,
    /// How many rows that do not agree have no case yet: a request opens so many
    /// of them, and the same file again opens more.
    pub without_case: u32,
    /// Whether more may be missing than was looked for.
    pub more_missing: bool,
}

/// Sums by how rows agree with our records. Every row counts in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettlementTotals {
    /// Rows that agree.
    pub matched: SettlementSum,
    /// Rows of which we know nothing.
    pub extra: SettlementSum,
    /// Rows that we know with another amount, currency or status.
    pub different: SettlementSum,
    /// Payments and refunds of ours of which the statement says nothing.
    pub missing: SettlementSum,
    /// Rows about something else: fees, disputes, payouts.
    pub other: SettlementSum,
}

/// A sum, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettlementSum {
    /// How many.
    pub count: u32,
    /// What moved on the merchant's account before fees; below zero if it lost.
    pub gross: i64,
    /// What the provider took for it.
    pub fees: i64,
}

/// How something does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettlementClass {
    /// A row of which we know nothing.
    Extra,
    /// A row that we know otherwise.
    Different,
    /// Money of ours of which the statement says nothing.
    Missing,
}

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettlementKind {
    /// From a buyer.
    Payment,
    /// Back to a buyer.
    Refund,
}

/// A row, or money of ours, that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettlementDifference {
    /// How.
    pub class: SettlementClass,
    /// Which way the money went.
    pub kind: SettlementKind,
    /// In which line of the file the row begins, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What tells the row from others, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The payment, if one is known or named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The refund, if one is known or named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// How much by the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Money>,
    /// How much by our records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Money>,
    /// Why: `amount`, `currency`, `told_twice`, `unknown`, `not_in_the_file`,
    /// or the status that the payment or refund has here.
    pub why: String,
}

impl From<Totals> for SettlementTotals {
    fn from(totals: Totals) -> Self {
        let sum = |Sum { count, gross, fees }| SettlementSum { count, gross, fees };
        Self {
            matched: sum(totals.matched),
            extra: sum(totals.extra),
            different: sum(totals.different),
            missing: sum(totals.missing),
            other: sum(totals.other),
        }
    }
}

impl SettlementDifference {
    /// A row in full that does not agree; none if it does.
    #[must_use]
    pub fn of(row: &Row, verdict: &Verdict) -> Option<Self> {
        let (class, settled, ours, why) = match verdict {
            Verdict::Matched(_) | Verdict::Other => return None,
            Verdict::Extra => (SettlementClass::Extra, None, None, "unknown"),
            Verdict::Different(settled, ours, why) => {
                (SettlementClass::Different, settled.as_ref(), *ours, *why)
            }
        };
        let (kind, refund) = match settled {
            Some(Settled::Refunded(_, refund)) => (SettlementKind::Refund, Some(refund)),
            _ if row.kind == RowKind::Refund => (SettlementKind::Refund, row.refund.as_ref()),
            _ => (SettlementKind::Payment, None),
        };
        Some(Self {
            class,
            kind,
            line: Some(row.line),
            row: Some(row.id.clone()),
            payment: settled.map(Settled::payment).or(row.payment.as_ref()).cloned(),
            refund: refund.cloned(),
            theirs: Some(row.amount),
            ours,
            why: why.to_owned(),
        })
    }

    /// Money of ours in full of which the statement says nothing.
    #[must_use]
    pub fn missing(missing: &Missing) -> Self {
        let (kind, refund) = match &missing.money {
            Settled::Paid(_) => (SettlementKind::Payment, None),
            Settled::Refunded(_, refund) => (SettlementKind::Refund, Some(refund.clone())),
        };
        let size = Money::new(missing.amount.minor().saturating_abs(), missing.amount.currency());
        Self {
            class: SettlementClass::Missing,
            kind,
            line: None,
            row: None,
            payment: Some(missing.money.payment().clone()),
            refund,
            theirs: None,
            ours: size.ok(),
            why: "not_in_the_file".to_owned(),
        }
    }
}
