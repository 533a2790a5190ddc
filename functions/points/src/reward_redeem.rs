//! `POST /me/redemptions`: takes a reward for points.
//!
//! The redemption, the hold of its points, its unit of a limited reward and
//! its place among those that a member may have are one transaction: whoever
//! comes too late for one of them takes nothing, however many come at once. Its
//! identity follows from the member and the `Idempotency-Key`, so a repeated
//! call takes nothing twice and has the same answer. The points are spent, and
//! a coupon becomes a voucher, by the message that the redemption carries.
//!
//! An account that is linked into another pays with the points of that one, for
//! one batched read more.

use std::sync::Arc;

use aftercart::{
    messages::{Message, RedemptionChanged, RewardTaken},
    model::{
        customer::CustomerId,
        digest,
        dispatch::Dispatch,
        id::RedemptionId,
        order::{Order, OrderStatus},
        points::Ledger,
        policy::Policy,
        price::PriceRules,
        reward::{Obstacle, Offered, Redemption, RewardKind, Taker},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Conflict, Found, Key, Op, Sends, Table, points, rewards},
};
use serde_json::json;

use crate::{
    account,
    wire::reward::{RedemptionView, TakeReward},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "reward-redeem",
    about: "Takes a reward for points, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[Route::shopper("POST", "/me/redemptions")]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
    ],
    handle,
};

/// How often the facts are read again when others took what was left in
/// between. Each time something is less, so that soon the rules refuse.
const ATTEMPTS: u32 = 4;

/// What is asked for, and what a repeated call is known by.
struct Asked {
    id: RedemptionId,
    customer: CustomerId,
    body: TakeReward,
    digest: String,
    trace: Option<String>,
}

/// What the decision needs.
struct Facts {
    offered: Offered,
    ledger: Ledger,
    /// How many of the reward the account has.
    has: i64,
    found: Found,
}

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, redeem))
}

async fn redeem(app: Arc<App>, request: Request) -> Answer {
    let asked = parse(&request)?;
    let (policy, rules) = app.terms().await?;
    for _ in 0..ATTEMPTS {
        if let Some(response) = attempt(&app, &asked, (&policy, &rules)).await? {
            return Ok(response);
        }
    }
    Err(Failure::retry("others took what was left whenever the facts were read"))
}

fn parse(request: &Request) -> Result<Asked, Problem> {
    let customer = request.member()?;
    let key = request.idempotency_key()?;
    let body: TakeReward = request.json()?;
    Ok(Asked {
        id: RedemptionId::derive(&[customer.as_str(), key.as_str()]),
        digest: digest::short(&[json!(body).to_string().as_bytes()]),
        trace: request.trace().map(str::to_owned),
        customer,
        body,
    })
}

/// Nothing if somebody took something of it meanwhile.
async fn attempt(
    app: &App,
    asked: &Asked,
    terms: (&Policy, &PriceRules),
) -> Result<Option<Response>, Failure> {
    let mut keys = vec![
        Key::redemption(&asked.id),
        Key::reward(&asked.body.reward),
        Key::profile(&asked.customer),
        Key::ledger(&asked.customer),
        Key::reward_count(&asked.customer, &asked.body.reward),
    ];
    if let Some(order) = &asked.body.order {
        keys.extend([Key::order(&asked.customer, order), Key::dispatch(order)]);
    }
    let found = app.store.read(&keys).await?;
    if let Some(earlier) = found.redemption(&asked.id)? {
        return replay(earlier, asked).map(Some);
    }
    let Some(facts) = facts(app, asked, found).await? else { return Ok(None) };
    let redemption = decide(asked, &facts, terms, app.now())?;
    match app.store.commit(writes(&redemption, &facts.offered, asked)).await {
        Ok(()) => {
            app.metrics.count(Metric::RewardTaken, redemption.taken_at);
            Ok(Some(answer(redemption)?))
        }
        Err(CommitError::Lost(lost)) => {
            let earlier = Conflict::at(&lost, 0).map(rewards::redemption_from_item).transpose()?;
            earlier.map(|earlier| replay(earlier, asked)).transpose()
        }
        Err(error) => Err(error.into()),
    }
}

/// The reward, and the account that pays for it. Nothing if the accounts were
/// taken apart between both reads.
async fn facts(app: &App, asked: &Asked, found: Found) -> Result<Option<Facts>, Failure> {
    let reward = &asked.body.reward;
    let offered = found.offered(reward)?;
    let offered = offered.ok_or_else(|| Problem::not_found("reward").at("reward"))?;
    let own = found.ledger(&asked.customer)?;
    let Some((main, _)) = own.link.into.clone() else {
        let has = found.reward_count(&asked.customer, reward)?;
        return Ok(Some(Facts { offered, ledger: own, has, found }));
    };
    let keys = [Key::ledger(&main), Key::reward_count(&main, reward)];
    let of_main = app.store.read(&keys).await?;
    let (ledger, has) = (of_main.ledger(&main)?, of_main.reward_count(&main, reward)?);
    let pays = account::is_of(&ledger, &asked.customer);
    Ok(pays.then_some(Facts { offered, ledger, has, found }))
}

