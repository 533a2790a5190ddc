//! Tickets, their entries, and what is counted of them.
//!
//! A ticket and its entries lie in one partition, and are read with one query.
//! The ticket is in the index of what is due by when somebody has to look at it.
//! Next to it there is a note in the customer's partition: it is how customers
//! find their tickets, and lies in the index by desk and status, by deadline, so
//! that a desk's list is in the order of its work whatever schedules wait for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::{CustomerId, Email, Language},
    id::{OrderId, PaymentId, RefundId, ShipmentId, TicketId, VoucherId},
    order::Actor,
    shipment::{Carrier, Tracking, TrackingNumber},
    text::Text,
    ticket::{
        CauseCode, Counted, DeskId, Links, MAX_MESSAGE, Outcome, Priority, Remedy, RemedyKind,
        Source, Spread, Ticket, TicketCounts, TicketEntry, TicketEvent, TicketStatus, Took, Topic,
        Writer,
    },
    time::Timestamp,
};

use super::{
    Commit, Due, DueTable, Found, Item, Key, Page, PageToken, Sends, Store, StoreError, Table,
    Write,
    commit::{Change, Condition},
    item::{StoredError, as_number, from_item as read_form, is_default, number, stored},
    key::{DUE, DUE_SHARD, PK, SK, TICKET_PREFIX, due_shard, ticket_counts_pk},
    read::{PartitionQuery, key_of, text},
};

const VERSION: &str = "n";

const OPENED: &str = "o";
const REOPENED: &str = "r";
const ANSWERED: &str = "a";
const ANSWERED_IN_TIME: &str = "ai";
const SOLVED: &str = "s";
const SOLVED_IN_TIME: &str = "si";
const SCORE: &str = "j";

#[derive(Serialize, Deserialize)]
struct StoredTicket {
    v: u32,
    #[serde(skip_serializing)]
    pk: TicketId,
    f: Source,
    cu: CustomerId,
    to: Email,
    lg: Language,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ti: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "is_default")]
    li: StoredLinks,
    tp: Topic,
    p: Priority,
    #[serde(default, skip_serializing_if = "is_default")]
    al: Vec<Text<40>>,
    d: DeskId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<Text<128>>,
    st: TicketStatus,
    at: Timestamp,
    cf: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ws: Option<Timestamp>,
    ab: Timestamp,
    sb: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aa: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sa: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<CauseCode>,
    #[serde(default, skip_serializing_if = "is_default")]
    re: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    rm: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    rs: Vec<StoredRemedy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    j: Option<u8>,
    e: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    du: Option<Timestamp>,
    ct: StoredCounted,
    n: u64,
}
stored!(StoredTicket, "ticket", 1);

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct StoredLinks {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<ShipmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<(Carrier, TrackingNumber)>,
    #[serde(default, skip_serializing_if = "is_default")]
    p: Vec<PaymentId>,
    #[serde(default, skip_serializing_if = "is_default")]
    r: Vec<RefundId>,
    #[serde(default, skip_serializing_if = "is_default")]
    v: Vec<VoucherId>,
}

#[derive(Serialize, Deserialize)]
struct StoredCounted {
    d: DeskId,
    p: Priority,
    /// After how many seconds, and whether that was in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<(i64, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<(i64, bool)>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct StoredRemedy {
    k: Text<128>,
    w: RemedyKind,
    by: Actor,
    at: Timestamp,
    /// When it was done, or could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<Timestamp>,
    /// What it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Text<80>>,
    /// Why it could not be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<Text<200>>,
}

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    v: u32,
    #[serde(skip_serializing)]
    pk: TicketId,
    i: u16,
    at: Timestamp,
    /// The customer if it is missing, and the suite if it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ev: Option<TicketEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Text<MAX_MESSAGE>>,
    #[serde(default, skip_serializing_if = "is_default")]
    h: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<(Text<40>, Text<40>)>,
}
stored!(StoredEntry, "entry of a ticket", 1);

#[derive(Serialize, Deserialize)]
struct StoredPlace {
    v: u32,
}
stored!(StoredPlace, "place of a ticket", 1);

/// Writes a new ticket with its first entries, and counts it, unless it is there.
/// The ticket is the first write.
#[must_use]
pub fn open(ticket: &Ticket, entries: &[TicketEntry], sends: &Sends) -> Commit {
    let ticket = Ticket { version: 0, ..ticket.clone() };
    let writes = [put(&ticket, sends), place(&ticket)];
    let writes = writes.into_iter().chain(entries.iter().map(entry));
    writes.chain(counters(None, &ticket)).collect()
}

