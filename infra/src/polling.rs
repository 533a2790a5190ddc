//! Which is better: to ask carriers when the rules say, or every two hours?
//!
//! Parcels are sent in virtual time on ways that are drawn by chance, and
//! watched twice each: by the rules of the suite, and by a poll every two hours
//! until the parcel is at an end or silent for as long as the policy's patience.
//! Both see the same: a carrier that shows a scan some minutes after it was made.
//! And both are played twice: with a carrier that tells nothing by itself, and with
//! one whose pushes come, nine of ten. Counted are the calls, and how long
//! after it happened a scan is known.
//!
//! The limit of calls a minute is not played: it is the merchant's own.

mod watch;
mod way;

use std::{collections::BTreeMap, fmt, iter, time::Duration};

use aftercart::model::{
    logistics::{LogisticsPolicy, PollingLimit},
    shipment::{Carrier, ParcelStatus, TrackingNumberError},
    text::TextError,
    time::TimeError,
};
use indicatif::{ProgressBar, ProgressStyle};

use self::{
    watch::{Poll, Watched},
    way::Sender,
};

/// How much is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many parcels are sent.
    pub parcels: u32,
    /// What chance begins with: the same seed, the same ways.
    pub seed: u64,
    /// Shows progress on a terminal.
    pub progress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { parcels: 10_000, seed: 1, progress: true }
    }
}

/// What came out for one way of asking.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How carriers were asked.
    pub name: &'static str,
    /// How many of ten pushes come.
    pub pushes: u8,
    /// How many calls all parcels took.
    pub calls: u64,
    /// How many parcels there were.
    pub parcels: u32,
    /// By status how long after it happened each scan was known, in seconds,
    /// the shortest first.
    delays: BTreeMap<ParcelStatus, Vec<i64>>,
}

/// Of which scans the table tells; all of them besides.
const TOLD: [ParcelStatus; 3] =
    [ParcelStatus::OutForDelivery, ParcelStatus::Delivered, ParcelStatus::AttemptFailed];

impl Outcome {
    fn of(poll: Poll, pushes: u8) -> Self {
        let name = poll.name();
        Self { name, pushes, calls: 0, parcels: 0, delays: BTreeMap::new() }
    }

    fn add(&mut self, watched: Watched) {
        self.calls = self.calls.saturating_add(watched.calls);
        self.parcels = self.parcels.saturating_add(1);
        for (status, delay) in watched.delays {
            self.delays.entry(status).or_default().push(delay);
        }
    }

    /// So many of a hundred scans with this status were known after at most
    /// this time, in seconds; none when there were no scans.
    #[must_use]
    pub fn percentile(&self, status: ParcelStatus, percent: usize) -> Option<i64> {
        nth_percent(self.delays.get(&status)?, percent)
    }

    /// The same for all scans.
    #[must_use]
    pub fn percentile_of_all(&self, percent: usize) -> Option<i64> {
        let mut all: Vec<i64> = self.delays.values().flatten().copied().collect();
        all.sort_unstable();
        nth_percent(&all, percent)
    }

    fn row(&self) -> Vec<String> {
        let pushes = match self.pushes {
            0 => "none".to_owned(),
            pushes => format!("{pushes} of 10"),
        };
        let tenths = self.calls.saturating_mul(10) / u64::from(self.parcels.max(1));
        let calls = format!("{}.{}", tenths / 10, tenths % 10);
        let both = |of: &dyn Fn(usize) -> Option<i64>| {
            format!("{} / {}", minutes(of(50)), minutes(of(95)))
        };
        let of_each = TOLD.iter().map(|status| both(&|percent| self.percentile(*status, percent)));
        let all = both(&|percent| self.percentile_of_all(percent));
        let first = [pushes, self.name.to_owned(), calls];
        first.into_iter().chain(of_each).chain(iter::once(all)).collect()
    }
}

/// The nearest rank.
fn nth_percent(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.max(1).saturating_sub(1)).copied()
}

