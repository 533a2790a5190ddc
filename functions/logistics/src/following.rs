//! What follows from where an order's parcels are: decided by
//! [`crate::rules::follow`], carried out here. Whoever learns something of a
//! parcel calls it, and so does the clock.
//!
//! A function that calls it needs: the shipments (UpdateItem, PutItem), the
//! orders (GetItem), the customers (PutItem), the settings (GetItem), the secret
//! of links and the shop's public address.

use aftercart::{
    messages::{AlertRaised, ApologyDue, DeliveryAlert, Message, ParcelNews},
    model::{
        alert::Alert, customer::Contact, dispatch::Dispatch, id::ShipmentId,
        logistics::LogisticsPolicy, time::Timestamp,
    },
    run::{App, Failure, Setting, links::TrackingLink, metrics::Metric, schedule::Outcome},
    store::{
        Commit, CommitError, Conflict, Sends, Write, alerts, performance, shipments, vouchers,
    },
};

use crate::rules::follow::{self, FollowUp, Told, What};

/// How often it is decided anew when somebody changed the shipments or more was
/// told of them meanwhile. What is still contended then comes back.
const TRIES: u32 = 4;

/// Makes true what follows from the shipments as they are, with the journeys
/// as they are known by now: who is told, what is raised, given, counted, and
/// when they are looked at again. Reads and writes nothing when there is
/// nothing to do. Safe to repeat.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn follow(
    app: &App,
    mut dispatch: Dispatch,
    trace: Option<&str>,
) -> Result<Outcome, Failure> {
    let policy = app.policy().await?;
    for _ in 0..TRIES {
        let now = app.now();
        let Some(up) = follow::decide(&dispatch, &policy, now) else {
            return Ok(Outcome::Settled);
        };
        let following =
            Following { app, up: &up, policy: &policy.logistics, now, trace, heard: None };
        let conflicts = match app.store.commit(following.writes().await?).await {
            Ok(()) => {
                following.count();
                return Ok(Outcome::Done);
            }
            Err(CommitError::Lost(conflicts)) => conflicts,
            Err(error) => return Err(error.into()),
        };
        // Whatever ends an alert or gives something notes it in the shipments,
        // so they lose with the rest.
        let found = Conflict::at(&conflicts, 0).map(shipments::from_item).transpose()?;
        let noted = || Failure::bug("what followed from the shipments is not noted in them");
        dispatch = found.ok_or_else(noted)?;
    }
    Err(Failure::retry(format!("the shipments changed {TRIES} times while they were read")))
}

/// A journey that the shipments do not know yet.
pub(crate) struct Heard<'a> {
    /// Of which shipment's parcel.
    pub(crate) shipment: &'a ShipmentId,
    /// How much was told of it before.
    pub(crate) before: u32,
    /// What is sent with it.
    pub(crate) sends: Sends,
}

