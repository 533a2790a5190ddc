//! Everything that is kept, read once.

use std::collections::BTreeMap;

use crate::{
    messages::Envelope,
    model::{
        alert::Alert,
        answers::{Column, Counts, Sent},
        customer::CustomerId,
        dispatch::Dispatch,
        gift::Gift,
        id::{OrderId, PaymentId, VoucherId},
        order::{LevelPart, Order},
        product::{Product, Sku},
        reward::{Offered, Redemption, RewardId},
        share::Share,
        shipment::{Carrier, History, Tracking, TrackingNumber},
        survey::TouchpointId,
        ticket::Ticket,
        voucher::Voucher,
        webhook::Delivery,
    },
    store::{
        Item, SENDS, Sends, Store, StoreError, Table, alerts, answers, gifts,
        key::{
            EVENT_PREFIX, REFUND_PREFIX, REWARD_PREFIX, SK, TICKET_ENTRY_PREFIX, ticket_counts_pk,
        },
        orders, parcels, payments,
        payments::PaymentHistory,
        products, quotas,
        read::{key_of, text},
        rewards, shares, shipments, tickets, vouchers, webhooks,
    },
};

use super::{AllPoints, AllSurveys, Stock, odd};

/// A part of a limit of a price rule: the rule, which of its limits, which part.
pub type QuotaKey = (String, String, u8);

/// A column of what is counted of answers: of a touchpoint and a month.
pub type AnswersKey = (TouchpointId, String);

/// Everything that is kept, as far as an audit compares it.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// The policy document, if one is set.
    pub policy: Option<String>,
    /// What is sold.
    pub products: BTreeMap<Sku, Product>,
    /// How much of it there is.
    pub stock: BTreeMap<LevelPart, Stock>,
    /// Orders.
    pub orders: Vec<Order>,
    /// Attempts to pay, with what is known of them.
    pub payments: BTreeMap<PaymentId, PaymentHistory>,
    /// The shipments of orders.
    pub dispatches: Vec<Dispatch>,
    /// Alerts about deliveries.
    pub alerts: Vec<Alert>,
    /// Parcels, with all that carriers told of them.
    pub parcels: BTreeMap<Tracking, History>,
    /// Ledgers, entries, and how earned points stand.
    pub points: AllPoints,
    /// Gifts of points.
    pub gifts: Vec<Gift>,
    /// The catalogue of rewards.
    pub rewards: Vec<Offered>,
    /// How many of a reward members have.
    pub reward_counts: BTreeMap<(CustomerId, RewardId), i64>,
    /// Rewards that were taken.
    pub redemptions: Vec<Redemption>,
    /// Invitations and contacts.
    pub surveys: AllSurveys,
    /// What is counted of answers.
    pub answers: BTreeMap<AnswersKey, BTreeMap<Column, Counts>>,
    /// How many were invited.
    pub sent: BTreeMap<AnswersKey, Sent>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
    /// How many entries tickets have.
    pub ticket_entries: BTreeMap<String, usize>,
    /// What is counted of tickets, by month, column and counter.
    pub ticket_counts: BTreeMap<tickets::Counter, i64>,
    /// Members' vouchers.
    pub vouchers: BTreeMap<(CustomerId, VoucherId), Voucher>,
    /// Offers that friends share.
    pub shares: Vec<Share>,
    /// How much of the limits of price rules is used.
    pub quotas: BTreeMap<QuotaKey, i64>,
    /// What systems of the merchant are told.
    pub webhooks: Vec<Delivery>,
    /// The messages that items carry now.
    pub sends: Vec<Envelope>,
}

/// The tables that [`Books::read`] reads, in this order.
const TABLES: [Table; 14] = [
    Table::Products,
    Table::Stock,
    Table::Orders,
    Table::Payments,
    Table::Shipments,
    Table::Tracking,
    Table::Points,
    Table::Surveys,
    Table::Customers,
    Table::Carts,
    Table::Shares,
    Table::Quotas,
    Table::Webhooks,
    Table::Tickets,
];