fn minutes(seconds: Option<i64>) -> String {
    match seconds {
        None => "none".to_owned(),
        Some(i64::MAX) => "never".to_owned(),
        Some(seconds) => (seconds / 60).to_string(),
    }
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Report {
    /// Without pushes, then with; ours before the other each time.
    pub outcomes: Vec<Outcome>,
    options: Options,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { parcels, seed, .. } = self.options;
        writeln!(
            f,
            "{parcels} parcels, seed {seed}; minutes from a scan to its being known, P50 / P95\n"
        )?;
        let head = ["pushes", "asked", "calls a parcel"].into_iter().map(str::to_owned);
        let named = TOLD.iter().map(|status| format!("`{status}`", status = status.as_str()));
        let head: Vec<String> =
            head.chain(named).chain(iter::once("all scans".to_owned())).collect();
        writeln!(f, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()))?;
        for outcome in &self.outcomes {
            writeln!(f, "| {} |", outcome.row().join(" | "))?;
        }
        Ok(())
    }
}

/// Why nothing can be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// A zone or a date of the ways is not known to this machine.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A parcel has no number.
    #[error(transparent)]
    Number(#[from] TrackingNumberError),
    /// A scan has no code.
    #[error(transparent)]
    Code(#[from] TextError),
}

/// Plays so many parcels, always the same for the same options.
///
/// # Errors
/// [`PlayError`].
pub fn run(options: Options) -> Result<Report, PlayError> {
    let (policy, mut sender) = (policy(), Sender::new(options.seed)?);
    let polls = [(Poll::Ours, 0), (Poll::TwoHours, 0), (Poll::Ours, 9), (Poll::TwoHours, 9)];
    let mut outcomes: Vec<Outcome> =
        polls.iter().map(|(poll, it)| Outcome::of(*poll, *it)).collect();
    let bar = progress(options);
    for number in 0..options.parcels {
        let way = sender.send(number)?;
        for ((poll, pushes), outcome) in polls.iter().zip(&mut outcomes) {
            outcome.add(watch::watch(&way, *poll, *pushes > 0, &policy));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    for delays in outcomes.iter_mut().flat_map(|outcome| outcome.delays.values_mut()) {
        delays.sort_unstable();
    }
    Ok(Report { outcomes, options })
}

fn progress(options: Options) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(options.parcels.into());
    if let Ok(style) = ProgressStyle::with_template("  {bar:32} {pos}/{len} parcels, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The default policy, with every carrier asked.
fn policy() -> LogisticsPolicy {
    let mut policy = LogisticsPolicy::default();
    let limit = |carrier| (carrier, PollingLimit { per_minute: u16::MAX });
    policy.polling.carriers = Carrier::ALL.into_iter().map(limit).collect();
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_by_the_rules_takes_fewer_calls_and_knows_no_later() {
        let options = Options { parcels: 1_000, seed: 7, progress: false };
        let report = run(options).unwrap();
        for pair in report.outcomes.chunks(2) {
            let [ours, fixed] = pair else { panic!("an outcome without its other") };
            assert!(ours.calls < fixed.calls, "{report}");
            for status in [ParcelStatus::OutForDelivery, ParcelStatus::Delivered] {
                for percent in [50, 95] {
                    let of = |outcome: &Outcome| outcome.percentile(status, percent).unwrap();
                    assert!(of(ours) <= of(fixed), "{status:?} P{percent}\n{report}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_plays_the_same() {
        let options = Options { parcels: 20, seed: 3, progress: false };
        assert_eq!(run(options).unwrap().to_string(), run(options).unwrap().to_string());
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        for (sorted, percent, found) in [
            (&[][..], 50, None),
            (&[7], 95, Some(7)),
            (&[1, 2, 3, 4], 50, Some(2)),
            (&[1, 2, 3, 4], 95, Some(4)),
        ] {
            assert_eq!(nth_percent(sorted, percent), found, "{sorted:?} {percent}");
        }
    }
}
