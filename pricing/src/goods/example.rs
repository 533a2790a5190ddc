//! A small shop for tests: its catalogue, and carts to price in it.

use std::collections::BTreeMap;

use aftercart::model::{
    money::{Currency, Money},
    price::{Code, PriceRules, QuotaKey, QuotaScope, RuleId},
    product::Sku,
    text::Text,
    time::Timestamp,
};

use super::{Asked, Buyer, Good, PriceError, Priced, Shipping, candidates, price, shipping};

/// SKU, title, list price, floor, category, brand.
type Entry = (&'static str, &'static str, i64, Option<i64>, &'static str, &'static str);

const CATALOGUE: &[Entry] = &[
    ("TEA", "Green tea", 1_000, None, "tea", "Wuyi"),
    ("OOLONG", "Oolong", 2_500, None, "tea", "Anxi"),
    ("CUP", "Cup", 800, None, "ware", "Kiln"),
    ("POT", "Teapot", 4_000, Some(3_600), "ware", "Kiln"),
    ("SPOON", "Spoon", 333, None, "ware", "Wuyi"),
    ("BAG", "Cloth bag", 500, None, "bag", "Wuyi"),
];

pub(super) fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub(super) fn rule(text: &str) -> RuleId {
    RuleId::parse(text).unwrap()
}

pub(super) fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

pub(super) fn good(sku_of: &str, currency: &str) -> Good {
    let (sku_of, title, list, floor, category, brand) =
        CATALOGUE.iter().find(|entry| entry.0 == sku_of).unwrap();
    Good {
        sku: sku(sku_of),
        title: text(title),
        list: Money::new(*list, Currency::parse(currency).unwrap()).unwrap(),
        floor: *floor,
        category: Some(text(category)),
        brand: Some(text(brand)),
    }
}

/// A cart in the shop.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) rules: PriceRules,
    pub(super) lines: Vec<(Good, u32)>,
    pub(super) codes: Vec<Code>,
    pub(super) vouchers: Vec<RuleId>,
    pub(super) gifts: BTreeMap<Sku, (Good, i64)>,
    pub(super) quotas: BTreeMap<QuotaKey, u32>,
    pub(super) member: bool,
    pub(super) tier: Option<&'static str>,
    pub(super) segments: Vec<Text<40>>,
    pub(super) channel: Option<&'static str>,
    pub(super) first_order: bool,
    pub(super) now: Timestamp,
}

impl Shop {
    /// A guest's cart of SKUs of the catalogue, at noon of 11 November 2026 in
    /// Shanghai; `rules` are the members of the document's list.
    pub(super) fn new(rules: &str, cart: &[(&str, u32)]) -> Self {
        let document = format!(
            r#"{{"version":"1","zone":"Asia/Shanghai","max_discount":10000,"rules":[{rules}]}}"#
        );
        let lines = cart.iter().map(|(sku, quantity)| (good(sku, "EUR"), *quantity));
        Self {
            rules: PriceRules::parse(&document).unwrap_or_else(|error| panic!("{error}")),
            lines: lines.collect(),
            codes: Vec::new(),
            vouchers: Vec::new(),
            gifts: BTreeMap::new(),
            quotas: BTreeMap::new(),
            member: false,
            tier: None,
            segments: Vec::new(),
            channel: None,
            first_order: false,
            now: Timestamp::parse("2026-11-11T04:00:00Z").unwrap(),
        }
    }

    pub(super) fn code(mut self, code: &str) -> Self {
        self.codes.push(Code::parse(code).unwrap());
        self
    }

    pub(super) fn voucher(mut self, of: &str) -> Self {
        self.vouchers.push(rule(of));
        self
    }

    /// The same amounts in another currency.
    pub(super) fn currency(mut self, code: &str) -> Self {
        let currency = Currency::parse(code).unwrap();
        for (good, _) in &mut self.lines {
            good.list = Money::new(good.list.minor(), currency).unwrap();
        }
        self
    }

    pub(super) fn gift(mut self, of: &str, available: i64) -> Self {
        self.gifts.insert(sku(of), (good(of, "EUR"), available));
        self
    }

    pub(super) fn left(mut self, of: &str, scope: QuotaScope, left: u32) -> Self {
        self.quotas.insert(QuotaKey { rule: rule(of), scope }, left);
        self
    }

    pub(super) fn tier(mut self, tier: &'static str) -> Self {
        (self.member, self.tier) = (true, Some(tier));
        self
    }

    pub(super) fn ask<T>(&self, ask: impl FnOnce(&PriceRules, &Asked<'_>) -> T) -> T {
        let asked = Asked {
            lines: &self.lines,
            codes: &self.codes,
            vouchers: &self.vouchers,
            buyer: self.buyer(),
            gifts: &self.gifts,
            quotas: &self.quotas,
            now: self.now,
        };
        ask(&self.rules, &asked)
    }

    fn buyer(&self) -> Buyer<'_> {
        Buyer {
            customer: "cus_1",
            member: self.member,
            tier: self.tier,
            segments: &self.segments,
            channel: self.channel,
            first_order: self.first_order,
        }
    }

    pub(super) fn try_price(&self) -> Result<Priced, PriceError> {
        self.ask(price)
    }

    pub(super) fn price(&self) -> Priced {
        let priced = self.try_price().unwrap();
        assert!(priced.is_explained());
        priced
    }

    pub(super) fn shipping(&self, method: &str, charge: i64) -> Shipping {
        let priced = self.price();
        let charge = Money::new(charge, priced.currency).unwrap();
        self.ask(|rules, asked| shipping(rules, asked, &priced, method, charge)).unwrap()
    }

    pub(super) fn candidates(&self) -> super::Candidates {
        let skus: Vec<Sku> = self.lines.iter().map(|(good, _)| good.sku.clone()).collect();
        candidates(&self.rules, &skus, &self.buyer(), &self.codes, &self.vouchers, self.now)
    }
}
