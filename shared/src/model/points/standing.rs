//! Where a member stands in the programme, kept in the ledger so that one read
//! and one write are enough for a movement and what follows from it.

use std::collections::BTreeMap;

use crate::model::{
    customer::CustomerId,
    id::LinkId,
    money::Currency,
    text::Text,
    time::{Date, Timestamp},
};

/// The most counters of a ledger: of rules with a cap, of streaks and of
/// campaigns. Each takes some 30 bytes of the item that every movement writes.
pub const MAX_COUNTERS: usize = 12;

/// The most other accounts of one person: of the site, an app, a mini-programme
/// and a store three are linked to the fourth.
pub const MAX_LINKS: usize = 3;

/// The most currencies in which what was spent is counted, each some 10 bytes of
/// the ledger's item, several times. Few members pay in more than two.
pub const MAX_CURRENCIES: usize = 3;

/// The name of a tier.
pub type Tier = Text<40>;

/// What a member did in a period, by which tiers are earned. It is apart from
/// what may be spent: spending takes nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Qualifying {
    /// Points of purchases that became available, of actions as they were given.
    pub points: i64,
    /// What was paid in money for purchases whose return window ended, in
    /// minor units: in the first [`MAX_CURRENCIES`] that came, others are not
    /// counted.
    pub spend: BTreeMap<Currency, i64>,
    /// Such purchases.
    pub orders: u32,
    /// Deeds that count as activity.
    pub activity: u32,
    /// Deeds that count as feedback.
    pub feedback: u32,
}

impl Qualifying {
    /// Adds what was done besides.
    pub fn add(&mut self, more: &Self) {
        self.points = self.points.saturating_add(more.points);
        for (currency, minor) in &more.spend {
            if self.spend.len() >= MAX_CURRENCIES && !self.spend.contains_key(currency) {
                continue;
            }
            let spent = self.spend.entry(*currency).or_default();
            *spent = spent.saturating_add(*minor);
        }
        self.orders = self.orders.saturating_add(more.orders);
        self.activity = self.activity.saturating_add(more.activity);
        self.feedback = self.feedback.saturating_add(more.feedback);
    }
}

/// Where a member stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The tier that the member has, the better one of that which was earned
    /// and that which was granted; none is the lowest.
    pub tier: Option<Tier>,
    /// The tier that the member earned.
    pub earned: Option<Tier>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// A tier that an operator gave, and until when: the member has it or a
    /// better one.
    pub granted: Option<(Tier, Timestamp)>,
    /// When the ledger was begun.
    pub joined_at: Option<Timestamp>,
    /// When the period began in which `qualifying` is counted.
    pub period_from: Option<Timestamp>,
    /// When it ends, and the tier is looked at again.
    pub period_until: Option<Timestamp>,
    /// What was done in the period.
    pub qualifying: Qualifying,
    /// What was done after its end, while its tier is still to be decided upon:
    /// it counts in the next period.
    pub next: Qualifying,
    /// How many days before the end of the period the member was last warned.
    pub warned: Option<u16>,
    /// Until when the offer holds that helps the member to keep the tier.
    pub rescue_until: Option<Timestamp>,
    /// What was done in all, by which milestones are reached.
    pub lifetime: Qualifying,
    /// When the member did something last.
    pub active_at: Option<Timestamp>,
    /// Up to which end of lots the member was told that they run out, and how
    /// many days before: (days, the latest end told).
    pub told: BTreeMap<u16, Timestamp>,
}

/// How often something was done in a period, and what it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The first day of the period that is counted.
    pub from: Date,
    /// How often.
    pub times: u32,
    /// How many points it gave.
    pub points: i64,
}

/// The other accounts of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// The account to which everything flows that becomes available in this one.
    pub into: Option<(CustomerId, LinkId)>,
    /// The accounts from which it flows to this one, at most [`MAX_LINKS`].
    pub from: Vec<CustomerId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_counted_in_few_currencies() {
        let spent = |code: &str| {
            let spend = [(Currency::parse(code).unwrap(), 5)].into();
            Qualifying { points: 1, spend, ..Qualifying::default() }
        };
        let mut all = Qualifying::default();
        for code in ["EUR", "USD", "CNY", "GBP", "EUR", "GBP"] {
            all.add(&spent(code));
        }
        let spend = [("EUR", 10), ("USD", 5), ("CNY", 5)];
        let spend = spend.map(|(code, minor)| (Currency::parse(code).unwrap(), minor)).into();
        assert_eq!(all, Qualifying { points: 6, spend, ..Qualifying::default() });
    }
}
