//! Orders in every state that the page knows.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    alert::{Act, Alert, AlertKind, Choice, Offered, Owner, Wish},
    customer::{Address, Contact, Country, CustomerId, Email, Language},
    delivery::{MethodId, Promise},
    dispatch::{Direction, Dispatch, Shipment, ShipmentLine},
    id::{OrderId, VoucherId},
    money::{Currency, Money},
    order::{Order, OrderDelivery, OrderLine, OrderStatus},
    product::Sku,
    shipment::{
        Carrier, Estimate, History, Parcel, ParcelStatus, Reason, Tracking, TrackingEvent,
        TrackingNumber,
    },
    stock::LocationId,
    text::Text,
    time::{Date, Period, Timestamp, Zone},
};

use crate::rules::{
    fold,
    overview::{self, Seen},
};

/// When the pages are read: a Tuesday, in the afternoon.
pub(super) fn now() -> Timestamp {
    at("2026-11-24T15:30:00Z")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap()).unwrap()
}

fn line(sku: &str, title: &str, quantity: u32) -> OrderLine {
    OrderLine {
        sku: Sku::parse(sku).unwrap(),
        title: Text::new(title).unwrap(),
        category: None,
        brand: None,
        quantity,
        unit_price: money(1_250),
        discount: money(0),
        total: money(1_250 * i64::from(quantity)),
        tax: money(0),
        points: money(0),
        gift: None,
        cancelled: 0,
        refunded: 0,
        stock: Vec::new(),
    }
}

fn promise() -> Promise {
    let date = |text| Date::parse(text).unwrap();
    Promise { ship_by: date("2026-11-24"), from: date("2026-11-25"), until: date("2026-11-27") }
}

/// An order in a language that was placed on the 21st.
fn order(status: OrderStatus, language: Language) -> Order {
    let (city, country, tea, cup) = match language {
        Language::En => ("Leeds", "GB", "Sencha tea, first flush, 100 g", "Hand-thrown cup"),
        Language::Zh => ("杭州", "CN", "明前龙井茶 100 克", "手工茶杯"),
    };
    Order {
        id: OrderId::derive(&["sample"]),
        customer: CustomerId::member("ada").unwrap(),
        placed_at: at("2026-11-21T09:12:00Z"),
        status,
        lines: vec![line("TEA", tea, 2), line("CUP", cup, 1)],
        discounts: Vec::new(),
        delivery: OrderDelivery {
            method: MethodId::parse("standard").unwrap(),
            price: money(490),
            discount: money(0),
            tax: money(0),
            points: 0,
            promise: promise(),
        },
        tax_included: true,
        points: None,
        total: money(3_790),
        quotas: Vec::new(),
        vouchers: Vec::new(),
        cart: None,
        channel: None,
        device: None,
        card: None,
        risk: None,
        held_at: None,
        history: Vec::new(),
        address: Address {
            name: Text::new("Ada Quillfeather").unwrap(),
            line1: Text::new("17 Secret Street").unwrap(),
            line2: None,
            city: Text::new(city).unwrap(),
            region: None,
            postal_code: Some(Text::new("LS1 4AP").unwrap()),
            country: Country::try_from(country.to_owned()).unwrap(),
            phone: Some(Text::new("+44 113 496 0000").unwrap()),
        },
        contact: Contact { email: Email::parse("ada@example.com").unwrap(), language },
        hold_until: at("2026-11-21T09:42:00Z"),
        expires_at: None,
        payments: Vec::new(),
        paid_at: (status == OrderStatus::Paid).then(|| at("2026-11-21T09:14:00Z")),
        refunds_due: Vec::new(),
        request: String::new(),
        policy: "1".to_owned(),
    }
}

/// A sample that grows.
pub(super) struct Sample {
    pub(super) seen: Seen,
}

impl Sample {
    pub(super) fn of(status: OrderStatus, language: Language) -> Self {
        let (histories, alerts) = (BTreeMap::new(), Vec::new());
        Self { seen: Seen { order: order(status, language), dispatch: None, histories, alerts } }
    }

    /// A paid order with a shipment that has no label.
    pub(super) fn paid(language: Language) -> Self {
        let mut sample = Self::of(OrderStatus::Paid, language);
        let zone = match language {
            Language::En => "Europe/London",
            Language::Zh => "Asia/Shanghai",
        };
        let mut dispatch = Dispatch::unopened(&sample.seen.order, at("2026-11-21T09:14:05Z"));
        dispatch.zone = Zone::parse(zone).unwrap();
        sample.seen.dispatch = Some(dispatch);
        sample.and(&[("TEA", 2), ("CUP", 1)])
    }

