//! Customers, who want one thing each and do not give up: what was not
//! answered is asked again, under the same key.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use aftercart::model::payment::Provider;
use serde_json::{Value, json};

use crate::{
    dev::{
        catalogue::{self, Good},
        child::Stop,
        failure::Failure,
        http::{Answer, text},
        page::Page,
        running::now,
        stack::Stack,
    },
    providers,
    signing::{self, Callback, Payment, Push, Scan},
};

use super::Options;

/// How long a customer asks for one thing: longer than any outage here lasts.
const PATIENCE: Duration = Duration::from_secs(240);

/// Between two tries, at the least and at the most.
const AGAIN_MS: std::ops::Range<u64> = 200..900;

/// What is sold, for less than points or risk rules make anything of.
const SKU: &str = "FIRE-TIN";

/// What forms are sent as.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// A member.
    Member(usize),
    /// Whoever runs the shop.
    Operator,
    /// Anybody.
    Nobody,
}

/// How many members there are; the others buy as guests.
const MEMBERS: usize = 2;

/// The stack, as customers see it.
pub(super) struct Field<'a> {
    stack: &'a Stack,
    page: Arc<Page>,
    stop: &'a Stop,
    run: String,
    tokens: Mutex<Vec<String>>,
    told: Mutex<BTreeSet<String>>,
    repeated: AtomicU32,
    over: AtomicBool,
}

impl<'a> Field<'a> {
    /// Signs everybody in and takes goods in.
    pub(super) fn new(
        stack: &'a Stack,
        page: Arc<Page>,
        stop: &'a Stop,
        options: Options,
    ) -> Result<Self, Failure> {
        let field = Self {
            stack,
            page,
            stop,
            run: options.seed.to_string(),
            tokens: Mutex::default(),
            told: Mutex::default(),
            repeated: AtomicU32::new(0),
            over: AtomicBool::new(false),
        };
        field.sign_in()?;
        let price = json!({ "amount": 1250, "currency": "GBP" });
        let stock = options.orders;
        let good = Good { sku: SKU.to_owned(), title: "A tin".to_owned(), price, stock };
        let token = field.token(Who::Operator);
        catalogue::put(stack, &token, &good)?;
        catalogue::receive(stack, &token, SKU, stock, "fire")?;
        Ok(field)
    }

    /// Every order that a customer was told of.
    pub(super) fn told(&self) -> BTreeSet<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls were made again.
    pub(super) fn repeated(&self) -> u32 {
        self.repeated.load(Ordering::Relaxed)
    }

    /// Has every customer go home.
    pub(super) fn give_up(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn sign_in(&self) -> Result<(), Failure> {
        let shoppers = self.stack.people.shoppers.iter().take(MEMBERS);
        let mut tokens =
            shoppers.map(|it| self.stack.shopper_token(it)).collect::<Result<Vec<_>, _>>()?;
        tokens.push(self.stack.operator_token()?);
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
        Ok(())
    }

    fn token(&self, who: Who) -> String {
        let place = match who {
            Who::Member(member) => member,
            Who::Operator => MEMBERS,
            Who::Nobody => return String::new(),
        };
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(place).cloned().unwrap_or_default()
    }

    /// Waits a little, unless it is over.
    fn pause(&self) -> Result<(), Failure> {
        if self.over.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        self.stop.pause(Duration::from_millis(fastrand::u64(AGAIN_MS)))
    }

    /// Calls until there is an answer, which is none of a server in trouble.
    fn call(
        &self,
        who: Who,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Failure> {
        let begun = Instant::now();
        loop {
            let answer = self.stack.call(method, path, &self.token(who), headers, body);
            let seen = match &answer {
                Ok(answer) if answer.status == 401 => {
                    // Tokens do not outlive the emulator's keys.
                    self.sign_in().ok();
                    answer.body.clone()
                }
                Ok(answer) if answer.status < 500 && answer.status != 429 => {
                    return Ok(answer.clone());
                }
                Ok(answer) => answer.body.clone(),
                Err(Failure::Trouble { what, .. }) => what.clone(),
                Err(_) => return answer,
            };
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new(format!("{method} {path} had no answer: {seen}")));
            }
            self.repeated.fetch_add(1, Ordering::Relaxed);
            self.pause()?;
        }
    }

