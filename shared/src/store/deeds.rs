//! Deeds that were judged, in the partition of the member who did them.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::EntryId,
    points::{Judged, Told, Why},
    time::Timestamp,
};

use super::{
    Found, Key, Sends, StoreError, Write,
    commit::Condition,
    item::{Item, from_item, stored},
};

#[derive(Serialize, Deserialize)]
struct StoredDeed {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    i: EntryId,
    at: Timestamp,
    /// Rule, points, and why it is nothing or less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    t: Vec<(String, i64, Option<Why>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<u32>,
}
stored!(StoredDeed, "deed", 1);

/// Notes that a deed was judged. Loses when it was before.
#[must_use]
pub fn judge(judged: &Judged) -> Write {
    let told = |told: &Told| (told.rule.clone(), told.points, told.why);
    let form = StoredDeed {
        v: 1,
        pk: judged.customer.clone(),
        i: judged.id.clone(),
        at: judged.at,
        t: judged.told.iter().map(told).collect(),
        s: judged.streak,
    };
    let key = Key::deed(&judged.customer, &judged.id);
    Write::put(key, &form, &Sends::none()).when(Condition::Absent)
}

/// The deed in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn deed_from_item(item: &Item) -> Result<Judged, StoreError> {
    let form: StoredDeed = from_item(item)?;
    let told = |(rule, points, why)| Told { rule, points, why };
    Ok(Judged {
        id: form.i,
        customer: form.pk,
        at: form.at,
        told: form.t.into_iter().map(told).collect(),
        streak: form.s,
    })
}

impl Found {
    /// A deed that was judged, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn deed(&self, customer: &CustomerId, id: &EntryId) -> Result<Option<Judged>, StoreError> {
        self.item(&Key::deed(customer, id)).map(deed_from_item).transpose()
    }
}
