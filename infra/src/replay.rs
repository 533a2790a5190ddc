//! Replays a purchase log: every purchase goes through the same functions as
//! on AWS, in virtual time, and what they keep is compared with what the log
//! says by itself.
//!
//! Customers have nothing to do with each other here, so they are divided over
//! threads, each with a world of its own.

mod log;
mod play;
mod report;

pub use log::{Bundle, Log, Malformed, Purchase};
pub use report::{Expected, Kept, PointsByState, Report};

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use aftercart::model::{
    dispatch::Dispatch,
    order::OrderStatus,
    points::Account,
    policy::Policy,
    survey::InviteStatus,
    time::{Period, Timestamp},
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    functions,
    world::{self, Reply, Violation, World, WorldError},
};

use self::play::{Player, SCANS};

/// How a log is replayed.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Refuses a file with malformed lines instead of skipping them.
    pub strict: bool,
    /// Shows progress on a terminal.
    pub progress: bool,
    /// Over how many threads customers are divided.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self { strict: false, progress: true, threads: threads.min(THREADS_MAX) }
    }
}

/// More threads than this wait for each other's memory.
const THREADS_MAX: usize = 4;

/// Why a replay has no report.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Unread(#[from] io::Error),
    /// The file has malformed lines, and none were to be skipped.
    #[error("the file has {} malformed lines; the first is line {}: {}",
        .0.len(), .0.first().map_or(0, |it| it.line), .0.first().map_or("", |it| &it.reason))]
    Malformed(Vec<Malformed>),
    /// The file has no purchases.
    #[error("the file has no purchases")]
    Empty,
    /// A step was refused.
    #[error("line {line}: the answer was {status}: {body}")]
    Refused {
        /// The purchase's line; 0 for what belongs to none.
        line: usize,
        /// The status of the answer.
        status: u16,
        /// The body of the answer.
        body: String,
    },
    /// A schedule could not see to everything.
    #[error("{schedule} failed for {failed} of what was due")]
    Sweep {
        /// Which schedule.
        schedule: String,
        /// For how many.
        failed: u64,
    },
    /// The suite failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// An invariant does not hold.
    #[error(transparent)]
    Invariant(#[from] Violation),
    /// The default policy is none.
    #[error(transparent)]
    Policy(#[from] aftercart::model::policy::PolicyError),
    /// A thread ended early.
    #[error("a thread of the replay ended early")]
    Thread,
}

impl ReplayError {
    fn refused(line: usize, reply: &Reply) -> Self {
        Self::Refused { line, status: reply.status, body: reply.body.clone() }
    }
}

impl From<aftercart::store::StoreError> for ReplayError {
    fn from(error: aftercart::store::StoreError) -> Self {
        Self::World(error.into())
    }
}

/// Replays a file and checks every invariant at its end.
///
/// # Errors
/// [`ReplayError`].
pub fn run(file: &Path, options: Options) -> Result<Report, ReplayError> {
    let started = Instant::now();
    let mut log = Log::parse(&std::fs::read(file)?);
    if options.strict && !log.malformed.is_empty() {
        return Err(ReplayError::Malformed(log.malformed));
    }
    let (Some(first), Some(last)) = (log.purchases.first(), log.purchases.last()) else {
        return Err(ReplayError::Empty);
    };
    let (start, end) = (first.day, last.day.plus(Period::of_days(1)));
    let policy = Policy::default_document()?;
    let expected = expected(&log, &policy, end);
    let progress = progress(&log, options);
    let malformed = std::mem::take(&mut log.malformed);
    let kept =
        side_by_side(&log, options.threads.max(1), &|shard| play(shard, start, end, &progress))?;
    progress.finish_and_clear();
    Ok(Report { expected, kept, malformed, took: started.elapsed() })
}

fn progress(log: &Log, options: Options) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(log.purchases.len()).unwrap_or(0));
    let form = "  {bar:32} {pos}/{len} orders, {per_sec}, {msg}, {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Plays each thread's customers.
