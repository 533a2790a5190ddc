//! Rewards, each with the count of what was taken of it in one item, and
//! redemptions, each in a partition of its own.
//!
//! How many there are in all is among a reward's terms, and how many were
//! taken is counted beside them: new terms hold at once, and no count is lost
//! when they are written while members take it.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::{Address, CustomerId},
    id::{OrderId, RedemptionId},
    order::Actor,
    price::Title,
    reward::{Fulfilled, MAX_REWARDS, Offered, Redemption, Reward, RewardId, RewardKind, Undoing},
    text::Text,
    time::{Timestamp, Zone},
};

use super::{
    DueTable, Found, Item, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{from_item as read_form, is_default, number, stored, to_item},
    key::{DUE, DUE_SHARD, REDEEMED_PREFIX, REWARD_PREFIX, SK},
    read::{self, PartitionQuery, text},
};

/// The partition of the index of what is due in which rewards lie, by when
/// they leave the catalogue. Schedules do not read it.
const CATALOGUE: &str = "rewards";

/// The partition of that index in which redemptions lie that wait for a
/// person, by when they were taken. Schedules do not read it.
const WAITING: &str = "redemptions";

const SCHEMA: &str = "v";
const TERMS: &str = "d";
const TAKEN: &str = "t";
const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredReward {
    v: u32,
    #[serde(skip_serializing)]
    pk: String,
    d: StoredTerms,
    #[serde(default)]
    t: i64,
}
stored!(StoredReward, "reward", 1);

#[derive(Serialize, Deserialize)]
struct StoredTerms {
    v: u32,
    r: Reward,
}
stored!(StoredTerms, "terms of a reward", 1);

#[derive(Serialize, Deserialize)]
struct StoredCount {
    v: u32,
    t: i64,
}
stored!(StoredCount, "count of a member's rewards", 1);

/// A note that is nothing but its key.
#[derive(Serialize, Deserialize)]
struct StoredNote {
    v: u32,
}
stored!(StoredNote, "note of a redemption", 1);

#[derive(Serialize, Deserialize)]
struct StoredRedemption {
    v: u32,
    #[serde(skip_serializing)]
    pk: RedemptionId,
    c: CustomerId,
    /// Whose points pay, if they are not the member's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<CustomerId>,
    r: RewardId,
    ti: Title,
    k: RewardKind,
    p: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    u: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    m: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ad: Option<Address>,
    at: Timestamp,
    rq: String,
    #[serde(default, skip_serializing_if = "is_default")]
    po: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<StoredFulfilled>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<(Timestamp, Actor)>,
    n: u32,
}
stored!(StoredRedemption, "redemption", 1);

#[derive(Serialize, Deserialize)]
struct StoredFulfilled {
    at: Timestamp,
    by: Text<128>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Text<200>>,
}

/// Writes the terms of a reward, whatever they were; what was taken of it
/// stays counted. It is in the catalogue until it ends by the clock of a zone.
/// Never loses.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn put(id: &RewardId, reward: &Reward, zone: &Zone) -> Result<Write, StoreError> {
    let terms = to_item(&StoredTerms { v: 1, r: reward.clone() })
        .map_err(|source| StoreError::Stored { what: "terms of a reward", source })?;
    let ends = reward.window.ends(zone).unwrap_or(Timestamp::LAST);
    let change = Change::default()
        .set(SCHEMA, number(1))
        .set(TERMS, AttributeValue::M(terms))
        .set(DUE_SHARD, AttributeValue::S(CATALOGUE.to_owned()))
        .set(DUE, AttributeValue::S(ends.to_string()));
    Ok(Write::update(Key::reward(id), change, &Sends::none()))
}

/// Takes one of a reward's units, of which there are so many in all. Loses
/// when as many were taken. Belongs into the commit of its redemption.
#[must_use]
pub fn take_unit(id: &RewardId, units: u32) -> Write {
    counted(Key::reward(id), 1)
        .when(Condition::Exists)
        .when(Condition::MissingOrBelow(TAKEN.into(), i64::from(units)))
}

/// Gives a unit back. Belongs into the commit that undoes its redemption, which
/// happens once. Never loses.
#[must_use]
pub fn give_unit_back(id: &RewardId) -> Write {
    counted(Key::reward(id), -1)
}