    /// The same, of a call that must succeed.
    fn insist(
        &self,
        who: Who,
        call: (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Failure> {
        let answer = self.call(who, call, headers, body)?;
        match answer.status {
            200..=303 => Ok(answer),
            status => {
                Err(Failure::new(format!("{} {}: HTTP {status} {}", call.0, call.1, answer.body)))
            }
        }
    }

    /// Looks until something is there.
    fn wait<T>(
        &self,
        what: &str,
        mut look: impl FnMut() -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new(format!("waited in vain: {what}")));
            }
            self.pause()?;
        }
    }

    /// Sends what a provider or a carrier sends, once more than it must.
    fn push(&self, push: &Callback) -> Result<(), Failure> {
        let mut headers: Vec<_> =
            push.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.push(("content-type", "application/json"));
        for _ in 0..2 {
            self.insist(Who::Nobody, ("POST", push.path), &headers, &push.body)?;
        }
        Ok(())
    }

    /// The link of a message to somebody about an order, as a path.
    fn link(&self, kind: &str, order: &str) -> Option<String> {
        let messages = self.page.outbox.messages();
        let ours = messages.iter().filter_map(|it| serde_json::to_value(it).ok());
        let message = ours
            .into_iter()
            .find(|it| text(it, "/type") == kind && text(it, "/body/order") == order)?;
        let link = text(&message, "/body/link");
        let path = link.strip_prefix(&self.stack.api_url).map(str::to_owned);
        path.or_else(|| {
            let (_, rest) = link.split_once("://")?;
            rest.find('/').and_then(|at| rest.get(at..)).map(str::to_owned)
        })
    }
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is delivered and answered about.
    Kept {
        /// With this score.
        score: u8,
    },
    /// It is called off after it was paid.
    CalledOff,
    /// It is called off before that.
    Unpaid,
}

/// One customer's order.
pub(super) struct Story {
    /// Which.
    pub(super) number: u32,
    who: Who,
    provider: Provider,
    fate: Fate,
}

/// The order, as its buyer knows it.
struct Order {
    id: String,
    path: String,
    pass: String,
    total: Value,
}

impl Order {
    fn headers<'a>(&'a self, key: &'a str) -> Vec<(&'a str, &'a str)> {
        let pass = (!self.pass.is_empty()).then_some(("order-token", self.pass.as_str()));
        pass.into_iter().chain([("idempotency-key", key)]).collect()
    }
}

impl Story {
    /// All of them, by chance.
    pub(super) fn all(options: Options) -> Vec<Self> {
        let mut dice = fastrand::Rng::with_seed(options.seed);
        let story = |number| Self {
            number,
            who: match dice.usize(0..4) {
                member @ 0..MEMBERS => Who::Member(member),
                _ => Who::Nobody,
            },
            provider: if dice.bool() { Provider::Sandbox } else { Provider::Stripe },
            fate: match dice.u8(0..10) {
                0 => Fate::Unpaid,
                1 | 2 => Fate::CalledOff,
                3 | 4 => Fate::Kept { score: 1 },
                _ => Fate::Kept { score: 9 },
            },
        };
        (0..options.orders).map(story).collect()
    }

    /// Lives it.
    pub(super) fn live(&self, field: &Field<'_>) -> Result<(), Failure> {
        let order = self.place(field)?;
        let told = |failure| match failure {
            Failure::Trouble { what, .. } => Failure::new(format!("{}: {what}", order.id)),
            other => other,
        };
        self.go_on(field, &order).map_err(told)
    }

    fn go_on(&self, field: &Field<'_>, order: &Order) -> Result<(), Failure> {
        if self.fate == Fate::Unpaid {
            return self.call_off(field, order);
        }
        self.pay(field, order)?;
        let shipment = field.wait("a shipment", || {
            let shipment = self.look(field, order)?.text("/shipments/0/id");
            Ok((!shipment.is_empty()).then_some(shipment))
        })?;
        match self.fate {
            Fate::Kept { score } => {
                self.deliver(field, order, &shipment)?;
                self.answer(field, order, score)
            }
            _ => self.call_off(field, order),
        }
    }

    fn key(&self, field: &Field<'_>, what: &str) -> String {
        format!("fire-{}-{what}-{}", field.run, self.number)
    }

    fn place(&self, field: &Field<'_>) -> Result<Order, Failure> {
        let email = format!("fire-{}@example.com", self.number);
        let body = json!({
            "lines": [{ "sku": SKU, "quantity": 1 }],
            "shipping_address": {
                "name": "Fire Example", "line1": format!("{} High Street", self.number),
                "city": "London", "postal_code": "N1 1AA", "country": "GB",
            },
            "contact": { "email": email, "language": "en" },
        });
        let root = if self.who == Who::Nobody { "/guest/orders" } else { "/orders" };
        let key = self.key(field, "order");
        let header = [("idempotency-key", key.as_str())];
        let placed = field.insist(self.who, ("POST", root), &header, &body.to_string())?;
        let id = placed.text("/id");
        // Whoever was told of it may count on it.
        field.told.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        Ok(Order {
            path: format!("{root}/{id}"),
            pass: placed.text("/order_token"),
            total: placed.json().get("total").cloned().unwrap_or_default(),
            id,
        })
    }

