//! Queue `late-payments`: makes an order that had ended go on with money that
//! came too late, or lets the money go back.
//!
//! The message says only which money: the order, as it stands now, decides, so
//! the number and order of messages do not matter. One read of the order and
//! the attempt; if the shop wants the order to go on, one read of everything
//! that it took, and one transaction that takes all of it again and makes the
//! order paid. What others took first is found by reading again. Money that
//! goes back is listed in the order once, under an identity of its own.
//!
//! The order goes on by the `order.paid` that it sends, like any other.

use std::{collections::BTreeMap, sync::Arc};

use aftercart::{
    messages::{
        ApologyDue, Envelope, LatePaymentSettled, Message, OrderHeld, OrderPaid, PaymentLate,
        Queue, RefundWanted,
    },
    model::{
        order::{MAX_REFUNDS_DUE, Order, OrderPayment, RefundCause, RefundDue},
        payment::Attempt,
        policy::Policy,
        price::Quota,
        product::Sku,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Key, Op, Sends, Table, orders, quotas, stock},
};

use crate::{
    rules::{
        quote::{Facts, Terms},
        retake::{self, Gone, Retaken, Step},
    },
    taking::Taking,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-retake",
    about: "Takes up orders again that were paid too late, or lets the money go back.",
    trigger: Trigger::Queue(Queue::LatePayments),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Payments, &[Op::BatchGetItem]),
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Quotas, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
    ],
    handle,
};

/// How often everything is read and decided again because others were faster.
/// What is still contended then comes again with its message.
const ATTEMPTS: u32 = 8;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, take))
}

async fn take(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Message::PaymentLate(late) = &envelope.message else {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("the queue takes no messages of the kind {kind}")));
    };
    let settling = Settling { app: &app, late, trace: envelope.trace.as_deref() };
    for _ in 0..ATTEMPTS {
        if settling.settle().await? {
            return Ok(());
        }
    }
    Err(Failure::retry(format!("the order {} or what it takes kept changing", late.order)))
}

/// Money that came too late.
struct Settling<'a> {
    app: &'a App,
    late: &'a PaymentLate,
    trace: Option<&'a str>,
}