fn decide(
    asked: &Asked,
    facts: &Facts,
    (policy, rules): (&Policy, &PriceRules),
    now: Timestamp,
) -> Result<Redemption, Failure> {
    let Facts { offered, ledger, has, found } = facts;
    let Asked { customer, body, .. } = asked;
    let reward = &offered.reward;
    suits(&reward.kind, body)?;
    if let Some(order) = &body.order {
        let known = found.order(customer, order)?;
        let known = known.ok_or_else(|| Problem::not_found("order").at("order"))?;
        serves(&reward.kind, &known, found.dispatch(order)?.as_ref())?;
    }
    if !reward.kind.is_worth_something(rules, now) {
        let detail = "The price rule of the coupon is not in force, so it is worth nothing now.";
        return Err(not_open("The coupon is worth nothing now", detail).into());
    }
    let profile = found.profile(customer)?;
    let taker = Taker { tier: profile.tier.as_ref(), has: *has, holdable: ledger.holdable() };
    if let Some(obstacle) = offered.obstacle(taker, now, &policy.points.zone) {
        return Err(refuse(obstacle, offered, ledger).into());
    }
    Ok(Redemption {
        id: asked.id.clone(),
        customer: customer.clone(),
        account: ledger.customer.clone(),
        reward: offered.id.clone(),
        title: reward.title.clone(),
        kind: reward.kind.clone(),
        points: reward.points,
        of_units: reward.units.is_some(),
        of_member: reward.per_member.is_some(),
        order: body.order.clone(),
        address: body.address.clone(),
        taken_at: now,
        request: asked.digest.clone(),
        posted: false,
        fulfilled: None,
        undone: None,
        version: 0,
    })
}

/// Whether a call names what a reward needs, and nothing else.
fn suits(kind: &RewardKind, body: &TakeReward) -> Result<(), Problem> {
    match (kind.wants_address(), body.address.is_some()) {
        (true, false) => return Err(Problem::invalid("address", "Say where the goods go.")),
        (false, true) => return Err(Problem::invalid("address", "Only goods go to an address.")),
        _ => {}
    }
    let may_have = kind.wants_order() || matches!(kind, RewardKind::Service);
    match (kind.wants_order(), body.order.is_some()) {
        (true, false) => Err(Problem::invalid("order", "Say which order it is for.")),
        (_, true) if !may_have => Err(Problem::invalid("order", "The reward is about no order.")),
        _ => Ok(()),
    }
}

/// Whether a reward may be about an order as it stands.
fn serves(kind: &RewardKind, order: &Order, dispatch: Option<&Dispatch>) -> Result<(), Problem> {
    let impossible = |kind, title, detail| Err(Problem::new(409, kind, title, detail).at("order"));
    if order.status != OrderStatus::Paid {
        let detail = "The reward is for an order that is paid and was not called off.";
        return impossible("order-not-paid", "The order is not paid", detail);
    }
    let leaves = dispatch.and_then(Dispatch::leaving).is_some();
    if *kind == RewardKind::ExpressUpgrade && leaves {
        let detail = "A parcel of the order is labelled and leaves as it is.";
        return impossible("order-leaving", "The parcel of the order leaves", detail);
    }
    Ok(())
}

fn not_open(title: &'static str, detail: &str) -> Problem {
    Problem::new(409, "reward-not-open", title, detail).at("reward")
}

fn refuse(obstacle: Obstacle, offered: &Offered, ledger: &Ledger) -> Problem {
    let impossible =
        |kind, title, detail: &str| Problem::new(409, kind, title, detail).at("reward");
    match obstacle {
        Obstacle::Ended => not_open("The reward is over", "Choose another one: this has ended."),
        Obstacle::NotOpen => {
            not_open("The reward is not open now", "See its window, and take it then.")
        }
        Obstacle::Tier => impossible(
            "reward-of-a-tier",
            "The reward is for members of other tiers",
            "See its tiers, and what leads to them under /me/membership.",
        ),
        Obstacle::Gone => {
            impossible("reward-gone", "None is left", "Others have taken all that there were.")
        }
        Obstacle::Limit => impossible(
            "reward-limit",
            "You have as many as one may",
            "The reward names how many a member may have.",
        ),
        Obstacle::Points(_) if ledger.spendable() >= offered.reward.points => {
            let detail = "Points are held for as many things as may be at once. Try again in a \
                          moment, or pay or cancel an order that uses points.";
            impossible("points-held", "Too many things hold points", detail)
        }
        Obstacle::Points(missing) => {
            let detail = format!("{missing} points are missing.");
            impossible("too-few-points", "The points are too few", &detail)
                .with("missing", missing.into())
                .with("spendable", ledger.spendable().into())
        }
    }
}

/// The redemption first: conflicts come by position.
fn writes(redemption: &Redemption, offered: &Offered, asked: &Asked) -> Commit {
    let Redemption { account, reward, points, .. } = redemption;
    let unit = offered.reward.units.map(|units| rewards::take_unit(reward, units));
    let most = offered.reward.per_member;
    let place = most.map(|most| rewards::count_in(account, reward, most));
    let first = [
        rewards::save(redemption, &sends(redemption, asked.trace.as_deref())),
        rewards::note(redemption),
        points::hold(account, &redemption.holder(), *points),
    ];
    first.into_iter().chain(unit).chain(place).collect()
}

fn sends(redemption: &Redemption, trace: Option<&str>) -> Sends {
    let (id, at) = (redemption.id.clone(), redemption.taken_at);
    let changed = Message::RedemptionChanged(RedemptionChanged { redemption: id.clone() });
    let sends = Sends::one(changed, at, trace);
    if !redemption.waits() {
        return sends;
    }
    let taken = RewardTaken {
        redemption: id,
        reward: redemption.reward.clone(),
        kind: redemption.kind.clone(),
        order: redemption.order.clone(),
    };
    sends.and(Message::RewardTaken(taken), at, trace)
}

/// Answers a repeated call as the first was answered, whatever has become of
/// the redemption since.
fn replay(earlier: Redemption, asked: &Asked) -> Result<Response, Failure> {
    if earlier.request != asked.digest {
        return Err(Problem::key_reused().into());
    }
    Ok(answer(Redemption { fulfilled: None, undone: None, ..earlier })?.replayed())
}

fn answer(redemption: Redemption) -> Answer {
    Response::json(201, &RedemptionView::from(redemption))
}
