//! What is known of members, in one partition a member with their vouchers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    delivery::MethodId,
    id::OrderId,
    money::Currency,
    profile::{PaidOrder, Profile},
    text::Text,
    time::{TimeError, Timestamp, YearDay},
};

use super::{
    Found, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item, in_range, is_default, number, stored},
};

const SCHEMA: &str = "v";
const TIER: &str = "t";
const TIER_CHANGES: &str = "tc";
const SEGMENTS: &str = "g";
const BIRTHDAY: &str = "b";
const SINCE: &str = "si";
const ORDERS: &str = "o";
const SPENT: &str = "sp";
const LARGEST: &str = "la";
const LAST_METHOD: &str = "lm";
const COUNTED: &str = "co";

#[derive(Serialize, Deserialize)]
struct StoredProfile {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "is_default")]
    tc: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    g: Vec<Text<40>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<YearDay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    si: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    o: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    sp: BTreeMap<Currency, i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    la: BTreeMap<Currency, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lm: Option<MethodId>,
    /// Orders that are counted, and when they were paid, in seconds of the epoch.
    #[serde(default, skip_serializing_if = "is_default")]
    co: BTreeMap<OrderId, i64>,
}
stored!(StoredProfile, "member's record", 1);

/// What becomes of a member's tier when the shop sets what it knows of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierByHand<'a> {
    /// It follows from the points programme, and is left alone.
    Kept,
    /// It is this one, or none.
    Set(Option<&'a Text<40>>),
}

/// Sets a member's tier, segments and birthday, whatever they were, and
/// nothing else. Never loses.
#[must_use]
pub fn set(
    customer: &CustomerId,
    tier: TierByHand<'_>,
    segments: &[Text<40>],
    birthday: Option<YearDay>,
) -> Write {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let change = match tier {
        TierByHand::Kept => Change::default(),
        TierByHand::Set(tier) => changed(tier),
    };
    let change = match birthday {
        Some(day) => change.set(BIRTHDAY, text(&day.to_string())),
        None => change.remove(BIRTHDAY),
    };
    let segments = AttributeValue::L(segments.iter().map(|it| text(it.as_str())).collect());
    let change = change.set(SEGMENTS, segments).set(SCHEMA, number(1));
    Write::update(Key::profile(customer), change, &Sends::none())
}

/// Sets the tier of the record that was read, as the points programme says, and
/// nothing else. Loses when the programme set it since the record was read:
/// read and decide again.
#[must_use]
pub fn set_tier(read: &Profile, tier: Option<&Text<40>>) -> Write {
    let change = changed(tier).add(TIER_CHANGES, 1).set(SCHEMA, number(1));
    let write = Write::update(Key::profile(&read.customer), change, &Sends::none());
    match read.tier_changes {
        0 => write.when(Condition::Missing(TIER_CHANGES.into())),
        changes => write.when(Condition::Is(TIER_CHANGES.into(), number(changes))),
    }
}

fn changed(tier: Option<&Text<40>>) -> Change {
    match tier {
        Some(tier) => Change::default().set(TIER, AttributeValue::S(tier.as_str().to_owned())),
        None => Change::default().remove(TIER),
    }
}

/// Counts a paid order in the record that was read, and changes nothing else
/// of it. The record knows its last orders, so that whoever reads it sees that
/// this one is counted; those that it forgets ([`Profile::leaving`]) belong as
/// notes into the same commit. Loses when another order was counted since the
/// record was read: read and decide again.
#[must_use]
pub fn count_paid(read: &Profile, paid: &PaidOrder) -> Write {
    let counted = read.counting(paid);
    let amounts = |amounts: &BTreeMap<Currency, i64>| {
        let pair = |(currency, minor): (&Currency, &i64)| (currency.to_string(), number(*minor));
        AttributeValue::M(amounts.iter().map(pair).collect())
    };
    let mut change = Change::default()
        .set(SCHEMA, number(1))
        .set(ORDERS, number(counted.orders))
        .set(SPENT, amounts(&counted.spent))
        .set(LARGEST, amounts(&counted.largest))
        .set(COUNTED, orders(&counted.counted));
    if let Some(since) = counted.since {
        change = change.set(SINCE, AttributeValue::S(since.to_string()));
    }
    if let Some(method) = counted.last_method {
        change = change.set(LAST_METHOD, AttributeValue::S(method.to_string()));
    }
    let write = Write::update(Key::profile(&read.customer), change, &Sends::none());
    match read.orders {
        0 => write.when(Condition::Missing(ORDERS.into())),
        orders => write.when(Condition::Is(ORDERS.into(), number(orders))),
    }
}

fn orders(orders: &BTreeMap<OrderId, Timestamp>) -> AttributeValue {
    let pair = |(order, at): (&OrderId, &Timestamp)| (order.to_string(), number(at.unix_seconds()));
    AttributeValue::M(orders.iter().map(pair).collect())
}

fn profile_from_item(item: &Item) -> Result<Profile, StoreError> {
    let form: StoredProfile = from_item(item)?;
    let moment = |(order, at)| Ok((order, Timestamp::from_unix_seconds(at)?));
    let counted = form.co.into_iter().map(moment).collect::<Result<_, TimeError>>();
    Ok(Profile {
        customer: form.pk,
        tier: form.t,
        tier_changes: form.tc,
        segments: form.g,
        birthday: form.b,
        since: form.si,
        orders: form.o,
        spent: form.sp,
        largest: form.la,
        last_method: form.lm,
        counted: in_range("member's record", counted)?,
    })
}

impl Found {
    /// What is known of the member, empty if nothing is. It must have been
    /// asked for under [`Key::profile`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn profile(&self, customer: &CustomerId) -> Result<Profile, StoreError> {
        let item = self.item(&Key::profile(customer));
        item.map_or_else(|| Ok(Profile::empty(customer.clone())), profile_from_item)
    }
}

impl Store {
    /// What is known of the member, empty if nothing is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn profile(&self, customer: &CustomerId) -> Result<Profile, StoreError> {
        let item = self.get(&Key::profile(customer)).await?;
        item.as_ref().map_or_else(|| Ok(Profile::empty(customer.clone())), profile_from_item)
    }
}
