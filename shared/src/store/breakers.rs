//! How the calls to each provider went of late: an item a provider, which is
//! read with what is to be paid and written when calls fail.

use serde::{Deserialize, Serialize};

use crate::model::{id::PaymentId, paying::Breaker, payment::Provider, time::Timestamp};

use super::{
    Found, Item, Key, Sends, StoreError, Write,
    item::{from_item, stored},
};

const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredBreaker {
    v: u32,
    n: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    f: Vec<(PaymentId, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<Timestamp>,
}
stored!(StoredBreaker, "breaker", 1);

/// Writes how calls went. Loses when somebody else wrote since the version
/// before this one was read.
#[must_use]
pub fn put(provider: Provider, breaker: &Breaker) -> Write {
    let Breaker { version, failures, open_until } = breaker.clone();
    let form = StoredBreaker { v: 1, n: version, f: failures, u: open_until };
    let write = Write::put(Key::breaker(provider), &form, &Sends::none());
    write.unchanged(VERSION, version.saturating_sub(1))
}

/// The breaker in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from(item: &Item) -> Result<Breaker, StoreError> {
    let form: StoredBreaker = from_item(item)?;
    Ok(Breaker { version: form.n, failures: form.f, open_until: form.u })
}

impl Found {
    /// How calls to a provider went, if it was asked for: well, if nothing is
    /// written of it.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn breaker(&self, provider: Provider) -> Result<Breaker, StoreError> {
        let item = self.item(&Key::breaker(provider));
        item.map_or_else(|| Ok(Breaker::default()), from)
    }
}