/// Counts one more of a reward that a member has. Loses when the member has as
/// many as one may have.
#[must_use]
pub fn count_in(customer: &CustomerId, id: &RewardId, most: u32) -> Write {
    counted(Key::reward_count(customer, id), 1)
        .when(Condition::MissingOrBelow(TAKEN.into(), i64::from(most)))
}

/// Counts one less. Belongs into the commit that undoes the redemption, which
/// happens once. Never loses.
#[must_use]
pub fn count_out(customer: &CustomerId, id: &RewardId) -> Write {
    counted(Key::reward_count(customer, id), -1)
}

fn counted(key: Key, by: i64) -> Write {
    let change = Change::default().add(TAKEN, by).set(SCHEMA, number(1));
    Write::update(key, change, &Sends::none())
}

/// Writes a redemption over the one that was read, or a new one. Loses when it
/// has changed since.
#[must_use]
pub fn save(redemption: &Redemption, sends: &Sends) -> Write {
    let account = (redemption.account != redemption.customer).then(|| redemption.account.clone());
    let fulfilled = redemption.fulfilled.clone();
    let form = StoredRedemption {
        v: 1,
        pk: redemption.id.clone(),
        c: redemption.customer.clone(),
        a: account,
        r: redemption.reward.clone(),
        ti: redemption.title.clone(),
        k: redemption.kind.clone(),
        p: redemption.points,
        u: redemption.of_units,
        m: redemption.of_member,
        o: redemption.order.clone(),
        ad: redemption.address.clone(),
        at: redemption.taken_at,
        rq: redemption.request.clone(),
        po: redemption.posted,
        f: fulfilled.map(|it| StoredFulfilled { at: it.at, by: it.by, t: it.note }),
        e: redemption.undone.clone().map(|it| (it.at, it.by)),
        n: redemption.version.saturating_add(1),
    };
    let write = Write::put(Key::redemption(&redemption.id), &form, sends)
        .unchanged(VERSION, redemption.version);
    if !redemption.waits() {
        return write;
    }
    write.indexed(DUE_SHARD, WAITING.to_owned()).indexed(DUE, redemption.taken_at.to_string())
}

/// Notes under the member that a reward was taken, for the list of what the
/// member took. Belongs into the commit of the new redemption.
#[must_use]
pub fn note(redemption: &Redemption) -> Write {
    let Redemption { customer, taken_at, id, .. } = redemption;
    let key = Key::redeemed(customer, *taken_at, id);
    Write::put(key, &StoredNote { v: 1 }, &Sends::none())
}

/// The reward in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn offered_from_item(item: &Item) -> Result<Offered, StoreError> {
    let form: StoredReward = read_form(item)?;
    let id = parse_reward(&form.pk)
        .ok_or(StoreError::Stored { what: "reward", source: super::StoredError::Range })?;
    Ok(Offered { id, reward: form.d.r, taken: form.t })
}

/// How many of a reward were taken, by the item that [`Store::change`] gave as
/// it was before; none of one that was not there.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn taken_from_item(item: Option<&Item>) -> Result<i64, StoreError> {
    // Local stores give the bare key of an item that was not there.
    let item = item.filter(|item| item.contains_key(TERMS));
    item.map_or(Ok(0), |item| offered_from_item(item).map(|it| it.taken))
}

/// How many of a reward a member has, by an item such as the one that a
/// [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn count_from_item(item: &Item) -> Result<i64, StoreError> {
    read_form(item).map(|form: StoredCount| form.t)
}

/// The redemption in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn redemption_from_item(item: &Item) -> Result<Redemption, StoreError> {
    let form: StoredRedemption = read_form(item)?;
    Ok(Redemption {
        id: form.pk,
        account: form.a.unwrap_or_else(|| form.c.clone()),
        customer: form.c,
        reward: form.r,
        title: form.ti,
        kind: form.k,
        points: form.p,
        of_units: form.u,
        of_member: form.m,
        order: form.o,
        address: form.ad,
        taken_at: form.at,
        request: form.rq,
        posted: form.po,
        fulfilled: form.f.map(|it| Fulfilled { at: it.at, by: it.by, note: it.t }),
        undone: form.e.map(|(at, by)| Undoing { at, by }),
        version: form.n,
    })
}

