//! Invitations to surveys, and how often buyers were contacted.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::{CustomerId, Email, Language},
    id::{InviteId, OrderId},
    survey::{Answer, Contacts, Invite, InviteStatus, MAX_COMMENT, Suppression, Touchpoint},
    text::Text,
    time::Timestamp,
};

use super::{
    Due, DueTable, Found, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, StoredError, from_item, stored, to_item},
    key::{DUE, DUE_SHARD, due_shard},
};

const STATUS: &str = "st";
const STATUS_AT: &str = "sa";
const WHY: &str = "w";
const ANSWER: &str = "an";
const PLANNED: &str = "du";
const EXPIRES: &str = "x";
const VERSION: &str = "n";

const SCHEDULED: &str = "scheduled";
const SENT: &str = "sent";
const SUPPRESSED: &str = "suppressed";
const ANSWERED: &str = "answered";

#[derive(Serialize, Deserialize)]
struct StoredInvite {
    v: u32,
    #[serde(skip_serializing)]
    pk: InviteId,
    o: OrderId,
    cu: CustomerId,
    tp: Touchpoint,
    to: Email,
    lg: Language,
    du: Timestamp,
    x: Timestamp,
    st: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sa: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<Suppression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    an: Option<StoredAnswer>,
}
stored!(StoredInvite, "survey invitation", 1);

#[derive(Serialize, Deserialize)]
struct StoredAnswer {
    v: u32,
    s: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<Text<MAX_COMMENT>>,
    at: Timestamp,
}
stored!(StoredAnswer, "survey answer", 1);

#[derive(Serialize, Deserialize)]
struct StoredContacts {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    at: Vec<Timestamp>,
    n: u64,
}
stored!(StoredContacts, "record of contacts", 1);

/// Writes a new invitation, which is scheduled, unless it was written before.
#[must_use]
pub fn schedule(invite: &Invite) -> Write {
    let form = StoredInvite {
        v: 1,
        pk: invite.id.clone(),
        o: invite.order.clone(),
        cu: invite.customer.clone(),
        tp: invite.touchpoint,
        to: invite.email.clone(),
        lg: invite.language,
        du: invite.due,
        x: invite.expires,
        st: SCHEDULED.to_owned(),
        sa: None,
        w: None,
        an: None,
    };
    Write::put(Key::invite(&invite.id), &form, &Sends::none())
        .when(Condition::Absent)
        .indexed(DUE_SHARD, due_shard(invite.id.as_str()))
        .indexed(DUE, invite.due.to_string())
}

/// Sends a scheduled invitation. Loses when it is no longer scheduled.
#[must_use]
pub fn send(invite: &InviteId, at: Timestamp, sends: &Sends) -> Write {
    settle(invite, SENT, at, Change::default(), sends)
}

/// Gives a scheduled invitation another time. Loses when it is no longer
/// scheduled.
#[must_use]
pub fn put_off(invite: &InviteId, due: Timestamp, expires: Timestamp) -> Write {
    let text = |at: Timestamp| AttributeValue::S(at.to_string());
    let change =
        Change::default().set(PLANNED, text(due)).set(EXPIRES, text(expires)).set(DUE, text(due));
    Write::update(Key::invite(invite), change, &Sends::none())
        .when(Condition::Equals(STATUS, AttributeValue::S(SCHEDULED.to_owned())))
}

/// Suppresses a scheduled invitation. Loses when it is not there, or no longer
/// scheduled.
#[must_use]
pub fn suppress(invite: &InviteId, at: Timestamp, why: Suppression) -> Write {
    let why = match why {
        Suppression::ContactBudget => "contact_budget",
        Suppression::TooLate => "too_late",
        Suppression::NothingKept => "nothing_kept",
    };
    let change = Change::default().set(WHY, AttributeValue::S(why.to_owned()));
    settle(invite, SUPPRESSED, at, change, &Sends::none())
}

fn settle(invite: &InviteId, status: &str, at: Timestamp, change: Change, sends: &Sends) -> Write {
    let change = change
        .set(STATUS, AttributeValue::S(status.to_owned()))
        .set(STATUS_AT, AttributeValue::S(at.to_string()))
        .remove(DUE)
        .remove(DUE_SHARD);
    Write::update(Key::invite(invite), change, sends)
        .when(Condition::Equals(STATUS, AttributeValue::S(SCHEDULED.to_owned())))
}

/// Records the answer to an invitation that was sent, with its message. Loses when there is an
/// answer, it was not sent, or its survey has closed when the answer comes.
///
/// # Errors
/// [`StoreError::Stored`] when the answer cannot be stored.
pub fn answer(invite: &InviteId, answer: &Answer, sends: &Sends) -> Result<Write, StoreError> {
    let form = StoredAnswer { v: 1, s: answer.score, c: answer.comment.clone(), at: answer.at };
    let form =
        to_item(&form).map_err(|source| StoreError::Stored { what: "survey answer", source })?;
    let change = Change::default()
        .set(STATUS, AttributeValue::S(ANSWERED.to_owned()))
        .set(ANSWER, AttributeValue::M(form));
    Ok(Write::update(Key::invite(invite), change, sends)
        .when(Condition::Equals(STATUS, AttributeValue::S(SENT.to_owned())))
        .when(Condition::After(EXPIRES, answer.at)))
}

/// Writes a record of contacts over the one that was read. Loses when it has
/// changed since.
#[must_use]
pub fn save_contacts(contacts: &Contacts) -> Write {
    let form = StoredContacts {
        v: 1,
        pk: contacts.customer.clone(),
        at: contacts.at.clone(),
        n: contacts.version + 1,
    };
    Write::put(Key::contacts(&contacts.customer), &form, &Sends::none())
        .unchanged(VERSION, contacts.version)
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
        (SENT, Some(at), ..) => InviteStatus::Sent { at },
        (SUPPRESSED, Some(at), Some(why), _) => InviteStatus::Suppressed { at, why },
        (ANSWERED, .., Some(form)) => {
            InviteStatus::Answered(Answer { score: form.s, comment: form.c, at: form.at })
        }
        _ => return Err(odd()),
    };
    Ok(Invite {
        id: form.pk,
        order: form.o,
        customer: form.cu,
        touchpoint: form.tp,
        email: form.to,
        language: form.lg,
        due: form.du,
        expires: form.x,
        status,
    })
}

pub(super) fn contacts_from_item(item: &Item) -> Result<Contacts, StoreError> {
    let form: StoredContacts = from_item(item)?;
    Ok(Contacts { customer: form.pk, at: form.at, version: form.n })
}

impl Found {
    /// The invitation, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn invite(&self, invite: &InviteId) -> Result<Option<Invite>, StoreError> {
        self.item(&Key::invite(invite)).map(invite_from_item).transpose()
    }

    /// How often the buyer was contacted. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn contacts(&self, customer: &CustomerId) -> Result<Contacts, StoreError> {
        let Some(item) = self.item(&Key::contacts(customer)) else {
            return Ok(Contacts::none(customer.clone()));
        };
        contacts_from_item(item)
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
