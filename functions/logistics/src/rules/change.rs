//! How people change what is sent: units in a parcel of their own, a label
//! taken off, goods sent again, goods that come back.
//!
//! Each is decided on the shipments as they were read and written on the
//! condition that they still are so. What opens a shipment is known by the key
//! of its call: asked for again it finds the shipment, and opens no other.

use aftercart::model::{
    dispatch::{Direction, Dispatch, MAX_SHIPMENTS, Shipment, ShipmentLine},
    id::ShipmentId,
    product::Sku,
    shipment::{Journey, ParcelStatus, Tracking},
    stock::LocationId,
    time::Timestamp,
};

use super::dispatch::next_number;

/// A shipment that a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Derived from the order and the key of the call.
    pub id: ShipmentId,
    /// A digest of the call.
    pub request: String,
    /// What it is to carry, each SKU once.
    pub lines: Vec<ShipmentLine>,
}

/// Why shipments are not changed. The texts are for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such shipment.
    #[error("There is no such shipment.")]
    Unknown,
    /// It, or its order, was called off, or its order is held.
    #[error("The shipment or its order was called off, or the order waits for a person.")]
    Stopped,
    /// Another one is sent instead.
    #[error("Another shipment is sent instead of this one.")]
    Replaced,
    /// It has a label.
    #[error("The shipment has the label {} of {}; take it off before.", .0.number, .0.carrier)]
    Labelled(Tracking),
    /// It never left.
    #[error("The shipment has no label: it did not leave yet, so nothing is to be sent again.")]
    NotSent,
    /// The carrier has it.
    #[error("The carrier has the parcel. Have it come back, or send its goods again.")]
    Left,
    /// It carries no such thing.
    #[error("There is no {sku} in what it is about.")]
    UnknownLine {
        /// Which line of the request.
        line: usize,
        /// What it asks for.
        sku: Sku,
    },
    /// It carries fewer.
    #[error("There are {has} of {sku}; name no more.")]
    TooMany {
        /// Which line of the request.
        line: usize,
        /// What it asks for.
        sku: Sku,
        /// How many there are.
        has: u32,
    },
    /// A split that leaves nothing.
    #[error("Nothing would be left in the shipment; name fewer units.")]
    Whole,
    /// There are as many shipments as may be.
    #[error("An order has at most {MAX_SHIPMENTS} shipments.")]
    Full,
    /// The key opened another shipment.
    #[error("the key was used for another request")]
    KeyReused,
}

/// The shipment that this very call opened before, if it did.
///
/// # Errors
/// [`Refusal::KeyReused`].
pub fn opened<'d>(
    dispatch: &'d Dispatch,
    opening: &Opening,
) -> Result<Option<&'d Shipment>, Refusal> {
    match dispatch.shipment(&opening.id) {
        Some(known) if known.request.as_ref() != Some(&opening.request) => Err(Refusal::KeyReused),
        known => Ok(known),
    }
}

/// Puts units of a shipment that has no label into another one.
///
/// # Errors
/// [`Refusal`].
pub fn split(
    dispatch: &Dispatch,
    id: &ShipmentId,
    opening: &Opening,
    now: Timestamp,
) -> Result<Dispatch, Refusal> {
    let shipment = unsent(dispatch, id)?;
    check(&opening.lines, &shipment.lines)?;
    let (from, replaces) = (shipment.location.clone(), shipment.replaces.clone());
    let direction = shipment.direction;
    let mut after = dispatch.clone();
    if let Some(shipment) = after.shipment_mut(id) {
        for line in &mut shipment.lines {
            let out = units(&opening.lines, &line.sku);
            line.quantity = line.quantity.saturating_sub(out);
        }
        shipment.lines.retain(|line| line.quantity > 0);
        if shipment.lines.is_empty() {
            return Err(Refusal::Whole);
        }
    }
    let new = new(&after, opening, from, now)?;
    after.shipments.push(Shipment { replaces, direction, ..new });
    after.look_by(after.leaves_by());
    Ok(after)
}

/// Takes the label off a shipment whose parcel the carrier has not got, as far
/// as the shipment and `heard`, what was told of the parcel since, know. None
/// if it has no label.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Replaced`] and [`Refusal::Left`].
pub fn void(
    dispatch: &Dispatch,
    id: &ShipmentId,
    heard: Option<&Journey>,
    now: Timestamp,
) -> Result<Option<Dispatch>, Refusal> {
    let mut after = dispatch.clone();
    let shipment = after.shipment_mut(id).ok_or(Refusal::Unknown)?;
    if shipment.tracking.is_some() && shipment.cancelled_at.is_some() {
        return Err(Refusal::Replaced);
    }
    if std::iter::once(&shipment.journey).chain(heard).any(has_left) {
        return Err(Refusal::Left);
    }
    if shipment.tracking.take().is_none() {
        return Ok(None);
    }
    shipment.labelled_at = None;
    shipment.waits_since = Some(now);
    shipment.journey = Journey::pending();
    shipment.told.clear();
    // What was raised about the label is over.
    after.look_by(now);
    Ok(Some(after))
}

