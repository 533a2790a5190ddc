//! Points: what members earn, when it may be spent and when it ends.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`points_post`] | queue points: `order.paid`, `parcel.delivered` | order, its shipment, ledger | entry, ledger | |
//! | [`points_mature`] | every five minutes | ledgers in which something is due | entries, ledger | |
//! | [`points_view`] | `GET /me/points` | ledger, entries | | |
//!
//! Points of a paid order are pending. Their clock starts when the parcel
//! arrives, and stops if it goes back before they mature; when the return
//! window ends they become available, and at the end of their life they
//! expire. Every movement is an entry, written in one commit with the ledger
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
