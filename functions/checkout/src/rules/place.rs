//! May this order be placed, and what is it?

use aftercart::model::{
    customer::{Address, Contact, CustomerId},
    digest,
    id::OrderId,
    money::{Money, MoneyError},
    order::{MAX_LINES, MAX_QUANTITY, Order, OrderLine, OrderStatus},
    policy::Policy,
    product::{Product, Sku},
    time::Timestamp,
};

/// An order that somebody wants to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placing {
    /// Derived from the buyer and the idempotency key.
    pub id: OrderId,
    /// Who.
    pub customer: CustomerId,
    /// 1 to [`MAX_LINES`] lines, each SKU once.
    pub lines: Vec<PlacingLine>,
    /// Where to.
    pub address: Address,
    /// How the buyer is reached.
    pub contact: Contact,
    /// A digest of the request.
    pub request: String,
}

/// So many units of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacingLine {
    /// What.
    pub sku: Sku,
    /// How many, 1 to [`MAX_QUANTITY`].
    pub quantity: u32,
}

/// Why an order cannot be placed as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No lines, or too many.
    #[error("An order has 1 to {MAX_LINES} lines.")]
    Lines,
    /// A quantity that nobody sells.
    #[error("The quantity must be 1 to {MAX_QUANTITY}.")]
    Quantity {
        /// In which line, counted from 0.
        line: usize,
    },
    /// The same SKU twice.
    #[error("The SKU {sku} is in two lines; send one line with the sum.")]
    Repeated {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// A SKU that the shop does not sell.
    #[error("The shop does not sell the SKU {sku}.")]
    UnknownSku {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// Prices in two currencies.
    #[error("The SKU {sku} is sold in another currency than the first line; order it by itself.")]
    MixedCurrencies {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// A total beyond what is sold in one order.
    #[error("The total is too large for one order.")]
    TotalTooLarge,
}

/// The quantity of a line.
///
/// # Errors
/// [`Refusal::Quantity`].
pub fn quantity(line: usize, asked: i64) -> Result<u32, Refusal> {
    let fits = u32::try_from(asked).ok().filter(|n| (1..=MAX_QUANTITY).contains(n));
    fits.ok_or(Refusal::Quantity { line })
}

/// Checks the form of a list of lines.
///
/// # Errors
/// [`Refusal::Lines`] or [`Refusal::Repeated`].
pub fn check_lines(lines: &[PlacingLine]) -> Result<(), Refusal> {
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(Refusal::Lines);
    }
    for (line, PlacingLine { sku, .. }) in lines.iter().enumerate() {
        if lines.iter().take(line).any(|earlier| earlier.sku == *sku) {
            return Err(Refusal::Repeated { line, sku: sku.clone() });
        }
    }
    Ok(())
}

/// The identity of the order that a buyer places under a key.
#[must_use]
pub fn identity(customer: &CustomerId, key: &str) -> OrderId {
    OrderId::derive(&[customer.as_str(), key])
}

/// The digest that tells a repeated request from another one.
#[must_use]
pub fn request_digest(canonical_body: &[u8]) -> String {
    digest::short(&[canonical_body])
}

/// The order that is placed, at the shop's prices. An order of nothing but
/// gifts is paid as it is placed.
///
/// # Errors
/// [`Refusal`].
pub fn decide(
    placing: &Placing,
    products: &[Option<Product>],
    policy: &Policy,
    now: Timestamp,
) -> Result<Order, Refusal> {
    let mut lines: Vec<OrderLine> = Vec::with_capacity(placing.lines.len());
    let mut total: Option<Money> = None;
    for (line, asked) in placing.lines.iter().enumerate() {
        let product = products.get(line).and_then(Option::as_ref);
        let product =
            product.ok_or_else(|| Refusal::UnknownSku { line, sku: asked.sku.clone() })?;
        let line_total = product.price.times(asked.quantity).map_err(|_| Refusal::TotalTooLarge)?;
        total = Some(match total {
            None => line_total,
            Some(sum) => sum.plus(line_total).map_err(|error| match error {
                MoneyError::Mixed => Refusal::MixedCurrencies { line, sku: asked.sku.clone() },
                _ => Refusal::TotalTooLarge,
            })?,
        });
        lines.push(OrderLine {
            sku: asked.sku.clone(),
            title: product.title.clone(),
            quantity: asked.quantity,
            unit_price: product.price,
            total: line_total,
        });
    }
    let total = total.ok_or(Refusal::Lines)?;
    let free = total.minor() == 0;
    let hold_until = now.plus(policy.checkout.hold);
    Ok(Order {
        id: placing.id.clone(),
        customer: placing.customer.clone(),
        placed_at: now,
        status: if free { OrderStatus::Paid } else { OrderStatus::Placed },
        lines,
        total,
        address: placing.address.clone(),
        contact: placing.contact.clone(),
        hold_until,
        expires_at: (!free).then(|| hold_until.plus(policy.checkout.grace)),
        payments: Vec::new(),
        paid_at: free.then_some(now),
        refunds_due: Vec::new(),
        request: placing.request.clone(),
        policy: policy.version.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        money::{Currency, MAX_MINOR},
        time::Period,
    };
    use proptest::prelude::*;

    use super::*;

    fn placing(lines: &[(&str, u32)]) -> Placing {
        let lines = lines.iter().map(|(sku, quantity)| PlacingLine {
            sku: Sku::parse(sku).unwrap(),
            quantity: *quantity,
        });
        Placing {
            id: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            lines: lines.collect(),
            address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
                .unwrap(),
            contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
            request: "r".to_owned(),
        }
    }

    fn product(sku: &str, price: i64, currency: &str) -> Option<Product> {
        Some(Product {
            sku: Sku::parse(sku).unwrap(),
            title: aftercart::model::text::Text::new(sku).unwrap(),
            price: Money::new(price, Currency::parse(currency).unwrap()).unwrap(),
        })
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn decided(placing: &Placing, products: &[Option<Product>]) -> Result<Order, Refusal> {
        decide(placing, products, &Policy::default_document().unwrap(), now())
    }

    #[test]
    fn an_order_takes_the_prices_of_the_shop() {
        let products = [product("TEA", 1250, "EUR"), product("CUP", 800, "EUR")];
        let order = decided(&placing(&[("TEA", 2), ("CUP", 1)]), &products).unwrap();
        assert_eq!(order.total.minor(), 3300);
        assert_eq!(order.status, OrderStatus::Placed);
        assert_eq!(order.hold_until.to_string(), "2026-11-21T12:30:00.000Z");
        assert_eq!(order.expires_at, Some(order.hold_until.plus(Period::of_seconds(600))));
        assert_eq!(order.paid_at, None);
    }

    #[test]
    fn an_order_of_gifts_is_paid_at_once() {
        let order = decided(&placing(&[("GIFT", 2)]), &[product("GIFT", 0, "EUR")]).unwrap();
        assert_eq!((order.status, order.paid_at), (OrderStatus::Paid, Some(now())));
    }

    #[test]
    fn every_refusal_names_its_line() {
        let sku = |sku: &str| Sku::parse(sku).unwrap();
        for (lines, products, refusal) in [
            (
                &[("TEA", 1), ("X", 1)][..],
                vec![product("TEA", 1, "EUR"), None],
                Refusal::UnknownSku { line: 1, sku: sku("X") },
            ),
            (
                &[("TEA", 1), ("CUP", 1)],
                vec![product("TEA", 1, "EUR"), product("CUP", 1, "USD")],
                Refusal::MixedCurrencies { line: 1, sku: sku("CUP") },
            ),
            (&[("TEA", 2)], vec![product("TEA", MAX_MINOR, "EUR")], Refusal::TotalTooLarge),
            (
                &[("TEA", 1), ("CUP", 1)],
                vec![product("TEA", MAX_MINOR, "EUR"), product("CUP", 1, "EUR")],
                Refusal::TotalTooLarge,
            ),
        ] {
            assert_eq!(decided(&placing(lines), &products), Err(refusal));
        }
        for asked in [0, -1, 1_000, 1_000_000_000, i64::MIN] {
            assert_eq!(quantity(3, asked), Err(Refusal::Quantity { line: 3 }));
        }
        assert_eq!(check_lines(&[]), Err(Refusal::Lines));
        let repeated = placing(&[("A", 1), ("B", 1), ("A", 2)]).lines;
        assert_eq!(check_lines(&repeated), Err(Refusal::Repeated { line: 2, sku: sku("A") }));
        let many: Vec<PlacingLine> = (0..=MAX_LINES)
            .map(|n| PlacingLine { sku: sku(&format!("S{n}")), quantity: 1 })
            .collect();
        assert_eq!(check_lines(&many), Err(Refusal::Lines));
        assert_eq!(check_lines(&many[1..]), Ok(()));
    }

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_lines(
            cart in prop::collection::vec((0_i64..1_000_000, 1_u32..=MAX_QUANTITY), 1..=MAX_LINES)
        ) {
            let names: Vec<String> = (0..cart.len()).map(|n| format!("S{n}")).collect();
            let lines: Vec<(&str, u32)> = names.iter().zip(&cart).map(|(name, (_, n))| (name.as_str(), *n)).collect();
            let products: Vec<_> = names.iter().zip(&cart).map(|(name, (price, _))| product(name, *price, "EUR")).collect();
            let order = decided(&placing(&lines), &products).unwrap();
            let sum: i64 = cart.iter().map(|(price, n)| price * i64::from(*n)).sum();
            prop_assert_eq!(order.total.minor(), sum);
            prop_assert_eq!(order.lines.iter().map(|line| line.total.minor()).sum::<i64>(), sum);
        }
    }
}
