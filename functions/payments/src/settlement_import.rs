//! `POST /operator/settlements/{provider}`: compares a provider's statement
//! with our records.
//!
//! The body is the CSV file that Stripe gives of a payout (or a balance), or
//! Alipay of a day's trades; see [`crate::rules::statement`] for the columns.
//! API Gateway hands on bytes as they are only of a body that is not called
//! text: a file in GBK is sent as `application/octet-stream`.
//!
//! Every row of a payment or refund is looked up, by our identity or else by
//! the provider's, and compared. What agrees is noted as told of; what does
//! not opens a case, once; money of ours from the time of the file that it
//! says nothing of is missing. That time is the file's own, or else from its
//! first row to its last; the members `from` and `to` of the query widen it, so
//! that what happened between two files is not overlooked. The request is safe
//! to repeat: it writes nothing twice, and finds the same; when there are more
//! differences than one request opens cases for, the next opens more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aftercart::{
    model::{
        digest,
        id::{CaseId, PaymentId},
        money::Money,
        payment::{Attempt, CaseReason, PaymentCase, Provider, Settled},
        text::Text,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{
        CommitError, Index, Key, Op, StoreError, Table, Write,
        payments::{self, PaymentHistory},
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    rules::statement::{self, Judge, Missing, Ours, Row, RowKind, Statement, Verdict},
    wire::{SettlementDifference, SettlementReport},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "settlement-import",
    about: "Compares a provider's statement with our records of payments and refunds.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/settlements/{provider}")]),
    needs: &[
        Need::Table(Table::Payments, &[Op::BatchGetItem, Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Payments, Index::ByDue),
    ],
    handle,
};

/// The largest file. Lambda takes a request of 6 MB, in which the body is
/// written in base 64: a third more. The most rows that are taken fit.
pub const BODY_MAX: usize = 4 * 1024 * 1024;

/// How many reads or writes there are at a time: ten thousand rows are done
/// within a few seconds, and the connections of one small function suffice.
const SIDE_BY_SIDE: usize = 32;

/// How many identities are looked up in one read; DynamoDB takes 100.
const LOOKED_UP: usize = 100;

/// The most differences that are told in full, and the most cases that one
/// request opens. More of them are most likely the file of another account,
/// whose cases nobody wants; if not, the next request opens more.
const DIFFERENCES_MAX: usize = 200;

/// The most money without a row that is looked for: as a file has rows at most.
const MISSING_MAX: u16 = 2_000;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve_up_to(BODY_MAX, app, call, import))
}

async fn import(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let provider =
        request.named("provider", "payment provider", |name| Provider::parse(name).ok_or(()))?;
    let mut statement = parse(provider, request.body())?;
    let (from, to) = times(&request)?;
    statement.widen(from, to);
    let digest = digest::full(&[provider.as_str().as_bytes(), request.body()]);
    let known = Records::of(&app, provider, &statement.rows).await?;
    let mut judge = Judge::default();
    let judged: Vec<(&Row, Verdict)> =
        statement.rows.iter().map(|row| (row, judge.judge(row, known.ours(row)))).collect();
    let (missing, more_missing) = missing(&app, provider, &statement, &judged).await?;
    let without_case = note(&app, provider, &digest, &judged).await?;
    let missing = (missing.as_slice(), more_missing);
    let report = report(provider, digest, &statement, &judged, missing, without_case);
    let differences = report.differences.len();
    tracing::info!(provider = provider.as_str(), rows = report.rows, differences, "compared");
    Response::json(200, &report)
}

/// The time that the query names.
fn times(request: &Request) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    request.only_query(&["from", "to"])?;
    let time = |name| {
        let time = request.query(name).map(Timestamp::parse).transpose();
        time.map_err(|error| Problem::invalid(name, format!("The moment `{name}` {error}.")))
    };
    match (time("from")?, time("to")?) {
        (Some(from), Some(to)) if to < from => {
            Err(Problem::invalid("to", "The moment `to` is before `from`."))
        }
        times => Ok(times),
    }
}

fn parse(provider: Provider, body: &[u8]) -> Result<Statement, Problem> {
    match statement::parse(provider, body) {
        Some(parsed) => {
            parsed.map_err(|fault| Problem::invalid("body", format!("The statement: {fault}.")))
        }
        None => {
            let title = "The provider's statements are not read";
            let detail = format!(
                "Statements of {provider} are not read; those of {} and {} are.",
                Provider::Stripe,
                Provider::Alipay
            );
            Err(Problem::new(422, "statement-not-read", title, detail).at("provider"))
        }
    }
}

