//! What a buyer sees of an order's parcels.

use std::collections::BTreeMap;

use aftercart::model::{
    alert::{Alert, AlertKind, Wish},
    customer::Language,
    dates::Dates,
    dispatch::{Direction, Dispatch, Ending, Shipment, ShipmentLine},
    id::{AlertId, ShipmentId},
    logistics::LogisticsPolicy,
    order::{Order, OrderStatus},
    shipment::{History, Journey, ParcelStatus, Reason},
    text::Text,
    time::{Date, Timestamp, Zone},
};

use crate::wire::tracking::{
    AlertView, ChosenView, CompensationView, ParcelLineView, ParcelView, PromiseView, ScanView,
    StageView, TrackingView,
};

use super::{fold, promise, wording};

/// The most scans of a parcel that are shown. Parcels that go round the world
/// have some 60; a buyer reads the latest.
pub const MAX_TRAIL: usize = 40;

/// The most alerts of a shipment that are shown, the worst of them.
pub const MAX_ALERTS: usize = 3;

/// What there is to see.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The order.
    pub order: Order,
    /// Its shipments; none before it is paid.
    pub dispatch: Option<Dispatch>,
    /// What carriers told of the shipments whose labels are still theirs.
    pub histories: BTreeMap<ShipmentId, History>,
    /// The alerts that are open and of which the buyer is told.
    pub alerts: Vec<Alert>,
}

/// How bad something is: the worst first.
const WORST_FIRST: [AlertKind; 13] = [
    AlertKind::Lost,
    AlertKind::Damaged,
    AlertKind::Returned,
    AlertKind::Refused,
    AlertKind::AddressProblem,
    AlertKind::Customs,
    AlertKind::NotFetched,
    AlertKind::AttemptFailed,
    AlertKind::Late,
    AlertKind::Silent,
    AlertKind::NotPickedUp,
    AlertKind::NotDispatched,
    AlertKind::AtRisk,
];

/// The alerts that a buyer sees: of each shipment the worst that are open and
/// that the policy tells buyers of, or lets them choose about.
#[must_use]
pub fn alerts(dispatch: &Dispatch, policy: &LogisticsPolicy) -> Vec<AlertId> {
    let told = |kind: &AlertKind| {
        policy.alerts.get(kind).is_some_and(|rule| rule.tell || !rule.choices.is_empty())
    };
    let of = |shipment: &Shipment| {
        let open = |kind: AlertKind| {
            let raised = shipment.alerts.get(&kind).filter(|raised| raised.ended_at.is_none())?;
            Some(Alert::identity(&shipment.id, kind, raised.since))
        };
        let kinds = WORST_FIRST.into_iter().filter(told);
        kinds.filter_map(open).take(MAX_ALERTS).collect::<Vec<_>>()
    };
    let live = dispatch.shipments.iter().filter(|shipment| shipment.cancelled_at.is_none());
    live.flat_map(of).collect()
}

/// What the buyer sees, in this language; `page` is the link to the page.
#[must_use]
pub fn view(seen: &Seen, language: Language, page: String, now: Timestamp) -> TrackingView {
    let Seen { order, dispatch, .. } = seen;
    let mut shipments: Vec<ParcelView> = dispatch
        .iter()
        .flat_map(|dispatch| {
            dispatch
                .shipments
                .iter()
                .map(|shipment| parcel(seen, dispatch, shipment, language, now))
        })
        .collect();
    shipments.sort_by_key(|it| (it.cancelled_at.is_some(), it.direction, it.number));
    let (headline, next) = of_all(seen, &shipments, language);
    TrackingView {
        order: order.id.clone(),
        status: order.status,
        language,
        placed_at: order.placed_at,
        paid_at: order.paid_at,
        headline,
        next,
        city: order.address.city.clone(),
        country: order.address.country.clone(),
        promise: dispatch.as_ref().map(|it| PromiseView {
            ship_by: it.promise.ship_by,
            from: it.promise.from,
            until: it.promise.until,
            zone: it.zone.clone(),
        }),
        shipments,
        compensation: dispatch.as_ref().and_then(|it| it.compensation.clone()).map(|it| {
            CompensationView {
                alert: it.alert,
                shipment: it.shipment,
                points: it.points,
                voucher: it.voucher,
            }
        }),
        page,
    }
}

