//! Payments: attempts to pay an order, what providers report of them, and what
//! that means for the order.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`payment_start`] | `POST /orders/{id}/payments`, guest's too | order, the attempt of the key | attempt; then calls the provider | |
//! | [`payment_callback`] | `POST /callbacks/{provider}` (signed) | | event | `payment.received` |
//! | [`payment_fold`] | queue `payments` | attempt and its events, order | order | `order.paid`, `notification.order_held` |
//!
//! | provider | starts by | callbacks | event's identity | acknowledged with |
//! |---|---|---|---|---|
//! | Stripe | a payment intent; the client gets its secret | `Stripe-Signature` | the event's `id` | 200 `{"received":true}` |
//! | sandbox | nothing: whoever plays the provider sends the callback | Standard Webhooks | `webhook-id` | 200 `{"received":true}` |
//!
//! A callback is verified on its raw bytes, written once under the provider's
//! identity of it, and acknowledged; nothing is decided there. The state of an
//! attempt is the fold of the set of its events, so neither the order nor the
//! number of deliveries matters, and a success is never taken back by a
//! failure that comes late. Money that an order cannot take (it has ended, it
//! is paid, the amount differs) is noted on the order as due to go back.
//!
//! A verified event of another type than these functions know, or about a
//! payment that the merchant takes elsewhere with the same account, is
//! acknowledged, counted and logged by its type, and not kept: there is no
//! quarantine yet from which an operator could replay it.

pub mod payment_start;

pub mod payment_callback;

pub mod payment_fold;

pub mod rules;

pub mod providers;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] =
    &[payment_start::FUNCTION, payment_callback::FUNCTION, payment_fold::FUNCTION];