/// Our records of what the rows are about.
struct Records {
    provider: Provider,
    by_reference: BTreeMap<String, PaymentId>,
    payments: BTreeMap<PaymentId, (Attempt, PaymentHistory)>,
}

impl Records {
    async fn of(app: &App, provider: Provider, rows: &[Row]) -> Result<Self, Failure> {
        let rows = || rows.iter().filter(|row| row.kind != RowKind::Other);
        let unnamed = rows().filter(|row| row.payment.is_none());
        let references: BTreeSet<&str> =
            unnamed.filter_map(|row| row.reference.as_deref()).collect();
        let by_reference = looked_up(app, provider, &references).await?;
        let named = rows().filter_map(|row| row.payment.clone());
        let wanted: BTreeSet<PaymentId> = named.chain(by_reference.values().cloned()).collect();
        Ok(Self { provider, by_reference, payments: read(app, wanted).await? })
    }

    fn ours(&self, row: &Row) -> Option<Ours<'_>> {
        let by_reference = || self.by_reference.get(row.reference.as_deref()?);
        let payment = row.payment.as_ref().or_else(by_reference)?;
        let (attempt, history) = self.payments.get(payment)?;
        let ours = Ours { attempt, events: &history.events, refunds: &history.refunds };
        (attempt.provider == self.provider).then_some(ours)
    }
}

