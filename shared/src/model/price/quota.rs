//! Counters of limited offers.

use std::fmt;

use super::RuleId;
use crate::model::time::Date;

/// Whose uses a counter counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuotaScope {
    /// Everybody's.
    Total,
    /// Everybody's on this day of the document's zone.
    Day(Date),
    /// One buyer's.
    Customer(String),
    /// One buyer's on this day of the document's zone.
    CustomerDay(String, Date),
}

/// As keys and orders name it: `TOTAL`, `DAY#2026-11-11`, `CUS#cus_ada`.
impl fmt::Display for QuotaScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total => f.write_str("TOTAL"),
            Self::Day(day) => write!(f, "DAY#{day}"),
            Self::Customer(customer) => write!(f, "CUS#{customer}"),
            Self::CustomerDay(customer, day) => write!(f, "CUSDAY#{customer}#{day}"),
        }
    }
}

impl QuotaScope {
    /// Reads the name that keys and orders have.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name == "TOTAL" {
            return Some(Self::Total);
        }
        let (kind, rest) = name.split_once('#')?;
        match kind {
            "DAY" => Some(Self::Day(Date::parse(rest).ok()?)),
            "CUS" => Some(Self::Customer(rest.to_owned())),
            "CUSDAY" => {
                let (customer, day) = rest.rsplit_once('#')?;
                Some(Self::CustomerDay(customer.to_owned(), Date::parse(day).ok()?))
            }
            _ => None,
        }
    }
}

/// What names a counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuotaKey {
    /// Of which rule.
    pub rule: RuleId,
    /// Whose uses.
    pub scope: QuotaScope,
}

/// A limit of an offer, as the document has it now. What is kept is only how
/// much of it was used, so a new limit needs no record and a changed one holds
/// at once; only the number of its parts has to stay.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quota {
    /// Of which rule.
    pub rule: RuleId,
    /// Whose uses.
    pub scope: QuotaScope,
    /// The limit, at least 1.
    pub cap: u32,
    /// Over how many counters it is split, at least 1.
    pub shards: u8,
}

impl Quota {
    /// What names its counter.
    #[must_use]
    pub fn key(&self) -> QuotaKey {
        QuotaKey { rule: self.rule.clone(), scope: self.scope.clone() }
    }

    /// The part of the limit that the shard of this number, from 0, has: an
    /// even split, the first shards one more. The parts sum to the limit; a
    /// shard that does not exist has nothing.
    #[must_use]
    pub fn cap_of_shard(&self, shard: u8) -> u32 {
        let shards = u32::from(self.shards.max(1));
        let number = u32::from(shard);
        if number >= shards {
            return 0;
        }
        self.cap / shards + u32::from(number < self.cap % shards)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        let day = Date::parse("2026-11-11").unwrap();
        for scope in [
            QuotaScope::Total,
            QuotaScope::Day(day),
            QuotaScope::Customer("cus_ada".to_owned()),
            QuotaScope::Customer("a#b".to_owned()),
            QuotaScope::CustomerDay("cus_ada".to_owned(), day),
            QuotaScope::CustomerDay("a#b".to_owned(), day),
        ] {
            assert_eq!(QuotaScope::parse(&scope.to_string()), Some(scope));
        }
        for none in ["", "TOTAL#", "DAY", "DAY#", "DAY#11-11", "CUSDAY#ada", "YEAR#2026"] {
            assert_eq!(QuotaScope::parse(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn the_shards_have_the_whole_limit(cap in any::<u32>(), shards in 1_u8..=32) {
            let rule = RuleId::parse("r").unwrap();
            let quota = Quota { rule, scope: QuotaScope::Total, cap, shards };
            let parts: Vec<u32> = (0..=u8::MAX).map(|shard| quota.cap_of_shard(shard)).collect();
            prop_assert_eq!(parts.iter().copied().map(u64::from).sum::<u64>(), u64::from(cap));
            let (first, last) = (parts[0], parts[usize::from(shards) - 1]);
            prop_assert!(first - last <= 1);
            prop_assert!(parts.is_sorted_by(|a, b| a >= b));
        }
    }
}
