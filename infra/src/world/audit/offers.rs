//! Vouchers and the limits of price rules.

use std::collections::BTreeMap;

use aftercart::{
    model::order::Order,
    store::audit::{Books, QuotaKey},
};

use super::{Violation, must};

/// A voucher is used by the one living order that names it, and the counters of
/// limits are what living orders use and what members joined.
pub(super) fn used(books: &Books) -> Result<usize, Violation> {
    let living = || books.orders.iter().filter(|it| it.is_living());
    for order in living() {
        for voucher in &order.vouchers {
            let known = books.vouchers.get(&(order.customer.clone(), voucher.clone()));
            let used_by = known.and_then(|it| it.used_by.as_ref());
            must(used_by == Some(&order.id), || {
                format!("{} uses {voucher}, which is used by {used_by:?}", order.id)
            })?;
        }
    }
    for voucher in books.vouchers.values() {
        let Some(order) = &voucher.used_by else { continue };
        let uses = |it: &Order| it.id == *order && it.vouchers.contains(&voucher.id);
        must(living().any(uses), || {
            format!("{} is used by {order}, which does not use it", voucher.id)
        })?;
    }
    limits(books)?;
    Ok(books.vouchers.len() + books.quotas.len())
}

fn limits(books: &Books) -> Result<(), Violation> {
    let mut used: BTreeMap<QuotaKey, i64> = BTreeMap::new();
    for order in books.orders.iter().filter(|it| it.is_living()) {
        for part in &order.quotas {
            let key = (part.rule.to_string(), part.scope.clone(), part.shard);
            *used.entry(key).or_default() += i64::from(part.units);
        }
    }
    for share in &books.shares {
        for member in &share.joined {
            let key = (share.campaign.to_string(), format!("CUS#{member}"), 0);
            *used.entry(key).or_default() += 1;
        }
    }
    for (limit, counted) in &books.quotas {
        let used = used.remove(limit).unwrap_or(0);
        must(*counted == used, || format!("{counted} of {limit:?} are counted, {used} are used"))?;
    }
    must(used.is_empty(), || format!("limits that nobody counted: {used:?}"))
}