impl Books {
    /// Reads every table once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        Self::of(store, &TABLES).await
    }

    /// Reads only what sells, what is sold and what points say: enough to see
    /// in mid-flight whether anything is oversold or out of balance.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_little(store: &Store) -> Result<Self, StoreError> {
        let tables = [Table::Products, Table::Stock, Table::Orders, Table::Payments, Table::Points];
        Self::of(store, &tables).await
    }

    async fn of(store: &Store, tables: &[Table]) -> Result<Self, StoreError> {
        let mut books = Self { policy: store.policy_document().await?, ..Self::default() };
        for table in tables {
            for item in store.scan(*table).await? {
                books.note(*table, &item)?;
            }
        }
        Ok(books)
    }

    /// What is counted of tickets if each is counted once, as it is now.
    #[must_use]
    pub fn counted_tickets(&self) -> BTreeMap<tickets::Counter, i64> {
        let mut counts = BTreeMap::new();
        for counter in self.tickets.iter().flat_map(tickets::counters_of) {
            *counts.entry(counter).or_default() += 1;
        }
        counts
    }

    /// The order, if it is there.
    #[must_use]
    pub fn order(&self, id: &OrderId) -> Option<&Order> {
        self.orders.iter().find(|order| order.id == *id)
    }

    fn note(&mut self, table: Table, item: &Item) -> Result<(), StoreError> {
        if let Some(sends) = text(item, SENDS) {
            self.sends.extend(Sends::parse(&sends).map_err(|_| odd("list of messages"))?);
        }
        match table {
            Table::Products => {
                let product = products::product_from_item(item)?;
                self.products.insert(product.sku.clone(), product);
            }
            Table::Stock => super::note_stock(&mut self.stock, item)?,
            Table::Orders => self.orders.push(orders::from_item(item)?),
            Table::Payments => self.note_payment(item)?,
            Table::Shipments if shipments::is_dispatch(item) => {
                self.dispatches.push(shipments::from_item(item)?);
            }
            Table::Shipments if alerts::is_alert(item) => {
                self.alerts.push(alerts::from_item(item)?);
            }
            Table::Tracking => self.note_parcel(item)?,
            Table::Points => self.note_points(item)?,
            Table::Surveys => self.note_survey(item)?,
            Table::Customers => self.note_voucher(item)?,
            Table::Shares => self.shares.push(shares::from_item(item)?),
            Table::Quotas => self.note_quota(item)?,
            Table::Webhooks if text(item, SK).as_deref() == Some("DELIVERY") => {
                self.webhooks.push(webhooks::from_item(item)?);
            }
            Table::Tickets => self.note_ticket(item)?,
            _ => {}
        }
        Ok(())
    }

    fn note_payment(&mut self, item: &Item) -> Result<(), StoreError> {
        // The table holds cases, breakers and bodies, too.
        let (pk, sk) = key_of(item).unwrap_or_default();
        let Ok(id) = PaymentId::parse(&pk) else { return Ok(()) };
        let history = self.payments.entry(id).or_default();
        if sk.starts_with(EVENT_PREFIX) {
            history.events.push(payments::event_from_item(item)?);
        } else if sk.starts_with(REFUND_PREFIX) {
            history.refunds.push(payments::refund_from_item(item)?);
        } else {
            history.attempt = Some(payments::attempt_from_item(item)?);
        }
        Ok(())
    }

    fn note_parcel(&mut self, item: &Item) -> Result<(), StoreError> {
        let (pk, sk) = key_of(item).unwrap_or_default();
        let Some((carrier, number)) = pk.split_once('#').filter(|_| sk == "PARCEL") else {
            return Ok(());
        };
        let carrier = Carrier::parse(carrier).ok_or_else(|| odd("parcel"))?;
        let number = TrackingNumber::parse(number).map_err(|_| odd("parcel"))?;
        let tracking = Tracking { carrier, number };
        let history = parcels::history_from_item(&tracking, item)?;
        self.parcels.insert(tracking, history);
        Ok(())
    }

    fn note_points(&mut self, item: &Item) -> Result<(), StoreError> {
        let (pk, sk) = key_of(item).unwrap_or_default();
        match sk.as_str() {
            "GIFT" => self.gifts.push(gifts::from_item(item)?),
            "REWARD" => self.rewards.push(rewards::offered_from_item(item)?),
            "REDEMPTION" => self.redemptions.push(rewards::redemption_from_item(item)?),
            sk if sk.starts_with(REWARD_PREFIX) => {
                let customer = CustomerId::parse(&pk).map_err(|_| odd("count of a reward"))?;
                let reward = sk.strip_prefix(REWARD_PREFIX).unwrap_or_default();
                let reward = RewardId::parse(reward).map_err(|_| odd("count of a reward"))?;
                self.reward_counts.insert((customer, reward), rewards::count_from_item(item)?);
            }
            _ => self.points.note(item)?,
        }
        Ok(())
    }

    fn note_survey(&mut self, item: &Item) -> Result<(), StoreError> {
        let (pk, sk) = key_of(item).unwrap_or_default();
        let Some(rest) = pk.strip_prefix("ANSWERS#") else { return self.surveys.note(item) };
        let counters = || odd("survey's counters");
        let (touchpoint, month) = rest.rsplit_once('#').ok_or_else(counters)?;
        let touchpoint = TouchpointId::parse(touchpoint).map_err(|_| counters())?;
        let key = (touchpoint, month.to_owned());
        if sk == answers::SENT {
            self.sent.insert(key, answers::sent_from(item).ok_or_else(counters)?);
        } else {
            let column = Column::parse(&sk).ok_or_else(counters)?;
            let counts = answers::from_item(item).ok_or_else(counters)?;
            self.answers.entry(key).or_default().insert(column, counts);
        }
        Ok(())
    }

    fn note_voucher(&mut self, item: &Item) -> Result<(), StoreError> {
        let is_voucher = text(item, SK).is_some_and(|sk| VoucherId::parse(&sk).is_ok());
        if is_voucher {
            let voucher = vouchers::from_item(item)?;
            self.vouchers.insert((voucher.customer.clone(), voucher.id.clone()), voucher);
        }
        Ok(())
    }

    fn note_quota(&mut self, item: &Item) -> Result<(), StoreError> {
        let (pk, _) = key_of(item).unwrap_or_default();
        let (limit, shard) = pk.rsplit_once('#').ok_or_else(|| odd("use of a limit"))?;
        let (rule, scope) = limit.split_once('#').ok_or_else(|| odd("use of a limit"))?;
        let shard = shard.parse().map_err(|_| odd("use of a limit"))?;
        let key = (rule.to_owned(), scope.to_owned(), shard);
        self.quotas.insert(key, quotas::used_from_item(item)?);
        Ok(())
    }

    fn note_ticket(&mut self, item: &Item) -> Result<(), StoreError> {
        let (pk, sk) = key_of(item).unwrap_or_default();
        if sk == "TICKET" {
            self.tickets.push(tickets::from_item(item)?);
        } else if sk.starts_with(TICKET_ENTRY_PREFIX) {
            *self.ticket_entries.entry(pk).or_default() += 1;
        } else if pk.starts_with(&ticket_counts_pk("")) {
            self.ticket_counts.extend(tickets::counters_in(item));
        }
        Ok(())
    }
}
