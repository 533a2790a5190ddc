//! Watching one parcel on its way.

use aftercart::model::{
    logistics::LogisticsPolicy,
    shipment::{History, Journey, Parcel, ParcelStatus},
    time::{Period, Timestamp},
};
use aftercart_logistics::rules::{
    fold,
    polling::{self, Due},
};

use super::way::Way;

/// How carriers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Poll {
    /// When the rules say.
    Ours,
    /// Every two hours, day and night.
    TwoHours,
}

const TWO_HOURS: Period = Period::of_seconds(2 * 3_600);

impl Poll {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "by the rules",
            Self::TwoHours => "every two hours",
        }
    }
}

/// What came out for one parcel.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// How many calls it took, the one included that has it reported.
    pub(super) calls: u64,
    /// How many seconds after it was made each scan was known.
    pub(super) delays: Vec<(ParcelStatus, i64)>,
}

/// What is known of a parcel so far.
struct Known<'a> {
    way: &'a Way,
    history: History,
    journey: Journey,
    watched: Watched,
}

impl<'a> Known<'a> {
    fn new(way: &'a Way) -> Self {
        let history = History { parcel: Some(way.parcel.clone()), ..History::default() };
        let journey = fold::journey(&history);
        Self { way, history, journey, watched: Watched::default() }
    }

    /// Learns all that the carrier shows by now; tells whether any of it is new.
    fn learn(&mut self, now: Timestamp) -> bool {
        let told = self.history.told();
        for scan in self.way.scans.iter().filter(|scan| scan.shown_at <= now) {
            if self.history.events.insert(scan.event.clone()) {
                let delay = now.unix_seconds().saturating_sub(scan.event.at.unix_seconds());
                self.watched.delays.push((scan.event.status, delay));
            }
        }
        let shown = self.way.estimates.iter().filter(|(shown_at, _)| *shown_at <= now);
        self.history.estimates.extend(shown.map(|(_, estimate)| *estimate));
        let is_new = self.history.told() > told;
        if is_new {
            self.journey = fold::journey(&self.history);
        }
        is_new
    }

    /// What came out: what was never known was known after all time.
    fn end(mut self) -> Watched {
        let missed = self.way.scans.iter().filter(|it| !self.history.events.contains(&it.event));
        self.watched.delays.extend(missed.map(|scan| (scan.event.status, i64::MAX)));
        self.watched
    }
}

/// Watches a parcel to its end.
pub(super) fn watch(way: &Way, poll: Poll, pushed: bool, policy: &LogisticsPolicy) -> Watched {
    let mut known = Known::new(way);
    let mut parcel = way.parcel.clone();
    let pushes = way.scans.iter().filter_map(|scan| scan.pushed_at.filter(|_| pushed));
    let mut pushes: Vec<Timestamp> = pushes.collect();
    pushes.sort_unstable_by(|a, b| b.cmp(a));
    loop {
        let push = pushes.last().copied();
        match (push, parcel.ask_at) {
            (Some(push), ask_at) if ask_at.is_none_or(|at| push <= at) => {
                pushes.pop();
                known.learn(push);
                if poll == Poll::Ours {
                    let sooner = polling::sooner(&parcel, &known.journey, policy, push);
                    parcel = sooner.unwrap_or(parcel);
                }
            }
            (_, Some(now)) => {
                parcel.ask_at = match poll {
                    Poll::Ours => by_the_rules(&mut known, &mut parcel, policy, now),
                    Poll::TwoHours => again(&mut known, policy, now),
                };
            }
            (_, None) => return known.end(),
        }
    }
}

/// What the schedule of the suite does for one parcel.
fn by_the_rules(
    known: &mut Known<'_>,
    parcel: &mut Parcel,
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Option<Timestamp> {
    match polling::due(parcel, &known.journey, policy, now) {
        Due::Never => return None,
        Due::Later(at) => *parcel = polling::reported(parcel, at),
        Due::Subscribe => {
            known.watched.calls += 1;
            *parcel = polling::subscribed(parcel, &known.journey, policy, now);
        }
        Due::Ask => {
            known.watched.calls += 1;
            let is_new = known.learn(now);
            *parcel = polling::asked(parcel, (&known.journey, is_new), policy, now);
        }
    }
    parcel.ask_at
}

/// Asks, and again after two hours unless the parcel is at an end or silent for
/// as long as it would be by the rules.
fn again(known: &mut Known<'_>, policy: &LogisticsPolicy, now: Timestamp) -> Option<Timestamp> {
    let heard = known.journey.heard_at.unwrap_or(known.way.parcel.labelled_at);
    if known.journey.status.is_final() || heard.plus(policy.patience.give_up) <= now {
        return None;
    }
    known.watched.calls += 1;
    known.learn(now);
    Some(now.plus(TWO_HOURS))
}
