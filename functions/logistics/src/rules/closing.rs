//! How people end a shipment of which no scan tells that it ended: it is not
//! sent, the buyer has its goods, or it was lost.
//!
//! A shipment ends once. What was called off or lost is not waited for any
//! more: the order counts as delivered when the rest is there.

use aftercart::model::{
    dispatch::{Closed, Direction, Dispatch, Ending, Shipment},
    id::ShipmentId,
    shipment::{Journey, ParcelStatus, Tracking},
};

use super::change::has_left;

/// Why a shipment is not ended so. The texts are for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such shipment, or one that comes back is to be handed to the buyer.
    #[error("There is no such shipment.")]
    Unknown,
    /// Its order was called off or is held, or it was called off.
    #[error("The shipment or its order was called off, or the order waits for a person.")]
    Stopped,
    /// Another one is sent instead.
    #[error("Another shipment is sent instead of this one.")]
    Replaced,
    /// It ended in another way.
    #[error("The shipment has ended: {}.", .0.as_str())]
    Closed(Ending),
    /// It is not to be sent, but has a label.
    #[error("The shipment has the label {} of {}; take it off before.", .0.number, .0.carrier)]
    Labelled(Tracking),
    /// It is lost, but never left.
    #[error("The shipment has no label: it did not leave yet, so it cannot be lost.")]
    NotSent,
    /// It is not to come back, but the carrier has it.
    #[error("The carrier has the parcel.")]
    Left,
    /// Its carrier told of its delivery.
    #[error("The carrier delivered the parcel.")]
    Delivered,
}

/// The shipments when one of them ended, to be looked at again at once; none if
/// it ended so before. `heard` is what was told of its parcel since it was read.
/// A return that is called off has no label then.
///
/// # Errors
/// [`Refusal`].
pub fn close(
    dispatch: &Dispatch,
    id: &ShipmentId,
    closed: &Closed,
    heard: Option<&Journey>,
) -> Result<Option<Dispatch>, Refusal> {
    let shipment = dispatch.shipment(id).ok_or(Refusal::Unknown)?;
    if shipment.closed.as_ref().is_some_and(|known| known.how == closed.how) {
        return Ok(None);
    }
    unclosed(shipment)?;
    let back = shipment.direction == Direction::Back;
    match shipment.cancelled_at {
        Some(_) if shipment.has_left() => return Err(Refusal::Replaced),
        Some(_) => return Err(Refusal::Stopped),
        None if dispatch.stopped_at.is_some() && !back => return Err(Refusal::Stopped),
        None => {}
    }
    let mut journeys = std::iter::once(&shipment.journey).chain(heard);
    match (closed.how, &shipment.tracking) {
        (Ending::CalledOff, Some(tracking)) if !back => {
            return Err(Refusal::Labelled(tracking.clone()));
        }
        (Ending::CalledOff, _) if journeys.any(has_left) => return Err(Refusal::Left),
        (Ending::HandedOver, _) if back => return Err(Refusal::Unknown),
        (Ending::Lost, None) => return Err(Refusal::NotSent),
        (Ending::HandedOver | Ending::Lost, _)
            if journeys.any(|it| it.status == ParcelStatus::Delivered) =>
        {
            return Err(Refusal::Delivered);
        }
        _ => {}
    }
    let mut after = dispatch.clone();
    if let Some(shipment) = after.shipment_mut(id) {
        end(shipment, closed);
    }
    after.look_by(closed.at);
    Ok(Some(after))
}

/// Whether a person did not end the shipment.
///
/// # Errors
/// [`Refusal::Closed`].
pub fn unclosed(shipment: &Shipment) -> Result<(), Refusal> {
    shipment.closed.as_ref().map_or(Ok(()), |it| Err(Refusal::Closed(it.how)))
}

