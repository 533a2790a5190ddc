//! What all ledgers amount to: what the programme owes its members, when that
//! ends, and what became of what it gave.

use std::collections::BTreeMap;

use super::{
    points::{Account, Ledger},
    text::Text,
    time::{Date, Timestamp, Zone},
};

/// A month, such as `2026-11`.
pub type Month = Text<7>;

/// What all ledgers amounted to on a day. Each was looked at once, at some
/// moment while the tally was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Of which day.
    pub date: Date,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Where it goes on; nowhere when it is complete.
    pub next: Option<Place>,
    /// How many ledgers there are.
    pub ledgers: u64,
    /// How many of them contradict themselves.
    pub unsound: u64,
    /// The sum of every account.
    pub balances: BTreeMap<Account, i64>,
    /// How many points are held.
    pub held: i64,
    /// Points to be spent, by the month in which they end.
    pub ends: BTreeMap<Month, i64>,
    /// By the month in which members joined.
    pub cohorts: BTreeMap<Month, Cohort>,
    /// How often it was written.
    pub version: u64,
}

/// Where a tally goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In which part of the register.
    pub part: u8,
    /// After which place in it; at its begin, if it is left out.
    pub after: Option<String>,
}

/// What the members amount to who joined in one month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cohort {
    /// How many.
    pub members: u64,
    /// What they were given, less what was taken back.
    pub issued: i64,
    /// What they spent.
    pub spent: i64,
    /// What ran out.
    pub expired: i64,
    /// What they may still spend.
    pub available: i64,
}

/// The month of a moment, in a zone.
#[must_use]
pub fn month(at: Timestamp, zone: &Zone) -> Option<Month> {
    let (year, month, _) = at.date_in(zone).parts();
    Text::new(&format!("{year:04}-{month:02}")).ok()
}

impl Tally {
    /// A tally that begins now.
    #[must_use]
    pub fn begin(date: Date, now: Timestamp) -> Self {
        Self {
            date,
            begun_at: now,
            next: Some(Place { part: 0, after: None }),
            ledgers: 0,
            unsound: 0,
            balances: BTreeMap::new(),
            held: 0,
            ends: BTreeMap::new(),
            cohorts: BTreeMap::new(),
            version: 0,
        }
    }

    /// Whether every ledger was looked at.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.next.is_none()
    }

    /// Adds a ledger. Sums stay at the ends of their range, which a million
    /// members with the most points that there can be do not reach.
    pub fn add(&mut self, ledger: &Ledger, zone: &Zone) {
        self.ledgers = self.ledgers.saturating_add(1);
        self.unsound = self.unsound.saturating_add(u64::from(ledger.check().is_err()));
        for (account, points) in &ledger.balances {
            add(self.balances.entry(*account).or_default(), *points);
        }
        add(&mut self.held, ledger.held());
        for lot in &ledger.lots {
            // A lot ends with the moment before its end: at midnight it is of
            // the month that is over.
            let last = lot.expires_at.unix_millis().saturating_sub(1);
            let last = Timestamp::from_unix_millis(last).unwrap_or(lot.expires_at);
            if let Some(month) = month(last, zone) {
                add(self.ends.entry(month).or_default(), lot.points);
            }
        }
        let joined = ledger.standing.joined_at.and_then(|at| month(at, zone));
        if let Some(month) = joined {
            self.cohorts.entry(month).or_default().add(ledger);
        }
    }

    /// The sum of an account.
    #[must_use]
    pub fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    /// What was given, spent and ended in all.
    #[must_use]
    pub fn whole(&self) -> Cohort {
        Cohort {
            members: self.ledgers,
            issued: self
                .balance(Account::Issued)
                .saturating_neg()
                .saturating_sub(self.balance(Account::Cancelled)),
            spent: self.balance(Account::Spent),
            expired: self.balance(Account::Expired),
            available: self.balance(Account::Available),
        }
    }
}

impl Cohort {
    fn add(&mut self, ledger: &Ledger) {
        self.members = self.members.saturating_add(1);
        let balance = |account| ledger.balance(account);
        add(&mut self.issued, balance(Account::Issued).saturating_neg());
        add(&mut self.issued, balance(Account::Cancelled).saturating_neg());
        add(&mut self.spent, balance(Account::Spent));
        add(&mut self.expired, balance(Account::Expired));
        add(&mut self.available, balance(Account::Available));
    }

    /// Which share of what was issued was spent, in basis points, rounded
    /// down; none if nothing was issued.
    #[must_use]
    pub fn redeemed_share(&self) -> Option<i64> {
        share(self.spent, self.issued)
    }

