//! `POST /me/gifts`, `GET /me/gifts`, `POST /me/gifts/{id}/acceptance` and
//! `POST /me/gifts/{id}/refusal`: points that members give to each other.
//!
//! A gift's identity follows from the giver and the `Idempotency-Key`. Making
//! it is one transaction of the gift, what limits the giver, and the giver's
//! ledger, which holds the points: 201, and the same answer to a repeated call;
//! with another content it is a 422. Accepting it is one transaction of its end,
//! both entries and both ledgers, so the points are always one member's and
//! never both's. Refusing it gives up the hold; for the giver that is taking it
//! back. What nobody accepts in time is the giver's again when the hold ends. An
//! end that is there already is answered as it is. Who has linked accounts gives
//! from and accepts into the one in which the points are. Members learn nothing
//! of each other but what the giver writes, nor whether there is such a member.

use std::sync::Arc;

use aftercart::{
    messages::{GiftEnded, GiftOffered, Message},
    model::{
        customer::CustomerId,
        gift::{End, Ended, Gift, Giving},
        id::GiftId,
        points::Ledger,
        policy::Policy,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Found, Key, Op, PageToken, Sends, Table, gifts as stored},
};

use crate::{
    account, posting,
    rules::gifts::{self, Offer, Refusal},
    soundness,
    wire::gift::{GiftPage, GiftView, MakeGift},
};

const ACCEPTANCE: &str = "/me/gifts/{id}/acceptance";
const REFUSAL: &str = "/me/gifts/{id}/refusal";

/// A page of gifts: some 400 bytes each, as many as a batched read takes.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-gift",
    about: "Members give points to each other, by consent and within limits.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/me/gifts"),
        Route::shopper("GET", "/me/gifts"),
        Route::shopper("POST", ACCEPTANCE),
        Route::shopper("POST", REFUSAL),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often a gift is decided again when a ledger changed meanwhile. One of
/// those rounds may be needed to find the account in which the points are.
const ATTEMPTS: u32 = 6;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    if request.method() == "GET" {
        list(&app, &request).await
    } else if request.is_for(ACCEPTANCE) {
        accept(&app, &request).await
    } else if request.is_for(REFUSAL) {
        give_up(&app, &request).await
    } else {
        make(&app, &request).await
    }
}

