//! The relay: the messages of committed writes, from the tables' streams to
//! the queues; and from there to systems of the merchant.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`relay`] | streams of stock, orders, payments, shipments, tracking, points, surveys, carts, tickets | policy | | what each change carries, to every queue that wants it |
//! | [`webhook_send`] | queue `webhooks` | policy, order or its shipments, what was told of a parcel, how an endpoint's calls went | deliveries, what was told of a parcel, how an endpoint's calls went; calls the endpoint | |
//! | [`webhook_sweep`] | every minute | policy, what is due: deliveries; how an endpoint's calls went | deliveries, how an endpoint's calls went; calls the endpoint | |
//! | [`webhook_list`] | `GET /operator/webhooks`, `POST /operator/webhooks/{id}/replay`, `POST /operator/webhooks/replays` | policy, deliveries | deliveries that are sent again | |
//!
//! An item carries the messages that its last write caused. A message is sent
//! at least once: the stream goes on behind a change only when every queue has
//! taken all of the change's messages.
//!
//! A message to a system of the merchant is a *delivery*, one an endpoint: its
//! bytes and its identity stay the same, however often it is tried. See
//! `docs/webhooks.md` for what its receiver is promised.

pub mod relay;

pub mod webhook_send;

pub mod webhook_sweep;

pub mod webhook_list;

mod calling;

pub mod rules;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] =
    &[relay::FUNCTION, webhook_send::FUNCTION, webhook_sweep::FUNCTION, webhook_list::FUNCTION];