    fn dispatch(&mut self) -> &mut Dispatch {
        self.seen.dispatch.as_mut().unwrap()
    }

    pub(super) fn change(mut self, change: impl FnOnce(&mut Dispatch)) -> Self {
        change(self.dispatch());
        self
    }

    pub(super) fn last(mut self, change: impl FnOnce(&mut Shipment)) -> Self {
        change(self.dispatch().shipments.last_mut().unwrap());
        self
    }

    /// Another shipment.
    pub(super) fn and(mut self, lines: &[(&str, u32)]) -> Self {
        let order = self.seen.order.id.clone();
        let dispatch = self.dispatch();
        let number = u16::try_from(dispatch.shipments.len() + 1).unwrap();
        let lines = lines.iter().map(|(sku, quantity)| ShipmentLine {
            sku: Sku::parse(sku).unwrap(),
            quantity: *quantity,
        });
        let (location, opened) = (LocationId::default(), dispatch.opened_at);
        dispatch.shipments.push(Shipment::new(&order, number, location, lines.collect(), opened));
        self
    }

    /// The label of the last shipment.
    pub(super) fn label(self) -> Self {
        self.last(|shipment| {
            let number = format!("JD{:012}", 48_120_077_000_u64 + u64::from(shipment.number));
            let number = TrackingNumber::parse(&number).unwrap();
            shipment.tracking = Some(Tracking { carrier: Carrier::Easypost, number });
            shipment.labelled_at = Some(at("2026-11-22T10:05:00Z"));
        })
    }

    /// What the carrier told of the last shipment: the day and hour of November,
    /// the status, the reason and the place.
    pub(super) fn told(self, scans: &[(&str, ParcelStatus, Option<Reason>, &str)]) -> Self {
        self.told_with(scans, None)
    }

    /// The same, and when the carrier expects to deliver.
    pub(super) fn told_with(
        mut self,
        scans: &[(&str, ParcelStatus, Option<Reason>, &str)],
        eta: Option<&str>,
    ) -> Self {
        let scans = scans.iter().map(|(time, status, reason, place)| TrackingEvent {
            at: at(&format!("2026-11-{time}:00Z")),
            status: *status,
            reason: *reason,
            code: Text::new(status.as_str()).unwrap(),
            place: Text::new(place).ok(),
            told_at: None,
            zone_assumed: false,
        });
        let estimate =
            eta.map(|eta| Estimate { told_at: at("2026-11-22T18:00:00Z"), eta: at(eta) });
        self.know(scans.collect(), estimate);
        self
    }

    pub(super) fn know(&mut self, events: BTreeSet<TrackingEvent>, estimate: Option<Estimate>) {
        let dispatch = self.seen.dispatch.as_mut().unwrap();
        let shipment = dispatch.shipments.last_mut().unwrap();
        let parcel = Parcel {
            tracking: shipment.tracking.clone().unwrap(),
            order: dispatch.order.clone(),
            shipment: shipment.id.clone(),
            customer: dispatch.customer.clone(),
            direction: shipment.direction,
            labelled_at: shipment.labelled_at.unwrap(),
            courier: Some(Text::new("RoyalMail").unwrap()),
            verification: None,
            window: None,
            ask_at: None,
            asked: 0,
            subscribed: false,
        };
        let estimates = estimate.into_iter().collect();
        let history = History { parcel: Some(parcel), events, estimates, ..History::default() };
        shipment.journey = fold::journey(&history);
        self.seen.histories.insert(shipment.id.clone(), history);
    }

    /// An alert about the last shipment.
    pub(super) fn alert(mut self, kind: AlertKind, offered: Offered) -> Self {
        let (order, customer) = (self.seen.order.id.clone(), self.seen.order.customer.clone());
        let shipment = self.dispatch().shipments.last().unwrap().clone();
        self.seen.alerts.push(Alert {
            id: Alert::identity(&shipment.id, kind, None),
            kind,
            order,
            customer,
            shipment: shipment.id,
            tracking: shipment.tracking,
            status: shipment.journey.status,
            reason: shipment.journey.reason,
            raised_at: now().minus(Period::of_seconds(7_200)),
            owner: Owner::Service,
            act: Act::ContactBuyer,
            due: now().plus(Period::of_days(1)),
            offered,
            wish: None,
            ended: None,
        });
        self
    }

