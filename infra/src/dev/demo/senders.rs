//! Payment providers and carriers: what they send, signed with the secrets of
//! the local stack.

use aftercart::model::payment::Provider;
use serde_json::Value;

use crate::{
    dev::{http::text, running::now, stack::Stack},
    providers,
    signing::{self, Callback, Payment, Push, Scan},
};

/// The secret that a provider or a carrier signs with.
fn secret(stack: &Stack, kind: &str, sender: &str) -> String {
    text(&stack.secrets, &format!("/{kind}/{sender}/webhook_secrets/0"))
}

/// A provider reports that an attempt was paid.
pub(super) fn paid(provider: Provider, event: &str, payment: &str, total: &Value) -> Callback {
    let report = Payment {
        event,
        kind: "succeeded",
        payment,
        amount: total.get("amount").and_then(Value::as_i64).unwrap_or_default(),
        currency: &text(total, "/currency"),
        at: now(),
        part: None,
    };
    providers::of(provider).callback(&report)
}

/// A carrier reports where a parcel was seen, which is to arrive now.
pub(super) fn seen(
    stack: &Stack,
    carrier: &str,
    event: &str,
    number: &str,
    scans: &[Scan<'_>],
) -> Callback {
    due(stack, carrier, &Push { event, number, scans, eta: Some(now()), at: now() })
}

/// A carrier reports where a parcel was seen, and when it will arrive.
pub(super) fn due(stack: &Stack, carrier: &str, push: &Push<'_>) -> Callback {
    let secret = secret(stack, "carriers", carrier);
    match carrier {
        "easypost" => signing::easypost(&secret, push),
        _ => signing::generic(&secret, push),
    }
}
