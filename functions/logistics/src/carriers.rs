//! What differs from carrier to carrier: how a call is signed, what its body
//! looks like, what the codes mean, how it is asked. Pure: a carrier's samples
//! can be run through [`Adapter::read`] without anything else.
//!
//! The tables of codes are data, in `carriers/*.json` beside the sources, each
//! with its source and its edition. What is not in them is never guessed: it is
//! kept as `unknown`, and counted.

pub mod aftership;

mod china;

pub mod codes;

pub mod easypost;

pub mod generic;

pub mod kdniao;

pub mod kuaidi100;

#[cfg(test)]
mod hostile;

use std::collections::BTreeSet;

use aftercart::{
    model::{
        shipment::{
            Carrier, Estimate, MAX_EVENTS, MAX_TOLD, Parcel, Push, Tracking, TrackingEvent,
        },
        signature::SignatureError,
        text::Text,
        time::{Period, Timestamp},
    },
    run::{http::Response, secrets::Credentials},
};
use bytes::Bytes;
use codes::Meaning;
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A signed call: its headers, by their names in small letters, and its body
/// as it came.
pub struct Signed<'a> {
    /// What the carrier signs with, and what our account is called there.
    pub credentials: &'a Credentials,
    /// Looks up a header.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The present moment.
    pub now: Timestamp,
}

/// What a body amounts to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What was told, a parcel each; a list of more than
    /// [`aftercart::model::shipment::MAX_EVENTS`] scans is several.
    pub told: Vec<Push>,
    /// The codes that are not in the carrier's table, as they came, each once.
    pub unknown_codes: Vec<String>,
    /// How many scans, or whole parcels, were left out because they cannot be
    /// read: they have no readable time or no code, or are of another form.
    /// Older scans of a carrier that tells the code of the latest only are none.
    pub unreadable: u32,
    /// What the carrier said of its own watching.
    pub watch: Option<Watch>,
    /// Why nothing was told, if nothing was: a body about something else.
    pub ignored: Option<&'static str>,
}

impl Reading {
    /// Of a body that is not about a parcel of ours: acknowledged, and nothing
    /// is kept.
    #[must_use]
    pub fn ignored(why: &'static str) -> Self {
        Self { ignored: Some(why), ..Self::default() }
    }

    /// Whether it has scans, and none of them can be read: the carrier's
    /// format is not what it was.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.told.is_empty() && self.unreadable > 0
    }
}

/// What a carrier says of its own watching of a parcel, which is nothing of the
/// parcel's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Which parcel.
    pub tracking: Tracking,
    /// Whether it watches no longer, and has to be told of the parcel again.
    pub has_ended: bool,
    /// Who carries it really, if that was found out.
    pub courier: Option<Text<40>>,
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