/// Like [`follow`], of shipments that were read and know since of one journey
/// more: it is written with what follows from it, in one write. Whether it is;
/// if not, because nothing follows or somebody else wrote meanwhile, nothing is
/// written.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn follow_at_once(
    app: &App,
    dispatch: &Dispatch,
    heard: Heard<'_>,
    trace: Option<&str>,
) -> Result<bool, Failure> {
    let policy = app.policy().await?;
    let now = app.now();
    let Some(up) = follow::decide(dispatch, &policy, now) else { return Ok(false) };
    let heard = Some(heard);
    let following = Following { app, up: &up, policy: &policy.logistics, now, trace, heard };
    match app.store.commit(following.writes().await?).await {
        Ok(()) => {
            following.count();
            Ok(true)
        }
        Err(CommitError::Lost(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What is decided, and what it is carried out with.
struct Following<'a> {
    app: &'a App,
    up: &'a FollowUp,
    policy: &'a LogisticsPolicy,
    now: Timestamp,
    trace: Option<&'a str>,
    heard: Option<Heard<'a>>,
}

impl Following<'_> {
    /// The shipments first: conflicts come by position.
    async fn writes(&self) -> Result<Commit, Failure> {
        let up = self.up;
        let sends = self.sends().await?;
        let shipments = match &self.heard {
            None => shipments::save_as_told(&up.dispatch, &sends)?,
            Some(Heard { shipment, before, sends: first }) => {
                let sends = first.clone().then(sends);
                shipments::save_and_progress(&up.dispatch, (shipment, *before), &sends)?
            }
        };
        let mut commit = Commit::new().with(shipments);
        for alert in &up.raised {
            commit = commit.with(self.raise(alert));
        }
        for (alert, ended) in &up.ended {
            commit = commit.with(alerts::end(alert, ended, &Sends::none())?);
        }
        let voucher = up.given.iter().filter_map(|given| given.voucher.as_ref());
        let counted = up.counted.iter().map(|(counted, lane)| performance::count(lane, counted));
        Ok(voucher.map(vouchers::grant).chain(counted).fold(commit, Commit::with))
    }

    fn raise(&self, alert: &Alert) -> Write {
        let raised = AlertRaised {
            alert: alert.id.clone(),
            order: alert.order.clone(),
            shipment: alert.shipment.clone(),
            kind: alert.kind,
            owner: alert.owner,
            act: alert.act,
            due: alert.due,
        };
        alerts::raise(alert, &Sends::one(Message::AlertRaised(raised), self.now, self.trace))
    }

    /// What the buyer is told, and the points that are given.
    async fn sends(&self) -> Result<Sends, Failure> {
        let Dispatch { order, customer, .. } = &self.up.dispatch;
        let mut sends = Sends::none();
        if self.up.given.as_ref().is_some_and(|given| given.points > 0) {
            let due = ApologyDue { order: order.clone(), customer: customer.clone() };
            sends = sends.and(Message::ApologyDue(due), self.now, self.trace);
        }
        if self.up.told.is_empty() {
            return Ok(sends);
        }
        let found = self.app.store.order(customer, order).await?;
        let contact = found.ok_or_else(|| Failure::bug("shipments without their order"))?.contact;
        let link = self.link().await?;
        let told = self.up.told.iter();
        Ok(told.fold(sends, |sends, told| {
            sends.and(self.message(told, &contact, &link), self.now, self.trace)
        }))
    }

    fn message(&self, told: &Told, contact: &Contact, link: &str) -> Message {
        let (order, shipment) = (self.up.dispatch.order.clone(), told.shipment.clone());
        let (email, language) = (contact.email.clone(), contact.language);
        let (expected, link) = (told.expected, link.to_owned());
        match &told.what {
            What::Step(status) => Message::ParcelNews(ParcelNews {
                order,
                shipment,
                status: *status,
                expected,
                email,
                language,
                link,
            }),
            What::Alert { alert, kind, reason, offered } => Message::DeliveryAlert(DeliveryAlert {
                alert: alert.clone(),
                order,
                shipment,
                kind: *kind,
                reason: *reason,
                expected,
                points: offered.points,
                voucher: offered.voucher.clone(),
                choices: offered.choices.clone(),
                email,
                language,
                link,
            }),
        }
    }

    /// A link to the page that shows where the parcels are.
    async fn link(&self) -> Result<String, Failure> {
        let Dispatch { order, customer, .. } = &self.up.dispatch;
        let link = TrackingLink { order: order.clone(), customer: customer.clone() };
        let links = self.app.links().await?;
        let token = links.tracking_link(&link, self.now.plus(self.policy.link));
        let shop = self.app.setting(Setting::PublicUrl)?.trim_end_matches('/');
        Ok(format!("{shop}/t/{token}"))
    }

    fn count(&self) {
        let metrics = &self.app.metrics;
        for alert in &self.up.raised {
            let kind = [("Kind", alert.kind.as_str())];
            metrics.count_by(Metric::DeliveryAlertRaised, &kind, self.now);
        }
        if let Some((counted, _)) = &self.up.counted {
            let kept = if counted.kept { Metric::PromiseKept } else { Metric::PromiseMissed };
            metrics.count(kept, self.now);
        }
    }
}
