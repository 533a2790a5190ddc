//! How an order ends that was never paid.

use aftercart::{
    model::order::{Order, OrderStatus},
    store::{Commit, Sends, orders, stock},
};

/// The order's end and the return of all that it took, the order first.
#[must_use]
pub(crate) fn writes(order: &Order, ended: OrderStatus) -> Commit {
    let returns = order.lines.iter().map(|line| stock::give_back(&line.sku, line.quantity));
    std::iter::once(orders::end(&order.customer, &order.id, ended, &Sends::none()))
        .chain(returns)
        .collect()
}
