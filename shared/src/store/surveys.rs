//! Invitations to surveys, and their answers.
//!
//! DynamoDB charges an update for the whole item, so an invitation keeps nothing
//! long that its answer does not need: what a survey calls its products is an
//! item of its own, which only the page reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    answers::{Counted, Mark},
    customer::{Country, CustomerId, Email, Language},
    id::{InviteId, OrderId, ShipmentId, TicketId},
    product::Sku,
    shipment::Carrier,
    stock::LocationId,
    survey::{
        About, Answer, CORRECTABLE, Delivered, Given, Invite, InviteStatus, MAX_TITLE, Occasion,
        QuestionId, Suppression, TouchpointId,
    },
    text::Text,
    time::Timestamp,
};

use super::{
    Commit, Due, DueTable, Found, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, StoredError, from_item, is_default, number, stored, to_item},
    key::{DUE, DUE_SHARD, due_shard},
};

const STATUS: &str = "st";
const STATUS_AT: &str = "sa";
const WHY: &str = "w";
const ANSWER: &str = "an";
const REVISION: &str = "r";
const ANSWER_GIVEN: &str = "an.g";
const ANSWER_REVISION: &str = "an.r";
const ANSWER_LANGUAGE: &str = "an.lg";
const ANSWER_AT: &str = "an.at";
const PLANNED: &str = "du";
const EXPIRES: &str = "x";
const COUNTED: &str = "ct";
const COUNTED_REVISION: &str = "ct.r";
const REMINDED: &str = "rm";

const SCHEDULED: &str = "scheduled";
const SENT: &str = "sent";
const SUPPRESSED: &str = "suppressed";
const ANSWERED: &str = "answered";

#[derive(Serialize, Deserialize)]
struct StoredInvite {
    v: u32,
    #[serde(skip_serializing)]
    pk: InviteId,
    tp: TouchpointId,
    oc: Occasion,
    cu: CustomerId,
    to: Email,
    lg: Language,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cy: Option<Country>,
    #[serde(default, skip_serializing_if = "is_default")]
    ab: StoredAbout,
    du: Timestamp,
    x: Timestamp,
    st: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sa: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<Suppression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rm: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    an: Option<StoredAnswer>,
    #[serde(default, skip_serializing_if = "is_default")]
    ct: StoredCounted,
}
stored!(StoredInvite, "survey invitation", 2);

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct StoredAbout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<ShipmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<TicketId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<Carrier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<(LocationId, Country)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ti: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "is_default")]
    p: Vec<Sku>,
}

/// SKU and title, in the order of the page.
#[derive(Serialize, Deserialize)]
struct StoredProducts {
    v: u32,
    p: Vec<(Sku, Text<MAX_TITLE>)>,
}
stored!(StoredProducts, "products of a survey", 1);

#[derive(Serialize, Deserialize)]
struct StoredAnswer {
    v: u32,
    g: BTreeMap<QuestionId, Given>,
    at: Timestamp,
    r: u32,
    lg: Language,
}
stored!(StoredAnswer, "survey answer", 2);

/// What was counted of the answer: its revision and its marks, as texts.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct StoredCounted {
    r: u32,
    m: Vec<String>,
}

impl StoredCounted {
    fn read(&self) -> Option<Counted> {
        let marks = self.m.iter().map(|mark| Mark::parse(mark)).collect::<Option<_>>()?;
        Some(Counted { revision: self.r, marks })
    }
}

/// Writes a new invitation, which is scheduled, with the products that its survey
/// names. Loses when it was written before.
#[must_use]
pub fn schedule(invite: &Invite, products: &[Delivered]) -> Commit {
    let form = StoredInvite {
        v: 2,
        pk: invite.id.clone(),
        tp: invite.touchpoint.clone(),
        oc: invite.occasion,
        cu: invite.customer.clone(),
        to: invite.email.clone(),
        lg: invite.language,
        cy: invite.country.clone(),
        ab: StoredAbout::from(&invite.about),
        du: invite.due,
        x: invite.expires,
        st: SCHEDULED.to_owned(),
        sa: None,
        w: None,
        rm: None,
        an: None,
        ct: StoredCounted::default(),
    };
    let write = Write::put(Key::invite(&invite.id), &form, &Sends::none())
        .when(Condition::Absent)
        .indexed(DUE_SHARD, due_shard(invite.id.as_str()))
        .indexed(DUE, invite.due.to_string());
    if products.is_empty() {
        return write.into();
    }
    let named = products.iter().map(|it| (it.sku.clone(), it.title.clone())).collect();
    let named = StoredProducts { v: 1, p: named };
    let key = Key::invite_products(&invite.id);
    Commit::from(write).with(Write::put(key, &named, &Sends::none()))
}

