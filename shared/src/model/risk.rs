//! Risk: under what a buyer, a device, an address and a card are known without
//! being named, how often each was seen of late, and the merchant's rules.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Address, Contact, CustomerId},
    digest,
    id::OrderId,
    money::Money,
    order::Order,
    policy::PolicyError,
    text::Text,
    time::{Period, Timestamp},
};

/// How long it is known when something was seen: rules count within it.
pub const SEEN_KEPT: Period = Period::of_days(1);

/// The most orders of which it is known that they came from one buyer, device,
/// address or card: 3 KB. Who places more within a day is found by any rule
/// that counts.
pub const SEEN_MOST: usize = 64;

/// The most rules of a policy: each is looked at for each order.
const MAX_RULES: usize = 50;

/// The most currencies that a rule names amounts in.
const MAX_AMOUNTS: usize = 20;

/// What is counted, blocked and trusted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RiskKind {
    /// A member. A guest is a buyer of one order, so there is nothing to count.
    Customer,
    /// The device or browser that the order came from, as the shop names it.
    Device,
    /// The place that the order goes to, whoever it is for.
    Address,
    /// The buyer's e-mail address.
    Email,
    /// The card, by the fingerprint that the payment provider gives it.
    Card,
}

impl RiskKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Customer, Self::Device, Self::Address, Self::Email, Self::Card];

    /// The name that clients and keys use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Device => "device",
            Self::Address => "address",
            Self::Email => "email",
            Self::Card => "card",
        }
    }

    /// The digest under which a value is known. Kinds do not meet: the same
    /// text as another kind has another digest. Small and capital letters make
    /// no difference to an e-mail address.
    #[must_use]
    pub fn digest(self, value: &str) -> String {
        let value = match self {
            Self::Email => value.to_lowercase(),
            Self::Customer | Self::Device | Self::Address | Self::Card => value.to_owned(),
        };
        digest::short(&[DOMAIN, self.as_str().as_bytes(), value.as_bytes()])
    }
}

/// Keeps these digests apart from all others of the suite.
const DOMAIN: &[u8] = b"aftercart risk 1";

/// The digest of a place: letters and digits of its lines, town, postal code
/// and country, without regard to case, punctuation and white space. Names,
/// regions and telephone numbers are left out: they are easily varied.
#[must_use]
pub fn address_digest(address: &Address) -> String {
    let line2 = address.line2.as_ref().map_or("", Text::as_str);
    let postal_code = address.postal_code.as_ref().map_or("", Text::as_str);
    let parts = [
        address.line1.as_str(),
        line2,
        address.city.as_str(),
        postal_code,
        address.country.as_str(),
    ];
    let plain = parts.map(|part| {
        let kept = part.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect::<String>()
    });
    RiskKind::Address.digest(&plain.join(" "))
}

/// The digests under which what an order tells of its buyer is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity(BTreeMap<RiskKind, String>);

impl Identity {
    /// Of an order's facts; `device` and `card` are digests already, see
    /// [`RiskKind::digest`].
    #[must_use]
    pub fn new(
        customer: &CustomerId,
        contact: &Contact,
        address: &Address,
        device: Option<&str>,
        card: Option<&str>,
    ) -> Self {
        let member = customer.is_member().then(|| RiskKind::Customer.digest(customer.as_str()));
        let known = [
            (RiskKind::Customer, member),
            (RiskKind::Device, device.map(str::to_owned)),
            (RiskKind::Address, Some(address_digest(address))),
            (RiskKind::Email, Some(RiskKind::Email.digest(contact.email.as_str()))),
            (RiskKind::Card, card.map(str::to_owned)),
        ];
        Self(known.into_iter().filter_map(|(kind, digest)| Some((kind, digest?))).collect())
    }

