//! The shop: what its members do, day by day.

use std::collections::BTreeMap;

use aftercart::model::{
    customer::CustomerId,
    delivery::{MethodId, Promise},
    dispatch::{Dispatch, Shipment},
    gift::{Gift, Giving},
    id::{GiftId, OrderId, RedemptionId},
    money::{Currency, Money},
    order::{Order, OrderDelivery, OrderLine, OrderPoints, OrderStatus},
    points::{Account, Holder},
    policy::Policy,
    product::Sku,
    programme::earning::ActionKind,
    shipment::Journey,
    stock::LocationId,
    text::Text,
    time::{Period, Timestamp, YearDay, Zone},
};
use aftercart_points::rules::{
    actions::Action,
    gifts::{self, Offer},
    orders::Posted,
};
use serde_json::json;

use super::{
    Year, YearsError,
    member::{Bought, Member},
};

/// The programme that is played: every part of it is used.
const PROGRAMME: &str = include_str!("policy.json");

/// The categories of goods.
const CATEGORIES: [&str; 4] = ["books", "music", "home", "gift_cards"];

/// How long an order is remembered after it was placed. Its points have come
/// and gone by then, or they are still pending, and then it is kept.
const FORGOTTEN_AFTER: Period = Period::of_days(500);

/// What happens to an order on a later day.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// It was not paid: what is held for it is free again.
    Expired,
    /// Its parcel arrives.
    Delivered,
    /// Its parcel was lost, and another one is sent.
    SentAgain,
    /// It is called off as a whole.
    Cancelled,
    /// Money goes back for some units.
    Refunded,
}

pub(super) struct Shop {
    policy: Policy,
    dice: fastrand::Rng,
    now: Timestamp,
    members: Vec<Member>,
    giving: Vec<Giving>,
    plan: BTreeMap<Timestamp, Vec<(usize, OrderId, Event)>>,
    gifts: Vec<(Gift, usize, usize)>,
    currency: Currency,
    orders: u64,
    refunds: u64,
}

fn odd(error: impl ToString) -> YearsError {
    YearsError::SetUp(error.to_string())
}

impl Shop {
    pub(super) fn open(members: u32, seed: u64) -> Result<Self, YearsError> {
        let mut policy = json!(Policy::default_document()?);
        policy["points"] = serde_json::from_str(PROGRAMME).map_err(odd)?;
        let policy = Policy::parse(&policy.to_string())?;
        let customer = |n: u32| CustomerId::member(&format!("member-{n}")).map_err(odd);
        let customers = (0..members).map(customer).collect::<Result<Vec<_>, _>>()?;
        let now = Timestamp::parse("2026-01-01T00:00:00Z").map_err(odd)?;
        let giving = |it: &CustomerId| Giving::nothing(it.clone());
        // Some on the leap day; a third of the members say nothing of it.
        let days = ["02-29", "06-15", "11-30"];
        let mut birthdays = Vec::new();
        for text in days.iter().cycle().take(customers.len()) {
            birthdays.push(YearDay::parse(text).ok().filter(|_| birthdays.len() % 3 != 1));
        }
        Ok(Self {
            giving: customers.iter().map(giving).collect(),
            members: customers
                .into_iter()
                .zip(birthdays)
                .map(|(it, day)| Member::new(it, day))
                .collect(),
            policy,
            dice: fastrand::Rng::with_seed(seed),
            now,
            plan: BTreeMap::new(),
            gifts: Vec::new(),
            currency: Currency::parse("EUR").map_err(odd)?,
            orders: 0,
            refunds: 0,
        })
    }

    /// One of so many.
    fn one_of(&mut self, many: u32) -> bool {
        self.dice.u32(0..many) == 0
    }

    /// One day: what was planned for it, what members do, and the nightly job.
    pub(super) fn day(&mut self) -> Result<(), YearsError> {
        for (member, order, event) in self.plan.remove(&self.now).unwrap_or_default() {
            self.happen(member, &order, event)?;
        }
        for member in 0..self.members.len() {
            // Some buy every three weeks, some twice a year.
            let seldom = 20 + u32::try_from(member % 160).unwrap_or(0);
            if self.one_of(seldom) {
                self.buy(member)?;
            }
            if self.one_of(50) {
                self.act(member, ActionKind::CheckIn)?;
            }
            if self.one_of(60) {
                self.act(member, ActionKind::Review)?;
            }
            if self.one_of(120) {
                self.redeem(member)?;
            }
            if self.one_of(200) {
                self.give(member)?;
            }
        }
        self.answer_gifts()?;
        self.now = self.now.plus(Period::of_days(1));
        for member in &mut self.members {
            member.settle(&self.policy, self.now)?;
        }
        Ok(())
    }