    fn look(&self, field: &Field<'_>, order: &Order) -> Result<Answer, Failure> {
        field.insist(self.who, ("GET", &order.path), &order.headers("look"), "")
    }

    fn pay(&self, field: &Field<'_>, order: &Order) -> Result<(), Failure> {
        let key = self.key(field, "pay");
        let path = format!("{}/payments", order.path);
        let body = json!({ "provider": self.provider }).to_string();
        let headers = order.headers(&key);
        let payment = field.insist(self.who, ("POST", &path), &headers, &body)?.text("/id");
        let report = Payment {
            event: &self.key(field, "evt"),
            kind: "succeeded",
            payment: &payment,
            amount: order.total.get("amount").and_then(Value::as_i64).unwrap_or_default(),
            currency: &text(&order.total, "/currency"),
            at: now(),
            part: None,
        };
        field.push(&providers::of(self.provider).callback(&report))?;
        field.wait("that it is paid", || {
            Ok((self.look(field, order)?.text("/status") == "paid").then_some(()))
        })
    }

    fn call_off(&self, field: &Field<'_>, order: &Order) -> Result<(), Failure> {
        let key = self.key(field, "cancel");
        let path = format!("{}/cancel", order.path);
        field.insist(self.who, ("POST", &path), &order.headers(&key), "")?;
        let status = self.look(field, order)?.text("/status");
        if status == "cancelled" {
            return Ok(());
        }
        Err(Failure::new(format!("it was called off, and is {status}")))
    }

    /// The label, and the scans, the last one first.
    fn deliver(&self, field: &Field<'_>, order: &Order, shipment: &str) -> Result<(), Failure> {
        let number = format!("FIRE-{}-{}", field.run, self.number);
        let path = format!("/orders/{}/shipments/{shipment}/label", order.id);
        let body = json!({ "carrier": "generic", "tracking_number": number }).to_string();
        field.insist(Who::Operator, ("POST", &path), &[], &body)?;
        let secret = text(&field.stack.secrets, "/carriers/generic/webhook_secrets/0");
        for status in ["delivered", "out_for_delivery", "in_transit", "picked_up"] {
            let scans = [Scan { status, place: "London", at: now() }];
            let event = self.key(field, status);
            let push = Push { event: &event, number: &number, scans: &scans, eta: None, at: now() };
            field.push(&signing::generic(&secret, &push))?;
        }
        field.wait("that it is delivered", || {
            let status = self.look(field, order)?.text("/shipments/0/status");
            Ok((status == "delivered").then_some(()))
        })
    }

    /// The survey, if there is one: members are asked only so often.
    fn answer(&self, field: &Field<'_>, order: &Order, score: u8) -> Result<(), Failure> {
        if self.who != Who::Nobody {
            return Ok(());
        }
        let path = field.wait("the survey", || {
            // A schedule that is killed is run again by the next customer who waits.
            field.stack.tick("survey-send", &now().to_string()).ok();
            Ok(field.link("notification.survey_invited", &order.id))
        })?;
        let form = format!("recommend={score}&comment=As+I+expected");
        field.insist(Who::Nobody, ("POST", &path), &[FORM], &form)?;
        if score > 6 {
            return Ok(());
        }
        self.complain(field, order)
    }

    /// A low score opens a ticket; an operator makes it good.
    fn complain(&self, field: &Field<'_>, order: &Order) -> Result<(), Failure> {
        let ticket = field.wait("the ticket", || {
            let list = "/operator/tickets?desk=service&limit=100";
            let listed = field.insist(Who::Operator, ("GET", list), &[], "")?.json();
            let all = listed.get("tickets").and_then(Value::as_array).cloned().unwrap_or_default();
            Ok(all.iter().find(|it| text(it, "/order") == order.id).map(|it| text(it, "/id")))
        })?;
        let path = format!("/operator/tickets/{ticket}/solution");
        let body = json!({ "cause": "other", "text": "Sorry." }).to_string();
        let key = self.key(field, "solution");
        field.insist(Who::Operator, ("POST", &path), &[("idempotency-key", &key)], &body).map(drop)
    }
}
