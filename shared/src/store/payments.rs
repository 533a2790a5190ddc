//! Attempts to pay, what providers reported of them and what goes back, in one
//! partition an attempt: one query reads all that its state follows from. Next
//! to them, each in a partition of its own: cases that wait for a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    id::{CaseId, OrderId, PaymentId, RefundId},
    money::{Currency, Money},
    payment::{
        Attempt, CaseAction, CaseReason, CaseResolved, Flow, Instalments, Method, PaymentCase,
        PaymentEvent, PaymentEventKind, Provider, Refund, RefundStatus, Settled,
    },
    text::Text,
    time::Timestamp,
};

use super::{
    Due, DueTable, Found, Item, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{from_item, in_range, is_default, number, stored},
    key::{DUE, DUE_SHARD, EVENT_PREFIX, REFUND_PREFIX, due_shard},
    read::{self, PartitionQuery, key_of, text},
};

/// The partition of the index of what is due in which open cases lie, by when
/// they were noted. Schedules do not read it.
const CASES: &str = "cases";

/// What the partitions of the index of what is due begin with in which money
/// lies that was taken or given back, by when, until a provider's statement
/// tells of it. Schedules do not read them.
const UNTOLD: &str = "settle#";

/// The providers whose statements are read. Money of the others never waits
/// for one.
pub const TELLING: [Provider; 2] = [Provider::Stripe, Provider::Alipay];

const ASKED: &str = "n";
const STATEMENT: &str = "stm";
const REFUNDS: &str = "rn";
const STATUS: &str = "st";
const TRIES: &str = "n";
const RESOLVED: &str = "done";
const BODY: &str = "b";
const HEADERS: &str = "h";

#[derive(Serialize, Deserialize)]
struct StoredAttempt {
    v: u32,
    #[serde(skip_serializing)]
    pk: PaymentId,
    o: OrderId,
    cu: CustomerId,
    pr: Provider,
    me: Method,
    fl: Flow,
    m: i64,
    c: Currency,
    /// What it pays of the order, if that is in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<(i64, Currency)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<Instalments>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Text<128>>,
    #[serde(default, skip_serializing_if = "is_default")]
    vf: bool,
    at: Timestamp,
    rq: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    n: u32,
}
stored!(StoredAttempt, "payment attempt", 1);

#[derive(Serialize, Deserialize)]
struct StoredEvent {
    v: u32,
    #[serde(skip_serializing)]
    pk: PaymentId,
    id: String,
    pr: Provider,
    k: PaymentEventKind,
    m: i64,
    c: Currency,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rf: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pt: Option<String>,
    b: String,
}
stored!(StoredEvent, "payment event", 1);

#[derive(Serialize, Deserialize)]
struct StoredBody {
    v: u32,
    #[serde(with = "bytes_or_none")]
    b: Option<Vec<u8>>,
    ttl: i64,
}
stored!(StoredBody, "body of a payment event", 1);

#[derive(Serialize, Deserialize)]
struct StoredRefund {
    v: u32,
    #[serde(skip_serializing)]
    pk: PaymentId,
    id: RefundId,
    o: OrderId,
    cu: CustomerId,
    m: i64,
    c: Currency,
    st: RefundStatus,
    #[serde(default, skip_serializing_if = "is_default")]
    g: u32,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rf: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<String>,
    n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}
stored!(StoredRefund, "refund", 1);

#[derive(Serialize, Deserialize)]
struct StoredReference {
    v: u32,
    p: PaymentId,
}
stored!(StoredReference, "reference of a payment", 1);

#[derive(Serialize, Deserialize)]
struct StoredCase {
    v: u32,
    #[serde(skip_serializing)]
    pk: CaseId,
    w: CaseReason,
    pr: Provider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<(i64, Currency)>,
    x: Text<300>,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "bytes_or_none")]
    b: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "is_default")]
    h: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done: Option<StoredResolution>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}
stored!(StoredCase, "payment case", 1);

#[derive(Serialize, Deserialize)]
struct StoredResolution {
    at: Timestamp,
    by: Text<128>,
    h: CaseAction,
}

