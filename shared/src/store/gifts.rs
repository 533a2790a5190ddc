//! Gifts of points: each in a partition of its own, and found by both members
//! by an item in theirs that only says which it is. What limits a member's gifts
//! lies next to the ledger.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    gift::{End, Ended, Gift, Giving, Kept},
    id::GiftId,
    text::Text,
    time::{Date, Timestamp},
};

use super::{
    Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{Item, from_item as read_form, is_default, stored, to_item},
    key::{GIFT_PREFIX, SK},
    read::{PartitionQuery, text},
};

const ENDED: &str = "e";
const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredGift {
    v: u32,
    #[serde(skip_serializing)]
    pk: GiftId,
    f: CustomerId,
    t: CustomerId,
    /// Whom the giver named, if it is not `t`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nm: Option<CustomerId>,
    p: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    no: Option<Text<140>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<Text<40>>,
    at: Timestamp,
    u: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<StoredEnd>,
}
stored!(StoredGift, "gift", 1);

#[derive(Serialize, Deserialize)]
struct StoredEnd {
    v: u32,
    at: Timestamp,
    h: End,
}
stored!(StoredEnd, "end of a gift", 1);

#[derive(Serialize, Deserialize)]
struct StoredPlace {
    v: u32,
}
stored!(StoredPlace, "place of a gift", 1);

#[derive(Serialize, Deserialize)]
struct StoredGiving {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    d: Date,
    #[serde(default, skip_serializing_if = "is_default")]
    c: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    g: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    a: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    k: Vec<(Timestamp, i64)>,
    n: u64,
}
stored!(StoredGiving, "record of gifts", 1);

/// Writes a gift, unless it is there, and where both members find it. The gift
/// is the first write.
pub fn make(gift: &Gift, sends: &Sends) -> [Write; 3] {
    let form = StoredGift {
        v: 1,
        pk: gift.id.clone(),
        f: gift.from.clone(),
        t: gift.to.clone(),
        nm: (gift.named != gift.to).then(|| gift.named.clone()),
        p: gift.points,
        no: gift.note.clone(),
        s: gift.signed.clone(),
        at: gift.made_at,
        u: gift.until,
        e: None,
    };
    let place = |customer: &CustomerId| {
        let key = Key::gift_of(customer, gift.made_at, &gift.id);
        Write::put(key, &StoredPlace { v: 1 }, &Sends::none())
    };
    let made = Write::put(Key::gift(&gift.id), &form, sends).when(Condition::Absent);
    [made, place(&gift.from), place(&gift.to)]
}

/// Ends a gift. Loses when there is none, or it has ended.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn end(gift: &GiftId, ended: Ended, sends: &Sends) -> Result<Write, StoreError> {
    let form = StoredEnd { v: 1, at: ended.at, h: ended.how };
    let form =
        to_item(&form).map_err(|source| StoreError::Stored { what: "end of a gift", source })?;
    let change = Change::default().set(ENDED, AttributeValue::M(form));
    Ok(Write::update(Key::gift(gift), change, sends)
        .when(Condition::Exists)
        .when(Condition::Missing(ENDED.into())))
}

/// Writes what a member gave and accepted over what was read. Loses when that
/// has changed since.
#[must_use]
pub fn save(giving: &Giving) -> Write {
    let form = StoredGiving {
        v: 1,
        pk: giving.customer.clone(),
        d: giving.on,
        c: giving.gifts,
        g: giving.given,
        a: giving.accepted,
        k: giving.kept.iter().map(|kept| (kept.until, kept.points)).collect(),
        n: giving.version + 1,
    };
    Write::put(Key::giving(&giving.customer), &form, &Sends::none())
        .unchanged(VERSION, giving.version)
}

pub(super) fn from_item(item: &Item) -> Result<Gift, StoreError> {
    let form: StoredGift = read_form(item)?;
    Ok(Gift {
        id: form.pk,
        from: form.f,
        named: form.nm.unwrap_or_else(|| form.t.clone()),
        to: form.t,
        points: form.p,
        note: form.no,
        signed: form.s,
        made_at: form.at,
        until: form.u,
        ended: form.e.map(|it| Ended { at: it.at, how: it.h }),
    })
}

fn giving_from_item(item: &Item) -> Result<Giving, StoreError> {
    let form: StoredGiving = read_form(item)?;
    Ok(Giving {
        customer: form.pk,
        on: form.d,
        gifts: form.c,
        given: form.g,
        accepted: form.a,
        kept: form.k.into_iter().map(|(until, points)| Kept { until, points }).collect(),
        version: form.n,
    })
}

impl Found {
    /// The gift, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn gift(&self, gift: &GiftId) -> Result<Option<Gift>, StoreError> {
        self.item(&Key::gift(gift)).map(from_item).transpose()
    }

    /// What the member gave and accepted of late. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn giving(&self, customer: &CustomerId) -> Result<Giving, StoreError> {
        let item = self.item(&Key::giving(customer));
        item.map_or_else(|| Ok(Giving::nothing(customer.clone())), giving_from_item)
    }
}

impl Store {
    /// A page of the gifts that these accounts of a member made or may accept,
    /// latest first: a query of each, one after the other, for a person has few.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn gifts_of(
        &self,
        accounts: &[&CustomerId],
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<GiftId>, StoreError> {
        let mut places = BTreeSet::new();
        let mut more = false;
        for pk in accounts.iter().map(|customer| customer.as_str()) {
            let start = from.map(|token| token.start(pk));
            let query = PartitionQuery { table: Table::Points, pk, prefix: Some(GIFT_PREFIX) };
            let (items, last) = self.latest(query, start, limit).await?;
            places.extend(items.iter().filter_map(|item| text(item, SK)));
            more |= last.is_some();
        }
        // Each account gave its latest, so the latest of all are among them.
        more |= places.len() > usize::from(limit);
        let page: Vec<String> = places.into_iter().rev().take(limit.into()).collect();
        let next = page.last().filter(|_| more).cloned().map(PageToken::new);
        Ok(Page { items: page.iter().filter_map(|sk| place(sk)).collect(), next })
    }
}

/// Reads a cursor that a listing of gifts gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| place(token.inner()).is_some())
}

/// The gift that a sort key names.
fn place(sk: &str) -> Option<GiftId> {
    let (at, id) = sk.strip_prefix(GIFT_PREFIX)?.split_once('#')?;
    Timestamp::parse(at).ok().and_then(|_| GiftId::parse(id).ok())
}
