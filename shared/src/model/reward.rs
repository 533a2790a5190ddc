//! Rewards: what members take for points.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Address, CustomerId},
    id::{EntryId, OrderId, RedemptionId, VoucherId},
    money::Money,
    order::Actor,
    points::{Holder, MAX_POINTS},
    price::{PriceRules, RuleId, Title, Window, WindowState},
    product::Sku,
    text::{Text, is_plain, names},
    time::{Period, Timestamp, Zone},
};

/// The most rewards that the catalogue shows: more than anybody reads through.
pub const MAX_REWARDS: u16 = 100;

/// The most tiers that a reward names.
pub const MAX_TIERS: usize = 20;

/// The most units of a reward, and the most of it for a member: a typing
/// error beyond it is refused.
pub const MAX_UNITS: u32 = 1_000_000_000;

/// The longest that a coupon is good: ten years. A typing error beyond it is
/// refused.
pub const MAX_VALID: Period = Period::of_days(3_650);

names! {
    /// The name of a reward: 1 to 40 of `a-z 0-9 -`.
    RewardId(40, is_plain);
    /// Why a text names no reward.
    RewardIdError = "must be the name of a reward: 1 to 40 of the characters a-z 0-9 -";
}

/// What a reward is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RewardKind {
    /// A voucher of a price rule: money off, a free gift with an order, or a
    /// better delivery of an order that is still to be placed.
    Coupon {
        /// Of which rule.
        rule: RuleId,
        /// How long it is good, at most [`MAX_VALID`]; as long as the rule, if
        /// it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid: Option<Period>,
    },
    /// Goods that the warehouse sends to an address.
    Gift {
        /// Which.
        sku: Sku,
    },
    /// The faster delivery of an order that has not left.
    ExpressUpgrade,
    /// The fee of a return, an exchange or a repair of goods of a paid order.
    AfterSalesFee {
        /// At most this much.
        up_to: Money,
    },
    /// Something that people of the merchant do for the member.
    Service,
}

impl RewardKind {
    /// Whether it is about an order, which is named when it is taken.
    #[must_use]
    pub const fn wants_order(&self) -> bool {
        matches!(self, Self::ExpressUpgrade | Self::AfterSalesFee { .. })
    }

    /// Whether it is sent to an address, which is named when it is taken.
    #[must_use]
    pub const fn wants_address(&self) -> bool {
        matches!(self, Self::Gift { .. })
    }

    /// Whether a person sees to it after it was taken.
    #[must_use]
    pub const fn is_task(&self) -> bool {
        !matches!(self, Self::Coupon { .. })
    }

    /// Whether price rules know it: a coupon is of one that takes vouchers. They
    /// have nothing to say of other kinds.
    #[must_use]
    pub fn is_known(&self, rules: &PriceRules) -> bool {
        match self {
            Self::Coupon { rule, .. } => rules.of_vouchers(rule).is_some(),
            _ => true,
        }
    }

    /// Whether it is worth something at a moment: the rule of a coupon is known,
    /// has begun and is not over. It need not be its day or hour.
    #[must_use]
    pub fn is_worth_something(&self, rules: &PriceRules, now: Timestamp) -> bool {
        match self {
            Self::Coupon { rule, .. } => rules.honours(rule, now),
            _ => true,
        }
    }
}

/// What members may take for points, as the shop writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// What members read.
    pub title: Title,
    /// What it is.
    pub kind: RewardKind,
    /// For how many points.
    pub points: i64,
    /// When it may be taken, by the clock of the points' zone; always, if left
    /// out. It leaves the catalogue at the end.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub window: Window,
    /// Only by members of these tiers; by all, if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
    /// The most of it that a member has: what is called off or given back does
    /// not count. Without end, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_member: Option<u32>,
    /// How many there are in all, those that were taken included: a shop that
    /// has ten more says ten more here. Without end, if left out; what is taken
    /// meanwhile is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
}