    /// Of an order that was placed.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let (device, card) = (order.device.as_deref(), order.card.as_deref());
        Self::new(&order.customer, &order.contact, &order.address, device, card)
    }

    /// Those of some kinds, by kind.
    pub fn among<'a>(
        &'a self,
        kinds: &'a BTreeSet<RiskKind>,
    ) -> impl Iterator<Item = (RiskKind, &'a str)> {
        let wanted = self.0.iter().filter(|(kind, _)| kinds.contains(kind));
        wanted.map(|(kind, digest)| (*kind, digest.as_str()))
    }
}

/// Which orders were seen of late from one buyer, device, address or card, and
/// when: a fold over the set of those orders, whatever order they come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// When each was placed.
    pub orders: BTreeMap<OrderId, Timestamp>,
    /// How often it was written.
    pub version: u64,
}

impl Seen {
    /// With this order, and without those that the latest of them leaves
    /// behind the time that is kept, and beyond the number that is kept. None
    /// if nothing changes by it.
    #[must_use]
    pub fn with(&self, order: &OrderId, at: Timestamp) -> Option<Self> {
        let mut orders = self.orders.clone();
        orders.insert(order.clone(), at);
        let oldest = orders.values().max().map_or(at, |latest| latest.minus(SEEN_KEPT));
        orders.retain(|_, at| *at > oldest);
        while orders.len() > SEEN_MOST {
            let first = orders.iter().min_by_key(|(order, at)| (**at, *order));
            let Some(first) = first.map(|(order, _)| order.clone()) else { break };
            orders.remove(&first);
        }
        (orders != self.orders).then_some(Self { orders, version: self.version })
    }

    /// Until when it is of use: the time that is kept after the latest order.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.orders.values().max().map_or(Timestamp::EPOCH, |latest| latest.plus(SEEN_KEPT))
    }

    /// How many orders were placed after this moment.
    #[must_use]
    pub fn after(&self, moment: Timestamp) -> usize {
        self.orders.values().filter(|at| **at > moment).count()
    }
}

/// What an operator says of a buyer, a device, an address or a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// Rules that ask for it hold.
    Blocked,
    /// Rules that ask for it let the order pass.
    Trusted,
}

/// An operator's entry in the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskEntry {
    /// Of what kind.
    pub kind: RiskKind,
    /// Under which digest it is known.
    pub digest: String,
    /// What is said of it; nothing any more, if left out.
    pub listed: Option<Listed>,
    /// Why.
    pub note: Option<Text<200>>,
    /// Since when.
    pub at: Timestamp,
}

/// What is known of an order's buyer, device, address and card: of each only
/// what the policy's rules ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How often they were seen of late.
    pub seen: BTreeMap<RiskKind, Seen>,
    /// Who of them is blocked or trusted.
    pub listed: BTreeMap<RiskKind, Listed>,
}

/// What becomes of an order, the mildest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It goes its way.
    Allow,
    /// Its payment needs an extra verification of the buyer.
    Challenge,
    /// It is placed, and waits for an operator before it is sent.
    Review,
    /// It is not placed.
    Refuse,
}

/// The risk rules. Without any, nothing is asked, counted or read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskPolicy {
    /// The rules, at most 50; their order makes no difference.
    #[serde(default)]
    pub rules: Vec<RiskRule>,
}

/// A risk rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// Names it in orders and to operators; no two have the same.
    pub id: Text<40>,
    /// What it looks for, for operators. Buyers never read it.
    pub title: Text<200>,
    /// When it holds: all of these, and at least one.
    pub when: RiskConditions,
    /// What becomes of an order for which it holds.
    pub then: Decision,
}

/// What a rule asks. The last two speak for an order and belong to rules that
/// allow; the others speak against it and belong to rules that do not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskConditions {
    /// More orders came from one place than should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub velocity: Option<Velocity>,
    /// The total is over the one of these that is in its currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amount_over: Vec<Money>,
    /// The total is over so many times the member's largest paid order. Holds
    /// for nobody who has none in its currency: that is what `new_account` is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_largest: Option<u32>,
    /// The buyer is a guest, or a member who is not established by this measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_account: Option<Account>,
    /// The order goes to another country than that of the bill.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub address_mismatch: bool,
    /// There are more units than this of one SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_over: Option<u32>,
    /// One of these is blocked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub blocked: BTreeSet<RiskKind>,
    /// One of these is trusted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub trusted: BTreeSet<RiskKind>,
    /// The buyer is a member who is established by this measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_account: Option<Account>,
}