/// Bytes as DynamoDB's binary type, which takes no more room than they do.
pub(super) mod bytes_or_none {
    use serde::{
        Deserializer, Serializer,
        de::{Error, Visitor},
    };

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(in crate::store) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes.as_deref().unwrap_or_default())
    }

    pub(in crate::store) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        deserializer.deserialize_byte_buf(Bytes).map(Some)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}

fn settled_key(money: &Settled) -> Key {
    match money {
        Settled::Paid(payment) => Key::attempt(payment),
        Settled::Refunded(payment, refund) => Key::refund(payment, refund),
    }
}

fn settled_of(pk: &str, sk: &str) -> Option<Settled> {
    let payment = PaymentId::parse(pk).ok()?;
    match sk.strip_prefix(REFUND_PREFIX) {
        Some(refund) => Some(Settled::Refunded(payment, RefundId::parse(refund).ok()?)),
        None => Some(Settled::Paid(payment)),
    }
}

/// All that is known of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentHistory {
    /// The attempt; missing when a provider reports of one that is not ours.
    pub attempt: Option<Attempt>,
    /// Every report, each once.
    pub events: Vec<PaymentEvent>,
    /// What goes back of it.
    pub refunds: Vec<Refund>,
}

/// Writes a new attempt, unless its identity is taken.
#[must_use]
pub fn start(attempt: &Attempt) -> Write {
    let settles = attempt.settles;
    let form = StoredAttempt {
        v: 1,
        pk: attempt.id.clone(),
        o: attempt.order.clone(),
        cu: attempt.customer.clone(),
        pr: attempt.provider,
        me: attempt.method,
        fl: attempt.flow,
        m: attempt.amount.minor(),
        c: attempt.amount.currency(),
        of: (settles != attempt.amount).then(|| (settles.minor(), settles.currency())),
        i: attempt.instalments,
        by: attempt.payer.clone(),
        vf: attempt.verify,
        at: attempt.at,
        rq: attempt.request.clone(),
        due: attempt.ask_at,
        n: attempt.asked,
    };
    let write = Write::put(Key::attempt(&attempt.id), &form, &Sends::none());
    let write = write.when(Condition::Absent);
    match attempt.ask_at {
        Some(_) => write.indexed(DUE_SHARD, due_shard(attempt.id.as_str())),
        None => write,
    }
}

/// Notes that an attempt's provider was asked once more, or need not be, and
/// when it is to be asked next. Loses when somebody else asked meanwhile.
#[must_use]
pub fn asked(before: &Attempt, after: &Attempt) -> Write {
    let change = Change::default().set(ASKED, number(after.asked));
    let change = due_set(change, after.ask_at, after.id.as_str());
    unasked(before, Write::update(Key::attempt(&after.id), change, &Sends::none()))
}

/// Notes that an attempt's provider need not be asked any more because the
/// money came at `paid_at`: from then on a statement is to tell of it, if the
/// provider's are read. Loses when somebody asked meanwhile, and when a
/// statement told of it before.
#[must_use]
pub fn paid(attempt: &Attempt, paid_at: Timestamp) -> Write {
    let change = Change::default().set(ASKED, number(attempt.asked.saturating_add(1)));
    let change = if TELLING.contains(&attempt.provider) {
        change
            .set(DUE, AttributeValue::S(paid_at.to_string()))
            .set(DUE_SHARD, AttributeValue::S(untold(attempt.provider)))
    } else {
        change.remove(DUE).remove(DUE_SHARD)
    };
    unasked(attempt, Write::update(Key::attempt(&attempt.id), change, &Sends::none()))
}

/// Notes under which identity a provider knows an attempt, so that it is found
/// by that. The same again is the same.
#[must_use]
pub fn reference(provider: Provider, reference: &str, payment: &PaymentId) -> Write {
    let form = StoredReference { v: 1, p: payment.clone() };
    Write::put(Key::payment_reference(provider, reference), &form, &Sends::none())
}

