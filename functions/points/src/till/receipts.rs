//! What members bought in stores, and what came back.

use aftercart::{
    model::{
        customer::CustomerId,
        id::OrderId,
        points::{Earning, Entry, Holder, Ledger, Undone},
        policy::Policy,
        till::{
            MAX_RECEIPT_LINES, MAX_RETURNS, Receipt, ReceiptLine, ReceiptReturn, TillEnd, TillHold,
        },
        time::{Period, Timestamp},
    },
    run::{
        App, Failure,
        http::{Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Key, points, till},
};

use crate::{
    posting,
    rules::{
        calendar::Member,
        code,
        till::{self as rules, Changed},
    },
    soundness,
    wire::channels::{RecordReceipt, ReturnReceipt, ReturnView, StoreReceiptView},
};

use super::{ATTEMPTS, Read, Shown, broken, contended, parse};

/// How far a purchase may lie from the moment at which the code was read: a day
/// in a store, and a typing error no further.
const APART: Period = Period::of_days(1);

pub(super) async fn record(app: &App, request: &Request) -> Answer {
    let body: RecordReceipt = request.json()?;
    let read = Read { code: parse(&body.code)?, at: body.read_at.unwrap_or(body.purchased_at) };
    check(&body, read.at, app.now())?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        if let Some(view) = write(app, &body, &read, &policy).await? {
            return Response::json(201, &view);
        }
    }
    Err(contended())
}

fn check(body: &RecordReceipt, read_at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if body.purchased_at > now.plus(code::AHEAD) {
        let detail = "The goods were bought in the future: set the clock of the till.";
        return Err(Problem::invalid("purchased_at", detail));
    }
    if body.lines.is_empty() || body.lines.len() > MAX_RECEIPT_LINES {
        let detail = format!("Send 1 to {MAX_RECEIPT_LINES} lines.");
        return Err(Problem::invalid("lines", detail));
    }
    if body.lines.iter().any(|line| line.quantity == 0) || !body.amounts_fit() {
        let detail = "Every line has 1 unit or more, and what was paid for it, 0 or more.";
        return Err(Problem::invalid("lines", detail));
    }
    if body.purchased_at.plus(APART) < read_at || read_at.plus(APART) < body.purchased_at {
        let detail = "The goods were bought within a day of when the code was read.";
        return Err(Problem::invalid("purchased_at", detail));
    }
    Ok(())
}