    fn act(&mut self, member: usize, kind: ActionKind) -> Result<(), YearsError> {
        let at = self.now.plus(Period::of_seconds(8 * 3_600));
        let action = match kind {
            ActionKind::CheckIn => Action::check_in(at, &self.policy.points),
            _ => Text::new(&at.to_string()).ok().map(|reference| Action { kind, reference, at }),
        };
        let (Some(action), Some(member)) = (action, self.members.get_mut(member)) else {
            return Ok(());
        };
        // The client says it twice.
        member.act(&action, &self.policy)?;
        member.act(&action, &self.policy)
    }

    fn redeem(&mut self, member: usize) -> Result<(), YearsError> {
        let id = RedemptionId::derive(&[&format!("{member}-{}", self.now)]);
        let points = self.dice.i64(1..20) * 50;
        let at = self.now.plus(Period::of_seconds(8 * 3_600));
        match self.members.get_mut(member) {
            Some(member) => member.redeem(&id, points, &self.policy, at),
            None => Ok(()),
        }
    }

    fn plan(&mut self, days: u16, member: usize, order: &OrderId, event: Event) {
        let day = self.now.plus(Period::of_days(days));
        self.plan.entry(day).or_default().push((member, order.clone(), event));
    }

    /// Places an order, mostly pays it, and plans what becomes of it.
    fn buy(&mut self, member: usize) -> Result<(), YearsError> {
        let pays_points = self.one_of(3);
        let paid = !self.one_of(12);
        let Some(holdable) = self.members.get(member).map(|it| it.ledger.holdable()) else {
            return Ok(());
        };
        let points = if pays_points { holdable.max(0) } else { 0 };
        let mut order = self.order(member, points)?;
        let id = order.id.clone();
        let Some(buyer) = self.members.get_mut(member) else { return Ok(()) };
        if let Some(points) = &order.points {
            let mut ledger = buyer.ledger.clone();
            ledger
                .hold(Holder::Order(id.clone()), points.points, None)
                .map_err(|error| buyer.refused(error))?;
            buyer.commit(ledger, Vec::new(), &[], &self.policy)?;
        }
        if paid {
            order.status = OrderStatus::Paid;
            order.paid_at = Some(self.now.plus(Period::of_seconds(9 * 3_600)));
            self.orders += 1;
        }
        let posted = Posted::nothing(&order.customer, &order);
        buyer.bought.insert(id.clone(), Bought { order, dispatch: None, posted });
        let now = self.now.plus(Period::of_seconds(9 * 3_600));
        buyer.handle(&id, &self.policy, now)?;
        if paid {
            self.plan_paid(member, &id)
        } else {
            self.plan(1, member, &id, Event::Expired)
        }
        Ok(())
    }

    fn plan_paid(&mut self, member: usize, id: &OrderId) {
        if self.one_of(50) {
            return self.plan(1, member, id, Event::Cancelled);
        }
        let days = if self.one_of(20) { self.dice.u16(15..40) } else { self.dice.u16(2..8) };
        self.plan(days, member, id, Event::Delivered);
        if self.one_of(50) {
            self.plan(days + 1, member, id, Event::SentAgain);
            self.plan(days + 9, member, id, Event::Delivered);
        }
        // Within the window, and long after it by a kindness of the shop.
        for (chance, from, until) in [(8, 1, 14), (20, 1, 20), (40, 20, 400)] {
            if self.one_of(chance) {
                let later = self.dice.u16(from..until);
                self.plan(days + later, member, id, Event::Refunded);
            }
        }
    }

