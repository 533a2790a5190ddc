//! Examples and properties of taxes, and their page.

use std::fmt::Write as _;

use aftercart::model::{
    customer::Country,
    money::{Currency, MAX_MINOR},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn country(code: &str) -> Country {
    Country::try_from(code.to_owned()).unwrap()
}

fn money(amount: i64, code: &str) -> Money {
    Money::new(amount, Currency::parse(code).unwrap()).unwrap()
}

fn policy(included: bool, shipping: serde_json::Value) -> TaxPolicy {
    let rules = json!([
        { "countries": ["DE"], "rate": "19", "title": "MwSt. 19 %" },
        { "countries": ["DE"], "class": "books", "rate": "7", "title": "MwSt. 7 %" },
        { "countries": ["DE"], "regions": ["Helgoland"], "rate": "0", "title": "Free zone" },
        { "countries": ["US"], "regions": ["NY"], "rate": "8.875", "title": "Sales tax" },
        { "countries": ["US"], "regions": ["NY"], "class": "books", "rate": "4", "title": "Sales tax on books" },
        { "class": "alcohol", "rate": "25", "title": "Duty" },
        { "countries": ["JP"], "rate": "10", "title": "消費税 10 %" },
        { "countries": ["KW"], "rate": "5", "title": "VAT 5 %" },
        { "countries": ["KW"], "rate": "6", "title": "Never: the first of two alike counts" }
    ]);
    let policy = json!({ "prices_include_tax": included, "rules": rules, "shipping": shipping });
    serde_json::from_value(policy).unwrap()
}

/// An example: country and region, whether prices include the tax, how
/// delivery is taxed, the goods' classes and amounts, the delivery, the currency.
struct Example {
    place: (&'static str, Option<&'static str>),
    included: bool,
    shipping: serde_json::Value,
    goods: &'static [(Option<&'static str>, i64)],
    delivery: i64,
    currency: &'static str,
}

impl Example {
    fn taxed(&self) -> Taxed {
        let country = country(self.place.0);
        let place = Place { country: &country, region: self.place.1, postal_code: None };
        let goods: Vec<Taxable<'_>> = (self.goods.iter())
            .map(|(class, amount)| Taxable { class: *class, amount: money(*amount, self.currency) })
            .collect();
        let delivery = money(self.delivery, self.currency);
        tax(&policy(self.included, self.shipping.clone()), &place, &goods, delivery).unwrap()
    }
}

const BOOK: Option<&str> = Some("books");

fn examples() -> Vec<(&'static str, Vec<Example>)> {
    let like_goods = || json!("as_goods");
    let example = |place, included, goods, delivery, currency| Example {
        place,
        included,
        shipping: like_goods(),
        goods,
        delivery,
        currency,
    };
    let delivery = |shipping, goods: &'static [(Option<&'static str>, i64)]| Example {
        place: ("DE", None),
        included: true,
        shipping,
        goods,
        delivery: 499,
        currency: "EUR",
    };
    vec![
        (
            "Included, and on top",
            vec![
                example(("DE", None), true, &[(None, 11_900)], 0, "EUR"),
                example(("DE", None), false, &[(None, 10_000)], 0, "EUR"),
                example(("US", Some("ny")), false, &[(None, 9_999)], 0, "USD"),
                example(("JP", None), true, &[(None, 1_000)], 0, "JPY"),
                example(("KW", None), false, &[(None, 1_250)], 0, "KWD"),
            ],
        ),
        (
            "Which rule applies",
            vec![
                example(("DE", None), true, &[(None, 1_000), (BOOK, 1_000)], 0, "EUR"),
                example(("DE", Some("Helgoland")), true, &[(None, 1_000), (BOOK, 1_000)], 0, "EUR"),
                example(("US", Some("NY")), false, &[(None, 1_000), (BOOK, 1_000)], 0, "USD"),
                example(
                    ("US", Some("OR")),
                    false,
                    &[(None, 1_000), (Some("alcohol"), 1_000)],
                    0,
                    "USD",
                ),
                example(("DE", None), true, &[(Some("alcohol"), 1_000)], 0, "EUR"),
                example(("FR", None), true, &[(None, 1_000)], 0, "EUR"),
            ],
        ),
        (
            "Delivery",
            vec![
                delivery(like_goods(), &[(None, 3_000), (BOOK, 1_000)]),
                delivery(like_goods(), &[(BOOK, 1_000)]),
                delivery(like_goods(), &[(BOOK, 0)]),
                delivery(json!({ "class": "books" }), &[(None, 3_000)]),
                delivery(json!("exempt"), &[(None, 3_000)]),
            ],
        ),
        (
            "Rounding",
            vec![
                // 0.5 of a cent goes away from zero, in both directions.
                example(
                    ("US", Some("NY")),
                    false,
                    &[(None, 400), (None, -400), (None, 399)],
                    0,
                    "USD",
                ),
                example(
                    ("DE", None),
                    true,
                    &[(None, 1), (None, 2), (None, 3), (None, 0)],
                    0,
                    "EUR",
                ),
                example(("DE", None), false, &[(None, 33), (None, 33), (None, 33)], 0, "EUR"),
                example(("DE", None), false, &[(None, 99)], 0, "EUR"),
            ],
        ),
    ]
}

