//! What is wrong with a shipment?
//!
//! Each kind of alert has a condition on where the parcel is and on the time,
//! and is raised once a shipment while its condition holds; three kinds again
//! when the same befell it anew: `not_dispatched` when it waits anew for a label,
//! `not_picked_up` with another label, `silent` when it was heard of meanwhile.
//! An alert that is open ends by itself when things came right, or when a worse
//! one takes its place. What a person has to judge, a damage, no scan ends.
//! Nobody is told that a parcel is late or silent of which somebody decided
//! already what becomes of it, because it was lost, damaged or refused or goes
//! back, as long as that is so.
//!
//! | kind | holds | ends by itself |
//! |---|---|---|
//! | `not_dispatched` | no label when the last day to leave is over | with a label |
//! | `not_picked_up` | `patience.pick_up` after the label the carrier has it not, or the carrier called it off | when the carrier has it |
//! | `at_risk` | it is stuck, or expected after the promised day | when it is expected in time again, or is there |
//! | `late` | the promised day is over, and it was not brought | when it is there |
//! | `silent` | `patience.silence` without a scan under way, or the carrier stopped reporting | with a scan |
//! | `attempt_failed` | a delivery was tried in vain, and the parcel is not out again | when it is there |
//! | `address_problem` | under way with the reason `address_incorrect` | when it is out for delivery |
//! | `refused` | under way with the reason `consignee_refused` | when it is out for delivery |
//! | `damaged` | with the reason `carrier_damaged` | never |
//! | `lost` | under way with the reason `carrier_lost` | when it is found |
//! | `returned` | it goes back, or is back | when it goes to the buyer again |
//! | `customs` | under way with a reason of customs | when it goes on |
//! | `not_fetched` | it waits to be fetched for `patience.fetch` | when it is fetched |
//!
//! What goes back to the shop has no promise and no courier at a door: of it
//! only `silent`, `address_problem`, `damaged`, `lost` and `customs` are known,
//! and of a parcel instead of which another one was sent only that it comes back
//! (`returned`): somebody has to take it in.

use aftercart::model::{
    alert::{AlertKind, Remedy},
    delivery::{MethodKind, Promise},
    dispatch::{Direction, Dispatch, Raised, Shipment},
    policy::Policy,
    shipment::{ParcelStatus, Reason},
    time::{Date, Period, Timestamp},
};

use super::promise::{self, Certainty, Standing, days_between};

/// The least time to pack a shipment that waits for a label only since the last
/// day on which it was to leave was over or nearly so: one that replaces another
/// or is split off, whose label was taken off, or whose order was held.
pub const LEAST_TO_PACK: Period = Period::of_days(1);

/// A shipment, and what it is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// All shipments of its order.
    pub dispatch: &'a Dispatch,
    /// Which of them.
    pub shipment: &'a Shipment,
    /// The rules.
    pub policy: &'a Policy,
    /// The present moment.
    pub now: Timestamp,
}

/// What is to be raised and ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// What is wrong that was not wrong before.
    pub raise: Vec<AlertKind>,
    /// What ends by itself, how, and what took its place.
    pub end: Vec<(AlertKind, Remedy, Option<AlertKind>)>,
}

/// What is wrong with a shipment now, compared with what was.
#[must_use]
pub fn judge(case: &Case<'_>) -> Judged {
    let raised = &case.shipment.alerts;
    let open = raised.iter().filter(|(_, it)| is_open(it)).map(|(kind, _)| *kind);
    let (lasting, over): (Vec<AlertKind>, Vec<AlertKind>) = open.partition(|it| case.lasts(*it));
    let new = case.policy.logistics.alerts.keys().copied();
    let new = new.filter(|it| case.is_new(*it) && case.holds(*it));
    let new: Vec<AlertKind> = new.collect();
    let decided = DECISIVE.into_iter().filter(|it| raised.contains_key(it) && case.holds(*it));
    let decided: Vec<AlertKind> = decided.collect();
    let worse = |kind: AlertKind| {
        let decided = decided.iter().filter(|_| FOLLOWS.contains(&kind));
        let mut wrong = lasting.iter().chain(&new).chain(decided);
        wrong.find(|other| outweighs(**other, kind)).copied()
    };
    let end = lasting.iter().chain(&over).filter_map(|kind| match worse(*kind) {
        Some(by) => Some((*kind, Remedy::Dismissed, Some(by))),
        None => over.contains(kind).then(|| (*kind, case.remedy(*kind), None)),
    });
    Judged {
        end: end.collect(),
        raise: new.iter().copied().filter(|kind| worse(*kind).is_none()).collect(),
    }
}

