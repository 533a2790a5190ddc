//! A shop in which there is something of every kind, so that requests for it
//! find what they name: orders in each state, parcels, tickets, gifts, rewards.

use std::{collections::BTreeMap, sync::Arc};

use aftercart::{
    model::{
        contact::Contactee,
        customer::CustomerId,
        id::{InviteId, OrderId, TicketId},
        payment::Provider,
        shipment::Carrier,
        survey::TouchpointId,
        time::Period,
    },
    run::{
        links::{
            ComplaintLink, ContactLink, Links, MemberLink, ReportLink, SurveyLink, TicketLink,
            TrackingLink,
        },
        secrets::LinkKeys,
    },
};
use serde_json::{Value, json};

use crate::{
    functions, providers,
    signing::{self, Payment, Push, Scan},
    world::{Ask, Caller, Options, Reply, World, WorldError, secrets},
};

/// The policy, in which every part of the suite is switched on.
const POLICY: &str = include_str!("../../../local/policy.json");

/// Whose things there are.
pub(super) const MEMBER: &str = "ana";

/// Whom the member gives points to, and who founds a team.
const FRIEND: &str = "ben";

/// What is on sale.
const GOODS: [&str; 3] = ["TEA-001", "CUP-PAIR", "POT-CLAY"];

/// How many orders the member has of each kind: enough for those that are
/// cancelled on the way.
pub(super) const ORDERS: usize = 12;

/// How many units of each product there are: more than anybody can order.
const UNITS: i64 = 100_000;

/// Why the shop is not prepared.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unprepared {
    /// The suite failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A step was refused.
    #[error("{what} was answered with {status}: {body}")]
    Refused {
        /// Which step.
        what: String,
        /// The answer.
        status: u16,
        /// Its body.
        body: String,
    },
    /// The policy cannot be read.
    #[error("the policy cannot be read: {0}")]
    Policy(#[from] serde_json::Error),
    /// What was made has not the identity of its kind.
    #[error("what was made has no identity")]
    Nameless,
}

/// The shop, and what is in it by kind.
pub(super) struct Shop {
    pub(super) world: Arc<World>,
    things: BTreeMap<&'static str, Vec<String>>,
    calls: usize,
}

impl Shop {
    /// Opens the shop and lets some days pass in it.
    pub(super) async fn open() -> Result<Self, Unprepared> {
        let options = Options { policy: Some(policy()?), ..Options::default() };
        let world = Arc::new(World::new(&functions(), options).await?);
        let mut shop = Self { world, things: BTreeMap::new(), calls: 0 };
        shop.stock().await?;
        shop.sell().await?;
        shop.ship().await?;
        shop.complain().await?;
        shop.reward().await?;
        shop.befriend().await?;
        shop.await_answers().await?;
        shop.sign_links()?;
        Ok(shop)
    }

    /// The things of a kind.
    pub(super) fn things(&self, kind: &str) -> &[String] {
        self.things.get(kind).map_or(&[], Vec::as_slice)
    }

    fn note(&mut self, kind: &'static str, thing: impl Into<String>) {
        self.things.entry(kind).or_default().push(thing.into());
    }

    /// Sends a request that has to succeed; it has a key of its own.
    async fn done(&mut self, ask: Ask, caller: &Caller) -> Result<Reply, Unprepared> {
        self.calls += 1;
        let ask = ask.by(caller.clone()).keyed(&format!("key-of-a-call-{:016}", self.calls));
        let reply = self.world.ask(&ask).await?;
        if reply.status < 300 {
            return Ok(reply);
        }
        let Reply { status, body, .. } = reply;
        Err(Unprepared::Refused { what: format!("{ask:?}"), status, body })
    }

    async fn operate(&mut self, ask: Ask) -> Result<Reply, Unprepared> {
        self.done(ask, &Caller::Operator).await
    }

    async fn shop(&mut self, ask: Ask) -> Result<Reply, Unprepared> {
        self.done(ask, &member()).await
    }

