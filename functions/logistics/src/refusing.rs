//! Why shipments are not changed, as whoever asked for it is told.

use aftercart::{model::shipment::Tracking, run::http::Problem};

use crate::rules::{again::Short, change::Refusal, closing};

/// That there is too little to be sent again, as an answer.
pub(crate) fn too_few(short: &Short) -> Problem {
    Problem::new(409, "too-few-units", "There are not so many units", short.to_string())
        .with("sku", short.sku.as_str().into())
        .with("available", short.available.into())
}

/// Why a shipment is not changed, as an answer.
pub(crate) fn refuse(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    let not_now = |kind, title| Problem::new(409, kind, title, detail.clone());
    match refusal {
        Refusal::Unknown => Problem::not_found("shipment"),
        Refusal::Stopped => not_now("shipment-stopped", "The shipment is stopped"),
        Refusal::Replaced => not_now("shipment-replaced", "Another shipment is sent instead"),
        Refusal::Labelled(Tracking { carrier, number }) => {
            not_now("shipment-labelled", "The shipment has a label")
                .with("carrier", carrier.as_str().into())
                .with("tracking_number", number.as_str().into())
        }
        Refusal::NotSent => not_now("shipment-not-sent", "The shipment did not leave"),
        Refusal::Left => not_now("shipment-left", "The carrier has the parcel"),
        Refusal::Full => not_now("too-many-shipments", "The order has as many shipments as may be"),
        Refusal::UnknownLine { line, sku } => {
            Problem::new(422, "unknown-line", "There is no such line", detail)
                .at(format!("lines[{line}].sku"))
                .with("sku", sku.as_str().into())
        }
        Refusal::TooMany { line, has, .. } => {
            Problem::new(422, "too-many-units", "There are fewer units", detail)
                .at(format!("lines[{line}].quantity"))
                .with("has", has.into())
        }
        Refusal::Whole => {
            Problem::new(422, "whole-shipment", "Nothing would be left", detail).at("lines")
        }
        Refusal::KeyReused => Problem::key_reused(),
    }
}

/// Why a shipment is not ended, or counts as one that has, as an answer.
pub(crate) fn refuse_to_close(refusal: closing::Refusal) -> Problem {
    let detail = refusal.to_string();
    let not_now = |kind, title| Problem::new(409, kind, title, detail.clone());
    match refusal {
        closing::Refusal::Closed(how) => {
            not_now("shipment-closed", "The shipment has ended").with("how", how.as_str().into())
        }
        closing::Refusal::Delivered => not_now("shipment-delivered", "The parcel was delivered"),
        // What keeps a shipment from being changed otherwise, too.
        closing::Refusal::Unknown => refuse(Refusal::Unknown),
        closing::Refusal::Stopped => refuse(Refusal::Stopped),
        closing::Refusal::Replaced => refuse(Refusal::Replaced),
        closing::Refusal::Labelled(tracking) => refuse(Refusal::Labelled(tracking)),
        closing::Refusal::NotSent => not_now("shipment-not-sent", "The shipment did not leave"),
        closing::Refusal::Left => refuse(Refusal::Left),
    }
}
