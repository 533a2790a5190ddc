//! How often somebody was contacted for what is not a purchase, what they want
//! of it, and what was decided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::{
    messages::Envelope,
    model::{
        contact::{Chosen, ContactEntry, Contactee, Contacts, Purpose, Withheld},
        customer::Country,
        text::Text,
        time::{Period, Timestamp, Zone},
    },
};

use super::{
    DueTable, Found, Key, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{Item, StoredError, from_item, in_range, is_default, stored},
    key::{CONTACT_PREFIX, DUE, DUE_SHARD},
    read::PartitionQuery,
};

const VERSION: &str = "n";
const AT: &str = "at";
const WHY: &str = "w";
const SENT_ON: &str = "f";

/// The partition of the index of what is due in which contacts lie that wait
/// for the morning. What one schedule sees to fits into one partition, and the
/// schedule of the invitations does not see it.
const WAITING: &str = "contacts";

/// How long a decision is kept: somebody asks about one of the last months at
/// most. It is longer than any message comes again.
pub const ENTRY_LIFE: Period = Period::of_days(180);

#[derive(Serialize, Deserialize)]
struct StoredContacts {
    v: u32,
    #[serde(skip_serializing)]
    pk: String,
    #[serde(default, skip_serializing_if = "is_default")]
    at: Vec<(Timestamp, Purpose)>,
    #[serde(default, skip_serializing_if = "is_default")]
    ch: BTreeMap<Purpose, (bool, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    z: Option<Zone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<Country>,
    n: u64,
}
stored!(StoredContacts, "record of contacts", 2);

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    v: u32,
    #[serde(skip_serializing)]
    pk: String,
    #[serde(skip_serializing)]
    sk: String,
    p: Purpose,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<Withheld>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<Timestamp>,
    /// When DynamoDB deletes it, in seconds after 1970 began; the name that the
    /// table's time to live is set to.
    ttl: i64,
}
stored!(StoredEntry, "decision about a contact", 1);

/// What was decided about a contact, or that it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// What was decided, or since when it waits.
    pub entry: ContactEntry,
    /// Until when it waits.
    pub waits: Option<Timestamp>,
    /// What is said then; none, if whoever says it keeps it elsewhere.
    pub message: Option<Envelope>,
    /// When the message went on that was let out, if that is known.
    pub sent_on: Option<Timestamp>,
}

/// Notes what was decided about a contact. Loses when that was decided before;
/// one that waited is decided by it.
#[must_use]
pub fn note(entry: &ContactEntry) -> Write {
    put(entry, Stage::Decided).when(undecided())
}

/// Notes what is decided now instead of `before`, by which a message was let out
/// that is not known to have gone on. Loses when it went on, or something else
/// was decided since.
#[must_use]
pub fn instead(before: &ContactEntry, entry: &ContactEntry) -> Write {
    let write = put(entry, Stage::Decided);
    still(before).into_iter().fold(write, Write::when)
}

/// Notes that the message went on that was let out by `entry`. Loses when that
/// is noted, or something else was decided since.
#[must_use]
pub fn sent_on(entry: &ContactEntry, at: Timestamp) -> Write {
    let write = put(entry, Stage::SentOn(at));
    still(entry).into_iter().fold(write, Write::when)
}

/// Notes that a contact waits until it is day: a message that the schedule takes
/// up then, or what is seen to elsewhere. Loses when it was decided before; with
/// a decision to be replaced, as [`instead`] does.
///
/// # Errors
/// [`StoreError::Stored`] when the message cannot be stored.
pub fn wait(
    before: Option<&ContactEntry>,
    entry: &ContactEntry,
    until: Timestamp,
    message: Option<&Envelope>,
) -> Result<Write, StoreError> {
    let text = message.map(serde_json::to_string).transpose();
    let text = text.map_err(|error| StoreError::Stored {
        what: "contact that waits",
        source: StoredError::Messages(error),
    })?;
    let is_taken_up = text.is_some();
    let write = put(entry, Stage::Waits(until, text));
    let conditions = before.map_or_else(|| vec![undecided()], |before| still(before).into());
    let write = conditions.into_iter().fold(write, Write::when);
    Ok(if is_taken_up { write.indexed(DUE_SHARD, WAITING.to_owned()) } else { write })
}

/// How far a contact is.
enum Stage {
    Decided,
    SentOn(Timestamp),
    Waits(Timestamp, Option<String>),
}

fn undecided() -> Condition {
    Condition::Any(vec![Condition::Absent, Condition::Has(DUE.into())])
}

/// It is let out by this, and not known to have gone on.
fn still(entry: &ContactEntry) -> [Condition; 4] {
    [
        Condition::Equals(AT, AttributeValue::S(entry.at.to_string())),
        Condition::Missing(WHY.into()),
        Condition::Missing(DUE.into()),
        Condition::Missing(SENT_ON.into()),
    ]
}

fn put(entry: &ContactEntry, stage: Stage) -> Write {
    let (due, message, sent_on) = match stage {
        Stage::Decided => (None, None, None),
        Stage::SentOn(at) => (None, None, Some(at)),
        Stage::Waits(until, message) => (Some(until), message, None),
    };
    let form = StoredEntry {
        v: 1,
        pk: entry.who.as_str().to_owned(),
        sk: entry.reference.as_str().to_owned(),
        p: entry.purpose,
        at: entry.at,
        w: entry.withheld,
        due,
        m: message,
        f: sent_on,
        ttl: entry.at.plus(ENTRY_LIFE).unix_seconds(),
    };
    Write::put(Key::contact_entry(&entry.who, &entry.reference), &form, &Sends::none())
}