/// Sends a scheduled invitation, of which its buyer is reminded then. Loses when
/// it is no longer scheduled.
#[must_use]
pub fn send(
    invite: &InviteId,
    at: Timestamp,
    remind_at: Option<Timestamp>,
    sends: &Sends,
) -> Write {
    let change = Change::default().set(STATUS, text(SENT)).set(STATUS_AT, moment(at));
    let change = match remind_at {
        Some(due) => change.set(DUE, moment(due)),
        None => change.remove(DUE).remove(DUE_SHARD),
    };
    Write::update(Key::invite(invite), change, sends).when(is(SCHEDULED))
}

/// Reminds of an invitation that was sent. Loses when it was answered, or
/// somebody was reminded of it.
#[must_use]
pub fn remind(invite: &InviteId, at: Timestamp, sends: &Sends) -> Write {
    let change = Change::default().set(REMINDED, moment(at)).remove(DUE).remove(DUE_SHARD);
    Write::update(Key::invite(invite), change, sends)
        .when(is(SENT))
        .when(Condition::Missing(REMINDED.into()))
}

/// Reminds of an invitation at another time, or never. Loses when it was
/// answered, or somebody was reminded of it.
#[must_use]
pub fn remind_at(invite: &InviteId, due: Option<Timestamp>) -> Write {
    let change = match due {
        Some(due) => Change::default().set(DUE, moment(due)),
        None => Change::default().remove(DUE).remove(DUE_SHARD),
    };
    Write::update(Key::invite(invite), change, &Sends::none())
        .when(is(SENT))
        .when(Condition::Missing(REMINDED.into()))
}

/// Gives a scheduled invitation another time. Loses when it is no longer
/// scheduled.
#[must_use]
pub fn put_off(invite: &InviteId, due: Timestamp, expires: Timestamp) -> Write {
    let change = Change::default()
        .set(PLANNED, moment(due))
        .set(EXPIRES, moment(expires))
        .set(DUE, moment(due));
    Write::update(Key::invite(invite), change, &Sends::none()).when(is(SCHEDULED))
}

/// Has an invitation that is due, and cannot be seen to, looked at again at a
/// later moment, whatever else is in it. Loses when it is not due.
#[must_use]
pub fn look_again(invite: &InviteId, at: Timestamp) -> Write {
    let change = Change::default().set(DUE, moment(at));
    Write::update(Key::invite(invite), change, &Sends::none()).when(Condition::Has(DUE.into()))
}

