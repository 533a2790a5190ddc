//! May this label go on this shipment?

use aftercart::model::{
    dispatch::{Direction, Dispatch},
    id::{OrderId, ShipmentId},
    logistics::{LogisticsPolicy, Service},
    shipment::{Parcel, Tracking, Window},
    text::Text,
    time::Timestamp,
};

use super::{alerts, polling};

/// What is on a parcel, and what its carrier wants to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Who reports, and the number.
    pub tracking: Tracking,
    /// Who carries it, by the name that the one who reports uses.
    pub courier: Option<Text<40>>,
    /// What the one who reports wants to know besides the number.
    pub verification: Option<Text<20>>,
}

/// A label and the shipment that it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelling {
    /// The order.
    pub order: OrderId,
    /// Its shipment.
    pub shipment: ShipmentId,
    /// The label.
    pub label: Label,
}

/// What is to be done about a label.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Attach it: the shipments then, and the parcel.
    Attach(Box<(Dispatch, Parcel)>),
    /// It is on the shipment since then: nothing to do.
    Attached(Timestamp),
}

/// Why a label cannot go on a shipment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such shipment.
    #[error("There is no such shipment.")]
    Unknown,
    /// It, or its order, was called off, its order is held, or the buyer has
    /// its goods.
    #[error(
        "The shipment {0} or its order was called off, was handed over, or waits for a person: do not send it. You are told if it is to be packed after all."
    )]
    Stopped(ShipmentId),
    /// Another label is on it.
    #[error("The shipment {shipment} has the label {} of {} already.", .tracking.number, .tracking.carrier)]
    Labelled {
        /// The shipment.
        shipment: ShipmentId,
        /// The label that is on it.
        tracking: Tracking,
    },
    /// The label is on another shipment.
    #[error("The label {} of {} is on the shipment {shipment} of the order {order}.", .tracking.number, .tracking.carrier)]
    InUse {
        /// The label.
        tracking: Tracking,
        /// The order of that shipment.
        order: OrderId,
        /// The shipment that it is on.
        shipment: ShipmentId,
    },
}

/// What is to be done, as the shipments stand.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Stopped`] and [`Refusal::Labelled`].
pub fn decide(
    labelling: &Labelling,
    dispatch: Option<&Dispatch>,
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Labelling { shipment: id, label, .. } = labelling;
    let known = dispatch.and_then(|it| Some((it, it.shipment(id)?)));
    let (dispatch, shipment) = known.ok_or(Refusal::Unknown)?;
    let back = shipment.direction == Direction::Back;
    let stopped = dispatch.stopped_at.is_some() && !back;
    let off = stopped || shipment.cancelled_at.is_some() || shipment.closed.is_some();
    match &shipment.tracking {
        None if off => Err(Refusal::Stopped(id.clone())),
        None => {
            let mut after = dispatch.clone();
            let parcel = attach(&mut after, id, label, policy, now).ok_or(Refusal::Unknown)?;
            Ok(Decision::Attach(Box::new((after, parcel))))
        }
        Some(tracking) if *tracking == label.tracking => {
            Ok(Decision::Attached(shipment.labelled_at.unwrap_or(shipment.opened_at)))
        }
        Some(tracking) => {
            Err(Refusal::Labelled { shipment: id.clone(), tracking: tracking.clone() })
        }
    }
}

/// Puts a label on a shipment, and gives the parcel that it makes of it; none
/// if there is no such shipment. The courier is that of the chosen service, if
/// the label says none and is of the same reporter. A label of another reporter
/// or courier is not of the chosen service, which is forgotten then: its
/// statistics are of its own parcels. The shipments are looked at again when the carrier should have fetched the parcel.
pub fn attach(
    dispatch: &mut Dispatch,
    id: &ShipmentId,
    label: &Label,
    policy: &LogisticsPolicy,
    now: Timestamp,
) -> Option<Parcel> {
    let (order, customer) = (dispatch.order.clone(), dispatch.customer.clone());
    let (promise, zone) = (dispatch.promise, dispatch.zone.clone());
    let window = Window { from: promise.from, until: promise.until, zone };
    let shipment = dispatch.shipment_mut(id)?;
    let Label { tracking, courier, verification } = label.clone();
    let chosen = shipment.chosen.as_ref().and_then(|chosen| {
        let mut services = policy.services.iter();
        services.find(|it| it.id == chosen.service && is_of(it, label))
    });
    if chosen.is_none() {
        shipment.chosen = None;
    }
    shipment.tracking = Some(tracking.clone());
    shipment.labelled_at = Some(now);
    let direction = shipment.direction;
    // An alert that waited for the label ends with it.
    let waited_for = shipment.alerts.values().any(alerts::is_open);
    dispatch.look_by(if waited_for { now } else { now.plus(policy.patience.pick_up) });
    Some(Parcel {
        ask_at: polling::first(tracking.carrier, policy, now),
        courier: courier.or_else(|| chosen.and_then(|it| it.courier.clone())),
        tracking,
        order,
        shipment: id.clone(),
        customer,
        direction,
        labelled_at: now,
        verification,
        // Nobody promised the shop anything.
        window: (direction == Direction::Out).then_some(window),
        asked: 0,
        subscribed: false,
    })
}

