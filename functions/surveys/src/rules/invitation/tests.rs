use std::collections::BTreeSet;

use aftercart::model::{
    customer::Language,
    delivery::{MethodId, Promise},
    id::OrderId,
    money::{Currency, Money},
    order::{Actor, Happening as Done, OrderDelivery, OrderLine},
    policy::Policy,
    price::RuleId,
    product::Sku,
    shipment::{Carrier, Journey, Tracking, TrackingNumber},
    stock::LocationId,
    survey::TouchpointId,
};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A line of three units.
fn line(gift: Option<RuleId>) -> OrderLine {
    let free = Money::zero(Currency::parse("EUR").unwrap());
    OrderLine {
        sku: Sku::parse("TEA").unwrap(),
        title: Text::new("Tea").unwrap(),
        category: None,
        brand: None,
        quantity: 3,
        unit_price: free,
        discount: free,
        total: free,
        tax: free,
        points: free,
        gift,
        cancelled: 0,
        refunded: 0,
        stock: Vec::new(),
    }
}

fn order() -> Order {
    let paid_at = at("2026-11-01T00:00:00Z");
    let free = Money::zero(Currency::parse("EUR").unwrap());
    Order {
        id: OrderId::derive(&["1"]),
        customer: CustomerId::guest("k"),
        placed_at: paid_at,
        status: OrderStatus::Paid,
        lines: vec![line(None), line(RuleId::parse("gift").ok())],
        discounts: Vec::new(),
        delivery: OrderDelivery {
            method: MethodId::parse("standard").unwrap(),
            price: free,
            discount: free,
            tax: free,
            points: 0,
            promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
        },
        tax_included: true,
        points: None,
        quotas: Vec::new(),
        vouchers: Vec::new(),
        cart: None,
        channel: None,
        device: None,
        card: None,
        risk: None,
        held_at: None,
        history: Vec::new(),
        total: free,
        address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
            .unwrap(),
        contact: serde_json::from_str(r#"{"email":"a@b.cd","language":"zh"}"#).unwrap(),
        hold_until: paid_at,
        expires_at: None,
        payments: Vec::new(),
        paid_at: Some(paid_at),
        refunds_due: Vec::new(),
        request: "r".to_owned(),
        policy: "1".to_owned(),
    }
}

/// So many parcels, each delivered then or not.
fn dispatch(delivered: &[Option<Timestamp>]) -> Dispatch {
    let (order, opened_at) = (order(), at("2026-11-01T00:00:00Z"));
    let shipment = |(number, delivered_at): (u16, &Option<Timestamp>)| Shipment {
        journey: Journey { delivered_at: *delivered_at, ..Journey::pending() },
        ..Shipment::new(&order.id, number, LocationId::default(), Vec::new(), opened_at)
    };
    let shipments = (1..).zip(delivered).map(shipment).collect();
    Dispatch { shipments, ..Dispatch::unopened(&order, opened_at) }
}

/// A touchpoint of everybody's, on an occasion, three days later.
fn touchpoint(on: &str, more: &str) -> Touchpoint {
    let text = format!(
        r#"{{"id":"t","on":"{on}","delay":"3d","open":"30d",
            "questions":[{{"id":"q","kind":"nps"}}]{more}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn policy(touchpoints: Vec<Touchpoint>) -> SurveysPolicy {
    SurveysPolicy { touchpoints, ..SurveysPolicy::default() }
}

fn text(text: &str) -> Text<40> {
    Text::new(text).unwrap()
}

/// What is asked of an order that arrived.
fn asked(order: &Order, dispatch: Option<&Dispatch>, policy: &SurveysPolicy) -> Vec<Invite> {
    delivered(order, dispatch, None).iter().flat_map(|it| invites(it, policy)).collect()
}

#[test]
fn a_delivery_is_asked_about_a_while_later() {
    let policy = Policy::default_document().unwrap().surveys;
    let invited = |dispatch: Option<&Dispatch>| asked(&order(), dispatch, &policy);
    assert_eq!(invited(None), []);
    let (first, last) = (at("2026-11-04T10:00:00Z"), at("2026-11-05T10:00:00Z"));
    for waits in [&[][..], &[None], &[Some(first), None]] {
        assert_eq!(invited(Some(&dispatch(waits))), []);
    }
    let known = invited(Some(&dispatch(&[Some(last), Some(first)])));
    let [invite] = &known[..] else { panic!("{known:?}") };
    assert_eq!(invite.due, at("2026-11-08T10:00:00Z"));
    assert_eq!(invite.expires, at("2026-12-08T10:00:00Z"));
    assert_eq!((invite.language, invite.occasion), (Language::Zh, Occasion::Delivery));
    assert!(invite.status.is_scheduled());
    let mut refunded = order();
    (refunded.lines[0].cancelled, refunded.lines[0].refunded) = (1, 1);
    assert!(is_kept(&refunded), "one is left");
    refunded.lines[0].refunded = 2;
    assert!(!is_kept(&refunded), "a gift is no reason to ask");
    assert_eq!(asked(&refunded, Some(&dispatch(&[Some(last)])), &policy), []);
    assert!(!is_kept(&Order { status: OrderStatus::Cancelled, ..order() }));
    let corrected = invited(Some(&dispatch(&[Some(at("2026-11-06T10:00:00Z"))])));
    assert_eq!(corrected[0].id, invite.id);
    assert!(of_goods(&order(), &policy).contains(&invite.id));
}

#[test]
fn a_parcel_that_was_lost_and_sent_again_is_asked_about() {
    let policy = Policy::default_document().unwrap().surveys;
    let came = at("2026-11-09T10:00:00Z");
    let mut parcels = dispatch(&[None, Some(came)]);
    parcels.shipments[1].replaces = Some(parcels.shipments[0].id.clone());
    parcels.shipments[0].cancelled_at = Some(at("2026-11-06T10:00:00Z"));
    let invited = asked(&order(), Some(&parcels), &policy);
    assert_eq!(invited[0].due, at("2026-11-12T10:00:00Z"));
}

#[test]
fn what_an_answer_is_counted_by_is_known_from_the_start() {
    let (first, last) = (at("2026-11-04T10:00:00Z"), at("2026-11-05T10:00:00Z"));
    let mut dispatch = dispatch(&[Some(last), Some(first)]);
    dispatch.shipments[0].tracking = Some(Tracking {
        carrier: Carrier::Generic,
        number: TrackingNumber::parse("AB-0001").unwrap(),
    });
    let happened = delivered(&order(), Some(&dispatch), Some(&text("gold")));
    let [arrived, used] = &happened[..] else { panic!("{happened:?}") };
    let about = &arrived.about;
    assert_eq!(about.shipment.as_ref(), Some(&dispatch.shipments[0].id), "the last that came");
    assert_eq!(about.carrier, Some(Carrier::Generic));
    assert_eq!(about.lane.as_ref().map(|it| it.1.as_str().to_owned()), Some("GB".to_owned()));
    assert_eq!(about.tier, Some(text("gold")));
    let titles: Vec<&str> = arrived.products.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["Tea"], "what was bought, no gifts");
    assert_eq!(about.products, [arrived.products[0].sku.clone()]);
    for (kind, names) in [("products", 1), ("text", 0)] {
        let mut touchpoint = touchpoint("delivery", "");
        touchpoint.questions[0].kind =
            serde_json::from_value(serde_json::json!({ "kind": kind })).unwrap();
        let policy = policy(vec![touchpoint]);
        let invite = &invites(arrived, &policy)[0];
        assert_eq!(named(arrived, invite, &policy).len(), names);
    }
    assert_eq!((used.occasion, &used.about), (Occasion::Product, about));
}

#[test]
fn what_comes_back_is_asked_about_when_the_money_went() {
    let mut order = order();
    let dispatch = dispatch(&[Some(at("2026-11-05T10:00:00Z"))]);
    let returned = |order: &Order| super::returned(order, Some(&dispatch), None);
    assert_eq!(returned(&order), None);
    let refunded =
        |day: &str| Done { at: at(day), who: Actor::Rule, what: Deed::Refunded, why: None };
    order.history = vec![refunded("2026-11-07T00:00:00Z"), refunded("2026-11-09T00:00:00Z")];
    assert_eq!(returned(&order), None, "for the delivery, or as goodwill");
    order.lines[0].refunded = 1;
    assert_eq!(super::returned(&order, None, None), None, "called off before anything was sent");
    let lost = super::tests::dispatch(&[None]);
    assert_eq!(super::returned(&order, Some(&lost), None), None, "no parcel came");
    let happening = returned(&order).unwrap();
    assert_eq!((happening.occasion, happening.at), (Occasion::Return, at("2026-11-09T00:00:00Z")));
    let policy = policy(vec![touchpoint("return", "")]);
    let once = invites(&happening, &policy);
    order.history.push(refunded("2026-11-11T00:00:00Z"));
    let again = invites(&returned(&order).unwrap(), &policy);
    assert_eq!(once[0].id, again[0].id, "an order is asked about once");
}

#[test]
fn an_audience_is_who_fits_everything_that_it_names() {
    let dispatch = dispatch(&[Some(at("2026-11-05T10:00:00Z"))]);
    for (audience, tier, member, asked) in [
        ("{}", None, false, true),
        (r#"{"members":true}"#, None, false, false),
        (r#"{"members":true}"#, None, true, true),
        (r#"{"tiers":["gold","silver"]}"#, None, true, false),
        (r#"{"tiers":["gold","silver"]}"#, Some("bronze"), true, false),
        (r#"{"tiers":["gold","silver"]}"#, Some("silver"), true, true),
        (r#"{"countries":["GB"]}"#, None, false, true),
        (r#"{"countries":["DE"]}"#, None, false, false),
        (r#"{"languages":["zh"]}"#, None, false, true),
        (r#"{"languages":["en"]}"#, None, false, false),
        (r#"{"countries":["GB"],"languages":["en"]}"#, None, false, false),
    ] {
        let policy = policy(vec![touchpoint("delivery", &format!(r#","audience":{audience}"#))]);
        let mut order = order();
        if member {
            order.customer = CustomerId::member("ada").unwrap();
        }
        let tier = tier.map(text);
        let happened = delivered(&order, Some(&dispatch), tier.as_ref());
        let invited = happened.iter().flat_map(|it| invites(it, &policy)).count();
        assert_eq!(invited == 1, asked, "{audience} {tier:?} {member}");
    }
}

#[test]
fn one_cause_has_an_invitation_to_each_touchpoint() {
    let mut other = touchpoint("delivery", "");
    other.id = TouchpointId::parse("other").unwrap();
    let policy = policy(vec![touchpoint("delivery", ""), other, touchpoint("checkout", "")]);
    let known = asked(&order(), Some(&dispatch(&[Some(Timestamp::EPOCH)])), &policy);
    let ids: BTreeSet<&InviteId> = known.iter().map(|it| &it.id).collect();
    assert_eq!((known.len(), ids.len()), (2, 2));
    let paid = paid(&order(), None);
    assert_eq!(paid.iter().flat_map(|it| invites(it, &policy)).count(), 1);
    let unpaid = Order { status: OrderStatus::Placed, paid_at: None, ..order() };
    assert_eq!(super::paid(&unpaid, None), []);
}

#[test]
fn a_member_is_asked_once_about_each_tier() {
    let policy = policy(vec![touchpoint("tier", "")]);
    let mut last = order();
    last.customer = CustomerId::member("ada").unwrap();
    let of = |tier: &str, since: &str| {
        let happening = tiered(Some(&text(tier)), at(since), &last);
        invites(&happening, &policy).remove(0)
    };
    let gold = of("gold", "2026-11-01T00:00:00Z");
    assert_eq!((gold.about.tier.clone(), gold.about.order.clone()), (Some(text("gold")), None));
    assert_eq!(gold.due, at("2026-11-04T00:00:00Z"));
    assert_eq!(gold.id, of("gold", "2026-11-01T00:00:00Z").id);
    assert_ne!(gold.id, of("gold", "2027-11-01T00:00:00Z").id);
    assert_ne!(gold.id, of("silver", "2026-11-01T00:00:00Z").id);
}

/// The invitations to a survey of every ninety days that orders of a buyer
/// bring, paid on these days.
fn periodic(days: &[u16]) -> Vec<Invite> {
    let policy = policy(vec![touchpoint("relationship", r#","every":"90d""#)]);
    let on = |day: &u16| {
        let paid_at = at("2026-01-01T00:00:00Z").plus(Period::of_days(*day));
        let order = Order {
            id: OrderId::derive(&[&day.to_string()]),
            customer: CustomerId::guest(&day.to_string()),
            paid_at: Some(paid_at),
            ..order()
        };
        let happened = super::paid(&order, None);
        let invite = happened.iter().flat_map(|it| invites(it, &policy)).next().unwrap();
        assert!(invite.due >= paid_at.plus(Period::of_days(3)), "not before the delay");
        assert!(invite.due < paid_at.plus(Period::of_days(93)), "nor a period later");
        invite
    };
    days.iter().map(on).collect()
}

proptest! {
    #[test]
    fn nobody_is_asked_from_time_to_time_more_often_than_that(
        days in prop::collection::vec(0_u16..2_000, 1..60),
    ) {
        // A guest has another identity in each order, and one address.
        let invites = periodic(&days);
        let ids: BTreeSet<&InviteId> = invites.iter().map(|it| &it.id).collect();
        let moments: BTreeSet<Timestamp> = invites.iter().map(|it| it.due).collect();
        prop_assert_eq!(ids.len(), moments.len());
        let moments: Vec<Timestamp> = moments.into_iter().collect();
        for pair in moments.windows(2) {
            prop_assert!(pair[1] >= pair[0].plus(Period::of_days(90)));
        }
    }

    #[test]
    fn a_larger_sample_holds_a_smaller_one(share in 1_u16..10_000, order in any::<u64>()) {
        let happening = Happening {
            cause: vec![order.to_string()],
            ..super::paid(&super::tests::order(), None).remove(0)
        };
        let asked = |share: u16| {
            let policy = policy(vec![touchpoint("checkout", &format!(r#","share":{share}"#))]);
            !invites(&happening, &policy).is_empty()
        };
        prop_assert!(!asked(share) || asked(share + 1));
        prop_assert!(asked(10_000));
        prop_assert_eq!(asked(share), asked(share));
    }
}

#[test]
fn a_sample_is_about_as_large_as_its_share() {
    let policy = policy(vec![touchpoint("checkout", r#","share":2500"#)]);
    let asked = |n: &u32| {
        let happening =
            Happening { cause: vec![n.to_string()], ..super::paid(&order(), None).remove(0) };
        !invites(&happening, &policy).is_empty()
    };
    // The identities are digests of these very numbers: the count is always the
    // same. Its standard deviation is 19.
    let sample = (0..2_000).filter(asked).count();
    assert!((430..=570).contains(&sample), "{sample}");
}
