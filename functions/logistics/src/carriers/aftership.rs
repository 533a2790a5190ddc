//! AfterShip: its trackings, which follow parcels of many carriers.
//!
//! | of the secret | what it is |
//! |---|---|
//! | `webhook_secrets` | the webhook secret, both while it is changed |
//! | `api_keys` | the API key; without one, nothing is subscribed to or asked |
//! | `account.api_url` | nothing, or another address or edition of the API |
//!
//! **Signature.** The header `aftership-hmac-sha256` is the HMAC-SHA256 of the
//! body in base 64
//! (<https://www.aftership.com/docs/tracking/webhook/webhook-signature>). It has
//! no time in it, so an old call can be sent again; but what is known is not
//! written twice, and nothing that is old takes anything back.
//!
//! **Body.** Its `msg` is a tracking, whatever the `event`: a step
//! (`tracking_update`), another estimate (`edd_revise`), a long silence. The
//! list of `checkpoints` is cumulative. The tag of the tracking itself is not a
//! scan: it has no time, and follows from the list. A checkpoint has a tag and
//! a sub-tag, which is more exact. Its time is written as the carrier does: it
//! may lack a zone; then it is taken for UTC, and marked. The names of fields
//! are those of the editions since 2023-10; where these differ, both are read.
//!
//! **Calls** (edition 2026-07, header `as-api-key`). `POST /trackings` has
//! AfterShip follow a number; that it does so already is an error of the code
//! 4003, and as good. `GET /trackings?tracking_numbers=` answers with a list,
//! the latest first; without a beginning this list goes back 30 days only.
//! `AfterShip` finds out the courier if it is not told.

use aftercart::{
    model::{
        shipment::{Carrier, Parcel, Tracking, TrackingNumber},
        signature::{SignatureError, any_matches},
        text::Text,
        time::{Period, Timestamp},
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use bytes::Bytes;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Adapter, AskError, Gathered, Malformed, Part, Reading, Scan, Signed, answered_json, api_key,
    api_url, at_path, call, expected, form, good, json, moment, place, secrets,
};
use crate::wire::Acknowledged;

const SIGNATURE: &str = "aftership-hmac-sha256";

/// Where the API is, with its edition.
const API: &str = "https://api.aftership.com/tracking/2026-07";

/// The zone of times that have none.
const ZONE: &str = "Z";

/// How long before its label a parcel may have been known to AfterShip, if
/// somebody else told it of the number.
const SLACK: Period = Period::of_days(7);

/// The code of the answer that a number is followed already
/// (<https://www.aftership.com/docs/tracking/quickstart/request-errors>).
const EXISTS: u32 = 4003;

/// A tracking, in bodies and in answers.
#[derive(Deserialize)]
struct Followed {
    tracking_number: String,
    #[serde(default)]
    updated_at: Part<String>,
    #[serde(default)]
    latest_estimated_delivery: Part<Estimated>,
    #[serde(default)]
    courier_estimated_delivery_date: Part<Estimated>,
    #[serde(default)]
    checkpoints: Option<Vec<Part<Checkpoint>>>,
}

#[derive(Deserialize)]
struct Estimated {
    #[serde(default)]
    datetime: Option<String>,
    #[serde(default)]
    estimated_delivery_date: Option<String>,
}

#[derive(Deserialize)]
struct Checkpoint {
    #[serde(default)]
    checkpoint_time: Option<String>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    subtag: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    country_region_name: Option<String>,
    #[serde(default)]
    country_name: Option<String>,
}

/// The envelope of an answer.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Found {
    trackings: Vec<Followed>,
}

/// The envelope of an error.
#[derive(Deserialize)]
struct Refusal {
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    code: u32,
}

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct AfterShip;

impl Adapter for AfterShip {
    fn verify(&self, call: &Signed<'_>) -> Result<(), SignatureError> {
        let offered = (call.header)(SIGNATURE).ok_or(SignatureError::MissingHeader(SIGNATURE))?;
        let offered = BASE64
            .decode(offered.trim().as_bytes())
            .map_err(|_| SignatureError::MalformedHeader(SIGNATURE))?;
        let secrets = secrets(call.credentials);
        if secrets.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        let keys: Vec<Vec<u8>> = secrets.iter().map(|key| key.as_bytes().to_vec()).collect();
        let holds = any_matches(&keys, &[call.body], &[offered]);
        holds.then_some(()).ok_or(SignatureError::Mismatch)
    }

    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed> {
        let mut event: Map<String, Value> = json(body)?;
        let message = event.remove("msg").unwrap_or_default();
        if message.is_null() {
            return Ok(Reading::ignored("the event is not about a tracking"));
        }
        let followed = serde_path_to_error::deserialize(message).map_err(|error| {
            let Malformed { field, detail } = at_path(error);
            Malformed::at(format!("msg.{field}"), detail)
        })?;
        Ok(told(&followed, now))
    }

