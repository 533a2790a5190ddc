//! What time does to points: return windows end, lots run out.

use aftercart::model::{
    points::{Authority, Entry, Ledger, LedgerError},
    policy::{PointsPolicy, Policy},
    time::Timestamp,
};

/// The name that entries of ended return windows give this rule.
pub const MATURE_RULE: &str = "return_window";

/// The name that entries of expired lots give this rule.
pub const EXPIRE_RULE: &str = "life_months";

/// Makes the movements that are due by `now`, at most `most`: first what
/// matures, then what expires, the earliest of each first. The entries come
/// back; none means that nothing is due.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn decide(
    ledger: &mut Ledger,
    policy: &Policy,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Entry>, LedgerError> {
    let authority = |rule| Authority { rule, policy: policy.version.as_str() };
    let mut entries = Vec::new();
    while entries.len() < most {
        let ends = |matured_at| expiry(matured_at, now, &policy.points);
        let entry = match ledger.mature_one(now, authority(MATURE_RULE), ends)? {
            Some(entry) => Some(entry),
            None => ledger.expire_one(now, authority(EXPIRE_RULE))?,
        };
        let Some(entry) = entry else { break };
        entries.push(entry);
    }
    Ok(entries)
}

/// When points run out that may be spent since `matured_at`: at the end of the
/// month that comes so many months later, by the policy's calendar.
///
/// Points whose return window was noticed so late that this is over have their
/// whole life from now: nobody's points end before they could be spent.
#[must_use]
pub fn expiry(matured_at: Timestamp, now: Timestamp, policy: &PointsPolicy) -> Timestamp {
    // Past the year 9989 the calendar has no such end; then they end at once.
    let end =
        |from: Timestamp| from.end_of_month_after(policy.life_months, &policy.zone).unwrap_or(from);
    let end_of_life = end(matured_at);
    if end_of_life > now { end_of_life } else { end(now) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aftercart::model::{
        customer::CustomerId,
        id::OrderId,
        points::Account,
        time::{Period, Zone},
    };
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn start() -> Timestamp {
        at("2026-01-01T00:00:00Z")
    }

    fn order(n: usize) -> OrderId {
        OrderId::derive(&[&n.to_string()])
    }

    fn policy() -> Policy {
        Policy::default_document().unwrap()
    }

    fn ledger(clocks: &[Timestamp]) -> Ledger {
        let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
        let authority = Authority { rule: "line_amount", policy: "1" };
        for (n, matures_at) in clocks.iter().enumerate() {
            ledger.earn(&order(n), &[10], start(), authority).unwrap();
            ledger.start_clock(&order(n), *matures_at);
        }
        ledger
    }

    #[test]
    fn points_last_to_the_end_of_a_month() {
        let points =
            PointsPolicy { zone: Zone::parse("Asia/Shanghai").unwrap(), ..policy().points };
        for (matured, end) in [
            ("2026-01-15T00:00:00Z", "2027-01-31T16:00:00.000Z"),
            ("2026-01-31T15:59:59Z", "2027-01-31T16:00:00.000Z"),
            ("2026-01-31T16:00:00Z", "2027-02-28T16:00:00.000Z"),
            ("2027-02-10T00:00:00Z", "2028-02-29T16:00:00.000Z"),
        ] {
            assert_eq!(expiry(at(matured), at(matured), &points).to_string(), end, "{matured}");
        }
    }

    #[test]
    fn points_noticed_late_have_their_whole_life() {
        let now = at("2028-05-05T00:00:00Z");
        let mut late = ledger(&[at("2026-01-20T00:00:00Z")]);
        assert_eq!(decide(&mut late, &policy(), now, 20).unwrap().len(), 1);
        assert_eq!(late.lots[0].expires_at, at("2029-06-01T00:00:00Z"));
    }

    #[test]
    fn nothing_moves_before_its_time_and_a_commit_is_bounded() {
        let mut three = ledger(&[start(), start(), start()]);
        let before = Timestamp::from_unix_millis(start().unix_millis() - 1).unwrap();
        assert_eq!(decide(&mut three, &policy(), before, 20), Ok(Vec::new()));
        assert_eq!(decide(&mut three, &policy(), start(), 2).unwrap().len(), 2);
        assert_eq!(decide(&mut three, &policy(), start(), 2).unwrap().len(), 1);
        assert_eq!(three.lots.len(), 1);
        assert_eq!(three.next_due(), Some(at("2027-02-01T00:00:00Z")));
    }

    proptest! {
        #[test]
        fn sweeps_end_in_the_same_balances_however_late_and_often_they_run(
            clocks in prop::collection::vec(0_u16..500, 1..30),
            sweeps in prop::collection::vec(0_u16..2_000, 0..30),
            most in 1_usize..5,
        ) {
            let clocks: Vec<_> = clocks.iter().map(|day| start().plus(Period::of_days(*day))).collect();
            let mut sweeps = sweeps;
            sweeps.extend([2_000; 1]);
            sweeps.sort_unstable();
            let mut ledger = ledger(&clocks);
            let mut ids = BTreeSet::new();
            for day in sweeps {
                let now = start().plus(Period::of_days(day));
                loop {
                    let entries = decide(&mut ledger, &policy(), now, most).unwrap();
                    prop_assert!(entries.len() <= most);
                    prop_assert_eq!(ledger.check(), Ok(()));
                    if entries.is_empty() { break }
                    for entry in entries {
                        prop_assert!(entry.at <= now);
                        prop_assert!(ids.insert((entry.at, entry.id)), "an entry comes once");
                    }
                }
                prop_assert!(ledger.next_due().is_none_or(|due| due > now));
            }
            let given = i64::try_from(clocks.len()).unwrap() * 10;
            prop_assert_eq!(ledger.balance(Account::Pending), 0);
            prop_assert_eq!(ledger.balance(Account::Available) + ledger.balance(Account::Expired), given);
        }
    }
}
