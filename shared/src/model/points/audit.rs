//! A ledger made again from its entries.

use std::collections::BTreeMap;

use crate::model::time::Timestamp;

use super::{Account, Entry, Ledger, LedgerError, apply};

/// What entries amount to, added one at a time in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The balance of every account that moved.
    pub balances: BTreeMap<Account, i64>,
    /// The points of every lot that is not empty, by its end and its age.
    pub lots: BTreeMap<(Timestamp, Timestamp), i64>,
    /// How many entries there were.
    pub entries: u64,
}

/// Something of a ledger that its entries do not amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The balance of an account.
    Balance {
        /// Which account.
        account: Account,
        /// What the ledger has.
        kept: i64,
        /// What the entries amount to.
        rebuilt: i64,
    },
    /// A lot.
    Lot {
        /// When it ends.
        expires_at: Timestamp,
        /// When it was granted.
        granted_at: Timestamp,
        /// What the ledger has.
        kept: i64,
        /// What the entries amount to.
        rebuilt: i64,
    },
    /// The ledger contradicts itself, see [`Ledger::check`].
    Unsound,
}

impl Rebuilt {
    /// Adds an entry.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`] for an entry that does not sum to zero or
    /// whose lots are not what it moves, [`LedgerError::TooMany`].
    pub fn add(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let of_lots = entry.lots.iter().try_fold(0_i64, |sum, part| sum.checked_add(part.points));
        if of_lots != Some(entry.into(Account::Available)) {
            return Err(LedgerError::Unbalanced);
        }
        apply(&mut self.balances, &entry.postings)?;
        for part in &entry.lots {
            let points = self.lots.entry((part.expires_at, part.granted_at)).or_default();
            *points = points.checked_add(part.points).ok_or(LedgerError::TooMany)?;
        }
        self.lots.retain(|_, points| *points != 0);
        self.entries = self.entries.saturating_add(1);
        Ok(())
    }

    /// What of a ledger is not what was added; nothing when it is exact.
    #[must_use]
    pub fn differences(&self, ledger: &Ledger) -> Vec<Difference> {
        let mut found = Vec::new();
        for account in Account::ALL {
            let kept = ledger.balance(account);
            let rebuilt = self.balances.get(&account).copied().unwrap_or(0);
            if kept != rebuilt {
                found.push(Difference::Balance { account, kept, rebuilt });
            }
        }
        let mut lots: BTreeMap<_, (i64, i64)> = BTreeMap::new();
        for lot in &ledger.lots {
            lots.entry(lot.rank()).or_default().0 += lot.points;
        }
        for (rank, points) in &self.lots {
            lots.entry(*rank).or_default().1 += points;
        }
        for ((expires_at, granted_at), (kept, rebuilt)) in lots {
            if kept != rebuilt {
                found.push(Difference::Lot { expires_at, granted_at, kept, rebuilt });
            }
        }
        if ledger.check().is_err() {
            found.push(Difference::Unsound);
        }
        found
    }
}
