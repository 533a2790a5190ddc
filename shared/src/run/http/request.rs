//! A request, read from the event of an HTTP API.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    model::{
        customer::{CustomerId, Language},
        id::OrderId,
        text::{Text, is_key},
        time::Timestamp,
    },
    run::{App, Failure, Invocation, links::LinkError},
    store::PageToken,
};

use super::{IDEMPOTENCY_KEY, OPERATOR_SCOPE, ORDER_TOKEN, Problem};

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    route: String,
    path: String,
    headers: HashMap<String, String>,
    parameters: HashMap<String, String>,
    query: HashMap<String, String>,
    body: Vec<u8>,
    claims: Option<Claims>,
    source_ip: Option<String>,
    method: Option<String>,
    domain: Option<String>,
    trace: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Claims {
    #[serde(default)]
    claims: HashMap<String, String>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    route_key: String,
    #[serde(default)]
    raw_path: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    path_parameters: Option<HashMap<String, String>>,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    #[serde(default)]
    request_context: Context,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    authorizer: Option<Authorizer>,
    #[serde(default)]
    domain_name: Option<String>,
    #[serde(default)]
    http: Option<Caller>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller {
    #[serde(default)]
    source_ip: Option<String>,
    #[serde(default)]
    method: Option<String>,
}

#[derive(Deserialize)]
struct Authorizer {
    #[serde(default)]
    jwt: Option<Claims>,
}

/// The caller's key of a call: 16 to 128 printable ASCII characters. What it
/// is for is derived from it, so a guest's key must be hard to guess; a random
/// UUID is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many things there are on a page of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// Unless the call says otherwise.
    pub default: u16,
    /// At most.
    pub most: u16,
}

/// Who asks for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// The member, or the guest of the pass.
    pub customer: CustomerId,
    /// The order asked for.
    pub order: OrderId,
}

impl Request {
    pub(super) fn parse(call: &Invocation, body_max: usize) -> Result<Self, Failure> {
        let event: Event = serde_json::from_str(call.payload.get()).map_err(Failure::bug)?;
        let text = event.body.unwrap_or_default();
        // Four characters of base 64 carry three bytes.
        let bytes_least = if event.is_base64_encoded { text.len() / 4 * 3 } else { text.len() };
        if bytes_least > body_max.saturating_add(3) {
            return Err(Problem::too_large(body_max).into());
        }
        let body = if event.is_base64_encoded {
            BASE64.decode(text.as_bytes()).map_err(Failure::bug)?
        } else {
            text.into_bytes()
        };
        if body.len() > body_max {
            return Err(Problem::too_large(body_max).into());
        }
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        let caller = event.request_context.http;
        let (source_ip, method) = caller.map(|it| (it.source_ip, it.method)).unwrap_or_default();
        Ok(Self {
            route: event.route_key,
            path: event.raw_path,
            headers: event.headers.into_iter().map(lower).collect(),
            parameters: event.path_parameters.unwrap_or_default(),
            query: event.query_string_parameters.unwrap_or_default(),
            body,
            claims: event.request_context.authorizer.and_then(|authorizer| authorizer.jwt),
            domain: event.request_context.domain_name,
            source_ip,
            method,
            trace: call.trace.clone(),
        })
    }

    /// The route, such as `GET /orders/{id}`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The method. `cargo lambda watch` names no route; there the gateway tells.
    #[must_use]
    pub fn method(&self) -> &str {
        match self.route.split_once(' ') {
            Some((method, _)) => method,
            None => self.method.as_deref().unwrap_or_default(),
        }
    }

    /// The path as it was called, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The address on the Internet that the request came from, as the gateway saw it.
    #[must_use]
    pub fn source_ip(&self) -> Option<&str> {
        self.source_ip.as_deref().filter(|ip| !ip.is_empty())
    }

