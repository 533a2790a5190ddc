//! Points: what members earn, when it may be spent and when it ends.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`points_post`] | queue points: `order.paid`, `order.cancelled`, `parcel.delivered` | order, its shipments, ledger; entries and undone of a cancelled one | entries, undone, ledger | |
//! | [`points_mature`] | every five minutes | ledgers in which something is due | entries, ledger | |
//! | [`points_view`] | `GET /me/points` | ledger, entries | | |
//!
//! Points of a paid order are pending. Their clock starts when the parcel
//! arrives, and stops if it goes back before they mature; when the return
//! window ends they become available, and at the end of their life they
//! expire. Points that are to pay for an order are held by the transaction
//! that places it, and spent when it is paid. When a paid order is called off,
//! or units of it, what those earned is taken back and what paid for them
//! comes back. Every movement is an entry, written in one commit with the ledger
//! that it changes, so that neither is ever without the other.

pub mod points_post;

pub mod points_mature;

pub mod points_view;

pub mod rules;

pub mod wire;

mod soundness;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] =
    &[points_post::FUNCTION, points_mature::FUNCTION, points_view::FUNCTION];
