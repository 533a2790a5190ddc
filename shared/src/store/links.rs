//! Links of two accounts of one person.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId, id::LinkId, points::AccountLink, text::Text, time::Timestamp,
};

use super::{
    Found, Key, Sends, Store, StoreError, Write,
    item::{Item, from_item, is_default, stored},
    points::{StoredPart, StoredQualifying, StoredStanding},
};

const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredLink {
    v: u32,
    #[serde(skip_serializing)]
    pk: LinkId,
    m: CustomerId,
    o: CustomerId,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Text<128>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    c: Vec<StoredPart>,
    #[serde(default, skip_serializing_if = "is_default")]
    d: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    q: StoredQualifying,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Box<(StoredStanding, StoredStanding)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<(Timestamp, Option<Text<128>>, Text<500>)>,
    n: u64,
}
stored!(StoredLink, "link of accounts", 1);

/// Writes a link over the one that was read. Loses when it has changed since,
/// or, when it is new, is there already.
#[must_use]
pub fn save(link: &AccountLink) -> Write {
    let form = StoredLink {
        v: 1,
        pk: link.id.clone(),
        m: link.main.clone(),
        o: link.other.clone(),
        at: link.at,
        by: link.by.clone(),
        c: link.came.iter().map(Into::into).collect(),
        d: link.owed,
        q: (&link.qualified).into(),
        f: link.qualified_in,
        t: link.raised.as_ref().map(|it| Box::new(((&it.0).into(), (&it.1).into()))),
        u: link.undone.clone(),
        n: link.version.saturating_add(1),
    };
    Write::put(Key::account_link(&link.id), &form, &Sends::none()).unchanged(VERSION, link.version)
}

fn link_from_item(item: &Item) -> Result<AccountLink, StoreError> {
    let form: StoredLink = from_item(item)?;
    Ok(AccountLink {
        id: form.pk,
        main: form.m,
        other: form.o,
        at: form.at,
        by: form.by,
        came: form.c.into_iter().map(Into::into).collect(),
        owed: form.d,
        qualified: form.q.into(),
        qualified_in: form.f,
        raised: form.t.map(|it| Box::new((it.0.into(), it.1.into()))),
        undone: form.u,
        version: form.n,
    })
}

impl Found {
    /// The link, if it was asked for under [`Key::account_link`] and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn account_link(&self, id: &LinkId) -> Result<Option<AccountLink>, StoreError> {
        self.item(&Key::account_link(id)).map(link_from_item).transpose()
    }
}

impl Store {
    /// The link.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_link(&self, id: &LinkId) -> Result<Option<AccountLink>, StoreError> {
        self.get(&Key::account_link(id)).await?.as_ref().map(link_from_item).transpose()
    }
}
