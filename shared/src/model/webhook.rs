//! Messages to systems of the merchant: to whom, of what, and how they went.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use http::{Uri, uri::Scheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    id::{OrderId, WebhookId},
    policy::PolicyError,
    shipment::{ParcelStatus, Reason},
    text::{Text, is_plain, names},
    time::{Period, Timestamp},
};

/// The most endpoints. Each costs a write and a call for each message that it
/// wants, and a query a minute.
pub const MAX_ENDPOINTS: usize = 10;

/// For how long a delivery is kept that was taken, or still waits when nobody
/// sends it any more because its endpoint was switched off: 30 days.
pub const KEPT: Period = Period::of_days(30);

/// For how long a delivery is kept that was given up: 90 days, so that what was
/// missed in a long absence can be sent again.
pub const KEPT_DEAD: Period = Period::of_days(90);

names! {
    /// The name of an endpoint, in the policy, the secret and the API: 1 to 40
    /// of `a-z 0-9 -`.
    EndpointId(40, is_plain);
    /// Why a text is no name of an endpoint.
    EndpointIdError = "must be the name of an endpoint: 1 to 40 of a-z, 0-9 and hyphens";
}

/// What is told of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum EventKind {
    /// An order was paid.
    #[serde(rename = "order.paid")]
    OrderPaid,
    /// A paid order was called off, or units of it.
    #[serde(rename = "order.cancelled")]
    OrderCancelled,
    /// Money of an order goes back by an operator's decision.
    #[serde(rename = "order.refunded")]
    OrderRefunded,
    /// A shipment is to be packed.
    #[serde(rename = "shipment.opened")]
    ShipmentOpened,
    /// A shipment is not to be packed after all, or waits.
    #[serde(rename = "shipment.stopped")]
    ShipmentStopped,
    /// A parcel has another status, reason, time of arrival or delivery.
    #[serde(rename = "parcel.updated")]
    ParcelUpdated,
    /// A parcel is with its buyer.
    #[serde(rename = "parcel.delivered")]
    ParcelDelivered,
    /// Something is wrong with a delivery.
    #[serde(rename = "alert.raised")]
    AlertRaised,
    /// A buyer said what is to be done about that.
    #[serde(rename = "alert.wish")]
    AlertWish,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::OrderPaid,
        Self::OrderCancelled,
        Self::OrderRefunded,
        Self::ShipmentOpened,
        Self::ShipmentStopped,
        Self::ParcelUpdated,
        Self::ParcelDelivered,
        Self::AlertRaised,
        Self::AlertWish,
    ];

    /// The name in the policy and in `type` of the message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderPaid => "order.paid",
            Self::OrderCancelled => "order.cancelled",
            Self::OrderRefunded => "order.refunded",
            Self::ShipmentOpened => "shipment.opened",
            Self::ShipmentStopped => "shipment.stopped",
            Self::ParcelUpdated => "parcel.updated",
            Self::ParcelDelivered => "parcel.delivered",
            Self::AlertRaised => "alert.raised",
            Self::AlertWish => "alert.wish",
        }
    }
}

/// To whom what is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksPolicy {
    /// The systems of the merchant, at most 10.
    pub endpoints: Vec<Endpoint>,
}

/// A system of the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name; its secrets are under this name in the secret of webhooks.
    pub id: EndpointId,
    /// Where it is: `https` and a name or address on the Internet. While the
    /// suite runs on a developer's machine `http://127.0.0.1` and a port, too.
    pub url: Text<500>,
    /// What it wants to be told.
    pub events: BTreeSet<EventKind>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<200>>,
    /// Whether it is told. What came up before waits, and goes on when it is
    /// switched on again.
    #[serde(default = "on")]
    pub enabled: bool,
}

fn on() -> bool {
    true
}

impl Endpoint {
    /// Whether it is to be told of something of this kind.
    #[must_use]
    pub fn wants(&self, kind: EventKind) -> bool {
        self.enabled && self.events.contains(&kind)
    }
}

impl WebhooksPolicy {
    /// The endpoint of a name, if it is switched on.
    #[must_use]
    pub fn enabled(&self, id: &EndpointId) -> Option<&Endpoint> {
        self.endpoints.iter().find(|it| it.id == *id && it.enabled)
    }

    /// Whether any endpoint is to be told of something of this kind.
    #[must_use]
    pub fn wants(&self, kind: EventKind) -> bool {
        self.endpoints.iter().any(|it| it.wants(kind))
    }

    /// Whether it makes sense, beyond its form.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let wrong = |path: String, reason: &str| {
            Err(PolicyError::Malformed { path, reason: reason.to_owned() })
        };
        if self.endpoints.len() > MAX_ENDPOINTS {
            return wrong("webhooks.endpoints".to_owned(), "must be at most 10");
        }
        let mut known = BTreeSet::new();
        for (i, endpoint) in self.endpoints.iter().enumerate() {
            let at = |field: &str| format!("webhooks.endpoints[{i}].{field}");
            if !known.insert(&endpoint.id) {
                return wrong(at("id"), "must be the endpoint's alone");
            }
            if endpoint.events.is_empty() {
                return wrong(at("events"), "must have at least one");
            }
            if let Err(reason) = Place::parse(endpoint.url.as_str()) {
                return wrong(at("url"), reason);
            }
        }
        Ok(())
    }
}

