//! What payment providers report.
//!
//! An input names the provider in its first line, or `unsigned` and the
//! provider. What follows is what the provider says; it is signed here as the
//! provider signs, with the keys of its stand-in, so that the reader behind the
//! signature is reached. For WeChat Pay the resource is given in plain and
//! encrypted here.

use aftercart::{
    model::{
        customer::CustomerId,
        id::OrderId,
        money::{Currency, Money},
        payment::{Attempt, Flow, MAX_REASON, MAX_REFERENCE, PaymentEvent, Provider},
        text::Text,
        time::Timestamp,
    },
    run::secrets::Credentials,
};
use aftercart_infra::{
    providers,
    signing::Payment,
    world::{Ask, Reply},
};
use aftercart_payments::{
    providers::{self as code, Call, PaymentProvider, Report, Unreadable},
    rules::fold::fold,
};
use serde_json::json;

use crate::{
    Finding, Seed, Verdict, headed, reply, seed,
    shop::Shop,
    signing::{self, Signed},
    story,
};

/// What stands before the provider when nothing is to be signed.
const UNSIGNED: &str = "unsigned ";

/// What a provider may report.
const KINDS: [&str; 12] = [
    "succeeded",
    "failed",
    "cancelled",
    "expired",
    "processing",
    "authorised",
    "captured",
    "refunded",
    "refund_failed",
    "disputed",
    "dispute_won",
    "dispute_lost",
];

/// Reads it, folds it, and sends it to the shop.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((head, said)) = headed(input) else { return Ok(()) };
    let name = head.strip_prefix(UNSIGNED).unwrap_or(head);
    let Some(provider) = Provider::parse(name) else { return Ok(()) };
    let shop = Shop::here()?;
    let call = match head == name {
        true => signing::signed(provider, said, shop.time()),
        false => Signed { headers: Vec::new(), body: said.to_vec() },
    };
    let credentials = credentials(provider)?;
    let header = |name: &str| {
        let found = call.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    };
    let path = format!("/callbacks/{provider}");
    let given = Call {
        credentials: &credentials,
        method: "POST",
        path: &path,
        header: &header,
        body: &call.body,
        now: shop.time(),
    };
    let code = code::of(provider);
    let is_signed = code.verify(&given).is_ok();
    if is_signed {
        read(code, provider, &given)?;
    }
    send(&shop, provider, &call, is_signed)
}

/// What a verified body says, whoever reads it and however often.
fn read(code: &dyn PaymentProvider, provider: Provider, call: &Call<'_>) -> Verdict {
    let reports = code.read(call);
    hold!(reports == code.read(call), "{provider} is read otherwise the second time");
    looks_right(provider, reports)?;
    let attempt = attempt(provider)?;
    if let Ok(Some(reference)) = code.payment_of(call) {
        hold!(!reference.is_empty(), "{provider} names a payment without a name");
        looks_right(provider, code.read_of(call, &attempt.id))?;
    }
    Ok(())
}

fn looks_right(provider: Provider, reports: Result<Vec<Report>, Unreadable>) -> Verdict {
    let Ok(reports) = reports else { return Ok(()) };
    let mut events = Vec::new();
    for report in reports {
        match report {
            Report::Event(event) => events.push(event),
            Report::Nothing { .. } => {}
            Report::Unknown { id, .. } | Report::Foreign { id, .. } => {
                hold!(!id.is_empty(), "{provider} tells of something without a name");
            }
        }
    }
    are_events(provider, &events)
}

/// Events that fit a key, are their provider's, and come to one state in every
/// order.
pub(crate) fn are_events(provider: Provider, events: &[PaymentEvent]) -> Verdict {
    for event in events {
        hold!(event.provider == provider, "{provider} reports for {}", event.provider);
        let fits = !event.id.is_empty()
            && event.id.len() <= 256
            && !event.id.contains(|c: char| c.is_control());
        hold!(fits, "the event's identity fits no key: {:?}", event.id);
        let names = [&event.reference, &event.part];
        let long = names.into_iter().flatten().any(|name| name.len() > MAX_REFERENCE);
        hold!(!long, "a reference is too long: {event:?}");
        let reason = event.reason.as_ref().map(|reason| reason.chars().count());
        hold!(reason.unwrap_or(0) <= MAX_REASON, "the reason is too long: {event:?}");
    }
    let attempt = attempt(provider)?;
    let mut events = events.to_vec();
    let folded = fold(&attempt, &events);
    events.reverse();
    hold!(folded == fold(&attempt, &events), "the order of the events matters: {events:?}");
    events.extend(events.clone());
    hold!(folded == fold(&attempt, &events), "the number of the events matters: {events:?}");
    Ok(())
}