/// The next moment at which something can become wrong with the shipment by
/// time alone, if nothing is told of it until then.
#[must_use]
pub fn next(case: &Case<'_>) -> Option<Timestamp> {
    let new = case.policy.logistics.alerts.keys().copied();
    let new = new.filter(|it| case.is_new(*it));
    new.filter_map(|kind| case.begins(kind)).filter(|at| *at > case.now).min()
}

/// Whether nobody has seen to it yet.
#[must_use]
pub fn is_open(raised: &Raised) -> bool {
    raised.ended_at.is_none()
}

/// Since when that is so which is wrong, of a kind that a shipment can have
/// again: it is raised once for each such moment.
#[must_use]
pub fn since(shipment: &Shipment, kind: AlertKind) -> Option<Timestamp> {
    use ParcelStatus::{Cancelled, Expired};
    let journey = &shipment.journey;
    match kind {
        AlertKind::NotDispatched => shipment.waits_since,
        AlertKind::NotPickedUp => shipment.labelled_at,
        // That nothing more will be told is no news of the parcel.
        AlertKind::Silent if matches!(journey.status, Cancelled | Expired) => journey.since,
        AlertKind::Silent => journey.heard_at,
        _ => None,
    }
}

/// What somebody decides about what becomes of the goods.
const DECISIVE: [AlertKind; 4] =
    [AlertKind::Damaged, AlertKind::Lost, AlertKind::Refused, AlertKind::Returned];

/// What follows from these and is no news after them, also when somebody saw to
/// them, as long as they hold.
const FOLLOWS: [AlertKind; 4] =
    [AlertKind::AtRisk, AlertKind::Late, AlertKind::Silent, AlertKind::AttemptFailed];

/// Whether one kind makes another obsolete: who sees to the worse one sees to
/// the other, too.
fn outweighs(worse: AlertKind, other: AlertKind) -> bool {
    use AlertKind::{
        AddressProblem, AtRisk, AttemptFailed, Customs, Damaged, Late, Lost, Refused, Returned,
        Silent,
    };
    match worse {
        AtRisk => false,
        Damaged => other != Damaged,
        Lost | Returned => !matches!(other, Damaged | Lost | Returned),
        Late | Customs => matches!(other, AtRisk | Silent),
        AddressProblem => matches!(other, AtRisk | AttemptFailed),
        Refused => matches!(other, AtRisk | AttemptFailed | Late | Silent),
        _ => other == AtRisk,
    }
}

