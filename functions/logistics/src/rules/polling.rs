//! When is a carrier to be asked about a parcel?
//!
//! Asking is for what was not told: a push may be lost, and some carriers tell
//! nothing by themselves. So a parcel is asked about often only where the
//! answer may matter within the hour, and at a time when it may have changed:
//!
//! | where it is | asked | between |
//! |---|---|---|
//! | labelled a moment ago | once, to have the carrier report of it | at once |
//! | not with the carrier yet | every 20 hours | 06:00 and 22:00 |
//! | under way | every 12 hours | 06:00 and 22:00 |
//! | under way, or tried in vain, on a day on which it may be delivered | every hour in the morning, every two after it | 06:00 and 20:00 |
//! | the same, but its carrier expects it later, and it moved in the night | every two hours in the morning, as under way after it | 06:00 and 22:00 |
//! | out for delivery, for a day | every hour | 06:00 and 24:00 |
//! | waits to be fetched, for three days | every two hours | 06:00 and 24:00 |
//! | waits to be fetched for longer | every 6 hours | 09:00 and 24:00 |
//! | at an end, or silent for longer than the policy's patience | never | |
//!
//! - Couriers load in the morning, so *out for delivery* is mostly told
//!   between 06:00 and 11:00. Hours are those of the place where the parcel was
//!   promised; of UTC, if nothing was promised.
//! - It may be delivered from the day before the carrier's estimate on. Without one,
//!   from half of the time to the first promised day on, and not on the day of
//!   the label: half of the parcels are there by that day, many before it. A parcel of
//!   which nothing was heard for four days has to be seen somewhere else first.
//!   What comes back from a buyer is not delivered in that sense: nobody waits
//!   at the door.
//! - Most parcels are fetched within three days; after that it takes a while.
//! - What is silent for long is asked about less and less: after a quarter
//!   of its silence, at most after two days.
//! - Who opens in the morning does not begin with all parcels in one minute: each
//!   has a minute of the hour, by its number.
//! - Where the carrier reports by itself, all waits but those of *out for delivery*, and
//!   of the mornings on which it may become that, are three times as long: asking is only for the push that was lost. It does so if it
//!   agreed to, was heard of the parcel within four days, and no asking since told
//!   what it had not.
//! - What was just heard, by whatever way, needs no asking: the wait counts
//!   from there. That is looked at when the time has come, so a push costs no
//!   write. Only where the stage asks for more than was planned, the time is
//!   brought forward at once ([`sooner`]).
//!
//! Two askings about a parcel are an hour apart or more. Who reports for many
//! carriers bears no less: `TrackingMore` reads a carrier's own page every three to
//! six hours, and takes a question about the same parcel once in two hours.

use aftercart::model::{
    dispatch::Direction,
    logistics::LogisticsPolicy,
    shipment::{Carrier, Journey, Parcel, ParcelStatus},
    time::{Date, Period, TimeOfDay, Timestamp, Zone},
};

/// What is to be done about a parcel whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Have the carrier report of it.
    Subscribe,
    /// Ask where it is.
    Ask,
    /// Nothing before then: something was heard meanwhile.
    Later(Timestamp),
    /// Nothing ever again.
    Never,
}

/// How often a carrier is asked in a row to report of a parcel. If it does not,
/// it is asked where the parcel is, and to report of it now and then.
const SUBSCRIBE_TRIES: u32 = 3;

/// One in so many of the later askings is to have it reported.
const SUBSCRIBE_EVERY: u32 = 8;

/// The wait before the second try; it doubles with each.
const SUBSCRIBE_AGAIN: i64 = 15 * MINUTE;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// For how long a parcel is likely to move on from where it was last seen.
const FRESH: i64 = 4 * DAY;

/// How long ago a parcel moved that is somewhere else this morning.
const NIGHT: i64 = 12 * HOUR;

/// The longest wait.
const WAIT_MAX: i64 = 2 * DAY;

/// How many times as long the waits are for a parcel of which its carrier
/// reports, except while it is out for delivery, or may be this morning: asking is
/// for the push that was lost.
const RARELY: i64 = 3;

/// Within how many days the longest wait ends, whose mornings are not slept
/// through on which a parcel may be delivered.
const DAYS_AHEAD: u32 = 3;

/// By how much a time has to be brought forward to be worth a write.
const WORTH_A_WRITE: i64 = 30 * MINUTE;

/// When a parcel with a new label is to be seen to: at once; never, if the
/// policy does not have its carrier asked.
#[must_use]
pub fn first(
    carrier: Carrier,
    policy: &LogisticsPolicy,
    labelled_at: Timestamp,
) -> Option<Timestamp> {
    policy.polling.carriers.contains_key(&carrier).then_some(labelled_at)
}

/// What is to be done about a parcel whose time has come.
#[must_use]
pub fn due(parcel: &Parcel, journey: &Journey, policy: &LogisticsPolicy, now: Timestamp) -> Due {
    if next(parcel, journey, policy, now).is_none() {
        return Due::Never;
    }
    if wants_subscription(parcel) {
        return Due::Subscribe;
    }
    let since_heard = journey.heard_at.map(|heard| after(parcel, journey, heard.min(now)));
    since_heard.filter(|at| *at > now).map_or(Due::Ask, Due::Later)
}

