//! What differs from carrier to carrier: how a call is signed, what its body
//! looks like, and what the codes mean. Pure: a carrier's samples can be run
//! through [`Adapter::read`] without anything else.
//!
//! The tables of codes are data. What is not in them is never guessed: it is
//! kept as `unknown`, and counted.

pub mod easypost;

pub mod generic;

use aftercart::model::{
    shipment::{Carrier, Push, TrackingEvent},
    signature::SignatureError,
    text::Text,
    time::Timestamp,
};
use serde::de::DeserializeOwned;

/// A signed call: its headers, by their names in small letters, and its body
/// as it came.
pub struct Signed<'a> {
    /// Looks up a header.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What a body amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The carrier told of a parcel.
    Told {
        /// What it told.
        push: Push,
        /// How many scans have a code that is not in the carrier's table.
        unknown_codes: u32,
        /// How many scans were left out because they have no readable time, or
        /// no code.
        unreadable: u32,
    },
    /// It is not about a parcel of ours: acknowledged, and nothing is kept.
    /// The text says why.
    Ignored(&'static str),
}

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Malformed {
    /// What is at fault, such as `events[0].at`.
    pub field: String,
    /// What is wrong with it, in a sentence.
    pub detail: String,
}

impl Malformed {
    fn at(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// One carrier.
pub trait Adapter: Send + Sync {
    /// Checks the signature over the raw body; any of the secrets will do.
    ///
    /// # Errors
    /// [`SignatureError`].
    fn verify(
        &self,
        call: &Signed<'_>,
        secrets: &[&str],
        now: Timestamp,
    ) -> Result<(), SignatureError>;

    /// Reads a body. The present moment only bounds how far ahead a scan may
    /// lie; what is read does not depend on it.
    ///
    /// # Errors
    /// [`Malformed`].
    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed>;
}

/// The adapter of a carrier.
#[must_use]
pub fn of(carrier: Carrier) -> &'static dyn Adapter {
    match carrier {
        Carrier::Easypost => &easypost::EasyPost,
        Carrier::Generic => &generic::Generic,
    }
}

/// The scans in order, each once. Of two with the same time, code and place
/// the first in order stays.
fn distinct(mut scans: Vec<TrackingEvent>) -> Vec<TrackingEvent> {
    scans.sort_unstable();
    scans.dedup_by_key(|scan| (scan.at, scan.code.clone(), scan.place.clone()));
    scans
}

/// A text of a carrier within our bounds: control characters are left out, and
/// what is too long is cut; none when nothing is left.
fn within<const MAX: usize>(text: &str) -> Option<Text<MAX>> {
    let kept: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX).collect();
    Text::new(&kept).ok()
}

/// Reads JSON; an error names the field.
fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let detail = format!("The body is not UTF-8: see byte {}.", error.valid_up_to());
        Malformed::at("body", detail)
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(at_path)?;
    json.end().map_err(|error| Malformed::at("body", format!("{error}.")))?;
    Ok(value)
}

fn at_path<E: std::error::Error>(error: serde_path_to_error::Error<E>) -> Malformed {
    let path = error.path().to_string();
    let field = if path == "." { "body".to_owned() } else { path };
    Malformed::at(field, format!("{}.", error.into_inner()))
}
