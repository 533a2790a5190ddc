//! What is sold, and how much of it there is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{id::ReceiptId, money::Money, text::Text, time::Timestamp};

/// The most units that one receipt brings in; a typing error beyond it is refused.
pub const MAX_RECEIPT: u32 = 1_000_000;

/// A stock-keeping unit: 1 to 40 of `A-Z a-z 0-9 . _ -`, compared exactly.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Sku(String);

/// Why a text is no SKU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a SKU: 1 to 40 of the characters A-Z a-z 0-9 . _ -")]
pub struct SkuError;

impl Sku {
    /// The SKU written as `text`.
    ///
    /// # Errors
    /// When it has not the form of one.
    pub fn parse(text: &str) -> Result<Self, SkuError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if text.is_empty() || text.len() > 40 || !text.bytes().all(fits) {
            return Err(SkuError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The SKU as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Sku {
    type Error = SkuError;
    fn try_from(text: String) -> Result<Self, SkuError> {
        Self::parse(&text)
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

/// Something a shop sells. The price is the shop's word; a client's never counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its SKU.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// The price of one unit; zero is a price.
    pub price: Money,
}

/// Goods that came in. The level of a SKU is the sum of its receipts less what
/// living orders took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Derived from the SKU and the key of the call.
    pub id: ReceiptId,
    /// What came.
    pub sku: Sku,
    /// How many, 1 to [`MAX_RECEIPT`].
    pub quantity: u32,
    /// When it was recorded.
    pub at: Timestamp,
}