/// What kind of place a URL leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Somewhere on the Internet, as far as its text tells: the addresses that
    /// a name stands for are looked at when it is called.
    Internet,
    /// This machine, by `http://127.0.0.1` and a port: good for development only.
    Loopback,
}

/// Names that lead nowhere on the Internet (RFC 6761, RFC 6762, RFC 8375), and
/// what clouds call their own machines.
const PRIVATE_NAMES: [&str; 8] =
    ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "test"];

impl Place {
    /// The place of a URL that messages may go to.
    ///
    /// # Errors
    /// What is wrong with it: another scheme than `https`, a user, a password
    /// or a fragment, an address of a private network in whatever notation, or
    /// a name that is not one of the Internet's.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "must be a URL")?;
        let authority = uri.authority().ok_or("must be a URL with a host")?.as_str();
        if authority.contains('@') || url.contains('#') || url.contains('\\') {
            return Err("must have no user, password or fragment");
        }
        let host = uri.host().unwrap_or_default();
        // `host:` and `host:99999` parse, and are no port.
        let colon = authority.len() > host.len();
        if colon && uri.port_u16().is_none_or(|port| port == 0) {
            return Err("must have a port of 1 to 65535, or none");
        }
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => on_the_internet(host),
            Some(scheme) if *scheme == Scheme::HTTP && host == "127.0.0.1" && colon => {
                Ok(Self::Loopback)
            }
            _ => Err("must begin with https://"),
        }
    }
}

fn on_the_internet(host: &str) -> Result<Place, &'static str> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let why = "must not be an address of a private or reserved network";
        return is_public(address).then_some(Place::Internet).ok_or(why);
    }
    let name = host.to_ascii_lowercase();
    let labels: Vec<&str> = name.split('.').collect();
    let fits = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A name whose last part begins with a digit is an address in another
    // notation (`127.1`, `0x7f.1`, `2130706433`): no domain of the Internet is.
    let last = labels.last().copied().unwrap_or_default();
    let domain = labels.len() >= 2 && last.starts_with(|c: char| c.is_ascii_lowercase());
    if !labels.iter().all(fits) || !domain || PRIVATE_NAMES.contains(&last) {
        return Err("must have the full name of a host on the Internet");
    }
    Ok(Place::Internet)
}

/// Whether an address is one of the Internet's: none of a private, local,
/// shared, reserved or documentation network, after the registries of
/// special-purpose addresses (RFC 6890 and its updates), nor one that carries
/// such an IPv4 address inside.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // NAT64 reaches the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Of the global unicast addresses not those of protocols (Teredo and
        // others), of documentation, and 6to4, which carries an IPv4 address.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

/// One message to one endpoint: the same bytes under the same identity,
/// however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Derived from what it tells of and to whom.
    pub id: WebhookId,
    /// To whom.
    pub endpoint: EndpointId,
    /// What it tells of.
    pub kind: EventKind,
    /// The order that it is about.
    pub order: OrderId,
    /// The body, as it was first written.
    pub body: String,
    /// Since when it is to be sent.
    pub at: Timestamp,
    /// How often it was tried in vain.
    pub tries: u32,
    /// How the last try went, unless it was taken.
    pub last: Option<Text<80>>,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is tried at this moment, or later.
    Waiting(Timestamp),
    /// It was taken.
    Done(Timestamp),
    /// It was given up.
    Dead(Timestamp),
}

/// The states of deliveries, as operators ask for them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It will be tried.
    Waiting,
    /// It was taken.
    Done,
    /// It was given up.
    Dead,
}

impl DeliveryStatus {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Dead];

    /// The name that operators see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl DeliveryState {
    /// Its name.
    #[must_use]
    pub fn status(self) -> DeliveryStatus {
        match self {
            Self::Waiting(_) => DeliveryStatus::Waiting,
            Self::Done(_) => DeliveryStatus::Done,
            Self::Dead(_) => DeliveryStatus::Dead,
        }
    }

    /// When it will be tried, was taken, or was given up.
    #[must_use]
    pub fn at(self) -> Timestamp {
        match self {
            Self::Waiting(at) | Self::Done(at) | Self::Dead(at) => at,
        }
    }
}

/// How the calls of an endpoint went of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// How often this was written.
    pub version: u64,
    /// How many calls failed one after the other.
    pub failures: u32,
    /// Until when it is left alone. After that one call tells whether it answers.
    pub open_until: Option<Timestamp>,
}

