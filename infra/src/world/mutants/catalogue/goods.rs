//! What goes wrong with shipments and parcels.

use aftercart::store::Table::{Shipments, Tracking};

use super::{
    super::Defect::{Lax, Overwriting, Silent, Skipped, Stale, Unconditional},
    super::Spot,
    Mutant, mutant,
};

const DISPATCH: Spot = Spot::of(Shipments).sort("DISPATCH");
const PARCEL: Spot = Spot::of(Tracking).sort("PARCEL");

pub(super) const ALL: &[Mutant] = &[
    mutant(
        "dispatch-anew",
        Unconditional(DISPATCH.by(&["shipment-open"])),
        "an order's shipments are opened over those that it has",
        "a paid order's goods are in its shipments; labels stay",
    ),
    mutant(
        "dispatch-overwritten",
        Lax(DISPATCH, &["n"]),
        "whoever changes shipments overwrites what others changed meanwhile",
        "a paid order that is not held has its shipments; those of others are stopped",
    ),
    mutant(
        "dispatch-skipped",
        Skipped(DISPATCH.by(&["shipment-open"])),
        "shipments are not written",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "journey-backwards",
        Lax(DISPATCH.by(&["tracking-fold"]), &["j"]),
        "a journey that knows less takes the place of one that knows more",
        "a parcel's state does not depend on the order of deliveries",
    ),
    mutant(
        "journey-untold",
        Silent(DISPATCH.by(&["tracking-fold"])),
        "nobody is told that a parcel was delivered",
        "what was delivered is asked about",
    ),
    mutant(
        "scans-overwritten",
        Overwriting(PARCEL),
        "the last scans take the place of all before",
        "a parcel's state does not depend on the order of deliveries",
    ),
    mutant(
        "scans-untold",
        Silent(PARCEL),
        "scans are noted, and nobody is told",
        "a shipment's journey is what its parcel's scans say",
    ),
    mutant(
        "scans-unread",
        Stale(Spot::of(Tracking).by(&["tracking-fold"])),
        "journeys are folded from scans of a moment ago",
        "a shipment's journey is what its parcel's scans say",
    ),
    mutant(
        "label-reused",
        Unconditional(PARCEL.by(&["label-attach"])),
        "a label is attached that another shipment has",
        "a parcel is one shipment's",
    ),
    mutant(
        "alert-unwritten",
        Skipped(Spot::of(Shipments).partition("alt_")),
        "alerts are not written",
        "an alert is open where its shipment says so",
    ),
];
