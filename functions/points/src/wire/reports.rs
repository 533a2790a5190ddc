//! Reports about the programme and audits of ledgers.

use std::{collections::BTreeMap, fmt::Write as _};

use aftercart::model::{
    customer::CustomerId,
    id::EntryId,
    money::{Currency, Money},
    points::{
        Account,
        audit::{Difference, Rebuilt},
    },
    programme::spending::OffsetPolicy,
    tally::{Cohort, Month, Tally},
    time::{Date, Timestamp},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the programme owes its members, on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiabilityView {
    /// Of which day.
    pub date: Date,
    /// When the sums were begun; each ledger is in them as it was some time
    /// after that.
    pub begun_at: Timestamp,
    /// How many ledgers there are.
    pub ledgers: u64,
    /// How many of them contradict themselves: see their audits.
    pub unsound: u64,
    /// What is owed.
    pub outstanding: OutstandingView,
    /// What may be spent, by the month in which it ends, the first first.
    pub ends: Vec<LiabilityMonthView>,
    /// The programme's accounts: what was given in all and what became of it.
    pub programme: ProgrammeAccountsView,
    /// What became of what was given, by the month in which members joined.
    pub cohorts: Vec<CohortView>,
}

/// What is owed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutstandingView {
    /// What may be spent; what is held is in it.
    pub available: i64,
    /// What is held.
    pub held: i64,
    /// Earned, and not yet to be spent.
    pub pending: i64,
    /// What members owe, as a positive number.
    pub debt: i64,
    /// What the available and the pending points are worth at checkout, one
    /// amount a currency: each alone is what is owed, rounded up.
    pub worth: Vec<Money>,
}

/// Points that end in one month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiabilityMonthView {
    /// Which month, such as `2026-11`.
    pub month: Month,
    /// How many.
    pub points: i64,
    /// What they are worth at checkout, one amount a currency, rounded up.
    pub worth: Vec<Money>,
}

/// The programme's accounts, and what they say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProgrammeAccountsView {
    /// What was given, as a positive number.
    pub issued: i64,
    /// What was taken back: of goods that were called off, and by operators.
    pub cancelled: i64,
    /// What was spent.
    pub spent: i64,
    /// What ran out.
    pub expired: i64,
    /// What is on its way between members.
    pub gifted: i64,
    /// What is on its way between accounts of one person.
    pub linked: i64,
    /// Which share of what was given and not taken back was spent, in basis
    /// points, rounded down; missing if nothing was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed_share: Option<i64>,
    /// Which share of it ran out: the breakage so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_share: Option<i64>,
}

/// What became of what members were given who joined in one month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CohortView {
    /// In which month they joined.
    pub month: Month,
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
    /// Which share was spent, in basis points, rounded down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed_share: Option<i64>,
    /// Which share ran out, in basis points, rounded down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_share: Option<i64>,
}

/// What so many points are worth in every currency in which they pay: rounded
/// up, because it is what the shop may have to give.
fn worth(points: i64, offset: Option<&OffsetPolicy>) -> Vec<Money> {
    let rates: BTreeMap<Currency, u32> =
        offset.map(|it| it.minor_per_100_points.clone()).unwrap_or_default();
    let amount = |(currency, rate): (Currency, u32)| {
        let exact = i128::from(points.max(0)) * i128::from(rate);
        let minor = i64::try_from((exact + 99) / 100).ok()?;
        Money::new(minor, currency).ok()
    };
    rates.into_iter().filter_map(amount).collect()
}

impl LiabilityView {
    /// The report of a day. Its amounts follow what points are worth now.
    #[must_use]
    pub fn of(tally: &Tally, offset: Option<&OffsetPolicy>) -> Self {
        let balance = |account| tally.balance(account);
        let (available, pending) = (balance(Account::Available), balance(Account::Pending));
        let ends = tally.ends.iter().map(|(month, points)| LiabilityMonthView {
            month: month.clone(),
            points: *points,
            worth: worth(*points, offset),
        });
        let whole = tally.whole();
        Self {
            date: tally.date,
            begun_at: tally.begun_at,
            ledgers: tally.ledgers,
            unsound: tally.unsound,
            outstanding: OutstandingView {
                available,
                held: tally.held,
                pending,
                debt: balance(Account::Debt).saturating_neg(),
                worth: worth(available.saturating_add(pending), offset),
            },
            ends: ends.collect(),
            programme: ProgrammeAccountsView {
                issued: balance(Account::Issued).saturating_neg(),
                cancelled: balance(Account::Cancelled),
                spent: balance(Account::Spent),
                expired: balance(Account::Expired),
                gifted: balance(Account::Gifted),
                linked: balance(Account::Linked),
                redeemed_share: whole.redeemed_share(),
                expired_share: whole.expired_share(),
            },
            cohorts: tally.cohorts.iter().map(|(month, it)| CohortView::of(month, it)).collect(),
        }
    }