    /// What the buyer chose about the last alert.
    pub(super) fn wish(mut self, choice: Choice) -> Self {
        let at = now().minus(Period::of_seconds(600));
        let alert = self.seen.alerts.last_mut().unwrap();
        alert.wish = Some(Wish { at, choice, address: None, note: None });
        self
    }

    /// Goods that come back, with their label.
    pub(super) fn back(self) -> Self {
        self.and(&[("CUP", 1)]).last(|it| it.direction = Direction::Back).label()
    }
}

pub(super) fn offer(points: u32, choices: &[Choice]) -> Offered {
    Offered { points, voucher: None, choices: choices.to_vec() }
}

pub(super) const PICKED_UP: (&str, ParcelStatus, Option<Reason>, &str) =
    ("22T17:40", ParcelStatus::PickedUp, None, "Bristol depot");
pub(super) const IN_TRANSIT: (&str, ParcelStatus, Option<Reason>, &str) =
    ("23T02:15", ParcelStatus::InTransit, None, "Birmingham hub");
pub(super) const AT_DEPOT: (&str, ParcelStatus, Option<Reason>, &str) =
    ("24T05:02", ParcelStatus::InTransit, None, "Leeds depot");
pub(super) const OUT: (&str, ParcelStatus, Option<Reason>, &str) =
    ("24T07:48", ParcelStatus::OutForDelivery, None, "Leeds depot");

pub(super) const OUT_BEFORE: [(&str, ParcelStatus, Option<Reason>, &str); 2] =
    [PICKED_UP, ("22T18:48", ParcelStatus::OutForDelivery, None, "Leeds depot")];

/// Every state by name.
pub(super) fn all(language: Language) -> Vec<(&'static str, Sample)> {
    [early(language), on_the_way(language), in_trouble(language), several(language)]
        .into_iter()
        .flatten()
        .collect()
}

fn early(language: Language) -> Vec<(&'static str, Sample)> {
    let paid = || Sample::paid(language);
    let known = ("22T12:00", ParcelStatus::InfoReceived, None, "");
    vec![
        ("not-paid", Sample::of(OrderStatus::Placed, language)),
        ("order-cancelled", Sample::of(OrderStatus::Cancelled, language)),
        ("order-expired", Sample::of(OrderStatus::Expired, language)),
        ("paid", Sample::of(OrderStatus::Paid, language)),
        ("held", paid().change(|it| it.stopped_at = Some(now()))),
        ("preparing", paid()),
        ("label", paid().label()),
        ("announced", paid().label().told(&[known])),
        (
            "not-dispatched",
            paid().alert(AlertKind::NotDispatched, offer(0, &[Choice::Wait, Choice::Refund])),
        ),
    ]
}

fn on_the_way(language: Language) -> Vec<(&'static str, Sample)> {
    use ParcelStatus::{Cancelled, Delivered, Expired, ReadyForPickup, Unknown};
    let paid = || Sample::paid(language).label();
    let (delivered, ready) = (
        ("24T11:21", Delivered, None, "Leeds"),
        ("24T11:21", ReadyForPickup, None, "Leeds, Post Office Park Row"),
    );
    let way = [PICKED_UP, IN_TRANSIT, AT_DEPOT, OUT];
    let early = ("21T20:00", ParcelStatus::PickedUp, None, "Bristol depot");
    let odd = ("23T09:00", Unknown, None, "Hub 7");
    vec![
        ("picked-up", paid().told(&[PICKED_UP])),
        ("under-way", paid().told_with(&way[..3], Some("2026-11-25T12:00:00Z"))),
        ("under-way-promise", paid().told(&way[..2])),
        ("out-for-delivery", paid().told(&way)),
        ("delivered", paid().told(&[PICKED_UP, IN_TRANSIT, AT_DEPOT, OUT, delivered])),
        ("ready-for-pickup", paid().told(&[PICKED_UP, IN_TRANSIT, AT_DEPOT, ready])),
        ("unknown", paid().told(&[odd])),
        ("reports-nothing-more", paid().told(&[PICKED_UP, ("23T10:00", Expired, None, "")])),
        ("reports-nothing-at-all", paid().told(&[("23T10:00", Expired, None, "")])),
        ("out-two-days-ago", paid().told(&OUT_BEFORE)),
        ("out-again", paid().told(&[PICKED_UP, OUT_BEFORE[1], OUT])),
        ("transport-cancelled", paid().told(&[("23T10:00", Cancelled, None, "")])),
        ("odd-times", paid().told(&[early, IN_TRANSIT])),
    ]
}

