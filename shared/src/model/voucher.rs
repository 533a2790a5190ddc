//! Vouchers: a member's right to one use of a price rule.

use super::{
    customer::CustomerId,
    id::{OrderId, VoucherId},
    price::RuleId,
    time::Timestamp,
};

/// A member's right to one use of a price rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// Derived from the member and the key of the call that granted it.
    pub id: VoucherId,
    /// Whose.
    pub customer: CustomerId,
    /// For which rule.
    pub rule: RuleId,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it ends; never, if there is none.
    pub expires_at: Option<Timestamp>,
    /// The order that uses it. One that ends gives it back.
    pub used_by: Option<OrderId>,
}

impl Voucher {
    /// Whether an order may use it now.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.used_by.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
