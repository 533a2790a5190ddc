//! Payments: attempts to pay an order, what providers report of them, and what
//! that means for the order.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`payment_methods`] | `GET /orders/{id}/payment-methods`, guest's too | order, breakers, policy, exchange rates | | |
//! | [`payment_start`] | `POST /orders/{id}/payments`, guest's too | order, the attempt of the key, breakers | attempt; then calls the provider, and notes in its breaker that it does not answer | |
//! | [`payment_view`] | `GET /orders/{id}/payments` and `/{payment}`, guest's too | order; attempt and its events | | |
//! | [`payment_callback`] | `POST /callbacks/{provider}` (signed) | policy | event, its body if the policy says so; case | `payment.received` |
//! | [`payment_fold`] | queue `payments` | attempt and its events, order | order; case | `order.paid`, `notification.order_held`, `payment.authorised`, `payment.late`, `refund.wanted` |
//! | [`case_list`] | `GET /operator/payment-cases` | cases | | |
//! | [`case_resolve`] | `POST /operator/payment-cases/{id}/resolution` | case; attempt and its events, order | case; events, order or refund | `payment.received`, `order.paid`, `notification.order_held`, `refund.wanted` |
//! | [`provider_call`] | queue `provider-calls` | order, attempt, its events and refunds | refunds, events, cases; calls the provider | `payment.received`, `notification.refund_made` |
//! | [`payment_sweep`] | every minute | what is due: attempts, their events and refunds; order | events, refunds, cases, when to ask next; calls the provider | `payment.received`, `notification.refund_made` |
//! | [`settlement_import`] | `POST /operator/settlements/{provider}` | attempts, their events and refunds | what a statement told of, cases | |
//!
//! | provider | starts by | callbacks | event's identity | acknowledged with |
//! |---|---|---|---|---|
//! | Stripe | a payment intent; the client gets its secret | `Stripe-Signature` | the event's `id` | 200 `{"received":true}` |
//! | Alipay | a signed page or order; a trade for a code | a form with an RSA2 `sign` | `notify_id` | 200 `success` |
//! | Alipay+ | a payment at Antom's cashier | `Signature`, `Client-Id`, `Request-Time` | payment, refund or dispute, with type and outcome | 200 `{"result":{...}}` |
//! | Adyen | a session; the client gets its data | `hmacSignature` in each item | `pspReference`, event code and success | 200 `[accepted]` |
//! | WeChat Pay | a transaction; a code, an address or parameters | `Wechatpay-Signature` | the notice's `id` | 204 |
//! | UnionPay | a signed form | a form with `signature` and `signPubKeyCert` | `queryId`, type and response code | 200 `ok` |
//! | PayPal | an order, approved at PayPal and captured by us | `Paypal-Transmission-Sig` | the event's `id` | 200 `{"received":true}` |
//! | sandbox | nothing: whoever plays the provider sends the callback | Standard Webhooks | `webhook-id` | 200 `{"received":true}` |
//!
//! A callback is verified on its raw bytes, written once under the provider's
//! identity of it, and acknowledged; nothing is decided there. The state of an
//! attempt is the fold of the set of its events, so neither the order nor the
//! number of deliveries matters, and a success is never taken back by a
//! failure that comes late. Money that another attempt has paid already goes
//! back by itself; that which comes for an order that has ended is late, and
//! taken if the goods can be had again. Another amount than was asked waits for
//! a person, as does whatever else nothing here can decide: a *case*.
//!
//! A verified event of another type than these functions know, about a payment
//! that the merchant takes elsewhere with the same account, or that cannot be
//! read, is kept as a case and acknowledged; an operator may have it read again.

pub mod payment_methods;

pub mod payment_start;

pub mod payment_view;

pub mod payment_callback;

pub mod payment_fold;

pub mod case_list;

pub mod case_resolve;

pub mod provider_call;

pub mod payment_sweep;

pub mod settlement_import;

mod asking;

mod refunding;

pub mod rules;

pub mod providers;

pub mod calls;

mod ways;

mod breakers;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    payment_methods::FUNCTION,
    payment_start::FUNCTION,
    payment_view::FUNCTION,
    payment_callback::FUNCTION,
    payment_fold::FUNCTION,
    case_list::FUNCTION,
    case_resolve::FUNCTION,
    provider_call::FUNCTION,
    payment_sweep::FUNCTION,
    settlement_import::FUNCTION,
];
