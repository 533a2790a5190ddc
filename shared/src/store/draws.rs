//! Campaigns that give points: what members drew, next to their ledgers, and
//! how much of a campaign's points is given, in parts that lie in partitions of
//! their own, so that they never pass their sum and members do not queue for
//! one item.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    draw::{Drawing, Drawn, POOL_PARTS, part_of_pool},
    text::Text,
    time::{Date, Timestamp},
};

use super::{
    Found, Key, Sends, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item as read_form, is_default, number, stored},
};

const GIVEN: &str = "g";
const SCHEMA: &str = "v";
const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredDrawn {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    r: Text<80>,
    c: Text<40>,
    at: Timestamp,
    p: i64,
    l: u32,
}
stored!(StoredDrawn, "draw", 1);

#[derive(Serialize, Deserialize)]
struct StoredDrawing {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    c: Text<40>,
    d: Date,
    t: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    p: i64,
    n: u64,
}
stored!(StoredDrawing, "record of draws", 1);

#[derive(Serialize, Deserialize)]
struct StoredPart {
    v: u32,
    g: i64,
}
stored!(StoredPart, "part of a pool", 1);

/// The keys of all parts of a campaign's points.
pub fn pool(campaign: &Text<40>) -> impl Iterator<Item = Key> {
    (0..POOL_PARTS).map(move |part| Key::pool(campaign, part))
}

/// Writes a draw, unless it is there.
#[must_use]
pub fn put(drawn: &Drawn) -> Write {
    let form = StoredDrawn {
        v: 1,
        pk: drawn.customer.clone(),
        r: drawn.reference.clone(),
        c: drawn.campaign.clone(),
        at: drawn.at,
        p: drawn.points,
        l: drawn.left,
    };
    Write::put(Key::drawn(&drawn.customer, &drawn.reference), &form, &Sends::none())
        .when(Condition::Absent)
}

/// Writes what a member drew so far over what was read. Loses when that has
/// changed since.
#[must_use]
pub fn save(drawing: &Drawing) -> Write {
    let form = StoredDrawing {
        v: 1,
        pk: drawing.customer.clone(),
        c: drawing.campaign.clone(),
        d: drawing.on,
        t: drawing.draws,
        p: drawing.points,
        n: drawing.version + 1,
    };
    Write::put(Key::drawing(&drawing.customer, &drawing.campaign), &form, &Sends::none())
        .unchanged(VERSION, drawing.version)
}

/// Takes points out of a part of a campaign's pool. Loses when the part has
/// fewer left.
#[must_use]
pub fn take(campaign: &Text<40>, pool: u32, part: u8, points: i64) -> Write {
    let change = Change::default().add(GIVEN, points).set(SCHEMA, number(1));
    let room = part_of_pool(pool, part).saturating_sub(points);
    let write = Write::update(Key::pool(campaign, part), change, &Sends::none());
    match room {
        0.. => write.when(Condition::MissingOrBelow(GIVEN.into(), room.saturating_add(1))),
        // More than the part ever had: no counter can be below zero.
        _ => write.when(Condition::Exists).when(Condition::MissingOrBelow(GIVEN.into(), 0)),
    }
}

fn drawn_from_item(item: &Item) -> Result<Drawn, StoreError> {
    let form: StoredDrawn = read_form(item)?;
    Ok(Drawn {
        reference: form.r,
        customer: form.pk,
        campaign: form.c,
        at: form.at,
        points: form.p,
        left: form.l,
    })
}

fn drawing_from_item(item: &Item) -> Result<Drawing, StoreError> {
    let form: StoredDrawing = read_form(item)?;
    Ok(Drawing {
        customer: form.pk,
        campaign: form.c,
        on: form.d,
        draws: form.t,
        points: form.p,
        version: form.n,
    })
}

impl Found {
    /// The member's draw of this name, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn drawn(
        &self,
        customer: &CustomerId,
        reference: &Text<80>,
    ) -> Result<Option<Drawn>, StoreError> {
        self.item(&Key::drawn(customer, reference)).map(drawn_from_item).transpose()
    }

    /// What the member drew in the campaign so far. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn drawing(
        &self,
        customer: &CustomerId,
        campaign: &Text<40>,
    ) -> Result<Drawing, StoreError> {
        let item = self.item(&Key::drawing(customer, campaign));
        let nothing = || Ok(Drawing::nothing(customer.clone(), campaign.clone()));
        item.map_or_else(nothing, drawing_from_item)
    }

    /// How many points were given of each part of a campaign's pool, in the
    /// order of the parts. These must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn given(&self, campaign: &Text<40>) -> Result<Vec<i64>, StoreError> {
        let given = |item| read_form(item).map(|form: StoredPart| form.g);
        pool(campaign).map(|key| self.item(&key).map_or(Ok(0), given)).collect()
    }
}