fn in_trouble(language: Language) -> Vec<(&'static str, Sample)> {
    use AlertKind::{AddressProblem, Customs, Damaged, Late, Lost, NotFetched, Refused, Silent};
    use Choice::{Address, Refund, Reship, Wait};
    use ParcelStatus::{AttemptFailed, Exception, OnHold, Returned, Returning};
    let paid = || Sample::paid(language).label();
    let late =
        |sample: Sample| sample.change(|it| it.promise.until = Date::parse("2026-11-23").unwrap());
    let way = [PICKED_UP, IN_TRANSIT, AT_DEPOT, OUT];
    let trouble =
        |time, status, reason, place| [PICKED_UP, IN_TRANSIT, (time, status, Some(reason), place)];
    let absent = ("24T11:32", AttemptFailed, Some(Reason::ConsigneeAbsent), "Leeds");
    let tried = || paid().told(&[PICKED_UP, IN_TRANSIT, OUT, absent]);
    let voucher = VoucherId::derive(&["1"]);
    let lost = || {
        let told = trouble("24T09:00", Exception, Reason::CarrierLost, "Birmingham hub");
        let offered =
            Offered { points: 0, voucher: Some(voucher.clone()), choices: vec![Reship, Refund] };
        paid().told(&told).alert(Lost, offered)
    };
    let back = ("24T08:00", Returning, Some(Reason::ConsigneeRefused), "Leeds depot");
    vec![
        ("late", late(paid()).told(&way[..2]).alert(Late, offer(200, &[Wait, Refund]))),
        ("late-out-for-delivery", late(paid()).told(&way).alert(Late, offer(200, &[Wait]))),
        ("late-out-before", late(paid()).told(&OUT_BEFORE).alert(Late, offer(200, &[Wait]))),
        ("silent-out-before", paid().told(&OUT_BEFORE).alert(Silent, offer(0, &[Wait]))),
        (
            "late-expected",
            late(paid())
                .told_with(&way[..3], Some("2026-11-26T12:00:00Z"))
                .alert(Late, offer(0, &[Wait, Refund])),
        ),
        (
            "delivered-late",
            late(paid()).told(&[
                PICKED_UP,
                IN_TRANSIT,
                OUT,
                ("24T11:21", ParcelStatus::Delivered, None, "Leeds"),
            ]),
        ),
        ("silent", paid().told(&[PICKED_UP]).alert(Silent, offer(0, &[Wait]))),
        (
            "attempt-failed",
            tried().alert(AlertKind::AttemptFailed, offer(0, &[Address, Choice::Date])),
        ),
        ("attempt-failed-plain", tried()),
        (
            "attempt-failed-comes-later",
            paid()
                .told_with(&[PICKED_UP, IN_TRANSIT, OUT, absent], Some("2026-12-01T12:00:00Z"))
                .change(|it| it.promise.until = Date::parse("2026-11-24").unwrap()),
        ),
        (
            "address-problem",
            paid()
                .told(&trouble("24T09:00", Exception, Reason::AddressIncorrect, "Leeds depot"))
                .alert(AddressProblem, offer(0, &[Address])),
        ),
        ("lost", lost()),
        ("lost-chosen", lost().wish(Refund)),
        (
            "damaged",
            paid()
                .told(&trouble("24T09:00", Exception, Reason::CarrierDamaged, "Leeds depot"))
                .alert(Damaged, offer(300, &[Reship, Refund])),
        ),
        (
            "refused",
            paid()
                .told(&trouble("24T09:00", Exception, Reason::ConsigneeRefused, "Leeds"))
                .alert(Refused, offer(0, &[])),
        ),
        ("returning", paid().told(&[PICKED_UP, IN_TRANSIT, back])),
        (
            "returned",
            paid()
                .told(&[PICKED_UP, IN_TRANSIT, back, ("24T14:00", Returned, None, "Bristol")])
                .alert(AlertKind::Returned, offer(0, &[Reship, Refund])),
        ),
        (
            "customs",
            paid()
                .told(&trouble("24T09:00", OnHold, Reason::CustomsDocuments, "Heathrow"))
                .alert(Customs, offer(0, &[])),
        ),
        (
            "customs-duties",
            paid()
                .told(&trouble("24T09:00", OnHold, Reason::CustomsDuties, "Heathrow"))
                .alert(Customs, offer(0, &[])),
        ),
        (
            "not-fetched",
            paid()
                .told(&[
                    PICKED_UP,
                    IN_TRANSIT,
                    ("23T11:00", ParcelStatus::ReadyForPickup, None, "Leeds"),
                ])
                .alert(NotFetched, offer(0, &[])),
        ),
        ("on-hold", paid().told(&trouble("24T09:00", OnHold, Reason::Weather, "Leeds depot"))),
        ("exception", paid().told(&trouble("24T09:00", Exception, Reason::Other, "Leeds depot"))),
    ]
}

