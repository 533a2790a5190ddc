//! What the shop knows of a member: a tier, segments and a birthday that are
//! set, and what the member's paid orders amount to.

use std::collections::BTreeMap;

use super::{
    customer::CustomerId,
    delivery::MethodId,
    money::{Currency, Money},
    text::Text,
    time::{Timestamp, YearDay},
};

/// The most segments of a member. They are read with every quote; more than
/// this is no segmentation that anybody overlooks.
pub const MAX_SEGMENTS: usize = 20;

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
}

/// What a member's record keeps of a paid order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
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
        }
    }

    /// The record with one more paid order in it. The caller sees to it that
    /// an order is counted once; in which order they come does not matter,
    /// except for the last method.
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
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(day: u8, minor: i64, currency: &str) -> PaidOrder {
        PaidOrder {
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
}
