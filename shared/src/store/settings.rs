//! The documents that the merchant sets: the policy, the price rules and the
//! exchange rates.

use serde::{Deserialize, Serialize};

use super::{
    Found, Item, Key, Sends, Store, StoreError, Write,
    item::{from_item, stored},
};

#[derive(Serialize, Deserialize)]
struct StoredDocument {
    v: u32,
    doc: String,
}
stored!(StoredDocument, "document", 1);

/// Replaces the policy document.
#[must_use]
pub fn put_policy(document: &str) -> Write {
    put(Key::policy(), document)
}

/// Replaces the document of the price rules.
#[must_use]
pub fn put_price_rules(document: &str) -> Write {
    put(Key::price_rules(), document)
}

/// Replaces the document of the exchange rates.
#[must_use]
pub fn put_exchange_rates(document: &str) -> Write {
    put(Key::exchange_rates(), document)
}

fn put(key: Key, document: &str) -> Write {
    let form = StoredDocument { v: 1, doc: document.to_owned() };
    Write::put(key, &form, &Sends::none())
}

fn document(item: Option<&Item>) -> Result<Option<String>, StoreError> {
    let form: Option<StoredDocument> = item.map(from_item).transpose()?;
    Ok(form.map(|form| form.doc))
}

impl Found {
    /// The document, if it was asked for and is set.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn document(&self, key: &Key) -> Result<Option<String>, StoreError> {
        document(self.item(key))
    }
}

impl Store {
    /// The policy document that the merchant set, if one is set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy_document(&self) -> Result<Option<String>, StoreError> {
        document(self.get(&Key::policy()).await?.as_ref())
    }
}
