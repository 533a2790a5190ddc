//! Years of a points programme in virtual time.
//!
//! Members of a shop buy, pay partly with points, wait for parcels of which
//! some are late, lost or sent again, send goods back once or several times,
//! check in, write reviews, take rewards and give points to each other, for
//! years. The rules that the functions use decide, over the same values as the
//! tables hold; what a function would write only if it is absent is refused here
//! when it is there. What is due by the index is done every night. At the end
//! of every year each ledger is made again from nothing but its entries and
//! compared, and the accounts of all members together have to sum to zero.
//!
//! What is drawn by chance is drawn from a seed: the same seed, the same years.

mod member;
mod shop;

use std::{fmt, time::Duration};

use aftercart::model::{
    points::{Account, LedgerError, audit::Difference},
    policy::PolicyError,
    time::Timestamp,
};
use indicatif::{ProgressBar, ProgressStyle};

use self::shop::Shop;

/// How much is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many members there are.
    pub members: u32,
    /// How many years pass.
    pub years: u32,
    /// What chance begins with: the same seed, the same years.
    pub seed: u64,
    /// Shows progress on a terminal.
    pub progress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { members: 1_000, years: 10, seed: 1, progress: true }
    }
}

/// Why years cannot be played to their end.
#[derive(Debug, thiserror::Error)]
pub enum YearsError {
    /// The policy of the programme is none.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A moment, a name or an amount of the shop is malformed.
    #[error("the shop cannot be set up: {0}")]
    SetUp(String),
    /// A movement was refused that has to be possible.
    #[error("{customer}: {error}")]
    Refused {
        /// In whose ledger.
        customer: String,
        /// Why.
        error: LedgerError,
    },
    /// An entry was written that is there already.
    #[error("{customer}: the entry {entry} was written twice")]
    Twice {
        /// In whose ledger.
        customer: String,
        /// Which entry.
        entry: String,
    },
    /// Something changed when nothing had happened.
    #[error("{customer}: a repetition changed the ledger of {about}")]
    Repeated {
        /// In whose ledger.
        customer: String,
        /// What was repeated.
        about: String,
    },
    /// A ledger is not its entries.
    #[error("{customer} at {at}: {differences:?}")]
    Differs {
        /// Whose.
        customer: String,
        /// When.
        at: Timestamp,
        /// In what.
        differences: Vec<Difference>,
    },
    /// What all members have together is not zero, or pending points are not
    /// what orders earned.
    #[error("at {at} the {what} is {sum}")]
    Unbalanced {
        /// When.
        at: Timestamp,
        /// What.
        what: &'static str,
        /// How much.
        sum: i128,
    },
}

/// What had happened by the end of a year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Year {
    /// Orders that were paid, ever.
    pub orders: u64,
    /// Refunds, ever.
    pub refunds: u64,
    /// Entries, ever.
    pub entries: u64,
    /// The balances of all members together.
    pub balances: Vec<(Account, i128)>,
    /// Members by tier, the lowest first.
    pub tiers: Vec<u32>,
    /// What members were told: of ends, of tiers, of milestones.
    pub news: u64,
    /// The most lots of one ledger.
    pub lots: usize,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Report {
    /// Year by year.
    pub years: Vec<Year>,
    options: Options,
}

/// Plays years.
///
/// # Errors
/// [`YearsError`] names the first thing that is wrong.
pub fn run(options: Options) -> Result<Report, YearsError> {
    let mut shop = Shop::open(options.members, options.seed)?;
    let bar = progress(options);
    let mut years = Vec::new();
    for _ in 0..options.years {
        for _ in 0..365 {
            shop.day()?;
            bar.inc(1);
        }
        years.push(shop.audit()?);
    }
    bar.finish_and_clear();
    Ok(Report { years, options })
}

fn progress(options: Options) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::from(options.years).saturating_mul(365));
    if let Ok(style) = ProgressStyle::with_template("  {bar:32} {pos}/{len} days, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { members, seed, .. } = self.options;
        writeln!(f, "{members} members, seed {seed}; every ledger audited each year:")?;
        write!(f, "  year    orders   refunds   entries      news  lots")?;
        for account in Account::ALL {
            write!(f, "{:>12}", format!("{account:?}").to_lowercase())?;
        }
        writeln!(f, "  members by tier")?;
        for (number, year) in (1..).zip(&self.years) {
            let Year { orders, refunds, entries, news, lots, balances, tiers } = year;
            write!(f, "  {number:>4}{orders:>10}{refunds:>10}{entries:>10}{news:>10}{lots:>6}")?;
            for (_, sum) in balances {
                write!(f, "{sum:>12}")?;
            }
            let tiers: Vec<String> = tiers.iter().map(ToString::to_string).collect();
            writeln!(f, "  {}", tiers.join(" / "))?;
        }
        Ok(())
    }
}