async fn looked_up(
    app: &App,
    provider: Provider,
    references: &BTreeSet<&str>,
) -> Result<BTreeMap<String, PaymentId>, Failure> {
    let references: Vec<&str> = references.iter().copied().collect();
    let reads: Vec<_> =
        references.chunks(LOOKED_UP).map(|some| look_up(app, provider, some)).collect();
    let found: Vec<Vec<_>> =
        stream::iter(reads).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn look_up(
    app: &App,
    provider: Provider,
    references: &[&str],
) -> Result<Vec<(String, PaymentId)>, StoreError> {
    let keys: Vec<Key> = references.iter().map(|it| Key::payment_reference(provider, it)).collect();
    let found = app.store.read(&keys).await?;
    let mut payments = Vec::new();
    for reference in references {
        if let Some(payment) = found.payment_by_reference(provider, reference)? {
            payments.push(((*reference).to_owned(), payment));
        }
    }
    Ok(payments)
}

async fn read(
    app: &App,
    wanted: BTreeSet<PaymentId>,
) -> Result<BTreeMap<PaymentId, (Attempt, PaymentHistory)>, Failure> {
    let reads: Vec<_> = wanted.into_iter().map(|payment| read_one(app, payment)).collect();
    let found: Vec<Option<_>> =
        stream::iter(reads).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn read_one(
    app: &App,
    payment: PaymentId,
) -> Result<Option<(PaymentId, (Attempt, PaymentHistory))>, StoreError> {
    let mut history = app.store.payment(&payment).await?;
    Ok(history.attempt.take().map(|attempt| (payment, (attempt, history))))
}

/// Money of ours from the time of the statement that no row of it tells of,
/// the earliest first, and whether there may be more.
async fn missing(
    app: &App,
    provider: Provider,
    statement: &Statement,
    judged: &[(&Row, Verdict)],
) -> Result<(Vec<Missing>, bool), Failure> {
    let Some((from, to)) = statement.period else { return Ok((Vec::new(), false)) };
    let told: BTreeSet<&Settled> = judged.iter().filter_map(|(_, it)| settled(it)).collect();
    let untold = app.store.untold(provider, from, to, MISSING_MAX).await?;
    let more = untold.len() >= usize::from(MISSING_MAX);
    let untold: Vec<Settled> = untold.into_iter().filter(|it| !told.contains(it)).collect();
    let payments = read(app, untold.iter().map(|it| it.payment().clone()).collect()).await?;
    let amount = |money: &Settled| {
        let (attempt, history) = payments.get(money.payment())?;
        match money {
            Settled::Paid(_) => statement::received(attempt, &history.events),
            Settled::Refunded(_, refund) => {
                let refund = history.refunds.iter().find(|it| it.id == *refund)?;
                Money::zero(refund.amount.currency()).minus(refund.amount).ok()
            }
        }
    };
    let missing = untold.into_iter().filter_map(|money| {
        let amount = amount(&money)?;
        Some(Missing { money, amount })
    });
    Ok((missing.collect(), more))
}

fn settled(verdict: &Verdict) -> Option<&Settled> {
    match verdict {
        Verdict::Matched(settled) | Verdict::Different(settled, ..) => settled.as_ref(),
        Verdict::Extra | Verdict::Other => None,
    }
}

/// Notes what was told of, and opens cases of what differs that have none yet.
/// How many still have none.
async fn note(
    app: &App,
    provider: Provider,
    digest: &str,
    judged: &[(&Row, Verdict)],
) -> Result<usize, Failure> {
    let mut told = Vec::new();
    let mut cases = BTreeMap::new();
    for (row, verdict) in judged {
        if let Verdict::Matched(Some(settled)) = verdict {
            told.push(payments::told(settled, digest));
        }
        if let Some(difference) = SettlementDifference::of(row, verdict) {
            let case = case(provider, row, &difference, app.now())?;
            cases.insert(case.id.clone(), case);
        }
    }
    write(app, told, &[]).await?;
    for known in known(app, cases.keys()).await? {
        cases.remove(&known);
    }
    let opened: Vec<Write> = cases.values().take(DIFFERENCES_MAX).map(payments::case).collect();
    let left = cases.len().saturating_sub(opened.len());
    write(app, opened, &[Metric::StatementDiffers, Metric::PaymentCaseOpened]).await?;
    Ok(left)
}

/// Which of these cases are known, open or resolved.
async fn known(app: &App, cases: impl Iterator<Item = &CaseId>) -> Result<Vec<CaseId>, Failure> {
    let cases: Vec<&CaseId> = cases.collect();
    let reads: Vec<_> = cases.chunks(LOOKED_UP).map(|some| known_of(app, some)).collect();
    let found: Vec<Vec<_>> =
        stream::iter(reads).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn known_of(app: &App, cases: &[&CaseId]) -> Result<Vec<CaseId>, StoreError> {
    let keys: Vec<Key> = cases.iter().map(|case| Key::case(case)).collect();
    let found = app.store.read(&keys).await?;
    let mut known = Vec::new();
    for case in cases {
        known.extend(found.case(case)?.map(|case| case.id));
    }
    Ok(known)
}

/// Makes each write by itself; what loses was written before.
async fn write(app: &App, writes: Vec<Write>, counted: &[Metric]) -> Result<(), Failure> {
    let writes: Vec<_> = writes.into_iter().map(|write| write_one(app, write, counted)).collect();
    stream::iter(writes).buffer_unordered(SIDE_BY_SIDE).try_collect().await
}

async fn write_one(app: &App, write: Write, counted: &[Metric]) -> Result<(), Failure> {
    match app.store.commit(write).await {
        Ok(()) => {
            counted.iter().for_each(|metric| app.metrics.count(*metric, app.now()));
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn case(
    provider: Provider,
    row: &Row,
    difference: &SettlementDifference,
    now: Timestamp,
) -> Result<PaymentCase, Failure> {
    let reason = CaseReason::StatementDiffers;
    let ours = difference.ours.map_or_else(|| "nothing".to_owned(), |ours| ours.to_string());
    let what = format!(
        "the statement has {} as {}; known here is {ours}: {}",
        row.amount,
        row.id.chars().filter(|it| !it.is_control()).take(ID_MAX).collect::<String>(),
        difference.why
    );
    Ok(PaymentCase {
        id: CaseId::derive(&[reason.as_str(), provider.as_str(), &row.id, &difference.why]),
        reason,
        provider,
        payment: difference.payment.clone(),
        amount: Some(row.amount),
        what: Text::new(&what).map_err(Failure::bug)?,
        at: now,
        body: None,
        headers: BTreeMap::new(),
        resolved: None,
    })
}

/// How much of a row's identity a case repeats; it has some 60 characters.
const ID_MAX: usize = 120;

fn report(
    provider: Provider,
    digest: String,
    statement: &Statement,
    judged: &[(&Row, Verdict)],
    (missing, more_missing): (&[Missing], bool),
    without_case: usize,
) -> SettlementReport {
    let rows = judged.iter().filter_map(|(row, verdict)| SettlementDifference::of(row, verdict));
    let mut differences: Vec<SettlementDifference> =
        rows.chain(missing.iter().map(SettlementDifference::missing)).collect();
    let more = differences.len().saturating_sub(DIFFERENCES_MAX);
    differences.truncate(DIFFERENCES_MAX);
    let totals = statement::totals(judged, missing);
    SettlementReport {
        provider,
        statement: digest,
        from: statement.period.map(|(from, _)| from),
        to: statement.period.map(|(_, to)| to),
        rows: u32::try_from(judged.len()).unwrap_or(u32::MAX),
        totals: totals.into_iter().map(|(currency, it)| (currency, it.into())).collect(),
        differences,
        more_differences: u32::try_from(more).unwrap_or(u32::MAX),
        without_case: u32::try_from(without_case).unwrap_or(u32::MAX),
        more_missing,
    }
}