fn cell(taxes: &[Tax], class: impl Fn(usize) -> &'static str) -> String {
    let lines = taxes.iter().enumerate().map(|(i, tax)| {
        let title = tax.title.as_ref().map_or("no rule", |title| title.as_str());
        format!("{}{}: {} ({title})", tax.of, class(i), tax.amount)
    });
    lines.collect::<Vec<_>>().join("<br>")
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let rules = policy(true, json!("as_goods")).rules;
    let rules: Vec<_> = rules.iter().map(|rule| serde_json::to_string(rule).unwrap()).collect();
    write!(page, "```json\n[\n  {}\n]\n```\n", rules.join(",\n  ")).unwrap();
    for (title, examples) in examples() {
        let text = TEXTS.iter().find(|text| text.0 == title).unwrap().1;
        write!(page, "\n## {title}\n\n{text}\n\n").unwrap();
        page.push_str(
            "| to | prices | goods: tax | delivery: tax | all tax |\n|---|---|---|---|---|\n",
        );
        for example in examples {
            let taxed = example.taxed();
            let place = [Some(example.place.0), example.place.1].into_iter().flatten();
            let place = place.collect::<Vec<_>>().join(", ");
            let prices = if taxed.included { "include it" } else { "without it" };
            let class = |i: usize| match example.goods[i].0 {
                Some("books") => ", books",
                Some("alcohol") => ", alcohol",
                _ => "",
            };
            let (goods, total) = (cell(&taxed.lines, class), taxed.total);
            let delivery = match (example.delivery, &taxed.shipping[..]) {
                (0, _) => String::new(),
                (_, []) => format!("{}: exempt", money(example.delivery, example.currency)),
                (_, taxes) => cell(taxes, |_| ""),
            };
            writeln!(page, "| {place} | {prices} | {goods} | {delivery} | {total} |").unwrap();
        }
    }
    page
}

const INTRODUCTION: &str = "# Tax

The tax on sales is data: the member `tax` of the policy. Amounts are whole minor units, rates percentages with at most three decimals, and no rule means no tax. The default policy has no rules.

Every example on this page is executed by a test (`pricing/src/tax/tests.rs`), which also writes the page. They follow these rules:

";

const TEXTS: [(&str, &str); 4] = [
    (
        "Included, and on top",
        "Where prices include the tax, its part of a price is price x rate / (100 % + rate), and the buyer pays the price. Where they do not, it is price x rate, and comes on top. A price here is what is left of a line after all discounts.",
    ),
    (
        "Which rule applies",
        "A rule applies where its countries, regions and class do; what it leaves out applies everywhere, or to everything. Of several the most specific counts: one that names regions before one that names only countries, before one that names neither. Among those, one that names the class of the goods counts before one that names none; among those, the first. Regions are compared with what the buyer wrote as region, however the letters are cased.",
    ),
    (
        "Delivery",
        "The price of delivery is taxed as the goods are (`\"as_goods\"`), as goods of some class (`{ \"class\": \"books\" }`), or not at all (`\"exempt\"`). As the goods are means: it is shared over their rules in proportion to their prices, by the largest remainder, so that the shares sum to the price. Goods that cost nothing make it taxed as goods without a class.",
    ),
    (
        "Rounding",
        "Each line is rounded by itself, half a unit away from zero, and the total is the sum of the lines. European law leaves the level and the method of rounding to its member states, which may allow it by line or by total (Court of Justice, C-484/06 *Ahold*, 10 July 2008; C-302/07 *J D Wetherspoon*, 5 March 2009). By line is taken here because the refund of a line then gives back exactly its tax; the last two examples show what it costs. Away from zero, because then what is given back is taxed as what was paid.",
    ),
];

#[test]
fn the_page_shows_what_the_code_does() {
    crate::page::agrees("tax.md", &page());
}

