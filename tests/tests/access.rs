//! Who may call what. Every route is here, by the functions' own list: a route
//! that no scenario calls, or that belongs to no class below, fails a test.
//!
//! Requests are well formed and would succeed; one thing about the caller, or
//! one field, is wrong. The answer is a refusal, and nothing is written. The
//! functions are called past the gateway, too: a route that was deployed without
//! its authorizer stays closed.

mod links;
mod passes;
mod signatures;

use std::collections::{BTreeMap, BTreeSet};

use aftercart::run::{Access, Function, Route, Trigger as Calling};
use aftercart_infra::{
    functions, openapi,
    world::{Ask, Caller, Reply},
};
use serde_json::{Value, json};

use crate::{
    harness::{Trigger, prepared},
    scenarios::{self, Scenario},
    shop::{ADA, Shop},
};

/// Somebody else with a good token.
const MALLORY: &str = "mallory";

/// What a member's route is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// A thing in the path that is one member's: nobody else's call finds it.
    Owned,
    /// The caller's own account, whoever calls.
    Own,
    /// A thing in the path that is for every member.
    Shared,
}

/// Every route that wants a member's token.
const SHOPPERS: &[(&str, &str, Subject)] = &[
    ("POST", "/quotes", Subject::Own),
    ("POST", "/orders", Subject::Own),
    ("GET", "/orders", Subject::Own),
    ("GET", "/orders/{id}", Subject::Owned),
    ("POST", "/orders/{id}/cancel", Subject::Owned),
    ("POST", "/orders/{id}/units/cancel", Subject::Owned),
    ("PUT", "/orders/{id}/shipping-address", Subject::Owned),
    ("GET", "/orders/{id}/payment-methods", Subject::Owned),
    ("POST", "/orders/{id}/payments", Subject::Owned),
    ("GET", "/orders/{id}/payments", Subject::Owned),
    ("GET", "/orders/{id}/payments/{payment}", Subject::Owned),
    ("GET", "/orders/{id}/tracking", Subject::Owned),
    ("GET", "/cart", Subject::Own),
    ("PUT", "/cart", Subject::Own),
    ("PUT", "/cart/lines/{sku}", Subject::Own),
    ("POST", "/cart/merge", Subject::Own),
    ("POST", "/shares", Subject::Own),
    ("POST", "/shares/{id}/joins", Subject::Shared),
    ("GET", "/contests/{contest}", Subject::Shared),
    ("PUT", "/me/contests/{contest}/name", Subject::Own),
    ("POST", "/me/teams", Subject::Own),
    ("POST", "/me/teams/{team}/members", Subject::Shared),
    ("GET", "/me/teams/{team}/members", Subject::Owned),
    ("DELETE", "/me/teams/{team}/members/me", Subject::Own),
    ("GET", "/me/tickets", Subject::Own),
    ("POST", "/me/tickets", Subject::Own),
    ("GET", "/me/tickets/{id}", Subject::Owned),
    ("GET", "/me/redemptions", Subject::Own),
    ("POST", "/me/redemptions", Subject::Own),
    ("POST", "/me/redemptions/{id}/cancellation", Subject::Owned),
    ("GET", "/me/gifts", Subject::Own),
    ("POST", "/me/gifts", Subject::Own),
    ("POST", "/me/gifts/{id}/acceptance", Subject::Owned),
    ("POST", "/me/gifts/{id}/refusal", Subject::Owned),
    ("POST", "/me/campaigns/{campaign}/draws", Subject::Shared),
    ("POST", "/me/check-ins", Subject::Own),
    ("GET", "/me/points", Subject::Own),
    ("GET", "/me/points/offers", Subject::Own),
    ("POST", "/points/estimate", Subject::Own),
    ("GET", "/me/membership", Subject::Own),
    ("GET", "/me/code", Subject::Own),
    ("GET", "/me/link-code", Subject::Own),
    ("POST", "/me/links", Subject::Own),
    ("POST", "/me/links/{id}/undoing", Subject::Owned),
    ("GET", "/me/vouchers", Subject::Own),
    ("GET", "/me/contact-preferences", Subject::Own),
    ("PUT", "/me/contact-preferences", Subject::Own),
];

/// Every route without a token that is for everybody.
const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/guest/quotes"),
    ("POST", "/guest/orders"),
    ("POST", "/guest/points/estimate"),
    ("GET", "/points/programme"),
    ("GET", "/rewards"),
    ("GET", "/shares/{id}"),
];

/// Every route without a token where the caller's own key names the thing.
const KEYED: &[(&str, &str)] =
    &[("GET", "/guest/cart"), ("PUT", "/guest/cart"), ("PUT", "/guest/cart/lines/{sku}")];

/// Names that a client might hope to set. What a route's own description has is
/// left out.
const HOPES: &[&str] =
    &["total", "status", "customer_id", "paid", "balance", "is_operator", "refunded_amount"];

