//! What everybody outside knows: customers, operators, providers, carriers.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    customer::CustomerId,
    time::{Period, Timestamp},
};
use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::{dice::Dice, errand::Errand, shop::Shop};

/// Somebody who buys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    /// The subject of a member's token; what a guest is called here.
    pub(crate) name: String,
    /// Whether it is a member.
    pub(crate) member: bool,
    /// The version of the cart that was seen last.
    pub(crate) cart: u64,
    /// The code for tills, and when it was read.
    pub(crate) code: Option<(String, Timestamp)>,
    /// The code that links the account to another.
    pub(crate) link_code: Option<String>,
    /// Vouchers that are not used yet, as far as is known.
    pub(crate) vouchers: Vec<String>,
}

/// An order that was answered with 201.
#[derive(Debug, Clone)]
pub(crate) struct OrderNote {
    pub(crate) id: String,
    pub(crate) person: usize,
    pub(crate) key: String,
    pub(crate) body: Value,
    pub(crate) lines: Vec<(&'static str, u32)>,
    pub(crate) total: i64,
    /// The pass of a guest.
    pub(crate) token: String,
    /// The buyer was told that it is called off.
    pub(crate) called_off: bool,
    /// Units of it were called off.
    pub(crate) smaller: bool,
    /// The buyer was told that it is paid.
    pub(crate) seen_paid: bool,
    /// How many parcels have a label, as far as is known.
    pub(crate) labels: u32,
}

/// An attempt to pay that was answered with 201.
#[derive(Debug, Clone)]
pub(crate) struct PaymentNote {
    pub(crate) id: String,
    pub(crate) order: usize,
    pub(crate) provider: &'static str,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    /// Its provider has the money.
    pub(crate) taken: bool,
    /// Its provider told things that contradict each other, or another amount:
    /// what becomes of the money is up to people.
    pub(crate) odd: bool,
}

/// A parcel under a number.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) carrier: &'static str,
    pub(crate) number: String,
    /// The scans so far, in the carrier's words.
    pub(crate) scans: Vec<(&'static str, Timestamp)>,
}

/// An invitation that came by mail.
#[derive(Debug, Clone)]
pub(crate) struct SurveyNote {
    pub(crate) invite: String,
    pub(crate) path: String,
    pub(crate) question: &'static str,
    /// The customer was thanked for an answer.
    pub(crate) thanked: u32,
}

/// A ticket.
#[derive(Debug, Clone)]
pub(crate) struct TicketNote {
    pub(crate) id: String,
    pub(crate) order: Option<usize>,
}

/// Everything that is known outside.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) shop: Shop,
    pub(crate) dice: Dice,
    pub(crate) now: Timestamp,
    pub(crate) people: Vec<Person>,
    pub(crate) orders: Vec<OrderNote>,
    pub(crate) payments: Vec<PaymentNote>,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) surveys: Vec<SurveyNote>,
    pub(crate) tickets: Vec<TicketNote>,
    /// Gifts that wait, and for whom.
    pub(crate) gifts: Vec<(String, usize)>,
    /// Rewards that were taken, and by whom.
    pub(crate) redemptions: Vec<(String, usize)>,
    pub(crate) holds: Vec<String>,
    pub(crate) receipts: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) teams: Vec<String>,
    pub(crate) shares: Vec<String>,
    pub(crate) adjustments: Vec<String>,
    pub(crate) cases: BTreeMap<String, Vec<String>>,
    pub(crate) alerts: BTreeSet<String>,
    /// Pages of mails: to unsubscribe, to look at a ticket, ...
    pub(crate) pages: Vec<String>,
    /// What happens outside later, in no order.
    pub(crate) later: Vec<(Timestamp, Errand)>,
    /// How often what was answered how.
    pub(crate) answers: BTreeMap<(&'static str, u16), u32>,
    /// The messages to people that were read.
    pub(crate) read: BTreeSet<String>,
    /// What somebody was told and that is not so.
    pub(crate) lies: Vec<String>,
    count: u32,
}

