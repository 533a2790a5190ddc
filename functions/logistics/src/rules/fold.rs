//! Where is a parcel, by all that was told of it?
//!
//! The journey is a function of the *set* of what was told: in which calls it
//! came, in which order and how often makes no difference. The present moment
//! is not looked at. Parcels that come back from a buyer are folded alike:
//! *delivered* is at the shop then.
//!
//! **Times.** A scan is known as the same by time, code and place; if it was
//! told with different statuses (a table of codes was corrected since), one
//! that is known wins over `unknown`. What is odd about a time is marked:
//!
//! - A scan cannot lie after the statement that tells it. Where it does, it is
//!   taken to be of the moment at which it was first told (carriers' local
//!   times without a zone are the usual cause).
//! - Scans of more than [`LATE_LABEL`] before the label was attached, and
//!   estimates told before that, belong to an earlier parcel, because carriers
//!   use numbers again, and are left out. Nearer ones are in their order, but a
//!   carrier cannot have a parcel before its label: they are shown as of the
//!   label. What the carrier knew before it had the parcel keeps its time.
//! - A time without a zone was read in the carrier's usual one.
//!
//! **Statuses.** Scans are taken in the order of their times. A status of a
//! higher rank replaces one of a lower; within a rank the later scan does. So
//! a late notice that the label was printed takes nothing back, and `unknown`
//! is shown only when nothing else is known. Then there are two ends:
//!
//! - *delivered* is left only for *returning* and *returned*, by a later scan:
//!   the parcel was refused or recalled after all, and its carrier's table says
//!   so. Any other scan after it is a straggler, a notice that something went
//!   wrong, too.
//! - *returning* ends in *returned*. Carriers report a parcel that arrived back
//!   at its sender as delivered; so *delivered* after *returning* is the end of
//!   the way back, not a delivery to the buyer.
//! - *returned* is left only when the carrier picks the parcel up anew.
//!
//! **Estimates.** The one told last holds, and of two told at the same time the
//! later. A parcel at an end, or on its way back, is not expected.

use std::collections::BTreeMap;

use aftercart::model::{
    shipment::{Doubt, History, Journey, ParcelStatus, Reason, Stage, TrackingEvent},
    text::Text,
    time::{Period, Timestamp},
};

/// How long after a carrier's first scan a label may be attached here. Carriers
/// use a number again after some months at the earliest.
pub const LATE_LABEL: Period = Period::of_days(7);

/// Within this time a courier does not come twice: what is told again of a
/// failed attempt (a card was left, the reason was added) is of the same one.
const ONE_ATTEMPT: Period = Period::of_seconds(4 * 3_600);

/// The journey that follows from all that was told of a parcel.
#[must_use]
pub fn journey(history: &History) -> Journey {
    let labelled_at = history.parcel.as_ref().map(|parcel| parcel.labelled_at);
    let earliest = earliest(labelled_at);
    let scans = scans(history, earliest);
    let mut way = Way { journey: Journey::pending(), trouble: None, attempted: None };
    for scan in &scans {
        way.advance(scan, labelled_at);
    }
    let told_since = history.estimates.iter().filter(|it| it.told_at >= earliest);
    let mut journey = way.journey;
    journey.eta = told_since.max().map(|it| it.eta).filter(|_| is_expected(journey.status));
    journey.heard_at = scans.iter().map(|scan| scan.shown(labelled_at).0).max();
    journey.events = u32::try_from(scans.len()).unwrap_or(u32::MAX);
    journey.told = history.told();
    journey
}

/// Every scan that the journey follows from, as it is shown, in the order of
/// the way: the trail of the parcel. With each, why something was wrong then.
#[must_use]
pub fn trail(history: &History) -> Vec<(Stage, Option<Reason>)> {
    let labelled_at = history.parcel.as_ref().map(|parcel| parcel.labelled_at);
    let scans = scans(history, earliest(labelled_at)).into_iter();
    let seen = scans.map(|scan| {
        let (at, doubt) = scan.shown(labelled_at);
        (Stage { status: scan.status, at, place: scan.place.cloned(), doubt }, scan.reason)
    });
    seen.collect()
}

/// Before that, what is told is of an earlier parcel.
fn earliest(labelled_at: Option<Timestamp>) -> Timestamp {
    labelled_at.map_or(Timestamp::FIRST, |at| at.minus(LATE_LABEL))
}

fn scans(history: &History, earliest: Timestamp) -> Vec<Scan<'_>> {
    let mut scans: Vec<Scan<'_>> = union(history);
    scans.retain(|scan| scan.at >= earliest);
    scans.sort_unstable();
    scans
}

/// A scan as all statements together tell it. The order is that of the way: by
/// time; where many were taken to be of the same moment, as the carrier's clock
/// had them; and within a moment the further status last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Scan<'a> {
    at: Timestamp,
    clock: Timestamp,
    status: ParcelStatus,
    reason: Option<Reason>,
    code: &'a str,
    place: Option<&'a Text<80>>,
    zone_assumed: bool,
}

