//! How does a parcel stand against what its buyer was promised, and when is it
//! expected?
//!
//! A promise holds dates, and a date is over when it is over where the promise
//! was made. It is kept when the parcel was brought on the last of them or
//! before: handed over, laid ready to be fetched, or tried to hand over in vain.
//! A buyer who is not at home is no promise broken, nor is one who asked for a
//! later day; carriers make the same exceptions from what they guarantee.
//! Parcels that go back, were called off, or replace another have no promise.

use aftercart::model::{
    delivery::Promise,
    dispatch::{Direction, Dispatch, Shipment},
    shipment::{Journey, ParcelStatus, Reason},
    time::{Date, TimeOfDay, Timestamp, Zone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a parcel stands against its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may still be kept, and nothing speaks against it.
    Open,
    /// It may still be kept, but is more likely not to be.
    AtRisk,
    /// The last day is over, and the parcel is not there.
    Late,
    /// The parcel was there in time.
    Kept,
    /// The parcel came too late, or went back without having been there.
    Broken,
}

/// What makes a day expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The carrier's estimate.
    Carrier,
    /// The promise: nothing is known that speaks against it.
    Promise,
    /// How long half and nine of ten such parcels are under way, counted from
    /// the day on which this one left, or can leave at the earliest.
    Statistics,
}

/// When a parcel is expected: days where the promise was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The first.
    pub from: Date,
    /// The last, not before the first.
    pub until: Date,
    /// What makes them expected.
    pub certainty: Certainty,
}

/// How a shipment stands against the promise at this moment; none if it has none.
#[must_use]
pub fn standing(dispatch: &Dispatch, shipment: &Shipment, now: Timestamp) -> Option<Standing> {
    if !is_promised(shipment) {
        return None;
    }
    let (journey, until) = (&shipment.journey, dispatch.promise.until);
    let in_time = brought_on(journey, &dispatch.zone).is_some_and(|date| date <= until);
    Some(match journey.status {
        _ if is_over(journey.status) && in_time => Standing::Kept,
        _ if is_over(journey.status) => Standing::Broken,
        _ if in_time || journey.reason == Some(Reason::ConsigneeRescheduled) => Standing::Open,
        _ if now.date_in(&dispatch.zone) > until => Standing::Late,
        status if is_stuck(status) => Standing::AtRisk,
        _ => match expected(dispatch, shipment, now) {
            Some(expected) if expected.from > until => Standing::AtRisk,
            _ => Standing::Open,
        },
    })
}

/// When a parcel is expected, as seen at this moment; none when it is there,
/// goes back, is not to be sent, or nobody can say.
#[must_use]
pub fn expected(dispatch: &Dispatch, shipment: &Shipment, now: Timestamp) -> Option<Expected> {
    let (journey, today) = (&shipment.journey, now.date_in(&dispatch.zone));
    if is_over(journey.status) || shipment.cancelled_at.is_some() || dispatch.stopped_at.is_some() {
        return None;
    }
    let on = |date, certainty| Some(Expected { from: date, until: date, certainty });
    let estimate = journey.eta.map(|eta| eta.date_in(&dispatch.zone));
    if let Some(date) = estimate.filter(|date| *date >= today) {
        return on(date, Certainty::Carrier);
    }
    let since = journey.since.map(|at| at.date_in(&dispatch.zone));
    if journey.status == ParcelStatus::OutForDelivery && since == Some(today) {
        return on(today, Certainty::Carrier);
    }
    if shipment.direction == Direction::Back || is_stuck(journey.status) {
        return None;
    }
    let left = left_at(journey).map(|at| at.date_in(&dispatch.zone));
    let days = match left.unwrap_or(today.max(dispatch.promise.ship_by)) {
        leaves if is_promised(shipment) && leaves <= dispatch.promise.ship_by => Expected {
            from: dispatch.promise.from,
            until: dispatch.promise.until,
            certainty: Certainty::Promise,
        },
        leaves => usual(&dispatch.promise, left.unwrap_or(leaves)),
    };
    // Of a parcel that takes longer than nine of ten nobody can say.
    (days.until >= today).then(|| Expected { from: days.from.max(today), ..days })
}

/// The first moment after the last promised day.
#[must_use]
pub fn over_at(dispatch: &Dispatch) -> Option<Timestamp> {
    end_of(dispatch.promise.until, &dispatch.zone)
}

/// The first moment after a date.
pub(super) fn end_of(date: Date, zone: &Zone) -> Option<Timestamp> {
    date.plus_days(1).at(TimeOfDay::MIDNIGHT, zone).ok()
}

/// Whether the shipment was promised to be there by a day.
#[must_use]
pub fn is_promised(shipment: &Shipment) -> bool {
    shipment.is_outbound() && shipment.replaces.is_none()
}

/// When the carrier had the parcel first.
#[must_use]
pub fn left_at(journey: &Journey) -> Option<Timestamp> {
    use ParcelStatus::{Cancelled, Expired, InfoReceived, Pending, Unknown};
    let had = |status| !matches!(status, Pending | InfoReceived | Unknown | Cancelled | Expired);
    journey.stages.iter().filter(|stage| had(stage.status)).map(|stage| stage.at).min()
}

/// The day on which the parcel was first brought, as far as its carrier can:
/// handed over, laid ready, or tried to hand over in vain.
#[must_use]
pub fn brought_on(journey: &Journey, zone: &Zone) -> Option<Date> {
    use ParcelStatus::{AttemptFailed, Delivered, ReadyForPickup};
    let brought = |status| matches!(status, Delivered | AttemptFailed | ReadyForPickup);
    let stages = journey.stages.iter().filter(|stage| brought(stage.status));
    stages.map(|stage| stage.at.date_in(zone)).min()
}

/// Whether the carrier has nothing left to bring: the parcel is there, waits to
/// be fetched, or goes back.
fn is_over(status: ParcelStatus) -> bool {
    use ParcelStatus::{Delivered, ReadyForPickup, Returned, Returning};
    matches!(status, Delivered | ReadyForPickup | Returned | Returning)
}

/// Whether it does not move as it should, and no date can be taken from the
/// usual way.
fn is_stuck(status: ParcelStatus) -> bool {
    use ParcelStatus::{Cancelled, Exception, Expired, OnHold};
    matches!(status, Exception | OnHold | Expired | Cancelled)
}

/// The days on which half and nine of ten parcels are there that leave then.
/// The promise was made from these in working days; here they are days of the
/// calendar, as many as the promise has.
fn usual(promise: &Promise, leaves: Date) -> Expected {
    let after = |date| leaves.plus_days(days_between(promise.ship_by, date));
    let (from, until) = (after(promise.from), after(promise.until));
    Expected { from, until: until.max(from), certainty: Certainty::Statistics }
}

/// The days from one date to the other, none if that is earlier.
pub(super) fn days_between(from: Date, to: Date) -> u32 {
    u32::try_from(from.days_until(to)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
