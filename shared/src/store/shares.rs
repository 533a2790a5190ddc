//! Offers that friends share.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::ShareId,
    price::RuleId,
    share::Share,
    time::{Period, Timestamp},
};

use super::{
    Key, Sends, Store, StoreError, Write,
    item::{Item, from_item as read_form, stored},
};

const VERSION: &str = "n";

/// How long a share is kept after its end, for those who look at it.
const KEPT: Period = Period::of_days(90);

#[derive(Serialize, Deserialize)]
struct StoredShare {
    v: u32,
    #[serde(skip_serializing)]
    pk: ShareId,
    c: RuleId,
    s: CustomerId,
    u: Timestamp,
    j: Vec<CustomerId>,
    n: u64,
    ttl: i64,
}
stored!(StoredShare, "share", 1);

/// Writes a share. Loses when somebody else wrote it since it was read, or,
/// when it is new, if it is there already.
#[must_use]
pub fn save(share: &Share) -> Write {
    let form = StoredShare {
        v: 1,
        pk: share.id.clone(),
        c: share.campaign.clone(),
        s: share.starter.clone(),
        u: share.until,
        j: share.joined.clone(),
        n: share.version,
        ttl: share.until.plus(KEPT).unix_seconds(),
    };
    Write::put(Key::share(&share.id), &form, &Sends::none())
        .unchanged(VERSION, share.version.saturating_sub(1))
}

/// The share in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Share, StoreError> {
    let form: StoredShare = read_form(item)?;
    Ok(Share {
        id: form.pk,
        campaign: form.c,
        starter: form.s,
        until: form.u,
        joined: form.j,
        version: form.n,
    })
}

impl Store {
    /// The share.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn share(&self, id: &ShareId) -> Result<Option<Share>, StoreError> {
        self.get(&Key::share(id)).await?.as_ref().map(from_item).transpose()
    }
}
