//! `POST /operator/till/...`: what tills of stores do with members' points.
//!
//! | route | what it does | safe to repeat by |
//! |---|---|---|
//! | `members` | tells who showed a code: number, tier, points | it changes nothing |
//! | `holds` | holds points for a while | its `Idempotency-Key` |
//! | `captures` | spends points that are held; the rest is free again | the hold |
//! | `voids` | gives up a hold | the hold |
//! | `purchases` | earns points for what was bought | store and number of the receipt |
//! | `returns` | takes back what goods earned, and gives back what paid for them | number of the return |
//!
//! A code is checked against the moment at which the till read it. Points are
//! held only for a code that was read a short while ago, and once for each code
//! (RFC 6238, section 5.2); what was bought is taken from a till that was
//! offline for days. Of a number whose codes were refused too often in an hour,
//! none is looked at until it is over. Of an account that is linked
//! into another one, the points of that one are held. Each call is one
//! transaction with the ledgers that it changes.

mod holds;
mod receipts;

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        time::{Period, Timestamp},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Found, Key, Op, Table, till},
};

use crate::{
    account,
    rules::{
        calendar::Member,
        code::{self, Code, CodeRefusal, MOST_REFUSED},
    },
    wire::channels::{ReadCode, TillMemberView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "till",
    about: "Lets tills know members, hold and spend their points, and tell what was bought.",
    trigger: Trigger::Http(&[
        Route::operator("POST", "/operator/till/members"),
        Route::operator("POST", "/operator/till/holds"),
        Route::operator("POST", "/operator/till/captures"),
        Route::operator("POST", "/operator/till/voids"),
        Route::operator("POST", "/operator/till/purchases"),
        Route::operator("POST", "/operator/till/returns"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

/// How often the facts are read again when somebody else changed a ledger.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    let till = request.operator_name()?;
    if request.is_for("/operator/till/holds") {
        holds::hold(&app, &request, &till).await
    } else if request.is_for("/operator/till/captures") {
        holds::capture(&app, &request).await
    } else if request.is_for("/operator/till/voids") {
        holds::void(&app, &request).await
    } else if request.is_for("/operator/till/purchases") {
        receipts::record(&app, &request).await
    } else if request.is_for("/operator/till/returns") {
        receipts::give_back(&app, &request).await
    } else {
        tell(&app, &request).await
    }
}

/// Who showed a code.
async fn tell(app: &App, request: &Request) -> Answer {
    let ReadCode { code, read_at } = request.json()?;
    let policy = app.policy().await?;
    let read = Read { code: parse(&code)?, at: read_at.unwrap_or_else(|| app.now()) };
    let found = app.store.read(&read.keys()).await?;
    let Shown { member, .. } = read.check(app, policy.points.till.hold, &found).await?;
    let keys = [Key::ledger(&member), Key::profile(&member)];
    let found = app.store.read(&keys).await?;
    let own = found.ledger(&member)?;
    let tier = Member::of(&own, &found.profile(&member)?, &policy.points).tier;
    let spendable = account::spent_from(app, own).await?.spendable();
    let number = read.code.number;
    Response::json(200, &TillMemberView { number, spendable, tier })
}

/// A code, and when a till read it.
struct Read {
    code: Code,
    at: Timestamp,
}

/// A code that a member showed.
struct Shown {
    member: CustomerId,
    /// In which half minute.
    step: i64,
}

impl Read {
    /// What is to be read for a check.
    fn keys(&self) -> [Key; 2] {
        let number = &self.code.number;
        [Key::member_number(number), Key::refused_codes(number)]
    }

    /// The member who has the number, if the code was shown then and that is no
    /// longer ago than `most`.
    async fn check(&self, app: &App, most: Period, found: &Found) -> Result<Shown, Failure> {
        let (number, now) = (&self.code.number, app.now());
        let (hour, left) = code::hour(now);
        if found.codes_refused(number, hour)? >= MOST_REFUSED {
            let detail = "Too many codes of this number were refused; try again in the next hour.";
            let problem = Problem::new(429, "member-code-locked", "No code is taken", detail);
            return Err(problem.at("code").after(left).into());
        }
        let links = app.links().await?;
        let keys = |block| {
            let name = code::key_name(number, block);
            links.derived_keys(&name.each_ref().map(String::as_str))
        };
        let checked = code::check(&self.code, self.at, now, most, keys);
        // A number that nobody has is no other answer than digits that are wrong.
        let member = found.numbered(number)?;
        let shown = checked
            .and_then(|step| member.map(|member| Shown { member, step }).ok_or(CodeRefusal::Wrong));
        match shown {
            Ok(shown) => Ok(shown),
            Err(refusal) => {
                if refusal == CodeRefusal::Wrong {
                    self.note_wrong(app, hour).await?;
                }
                let title = "The code is not taken";
                let problem = Problem::new(422, "member-code-refused", title, refusal.to_string());
                Err(problem.at("code").into())
            }
        }
    }

    /// Counts that digits were wrong. Somebody else may count the first of the
    /// hour in between, so it is tried to count another one before and after.
    async fn note_wrong(&self, app: &App, hour: i64) -> Result<(), Failure> {
        app.metrics.count(Metric::MemberCodeRefused, app.now());
        let number = &self.code.number;
        for write in [till::another_refusal, till::first_refusal, till::another_refusal] {
            match app.store.commit(write(number, hour)).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Lost(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn parse(code: &str) -> Result<Code, Problem> {
    let detail = "Send the 20 digits that the member shows.";
    Code::parse(code).ok_or_else(|| Problem::invalid("code", detail))
}

/// What is contended for too long.
fn contended() -> Failure {
    Failure::retry(format!("a ledger changed {ATTEMPTS} times while it was read"))
}

/// How a rule of the ledger that is broken is a bug of ours.
fn broken(app: &App, error: aftercart::model::points::LedgerError) -> Failure {
    crate::soundness::mismatch(app, error.to_string())
}
