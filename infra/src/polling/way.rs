//! The ways of parcels, drawn by chance.
//!
//! Where a number is published it is taken from there; the others are what
//! carriers' trackings look like, and are written here so that they can be argued about.
//!
//! - Three of four parcels stay in their country, the others cross a border.
//!   Carriers work from Monday to Saturday.
//! - One of twenty deliveries fails at the first attempt: operators report
//!   97.2 % that succeed in the United States, 93.7 % in the United Kingdom and
//!   88 % in Ireland (`SmartRoutes`, "Delivery success rates"). Of those, seven of
//!   ten are tried again on the next working day, the others are left at a
//!   pick-up point.
//! - One of ten parcels goes to a pick-up point: UPS Shopper's Pulse counted 9 %
//!   in Europe. Sixty of a hundred are fetched within a day, three never.
//! - Couriers load between 06:00 and 11:00, mostly before 09:00; one of ten parcels
//!   is on an afternoon's round, one of twenty on one before six. They deliver
//!   until the evening, one of thirty after 20:30. Three of a hundred are
//!   delivered without having been scanned in the morning, two are carried
//!   about and come the next day.
//! - Domestic parcels are one to five working days under way, half of them one. Abroad it
//!   takes a week or two: a departure, days without a scan, customs, which hold
//!   one of twenty, and the domestic way after that.
//! - The promise is what the suite would promise: the days by which half and
//!   nine of ten such parcels are there.
//! - Six of ten carriers give an estimate when they take the parcel; three of
//!   four of these are right, most others off by a day.
//! - One of a hundred parcels is lost on its way, one is refused at the door
//!   and goes back.
//! - A scan is shown within 20 minutes, 12 of 100 within an hour, 3 of 100 within
//!   four, when the courier's device has no network. A push comes within three
//!   minutes after that, and tells all that is shown by then; one of ten is lost.

use aftercart::model::{
    customer::CustomerId,
    dispatch::{Direction, shipment_id},
    id::OrderId,
    shipment::{
        Carrier, Estimate, Parcel, ParcelStatus, Reason, Tracking, TrackingEvent, TrackingNumber,
        Window,
    },
    text::Text,
    time::{Date, Period, TimeError, TimeOfDay, Timestamp, Weekday, Zone},
};

use super::PlayError;

use ParcelStatus::{
    AttemptFailed, Delivered, InTransit, InfoReceived, OnHold, OutForDelivery, PickedUp,
    ReadyForPickup, Returned, Returning,
};

/// A parcel and all that will be told of it.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) parcel: Parcel,
    pub(super) scans: Vec<Shown>,
    /// When each is shown.
    pub(super) estimates: Vec<(Timestamp, Estimate)>,
}

/// A scan, and when it can be known.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) event: TrackingEvent,
    /// From when on the carrier answers with it.
    pub(super) shown_at: Timestamp,
    /// When the push that tells it comes, if it does.
    pub(super) pushed_at: Option<Timestamp>,
}

const HOUR: i64 = 60;

/// Sends parcels.
pub(super) struct Sender {
    dice: fastrand::Rng,
    zones: Vec<Zone>,
    first: Date,
}

impl Sender {
    pub(super) fn new(seed: u64) -> Result<Self, TimeError> {
        let names = [
            "Europe/London",
            "Europe/Berlin",
            "America/New_York",
            "America/Los_Angeles",
            "Asia/Shanghai",
        ];
        let zones: Result<Vec<Zone>, TimeError> = names.into_iter().map(Zone::parse).collect();
        // Two months in which clocks are changed.
        Ok(Self {
            dice: fastrand::Rng::with_seed(seed),
            zones: zones?,
            first: Date::parse("2026-02-23")?,
        })
    }

    /// Sends a parcel, whose number is made of this one.
    pub(super) fn send(&mut self, number: u32) -> Result<Way, PlayError> {
        let zone = self.zones.get(self.dice.usize(0..self.zones.len())).cloned();
        let zone = zone.unwrap_or_else(Zone::utc);
        let day = working(self.first.plus_days(self.dice.u32(0..60)));
        let course = Course { dice: &mut self.dice, zone, scans: Vec::new(), estimate: None };
        course.run(number, day)
    }
}

/// The day, or the next on which carriers work.
fn working(day: Date) -> Date {
    if day.weekday() == Weekday::Sun { day.plus_days(1) } else { day }
}

/// So many working days later.
fn working_days(day: Date, days: u32) -> Date {
    (0..days).fold(working(day), |day, _| working(day.plus_days(1)))
}

/// What happens to one parcel; minutes count from midnight where it goes.
struct Course<'a> {
    dice: &'a mut fastrand::Rng,
    zone: Zone,
    scans: Vec<(Timestamp, ParcelStatus, Option<Reason>)>,
    /// When it is told, and the day.
    estimate: Option<(Timestamp, Date)>,
}

