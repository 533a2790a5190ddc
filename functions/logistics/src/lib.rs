//! Logistics: from a paid order to the parcel at the door, and what carriers
//! tell of it on the way.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`shipment_open`] | queue shipments (`order.paid`) | order | shipment | `notification.shipment_opened` |
//! | [`label_attach`] | `POST /orders/{id}/shipments/{shipment}/label` (operator) | shipment | shipment, parcel | `tracking.received` |
//! | [`carrier_event`] | `POST /carriers/{carrier}/events` (signed) | | push | `tracking.received` |
//! | [`tracking_fold`] | queue tracking (`tracking.received`) | parcel, pushes | shipment | `parcel.delivered` |
//! | [`tracking_view`] | `GET /orders/{id}/tracking`, guest's too | order, shipment | | |
//!
//! What a carrier tells is written down as it came, once; where the parcel is
//! follows from the whole set of it, so the order and the number of deliveries
//! do not matter. Carriers differ only in [`carriers`].

pub mod shipment_open;

pub mod label_attach;

pub mod carrier_event;

pub mod tracking_fold;

pub mod tracking_view;

pub mod rules;

pub mod carriers;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    shipment_open::FUNCTION,
    label_attach::FUNCTION,
    carrier_event::FUNCTION,
    tracking_fold::FUNCTION,
    tracking_view::FUNCTION,
];
