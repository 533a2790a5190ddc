//! Checkout: orders from the button to the moment they are paid, cancelled or
//! expired, and the goods that they take.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`quote_make`] | `POST /quotes`, `POST /guest/quotes` | products, stock, limits, member's record, vouchers, points, related goods | | |
//! | [`order_place`] | `POST /orders`, `POST /guest/orders` | the order of the key, products, stock, limits, member's record, vouchers, points, risk counters and entries | order, stock, limits, vouchers, points | `order.placed`; when nothing is due `order.paid`, and `notification.order_held` if it is held |
//! | [`order_view`] | `GET /orders/{id}`, guest's too | order, shipment | | |
//! | [`order_list`] | `GET /orders` | orders | | |
//! | [`order_cancel`] | `POST /orders/{id}/cancel`, guest's and operator's too | order, shipment | order, shipment, stock, limits, vouchers, points | `order.cancelled`, `notification.shipment_stopped` |
//! | [`units_cancel`] | `POST /orders/{id}/units/cancel`, guest's too | order, shipment | order, shipment, stock, limits, vouchers | `order.cancelled`, `notification.shipment_opened` or `_stopped` |
//! | [`address_change`] | `PUT /orders/{id}/shipping-address`, guest's too | order, shipment | order, shipment | `notification.shipment_opened` |
//! | [`order_hold`] | `POST /operator/orders/{customer}/{id}/hold`, `.../release` (operator) | order, shipment | order, shipment | `order.paid`, `notification.shipment_opened` or `_stopped` |
//! | [`order_note`] | `POST /operator/orders/{customer}/{id}/notes` (operator) | order, shipment | order | |
//! | [`order_refund`] | `POST /operator/orders/{customer}/{id}/refunds` (operator) | order, shipment | order | `order.refunded` |
//! | [`order_request`] | queue order-requests (`remedy.refund_asked`) | ticket, order, shipment | order, ticket | `order.refunded`, or `notification.ticket_waits` |
//! | [`order_inspect`] | `GET /operator/orders/{customer}/{id}` (operator) | order, shipment | | |
//! | [`order_expire`] | every minute | orders whose hold ended | order, stock, limits, vouchers, points | |
//! | [`order_retake`] | queue late-payments | order, attempt, products, stock, limits, member's record, vouchers, points | order, stock, limits, vouchers, points | `order.paid` or `refund.wanted`, `notification.late_payment_settled`, `notification.order_held` if it is held, `apology.due` |
//! | [`settings_put`] | `PUT /policy`, `PUT /price-rules` (operator) | | policy, price rules | |
//! | [`settings_view`] | `GET /policy`, `GET /price-rules` (operator) | policy, price rules | | |
//! | [`product_put`] | `PUT /products/{sku}` (operator) | | product | |
//! | [`product_view`] | `GET /products/{sku}` (operator) | product | | |
//! | [`stock_receive`] | `POST /products/{sku}/receipts` (operator) | movement | movement, stock | |
//! | [`stock_move`] | `POST /products/{sku}/movements` (operator) | movement, stock | movement, stock | |
//! | [`stock_view`] | `GET /products/{sku}/stock` (operator) | product, stock | | |
//! | [`stock_watch`] | stream of stock | product, stock, what was told | what was told | `notification.stock_changed` |
//! | [`cart_view`] | `GET /cart`, `GET /guest/cart` | cart, products | | |
//! | [`cart_put`] | `PUT /cart`, `PUT /guest/cart` | cart, products | cart | |
//! | [`cart_line_put`] | `PUT /cart/lines/{sku}`, guest's too | cart, products | cart | |
//! | [`cart_merge`] | `POST /cart/merge` | the member's cart, the guest's, products | both carts | |
//! | [`cart_remind`] | every five minutes | carts that nobody came back to | cart | `notification.cart_abandoned` |
//! | [`order_follow`] | queue orders | order, counters, terms, cart, member's record, related goods | the same but the order | |
//! | [`order_search`] | `GET /operator/orders` (operator) | terms, orders | | |
//! | [`customer_put`] | `PUT /customers/{id}` (operator) | | member's record | |
//! | [`customer_view`] | `GET /customers/{id}` (operator) | member's record, vouchers | | |
//! | [`voucher_grant`] | `POST /customers/{id}/vouchers` (operator) | | voucher | |
//! | [`voucher_list`] | `GET /me/vouchers` | vouchers | | |
//! | [`share_start`] | `POST /shares` | policy | share | |
//! | [`share_join`] | `POST /shares/{id}/joins` | share | share, joins of the member, vouchers | |
//! | [`share_view`] | `GET /shares/{id}` (open) | share | | |
//! | [`risk_list`] | `PUT /risk/entries` (operator) | | entry | |
//!
//! An order takes its stock in the transaction that writes it, and gives it
//! back in the transaction that ends it, or a part of it. Money that comes after
//! that takes all of it again, or goes back. What may happen to an order when,
//! and what follows, `docs/orders.md` tells.

pub mod quote_make;

pub mod order_place;

pub mod order_view;

pub mod order_list;

pub mod order_cancel;

pub mod units_cancel;

pub mod address_change;

pub mod order_hold;

pub mod order_note;

pub mod order_refund;

pub mod order_request;

pub mod order_inspect;

pub mod order_expire;

pub mod order_retake;

pub mod settings_put;

pub mod settings_view;

pub mod product_put;

pub mod product_view;

pub mod stock_receive;

pub mod stock_move;

pub mod stock_view;

pub mod stock_watch;

pub mod cart_view;

pub mod cart_put;

pub mod cart_line_put;

pub mod cart_merge;

pub mod cart_remind;

pub mod order_follow;

pub mod order_search;

pub mod risk_list;

pub mod customer_put;

pub mod customer_view;

pub mod voucher_grant;

pub mod voucher_list;

pub mod rules;

mod cart_call;

pub mod share_start;

pub mod share_join;

pub mod share_view;

mod asking;

mod changing;

mod facts;

mod quoted;

mod refusing;

mod taking;

mod member;

mod moving;

#[cfg(test)]
mod pages;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    quote_make::FUNCTION,
    order_place::FUNCTION,
    order_view::FUNCTION,
    order_list::FUNCTION,
    order_cancel::FUNCTION,
    units_cancel::FUNCTION,
    address_change::FUNCTION,
    order_hold::FUNCTION,
    order_note::FUNCTION,
    order_refund::FUNCTION,
    order_request::FUNCTION,
    order_inspect::FUNCTION,
    order_expire::FUNCTION,
    order_retake::FUNCTION,
    settings_put::FUNCTION,
    settings_view::FUNCTION,
    product_put::FUNCTION,
    product_view::FUNCTION,
    stock_receive::FUNCTION,
    stock_move::FUNCTION,
    stock_view::FUNCTION,
    stock_watch::FUNCTION,
    cart_view::FUNCTION,
    cart_put::FUNCTION,
    cart_line_put::FUNCTION,
    cart_merge::FUNCTION,
    cart_remind::FUNCTION,
    order_follow::FUNCTION,
    order_search::FUNCTION,
    risk_list::FUNCTION,
    customer_put::FUNCTION,
    customer_view::FUNCTION,
    voucher_grant::FUNCTION,
    share_start::FUNCTION,
    share_join::FUNCTION,
    share_view::FUNCTION,
    voucher_list::FUNCTION,
];