    async fn stock(&mut self) -> Result<(), Unprepared> {
        for sku in GOODS {
            let product = json!({ "title": sku, "price": { "amount": 1250, "currency": "GBP" } });
            self.operate(Ask::put(format!("/products/{sku}"), &product)).await?;
            let receipt = json!({ "quantity": UNITS, "location": "main" });
            self.operate(Ask::post(format!("/products/{sku}/receipts"), &receipt)).await?;
            self.note("sku", sku);
        }
        for name in [MEMBER, FRIEND] {
            let about = json!({ "tier": "gold", "segments": ["tea"] });
            self.operate(Ask::put(format!("/customers/cus_{name}"), &about)).await?;
            self.note("customer", format!("cus_{name}"));
        }
        Provider::ALL.iter().for_each(|it| self.note("provider", it.to_string()));
        Carrier::ALL.iter().for_each(|it| self.note("carrier", it.to_string()));
        Ok(())
    }

    /// Orders of the member and of guests: unpaid ones, being paid, and paid.
    async fn sell(&mut self) -> Result<(), Unprepared> {
        for number in 0..ORDERS * 3 {
            let placed = self.shop(Ask::post("/orders", &order())).await?;
            let id = placed.text("/id");
            if number < ORDERS {
                self.note("open order", id);
                continue;
            }
            let payment = self.start(&id).await?;
            if number < ORDERS * 2 {
                self.note("order being paid", id);
                self.note("payment", payment);
                continue;
            }
            let total = placed.json()["total"]["amount"].as_i64().unwrap_or_default();
            self.report(&payment, total).await?;
            self.note("paid order", id);
        }
        for _ in 0..ORDERS {
            let ask = Ask::post("/guest/orders", &order());
            let placed = self.done(ask, &Caller::Anybody).await?;
            self.note("guest order", placed.text("/id"));
            self.note("pass", placed.text("/order_token"));
        }
        self.world.settle().await?;
        Ok(())
    }

    async fn start(&mut self, order: &str) -> Result<String, Unprepared> {
        let body = json!({ "provider": "sandbox" });
        let started = self.shop(Ask::post(format!("/orders/{order}/payments"), &body)).await?;
        Ok(started.text("/id"))
    }

    async fn report(&mut self, payment: &str, amount: i64) -> Result<(), Unprepared> {
        let report = Payment {
            event: &format!("evt_{payment}"),
            kind: "succeeded",
            payment,
            amount,
            currency: "GBP",
            at: self.world.now(),
            part: None,
        };
        let callback = providers::of(Provider::Sandbox).callback(&report);
        self.done(Ask::callback(&callback), &Caller::Anybody).await.map(drop)
    }

    /// Labels some of what is paid, and lets one of the parcels arrive.
    async fn ship(&mut self) -> Result<(), Unprepared> {
        for (number, order) in self.things("paid order").to_vec().into_iter().enumerate() {
            let tracking = self.shop(Ask::get(format!("/orders/{order}/tracking"))).await?;
            let shipment = tracking.text("/shipments/0/id");
            self.note("shipment", shipment.clone());
            if number >= ORDERS / 2 {
                continue;
            }
            let path = format!("/orders/{order}/shipments/{shipment}/label");
            let parcel = format!("AB-{number:04}");
            let label = json!({ "carrier": "generic", "tracking_number": parcel });
            self.operate(Ask::post(path, &label)).await?;
            let states = if number == 0 { &["picked_up", "delivered"][..] } else { &["picked_up"] };
            for status in states {
                self.world.clock().advance(Period::of_days(1));
                self.scan(&parcel, status).await?;
            }
        }
        self.world.settle().await?;
        Ok(())
    }