impl Book {
    pub(crate) fn new(seed: u64, people: usize, now: Timestamp) -> Self {
        let shop = Shop::of(seed);
        let mut dice = Dice::new(seed, 1);
        let person = |number: usize| {
            // The first two are members, so that something can be given.
            let member = number < 2 || dice.chance(700);
            let name = if member { format!("m{number}") } else { format!("g{number}") };
            Person { name, member, ..Person::default() }
        };
        Self {
            shop,
            people: (0..people.max(2)).map(person).collect(),
            dice,
            now,
            orders: Vec::new(),
            payments: Vec::new(),
            parcels: Vec::new(),
            surveys: Vec::new(),
            tickets: Vec::new(),
            gifts: Vec::new(),
            redemptions: Vec::new(),
            holds: Vec::new(),
            receipts: Vec::new(),
            links: Vec::new(),
            teams: Vec::new(),
            shares: Vec::new(),
            adjustments: Vec::new(),
            cases: BTreeMap::new(),
            alerts: BTreeSet::new(),
            pages: Vec::new(),
            later: Vec::new(),
            answers: BTreeMap::new(),
            read: BTreeSet::new(),
            lies: Vec::new(),
            count: 0,
        }
    }

    /// A key that nobody used before.
    pub(crate) fn key(&mut self, of: &str) -> String {
        self.count += 1;
        crate::shop::long(&format!("{of}-{:06}-", self.count))
    }

    /// A member, by position.
    pub(crate) fn member(&mut self) -> Option<usize> {
        let start = self.dice.below(self.people.len());
        let order = (start..self.people.len()).chain(0..start);
        order.into_iter().find(|position| self.people.get(*position).is_some_and(|it| it.member))
    }

    /// The position of an order of the late ones, more often than of the early.
    pub(crate) fn order(&mut self) -> Option<usize> {
        recent(&mut self.dice, self.orders.len())
    }

    /// A request of a member.
    pub(crate) fn by_member(&self, person: usize, ask: Ask) -> Ask {
        match self.people.get(person) {
            Some(person) if person.member => ask.by_member(&person.name),
            _ => ask,
        }
    }

    /// A request of the buyer of an order.
    pub(crate) fn by_buyer(&self, order: &OrderNote, ask: Ask) -> Ask {
        match self.people.get(order.person) {
            Some(person) if person.member => ask.by_member(&person.name),
            _ => ask.with("order-token", order.token.clone()),
        }
    }

    /// A path of an order, as its buyer reaches it.
    pub(crate) fn path(&self, order: &OrderNote, rest: &str) -> String {
        let guest = self.people.get(order.person).is_none_or(|it| !it.member);
        format!("{}/orders/{}{rest}", if guest { "/guest" } else { "" }, order.id)
    }

    /// A request of an operator about an order.
    pub(crate) fn operating(&self, order: &OrderNote, rest: &str, body: &Value) -> Ask {
        let customer = self.customer(order);
        let path = format!("/operator/orders/{customer}/{}{rest}", order.id);
        Ask::post(path, body).by(Caller::Operator)
    }

    /// Whose an order is, as the suite calls it.
    pub(crate) fn customer(&self, order: &OrderNote) -> String {
        match self.people.get(order.person) {
            Some(person) if person.member => format!("cus_{}", person.name),
            _ => CustomerId::guest(&order.key).to_string(),
        }
    }

    /// Has something happen so many seconds from now.
    pub(crate) fn later(&mut self, seconds: u32, errand: Errand) {
        self.later.push((self.now.plus(Period::of_seconds(seconds)), errand));
    }

    /// An address in the country of the shop.
    pub(crate) fn address(&self, street: &str) -> Value {
        json!({
            "name": "Ada Example", "line1": street, "city": "London",
            "postal_code": "N1 1AA", "country": self.shop.country,
        })
    }
}

/// A position below `len`, of the last eight more often than of those before.
pub(crate) fn recent(dice: &mut Dice, len: usize) -> Option<usize> {
    let window = if dice.chance(800) { len.min(8) } else { len };
    (len > 0).then(|| len - 1 - dice.below(window))
}