/// Writes a ticket over the one that was read, with the entries that are new,
/// and counts what is different. Loses when it has changed since. The ticket is
/// the first write.
#[must_use]
pub fn save(read: &Ticket, ticket: &Ticket, entries: &[TicketEntry], sends: &Sends) -> Commit {
    let ticket = Ticket { version: read.version, ..ticket.clone() };
    let moved = listed_at(read) != listed_at(&ticket);
    let writes = std::iter::once(put(&ticket, sends)).chain(moved.then(|| place(&ticket)));
    writes.chain(entries.iter().map(entry)).chain(counters(Some(read), &ticket)).collect()
}

/// Counts in each column what a ticket adds to it now and did not before, and
/// takes away what it does not any more, in the month in which it was opened:
/// at most one write a column. With a root cause the ticket, with all that was
/// counted of it, comes to the column of that; with another one it leaves it.
fn counters(read: Option<&Ticket>, ticket: &Ticket) -> Vec<Write> {
    let month = month(ticket);
    let mut differences: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (counted, by) in [(read, -1), (Some(ticket), 1)] {
        for column in counted.map(columns).unwrap_or_default() {
            for name in counted.map(counts).unwrap_or_default() {
                *differences.entry((column.clone(), name)).or_default() += by;
            }
        }
    }
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    for ((column, name), by) in differences.into_iter().filter(|(_, by)| *by != 0) {
        let change = changes.remove(&column);
        let change = change.unwrap_or_else(|| Change::default().set("v", number(1)));
        changes.insert(column, change.add(name, by));
    }
    let write = |(column, change): (String, Change)| {
        Write::update(Key::ticket_counts(&month, &column), change, &Sends::none())
    };
    changes.into_iter().map(write).collect()
}

/// The month in which a ticket is counted.
fn month(ticket: &Ticket) -> String {
    ticket.opened_at.to_string().chars().take(7).collect()
}

/// A counter: of a month, of a column, by its name.
pub(super) type Counter = (String, String, String);

/// The counters to which a ticket adds 1.
pub(super) fn counters_of(ticket: &Ticket) -> Vec<Counter> {
    let (month, counts) = (month(ticket), counts(ticket));
    let of_column = |column: String| {
        counts.iter().map(|name| (month.clone(), column.clone(), name.clone())).collect::<Vec<_>>()
    };
    columns(ticket).into_iter().flat_map(of_column).collect()
}

/// The counters in an item, which are not 0.
pub(super) fn counters_in(item: &Item) -> Vec<(Counter, i64)> {
    let Some((pk, column)) = key_of(item) else { return Vec::new() };
    let month = pk.strip_prefix(&ticket_counts_pk("")).unwrap_or(&pk);
    let counters = item.iter().filter(|(name, _)| *name != "v").filter_map(|(name, value)| {
        let count: i64 = as_number(value)?.parse().ok()?;
        let counter = (month.to_owned(), column.clone(), name.clone());
        (count != 0).then_some((counter, count))
    });
    counters.collect()
}

/// What a ticket adds 1 to in each of its columns.
fn counts(ticket: &Ticket) -> Vec<String> {
    let Counted { answered, solved, .. } = &ticket.counted;
    let timed = |took: &Option<Took>, name: &str, in_time: &str| {
        let class = took.map(|it| format!("{name}{}", Spread::class(it.seconds)));
        let in_time = took.is_some_and(|it| it.in_time).then(|| in_time.to_owned());
        class.into_iter().chain(in_time)
    };
    let reopened = (ticket.reopened > 0).then(|| REOPENED.to_owned());
    let score = ticket.satisfaction.map(|score| format!("{SCORE}{score}"));
    let counts = std::iter::once(OPENED.to_owned()).chain(reopened).chain(score);
    let counts = counts.chain(timed(answered, ANSWERED, ANSWERED_IN_TIME));
    counts.chain(timed(solved, SOLVED, SOLVED_IN_TIME)).collect()
}

/// The columns in which a ticket is counted: `all`, and under what it was opened
/// with `desk#service`, `topic#delivery` and `priority#high`; `cause#late` when
/// that is known.
fn columns(ticket: &Ticket) -> Vec<String> {
    let name = |value: Result<serde_json::Value, _>| {
        let text = value.ok().and_then(|value| value.as_str().map(str::to_owned));
        text.unwrap_or_default()
    };
    let mut columns = vec![
        "all".to_owned(),
        format!("desk#{}", ticket.counted.desk),
        format!("topic#{}", name(serde_json::to_value(ticket.topic))),
        format!("priority#{}", name(serde_json::to_value(ticket.counted.priority))),
    ];
    columns.extend(ticket.cause.as_ref().map(|cause| format!("cause#{cause}")));
    columns
}

