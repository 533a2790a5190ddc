//! What a purchase earns, which rules give what, and why the others do not.
//!
//! 1. Each line has one rate: the first rule that fits it, or the base rate. It
//!    gives so many points for each full amount that is paid in money for the
//!    line, without its tax, rounded down. Gifts and excluded lines earn nothing.
//! 2. Multipliers and the member's tier put shares of that on top. The shares
//!    add up, within the most that the policy allows. What a line gets by the
//!    first so many of them is rounded down, and each has the difference that it
//!    makes: together they have what the sum of the shares gives.
//! 3. What one rule gives is cut to its caps, and the whole to those of all. A
//!    cut is shared by the lines in proportion to what they had: each has the
//!    difference of two running sums that are rounded down.
//!
//! A cap of a day or a month is of the calendar day on which the purchase was
//! paid, in the programme's zone.

use aftercart::model::{
    id::OrderId,
    money::Money,
    order::Order,
    points::{Authority, Earning, Ledger, LedgerError, Told, Why},
    policy::Policy,
    price::WHOLE,
    product::Sku,
    programme::{
        PointsPolicy,
        earning::{BASE, CAP, Caps},
        matching::Lines,
    },
    text::Text,
    time::{Date, Timestamp},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    calendar::{self, Member},
    counting::{self, Counters, Span},
};

/// The name that entries of earned points give this rule.
pub const RULE: &str = "line_amount";

/// What was bought, as rules of earning see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// When it was paid.
    pub at: Timestamp,
    /// Through which channel.
    pub channel: Option<Text<40>>,
    /// Its lines.
    pub lines: Vec<Bought>,
}

/// A line of a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bought {
    /// What.
    pub sku: Sku,
    /// Its category.
    pub category: Option<Text<40>>,
    /// Its brand.
    pub brand: Option<Text<40>>,
    /// Whether it was given away.
    pub gift: bool,
    /// What was paid for it in money, without tax, in minor units.
    pub paid: i64,
}

impl Purchase {
    /// An order that was paid at this moment.
    #[must_use]
    pub fn of_order(order: &Order, at: Timestamp) -> Self {
        let lines = order.lines.iter().map(|line| {
            let tax = if order.tax_included { line.tax.minor() } else { 0 };
            Bought {
                sku: line.sku.clone(),
                category: line.category.clone(),
                brand: line.brand.clone(),
                gift: line.gift.is_some(),
                paid: in_money(line.total.minor(), tax, line.points.minor()),
            }
        });
        Self { at, channel: order.channel.clone(), lines: lines.collect() }
    }
}

/// What is paid in money for a line without its tax: of what the line costs
/// without tax that part which points do not pay, rounded down.
#[must_use]
pub fn in_money(total: i64, tax: i64, points: i64) -> i64 {
    let net = i128::from(total.saturating_sub(tax).max(0));
    let money = i128::from(total.saturating_sub(points).max(0));
    let exact = (net * money).checked_div_euclid(i128::from(total)).unwrap_or(0);
    i64::try_from(exact).unwrap_or(0).max(0)
}

/// Why a line earns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It is a gift.
    Gift,
    /// The policy leaves such lines out.
    Excluded,
    /// Less is paid for it in money than the amount for which there are points.
    TooLittle,
}

/// What a purchase earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    /// The points of each line.
    pub lines: Vec<i64>,
    /// Why lines earn nothing, by their position.
    pub left: Vec<(usize, Left)>,
    /// Every rule that could have a part in it, in the order in which they
    /// apply, and what it gave. It sums to what the lines have.
    pub told: Vec<Told>,
    /// What is counted for limits of days and months, see [`Earned::count`].
    counted: Vec<(Span, String, i64)>,
}

impl Earned {
    /// The points of all lines.
    #[must_use]
    pub fn points(&self) -> i64 {
        sum(&self.lines)
    }

    /// Which rules gave what, as an entry keeps it.
    #[must_use]
    pub fn gave(&self) -> Vec<(String, i64)> {
        let gave = self.told.iter().filter(|told| told.points != 0);
        gave.map(|told| (told.rule.clone(), told.points)).collect()
    }

