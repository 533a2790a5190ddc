//! What schemathesis is told: whose tokens there are, which things the paths
//! can name, and what is asked of answers.

use serde_json::{Value, json};

use super::shop::{ORDERS, Shop};

/// How often a path names something that there is.
const HIT: &str = "0.8";

/// Written first.
const HEAD: &str = r#"# Written by `cargo dev api-check`.

continue-on-failure = true
max-redirects = 0

[generation]
mode = "all"
database = "none"

[phases.stateful]
enabled = false

# API Gateway answers 404, not 405, to a method that a path has not.
[phases.coverage]
unexpected-methods = []

[checks.unsupported_method]
enabled = false

# A body may have the right form and be refused all the same: by a rule over several of its fields,
# by what it names, or by the state of things.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "303", "400", "401", "404", "409", "410", "422", "429"]

# A path that names nothing is not found, whatever its form is. What a page's form lacks is said on
# the page.
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "406", "409", "410", "413", "415", "422", "429"]
"#;

/// The kinds of things that a parameter of a path names; of a whole path first.
const THINGS: &[(&str, &str, &str)] = &[
    ("/products/", "sku", "sku"),
    ("/cart/lines/", "sku", "sku"),
    ("/guest/cart/lines/", "sku", "sku"),
    ("/callbacks/", "provider", "provider"),
    ("/operator/settlements/", "provider", "provider"),
    ("/carriers/", "carrier", "carrier"),
    ("/customers/", "id", "customer"),
    ("/operator/customers/", "id", "customer"),
    ("/operator/orders/", "customer", "customer"),
    ("/operator/orders/", "id", "paid order"),
    ("/orders/{id}/payments/{payment}", "id", "order being paid"),
    ("/orders/{id}/payments/{payment}", "payment", "payment"),
    ("/orders/{id}/payments", "id", "open order"),
    ("/orders/{id}/payment-methods", "id", "open order"),
    ("/orders/{id}/tracking", "id", "paid order"),
    ("/orders/{id}/shipments", "id", "paid order"),
    ("/orders/{id}/shipments", "shipment", "shipment"),
    ("/orders/{id}/returns", "id", "paid order"),
    ("/orders/", "id", "open order"),
    ("/guest/orders/", "id", "guest order"),
    ("/me/tickets/", "id", "ticket"),
    ("/operator/tickets/", "id", "ticket"),
    ("/me/redemptions/", "id", "redemption"),
    ("/operator/redemptions/", "id", "redemption"),
    ("/rewards/", "id", "reward"),
    ("/me/gifts/", "id", "gift"),
    ("/operator/points/adjustments/", "id", "adjustment"),
    ("/me/links/", "id", "link"),
    ("/operator/links/", "id", "link"),
    ("/me/teams/", "team", "team"),
    ("/contests/", "contest", "contest"),
    ("/me/contests/", "contest", "contest"),
    ("/me/campaigns/", "campaign", "campaign"),
    ("/shares/", "id", "share"),
    ("/operator/alerts/", "id", "alert"),
    ("/operator/feedback/", "invite", "invite"),
    ("/t/", "token", "/t/"),
    ("/complaints/", "token", "/complaints/"),
    ("/s/", "token", "/s/"),
    ("/c/", "token", "/c/"),
    ("/m/", "token", "/m/"),
    ("/u/", "token", "/u/"),
    ("/r/", "token", "/r/"),
];

/// Paths whose parameters belong together: an order with its pass, its shipment
/// or its payment. Each gets a pair of its own.
const PAIRED: [&str; 3] = ["/guest/orders/{id}", "{shipment}", "{payment}"];

/// The whole configuration.
pub(super) fn written(document: &Value, shop: &Shop, tokens: &[(&str, &str)]) -> String {
    let mut text = Text { of_all: HEAD.to_owned(), of_each: String::new(), pairs: 0, lists: 0 };
    for (scheme, token) in tokens {
        let auth = format!("\n[auth.openapi.{scheme}]\nbearer = {}\n", json!(token));
        text.of_all.push_str(&auth);
    }
    let pass = json!(shop.things("pass").first());
    text.of_all.push_str(&format!("\n[auth.openapi.guest]\napi_key = {pass}\n"));
    for (path, of_path) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in of_path.as_object().into_iter().flatten() {
            let named = parameters(path, operation);
            if !named.is_empty() {
                text.operation(&method.to_uppercase(), path, &named, shop);
            }
        }
    }
    text.of_all + &text.of_each
}

/// What is written so far.
struct Text {
    of_all: String,
    of_each: String,
    pairs: usize,
    lists: usize,
}

impl Text {
    /// What the parameters of an operation's path name.
    fn operation(&mut self, method: &str, path: &str, named: &[(&str, &str)], shop: &Shop) {
        let is_paired = PAIRED.iter().any(|part| path.contains(part));
        let only = is_paired.then_some(self.pairs % ORDERS);
        self.pairs += usize::from(is_paired);
        let name = json!(format!("{method} {path}"));
        self.of_each.push_str(&format!("\n[[operations]]\ninclude-name = {name}\n"));
        if let Some(only) = only.filter(|_| path.starts_with("/guest/")) {
            let pass = json!(shop.things("pass").get(only));
            self.of_each.push_str(&format!("headers = {{ Order-Token = {pass} }}\n"));
        }
        for (parameter, kind) in named {
            let things = shop.things(kind);
            let things = only.map_or(Some(things), |only| things.get(only..=only));
            if let Some(things) = things.filter(|things| !things.is_empty()) {
                self.lists += 1;
                let (list, values) = (self.lists, json!(things));
                self.of_all.push_str(&format!("\n[dictionaries.d{list}]\nvalues = {values}\n"));
                self.of_each.push_str(&format!(
                    "parameters.\"path.{parameter}\" = \
                     {{ dictionary = \"d{list}\", probability = {HIT} }}\n"
                ));
            }
        }
    }
}

/// The parameters of a path of which there is something, with its kind.
fn parameters<'a>(path: &str, operation: &'a Value) -> Vec<(&'a str, &'static str)> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let names = all.filter(|it| it["in"] == "path").filter_map(|it| it["name"].as_str());
    let kind = |name: &str| {
        let mut fitting =
            THINGS.iter().filter(|(of, parameter, _)| path.starts_with(of) && *parameter == name);
        fitting.next().map(|(_, _, kind)| *kind)
    };
    names.filter_map(|name| Some((name, kind(name)?))).collect()
}