    /// Where this API is reached: the name of the gateway's that was called, not
    /// a header of the caller's.
    ///
    /// # Errors
    /// A bug when the gateway does not say.
    pub fn origin(&self) -> Result<String, Failure> {
        let name = self.domain.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::bug("the gateway does not say where it is"))?;
        Ok(format!("https://{name}"))
    }

    /// The trace that the request belongs to.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// A header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A member of the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The language of a page: the one asked for (`?lang=zh`), else that of
    /// whom it is for, else the first of the browser's that the shop has.
    #[must_use]
    pub fn language(&self, of_reader: Option<Language>) -> Language {
        let browser = self.header("accept-language").unwrap_or_default();
        chosen(self.query("lang"), of_reader, browser)
    }

    /// Refuses members of the query that the route does not know.
    ///
    /// # Errors
    /// [`Problem::invalid`] names the first of them.
    pub fn only_query(&self, known: &[&str]) -> Result<(), Problem> {
        let mut names: Vec<&String> = self.query.keys().collect();
        names.sort_unstable();
        match names.into_iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let detail = format!("The query has no `{name}`; it knows: {}.", known.join(", "));
                Err(Problem::invalid(name, detail))
            }
        }
    }

    /// Where a page of a listing begins and how much there is on it: the
    /// members `cursor`, which `cursor` reads, and `limit` of the query.
    ///
    /// # Errors
    /// [`Problem::invalid`] names the member.
    pub fn page(
        &self,
        cursor: impl FnOnce(&str) -> Option<PageToken>,
        limits: PageLimits,
    ) -> Result<(Option<PageToken>, u16), Problem> {
        self.filtered_page(&[], cursor, limits)
    }

    /// [`Self::page`] of a listing whose query has other members, too.
    ///
    /// # Errors
    /// [`Problem::invalid`] names the member.
    pub fn filtered_page(
        &self,
        filters: &[&str],
        cursor: impl FnOnce(&str) -> Option<PageToken>,
        limits: PageLimits,
    ) -> Result<(Option<PageToken>, u16), Problem> {
        self.only_query(&[filters, &["cursor", "limit"]].concat())?;
        let from = self.query("cursor").map(|text| {
            let detail =
                "The cursor is not one that this listing gave; leave it out to start over.";
            cursor(text).ok_or_else(|| Problem::invalid("cursor", detail))
        });
        let limit = self.query("limit").map_or(Ok(limits.default), |text| {
            let fits = text.parse().ok().filter(|n| (1..=limits.most).contains(n));
            let detail = format!("The limit must be 1 to {}.", limits.most);
            fits.ok_or_else(|| Problem::invalid("limit", detail))
        });
        Ok((from.transpose()?, limit?))
    }

    /// A part of the path that names a thing. What is not a name of such a
    /// thing names nothing: 404.
    ///
    /// # Errors
    /// [`Problem::not_found`].
    pub fn named<T, E>(
        &self,
        parameter: &str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Problem> {
        let text = self.parameters.get(parameter).map(|text| decoded(text)).unwrap_or_default();
        parse(&text).map_err(|_| Problem::not_found(what))
    }

    /// The JSON body. Unknown fields are refused where the type refuses them.
    ///
    /// # Errors
    /// [`Problem::invalid`] names the field and what is wrong with it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let text = std::str::from_utf8(&self.body).map_err(|error| {
            let detail = format!("The body is not UTF-8: see byte {}.", error.valid_up_to());
            Problem::new(400, "invalid-encoding", "The body is not UTF-8", detail)
        })?;
        if text.trim().is_empty() {
            return Err(Problem::invalid("body", "The body is empty; send a JSON object."));
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            if path == "." {
                return Problem::invalid("body", format!("The body is not valid: {error}."));
            }
            let detail = format!("{path}: {}.", without_place(&error));
            Problem::invalid(path, detail)
        })?;
        json.end().map_err(|error| Problem::invalid("body", format!("{error}.")))?;
        Ok(value)
    }

    /// The caller's key of this call.
    ///
    /// # Errors
    /// [`Problem::invalid`] when it is missing or has not its form.
    pub fn idempotency_key(&self) -> Result<IdempotencyKey, Problem> {
        let problem = |detail| Err(Problem::invalid("Idempotency-Key", detail));
        let Some(key) = self.header(IDEMPOTENCY_KEY) else {
            return problem(
                "The header Idempotency-Key is missing. Send a new random key, such as a UUID, \
                 with each new order, and the same key when you repeat the call.",
            );
        };
        if !is_key(key) {
            return problem(
                "The header Idempotency-Key must have 16 to 128 printable ASCII characters \
                 without spaces, such as a UUID.",
            );
        }
        Ok(IdempotencyKey(key.to_owned()))
    }

    /// The member who calls, if a token came with the request.
    #[must_use]
    pub fn maybe_member(&self) -> Option<CustomerId> {
        let subject = self.claims.as_ref()?.claims.get("sub")?;
        CustomerId::member(subject).ok()
    }

    /// The member who calls.
    ///
    /// # Errors
    /// [`Problem::unauthenticated`].
    pub fn member(&self) -> Result<CustomerId, Problem> {
        self.maybe_member().ok_or_else(|| {
            Problem::unauthenticated("Send the member's token: Authorization: Bearer <token>.")
        })
    }

    /// Makes sure that the merchant's own people or systems call.
    ///
    /// # Errors
    /// [`Problem::forbidden`]. API Gateway has checked the scope before; a
    /// route that was deployed without it stays closed all the same.
    pub fn operator(&self) -> Result<(), Problem> {
        let scopes = self.claims.as_ref().map(|token| {
            let written = token.claims.get("scope").map_or("", String::as_str).split(' ');
            let listed = token.scopes.iter().flatten().map(String::as_str);
            listed.chain(written).any(|scope| scope == OPERATOR_SCOPE)
        });
        match scopes {
            Some(true) => Ok(()),
            Some(false) => {
                let detail = format!("This call needs a token with the scope {OPERATOR_SCOPE}.");
                Err(Problem::forbidden(detail))
            }
            None => Err(Problem::unauthenticated("Send an operator's token.")),
        }
    }

    /// Who of the merchant's own people or systems calls: the subject of the token.
    ///
    /// # Errors
    /// As [`Request::operator`]; 401 for a token without a subject.
    pub fn operator_name(&self) -> Result<Text<128>, Problem> {
        self.operator()?;
        let subject = self.claims.as_ref().and_then(|token| token.claims.get("sub"));
        let name = subject.and_then(|subject| Text::new(subject).ok());
        name.ok_or_else(|| Problem::unauthenticated("Send an operator's token with a subject."))
    }

    /// The order in the path of an operator's route, and whose it is there.
    ///
    /// # Errors
    /// [`Problem::not_found`] for what is no order or no buyer.
    pub fn operated(&self) -> Result<Buyer, Problem> {
        let customer = self.named("customer", "order", CustomerId::parse)?;
        Ok(Buyer { customer, order: self.named("id", "order", OrderId::parse)? })
    }

    /// Who asks for the order in the path: the member of the token, or, on the
    /// guests' routes, the guest of the pass, which opens only its own order.
    ///
    /// # Errors
    /// 404 for what is no order or not the pass's, 401 without token or pass.
    pub async fn buyer(&self, app: &App) -> Result<Buyer, Failure> {
        let order = self.named("id", "order", OrderId::parse)?;
        if !self.is_guest() {
            return Ok(Buyer { customer: self.member()?, order });
        }
        let Some(token) = self.header(ORDER_TOKEN) else {
            let detail = "Send the header Order-Token that came with the order.";
            return Err(Problem::unauthenticated(detail).at("Order-Token").into());
        };
        let now: Timestamp = app.now();
        let pass = app.links().await?.open_order_pass(token, now).map_err(|error| {
            let detail = match error {
                LinkError::Expired => "The Order-Token has expired.",
                LinkError::Invalid => "The Order-Token is not valid.",
            };
            Problem::unauthenticated(detail).at("Order-Token")
        })?;
        if pass.order != order {
            return Err(Problem::not_found("order").into());
        }
        Ok(Buyer { customer: pass.customer, order })
    }

    /// Whether this came by the route of this path. `cargo lambda watch` names
    /// no route; there the path tells.
    #[must_use]
    pub fn is_for(&self, path: &str) -> bool {
        if let Some((_, route)) = self.route.split_once(' ') {
            return route == path;
        }
        let (asked, known) = (self.path.split('/'), path.split('/'));
        let fits = |(asked, known): (&str, &str)| asked == known || known.starts_with('{');
        asked.clone().count() == known.clone().count() && asked.zip(known).all(fits)
    }

    /// Whether this came by a guests' route. `cargo lambda watch` names no
    /// route; there the path tells.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.came_by("/guest/")
    }

    /// Whether this came by an operators' route.
    #[must_use]
    pub fn is_operators(&self) -> bool {
        self.came_by("/operator/")
    }

    fn came_by(&self, prefix: &str) -> bool {
        match self.route.split_once(' ') {
            Some((_, path)) => path.starts_with(prefix),
            None => self.path.starts_with(prefix),
        }
    }
}

