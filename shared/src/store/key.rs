//! Every key of the store is made on this page.

use crate::model::{
    customer::CustomerId,
    digest,
    id::{EntryId, InviteId, OrderId, PaymentId, ReceiptId, ShipmentId},
    payment::Provider,
    product::Sku,
    shipment::Tracking,
    time::Timestamp,
};

use super::Table;

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub(super) table: Table,
    pub(super) pk: String,
    pub(super) sk: String,
}

/// The attribute of the partition key.
pub(super) const PK: &str = "pk";
/// The attribute of the sort key.
pub(super) const SK: &str = "sk";
/// The partition attribute of the index of what is due.
pub(super) const DUE_SHARD: &str = "due_shard";
/// The range attribute of the index of what is due.
pub(super) const DUE: &str = "due";
/// The range attribute of the index of orders by time.
pub(super) const PLACED_AT: &str = "placed_at";

/// Over how many partitions the index of what is due is spread. One partition
/// takes 1,000 writes a second; four keep ahead of the order tables of this
/// world, and a sweep pays four queries.
pub(super) const DUE_SHARDS: u8 = 4;

/// The shard of an item in the index of what is due, by its identity.
pub(super) fn due_shard(identity: &str) -> String {
    let hash = digest::full(&[identity.as_bytes()]);
    let byte = hash.bytes().next_back().unwrap_or(b'0');
    (byte % DUE_SHARDS).to_string()
}

impl Key {
    fn new(table: Table, pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { table, pk: pk.into(), sk: sk.into() }
    }

    /// A product.
    #[must_use]
    pub fn product(sku: &Sku) -> Self {
        Self::new(Table::Products, sku.as_str(), "PRODUCT")
    }

    /// How much of a product there is.
    #[must_use]
    pub fn level(sku: &Sku) -> Self {
        Self::new(Table::Stock, sku.as_str(), "LEVEL")
    }

    /// A receipt of goods.
    #[must_use]
    pub fn receipt(sku: &Sku, id: &ReceiptId) -> Self {
        Self::new(Table::Stock, sku.as_str(), format!("RECEIPT#{id}"))
    }

    /// An order. The buyer is part of the key: another's order is not found.
    #[must_use]
    pub fn order(customer: &CustomerId, order: &OrderId) -> Self {
        Self::new(Table::Orders, customer.as_str(), order.as_str())
    }

    /// An attempt to pay.
    #[must_use]
    pub fn attempt(payment: &PaymentId) -> Self {
        Self::new(Table::Payments, payment.as_str(), "ATTEMPT")
    }

    /// A provider's report about an attempt. Identities of events are one
    /// provider's, so that no other can take one first.
    #[must_use]
    pub fn payment_event(payment: &PaymentId, provider: Provider, event: &str) -> Self {
        Self::new(Table::Payments, payment.as_str(), format!("EVENT#{provider}#{event}"))
    }

    /// A shipment.
    #[must_use]
    pub fn shipment(order: &OrderId, shipment: &ShipmentId) -> Self {
        Self::new(Table::Shipments, order.as_str(), shipment.as_str())
    }

    /// A parcel by its label.
    #[must_use]
    pub fn parcel(tracking: &Tracking) -> Self {
        Self::new(Table::Tracking, tracking_pk(tracking), "PARCEL")
    }

    /// A carrier's report about a parcel.
    #[must_use]
    pub fn push(tracking: &Tracking, digest: &str) -> Self {
        Self::new(Table::Tracking, tracking_pk(tracking), format!("PUSH#{digest}"))
    }

    /// A member's ledger of points.
    #[must_use]
    pub fn ledger(customer: &CustomerId) -> Self {
        Self::new(Table::Points, customer.as_str(), "ACCOUNT")
    }

    /// An entry of a ledger; entries sort by time.
    #[must_use]
    pub fn entry(customer: &CustomerId, at: Timestamp, id: &EntryId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("ENTRY#{at}#{id}"))
    }

    /// An invitation.
    #[must_use]
    pub fn invite(id: &InviteId) -> Self {
        Self::new(Table::Surveys, id.as_str(), "INVITE")
    }

    /// How often a buyer was contacted.
    #[must_use]
    pub fn contacts(customer: &CustomerId) -> Self {
        Self::new(Table::Surveys, customer.as_str(), "CONTACTS")
    }

    /// The policy.
    #[must_use]
    pub fn policy() -> Self {
        Self::new(Table::Settings, "POLICY", "CURRENT")
    }
}

/// The partition of a parcel and of all that its carrier reported of it.
pub(super) fn tracking_pk(tracking: &Tracking) -> String {
    format!("{}#{}", tracking.carrier, tracking.number)
}

/// What the sort keys of a ledger's entries begin with.
pub(super) const ENTRY_PREFIX: &str = "ENTRY#";
