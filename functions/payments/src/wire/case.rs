//! Cases as operators see them.

use aftercart::model::{
    id::{CaseId, PaymentId},
    money::Money,
    payment::{CaseAction, CaseReason, PaymentCase, Provider},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::cases;

/// Something about payments that waits for a person, or waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseFile {
    /// Its identity.
    pub id: CaseId,
    /// Why it waits.
    pub reason: CaseReason,
    /// From whom it came.
    pub provider: Provider,
    /// The payment that it is about, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// How much it is about, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What happened.
    pub what: Text<300>,
    /// When it was noted.
    pub at: Timestamp,
    /// What may be done about it; nothing is left once it is resolved.
    pub actions: Vec<CaseAction>,
    /// What a person did about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolution>,
}

/// What a person did about a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// Who, by the subject of the token.
    pub by: Text<128>,
    /// What.
    pub action: CaseAction,
}

impl From<&PaymentCase> for CaseFile {
    fn from(case: &PaymentCase) -> Self {
        let resolved = case.resolved.as_ref();
        Self {
            id: case.id.clone(),
            reason: case.reason,
            provider: case.provider,
            payment: case.payment.clone(),
            amount: case.amount,
            what: case.what.clone(),
            at: case.at,
            actions: if resolved.is_some() { Vec::new() } else { cases::actions(case) },
            resolved: resolved.map(|it| Resolution {
                at: it.at,
                by: it.by.clone(),
                action: it.how,
            }),
        }
    }
}

/// A page of the open cases, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseFile>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The body of `POST /operator/payment-cases/{id}/resolution`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveCase {
    /// What is to be done: one of the case's `actions`.
    pub action: CaseAction,
}
