//! What happened in the shop before inputs are thrown at it, told with the
//! sample events of the tests, which also are the first inputs.

use std::{fs, path::Path};

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        contact::Contactee,
        customer::CustomerId,
        id::{InviteId, OrderId, PaymentId, TicketId},
        payment::Provider,
        survey::TouchpointId,
        time::{Period, Timestamp},
    },
    run::{
        links::{
            ComplaintLink, ContactLink, Links, MemberLink, ReportLink, SurveyLink, TicketLink,
            TrackingLink,
        },
        secrets::Secret,
    },
};
use aftercart_infra::{
    carriers, functions, providers,
    signing::{self, Payment, Push, Scan},
    world::{Ask, Options, Reply, World, secrets},
};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::{Finding, requests, shop::Known};

/// When the story begins, and when the inputs come.
const BEGIN: &str = "2026-11-16T12:00:00Z";
const NOW: &str = "2026-11-21T12:00:00Z";

/// The number on the label of the samples' parcel.
pub(crate) const NUMBER: &str = "GX123456789GB";

/// The member of the samples.
pub(crate) const MEMBER: &str = "cus_7d3c1f52-4a0e-4a8e-9c56-0f6b1f1d2a11";

/// What is done before and after the member's order is paid.
const OPENING: [&str; 8] = [
    "product-put",
    "stock-receive",
    "reward-put",
    "customer-put",
    "voucher-grant",
    "cart-put",
    "order-place",
    "order-place-guest",
];
const FOLLOWING: [&str; 4] =
    ["label-attach", "ticket-open", "points-adjust", "cart-line-put-guest"];

/// The headers of samples that matter.
const HEADERS: [&str; 10] = [
    "accept-language",
    "cart-token",
    "content-type",
    "idempotency-key",
    "order-token",
    "stripe-signature",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
    "x-hmac-signature",
];

/// A request of the samples.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    /// The method and the path with its parameters.
    pub(crate) route: String,
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The requests among the samples, by their names.
pub(crate) fn requests() -> Result<Vec<Sample>, Finding> {
    Ok(samples()?.iter().filter_map(|(name, event)| request(name, event)).collect())
}

/// The bodies of the messages among the samples, with the functions that get them.
pub(crate) fn messages() -> Result<Vec<(String, String)>, Finding> {
    let mut found = Vec::new();
    for (name, event) in samples()? {
        let bodies = event["Records"].as_array().into_iter().flatten();
        let bodies = bodies.filter_map(|record| {
            let change = &record["dynamodb"]["NewImage"]["sends"]["S"];
            record["body"].as_str().or(change.as_str())
        });
        found.extend(bodies.map(|body| (name.clone(), body.to_owned())));
    }
    Ok(found)
}

fn samples() -> Result<Vec<(String, Value)>, Finding> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events");
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Finding::unprepared)? {
        paths.push(entry.map_err(Finding::unprepared)?.path());
    }
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).map_err(Finding::unprepared)?;
        let event = serde_json::from_str(&text).map_err(Finding::unprepared)?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok((name.unwrap_or_default(), event))
    };
    paths.iter().map(read).collect()
}

fn request(name: &str, event: &Value) -> Option<Sample> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let route = text("/routeKey")?.to_owned();
    let query = text("/rawQueryString").filter(|query| !query.is_empty());
    let path = text("/rawPath")?;
    let path = query.map_or(path.to_owned(), |query| format!("{path}?{query}"));
    let claims = "/requestContext/authorizer/jwt/claims";
    let caller = match (text(&format!("{claims}/scope")), text(&format!("{claims}/sub"))) {
        (Some(scope), _) if scope.contains("operate") => Some("operator".to_owned()),
        (_, Some(subject)) => Some(format!("member {subject}")),
        _ => None,
    };
    let caller = caller.map(|caller| ("as".to_owned(), caller));
    let known = HEADERS.iter().filter_map(|name| {
        Some(((*name).to_owned(), text(&format!("/headers/{name}"))?.to_owned()))
    });
    let headers = caller.into_iter().chain(known).collect();
    let body = text("/body").unwrap_or_default();
    let body = match event["isBase64Encoded"] {
        Value::Bool(true) => BASE64.decode(body.as_bytes()).unwrap_or_default(),
        _ => body.as_bytes().to_vec(),
    };
    let method = route.split(' ').next()?.to_owned();
    Some(Sample { name: name.to_owned(), route, method, path, headers, body })
}

