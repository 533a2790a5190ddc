//! docs/payment-providers.md, which the code of the providers writes.

use std::{fmt::Write as _, fs, path::Path};

use aftercart::model::payment::{Flow, Method, Provider};
use aftercart_payments::providers::{self, Capability};

const HEAD: &str = "# Payment providers: what each can do

Made from the code (`functions/payments/src/providers`); the module of each provider tells what its secret holds, how its callbacks are signed and worded, and how its amounts are written.

A shop offers what its policy lists in `payments.methods`, of what is here.

| method | provider | how the buyer gets there | currencies | instalments (months) | pay later | refunds | capture by us | asked when nobody tells |
|---|---|---|---|---|---|---|---|---|
";

fn row(page: &mut String, provider: Provider, can: &Capability) {
    let list = |words: Vec<String>, none: &str| {
        if words.is_empty() { none.to_owned() } else { words.join(", ") }
    };
    let flows = can.flows.iter().map(|flow| format!("`{flow}`")).collect();
    let currencies = can.currencies.iter().map(|code| (*code).to_owned()).collect();
    let instalments = can.instalments.iter().map(u8::to_string).collect();
    let code = providers::of(provider);
    let refunds = match (can.refund_days, can.partial_refunds) {
        (0, _) => "none".to_owned(),
        (days, true) => format!("whole or in part, {days} days"),
        (days, false) => format!("whole only, {days} days"),
    };
    writeln!(
        page,
        "| `{}` | `{provider}` | {} | {} | {} | {} | {refunds} | {} | {} |",
        can.method,
        list(flows, ""),
        list(currencies, "all that it takes"),
        list(instalments, "no"),
        yes(can.pay_later),
        yes(code.captures()),
        yes(code.answers_queries()),
    )
    .unwrap();
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

#[test]
fn the_page_of_providers_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/payment-providers.md");
    let mut page = HEAD.to_owned();
    for method in Method::ALL {
        for provider in Provider::ALL {
            let capabilities = providers::of(*provider).capabilities();
            for can in capabilities.iter().filter(|can| can.method == *method) {
                row(&mut page, *provider, can);
            }
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/payment-providers.md is out of date: run UPDATE=1 cargo test -p aftercart-tests"
    );
}

#[test]
fn every_provider_can_do_something_once() {
    for provider in Provider::ALL {
        let capabilities = providers::of(*provider).capabilities();
        assert!(!capabilities.is_empty(), "{provider}");
        for (place, can) in capabilities.iter().enumerate() {
            let again = capabilities.iter().skip(place + 1).any(|other| other.method == can.method);
            assert!(!again && !can.flows.is_empty(), "{provider} {}", can.method);
            assert!(can.flows.iter().all(|flow| Flow::ALL.contains(flow)));
        }
    }
}
