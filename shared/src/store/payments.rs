//! Attempts to pay, and what providers reported of them, in one partition an
//! attempt: one query reads all that its state follows from.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::{OrderId, PaymentId},
    money::{Currency, Money},
    payment::{Attempt, PaymentEvent, PaymentEventKind, Provider},
    time::Timestamp,
};

use super::{
    Found, Key, Sends, Store, StoreError, Table, Write,
    commit::Condition,
    item::{Item, from_item, in_range, is_default, stored},
    read::{PartitionQuery, key_of},
};

#[derive(Serialize, Deserialize)]
struct StoredAttempt {
    v: u32,
    #[serde(skip_serializing)]
    pk: PaymentId,
    o: OrderId,
    cu: CustomerId,
    pr: Provider,
    m: i64,
    c: Currency,
    #[serde(default, skip_serializing_if = "is_default")]
    vf: bool,
    at: Timestamp,
    rq: String,
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
    b: String,
}
stored!(StoredEvent, "payment event", 1);

/// All that is known of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentHistory {
    /// The attempt; missing when a provider reports of one that is not ours.
    pub attempt: Option<Attempt>,
    /// Every report, each once.
    pub events: Vec<PaymentEvent>,
}

/// Writes a new attempt, unless its identity is taken.
#[must_use]
pub fn start(attempt: &Attempt) -> Write {
    let form = StoredAttempt {
        v: 1,
        pk: attempt.id.clone(),
        o: attempt.order.clone(),
        cu: attempt.customer.clone(),
        pr: attempt.provider,
        m: attempt.amount.minor(),
        c: attempt.amount.currency(),
        vf: attempt.verify,
        at: attempt.at,
        rq: attempt.request.clone(),
    };
    Write::put(Key::attempt(&attempt.id), &form, &Sends::none()).when(Condition::Absent)
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
        b: event.body_digest.clone(),
    };
    let key = Key::payment_event(&event.payment, event.provider, &event.id);
    Write::put(key, &form, sends).when(Condition::Absent)
}

/// The attempt in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn attempt_from_item(item: &Item) -> Result<Attempt, StoreError> {
    let form: StoredAttempt = from_item(item)?;
    Ok(Attempt {
        id: form.pk,
        order: form.o,
        customer: form.cu,
        provider: form.pr,
        amount: in_range("payment attempt", Money::new(form.m, form.c))?,
        verify: form.vf,
        at: form.at,
        request: form.rq,
    })
}

fn event_from_item(item: &Item) -> Result<PaymentEvent, StoreError> {
    let form: StoredEvent = from_item(item)?;
    Ok(PaymentEvent {
        id: form.id,
        payment: form.pk,
        provider: form.pr,
        kind: form.k,
        amount: in_range("payment event", Money::new(form.m, form.c))?,
        at: form.at,
        reason: form.r,
        body_digest: form.b,
    })
}

impl Found {
    /// The attempt, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn attempt(&self, payment: &PaymentId) -> Result<Option<Attempt>, StoreError> {
        self.item(&Key::attempt(payment)).map(attempt_from_item).transpose()
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
                Some((_, sk)) if sk == "ATTEMPT" => {
                    history.attempt = Some(attempt_from_item(&item)?);
                }
                _ => history.events.push(event_from_item(&item)?),
            }
        }
        Ok(history)
    }
}