/// How many orders in which time, the one that is decided among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Velocity {
    /// From the same what.
    pub of: RiskKind,
    /// More than so many, 1 to 64.
    pub more_than: u32,
    /// Within this time, at most 1d.
    pub within: Period,
}

/// From when on a member is established: when all of this is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Established")]
pub struct Account {
    /// The member has paid so many orders.
    #[serde(default)]
    pub paid_orders: u32,
    /// The first of them was placed so long ago.
    #[serde(default = "no_time")]
    pub known_for: Period,
}

const fn no_time() -> Period {
    Period::of_seconds(0)
}

impl RiskConditions {
    fn speaks_for(&self) -> bool {
        !self.trusted.is_empty() || self.known_account.is_some()
    }

    fn speaks_against(&self) -> bool {
        self.velocity.is_some()
            || !self.amount_over.is_empty()
            || self.times_largest.is_some()
            || self.new_account.is_some()
            || self.address_mismatch
            || self.units_over.is_some()
            || !self.blocked.is_empty()
    }

    /// What is wrong with it, and where.
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let most = u32::try_from(SEEN_MOST).unwrap_or(u32::MAX);
        if let Some(velocity) = &self.velocity {
            if !(1..=most).contains(&velocity.more_than) {
                return Some(("velocity.more_than", "must be 1 to 64"));
            }
            if velocity.within > SEEN_KEPT || velocity.within == no_time() {
                return Some(("velocity.within", "must be 1s to 1d"));
            }
        }
        let currencies: BTreeSet<&str> =
            self.amount_over.iter().map(|amount| amount.currency().code()).collect();
        let amounts = self.amount_over.len();
        if amounts > MAX_AMOUNTS || amounts > currencies.len() {
            return Some(("amount_over", "must name at most 20 amounts, one a currency"));
        }
        if self.amount_over.iter().any(|amount| amount.minor() < 0) {
            return Some(("amount_over", "must be amounts of 0 or more"));
        }
        if self.times_largest == Some(0) {
            return Some(("times_largest", "must be at least 1"));
        }
        let empty = |account: &Option<Account>| {
            account.as_ref().is_some_and(|it| it.paid_orders == 0 && it.known_for == no_time())
        };
        if empty(&self.new_account) {
            return Some(("new_account", "must name paid_orders, known_for or both"));
        }
        if empty(&self.known_account) {
            return Some(("known_account", "must name paid_orders, known_for or both"));
        }
        None
    }
}