    async fn scan(&mut self, parcel: &str, status: &str) -> Result<(), Unprepared> {
        let at = self.world.now();
        let scans = [Scan { status, place: "Leeds", at }];
        let event = format!("scan-{parcel}-{status}");
        let push = Push { event: &event, number: parcel, scans: &scans, eta: None, at };
        let callback = signing::generic(secrets::CARRIER, &push);
        self.done(Ask::callback(&callback), &Caller::Anybody).await.map(drop)
    }

    async fn complain(&mut self) -> Result<(), Unprepared> {
        for order in self.things("paid order").to_vec().iter().take(ORDERS / 2) {
            let body = json!({ "order": order, "topic": "delivery", "text": "It came too late." });
            let ticket = self.shop(Ask::post("/me/tickets", &body)).await?;
            self.note("ticket", ticket.text("/id"));
        }
        self.world.settle().await?;
        Ok(())
    }

    /// Points for the member, which are spent in every way.
    async fn reward(&mut self) -> Result<(), Unprepared> {
        let path = format!("/operator/customers/cus_{MEMBER}/points/adjustments");
        let points = json!({ "points": 5_000, "reason": "The parcel was wet." });
        self.operate(Ask::post(path.as_str(), &points)).await?;
        self.world.clock().advance(Period::of_days(1));
        let mug = json!({
            "title": { "en": "A mug" }, "kind": { "gift": { "sku": "CUP-PAIR" } },
            "points": 10, "units": 1_000,
        });
        self.operate(Ask::put("/rewards/mug", &mug)).await?;
        self.note("reward", "mug");
        for _ in 0..ORDERS / 2 {
            let taken =
                self.shop(Ask::post("/me/redemptions", &json!({ "reward": "mug" }))).await?;
            self.note("redemption", taken.text("/id"));
        }
        for _ in 0..2 {
            let gift = json!({ "to": format!("cus_{FRIEND}"), "points": 5 });
            let given = self.shop(Ask::post("/me/gifts", &gift)).await?;
            self.note("gift", given.text("/id"));
        }
        let much = json!({ "points": 50_000, "reason": "Somebody else has to agree." });
        for _ in 0..2 {
            let wanted = self.operate(Ask::post(path.as_str(), &much)).await?;
            self.note("adjustment", wanted.text("/id"));
        }
        Ok(())
    }

    /// A team, a share and a link between accounts.
    async fn befriend(&mut self) -> Result<(), Unprepared> {
        let team = json!({ "contest": "relay", "name": "Foxes" });
        self.shop(Ask::post("/me/teams", &team)).await?;
        let seen = self.shop(Ask::get("/contests/relay")).await?;
        self.note("team", seen.text("/own/team"));
        self.note("contest", "relay");
        self.note("contest", "sprint");
        self.note("campaign", "points-rain");
        let shared = self.shop(Ask::post("/shares", &json!({ "campaign": "group" }))).await?;
        self.note("share", shared.text("/id"));
        let carla = Caller::Member("carla".to_owned());
        let code = self.done(Ask::get("/me/link-code"), &carla).await?.text("/code");
        let linked = self.shop(Ask::post("/me/links", &json!({ "code": code }))).await?;
        self.note("link", linked.text("/id"));
        Ok(())
    }

    /// Days pass: what nobody packed is late, surveys are sent, schedules run.
    async fn await_answers(&mut self) -> Result<(), Unprepared> {
        self.world.clock().advance(Period::of_days(6));
        for schedule in ["shipment-watch", "survey-send", "points-tally"] {
            self.world.run_schedule(schedule).await?;
            self.world.settle().await?;
        }
        let alerts = self.operate(Ask::get("/operator/alerts?limit=50")).await?.json();
        for alert in alerts["alerts"].as_array().into_iter().flatten() {
            self.note("alert", alert["id"].as_str().unwrap_or_default());
        }
        let surveys = self.world.store().all_surveys().await.map_err(WorldError::from)?;
        for invite in surveys.invites {
            self.note("invite", invite.id.as_str());
            self.note("touchpoint", invite.touchpoint.as_str());
        }
        Ok(())
    }