/// Suppresses a scheduled invitation. Loses when it is not there, or no longer
/// scheduled.
#[must_use]
pub fn suppress(invite: &InviteId, at: Timestamp, why: Suppression) -> Write {
    let why = match why {
        Suppression::ContactBudget => "contact_budget",
        Suppression::NoConsent => "no_consent",
        Suppression::Quota => "quota",
        Suppression::TooLate => "too_late",
        Suppression::NothingKept => "nothing_kept",
        Suppression::Reopened => "reopened",
        Suppression::CalledOff => "called_off",
        Suppression::Superseded => "superseded",
        Suppression::Off => "off",
        Suppression::Ended => "ended",
    };
    let change = Change::default()
        .set(STATUS, text(SUPPRESSED))
        .set(STATUS_AT, moment(at))
        .set(WHY, text(why))
        .remove(DUE)
        .remove(DUE_SHARD);
    Write::update(Key::invite(invite), change, &Sends::none()).when(is(SCHEDULED))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn moment(at: Timestamp) -> AttributeValue {
    AttributeValue::S(at.to_string())
}

fn is(status: &str) -> Condition {
    Condition::Equals(STATUS, text(status))
}

/// Records the answer to an invitation that was sent, with its messages. Loses
/// when there is an answer, it was not sent, or its survey has closed when the
/// answer comes.
///
/// # Errors
/// [`StoreError::Stored`] when the answer cannot be stored.
pub fn answer(invite: &InviteId, answer: &Answer, sends: &Sends) -> Result<Write, StoreError> {
    let form = StoredAnswer {
        v: 2,
        g: answer.given.clone(),
        at: answer.at,
        r: answer.revision,
        lg: answer.language,
    };
    let change = Change::default()
        .set(STATUS, AttributeValue::S(ANSWERED.to_owned()))
        .set(ANSWER, AttributeValue::M(answer_item(&form)?));
    Ok(Write::update(Key::invite(invite), change, sends)
        .when(Condition::Equals(STATUS, AttributeValue::S(SENT.to_owned())))
        .when(Condition::After(EXPIRES, answer.at)))
}

/// Puts `answer`, which is given `now` and whose revision is the one after that
/// which it corrects, in the place of that one. When it was first given stays.
/// Loses when the answer has another revision, was first given a [`CORRECTABLE`]
/// ago, or its survey has closed.
///
/// # Errors
/// [`StoreError::Stored`] when the answer cannot be stored.
pub fn correct(
    invite: &InviteId,
    answer: &Answer,
    now: Timestamp,
    sends: &Sends,
) -> Result<Write, StoreError> {
    let form = StoredAnswer {
        v: 2,
        g: answer.given.clone(),
        at: answer.at,
        r: answer.revision,
        lg: answer.language,
    };
    let mut item = answer_item(&form)?;
    let mut change = Change::default();
    for (name, path) in [("g", ANSWER_GIVEN), (REVISION, ANSWER_REVISION), ("lg", ANSWER_LANGUAGE)]
    {
        if let Some(value) = item.remove(name) {
            change = change.set(path, value);
        }
    }
    let corrected = number(answer.revision.saturating_sub(1));
    Ok(Write::update(Key::invite(invite), change, sends)
        .when(Condition::Is(ANSWER_REVISION.into(), corrected))
        .when(Condition::After(ANSWER_AT, now.minus(CORRECTABLE)))
        .when(Condition::After(EXPIRES, now)))
}

fn answer_item(form: &StoredAnswer) -> Result<Item, StoreError> {
    to_item(form).map_err(|source| StoreError::Stored { what: "survey answer", source })
}

/// Notes what is counted of an invitation's answer. Loses when something else
/// was counted than `known`.
pub(super) fn counted(invite: &InviteId, known: &Counted, counted: &Counted) -> Write {
    let marks = counted.marks.iter().map(|mark| text(&mark.to_string())).collect();
    let form = [("r", number(counted.revision)), ("m", AttributeValue::L(marks))];
    let form = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // Nobody is reminded any more. Who answers does not wait for the index.
    let change =
        Change::default().set(COUNTED, AttributeValue::M(form)).remove(DUE).remove(DUE_SHARD);
    let same = match known.revision {
        0 => Condition::Missing(COUNTED.into()),
        revision => Condition::Is(COUNTED_REVISION.into(), number(revision)),
    };
    Write::update(Key::invite(invite), change, &Sends::none()).when(Condition::Exists).when(same)
}

/// The invitation in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn invite_from_item(item: &Item) -> Result<Invite, StoreError> {
    let form: StoredInvite = from_item(item)?;
    let odd = || StoreError::Stored { what: "survey invitation", source: StoredError::Range };
    let status = match (form.st.as_str(), form.sa, form.w, form.an) {
        (SCHEDULED, ..) => InviteStatus::Scheduled,
        (SENT, Some(at), ..) => InviteStatus::Sent { at, reminded_at: form.rm },
        (SUPPRESSED, Some(at), Some(why), _) => InviteStatus::Suppressed { at, why },
        (ANSWERED, Some(sent_at), _, Some(form)) => InviteStatus::Answered {
            sent_at,
            answer: Answer { given: form.g, at: form.at, revision: form.r, language: form.lg },
        },
        _ => return Err(odd()),
    };
    Ok(Invite {
        id: form.pk,
        touchpoint: form.tp,
        occasion: form.oc,
        about: form.ab.into(),
        customer: form.cu,
        email: form.to,
        language: form.lg,
        country: form.cy,
        due: form.du,
        expires: form.x,
        status,
        counted: form.ct.read().ok_or_else(odd)?,
    })
}

impl From<&About> for StoredAbout {
    fn from(about: &About) -> Self {
        let About { order, shipment, ticket, carrier, lane, tier, products } = about.clone();
        Self { o: order, s: shipment, t: ticket, c: carrier, l: lane, ti: tier, p: products }
    }
}

impl From<StoredAbout> for About {
    fn from(form: StoredAbout) -> Self {
        let StoredAbout { o, s, t, c, l, ti, p } = form;
        Self { order: o, shipment: s, ticket: t, carrier: c, lane: l, tier: ti, products: p }
    }
}

impl Found {
    /// The invitation, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn invite(&self, invite: &InviteId) -> Result<Option<Invite>, StoreError> {
        self.item(&Key::invite(invite)).map(invite_from_item).transpose()
    }
}

impl Store {
    /// The invitation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite(&self, invite: &InviteId) -> Result<Option<Invite>, StoreError> {
        self.get(&Key::invite(invite)).await?.as_ref().map(invite_from_item).transpose()
    }

    /// The products that the survey of an invitation names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite_products(&self, invite: &InviteId) -> Result<Vec<Delivered>, StoreError> {
        let Some(item) = self.get(&Key::invite_products(invite)).await? else {
            return Ok(Vec::new());
        };
        let form: StoredProducts = from_item(&item)?;
        Ok(form.p.into_iter().map(|(sku, title)| Delivered { sku, title }).collect())
    }

    /// The invitations to be sent by `now`, as the index has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invites_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<InviteId>, StoreError> {
        let due = self.due(DueTable::Surveys, now, most).await?;
        let invite = |due: &Due| InviteId::parse(&due.pk).ok();
        Ok(due.iter().filter_map(invite).collect())
    }
}
