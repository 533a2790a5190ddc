//! Signed links: each kind opens its own page, whole, until it ends.

use aftercart::{
    model::{
        contact::Contactee,
        customer::CustomerId,
        id::{InviteId, OrderId, TicketId},
        survey::TouchpointId,
        time::{Period, Timestamp},
    },
    run::{
        Route,
        links::{
            ComplaintLink, ContactLink, Links, MemberLink, OrderPass, ReportLink, SurveyLink,
            TicketLink, TrackingLink,
        },
        secrets::{LinkKeys, Secret},
    },
};
use aftercart_infra::world::{World, secrets};
use serde_json::{Value, json};

use crate::shop::{Shop, key};

use super::{Called, attempts, calls, named};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pass,
    Tracking,
    Complaint,
    Survey,
    Contact,
    Ticket,
    Report,
    Member,
    Account,
}

/// Every route that a link opens, and the kinds that open it.
pub(super) const ROUTES: &[(&str, &str, &[Kind])] = &[
    ("GET", "/t/{token}", &[Kind::Tracking]),
    ("POST", "/t/{token}", &[Kind::Tracking]),
    ("GET", "/complaints/{token}", &[Kind::Complaint, Kind::Tracking]),
    ("POST", "/complaints/{token}", &[Kind::Complaint, Kind::Tracking]),
    ("GET", "/s/{token}", &[Kind::Survey]),
    ("POST", "/s/{token}", &[Kind::Survey]),
    ("GET", "/c/{token}", &[Kind::Ticket]),
    ("POST", "/c/{token}", &[Kind::Ticket]),
    ("GET", "/m/{token}", &[Kind::Member]),
    ("GET", "/u/{token}", &[Kind::Contact]),
    ("POST", "/u/{token}", &[Kind::Contact]),
    ("GET", "/r/{token}", &[Kind::Report]),
];

/// A key of links that no world has.
const FORGERS: &str = "a-key-of-a-forger-with-32-characters";

/// A token of each kind, signed with a key, that is good for a year.
pub(super) async fn every_kind(shop: &Shop, signing_key: &str) -> Vec<(Kind, String)> {
    let links = Links::new(LinkKeys { current: signing_key.into(), previous: Vec::new() });
    let placed = shop.store().all_orders().await.unwrap();
    let (order, customer) = placed.first().map_or_else(
        || (OrderId::derive(&["none"]), CustomerId::member("ada").unwrap()),
        |order| (order.id.clone(), order.customer.clone()),
    );
    let until = shop.now().plus(Period::of_days(365));
    let who = Contactee::parse("cus_ada").unwrap();
    let survey = SurveyLink {
        invite: InviteId::derive(&["any"]),
        touchpoint: TouchpointId::parse("delivery").unwrap(),
        customer: customer.clone(),
    };
    let ticket = TicketLink { ticket: TicketId::derive(&["any"]), customer: customer.clone() };
    let member = MemberLink { customer: customer.clone() };
    let of = || (order.clone(), customer.clone());
    let pass = |(order, customer)| OrderPass { order, customer };
    let tracking = |(order, customer)| TrackingLink { order, customer };
    let complaint = |(order, customer)| ComplaintLink { order, customer };
    vec![
        (Kind::Pass, links.order_pass(&pass(of()), until)),
        (Kind::Tracking, links.tracking_link(&tracking(of()), until)),
        (Kind::Complaint, links.complaint_link(&complaint(of()), until)),
        (Kind::Survey, links.survey_link(&survey, until)),
        (Kind::Contact, links.contact_link(&ContactLink { who })),
        (Kind::Ticket, links.ticket_link(&ticket, until)),
        (Kind::Report, links.report_link(ReportLink, until)),
        (Kind::Member, links.member_link(&member, until)),
        (Kind::Account, links.account_code(&customer, until)),
    ]
}

