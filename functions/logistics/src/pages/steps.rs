//! How far a parcel is: three or four steps, of which one is now.

use aftercart::model::{dispatch::Direction, shipment::ParcelStatus};

use crate::{rules::wording::page::Ui, wire::tracking::ParcelView};

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// What it is called.
    pub(super) name: &'static str,
    /// Its picture.
    pub(super) icon: &'static str,
    /// How it is drawn.
    pub(super) class: Option<&'static str>,
    /// Whether the parcel is here.
    pub(super) current: bool,
}

type Named = (&'static str, &'static str);

/// The steps of a parcel; none of one that was called off.
pub(super) fn of(parcel: &ParcelView, ui: &Ui) -> Vec<Step> {
    use ParcelStatus::{
        AttemptFailed, Cancelled, Delivered, Exception, Expired, InTransit, InfoReceived, OnHold,
        OutForDelivery, Pending, PickedUp, ReadyForPickup, Returned, Returning, Unknown,
    };
    let status = parcel.status;
    if parcel.cancelled_at.is_some() || status == Cancelled {
        return Vec::new();
    }
    if parcel.direction == Direction::Back {
        let now = match status {
            Pending | InfoReceived => 0,
            Delivered | Returned => 2,
            Unknown | Expired => known(parcel),
            _ => 1,
        };
        let names = [(ui.registered, "box"), (ui.under_way, "truck"), (ui.return_there, "home")];
        return drawn(&names, now);
    }
    let packed = if parcel.labelled_at.is_some() { ui.packed } else { ui.packing };
    let (packed, under_way) = ((packed, "box"), (ui.under_way, "truck"));
    let collected = parcel.stages.iter().any(|it| it.status == ReadyForPickup);
    let end = (if collected { ui.collected } else { ui.there }, "home");
    let last = (if collected { ui.ready } else { ui.out }, "bag");
    let back = [packed, under_way, (ui.going_back, "back"), (ui.with_shop, "home")];
    match status {
        Pending | InfoReceived => drawn(&[packed, under_way, last, end], 0),
        Unknown | Expired => drawn(&[packed, under_way, last, end], known(parcel)),
        PickedUp | InTransit => drawn(&[packed, under_way, last, end], 1),
        OutForDelivery | ReadyForPickup => drawn(&[packed, under_way, last, end], 2),
        AttemptFailed => drawn(&[packed, under_way, (ui.attempted, "alert"), end], 2),
        Delivered => drawn(&[packed, under_way, last, end], 3),
        Returning => drawn(&back, 2),
        Returned => drawn(&back, 3),
        OnHold | Exception => drawn(&[packed, (ui.under_way, "alert"), last, end], 1),
        Cancelled => Vec::new(),
    }
}

/// The step that is known of a parcel whose carrier says nothing that can be
/// read, or nothing more: under way, if it ever was, and no further.
fn known(parcel: &ParcelView) -> usize {
    use ParcelStatus::{Expired, InfoReceived, Pending, Unknown};
    let left = |status| !matches!(status, Pending | InfoReceived | Unknown | Expired);
    usize::from(parcel.stages.iter().any(|it| left(it.status)))
}

fn drawn(names: &[Named], now: usize) -> Vec<Step> {
    let step = |(place, (name, icon)): (usize, &Named)| Step {
        name,
        icon: if place < now { "check" } else { icon },
        class: match place {
            place if place < now => Some("done"),
            place if place == now => Some("now"),
            _ => None,
        },
        current: place == now,
    };
    names.iter().enumerate().map(step).collect()
}