/// Writes a receipt and what it earns; none if somebody else was faster.
async fn write(
    app: &App,
    body: &RecordReceipt,
    read: &Read,
    policy: &Policy,
) -> Result<Option<StoreReceiptView>, Failure> {
    let (id, number) = (Receipt::id_of(&body.store, &body.receipt), &read.code.number);
    let mut keys = vec![Key::receipt(&id)];
    keys.extend(read.keys());
    keys.extend(body.hold.as_ref().map(Key::till_hold));
    let found = app.store.read(&keys).await?;
    if let Some(known) = found.receipt(&id)? {
        let same =
            found.numbered(number)?.is_some_and(|member| is_same(&known, &receipt(body, member)));
        return if same { recorded(app, &known).await.map(Some) } else { Err(taken().into()) };
    }
    let Shown { member, .. } = read.check(app, policy.points.till.offline, &found).await?;
    if let Some(hold) = &body.hold {
        check_hold(found.till_hold(hold)?, &member, &id)?;
    }
    let receipt = receipt(body, member);
    let found =
        app.store.read(&[Key::ledger(&receipt.customer), Key::profile(&receipt.customer)]).await?;
    let before = found.ledger(&receipt.customer)?;
    let who = Member::of(&before, &found.profile(&receipt.customer)?, &policy.points);
    let decided = rules::record(&receipt, &before, &who, policy);
    let (earning, changed) = decided.map_err(|error| broken(app, error))?;
    soundness::check(app, &changed.ledger)?;
    let Changed { ledger, entries, news } = &changed;
    let mut commit = Commit::new().with(till::record(&receipt));
    if let Some(hold) = &receipt.hold {
        commit = commit.with(till::name_receipt(hold, &receipt.id));
    }
    if let Some(earning) = &earning {
        commit = commit.with(points::post_earning(earning));
    }
    commit = commit.and(posting::writes(&before, ledger, entries, news, policy, app.now()));
    match app.store.commit(commit).await {
        Ok(()) => {
            let points = earning.as_ref().map_or(0, |earning| earning.entry.moved());
            app.metrics.add(Metric::PointsPosted, points, app.now());
            Ok(Some(view(&receipt, earning.as_ref())))
        }
        Err(CommitError::Lost(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the hold that a receipt names paid for it.
fn check_hold(
    hold: Option<TillHold>,
    member: &CustomerId,
    receipt: &OrderId,
) -> Result<(), Problem> {
    let captured = |hold: &TillHold| matches!(hold.ended, Some(TillEnd::Captured { .. }));
    let Some(hold) = hold.filter(|hold| hold.member == *member && captured(hold)) else {
        return Err(Problem::invalid("hold", "Name a hold of the member that was captured."));
    };
    if hold.receipt.is_some_and(|named| named != *receipt) {
        let detail = "The points of the hold paid for another receipt; a hold pays for one.";
        return Err(Problem::new(409, "hold-used", "The hold is used", detail).at("hold"));
    }
    Ok(())
}

fn receipt(body: &RecordReceipt, customer: CustomerId) -> Receipt {
    let line = |line: &crate::wire::channels::ReceiptLineBody| ReceiptLine {
        sku: line.sku.clone(),
        category: line.category.clone(),
        brand: line.brand.clone(),
        quantity: line.quantity,
        paid: line.paid,
    };
    Receipt {
        id: Receipt::id_of(&body.store, &body.receipt),
        customer,
        store: body.store.clone(),
        number: body.receipt.clone(),
        purchased_at: body.purchased_at,
        currency: body.currency,
        lines: body.lines.iter().map(line).collect(),
        hold: body.hold.clone(),
        returns: Vec::new(),
    }
}

/// Whether a receipt was sent before as it is sent now, whatever came back
/// since.
fn is_same(known: &Receipt, sent: &Receipt) -> bool {
    Receipt { returns: Vec::new(), ..known.clone() } == *sent
}

async fn recorded(app: &App, receipt: &Receipt) -> Result<StoreReceiptView, Failure> {
    let key = earning_key(receipt);
    let earning = app.store.read(std::slice::from_ref(&key)).await?.earning(&key)?;
    Ok(view(receipt, earning.as_ref()))
}

fn earning_key(receipt: &Receipt) -> Key {
    let customer = &receipt.customer;
    Key::entry(customer, receipt.purchased_at, &Ledger::earning(customer, &receipt.id))
}

fn view(receipt: &Receipt, earning: Option<&Earning>) -> StoreReceiptView {
    StoreReceiptView {
        id: receipt.id.clone(),
        earned: earning.map_or(0, |earning| earning.entry.moved()),
        lines: earning.map(|earning| earning.entry.lines.clone()).unwrap_or_default(),
        spendable_from: earning.and_then(|earning| earning.claim.matures_at),
    }
}

fn taken() -> Problem {
    let detail = "The store sent another receipt of this number, or for another member.";
    Problem::new(409, "receipt-taken", "The number is taken", detail).at("receipt")
}

pub(super) async fn give_back(app: &App, request: &Request) -> Answer {
    let body: ReturnReceipt = request.json()?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let returning = Returning::load(app, &body).await?;
        if let Some(view) = returning.settle(app, &policy).await? {
            return Response::json(200, &view);
        }
    }
    Err(contended())
}

/// A receipt of which something comes back, and what is known of its points.
struct Returning {
    read: Receipt,
    /// With what comes back now.
    receipt: Receipt,
    earned: Option<Earning>,
    /// The ledger that earned, and what was undone in it.
    own: (Ledger, Undone),
    paid: Option<Paid>,
}

/// Points that paid for a part of a receipt.
struct Paid {
    hold: TillHold,
    spent: Entry,
    /// The ledger that paid, and what was undone in it, if it is another one
    /// than that which earned.
    account: Option<(Ledger, Undone)>,
}

impl Returning {
    async fn load(app: &App, body: &ReturnReceipt) -> Result<Self, Failure> {
        let id = Receipt::id_of(&body.store, &body.receipt);
        let read = app.store.read(&[Key::receipt(&id)]).await?.receipt(&id)?;
        let unknown = || Problem::new(404, "not-found", "Not found", "There is no such receipt.");
        let read = read.ok_or_else(|| unknown().at("receipt"))?;
        let receipt = with_return(&read, body)?;
        let (customer, earning) = (&read.customer, earning_key(&read));
        let mut keys = vec![Key::ledger(customer), earning.clone(), Key::undone(customer, &id)];
        keys.extend(read.hold.as_ref().map(Key::till_hold));
        let found = app.store.read(&keys).await?;
        let earned = found.earning(&earning)?;
        let own = (found.ledger(customer)?, found.undone(customer, &id)?);
        let hold = read.hold.as_ref().map(|id| found.till_hold(id)).transpose()?.flatten();
        let paid = match hold {
            Some(hold) => Paid::load(app, hold, &read).await?,
            None => None,
        };
        Ok(Self { read, receipt, earned, own, paid })
    }

    /// Writes what follows from all returns; none if somebody else was faster.
    async fn settle(self, app: &App, policy: &Policy) -> Result<Option<ReturnView>, Failure> {
        let now = app.now();
        let Self { read, receipt, earned, own: (before, undone), mut paid } = self;
        let (mut changed, mut of_own) = (rules::unchanged(&before), undone.clone());
        let mut commit = Commit::new();
        if receipt != read {
            commit = commit.with(till::note_return(&read, &receipt));
        }
        // Before anything is taken back, so that less has to be owed.
        let mut given = 0;
        if let Some(Paid { hold, spent, account }) = &mut paid {
            let by = (&*hold, &*spent);
            given = match account {
                None => {
                    rules::give_back(&receipt, by, &mut of_own, &mut changed, now, policy)
                        .map_err(|error| broken(app, error))?;
                    of_own.returned
                }
                Some((ledger, undone)) => {
                    let (mut paying, mut of_paid) = (rules::unchanged(ledger), undone.clone());
                    rules::give_back(&receipt, by, &mut of_paid, &mut paying, now, policy)
                        .map_err(|error| broken(app, error))?;
                    let written = (&paying, &of_paid);
                    commit = commit.and(writes(app, (ledger, undone), written, policy, now)?);
                    of_paid.returned
                }
            };
        }
        if let Some(read) = earned {
            let mut now_earned = read.clone();
            rules::take_back(&receipt, &mut now_earned, &mut of_own, &mut changed, now, policy)
                .map_err(|error| broken(app, error))?;
            if now_earned != read {
                commit =
                    commit.with(points::save_claim(&read.entry, &read.claim, &now_earned.claim)?);
            }
        }
        let taken_back = of_own.taken;
        commit = commit.and(writes(app, (&before, &undone), (&changed, &of_own), policy, now)?);
        let view = ReturnView { id: receipt.id, taken_back, given_back: given };
        match app.store.commit(commit).await {
            Ok(()) => Ok(Some(view)),
            Err(CommitError::Lost(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Paid {
    /// None if the hold did not pay.
    async fn load(app: &App, hold: TillHold, receipt: &Receipt) -> Result<Option<Self>, Failure> {
        let Some(TillEnd::Captured { at, .. }) = hold.ended else { return Ok(None) };
        let account = &hold.account;
        let spending = Ledger::spending(account, &Holder::Till(hold.id.clone()));
        let key = Key::entry(account, at, &spending);
        let keys = [key.clone(), Key::ledger(account), Key::undone(account, &receipt.id)];
        let found = app.store.read(&keys).await?;
        let Some(spent) = found.entry(&key)? else { return Ok(None) };
        let is_other = *account != receipt.customer;
        let account = (found.ledger(account)?, found.undone(account, &receipt.id)?);
        Ok(Some(Self { hold, spent, account: is_other.then_some(account) }))
    }
}

/// A ledger and what was undone in it, if they changed.
fn writes(
    app: &App,
    (before, undone): (&Ledger, &Undone),
    (changed, now_undone): (&Changed, &Undone),
    policy: &Policy,
    now: Timestamp,
) -> Result<Commit, Failure> {
    soundness::check(app, &changed.ledger)?;
    let undo = (undone != now_undone).then(|| points::undo(undone, now_undone));
    let undo: Commit = undo.into_iter().collect();
    let Changed { ledger, entries, news } = changed;
    Ok(undo.and(posting::writes(before, ledger, entries, news, policy, now)))
}

/// The receipt with what comes back: as it is, if that was told before.
fn with_return(read: &Receipt, body: &ReturnReceipt) -> Result<Receipt, Problem> {
    let lines: Vec<(u16, u32)> = body.lines.iter().map(|line| (line.line, line.units)).collect();
    let sent = ReceiptReturn { number: body.number.clone(), lines };
    let mut receipt = read.clone();
    match read.returns.iter().find(|known| known.number == sent.number) {
        Some(known) if *known == sent => return Ok(receipt),
        Some(_) => {
            let detail = "The store sent another return of this number.";
            let problem = Problem::new(409, "receipt-taken", "The number is taken", detail);
            return Err(problem.at("number"));
        }
        None => {}
    }
    if read.returns.len() >= MAX_RETURNS {
        let detail = format!("A receipt has at most {MAX_RETURNS} returns.");
        return Err(Problem::new(409, "too-many-returns", "Too many returns", detail));
    }
    let fits = |(line, units): &(u16, u32)| {
        let line = usize::from(*line);
        *units > 0 && line >= 1 && line <= read.lines.len()
    };
    if sent.lines.is_empty() || sent.lines.len() > MAX_RECEIPT_LINES || !sent.lines.iter().all(fits)
    {
        let detail = "Name lines of the receipt, counted from 1, and 1 unit of each or more.";
        return Err(Problem::invalid("lines", detail));
    }
    receipt.returns.push(sent);
    let over = |(units, line): (u32, &ReceiptLine)| units > line.quantity;
    if receipt.returned().into_iter().zip(&receipt.lines).any(over) {
        let detail = "More units of a line came back than were bought.";
        return Err(
            Problem::new(409, "units-returned", "They are back already", detail).at("lines")
        );
    }
    Ok(receipt)
}
