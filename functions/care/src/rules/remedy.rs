//! Whether what an operator asks for makes sense, before anybody is asked for it.

use aftercart::model::{
    order::{MAX_LINES, MAX_QUANTITY},
    price::PriceRules,
    reward::MAX_VALID,
    ticket::RemedyKind,
    time::Timestamp,
};

use super::changing::{Deed, Refusal};

/// Refuses what no ticket can ask for, with the place of the call's body and a
/// sentence. What an order, a ledger or a shipment allows, the part of the shop
/// says that has it, in the outcome: the currency of the order is one of those.
///
/// # Errors
/// The place and the sentence.
pub fn check(kind: &RemedyKind) -> Result<(), (String, String)> {
    match kind {
        RemedyKind::Refund { lines, goodwill, .. } => {
            if lines.len() > MAX_LINES {
                let why = format!("Name at most {MAX_LINES} lines.");
                return Err(("remedy.lines".to_owned(), why));
            }
            let odd = |units: &u32| !(1..=MAX_QUANTITY).contains(units);
            if let Some((sku, _)) = lines.iter().find(|(_, units)| odd(units)) {
                let why = format!("Say how many units in all, 1 to {MAX_QUANTITY}.");
                return Err((format!("remedy.lines.{sku}"), why));
            }
            match goodwill.filter(|amount| amount.minor() <= 0) {
                Some(_) => {
                    let why = "Must be more than nothing.".to_owned();
                    Err(("remedy.goodwill.amount".to_owned(), why))
                }
                None => Ok(()),
            }
        }
        RemedyKind::Coupon { lasts: Some(lasts), .. }
            if lasts.seconds() == 0 || *lasts > MAX_VALID =>
        {
            let why = "Must be longer than nothing and at most ten years.".to_owned();
            Err(("remedy.lasts".to_owned(), why))
        }
        _ => Ok(()),
    }
}

/// Why a voucher is not given that would be worth nothing, if that is what is to
/// be done.
#[must_use]
pub fn void(deed: &Deed, rules: &PriceRules, now: Timestamp) -> Option<Refusal> {
    match deed {
        Deed::Remedy { kind: RemedyKind::Coupon { rule, .. }, .. } => {
            (!rules.honours(rule, now)).then(|| Refusal::NoVoucher(rule.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{price::RuleId, text::Text};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_no_ticket_can_ask_for_is_refused_at_its_place() {
        let many: serde_json::Map<_, _> =
            (0..=MAX_LINES).map(|number| (format!("SKU-{number}"), json!(1))).collect();
        let goodwill = |amount| json!({ "amount": amount, "currency": "GBP" });
        for (kind, place) in [
            (json!({ "kind": "refund", "lines": many }), Some("remedy.lines")),
            (json!({ "kind": "refund", "lines": { "TEA": 0 } }), Some("remedy.lines.TEA")),
            (json!({ "kind": "refund", "lines": { "TEA": 1_000 } }), Some("remedy.lines.TEA")),
            (json!({ "kind": "refund", "lines": { "TEA": 999 } }), None),
            (json!({ "kind": "refund", "goodwill": goodwill(0) }), Some("remedy.goodwill.amount")),
            (json!({ "kind": "refund", "goodwill": goodwill(1) }), None),
            (json!({ "kind": "refund", "delivery": true }), None),
            (json!({ "kind": "coupon", "rule": "sorry", "lasts": "0s" }), Some("remedy.lasts")),
            (json!({ "kind": "coupon", "rule": "sorry", "lasts": "3651d" }), Some("remedy.lasts")),
            (json!({ "kind": "coupon", "rule": "sorry", "lasts": "1d" }), None),
            (json!({ "kind": "coupon", "rule": "sorry" }), None),
            (json!({ "kind": "points", "points": 5 }), None),
        ] {
            let checked = check(&serde_json::from_value(kind.clone()).unwrap());
            assert_eq!(checked.err().map(|it| it.0).as_deref(), place, "{kind}");
        }
    }

    #[test]
    fn a_voucher_is_of_a_rule_that_takes_it_and_is_in_force() {
        let rules = |rest: &str| {
            PriceRules::parse(&format!(
                r#"{{"version":"1","zone":"UTC","rules":[{{"id":"sorry","title":{{"en":"Sorry"}},
                "effect":{{"percent":{{"off":1000}}}}{rest}}}]}}"#
            ))
            .unwrap()
        };
        let deed = |kind: &str| Deed::Remedy {
            key: Text::new("a-key-of-a-remedy").unwrap(),
            kind: serde_json::from_str(kind).unwrap(),
        };
        let coupon = deed(r#"{"kind":"coupon","rule":"sorry"}"#);
        let now = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
        let refused = Some(Refusal::NoVoucher(RuleId::parse("sorry").unwrap()));
        let voucher = r#","coupon":{"voucher":true}"#;
        for (rest, refusal) in [
            (voucher.to_owned(), None),
            (String::new(), refused.clone()),
            (r#","coupon":{"code":"SORRY"}"#.to_owned(), refused.clone()),
            (format!(r#"{voucher},"window":{{"until":"2026-11-01T00:00"}}"#), refused.clone()),
            (format!(r#"{voucher},"window":{{"from":"2027-01-01T00:00"}}"#), refused.clone()),
        ] {
            assert_eq!(void(&coupon, &rules(&rest), now), refusal, "{rest}");
        }
        let unknown = deed(r#"{"kind":"coupon","rule":"moon"}"#);
        assert!(void(&unknown, &rules(voucher), now).is_some());
        assert_eq!(void(&deed(r#"{"kind":"points","points":5}"#), &rules(""), now), None);
    }
}
