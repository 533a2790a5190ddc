//! The relay: the messages of committed writes, from the tables' streams to
//! the queues.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`relay`] | streams of stock, orders, payments, shipments, tracking, surveys, carts | | | what each change carries, to every queue that wants it |
//!
//! An item carries the messages that its last write caused. A message is sent
//! at least once: the stream goes on behind a change only when every queue has
//! taken all of the change's messages.

pub mod relay;

pub mod rules;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[relay::FUNCTION];
