//! Where is a parcel, by all that was told of it?
//!
//! The journey is a function of the *set* of scans: in which pushes they came,
//! in which order and how often makes no difference (only the number of
//! different pushes, which tells a journey that knows more from one that knows
//! less). The present moment is not looked at.
//!
//! **Times.** A scan is known as the same by time, code and place; if it was
//! told with different statuses (a table of codes was corrected since), one
//! that is known wins over `unknown`. A scan cannot lie after the statement
//! that tells it: where a push says when it was told, later scans of it are
//! taken to be of that moment (carriers' local times without a zone are the
//! usual cause). Scans of more than [`LATE_LABEL`] before the label was
//! attached, and estimates told before that, belong to an earlier parcel,
//! because carriers use numbers again, and are left out.
//!
//! **Statuses.** Scans are taken in the order of their times. A status of a
//! higher rank replaces one of a lower; within a rank the later scan does. So
//! a late notice that the label was printed takes nothing back, and `unknown`
//! is shown only when nothing else is known. Then there are two ends:
//!
//! - *delivered* is left only for *returning* and *returned*, by a later scan:
//!   the parcel was refused or recalled after all. Any other scan after it is
//!   a straggler.
//! - *returning* ends in *returned*. Carriers report a parcel that arrived back
//!   at its sender as delivered; so *delivered* after *returning* is the end of
//!   the way back, not a delivery to the buyer.
//! - *returned* is left only when the carrier picks the parcel up anew.
//!
//! **Estimates.** The one told last holds, and of two told at the same time the
//! later; a statement that does not say when it was told is as old as its
//! latest scan. A parcel at an end, or on its way back, is not expected.

use std::collections::BTreeMap;

use aftercart::model::{
    shipment::{Journey, ParcelStatus, Push, Reason, Stage, TrackingEvent},
    time::{Period, Timestamp},
};

/// How long after a carrier's first scan a label may be attached here. Carriers
/// use a number again after some months at the earliest.
pub const LATE_LABEL: Period = Period::of_days(7);

/// The journey that follows from these pushes of a parcel.
#[must_use]
pub fn journey(labelled_at: Timestamp, pushes: &[Push]) -> Journey {
    let pushes: BTreeMap<String, &Push> = pushes.iter().map(|push| (push.digest(), push)).collect();
    let earliest = labelled_at.minus(LATE_LABEL);
    let mut scans: Vec<TrackingEvent> = union(pushes.values().copied());
    scans.retain(|scan| scan.at >= earliest);
    scans.sort_unstable();
    let mut journey = Journey::pending();
    let mut trouble = None;
    for scan in &scans {
        trouble = scan.reason.or(trouble);
        advance(&mut journey, scan, trouble);
    }
    let eta = eta(pushes.values().copied(), earliest);
    journey.eta = eta.filter(|_| is_expected(journey.status));
    journey.events = u32::try_from(scans.len()).unwrap_or(u32::MAX);
    journey.pushes = u32::try_from(pushes.len()).unwrap_or(u32::MAX);
    journey
}

/// Every scan once, none after the earliest statement that tells it.
fn union<'a>(pushes: impl Iterator<Item = &'a Push>) -> Vec<TrackingEvent> {
    let mut scans: BTreeMap<String, TrackingEvent> = BTreeMap::new();
    for push in pushes {
        for told in &push.events {
            let mut told_scan = told.clone();
            told_scan.at = push.told_at.map_or(told.at, |told_at| told.at.min(told_at));
            let scan = scans.entry(told.identity()).or_insert_with(|| told_scan.clone());
            scan.at = scan.at.min(told_scan.at);
            let known = |scan: &TrackingEvent| {
                (rank(scan.status) > rank(ParcelStatus::Unknown), scan.status, scan.reason)
            };
            if known(&told_scan) > known(scan) {
                (scan.status, scan.reason) = (told_scan.status, told_scan.reason);
            }
        }
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

fn advance(journey: &mut Journey, scan: &TrackingEvent, trouble: Option<Reason>) {
    let Some(status) = after(journey.status, scan.status) else { return };
    journey.reason = match status {
        ParcelStatus::Delivered => None,
        // A way back has the reason of what went wrong before it.
        ParcelStatus::Returning | ParcelStatus::Returned => trouble,
        _ => scan.reason,
    };
    journey.status = status;
    journey.delivered_at = (status == ParcelStatus::Delivered).then_some(scan.at);
    if journey.stages.iter().all(|stage| stage.status != status) {
        journey.stages.push(Stage { status, at: scan.at, place: scan.place.clone() });
    }
}

fn eta<'a>(pushes: impl Iterator<Item = &'a Push>, earliest: Timestamp) -> Option<Timestamp> {
    let told = |push: &Push| {
        let latest = push.events.iter().map(|scan| scan.at).max();
        push.told_at.or(latest).unwrap_or(Timestamp::EPOCH)
    };
    let estimates = pushes.filter_map(|push| Some((told(push), push.eta?)));
    estimates.filter(|(told, _)| *told >= earliest).max().map(|(_, eta)| eta)
}

fn is_expected(status: ParcelStatus) -> bool {
    rank(status) < rank(ParcelStatus::Returning)
        && !matches!(status, ParcelStatus::Cancelled | ParcelStatus::Expired)
}

#[cfg(test)]
mod tests;
