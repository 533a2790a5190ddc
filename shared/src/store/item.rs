//! Items: stored forms to attributes and back.

use std::collections::HashMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_dynamo::AttributeValue;

pub(super) use crate::model::is_default;

use super::StoreError;

/// The attributes of a stored item.
pub type Item = HashMap<String, AttributeValue>;

/// Why a stored item cannot be read, or a value cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// An attribute is missing, of another type, or breaks its type's rule.
    #[error("its attributes do not have the form of this build")]
    Form(#[from] serde_dynamo::Error),
    /// Its schema number is of another build.
    #[error("its schema number is {found}, this build reads {known}")]
    Schema {
        /// What the item says.
        found: u32,
        /// What this build reads.
        known: u32,
    },
    /// Its messages cannot be written.
    #[error("its messages cannot be written")]
    Messages(#[from] serde_json::Error),
    /// An amount or a time does not make sense.
    #[error("it holds a value out of its range")]
    Range,
}

/// A private stored form: how an aggregate lies in its table.
pub(super) trait Stored: Serialize + DeserializeOwned {
    /// What it is called in errors.
    const WHAT: &'static str;
    /// The schema number that this build writes and reads.
    const SCHEMA: u32;
    /// The schema number of this item.
    fn schema(&self) -> u32;
}

/// The attributes of a stored form.
pub(super) fn to_item<S: Stored>(stored: &S) -> Result<Item, StoredError> {
    Ok(serde_dynamo::to_item(stored)?)
}

/// The stored form of an item.
pub(super) fn from_item<S: Stored>(item: &Item) -> Result<S, StoreError> {
    let fail = |source| StoreError::Stored { what: S::WHAT, source };
    let stored: S = serde_dynamo::from_item(item.clone()).map_err(|error| fail(error.into()))?;
    if stored.schema() != S::SCHEMA {
        return Err(fail(StoredError::Schema { found: stored.schema(), known: S::SCHEMA }));
    }
    Ok(stored)
}

/// Turns "out of range" of a domain type into a store error.
pub(super) fn in_range<T, E>(what: &'static str, value: Result<T, E>) -> Result<T, StoreError> {
    value.map_err(|_| StoreError::Stored { what, source: StoredError::Range })
}

/// Implements [`Stored`] for a form whose schema number is its field `v`.
macro_rules! stored {
    ($form:ident, $what:literal, $schema:literal) => {
        impl crate::store::item::Stored for $form {
            const WHAT: &'static str = $what;
            const SCHEMA: u32 = $schema;
            fn schema(&self) -> u32 {
                self.v
            }
        }
    };
}
pub(super) use stored;

/// The digits of an attribute that is a number.
pub(super) fn as_number(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::N(digits) => Some(digits),
        _ => None,
    }
}

/// The texts of an attribute that is a set of texts.
pub(super) fn as_texts(value: &AttributeValue) -> Option<&[String]> {
    match value {
        AttributeValue::Ss(texts) => Some(texts),
        _ => None,
    }
}

/// A number as an attribute.
pub(super) fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}