impl Reward {
    /// Whether it makes sense, beyond its form.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=MAX_POINTS).contains(&self.points) {
            return Err(("points", "must be 1 to 1,000,000,000,000"));
        }
        if let RewardKind::Coupon { valid: Some(valid), .. } = self.kind
            && !(Period::of_seconds(1)..=MAX_VALID).contains(&valid)
        {
            return Err(("kind.coupon.valid", "must be 1 second to 3,650 days"));
        }
        if self.tiers.len() > MAX_TIERS {
            return Err(("tiers", "must have at most 20 members"));
        }
        if self.per_member.is_some_and(|most| !(1..=MAX_UNITS).contains(&most)) {
            return Err(("per_member", "must be 1 to 1,000,000,000"));
        }
        if self.units.is_some_and(|units| units > MAX_UNITS) {
            return Err(("units", "must be at most 1,000,000,000"));
        }
        self.window.check().map_err(|(field, reason)| match field {
            "until" => ("window.until", reason),
            "days" => ("window.days", reason),
            _ => ("window.hours", reason),
        })
    }
}

/// A reward of the catalogue, and how much of it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its name.
    pub id: RewardId,
    /// What it is.
    pub reward: Reward,
    /// How many were taken, those that came back left out.
    pub taken: i64,
}

/// What keeps a member from taking a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is over.
    Ended,
    /// Its time has not come, or it is not its day or hour.
    NotOpen,
    /// Only members of other tiers take it.
    Tier,
    /// None is left.
    Gone,
    /// The member has as many as one may have.
    Limit,
    /// So many points are missing.
    Points(i64),
}

/// Who would take a reward.
#[derive(Debug, Clone, Copy)]
pub struct Taker<'a> {
    /// The member's tier.
    pub tier: Option<&'a Text<40>>,
    /// How many of the reward the member has.
    pub has: i64,
    /// How many points may be held.
    pub holdable: i64,
}

impl Offered {
    /// How many are left, if they are counted.
    #[must_use]
    pub fn left(&self) -> Option<i64> {
        self.reward.units.map(|units| i64::from(units).saturating_sub(self.taken).max(0))
    }

    /// What keeps a member from taking it now, by the clock of a zone: the
    /// first that nothing the member does could change.
    #[must_use]
    pub fn obstacle(&self, taker: Taker<'_>, now: Timestamp, zone: &Zone) -> Option<Obstacle> {
        let reward = &self.reward;
        match reward.window.at(now, zone) {
            WindowState::Open => {}
            WindowState::Ended => return Some(Obstacle::Ended),
            WindowState::NotYet | WindowState::Closed => return Some(Obstacle::NotOpen),
        }
        let fits = |tier: &Text<40>| reward.tiers.contains(tier);
        if !reward.tiers.is_empty() && !taker.tier.is_some_and(fits) {
            return Some(Obstacle::Tier);
        }
        if self.left() == Some(0) {
            return Some(Obstacle::Gone);
        }
        if reward.per_member.is_some_and(|most| taker.has >= i64::from(most)) {
            return Some(Obstacle::Limit);
        }
        let missing = reward.points.saturating_sub(taker.holdable);
        (missing > 0).then_some(Obstacle::Points(missing))
    }
}

/// How a redemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionStatus {
    /// Taken. Somebody sees to it; a coupon is a voucher of the member.
    Taken,
    /// The member has it.
    Fulfilled,
    /// The member called it off.
    Cancelled,
    /// The shop took it back, or could not give it.
    Returned,
}

/// Who of the merchant's people saw to it, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfilled {
    /// When.
    pub at: Timestamp,
    /// Who, by the subject of the token.
    pub by: Text<128>,
    /// What there is to say, such as a parcel's number.
    pub note: Option<Text<200>>,
}

/// How a redemption was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoing {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
}

/// A reward that a member took, as it was when it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Derived from the member and the key of the call.
    pub id: RedemptionId,
    /// Who took it.
    pub customer: CustomerId,
    /// Whose points pay for it: the member's, or those of the account that
    /// the member's is linked into.
    pub account: CustomerId,
    /// Which reward.
    pub reward: RewardId,
    /// What members read.
    pub title: Title,
    /// What it is.
    pub kind: RewardKind,
    /// For how many points.
    pub points: i64,
    /// Whether it is counted among those that were taken of the reward's units.
    pub of_units: bool,
    /// Whether it is counted among those that the member has.
    pub of_member: bool,
    /// About which order.
    pub order: Option<OrderId>,
    /// Where it goes.
    pub address: Option<Address>,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// Digest of the call, by which a repeated one is known.
    pub request: String,
    /// Whether its points were posted as spent; they are held before.
    pub posted: bool,
    /// That the member has it.
    pub fulfilled: Option<Fulfilled>,
    /// That it was undone, and its points go back.
    pub undone: Option<Undoing>,
    /// How often it changed.
    pub version: u32,
}

