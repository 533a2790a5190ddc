//! Callbacks as payment providers and carriers send them, signed as they sign:
//! for tests, the demo and the replay.

use aftercart::model::{signature::standard_webhooks, time::Timestamp};

pub use crate::carriers::{
    aftership::signed as aftership, easypost::signed as easypost, generic::signed as generic,
};

/// A signed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Where it goes.
    pub path: &'static str,
    /// The headers of the signature; names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// The signed body.
    pub body: String,
}

/// What a provider reports of an attempt to pay.
#[derive(Debug, Clone)]
pub struct Payment<'a> {
    /// The provider's identity of the report.
    pub event: &'a str,
    /// What happened, by the name of the suite's kind: `succeeded`, `failed`, `refunded`, ...
    pub kind: &'a str,
    /// The attempt.
    pub payment: &'a str,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217, in capitals.
    pub currency: &'a str,
    /// When it happened and when the call is signed.
    pub at: Timestamp,
    /// Of captures, refunds and disputes: which one.
    pub part: Option<&'a str>,
}

/// One scan of a parcel.
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    /// The carrier's word for where the parcel is.
    pub status: &'a str,
    /// Where it was scanned.
    pub place: &'a str,
    /// When, by the carrier's clock.
    pub at: Timestamp,
}

/// What a carrier tells of a parcel.
#[derive(Debug, Clone)]
pub struct Push<'a> {
    /// The carrier's identity of the call.
    pub event: &'a str,
    /// The number on the label.
    pub number: &'a str,
    /// The scans.
    pub scans: &'a [Scan<'a>],
    /// When the parcel is expected.
    pub eta: Option<Timestamp>,
    /// When the call is signed.
    pub at: Timestamp,
}

/// Signs by Standard Webhooks.
#[must_use]
pub fn standard(
    path: &'static str,
    secret: &str,
    id: &str,
    at: Timestamp,
    body: String,
) -> Callback {
    let headers = vec![
        (standard_webhooks::ID, id.to_owned()),
        (standard_webhooks::TIMESTAMP, at.unix_seconds().to_string()),
        (standard_webhooks::SIGNATURE, standard_webhooks::sign(secret, id, at, body.as_bytes())),
    ];
    Callback { path, headers, body }
}
