//! The nouns of the shop and their legal moves.
//!
//! Pure: no I/O, no AWS, no clock. The time is always an argument.

pub mod id;

pub mod digest;

pub mod form;

pub mod money;

pub mod time;

pub mod customer;

pub mod dates;

pub mod product;

pub mod stock;

pub mod delivery;

pub mod tax;

pub mod order;

pub mod cart;

pub mod paying;

pub mod exchange;

pub mod payment;

pub mod shipment;

pub mod till;

pub mod dispatch;

pub mod alert;

pub mod logistics;

pub mod performance;

pub mod webhook;

pub mod points;

pub mod gift;

pub mod draw;

pub mod adjustment;

pub mod contest;

pub mod tally;

pub mod months;

pub mod profile;
pub mod programme;

pub mod voucher;

pub mod reward;

pub mod share;

pub mod survey;

pub mod feedback;

pub mod answers;

pub mod contact;

pub mod ticket;

pub mod care;

pub mod risk;

pub mod related;

pub mod offers;

pub mod policy;

pub mod price;

pub mod signature;

/// Whether a member of a document or a stored form may be left out: it has its default.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub mod text;