fn chosen(asked: Option<&str>, of_reader: Option<Language>, browser: &str) -> Language {
    let listed = || browser.split(',').find_map(|tag| Language::of_tag(tag.trim()));
    asked.and_then(Language::of_tag).or(of_reader).or_else(listed).unwrap_or_default()
}

/// What is wrong with a value, without line and column: the field is named.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.is_data() => text.get(..end).unwrap_or(&text).to_owned(),
        _ => text,
    }
}

/// Decodes `%7C` and the like, which API Gateway leaves in parts of paths. What
/// is not decodable stays as it is, and names nothing.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).filter(|_| *first == b'%').and_then(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        rest = match pair {
            Some(byte) => {
                bytes.push(byte);
                tail.get(2..).unwrap_or_default()
            }
            None => {
                bytes.push(*first);
                tail
            }
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn request(event: &serde_json::Value) -> Result<Request, Failure> {
        Request::parse(&Invocation::new(to_raw_value(event).unwrap(), "r"), 10)
    }

    #[test]
    fn parts_of_paths_are_decoded_once() {
        for (text, plain) in
            [("a%7Cb", "a|b"), ("%2541", "%41"), ("%", "%"), ("%zz", "%zz"), ("%ff", "%ff")]
        {
            assert_eq!(decoded(text), plain);
        }
    }

    #[test]
    fn the_language_is_the_one_asked_for_or_the_readers_or_the_browsers() {
        let (en, zh) = (Some(Language::En), Some(Language::Zh));
        assert_eq!(chosen(Some("zh"), en, "en"), Language::Zh);
        assert_eq!(chosen(Some("xx"), zh, "en"), Language::Zh);
        assert_eq!(chosen(None, None, "fr, zh-CN;q=0.9, en;q=0.8"), Language::Zh);
        assert_eq!(chosen(None, None, "fr, en-GB, zh"), Language::En);
        assert_eq!(chosen(None, None, ""), Language::En);
    }

    #[test]
    fn a_route_is_told_by_its_name_or_by_the_path() {
        let known = "/operator/orders/{customer}/{id}/release";
        let path = "/operator/orders/m1/o1/release";
        for (route, path, is) in [
            (format!("POST {known}"), path, true),
            (format!("POST {}", known.replace("release", "hold")), path, false),
            ("$default".to_owned(), path, true),
            ("$default".to_owned(), "/operator/orders/m1/o1/hold", false),
            ("$default".to_owned(), "/operator/orders/m1/o1/release/2", false),
        ] {
            let asked = request(&json!({ "routeKey": route, "rawPath": path })).unwrap();
            assert_eq!(asked.is_for(known), is, "{route} {path}");
        }
    }

    #[test]
    fn a_body_is_bytes_within_its_bound() {
        let plain = request(&json!({ "body": "0123456789" })).unwrap();
        assert_eq!(plain.body(), b"0123456789");
        let encoded = request(&json!({ "body": "AP8=", "isBase64Encoded": true })).unwrap();
        assert_eq!(encoded.body(), [0, 255]);
        for event in [
            json!({ "body": "0123456789a" }),
            json!({ "body": BASE64.encode(&[0; 11]), "isBase64Encoded": true }),
            json!({ "body": "A".repeat(1_000), "isBase64Encoded": true }),
        ] {
            let Err(Failure::Refuse(problem)) = request(&event) else { panic!("{event}") };
            assert_eq!(problem.status(), 413);
        }
    }

    #[test]
    fn errors_of_a_body_name_the_field() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[expect(dead_code, reason = "only its type is looked at")]
            n: Vec<u8>,
        }
        for (body, field) in [
            (r#"{"n":[1,2,-3]}"#, "n[2]"),
            (r#"{"m":1}"#, "m"),
            ("{}", "body"),
            ("", "body"),
            (r#"{"n":[]} x"#, "body"),
            ("[", "body"),
        ] {
            let event = json!({ "body": body });
            let call = Invocation::new(to_raw_value(&event).unwrap(), "r");
            let problem = Request::parse(&call, 100).unwrap().json::<Body>().unwrap_err();
            let answer: serde_json::Value = serde_json::from_str(&problem.respond().body).unwrap();
            assert_eq!(answer["field"], field, "{body}: {answer}");
        }
    }

    #[test]
    fn an_operator_has_the_scope() {
        let jwt = |jwt: serde_json::Value| {
            request(&json!({ "requestContext": { "authorizer": { "jwt": jwt } } })).unwrap()
        };
        assert!(jwt(json!({ "claims": {}, "scopes": [OPERATOR_SCOPE] })).operator().is_ok());
        assert!(
            jwt(json!({ "claims": { "scope": "openid aftercart/operate" } })).operator().is_ok()
        );
        assert_eq!(jwt(json!({ "claims": { "sub": "a" } })).operator().unwrap_err().status(), 403);
        assert_eq!(request(&json!({})).unwrap().operator().unwrap_err().status(), 401);
    }
}