impl Case<'_> {
    /// Whether something was not raised yet since it is so.
    fn is_new(&self, kind: AlertKind) -> bool {
        self.shipment.alerts.get(&kind).is_none_or(|raised| {
            let known = raised.since.unwrap_or(raised.at);
            !is_open(raised) && since(self.shipment, kind) > Some(known)
        })
    }

    /// Whether something is wrong now.
    fn holds(&self, kind: AlertKind) -> bool {
        self.begins(kind).is_some_and(|at| at <= self.now)
    }

    /// From when on something is wrong if nothing else is told; none if it is
    /// not and time alone makes it not so.
    fn begins(&self, kind: AlertKind) -> Option<Timestamp> {
        use AlertKind::{AtRisk, AttemptFailed, Late, NotDispatched, NotFetched, NotPickedUp};
        let back = self.shipment.direction == Direction::Back;
        let of_the_way_out = matches!(kind, AtRisk | AttemptFailed | Late)
            || matches!(kind, NotDispatched | NotFetched | NotPickedUp)
            || matches!(kind, AlertKind::Refused | AlertKind::Returned);
        let handed_over = self.shipment.handed_over_at().is_some();
        let comes_back = kind == AlertKind::Returned && self.shipment.tracking.is_some();
        if (self.is_off() && !comes_back) || handed_over || (back && of_the_way_out) {
            return None;
        }
        let patience = &self.policy.logistics.patience;
        let journey = &self.shipment.journey;
        match kind {
            NotDispatched => self.packed_by(),
            NotPickedUp => self.picked_up_by(),
            AtRisk | Late => self.missed(kind),
            AlertKind::Silent => self.heard_by(),
            NotFetched => {
                let waits = journey.status == ParcelStatus::ReadyForPickup;
                journey.since.filter(|_| waits).map(|since| since.plus(patience.fetch))
            }
            told => self.is_told(told).then_some(Timestamp::FIRST),
        }
    }

    /// What the carrier tells is wrong.
    fn is_told(&self, kind: AlertKind) -> bool {
        use ParcelStatus::{OutForDelivery, Returned, Returning};
        use Reason::{CustomsDocuments, CustomsDuties, CustomsHold};
        let journey = &self.shipment.journey;
        let (under_way, reason) = (self.is_under_way(), journey.reason);
        let is = |wanted| reason == Some(wanted);
        match kind {
            AlertKind::AttemptFailed => {
                under_way && journey.attempts > 0 && journey.status != OutForDelivery
            }
            AlertKind::AddressProblem => under_way && is(Reason::AddressIncorrect),
            AlertKind::Refused => under_way && is(Reason::ConsigneeRefused),
            AlertKind::Damaged => is(Reason::CarrierDamaged),
            AlertKind::Lost => under_way && is(Reason::CarrierLost),
            AlertKind::Customs => {
                under_way && (is(CustomsHold) || is(CustomsDocuments) || is(CustomsDuties))
            }
            AlertKind::Returned => matches!(journey.status, Returning | Returned),
            _ => false,
        }
    }

    /// Whether an alert that is open stays so: also for a while after what
    /// raised it, until it is known that things came right.
    fn lasts(&self, kind: AlertKind) -> bool {
        use ParcelStatus::{Delivered, OutForDelivery, ReadyForPickup};
        let status = self.shipment.journey.status;
        let still = match kind {
            AlertKind::Damaged => true,
            AlertKind::Late => !matches!(status, Delivered | ReadyForPickup),
            AlertKind::AttemptFailed => self.is_under_way(),
            AlertKind::AddressProblem | AlertKind::Refused => {
                self.is_under_way() && status != OutForDelivery
            }
            _ => false,
        };
        match self.shipment.cancelled_at {
            // What came of it before is seen to: another one is sent.
            Some(off) => self.raised_at(kind) > Some(off) && self.holds(kind),
            None => !self.is_off() && (still || self.holds(kind)),
        }
    }

    fn raised_at(&self, kind: AlertKind) -> Option<Timestamp> {
        self.shipment.alerts.get(&kind).map(|raised| raised.at)
    }

    /// How what is over ended.
    fn remedy(&self, kind: AlertKind) -> Remedy {
        let mut others = self.dispatch.shipments.iter();
        let id = Some(&self.shipment.id);
        match self.is_off() {
            true if others.any(|it| it.replaces.as_ref() == id) => Remedy::Reshipped,
            true => Remedy::Dismissed,
            false if self.is_moot(kind) => Remedy::Dismissed,
            false => Remedy::CameRight,
        }
    }

    /// Whether what is over did not come right: the label is gone that the
    /// carrier had no parcel of, or nobody was to pack what was not packed.
    fn is_moot(&self, kind: AlertKind) -> bool {
        match kind {
            AlertKind::NotPickedUp => {
                let label = self.shipment.labelled_at;
                label.is_none() || label > self.raised_at(kind)
            }
            AlertKind::NotDispatched => !self.shipment.has_left(),
            _ => false,
        }
    }

    /// Whether nothing is to come of it: it was called off, or must not be sent.
    fn is_off(&self) -> bool {
        let unsent = self.shipment.tracking.is_none();
        self.shipment.cancelled_at.is_some() || (unsent && self.dispatch.stopped_at.is_some())
    }

    /// Whether buyers fetch it, and no carrier tells of it.
    fn is_fetched(&self) -> bool {
        let mut methods = self.policy.delivery.methods.iter();
        let method = methods.find(|it| it.id == self.dispatch.method);
        self.shipment.tracking.is_none() && method.is_some_and(|it| it.kind == MethodKind::Pickup)
    }

    /// Whether the carrier has it, and it is neither there nor on its way back.
    fn is_under_way(&self) -> bool {
        use ParcelStatus::{
            AttemptFailed, Exception, InTransit, OnHold, OutForDelivery, PickedUp, Unknown,
        };
        matches!(
            self.shipment.journey.status,
            Unknown | PickedUp | InTransit | OnHold | Exception | OutForDelivery | AttemptFailed
        )
    }

    fn packed_by(&self) -> Option<Timestamp> {
        let waits = !self.shipment.has_left() && !self.is_fetched();
        let since = self.shipment.waits_since.unwrap_or(self.shipment.opened_at);
        let least = since.plus(LEAST_TO_PACK);
        waits.then(|| self.dispatch.leaves_by().max(least))
    }

    fn picked_up_by(&self) -> Option<Timestamp> {
        use ParcelStatus::{Cancelled, InfoReceived, Pending};
        let journey = &self.shipment.journey;
        let labelled_at = self.shipment.labelled_at.filter(|_| self.shipment.tracking.is_some())?;
        match journey.status {
            Pending | InfoReceived => {
                Some(labelled_at.plus(self.policy.logistics.patience.pick_up))
            }
            Cancelled if promise::left_at(journey).is_none() => Some(labelled_at),
            _ => None,
        }
    }

    fn heard_by(&self) -> Option<Timestamp> {
        use ParcelStatus::{Cancelled, Expired, Returning};
        let journey = &self.shipment.journey;
        let heard_at = journey.heard_at?;
        match journey.status {
            Expired => Some(heard_at),
            Cancelled => promise::left_at(journey),
            status if status == Returning || self.is_under_way() => {
                Some(heard_at.plus(self.policy.logistics.patience.silence))
            }
            _ => None,
        }
    }

    /// When the promise is at risk or missed. While it is open, the moment at
    /// which time alone can make it so.
    fn missed(&self, kind: AlertKind) -> Option<Timestamp> {
        let standing = promise::standing(self.dispatch, self.shipment, self.now);
        let standing = standing.filter(|_| !self.is_fetched())?;
        let until = self.dispatch.promise.until;
        let zone = &self.dispatch.zone;
        let moment = match (kind, standing) {
            (AlertKind::AtRisk, Standing::AtRisk) | (AlertKind::Late, Standing::Late) => {
                return Some(Timestamp::FIRST);
            }
            (AlertKind::Late, Standing::Open | Standing::AtRisk) => promise::end_of(until, zone),
            (AlertKind::AtRisk, Standing::Open) => {
                promise::end_of(self.seems_in_time_until()?, zone)
            }
            _ => None,
        };
        moment.filter(|at| *at > self.now)
    }

    /// The last day on which a parcel that is expected in time still seems so
    /// if nothing else is told: the one that its carrier named, or the one on
    /// which it can leave at the latest.
    fn seems_in_time_until(&self) -> Option<Date> {
        let expected = promise::expected(self.dispatch, self.shipment, self.now)?;
        let Promise { ship_by, from, until } = self.dispatch.promise;
        match expected.certainty {
            Certainty::Carrier => Some(expected.until),
            _ if promise::left_at(&self.shipment.journey).is_some() => None,
            _ => Some(ship_by.plus_days(days_between(from, until))),
        }
    }
}

#[cfg(test)]
mod tests;
