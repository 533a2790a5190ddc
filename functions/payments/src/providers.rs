//! Payment providers: how each signs and words its callbacks, and how an
//! attempt is begun with it. One file each.
//!
//! Verifying and reading are pure: functions of the secrets, the headers, the
//! raw body and the time.

pub mod sandbox;

pub mod stripe;

use aftercart::{
    model::{
        digest,
        payment::{MAX_REASON, PaymentEvent, Provider},
        signature::SignatureError,
        time::Timestamp,
    },
    run::{Failure, http::Response},
};

use crate::wire::Received;

/// A call as it came, and what it is checked against.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What the provider signs with; all are tried.
    pub secrets: &'a [&'a str],
    /// A header, by its name in small letters.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + 'a),
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The present moment.
    pub now: Timestamp,
}

/// What a verified call says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Something happened to an attempt.
    Event(PaymentEvent),
    /// Something that these functions take no interest in.
    Ignored {
        /// What, in the provider's word, and why.
        what: String,
    },
}

/// Why a verified body says nothing. No retry will make it readable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    Encoding,
    /// Not JSON, or not with the fields that such an event has.
    #[error("the body is no event: {0}")]
    Form(String),
    /// An amount, currency or time that cannot be.
    #[error("the event holds an impossible value: {0}")]
    Value(String),
}

impl Unreadable {
    /// What is wrong, without a word of the body: for logs.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Encoding => "the body is not UTF-8",
            Self::Form(_) => "the body is no event",
            Self::Value(_) => "the event holds an impossible value",
        }
    }
}

/// The callbacks of a provider.
pub trait Callbacks: Sync {
    /// Makes sure that the provider sent the body, lately.
    ///
    /// # Errors
    /// [`SignatureError`].
    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError>;

    /// What the body of a verified call says.
    ///
    /// # Errors
    /// [`Unreadable`].
    fn read(&self, call: &Call<'_>) -> Result<Report, Unreadable>;

    /// What the provider wants to hear when its call is done with: a 2xx,
    /// unless it is particular.
    ///
    /// # Errors
    /// A bug when the answer cannot be written.
    fn acknowledge(&self) -> Result<Response, Failure> {
        Response::json(200, &Received { received: true })
    }
}

/// The callbacks of this provider.
#[must_use]
pub fn callbacks(provider: Provider) -> &'static dyn Callbacks {
    match provider {
        Provider::Stripe => &stripe::Stripe,
        Provider::Sandbox => &sandbox::Sandbox,
    }
}

/// The longest identity of an event that is kept as it is; providers' have
/// some 30 characters.
const EVENT_ID_MAX: usize = 128;

/// The identity of an event by which it is known as the same for ever. One
/// that would not fit a key is replaced by its digest, which tells as much.
fn event_identity(id: &str) -> String {
    let fits = id.len() <= EVENT_ID_MAX && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { id.to_owned() } else { digest::full(&[id.as_bytes()]) }
}

/// A provider's word or code within the length that is kept and logged.
fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_that_fit_no_key_are_digested() {
        assert_eq!(event_identity("evt_1"), "evt_1");
        let long = "e".repeat(EVENT_ID_MAX + 1);
        for id in [long.as_str(), "evt 1", "évt", "evt\n1"] {
            assert_eq!(event_identity(id).len(), 64, "{id}");
        }
        assert_ne!(event_identity("evt 1"), event_identity("evt 2"));
    }
}