/// Why a redemption cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unchangeable {
    /// It was undone.
    #[error("It was called off or given back before.")]
    Undone,
    /// The member has it: only the shop can take it back.
    #[error("It was seen to already: ask the shop whether it takes it back.")]
    Fulfilled,
    /// It is a voucher, which needs nobody.
    #[error("A coupon is a voucher of the member: nobody has to see to it.")]
    Coupon,
}

impl Redemption {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> RedemptionStatus {
        match (&self.undone, &self.fulfilled) {
            (Some(Undoing { by: Actor::Buyer, .. }), _) => RedemptionStatus::Cancelled,
            (Some(_), _) => RedemptionStatus::Returned,
            (None, Some(_)) => RedemptionStatus::Fulfilled,
            (None, None) => RedemptionStatus::Taken,
        }
    }

    /// Whether a person of the merchant is to see to it.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.kind.is_task() && self.status() == RedemptionStatus::Taken
    }

    /// What holds its points until they are posted.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder::Redemption(self.id.clone())
    }

    /// The voucher that a coupon is.
    #[must_use]
    pub fn voucher(&self) -> Option<VoucherId> {
        let is_coupon = matches!(self.kind, RewardKind::Coupon { .. });
        is_coupon.then(|| VoucherId::derive(&["redemption", self.id.as_str()]))
    }

    /// The identity of the entry that gives its points back.
    #[must_use]
    pub fn returning(&self) -> EntryId {
        EntryId::derive(&[self.account.as_str(), "redemption_returned", self.id.as_str()])
    }

    /// Notes that the member has it. That it was so before changes nothing.
    ///
    /// # Errors
    /// [`Unchangeable`].
    pub fn fulfil(&mut self, fulfilled: Fulfilled) -> Result<(), Unchangeable> {
        match self.status() {
            RedemptionStatus::Taken if !self.kind.is_task() => Err(Unchangeable::Coupon),
            RedemptionStatus::Taken => {
                self.fulfilled = Some(fulfilled);
                Ok(())
            }
            RedemptionStatus::Fulfilled => Ok(()),
            RedemptionStatus::Cancelled | RedemptionStatus::Returned => Err(Unchangeable::Undone),
        }
    }

    /// Undoes it. Members undo what nobody has seen to; the shop takes back
    /// that, too. Undone in the same way before, nothing changes.
    ///
    /// # Errors
    /// [`Unchangeable`].
    pub fn undo(&mut self, undoing: Undoing) -> Result<(), Unchangeable> {
        let by_member = undoing.by == Actor::Buyer;
        match self.status() {
            RedemptionStatus::Fulfilled if by_member => Err(Unchangeable::Fulfilled),
            RedemptionStatus::Taken | RedemptionStatus::Fulfilled => {
                self.undone = Some(undoing);
                Ok(())
            }
            RedemptionStatus::Cancelled if by_member => Ok(()),
            RedemptionStatus::Returned if !by_member => Ok(()),
            RedemptionStatus::Cancelled | RedemptionStatus::Returned => Err(Unchangeable::Undone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn reward(more: &Value) -> Reward {
        let mut form = json!({
            "title": { "en": "A mug" }, "kind": { "gift": { "sku": "MUG" } }, "points": 100,
        });
        for (name, value) in more.as_object().unwrap() {
            form[name] = value.clone();
        }
        serde_json::from_value(form).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }

    fn tier(name: &str) -> Text<40> {
        Text::new(name).unwrap()
    }

    #[test]
    fn kinds_read_as_they_are_written() {
        for kind in [
            json!({ "coupon": { "rule": "five-off", "valid": "30d" } }),
            json!({ "coupon": { "rule": "five-off" } }),
            json!({ "gift": { "sku": "MUG" } }),
            json!("express_upgrade"),
            json!({ "after_sales_fee": { "up_to": { "amount": 500, "currency": "GBP" } } }),
            json!("service"),
        ] {
            let read: RewardKind = serde_json::from_value(kind.clone()).unwrap();
            assert_eq!(json!(read), kind);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(reward(&json!({})).check(), Ok(()));
        let tiers: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        for (more, field) in [
            (json!({ "points": 0 }), "points"),
            (json!({ "points": -5 }), "points"),
            (json!({ "points": 1_000_000_000_001_i64 }), "points"),
            (json!({ "tiers": tiers }), "tiers"),
            (json!({ "per_member": 0 }), "per_member"),
            (json!({ "kind": { "coupon": { "rule": "a", "valid": "0d" } } }), "kind.coupon.valid"),
            (
                json!({ "kind": { "coupon": { "rule": "a", "valid": "3651d" } } }),
                "kind.coupon.valid",
            ),
            (json!({ "units": 1_000_000_001 }), "units"),
            (
                json!({ "window": { "from": "2026-01-02T00:00", "until": "2026-01-02T00:00" } }),
                "window.until",
            ),
            (json!({ "window": { "days": ["sat", "sat"] } }), "window.days"),
            (
                json!({ "window": { "hours": { "from": "20:00", "until": "19:00" } } }),
                "window.hours",
            ),
        ] {
            assert_eq!(reward(&more).check().map_err(|(field, _)| field), Err(field), "{more}");
        }
    }

    #[test]
    fn the_first_obstacle_that_no_member_can_change_is_told() {
        let gold = tier("gold");
        let rich = Taker { tier: Some(&gold), has: 0, holdable: 100 };
        let silver = tier("silver");
        let hours = |from: &str| json!({ "window": { "hours": { "from": from } } });
        let until = |until: &str| json!({ "window": { "until": until } });
        for (more, taken, taker, obstacle) in [
            (json!({}), 0, rich, None),
            (hours("20:00"), 0, rich, None),
            (hours("20:01"), 0, rich, Some(Obstacle::NotOpen)),
            (json!({ "window": { "from": "2026-11-23T00:00" } }), 0, rich, Some(Obstacle::NotOpen)),
            (until("2026-11-22T20:00"), 0, rich, Some(Obstacle::Ended)),
            (json!({ "tiers": ["gold"] }), 0, rich, None),
            (json!({ "tiers": ["gold"] }), 0, Taker { tier: None, ..rich }, Some(Obstacle::Tier)),
            (
                json!({ "tiers": ["gold"], "units": 0 }),
                0,
                Taker { tier: Some(&silver), ..rich },
                Some(Obstacle::Tier),
            ),
            (json!({ "units": 3 }), 2, rich, None),
            (json!({ "units": 3 }), 3, rich, Some(Obstacle::Gone)),
            (json!({ "units": 3 }), 5, rich, Some(Obstacle::Gone)),
            (json!({ "per_member": 2 }), 0, Taker { has: 1, ..rich }, None),
            (json!({ "per_member": 2 }), 0, Taker { has: 2, ..rich }, Some(Obstacle::Limit)),
            (json!({}), 0, Taker { holdable: 99, ..rich }, Some(Obstacle::Points(1))),
        ] {
            let id = RewardId::parse("mug").unwrap();
            let offered = Offered { id, reward: reward(&more), taken };
            let zone = Zone::parse("Asia/Shanghai").unwrap();
            assert_eq!(offered.obstacle(taker, now(), &zone), obstacle, "{more} {taken}");
        }
    }

    #[test]
    fn a_coupon_is_worth_what_its_rule_is() {
        let rules = |more: &Value| {
            let mut rule = json!({
                "id": "five-off", "title": { "en": "Five off" },
                "effect": { "amount": { "currency": "GBP", "off": 500 } },
            });
            for (name, value) in more.as_object().unwrap() {
                rule[name] = value.clone();
            }
            let document = json!({ "version": "1", "zone": "Asia/Shanghai", "rules": [rule] });
            PriceRules::parse(&document.to_string()).unwrap()
        };
        let voucher = |window: Value| json!({ "coupon": { "voucher": true }, "window": window });
        let coupon = |rule: &str| reward(&json!({ "kind": { "coupon": { "rule": rule } } })).kind;
        for (rule, of, is_known, is_worth) in [
            ("five-off", voucher(json!({})), true, true),
            ("six-off", voucher(json!({})), false, false),
            ("five-off", json!({}), false, false),
            ("five-off", json!({ "coupon": { "code": "FIVE" } }), false, false),
            ("five-off", voucher(json!({ "hours": { "from": "20:01" } })), true, true),
            ("five-off", voucher(json!({ "from": "2026-11-22T20:00" })), true, true),
            ("five-off", voucher(json!({ "from": "2026-11-22T20:01" })), true, false),
            ("five-off", voucher(json!({ "until": "2026-11-22T20:01" })), true, true),
            ("five-off", voucher(json!({ "until": "2026-11-22T20:00" })), true, false),
        ] {
            let (kind, rules) = (coupon(rule), rules(&of));
            let found = (kind.is_known(&rules), kind.is_worth_something(&rules, now()));
            assert_eq!(found, (is_known, is_worth), "{rule} {of}");
        }
        let none = rules(&json!({}));
        let mug = reward(&json!({})).kind;
        assert!(mug.is_known(&none) && mug.is_worth_something(&none, now()));
    }

    fn redemption(kind: &Value) -> Redemption {
        let customer = CustomerId::member("ada").unwrap();
        let reward = reward(&json!({ "kind": kind }));
        Redemption {
            id: RedemptionId::derive(&["1"]),
            account: customer.clone(),
            customer,
            reward: RewardId::parse("mug").unwrap(),
            title: reward.title,
            kind: reward.kind,
            points: reward.points,
            of_units: false,
            of_member: false,
            order: None,
            address: None,
            taken_at: now(),
            request: String::new(),
            posted: false,
            fulfilled: None,
            undone: None,
            version: 1,
        }
    }

    #[test]
    fn a_redemption_moves_only_forward() {
        use RedemptionStatus::{Cancelled, Fulfilled as Done, Returned, Taken};
        let someone = Text::new("op").unwrap();
        let done = || Fulfilled { at: now(), by: someone.clone(), note: None };
        let undoing = |by| Undoing { at: now(), by };
        let operator = || Actor::Operator(someone.clone());
        let after = |kind: Value, steps: &[&str]| {
            let mut redemption = redemption(&kind);
            let mut last = Ok(());
            for step in steps {
                last = match *step {
                    "fulfil" => redemption.fulfil(done()),
                    "cancel" => redemption.undo(undoing(Actor::Buyer)),
                    _ => redemption.undo(undoing(operator())),
                };
            }
            (redemption.status(), redemption.waits(), last)
        };
        let gift = || json!({ "gift": { "sku": "MUG" } });
        let coupon = || json!({ "coupon": { "rule": "five-off" } });
        for (kind, steps, expected) in [
            (gift(), &[][..], (Taken, true, Ok(()))),
            (gift(), &["fulfil"], (Done, false, Ok(()))),
            (gift(), &["fulfil", "fulfil"], (Done, false, Ok(()))),
            (gift(), &["fulfil", "cancel"], (Done, false, Err(Unchangeable::Fulfilled))),
            (gift(), &["fulfil", "return"], (Returned, false, Ok(()))),
            (gift(), &["return", "return"], (Returned, false, Ok(()))),
            (gift(), &["return", "cancel"], (Returned, false, Err(Unchangeable::Undone))),
            (gift(), &["cancel", "cancel"], (Cancelled, false, Ok(()))),
            (gift(), &["cancel", "return"], (Cancelled, false, Err(Unchangeable::Undone))),
            (gift(), &["cancel", "fulfil"], (Cancelled, false, Err(Unchangeable::Undone))),
            (coupon(), &[], (Taken, false, Ok(()))),
            (coupon(), &["fulfil"], (Taken, false, Err(Unchangeable::Coupon))),
            (coupon(), &["cancel"], (Cancelled, false, Ok(()))),
        ] {
            assert_eq!(after(kind, steps), expected, "{steps:?}");
        }
    }
}