/// The routes that are served, with their functions.
fn routes() -> Vec<(Function, Route)> {
    let of = |function: &Function| match function.trigger {
        Calling::Http(routes) => routes.iter().map(|route| (*function, *route)).collect(),
        _ => Vec::new(),
    };
    functions().iter().flat_map(of).collect()
}

fn named(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// A shop in which a route can be called well, and that call.
struct Called {
    shop: Shop,
    function: &'static str,
    route: Route,
    ask: Ask,
    event: Value,
}

impl Called {
    async fn of(scenario: &Scenario) -> Option<Self> {
        let (shop, trigger) = prepared(scenario).await;
        let Trigger::Http(ask) = trigger else { return None };
        let (function, event) = shop.event_of(&ask)?;
        let key = event["routeKey"].as_str()?.to_owned();
        let (_, route) = routes().into_iter().find(|(_, route)| named(route) == key)?;
        Some(Self { shop, function, route, ask: *ask, event })
    }

    /// Calls the function with an event as it stands, past the gateway.
    async fn call(&self, event: &Value) -> Reply {
        Reply::of(&self.shop.invoke(self.function, event).await.unwrap())
    }

    /// The event as another caller's.
    fn claiming(&self, claims: &Value) -> Value {
        let mut event = self.event.clone();
        event["requestContext"]["authorizer"] = json!({ "jwt": { "claims": claims } });
        event
    }

    /// Fails unless all of these were refused with one of their statuses, and
    /// nothing was written.
    async fn refuses(&self, attempts: &[Attempt]) {
        let (name, before) = (named(&self.route), self.shop.state().await.unwrap());
        for Attempt { what, event, statuses } in attempts {
            let reply = self.call(event).await;
            assert!(statuses.contains(&reply.status), "{name}, {what}: {reply:?} to {event}");
        }
        assert!(before == self.shop.state().await.unwrap(), "{name}: something was written");
    }
}

/// A call that is to be refused.
struct Attempt {
    what: &'static str,
    event: Value,
    statuses: &'static [u16],
}

/// These calls, to be refused alike.
fn attempts(
    what: &'static str,
    statuses: &'static [u16],
    events: impl IntoIterator<Item = Value>,
) -> Vec<Attempt> {
    events.into_iter().map(|event| Attempt { what, event, statuses }).collect()
}

/// Calls of these routes, by the scenarios; of each route the first that there
/// is. Fails if a route has none.
async fn calls(wanted: impl Fn(&Route) -> bool) -> Vec<Called> {
    let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (function, route) in routes() {
        if wanted(&route) {
            missing.entry(function.name).or_default().insert(named(&route));
        }
    }
    let mut calls = Vec::new();
    for scenario in scenarios::all() {
        let Some(of_function) = missing.get_mut(scenario.function) else { continue };
        if of_function.is_empty() {
            continue;
        }
        let Some(called) = Called::of(&scenario).await else { continue };
        if of_function.remove(&named(&called.route)) {
            calls.push(called);
        }
    }
    missing.retain(|_, routes| !routes.is_empty());
    assert!(missing.is_empty(), "no scenario calls these: {missing:#?}");
    calls
}

/// A third of the routes, so that tests share the work.
fn third(number: usize) -> impl Fn(&Route) -> bool {
    move |route| named(route).bytes().map(usize::from).sum::<usize>() % 3 == number
}

#[test]
fn every_route_has_a_class() {
    let classified: BTreeSet<(&str, &str)> = SHOPPERS
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .chain(PUBLIC.iter().copied())
        .chain(KEYED.iter().copied())
        .chain(links::ROUTES.iter().map(|(method, path, _)| (*method, *path)))
        .chain(passes::ROUTES.iter().copied())
        .chain(signatures::ROUTES.iter().copied())
        .collect();
    let served: BTreeSet<(&str, &str)> = routes()
        .iter()
        .filter(|(_, route)| route.access != Access::Operator)
        .map(|(_, route)| (route.method, route.path))
        .collect();
    assert_eq!(classified, served);
    for (_, route) in routes() {
        let is_members = SHOPPERS.iter().any(|it| (it.0, it.1) == (route.method, route.path));
        assert_eq!(is_members, route.access == Access::Shopper, "{}", named(&route));
    }
}

/// The operators' and members' routes want their token, of the gateway and of
/// the function; and no route takes a field that it does not know.
async fn stands_its_ground(wanted: impl Fn(&Route) -> bool) {
    let document = openapi::document();
    for called in calls(wanted).await {
        let Called { shop, route, ask, event, .. } = &called;
        let mut tried = attempts("a field of hope", &[400], hopeful(&document, route, event));
        if route.access != Access::Open {
            let reply = shop.reply(&ask.clone().by(Caller::Anybody)).await;
            assert_eq!(reply.status, 401, "{}", named(route));
            let mut bare = event.clone();
            bare["requestContext"].as_object_mut().unwrap().remove("authorizer");
            tried.extend(attempts("no token", &[401, 403], [bare]));
        }
        if route.access == Access::Operator {
            let reply = shop.reply(&ask.clone().by_member(MALLORY)).await;
            assert_eq!(reply.status, 403, "{}", named(route));
            let claims = [
                json!({ "sub": MALLORY, "scope": "openid" }),
                json!({ "sub": MALLORY, "scope": "aftercart/operate-not not-aftercart/operate" }),
                json!({ "sub": MALLORY, "scopes": "aftercart/operate" }),
            ];
            let events = claims.map(|claims| called.claiming(&claims));
            tried.extend(attempts("a member's token", &[403], events));
        }
        called.refuses(&tried).await;
    }
}

#[tokio::test]
async fn tokens_are_wanted_and_fields_are_known_on_the_first_third_of_routes() {
    stands_its_ground(third(0)).await;
}

#[tokio::test]
async fn tokens_are_wanted_and_fields_are_known_on_the_second_third_of_routes() {
    stands_its_ground(third(1)).await;
}

#[tokio::test]
async fn tokens_are_wanted_and_fields_are_known_on_the_last_third_of_routes() {
    stands_its_ground(third(2)).await;
}

/// The call with a field more, in the body and in every object inside it, if the
/// route takes JSON of ours.
fn hopeful(document: &Value, route: &Route, event: &Value) -> Vec<Value> {
    if signatures::ROUTES.contains(&(route.method, route.path)) {
        return Vec::new();
    }
    let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = event["body"].as_str().unwrap_or_default();
    let Some(body @ Value::Object(_)) = serde_json::from_str(body).ok() else { return Vec::new() };
    if schema.is_null() {
        return Vec::new();
    }
    let name = schema["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let known = &document["components"]["schemas"][name]["properties"];
    let hopes: Vec<&&str> = HOPES.iter().filter(|hope| known.get(**hope).is_none()).collect();
    assert!(hopes.len() > 3, "{}: {known}", named(route));
    let with = |changed: Value| {
        let mut event = event.clone();
        event["body"] = changed.to_string().into();
        event
    };
    let of_body = hopes.iter().map(|hope| {
        let mut changed = body.clone();
        changed[**hope] = 1.into();
        with(changed)
    });
    let inside = objects(&body, "").into_iter().filter(|pointer| !pointer.is_empty());
    let of_inside = inside.map(|pointer| {
        let mut changed = body.clone();
        changed.pointer_mut(&pointer).unwrap()["price_that_i_hope_for"] = 1.into();
        with(changed)
    });
    of_body.chain(of_inside).collect()
}

/// Where the objects of a document are. What a question of a survey has depends
/// on its kind, which is read beside it: there a field too much is not seen.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let inner = |(name, value): (String, &Value)| objects(value, &format!("{at}/{name}"));
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| *name != "questions");
            let members = members.map(|(name, value)| (name.clone(), value));
            std::iter::once(at.to_owned()).chain(members.flat_map(inner)).collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(n, value)| (n.to_string(), value));
            items.flat_map(inner).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn what_is_one_members_nobody_else_finds() {
    let owned = |route: &Route| class(route) == Some(Subject::Owned);
    for called in calls(owned).await {
        let stranger = called.claiming(&json!({ "sub": MALLORY, "scope": "openid" }));
        // An operator's token is nobody's account.
        let operator = called.claiming(&json!({ "sub": "system", "scope": "aftercart/operate" }));
        called.refuses(&attempts("somebody else", &[404], [stranger, operator])).await;
    }
}