/// What of a parcel systems of the merchant are told, and what is not told
/// again as long as it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParcelState {
    /// Where it is.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    pub reason: Option<Reason>,
    /// When the carrier expects to deliver.
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
}

/// What was last told of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How often something was told, from 1.
    pub sequence: u32,
    /// What.
    pub state: ParcelState,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(endpoints: serde_json::Value) -> Result<(), String> {
        let value = serde_json::json!({ "endpoints": endpoints });
        let policy: WebhooksPolicy =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        policy.check().map_err(|error| error.to_string())
    }

    fn endpoint(id: &str, url: &str) -> serde_json::Value {
        serde_json::json!({ "id": id, "url": url, "events": ["order.paid"] })
    }

    #[test]
    fn a_policy_is_checked_and_the_field_is_named() {
        let url = "https://erp.example.com/hooks?from=aftercart";
        let whole = serde_json::json!({
            "id": "erp", "url": url, "description": "The ERP", "enabled": false,
            "events": EventKind::ALL.map(EventKind::as_str),
        });
        let many = |count: usize| (0..count).map(|n| endpoint(&format!("e{n}"), url)).collect();
        let with = |member: &str, value: serde_json::Value| {
            let mut endpoint = endpoint("erp", url);
            endpoint[member] = value;
            serde_json::json!([endpoint])
        };
        for good in [serde_json::json!([]), serde_json::json!([whole]), many(MAX_ENDPOINTS)] {
            assert_eq!(policy(good.clone()), Ok(()), "{good}");
        }
        for (bad, named) in [
            (many(MAX_ENDPOINTS + 1), "webhooks.endpoints"),
            (serde_json::json!([endpoint("a", url), endpoint("a", url)]), "endpoints[1].id"),
            (serde_json::json!([endpoint("a", url), endpoint("b", "x")]), "endpoints[1].url"),
            (with("id", "ERP".into()), "name of an endpoint"),
            (with("id", "a.b".into()), "name of an endpoint"),
            (with("events", serde_json::json!([])), "endpoints[0].events"),
            (with("events", serde_json::json!(["order.eaten"])), "order.eaten"),
            (with("colour", "red".into()), "colour"),
            (with("description", "x".repeat(201).into()), "200"),
            (with("url", format!("https://a.example/{}", "x".repeat(500)).into()), "500"),
        ] {
            let error = policy(bad.clone()).unwrap_err();
            assert!(error.contains(named), "{bad}: {error}");
        }
    }

    #[test]
    fn messages_go_to_the_internet_only() {
        for good in [
            "https://example.com",
            "https://hooks.example.com:8443/a/b?c=d",
            "https://xn--fiqs8s.example",
            "https://93.184.215.14/hooks",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/hooks",
            "https://[64:ff9b::5db8:d70e]/",
        ] {
            assert_eq!(Place::parse(good), Ok(Place::Internet), "{good}");
        }
        for bad in [
            "",
            "example.com/hooks",
            "/hooks",
            "ftp://example.com",
            "http://example.com",
            "http://localhost:8080",
            "http://127.0.0.2:8080",
            "http://127.0.0.1/",
            "https://ada:secret@example.com/",
            "https://example.com@127.0.0.1/",
            "https://example.com/#part",
            "https://example.com\\@127.0.0.1/",
            "https://example.com:0/",
            "https://example.com:/",
            "https://example.com:99999/",
            "https://example",
            "https://localhost/",
            "https://LOCALHOST/",
            "https://printer.local/",
            "https://vault.internal/",
            "https://example.com./",
            "https://exa_mple.com/",
            "https://-example.com/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://2130706433/",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/",
            "https://100.64.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://0.0.0.0/",
            "https://255.255.255.255/",
            "https://224.0.0.1/",
            "https://198.18.0.1/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001::1]/",
            "https://[2001:db8::1]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://[ff02::1]/",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Place::parse("http://127.0.0.1:9999/hooks"), Ok(Place::Loopback));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_check_panic(url in "\\PC{0,60}", host in "[a-z0-9.:@\\[\\]-]{0,30}") {
            let (any, hosted) = (Place::parse(&url), Place::parse(&format!("https://{host}/")));
            prop_assert!(any != Ok(Place::Loopback) || url.contains("127.0.0.1"));
            prop_assert!(hosted != Ok(Place::Loopback));
        }

        /// What Rust itself calls private, loopback or link-local is never public.
        #[test]
        fn private_networks_are_not_public(bits: u32, tail: u128) {
            let four = Ipv4Addr::from(bits);
            if four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast()
                || four.is_broadcast() || four.is_documentation() || four.is_unspecified() {
                prop_assert!(!is_public(four.into()));
            }
            prop_assert!(!is_public(four.to_ipv6_mapped().into()));
            let six = Ipv6Addr::from(tail);
            if six.is_loopback() || six.is_unicast_link_local() || six.is_unique_local()
                || six.is_multicast() || six.is_unspecified() {
                prop_assert!(!is_public(six.into()));
            }
        }
    }
}
