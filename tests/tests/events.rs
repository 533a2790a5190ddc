//! The events in `tests/events`, which `cargo dev invoke` sends, tell one story
//! that the functions understand: fed in this order, each has its effect.

use std::{collections::BTreeSet, fs, path::PathBuf};

use aftercart::run::{metrics::Metric, secrets::Secret};
use aftercart_infra::{
    functions,
    world::{Options, World},
};
use serde_json::{Value, json};

/// File, function, and the status of the answer; 0 for what is no request.
/// The passes of guests and the links of surveys in the files are samples that
/// no key has signed.
const STORY: &[(&str, &str, u64)] = &[
    ("product-put", "product-put", 200),
    ("product-view", "product-view", 200),
    ("stock-receive", "stock-receive", 201),
    ("stock-move", "stock-move", 201),
    ("stock-view", "stock-view", 200),
    ("stock-watch", "stock-watch", 0),
    ("cart-put", "cart-put", 200),
    ("cart-line-put", "cart-line-put", 200),
    ("cart-line-put-guest", "cart-line-put", 200),
    ("cart-view", "cart-view", 200),
    ("cart-view-guest", "cart-view", 200),
    ("cart-merge", "cart-merge", 200),
    ("share-start", "share-start", 422),
    ("share-join", "share-join", 404),
    ("share-view", "share-view", 404),
    ("settings-put", "settings-put", 200),
    ("settings-view", "settings-view", 200),
    ("delivery-report", "delivery-report", 200),
    ("quote-make", "quote-make", 200),
    ("quote-make-guest", "quote-make", 200),
    ("order-place", "order-place", 201),
    ("order-place-guest", "order-place", 201),
    ("order-list", "order-list", 200),
    ("order-view", "order-view", 200),
    ("order-view-guest", "order-view", 401),
    ("address-change", "address-change", 200),
    ("payment-methods", "payment-methods", 200),
    ("payment-start", "payment-start", 201),
    ("payment-start-guest", "payment-start", 401),
    ("payment-view", "payment-view", 200),
    ("payment-callback", "payment-callback", 200),
    ("payment-callback-stripe", "payment-callback", 200),
    ("relay-payments", "relay", 0),
    ("payment-fold", "payment-fold", 0),
    ("relay", "relay", 0),
    ("order-retake", "order-retake", 0),
    ("order-follow", "order-follow", 0),
    ("order-search", "order-search", 200),
    ("risk-list", "risk-list", 200),
    ("customer-put", "customer-put", 200),
    ("voucher-grant", "voucher-grant", 201),
    ("voucher-list", "voucher-list", 200),
    ("customer-view", "customer-view", 200),
    ("order-hold", "order-hold", 200),
    ("order-hold-release", "order-hold", 200),
    ("shipment-open", "shipment-open", 0),
    ("points-post", "points-post", 0),
    ("label-attach", "label-attach", 200),
    ("shipment-change", "shipment-change", 409),
    ("units-cancel", "units-cancel", 409),
    ("order-cancel", "order-cancel", 409),
    ("order-cancel-guest", "order-cancel", 401),
    ("order-refund", "order-refund", 200),
    ("order-note", "order-note", 200),
    ("order-inspect", "order-inspect", 200),
    ("carrier-event", "carrier-event", 200),
    ("carrier-event-easypost", "carrier-event", 200),
    ("tracking-fold", "tracking-fold", 0),
    ("shipment-watch", "shipment-watch", 0),
    ("alert-list", "alert-list", 200),
    ("alert-resolve", "alert-resolve", 404),
    ("tracking-view", "tracking-view", 200),
    ("tracking-view-guest", "tracking-view", 401),
    ("tracking-page", "tracking-page", 404),
    ("tracking-page-post", "tracking-page", 404),
    ("survey-invite", "survey-invite", 0),
    ("ticket-follow", "ticket-follow", 0),
    ("ticket-open", "ticket-open", 201),
    ("ticket-open-guest", "ticket-open", 401),
    ("ticket-open-operator", "ticket-open", 201),
    ("ticket-list", "ticket-list", 200),
    ("ticket-list-operator", "ticket-list", 200),
    ("ticket-view", "ticket-view", 200),
    ("ticket-view-operator", "ticket-view", 200),
    ("ticket-watch", "ticket-watch", 0),
    ("points-view", "points-view", 200),
    ("points-action", "points-action", 404),
    ("points-action-report", "points-action", 400),
    ("points-estimate", "points-estimate", 200),
    ("points-estimate-guest", "points-estimate", 200),
    ("points-adjust", "points-adjust", 201),
    ("points-adjust-list", "points-adjust", 200),
    ("points-adjust-approval", "points-adjust", 404),
    ("points-gift", "points-gift", 409),
    ("points-gift-list", "points-gift", 200),
    ("points-gift-acceptance", "points-gift", 404),
    ("campaign-draw", "campaign-draw", 404),
    ("membership-view", "membership-view", 200),
    ("tier-grant", "tier-grant", 400),
    ("member-code", "member-code", 200),
    ("till", "till", 422),
    ("account-link", "account-link", 422),
    ("account-link-undoing", "account-link", 404),
    ("link-change", "link-change", 201),
    ("link-change-list", "link-change", 200),
    ("team-change", "team-change", 400),
    ("team-change-members", "team-change", 404),
    ("team-change-me", "team-change", 404),
    ("team-change-name", "team-change", 404),
    ("contest-view", "contest-view", 404),
    ("contest-view-members", "contest-view", 404),
    ("contest-end", "contest-end", 0),
    ("points-tally", "points-tally", 0),
    ("points-report", "points-report", 200),
    ("points-audit", "points-audit", 200),
    ("points-programme", "points-programme", 200),
    ("points-programme-offers", "points-programme", 200),
    ("points-page", "points-page", 404),
    ("reward-put", "reward-put", 200),
    ("reward-catalogue", "reward-catalogue", 200),
    ("reward-redeem", "reward-redeem", 409),
    ("redemption-list", "redemption-list", 200),
    ("redemption-list-operator", "redemption-list", 200),
    ("redemption-change", "redemption-change", 404),
    ("redemption-change-cancellation", "redemption-change", 404),
    ("order-expire", "order-expire", 0),
    ("cart-remind", "cart-remind", 0),
    ("points-settle", "points-settle", 0),
    ("provider-call", "provider-call", 0),
    ("payment-sweep", "payment-sweep", 0),
    ("carrier-poll", "carrier-poll", 0),
    ("case-list", "case-list", 200),
    ("case-resolve", "case-resolve", 404),
    ("settlement-import", "settlement-import", 200),
    ("webhook-send", "webhook-send", 0),
    ("webhook-sweep", "webhook-sweep", 0),
    ("webhook-list", "webhook-list", 200),
    ("ticket-change", "ticket-change", 404),
    ("ticket-change-reply", "ticket-change", 404),
    ("ticket-change-note", "ticket-change", 404),
    ("ticket-change-priority", "ticket-change", 404),
    ("ticket-change-remedies", "ticket-change", 201),
    ("order-request", "order-request", 0),
    ("ticket-change-solution", "ticket-change", 404),
    ("ticket-change-reopening", "ticket-change", 404),
    ("ticket-page", "ticket-page", 404),
    ("ticket-page-post", "ticket-page", 404),
    ("complaint-page", "complaint-page", 404),
    ("complaint-page-post", "complaint-page", 404),
    ("ticket-report", "ticket-report", 200),
    ("contact-gate", "contact-gate", 0),
    ("contact-release", "contact-release", 0),
    ("contact-preferences-put", "contact-preferences", 200),
    ("contact-preferences", "contact-preferences", 200),
    ("contact-page", "contact-page", 404),
    ("contact-page-one-click", "contact-page", 404),
    ("contact-list", "contact-list", 200),
    ("survey-send", "survey-send", 0),
    ("survey-view", "survey-view", 404),
    ("survey-answer", "survey-answer", 404),
    ("survey-report", "survey-report", 404),
    ("survey-report-operator", "survey-report", 200),
    ("feedback-fold", "feedback-fold", 0),
    ("feedback-list", "feedback-list", 200),
    ("feedback-reward", "feedback-reward", 404),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("events")
}