/// Notes in which statement money was told of. Loses when one told of it
/// before, and when there is no such money.
#[must_use]
pub fn told(money: &Settled, statement: &str) -> Write {
    let change = Change::default()
        .set(STATEMENT, AttributeValue::S(statement.to_owned()))
        .remove(DUE)
        .remove(DUE_SHARD);
    Write::update(settled_key(money), change, &Sends::none())
        .when(Condition::Exists)
        .when(Condition::Missing(STATEMENT.into()))
}

/// What a statement told of is asked about no more, and does not come back
/// into the index.
fn unasked(before: &Attempt, write: Write) -> Write {
    let write = write.when(Condition::Missing(STATEMENT.into()));
    match before.asked {
        0 => write.when(Condition::Missing(ASKED.into())).when(Condition::Exists),
        asked => write.when(Condition::Is(ASKED.into(), number(asked))),
    }
}

/// Writes a provider's report, unless it was written before.
#[must_use]
pub fn record(event: &PaymentEvent, sends: &Sends) -> Write {
    let form = StoredEvent {
        v: 1,
        pk: event.payment.clone(),
        id: event.id.clone(),
        pr: event.provider,
        k: event.kind,
        m: event.amount.minor(),
        c: event.amount.currency(),
        at: event.at,
        r: event.reason.clone(),
        rf: event.reference.clone(),
        pt: event.part.clone(),
        b: event.body_digest.clone(),
    };
    let key = Key::payment_event(&event.payment, event.provider, &event.id);
    Write::put(key, &form, sends).when(Condition::Absent)
}

/// Keeps the body that brought an event, deflated, until a moment. The same
/// again is the same.
#[must_use]
pub fn body(event: &PaymentEvent, deflated: Vec<u8>, until: Timestamp) -> Write {
    let form = StoredBody { v: 1, b: Some(deflated), ttl: until.unix_seconds() };
    let key = Key::payment_body(&event.payment, event.provider, &event.id);
    Write::put(key, &form, &Sends::none())
}

/// Writes a new refund, unless its identity is taken.
#[must_use]
pub fn refund(refund: &Refund) -> Write {
    refund_put(refund, &Sends::none()).when(Condition::Absent)
}

/// Counts the refunds of an attempt, so that nobody adds another one that was
/// reckoned without these. Loses when there are not `before` of them.
#[must_use]
pub fn refunds_counted(payment: &PaymentId, before: usize, after: usize) -> Write {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let change = Change::default().set(REFUNDS, number(count(after)));
    let write = Write::update(Key::attempt(payment), change, &Sends::none());
    match before {
        0 => write.when(Condition::Exists).when(Condition::Missing(REFUNDS.into())),
        before => write.when(Condition::Is(REFUNDS.into(), number(count(before)))),
    }
}

/// Writes what became of a refund. Loses when somebody else wrote of it
/// since it was read.
#[must_use]
pub fn refund_went(before: &Refund, after: &Refund, sends: &Sends) -> Write {
    unwritten(before, refund_put(after, sends))
}

/// Writes that a refund was made at `made_at`: from then on a statement of its
/// provider is to tell of it, if they are read. Loses when somebody else wrote
/// of it since it was read.
#[must_use]
pub fn refund_made(
    before: &Refund,
    after: &Refund,
    provider: Provider,
    made_at: Timestamp,
    sends: &Sends,
) -> Write {
    let told_of = TELLING.contains(&provider);
    let after = Refund { next_at: told_of.then_some(made_at), ..after.clone() };
    let write = refund_put(&after, sends);
    unwritten(before, if told_of { write.indexed(DUE_SHARD, untold(provider)) } else { write })
}

fn unwritten(before: &Refund, write: Write) -> Write {
    write
        .when(Condition::Equals(STATUS, AttributeValue::S(before.status.to_string())))
        .when(Condition::Is(TRIES.into(), number(before.tries)))
}

fn refund_put(refund: &Refund, sends: &Sends) -> Write {
    let form = StoredRefund {
        v: 1,
        pk: refund.payment.clone(),
        id: refund.id.clone(),
        o: refund.order.clone(),
        cu: refund.customer.clone(),
        m: refund.amount.minor(),
        c: refund.amount.currency(),
        st: refund.status,
        g: refund.again,
        at: refund.at,
        rf: refund.reference.clone(),
        r: refund.reason.clone(),
        n: refund.tries,
        due: refund.next_at,
    };
    let write = Write::put(Key::refund(&refund.payment, &refund.id), &form, sends);
    match refund.next_at {
        Some(_) => write.indexed(DUE_SHARD, due_shard(refund.id.as_str())),
        None => write,
    }
}

