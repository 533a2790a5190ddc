//! What the merchant sets: the policy, the price rules, the exchange rates. The
//! first line names the route. A document that is taken is kept as it is meant,
//! and the shop goes on with it: what was priced before is still priced, or
//! refused for a reason.

use aftercart::model::{exchange::ExchangeRates, policy::Policy, price::PriceRules};
use aftercart_infra::world::{Ask, Caller, Reply, World, WorldError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Finding, Seed, Verdict, headed, reply, requests, seed, shop::Shop, story};

/// The routes.
const POLICY: &str = "policy";
const PRICE_RULES: &str = "price-rules";
const EXCHANGE_RATES: &str = "exchange-rates";

/// What the shop is asked after a document was taken.
const AFTER: [&str; 8] = [
    "quote-make",
    "quote-make-guest",
    "order-place",
    "payment-methods",
    "points-programme",
    "points-estimate",
    "survey-view",
    "tracking-page",
];

/// Reads a document, and has the shop go on with it.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((route, body)) = headed(input) else { return Ok(()) };
    let text = String::from_utf8_lossy(body);
    let reads = match route {
        POLICY => reads(&text, |text| Policy::parse(text).ok())?,
        PRICE_RULES => reads(&text, |text| PriceRules::parse(text).ok())?,
        EXCHANGE_RATES => reads(&text, |text| ExchangeRates::parse(text).ok())?,
        _ => return Ok(()),
    };
    if reads { put(route, &text) } else { Ok(()) }
}

/// Whether a document reads; if so, it is written as what reads the same.
fn reads<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<bool, Finding>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let Some(document) = parse(text) else { return Ok(false) };
    let written = serde_json::to_string(&document);
    let written = written.map_err(|error| Finding::new(format!("it cannot be kept: {error}")))?;
    hold!(parse(&written) == Some(document), "it is kept as something else: {written}");
    hold!(parse(&format!("{text} {{}}")).is_none(), "what comes after the document is not seen");
    Ok(true)
}

fn put(route: &str, text: &str) -> Verdict {
    let shop = Shop::here()?;
    let asks = asks()?;
    let ask = Ask::put(format!("/{route}"), &Value::Null).by(Caller::Operator).with_body(text);
    let led = shop.run(async |world| {
        let put = answer(world, &ask).await?;
        let mut after = Vec::new();
        if put.status == 200 {
            for (name, ask) in &asks {
                after.push((*name, answer(world, ask).await?));
            }
        }
        Ok::<_, WorldError>((put, after))
    })?;
    hold!(led.bugs.is_empty(), "the shop has a bug with it: {}", led.bugs.join("; "));
    let (put, after) = led.out;
    reply::check(&put)?;
    for (name, answer) in after {
        let checked = reply::check(&answer);
        checked.map_err(|finding| Finding::new(format!("then {name}: {finding}")))?;
    }
    Ok(())
}

/// An answer of a function that has just started, and so keeps no document of
/// before.
async fn answer(world: &World, ask: &Ask) -> Result<Reply, WorldError> {
    let Some((function, event)) = world.event_of(ask) else {
        return Err(WorldError::NoFunction(format!("route of {ask:?}")));
    };
    world.restart(function)?;
    Ok(Reply::of(&world.invoke(function, &event).await?))
}

fn asks() -> Result<Vec<(&'static str, Ask)>, Finding> {
    thread_local! {
        static ASKS: std::cell::RefCell<Vec<(&'static str, Ask)>> = const {
            std::cell::RefCell::new(Vec::new())
        };
    }
    let known = ASKS.with_borrow(Vec::clone);
    if !known.is_empty() {
        return Ok(known);
    }
    let seeds = requests::seeds()?;
    let of = |name: &'static str| {
        let (_, bytes) = seeds.iter().find(|(known, _)| known == name)?;
        Some((name, requests::ask(bytes)?))
    };
    let asks: Vec<_> = AFTER.into_iter().filter_map(of).collect();
    ASKS.set(asks.clone());
    Ok(asks)
}

/// The documents of the suite and of the samples.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let policy = Policy::default_document().map_err(Finding::unprepared)?;
    let rules = PriceRules::default_document().map_err(Finding::unprepared)?;
    let rates = ExchangeRates::default_document().map_err(Finding::unprepared)?;
    let samples = story::requests()?;
    let sample = samples.into_iter().find(|sample| sample.name == "settings-put");
    let rates_of_a_day = json!({
        "version": "2026-11-21", "at": "2026-11-21T08:00:00Z", "valid_for": "24h",
        "margin_bp": 150, "rates": [{ "from": "GBP", "to": "EUR", "rate": "1.1925" }],
    });
    Ok(vec![
        seed("policy", POLICY, written(&policy)?),
        seed("price-rules-none", PRICE_RULES, written(&rules)?),
        seed("price-rules", PRICE_RULES, sample.map(|it| it.body).unwrap_or_default()),
        seed("exchange-rates-none", EXCHANGE_RATES, written(&rates)?),
        seed("exchange-rates", EXCHANGE_RATES, rates_of_a_day.to_string()),
    ])
}

fn written(document: &impl Serialize) -> Result<String, Finding> {
    serde_json::to_string(document).map_err(Finding::unprepared)
}
