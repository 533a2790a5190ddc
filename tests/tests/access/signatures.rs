//! Signed calls of payment providers and carriers: whole and of the right
//! sender, or refused. The same call again is safe.

use aftercart::{
    model::{
        payment::Provider,
        shipment::Carrier,
        time::{Period, Timestamp},
    },
    run::secrets::Secret,
};
use aftercart_infra::{
    carriers, providers,
    signing::{Callback, Payment, Push, Scan},
    world::Ask,
};
use serde_json::Value;

use crate::shop::{ADA, KEY, Shop};

/// Every route that takes signed calls.
pub(super) const ROUTES: &[(&str, &str)] =
    &[("POST", "/callbacks/{provider}"), ("POST", "/carriers/{carrier}/events")];

/// Headers that are sent beside the signature and decide nothing: keys and
/// certificates are configured, and all of them are tried, wherever a caller says
/// that the right one is.
const UNREAD: &[&str] = &["paypal-cert-url", "wechatpay-serial"];

/// A sender, by the name that the secrets have for it.
struct Sender {
    name: String,
    secret: Secret,
    secrets: Value,
    /// Whose secret is put in place of its own.
    other: &'static str,
    callback: Callback,
    /// What of the body is altered, and what to.
    alterations: Vec<(String, String)>,
}

/// Senders whose signatures have no time, or one that they keep when they send
/// again for days: what they tell has an identity of its own, under which it is
/// written once.
const WITHOUT_TIME: &[&str] = &[
    "adyen",
    "alipay",
    "alipay_plus",
    "unionpay",
    "paypal",
    "easypost",
    "aftership",
    "kuaidi100",
    "kdniao",
];

fn provider(provider: Provider, payment: &str, at: Timestamp) -> Sender {
    let currency = match provider {
        Provider::Alipay | Provider::WechatPay | Provider::Unionpay => "CNY",
        _ => "GBP",
    };
    let report = Payment {
        event: "evt_access",
        kind: "succeeded",
        payment,
        amount: 1250,
        currency,
        at,
        part: None,
    };
    let callback = providers::of(provider).callback(&report);
    // UnionPay's numbers of orders have no underscore.
    let named = payment.trim_start_matches("pay_");
    let mut alterations = Vec::new();
    for text in [named, "1250", "12.50"] {
        let mut altered = text.to_owned();
        let last = altered.pop().unwrap();
        altered.push(if last == '7' { '6' } else { '7' });
        alterations.push((text.to_owned(), altered));
    }
    Sender {
        name: provider.to_string(),
        secret: Secret::Payments,
        secrets: providers::credentials("https://providers.local"),
        other: if provider == Provider::Sandbox { "stripe" } else { "sandbox" },
        callback,
        alterations,
    }
}

fn carrier(carrier: Carrier, at: Timestamp) -> Sender {
    let scans = [Scan { status: "in_transit", place: "Leeds", at }];
    let push = Push { event: "evt_access", number: "AB12345", scans: &scans, eta: None, at };
    Sender {
        name: carrier.to_string(),
        secret: Secret::Carriers,
        secrets: carriers::credentials("https://carriers.local"),
        other: if carrier == Carrier::Generic { "easypost" } else { "generic" },
        callback: carriers::of(carrier).push(&push),
        alterations: vec![
            ("AB12345".to_owned(), "AB12346".to_owned()),
            ("Leeds".to_owned(), "Leedz".to_owned()),
        ],
    }
}

impl Sender {
    fn ask(&self) -> Ask {
        Ask::callback(&self.callback)
    }

    /// What is not as it was sent.
    fn spoiled(&self) -> Vec<(String, Ask)> {
        let Callback { headers, body, .. } = &self.callback;
        let mut spoiled = vec![
            ("an empty body".to_owned(), self.ask().with_body("")),
            ("half of the body".to_owned(), self.ask().with_body(&body[..body.len() / 2])),
        ];
        for (from, to) in &self.alterations {
            if body.contains(from) {
                let ask = self.ask().with_body(body.replace(from, to));
                spoiled.push((format!("{from} became {to}"), ask));
            }
        }
        for (name, value) in headers.iter().filter(|(name, _)| !UNREAD.contains(name)) {
            let mut altered = value.clone();
            let last = altered.pop().unwrap();
            altered.push(if last == 'A' || last == '1' { '2' } else { '1' });
            let mut cut = value.clone();
            cut.truncate(value.len() / 2);
            for (what, value) in
                [("another", altered), ("half a", cut), ("an empty", String::new())]
            {
                spoiled.push((format!("{what} {name}"), self.ask().with(name, value)));
            }
            let rest = headers.iter().filter(|(known, _)| known != name).cloned().collect();
            let callback = Callback { headers: rest, ..self.callback.clone() };
            spoiled.push((format!("no {name}"), Ask::callback(&callback)));
        }
        spoiled
    }
}