fn put(ticket: &Ticket, sends: &Sends) -> Write {
    let write = Write::put(Key::ticket(&ticket.id), &StoredTicket::from(ticket), sends)
        .unchanged(VERSION, ticket.version);
    match ticket.due {
        Some(due) => {
            write.indexed(DUE_SHARD, due_shard(ticket.id.as_str())).indexed(DUE, due.to_string())
        }
        None => write,
    }
}

fn place(ticket: &Ticket) -> Write {
    let key = Key::ticket_of(&ticket.customer, ticket.opened_at, &ticket.id);
    let (list, at) = listed_at(ticket);
    Write::put(key, &StoredPlace { v: 1 }, &Sends::none())
        .indexed(DUE_SHARD, list)
        .indexed(DUE, at.to_string())
}

/// In which list of the index a ticket lies, and where in it: what is open by
/// its deadline, the other by when it changed hands.
fn listed_at(ticket: &Ticket) -> (String, Timestamp) {
    let at = match ticket.status {
        TicketStatus::Open => ticket.deadline(),
        TicketStatus::Waiting => ticket.due.unwrap_or(ticket.solve_by),
        TicketStatus::Solved => ticket.solved_at.unwrap_or(ticket.opened_at),
    };
    (list(&ticket.desk, ticket.status), at)
}

/// The partition of the index in which a desk's tickets of a status lie.
/// Schedules do not read it.
fn list(desk: &DeskId, status: TicketStatus) -> String {
    let status = match status {
        TicketStatus::Open => "open",
        TicketStatus::Waiting => "waiting",
        TicketStatus::Solved => "solved",
    };
    format!("{status}#{desk}")
}

fn entry(entry: &TicketEntry) -> Write {
    let form = StoredEntry {
        v: 1,
        pk: entry.ticket.clone(),
        i: entry.number,
        at: entry.at,
        by: match &entry.by {
            Writer::Customer => None,
            Writer::Operator(name) => Some(name.as_str().to_owned()),
            Writer::Suite => Some(String::new()),
        },
        ev: entry.event.clone(),
        t: entry.text.clone(),
        h: entry.internal,
        k: entry.request.clone(),
    };
    let key = Key::ticket_entry(&entry.ticket, entry.number);
    Write::put(key, &form, &Sends::none()).when(Condition::Absent)
}

impl From<&Ticket> for StoredTicket {
    fn from(ticket: &Ticket) -> Self {
        let ticket = ticket.clone();
        let links = ticket.links;
        Self {
            v: 1,
            pk: ticket.id,
            f: ticket.source,
            cu: ticket.customer,
            to: ticket.email,
            lg: ticket.language,
            ti: ticket.tier,
            li: StoredLinks {
                o: links.order,
                s: links.shipment,
                t: links.parcel.map(|it| (it.carrier, it.number)),
                p: links.payments,
                r: links.refunds,
                v: links.vouchers,
            },
            tp: ticket.topic,
            p: ticket.priority,
            al: ticket.alarms,
            d: ticket.desk,
            w: ticket.assignee,
            st: ticket.status,
            at: ticket.opened_at,
            cf: ticket.clock_from,
            ws: ticket.waiting_since,
            ab: ticket.answer_by,
            sb: ticket.solve_by,
            aa: ticket.answered_at,
            sa: ticket.solved_at,
            c: ticket.cause,
            re: ticket.reopened,
            rm: ticket.reminders,
            rs: ticket.remedies.into_iter().map(StoredRemedy::from).collect(),
            j: ticket.satisfaction,
            e: ticket.entries,
            du: ticket.due,
            ct: StoredCounted {
                d: ticket.counted.desk,
                p: ticket.counted.priority,
                a: ticket.counted.answered.map(|it| (it.seconds, it.in_time)),
                s: ticket.counted.solved.map(|it| (it.seconds, it.in_time)),
            },
            n: ticket.version.saturating_add(1),
        }
    }
}

impl From<Remedy> for StoredRemedy {
    fn from(remedy: Remedy) -> Self {
        let (e, r, x) = match remedy.outcome {
            Outcome::Asked => (None, None, None),
            Outcome::Done { at, reference } => (Some(at), reference, None),
            Outcome::Refused { at, why } => (Some(at), None, Some(why)),
        };
        Self { k: remedy.key, w: remedy.kind, by: remedy.by, at: remedy.at, e, r, x }
    }
}