/// Where the order is: where its first parcel is that is not there yet.
fn of_all(seen: &Seen, shipments: &[ParcelView], language: Language) -> (String, String) {
    let live = || shipments.iter().filter(|it| it.cancelled_at.is_none());
    let out = || live().filter(|it| it.direction == Direction::Out);
    let first = out().find(|it| it.delivered_at.is_none()).or_else(|| out().next());
    match first.or_else(|| live().next()) {
        Some(first) => (first.headline.clone(), first.next.clone()),
        None => {
            let status = seen.order.status;
            let headline = wording::order_headline(status, language);
            (headline.to_owned(), wording::of_order(status, language).to_owned())
        }
    }
}

fn parcel(
    seen: &Seen,
    dispatch: &Dispatch,
    shipment: &Shipment,
    language: Language,
    now: Timestamp,
) -> ParcelView {
    let (journey, tracking) = (&shipment.journey, shipment.tracking.as_ref());
    let history = seen.histories.get(&shipment.id);
    // Of a number that was used again there are the steps that were kept.
    let steps = || journey.stages.iter().map(|stage| (stage.clone(), None)).collect();
    let trail = history.map_or_else(steps, fold::trail);
    let scan = |(stage, reason): &(_, Option<Reason>)| ScanView::of(stage, *reason);
    let alerts: Vec<&Alert> = (seen.alerts.iter())
        .filter(|alert| alert.shipment == shipment.id && counts(journey.status, alert.kind))
        .collect();
    let mut view = ParcelView {
        id: shipment.id.clone(),
        number: shipment.number,
        direction: shipment.direction,
        lines: shipment.lines.iter().map(|line| line_view(&seen.order, line)).collect(),
        replaces: shipment.replaces.clone(),
        cancelled_at: shipment.cancelled_at,
        carrier: tracking.map(|it| it.carrier),
        courier: history.and_then(|it| it.parcel.as_ref()?.courier.clone()),
        tracking_number: tracking.map(|it| it.number.clone()),
        labelled_at: shipment.labelled_at,
        status: journey.status,
        since: journey.since,
        reason: journey.reason,
        headline: String::new(),
        next: String::new(),
        stages: journey.stages.iter().map(StageView::from).collect(),
        trail: trail.iter().rev().take(MAX_TRAIL).map(scan).collect(),
        scans: u32::try_from(trail.len()).unwrap_or(u32::MAX),
        eta: journey.eta,
        expected: promise::expected(dispatch, shipment, now).map(Into::into),
        standing: promise::standing(dispatch, shipment, now),
        delivered_at: journey.delivered_at,
        alerts: alerts.iter().map(|alert| alert_view(alert, journey, language)).collect(),
    };
    let dates = Dates::new(language, &dispatch.zone, now);
    let out_on = out_on(&view, &dispatch.zone);
    (view.headline, view.next) = face((dispatch, shipment), &alerts, out_on, &dates);
    view
}

/// The day on which a parcel was last said to be out for delivery, if nothing
/// else was said of it since.
#[must_use]
pub fn out_on(parcel: &ParcelView, zone: &Zone) -> Option<Date> {
    let out = |status| status == ParcelStatus::OutForDelivery;
    let told = parcel.trail.iter().find(|scan| out(scan.status)).map(|scan| scan.at);
    told.or(parcel.since).filter(|_| out(parcel.status)).map(|at| at.date_in(zone))
}

/// Whether something that is wrong still matters where the parcel is now: what
/// came late is there, and what was damaged stays so.
fn counts(status: ParcelStatus, kind: AlertKind) -> bool {
    status != ParcelStatus::Delivered || kind == AlertKind::Damaged
}

/// The headline, and what happens next.
fn face(
    (dispatch, shipment): (&Dispatch, &Shipment),
    alerts: &[&Alert],
    out_on: Option<Date>,
    dates: &Dates<'_>,
) -> (String, String) {
    let (status, language) = (shipment.journey.status, dates.language);
    if shipment.cancelled_at.is_some() {
        let mut others = dispatch.shipments.iter();
        let replaced = others.any(|other| other.replaces.as_ref() == Some(&shipment.id));
        let lost = shipment.closed.as_ref().is_some_and(|it| it.how == Ending::Lost);
        if lost && !matches!(status, ParcelStatus::Returning | ParcelStatus::Returned) {
            let (headline, next) = wording::alert(AlertKind::Lost, language);
            return of(headline, next);
        }
        let headline = wording::cancelled_headline(replaced, language);
        return of(headline, wording::of_cancelled(replaced, language));
    }
    if shipment.direction == Direction::Back {
        return of(
            wording::return_headline(status, language),
            wording::of_return(status, language),
        );
    }
    if dispatch.stopped_at.is_some() {
        let headline = wording::order_headline(OrderStatus::Paid, language);
        return of(headline, wording::of_stopped(language));
    }
    under_way(shipment, alerts, out_on, dates)
}

