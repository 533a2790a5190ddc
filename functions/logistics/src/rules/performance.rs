//! How well is kept what was promised, and what should be promised instead?
//!
//! A parcel is counted once, when it came to an end. The numbers that are shown
//! are of what was seen, none is guessed: where too little was seen there is
//! no number.
//!
//! **Time under way** is counted as promises count it: in the carrier's working
//! days after the day on which the carrier got the parcel until it was brought
//! (see [`promise::brought_on`]), so many that a promise of one day less would
//! have been broken. Percentiles are those of the
//! nearest rank: the fewest days in which at least so many of a hundred arrived.
//! They are point estimates of those that arrived, not bounds: what never
//! arrived has no time under way.
//!
//! **When it is counted**: when it ended. What is lost ends late, when it is
//! given up on, so the latest months look better than they are.
//!
//! **What is kept** is the promise to the buyer: a parcel that the shop handed
//! over late, and that came late, is not kept, whoever carried it.
//!
//! **The share on time** has Wilson's score interval at 95 %, which holds for
//! few parcels and for shares near 0 and 1 as well (E. B. Wilson, Probable
//! Inference, the Law of Succession, and Statistical Inference, JASA 22, 1927;
//! compared with others in R. G. Newcombe, Two-sided confidence intervals for
//! the single proportion, Statistics in Medicine 17, 1998, method 3).

use std::collections::BTreeMap;

use aftercart::model::{
    customer::Country,
    delivery::{Calendar, DeliveryPlace, DeliveryPolicy, Method, MethodId, MethodKind, Transit},
    dispatch::{Counted, Direction, Dispatch, Shipment},
    performance::{Lane, MOST_DAYS, Performance},
    shipment::{Doubt, Journey, ParcelStatus, Stage},
    text::Text,
    time::{Date, Timestamp},
};

use super::promise;

/// From how many parcels on numbers are shown. The slowest of 29 is above the
/// true 90th percentile with a confidence of 95 %, because 0.9^29 < 0.05; of
/// fewer it is not (S. S. Wilks, Determination of Sample Sizes for Setting
/// Tolerance Limits, Annals of Mathematical Statistics 12, 1941). That is said of
/// the slowest, not of the percentile that is shown, which is no bound.
pub const LEAST_SEEN: u32 = 29;

/// The square of the normal distribution's quantile at 97.5 %, in millionths:
/// the 95 % quantile of chi-squared with one degree of freedom.
const Z_SQUARED: u128 = 3_841_459;

/// In what [`Z_SQUARED`] is counted.
const MILLION: u128 = 1_000_000;

/// A whole, in basis points.
const WHOLE: u128 = 10_000;

/// A parcel's entry in the statistics, and of which lane; none, if it has one,
/// or says nothing of how a promise was kept: it does not go to a buyer, was
/// never in a carrier's hands, was handed over by the shop, or carries anew what
/// another one did (its promise was the other one's).
///
/// Whoever asks has decided that nothing more is to come of it: a parcel that
/// was not brought by now counts as a promise that was not kept.
#[must_use]
pub fn count(
    dispatch: &Dispatch,
    shipment: &Shipment,
    policy: &DeliveryPolicy,
) -> Option<(Counted, Lane)> {
    let journey = &shipment.journey;
    let known = shipment.counted.is_some() || shipment.replaces.is_some();
    let known = known || shipment.handed_over_at().is_some();
    let date = |at: Timestamp| at.date_in(&dispatch.zone);
    let left = date(promise::left_at(journey)?);
    if known || shipment.direction == Direction::Back {
        return None;
    }
    let brought = promise::brought_on(journey, &dispatch.zone);
    let last = journey.delivered_at.or(journey.heard_at).map_or(left, date);
    let days = || {
        let calendar = carrier_calendar(policy, &dispatch.method, &dispatch.country)?;
        let days = working_days(calendar, date(departure(journey)?), brought?);
        Some(days.min(MOST_DAYS))
    };
    let lane = Lane {
        service: shipment.chosen.as_ref().map(|it| it.service.clone()),
        carrier: shipment.tracking.as_ref().map(|it| it.carrier),
        from: shipment.location.clone(),
        to: dispatch.country.clone(),
        method: dispatch.method.clone(),
    };
    let kept = brought.is_some_and(|date| date <= dispatch.promise.until);
    Some((Counted { month: month_of(last)?, days: days(), kept }, lane))
}

/// The month of a date, such as `2026-11`.
#[must_use]
pub fn month_of(date: Date) -> Option<Text<7>> {
    Text::new(date.to_string().get(..7)?).ok()
}