/// Every sender, of a call that is signed now.
async fn senders(shop: &Shop) -> Vec<Sender> {
    senders_at(shop, shop.now()).await
}

async fn senders_at(shop: &Shop, at: Timestamp) -> Vec<Sender> {
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    let providers = Provider::ALL.iter().map(|it| provider(*it, &payment, at));
    providers.chain(Carrier::ALL.iter().map(|it| carrier(*it, at))).collect()
}

#[tokio::test]
async fn a_signed_call_is_taken_whole_or_not_at_all() {
    let shop = Shop::open().await;
    for sender in senders(&shop).await {
        let before = shop.state().await.unwrap();
        let spoiled = sender.spoiled();
        assert!(spoiled.len() > 2, "{}: nothing of its body is altered", sender.name);
        for (what, ask) in spoiled {
            let reply = shop.reply(&ask).await;
            assert_eq!(reply.status, 401, "{}, {what}: {reply:?}", sender.name);
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
        assert!(shop.state().await.unwrap() == before, "{} wrote something", sender.name);
    }
}

#[tokio::test]
async fn a_signed_call_that_comes_again_changes_nothing() {
    let shop = Shop::open().await;
    for sender in senders(&shop).await {
        let first = shop.reply(&sender.ask()).await;
        assert!(first.status < 300, "{}: {first:?}", sender.name);
        let once = shop.state().await.unwrap();
        let again = shop.reply(&sender.ask()).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{}", sender.name);
        assert!(shop.state().await.unwrap() == once, "{} wrote twice", sender.name);
    }
}

#[tokio::test]
async fn a_call_that_was_not_signed_now_is_refused_where_its_time_is_signed() {
    for (early, late, taken) in [(301, 0, false), (300, 0, true), (0, 300, true), (0, 301, false)] {
        let shop = Shop::open().await;
        let senders = senders_at(&shop, shop.now().plus(Period::of_seconds(early))).await;
        shop.clock().advance(Period::of_seconds(late));
        for sender in senders {
            let reply = shop.reply(&sender.ask()).await;
            let taken = taken || WITHOUT_TIME.contains(&sender.name.as_str());
            let name = &sender.name;
            let expected = if taken { reply.status.min(299) } else { 401 };
            assert_eq!(reply.status, expected, "{name}, {early} s early, {late} s late");
        }
    }
}

#[tokio::test]
async fn another_senders_secret_opens_nothing() {
    let shop = Shop::open().await;
    for sender in senders(&shop).await {
        let before = shop.state().await.unwrap();
        for keys in [sender.secrets[sender.other]["webhook_secrets"].clone(), Value::Null] {
            let fork = shop.fork().unwrap();
            let mut secrets = sender.secrets.clone();
            match keys {
                Value::Null => drop(secrets.as_object_mut().unwrap().remove(&sender.name)),
                keys => secrets[&sender.name]["webhook_secrets"] = keys,
            }
            fork.set_secret(sender.secret, secrets);
            let reply = fork.ask(&sender.ask()).await.unwrap();
            assert_eq!(reply.status, 401, "{}: {reply:?}", sender.name);
            assert!(fork.state().await.unwrap() == before, "{} wrote something", sender.name);
        }
    }
}

#[tokio::test]
async fn nobody_sends_in_anothers_name() {
    let shop = Shop::open().await;
    let senders = senders(&shop).await;
    let before = shop.state().await.unwrap();
    for sender in &senders {
        let of_kind = senders.iter().filter(|other| {
            other.secret == sender.secret && other.callback.path != sender.callback.path
        });
        for other in of_kind {
            let callback = Callback { path: other.callback.path, ..sender.callback.clone() };
            let reply = shop.reply(&Ask::callback(&callback)).await;
            assert_eq!(reply.status, 401, "{} as {}: {reply:?}", sender.name, other.name);
        }
    }
    assert!(shop.state().await.unwrap() == before);
}
