//! May this label go on this shipment?

use aftercart::model::{
    id::{OrderId, ShipmentId},
    shipment::{Parcel, Shipment, Tracking},
    time::Timestamp,
};

/// A label and the shipment that it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelling {
    /// The order.
    pub order: OrderId,
    /// Its shipment.
    pub shipment: ShipmentId,
    /// The label.
    pub tracking: Tracking,
}

/// What is to be done about a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Attach it, and link the parcel.
    Attach(Parcel),
    /// It is on the shipment since then: nothing to do.
    Attached(Timestamp),
}

/// Why a label cannot go on a shipment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such shipment.
    #[error("There is no such shipment.")]
    Unknown,
    /// Its order was called off, or is held.
    #[error(
        "The order of the shipment {0} was called off, or waits for a person: do not send it. You are told if it is to be packed after all."
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

/// What is to be done, as the shipment stands.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Stopped`] and [`Refusal::Labelled`].
pub fn decide(
    labelling: &Labelling,
    shipment: Option<&Shipment>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let shipment = shipment.ok_or(Refusal::Unknown)?;
    match &shipment.tracking {
        None if shipment.stopped_at.is_some() => Err(Refusal::Stopped(shipment.id.clone())),
        None => Ok(Decision::Attach(Parcel {
            tracking: labelling.tracking.clone(),
            order: labelling.order.clone(),
            shipment: labelling.shipment.clone(),
            customer: shipment.customer.clone(),
            labelled_at: now,
        })),
        Some(tracking) if *tracking == labelling.tracking => {
            Ok(Decision::Attached(shipment.labelled_at.unwrap_or(shipment.opened_at)))
        }
        Some(tracking) => Err(Refusal::Labelled {
            shipment: labelling.shipment.clone(),
            tracking: tracking.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        shipment::{Carrier, Journey, TrackingNumber},
    };

    use super::*;

    fn tracking(number: &str) -> Tracking {
        Tracking { carrier: Carrier::Generic, number: TrackingNumber::parse(number).unwrap() }
    }

    fn shipment(label: Option<&str>) -> Shipment {
        let order = OrderId::derive(&["1"]);
        Shipment {
            id: aftercart::model::order::first_shipment(&order),
            order,
            customer: CustomerId::member("ada").unwrap(),
            opened_at: Timestamp::EPOCH,
            tracking: label.map(tracking),
            labelled_at: label.map(|_| Timestamp::from_unix_seconds(60).unwrap()),
            stopped_at: None,
            journey: Journey::pending(),
        }
    }

    fn decided(label: &str, shipment: Option<&Shipment>) -> Result<Decision, Refusal> {
        let order = OrderId::derive(&["1"]);
        let id = aftercart::model::order::first_shipment(&order);
        let labelling = Labelling { order, shipment: id, tracking: tracking(label) };
        decide(&labelling, shipment, Timestamp::from_unix_seconds(90).unwrap())
    }

    #[test]
    fn a_shipment_takes_one_label() {
        assert_eq!(decided("AAAA", None), Err(Refusal::Unknown));
        let Ok(Decision::Attach(parcel)) = decided("AAAA", Some(&shipment(None))) else { panic!() };
        assert_eq!(parcel.customer, CustomerId::member("ada").unwrap());
        assert_eq!(parcel.labelled_at.unix_seconds(), 90);
        let stopped = Shipment { stopped_at: Some(Timestamp::EPOCH), ..shipment(None) };
        assert_eq!(decided("AAAA", Some(&stopped)), Err(Refusal::Stopped(stopped.id.clone())));
        let labelled = shipment(Some("aaaa"));
        let since = Timestamp::from_unix_seconds(60).unwrap();
        assert_eq!(decided("AAAA", Some(&labelled)), Ok(Decision::Attached(since)));
        assert!(matches!(decided("BBBB", Some(&labelled)), Err(Refusal::Labelled { .. })));
    }
}