#[test]
fn a_sale_is_taxed_line_by_line() {
    let amounts = |example: Example| {
        let Taxed { lines, shipping, total, .. } = example.taxed();
        let minor = |taxes: Vec<Tax>| -> Vec<i64> {
            taxes.into_iter().map(|tax| tax.amount.minor()).collect()
        };
        format!("{:?} {:?} {}", minor(lines), minor(shipping), total.minor())
    };
    let expected = [
        vec!["[1900] [] 1900", "[1900] [] 1900", "[887] [] 887", "[91] [] 91", "[63] [] 63"],
        vec![
            "[160, 65] [] 225",
            "[0, 0] [] 0",
            "[89, 40] [] 129",
            "[0, 250] [] 250",
            "[160] [] 160",
            "[0] [] 0",
        ],
        vec![
            "[479, 65] [60, 8] 612",
            "[65] [33] 98",
            "[0] [80] 80",
            "[479] [33] 512",
            "[479] [] 479",
        ],
        vec!["[36, -36, 35] [] 35", "[0, 0, 0, 0] [] 0", "[6, 6, 6] [] 18", "[19] [] 19"],
    ];
    for ((title, examples), expected) in examples().into_iter().zip(expected) {
        assert_eq!(examples.into_iter().map(amounts).collect::<Vec<_>>(), expected, "{title}");
    }
}

#[test]
fn one_currency_a_sale() {
    let place = country("DE");
    let place = Place { country: &place, region: None, postal_code: None };
    let policy = policy(false, json!("exempt"));
    let good = |amount| Taxable { class: None, amount };
    let taxed = |goods: &[Taxable<'_>]| tax(&policy, &place, goods, money(0, "EUR"));
    assert_eq!(taxed(&[good(money(1, "USD"))]), Err(MoneyError::Mixed));
    let largest = [good(money(MAX_MINOR, "EUR")); 6];
    assert_eq!(taxed(&largest), Err(MoneyError::Overflow));
    assert_eq!(taxed(&[]).map(|taxed| taxed.total), Ok(money(0, "EUR")));
}

fn rates() -> impl Strategy<Value = TaxRate> {
    let text = |rate: u32| format!("{}.{:03}", rate / 1_000, rate % 1_000);
    prop_oneof![Just(0), Just(TaxRate::WHOLE), 0..=TaxRate::WHOLE]
        .prop_map(move |rate| TaxRate::parse(&text(rate)).unwrap())
}

fn prices() -> impl Strategy<Value = Money> {
    let amounts = prop_oneof![-1_000_i64..1_000, -MAX_MINOR..=MAX_MINOR];
    let codes = prop::sample::select(vec!["EUR", "JPY", "KWD"]);
    (amounts, codes).prop_map(|(amount, code)| money(amount, code))
}

proptest! {
    #[test]
    fn an_amount_is_the_nearest(price in prices(), rate in rates(), included: bool) {
        let found = amount(price, rate, included).unwrap();
        prop_assert_eq!(found.currency(), price.currency());
        let (price, found) = (i128::from(price.minor()), i128::from(found.minor()));
        let rate = i128::from(rate.thousandths());
        let whole = i128::from(TaxRate::WHOLE) + if included { rate } else { 0 };
        // Within half a unit of the exact fraction, and of the price's sign.
        prop_assert!((2 * (found * whole - price * rate)).abs() <= whole);
        prop_assert!(found.abs() <= price.abs() && found * price >= 0);
        if rate == 0 { prop_assert_eq!(found, 0); }
    }

    #[test]
    fn net_and_tax_are_the_price(price in prices(), rate in rates()) {
        let part = amount(price, rate, true).unwrap();
        let net = money(price.minor() - part.minor(), price.currency().code());
        prop_assert_eq!(net.plus(part), Ok(price));
        // The net price, taxed again, differs by what rounding it lost at most.
        let again = amount(net, rate, false).unwrap();
        prop_assert!((again.minor() - part.minor()).abs() <= 1);
    }

    #[test]
    fn what_is_given_back_is_taxed_as_what_was_paid(price in prices(), rate in rates(), included: bool) {
        let back = money(-price.minor(), price.currency().code());
        prop_assert_eq!(
            amount(back, rate, included).unwrap().minor(),
            -amount(price, rate, included).unwrap().minor()
        );
    }

    #[test]
    fn a_sale_sums(
        goods in prop::collection::vec((prop::sample::select(vec![None, BOOK, Some("alcohol")]), 0_i64..10_000_000), 0..12),
        shipping in 0_i64..100_000,
        included: bool,
        way in prop::sample::select(vec![json!("as_goods"), json!("exempt"), json!({ "class": "books" })]),
    ) {
        let germany = country("DE");
        let place = Place { country: &germany, region: None, postal_code: None };
        let goods: Vec<Taxable<'_>> = goods.into_iter()
            .map(|(class, amount)| Taxable { class, amount: money(amount, "EUR") })
            .collect();
        let taxed = tax(&policy(included, way.clone()), &place, &goods, money(shipping, "EUR")).unwrap();
        prop_assert_eq!(taxed.lines.len(), goods.len());
        let all: i64 = taxed.lines.iter().chain(&taxed.shipping).map(|tax| tax.amount.minor()).sum();
        prop_assert_eq!(all, taxed.total.minor());
        let of: i64 = taxed.shipping.iter().map(|tax| tax.of.minor()).sum();
        prop_assert_eq!(of, if way == json!("exempt") { 0 } else { shipping });
    }
}