    /// Any 2xx will do.
    fn acknowledge(&self, _call: &Signed<'_>) -> Result<Response, Failure> {
        Response::json(200, &Acknowledged {})
    }

    fn subscribe(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _callback: &str,
    ) -> Result<Option<http::Request<Bytes>>, AskError> {
        let mut tracking = Map::new();
        tracking.insert("tracking_number".to_owned(), parcel.tracking.number.as_str().into());
        if let Some(courier) = &parcel.courier {
            tracking.insert("slug".to_owned(), courier.as_str().into());
        }
        let request = http::Request::post(format!("{}/trackings", api_url(credentials, API)))
            .header("as-api-key", api_key(credentials)?)
            .header("content-type", "application/json");
        call(request, Value::Object(tracking).to_string()).map(Some)
    }

    fn subscribed(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        let refusal = || json::<Refusal>(answer.body()).ok();
        if answer.status() == 400 && refusal().is_some_and(|it| it.meta.code == EXISTS) {
            return Ok(Reading::ignored("the number is followed already"));
        }
        let Answer { data } = answered_json(good(answer)?)?;
        Ok(told(&data, now))
    }

    fn ask(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _now: Timestamp,
    ) -> Result<http::Request<Bytes>, AskError> {
        let since = parcel.labelled_at.minus(SLACK).to_string();
        let mut fields = vec![
            ("tracking_numbers", parcel.tracking.number.as_str()),
            ("created_at_min", since.as_str()),
            ("limit", "1"),
        ];
        fields.extend(parcel.courier.as_ref().map(|courier| ("slug", courier.as_str())));
        let url = format!("{}/trackings?{}", api_url(credentials, API), form(fields));
        call(http::Request::get(url).header("as-api-key", api_key(credentials)?), Bytes::new())
    }

    fn answered(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        let Answer { data: Found { trackings } } = answered_json(good(answer)?)?;
        Ok(told(trackings.first().ok_or(AskError::NotKnown)?, now))
    }
}

fn told(followed: &Followed, now: Timestamp) -> Reading {
    let Ok(number) = TrackingNumber::parse(&followed.tracking_number) else {
        return Reading::ignored("no label here can have this number");
    };
    let at = |text: &Option<String>| moment(text.as_deref()?, ZONE);
    let told_at = at(&followed.updated_at.0).map(|it| it.at);
    let mut gathered = Gathered::new(Carrier::Aftership, told_at, now);
    for Part(checkpoint) in followed.checkpoints.iter().flatten() {
        let Some(checkpoint) = checkpoint else {
            gathered.odd();
            continue;
        };
        let tag = checkpoint.tag.as_deref().unwrap_or_default();
        gathered.add(Scan {
            moment: at(&checkpoint.checkpoint_time),
            code: (tag, checkpoint.subtag.as_deref().filter(|subtag| !subtag.is_empty())),
            name: None,
            place: where_it_was(checkpoint),
        });
    }
    let eta = [&followed.latest_estimated_delivery, &followed.courier_estimated_delivery_date]
        .into_iter()
        .filter_map(|it| it.0.as_ref())
        .flat_map(|it| [&it.datetime, &it.estimated_delivery_date])
        .find_map(|text| expected(text.as_deref()?, ZONE));
    let tracking = Tracking { carrier: Carrier::Aftership, number };
    gathered.told_with_its_scans().reading(&tracking, eta)
}

/// The city with what is around it, or what the carrier calls the place.
fn where_it_was(it: &Checkpoint) -> Option<Text<80>> {
    let country = it.country_region_name.as_deref().or(it.country_name.as_deref());
    let city = it.city.as_deref();
    let named = place(&[it.location.as_deref()]);
    match place(&[city]) {
        None if named.is_some() => named,
        _ => place(&[city, it.state.as_deref(), country]),
    }
}

#[cfg(test)]
mod tests;
