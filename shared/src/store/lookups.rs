//! Where orders are found by what people know of them, and which goods are
//! bought together.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::{CustomerId, Email},
    id::OrderId,
    order::Order,
    product::Sku,
    profile::COUNTED_KEPT,
    related::{Partner, Related},
    risk::RiskKind,
    text::Text,
    time::Timestamp,
};

use super::{
    Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::Condition,
    item::{from_item, in_range, stored},
    key::SK,
    read::{PartitionQuery, text},
};

const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredTerm {
    v: u32,
    c: CustomerId,
}
stored!(StoredTerm, "search term", 1);

#[derive(Serialize, Deserialize)]
struct StoredRelated {
    v: u32,
    p: Vec<(Sku, Text<80>, u64)>,
    n: u64,
}
stored!(StoredRelated, "list of related goods", 1);

#[derive(Serialize, Deserialize)]
struct StoredCounted {
    v: u32,
    ttl: i64,
}
stored!(StoredCounted, "note of what was counted", 1);

/// What people know of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Its number.
    Order(OrderId),
    /// Its buyer's e-mail address; the table knows a digest of it.
    Email(Email),
}

impl Term {
    /// All under which an order is found.
    #[must_use]
    pub fn of(order: &Order) -> [Self; 2] {
        [Self::Order(order.id.clone()), Self::Email(order.contact.email.clone())]
    }

    fn text(&self) -> String {
        match self {
            Self::Order(order) => format!("ORD#{order}"),
            Self::Email(email) => format!("EML#{}", RiskKind::Email.digest(email.as_str())),
        }
    }

    /// Where it says that it names this order.
    #[must_use]
    pub fn key(&self, order: &Order) -> Key {
        Key::term(&self.text(), order.placed_at, &order.id)
    }
}

/// Makes an order found under a term; again is as good as once.
#[must_use]
pub fn name(term: &Term, order: &Order) -> Write {
    let form = StoredTerm { v: 1, c: order.customer.clone() };
    Write::put(term.key(order), &form, &Sends::none())
}

/// Notes that an order was counted, where no member's record knows it. Loses
/// when that is noted already.
#[must_use]
pub fn count_once(order: &OrderId, paid_at: Timestamp) -> Write {
    let form = StoredCounted { v: 1, ttl: paid_at.plus(COUNTED_KEPT).unix_seconds() };
    Write::put(Key::counted(order), &form, &Sends::none()).when(Condition::Absent)
}

/// Writes what a product is bought together with over what was read. Loses
/// when it has changed since.
#[must_use]
pub fn relate(sku: &Sku, related: &Related) -> Write {
    let partners = related.partners.iter();
    let form = StoredRelated {
        v: 1,
        p: partners.map(|it| (it.sku.clone(), it.title.clone(), it.count)).collect(),
        n: related.version.saturating_add(1),
    };
    Write::put(Key::related(sku), &form, &Sends::none()).unchanged(VERSION, related.version)
}

impl Found {
    /// Whether the order is found under the term. Its key must have been asked for.
    #[must_use]
    pub fn is_named(&self, term: &Term, order: &Order) -> bool {
        self.item(&term.key(order)).is_some()
    }

    /// Whether the order was counted. Its key must have been asked for.
    #[must_use]
    pub fn is_counted(&self, order: &OrderId) -> bool {
        self.item(&Key::counted(order)).is_some()
    }

    /// What the product is bought together with; nothing, if that is not
    /// known. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn related(&self, sku: &Sku) -> Result<Related, StoreError> {
        let Some(item) = self.item(&Key::related(sku)) else { return Ok(Related::default()) };
        let form: StoredRelated = from_item(item)?;
        let partner = |(sku, title, count)| Partner { sku, title, count };
        Ok(Related { partners: form.p.into_iter().map(partner).collect(), version: form.n })
    }
}

impl Store {
    /// A page of the orders under a term, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders_under(
        &self,
        term: &Term,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<(CustomerId, OrderId)>, StoreError> {
        let pk = term.text();
        let start = from.map(|token| token.start(&pk));
        let query = PartitionQuery { table: Table::Lookups, pk: &pk, prefix: None };
        let (items, last) = self.latest(query, start, limit).await?;
        let mut orders = Vec::with_capacity(items.len());
        for item in &items {
            let form: StoredTerm = from_item(item)?;
            let place = text(item, SK).and_then(|sk| place_of(&sk));
            let (_, order) = in_range("search term", place.ok_or(()))?;
            orders.push((form.c, order));
        }
        let next = last.and_then(|last| text(&last, SK)).map(PageToken::new);
        Ok(Page { items: orders, next })
    }
}

/// Reads a cursor that a search by a term gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| place_of(token.inner()).is_some())
}

fn place_of(sk: &str) -> Option<(Timestamp, OrderId)> {
    let (placed_at, order) = sk.split_once('#')?;
    Some((Timestamp::parse(placed_at).ok()?, OrderId::parse(order).ok()?))
}