fn side_by_side(
    log: &Log,
    threads: usize,
    play: &(dyn Fn(&Log) -> Result<Kept, ReplayError> + Sync),
) -> Result<Kept, ReplayError> {
    let mut shards: Vec<Log> = (0..threads).map(|_| Log::default()).collect();
    let customers: BTreeSet<&str> = log.purchases.iter().map(|it| it.customer.as_str()).collect();
    let customers: Vec<&str> = customers.into_iter().collect();
    for purchase in &log.purchases {
        let position = customers.binary_search(&purchase.customer.as_str()).unwrap_or(0);
        if let Some(shard) = shards.get_mut(position % threads) {
            shard.purchases.push(purchase.clone());
        }
    }
    thread::scope(|scope| {
        let running: Vec<_> = shards.iter().map(|shard| scope.spawn(move || play(shard))).collect();
        let mut sum = Kept::default();
        for thread in running {
            sum = sum.plus(thread.join().map_err(|_| ReplayError::Thread)??);
        }
        Ok(sum)
    })
}

/// Plays some customers' purchases in a world of their own.
fn play(
    log: &Log,
    start: Timestamp,
    end: Timestamp,
    progress: &ProgressBar,
) -> Result<Kept, ReplayError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let options = world::Options { start, ..world::Options::default() };
        let world = World::new(&functions(), options).await?;
        let mut player = Player::new(&world);
        player.stock(log).await?;
        let mut day = start;
        while day < end {
            let from = log.purchases.partition_point(|it| it.day < day);
            let to = log.purchases.partition_point(|it| it.day <= day);
            let today = log.purchases.get(from..to).unwrap_or_default();
            player.day(day, today, |count| progress.inc(u64::try_from(count).unwrap_or(0))).await?;
            progress.set_message(day.to_string().get(..10).unwrap_or_default().to_owned());
            day = day.plus(Period::of_days(1));
        }
        kept(&world).await
    })
}

/// What the log says by itself. Nothing here asks the suite.
fn expected(log: &Log, policy: &Policy, end: Timestamp) -> Expected {
    let customers: BTreeSet<&str> = log.purchases.iter().map(|it| it.customer.as_str()).collect();
    let mut balances: BTreeMap<String, PointsByState> = BTreeMap::new();
    for purchase in &log.purchases {
        let points = balances.entry(purchase.customer.clone()).or_default();
        let earned = policy.points.of_line(purchase.bundle.cents);
        let [.., (_, until_delivered)] = SCANS;
        let matures = purchase.day.plus(until_delivered).plus(policy.points.return_window);
        let expires = policy.points.expiry.purchases.end(matures, &policy.points.zone);
        match () {
            () if matures > end => points.pending += earned,
            () if expires > end => points.available += earned,
            () => points.expired += earned,
        }
    }
    Expected {
        purchases: log.purchases.len(),
        customers: customers.len(),
        revenue_cents: log.revenue_cents(),
        points: balances.values().fold(PointsByState::default(), |sum, it| sum.plus(*it)),
        balances,
        end,
    }
}

/// What the suite kept.
async fn kept(world: &World) -> Result<Kept, ReplayError> {
    let mut kept = Kept { checked: world.check_invariants().await?, ..Kept::default() };
    for order in world.store().all_orders().await? {
        if order.status == OrderStatus::Paid {
            kept.orders += 1;
            kept.revenue_cents += order.total.minor();
            kept.free_orders += usize::from(order.total.minor() == 0);
        }
    }
    for ledger in world.store().all_points().await?.ledgers {
        let points = PointsByState {
            pending: ledger.balance(Account::Pending),
            available: ledger.balance(Account::Available),
            expired: ledger.balance(Account::Expired),
        };
        kept.points = kept.points.plus(points);
        let customer = ledger.customer.as_str().trim_start_matches("cus_").to_owned();
        kept.balances.insert(customer, points);
    }
    let dispatches = world.store().all_dispatches().await?;
    for shipment in dispatches.iter().flat_map(Dispatch::outbound) {
        match shipment.journey.delivered_at {
            Some(_) => kept.parcels_delivered += 1,
            None => kept.parcels_on_way += 1,
        }
    }
    for invite in world.store().all_surveys().await?.invites {
        match invite.status {
            InviteStatus::Scheduled => kept.surveys_scheduled += 1,
            InviteStatus::Suppressed { .. } => kept.surveys_suppressed += 1,
            InviteStatus::Sent { .. } | InviteStatus::Answered { .. } => kept.surveys_sent += 1,
        }
    }
    kept.write_units = world.write_units();
    Ok(kept)
}