impl<'a> Scan<'a> {
    fn of(told: &'a TrackingEvent) -> Self {
        Self {
            at: told.told_at.map_or(told.at, |told_at| told_at.min(told.at)),
            clock: told.at,
            status: told.status,
            reason: told.reason,
            code: told.code.as_str(),
            place: told.place.as_ref(),
            zone_assumed: told.zone_assumed,
        }
    }

    /// What is known after it was told once more.
    fn told_again(&mut self, again: &Self) {
        self.at = self.at.min(again.at);
        self.zone_assumed &= again.zone_assumed;
        let known = |scan: &Self| {
            (rank(scan.status) > rank(ParcelStatus::Unknown), scan.status, scan.reason)
        };
        if known(again) > known(self) {
            (self.status, self.reason) = (again.status, again.reason);
        }
    }

    /// Its time as it is shown, and what is odd about it.
    fn shown(&self, labelled_at: Option<Timestamp>) -> (Timestamp, Option<Doubt>) {
        let in_hand = rank(self.status) > rank(ParcelStatus::InfoReceived);
        match labelled_at.filter(|label| in_hand && self.at < *label) {
            Some(label) => (label, Some(Doubt::BeforeLabel)),
            None if self.at < self.clock => (self.at, Some(Doubt::Ahead)),
            None => (self.at, self.zone_assumed.then_some(Doubt::Zone)),
        }
    }
}

/// Every scan once.
fn union(history: &History) -> Vec<Scan<'_>> {
    let mut scans = BTreeMap::new();
    for told in &history.events {
        let scan = Scan::of(told);
        let known = scans.entry(told.identity()).or_insert_with(|| scan.clone());
        known.told_again(&scan);
    }
    scans.into_values().collect()
}

/// How far a status is along the way.
fn rank(status: ParcelStatus) -> u8 {
    match status {
        ParcelStatus::Pending => 0,
        ParcelStatus::Unknown => 1,
        ParcelStatus::InfoReceived => 2,
        ParcelStatus::PickedUp
        | ParcelStatus::InTransit
        | ParcelStatus::OnHold
        | ParcelStatus::Exception
        | ParcelStatus::OutForDelivery
        | ParcelStatus::AttemptFailed
        | ParcelStatus::ReadyForPickup
        | ParcelStatus::Cancelled
        | ParcelStatus::Expired => 3,
        ParcelStatus::Returning => 4,
        ParcelStatus::Delivered | ParcelStatus::Returned => 5,
    }
}

/// The status after a scan that is not earlier than what led to the current
/// one; none when the scan changes nothing.
fn after(current: ParcelStatus, told: ParcelStatus) -> Option<ParcelStatus> {
    use ParcelStatus::{Delivered, PickedUp, Returned, Returning};
    match (current, told) {
        (Returning, Delivered) => Some(Returned),
        (Delivered, Returning | Returned) | (Returned, PickedUp) => Some(told),
        (Delivered | Returned, _) => None,
        _ => (rank(told) >= rank(current)).then_some(told),
    }
}

/// The journey so far.
struct Way {
    journey: Journey,
    /// What went wrong last.
    trouble: Option<Reason>,
    /// When the attempt began that failed last.
    attempted: Option<Timestamp>,
}

impl Way {
    fn advance(&mut self, scan: &Scan<'_>, labelled_at: Option<Timestamp>) {
        self.trouble = scan.reason.or(self.trouble);
        let Some(status) = after(self.journey.status, scan.status) else { return };
        let (at, doubt) = scan.shown(labelled_at);
        if status == ParcelStatus::AttemptFailed {
            self.attempt(scan.at);
        }
        let journey = &mut self.journey;
        journey.reason = match status {
            ParcelStatus::Delivered => None,
            // A way back has the reason of what went wrong before it.
            ParcelStatus::Returning | ParcelStatus::Returned => self.trouble,
            _ => scan.reason,
        };
        if journey.status != status || journey.since.is_none() {
            journey.since = Some(at);
        }
        journey.status = status;
        journey.delivered_at = (status == ParcelStatus::Delivered).then_some(at);
        if journey.stages.iter().all(|stage| stage.status != status) {
            journey.stages.push(Stage { status, at, place: scan.place.cloned(), doubt });
        }
    }

    fn attempt(&mut self, at: Timestamp) {
        if self.attempted.is_none_or(|before| at > before.plus(ONE_ATTEMPT)) {
            self.attempted = Some(at);
            self.journey.attempts = self.journey.attempts.saturating_add(1);
        }
    }
}

fn is_expected(status: ParcelStatus) -> bool {
    rank(status) < rank(ParcelStatus::Returning)
        && !matches!(status, ParcelStatus::Cancelled | ParcelStatus::Expired)
}

#[cfg(test)]
mod tests;