    /// The months in which points end as CSV (RFC 4180): month, points, and
    /// what they are worth in minor units, one column a currency. No field
    /// needs quotes.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = String::from("month,points");
        for amount in &self.outstanding.worth {
            table.push_str(",worth_");
            table.push_str(&amount.currency().code().to_ascii_lowercase());
        }
        table.push_str("\r\n");
        for end in &self.ends {
            let LiabilityMonthView { month, points, worth } = end;
            // Writing into a text does not fail.
            if write!(table, "{month},{points}").is_ok() {
                for amount in worth {
                    table.push(',');
                    table.push_str(&amount.minor().to_string());
                }
            }
            table.push_str("\r\n");
        }
        table
    }
}

impl CohortView {
    fn of(month: &Month, cohort: &Cohort) -> Self {
        Self {
            month: month.clone(),
            members: cohort.members,
            issued: cohort.issued,
            spent: cohort.spent,
            expired: cohort.expired,
            available: cohort.available,
            redeemed_share: cohort.redeemed_share(),
            expired_share: cohort.expired_share(),
        }
    }
}

/// What became of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointsAuditResult {
    /// The ledger is what its entries say.
    Same,
    /// It is not: see `differences`.
    Different,
    /// There are more entries: go on with `next_cursor`.
    Incomplete,
    /// The ledger changed meanwhile: begin again.
    Changed,
}

/// A ledger, made again from its entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointsAuditView {
    /// Whose.
    pub customer: CustomerId,
    /// What became of the audit.
    pub result: PointsAuditResult,
    /// How many entries were read, those of the calls before included.
    pub entries: u64,
    /// What the entries amount to, by account.
    pub balances: BTreeMap<Account, i64>,
    /// What the ledger has otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<PointsDifferenceView>,
    /// The value of `cursor` with which the audit goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Something of a ledger that its entries do not amount to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PointsDifferenceView {
    /// The balance of an account.
    Balance {
        /// Which account.
        account: Account,
        /// What the ledger has.
        kept: i64,
        /// What the entries amount to.
        rebuilt: i64,
    },
    /// The points of a lot.
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
    /// An entry that does not sum to zero, or whose lots are not what it moves.
    Entry {
        /// Which entry.
        id: EntryId,
    },
    /// The ledger contradicts itself.
    Unsound,
}

/// What entries amount to so far, as a cursor carries it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditState {
    balances: BTreeMap<Account, i64>,
    lots: Vec<(Timestamp, Timestamp, i64)>,
    entries: u64,
    /// Entries that contradict themselves.
    pub odd: Vec<EntryId>,
}

impl AuditState {
    /// What the entries amount to.
    #[must_use]
    pub fn rebuilt(&self) -> Rebuilt {
        let lots = self.lots.iter().map(|(end, age, points)| ((*end, *age), *points));
        Rebuilt { balances: self.balances.clone(), lots: lots.collect(), entries: self.entries }
    }

    /// Keeps what the entries amount to.
    pub fn keep(&mut self, rebuilt: &Rebuilt) {
        let lots = rebuilt.lots.iter().map(|((end, age), points)| (*end, *age, *points));
        self.lots = lots.collect();
        self.balances.clone_from(&rebuilt.balances);
        self.entries = rebuilt.entries;
    }
}

impl PointsAuditView {
    fn of(customer: &CustomerId, rebuilt: &Rebuilt, result: PointsAuditResult) -> Self {
        Self {
            customer: customer.clone(),
            result,
            entries: rebuilt.entries,
            balances: rebuilt.balances.clone(),
            differences: Vec::new(),
            next_cursor: None,
        }
    }

    /// An audit that goes on.
    #[must_use]
    pub fn incomplete(customer: &CustomerId, rebuilt: &Rebuilt, cursor: String) -> Self {
        let next_cursor = Some(cursor);
        Self { next_cursor, ..Self::of(customer, rebuilt, PointsAuditResult::Incomplete) }
    }

    /// An audit of a ledger that changed meanwhile.
    #[must_use]
    pub fn changed(customer: &CustomerId, rebuilt: &Rebuilt) -> Self {
        Self::of(customer, rebuilt, PointsAuditResult::Changed)
    }

    /// An audit that is complete.
    #[must_use]
    pub fn compared(
        customer: &CustomerId,
        rebuilt: &Rebuilt,
        odd: &[EntryId],
        differences: &[Difference],
    ) -> Self {
        let entries = odd.iter().map(|id| PointsDifferenceView::Entry { id: id.clone() });
        let differences: Vec<_> =
            entries.chain(differences.iter().map(PointsDifferenceView::from)).collect();
        let result = match differences.is_empty() {
            true => PointsAuditResult::Same,
            false => PointsAuditResult::Different,
        };
        Self { differences, ..Self::of(customer, rebuilt, result) }
    }
}

impl From<&Difference> for PointsDifferenceView {
    fn from(difference: &Difference) -> Self {
        match *difference {
            Difference::Balance { account, kept, rebuilt } => {
                Self::Balance { account, kept, rebuilt }
            }
            Difference::Lot { expires_at, granted_at, kept, rebuilt } => {
                Self::Lot { expires_at, granted_at, kept, rebuilt }
            }
            Difference::Unsound => Self::Unsound,
        }
    }
}
