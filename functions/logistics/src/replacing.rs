//! Sending goods of a shipment again, whoever asks for it: an operator, or a
//! ticket.
//!
//! Another shipment takes the place of the one that did not do its work. Its
//! goods leave the stock in the same transaction, as a movement of the kind
//! `loss` for each SKU, since what was sent before did not reach its buyer: no
//! level is without its reason. They come from one place, the first that has
//! all of them. Where the policy has services, one is chosen as for any
//! shipment.

use aftercart::{
    messages::{Message, ParcelDelivered, ShipmentOpened},
    model::{
        dispatch::{Dispatch, Shipment, ShipmentLine},
        id::{MovementId, ShipmentId},
        policy::Policy,
        product::Sku,
        stock::{LevelChange, LocationId, Movement, MovementKind},
        text::Text,
        time::Timestamp,
    },
    run::{App, Failure, http::Problem},
    store::{Commit, Sends, Write, shipments, stock},
};

use crate::{
    asking,
    refusing::{refuse, refuse_to_close, too_few},
    rules::{
        again::{self, Plan},
        change::{self, Opening},
        closing, dispatch,
    },
};

/// The most writes of one transaction of DynamoDB.
pub(crate) const MAX_WRITES: usize = 100;

/// Goods that are to be sent again.
pub(crate) struct Replacing<'a> {
    pub(crate) app: &'a App,
    pub(crate) policy: &'a Policy,
    /// The shipments of the order, as they were read.
    pub(crate) dispatch: &'a Dispatch,
    /// Whose goods.
    pub(crate) shipment: &'a ShipmentId,
    /// The shipment that takes its place; without lines it carries all of them.
    pub(crate) opening: &'a Opening,
    /// From where, if that matters.
    pub(crate) location: Option<&'a LocationId>,
    /// How many writes it may take: [`MAX_WRITES`], less those of whoever asks.
    pub(crate) room: usize,
    pub(crate) now: Timestamp,
    pub(crate) trace: Option<&'a str>,
}

impl Replacing<'_> {
    /// The shipments with the new one, and how that is written: the shipments
    /// first. One round trip for the levels, and those of choosing a service.
    /// The caller has made sure that the new one is not there yet.
    ///
    /// # Errors
    /// Why the goods are not sent again: refusals of the class `refuse`, whose
    /// details are for the operator; other failures are to be tried again.
    pub(crate) async fn decide(&self) -> Result<(Dispatch, Commit), Failure> {
        let Self { dispatch, shipment: id, now, .. } = *self;
        let ended = dispatch.shipment(id).map_or(Ok(()), closing::unclosed);
        ended.map_err(refuse_to_close)?;
        let replaced = change::replaceable(dispatch, id).map_err(refuse)?;
        known(self.location, self.policy)?;
        let mut opening = self.opening.clone();
        if opening.lines.is_empty() {
            opening.lines.clone_from(&replaced.lines);
        }
        let from = replaced.location.clone();
        let mut after = change::replace(dispatch, id, &opening, from, now).map_err(refuse)?;
        let plan = self.plan(&opening.lines, &self.places(replaced)).await?;
        if let Some(new) = after.shipment_mut(&opening.id) {
            new.location.clone_from(&plan.from);
        }
        asking::choose(self.app, &mut after, &[&opening.id], self.policy).await?;
        let save = shipments::save(&after, &self.sends(&after))?;
        let commit: Commit = std::iter::once(save).chain(self.moved(&plan)).collect();
        if commit.len() > self.room {
            let detail =
                "The goods lie in more places than one call can take from; name fewer lines.";
            return Err(Problem::new(422, "order-too-large", "Too much at once", detail).into());
        }
        Ok((after, commit))
    }

    /// Where goods may come from that are sent again: what is fetched at a
    /// place from nowhere else.
    fn places(&self, replaced: &Shipment) -> Vec<LocationId> {
        if let Some(location) = self.location {
            return vec![location.clone()];
        }
        let mut places = vec![replaced.location.clone()];
        if !dispatch::is_fetched(&self.dispatch.method, self.policy) {
            let others = self.policy.stock.sending_to(&self.dispatch.country).into_iter();
            places.extend(others.filter(|it| *it != replaced.location));
        }
        places
    }

    async fn plan(&self, lines: &[ShipmentLine], places: &[LocationId]) -> Result<Plan, Failure> {
        let stock = &self.policy.stock;
        let parts: Vec<_> =
            lines.iter().map(|it| (it.sku.clone(), stock.shards(&it.sku))).collect();
        let found = self.app.store.read(&stock::level_keys(&parts, places)).await?;
        let levels = found.levels(&parts, places)?;
        again::plan(lines, places, &levels).map_err(|short| match short {
            Some(short) => too_few(&short).into(),
            None => Failure::bug("a shipment has no place"),
        })
    }

    /// The warehouse has a task, and whoever counts on goods that were all
    /// there looks again: they are awaited anew.
    fn sends(&self, after: &Dispatch) -> Sends {
        let new = after.shipment(&self.opening.id);
        let task = new.map(|it| Message::ShipmentOpened(ShipmentOpened::of(after, it)));
        let (order, customer) = (after.order.clone(), after.customer.clone());
        let awaited = self.dispatch.delivered_at().map(|_| {
            let shipment = self.shipment.clone();
            Message::ParcelDelivered(ParcelDelivered { order, shipment, customer })
        });
        let messages = task.into_iter().chain(awaited);
        messages.fold(Sends::none(), |sends, it| sends.and(it, self.now, self.trace))
    }

    /// The movements of what goes out, each with its changes.
    fn moved(&self, plan: &Plan) -> Vec<Write> {
        let Opening { id, request, .. } = self.opening;
        let note = Text::new(&format!("Sent again with the shipment {id}.")).ok();
        let moved = |(sku, changes): &(Sku, Vec<LevelChange>)| {
            let movement = Movement {
                id: MovementId::derive(&[id.as_str(), sku.as_str()]),
                sku: sku.clone(),
                kind: MovementKind::Loss,
                changes: changes.clone(),
                note: note.clone(),
                at: self.now,
                request: request.clone(),
            };
            let out = changes.iter().map(|change| stock::change(sku, change, 0));
            std::iter::once(stock::note(&movement)).chain(out).collect::<Vec<Write>>()
        };
        plan.changes.iter().flat_map(moved).collect()
    }
}

/// Refuses a place that the policy does not know.
///
/// # Errors
/// 422.
pub(crate) fn known(location: Option<&LocationId>, policy: &Policy) -> Result<(), Problem> {
    match location.filter(|location| policy.stock.location(location).is_none()) {
        None => Ok(()),
        Some(location) => {
            let detail = format!(
                "The policy has no location {location}; name one of its `stock.locations`, or none."
            );
            let title = "There is no such location";
            Err(Problem::new(422, "unknown-location", title, detail).at("location"))
        }
    }
}