impl RiskPolicy {
    /// Checks what its form does not: bounds, names that are used twice, rules
    /// that ask nothing or contradict themselves.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the place and what is wrong there.
    pub fn check(&self) -> Result<(), PolicyError> {
        let malformed = |place: String, reason: &str| {
            Err(PolicyError::Malformed { path: place, reason: reason.to_owned() })
        };
        if self.rules.len() > MAX_RULES {
            return malformed("risk.rules".to_owned(), "must be at most 50");
        }
        let mut names = BTreeSet::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let place = format!("risk.rules[{number}]");
            let when = &rule.when;
            if !names.insert(&rule.id) {
                return malformed(format!("{place}.id"), "must be a name of its own");
            }
            if let Some((member, reason)) = when.fault() {
                return malformed(format!("{place}.when.{member}"), reason);
            }
            if when.trusted.iter().any(|kind| *kind != RiskKind::Customer) {
                let reason = "may name `customer` only: anybody may claim another's e-mail \
                              address, device, card or street";
                return malformed(format!("{place}.when.trusted"), reason);
            }
            let allows = rule.then == Decision::Allow;
            if allows != when.speaks_for() || allows == when.speaks_against() {
                let reason = "must ask something; `trusted` and `known_account` are for rules \
                              that allow, all else for rules that do not";
                return malformed(format!("{place}.when"), reason);
            }
        }
        Ok(())
    }

    /// Whether its rules ask about this kind.
    #[must_use]
    pub fn asks_about(&self, kind: RiskKind) -> bool {
        self.counted().contains(&kind) || self.looked_up().contains(&kind)
    }

    /// What its rules count.
    #[must_use]
    pub fn counted(&self) -> BTreeSet<RiskKind> {
        let velocities = self.rules.iter().filter_map(|rule| rule.when.velocity.as_ref());
        velocities.map(|velocity| velocity.of).collect()
    }

    /// Of what its rules ask whether it is blocked or trusted.
    #[must_use]
    pub fn looked_up(&self) -> BTreeSet<RiskKind> {
        let kinds = self.rules.iter().flat_map(|rule| rule.when.blocked.union(&rule.when.trusted));
        kinds.copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn order(number: usize) -> OrderId {
        OrderId::derive(&[&number.to_string()])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds).unwrap()
    }

    fn folded(orders: &[(usize, i64)]) -> Seen {
        orders.iter().fold(Seen::default(), |seen, (number, seconds)| {
            seen.with(&order(*number), at(*seconds)).unwrap_or(seen)
        })
    }

    fn parsed(rules: &Value) -> Result<RiskPolicy, String> {
        let policy: RiskPolicy =
            serde_json::from_value(json!({ "rules": rules })).map_err(|error| error.to_string())?;
        policy.check().map_err(|error| error.to_string())?;
        Ok(policy)
    }

    #[test]
    fn an_address_is_known_however_it_is_written() {
        let address = |line1: &str, city: &str, name: &str| -> Address {
            let form = json!({ "name": name, "line1": line1, "city": city, "country": "GB" });
            serde_json::from_value(form).unwrap()
        };
        let known = address_digest(&address("1 Tea Street", "London", "Ada"));
        assert_eq!(known, address_digest(&address("1, TEA street.", "london", "Bob")));
        assert_ne!(known, address_digest(&address("11 Tea Street", "London", "Ada")));
        assert_ne!(known, address_digest(&address("1 Tea", "Street London", "Ada")));
    }

    #[test]
    fn kinds_do_not_meet_and_mail_has_no_case() {
        let all: BTreeSet<String> = RiskKind::ALL.map(|kind| kind.digest("a@b.cd")).into();
        assert_eq!(all.len(), RiskKind::ALL.len());
        assert_eq!(RiskKind::Email.digest("A@B.cd"), RiskKind::Email.digest("a@b.cd"));
        assert_ne!(RiskKind::Device.digest("A"), RiskKind::Device.digest("a"));
    }

    #[test]
    fn a_guest_is_not_counted_as_a_customer() {
        let address: Address = serde_json::from_value(
            json!({ "name": "A", "line1": "B", "city": "C", "country": "GB" }),
        )
        .unwrap();
        let contact: Contact = serde_json::from_value(json!({ "email": "a@b.cd" })).unwrap();
        let kinds = |customer: &CustomerId, device| -> Vec<RiskKind> {
            let identity = Identity::new(customer, &contact, &address, device, None);
            identity.among(&RiskKind::ALL.into()).map(|(kind, _)| kind).collect()
        };
        let (guest, member) = (CustomerId::guest("key"), CustomerId::member("ada").unwrap());
        assert_eq!(kinds(&guest, None), [RiskKind::Address, RiskKind::Email]);
        assert_eq!(
            kinds(&member, Some("d")),
            [RiskKind::Customer, RiskKind::Device, RiskKind::Address, RiskKind::Email]
        );
    }

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let seen = folded(&[(1, 0), (2, 3_600), (3, 86_400)]);
        assert_eq!(seen.orders.into_keys().collect::<BTreeSet<_>>(), [order(2), order(3)].into());
        let many: Vec<(usize, i64)> = (0..100).map(|n| (n, i64::try_from(n).unwrap())).collect();
        let seen = folded(&many);
        assert_eq!(seen.orders.len(), SEEN_MOST);
        assert_eq!((seen.after(at(97)), seen.after(at(-1))), (2, SEEN_MOST));
        assert_eq!(seen.until(), at(99 + 86_400));
        assert_eq!(seen.with(&order(99), at(99)), None, "again");
        assert_eq!(seen.with(&order(0), at(0)), None, "too late");
    }

    #[test]
    fn rules_are_checked() {
        let rule = |when: Value, then: &str| json!([{ "id": "a", "title": "A", "when": when, "then": then }]);
        let velocity = |more_than: u32, within: &str| {
            rule(
                json!({ "velocity": { "of": "device", "more_than": more_than, "within": within } }),
                "review",
            )
        };
        let gbp = |amount: i64| json!({ "amount": amount, "currency": "GBP" });
        let twice = json!([velocity(1, "1h")[0], velocity(1, "1h")[0]]);
        for (rules, place) in [
            (velocity(0, "1h"), "risk.rules[0].when.velocity.more_than"),
            (velocity(65, "1h"), "risk.rules[0].when.velocity.more_than"),
            (velocity(1, "25h"), "risk.rules[0].when.velocity.within"),
            (velocity(1, "0s"), "risk.rules[0].when.velocity.within"),
            (twice, "risk.rules[1].id"),
            (rule(json!({}), "review"), "risk.rules[0].when"),
            (rule(json!({}), "allow"), "risk.rules[0].when"),
            (rule(json!({ "trusted": ["email"] }), "review"), "risk.rules[0].when"),
            (rule(json!({ "units_over": 1 }), "allow"), "risk.rules[0].when"),
            (rule(json!({ "units_over": 1, "trusted": ["email"] }), "allow"), "rules[0].when"),
            (rule(json!({ "amount_over": [gbp(1), gbp(2)] }), "review"), "when.amount_over"),
            (rule(json!({ "amount_over": [gbp(-1)] }), "review"), "when.amount_over"),
            (rule(json!({ "times_largest": 0 }), "review"), "when.times_largest"),
            (rule(json!({ "new_account": {} }), "review"), "when.new_account"),
            (rule(json!({ "known_account": {} }), "allow"), "when.known_account"),
            (rule(json!({ "colour": "red" }), "review"), "colour"),
            (Value::Array(vec![velocity(1, "1h")[0].clone(); 51]), "risk.rules"),
        ] {
            let error = parsed(&rules).unwrap_err();
            assert!(error.contains(place), "{rules}: {error}");
        }
    }

    #[test]
    fn only_what_the_rules_ask_for_is_read() {
        assert_eq!(RiskPolicy::default().counted(), BTreeSet::new());
        let policy = parsed(&json!([
            { "id": "a", "title": "A", "then": "challenge",
              "when": { "velocity": { "of": "device", "more_than": 3, "within": "1h" } } },
            { "id": "b", "title": "B", "then": "refuse", "when": { "blocked": ["email", "card"] } },
            { "id": "c", "title": "C", "then": "allow", "when": { "trusted": ["customer"] } },
        ]))
        .unwrap();
        assert_eq!(policy.counted(), [RiskKind::Device].into());
        let asked = [RiskKind::Customer, RiskKind::Email, RiskKind::Card];
        assert_eq!(policy.looked_up(), asked.into());
    }

    proptest! {
        #[test]
        fn what_was_seen_is_a_fold_over_a_set(
            orders in prop::collection::vec((0_usize..200, 0_i64..200_000), 1..120).prop_map(|orders| {
                orders.into_iter().collect::<BTreeMap<usize, i64>>().into_iter().collect::<Vec<_>>()
            }),
            seed in any::<u64>(),
        ) {
            let mut shuffled = orders.clone();
            let mut state = seed;
            for i in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
            }
            let again: Vec<_> = shuffled.iter().chain(&orders).copied().collect();
            prop_assert_eq!(folded(&orders), folded(&again));
            prop_assert!(folded(&orders).orders.len() <= SEEN_MOST);
        }
    }
}