/// Writes a new case, unless the same is known.
#[must_use]
pub fn case(case: &PaymentCase) -> Write {
    let form = StoredCase {
        v: 1,
        pk: case.id.clone(),
        w: case.reason,
        pr: case.provider,
        p: case.payment.clone(),
        a: case.amount.map(|amount| (amount.minor(), amount.currency())),
        x: case.what.clone(),
        at: case.at,
        b: case.body.clone(),
        h: case.headers.clone(),
        done: None,
        due: Some(case.at),
        ttl: None,
    };
    Write::put(Key::case(&case.id), &form, &Sends::none())
        .when(Condition::Absent)
        .indexed(DUE_SHARD, CASES.to_owned())
}

/// Notes what a person did about a case; after `forget_at` it may be deleted.
/// The body and headers that it kept are of no use any more, and may hold
/// personal data: they go at once. Loses when there is no such case, or it was
/// resolved.
#[must_use]
pub fn resolve(
    case: &CaseId,
    resolved: &CaseResolved,
    forget_at: Timestamp,
    sends: &Sends,
) -> Write {
    let form = [
        ("at".to_owned(), AttributeValue::S(resolved.at.to_string())),
        ("by".to_owned(), AttributeValue::S(resolved.by.to_string())),
        ("h".to_owned(), AttributeValue::S(resolved.how.to_string())),
    ];
    let change = Change::default()
        .set(RESOLVED, AttributeValue::M(form.into()))
        .set("ttl", number(forget_at.unix_seconds()))
        .remove(BODY)
        .remove(HEADERS)
        .remove(DUE)
        .remove(DUE_SHARD);
    Write::update(Key::case(case), change, sends)
        .when(Condition::Exists)
        .when(Condition::Missing(RESOLVED.into()))
}

/// Whether an item is in the index of what is due as money that a statement is
/// to tell of.
fn is_untold(item: &Item) -> bool {
    text(item, DUE_SHARD).is_some_and(|shard| shard.starts_with(UNTOLD))
}

fn untold(provider: Provider) -> String {
    format!("{UNTOLD}{provider}")
}

fn due_set(change: Change, due: Option<Timestamp>, identity: &str) -> Change {
    match due {
        Some(due) => change
            .set(DUE, AttributeValue::S(due.to_string()))
            .set(DUE_SHARD, AttributeValue::S(due_shard(identity))),
        None => change.remove(DUE).remove(DUE_SHARD),
    }
}

/// The attempt in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn attempt_from_item(item: &Item) -> Result<Attempt, StoreError> {
    let form: StoredAttempt = from_item(item)?;
    let amount = in_range("payment attempt", Money::new(form.m, form.c))?;
    let settles = match form.of {
        Some((minor, currency)) => in_range("payment attempt", Money::new(minor, currency))?,
        None => amount,
    };
    Ok(Attempt {
        id: form.pk,
        order: form.o,
        customer: form.cu,
        provider: form.pr,
        method: form.me,
        flow: form.fl,
        amount,
        settles,
        instalments: form.i,
        payer: form.by,
        verify: form.vf,
        at: form.at,
        request: form.rq,
        ask_at: form.due.filter(|_| !is_untold(item)),
        asked: form.n,
    })
}

/// The refund in an item.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn refund_from_item(item: &Item) -> Result<Refund, StoreError> {
    let form: StoredRefund = from_item(item)?;
    Ok(Refund {
        id: form.id,
        payment: form.pk,
        order: form.o,
        customer: form.cu,
        amount: in_range("refund", Money::new(form.m, form.c))?,
        status: form.st,
        again: form.g,
        at: form.at,
        reference: form.rf,
        reason: form.r,
        tries: form.n,
        next_at: form.due.filter(|_| !is_untold(item)),
    })
}