impl Settling<'_> {
    /// Reads, decides and writes. Whether nothing is left to do.
    async fn settle(&self) -> Result<bool, Failure> {
        let (order, attempt) = self.read().await?;
        let (policy, rules) = self.app.terms().await?;
        let terms = Terms { rules: &rules, policy: &policy, now: self.app.now() };
        match retake::judge(&order, &attempt, &policy.payments.late) {
            Step::Done => Ok(true),
            Step::GiveBack(note, due) => self.give_back(&order, note, &due, &policy).await,
            Step::Take(note) => match self.retake(&order, note, &terms).await? {
                Ok(retaken) => self.go_on(&order, note, retaken).await,
                Err(gone) => {
                    tracing::info!(order = order.id.as_str(), %gone, "cannot be taken up again");
                    let due = retake::late(&order, &attempt);
                    self.give_back(&order, note, &due, &policy).await
                }
            },
        }
    }

    async fn read(&self) -> Result<(Order, Attempt), Failure> {
        let PaymentLate { order, customer, payment } = self.late;
        let keys = [Key::order(customer, order), Key::attempt(payment)];
        let found = self.app.store.read(&keys).await?;
        let attempt = found.attempt(payment)?.filter(|it| it.order == *order);
        match (found.order(customer, order)?, attempt) {
            (Some(order), Some(attempt)) => Ok((order, attempt)),
            _ => Err(Failure::poison(format!("there is no order {order} with {payment}"))),
        }
    }

    /// The order with all that it took, if that is there.
    async fn retake(
        &self,
        order: &Order,
        note: &OrderPayment,
        terms: &Terms<'_>,
    ) -> Result<Result<Retaken, Gone>, Failure> {
        let limits = match retake::limits(order, terms.rules) {
            Ok(limits) => limits,
            Err(gone) => return Ok(Err(gone)),
        };
        let facts = self.facts(order, limits, terms.policy).await?;
        Ok(retake::retake(order, note, &facts, terms))
    }

    /// What is there of all that the order took.
    async fn facts(
        &self,
        order: &Order,
        limits: Vec<Quota>,
        policy: &Policy,
    ) -> Result<Facts, Failure> {
        let locations = retake::locations(order, policy);
        let skus: BTreeMap<&Sku, u8> =
            order.lines.iter().map(|it| (&it.sku, policy.stock.shards(&it.sku))).collect();
        let skus: Vec<(Sku, u8)> = skus.into_iter().map(|(sku, it)| (sku.clone(), it)).collect();
        let customer = &order.customer;
        let mut keys = stock::level_keys(&skus, &locations);
        keys.extend(skus.iter().map(|(sku, _)| Key::product(sku)));
        keys.extend(limits.iter().flat_map(quotas::keys));
        keys.extend(order.vouchers.iter().map(|id| Key::voucher(customer, id)));
        keys.extend(customer.is_member().then(|| Key::profile(customer)));
        keys.extend(order.points.as_ref().map(|_| Key::ledger(order.payer())));
        let found = self.app.store.read(&keys).await?;
        let mut facts = Facts { levels: found.levels(&skus, &locations)?, ..Facts::default() };
        for (sku, _) in skus {
            facts.products.extend(found.product(&sku)?.map(|product| (sku, product)));
        }
        for quota in &limits {
            facts.uses.note(quota, found.used(quota)?);
        }
        facts.quotas = limits;
        for id in &order.vouchers {
            let voucher = found.voucher(customer, id)?;
            facts.vouchers.extend(voucher.map(|voucher| (id.clone(), voucher)));
        }
        if customer.is_member() {
            facts.profile = Some(found.profile(customer)?);
            let payers = found.ledger(order.payer())?;
            // The payer's points are no longer the buyer's when the accounts were
            // taken apart.
            let pays = payers.customer == *customer || payers.link.from.contains(customer);
            facts.spendable = if pays { payers.holdable() } else { 0 };
        }
        Ok(facts)
    }

    /// Takes up the order again, with all that it takes.
    async fn go_on(
        &self,
        before: &Order,
        note: &OrderPayment,
        retaken: Retaken,
    ) -> Result<bool, Failure> {
        let Retaken { order, takes, uses } = retaken;
        let (id, customer) = (order.id.clone(), order.customer.clone());
        let paid = OrderPaid { order: id.clone(), customer: customer.clone() };
        let mut sends = self.also(Sends::none(), Message::OrderPaid(paid));
        sends = self.also(sends, self.told(true));
        if order.held_at.is_some() {
            sends = self.also(sends, Message::OrderHeld(OrderHeld { order: id, customer }));
        }
        let uses = uses.into_iter().map(|(quota, shard, units)| Taking::Quota(quota, shard, units));
        let takings = takes.into_iter().map(Taking::Stock).chain(uses);
        let takings = takings.chain(order.vouchers.iter().cloned().map(Taking::Voucher));
        let takings = takings.chain(order.points.as_ref().map(|it| Taking::Points(it.points)));
        let revive = orders::revive(before, &order, note, &sends)?;
        let commit = takings
            .fold(Commit::new().with(revive), |commit, taking| commit.with(taking.write(&order)));
        self.commit(commit, Metric::OrderPaid).await
    }

    /// Lists the money as due to go back.
    async fn give_back(
        &self,
        before: &Order,
        note: &OrderPayment,
        due: &RefundDue,
        policy: &Policy,
    ) -> Result<bool, Failure> {
        let (id, customer) = (&before.id, &before.customer);
        let same = [RefundCause::Unaccepted, RefundCause::Late];
        let listed = before.refunds_due.iter().filter(|it| same.contains(&it.cause));
        if listed.count() >= MAX_REFUNDS_DUE {
            let payment = &note.payment;
            return Err(Failure::poison(format!(
                "{id} lists no more refunds, and not {payment}'s"
            )));
        }
        let wanted = RefundWanted { order: id.clone(), customer: customer.clone() };
        let mut sends = self.also(Sends::none(), Message::RefundWanted(wanted));
        if due.cause == RefundCause::Late {
            sends = self.also(sends, self.told(false));
            if customer.is_member() && policy.payments.late.apology_points > 0 {
                let apology = ApologyDue { order: id.clone(), customer: customer.clone() };
                sends = self.also(sends, Message::ApologyDue(apology));
            }
        }
        let write = orders::refund_late(before, note, due, &sends);
        self.commit(write.into(), Metric::RefundDue).await
    }

    fn told(&self, accepted: bool) -> Message {
        let PaymentLate { order, customer, payment } = self.late.clone();
        Message::LatePaymentSettled(LatePaymentSettled { order, customer, payment, accepted })
    }

    fn also(&self, sends: Sends, message: Message) -> Sends {
        sends.and(message, self.app.now(), self.trace)
    }

    /// Whether it was written; others were faster otherwise.
    async fn commit(&self, commit: Commit, metric: Metric) -> Result<bool, Failure> {
        match self.app.store.commit(commit).await {
            Ok(()) => {
                self.app.metrics.count(metric, self.app.now());
                Ok(true)
            }
            Err(CommitError::Lost(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