/// Why a carrier cannot be asked about a parcel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The carrier tells only by itself, or the merchant has no account for asking.
    #[error("the carrier cannot be asked: {0}")]
    Unsupported(&'static str),
    /// What is asked lacks something, or the carrier does not take it: another
    /// parcel of the same carrier may be asked about.
    #[error("the parcel cannot be asked about: {0}")]
    Missing(&'static str),
    /// The carrier answered that it does not know the parcel (yet).
    #[error("the carrier does not know the parcel yet")]
    NotKnown,
    /// The carrier asks for fewer calls.
    #[error("the carrier asks for fewer calls")]
    Throttled,
    /// The carrier refused the call for our account, keys or quota: every call
    /// of this carrier will meet the same.
    #[error("the carrier refuses our account: {0}")]
    Refused(String),
    /// The carrier failed, or its answer cannot be read.
    #[error("the carrier's answer cannot be used: {0}")]
    Failed(String),
}

/// One carrier, or somebody who watches many.
pub trait Adapter: Send + Sync {
    /// Checks the signature over the raw body; any of the secrets will do.
    ///
    /// # Errors
    /// [`SignatureError`].
    fn verify(&self, call: &Signed<'_>) -> Result<(), SignatureError>;

    /// Reads a pushed body. The present moment only marks scans that lie ahead
    /// of it.
    ///
    /// # Errors
    /// [`Malformed`].
    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed>;

    /// The answer that tells the carrier that its push was taken.
    ///
    /// # Errors
    /// When it cannot be written.
    fn acknowledge(&self, call: &Signed<'_>) -> Result<Response, aftercart::run::Failure>;

    /// The request that has the carrier report of a parcel from now on, sent
    /// once after the label was attached; none when it needs none. `callback`
    /// is the address of our own route for its pushes.
    ///
    /// # Errors
    /// [`AskError`].
    fn subscribe(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        callback: &str,
    ) -> Result<Option<http::Request<Bytes>>, AskError>;

    /// Whether the answer to [`Adapter::subscribe`] says that the carrier
    /// watches the parcel (that it did so already is fine), and what it told
    /// with it.
    ///
    /// # Errors
    /// [`AskError`].
    fn subscribed(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError>;

    /// The request that asks where a parcel is.
    ///
    /// # Errors
    /// [`AskError`].
    fn ask(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        now: Timestamp,
    ) -> Result<http::Request<Bytes>, AskError>;

    /// How long a number must be left alone after it was asked about, in vain
    /// too: some block who asks again sooner.
    fn ask_again_after(&self) -> Period {
        Period::of_seconds(0)
    }

    /// Reads the answer to [`Adapter::ask`].
    ///
    /// # Errors
    /// [`AskError`].
    fn answered(&self, answer: &http::Response<Bytes>, now: Timestamp)
    -> Result<Reading, AskError>;
}

/// The adapter of a carrier.
#[must_use]
pub fn of(carrier: Carrier) -> &'static dyn Adapter {
    match carrier {
        Carrier::Easypost => &easypost::EasyPost,
        Carrier::Aftership => &aftership::AfterShip,
        Carrier::Kuaidi100 => &kuaidi100::Kuaidi100,
        Carrier::Kdniao => &kdniao::KdNiao,
        Carrier::Generic => &generic::Generic,
    }
}

/// When a scan was, by the carrier's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    at: Timestamp,
    /// Whether it came without a zone.
    zone_assumed: bool,
}

/// What a carrier's list says of a scan.
struct Scan<'a> {
    /// None, if it cannot be read.
    moment: Option<Moment>,
    /// The word for where the parcel is, and the more exact one.
    code: (&'a str, Option<&'a str>),
    /// What is kept as the scan's code: these words, if it has no other.
    name: Option<Text<64>>,
    place: Option<Text<80>>,
}

/// A part of a body that is read by itself: what is of another form is none,
/// and costs nothing of the rest.
struct Part<T>(Option<T>);

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self(T::deserialize(value).ok()))
    }
}

/// What a list of scans amounts to, gathered scan by scan.
struct Gathered {
    table: &'static codes::Table,
    /// When the carrier told of them.
    told_at: Timestamp,
    scans: Vec<TrackingEvent>,
    unknown_codes: BTreeSet<String>,
    unreadable: u32,
}

impl Gathered {
    /// Nothing yet. What was told after the present moment was told now.
    fn new(carrier: Carrier, told_at: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            table: codes::of(carrier),
            told_at: told_at.map_or(now, |told_at| told_at.min(now)),
            scans: Vec::new(),
            unknown_codes: BTreeSet::new(),
            unreadable: 0,
        }
    }

    /// Notes a scan that is of another form than it should be.
    fn odd(&mut self) {
        self.unreadable = self.unreadable.saturating_add(1);
    }

    /// Adds a scan, if it has a time and a code.
    fn add(&mut self, scan: Scan<'_>) {
        let (word, more) = scan.code;
        let words: Option<Text<64>> = match more {
            Some(more) if more != word => within(&format!("{word}/{more}")),
            _ => within(word),
        };
        let (Some(Moment { at, zone_assumed }), Some(words)) = (scan.moment, words) else {
            return self.odd();
        };
        let Meaning { status, reason, is_known } = self.table.meaning(word, more);
        if !is_known {
            self.unknown_codes.insert(words.as_str().to_owned());
        }
        let code = scan.name.unwrap_or(words);
        let told_at = self.told_before(at);
        let place = scan.place;
        self.scans.push(TrackingEvent { at, status, reason, code, place, told_at, zone_assumed });
    }

    /// When a scan was told, if that is earlier than its time.
    fn told_before(&self, at: Timestamp) -> Option<Timestamp> {
        Some(self.told_at).filter(|told_at| *told_at < at)
    }

    /// Takes what was told for as old as its latest scan: some date the whole
    /// anew whenever they looked at it, and the same estimate would be another one.
    fn told_with_its_scans(mut self) -> Self {
        let latest = self.scans.iter().map(|scan| scan.at).max();
        self.told_at = latest.map_or(self.told_at, |latest| latest.min(self.told_at));
        self
    }

    /// All of it, of one parcel: the oldest scans first, so that the pushes of a
    /// list stay the same when it grows; the estimate is with the latest.
    /// Of more than [`MAX_TOLD`] scans the oldest are left out and count as
    /// unreadable.
    fn reading(self, tracking: &Tracking, eta: Option<Timestamp>) -> Reading {
        let mut scans = self.scans;
        scans.sort_unstable();
        let mut seen = BTreeSet::new();
        scans.retain(|it| seen.insert((it.at, it.code.clone(), it.place.clone())));
        let excess = scans.len().saturating_sub(MAX_TOLD);
        scans.drain(..excess);
        let push = |events: &[TrackingEvent]| Push {
            tracking: tracking.clone(),
            events: events.to_vec(),
            estimate: None,
        };
        let mut told: Vec<Push> = scans.chunks(MAX_EVENTS).map(push).collect();
        if let Some(eta) = eta {
            let estimate = Some(Estimate { told_at: self.told_at, eta });
            match told.last_mut() {
                Some(last) => last.estimate = estimate,
                None => told.push(Push { estimate, ..push(&[]) }),
            }
        }
        Reading {
            ignored: told.is_empty().then_some("it says nothing of the parcel's way"),
            told,
            unknown_codes: self.unknown_codes.into_iter().collect(),
            unreadable: self.unreadable.saturating_add(u32::try_from(excess).unwrap_or(u32::MAX)),
            watch: None,
        }
    }
}

