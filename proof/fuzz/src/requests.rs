//! Whole functions of the HTTP API, each with any request that the gateway
//! could hand to it.
//!
//! An input is a request as it goes over the wire: a line with method and path,
//! headers, an empty line, the body. The header `as` says whose token came with
//! it: `member` and a subject, or `operator`; without it there is none. Functions
//! are called even where the gateway would have refused for want of a token, as
//! they have to refuse by themselves.

use aftercart::run::{Access, Trigger};
use aftercart_infra::{
    functions,
    world::{Ask, Caller, Reply},
};
use serde_json::json;

use crate::{
    Finding, Seed, Verdict, reply,
    shop::{Known, Shop},
    story,
};

/// Whose token came with a request.
const AS: &str = "as";

/// Refusals after which something is kept: a payment is written before its
/// provider is asked, and codes that were refused at a till are counted.
const KEPT: [&str; 2] = ["payment-start", "till"];

/// The member of the samples.
const MEMBER: &str = "7d3c1f52-4a0e-4a8e-9c56-0f6b1f1d2a11";

/// Sends a request, and looks at the answer and at what was written.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some(ask) = ask(input) else { return Ok(()) };
    let shop = Shop::here()?;
    let world = shop.world()?;
    let Some((function, event)) = world.event_of(&ask) else { return Ok(()) };
    let led = shop.run(async |world| world.invoke(function, &event).await)?;
    hold!(led.bugs.is_empty(), "{function} has a bug: {}", led.bugs.join("; "));
    let answer = Reply::of(&led.out);
    reply::check(&answer)?;
    if answer.status >= 400 && led.wrote && !KEPT.contains(&function) {
        let (before, after) = (shop.first_state()?, shop.state_of(&world)?);
        hold!(*before == after, "{function} refuses and writes: {}", answer.body);
    }
    Ok(())
}

/// The request in an input.
pub(crate) fn ask(input: &[u8]) -> Option<Ask> {
    let end = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let ask = match method {
        "GET" => Ask::get(path),
        "POST" => Ask::post(path, &json!({})),
        "PUT" => Ask::put(path, &json!({})),
        "DELETE" => Ask::delete(path),
        _ => return None,
    };
    let headers = lines.filter_map(|line| line.split_once(": "));
    let ask = headers.fold(ask, |ask, (name, value)| match (name, value.split_once(' ')) {
        (AS, Some(("member", subject))) => ask.by_member(subject),
        (AS, _) if value == "operator" => ask.by(Caller::Operator),
        _ => ask.with(&name.to_ascii_lowercase(), value),
    });
    Some(ask.with_body(body.get(2..).unwrap_or_default()))
}

/// Every request of the samples, and every route that has no sample, about
/// what there is in the shop.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let shop = Shop::here()?;
    let samples = story::requests()?;
    let mut seeds = Vec::new();
    for sample in &samples {
        let route = sample.route.split_once(' ').map_or("", |(_, path)| path);
        let path = named(route, &sample.path, &shop.known);
        let mut head = format!("{} {path}", sample.method);
        for (name, value) in &sample.headers {
            let value = if name == "order-token" { &shop.known.order_token } else { value };
            head.push_str(&format!("\n{name}: {value}"));
        }
        seeds.push((sample.name.clone(), [head.as_bytes(), b"\n\n", &sample.body].concat()));
    }
    for function in functions() {
        let Trigger::Http(routes) = function.trigger else { continue };
        for route in routes {
            let key = format!("{} {}", route.method, route.path);
            if samples.iter().all(|sample| sample.route != key) {
                let path = named(route.path, route.path, &shop.known);
                let token = token(route.access, route.path, &shop.known);
                let head = format!("{} {path}{token}\nidempotency-key: {KEY}", route.method);
                let name = plain(&format!("{} {key}", function.name));
                seeds.push((name, format!("{head}\n\n{{}}").into_bytes()));
            }
        }
    }
    Ok(seeds)
}

/// A key of a call, as good as a random one.
const KEY: &str = "5e5d4a52-1111-4a8e-9c56-0f6b1f1d2a11";

/// A name that fits a file.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

fn token(access: Access, route: &str, known: &Known) -> String {
    match access {
        Access::Open if route.starts_with("/guest/orders/") => {
            format!("\norder-token: {}", known.order_token)
        }
        Access::Open => String::new(),
        Access::Shopper => format!("\n{AS}: member {MEMBER}"),
        Access::Operator => format!("\n{AS}: operator"),
    }
}

/// The path of a sample with the names of what there is in the shop: in place of
/// the parameters that name links and what belongs to orders.
fn named(route: &str, path: &str, known: &Known) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, it)| (path, Some(it)));
    let parts: Vec<String> = route
        .split('/')
        .zip(path.split('/'))
        .map(|(part, value)| match part {
            "{token}" => {
                let link = known.links.iter().find(|(prefix, _)| route.starts_with(prefix));
                link.map_or(value, |(_, token)| token).to_owned()
            }
            "{id}" if route.starts_with("/guest/orders/") => known.guest_order.clone(),
            "{id}" if route.contains("/orders/") => known.order.clone(),
            "{id}" if route.contains("/tickets/") => known.ticket.clone(),
            "{shipment}" => known.shipment.clone(),
            "{payment}" => known.payment.clone(),
            "{customer}" => format!("cus_{MEMBER}"),
            "{id}" if value == part && route.contains("/customers/") => format!("cus_{MEMBER}"),
            "{provider}" if value == part => "stripe".to_owned(),
            "{carrier}" if value == part => "generic".to_owned(),
            "{sku}" if value == part => "TEA-001".to_owned(),
            _ => value.trim_matches(['{', '}']).to_owned(),
        })
        .collect();
    let path = parts.join("/");
    query.map_or(path.clone(), |query| format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use aftercart::run::Function;

    use super::*;

    #[test]
    fn every_route_has_a_seed_that_reaches_it() {
        let asks: Vec<Ask> =
            seeds().unwrap().iter().map(|(_, bytes)| ask(bytes).unwrap()).collect();
        let world = Shop::here().unwrap().world().unwrap();
        let reached: Vec<String> = asks
            .iter()
            .map(|ask| world.event_of(ask).unwrap().1["routeKey"].as_str().unwrap().to_owned())
            .collect();
        let http = |function: &Function| match function.trigger {
            Trigger::Http(routes) => routes,
            _ => &[],
        };
        for route in functions().iter().flat_map(http) {
            let key = format!("{} {}", route.method, route.path);
            assert!(reached.contains(&key), "{key}");
        }
    }
}
