//! Guests' passes: each opens the one order that it came with, until it ends.

use aftercart::model::time::Period;
use aftercart_infra::world::secrets;
use serde_json::Value;

use crate::shop::{Shop, key};

use super::{Called, attempts, calls, links, named};

/// Every route that wants a guest's pass.
pub(super) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/guest/orders/{id}"),
    ("POST", "/guest/orders/{id}/cancel"),
    ("POST", "/guest/orders/{id}/units/cancel"),
    ("PUT", "/guest/orders/{id}/shipping-address"),
    ("GET", "/guest/orders/{id}/payment-methods"),
    ("POST", "/guest/orders/{id}/payments"),
    ("GET", "/guest/orders/{id}/payments"),
    ("GET", "/guest/orders/{id}/payments/{payment}"),
    ("GET", "/guest/orders/{id}/tracking"),
    ("POST", "/guest/orders/{id}/tickets"),
];

impl Called {
    /// The call with another pass.
    fn passing(&self, pass: &str) -> Value {
        let mut event = self.event.clone();
        event["headers"]["order-token"] = pass.into();
        event
    }
}

#[tokio::test]
async fn a_pass_opens_its_own_order_only() {
    let wanted = |route: &aftercart::run::Route| ROUTES.contains(&(route.method, route.path));
    for called in calls(wanted).await {
        let pass = called.event["headers"]["order-token"].as_str().unwrap().to_owned();
        let mut none = called.event.clone();
        none["headers"].as_object_mut().unwrap().remove("order-token");
        let spoiled = links::spoiled(&pass).into_iter().map(|pass| called.passing(&pass));
        let others = links::every_kind(&called.shop, secrets::LINKS).await.into_iter();
        let others = others.filter(|(kind, _)| *kind != links::Kind::Pass);
        let others = others.map(|(_, token)| called.passing(&token));
        let another = called.shop.place_as_guest("CUP", 1, &key("another", 1)).await;
        let mut tried = attempts("no pass", &[401], [none]);
        tried.extend(attempts("a spoiled pass", &[401], spoiled));
        tried.extend(attempts("a token of another kind", &[401], others));
        tried.extend(attempts("another's pass", &[404], [called.passing(&another.token)]));
        called.refuses(&tried).await;
        ends(&called.shop, &called).await;
    }
}

/// A pass ends with its time, and with the key that signed it.
async fn ends(shop: &Shop, called: &Called) {
    let fork = shop.fork().unwrap();
    fork.clock().advance(Period::of_days(3_650));
    let reply = fork.invoke(called.function, &called.event).await.unwrap();
    assert_eq!(reply["statusCode"], 401, "{} with an old pass", named(&called.route));
    let fork = shop.fork().unwrap();
    links::change_the_key(&fork);
    let reply = fork.invoke(called.function, &called.event).await.unwrap();
    assert_eq!(reply["statusCode"], 401, "{} with a pass of no key", named(&called.route));
}