/// What is left of a token when somebody meddled with it.
pub(super) fn spoiled(token: &str) -> Vec<String> {
    let flipped = |at: usize| {
        let old = token.as_bytes()[at];
        // Another letter of the alphabet, and not one that differs in bits that
        // the encoding throws away.
        let new = if old == b'A' { 'Q' } else { 'A' };
        format!("{}{new}{}", &token[..at], &token[at + 1..])
    };
    let middle = token.len() / 2;
    let mut spoiled = vec![
        String::new(),
        "x".to_owned(),
        ".".to_owned(),
        token[..token.len() - 1].to_owned(),
        token[..middle].to_owned(),
        token[1..].to_owned(),
        format!("{token}A"),
        format!("{token}{token}"),
        token.to_ascii_lowercase(),
        "A".repeat(100_000),
        flipped(0),
        flipped(middle),
    ];
    if let Some((payload, signature)) = token.split_once('.') {
        spoiled.extend([
            payload.to_owned(),
            format!("{payload}."),
            format!(".{signature}"),
            format!("{signature}.{payload}"),
            flipped(payload.len() - 2),
            flipped(payload.len() + 2),
        ]);
    }
    spoiled.retain(|text| text != token);
    spoiled
}

/// Another key of links, from the next start of each function on.
pub(super) fn change_the_key(world: &World) {
    world.set_secret(Secret::Links, json!({ "current": FORGERS }));
}

impl Called {
    /// The call by another link.
    fn by_link(&self, token: &str) -> Value {
        let mut event = self.event.clone();
        let path = event["rawPath"].as_str().unwrap();
        let path = format!("{}/{token}", path.rsplit_once('/').unwrap().0);
        event["rawPath"] = path.as_str().into();
        event["requestContext"]["http"]["path"] = path.into();
        event["pathParameters"]["token"] = token.into();
        event
    }

    fn token(&self) -> &str {
        self.event["pathParameters"]["token"].as_str().unwrap()
    }
}

fn opened_by(route: &Route) -> Option<&'static [Kind]> {
    let found = ROUTES.iter().find(|it| (it.0, it.1) == (route.method, route.path));
    found.map(|(_, _, kinds)| *kinds)
}

#[tokio::test]
async fn a_link_opens_its_own_page_only() {
    for called in calls(|route| opened_by(route).is_some()).await {
        let kinds = opened_by(&called.route).unwrap();
        let spoiled = spoiled(called.token()).into_iter().map(|token| called.by_link(&token));
        let mut tried = attempts("a spoiled link", &[404], spoiled);
        let foreign = every_kind(&called.shop, secrets::LINKS).await.into_iter();
        let foreign = foreign.filter(|(kind, _)| !kinds.contains(kind));
        let foreign = foreign.map(|(_, token)| called.by_link(&token));
        tried.extend(attempts("a link of another kind", &[404], foreign));
        let forged = every_kind(&called.shop, FORGERS).await.into_iter();
        let forged = forged.map(|(_, token)| called.by_link(&token));
        tried.extend(attempts("a forged link", &[404], forged));
        assert!(tried.len() > 20, "{}", named(&called.route));
        called.refuses(&tried).await;
        ends(&called, kinds).await;
    }
}

/// A link ends with its time, unless it lets somebody say no, and with the key
/// that signed it.
async fn ends(called: &Called, kinds: &[Kind]) {
    let name = named(&called.route);
    let fork = called.shop.fork().unwrap();
    fork.clock().advance(Period::of_days(36_500));
    let reply = fork.invoke(called.function, &called.event).await.unwrap();
    let is_closed = reply["statusCode"] == 410 || reply["statusCode"] == 404;
    assert_eq!(is_closed, kinds != [Kind::Contact], "{name}, old: {reply}");
    let fork = called.shop.fork().unwrap();
    change_the_key(&fork);
    let reply = fork.invoke(called.function, &called.event).await.unwrap();
    assert_eq!(reply["statusCode"], 404, "{name}, of no key: {reply}");
}

#[tokio::test]
async fn a_link_that_ended_is_told_from_one_that_never_was() {
    let shop = Shop::open().await;
    shop.place_as_guest("TEA", 1, &key("order", 1)).await;
    let links = Links::new(LinkKeys { current: secrets::LINKS.into(), previous: Vec::new() });
    let placed = shop.store().all_orders().await.unwrap().remove(0);
    let link = TrackingLink { order: placed.id, customer: placed.customer };
    let status = async |token: String| {
        shop.reply(&aftercart_infra::world::Ask::get(format!("/t/{token}"))).await.status
    };
    assert_eq!(status(links.tracking_link(&link, shop.now())).await, 410);
    assert_eq!(status(links.tracking_link(&link, Timestamp::EPOCH)).await, 410);
    assert_eq!(
        status(links.tracking_link(&link, shop.now().plus(Period::of_seconds(1)))).await,
        200
    );
}
