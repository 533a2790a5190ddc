//! Entries in the lists of who is blocked and who is trusted.

use aftercart::model::{
    customer::Address,
    risk::{Listed, RiskKind},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `PUT /risk/entries`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRiskEntry {
    /// What is blocked or trusted.
    pub kind: RiskKind,
    /// Which: a member as orders name it (`cus_...`), an e-mail address, or
    /// what the shop calls a device or the provider a card. Of every kind but
    /// an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Text<254>>,
    /// Which address; the name, the region and the telephone number in it make
    /// no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What is said of it; null takes the entry away.
    #[serde(deserialize_with = "Option::deserialize")]
    pub listed: Option<Listed>,
    /// Why, for other operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
}

/// An entry as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskEntryView {
    /// Of what kind.
    pub kind: RiskKind,
    /// What is said of it; null if it has been taken away.
    pub listed: Option<Listed>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
    /// Since when.
    pub at: Timestamp,
    /// Whether a rule of the policy asks for entries of this kind; without one
    /// the entry does nothing.
    pub asked_for: bool,
}
