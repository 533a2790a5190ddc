//! Every minute: asks carriers about parcels of which nobody told.
//!
//! When a parcel is asked about is decided by [`crate::rules::polling`]. A new
//! label is first told to its carrier, so that it reports by itself from then on.
//! What an answer tells is written down like a push; the parcel's journey follows from
//! it as from any other. Then the parcel leaves the index of what is due, or is
//! due again later. A parcel of which something was heard meanwhile is put off
//! without a call.
//!
//! Only carriers that the policy names are asked, each at most as often a
//! minute as it says: a row of a few calls at once, and the rows spread over the
//! run. A call without an answer that can be used is made once more after a
//! second, unless the carrier blocks who asks about a number again so soon
//! ([`Adapter::ask_again_after`](carriers::Adapter::ask_again_after)). Carriers
//! are seen to side by side, and have an index each, so that none waits for
//! another. What a carrier does not take is put off, with what would meet the
//! same:
//!
//! | what happened | the parcel | the rest of what is due of the carrier |
//! |---|---|---|
//! | it does not know the parcel yet, or not as it is asked about | as if it had nothing to tell | goes on |
//! | the parcel lacks what the carrier wants to know | as if it had nothing to tell, mostly without a call | goes on |
//! | no answer, or none that can be used | as if it had nothing to tell; counted | goes on; after a whole row of them it waits ten minutes |
//! | it asks for fewer calls | waits five minutes, or as long as its number must; counted | five minutes |
//! | it refuses our account, or cannot be asked with it | waits an hour; counted, and a failure of the run | the same for all that wants the same, to be reported or to be asked about; the others go on |
//!
//! So an outage costs a few calls a minute, and nobody else's parcels wait.
//!
//! Before a call the parcel's turn is taken, by a conditional write that puts
//! it off for longer than a run may last: of two runs at once one asks. What
//! goes wrong after it gives the turn back, so that the next run asks again.
//!
//! What is due of a carrier that the policy does not name any more leaves the
//! index, with what the others leave of a run's bound.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use aftercart::{
    model::{
        logistics::LogisticsPolicy,
        shipment::{Carrier, History, Journey, Parcel, Tracking},
        time::Period,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, Swept},
        secrets::{Credentials, Secret},
    },
    store::{CommitError, Index, Op, Table, parcels},
};
use bytes::Bytes;
use futures::{StreamExt as _, future::join_all, stream};
use http::Request;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    carriers::{self, AskError, Reading},
    recording::{Received, by},
    rules::{
        fold,
        polling::{self, Due},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "carrier-poll",
    about: "Asks carriers about parcels of which nobody told.",
    trigger: Trigger::Schedule("rate(1 minute)"),
    needs: &[
        Need::Table(Table::Tracking, &[Op::GetItem, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Tracking, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Carriers),
        Need::Setting(Setting::PublicUrl),
        Need::Outgoing,
    ],
    handle,
};

/// How many parcels are read for each call that may be made: two of three may
/// be put off without one, because something was heard of them.
const READ_FOR_A_CALL: u16 = 3;

/// How many parcels are read, or put off, side by side.
const SIDE_BY_SIDE: usize = 16;

/// How many calls of one carrier are made at once, and how many of them in a
/// row must bring nothing that can be used before the rest is left.
const ROW: u16 = 4;

/// Over which time the calls that a carrier bears in a minute are spread. What
/// is left of the minute is for the last row, whose calls may be made twice
/// at 5 s each, and for writing.
const SPREAD: Duration = Duration::from_secs(40);

/// How long a call waits that is made once more: what failed for a moment is
/// there again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long a turn is taken: longer than a run may last, which is a minute.
const TAKEN_FOR: Period = Period::of_seconds(120);

/// How long a carrier is left alone that does not answer.
const SILENT_FOR: Period = Period::of_seconds(600);

/// How long a carrier is left alone that asks for fewer calls; its window is
/// mostly a minute.
const THROTTLED_FOR: Period = Period::of_seconds(300);

/// How long a carrier is left alone that refuses our account: somebody has to
/// mend that, and some block who goes on.
const REFUSED_FOR: Period = Period::of_seconds(3_600);

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let limits = policy.logistics.polling.carriers.iter();
    let lanes =
        limits.map(|(carrier, limit)| run(&app, &policy.logistics, *carrier, limit.per_minute));
    let swept = join_all(lanes).await.into_iter().fold(Swept::default(), Swept::plus);
    Ok(leave_unnamed(&app, &policy.logistics, swept).await)
}

