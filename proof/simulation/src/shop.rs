//! The shops that seeds draw: what they sell, and by which rules.

use aftercart::model::{
    policy::{Policy, PolicyError},
    time::{Period, Timestamp},
};
use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::dice::Dice;

/// How many kinds of shops there are.
pub(crate) const KINDS: u64 = 6;

/// When every run begins: on a Monday morning.
pub(crate) const OPENS: &str = "2026-11-23T08:00:00Z";

/// A product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    pub(crate) sku: &'static str,
    pub(crate) price: i64,
}

/// What is sold. There is never more than one of the last one.
pub(crate) const PRODUCTS: [Product; 4] = [
    Product { sku: "TEA", price: 1_250 },
    Product { sku: "CUP", price: 800 },
    Product { sku: "POT", price: 3_999 },
    Product { sku: "LAST", price: 5_000 },
];

/// The rewards that members may take.
pub(crate) const REWARDS: [&str; 4] = ["mug", "five-off", "service", "upgrade"];

/// A shop.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    /// Which kind: 0 is the plainest.
    pub(crate) kind: u64,
    /// The currency of its prices.
    pub(crate) currency: &'static str,
    /// The providers that take its money.
    pub(crate) providers: &'static [&'static str],
    /// The country of its customers.
    pub(crate) country: &'static str,
}