    /// Which share of what was issued ran out, in basis points, rounded down:
    /// the breakage.
    #[must_use]
    pub fn expired_share(&self) -> Option<i64> {
        share(self.expired, self.issued)
    }
}

fn add(sum: &mut i64, points: i64) {
    *sum = sum.saturating_add(points);
}

fn share(part: i64, whole: i64) -> Option<i64> {
    if whole <= 0 {
        return None;
    }
    let exact = i128::from(part.max(0)) * 10_000 / i128::from(whole);
    i64::try_from(exact).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{
        customer::CustomerId,
        points::{Authority, Cause, Lot, Movement},
    };

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// A ledger of a member who joined then, with points that end then.
    fn ledger(joined: &str, points: i64, end: &str) -> Ledger {
        let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
        let granted = at("2026-01-01T00:00:00Z");
        let movement = Movement {
            id: ledger.entry_id("test", "", ""),
            at: granted,
            cause: Cause::Extended(granted),
            authority: Authority { rule: "r", policy: "1" },
        };
        let lot = Lot::new(points, granted, at(end));
        ledger.credit(movement, Account::Issued, vec![lot]).unwrap();
        ledger.standing.joined_at = Some(at(joined));
        ledger
    }

    #[test]
    fn points_are_of_the_month_whose_last_moment_they_have() {
        let shanghai = Zone::parse("Asia/Shanghai").unwrap();
        for (zone, end, month) in [
            (Zone::utc(), "2027-01-01T00:00:00Z", "2026-12"),
            (Zone::utc(), "2027-01-01T00:00:00.001Z", "2027-01"),
            (Zone::utc(), "2028-02-29T23:00:00Z", "2028-02"),
            (shanghai.clone(), "2026-12-31T16:00:00Z", "2026-12"),
            (shanghai, "2026-12-31T16:00:00.001Z", "2027-01"),
        ] {
            let mut tally = Tally::begin(Date::parse("2026-11-22").unwrap(), at(end));
            tally.add(&ledger("2026-01-01T00:00:00Z", 5, end), &zone);
            assert_eq!(tally.ends, [(Text::new(month).unwrap(), 5)].into(), "{end}");
        }
    }

    #[test]
    fn shares_are_of_what_was_given_and_not_taken_back() {
        let cohort =
            |issued, spent, expired| Cohort { issued, spent, expired, ..Cohort::default() };
        for (cohort, redeemed, expired) in [
            (cohort(0, 0, 0), None, None),
            (cohort(3, 2, 1), Some(6_666), Some(3_333)),
            (cohort(1_000_000_000_000, 1, 1_000_000_000_000), Some(0), Some(10_000)),
        ] {
            assert_eq!((cohort.redeemed_share(), cohort.expired_share()), (redeemed, expired));
        }
    }

    proptest! {
        /// Whatever the order: every point is in one month and one cohort.
        #[test]
        fn a_tally_is_the_sum_of_its_ledgers(
            ledgers in prop::collection::vec((1_u8..13, 1_i64..1_000, 1_u8..13), 0..30),
        ) {
            let all: Vec<Ledger> = ledgers
                .iter()
                .map(|(joined, points, end)| {
                    let joined = format!("2025-{joined:02}-15T00:00:00Z");
                    ledger(&joined, *points, &format!("2027-{end:02}-15T00:00:00Z"))
                })
                .collect();
            let tallied = |ledgers: &mut dyn Iterator<Item = &Ledger>| {
                let now = at("2026-11-22T00:00:00Z");
                let mut tally = Tally::begin(Date::parse("2026-11-22").unwrap(), now);
                ledgers.for_each(|ledger| tally.add(ledger, &Zone::utc()));
                tally
            };
            let tally = tallied(&mut all.iter());
            prop_assert_eq!(&tally, &tallied(&mut all.iter().rev()));
            let points: i64 = ledgers.iter().map(|(_, points, _)| points).sum();
            prop_assert_eq!(tally.ends.values().sum::<i64>(), points);
            let cohorts = || tally.cohorts.values();
            prop_assert_eq!(cohorts().map(|it| it.available).sum::<i64>(), points);
            prop_assert_eq!(cohorts().map(|it| it.issued).sum::<i64>(), tally.whole().issued);
            prop_assert_eq!(cohorts().map(|it| it.members).sum::<u64>(), tally.ledgers);
            prop_assert_eq!(tally.balances.values().sum::<i64>(), 0);
            prop_assert_eq!(tally.unsound, 0);
        }
    }
}