/// A time with its zone, or without one: then it is taken for the carrier's
/// usual one, such as `Z` or `+08:00`. A date alone is its noon, which lies on
/// that date nearly everywhere.
fn moment(text: &str, usual: &str) -> Option<Moment> {
    let text = text.trim();
    let zoned = Timestamp::parse(text).map(|at| Moment { at, zone_assumed: false });
    let assumed = |rest: &str| {
        let at = Timestamp::parse(&format!("{text}{rest}{usual}"));
        at.map(|at| Moment { at, zone_assumed: true })
    };
    zoned.or_else(|_| assumed("")).or_else(|_| assumed("T12:00:00")).ok()
}

/// From midnight to the noon of the day.
const NOON: Period = Period::of_seconds(12 * 3_600);

/// When a parcel is expected: a moment, or a date. Some write a date as its
/// midnight in UTC, which is the day before in America: it is its noon, too.
fn expected(text: &str, usual: &str) -> Option<Timestamp> {
    let Moment { at, .. } = moment(text, usual)?;
    let is_midnight = text.trim().get(11..19) == Some("00:00:00");
    let is_date = is_midnight && at.to_string().get(11..) == Some("00:00:00.000Z");
    Some(if is_date { at.plus(NOON) } else { at })
}

/// A place out of its parts, the smallest first; those that are not known are
/// left out.
fn place(parts: &[Option<&str>]) -> Option<Text<80>> {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let known = parts.iter().flatten().map(|part| part.trim_matches(blank));
    within(&known.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "))
}

/// Where a carrier's API is: the secret's `api_url`, or else the usual place.
fn api_url<'a>(credentials: &'a Credentials, usual: &'a str) -> &'a str {
    credentials.account.get("api_url").map_or(usual, |url| url.trim_end_matches('/'))
}

/// What we call a carrier's API with.
fn api_key(credentials: &Credentials) -> Result<&str, AskError> {
    let key = credentials.api_keys.first().map(ExposeSecret::expose_secret);
    key.ok_or(AskError::Unsupported("its secret has no API key"))
}

/// Fields as a form or a query, each encoded.
fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A request with its body.
fn call(
    request: http::request::Builder,
    body: impl Into<Bytes>,
) -> Result<http::Request<Bytes>, AskError> {
    let unwritable = AskError::Unsupported("its secret's address or key cannot be sent");
    request.body(body.into()).map_err(|_| unwritable)
}

/// Reads JSON that a carrier answers. The error tells only where the fault is:
/// what is there may be somebody's name.
fn answered_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, AskError> {
    json(body).map_err(|Malformed { field, .. }| {
        AskError::Failed(format!("`{field}` of its answer cannot be read"))
    })
}

/// What a sender's calls are checked with.
fn secrets(credentials: &Credentials) -> Vec<&str> {
    credentials.webhook_secrets.iter().map(ExposeSecret::expose_secret).collect()
}

/// The body of a good answer, or what its status says.
fn good(answer: &http::Response<Bytes>) -> Result<&Bytes, AskError> {
    match answer.status().as_u16() {
        200..=299 => Ok(answer.body()),
        404 => Err(AskError::NotKnown),
        429 => Err(AskError::Throttled),
        status @ (401..=403) => Err(AskError::Refused(format!("its answer is {status}"))),
        // Whatever else it does not take is the parcel's fault, not an outage.
        400 | 405..=407 | 409..=499 => {
            Err(AskError::Missing("the carrier does not take its number or its courier"))
        }
        status => Err(AskError::Failed(format!("its status is {status}"))),
    }
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

#[cfg(test)]
mod tests;