impl Shop {
    /// The shop of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let kind = seed % KINDS;
        let chinese = kind == 5;
        Self {
            kind,
            currency: if chinese { "CNY" } else { "GBP" },
            providers: if chinese {
                &["wechat_pay", "alipay", "unionpay", "sandbox"]
            } else {
                &["sandbox", "stripe", "paypal", "adyen"]
            },
            country: if chinese { "CN" } else { "GB" },
        }
    }

    /// Whether members' contests and teams run.
    pub(crate) fn has_contests(&self) -> bool {
        self.kind == 3
    }

    /// Its policy.
    ///
    /// # Errors
    /// [`PolicyError`] when the document is none.
    pub(crate) fn policy(&self, opens: Timestamp) -> Result<Value, PolicyError> {
        let mut policy = json!(Policy::default_document()?);
        self.pay(&mut policy);
        self.give(&mut policy);
        self.store(&mut policy);
        if self.kind != 0 {
            self.earn(&mut policy);
            self.ask(&mut policy);
        }
        if self.has_contests() {
            let until = opens.plus(Period::of_days(20));
            let contest = |id: &str| {
                json!({
                    "id": id, "title": { "en": "Spring" }, "from": opens, "until": until,
                    "purchases": true, "prizes": [500, 100], "salt": "s",
                })
            };
            let mut relay = contest("relay");
            relay["team_size"] = 2.into();
            policy["points"]["contests"] = json!([contest("sprint"), relay]);
        }
        if self.kind == 4 {
            policy["risk"] = json!({ "rules": [{
                "id": "busy", "title": "Many orders of a member",
                "when": { "velocity": { "of": "customer", "more_than": 2, "within": "1h" } },
                "then": "review",
            }] });
        }
        Policy::parse(&policy.to_string())?;
        Ok(policy)
    }

    fn pay(&self, policy: &mut Value) {
        let method = |provider: &&str| match *provider {
            "stripe" => json!({ "method": "card", "provider": "stripe" }),
            "sandbox" => json!({ "method": "test", "provider": "sandbox" }),
            "adyen" => json!({ "method": "klarna", "provider": "adyen" }),
            other => json!({ "method": other, "provider": other }),
        };
        let methods: Vec<Value> = self.providers.iter().map(method).collect();
        policy["payments"]["methods"] = methods.into();
        policy["payments"]["return_url"] = "https://shop.example/orders/{order}".into();
        if self.kind % 2 == 1 {
            policy["payments"]["late"] =
                json!({ "expired": "accept", "cancelled": "refund", "apology_points": 50 });
            policy["payments"]["keep_bodies"] = "30d".into();
        }
    }

    /// Points that pay, are given, drawn and adjusted; offers that friends share.
    fn give(&self, policy: &mut Value) {
        let points = &mut policy["points"];
        points["offset"] = json!({
            "minor_per_100_points": { self.currency: 100 }, "max_share": 5_000, "least_points": 1,
        });
        points["gifts"] = json!({
            "least": 10, "most": 500, "per_month": 900, "per_day": 3, "accepted_per_month": 600,
            "open": "7d", "kept_for": "30d", "member_for": "0s",
        });
        points["campaigns"] = json!([{
            "id": "rain", "title": { "en": "Points rain" }, "from": "2026-01-01T00:00:00Z",
            "until": "2036-01-01T00:00:00Z", "pool": 40, "draws_per_day": 3,
            "per_member": 20, "draws": [{ "points": 7, "weight": 1 }],
        }]);
        points["adjustments"] = json!({ "alone_up_to": 1_000, "alone_per_day": 20_000 });
        policy["shares"]["campaigns"] = json!([{
            "id": "group", "title": { "en": "group" }, "within": "1d", "most": 2,
            "joins_per_member": 1, "voucher_life": "7d",
            "steps": [{ "joined": 2, "to": "all", "rule": "sorry" }],
        }]);
    }

    /// Two places with goods, one of them with levels in parts; systems that
    /// are told.
    fn store(&self, policy: &mut Value) {
        policy["stock"] = json!({
            "locations": [
                { "id": "main", "title": "Main" },
                { "id": "north", "title": "North", "countries": [self.country] },
            ],
            "hot": { "TEA": 3 },
            "low_at": 3,
        });
        let costs = |amount: i64| json!({ self.currency: [{ "amount": amount }] });
        policy["logistics"]["services"] = json!([
            { "id": "post", "carrier": "generic", "courier": "royal", "max_grams": 2000,
              "costs": costs(400), "days": 3 },
            { "id": "bike", "carrier": "generic", "max_grams": 1000, "costs": costs(300), "days": 1 },
        ]);
        if self.kind.is_multiple_of(2) {
            policy["webhooks"] = json!({ "endpoints": [{
                "id": "erp", "url": "https://erp.example.com/hooks/erp",
                "events": ["order.paid", "order.cancelled", "parcel.delivered"],
            }] });
        }
        if self.kind == 2 {
            let polled = json!({ "per_minute": 60 });
            policy["logistics"]["polling"]["carriers"]["easypost"] = polled.clone();
            policy["logistics"]["polling"]["carriers"]["generic"] = polled;
            policy["logistics"]["keep_payloads"] = "30d".into();
        }
    }

    fn earn(&self, policy: &mut Value) {
        let title = |en: &str| json!({ "en": en });
        policy["points"]["earning"] = json!({
            "caps": { "order": 1_500 },
            "multipliers": [],
            "actions": [
                { "id": "check-in", "title": title("Check-in"), "action": "check_in", "points": 1,
                  "per_month": 20, "streak": { "3": 5 } },
                { "id": "review", "title": title("Review"), "action": "review", "points": 20,
                  "per_day": 1, "counts": "feedback" },
                { "id": "survey", "title": title("Survey"), "action": "survey_answer", "points": 15 },
                { "id": "valuable", "title": title("Valuable"), "action": "valuable_feedback",
                  "points": 50, "counts": "feedback" },
            ],
            "milestones": [
                { "id": "two", "title": title("Two orders"), "reach": { "orders": 2 }, "points": 20 },
            ],
        });
        let level = |id: &str, points: i64| {
            json!({ "id": id, "title": title(id), "reach": [{ "points": points }],
                    "benefits": { "extra": 1_000 } })
        };
        policy["points"]["tiers"] = json!({
            "levels": [level("silver", 20), level("gold", 60)], "period": { "months": 3 },
            "warnings": [30],
        });
        let alerts = &mut policy["logistics"]["alerts"];
        for kind in ["late", "returned"] {
            alerts[kind]["points"] = 200.into();
            alerts[kind]["voucher"] = json!({ "rule": "sorry", "life": "30d" });
        }
    }

    fn ask(&self, policy: &mut Value) {
        let checkout = json!({
            "id": "about-checkout", "on": "checkout", "delay": "1d", "open": "30d",
            "questions": [{ "id": "easy", "kind": "ces" }],
        });
        if let Some(touchpoints) = policy["surveys"]["touchpoints"].as_array_mut() {
            touchpoints.push(checkout);
        }
        if self.kind % 2 == 1 {
            policy["contact"]["quiet"] = Value::Null;
        }
    }

    /// Its price rules: a code that few may use, and what vouchers are for.
    pub(crate) fn price_rules(&self) -> Value {
        let off = |off: i64| json!({ "amount": { "currency": self.currency, "off": off } });
        let voucher = |id: &str, effect: Value| json!({ "id": id, "title": { "en": id }, "coupon": { "voucher": true }, "effect": effect });
        json!({ "version": "1", "zone": "UTC", "rules": [
            {
                "id": "tea-ten", "title": { "en": "Ten per cent off" },
                "coupon": { "code": "TEA10" }, "limits": { "total": 3, "shards": 2 },
                "effect": { "percent": { "off": 1_000 } },
            },
            voucher("sorry", json!({ "percent": { "off": 1_000 } })),
            voucher("five-off", off(500)),
            voucher("welcome", off(300)),
        ] })
    }

    /// What has to be asked for before anybody comes.
    pub(crate) fn opening(&self, policy: &Value, dice: &mut Dice) -> Vec<Ask> {
        let operator = |ask: Ask| ask.by(Caller::Operator);
        let mut asks = vec![
            operator(Ask::put("/policy", policy)),
            operator(Ask::put("/price-rules", &self.price_rules())),
        ];
        for product in PRODUCTS {
            let price = json!({ "amount": product.price, "currency": self.currency });
            let body = json!({ "title": product.sku, "price": price, "facts": { "grams": 200 } });
            asks.push(operator(Ask::put(format!("/products/{}", product.sku), &body)));
            let units = if product.sku == "LAST" { 1 } else { dice.between(2, 9) };
            asks.push(receipt(
                product.sku,
                "main",
                units,
                &format!("opening-stock-{}", product.sku),
            ));
        }
        asks.push(receipt("TEA", "north", dice.between(1, 4), "opening-stock-north"));
        let reward = |kind: Value, points: i64| json!({ "title": { "en": "A reward" }, "kind": kind, "points": points });
        let mut mug = reward(json!({ "gift": { "sku": "MUG" } }), 60);
        (mug["units"], mug["per_member"]) = (dice.between(1, 3).into(), 2.into());
        let rewards = [
            mug,
            reward(json!({ "coupon": { "rule": "five-off", "valid": "30d" } }), 20),
            reward(json!("service"), 10),
            reward(json!("express_upgrade"), 30),
        ];
        for (id, reward) in REWARDS.iter().zip(rewards) {
            asks.push(operator(Ask::put(format!("/rewards/{id}"), &reward)));
        }
        asks
    }
}

/// Goods come in at a place.
pub(crate) fn receipt(sku: &str, location: &str, units: u32, key: &str) -> Ask {
    let body = json!({ "kind": "receipt", "location": location, "units": units });
    let ask = Ask::post(format!("/products/{sku}/movements"), &body);
    ask.by(Caller::Operator).keyed(&long(key))
}

/// A key as long as keys have to be.
pub(crate) fn long(key: &str) -> String {
    format!("{key:_<24}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_shop_has_a_policy() {
        let opens = Timestamp::parse(OPENS).unwrap();
        for seed in 0..KINDS {
            Shop::of(seed).policy(opens).unwrap();
        }
    }
}