#[tokio::test]
async fn the_sample_events_tell_one_story() {
    let world = World::new(&functions(), Options::default()).await.unwrap();
    let signed = |secret: &str| json!({ "webhook_secrets": [secret] });
    let payments =
        json!({ "sandbox": signed("example-secret"), "stripe": signed("whsec_example") });
    world.set_secret(Secret::Payments, payments);
    let carriers =
        json!({ "generic": signed("example-secret"), "easypost": signed("example-secret") });
    world.set_secret(Secret::Carriers, carriers);
    for (file, function, status) in STORY {
        let text = fs::read_to_string(folder().join(format!("{file}.json"))).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let answer = world.invoke(function, &event).await.unwrap();
        match status {
            0 => assert_eq!(
                answer.get("batchItemFailures").unwrap_or(&json!([])),
                &json!([]),
                "{file}"
            ),
            status => assert_eq!(answer["statusCode"], *status, "{file}: {answer}"),
        }
    }
    assert_eq!(world.metrics().counted(Metric::MessageParked), 0);
    for metric in [Metric::OrderPaid, Metric::ParcelDelivered, Metric::SurveyInvited] {
        assert_eq!(world.metrics().counted(metric), 1, "{metric:?}");
    }
    assert_eq!(world.metrics().counted(Metric::PointsPosted), 25);
}

#[test]
fn every_event_is_in_the_story_and_every_function_has_one() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let told: BTreeSet<String> = STORY.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(files, told);
    for function in functions() {
        assert!(files.contains(function.name), "{}", function.name);
    }
}
