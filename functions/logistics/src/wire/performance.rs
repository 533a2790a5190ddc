//! What operators get of how promises were kept.

use aftercart::model::{
    customer::Country,
    delivery::{DeliveryPolicy, MethodId},
    performance::{Lane, Performance},
    shipment::Carrier,
    stock::LocationId,
    text::Text,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::performance::{self, Lanes, Line, Share, Spread, Unproposed};

/// How promises were kept in some months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryReport {
    /// The first month, such as `2026-09`.
    pub from: Text<7>,
    /// The last one.
    pub to: Text<7>,
    /// A row for each service, carrier, lane and method of which a parcel came to an end.
    pub rows: Vec<DeliveryRow>,
}

/// How promises were kept on a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryRow {
    /// The service; none where somebody chose the label by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Text<40>>,
    /// Who reported of the parcels, by their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// From which location.
    pub from: LocationId,
    /// To which country.
    pub to: Country,
    /// By which method of delivery.
    pub method: MethodId,
    /// How many parcels came to an end.
    pub ended: u32,
    /// How many of them were brought by when it was promised.
    pub kept: u32,
    /// The share of these; none, if too few were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_time: Option<OnTimeView>,
    /// How long they were under way; none, if too few were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<SpreadView>,
}

/// A share, in basis points, with its interval of 95 % confidence by Wilson's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnTimeView {
    /// What was seen.
    pub rate: u32,
    /// The lower end.
    pub low: u32,
    /// The upper end.
    pub high: u32,
}

/// Working days of the carrier under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpreadView {
    /// Of how many parcels it is known.
    pub seen: u32,
    /// In which half was brought.
    pub p50: u16,
    /// In which nine of ten were brought.
    pub p90: u16,
}

impl DeliveryReport {
    /// The lanes of these months, in order.
    #[must_use]
    pub fn of(months: &[Text<7>], lanes: Lanes) -> Option<Self> {
        let rows = lanes.into_iter().map(DeliveryRow::of).collect();
        Some(Self { from: months.first()?.clone(), to: months.last()?.clone(), rows })
    }
}

impl DeliveryRow {
    fn of((lane, performance): (Lane, Performance)) -> Self {
        let Lane { service, carrier, from, to, method } = lane;
        let share = |Share { rate, low, high }| OnTimeView { rate, low, high };
        let spread = |Spread { seen, p50, p90 }| SpreadView { seen, p50, p90 };
        Self {
            service,
            carrier,
            from,
            to,
            method,
            ended: performance.ended,
            kept: performance.kept,
            on_time: performance::on_time(&performance).map(share),
            days: performance::spread(&performance).map(spread),
        }
    }
}

/// The times under way that should be promised, by what was seen in some
/// months. Nothing is changed by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromiseProposal {
    /// The first month, such as `2026-09`.
    pub from: Text<7>,
    /// The last one.
    pub to: Text<7>,
    /// What is promised now and what is proposed, a line for each place of each
    /// method that ships.
    pub places: Vec<PromiseLine>,
    /// The member `delivery` of the policy with what is proposed. To apply it,
    /// put the policy with it.
    pub delivery: DeliveryPolicy,
}

/// What is promised at a place of a method, and what is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromiseLine {
    /// The method.
    pub method: MethodId,
    /// The number of the place in the method's list, from 0.
    pub place: u32,
    /// The countries of the place; every country, if it names none.
    pub countries: Vec<Country>,
    /// What is promised now.
    pub now: DaysView,
    /// Of how many parcels it is known how long they were under way.
    pub seen: u32,
    /// What was seen, and is proposed; none, if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<DaysView>,
    /// Why nothing is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproposed: Option<UnproposedView>,
}

/// Working days under way, with the extra days of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DaysView {
    /// In which half is brought.
    pub p50: u16,
    /// In which nine of ten are brought.
    pub p90: u16,
}

/// Why nothing is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnproposedView {
    /// Fewer than 29 parcels were seen.
    TooFew,
    /// Parcels are counted by country, and another place of the method shares
    /// the place's countries.
    NotToldApart,
}

impl PromiseProposal {
    /// What is proposed instead of this policy.
    #[must_use]
    pub fn of(months: &[Text<7>], now: &DeliveryPolicy, seen: &Lanes) -> Option<Self> {
        let (lines, delivery) = performance::propose(now, seen);
        let places = lines.into_iter().filter_map(|line| PromiseLine::of(line, now)).collect();
        let (from, to) = (months.first()?.clone(), months.last()?.clone());
        Some(Self { from, to, places, delivery })
    }
}

impl PromiseLine {
    fn of(line: Line, policy: &DeliveryPolicy) -> Option<Self> {
        let method = policy.methods.iter().find(|it| it.id == line.method)?;
        let days = |(p50, p90)| DaysView { p50, p90 };
        let why = |why| match why {
            Unproposed::TooFew => UnproposedView::TooFew,
            Unproposed::NotToldApart => UnproposedView::NotToldApart,
        };
        Some(Self {
            method: line.method,
            place: u32::try_from(line.place).ok()?,
            countries: method.places.get(line.place)?.countries.clone(),
            now: days(line.now),
            seen: line.seen,
            proposed: line.proposed.ok().map(days),
            unproposed: line.proposed.err().map(why),
        })
    }
}
