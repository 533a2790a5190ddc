//! The policy document.

use serde::{Deserialize, Serialize};

use super::{
    Key, Sends, Store, StoreError, Write,
    item::{from_item, stored},
};

#[derive(Serialize, Deserialize)]
struct StoredPolicy {
    v: u32,
    doc: String,
}
stored!(StoredPolicy, "policy", 1);

/// Replaces the policy document.
#[must_use]
pub fn put_policy(document: &str) -> Write {
    let form = StoredPolicy { v: 1, doc: document.to_owned() };
    Write::put(Key::policy(), &form, &Sends::none())
}

impl Store {
    /// The policy document that the merchant set, if one is set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy_document(&self) -> Result<Option<String>, StoreError> {
        let item = self.get(&Key::policy()).await?;
        let form: Option<StoredPolicy> = item.as_ref().map(from_item).transpose()?;
        Ok(form.map(|form| form.doc))
    }
}