impl From<StoredRemedy> for Remedy {
    fn from(form: StoredRemedy) -> Self {
        let outcome = match (form.e, form.x) {
            (None, _) => Outcome::Asked,
            (Some(at), Some(why)) => Outcome::Refused { at, why },
            (Some(at), None) => Outcome::Done { at, reference: form.r },
        };
        Self { key: form.k, kind: form.w, by: form.by, at: form.at, outcome }
    }
}

/// The ticket in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Ticket, StoreError> {
    let form: StoredTicket = read_form(item)?;
    Ok(Ticket {
        id: form.pk,
        source: form.f,
        customer: form.cu,
        email: form.to,
        language: form.lg,
        tier: form.ti,
        links: Links {
            order: form.li.o,
            shipment: form.li.s,
            parcel: form.li.t.map(|(carrier, number)| Tracking { carrier, number }),
            payments: form.li.p,
            refunds: form.li.r,
            vouchers: form.li.v,
        },
        topic: form.tp,
        priority: form.p,
        alarms: form.al,
        desk: form.d,
        assignee: form.w,
        status: form.st,
        opened_at: form.at,
        clock_from: form.cf,
        waiting_since: form.ws,
        answer_by: form.ab,
        solve_by: form.sb,
        answered_at: form.aa,
        solved_at: form.sa,
        cause: form.c,
        reopened: form.re,
        reminders: form.rm,
        remedies: form.rs.into_iter().map(Remedy::from).collect(),
        satisfaction: form.j,
        entries: form.e,
        due: form.du,
        counted: Counted {
            desk: form.ct.d,
            priority: form.ct.p,
            answered: form.ct.a.map(|(seconds, in_time)| Took { seconds, in_time }),
            solved: form.ct.s.map(|(seconds, in_time)| Took { seconds, in_time }),
        },
        version: form.n,
    })
}

fn entry_from_item(item: &Item) -> Result<TicketEntry, StoreError> {
    let form: StoredEntry = read_form(item)?;
    let odd = |_| StoreError::Stored { what: "entry of a ticket", source: StoredError::Range };
    let by = match form.by.as_deref() {
        None => Writer::Customer,
        Some("") => Writer::Suite,
        Some(name) => Writer::Operator(Text::new(name).map_err(odd)?),
    };
    Ok(TicketEntry {
        ticket: form.pk,
        number: form.i,
        at: form.at,
        by,
        event: form.ev,
        text: form.t,
        internal: form.h,
        request: form.k,
    })
}

fn counts_from_item(item: &Item) -> Option<(String, TicketCounts)> {
    let (_, column) = key_of(item)?;
    let mut counts = TicketCounts::default();
    for (name, value) in item {
        // One below nothing would be a mistake of the counting; it is no reason
        // to withhold the report of a month.
        let count = || {
            let count = as_number(value)?.parse::<i64>().ok()?;
            u32::try_from(count.max(0)).ok()
        };
        let numbered = |prefix: &str| {
            let rest = name.strip_prefix(prefix)?;
            rest.parse::<u16>().ok()
        };
        match name.as_str() {
            OPENED => counts.opened = count()?,
            REOPENED => counts.reopened = count()?,
            ANSWERED_IN_TIME => counts.answered.in_time = count()?,
            SOLVED_IN_TIME => counts.solved.in_time = count()?,
            _ => {
                if let Some(class) = numbered(ANSWERED) {
                    counts.answered.classes.insert(class, count()?);
                } else if let Some(class) = numbered(SOLVED) {
                    counts.solved.classes.insert(class, count()?);
                } else if let Some(score) = numbered(SCORE) {
                    counts.scores.insert(u8::try_from(score).ok()?, count()?);
                }
            }
        }
    }
    Some((column, counts))
}

impl Found {
    /// The ticket, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn ticket(&self, ticket: &TicketId) -> Result<Option<Ticket>, StoreError> {
        self.item(&Key::ticket(ticket)).map(from_item).transpose()
    }
}