/// Whether a label is one of the service, as far as it says.
fn is_of(service: &Service, label: &Label) -> bool {
    let Label { tracking, courier, .. } = label;
    let same = |courier: &Text<40>| service.courier.as_ref().is_none_or(|it| it == courier);
    service.carrier == tracking.carrier && courier.as_ref().is_none_or(same)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::{Country, CustomerId},
        delivery::{MethodId, Promise},
        dispatch::{Chosen, Closed, Ending, Shipment},
        logistics::PollingLimit,
        shipment::{Carrier, TrackingNumber},
        stock::LocationId,
        time::Zone,
    };

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn tracking(number: &str) -> Tracking {
        Tracking { carrier: Carrier::Generic, number: TrackingNumber::parse(number).unwrap() }
    }

    fn dispatch(label: Option<&str>) -> Dispatch {
        let order = OrderId::derive(&["1"]);
        let shipment = Shipment::new(&order, 1, LocationId::default(), Vec::new(), at(0));
        let shipment = Shipment {
            tracking: label.map(tracking),
            labelled_at: label.map(|_| at(60)),
            chosen: Some(Chosen {
                service: Text::new("fast").unwrap(),
                why: Text::new("why").unwrap(),
            }),
            ..shipment
        };
        Dispatch {
            order,
            customer: CustomerId::member("ada").unwrap(),
            opened_at: at(0),
            version: 1,
            method: MethodId::parse("standard").unwrap(),
            country: Country::try_from("GB".to_owned()).unwrap(),
            promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
            zone: Zone::utc(),
            priority: false,
            stopped_at: None,
            shipments: vec![shipment],
            compensation: None,
            due: None,
        }
    }

    fn policy() -> LogisticsPolicy {
        let service = serde_json::json!({
            "id": "fast", "carrier": "generic", "courier": "fleet", "days": 2,
        });
        let services = vec![serde_json::from_value(service).unwrap()];
        let mut policy = LogisticsPolicy { services, ..LogisticsPolicy::default() };
        policy.polling.carriers.insert(Carrier::Generic, PollingLimit { per_minute: 1 });
        policy
    }

    fn decided(number: &str, dispatch: Option<&Dispatch>) -> Result<Decision, Refusal> {
        let order = OrderId::derive(&["1"]);
        let shipment = aftercart::model::dispatch::shipment_id(&order, 1);
        let label = Label { tracking: tracking(number), courier: None, verification: None };
        decide(&Labelling { order, shipment, label }, dispatch, &policy(), at(90))
    }

    #[test]
    fn a_shipment_takes_one_label() {
        assert_eq!(decided("AAAA", None), Err(Refusal::Unknown));
        let Ok(Decision::Attach(made)) = decided("AAAA", Some(&dispatch(None))) else { panic!() };
        let (after, parcel) = *made;
        assert_eq!(after.shipments[0].tracking, Some(tracking("AAAA")));
        assert_eq!((after.shipments[0].labelled_at, after.due), (Some(at(90)), after.due));
        assert_eq!(after.due, Some(at(90 + 2 * 86_400)), "somebody looks whether it was fetched");
        assert_eq!(parcel.customer, CustomerId::member("ada").unwrap());
        assert_eq!((parcel.labelled_at, parcel.ask_at), (at(90), Some(at(90))));
        assert_eq!(parcel.courier, Some(Text::new("fleet").unwrap()));
        assert_eq!(parcel.window.unwrap().until, after.promise.until);
        let labelled = dispatch(Some("aaaa"));
        assert_eq!(decided("AAAA", Some(&labelled)), Ok(Decision::Attached(at(60))));
        assert!(matches!(decided("BBBB", Some(&labelled)), Err(Refusal::Labelled { .. })));
    }

    #[test]
    fn a_label_of_another_carrier_is_not_of_the_chosen_service() {
        for (carrier, courier, is_of) in [
            (Carrier::Generic, None, true),
            (Carrier::Generic, Some("fleet"), true),
            (Carrier::Generic, Some("other"), false),
            (Carrier::Easypost, None, false),
        ] {
            let mut dispatch = dispatch(None);
            let id = dispatch.shipments[0].id.clone();
            let tracking = Tracking { carrier, ..tracking("AAAA") };
            let courier = courier.map(|name| Text::new(name).unwrap());
            let label = Label { tracking, courier, verification: None };
            attach(&mut dispatch, &id, &label, &policy(), at(90)).unwrap();
            assert_eq!(dispatch.shipments[0].chosen.is_some(), is_of, "{label:?}");
        }
    }

    #[test]
    fn what_is_not_to_be_sent_takes_none() {
        let stopped = Dispatch { stopped_at: Some(at(0)), ..dispatch(None) };
        let id = stopped.shipments[0].id.clone();
        assert_eq!(decided("AAAA", Some(&stopped)), Err(Refusal::Stopped(id.clone())));
        let mut off = dispatch(None);
        off.shipments[0].cancelled_at = Some(at(1));
        assert_eq!(decided("AAAA", Some(&off)), Err(Refusal::Stopped(id.clone())));
        let mut handed = dispatch(None);
        handed.shipments[0].closed = Some(Closed {
            at: at(1),
            how: Ending::HandedOver,
            by: Text::new("ops").unwrap(),
            note: None,
        });
        assert_eq!(decided("AAAA", Some(&handed)), Err(Refusal::Stopped(id)));
        let mut back = stopped;
        back.shipments[0].direction = Direction::Back;
        let Ok(Decision::Attach(made)) = decided("AAAA", Some(&back)) else { panic!() };
        assert_eq!((made.1.direction, made.1.window), (Direction::Back, None));
    }
}