/// The case in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn case_from_item(item: &Item) -> Result<PaymentCase, StoreError> {
    let form: StoredCase = from_item(item)?;
    let amount = form.a.map(|(minor, currency)| Money::new(minor, currency)).transpose();
    Ok(PaymentCase {
        id: form.pk,
        reason: form.w,
        provider: form.pr,
        payment: form.p,
        amount: in_range("payment case", amount)?,
        what: form.x,
        at: form.at,
        body: form.b,
        headers: form.h,
        resolved: form.done.map(|it| CaseResolved { at: it.at, by: it.by, how: it.h }),
    })
}

pub(super) fn event_from_item(item: &Item) -> Result<PaymentEvent, StoreError> {
    let form: StoredEvent = from_item(item)?;
    Ok(PaymentEvent {
        id: form.id,
        payment: form.pk,
        provider: form.pr,
        kind: form.k,
        amount: in_range("payment event", Money::new(form.m, form.c))?,
        at: form.at,
        reason: form.r,
        reference: form.rf,
        part: form.pt,
        body_digest: form.b,
    })
}

/// Reads a cursor that a listing of cases gave.
#[must_use]
pub fn case_cursor(text: &str) -> Option<PageToken> {
    read::cursor(text, listed)
}

fn listed(text: &str) -> Option<CaseId> {
    CaseId::parse(text).ok()
}

impl Found {
    /// The attempt, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn attempt(&self, payment: &PaymentId) -> Result<Option<Attempt>, StoreError> {
        self.item(&Key::attempt(payment)).map(attempt_from_item).transpose()
    }

    /// The attempt that a provider knows under this identity, if that was
    /// asked for and is known.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn payment_by_reference(
        &self,
        provider: Provider,
        reference: &str,
    ) -> Result<Option<PaymentId>, StoreError> {
        let item = self.item(&Key::payment_reference(provider, reference));
        Ok(item.map(from_item::<StoredReference>).transpose()?.map(|form| form.p))
    }

    /// The case, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn case(&self, case: &CaseId) -> Result<Option<PaymentCase>, StoreError> {
        self.item(&Key::case(case)).map(case_from_item).transpose()
    }
}

impl Store {
    /// Everything known of an attempt, in one query.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payment(&self, payment: &PaymentId) -> Result<PaymentHistory, StoreError> {
        let query = PartitionQuery { table: Table::Payments, pk: payment.as_str(), prefix: None };
        let mut history = PaymentHistory::default();
        for item in self.partition(query).await? {
            match key_of(&item) {
                Some((_, sk)) if sk.starts_with(EVENT_PREFIX) => {
                    history.events.push(event_from_item(&item)?);
                }
                Some((_, sk)) if sk.starts_with(REFUND_PREFIX) => {
                    history.refunds.push(refund_from_item(&item)?);
                }
                _ => history.attempt = Some(attempt_from_item(&item)?),
            }
        }
        Ok(history)
    }

    /// The attempts of which something is due by `now`, as the index has it:
    /// they are to be asked for, or a refund of them is to be made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payments_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<PaymentId>, StoreError> {
        let due = self.due(DueTable::Payments, now, most).await?;
        let mut payments: Vec<PaymentId> =
            due.iter().filter_map(|Due { pk, .. }| PaymentId::parse(pk).ok()).collect();
        payments.sort_unstable();
        payments.dedup();
        Ok(payments)
    }

    /// The money that was taken or given back within a time, the first and the
    /// last moment included, and that no statement told of yet, as the index
    /// has it; the earliest first, and at most `most` of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn untold(
        &self,
        provider: Provider,
        from: Timestamp,
        to: Timestamp,
        most: u16,
    ) -> Result<Vec<Settled>, StoreError> {
        let shard = untold(provider);
        let due = self.due_between(DueTable::Payments, &shard, (from, to), most).await?;
        Ok(due.iter().filter_map(|Due { pk, sk }| settled_of(pk, sk)).collect())
    }

    /// A page of the open cases, as the index has it; the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cases_open(
        &self,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<CaseId>, StoreError> {
        let of = (DueTable::Payments, CASES);
        self.listed(of, (listed, Key::case), from, limit).await
    }
}