impl Sample {
    fn ask(&self) -> Option<Ask> {
        let mut head = format!("{} {}", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("\n{name}: {value}"));
        }
        requests::ask(&[head.as_bytes(), b"\n\n", &self.body].concat())
    }
}

/// The shop after all of it, and what may be named there.
pub(crate) async fn tell() -> Result<(World, Known), Finding> {
    let start = Timestamp::parse(BEGIN).map_err(Finding::unprepared)?;
    let world = World::new(&functions(), Options { start, ..Options::default() }).await;
    let world = world.map_err(Finding::unprepared)?;
    trust_samples(&world);
    let teller = Teller { world, samples: requests()? };
    let known = teller.tell().await?;
    Ok((teller.world, known))
}

/// Has the shop take the signatures of the samples, too.
fn trust_samples(world: &World) {
    let mut payments = providers::credentials("https://providers.local");
    let mut carriers = carriers::credentials("https://carriers.local");
    trust(&mut payments, "sandbox", "example-secret");
    trust(&mut payments, "stripe", "whsec_example");
    trust(&mut carriers, "generic", "example-secret");
    trust(&mut carriers, "easypost", "example-secret");
    world.set_secret(Secret::Payments, payments);
    world.set_secret(Secret::Carriers, carriers);
}

fn trust(all: &mut Value, sender: &str, secret: &str) {
    if let Some(secrets) = all[sender]["webhook_secrets"].as_array_mut() {
        secrets.push(json!(secret));
    }
}

struct Teller {
    world: World,
    samples: Vec<Sample>,
}

impl Teller {
    async fn tell(&self) -> Result<Known, Finding> {
        let mut known = Known::default();
        for name in OPENING {
            let reply = self.take(name).await?;
            match name {
                "order-place" => known.order = reply.text("/id"),
                "order-place-guest" => {
                    (known.guest_order, known.order_token) =
                        (reply.text("/id"), reply.text("/order_token"));
                }
                _ => {}
            }
        }
        known.payment = self.take("payment-start").await?.text("/id");
        self.pay(&known.payment).await?;
        let shipments = format!("/orders/{}/tracking", known.order);
        let subject = MEMBER.trim_start_matches("cus_");
        let reply = self.ask(&Ask::get(shipments).by_member(subject)).await?;
        known.shipment = reply.text("/shipments/0/id");
        for name in FOLLOWING {
            let reply = self.take(name).await?;
            if name == "ticket-open" {
                known.ticket = reply.text("/id");
            }
        }
        self.deliver().await?;
        known.links = self.links(&known)?;
        Ok(known)
    }

    async fn take(&self, name: &str) -> Result<Reply, Finding> {
        let sample = self.samples.iter().find(|sample| sample.name == name);
        let ask = sample.and_then(Sample::ask);
        let ask = ask.ok_or_else(|| Finding::unprepared(format!("there is no sample {name}")))?;
        self.ask(&ask).await
    }

    async fn ask(&self, ask: &Ask) -> Result<Reply, Finding> {
        let reply = self.world.ask(ask).await.map_err(Finding::unprepared)?;
        if reply.status < 300 {
            return Ok(reply);
        }
        Err(Finding::unprepared(format!("{ask:?} is answered with {}", reply.body)))
    }

    async fn settle(&self) -> Result<(), Finding> {
        self.world.settle().await.map_err(Finding::unprepared)
    }

