//! The tables, their indexes, and what can be done with them.

/// A table: one an aggregate, each with the string keys `pk` and `sk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What is sold.
    Products,
    /// How much of it there is.
    Stock,
    /// Orders, by buyer.
    Orders,
    /// Attempts to pay and what providers reported of them.
    Payments,
    /// Shipments, by order.
    Shipments,
    /// Parcels by carrier and number, and what carriers reported of them.
    Tracking,
    /// Points ledgers and their entries, by member.
    Points,
    /// Invitations to surveys, and how often buyers were contacted.
    Surveys,
    /// What is known of members, and their vouchers.
    Customers,
    /// Offers that friends share.
    Shares,
    /// Carts, by owner.
    Carts,
    /// How much of what limits price rules is used.
    Quotas,
    /// How often buyers, devices, addresses and cards were seen, and who is blocked or trusted.
    Risk,
    /// Where things are found by what people know of them, and what was counted.
    Lookups,
    /// What systems of the merchant were told, and how that went.
    Webhooks,
    /// Complaints, and what is done about them.
    Tickets,
    /// The policy and the price rules.
    Settings,
}

/// An index of a table. Both hold keys only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Index {
    /// A buyer's orders by the time they were placed.
    ByTime,
    /// What a schedule has to see to, by when; only items that have such a time are in it.
    ByDue,
}

impl Index {
    /// Its name in DynamoDB.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByTime => "by_time",
            Self::ByDue => "by_due",
        }
    }
}

/// What a function does with a table; the same names as IAM's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// Reads one item.
    GetItem,
    /// Reads items by their keys.
    BatchGetItem,
    /// Reads the items of one partition.
    Query,
    /// Writes an item whole, alone or in a transaction.
    PutItem,
    /// Changes an item, alone or in a transaction.
    UpdateItem,
}

impl Op {
    /// The name of the operation in DynamoDB and in IAM.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetItem => "GetItem",
            Self::BatchGetItem => "BatchGetItem",
            Self::Query => "Query",
            Self::PutItem => "PutItem",
            Self::UpdateItem => "UpdateItem",
        }
    }
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 17] = [
        Self::Products,
        Self::Stock,
        Self::Orders,
        Self::Payments,
        Self::Shipments,
        Self::Tracking,
        Self::Points,
        Self::Surveys,
        Self::Customers,
        Self::Shares,
        Self::Carts,
        Self::Quotas,
        Self::Risk,
        Self::Lookups,
        Self::Webhooks,
        Self::Tickets,
        Self::Settings,
    ];

    /// The name in logs and in the template.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Stock => "stock",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Shipments => "shipments",
            Self::Tracking => "tracking",
            Self::Points => "points",
            Self::Surveys => "surveys",
            Self::Customers => "customers",
            Self::Shares => "shares",
            Self::Carts => "carts",
            Self::Quotas => "quotas",
            Self::Risk => "risk",
            Self::Lookups => "lookups",
            Self::Webhooks => "webhooks",
            Self::Tickets => "tickets",
            Self::Settings => "settings",
        }
    }

    /// The environment variable that holds the name it is deployed under.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Products => "PRODUCTS_TABLE",
            Self::Stock => "STOCK_TABLE",
            Self::Orders => "ORDERS_TABLE",
            Self::Payments => "PAYMENTS_TABLE",
            Self::Shipments => "SHIPMENTS_TABLE",
            Self::Tracking => "TRACKING_TABLE",
            Self::Points => "POINTS_TABLE",
            Self::Surveys => "SURVEYS_TABLE",
            Self::Customers => "CUSTOMERS_TABLE",
            Self::Shares => "SHARES_TABLE",
            Self::Carts => "CARTS_TABLE",
            Self::Quotas => "QUOTAS_TABLE",
            Self::Risk => "RISK_TABLE",
            Self::Lookups => "LOOKUPS_TABLE",
            Self::Webhooks => "WEBHOOKS_TABLE",
            Self::Tickets => "TICKETS_TABLE",
            Self::Settings => "SETTINGS_TABLE",
        }
    }

    /// Its indexes, each with the names of its partition and range attributes.
    #[must_use]
    pub const fn indexes(self) -> &'static [(Index, &'static str, &'static str)] {
        match self {
            Self::Orders => {
                &[(Index::ByTime, "pk", "placed_at"), (Index::ByDue, "due_shard", "due")]
            }
            Self::Payments
            | Self::Shipments
            | Self::Tracking
            | Self::Points
            | Self::Surveys
            | Self::Carts
            | Self::Webhooks
            | Self::Tickets => &[(Index::ByDue, "due_shard", "due")],
            _ => &[],
        }
    }

    /// Whether its stream carries messages.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(
            self,
            Self::Stock
                | Self::Orders
                | Self::Payments
                | Self::Shipments
                | Self::Tracking
                | Self::Points
                | Self::Surveys
                | Self::Carts
                | Self::Tickets
        )
    }

    /// The attribute after whose moment DynamoDB deletes an item, where items
    /// become of no use. It may take days, so nothing follows from it.
    #[must_use]
    pub const fn expiry(self) -> Option<&'static str> {
        match self {
            Self::Payments
            | Self::Tracking
            | Self::Surveys
            | Self::Webhooks
            | Self::Shares
            | Self::Carts
            | Self::Quotas
            | Self::Risk
            | Self::Lookups => Some("ttl"),
            _ => None,
        }
    }

    /// Whether a read by keys must see the last write: all tables but products
    /// and settings, which may be a second old at half the cost.
    pub(super) const fn reads_consistently(self) -> bool {
        !matches!(self, Self::Products | Self::Settings)
    }
}