/// When a parcel of which the last was learnt, or asked, now is to be asked
/// about again; never, if there is none.
#[must_use]
pub fn next(
    parcel: &Parcel,
    journey: &Journey,
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Option<Timestamp> {
    let silent = seconds(heard(parcel, journey), now);
    let is_over = journey.status.is_final() || silent >= policy.patience.give_up.seconds();
    if is_over || !policy.polling.carriers.contains_key(&parcel.tracking.carrier) {
        return None;
    }
    let by_stage = after(parcel, journey, now);
    if !wants_subscription(parcel) {
        return Some(by_stage);
    }
    Some(by_stage.min(plus(now, SUBSCRIBE_AGAIN << parcel.asked.min(SUBSCRIBE_TRIES))))
}

/// The parcel after its carrier was asked where it is, or in vain to report of
/// it: with the time of the next asking. The journey is the one that follows
/// from what was told, with it whether any of that was new.
#[must_use]
pub fn asked(
    parcel: &Parcel,
    (journey, is_new): (&Journey, bool),
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Parcel {
    let asked = match parcel.subscribed {
        true => u32::from(is_new || parcel.asked > 0),
        false => parcel.asked.saturating_add(1),
    };
    let after = Parcel { asked, ..parcel.clone() };
    Parcel { ask_at: next(&after, journey, policy, now), ..after }
}

/// [`Parcel::asked`] of a parcel whose carrier agreed to report of it, while it
/// is asked all the same and it is not known yet whether the answer is news.
const ASKING: u32 = 2;

/// The parcel while its carrier is asked about it.
#[must_use]
pub fn asking(parcel: &Parcel) -> Parcel {
    let asked = if parcel.subscribed { ASKING } else { parcel.asked };
    Parcel { asked, ..parcel.clone() }
}

/// The parcel put off until then, because it was heard of since it was last
/// asked about: a carrier that agreed to report of it does so.
#[must_use]
pub fn reported(parcel: &Parcel, until: Timestamp) -> Parcel {
    let asked = match (parcel.subscribed, parcel.asked) {
        // What was heard may be what the asking told that came to no end.
        (true, ASKING..) => 1,
        (true, _) => 0,
        (false, asked) => asked,
    };
    Parcel { asked, ask_at: Some(until), ..parcel.clone() }
}

/// The parcel after its carrier agreed to report of it. What it told by now was
/// not reported.
#[must_use]
pub fn subscribed(
    parcel: &Parcel,
    journey: &Journey,
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Parcel {
    let after =
        Parcel { subscribed: true, asked: u32::from(journey.heard_at.is_some()), ..parcel.clone() };
    Parcel { ask_at: next(&after, journey, policy, now), ..after }
}

/// The parcel with an earlier time, if after what was just heard of it the
/// planned one is too late, or there is none any more. Nothing to write otherwise: a later
/// time is found when the planned one has come.
#[must_use]
pub fn sooner(
    parcel: &Parcel,
    journey: &Journey,
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Option<Parcel> {
    let wanted = next(parcel, journey, policy, now)?;
    let planned = parcel.ask_at.unwrap_or(Timestamp::LAST);
    let is_late = planned > now && seconds(wanted, planned) > WORTH_A_WRITE;
    is_late.then(|| Parcel { ask_at: Some(wanted), ..parcel.clone() })
}

fn wants_subscription(parcel: &Parcel) -> bool {
    let turn = parcel.asked < SUBSCRIBE_TRIES || parcel.asked.is_multiple_of(SUBSCRIBE_EVERY);
    !parcel.subscribed && turn
}

/// When a parcel was last heard of; the label is the first that is.
fn heard(parcel: &Parcel, journey: &Journey) -> Timestamp {
    journey.heard_at.map_or(parcel.labelled_at, |at| at.max(parcel.labelled_at))
}

/// How often a parcel is asked about, and between which hours of the day.
struct Pace {
    wait: i64,
    hours: (i64, i64),
}

/// The hours in which anything is asked; what a courier has is told until he is
/// back at the depot, and lockers are open late.
const AWAKE: (i64, i64) = (6, 22);
const UNTIL_LATE: (i64, i64) = (6, 24);

/// When to ask next, if a moment was the last at which anything was learnt.
fn after(parcel: &Parcel, journey: &Journey, at: Timestamp) -> Timestamp {
    let here = Here::of(parcel);
    let pace = pace(parcel, journey, &here, at);
    let wanted = here.within(pace.hours, plus(at, pace.wait));
    let mut days = (1..=DAYS_AHEAD).map(|days| here.date(at).plus_days(days));
    let first = days.find(|day| chance(parcel, journey, &here, *day) != Chance::None);
    first.map_or(wanted, |day| wanted.min(here.opening(day, AWAKE.0)))
}

fn pace(parcel: &Parcel, journey: &Journey, here: &Here, at: Timestamp) -> Pace {
    use ParcelStatus::{InfoReceived, OutForDelivery, Pending, ReadyForPickup};
    let silent = seconds(heard(parcel, journey), at);
    let rare = if is_reported(parcel, journey, silent) { RARELY } else { 1 };
    let backing_off =
        |wait: i64| Pace { wait: (rare * wait).max(silent / 4).min(WAIT_MAX), hours: AWAKE };
    let is_morning = here.hour(at) < 12;
    match (journey.status, chance(parcel, journey, here, here.date(at))) {
        (OutForDelivery, _) if silent < DAY => Pace { wait: HOUR, hours: UNTIL_LATE },
        (ReadyForPickup, _) if silent < 3 * DAY => {
            Pace { wait: rare * 2 * HOUR, hours: UNTIL_LATE }
        }
        (ReadyForPickup, _) => Pace { wait: rare * 6 * HOUR, hours: (9, 24) },
        (_, Chance::Good) if is_morning => Pace { wait: HOUR, hours: (6, 20) },
        (_, Chance::Good) => Pace { wait: rare * 2 * HOUR, hours: (6, 20) },
        (_, Chance::Slight) if is_morning && silent < NIGHT => {
            Pace { wait: rare * 2 * HOUR, hours: AWAKE }
        }
        (Pending | InfoReceived, _) => backing_off(20 * HOUR),
        _ => backing_off(12 * HOUR),
    }
}

/// Whether the carrier reports of a parcel by itself: it agreed to, something
/// was heard lately, and since then no asking told what it had not.
fn is_reported(parcel: &Parcel, journey: &Journey, silent: i64) -> bool {
    parcel.subscribed && parcel.asked == 0 && journey.heard_at.is_some() && silent < FRESH
}

/// Whether a courier may have the parcel with him on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chance {
    None,
    /// By the promise, but not by what the carrier says.
    Slight,
    Good,
}

fn chance(parcel: &Parcel, journey: &Journey, here: &Here, day: Date) -> Chance {
    use ParcelStatus::{
        AttemptFailed, Exception, InTransit, InfoReceived, OnHold, OutForDelivery, Pending,
        PickedUp, Unknown,
    };
    let silent = seconds(heard(parcel, journey), here.opening(day, 0));
    if parcel.direction == Direction::Back || silent > FRESH {
        return Chance::None;
    }
    match journey.status {
        AttemptFailed | OutForDelivery => Chance::Good,
        // It may have been taken since it was last looked at.
        Pending | InfoReceived if may_be_there(parcel, here, day) => Chance::Slight,
        Unknown | PickedUp | InTransit | OnHold | Exception => {
            let eta = journey.eta.map(|eta| here.date(eta));
            let by_promise = may_be_there(parcel, here, day);
            match eta.map(|eta| day.days_until(eta) <= 1) {
                Some(true) => Chance::Good,
                Some(false) if by_promise => Chance::Slight,
                None if by_promise => Chance::Good,
                Some(false) | None => Chance::None,
            }
        }
        _ => Chance::None,
    }
}

/// Whether a parcel may be there, by what was promised when it was labelled.
fn may_be_there(parcel: &Parcel, here: &Here, day: Date) -> bool {
    let labelled = here.date(parcel.labelled_at);
    let promised = parcel.window.as_ref().map_or(0, |window| labelled.days_until(window.from));
    labelled.days_until(day) >= (promised / 2).max(1)
}

/// The clock and calendar where the parcel goes, and its minute of the hour.
struct Here {
    zone: Zone,
    minute: i64,
}

impl Here {
    fn of(parcel: &Parcel) -> Self {
        let zone = parcel.window.as_ref().map_or_else(Zone::utc, |window| window.zone.clone());
        let number = parcel.tracking.number.as_str().bytes();
        let mixed = number.fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Self { zone, minute: i64::from(mixed % 60) }
    }

    fn date(&self, at: Timestamp) -> Date {
        at.date_in(&self.zone)
    }

    /// The hour of the day: an hour off after clocks were changed in the night.
    fn hour(&self, at: Timestamp) -> i64 {
        seconds(self.midnight(self.date(at)), at) / HOUR
    }

    fn midnight(&self, day: Date) -> Timestamp {
        day.at(TimeOfDay::MIDNIGHT, &self.zone).unwrap_or(Timestamp::LAST)
    }

    /// The parcel's minute of that hour of a day.
    fn opening(&self, day: Date, hour: i64) -> Timestamp {
        plus(self.midnight(day), hour * HOUR + self.minute * MINUTE)
    }

    /// The moment, or the next within the hours.
    fn within(&self, (from, until): (i64, i64), at: Timestamp) -> Timestamp {
        let (today, hour) = (self.date(at), self.hour(at));
        match hour {
            hour if hour < from => self.opening(today, from),
            hour if hour < until => at,
            _ => self.opening(today.plus_days(1), from),
        }
    }
}

/// So many seconds from one moment to a later one; negative if it is earlier.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.unix_seconds().saturating_sub(from.unix_seconds())
}

fn plus(at: Timestamp, seconds: i64) -> Timestamp {
    at.plus(Period::of_seconds(u32::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