    /// Counts it where limits are.
    fn count(&self, counters: &mut Counters, date: Date) {
        for (span, rule, points) in &self.counted {
            counting::count(counters, *span, rule, date, *points);
        }
    }
}

/// What a purchase earns for a member with these counters.
#[must_use]
pub fn earned(
    purchase: &Purchase,
    member: &Member,
    counters: &Counters,
    policy: &PointsPolicy,
) -> Earned {
    let mut working = Working {
        purchase,
        member,
        counters,
        policy,
        date: purchase.at.date_in(&policy.zone),
        earned: Earned {
            lines: Vec::new(),
            left: Vec::new(),
            told: Vec::new(),
            counted: Vec::new(),
        },
    };
    let rated = working.rates();
    let mut lines = working.extras(&rated);
    add(&mut lines, &rated);
    let most = working.room(CAP, &policy.earning.caps);
    let cut = cut_to(&lines, most);
    let off = sum(&lines).saturating_sub(sum(&cut));
    if off > 0 {
        working.tell(CAP, off.saturating_neg(), Some(Why::Capped));
    }
    working.note(CAP, &policy.earning.caps, sum(&cut));
    Earned { lines: cut, ..working.earned }
}

/// Posts what an order or a receipt earned as pending, and counts it for the
/// limits of rules. `spend` is what counts towards a tier. Nothing earned and
/// nothing spent posts nothing. The caller has made sure that the entry is not
/// there yet.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn earn(
    ledger: &mut Ledger,
    order: &OrderId,
    purchase: &Purchase,
    spend: Option<Money>,
    member: &Member,
    policy: &Policy,
) -> Result<Option<Earning>, LedgerError> {
    let spend = spend.filter(|spend| spend.minor() > 0);
    let earned = earned(purchase, member, &ledger.counters, &policy.points);
    if earned.points() == 0 && spend.is_none() {
        return Ok(None);
    }
    let by = Authority { rule: RULE, policy: policy.version.as_str() };
    let mut earning = ledger.earn(order, &earned.lines, spend, purchase.at, by)?;
    earning.entry.gave = earned.gave();
    earned.count(&mut ledger.counters, purchase.at.date_in(&policy.points.zone));
    Ok(Some(earning))
}

struct Working<'a> {
    purchase: &'a Purchase,
    member: &'a Member,
    counters: &'a Counters,
    policy: &'a PointsPolicy,
    date: Date,
    earned: Earned,
}

/// What comes on top of the rate of some lines.
struct Extra<'a> {
    rule: &'a str,
    share: u32,
    lines: Option<&'a Lines>,
    caps: Caps,
    against: Option<Why>,
}