fn several(language: Language) -> Vec<(&'static str, Sample)> {
    use Choice::{Refund, Wait};
    let delivered = ("24T11:21", ParcelStatus::Delivered, None, "Leeds");
    let paid = || Sample::paid(language).label();
    let first = || paid().told(&[PICKED_UP, IN_TRANSIT, OUT, delivered]);
    vec![
        (
            "several",
            first()
                .and(&[("CUP", 1)])
                .label()
                .told_with(&[PICKED_UP, IN_TRANSIT], Some("2026-11-26T12:00:00Z"))
                .and(&[("CUP", 1)]),
        ),
        (
            "several-one-late",
            first()
                .and(&[("CUP", 1)])
                .label()
                .told(&[PICKED_UP])
                .change(|it| it.promise.until = Date::parse("2026-11-23").unwrap())
                .alert(AlertKind::Late, offer(100, &[Wait, Refund])),
        ),
        ("cancelled", paid().last(|it| it.cancelled_at = Some(now()))),
        (
            "replaced",
            paid()
                .told(&[
                    PICKED_UP,
                    ("23T10:00", ParcelStatus::Exception, Some(Reason::CarrierLost), ""),
                ])
                .last(|it| it.cancelled_at = Some(now()))
                .and(&[("TEA", 2), ("CUP", 1)])
                .change(|it| {
                    let lost = it.shipments[0].id.clone();
                    it.shipments[1].replaces = Some(lost);
                })
                .label(),
        ),
        ("return", first().back()),
        (
            "return-under-way",
            first().back().told(&[("24T10:00", ParcelStatus::InTransit, None, "Leeds")]),
        ),
        (
            "return-unknown",
            first().back().told(&[("24T10:00", ParcelStatus::Unknown, None, "Hub 7")]),
        ),
        (
            "return-arrived",
            first().back().told(&[
                ("24T10:00", ParcelStatus::InTransit, None, "Leeds"),
                ("24T12:00", ParcelStatus::Delivered, None, "Bristol"),
            ]),
        ),
    ]
}

/// The most that an order can be: as many parcels as may be, each with as many
/// scans as are kept and everything wrong, and every text as long as it may be,
/// of characters that take most in HTML.
pub(super) fn worst(language: Language) -> Sample {
    use Choice::{Address, Date, Refund, Reship, Wait};
    let wide = |length: usize| "&".repeat(length);
    let mut sample = Sample::of(OrderStatus::Paid, language);
    let skus: Vec<String> = (0..50).map(|n| format!("SKU-{n}")).collect();
    sample.seen.order.lines = skus.iter().map(|sku| line(sku, &wide(80), 999)).collect();
    sample.seen.order.address.city = Text::new(&wide(60)).unwrap();
    let dispatch = Dispatch::unopened(&sample.seen.order, at("2026-11-21T09:14:05Z"));
    sample.seen.dispatch = Some(dispatch);
    let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 999)).collect();
    for _ in 0..aftercart::model::dispatch::MAX_SHIPMENTS {
        sample = sample.and(&lines).label();
        let scans = (0..1_000_u32).map(|n| TrackingEvent {
            at: at("2026-11-22T11:00:00Z").plus(Period::of_seconds(n * 60)),
            status: ParcelStatus::ALL[usize::try_from(n % 10).unwrap()],
            reason: Some(Reason::CarrierDelayed),
            code: Text::new("x").unwrap(),
            place: Text::new(&wide(80)).ok(),
            told_at: Some(at("2026-11-22T10:00:00Z")),
            zone_assumed: true,
        });
        sample.know(scans.collect(), None);
        for kind in [AlertKind::Lost, AlertKind::Damaged, AlertKind::Late] {
            let offered = Offered {
                points: 500,
                voucher: Some(VoucherId::derive(&["1"])),
                choices: vec![Wait, Reship, Refund, Address, Date],
            };
            sample = sample.alert(kind, offered).wish(Wait);
        }
    }
    sample.seen.alerts.truncate(overview::MAX_ALERTS * 20);
    sample
}
