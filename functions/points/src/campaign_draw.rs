//! `POST /me/campaigns/{campaign}/draws`: a member draws in a campaign: points
//! rain, a lucky draw, a game.
//!
//! What is drawn follows from the campaign, the member and the
//! `Idempotency-Key` by a key of the shop: nobody can foresee it, and calling
//! again is no other draw. Whoever has linked accounts draws as the one that has
//! the points, by whichever account: one key is one draw. One transaction writes the draw, what the member drew
//! so far, what is left of the campaign's points, the entry and the ledger. So a
//! repeated call has the same answer, also when the first one's was lost; no
//! member draws more often than one may, whatever the number of calls at once,
//! and never more is given than there is.

use std::sync::Arc;

use aftercart::{
    model::{customer::CustomerId, digest, programme::between::Campaign, text::Text},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
        secrets::Secret,
    },
    store::{Commit, CommitError, Found, Key, Op, Table, draws as stored},
};

use crate::{
    posting,
    rules::draws::{self, Facts, Outcome, Refusal},
    soundness,
    wire::draw::DrawView,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "campaign-draw",
    about: "A member draws points in a campaign, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[Route::shopper("POST", "/me/campaigns/{campaign}/draws")]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

/// How often a draw is decided again when others took of the same part of the
/// points, or the ledger changed. Of those that meet one gets through.
const ATTEMPTS: u32 = 16;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, draw))
}

async fn draw(app: Arc<App>, request: Request) -> Answer {
    let mut member = request.member()?;
    let key = request.idempotency_key()?;
    let name = request.named("campaign", "campaign", Text::<40>::new)?;
    let policy = app.policy().await?;
    let campaign = policy.points.campaigns.iter().find(|it| it.id == name);
    let campaign = campaign.ok_or_else(|| Problem::not_found("campaign"))?;
    for _ in 0..ATTEMPTS {
        let (number, reference) =
            cause(&app, [name.as_str(), member.as_str(), key.as_str()]).await?;
        let found = load(&app, campaign, &member, &reference).await?;
        // What the member drew before the account was linked is drawn.
        if let Some(drawn) = found.drawn(&member, &reference)? {
            return Ok(Response::json(201, &DrawView::from(drawn))?.replayed());
        }
        let before = found.ledger(&member)?;
        if let Some((main, _)) = &before.link.into {
            member = main.clone();
            continue;
        }
        let (given, drawing) = (found.given(&name)?, found.drawing(&member, &name)?);
        let (profile, now) = (found.profile(&member)?, app.now());
        let facts = Facts {
            campaign,
            given: &given,
            drawing: &drawing,
            tier: profile.tier.as_ref(),
            reference: &reference,
            number,
            now,
        };
        let mut ledger = before.clone();
        let outcome = draws::decide(facts, &mut ledger, &policy).map_err(refused(&app))?;
        soundness::check(&app, &ledger)?;
        let after = &outcome.after;
        let posted = posting::writes(&before, &ledger, &after.entries, &after.news, &policy, now);
        match app.store.commit(writes(campaign, &outcome).and(posted)).await {
            Ok(()) => {
                app.metrics.add(Metric::PointsDrawn, outcome.drawn.points, now);
                return Response::json(201, &DrawView::from(outcome.drawn));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry("others drew, again and again"))
}

/// The number and the name of a draw: they follow from the campaign, the
/// account that has the points, and the key of the call.
async fn cause(app: &App, of: [&str; 3]) -> Result<(u64, Text<80>), Failure> {
    let number = app.links().await?.draw(&of);
    let reference = Text::new(&digest::short(&of.map(str::as_bytes))).map_err(Failure::bug)?;
    Ok((number, reference))
}

/// Loads all that a draw is decided by, in one round trip.
async fn load(
    app: &App,
    campaign: &Campaign,
    member: &CustomerId,
    reference: &Text<80>,
) -> Result<Found, Failure> {
    let keys = [
        Key::drawn(member, reference),
        Key::drawing(member, &campaign.id),
        Key::ledger(member),
        Key::profile(member),
    ];
    let keys: Vec<Key> = keys.into_iter().chain(stored::pool(&campaign.id)).collect();
    Ok(app.store.read(&keys).await?)
}

fn writes(campaign: &Campaign, outcome: &Outcome) -> Commit {
    let taken = outcome.taken.iter();
    let taken =
        taken.map(|(part, points)| stored::take(&campaign.id, campaign.pool, *part, *points));
    let own = [stored::put(&outcome.drawn), stored::save(&outcome.drawing)];
    own.into_iter().chain(taken).collect()
}

/// Why a member does not draw, as an answer.
fn refused(app: &App) -> impl Fn(Refusal) -> Failure {
    |refusal| {
        let detail = refusal.to_string();
        let problem = match refusal {
            Refusal::Ledger(error) => return soundness::mismatch(app, error.to_string()),
            Refusal::Closed => Problem::new(409, "campaign-closed", "Not open", detail),
            Refusal::Tier => Problem::new(409, "campaign-tier", "For other members", detail),
            Refusal::Day(_) | Refusal::Most => {
                Problem::new(409, "draw-limit", "Drawn often enough", detail)
            }
        };
        problem.into()
    }
}