/// When the carrier got it, if the carrier said so, and no time of the way had
/// to be put right.
fn departure(journey: &Journey) -> Option<Timestamp> {
    use ParcelStatus::{InTransit, PickedUp};
    let put_right = |it: &Stage| matches!(it.doubt, Some(Doubt::Ahead | Doubt::BeforeLabel));
    let left = journey.stages.iter().find(|it| matches!(it.status, PickedUp | InTransit))?;
    (!journey.stages.iter().any(put_right)).then_some(left.at)
}

/// The calendar of whoever carries a method's parcels to a country, as far as
/// the country tells.
fn carrier_calendar<'p>(
    policy: &'p DeliveryPolicy,
    method: &MethodId,
    to: &Country,
) -> Option<&'p Calendar> {
    let method = policy.methods.iter().find(|it| it.id == *method)?;
    let place = method.places.iter().find(|it| may_hold(it, to));
    let transit = place.map_or(&method.transit, |place| transit(method, place));
    policy.calendars.get(transit.calendar.as_ref().unwrap_or(&method.handling.calendar))
}

fn transit<'p>(method: &'p Method, place: &'p DeliveryPlace) -> &'p Transit {
    place.transit.as_ref().unwrap_or(&method.transit)
}

fn may_hold(place: &DeliveryPlace, country: &Country) -> bool {
    place.countries.is_empty() || place.countries.contains(country)
}

/// The fewest working days after the first date in which a parcel that came on
/// the second was not late.
fn working_days(calendar: &Calendar, left: Date, came: Date) -> u16 {
    let Some(last @ 1..) = u32::try_from(left.days_until(came)).ok() else { return 0 };
    let days = (1..=last.min(MOST_CALENDAR_DAYS)).map(|days| left.plus_days(days));
    let worked = days.filter(|day| calendar.works(*day)).count();
    // What comes on a day off was due on the next working day.
    let early = usize::from(!calendar.works(came));
    u16::try_from(worked.saturating_add(early)).unwrap_or(MOST_DAYS)
}

/// Beyond this many days, all calendars have [`MOST_DAYS`] working days, or
/// there is nothing to learn from them.
const MOST_CALENDAR_DAYS: u32 = 1_000;

/// How many of a hundred arrive within how many working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Of how many parcels it is known.
    pub seen: u32,
    /// The days in which half arrived.
    pub p50: u16,
    /// The days in which nine of ten arrived.
    pub p90: u16,
}

/// How long parcels were under way; none, if too few were seen.
#[must_use]
pub fn spread(performance: &Performance) -> Option<Spread> {
    let seen = performance.timed();
    let days = &performance.days;
    (seen >= LEAST_SEEN).then_some(())?;
    Some(Spread { seen, p50: percentile(days, 50)?, p90: percentile(days, 90)? })
}

/// The value of the nearest rank: the smallest that at least so many of a
/// hundred do not exceed. None of no values.
fn percentile(counts: &BTreeMap<u16, u32>, percent: u8) -> Option<u16> {
    let all: u64 = counts.values().map(|count| u64::from(*count)).sum();
    let rank = all.saturating_mul(percent.into()).div_ceil(100).max(1);
    let mut seen: u64 = 0;
    for (value, count) in counts {
        seen = seen.saturating_add(u64::from(*count));
        if seen >= rank {
            return Some(*value);
        }
    }
    None
}

/// A share of what was seen, in basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// What was seen, rounded down.
    pub rate: u32,
    /// The lower end of the interval that holds the true share with a
    /// confidence of 95 %, rounded down.
    pub low: u32,
    /// The upper end, rounded up.
    pub high: u32,
}

/// The share of parcels that were on time; none, if too few were seen.
#[must_use]
pub fn on_time(performance: &Performance) -> Option<Share> {
    (performance.ended >= LEAST_SEEN).then(|| share(performance.kept, performance.ended))?
}

/// With x of n and z² of the confidence, the ends are
/// (2x + z² ± √(z² (z² + 4x(n-x)/n))) / 2(n + z²). In whole numbers: z² is in
/// millionths, and so is everything else; the root is rounded so that the
/// interval grows.
fn share(part: u32, whole: u32) -> Option<Share> {
    let (x, n) = (u128::from(part.min(whole)), u128::from(whole));
    let spread = x.checked_mul(n.checked_sub(x)?)?.checked_mul(4 * MILLION)?.div_ceil(n.max(1));
    let square = Z_SQUARED.checked_mul(Z_SQUARED.checked_add(spread)?)?;
    let root = square.isqrt();
    let root = if root.checked_mul(root)? == square { root } else { root.checked_add(1)? };
    let middle = x.checked_mul(2 * MILLION)?.checked_add(Z_SQUARED)?;
    let below = n.checked_mul(MILLION)?.checked_add(Z_SQUARED)?.checked_mul(2)?;
    let low = middle.saturating_sub(root).checked_mul(WHOLE)?.checked_div(below)?;
    let high = middle.checked_add(root)?.checked_mul(WHOLE)?.div_ceil(below).min(WHOLE);
    let rate = x.checked_mul(WHOLE)?.checked_div(n)?;
    let points = |value: u128| u32::try_from(value).ok();
    Some(Share { rate: points(rate)?, low: points(low)?, high: points(high)? })
}