fn class(route: &Route) -> Option<Subject> {
    let of = SHOPPERS.iter().find(|it| (it.0, it.1) == (route.method, route.path));
    of.map(|(_, _, subject)| *subject)
}

#[tokio::test]
async fn what_a_route_says_of_the_caller_says_nothing_of_others() {
    let own = |route: &Route| route.method == "GET" && class(route) == Some(Subject::Own);
    for called in calls(own).await {
        let placed = called.shop.place(ADA, "TEA", 1, "key-of-an-order-of-adas").await;
        let stranger = called.claiming(&json!({ "sub": MALLORY, "scope": "openid" }));
        let reply = called.call(&stranger).await;
        // A cursor or a filter of the request may be Ada's, who alone can use it.
        assert!([200, 400, 404].contains(&reply.status), "{reply:?}");
        for secret in [placed.id.as_str(), "cus_ada", "ada@example.com"] {
            let name = named(&called.route);
            assert!(!reply.body.contains(secret), "{name} tells {secret}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn a_body_names_only_what_is_the_callers() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, "key-of-an-order-of-adas").await;
    shop.pay(&placed).await;
    let before = shop.state().await.unwrap();
    for (path, body) in [
        ("/me/tickets", json!({ "order": placed.id, "text": "Where is it?" })),
        ("/me/redemptions", json!({ "reward": "upgrade", "order": placed.id })),
    ] {
        let ask = Ask::post(path, &body).by_member(MALLORY).keyed("key-of-a-call-of-mallory");
        let reply = shop.reply(&ask).await;
        assert!([400, 404].contains(&reply.status), "{path}: {reply:?}");
    }
    assert!(shop.state().await.unwrap() == before);
}