/// Has a contact that waits, and cannot be seen to, looked at again at a later
/// moment, whatever else is in it. Loses when it does not wait.
#[must_use]
pub fn look_again(who: &Contactee, reference: &Text<80>, at: Timestamp) -> Write {
    let change = Change::default().set(DUE, AttributeValue::S(at.to_string()));
    Write::update(Key::contact_entry(who, reference), change, &Sends::none())
        .when(Condition::Has(DUE.into()))
}

/// Puts a contact that waits off to a later moment. Loses when it does not wait
/// until the earlier one any more.
#[must_use]
pub fn put_off(entry: &ContactEntry, before: Timestamp, until: Timestamp) -> Write {
    let text = |moment: Timestamp| AttributeValue::S(moment.to_string());
    let change = Change::default().set(DUE, text(until));
    Write::update(Key::contact_entry(&entry.who, &entry.reference), change, &Sends::none())
        .when(Condition::Equals(DUE, text(before)))
}

fn noted_from_item(item: &Item) -> Result<Noted, StoreError> {
    const WHAT: &str = "decision about a contact";
    let form: StoredEntry = from_item(item)?;
    let reference = form.sk.strip_prefix(CONTACT_PREFIX).ok_or(());
    let reference = reference.and_then(|text| Text::new(text).map_err(drop));
    let message = form.m.map(|text| in_range(WHAT, Envelope::parse(&text)));
    Ok(Noted {
        entry: ContactEntry {
            who: in_range(WHAT, Contactee::parse(&form.pk).ok_or(()))?,
            reference: in_range(WHAT, reference)?,
            purpose: form.p,
            at: form.at,
            withheld: form.w,
        },
        waits: form.due,
        message: message.transpose()?,
        sent_on: form.f,
    })
}

/// Writes a record of contacts over the one that was read. Loses when it has
/// changed since.
#[must_use]
pub fn save(contacts: &Contacts) -> Write {
    let chosen = contacts.choices.iter().map(|(of, it)| (*of, (it.wanted, it.at)));
    let form = StoredContacts {
        v: 2,
        pk: contacts.who.as_str().to_owned(),
        at: contacts.made.clone(),
        ch: chosen.collect(),
        z: contacts.zone.clone(),
        c: contacts.country.clone(),
        n: contacts.version.saturating_add(1),
    };
    Write::put(Key::contacts(&contacts.who), &form, &Sends::none())
        .unchanged(VERSION, contacts.version)
}

pub(super) fn contacts_from_item(item: &Item) -> Result<Contacts, StoreError> {
    let form: StoredContacts = from_item(item)?;
    let chosen = form.ch.into_iter().map(|(of, (wanted, at))| (of, Chosen { wanted, at }));
    Ok(Contacts {
        who: in_range("record of contacts", Contactee::parse(&form.pk).ok_or(()))?,
        made: form.at,
        choices: chosen.collect(),
        zone: form.z,
        country: form.c,
        version: form.n,
    })
}

impl Found {
    /// How often somebody was contacted. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn contacts(&self, who: &Contactee) -> Result<Contacts, StoreError> {
        let Some(item) = self.item(&Key::contacts(who)) else {
            return Ok(Contacts::none(who.clone()));
        };
        contacts_from_item(item)
    }

    /// What was decided about a contact, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn noted(
        &self,
        who: &Contactee,
        reference: &Text<80>,
    ) -> Result<Option<Noted>, StoreError> {
        self.item(&Key::contact_entry(who, reference)).map(noted_from_item).transpose()
    }
}

impl Store {
    /// How often somebody was contacted, and what they want.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contacts(&self, who: &Contactee) -> Result<Contacts, StoreError> {
        match self.get(&Key::contacts(who)).await? {
            None => Ok(Contacts::none(who.clone())),
            Some(item) => contacts_from_item(&item),
        }
    }

    /// What was decided about contacts with somebody in the last months, and
    /// what waits; latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contact_entries(&self, who: &Contactee) -> Result<Vec<Noted>, StoreError> {
        let query = PartitionQuery {
            table: Table::Surveys,
            pk: who.as_str(),
            prefix: Some(CONTACT_PREFIX),
        };
        let items = self.partition(query).await?;
        let mut noted = items.iter().map(noted_from_item).collect::<Result<Vec<_>, _>>()?;
        // References are in no order; one of the same moment as another comes by its own.
        let place = |it: &Noted| (it.entry.at, it.entry.reference.as_str().to_owned());
        noted.sort_by_key(|it| std::cmp::Reverse(place(it)));
        Ok(noted)
    }

    /// The contacts that wait until `now` at the longest, as the index has it:
    /// with whom, and their references.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contacts_waiting(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<(Contactee, Text<80>)>, StoreError> {
        let until = (Timestamp::FIRST, now);
        let due = self.due_between(DueTable::Surveys, WAITING, until, most).await?;
        let waiting = due.iter().filter_map(|due| {
            let reference = due.sk.strip_prefix(CONTACT_PREFIX)?;
            Some((Contactee::parse(&due.pk)?, Text::new(reference).ok()?))
        });
        Ok(waiting.collect())
    }
}
