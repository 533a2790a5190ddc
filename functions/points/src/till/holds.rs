//! Points that are held for tills.

use aftercart::{
    model::{
        id::HoldId,
        points::{Holder, Ledger, LedgerError},
        text::Text,
        till::{TillEnd, TillHold},
        time::Timestamp,
    },
    run::{
        App, Failure,
        http::{Answer, Problem, Request, Response},
    },
    store::{Commit, CommitError, Key, till},
};

use crate::{
    account, posting,
    rules::till as rules,
    soundness,
    wire::channels::{CaptureHold, HoldPoints, TillHoldView, VoidHold},
};

use super::{ATTEMPTS, Read, Shown, broken, contended, parse};

pub(super) async fn hold(app: &App, request: &Request, till: &Text<128>) -> Answer {
    let key = request.idempotency_key()?;
    let id = HoldId::derive(&[till.as_str(), key.as_str()]);
    let HoldPoints { code, read_at, points } = request.json()?;
    if points == 0 {
        return Err(Problem::invalid("points", "Hold 1 point or more.").into());
    }
    let read = Read { code: parse(&code)?, at: read_at.unwrap_or_else(|| app.now()) };
    for _ in 0..ATTEMPTS {
        match take(app, &id, &read, i64::from(points)).await? {
            Held::New(hold) => return Response::json(201, &TillHoldView::from(&hold)),
            Held::Known(hold) => {
                // As the first call was answered, whatever became of it since.
                let hold = TillHold { ended: None, ..hold };
                return Ok(Response::json(201, &TillHoldView::from(&hold))?.replayed());
            }
            Held::Lost => {}
        }
    }
    Err(contended())
}

/// What became of a call that holds points.
enum Held {
    New(TillHold),
    Known(TillHold),
    Lost,
}

async fn take(app: &App, id: &HoldId, read: &Read, points: i64) -> Result<Held, Failure> {
    let number = &read.code.number;
    let [known, refused] = read.keys();
    let found = app.store.read(&[Key::till_hold(id), known, refused]).await?;
    if let Some(hold) = found.till_hold(id)? {
        let same = hold.points == points && found.numbered(number)?.as_ref() == Some(&hold.member);
        return if same { Ok(Held::Known(hold)) } else { Err(Problem::key_reused().into()) };
    }
    let policy = app.policy().await?;
    let terms = &policy.points.till;
    let Shown { member, step } = read.check(app, terms.hold, &found).await?;
    let found = app.store.read(&[Key::ledger(&member), Key::used_code(number, step)]).await?;
    match found.code_used(number, step)? {
        Some(by) if by == *id => return Ok(Held::Lost),
        Some(_) => return Err(used().into()),
        None => {}
    }
    let before = account::spent_from(app, found.ledger(&member)?).await?;
    let now = app.now();
    let until = now.plus(terms.hold);
    let mut ledger = before.clone();
    let holder = Holder::Till(id.clone());
    ledger.hold(holder, points, Some(until)).map_err(|error| refuse(app, &before, error))?;
    soundness::check(app, &ledger)?;
    let account = ledger.customer.clone();
    let hold =
        TillHold { id: id.clone(), member, account, points, until, ended: None, receipt: None };
    let commit = posting::writes(&before, &ledger, &[], &[], &policy, now)
        .with(till::open_hold(&hold))
        .with(till::use_code(number, step, id));
    match app.store.commit(commit).await {
        Ok(()) => Ok(Held::New(hold)),
        Err(CommitError::Lost(_)) => Ok(Held::Lost),
        Err(error) => Err(error.into()),
    }
}

fn used() -> Problem {
    let detail = "Points were held for this code before; ask the member for the next code.";
    Problem::new(409, "member-code-used", "The code was used", detail).at("code")
}

fn refuse(app: &App, ledger: &Ledger, error: LedgerError) -> Failure {
    match error {
        LedgerError::TooFew => {
            let points = ledger.holdable();
            let detail = format!("{points} points may be held now; ask for at most so many.");
            Problem::new(409, "too-few-points", "Too few points", detail).at("points").into()
        }
        error => broken(app, error),
    }
}

pub(super) async fn capture(app: &App, request: &Request) -> Answer {
    let CaptureHold { hold: id, points } = request.json()?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let (mut hold, before) = load(app, &id).await?;
        let wanted = points.map_or(hold.points, i64::from);
        if wanted == 0 || wanted > hold.points {
            let detail = format!("Spend 1 to {} points, or void the hold.", hold.points);
            return Err(Problem::invalid("points", detail).into());
        }
        match hold.ended {
            Some(TillEnd::Captured { points, .. }) if points == wanted => return answer(&hold),
            Some(_) => return Err(ended().into()),
            None => {}
        }
        let now = app.now();
        let changed = rules::capture(&before, &id, wanted, now, &policy);
        let Some(changed) = changed.map_err(|error| broken(app, error))? else {
            return Err(over(hold.until).into());
        };
        soundness::check(app, &changed.ledger)?;
        hold.ended = Some(TillEnd::Captured { at: now, points: wanted });
        let rules::Changed { ledger, entries, news } = &changed;
        let commit = posting::writes(&before, ledger, entries, news, &policy, now);
        if written(app, commit.with(till::end_hold(&hold))).await? {
            return answer(&hold);
        }
    }
    Err(contended())
}

pub(super) async fn void(app: &App, request: &Request) -> Answer {
    let VoidHold { hold: id } = request.json()?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let (mut hold, before) = load(app, &id).await?;
        match hold.ended {
            Some(TillEnd::Voided) => return answer(&hold),
            Some(TillEnd::Captured { .. }) => return Err(ended().into()),
            None => {}
        }
        let mut ledger = before.clone();
        ledger.release(&Holder::Till(id.clone()));
        hold.ended = Some(TillEnd::Voided);
        let commit = posting::writes(&before, &ledger, &[], &[], &policy, app.now());
        if written(app, commit.with(till::end_hold(&hold))).await? {
            return answer(&hold);
        }
    }
    Err(contended())
}

/// A hold and the ledger in which its points are.
async fn load(app: &App, id: &HoldId) -> Result<(TillHold, Ledger), Failure> {
    let found = app.store.read(&[Key::till_hold(id)]).await?;
    let unknown = || Problem::new(404, "not-found", "Not found", "There is no such hold.");
    let hold = found.till_hold(id)?.ok_or_else(|| unknown().at("hold"))?;
    let found = app.store.read(&[Key::ledger(&hold.account)]).await?;
    let ledger = found.ledger(&hold.account)?;
    Ok((hold, ledger))
}

/// Whether it was written; somebody else was faster otherwise.
async fn written(app: &App, commit: Commit) -> Result<bool, Failure> {
    match app.store.commit(commit).await {
        Ok(()) => Ok(true),
        Err(CommitError::Lost(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn answer(hold: &TillHold) -> Answer {
    Response::json(200, &TillHoldView::from(hold))
}

fn ended() -> Problem {
    let detail = "The hold ended in another way; hold the points again.";
    Problem::new(409, "hold-ended", "The hold has ended", detail)
}

fn over(until: Timestamp) -> Problem {
    let detail = format!("The hold was until {until}; hold the points again.");
    Problem::new(409, "hold-ended", "The hold has ended", detail)
}
