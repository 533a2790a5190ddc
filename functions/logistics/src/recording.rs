//! Writing down what a carrier told, by itself or when it was asked. Each
//! parcel's part joins the set of all that was told of it, in one write which
//! has a condition: that it tells something new, and which carries
//! `tracking.received`.

use aftercart::{
    messages::{Message, TrackingReceived},
    model::{
        shipment::{Carrier, Push, Tracking, TrackingNumber},
        signature,
        time::Timestamp,
    },
    run::{App, Failure, deflate, metrics::Metric},
    store::{CommitError, Conflict, Sends, parcels},
};
use futures::{TryFutureExt as _, future};

use crate::carriers::{Reading, Watch};

/// How carriers are told apart among the counters.
pub(crate) fn by(carrier: Carrier) -> [(&'static str, &'static str); 1] {
    [("Carrier", carrier.as_str())]
}

/// A body of a carrier that is known to come from it.
pub(crate) struct Received<'a> {
    pub(crate) app: &'a App,
    pub(crate) carrier: Carrier,
    pub(crate) body: &'a [u8],
    pub(crate) trace: Option<&'a str>,
    pub(crate) now: Timestamp,
}

impl Received<'_> {
    /// Writes down what the body tells that is new, its parcels side by side,
    /// what the carrier said of its watching, and counts what is odd about it;
    /// tells whether any of it was new.
    ///
    /// # Errors
    /// When any of it cannot be written. All writes are ended before that is
    /// told: a write that was begun is not given up.
    pub(crate) async fn record(&self, reading: &Reading) -> Result<bool, Failure> {
        self.count_unreadable(reading.unreadable);
        let writes = reading.told.iter().map(|push| self.add(push));
        let mut is_new = false;
        for written in future::join_all(writes).await {
            is_new |= written?;
        }
        if is_new {
            self.count(reading);
        }
        if let Some(watch) = &reading.watch {
            self.rewatch(watch).await?;
        }
        Ok(is_new)
    }

    /// Notes what the carrier said of its watching; there is nothing to note if
    /// the parcel has no label here.
    async fn rewatch(&self, watch: &Watch) -> Result<(), Failure> {
        let write = parcels::rewatch(&watch.tracking, watch.has_ended, watch.courier.as_ref());
        match self.app.store.commit(write).await {
            Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a push to what its parcel was told of; tells whether any of it was
    /// new. Where too much is known of the parcel, what matters most is added.
    async fn add(&self, push: &Push) -> Result<bool, Failure> {
        let received = TrackingReceived { tracking: push.tracking.clone() };
        let sends = Sends::one(Message::TrackingReceived(received), self.now, self.trace);
        let (mut next, mut is_full) = (Some(push.clone()), false);
        while let Some(told) = next {
            let lost = match self.app.store.commit(parcels::record(&told, &sends)).await {
                Ok(()) => return Ok(true),
                Err(CommitError::Lost(lost)) => lost,
                Err(error) => return Err(error.into()),
            };
            let left_out = Conflict::at(&lost, 0).and_then(|it| parcels::left_out(&told, it));
            if left_out.is_some() && !is_full {
                is_full = true;
                self.full(&told);
            }
            next = left_out.and_then(parcels::what_matters);
        }
        Ok(false)
    }

    /// Counts a push that its parcel has no room for.
    fn full(&self, push: &Push) {
        let Tracking { carrier, number } = &push.tracking;
        let number = number.as_str();
        tracing::error!(%carrier, number, "too much was told of the parcel; some is left out");
        self.app.metrics.count_by(Metric::CarrierUnreadable, &by(self.carrier), self.now);
    }

    /// Counts a body of which something cannot be read, known as it may be: what
    /// a carrier changed would be found out in no other way.
    fn count_unreadable(&self, scans: u32) {
        let carrier = self.carrier;
        if scans > 0 {
            tracing::warn!(%carrier, scans, "scans that cannot be read were left out");
            self.app.metrics.count_by(Metric::CarrierUnreadable, &by(carrier), self.now);
        }
    }

    /// Counts what a body that told something new had besides.
    fn count(&self, reading: &Reading) {
        let carrier = self.carrier;
        for code in &reading.unknown_codes {
            tracing::warn!(%carrier, code, "is not in the carrier's table of codes");
            self.app.metrics.count_by(Metric::UnknownCarrierCode, &by(carrier), self.now);
        }
    }

    /// Keeps the body, if the policy says so.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) async fn keep(&self, number: Option<&TrackingNumber>) -> Result<(), Failure> {
        let Some(keep) = self.app.policy().await?.logistics.keep_payloads else {
            return Ok(());
        };
        let deflated = deflate::deflated(self.body).map_err(Failure::bug)?;
        let digest = signature::body_digest(self.body);
        let span = (self.now, self.now.plus(keep));
        let write = parcels::body(self.carrier, number, &digest, deflated, span);
        self.app.store.commit(write).err_into().await
    }
}