    async fn pay(&self, payment: &str) -> Result<(), Finding> {
        let report = Payment {
            event: "evt_story",
            kind: "succeeded",
            payment,
            amount: 2500,
            currency: "GBP",
            at: self.world.now(),
            part: None,
        };
        self.ask(&Ask::callback(&providers::of(Provider::Sandbox).callback(&report))).await?;
        self.settle().await
    }

    /// Delivers the parcel, and lets the survey be sent.
    async fn deliver(&self) -> Result<(), Finding> {
        for status in ["picked_up", "in_transit", "delivered"] {
            let at = self.world.now();
            let scans = [Scan { status, place: "Leeds", at }];
            let push = Push { event: status, number: NUMBER, scans: &scans, eta: None, at };
            self.ask(&Ask::callback(&signing::generic(secrets::CARRIER, &push))).await?;
            self.settle().await?;
            self.world.clock().advance(Period::of_days(1));
        }
        for schedule in ["survey-send", "points-settle", "shipment-watch"] {
            self.world.run_schedule(schedule).await.map_err(Finding::unprepared)?;
            self.settle().await?;
        }
        let now = Timestamp::parse(NOW).map_err(Finding::unprepared)?;
        self.world.clock().advance_to(now);
        Ok(())
    }

    fn links(&self, known: &Known) -> Result<Vec<(&'static str, String)>, Finding> {
        let customer = CustomerId::parse(MEMBER).map_err(Finding::unprepared)?;
        let order = OrderId::parse(&known.order).map_err(Finding::unprepared)?;
        let ticket = TicketId::parse(&known.ticket).map_err(Finding::unprepared)?;
        let (links, soon) = (links()?, self.world.now().plus(Period::of_days(30)));
        let tracking = TrackingLink { order: order.clone(), customer: customer.clone() };
        let complaint = ComplaintLink { order, customer: customer.clone() };
        let member = MemberLink { customer: customer.clone() };
        let contact = ContactLink { who: Contactee::member(&customer) };
        let survey = self.survey(customer.clone())?;
        Ok(vec![
            ("/t/", links.tracking_link(&tracking, soon)),
            ("/complaints/", links.complaint_link(&complaint, soon)),
            ("/m/", links.member_link(&member, soon)),
            ("/u/", links.contact_link(&contact)),
            ("/c/", links.ticket_link(&TicketLink { ticket, customer }, soon)),
            ("/r/", links.report_link(ReportLink, soon)),
            ("/s/", links.survey_link(&survey, soon)),
        ])
    }

    /// The survey that somebody was invited to, or one that nobody was.
    fn survey(&self, customer: CustomerId) -> Result<SurveyLink, Finding> {
        let told = self.world.queue(Queue::Notifications.name());
        let sent = told.iter().filter_map(|message| match Envelope::parse(&message.body) {
            Ok(Envelope { message: Message::SurveyInvited(invited), .. }) => Some(invited.link),
            _ => None,
        });
        let opened = sent.filter_map(|link| {
            let (_, token) = link.rsplit_once("/s/")?;
            let token = token.split('?').next()?;
            links().ok()?.open_survey_link(token, self.world.now()).ok()
        });
        if let Some(link) = opened.last() {
            return Ok(link);
        }
        let touchpoint = TouchpointId::parse("delivery").map_err(Finding::unprepared)?;
        Ok(SurveyLink { invite: InviteId::derive(&["none"]), touchpoint, customer })
    }
}

/// The keys of the shop's links.
pub(crate) fn links() -> Result<Links, Finding> {
    let keys = serde_json::from_value(json!({ "current": secrets::LINKS }));
    Ok(Links::new(keys.map_err(Finding::unprepared)?))
}

/// The attempt of the story, whose identity follows from that of the order.
pub(crate) fn payment(known: &Known) -> Result<PaymentId, Finding> {
    PaymentId::parse(&known.payment).map_err(Finding::unprepared)
}