fn end(shipment: &mut Shipment, closed: &Closed) {
    shipment.closed = Some(closed.clone());
    match closed.how {
        Ending::HandedOver => {
            shipment.hear(shipment.journey.clone());
            // Who got the goods from the shop needs no news of that.
            shipment.told.insert(ParcelStatus::Delivered);
        }
        Ending::CalledOff => {
            shipment.cancelled_at = Some(closed.at);
            (shipment.tracking, shipment.labelled_at) = (None, None);
            shipment.journey = Journey::pending();
        }
        Ending::Lost => shipment.cancelled_at = Some(closed.at),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::{Country, CustomerId},
        delivery::{MethodId, Promise},
        id::OrderId,
        shipment::{Carrier, Stage, TrackingNumber},
        stock::LocationId,
        text::Text,
        time::{Timestamp, Zone},
    };

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn closed(how: Ending) -> Closed {
        Closed { at: at(90), how, by: Text::new("ops").unwrap(), note: None }
    }

    fn tracking() -> Tracking {
        let number = TrackingNumber::parse("AB-1111").unwrap();
        Tracking { carrier: Carrier::Generic, number }
    }

    fn journey(status: ParcelStatus) -> Journey {
        let stages = vec![Stage { status, at: at(60), place: None, doubt: None }];
        let delivered_at = (status == ParcelStatus::Delivered).then(|| at(60));
        Journey { status, stages, delivered_at, told: 1, ..Journey::pending() }
    }

    fn with(change: impl Fn(&mut Dispatch, &mut Shipment)) -> Dispatch {
        let order = OrderId::derive(&["1"]);
        let mut shipment = Shipment::new(&order, 1, LocationId::default(), Vec::new(), at(0));
        let mut dispatch = Dispatch {
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
            shipments: Vec::new(),
            compensation: None,
            due: Some(at(500)),
        };
        change(&mut dispatch, &mut shipment);
        dispatch.shipments = vec![shipment];
        dispatch
    }

    /// What becomes of it if it is called off, handed over, lost.
    fn ends(dispatch: &Dispatch) -> [Result<bool, Refusal>; 3] {
        [Ending::CalledOff, Ending::HandedOver, Ending::Lost].map(|how| {
            let id = dispatch.shipments[0].id.clone();
            let after = close(dispatch, &id, &closed(how), None)?;
            let Some(after) = after else { return Ok(false) };
            assert_eq!(after.due, Some(at(90)), "alerts end");
            let delivered = (how == Ending::HandedOver).then(|| at(90));
            assert_eq!(after.delivered_at(), delivered, "{how:?}");
            assert_eq!(after.shipments[0].is_outbound(), how == Ending::HandedOver);
            assert_eq!(close(&after, &id, &closed(how), None), Ok(None), "once");
            Ok(true)
        })
    }

    #[test]
    fn a_shipment_ends_as_far_as_its_state_allows() {
        use ParcelStatus::Delivered;
        let labelled = |it: &mut Shipment| it.tracking = Some(tracking());
        let done = || Ok(true);
        let not = |it: Refusal| Err::<bool, _>(it);
        let all = |it: Refusal| [not(it.clone()), not(it.clone()), not(it)];
        for (what, dispatch, expected) in [
            ("to be packed", with(|_, _| {}), [done(), done(), not(Refusal::NotSent)]),
            (
                "labelled",
                with(|_, it| labelled(it)),
                [not(Refusal::Labelled(tracking())), done(), done()],
            ),
            (
                "delivered",
                with(|_, it| {
                    labelled(it);
                    it.journey = journey(Delivered);
                }),
                [
                    not(Refusal::Labelled(tracking())),
                    not(Refusal::Delivered),
                    not(Refusal::Delivered),
                ],
            ),
            ("held", with(|all, _| all.stopped_at = Some(at(1))), all(Refusal::Stopped)),
            ("empty", with(|_, it| it.cancelled_at = Some(at(1))), all(Refusal::Stopped)),
            (
                "replaced",
                with(|_, it| {
                    labelled(it);
                    it.cancelled_at = Some(at(1));
                }),
                all(Refusal::Replaced),
            ),
        ] {
            assert_eq!(ends(&dispatch), expected, "{what}");
        }
    }

    #[test]
    fn a_return_is_called_off_before_it_was_picked_up() {
        let back = with(|all, it| {
            all.stopped_at = Some(at(1));
            it.tracking = Some(tracking());
            it.direction = Direction::Back;
            it.journey = journey(ParcelStatus::InfoReceived);
        });
        let id = &back.shipments[0].id;
        let ended = |how, heard: Option<&Journey>| close(&back, id, &closed(how), heard);
        let off = ended(Ending::CalledOff, None).unwrap().unwrap();
        assert_eq!(
            (off.shipments[0].cancelled_at, &off.shipments[0].tracking),
            (Some(at(90)), &None)
        );
        let heard = journey(ParcelStatus::InTransit);
        assert_eq!(ended(Ending::CalledOff, Some(&heard)), Err(Refusal::Left));
        assert_eq!(ended(Ending::HandedOver, None), Err(Refusal::Unknown));
        assert!(ended(Ending::Lost, Some(&heard)).unwrap().is_some());
    }

    #[test]
    fn what_ended_so_does_not_end_otherwise() {
        let whole = with(|_, it| it.tracking = Some(tracking()));
        let id = whole.shipments[0].id.clone();
        let lost = close(&whole, &id, &closed(Ending::Lost), None).unwrap().unwrap();
        let otherwise = close(&lost, &id, &closed(Ending::HandedOver), None);
        assert_eq!(otherwise, Err(Refusal::Closed(Ending::Lost)));
        assert_eq!(unclosed(&whole.shipments[0]), Ok(()));
        // What the carrier tells afterwards does not undo it, but its delivery counts more.
        let mut handed = close(&whole, &id, &closed(Ending::HandedOver), None).unwrap().unwrap();
        handed.shipments[0].hear(journey(ParcelStatus::InTransit));
        assert_eq!(handed.delivered_at(), Some(at(90)));
        handed.shipments[0].hear(journey(ParcelStatus::Delivered));
        assert_eq!(handed.delivered_at(), Some(at(60)));
    }
}