fn of(headline: &str, next: &str) -> (String, String) {
    (headline.to_owned(), next.to_owned())
}

/// The same of a parcel that goes to the buyer.
fn under_way(
    shipment: &Shipment,
    alerts: &[&Alert],
    out_on: Option<Date>,
    dates: &Dates<'_>,
) -> (String, String) {
    let (status, language) = (shipment.journey.status, dates.language);
    let alert = alerts.first();
    let trouble = alert.map(|alert| alert.kind).or_else(|| said(&shipment.journey));
    let not_since = out_on.filter(|day| *day != dates.today);
    let is_near = matches!(status, ParcelStatus::OutForDelivery | ParcelStatus::ReadyForPickup)
        && not_since.is_none();
    let trouble = trouble.filter(|kind| counts(status, *kind) && !(is_near && is_soft(*kind)));
    if let Some(kind) = trouble {
        let reason = shipment.journey.reason.or_else(|| alert?.reason);
        let (headline, next) = wording::alert_for(kind, reason, language);
        let is_back = kind == AlertKind::Returned;
        return of(if is_back { wording::headline(status, language) } else { headline }, next);
    }
    if let Some(day) = not_since {
        return wording::was_out(&dates.day(day), language);
    }
    if status == ParcelStatus::Pending && shipment.labelled_at.is_some() {
        let (headline, next) = wording::labelled(language);
        return of(headline, next);
    }
    of(wording::headline(status, language), wording::of_parcel(status, language))
}

/// What is wrong by what the carrier says, where no alert is raised for it.
fn said(journey: &Journey) -> Option<AlertKind> {
    use ParcelStatus::{Returned, Returning};
    match journey.reason? {
        _ if matches!(journey.status, Returning | Returned) => None,
        Reason::CarrierLost => Some(AlertKind::Lost),
        Reason::CarrierDamaged => Some(AlertKind::Damaged),
        Reason::AddressIncorrect => Some(AlertKind::AddressProblem),
        Reason::ConsigneeRefused => Some(AlertKind::Refused),
        Reason::CustomsHold | Reason::CustomsDocuments | Reason::CustomsDuties => {
            Some(AlertKind::Customs)
        }
        _ => None,
    }
}

/// Whether it says less than that the parcel comes today, or waits for its
/// buyer: late or not, it is near.
fn is_soft(kind: AlertKind) -> bool {
    use AlertKind::{AtRisk, AttemptFailed, Late, NotDispatched, NotPickedUp, Silent};
    matches!(kind, Late | Silent | AtRisk | NotDispatched | NotPickedUp | AttemptFailed)
}

fn line_view(order: &Order, line: &ShipmentLine) -> ParcelLineView {
    let ordered = order.lines.iter().find(|it| it.sku == line.sku);
    // A shipment carries what was ordered; should it ever not, its SKU says what it is.
    let title = ordered.map(|it| it.title.clone()).or_else(|| Text::new(line.sku.as_str()).ok());
    ParcelLineView { sku: line.sku.clone(), title, quantity: line.quantity }
}

fn alert_view(alert: &Alert, journey: &Journey, language: Language) -> AlertView {
    let reason = journey.reason.or(alert.reason);
    let (headline, text) = wording::alert_for(alert.kind, reason, language);
    AlertView {
        id: alert.id.clone(),
        kind: alert.kind,
        headline: headline.to_owned(),
        text: text.to_owned(),
        raised_at: alert.raised_at,
        due: alert.due,
        points: alert.offered.points,
        voucher: alert.offered.voucher.clone(),
        choices: alert.offered.choices.clone(),
        chosen: alert.wish.as_ref().map(|Wish { at, choice, note, .. }| ChosenView {
            choice: *choice,
            at: *at,
            note: note.clone(),
        }),
    }
}