/// Sends it to the function, and lets everything follow from it.
fn send(shop: &Shop, provider: Provider, call: &Signed, is_signed: bool) -> Verdict {
    let ask = Ask::post(format!("/callbacks/{provider}"), &json!({})).with_body(call.body.clone());
    let ask = call.headers.iter().fold(ask, |ask, (name, value)| ask.with(name, value.clone()));
    let led = shop.run(async |world| {
        let Some((function, event)) = world.event_of(&ask) else { return Ok(None) };
        let reply = Reply::of(&world.invoke(function, &event).await?);
        if reply.status == 200 {
            world.settle().await?;
        }
        Ok(Some(reply))
    })?;
    hold!(led.bugs.is_empty(), "{provider} meets a bug: {}", led.bugs.join("; "));
    let Some(answer) = led.out else { return Ok(()) };
    if answer.status >= 400 {
        hold!(!led.wrote, "{provider} is refused, and something is written: {}", answer.body);
        return reply::check(&answer);
    }
    hold!(is_signed, "{provider} is believed without a signature: {}", answer.body);
    Ok(())
}

/// What the shop knows of a provider.
pub(crate) fn credentials(provider: Provider) -> Result<Credentials, Finding> {
    let of_stand_in = providers::of(provider).credentials("https://providers.local");
    serde_json::from_value(of_stand_in).map_err(Finding::unprepared)
}

/// An attempt to pay with a provider.
pub(crate) fn attempt(provider: Provider) -> Result<Attempt, Finding> {
    let shop = Shop::here()?;
    let currency = match provider {
        Provider::Alipay | Provider::WechatPay | Provider::Unionpay => "CNY",
        _ => "GBP",
    };
    let currency = Currency::parse(currency).map_err(Finding::unprepared)?;
    let amount = Money::new(2500, currency).map_err(Finding::unprepared)?;
    let capability = code::of(provider).capabilities().first();
    let capability = capability.ok_or_else(|| Finding::unprepared("a provider does nothing"))?;
    Ok(Attempt {
        id: story::payment(&shop.known)?,
        order: OrderId::parse(&shop.known.order).map_err(Finding::unprepared)?,
        customer: CustomerId::parse(story::MEMBER).map_err(Finding::unprepared)?,
        provider,
        method: capability.method,
        flow: capability.flows.first().copied().unwrap_or(Flow::Redirect),
        amount,
        settles: amount,
        instalments: None,
        payer: Text::new("openid_1").ok(),
        verify: false,
        at: Timestamp::parse("2026-11-16T12:00:00Z").map_err(Finding::unprepared)?,
        request: String::new(),
        ask_at: None,
        asked: 0,
    })
}

/// Every kind of report of every provider, as its stand-in words it.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let shop = Shop::here()?;
    let mut seeds = Vec::new();
    for provider in Provider::ALL.iter().copied() {
        let amount = attempt(provider)?.amount;
        for kind in KINDS {
            let report = Payment {
                event: "evt_fuzz",
                kind,
                payment: &shop.known.payment,
                amount: amount.minor(),
                currency: amount.currency().code(),
                at: shop.time(),
                part: Some("ref_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
            };
            let said = providers::of(provider).callback(&report).body;
            let said = match provider {
                Provider::WechatPay => signing::decrypted(&said).unwrap_or(said),
                _ => said,
            };
            seeds.push(seed(format!("{provider}-{kind}"), &provider.to_string(), &said));
        }
        let head = format!("{UNSIGNED}{provider}");
        seeds.push(seed(format!("{provider}-unsigned"), &head, "{\"type\":\"payment\"}"));
    }
    Ok(seeds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is signed here is what the provider would have signed.
    #[test]
    fn what_is_signed_is_believed() {
        let shop = Shop::here().unwrap();
        for (name, input) in seeds().unwrap() {
            let (head, said) = headed(&input).unwrap();
            let Some(provider) = Provider::parse(head) else { continue };
            let call = signing::signed(provider, said, shop.time());
            let header = |name: &str| {
                call.headers.iter().find(|(known, _)| *known == name).map(|(_, it)| it.as_str())
            };
            let credentials = credentials(provider).unwrap();
            let given = Call {
                credentials: &credentials,
                method: "POST",
                path: &format!("/callbacks/{provider}"),
                header: &header,
                body: &call.body,
                now: shop.time(),
            };
            assert_eq!(code::of(provider).verify(&given), Ok(()), "{name}");
            if name.ends_with("succeeded") {
                let reports = code::of(provider).read(&given).unwrap();
                assert!(matches!(reports[0], Report::Event(_)), "{name}: {reports:?}");
            }
        }
    }
}
