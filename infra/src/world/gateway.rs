//! The HTTP API: requests as API Gateway hands them to functions.

mod serve;

pub use serve::Gateway;

use std::collections::BTreeMap;

use aftercart::{
    model::time::{Clock as _, Timestamp},
    run::{Access, Function, Route, Trigger, http::OPERATOR_SCOPE},
};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::signing::Callback;

use super::{World, WorldError};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A member, by the subject of the token.
    Member(String),
    /// The merchant's system, whose token has the operators' scope.
    Operator,
    /// Somebody without a token.
    Anybody,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    method: &'static str,
    path: String,
    caller: Caller,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers; names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Ask {
    /// A `GET` of a path, which may have a query.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path.into(), Vec::new())
    }

    /// A `POST` of JSON.
    #[must_use]
    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::new("POST", path.into(), body.to_string().into_bytes())
    }

    /// A `PUT` of JSON.
    #[must_use]
    pub fn put(path: impl Into<String>, body: &Value) -> Self {
        Self::new("PUT", path.into(), body.to_string().into_bytes())
    }

    /// A `DELETE` of a path.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path.into(), Vec::new())
    }

    /// A signed call of a provider or a carrier.
    #[must_use]
    pub fn callback(callback: &Callback) -> Self {
        let ask = Self::new("POST", callback.path.to_owned(), callback.body.clone().into_bytes());
        let headers = callback.headers.iter();
        headers.fold(ask, |ask, (name, value)| ask.with(name, value.clone()))
    }

    fn new(method: &'static str, path: String, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method, path, caller: Caller::Anybody, headers, body }
    }

    /// As this caller.
    #[must_use]
    pub fn by(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// As the member of this subject.
    #[must_use]
    pub fn by_member(self, subject: &str) -> Self {
        self.by(Caller::Member(subject.to_owned()))
    }

    /// With a header, in place of one of this name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With an `Idempotency-Key`.
    #[must_use]
    pub fn keyed(self, key: &str) -> Self {
        self.with("idempotency-key", key)
    }

    /// With these bytes as its body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn path_and_query(&self) -> (&str, &str) {
        self.path.split_once('?').unwrap_or((&self.path, ""))
    }

    /// The event of API Gateway, payload format 2.0.
    fn event(&self, route: &Route, now: Timestamp) -> Value {
        let (path, raw_query) = self.path_and_query();
        let parameters = parameters(route.path, path).unwrap_or_default();
        let query: BTreeMap<_, _> = form_urlencoded::parse(raw_query.as_bytes()).collect();
        let headers: BTreeMap<&str, &str> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (body, encoded) = match std::str::from_utf8(&self.body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (BASE64.encode(&self.body), true),
        };
        let key = format!("{} {}", route.method, route.path);
        let mut event = json!({
            "version": "2.0",
            "routeKey": key,
            "rawPath": path,
            "rawQueryString": raw_query,
            "headers": headers,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "api",
                "domainName": "api.shop.example",
                "http": {
                    "method": route.method, "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                },
                "requestId": "request",
                "routeKey": key,
                "stage": "$default",
                "timeEpoch": now.unix_millis(),
            },
            "pathParameters": parameters,
            "queryStringParameters": query,
            "isBase64Encoded": encoded,
        });
        if !self.body.is_empty() {
            event["body"] = body.into();
        }
        if let Some(claims) = self.caller.claims().filter(|_| route.access != Access::Open) {
            event["requestContext"]["authorizer"] =
                json!({ "jwt": { "claims": claims, "scopes": null } });
        }
        event
    }
}

impl Caller {
    fn claims(&self) -> Option<Value> {
        match self {
            Self::Member(subject) => Some(json!({ "sub": subject, "scope": "openid" })),
            Self::Operator => Some(json!({ "sub": "system", "scope": OPERATOR_SCOPE })),
            Self::Anybody => None,
        }
    }

    /// The gateway's own refusal, before any function is called.
    fn refused(&self, access: Access) -> Option<Reply> {
        match (access, self) {
            (Access::Open, _) | (Access::Shopper, Self::Member(_)) | (_, Self::Operator) => None,
            (_, Self::Anybody) => Some(Reply::gateway(401, "Unauthorized")),
            (Access::Operator, Self::Member(_)) => Some(Reply::gateway(403, "Forbidden")),
        }
    }
}

impl Reply {
    /// The body as JSON, null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A text of the JSON body, by pointer; empty when there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        let json = self.json();
        json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The last part of a problem's `type`, such as `out-of-stock`.
    #[must_use]
    pub fn problem(&self) -> String {
        self.text("/type").trim_start_matches("urn:aftercart:problem:").to_owned()
    }

    fn gateway(status: u16, message: &str) -> Self {
        let body = json!({ "message": message }).to_string();
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers: headers.into(), body }
    }

    /// Reads the answer of a function.
    #[must_use]
    pub fn of(answer: &Value) -> Self {
        let headers = answer["headers"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            status: answer["statusCode"].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(0),
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            body: text(&answer["body"]),
        }
    }
}

/// The values of a route's parameters in a path, if the route fits it.
fn parameters(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    if route.len() != path.len() {
        return None;
    }
    let mut found = BTreeMap::new();
    for (part, value) in route.into_iter().zip(path) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !value.is_empty() => {
                found.insert(name.to_owned(), value.to_owned());
            }
            None if part == value => {}
            _ => return None,
        }
    }
    Some(found)
}

impl World {
    /// Sends a request through the gateway: it finds the route, wants a token
    /// where the route wants one, and calls the function. When its process dies,
    /// the answer is the gateway's 500.
    ///
    /// # Errors
    /// [`WorldError`] when the function failed as a whole, which no entry for
    /// requests does.
    pub async fn ask(&self, ask: &Ask) -> Result<Reply, WorldError> {
        let Some((function, route)) = self.route(ask) else {
            return Ok(Reply::gateway(404, "Not Found"));
        };
        if let Some(refused) = ask.caller.refused(route.access) {
            return Ok(refused);
        }
        let event = ask.event(&route, self.clock().now());
        match self.invoke(function.name, &event).await {
            Err(WorldError::Died(_)) => Ok(Reply::gateway(500, "Internal Server Error")),
            answer => Ok(Reply::of(&answer?)),
        }
    }

    /// The event of a request, as its function would get it, and the name of
    /// the function.
    #[must_use]
    pub fn event_of(&self, ask: &Ask) -> Option<(&'static str, Value)> {
        let (function, route) = self.route(ask)?;
        Some((function.name, ask.event(&route, self.clock().now())))
    }

    /// The function and route of a request: routes without parameters first,
    /// as the gateway prefers them.
    fn route(&self, ask: &Ask) -> Option<(Function, Route)> {
        let (path, _) = ask.path_and_query();
        let mut fitting: Vec<(Function, Route)> = Vec::new();
        for function in self.functions() {
            let Trigger::Http(routes) = function.trigger else { continue };
            let fits = |route: &&Route| {
                route.method == ask.method && parameters(route.path, path).is_some()
            };
            fitting.extend(routes.iter().filter(fits).map(|route| (*function, *route)));
        }
        fitting.into_iter().min_by_key(|(_, route)| route.path.matches('{').count())
    }
}