impl Working<'_> {
    fn fits(&self, lines: &Lines, line: &Bought) -> bool {
        let goods = (&line.sku, line.category.as_ref(), line.brand.as_ref());
        lines.fit(goods, self.member.tier.as_ref(), self.purchase.channel.as_ref())
    }

    fn tell(&mut self, rule: &str, points: i64, why: Option<Why>) {
        self.earned.told.push(Told { rule: rule.to_owned(), points, why });
    }

    /// What the rates give each line.
    fn rates(&mut self) -> Vec<i64> {
        let (purchase, policy) = (self.purchase, self.policy);
        let rules = &policy.earning.rates;
        let mut of_rules = vec![vec![0; purchase.lines.len()]; rules.len()];
        let mut lines = vec![0; purchase.lines.len()];
        for (position, line) in purchase.lines.iter().enumerate() {
            let excluded = policy.earning.excluded.iter().any(|it| self.fits(it, line));
            if line.gift || excluded {
                let left = if line.gift { Left::Gift } else { Left::Excluded };
                self.earned.left.push((position, left));
                continue;
            }
            let rule = rules.iter().position(|rule| self.fits(&rule.lines, line));
            let rate = rule.and_then(|rule| rules.get(rule));
            let points = match rate {
                None => policy.of_line(line.paid),
                Some(rate) => PointsPolicy::at_rate(line.paid, rate.points, rate.per_minor),
            };
            if points == 0 {
                self.earned.left.push((position, Left::TooLittle));
            }
            let of = rule.and_then(|rule| of_rules.get_mut(rule)).unwrap_or(&mut lines);
            if let Some(of) = of.get_mut(position) {
                *of = points;
            }
        }
        self.tell(BASE, sum(&lines), None);
        for (rule, given) in rules.iter().zip(of_rules) {
            let any = purchase.lines.iter().any(|line| self.fits(&rule.lines, line));
            let why = if any { Why::NoRate } else { Why::NoLine };
            add(&mut lines, &self.cut(rule.id.as_str(), given, &rule.caps, Some(why)));
        }
        lines
    }

    /// What comes on top of it, line by line.
    fn extras(&mut self, rated: &[i64]) -> Vec<i64> {
        let most = self.policy.earning.most_extra.unwrap_or(u32::MAX);
        let mut shares = vec![0_u32; rated.len()];
        let mut sums = vec![0; rated.len()];
        for extra in extras(self.purchase, self.member, self.policy) {
            let mut given = Vec::with_capacity(rated.len());
            let (mut any, mut full) = (false, false);
            let lines = self.purchase.lines.iter().zip(rated).zip(&mut shares);
            for ((line, rate), share) in lines {
                let fits = extra.against.is_none()
                    && extra.lines.is_none_or(|lines| self.fits(lines, line));
                let sum = share.saturating_add(if fits { extra.share } else { 0 });
                given.push(of_share(*rate, sum.min(most)) - of_share(*rate, (*share).min(most)));
                any |= fits && *rate > 0;
                full |= fits && sum > most;
                *share = sum;
            }
            let why = match extra.against {
                Some(why) => why,
                None if full => Why::MostExtra,
                None if any => Why::NoRate,
                None => Why::NoLine,
            };
            add(&mut sums, &self.cut(extra.rule, given, &extra.caps, Some(why)));
        }
        sums
    }

    /// Cuts what a rule gives to its caps, and tells and counts it. `nothing`
    /// is why it is nothing, if it is.
    fn cut(&mut self, rule: &str, given: Vec<i64>, caps: &Caps, nothing: Option<Why>) -> Vec<i64> {
        let cut = cut_to(&given, self.room(rule, caps));
        let why = match (sum(&given), sum(&cut)) {
            (before, now) if now < before => Some(Why::Capped),
            (0, _) => nothing,
            _ => nothing.filter(|why| *why == Why::MostExtra),
        };
        self.tell(rule, sum(&cut), why);
        self.note(rule, caps, sum(&cut));
        cut
    }

    /// How many points a rule may give still.
    fn room(&self, rule: &str, caps: &Caps) -> i64 {
        let left = |span, cap: Option<u32>| {
            let (_, given) = counting::counted(self.counters, span, rule, self.date);
            cap.map(|cap| i64::from(cap).saturating_sub(given).max(0))
        };
        let rooms =
            [caps.order.map(i64::from), left(Span::Day, caps.day), left(Span::Month, caps.month)];
        rooms.into_iter().flatten().min().unwrap_or(i64::MAX)
    }

    fn note(&mut self, rule: &str, caps: &Caps, points: i64) {
        for (span, cap) in [(Span::Day, caps.day), (Span::Month, caps.month)] {
            if cap.is_some() && points > 0 {
                self.earned.counted.push((span, rule.to_owned(), points));
            }
        }
    }
}

/// What may come on top of rates: what the member's tier gives, and multipliers.
fn extras<'a>(
    purchase: &Purchase,
    member: &Member,
    policy: &'a PointsPolicy,
) -> impl Iterator<Item = Extra<'a>> {
    let level = policy.tiers.level(member.tier.as_ref());
    let of_tier = level.filter(|level| level.benefits.extra > 0).map(|level| Extra {
        rule: level.id.as_str(),
        share: level.benefits.extra,
        lines: None,
        caps: Caps::default(),
        against: None,
    });
    let others = policy.earning.multipliers.iter().map(|rule| Extra {
        rule: rule.id.as_str(),
        share: rule.extra,
        lines: Some(&rule.lines),
        caps: rule.caps.clone(),
        against: calendar::against(&rule.when, purchase.at, member, &policy.zone),
    });
    of_tier.into_iter().chain(others)
}

