//! One harness for every function: run it once, run it twice, fail it at each
//! of its calls in every way a call can fail and run it again. What is kept in
//! the end is the same, and so is the answer. A function without a scenario
//! fails a test, and so does a need that no scenario uses.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    model::{
        product::{Product, Sku},
        stock::{LevelChange, LocationId},
    },
    run::{Function, Need, secrets::Secret},
    store::{Commit, Op, Table, products, stock},
};
use aftercart_infra::{
    functions,
    world::{Action, Ask, Fault, Options, World, WorldError, declared},
};
use serde_json::{Value, json};

use crate::{
    scenarios::{self, Scenario},
    shop::{ADA, KEY, Shop, order},
};

/// How a function is called.
#[derive(Debug, Clone)]
pub(crate) enum Trigger {
    /// By a request.
    Http(Box<Ask>),
    /// By an event: of a queue, a stream or a schedule.
    Event(Value),
}

/// How often a trigger tries again; SQS and the relay's streams try more often.
const TRIES: usize = 3;

/// The ways in which a call can fail. What an endpoint of the merchant does is
/// no fault but something to write down, and a relay that cannot read the
/// policy tells too much on purpose: `webhooks.rs` has both. A carrier that asks
/// for fewer calls is not called again: `polling.rs` has that.
fn faults(function: &str, operation: &str) -> Vec<Fault> {
    let mut faults = vec![Fault::Before, Fault::After, Fault::Throttle];
    match operation {
        "GetItem" if function == "relay" => faults.clear(),
        call if function == "carrier-poll" && call.contains(" /") => faults.truncate(2),
        endpoint if endpoint.starts_with("POST /hooks/") => faults.clear(),
        "PutItem" | "UpdateItem" | "TransactWriteItems" => faults.push(Fault::Conflict),
        "BatchGetItem" | "SendMessageBatch" => faults.push(Fault::Partial),
        _ => {}
    }
    faults
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    answer: Value,
    done: bool,
}

pub(crate) async fn call(shop: &World, function: &str, trigger: &Trigger) -> Outcome {
    let event = match trigger {
        Trigger::Event(event) => event.clone(),
        Trigger::Http(ask) => {
            let (routed, event) = shop.event_of(ask).expect("a route");
            assert_eq!(routed, function, "{ask:?}");
            event
        }
    };
    match shop.invoke(function, &event).await {
        Ok(answer) => match trigger {
            Trigger::Http(_) => {
                let status = answer["statusCode"].as_u64().unwrap();
                let answer = json!({ "status": status, "body": answer["body"] });
                Outcome { answer, done: status < 500 }
            }
            Trigger::Event(_) => {
                let failures = answer["batchItemFailures"].as_array();
                let failed = failures.is_some_and(|failures| !failures.is_empty());
                let done = !failed && answer["failed"].as_u64().unwrap_or(0) == 0;
                Outcome { answer: Value::Null, done }
            }
        },
        Err(WorldError::Fault { text, .. }) => Outcome { answer: text.into(), done: false },
        Err(error) => panic!("{function}: {error}"),
    }
}

/// Calls as the trigger would: again until it is done.
async fn call_until_done(shop: &World, scenario: &Scenario, trigger: &Trigger) -> Outcome {
    for _ in 0..TRIES {
        let outcome = call(shop, scenario.function, trigger).await;
        if outcome.done {
            return outcome;
        }
    }
    panic!("{scenario:?} is not done after {TRIES} tries");
}

pub(crate) async fn prepared(scenario: &Scenario) -> (Shop, Trigger) {
    let shop = Shop::open().await;
    let trigger = (scenario.prepare)(&shop).await;
    (shop, trigger)
}

/// The state and the answer of one clean run, and the calls it made.
struct Clean {
    outcome: Outcome,
    state: Value,
    calls: Vec<String>,
}

async fn clean(scenario: &Scenario, before: &World, trigger: &Trigger) -> Clean {
    let shop = before.fork().unwrap();
    let outcome = call(&shop, scenario.function, trigger).await;
    assert!(outcome.done, "{scenario:?}: {outcome:?}");
    let meter = shop.port(scenario.function).unwrap().meter();
    let calls = meter.calls.into_iter().map(|call| call.operation).collect();
    let state = shop.state().await.unwrap();
    assert_eq!(shop.forbidden(), BTreeSet::new(), "{scenario:?}");
    // What it is good for shows when the same follows from the same again.
    let again = call(&shop, scenario.function, trigger).await;
    assert_eq!(again, outcome, "{scenario:?} answers otherwise when it is called again");
    same(&state, &shop.state().await.unwrap(), &format!("{scenario:?} twice"));
    Clean { outcome, state, calls }
}

async fn faulty(
    scenario: &Scenario,
    (before, trigger): (&World, &Trigger),
    clean: &Clean,
    number: usize,
    fault: Fault,
) {
    let shop = before.fork().unwrap();
    shop.port(scenario.function).unwrap().fail(number, fault);
    let outcome = call_until_done(&shop, scenario, trigger).await;
    let what = format!("{scenario:?}, call {number} of {:?}, {fault:?}", clean.calls);
    assert_eq!(outcome, clean.outcome, "{what}");
    same(&clean.state, &shop.state().await.unwrap(), &what);
}