impl Store {
    /// The ticket, without its entries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ticket(&self, ticket: &TicketId) -> Result<Option<Ticket>, StoreError> {
        self.get(&Key::ticket(ticket)).await?.as_ref().map(from_item).transpose()
    }

    /// The ticket with all of its entries, in their order: one query.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ticket_and_entries(
        &self,
        ticket: &TicketId,
    ) -> Result<Option<(Ticket, Vec<TicketEntry>)>, StoreError> {
        let query = PartitionQuery { table: Table::Tickets, pk: ticket.as_str(), prefix: None };
        let items = self.partition(query).await?;
        let is_ticket = |item: &Item| key_of(item).is_some_and(|(_, sk)| sk == "TICKET");
        let (tickets, entries): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_ticket);
        let Some(ticket) = tickets.first() else {
            return Ok(None);
        };
        let entries = entries.iter().map(entry_from_item).collect::<Result<_, _>>()?;
        Ok(Some((from_item(ticket)?, entries)))
    }

    /// The tickets that somebody has to look at by `now`, as the index has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tickets_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<TicketId>, StoreError> {
        let due = self.due(DueTable::Tickets, now, most).await?;
        Ok(due.iter().filter_map(|due: &Due| TicketId::parse(&due.pk).ok()).collect())
    }

    /// A page of a desk's tickets of a status, as the index has it. Those that
    /// are open come in the order of their deadlines, those that wait in the
    /// order in which they will be closed, the solved latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tickets_listed(
        &self,
        desk: &DeskId,
        status: TicketStatus,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<TicketId>, StoreError> {
        let list = list(desk, status);
        let start = from.and_then(|from| start_at(from, &list));
        let table = DueTable::Tickets;
        let (items, last) = match status {
            TicketStatus::Solved => self.latest_due(table, &list, start, limit).await?,
            TicketStatus::Open | TicketStatus::Waiting => {
                self.earliest_due(table, &list, start, limit).await?
            }
        };
        let next = last.and_then(|last| {
            let (pk, sk) = key_of(&last)?;
            Some(PageToken::new([text(&last, DUE)?, sk, pk].join("\n")))
        });
        let named = |item: &Item| named(&key_of(item)?.1);
        Ok(Page { items: items.iter().filter_map(named).collect(), next })
    }

    /// A page of a customer's tickets, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tickets_of(
        &self,
        customer: &CustomerId,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<TicketId>, StoreError> {
        let pk = customer.as_str();
        let start = from.map(|token| token.start(pk));
        let query = PartitionQuery { table: Table::Tickets, pk, prefix: Some(TICKET_PREFIX) };
        let (items, last) = self.latest(query, start, limit).await?;
        let next = last.and_then(|last| key_of(&last)).map(|(_, sk)| PageToken::new(sk));
        let named = |item: &Item| named(&key_of(item)?.1);
        Ok(Page { items: items.iter().filter_map(named).collect(), next })
    }

    /// What was counted of the tickets that were opened in a month, such as
    /// `2026-11`, by column.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ticket_counts(
        &self,
        month: &str,
    ) -> Result<BTreeMap<String, TicketCounts>, StoreError> {
        let pk = ticket_counts_pk(month);
        let query = PartitionQuery { table: Table::Tickets, pk: &pk, prefix: None };
        let odd = || StoreError::Stored { what: "count of tickets", source: StoredError::Range };
        let items = self.partition(query).await?;
        items.iter().map(|item| counts_from_item(item).ok_or_else(odd)).collect()
    }
}

/// Reads a cursor that a listing of a desk's tickets gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| start_at(token, "").is_some())
}

/// Reads a cursor that a listing of a customer's tickets gave.
#[must_use]
pub fn own_cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| named(token.inner()).is_some())
}

/// The place in a list of the index after which a listing goes on.
fn start_at(token: &PageToken, list: &str) -> Option<Item> {
    let [due, sk, pk] = token.inner().split('\n').collect::<Vec<_>>()[..] else {
        return None;
    };
    (Timestamp::parse(due).is_ok() && named(sk).is_some() && CustomerId::parse(pk).is_ok())
        .then_some(())?;
    let text = |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
    Some(Item::from([text(PK, pk), text(SK, sk), text(DUE_SHARD, list), text(DUE, due)]))
}

/// The ticket that the sort key of a note names.
fn named(sk: &str) -> Option<TicketId> {
    let (at, id) = sk.strip_prefix(TICKET_PREFIX)?.split_once('#')?;
    Timestamp::parse(at).ok().and_then(|_| TicketId::parse(id).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_below_nothing_is_none() {
        let text = |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
        let counted = |name: &str, count: i64| (name.to_owned(), number(count));
        let item = Item::from([
            text(PK, "COUNT#2026-11"),
            text(SK, "all"),
            counted(OPENED, 1),
            counted("j2", -1),
            counted("j4", 1),
        ]);
        let (column, counts) = counts_from_item(&item).unwrap();
        assert_eq!((column.as_str(), counts.opened), ("all", 1));
        assert_eq!(counts.scores, [(2, 0), (4, 1)].into());
    }
}
