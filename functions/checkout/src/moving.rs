//! How goods move: one movement, once for each `Idempotency-Key`.
//!
//! The movement and the levels that it changes are one transaction. Its
//! identity follows from the SKU and the key, so a repeated call moves nothing
//! twice and has the same answer.

use aftercart::{
    model::{
        id::MovementId,
        product::Sku,
        stock::{LocationId, MAX_SHARDS, Movement, MovementKind, StockPolicy},
    },
    run::{
        App, Failure,
        http::{Problem, Request},
    },
    store::{Commit, CommitError, Conflict, Key, stock},
};
use serde_json::json;

use crate::{
    rules::{
        movement::{self, Moving, Shift, TooFew},
        place,
    },
    wire::stock::MoveStock,
};

/// How often a movement is planned anew because orders took units that were
/// to go out. The level of a hot SKU changes hundreds of times a second, each
/// part of it a few; more losses than this in a row are no chance.
const ATTEMPTS: u32 = 5;

/// A movement and whether it was recorded by an earlier call.
pub(crate) struct Moved {
    pub(crate) movement: Movement,
    pub(crate) earlier: bool,
}

/// A movement that is asked for, and what a repeated call is known by.
struct Asked {
    id: MovementId,
    sku: Sku,
    moving: Moving,
    body: MoveStock,
    digest: String,
}

/// Records the movement that a request asks for.
///
/// # Errors
/// 400 names the field; 409 if fewer units are there than are to go out; 422
/// if the key was used for another movement.
pub(crate) async fn record(
    app: &App,
    request: &Request,
    sku: Sku,
    body: MoveStock,
) -> Result<Moved, Failure> {
    let key = request.idempotency_key()?;
    let policy = app.policy().await?;
    let asked = Asked {
        id: MovementId::derive(&[sku.as_str(), key.as_str()]),
        sku,
        moving: parse(&body, policy.stock.first())?,
        digest: place::request_digest(json!(body).to_string().as_bytes()),
        body,
    };
    for _ in 0..ATTEMPTS {
        if let Some(moved) = attempt(app, &policy.stock, &asked).await? {
            return Ok(moved);
        }
    }
    Err(Failure::retry("the levels changed whenever the movement was planned"))
}

/// Nothing if orders took units meanwhile that were to go out.
async fn attempt(app: &App, policy: &StockPolicy, asked: &Asked) -> Result<Option<Moved>, Failure> {
    let Asked { id, sku, moving, .. } = asked;
    let from: Vec<LocationId> = moving.from().into_iter().cloned().collect();
    let parts = [(sku.clone(), MAX_SHARDS)];
    let mut keys = stock::level_keys(&parts, &from);
    keys.push(Key::movement(sku, id));
    let found = app.store.read(&keys).await?;
    if let Some(movement) = found.movement(sku, id)? {
        return replay(movement, asked).map(Some);
    }
    if let Some(into) = moving.into().filter(|it| policy.location(it).is_none()) {
        return Err(unknown(moving, into).into());
    }
    let levels = found.levels(&parts, &from)?;
    let shifts = moving.shifts(sku, policy.shards(sku), start(id), &levels).map_err(refuse)?;
    let movement = Movement {
        id: id.clone(),
        sku: sku.clone(),
        kind: asked.body.kind,
        changes: shifts.iter().map(|it| it.change.clone()).collect(),
        note: asked.body.note.clone(),
        at: app.now(),
        request: asked.digest.clone(),
    };
    match app.store.commit(writes(&movement, &shifts)).await {
        Ok(()) => Ok(Some(Moved { movement, earlier: false })),
        Err(CommitError::Lost(lost)) => {
            let earlier = Conflict::at(&lost, 0).map(stock::movement_from_item).transpose()?;
            earlier.map(|movement| replay(movement, asked)).transpose()
        }
        Err(error) => Err(error.into()),
    }
}

fn parse(body: &MoveStock, first: LocationId) -> Result<Moving, Problem> {
    let at = body.location.clone().unwrap_or(first);
    if body.to.is_some() && body.kind != MovementKind::Transfer {
        return Err(Problem::invalid("to", "Only a transfer goes to another location."));
    }
    if body.kind == MovementKind::Spread {
        return match body.units {
            None => Ok(Moving::Spread { at }),
            Some(_) => Err(Problem::invalid("units", "To spread moves all units that are there.")),
        };
    }
    let missing = || Problem::invalid("units", "Say how many units move.");
    let asked = body.units.ok_or_else(missing)?;
    let units = |asked| {
        movement::units(asked).map_err(|error| Problem::invalid("units", error.to_string()))
    };
    Ok(match body.kind {
        MovementKind::Correction if asked < 0 => {
            Moving::Out { at, units: units(asked.saturating_neg())? }
        }
        MovementKind::Loss => Moving::Out { at, units: units(asked)? },
        MovementKind::Transfer => {
            let missing = || Problem::invalid("to", "Say where the units go to.");
            let to = body.to.clone().ok_or_else(missing)?;
            if to == at {
                return Err(Problem::invalid("to", "The units are there already."));
            }
            Moving::Transfer { from: at, to, units: units(asked)? }
        }
        MovementKind::Receipt | MovementKind::Correction | MovementKind::Spread => {
            Moving::In { at, units: units(asked)? }
        }
    })
}

fn unknown(moving: &Moving, into: &LocationId) -> Problem {
    let field = if moving.from().is_some() { "to" } else { "location" };
    Problem::invalid(field, format!("The policy names no location {into}."))
}

fn refuse(error: TooFew) -> Problem {
    Problem::new(409, "too-few-units", "Not so many units are there", error.to_string())
        .at("units")
        .with("location", error.at.as_str().into())
        .with("available", error.available.into())
}

/// The part that gets the first unit of a remainder: over many movements each
/// part gets as many.
fn start(id: &MovementId) -> u8 {
    id.as_str().bytes().fold(0, u8::wrapping_add)
}

/// The movement first: conflicts come by position.
fn writes(movement: &Movement, shifts: &[Shift]) -> Commit {
    let changes = shifts.iter().map(|it| stock::change(&movement.sku, &it.change, it.floor));
    std::iter::once(stock::note(movement)).chain(changes).collect()
}

fn replay(movement: Movement, asked: &Asked) -> Result<Moved, Failure> {
    if movement.request != asked.digest {
        return Err(Problem::key_reused().into());
    }
    Ok(Moved { movement, earlier: true })
}
