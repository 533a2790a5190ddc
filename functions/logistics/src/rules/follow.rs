//! What follows from where the parcels of an order are?
//!
//! Everything that is told, raised, given and counted is noted in the
//! shipments, in one write with its effect: so each happens once, however often
//! the same is decided. The time at which the order is to be looked at again
//! (`due`) is put earlier whenever that is needed, and later only when it has
//! come or something is written anyway: a scan mostly writes nothing here.

use aftercart::model::{
    alert::{Alert, AlertKind, Ended, Offered},
    dispatch::{Compensation, Counted, Direction, Dispatch, Raised, Shipment},
    id::{AlertId, ShipmentId, VoucherId},
    logistics::{AlertRule, LogisticsPolicy, PatiencePolicy, QuietPolicy},
    order::Actor,
    performance::Lane,
    policy::Policy,
    shipment::{ParcelStatus, Reason},
    text::Text,
    time::{Date, Period, Timestamp, Zone},
    voucher::Voucher,
};

use super::{
    alerts::{self, Case},
    performance, promise,
};

/// For how long a step of a parcel is news: who heard nothing of it for longer
/// has seen it, or wonders why it is told now.
pub const NEWS_FOR: Period = Period::of_days(1);

/// How long after its end a delivery is counted: carriers correct what they
/// told, and take a delivery back, within days.
pub const SETTLES_IN: Period = Period::of_days(3);

/// The most alerts that are raised and ended at a time: with the shipments
/// themselves, a voucher and the statistics they are less than the 100 writes
/// that DynamoDB takes in a transaction, also when the last shipment adds all
/// that one can. What is left follows next time.
const MAX_ALERTS: usize = 60;

/// What is to be done, and the shipments as they are then.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowUp {
    /// The shipments, with all of this noted.
    pub dispatch: Dispatch,
    /// What the buyer is told.
    pub told: Vec<Told>,
    /// What somebody is to see to.
    pub raised: Vec<Alert>,
    /// What came to rest.
    pub ended: Vec<(AlertId, Ended)>,
    /// What the buyer is given now, as the shipments note it.
    pub given: Option<Given>,
    /// A delivery of which the statistics are told.
    pub counted: Option<(Counted, Lane)>,
}

/// Something that the buyer is told of a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// The day by which it is expected, if that is known.
    pub expected: Option<Date>,
    /// What.
    pub what: What,
}

/// What a buyer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A step that the parcel made.
    Step(ParcelStatus),
    /// Something is wrong.
    Alert {
        /// Which alert says so.
        alert: AlertId,
        /// What.
        kind: AlertKind,
        /// Why, as the carrier says.
        reason: Option<Reason>,
        /// What is done about it.
        offered: Offered,
    },
}

/// What a buyer is given for a bad delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// So many points; they are posted by whoever keeps the points.
    pub points: u32,
    /// A voucher.
    pub voucher: Option<Voucher>,
}

/// What follows from the shipments as they are, at this moment; none if that is
/// nothing, and nothing is to be written.
#[must_use]
pub fn decide(dispatch: &Dispatch, policy: &Policy, now: Timestamp) -> Option<FollowUp> {
    let mut deciding = Deciding::new(dispatch, policy, now);
    for shipment in &dispatch.shipments {
        if deciding.up.raised.len() + deciding.up.ended.len() >= MAX_ALERTS {
            deciding.look_at(now);
            break;
        }
        deciding.see_to(shipment);
    }
    deciding.done()
}

/// When the peace ends that buyers are left in now; none if they are not.
#[must_use]
pub fn peace_until(quiet: &QuietPolicy, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let zone = quiet.zone.as_ref().unwrap_or(zone);
    let (today, time) = (now.date_in(zone), now.time_in(zone));
    let QuietPolicy { from, until, .. } = quiet;
    let is_quiet = match from < until {
        true => (from..until).contains(&&time),
        false => time >= *from || time < *until,
    };
    let ends = [today, today.plus_days(1)].map(|date| date.at(*until, zone).ok());
    ends.into_iter().flatten().find(|end| is_quiet && *end > now)
}

struct Deciding<'a> {
    before: &'a Dispatch,
    policy: &'a Policy,
    now: Timestamp,
    /// When buyers may be told again, if not now.
    peace_until: Option<Timestamp>,
    /// When something is to be looked at next.
    next: Option<Timestamp>,
    up: FollowUp,
}