/// Compares two states, and shows only what differs.
fn same(expected: &Value, found: &Value, what: &str) {
    if expected == found {
        return;
    }
    let lines = |value: &Value| -> BTreeSet<String> {
        let text = serde_json::to_string_pretty(value).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let (expected, found) = (lines(expected), lines(found));
    let missing: Vec<_> = expected.difference(&found).collect();
    let more: Vec<_> = found.difference(&expected).collect();
    panic!("{what}\nmissing: {missing:#?}\nmore: {more:#?}");
}

/// Runs every scenario of some functions; called by one test for each domain,
/// so that domains run side by side.
async fn run(domain: &[Function]) {
    let names: Vec<&str> = domain.iter().map(|function| function.name).collect();
    let mut runs = 0;
    for scenario in scenarios::all().iter().filter(|it| names.contains(&it.function)) {
        let (before, trigger) = prepared(scenario).await;
        let clean = clean(scenario, &before, &trigger).await;
        for (position, operation) in clean.calls.iter().enumerate() {
            for fault in faults(scenario.function, operation) {
                faulty(scenario, (&before, &trigger), &clean, position + 1, fault).await;
                runs += 1;
            }
        }
    }
    println!("{} functions, {runs} runs with a fault", names.len());
}

macro_rules! every_step {
    ($($name:ident: $functions:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            run($functions).await;
        }
    )*};
}

every_step! {
    checkout_survives_every_fault: aftercart_checkout::FUNCTIONS;
    payments_survive_every_fault: aftercart_payments::FUNCTIONS;
    logistics_survive_every_fault: aftercart_logistics::FUNCTIONS;
    points_survive_every_fault: aftercart_points::FUNCTIONS;
    surveys_survive_every_fault: aftercart_surveys::FUNCTIONS;
    contacts_survive_every_fault: aftercart_contacts::FUNCTIONS;
    care_survives_every_fault: aftercart_care::FUNCTIONS;
    the_relay_survives_every_fault: aftercart_relay::FUNCTIONS;
}

#[test]
fn every_function_has_a_scenario() {
    let tried: BTreeSet<&str> = scenarios::all().iter().map(|it| it.function).collect();
    let all: BTreeSet<&str> = functions().iter().map(|function| function.name).collect();
    assert_eq!(tried, all);
}

#[tokio::test]
async fn every_need_is_used_and_nothing_else() {
    let mut used: BTreeMap<&str, BTreeSet<Action>> = BTreeMap::new();
    for scenario in scenarios::all() {
        let (shop, trigger) = prepared(&scenario).await;
        shop.restart(scenario.function).unwrap();
        call(&shop, scenario.function, &trigger).await;
        let port = shop.port(scenario.function).unwrap();
        used.entry(scenario.function).or_default().extend(port.used());
        assert_eq!(shop.forbidden(), BTreeSet::new(), "{scenario:?}");
    }
    for function in functions() {
        let used = used.remove(function.name).unwrap_or_default();
        let idle: Vec<String> =
            declared(&function).difference(&used).map(ToString::to_string).collect();
        assert!(idle.is_empty(), "{} may, and never does: {idle:?}", function.name);
    }
}

/// The world is as strict as the roles of template.yaml.
#[tokio::test]
async fn what_was_not_declared_is_refused() {
    let function = Function {
        needs: &[
            Need::Table(Table::Products, &[Op::BatchGetItem]),
            Need::Table(Table::Orders, &[Op::BatchGetItem, Op::PutItem]),
            Need::Table(Table::Stock, &[Op::BatchGetItem]),
            Need::Table(Table::Customers, &[Op::BatchGetItem]),
            Need::Table(Table::Settings, &[Op::BatchGetItem]),
            Need::Secret(Secret::Links),
        ],
        ..aftercart_checkout::order_place::FUNCTION
    };
    let world = World::new(&[function], Options::default()).await.unwrap();
    let sku = Sku::parse("TEA").unwrap();
    let price = serde_json::from_str(r#"{"amount":1,"currency":"GBP"}"#).unwrap();
    let title = String::from("Tea").try_into().unwrap();
    let (facts, access) = Default::default();
    let product = Product { sku, title, price, facts, access };
    let unit = LevelChange { location: LocationId::default(), shard: 0, units: 1 };
    let commit =
        Commit::new().with(products::put(&product)).with(stock::change(&product.sku, &unit, 0));
    world.store().commit(commit).await.unwrap();
    let ask = Ask::post("/orders", &order(&[("TEA", 1)])).by_member(ADA).keyed(KEY);
    assert_eq!(world.ask(&ask).await.unwrap().status, 500);
    let taken = Action::Table(Op::UpdateItem, Table::Stock);
    assert_eq!(world.forbidden(), BTreeSet::from([taken]));
}