/// A share of points in basis points, rounded down.
fn of_share(points: i64, share: u32) -> i64 {
    let exact = i128::from(points) * i128::from(share) / i128::from(WHOLE);
    i64::try_from(exact).unwrap_or(i64::MAX)
}

/// Cuts points of lines to so many together, each in proportion to what it had.
fn cut_to(lines: &[i64], most: i64) -> Vec<i64> {
    let whole = sum(lines);
    if whole <= most {
        return lines.to_vec();
    }
    let share = |upto: i64| {
        let exact = i128::from(most) * i128::from(upto) / i128::from(whole.max(1));
        i64::try_from(exact).unwrap_or(most)
    };
    let running = lines.iter().scan(0_i64, |upto, points| {
        let before = *upto;
        *upto = upto.saturating_add(*points);
        Some(share(*upto).saturating_sub(share(before)))
    });
    running.collect()
}

fn sum(points: &[i64]) -> i64 {
    points.iter().fold(0, |sum, it| sum.saturating_add(*it))
}

fn add(lines: &mut [i64], more: &[i64]) {
    for (line, more) in lines.iter_mut().zip(more) {
        *line = line.saturating_add(*more);
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::points::{Account, Entry, Tier};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::fixtures::{at, member, money, order};

    fn policy(changed: &Value) -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.points.earning = serde_json::from_value(changed.clone()).unwrap();
        let level = json!([{
            "id": "gold", "title": { "en": "Gold" }, "reach": [{ "points": 1 }],
            "benefits": { "extra": 5_000 },
        }]);
        policy.points.tiers.levels = serde_json::from_value(level).unwrap();
        policy.points.check().unwrap();
        policy
    }

    fn rules() -> Value {
        let title = json!({ "en": "T" });
        json!({
            "rates": [
                { "id": "tea", "title": title, "lines": { "categories": ["tea"] }, "points": 3, "per_minor": 100 },
                { "id": "app", "title": title, "lines": { "channels": ["app"] }, "points": 2, "per_minor": 100 },
            ],
            "excluded": [{ "skus": ["CARD"] }],
            "multipliers": [
                { "id": "kiln", "title": title, "extra": 10_000, "lines": { "brands": ["Kiln"] } },
                { "id": "birthday", "title": title, "extra": 10_000, "when": { "birthday_month": true } },
            ],
        })
    }

    fn text(text: &str) -> Text<40> {
        Text::new(text).unwrap()
    }

    /// A line: SKU, category, brand, and what is paid.
    fn bought((sku, category, brand, paid): (&str, &str, &str, i64)) -> Bought {
        Bought {
            sku: Sku::parse(sku).unwrap(),
            category: (!category.is_empty()).then(|| text(category)),
            brand: (!brand.is_empty()).then(|| text(brand)),
            gift: false,
            paid,
        }
    }

    fn purchase(channel: Option<&str>, lines: &[(&str, &str, &str, i64)]) -> Purchase {
        let lines = lines.iter().copied().map(bought).collect();
        Purchase { at: at(10), channel: channel.map(text), lines }
    }

    fn gold() -> Member {
        Member { tier: Some(Tier::new("gold").unwrap()), ..Member::default() }
    }

    fn told(earned: &Earned) -> Vec<(&str, i64, Option<Why>)> {
        earned.told.iter().map(|it| (it.rule.as_str(), it.points, it.why)).collect()
    }

    #[test]
    fn each_line_is_rounded_down_by_itself() {
        for (totals, points) in [
            (&[1999, 1999][..], &[19, 19][..]),
            (&[99, 99], &[0, 0]),
            (&[0], &[0]),
            (&[100], &[1]),
            (&[12_345], &[123]),
        ] {
            let purchase = Purchase::of_order(&order(totals, None), at(1));
            let policy = Policy::default_document().unwrap().points;
            let earned = earned(&purchase, &Member::default(), &Counters::new(), &policy);
            assert_eq!(earned.lines, points, "{totals:?}");
        }
    }

    #[test]
    fn neither_tax_nor_what_points_pay_nor_gifts_earn() {
        for (total, tax, points, paid) in [
            (5_000, 0, 1_050, 3_950),
            (12_000, 2_000, 0, 10_000),
            (12_000, 2_000, 6_000, 5_000),
            (12_000, 2_000, 12_000, 0),
            (1_199, 199, 1, 999),
            (0, 0, 0, 0),
        ] {
            assert_eq!(in_money(total, tax, points), paid, "{total} {tax} {points}");
        }
        let mut order = order(&[12_000, 5_000], None);
        (order.lines[0].tax, order.lines[1].gift) =
            (money(2_000), Some(aftercart::model::price::RuleId::parse("gift").unwrap()));
        let policy = Policy::default_document().unwrap().points;
        let ask = |order: &Order| {
            let purchase = Purchase::of_order(order, at(1));
            earned(&purchase, &Member::default(), &Counters::new(), &policy)
        };
        let within = ask(&order);
        assert_eq!((within.lines, within.left), (vec![100, 0], vec![(1, Left::Gift)]));
        order.tax_included = false;
        assert_eq!(ask(&order).lines, [120, 0], "it is on top");
    }

    #[test]
    fn every_rule_tells_what_it_gave_and_why_not() {
        let policy = policy(&rules());
        let lines = [
            ("SENCHA", "tea", "Kiln", 1_050),
            ("CUP", "", "Kiln", 250),
            ("CARD", "tea", "", 9_000),
            ("SPOON", "", "", 99),
        ];
        let ask = |channel, member: &Member| {
            earned(&purchase(channel, &lines), member, &Counters::new(), &policy.points)
        };
        let plain = ask(None, &Member::default());
        assert_eq!(plain.lines, [60, 4, 0, 0]);
        assert_eq!(plain.left, [(2, Left::Excluded), (3, Left::TooLittle)]);
        assert_eq!(
            told(&plain),
            [
                ("base", 2, None),
                ("tea", 30, None),
                ("app", 0, Some(Why::NoLine)),
                ("kiln", 32, None),
                ("birthday", 0, Some(Why::NoBirthday)),
            ]
        );
        assert_eq!(
            plain.gave(),
            [("base", 2), ("tea", 30), ("kiln", 32)].map(|(rule, it)| (rule.to_owned(), it))
        );
        let app = ask(Some("app"), &gold());
        assert_eq!(
            told(&app),
            [
                ("base", 0, None),
                ("tea", 30, None),
                ("app", 4, None),
                ("gold", 17, None),
                ("kiln", 34, None),
                ("birthday", 0, Some(Why::NoBirthday)),
            ]
        );
        assert_eq!(app.lines, [75, 10, 0, 0]);
    }

    #[test]
    fn caps_cut_in_proportion_and_say_so() {
        let mut document = rules();
        document["most_extra"] = json!(12_000);
        document["multipliers"][0]["caps"] = json!({ "order": 20 });
        document["caps"] = json!({ "order": 90, "day": 100, "month": 150 });
        let policy = policy(&document);
        let lines = [("SENCHA", "tea", "Kiln", 1_000), ("CUP", "", "Kiln", 3_000)];
        let birthday = Member {
            birthday: Some(aftercart::model::time::YearDay::parse("01-31").unwrap()),
            ..gold()
        };
        let purchase = purchase(None, &lines);
        let mut ledger = Ledger::empty(member());
        let earned = earned(&purchase, &birthday, &ledger.counters, &policy.points);
        assert_eq!(
            told(&earned),
            [
                ("base", 30, None),
                ("tea", 30, None),
                ("app", 0, Some(Why::NoLine)),
                ("gold", 30, None),
                ("kiln", 20, Some(Why::Capped)),
                ("birthday", 0, Some(Why::MostExtra)),
                ("cap", -20, Some(Why::Capped)),
            ]
        );
        assert_eq!(earned.lines, [45, 45]);
        // The day has ten left, the month then fifty.
        for (order, day, points) in [("1", 10, 90), ("2", 10, 10), ("3", 10, 0), ("4", 11, 50)] {
            let purchase = Purchase { at: at(day), ..purchase.clone() };
            let id = OrderId::derive(&[order]);
            let earning =
                earn(&mut ledger, &id, &purchase, Some(money(1)), &birthday, &policy).unwrap();
            let entry = earning.unwrap().entry;
            assert_eq!(Entry::into(&entry, Account::Pending), points, "{order}");
            let gave: i64 = entry.gave.iter().map(|(_, points)| points).sum();
            assert_eq!(gave, points, "{order}");
        }
    }

    proptest! {
        #[test]
        fn what_rules_gave_is_what_lines_have_within_every_cap(
            lines in prop::collection::vec((0_usize..4, 0_usize..3, 0_i64..1_000_000), 0..8),
            shares in prop::collection::vec(1_u32..30_000, 0..4),
            caps in prop::collection::vec(prop::option::of(0_u32..5_000), 4),
            most_extra in prop::option::of(0_u32..40_000),
        ) {
            let title = json!({ "en": "T" });
            let multipliers: Vec<Value> = shares.iter().enumerate().map(|(n, extra)| json!({
                "id": format!("m{n}"), "title": title, "extra": extra,
                "lines": { "brands": [if n % 2 == 0 { "Kiln" } else { "Mill" }] }, "caps": { "order": caps[3] },
            })).collect();
            let document = json!({
                "rates": [{
                    "id": "tea", "title": title, "lines": { "categories": ["tea"] },
                    "points": 7, "per_minor": 130, "caps": { "order": caps[2] },
                }],
                "excluded": [{ "categories": ["card"] }],
                "multipliers": multipliers,
                "most_extra": most_extra,
                "caps": { "order": caps[0], "day": caps[1] },
            });
            let policy = policy(&document);
            let lines: Vec<_> = lines.iter().map(|(category, brand, paid)| {
                ("S", ["", "tea", "card", "cup"][*category], ["", "Kiln", "Mill"][*brand], *paid)
            }).collect();
            let purchase = purchase(None, &lines);
            let mut counters = Counters::new();
            let mut of_day = 0;
            for _ in 0..2 {
                let earned = earned(&purchase, &gold(), &counters, &policy.points);
                let gave: i64 = earned.told.iter().map(|told| told.points).sum();
                prop_assert_eq!(gave, earned.points());
                prop_assert!(earned.lines.iter().all(|points| *points >= 0));
                prop_assert!(caps[0].is_none_or(|most| earned.points() <= i64::from(most)));
                for told in &earned.told {
                    let cap = match told.rule.as_str() { "tea" => caps[2], "base" | "gold" | "cap" => None, _ => caps[3] };
                    prop_assert!(cap.is_none_or(|most| told.points <= i64::from(most)));
                    prop_assert_eq!(told.points < 0, told.rule == CAP);
                }
                for (position, left) in &earned.left {
                    prop_assert_eq!(earned.lines[*position], 0, "{:?}", left);
                }
                earned.count(&mut counters, purchase.at.date_in(&policy.points.zone));
                of_day += earned.points();
                prop_assert!(caps[1].is_none_or(|most| of_day <= i64::from(most)));
                // Nothing is earned for less than it would be at the base rate,
                // unless something is cut or left out.
                if caps.iter().all(Option::is_none) {
                    for (line, points) in purchase.lines.iter().zip(&earned.lines) {
                        let is_card = line.category == Some(text("card"));
                        prop_assert!(is_card || *points >= policy.points.of_line(line.paid) || line.category == Some(text("tea")));
                    }
                }
            }
        }
    }
}