    /// A new order. Points pay for at most half of the goods.
    fn order(&mut self, member: usize, points: i64) -> Result<Order, YearsError> {
        let money = |minor: i64, currency| Money::new(minor, currency).map_err(odd);
        let nothing = money(0, self.currency)?;
        let (mut lines, mut goods) = (Vec::new(), 0);
        for number in 0..self.dice.usize(1..4) {
            let quantity = self.dice.u32(1..4);
            let price = self.dice.i64(100..12_000);
            let total = price * i64::from(quantity);
            goods += total;
            let category = CATEGORIES.get(self.dice.usize(0..CATEGORIES.len()));
            lines.push(OrderLine {
                sku: Sku::parse(&format!("SKU-{number}")).map_err(odd)?,
                title: Text::new("Goods").map_err(odd)?,
                category: category.and_then(|it| Text::new(it).ok()),
                brand: None,
                quantity,
                unit_price: money(price, self.currency)?,
                discount: nothing,
                total: money(total, self.currency)?,
                tax: nothing,
                points: nothing,
                gift: None,
                cancelled: 0,
                refunded: 0,
                stock: Vec::new(),
            });
        }
        let mut used = points.min(goods / 2);
        if used < 50 {
            used = 0;
        }
        // A point is worth a cent.
        let mut left = used;
        for line in &mut lines {
            let share = left.min(line.total.minor() / 2);
            line.points = money(share, self.currency)?;
            left -= share;
        }
        used -= left;
        let number = format!("{member}-{}-{}", self.now, self.orders);
        let customer = CustomerId::member(&format!("member-{member}")).map_err(odd)?;
        let amount = money(used, self.currency)?;
        let day = self.now.date_in(&Zone::utc());
        Ok(Order {
            id: OrderId::derive(&[&number]),
            customer,
            placed_at: self.now,
            status: OrderStatus::Placed,
            lines,
            discounts: Vec::new(),
            delivery: OrderDelivery {
                method: MethodId::parse("standard").map_err(odd)?,
                price: nothing,
                discount: nothing,
                tax: nothing,
                points: 0,
                promise: Promise { ship_by: day, from: day, until: day },
            },
            tax_included: true,
            points: (used > 0).then_some(OrderPoints { points: used, amount, account: None }),
            total: money(goods - used, self.currency)?,
            quotas: Vec::new(),
            vouchers: Vec::new(),
            cart: None,
            channel: None,
            device: None,
            card: None,
            risk: None,
            held_at: None,
            history: Vec::new(),
            address: serde_json::from_value(
                json!({ "name": "A", "line1": "B", "city": "C", "country": "DE" }),
            )
            .map_err(odd)?,
            contact: serde_json::from_value(json!({ "email": "a@example.com" })).map_err(odd)?,
            hold_until: self.now,
            expires_at: None,
            payments: Vec::new(),
            paid_at: None,
            refunds_due: Vec::new(),
            request: String::new(),
            policy: self.policy.version.to_string(),
        })
    }

    fn happen(&mut self, member: usize, id: &OrderId, event: Event) -> Result<(), YearsError> {
        let noon = self.now.plus(Period::of_seconds(12 * 3_600));
        let (line, units) = (self.dice.usize(0..3), self.dice.u32(1..3));
        let Some(buyer) = self.members.get_mut(member) else { return Ok(()) };
        let Some(bought) = buyer.bought.get_mut(id) else { return Ok(()) };
        let order = &mut bought.order;
        match event {
            Event::Expired => {
                order.status = OrderStatus::Expired;
                let mut ledger = buyer.ledger.clone();
                if ledger.release(&Holder::Order(id.clone())).is_some() {
                    buyer.commit(ledger, Vec::new(), &[], &self.policy)?;
                }
            }
            Event::Cancelled => order.status = OrderStatus::Cancelled,
            Event::Refunded => {
                if let Some(line) = order.lines.get_mut(line) {
                    line.refunded = line.quantity.min(line.refunded + units);
                    self.refunds += 1;
                }
            }
            Event::Delivered => {
                let none = || Dispatch::unopened(&bought.order, noon);
                let dispatch = bought.dispatch.get_or_insert_with(none);
                if dispatch.shipments.is_empty() {
                    dispatch.shipments.push(shipment(id, 1, noon));
                }
                if let Some(shipment) = dispatch.shipments.last_mut() {
                    shipment.journey = Journey { delivered_at: Some(noon), ..Journey::pending() };
                }
            }
            Event::SentAgain => {
                let Some(dispatch) = bought.dispatch.as_mut() else { return Ok(()) };
                if let Some(lost) = dispatch.shipments.last_mut() {
                    lost.cancelled_at = Some(noon);
                }
                dispatch.shipments.push(shipment(id, 2, noon));
            }
        }
        buyer.handle(id, &self.policy, noon)
    }