async fn make(app: &App, request: &Request) -> Answer {
    let mut giver = request.member()?;
    let offer = parse(request, &giver)?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let keys = [&giver, &offer.to].map(Key::ledger);
        let keys = keys.into_iter().chain([Key::gift(&offer.id), Key::giving(&giver)]);
        let found = app.store.read(&keys.collect::<Vec<_>>()).await?;
        let before = found.ledger(&giver)?;
        if let Some((main, _)) = &before.link.into {
            giver = main.clone();
            continue;
        }
        if let Some(made) = found.gift(&offer.id)? {
            return replay(&offer, made, &before);
        }
        let to = account::main(&found.ledger(&offer.to)?).clone();
        let (mut ledger, mut giving, now) = (before.clone(), found.giving(&giver)?, app.now());
        let made = Offer { to, ..offer.clone() };
        let made = gifts::offer(made, &mut ledger, &mut giving, &policy, now);
        let gift = Gift { named: offer.to.clone(), ..made.map_err(refused(app))? };
        soundness::check(app, &ledger)?;
        let commit = stored::make(&gift, &offered(&gift, request)).into_iter();
        let commit: Commit = commit.chain([stored::save(&giving)]).collect();
        match app.store.commit(commit.and(saved(&before, &ledger, &policy, now))).await {
            Ok(()) => return Response::json(201, &GiftView::of(&gift, &ledger, now)),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(changing())
}

fn parse(request: &Request, giver: &CustomerId) -> Result<Offer, Problem> {
    let key = request.idempotency_key()?;
    let MakeGift { to, points, note, signed } = request.json()?;
    if !to.is_member() {
        return Err(Problem::invalid("to", "Name a member."));
    }
    let id = GiftId::derive(&[giver.as_str(), key.as_str()]);
    Ok(Offer { id, to, points, note, signed })
}

/// Answers a repeated call as the first was answered, whatever has become of
/// the gift since, and whichever accounts were linked.
fn replay(offer: &Offer, made: Gift, ledger: &Ledger) -> Answer {
    let same = made.named == offer.to
        && made.points == offer.points
        && made.note == offer.note
        && made.signed == offer.signed;
    if !same {
        return Err(Problem::key_reused().into());
    }
    let (made_at, gift) = (made.made_at, Gift { ended: None, ..made });
    Ok(Response::json(201, &GiftView::of(&gift, ledger, made_at))?.replayed())
}

fn offered(gift: &Gift, request: &Request) -> Sends {
    let Gift { id, to, points, until, made_at, .. } = gift.clone();
    let offered = GiftOffered { gift: id, customer: to, points, until };
    Sends::one(Message::GiftOffered(offered), made_at, request.trace())
}

async fn list(app: &App, request: &Request) -> Answer {
    let (from, limit) = request.page(stored::cursor, PAGE)?;
    let ledger = account::ledger(app, &request.member()?).await?;
    let accounts: Vec<&CustomerId> = account::all(&ledger).collect();
    let page = app.store.gifts_of(&accounts, from.as_ref(), limit).await?;
    let keys: Vec<Key> = page.items.iter().map(Key::gift).collect();
    let found = app.store.read(&keys).await?;
    let mut gifts = Vec::with_capacity(page.items.len());
    for id in &page.items {
        gifts.extend(found.gift(id)?.map(|gift| GiftView::of(&gift, &ledger, app.now())));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &GiftPage { gifts, next_cursor })
}

/// What is true of a gift when somebody ends it.
struct Facts {
    gift: Gift,
    /// The ledger of the one who calls.
    mine: Ledger,
    giving: Giving,
    /// The ledger of the giver.
    giver: Ledger,
}

/// Loads a gift and who is to do with it: two round trips, because the gift
/// says who the giver is.
async fn load(app: &App, member: &CustomerId, id: &GiftId) -> Result<Facts, Failure> {
    let keys = [Key::gift(id), Key::ledger(member), Key::giving(member)];
    let mut found: Found = app.store.read(&keys).await?;
    let gift = found.gift(id)?.ok_or_else(|| Problem::not_found("gift"))?;
    let account = account::main(&found.ledger(member)?).clone();
    let giver = app.store.read(&[Key::ledger(&gift.from)]).await?.ledger(&gift.from)?;
    if account != *member {
        found = app.store.read(&[Key::ledger(&account), Key::giving(&account)]).await?;
    }
    Ok(Facts { mine: found.ledger(&account)?, giving: found.giving(&account)?, gift, giver })
}

async fn accept(app: &App, request: &Request) -> Answer {
    let member = request.member()?;
    let id = request.named("id", "gift", GiftId::parse)?;
    let policy = app.policy().await?;
    for attempt in 1..=ATTEMPTS {
        let Facts { gift, mine, mut giving, giver } = load(app, &member, &id).await?;
        if !account::is_of(&mine, &gift.to) {
            return Err(Problem::not_found("gift").into());
        }
        if gift.ended.is_some_and(|ended| ended.how == End::Accepted) {
            return Response::json(200, &GiftView::of(&gift, &mine, app.now()));
        }
        let (mut from, mut to, now) = (giver.clone(), mine.clone(), app.now());
        let ledgers = (&mut from, &mut to);
        let moved = match gifts::accept(&gift, ledgers, &mut giving, &policy, now) {
            Err(Refusal::Over) if attempt < ATTEMPTS && gift.is_open(now) => continue,
            moved => moved.map_err(refused(app))?,
        };
        [&from, &to].into_iter().try_for_each(|ledger| soundness::check(app, ledger))?;
        let ended = Ended { at: now, how: End::Accepted };
        let commit = Commit::new()
            .with(stored::end(&id, ended, &told(&gift, ended, request))?)
            .with(stored::save(&giving))
            .and(posting::writes(&giver, &from, &[moved.sent], &[], &policy, now))
            .and(posting::writes(&mine, &to, &moved.received, &moved.news, &policy, now));
        match app.store.commit(commit).await {
            Ok(()) => {
                app.metrics.add(Metric::PointsGifted, gift.points, now);
                let gift = Gift { ended: Some(ended), ..gift };
                return Response::json(200, &GiftView::of(&gift, &to, now));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(changing())
}

async fn give_up(app: &App, request: &Request) -> Answer {
    let member = request.member()?;
    let id = request.named("id", "gift", GiftId::parse)?;
    let policy = app.policy().await?;
    for attempt in 1..=ATTEMPTS {
        let Facts { gift, mine, giver, .. } = load(app, &member, &id).await?;
        let how = match (account::is_of(&mine, &gift.to), account::is_of(&mine, &gift.from)) {
            (_, true) => End::Withdrawn,
            (true, false) => End::Refused,
            (false, false) => return Err(Problem::not_found("gift").into()),
        };
        if gift.ended.is_some_and(|ended| ended.how == how) {
            return Response::json(200, &GiftView::of(&gift, &mine, app.now()));
        }
        let (mut from, now) = (giver.clone(), app.now());
        match gifts::give_up(&gift, &mut from, now) {
            Err(Refusal::Over) if attempt < ATTEMPTS && gift.is_open(now) => continue,
            given_up => given_up.map_err(refused(app))?,
        }
        let ended = Ended { at: now, how };
        let commit = Commit::new()
            .with(stored::end(&id, ended, &told(&gift, ended, request))?)
            .and(saved(&giver, &from, &policy, now));
        match app.store.commit(commit).await {
            Ok(()) => {
                let gift = Gift { ended: Some(ended), ..gift };
                return Response::json(200, &GiftView::of(&gift, &mine, now));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(changing())
}

/// The giver is told what the other member did.
fn told(gift: &Gift, ended: Ended, request: &Request) -> Sends {
    if ended.how == End::Withdrawn {
        return Sends::none();
    }
    let told = GiftEnded { gift: gift.id.clone(), customer: gift.from.clone(), how: ended.how };
    Sends::one(Message::GiftEnded(told), ended.at, request.trace())
}

/// Writes a ledger of which only holds changed.
fn saved(before: &Ledger, now: &Ledger, policy: &Policy, at: Timestamp) -> Commit {
    posting::writes(before, now, &[], &[], policy, at)
}

fn changing() -> Failure {
    Failure::retry(format!("a ledger changed {ATTEMPTS} times while it was read"))
}

/// Why a gift is not made or not accepted, as an answer.
fn refused(app: &App) -> impl Fn(Refusal) -> Failure {
    |refusal| {
        let detail = refusal.to_string();
        let limit = |field: &'static str| {
            Problem::new(409, "gift-limit", "More than one may", detail.clone()).at(field)
        };
        let problem = match refusal {
            Refusal::Ledger(error) => return soundness::mismatch(app, error.to_string()),
            Refusal::Off => Problem::new(409, "gifts-off", "No gifts", detail),
            Refusal::Own => Problem::new(409, "gift-own", "Your own points", detail).at("to"),
            Refusal::Ended => Problem::new(409, "points-ended", "Points have ended", detail),
            Refusal::Over => Problem::new(409, "gift-over", "Not open any more", detail),
            Refusal::Amount { .. } | Refusal::Month(_) | Refusal::TooFew(_) => limit("points"),
            Refusal::Fresh(_) | Refusal::Day(_) | Refusal::Accepted(_) => {
                Problem::new(409, "gift-limit", "More than one may", detail)
            }
        };
        problem.into()
    }
}
