//! Logistics: from a paid order to the parcel at the door, and what carriers
//! tell of it on the way.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`shipment_open`] | queue shipments (`order.paid`, `remedy.reship_asked`) | order; products, member, statistics if the policy asks; ticket, shipments, stock | shipments; stock, ticket | `notification.shipment_opened`; `parcel.delivered`, `notification.ticket_waits` |
//! | [`label_attach`] | `POST /orders/{id}/shipments/{shipment}/label` (operator) | shipments | shipments, parcel | `tracking.received` |
//! | [`shipment_change`] | `POST /orders/{id}/shipments/{shipment}/split`, `.../label/void`, `.../replacement`, `.../close`, `POST /orders/{id}/returns` (operator) | shipments; order, products, member, statistics, parcel, stock | shipments, parcel, stock | `notification.shipment_opened`, `notification.shipment_stopped`, `tracking.received`, `parcel.changed`, `parcel.delivered` |
//! | [`carrier_event`] | `POST /carriers/{carrier}/events` (signed) | | push | `tracking.received` |
//! | [`carrier_poll`] | every minute | parcel, policy | push, parcel | `tracking.received` |
//! | [`tracking_fold`] | queue tracking (`tracking.received`) | parcel | shipments, and what follows | `parcel.changed`, `parcel.delivered` |
//! | [`shipment_watch`] | every 5 minutes | shipments that are due, order | shipments, alerts, vouchers, statistics | `notification.parcel_news`, `notification.delivery_alert`, `notification.alert_raised`, `apology.due` |
//! | [`alert_list`] | `GET /operator/alerts` | alerts | | |
//! | [`alert_resolve`] | `POST /operator/alerts/{id}/resolution` | alert, shipments | alert, shipments | |
//! | [`tracking_view`] | `GET /orders/{id}/tracking`, guest's too | order, shipments, parcels, alerts | | |
//! | [`tracking_page`] | `GET` and `POST /t/{token}` | order, shipments, parcels, alerts | alert | `notification.wish_made` |
//!
//! What a carrier tells is written down as it came, once; where the parcel is
//! follows from the whole set of it, so the order and the number of deliveries
//! do not matter. Carriers differ only in [`carriers`].

pub mod shipment_open;

pub mod label_attach;

pub mod shipment_change;

pub mod carrier_event;

pub mod carrier_poll;

pub mod tracking_fold;

pub mod shipment_watch;

pub mod alert_list;

pub mod alert_resolve;

pub mod tracking_view;

pub mod delivery_report;

pub mod tracking_page;

pub mod pages;

mod looking;

mod recording;

mod asking;

mod following;

mod wishing;

mod refusing;

mod replacing;

mod reshipping;

pub mod rules;

pub mod carriers;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    shipment_open::FUNCTION,
    label_attach::FUNCTION,
    shipment_change::FUNCTION,
    carrier_event::FUNCTION,
    carrier_poll::FUNCTION,
    tracking_fold::FUNCTION,
    shipment_watch::FUNCTION,
    alert_list::FUNCTION,
    alert_resolve::FUNCTION,
    tracking_view::FUNCTION,
    delivery_report::FUNCTION,
    tracking_page::FUNCTION,
];