/// Takes what is due of carriers that the policy does not name out of the index.
async fn leave_unnamed(app: &App, policy: &LogisticsPolicy, mut swept: Swept) -> Swept {
    let named = &policy.polling.carriers;
    for carrier in Carrier::ALL.into_iter().filter(|carrier| !named.contains_key(carrier)) {
        let seen = swept.done.saturating_add(swept.settled).saturating_add(swept.failed);
        let left = schedule::SWEEP_MAX.saturating_sub(u16::try_from(seen).unwrap_or(u16::MAX));
        if left == 0 {
            break;
        }
        let (_, left_alone) = Book { app, policy, carrier }.read(left).await;
        swept = swept.plus(left_alone);
    }
    swept
}

/// Sees to one carrier; that it cannot be begun is a failure of its own.
async fn run(app: &App, policy: &LogisticsPolicy, carrier: Carrier, per_minute: u16) -> Swept {
    let mut swept = Swept::default();
    match Lane::open(app, policy, carrier, per_minute).await {
        Ok(lane) => lane.run().await,
        Err(failure) => {
            swept.see_to(carrier.as_str(), async { Err(failure) }).await;
            swept
        }
    }
}

/// What is kept of a carrier's parcels.
struct Book<'a> {
    app: &'a App,
    policy: &'a LogisticsPolicy,
    carrier: Carrier,
}

/// One carrier in one run.
struct Lane<'a> {
    book: Book<'a>,
    credentials: Credentials,
    callback: String,
    per_minute: u16,
    /// How many calls may still be made.
    left: AtomicU16,
    started: Instant,
}

/// A parcel that is to be asked about.
#[derive(Clone)]
struct Turn {
    parcel: Parcel,
    /// What [`Parcel::asked`] was before the turn was taken.
    asked: u32,
    history: History,
    journey: Journey,
    due: Due,
}

/// How a carrier took a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    /// It answered, or was not called.
    Well,
    /// No answer that can be used.
    Badly,
    /// It asks for fewer calls.
    Throttled,
    /// It takes no call of this kind of ours.
    Refused,
}

