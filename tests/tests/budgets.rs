//! What each function costs: round trips and write units, measured. A change
//! of these numbers is a change of the bill, and is made here on purpose.

use std::{fmt::Write as _, fs, path::Path};

use crate::{harness, scenarios};

/// Every scenario, each by a function that starts cold: with its secrets and
/// the policy still to read.
#[tokio::test]
async fn costs_are_the_ones_that_were_agreed() {
    let mut table = String::from("write units, round trips, function: scenario\n");
    for scenario in scenarios::all() {
        let (shop, trigger) = harness::prepared(&scenario).await;
        shop.restart(scenario.function).unwrap();
        harness::call(&shop, scenario.function, &trigger).await;
        let meter = shop.port(scenario.function).unwrap().meter();
        let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
        let (units, trips) = (meter.write_units(), calls.len());
        writeln!(table, "{units:>3} {trips:>3}  {scenario:?} ({})", calls.join(", ")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("budgets.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let agreed = fs::read_to_string(&path).unwrap_or_default();
    for (found, agreed) in table.lines().zip(agreed.lines()) {
        assert_eq!(found, agreed, "run UPDATE=1 cargo test -p aftercart-tests if it is meant");
    }
    assert_eq!(table.lines().count(), agreed.lines().count());
}
