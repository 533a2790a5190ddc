//! Vouchers, by the member whose they are. Another's is not found.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    id::{OrderId, VoucherId},
    price::RuleId,
    time::Timestamp,
    voucher::Voucher,
};

use super::{
    Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{Item, from_item as read_form, stored},
    key::SK,
    read::{PartitionQuery, text},
};

const EXPIRES: &str = "x";
const USED_BY: &str = "o";

#[derive(Serialize, Deserialize)]
struct StoredVoucher {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    #[serde(skip_serializing)]
    sk: VoucherId,
    r: RuleId,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    o: Option<OrderId>,
}
stored!(StoredVoucher, "voucher", 1);

/// Grants a voucher, unless its identity is taken.
#[must_use]
pub fn grant(voucher: &Voucher) -> Write {
    let form = StoredVoucher {
        v: 1,
        pk: voucher.customer.clone(),
        sk: voucher.id.clone(),
        r: voucher.rule.clone(),
        at: voucher.granted_at,
        x: voucher.expires_at,
        o: voucher.used_by.clone(),
    };
    let key = Key::voucher(&voucher.customer, &voucher.id);
    Write::put(key, &form, &Sends::none()).when(Condition::Absent)
}

/// Uses a voucher for an order. Loses when the member has no such voucher, an
/// order uses it, or it has ended by `now`.
#[must_use]
pub fn redeem(
    customer: &CustomerId,
    voucher: &VoucherId,
    order: &OrderId,
    now: Timestamp,
) -> Write {
    let change = Change::default().set(USED_BY, used_by(order));
    Write::update(Key::voucher(customer, voucher), change, &Sends::none())
        .when(Condition::Exists)
        .when(Condition::Missing(USED_BY.into()))
        .when(Condition::MissingOrAfter(EXPIRES, now))
}

/// Gives a voucher back that an order used. Belongs into the commit that ends
/// the order. Loses when that order does not use it.
#[must_use]
pub fn release(customer: &CustomerId, voucher: &VoucherId, order: &OrderId) -> Write {
    let change = Change::default().remove(USED_BY);
    Write::update(Key::voucher(customer, voucher), change, &Sends::none())
        .when(Condition::Equals(USED_BY, used_by(order)))
}

/// Ends a voucher before its time. Loses when the member has no such voucher,
/// an order uses it, or it has ended by `now`.
#[must_use]
pub fn end(customer: &CustomerId, voucher: &VoucherId, now: Timestamp) -> Write {
    let change = Change::default().set(EXPIRES, AttributeValue::S(now.to_string()));
    Write::update(Key::voucher(customer, voucher), change, &Sends::none())
        .when(Condition::Exists)
        .when(Condition::Missing(USED_BY.into()))
        .when(Condition::MissingOrAfter(EXPIRES, now))
}

fn used_by(order: &OrderId) -> AttributeValue {
    AttributeValue::S(order.as_str().to_owned())
}

/// The voucher in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Voucher, StoreError> {
    let form: StoredVoucher = read_form(item)?;
    Ok(Voucher {
        id: form.sk,
        customer: form.pk,
        rule: form.r,
        granted_at: form.at,
        expires_at: form.x,
        used_by: form.o,
    })
}

/// Reads a cursor that a listing of vouchers gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| VoucherId::parse(token.inner()).is_ok())
}

impl Found {
    /// The member's voucher, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn voucher(
        &self,
        customer: &CustomerId,
        voucher: &VoucherId,
    ) -> Result<Option<Voucher>, StoreError> {
        self.item(&Key::voucher(customer, voucher)).map(from_item).transpose()
    }
}

impl Store {
    /// A page of the member's vouchers, used and ended ones too, in no
    /// particular order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vouchers_of(
        &self,
        customer: &CustomerId,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<Voucher>, StoreError> {
        let pk = customer.as_str();
        let start = from.map(|token| token.start(pk));
        let query = PartitionQuery { table: Table::Customers, pk, prefix: Some(VoucherId::PREFIX) };
        let (items, last) = self.latest(query, start, limit).await?;
        let items: Result<Vec<Voucher>, StoreError> = items.iter().map(from_item).collect();
        let next = last.and_then(|last| text(&last, SK)).map(PageToken::new);
        Ok(Page { items: items?, next })
    }
}