    /// A link of every kind, that is good for as long as the check may take.
    fn sign_links(&mut self) -> Result<(), Unprepared> {
        let links = Links::new(LinkKeys { current: secrets::LINKS.into(), previous: Vec::new() });
        let until = self.world.now().plus(Period::of_days(30));
        let customer = CustomerId::member(MEMBER).map_err(|_| Unprepared::Nameless)?;
        let first = |kind| self.things(kind).first().cloned().unwrap_or_default();
        let order = OrderId::parse(&first("paid order")).map_err(|_| Unprepared::Nameless)?;
        let ticket = TicketId::parse(&first("ticket")).map_err(|_| Unprepared::Nameless)?;
        let invite = InviteId::parse(&first("invite")).map_err(|_| Unprepared::Nameless)?;
        let touchpoint = TouchpointId::parse(&first("touchpoint"));
        let touchpoint = touchpoint.map_err(|_| Unprepared::Nameless)?;
        let who = Contactee::parse(customer.as_str()).ok_or(Unprepared::Nameless)?;
        let tracking = TrackingLink { order: order.clone(), customer: customer.clone() };
        let complaint = ComplaintLink { order, customer: customer.clone() };
        let survey = SurveyLink { invite, touchpoint, customer: customer.clone() };
        let ticket = TicketLink { ticket, customer: customer.clone() };
        let of = [
            ("/t/", links.tracking_link(&tracking, until)),
            ("/complaints/", links.complaint_link(&complaint, until)),
            ("/s/", links.survey_link(&survey, until)),
            ("/c/", links.ticket_link(&ticket, until)),
            ("/m/", links.member_link(&MemberLink { customer }, until)),
            ("/u/", links.contact_link(&ContactLink { who })),
            ("/r/", links.report_link(ReportLink, until)),
        ];
        of.into_iter().for_each(|(kind, token)| self.note(kind, token));
        Ok(())
    }
}

fn member() -> Caller {
    Caller::Member(MEMBER.to_owned())
}

/// The policy of the local stack, with periods as in a shop, contests that run,
/// a campaign for friends, and the one system of the merchant that is there.
fn policy() -> Result<String, serde_json::Error> {
    let mut policy: Value = serde_json::from_str(POLICY)?;
    let contest = |id: &str, team_size: u32| {
        json!({
            "id": id, "title": { "en": "Spring" }, "purchases": true, "prizes": [500, 100],
            "from": "2026-01-01T00:00:00Z", "until": "2036-01-01T00:00:00Z", "salt": "s",
            "team_size": team_size,
        })
    };
    let mut sprint = contest("sprint", 0);
    if let Some(sprint) = sprint.as_object_mut() {
        sprint.remove("team_size");
    }
    policy["points"]["contests"] = json!([sprint, contest("relay", 5)]);
    policy["points"]["gifts"]["per_day"] = 1_000.into();
    policy["points"]["return_window"] = "14d".into();
    policy["shares"]["campaigns"] = json!([{
        "id": "group", "title": { "en": "Buy together" }, "within": "30d", "most": 100,
        "joins_per_member": 1, "voucher_life": "7d",
        "draw": [{ "rule": "half", "weight": 1 }],
    }]);
    policy["webhooks"]["endpoints"][0]["id"] = "erp".into();
    policy["webhooks"]["endpoints"][0]["url"] = "https://erp.example/hooks".into();
    // Orders of one person by the dozen are what the check is about.
    policy["risk"]["rules"] = json!([]);
    Ok(policy.to_string())
}

fn order() -> Value {
    json!({
        "lines": [{ "sku": "TEA-001", "quantity": 2 }, { "sku": "CUP-PAIR", "quantity": 1 }],
        "shipping_address": {
            "name": "Ana Example", "line1": "1 High Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        },
        "contact": { "email": "ana@example.com", "language": "en" },
    })
}