/// Sends goods of a shipment again, from a place: another shipment takes its
/// place, and nobody waits for it any more.
///
/// # Errors
/// [`Refusal`].
pub fn replace(
    dispatch: &Dispatch,
    id: &ShipmentId,
    opening: &Opening,
    from: LocationId,
    now: Timestamp,
) -> Result<Dispatch, Refusal> {
    let shipment = replaceable(dispatch, id)?;
    check(&opening.lines, &shipment.lines)?;
    let mut after = dispatch.clone();
    let new = new(&after, opening, from, now)?;
    if let Some(shipment) = after.shipment_mut(id) {
        shipment.cancelled_at = Some(now);
    }
    after.shipments.push(Shipment { replaces: Some(id.clone()), ..new });
    // What was raised about it is over.
    after.look_by(now);
    Ok(after)
}

/// The shipment, if its goods may be sent again.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Replaced`] and [`Refusal::NotSent`].
pub fn replaceable<'d>(dispatch: &'d Dispatch, id: &ShipmentId) -> Result<&'d Shipment, Refusal> {
    let shipment = dispatch.shipment(id).filter(|it| it.direction == Direction::Out);
    let shipment = shipment.ok_or(Refusal::Unknown)?;
    match (&shipment.tracking, shipment.cancelled_at) {
        (Some(_), None) => Ok(shipment),
        (Some(_), Some(_)) => Err(Refusal::Replaced),
        (None, _) => Err(Refusal::NotSent),
    }
}

/// Opens a shipment of goods that come back: of what was sent, less what comes
/// back already. They go where they were sent from, unless somebody says
/// otherwise.
///
/// # Errors
/// [`Refusal`].
pub fn come_back(
    dispatch: &Dispatch,
    opening: &Opening,
    to: Option<LocationId>,
    now: Timestamp,
) -> Result<Dispatch, Refusal> {
    let sent = |it: &&Shipment| it.direction == Direction::Out && it.has_left();
    let back = |it: &&Shipment| it.direction == Direction::Back && it.cancelled_at.is_none();
    let mut out: Vec<ShipmentLine> = Vec::new();
    for line in dispatch.shipments.iter().filter(sent).flat_map(|it| &it.lines) {
        match out.iter_mut().find(|known| known.sku == line.sku) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => out.push(line.clone()),
        }
    }
    for line in dispatch.shipments.iter().filter(back).flat_map(|it| &it.lines) {
        if let Some(known) = out.iter_mut().find(|known| known.sku == line.sku) {
            known.quantity = known.quantity.saturating_sub(line.quantity);
        }
    }
    check(&opening.lines, &out)?;
    let carries = |it: &&Shipment| opening.lines.iter().any(|line| units(&it.lines, &line.sku) > 0);
    let from = dispatch.shipments.iter().filter(sent).find(carries);
    let to = to.or_else(|| from.map(|it| it.location.clone())).ok_or(Refusal::NotSent)?;
    let mut after = dispatch.clone();
    let new = new(&after, opening, to, now)?;
    after.shipments.push(Shipment { direction: Direction::Back, ..new });
    Ok(after)
}

/// The shipment, if it is to be packed.
fn unsent<'d>(dispatch: &'d Dispatch, id: &ShipmentId) -> Result<&'d Shipment, Refusal> {
    let shipment = dispatch.shipment(id).ok_or(Refusal::Unknown)?;
    let held = dispatch.stopped_at.is_some() && shipment.direction == Direction::Out;
    match &shipment.tracking {
        _ if shipment.cancelled_at.is_some() || held => Err(Refusal::Stopped),
        Some(tracking) => Err(Refusal::Labelled(tracking.clone())),
        None => Ok(shipment),
    }
}

/// Whether the carrier has, or had, the parcel.
#[must_use]
pub fn has_left(journey: &Journey) -> bool {
    use ParcelStatus::{Cancelled, Expired, InfoReceived, Pending, Unknown};
    let waits = |status| matches!(status, Pending | Unknown | InfoReceived | Cancelled | Expired);
    !waits(journey.status) || journey.stages.iter().any(|it| !waits(it.status))
}

fn new(
    dispatch: &Dispatch,
    opening: &Opening,
    location: LocationId,
    now: Timestamp,
) -> Result<Shipment, Refusal> {
    if dispatch.shipments.len() >= MAX_SHIPMENTS {
        return Err(Refusal::Full);
    }
    let Opening { id, request, lines } = opening.clone();
    let shipment = Shipment::new(&dispatch.order, next_number(dispatch), location, lines, now);
    Ok(Shipment { id, request: Some(request), ..shipment })
}

/// Whether so many units are there of each.
fn check(asked: &[ShipmentLine], there: &[ShipmentLine]) -> Result<(), Refusal> {
    for (line, asked) in asked.iter().enumerate() {
        let sku = asked.sku.clone();
        match units(there, &sku) {
            0 if !there.iter().any(|it| it.sku == sku) => {
                return Err(Refusal::UnknownLine { line, sku });
            }
            has if asked.quantity > has => return Err(Refusal::TooMany { line, sku, has }),
            _ => {}
        }
    }
    Ok(())
}

fn units(lines: &[ShipmentLine], sku: &Sku) -> u32 {
    lines.iter().filter(|it| it.sku == *sku).fold(0, |sum, it| sum.saturating_add(it.quantity))
}