    /// Somebody gives points to somebody else; the rules may refuse.
    fn give(&mut self, from: usize) -> Result<(), YearsError> {
        let to = self.dice.usize(0..self.members.len());
        let points = self.dice.i64(10..300);
        let id = GiftId::derive(&[&format!("{from}-{}", self.now)]);
        let Some(other) = self.members.get(to) else { return Ok(()) };
        let offer =
            Offer { id, to: other.ledger.customer.clone(), points, note: None, signed: None };
        let (Some(giver), Some(giving)) = (self.members.get_mut(from), self.giving.get_mut(from))
        else {
            return Ok(());
        };
        let mut ledger = giver.ledger.clone();
        if let Ok(gift) = gifts::offer(offer, &mut ledger, giving, &self.policy, self.now) {
            giver.commit(ledger, Vec::new(), &[], &self.policy)?;
            self.gifts.push((gift, from, to));
        }
        Ok(())
    }

    /// Of the gifts that wait, most are accepted, some are not, until their
    /// time is over.
    fn answer_gifts(&mut self) -> Result<(), YearsError> {
        let evening = self.now.plus(Period::of_seconds(20 * 3_600));
        for (gift, from, to) in std::mem::take(&mut self.gifts) {
            if !self.one_of(3) {
                if gift.is_open(evening) {
                    self.gifts.push((gift, from, to));
                }
                continue;
            }
            let (Some(giver), Some(taker)) = (self.members.get(from), self.members.get(to)) else {
                continue;
            };
            let (mut gave, mut took) = (giver.ledger.clone(), taker.ledger.clone());
            let Some(giving) = self.giving.get_mut(to) else { continue };
            let both = (&mut gave, &mut took);
            let accepted = gifts::accept(&gift, both, giving, &self.policy, evening);
            let Ok(accepted) = accepted else { continue };
            if let Some(giver) = self.members.get_mut(from) {
                giver.commit(gave, vec![accepted.sent], &[], &self.policy)?;
            }
            if let Some(taker) = self.members.get_mut(to) {
                taker.commit(took, accepted.received, &accepted.news, &self.policy)?;
            }
        }
        Ok(())
    }

    /// Audits every ledger, and all of them together.
    pub(super) fn audit(&mut self) -> Result<Year, YearsError> {
        let now = self.now;
        let mut year = Year { orders: self.orders, refunds: self.refunds, ..Year::default() };
        let mut sums: BTreeMap<Account, i128> = BTreeMap::new();
        let levels = &self.policy.points.tiers.levels;
        year.tiers = vec![0; levels.len() + 1];
        let mut pending = 0;
        for member in &self.members {
            year.entries += member.audit(now)?;
            year.news += member.told;
            year.lots = year.lots.max(member.ledger.lots.len());
            for account in Account::ALL {
                *sums.entry(account).or_default() += i128::from(member.ledger.balance(account));
            }
            pending += member.pending();
            let tier = member.ledger.standing.tier.as_ref();
            let rank = levels.iter().position(|level| Some(&level.id) == tier);
            if let Some(count) = year.tiers.get_mut(rank.map_or(0, |rank| rank + 1)) {
                *count += 1;
            }
        }
        let balance = |account| sums.get(&account).copied().unwrap_or(0);
        let all = sums.values().sum::<i128>();
        for (what, sum) in [
            ("sum of all accounts", all),
            ("sum of what members gave each other", balance(Account::Gifted)),
            ("difference of what is pending", balance(Account::Pending) - pending),
        ] {
            if sum != 0 {
                return Err(YearsError::Unbalanced { at: now, what, sum });
            }
        }
        year.balances = sums.into_iter().collect();
        let old = now.minus(FORGOTTEN_AFTER);
        for member in &mut self.members {
            member.bought.retain(|_, it| {
                let pending = it.posted.earned.as_ref().is_some_and(|it| it.claim.points > 0);
                pending || it.order.placed_at > old
            });
        }
        Ok(year)
    }
}

fn shipment(order: &OrderId, number: u16, at: Timestamp) -> Shipment {
    Shipment::new(order, number, LocationId::default(), Vec::new(), at)
}