/// The lanes of several months, each once.
#[must_use]
pub fn together(months: impl IntoIterator<Item = (Lane, Performance)>) -> Lanes {
    let mut lanes = Lanes::new();
    for (lane, performance) in months {
        let known = lanes.entry(lane).or_default();
        *known = std::mem::take(known).and(&performance);
    }
    lanes
}

/// What was seen, by lane.
pub type Lanes = BTreeMap<Lane, Performance>;

/// What is promised at a place of a method, and what should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The method.
    pub method: MethodId,
    /// The number of the place in the method's list, from 0.
    pub place: usize,
    /// What is promised now, in working days under way, with the place's extra days.
    pub now: (u16, u16),
    /// Of how many parcels it is known how long they were under way.
    pub seen: u32,
    /// What was seen, and is proposed.
    pub proposed: Result<(u16, u16), Unproposed>,
}

/// Why nothing is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproposed {
    /// Fewer than [`LEAST_SEEN`] parcels were seen.
    TooFew,
    /// Parcels are counted by country, and several places of the method share
    /// the place's countries.
    NotToldApart,
}

/// What was promised and seen at each place to which something is sent, and the
/// delivery policy as it should be. It changes nothing but times under way.
#[must_use]
pub fn propose(policy: &DeliveryPolicy, seen: &Lanes) -> (Vec<Line>, DeliveryPolicy) {
    let mut proposed = policy.clone();
    let mut lines = Vec::new();
    for method in proposed.methods.iter_mut().filter(|it| it.kind == MethodKind::Ship) {
        let places = at_places(method, seen);
        let only_one = method.places.len() == 1;
        for (place, performance) in places {
            let Some(of) = method.places.get(place) else { continue };
            let line = line(method, (place, of), performance.as_ref());
            if let Ok((p50, p90)) = line.proposed {
                let calendar = transit(method, of).calendar.clone();
                let days = |all: u16| all.saturating_sub(of.extra_days);
                let new = Transit { calendar, p50: days(p50), p90: days(p90) };
                amend(method, place, new, only_one);
            }
            lines.push(line);
        }
    }
    (lines, proposed)
}

/// What was seen at each place of a method; nothing can be said of a place that
/// shares a country with another one.
fn at_places(method: &Method, seen: &Lanes) -> BTreeMap<usize, Option<Performance>> {
    let is_whole = |it: &DeliveryPlace| it.regions.is_empty() && it.postal_codes.is_empty();
    // The first place that may hold a country holds all of it, or none can tell.
    let holder = |to: &Country| {
        let (place, first) = method.places.iter().enumerate().find(|(_, it)| may_hold(it, to))?;
        is_whole(first).then_some(place)
    };
    let apart = |(place, it): (usize, &DeliveryPlace)| {
        let alone = is_whole(it)
            && (it.countries.is_empty() || it.countries.iter().any(|to| holder(to) == Some(place)));
        (place, alone.then(Performance::default))
    };
    let mut places: BTreeMap<usize, Option<Performance>> =
        method.places.iter().enumerate().map(apart).collect();
    for (lane, performance) in seen.iter().filter(|(lane, _)| lane.method == method.id) {
        let place = holder(&lane.to).and_then(|place| places.get_mut(&place));
        if let Some(Some(known)) = place {
            *known = std::mem::take(known).and(performance);
        }
    }
    places
}

fn line(
    method: &Method,
    (number, place): (usize, &DeliveryPlace),
    performance: Option<&Performance>,
) -> Line {
    let Transit { p50, p90, .. } = transit(method, place);
    let with_extra = |days: &u16| days.saturating_add(place.extra_days);
    let proposed = match performance.map(spread) {
        None => Err(Unproposed::NotToldApart),
        Some(None) => Err(Unproposed::TooFew),
        Some(Some(spread)) => Ok((spread.p50, spread.p90)),
    };
    Line {
        method: method.id.clone(),
        place: number,
        now: (with_extra(p50), with_extra(p90)),
        seen: performance.map_or(0, Performance::timed),
        proposed,
    }
}

/// Puts a time under way where it stands now: with the place, if that has one
/// of its own or is one of several, and with the method otherwise.
fn amend(method: &mut Method, place: usize, new: Transit, only_one: bool) {
    let Some(of) = method.places.get_mut(place) else { return };
    if *of.transit.as_ref().unwrap_or(&method.transit) == new {
        return;
    }
    if of.transit.is_none() && only_one {
        method.transit = new;
    } else {
        of.transit = Some(new);
    }
}

#[cfg(test)]
mod tests;