impl<'a> Deciding<'a> {
    fn new(before: &'a Dispatch, policy: &'a Policy, now: Timestamp) -> Self {
        let quiet = policy.logistics.quiet.as_ref();
        let peace_until = quiet.and_then(|quiet| peace_until(quiet, &before.zone, now));
        let up = FollowUp {
            dispatch: before.clone(),
            told: Vec::new(),
            raised: Vec::new(),
            ended: Vec::new(),
            given: None,
            counted: None,
        };
        Self { before, policy, now, peace_until, next: None, up }
    }

    fn rules(&self) -> &'a LogisticsPolicy {
        &self.policy.logistics
    }

    fn look_at(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn see_to(&mut self, before: &Shipment) {
        let mut after = before.clone();
        let (dispatch, policy, now) = (self.before, self.policy, self.now);
        let judged = alerts::judge(&Case { dispatch, shipment: before, policy, now });
        for (kind, how, by) in judged.end {
            let note =
                by.and_then(|by| Text::new(&format!("{} took its place.", by.as_str())).ok());
            self.end(&mut after, kind, Ended { at: now, by: Actor::Rule, how, note });
        }
        for kind in judged.raise {
            if let Some(rule) = self.rules().alerts.get(&kind) {
                self.raise(&mut after, kind, rule);
            }
        }
        self.tell_alerts(&mut after);
        self.tell_step(&mut after);
        self.count(&mut after);
        let next = alerts::next(&Case { dispatch, shipment: &after, policy, now });
        next.into_iter().for_each(|at| self.look_at(at));
        if let Some(shipment) = self.up.dispatch.shipment_mut(&before.id) {
            *shipment = after;
        }
    }

    fn end(&mut self, shipment: &mut Shipment, kind: AlertKind, ended: Ended) {
        if let Some(raised) = shipment.alerts.get_mut(&kind) {
            *raised = Raised { ended_at: Some(ended.at), untold: false, ..*raised };
            self.up.ended.push((Alert::identity(&shipment.id, kind, raised.since), ended));
        }
    }

    fn raise(&mut self, shipment: &mut Shipment, kind: AlertKind, rule: &AlertRule) {
        // What comes back to the shop is the shop's concern, and so is a parcel
        // instead of which another one was sent.
        let is_the_buyers = shipment.is_outbound();
        if is_the_buyers {
            self.give(shipment, kind, rule);
        }
        let untold = rule.tell && is_the_buyers;
        let since = alerts::since(shipment, kind);
        shipment.alerts.insert(kind, Raised { at: self.now, ended_at: None, untold, since });
        self.up.raised.push(Alert {
            id: Alert::identity(&shipment.id, kind, since),
            kind,
            order: self.up.dispatch.order.clone(),
            customer: self.up.dispatch.customer.clone(),
            shipment: shipment.id.clone(),
            tracking: shipment.tracking.clone(),
            status: shipment.journey.status,
            reason: shipment.journey.reason,
            raised_at: self.now,
            owner: rule.owner,
            act: rule.act,
            due: self.now.plus(rule.within),
            offered: self.offered(shipment, kind),
            wish: None,
            ended: None,
        });
    }

    /// Gives a member what the rule says, unless something was given for the
    /// order before.
    fn give(&mut self, shipment: &Shipment, kind: AlertKind, rule: &AlertRule) {
        let points = rule.points.min(self.rules().most_points);
        let nothing = points == 0 && rule.voucher.is_none();
        let dispatch = &mut self.up.dispatch;
        if nothing || dispatch.compensation.is_some() || !dispatch.customer.is_member() {
            return;
        }
        let voucher = rule.voucher.as_ref().map(|offer| Voucher {
            id: VoucherId::derive(&[dispatch.order.as_str(), "delivery"]),
            customer: dispatch.customer.clone(),
            rule: offer.rule.clone(),
            granted_at: self.now,
            expires_at: Some(self.now.plus(offer.life)),
            used_by: None,
        });
        dispatch.compensation = Some(Compensation {
            at: self.now,
            alert: kind,
            shipment: shipment.id.clone(),
            points,
            voucher: voucher.as_ref().map(|it| it.id.clone()),
        });
        self.up.given = Some(Given { points, voucher });
    }

    /// What the buyer is offered for an alert: what was given for it, and what
    /// may be chosen.
    fn offered(&self, shipment: &Shipment, kind: AlertKind) -> Offered {
        let rule = self.rules().alerts.get(&kind);
        let rule = rule.filter(|_| shipment.is_outbound());
        let given = self.up.dispatch.compensation.as_ref();
        let given = given.filter(|it| (it.alert, &it.shipment) == (kind, &shipment.id));
        Offered {
            points: given.map_or(0, |it| it.points),
            voucher: given.and_then(|it| it.voucher.clone()),
            choices: rule.map(|rule| rule.choices.clone()).unwrap_or_default(),
        }
    }

    /// Tells the buyer of what is wrong still, unless buyers are left in peace.
    fn tell_alerts(&mut self, shipment: &mut Shipment) {
        let untold = |(kind, raised): (&AlertKind, &Raised)| raised.untold.then_some(*kind);
        let untold: Vec<AlertKind> = shipment.alerts.iter().filter_map(untold).collect();
        if let (false, Some(end)) = (untold.is_empty(), self.peace_until) {
            return self.look_at(end);
        }
        for kind in untold {
            let offered = self.offered(shipment, kind);
            let since = shipment.alerts.get_mut(&kind).and_then(|raised| {
                raised.untold = false;
                raised.since
            });
            let alert = Alert::identity(&shipment.id, kind, since);
            let what = What::Alert { alert, kind, reason: shipment.journey.reason, offered };
            self.tell(shipment, what);
        }
    }

    /// Tells the buyer where the parcel is, once a step, while that is news,
    /// unless buyers are left in peace.
    fn tell_step(&mut self, shipment: &mut Shipment) {
        let status = shipment.journey.status;
        let wanted = shipment.is_outbound() && self.rules().tell.contains(&status);
        let is_news = shipment.journey.since.is_some_and(|at| self.now < at.plus(NEWS_FOR));
        if !wanted || !is_news || shipment.told.contains(&status) {
            return;
        }
        if let Some(end) = self.peace_until {
            return self.look_at(end);
        }
        self.tell(shipment, What::Step(status));
        shipment.told.insert(status);
    }

    fn tell(&mut self, shipment: &Shipment, what: What) {
        let expected = promise::expected(&self.up.dispatch, shipment, self.now);
        let expected = expected.map(|it| it.until);
        self.up.told.push(Told { shipment: shipment.id.clone(), expected, what });
    }

    /// Tells the statistics of a delivery of which nothing more is to come, of
    /// one at a time: two may be counted in the same item.
    fn count(&mut self, shipment: &mut Shipment) {
        let patience = &self.rules().patience;
        let Some(at) = settled_at(self.before, shipment, patience) else { return };
        if at > self.now || self.up.counted.is_some() {
            return self.look_at(at);
        }
        let counted = performance::count(self.before, shipment, &self.policy.delivery);
        shipment.counted = counted.as_ref().map(|(counted, _)| counted.clone());
        self.up.counted = counted;
    }

    /// What is to be written, if anything is.
    fn done(mut self) -> Option<FollowUp> {
        let (due, next) = (self.before.due, self.next);
        let has_come = due.is_some_and(|due| due <= self.now);
        let is_earlier = next.is_some_and(|next| due.is_none_or(|due| next < due));
        if self.up.dispatch == *self.before && !has_come && !is_earlier {
            return None;
        }
        self.up.dispatch.due = next;
        Some(self.up)
    }
}

/// When the statistics are told of a shipment; none, if they were, or are not
/// to be told of it.
fn settled_at(
    dispatch: &Dispatch,
    shipment: &Shipment,
    patience: &PatiencePolicy,
) -> Option<Timestamp> {
    let Shipment { journey, cancelled_at, .. } = shipment;
    let known = shipment.counted.is_some() || shipment.replaces.is_some();
    let known = known || shipment.handed_over_at().is_some();
    if known || shipment.direction == Direction::Back || promise::left_at(journey).is_none() {
        return None;
    }
    match journey.status {
        ParcelStatus::Delivered => Some(journey.delivered_at?.plus(SETTLES_IN)),
        ParcelStatus::Returned => Some(journey.since?.plus(SETTLES_IN)),
        _ => match cancelled_at {
            // It may still be brought in time.
            Some(at) => Some(at.plus(SETTLES_IN).max(promise::over_at(dispatch)?)),
            None => Some(journey.heard_at?.plus(patience.give_up)),
        },
    }
}

#[cfg(test)]
mod tests;
