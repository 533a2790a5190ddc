//! What the shop knows of a member: a tier, segments and a birthday that are
//! set, and what the member's paid orders amount to.

use std::collections::BTreeMap;

use super::{
    customer::CustomerId,
    delivery::MethodId,
    id::OrderId,
    money::{Currency, Money},
    text::Text,
    time::{Period, Timestamp, YearDay},
};

/// The most segments of a member. They are read with every quote; more than
/// this is no segmentation that anybody overlooks.
pub const MAX_SEGMENTS: usize = 20;

/// The most orders that a record knows to be counted. So many keep it within a
/// kilobyte, the least that a write is charged for; of most members they are all
/// orders of [`COUNTED_KEPT`].
pub const MAX_COUNTED: usize = 12;

/// How long it is known that an order was counted: longer than any message
/// about it can come.
pub const COUNTED_KEPT: Period = Period::of_days(365);

/// What the shop knows of a member. Nobody's is empty: a member of whom
/// nothing is known has [`Profile::empty`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub customer: CustomerId,
    /// The tier that price rules, delivery and sales name.
    pub tier: Option<Text<40>>,
    /// How often the points programme set it.
    pub tier_changes: u32,
    /// The segments that price rules name, at most [`MAX_SEGMENTS`].
    pub segments: Vec<Text<40>>,
    /// The member's birthday, in whose month more may be earned.
    pub birthday: Option<YearDay>,
    /// When the first of the paid orders was placed.
    pub since: Option<Timestamp>,
    /// How many orders were paid.
    pub orders: u32,
    /// What was paid for them, in minor units; never falls.
    pub spent: BTreeMap<Currency, i64>,
    /// The most that was paid for one of them, in minor units.
    pub largest: BTreeMap<Currency, i64>,
    /// How the latest of them that was counted was delivered.
    pub last_method: Option<MethodId>,
    /// Which orders are counted in it and when they were paid, of the last
    /// ones; at most [`MAX_COUNTED`].
    pub counted: BTreeMap<OrderId, Timestamp>,
}

/// What a member's record keeps of a paid order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    /// Which.
    pub order: OrderId,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What was paid in money.
    pub total: Money,
    /// How it is delivered.
    pub method: MethodId,
}

impl Profile {
    /// The record of a member of whom nothing is known.
    #[must_use]
    pub fn empty(customer: CustomerId) -> Self {
        Self {
            customer,
            tier: None,
            tier_changes: 0,
            segments: Vec::new(),
            birthday: None,
            since: None,
            orders: 0,
            spent: BTreeMap::new(),
            largest: BTreeMap::new(),
            last_method: None,
            counted: BTreeMap::new(),
        }
    }

    /// The orders that the record has no room for any more when one more is
    /// counted, with when they were paid: that they are counted is to be noted
    /// elsewhere. Those of long ago are not among them: nobody tells of them.
    #[must_use]
    pub fn leaving(&self, paid: &PaidOrder) -> Vec<(OrderId, Timestamp)> {
        let mut kept: Vec<(OrderId, Timestamp)> = self.kept(paid.paid_at).collect();
        kept.sort_by(|(one, at), (other, then)| (at, one).cmp(&(then, other)));
        kept.truncate((kept.len() + 1).saturating_sub(MAX_COUNTED));
        kept
    }

    /// The orders of which somebody may still tell at that moment.
    fn kept(&self, now: Timestamp) -> impl Iterator<Item = (OrderId, Timestamp)> {
        let since = now.minus(COUNTED_KEPT);
        let young = move |(_, at): &(&OrderId, &Timestamp)| **at >= since;
        self.counted.iter().filter(young).map(|(order, at)| (order.clone(), *at))
    }

    /// The record with one more paid order in it. The caller sees to it that
    /// an order is counted once; in which order they come does not matter,
    /// except for the last method and for which orders it knows.
    #[must_use]
    pub fn counting(&self, paid: &PaidOrder) -> Self {
        let mut counted = self.clone();
        let (currency, minor) = (paid.total.currency(), paid.total.minor());
        let earliest = self.since.map_or(paid.placed_at, |since| since.min(paid.placed_at));
        counted.since = Some(earliest);
        counted.orders = self.orders.saturating_add(1);
        let spent = counted.spent.entry(currency).or_default();
        *spent = spent.saturating_add(minor);
        let largest = counted.largest.entry(currency).or_default();
        *largest = minor.max(*largest);
        counted.last_method = Some(paid.method.clone());
        counted.counted = self.kept(paid.paid_at).collect();
        for (order, _) in self.leaving(paid) {
            counted.counted.remove(&order);
        }
        counted.counted.insert(paid.order.clone(), paid.paid_at);
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(day: u8, minor: i64, currency: &str) -> PaidOrder {
        PaidOrder {
            order: OrderId::derive(&[&day.to_string()]),
            paid_at: Timestamp::parse(&format!("2026-01-{day:02}T01:00:00Z")).unwrap(),
            placed_at: Timestamp::parse(&format!("2026-01-{day:02}T00:00:00Z")).unwrap(),
            total: Money::new(minor, Currency::parse(currency).unwrap()).unwrap(),
            method: MethodId::parse("express").unwrap(),
        }
    }

    #[test]
    fn orders_amount_to_the_same_in_any_order() {
        let orders = [paid(9, 500, "GBP"), paid(2, 900, "GBP"), paid(5, 100, "JPY")];
        let empty = Profile::empty(CustomerId::member("a").unwrap());
        let forward = orders.iter().fold(empty.clone(), |profile, it| profile.counting(it));
        let backward = orders.iter().rev().fold(empty, |profile, it| profile.counting(it));
        assert_eq!(forward, backward);
        let of = |map: &BTreeMap<Currency, i64>| {
            map.iter().map(|(currency, minor)| (currency.code(), *minor)).collect::<Vec<_>>()
        };
        assert_eq!(of(&forward.spent), [("GBP", 1_400), ("JPY", 100)]);
        assert_eq!(of(&forward.largest), [("GBP", 900), ("JPY", 100)]);
        assert_eq!((forward.orders, forward.since), (3, Some(paid(2, 0, "GBP").placed_at)));
    }
    #[test]
    fn a_record_knows_the_last_orders_and_tells_which_leave() {
        let mut record = Profile::empty(CustomerId::member("a").unwrap());
        for day in 1..=12 {
            let paid = paid(day, 100, "GBP");
            assert_eq!(record.leaving(&paid), []);
            record = record.counting(&paid);
        }
        let thirteenth = paid(13, 100, "GBP");
        let first = paid(1, 100, "GBP");
        assert_eq!(record.leaving(&thirteenth), [(first.order.clone(), first.paid_at)]);
        let record = record.counting(&thirteenth);
        assert_eq!((record.counted.len(), record.orders), (MAX_COUNTED, 13));
        assert!(!record.counted.contains_key(&first.order));
        let later = PaidOrder { paid_at: first.paid_at.plus(Period::of_days(400)), ..first };
        assert_eq!(record.leaving(&later), [], "of long ago nobody tells");
        assert_eq!(record.counting(&later).counted.len(), 1);
    }
}
