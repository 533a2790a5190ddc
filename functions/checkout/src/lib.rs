//! Checkout: orders from the button to the moment they are paid, cancelled or
//! expired, and the goods that they take.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`order_place`] | `POST /orders`, `POST /guest/orders` | products, the order of the key | order, stock | `order.paid` when nothing is due |
//! | [`order_view`] | `GET /orders/{id}`, guest's too | order, shipment | | |
//! | [`order_list`] | `GET /orders` | orders | | |
//! | [`order_cancel`] | `POST /orders/{id}/cancel`, guest's too | order | order, stock | |
//! | [`order_expire`] | every minute | orders whose hold ended | order, stock | |
//! | [`product_put`] | `PUT /products/{sku}` (operator) | | product | |
//! | [`stock_receive`] | `POST /products/{sku}/receipts` (operator) | | receipt, stock | |
//!
//! An order takes its stock in the transaction that writes it, and gives it
//! back in the transaction that ends it.

pub mod order_place;

pub mod order_view;

pub mod order_list;

pub mod order_cancel;

pub mod order_expire;

pub mod product_put;

pub mod stock_receive;

pub mod rules;

mod ending;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    order_place::FUNCTION,
    order_view::FUNCTION,
    order_list::FUNCTION,
    order_cancel::FUNCTION,
    order_expire::FUNCTION,
    product_put::FUNCTION,
    stock_receive::FUNCTION,
];