impl Course<'_> {
    fn run(mut self, number: u32, day: Date) -> Result<Way, PlayError> {
        let is_domestic = self.of_hundred(75);
        let is_express = is_domestic && self.of_hundred(20);
        let minute = self.between(8 * HOUR, 18 * HOUR);
        let labelled_at = self.at(day, minute);
        let told = labelled_at.plus(minutes(self.between(0, HOUR)));
        self.scan(told, InfoReceived);
        let taken = self.hand_over(day, minute);
        let arrives =
            if is_domestic { self.domestic(taken, is_express) } else { self.abroad(taken) };
        let (from, until) = match (is_domestic, is_express) {
            (true, true) => (1, 1),
            (true, false) => (2, 4),
            (false, _) => (9, 14),
        };
        if self.of_hundred(60) {
            self.estimate(taken, arrives);
        }
        self.last_mile(arrives);
        if self.of_hundred(1) {
            self.lose();
        }
        let window = Window {
            from: working_days(day, from),
            until: working_days(day, until),
            zone: self.zone.clone(),
        };
        self.told(parcel(number, labelled_at, window)?)
    }

    /// Until the carrier has it: in the afternoon, unless it was packed too
    /// late or left lying.
    fn hand_over(&mut self, day: Date, minute: i64) -> Date {
        let late = u32::from(minute > 16 * HOUR);
        let lying = if self.of_hundred(5) { self.dice.u32(1..4) } else { 0 };
        let day = working_days(day, late + lying);
        self.scan_between(day, 16 * HOUR + 30, 19 * HOUR, PickedUp);
        self.scan_between(day, 20 * HOUR, 23 * HOUR, InTransit);
        day
    }

    /// The day on which it is at the depot, after a hub each night.
    fn domestic(&mut self, taken: Date, is_express: bool) -> Date {
        let shares: &[(u32, u32)] = if is_express {
            &[(92, 1), (8, 2)]
        } else {
            &[(50, 1), (27, 2), (14, 3), (6, 4), (3, 5)]
        };
        let days = self.pick(shares);
        for passed in 1..days {
            self.scan_between(working_days(taken, passed), HOUR, 5 * HOUR, InTransit);
        }
        let arrives = working_days(taken, days);
        self.scan_between(arrives, 2 * HOUR, 5 * HOUR, InTransit);
        arrives
    }

    fn abroad(&mut self, taken: Date) -> Date {
        let leaves = taken.plus_days(self.dice.u32(1..4));
        self.scan_between(leaves, 0, 23 * HOUR, InTransit);
        let lands = leaves.plus_days(self.dice.u32(1..6));
        self.scan_between(lands, 0, 23 * HOUR, InTransit);
        let mut cleared = lands.plus_days(self.dice.u32(1..3));
        if self.of_hundred(5) {
            let held = self.at(lands, 23 * HOUR + 30);
            self.scans.push((held, OnHold, Some(Reason::CustomsHold)));
            cleared = cleared.plus_days(self.dice.u32(2..7));
        }
        let cleared = working(cleared);
        self.scan_between(cleared, 8 * HOUR, 18 * HOUR, InTransit);
        self.domestic(cleared, false)
    }

    fn estimate(&mut self, taken: Date, arrives: Date) {
        let told_at = self.at(taken, 20 * HOUR);
        let day = match self.dice.u32(0..100) {
            0..75 => arrives,
            75..87 => working_days(arrives, 1),
            87..95 => self.at(arrives, 0).minus(minutes(HOUR)).date_in(&self.zone),
            _ => working_days(arrives, 3),
        };
        self.estimate = Some((told_at, day));
    }

    /// From the depot to the end.
    fn last_mile(&mut self, day: Date) {
        if self.of_hundred(10) {
            return self.point(day);
        }
        let mut day = day;
        for attempt in 1..=3 {
            day = self.carried_about(day);
            let out = self.loaded(day);
            let back = (out + 10 * HOUR).min(20 * HOUR + 30);
            let mut door = self.between((out + HOUR / 2).max(8 * HOUR), back);
            if self.of_hundred(3) {
                door = self.between(20 * HOUR + 30, 21 * HOUR + 50);
            }
            let door = self.at(day, door);
            if self.of_hundred(1) {
                self.scans.push((door, AttemptFailed, Some(Reason::ConsigneeRefused)));
                return self.go_back(day);
            }
            // A buyer who was missed once waits, or not.
            if !self.of_hundred(if attempt == 1 { 5 } else { 20 }) {
                return self.scan(door, Delivered);
            }
            self.scans.push((door, AttemptFailed, Some(Reason::ConsigneeAbsent)));
            day = working_days(day, 1);
            if self.of_hundred(30) {
                return self.point(day);
            }
        }
        self.go_back(day);
    }

    /// Two of a hundred come home again with their courier.
    fn carried_about(&mut self, day: Date) -> Date {
        if !self.of_hundred(2) {
            return day;
        }
        self.loaded(day);
        working_days(day, 1)
    }

    /// The minute at which a courier loads it, mostly with a scan.
    fn loaded(&mut self, day: Date) -> i64 {
        let minute = match self.dice.u32(0..100) {
            0..5 => self.between(4 * HOUR + 30, 6 * HOUR),
            5..15 => self.between(12 * HOUR, 15 * HOUR),
            // The earlier of two: there are more early ones.
            _ => self.between(6 * HOUR, 11 * HOUR).min(self.between(6 * HOUR, 11 * HOUR)),
        };
        if !self.of_hundred(3) {
            self.scan(self.at(day, minute), OutForDelivery);
        }
        minute
    }

    /// To a pick-up point, and from there into the buyer's hands.
    fn point(&mut self, day: Date) {
        self.loaded(day);
        let minute = self.between(15 * HOUR, 17 * HOUR);
        self.scan(self.at(day, minute), ReadyForPickup);
        if self.of_hundred(3) {
            return self.go_back(day.plus_days(7));
        }
        let days = self.pick(&[(25, 0), (35, 1), (20, 2), (10, 3), (6, 5), (4, 6)]);
        let from = if days == 0 { minute + HOUR / 2 } else { 8 * HOUR };
        self.scan_between(day.plus_days(days), from, 21 * HOUR + 30, Delivered);
    }

    fn go_back(&mut self, day: Date) {
        let day = working_days(day, 1);
        self.scan_between(day, 8 * HOUR, 18 * HOUR, Returning);
        let days = self.dice.u32(2..8);
        self.scan_between(working_days(day, days), 8 * HOUR, 18 * HOUR, Returned);
    }

    /// Nothing is heard any more from some scan on.
    fn lose(&mut self) {
        let known = self.dice.usize(2..=self.scans.len().max(2));
        self.scans.truncate(known);
        self.scans.retain(|(_, status, _)| *status != Delivered);
    }

    /// When each scan can be known.
    fn told(self, parcel: Parcel) -> Result<Way, PlayError> {
        let Self { dice, zone, mut scans, estimate, .. } = self;
        scans.sort_unstable();
        let mut shown = Vec::with_capacity(scans.len());
        for (at, status, reason) in scans {
            let lag = match dice.u32(0..100) {
                0..85 => dice.u32(2 * 60..20 * 60),
                85..97 => dice.u32(20 * 60..3_600),
                _ => dice.u32(3_600..4 * 3_600),
            };
            let shown_at = at.plus(Period::of_seconds(lag));
            let pushed_at = shown_at.plus(Period::of_seconds(dice.u32(10..180)));
            let pushed_at = (dice.u32(0..10) > 0).then_some(pushed_at);
            shown.push(Shown { event: event(at, status, reason)?, shown_at, pushed_at });
        }
        let mut estimates = Vec::new();
        if let Some((told_at, day)) = estimate {
            let eta = day.at(TimeOfDay::MIDNIGHT, &zone)?.plus(minutes(12 * HOUR));
            estimates.push((told_at, Estimate { told_at, eta }));
        }
        Ok(Way { parcel, scans: shown, estimates })
    }

    fn scan(&mut self, at: Timestamp, status: ParcelStatus) {
        self.scans.push((at, status, None));
    }

    fn scan_between(&mut self, day: Date, from: i64, until: i64, status: ParcelStatus) {
        let minute = self.between(from, until);
        self.scan(self.at(day, minute), status);
    }

    fn at(&self, day: Date, minute: i64) -> Timestamp {
        let midnight = day.at(TimeOfDay::MIDNIGHT, &self.zone).unwrap_or(Timestamp::LAST);
        midnight.plus(minutes(minute))
    }

    fn of_hundred(&mut self, share: u32) -> bool {
        self.dice.u32(0..100) < share
    }

    fn between(&mut self, from: i64, until: i64) -> i64 {
        self.dice.i64(from..until.max(from.saturating_add(1)))
    }

    fn pick(&mut self, shares: &[(u32, u32)]) -> u32 {
        let mut drawn = self.dice.u32(0..100);
        for (share, days) in shares {
            match drawn.checked_sub(*share) {
                Some(left) => drawn = left,
                None => return *days,
            }
        }
        0
    }
}

fn minutes(minutes: i64) -> Period {
    Period::of_seconds(u32::try_from(minutes.saturating_mul(60)).unwrap_or(0))
}

fn event(
    at: Timestamp,
    status: ParcelStatus,
    reason: Option<Reason>,
) -> Result<TrackingEvent, PlayError> {
    let code = Text::new(status.as_str())?;
    Ok(TrackingEvent { at, status, reason, code, place: None, told_at: None, zone_assumed: false })
}

fn parcel(number: u32, labelled_at: Timestamp, window: Window) -> Result<Parcel, PlayError> {
    let order = OrderId::derive(&["polling", &number.to_string()]);
    let name = TrackingNumber::parse(&format!("PARCEL-{number}"))?;
    Ok(Parcel {
        tracking: Tracking { carrier: Carrier::Generic, number: name },
        shipment: shipment_id(&order, 1),
        order,
        customer: CustomerId::guest("polling"),
        direction: Direction::Out,
        labelled_at,
        courier: None,
        verification: None,
        window: Some(window),
        ask_at: Some(labelled_at),
        asked: 0,
        subscribed: false,
    })
}