/// The place after which a listing of redemptions that wait goes on, if the
/// text is one.
#[must_use]
pub fn waiting_cursor(text: &str) -> Option<PageToken> {
    read::cursor(text, parse_redemption)
}

/// The place after which a listing of what a member took goes on, if the text
/// is one.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| noted(token.inner()).is_some())
}

fn parse_reward(pk: &str) -> Option<RewardId> {
    RewardId::parse(pk.strip_prefix(REWARD_PREFIX)?).ok()
}

fn parse_redemption(pk: &str) -> Option<RedemptionId> {
    RedemptionId::parse(pk).ok()
}

fn noted(sk: &str) -> Option<RedemptionId> {
    let (at, id) = sk.strip_prefix(REDEEMED_PREFIX)?.split_once('#')?;
    Timestamp::parse(at).ok()?;
    parse_redemption(id)
}

impl Found {
    /// The reward, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn offered(&self, id: &RewardId) -> Result<Option<Offered>, StoreError> {
        self.item(&Key::reward(id)).map(offered_from_item).transpose()
    }

    /// How many of a reward the member has. It must have been asked for under
    /// [`Key::reward_count`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn reward_count(&self, customer: &CustomerId, id: &RewardId) -> Result<i64, StoreError> {
        self.item(&Key::reward_count(customer, id)).map_or(Ok(0), count_from_item)
    }

    /// The redemption, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn redemption(&self, id: &RedemptionId) -> Result<Option<Redemption>, StoreError> {
        self.item(&Key::redemption(id)).map(redemption_from_item).transpose()
    }
}

impl Store {
    /// The rewards that have not ended by `now`, at most [`MAX_REWARDS`], those
    /// first that end first: one query of the index and one batched read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn catalogue(&self, now: Timestamp) -> Result<Vec<Offered>, StoreError> {
        let ids = self.catalogued(now).await?;
        let keys: Vec<Key> = ids.iter().map(Key::reward).collect();
        let found = self.read(&keys).await?;
        ids.iter().filter_map(|id| found.offered(id).transpose()).collect()
    }

    /// Whether the catalogue has a reward by `now`, or has room for it: it shows
    /// at most [`MAX_REWARDS`]. One query of the index, which may lag a moment
    /// behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_room_for(&self, id: &RewardId, now: Timestamp) -> Result<bool, StoreError> {
        let ids = self.catalogued(now).await?;
        Ok(ids.len() < usize::from(MAX_REWARDS) || ids.contains(id))
    }

    async fn catalogued(&self, now: Timestamp) -> Result<Vec<RewardId>, StoreError> {
        let within = (now, Timestamp::LAST);
        let due = self.due_between(DueTable::Points, CATALOGUE, within, MAX_REWARDS).await?;
        Ok(due.iter().filter_map(|it| parse_reward(&it.pk)).collect())
    }

    /// The redemption.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redemption(&self, id: &RedemptionId) -> Result<Option<Redemption>, StoreError> {
        self.get(&Key::redemption(id)).await?.as_ref().map(redemption_from_item).transpose()
    }

    /// A page of what a member took, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redemptions_of(
        &self,
        customer: &CustomerId,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<RedemptionId>, StoreError> {
        let pk = customer.as_str();
        let start = from.map(|token| token.start(pk));
        let query = PartitionQuery { table: Table::Points, pk, prefix: Some(REDEEMED_PREFIX) };
        let (items, last) = self.latest(query, start, limit).await?;
        let sort_keys = items.iter().filter_map(|item| text(item, SK));
        let ids = sort_keys.filter_map(|sk| noted(&sk)).collect();
        Ok(Page { items: ids, next: last.and_then(|last| text(&last, SK)).map(PageToken::new) })
    }

    /// A page of the redemptions that wait for a person, as the index has it;
    /// those first that were taken first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redemptions_waiting(
        &self,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<RedemptionId>, StoreError> {
        let of = (DueTable::Points, WAITING);
        self.listed(of, (parse_redemption, Key::redemption), from, limit).await
    }
}