impl Book<'_> {
    /// What is due of the carrier, and to be asked, of so many parcels at most.
    /// What needs no call is done with.
    async fn read(&self, most: u16) -> (Vec<Turn>, Swept) {
        let (mut turns, mut swept) = (Vec::new(), Swept::default());
        let due = match self.app.store.parcels_to_ask(self.carrier, self.app.now(), most).await {
            Ok(due) => due,
            Err(error) => {
                swept.see_to(self.carrier.as_str(), async { Err(error.into()) }).await;
                return (turns, swept);
            }
        };
        let reads: Vec<_> = due.iter().map(|tracking| self.read_one(tracking)).collect();
        let mut reads = stream::iter(reads).buffered(SIDE_BY_SIDE);
        while let Some((one, turn)) = reads.next().await {
            swept = swept.plus(one);
            turns.extend(turn);
        }
        (turns, swept)
    }

    async fn read_one(&self, tracking: &Tracking) -> (Swept, Option<Turn>) {
        let (mut swept, mut turn) = (Swept::default(), None);
        let subject = tracking.number.as_str();
        let reading = async {
            turn = self.decide(self.app.store.parcel(tracking).await?).await?;
            Ok(Outcome::Settled)
        };
        swept.see_to(subject, reading).await;
        if turn.is_some() {
            swept.settled = 0;
        }
        (swept, turn)
    }

    /// The index lags, so the parcel itself says whether it is due.
    async fn decide(&self, history: History) -> Result<Option<Turn>, Failure> {
        let now = self.app.now();
        let Some(parcel) = history.parcel.clone() else { return Ok(None) };
        if parcel.ask_at.is_none_or(|at| at > now) {
            return Ok(None);
        }
        let journey = fold::journey(&history);
        let after = match polling::due(&parcel, &journey, self.policy, now) {
            Due::Never => Parcel { ask_at: None, ..parcel.clone() },
            Due::Later(at) => polling::reported(&parcel, at),
            due => {
                let asked = parcel.asked;
                return Ok(Some(Turn { parcel, asked, history, journey, due }));
            }
        };
        self.write(&parcel, &after).await?;
        Ok(None)
    }

    /// Leaves parcels alone for a while: left due, they would be read before
    /// all that is due later, in every run.
    async fn put_off(&self, turns: Vec<(Turn, Period)>) -> Swept {
        let turns: Vec<_> = turns
            .iter()
            .map(|(turn, wait)| async move {
                let mut swept = Swept::default();
                let subject = turn.parcel.tracking.number.as_str();
                let leaving = async {
                    self.leave(turn, *wait).await?;
                    Ok(Outcome::Settled)
                };
                swept.see_to(subject, leaving).await;
                swept
            })
            .collect();
        stream::iter(turns)
            .buffer_unordered(SIDE_BY_SIDE)
            .fold(Swept::default(), async |a, b| a.plus(b))
            .await
    }

    async fn leave(&self, turn: &Turn, wait: Period) -> Result<(), Failure> {
        let ask_at = Some(self.app.now().plus(wait));
        let after = Parcel { ask_at, asked: turn.asked, ..turn.parcel.clone() };
        self.write(&turn.parcel, &after).await?;
        Ok(())
    }

    /// Whether it was written. What lost was seen to by another run at the same
    /// time, or is planned for an earlier time by whoever folds what was told.
    async fn write(&self, before: &Parcel, after: &Parcel) -> Result<bool, Failure> {
        match self.app.store.commit(parcels::ask(before, after)?).await {
            Ok(()) => Ok(true),
            Err(CommitError::Lost(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// How long a parcel is to wait for what came of a row before it, if it is.
fn wait(row: &[(Due, Went)], turn: &Turn) -> Option<Period> {
    let is_silent = row.iter().all(|(_, went)| *went == Went::Badly);
    let waits = row.iter().filter_map(|(due, went)| match went {
        Went::Throttled => Some(THROTTLED_FOR),
        Went::Refused if *due == turn.due => Some(REFUSED_FOR),
        _ => None,
    });
    waits.max().or_else(|| is_silent.then_some(SILENT_FOR))
}

impl<'a> Lane<'a> {
    async fn open(
        app: &'a App,
        policy: &'a LogisticsPolicy,
        carrier: Carrier,
        per_minute: u16,
    ) -> Result<Self, Failure> {
        let (now, started) = (app.now(), Instant::now());
        let credentials = app.secrets.credentials(Secret::Carriers, carrier.as_str(), now).await?;
        let base = app.setting(Setting::PublicUrl)?.trim_end_matches('/');
        let callback = format!("{base}/carriers/{carrier}/events");
        let (book, left) = (Book { app, policy, carrier }, AtomicU16::new(per_minute));
        Ok(Self { book, credentials, callback, per_minute, left, started })
    }

    async fn run(self) -> Swept {
        let most = self.per_minute.saturating_mul(READ_FOR_A_CALL).min(schedule::SWEEP_MAX);
        let (mut turns, mut swept) = self.book.read(most).await;
        let mut number = 0;
        while !turns.is_empty() && self.goes_on() {
            sleep_until(self.started + self.pace(number)).await;
            let rest = turns.split_off(turns.len().min(ROW.into()));
            let (of_row, row) = self.ask_row(&turns).await;
            let (mut waiting, mut next) = (Vec::new(), Vec::new());
            for turn in rest {
                match wait(&row, &turn) {
                    Some(wait) => waiting.push((turn, wait)),
                    None => next.push(turn),
                }
            }
            if !waiting.is_empty() {
                tracing::warn!(carrier = %self.book.carrier, parcels = waiting.len(), "put off");
            }
            swept = swept.plus(of_row).plus(self.book.put_off(waiting).await);
            (turns, number) = (next, number.saturating_add(1));
        }
        swept
    }

    /// Whether another row may begin. What is left over is due still, and comes
    /// first in the next run.
    fn goes_on(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0 && self.started.elapsed() <= SPREAD
    }

    /// When a row begins.
    fn pace(&self, row: u32) -> Duration {
        let before = row.saturating_mul(ROW.into());
        SPREAD.saturating_mul(before) / u32::from(self.per_minute.max(1))
    }

    /// Asks about a few parcels at once.
    async fn ask_row(&self, row: &[Turn]) -> (Swept, Vec<(Due, Went)>) {
        let asked = row.iter().map(|turn| async move {
            let (mut swept, mut went) = (Swept::default(), Went::Well);
            let subject = turn.parcel.tracking.number.as_str();
            swept.see_to(subject, self.see_to(turn, &mut went)).await;
            (swept, (turn.due, went))
        });
        let asked = join_all(asked).await;
        let swept = asked.iter().fold(Swept::default(), |sum, (one, _)| sum.plus(*one));
        (swept, asked.into_iter().map(|(_, went)| went).collect())
    }

    async fn see_to(&self, turn: &Turn, went: &mut Went) -> Result<Outcome, Failure> {
        let request = match self.request(turn) {
            Ok(Some(request)) => request,
            // The carrier reports without being told to.
            Ok(None) => return self.subscribed(turn, &turn.journey).await,
            Err(error) => return self.failed(turn, &error, went).await,
        };
        // It is due still.
        if !self.reserve() {
            return Ok(Outcome::Settled);
        }
        let taken = self.taken(turn);
        let done = async {
            if !self.book.write(&turn.parcel, &taken.parcel).await? {
                return Ok(Outcome::Settled);
            }
            match self.ask(&taken, &request).await {
                Ok((body, reading)) => self.told(&taken, &body, &reading).await,
                Err(error) => self.failed(&taken, &error, went).await,
            }
        }
        .await;
        // A number that must be left alone comes back when its turn ends.
        if done.is_err() && self.may_repeat(turn) {
            let back = Parcel { ask_at: turn.parcel.ask_at, ..taken.parcel.clone() };
            self.book.write(&taken.parcel, &back).await?;
        }
        done
    }

    /// The turn, with its parcel put off until whoever took it has ended. So
    /// a run that ends in between and the next one, which meets what this one
    /// wrote, come to the same.
    fn taken(&self, turn: &Turn) -> Turn {
        let taken_for = TAKEN_FOR.max(self.apart(turn));
        let ask_at = Some(self.book.app.now().plus(taken_for));
        let parcel = Parcel { ask_at, ..polling::asking(&turn.parcel) };
        Turn { parcel, ..turn.clone() }
    }

    /// How long the parcel must be left alone once it was called about.
    fn apart(&self, turn: &Turn) -> Period {
        match turn.due {
            Due::Ask => carriers::of(self.book.carrier).ask_again_after(),
            _ => Period::of_seconds(0),
        }
    }

    fn may_repeat(&self, turn: &Turn) -> bool {
        self.apart(turn) == Period::of_seconds(0)
    }

    /// Counts a call in vain, and puts the parcel off.
    async fn failed(
        &self,
        turn: &Turn,
        error: &AskError,
        went: &mut Went,
    ) -> Result<Outcome, Failure> {
        *went = self.count(turn, error);
        match went {
            Went::Well | Went::Badly => return self.asked(turn, &turn.journey, false).await,
            Went::Throttled => self.book.leave(turn, THROTTLED_FOR.max(self.apart(turn))).await?,
            Went::Refused => {
                self.book.leave(turn, REFUSED_FOR.max(self.apart(turn))).await?;
                return Err(Failure::retry(error.to_string()));
            }
        }
        Ok(Outcome::Done)
    }

    /// Counts a call in vain, and says what it means for the carrier. That a
    /// parcel cannot be asked about says nothing of the others.
    fn count(&self, turn: &Turn, error: &AskError) -> Went {
        let Book { app, carrier, .. } = self.book;
        if *error == AskError::NotKnown {
            return Went::Well;
        }
        let number = turn.parcel.tracking.number.as_str();
        tracing::warn!(%carrier, number, %error, "asked in vain");
        if let AskError::Missing(_) = error {
            return Went::Well;
        }
        app.metrics.count_by(Metric::CarrierAskFailed, &by(carrier), app.now());
        match error {
            AskError::Throttled => Went::Throttled,
            AskError::Refused(_) | AskError::Unsupported(_) => Went::Refused,
            _ => Went::Badly,
        }
    }

    /// The call that a turn wants; none, if the carrier reports without it.
    fn request(&self, turn: &Turn) -> Result<Option<Request<Bytes>>, AskError> {
        let adapter = carriers::of(self.book.carrier);
        match turn.due {
            Due::Subscribe => adapter.subscribe(&self.credentials, &turn.parcel, &self.callback),
            _ => adapter.ask(&self.credentials, &turn.parcel, self.book.app.now()).map(Some),
        }
    }

    /// Takes one of the calls that may still be made, if there is one.
    fn reserve(&self) -> bool {
        let take = |left: u16| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Calls the carrier about a parcel, once more if it fails and may be called
    /// again.
    async fn ask(
        &self,
        turn: &Turn,
        request: &Request<Bytes>,
    ) -> Result<(Bytes, Reading), AskError> {
        match self.call(turn, request).await {
            Err(error @ AskError::Failed(_)) if self.may_repeat(turn) => {
                sleep(AGAIN_AFTER).await;
                if !self.reserve() {
                    return Err(error);
                }
                self.call(turn, request).await
            }
            said => said,
        }
    }

    async fn call(
        &self,
        turn: &Turn,
        request: &Request<Bytes>,
    ) -> Result<(Bytes, Reading), AskError> {
        let Book { app, carrier, .. } = self.book;
        let (adapter, now) = (carriers::of(carrier), app.now());
        app.metrics.count_by(Metric::CarrierAsked, &by(carrier), now);
        let answer = app.outgoing.call(request.clone()).await;
        let answer = answer.map_err(|error| AskError::Failed(error.to_string()))?;
        let reading = match turn.due {
            Due::Subscribe => adapter.subscribed(&answer, now)?,
            _ => adapter.answered(&answer, now)?,
        };
        Ok((answer.into_body(), reading))
    }

    /// Writes down what the carrier told, and when it is asked again. What is
    /// new is kept before it is known as told, so that a run which ends in
    /// between is made good by the next.
    async fn told(&self, turn: &Turn, body: &[u8], reading: &Reading) -> Result<Outcome, Failure> {
        let Book { app, carrier, .. } = self.book;
        let tracking = &turn.parcel.tracking;
        let mut history = turn.history.clone();
        for push in reading.told.iter().filter(|push| push.tracking == *tracking) {
            history.events.extend(push.events.iter().cloned());
            history.estimates.extend(push.estimate);
        }
        let received = Received { app, carrier, body, trace: None, now: app.now() };
        let is_new = history.told() > turn.history.told();
        if is_new || reading.is_unreadable() {
            received.keep(Some(&tracking.number)).await?;
        }
        received.record(reading).await?;
        let journey = fold::journey(&history);
        match turn.due {
            Due::Subscribe => self.subscribed(turn, &journey).await,
            _ => self.asked(turn, &journey, is_new).await,
        }
    }

    async fn subscribed(&self, turn: &Turn, journey: &Journey) -> Result<Outcome, Failure> {
        let Book { app, policy, .. } = self.book;
        let after = polling::subscribed(&turn.parcel, journey, policy, app.now());
        self.book.write(&turn.parcel, &after).await?;
        Ok(Outcome::Done)
    }

    async fn asked(
        &self,
        turn: &Turn,
        journey: &Journey,
        is_new: bool,
    ) -> Result<Outcome, Failure> {
        let Book { app, policy, .. } = self.book;
        let parcel = Parcel { asked: turn.asked, ..turn.parcel.clone() };
        let after = polling::asked(&parcel, (journey, is_new), policy, app.now());
        self.book.write(&turn.parcel, &after).await?;
        Ok(Outcome::Done)
    }
}
