//! What a complete order costs, and that it costs the same whatever went before.

use std::{fmt::Write as _, fs, path::Path};

use aftercart_bench::{cost, growth};

/// From the button to the answered survey, with six scans of a carrier: see
/// docs/cost.md. A change of these numbers is a change of the bill.
#[tokio::test]
async fn a_complete_order_costs_what_was_agreed() {
    let costs = cost::measured(1).await.unwrap();
    let total = cost::total(&costs);
    let mut table = String::from("write units, round trips, invocations, function\n");
    for (function, sum) in costs.iter().chain([(&"a complete order", &total)]) {
        let (units, trips, calls) = (sum.writes, sum.round_trips, sum.invocations);
        writeln!(table, "{units:>3} {trips:>3} {calls:>3}  {function}").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("complete_order.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let agreed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(table, agreed, "run UPDATE=1 cargo test -p aftercart-tests if it is meant");
}

#[tokio::test]
async fn an_order_costs_the_same_after_ten() {
    let first = growth::history::measured(1).await.unwrap();
    let tenth = growth::history::measured(10).await.unwrap();
    assert!(tenth.writes * 10 <= first.writes * 11, "{first:?} {tenth:?}");
    assert!(tenth.pico_dollars * 10 <= first.pico_dollars * 11, "{first:?} {tenth:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hot_product_is_sold_to_the_last_unit_and_no_further() {
    let sold = growth::hot::measured(growth::hot::Rush::of(16, 20)).await.unwrap();
    assert_eq!(sold.oversold, 0);
    assert!(sold.sold > 0, "{sold:?}");
}
