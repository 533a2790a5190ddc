//! The pages of examples under `docs/price-rules`: each is written from
//! examples that are priced here, and compared with the file. With `UPDATE=1`
//! the files are written anew.

use std::{env, fmt::Write, fs, path::Path};

use aftercart::model::{
    money::{Currency, Money},
    price::QuotaScope,
};

use super::{Priced, Reason, Shipping, Wanted, example::Shop};

/// An example: what it shows, the rules, the cart, and what else is known.
struct Example {
    shows: &'static str,
    rules: &'static [&'static str],
    cart: &'static [(&'static str, u32)],
    /// What else is known, for the reader, and the same for the engine.
    known: (&'static str, fn(Shop) -> Shop),
    /// The charge for delivery by the method `post`.
    charge: Option<i64>,
}

struct Page {
    file: &'static str,
    title: &'static str,
    about: &'static str,
    examples: &'static [Example],
}

const NOTHING: (&str, fn(Shop) -> Shop) = ("", |shop| shop);

const PAGES: &[Page] = &[
    Page {
        file: "price",
        title: "Fixed unit prices",
        about: "A price by SKU: for a limited time by the rule's window, for members, a tier, a segment or a channel by its audience, for so many units by its limits. The lowest price that applies wins, and never one above the list price.",
        examples: &[
            Example {
                shows: "A limited-time price of which one unit is left for this buyer. The other unit gets the member's price.",
                rules: &[
                    r#"{
  "id": "double-eleven",
  "title": { "en": "11.11 price", "zh": "双十一价" },
  "window": { "from": "2026-11-11T00:00", "until": "2026-11-12T00:00" },
  "limits": { "total": 500, "per_customer": 2, "shards": 10 },
  "effect": { "price": { "currency": "EUR", "units": { "TEA": 600 } } }
}"#,
                    r#"{
  "id": "member-price",
  "title": { "en": "Member price" },
  "audience": { "tiers": ["gold"] },
  "effect": { "price": { "currency": "EUR", "units": { "TEA": 900, "CUP": 750 } } }
}"#,
                ],
                cart: &[("TEA", 2), ("CUP", 1)],
                known: ("a gold member who bought one unit at the 11.11 price before", |shop| {
                    let customer = QuotaScope::Customer("cus_1".to_owned());
                    shop.tier("gold").left("double-eleven", customer, 1)
                }),
                charge: None,
            },
            Example {
                shows: "All units at the price are sold.",
                rules: &[r#"{
  "id": "flash",
  "title": { "en": "Flash price" },
  "limits": { "total": 100 },
  "effect": { "price": { "currency": "EUR", "units": { "TEA": 600 } } }
}"#],
                cart: &[("TEA", 2)],
                known: ("100 units were sold at the price", |shop| {
                    shop.left("flash", QuotaScope::Total, 0)
                }),
                charge: None,
            },
        ],
    },
    Page {
        file: "price-percent",
        title: "A part off unit prices",
        about: "So many basis points off the list price of a unit, rounded half up for one unit. It competes with the other unit prices, and does not come on top of them.",
        examples: &[
            Example {
                shows: "Fifteen percent off goods of a category in an app. A spoon costs 3.33; 0.49950 is rounded to 0.50.",
                rules: &[r#"{
  "id": "app-15",
  "title": { "en": "15% off in the app" },
  "audience": { "channels": ["app"] },
  "goods": { "categories": ["ware"] },
  "effect": { "price_percent": { "off": 1500 } }
}"#],
                cart: &[("SPOON", 3), ("TEA", 1)],
                known: ("an order from the app", |mut shop| {
                    shop.channel = Some("app");
                    shop
                }),
                charge: None,
            },
            Example {
                shows: "The same in yen, which have no decimals.",
                rules: &[r#"{
  "id": "app-15",
  "title": { "en": "15% off in the app" },
  "effect": { "price_percent": { "off": 1500 } }
}"#],
                cart: &[("SPOON", 3)],
                known: ("", |shop| shop.currency("JPY")),
                charge: None,
            },
        ],
    },
    Page {
        file: "spend",
        title: "So much off from such a spend on",
        about: "Tiers, of which the highest one reached counts, or an amount for every full step. The spend is what the matching lines cost after unit prices and line promotions.",
        examples: &[
            Example {
                shows: "Tiers. 45.00 reaches the second one; what is missing to the third is told.",
                rules: &[r#"{
  "id": "tiers",
  "title": { "en": "Spend and save", "zh": "满减" },
  "effect": {
    "spend": {
      "currency": "CNY",
      "tiers": [{ "at": 2000, "off": 200 }, { "at": 4000, "off": 500 }, { "at": 8000, "off": 1200 }]
    }
  }
}"#],
                cart: &[("OOLONG", 1), ("TEA", 2)],
                known: ("", |shop| shop.currency("CNY")),
                charge: None,
            },
            Example {
                shows: "Five for every thirty, at most twice, on everything but cups.",
                rules: &[r#"{
  "id": "every-30",
  "title": { "en": "5 off every 30" },
  "goods": { "except_skus": ["CUP"] },
  "effect": { "spend": { "currency": "EUR", "every": { "per": 3000, "off": 500, "most_times": 2 } } }
}"#],
                cart: &[("OOLONG", 4), ("CUP", 2)],
                known: NOTHING,
                charge: None,
            },
        ],
    },
    Page {
        file: "percent",
        title: "A part off what the lines cost",
        about: "With a code or a voucher this is a percentage coupon. What is off is rounded half up for all lines together, and shared over them by the largest remainder.",
        examples: &[
            Example {
                shows: "A coupon with a minimum and at most 3.00 off. The code may be typed in any case.",
                rules: &[r#"{
  "id": "tea10",
  "title": { "en": "10% off, at most 3" },
  "coupon": { "code": "TEA10" },
  "limits": { "total": 1000, "per_customer": 1, "shards": 16 },
  "effect": { "percent": { "off": 1000, "currency": "EUR", "most": 300, "minimum": 2000 } }
}"#],
                cart: &[("OOLONG", 1), ("CUP", 2)],
                known: ("the code `tea10`", |shop| shop.code("tea10")),
                charge: None,
            },
            Example {
                shows: "The same coupon below its minimum.",
                rules: &[r#"{
  "id": "tea10",
  "title": { "en": "10% off, at most 3" },
  "coupon": { "code": "TEA10" },
  "effect": { "percent": { "off": 1000, "currency": "EUR", "most": 300, "minimum": 2000 } }
}"#],
                cart: &[("CUP", 2)],
                known: ("the codes `TEA10` and `TEA20`", |shop| shop.code("TEA10").code("TEA20")),
                charge: None,
            },
        ],
    },
    Page {
        file: "amount",
        title: "An amount off what the lines cost",
        about: "With a code or a voucher this is a fixed coupon. It never takes off more than the matching lines cost.",
        examples: &[
            Example {
                shows: "A voucher that the account was granted, for goods of one brand.",
                rules: &[r#"{
  "id": "birthday",
  "title": { "en": "10 off for your birthday" },
  "coupon": { "voucher": true },
  "goods": { "brands": ["Kiln"] },
  "effect": { "amount": { "currency": "EUR", "off": 1000 } }
}"#],
                cart: &[("CUP", 3), ("TEA", 1)],
                known: ("a member who names his voucher `birthday`", |shop| {
                    shop.tier("silver").voucher("birthday")
                }),
                charge: None,
            },
            Example {
                shows: "Shares that do not come out even, in a currency of three decimals: 0.500 over 1.000 and 0.333.",
                rules: &[r#"{
  "id": "half",
  "title": { "en": "Half a dinar off" },
  "effect": { "amount": { "currency": "KWD", "off": 500 } }
}"#],
                cart: &[("TEA", 1), ("SPOON", 1)],
                known: ("", |shop| shop.currency("KWD")),
                charge: None,
            },
        ],
    },
    Page {
        file: "bundle",
        title: "Bundles",
        about: "Goods that cost less together, as many times as the cart holds them and it saves something. Units of a bundle count in no other line promotion.",
        examples: &[Example {
            shows: "Two sets of tea and cup for 15.00 each; the third tea stays at its price. The discount is shared in proportion to what the units cost.",
            rules: &[r#"{
  "id": "tea-set",
  "title": { "en": "Tea and cup for 15" },
  "effect": {
    "bundle": {
      "currency": "EUR",
      "price": 1500,
      "items": [{ "sku": "TEA", "quantity": 1 }, { "sku": "CUP", "quantity": 1 }]
    }
  }
}"#],
            cart: &[("TEA", 3), ("CUP", 2)],
            known: NOTHING,
            charge: None,
        }],
    },
    Page {
        file: "buy-get",
        title: "Buy some, get some cheaper",
        about: "The matching units, from the dearest down, are cut into full sets; of each set the cheapest units are reduced. More units in the cart never make the discount smaller.",
        examples: &[
            Example {
                shows: "Buy two, get one free: the first set is oolong, oolong and tea, the second tea, cup and cup. The last cup is in no set.",
                rules: &[r#"{
  "id": "three-for-two",
  "title": { "en": "3 for 2", "zh": "买二送一" },
  "effect": { "buy_get": { "buy": 2, "get": 1 } }
}"#],
                cart: &[("OOLONG", 2), ("TEA", 2), ("CUP", 3)],
                known: NOTHING,
                charge: None,
            },
            Example {
                shows: "The second one for half its price.",
                rules: &[r#"{
  "id": "second-half",
  "title": { "en": "Second at half price" },
  "goods": { "categories": ["tea"] },
  "effect": { "buy_get": { "buy": 1, "get": 1, "off": 5000 } }
}"#],
                cart: &[("OOLONG", 1), ("TEA", 2), ("CUP", 1)],
                known: NOTHING,
                charge: None,
            },
        ],
    },
    Page {
        file: "gift",
        title: "Gifts with a purchase",
        about: "Goods that come free when the buyer pays so much for the matching lines, or has so many units of them. They come from their own stock, all units of a gift or none.",
        examples: &[Example {
            shows: "A bag from 40.00 on, after all discounts, and a spoon with three units of tea. The spoons are out of stock.",
            rules: &[
                r#"{
  "id": "bag",
  "title": { "en": "A bag with orders of 40 and more" },
  "effect": { "gift": { "sku": "BAG", "quantity": 1, "from": { "spend": { "currency": "EUR", "at": 4000 } } } }
}"#,
                r#"{
  "id": "spoon",
  "title": { "en": "A spoon with three teas" },
  "goods": { "categories": ["tea"] },
  "effect": { "gift": { "sku": "SPOON", "quantity": 1, "from": { "units": 3 } } }
}"#,
            ],
            cart: &[("OOLONG", 1), ("TEA", 2)],
            known: ("20 bags and no spoons are available", |shop| {
                shop.gift("BAG", 20).gift("SPOON", 0)
            }),
            charge: None,
        }],
    },
    Page {
        file: "free-shipping",
        title: "Free shipping",
        about: "No charge for delivery, by the methods named, from what the buyer pays for the matching lines on. Of all rules for shipping the one that takes most off applies.",
        examples: &[
            Example {
                shows: "Delivery by post, and the spend is reached.",
                rules: &[r#"{
  "id": "free-post",
  "title": { "en": "Free delivery by post from 30" },
  "effect": { "free_shipping": { "over": { "currency": "EUR", "at": 3000 }, "methods": ["post"] } }
}"#],
                cart: &[("OOLONG", 1), ("TEA", 1)],
                known: NOTHING,
                charge: Some(499),
            },
            Example {
                shows: "The spend is nearly reached.",
                rules: &[r#"{
  "id": "free-post",
  "title": { "en": "Free delivery by post from 30" },
  "effect": { "free_shipping": { "over": { "currency": "EUR", "at": 3000 }, "methods": ["post"] } }
}"#],
                cart: &[("OOLONG", 1)],
                known: NOTHING,
                charge: Some(499),
            },
        ],
    },
    Page {
        file: "shipping-percent",
        title: "A part off shipping",
        about: "So many basis points off the charge for delivery, rounded half up.",
        examples: &[Example {
            shows: "Delivery by post. Half of 4.99 with a code is 2.50. The buyer's other code is for an express service.",
            rules: &[
                r#"{
  "id": "half-post",
  "title": { "en": "Half the delivery" },
  "coupon": { "code": "HALF" },
  "effect": { "shipping_percent": { "off": 5000 } }
}"#,
                r#"{
  "id": "express",
  "title": { "en": "Free express" },
  "coupon": { "code": "FAST" },
  "effect": { "free_shipping": { "methods": ["express"] } }
}"#,
            ],
            cart: &[("TEA", 1)],
            known: ("the codes `HALF` and `FAST`", |shop| shop.code("HALF").code("FAST")),
            charge: Some(499),
        }],
    },
    Page {
        file: "stacking",
        title: "Stacking, floors and the maximum",
        about: "Which promotions apply together, and what none of them goes beyond.",
        examples: &[
            Example {
                shows: "Of a group, the promotion with which the order costs least.",
                rules: &[
                    r#"{
  "id": "five-off",
  "title": { "en": "5 off" },
  "stacking": { "best_of": "autumn" },
  "effect": { "amount": { "currency": "EUR", "off": 500 } }
}"#,
                    r#"{
  "id": "ten-percent",
  "title": { "en": "10% off" },
  "stacking": { "best_of": "autumn" },
  "effect": { "percent": { "off": 1000 } }
}"#,
                ],
                cart: &[("OOLONG", 1), ("TEA", 1)],
                known: NOTHING,
                charge: None,
            },
            Example {
                shows: "An exclusive coupon takes less off than the promotion that it would replace.",
                rules: &[
                    r#"{
  "id": "welcome",
  "title": { "en": "3 off your first order" },
  "coupon": { "code": "WELCOME" },
  "stacking": "exclusive",
  "effect": { "amount": { "currency": "EUR", "off": 300 } }
}"#,
                    r#"{
  "id": "ten-percent",
  "title": { "en": "10% off" },
  "effect": { "percent": { "off": 1000 } }
}"#,
                ],
                cart: &[("OOLONG", 1), ("TEA", 1)],
                known: ("the code `WELCOME`", |shop| shop.code("WELCOME")),
                charge: None,
            },
            Example {
                shows: "No unit of the teapot is sold below its floor of 36.00. What the floor cuts off goes to no other line.",
                rules: &[r#"{
  "id": "twenty",
  "title": { "en": "20% off" },
  "effect": { "percent": { "off": 2000 } }
}"#],
                cart: &[("POT", 1), ("TEA", 1)],
                known: NOTHING,
                charge: None,
            },
            Example {
                shows: "The document says `\"max_discount\": 2500`: a quarter of the list prices is the most that all discounts take off together.",
                rules: &[
                    r#"{
  "id": "a-twenty",
  "title": { "en": "20% off" },
  "effect": { "percent": { "off": 2000 } }
}"#,
                    r#"{
  "id": "b-ten",
  "title": { "en": "10% off" },
  "effect": { "percent": { "off": 1000 } }
}"#,
                ],
                cart: &[("OOLONG", 1), ("TEA", 1)],
                known: ("", |mut shop| {
                    shop.rules.max_discount = 2_500;
                    shop
                }),
                charge: None,
            },
        ],
    },
];

const HEAD: &str = "Written by the tests of the crate `aftercart-pricing`, from examples that they price: \
change those, and run them with `UPDATE=1`. Amounts in rules are minor units, shares are basis points.";

fn page(page: &Page) -> String {
    let mut out = format!("# {}\n\n{}\n\n", page.title, page.about);
    for (number, example) in page.examples.iter().enumerate() {
        writeln!(out, "## Example {}\n", number + 1).unwrap();
        write_example(&mut out, example).unwrap();
    }
    writeln!(out, "---\n\n{HEAD} [All kinds of rules](../price-rules.md).").unwrap();
    out
}

fn write_example(out: &mut String, example: &Example) -> std::fmt::Result {
    let Example { shows, rules, cart, known: (known, change), charge } = example;
    writeln!(out, "{shows}\n")?;
    for rule in *rules {
        writeln!(out, "```json\n{rule}\n```\n")?;
    }
    let shop = change(Shop::new(&rules.join(","), cart));
    let priced = shop.price();
    if !known.is_empty() {
        writeln!(out, "Known: {known}.\n")?;
    }
    write_table(out, &priced)?;
    let mut notes = String::new();
    write_notes(&mut notes, &priced)?;
    if let Some(charge) = charge {
        let shipping = shop.shipping("post", *charge);
        write_shipping(&mut notes, &shipping, money(*charge, priced.currency))?;
    }
    if !notes.is_empty() {
        write!(out, "\n{notes}")?;
    }
    out.push('\n');
    Ok(())
}

fn money(minor: i64, currency: Currency) -> Money {
    Money::new(minor, currency).unwrap()
}

/// Lines down, rules across: every share of every discount.
fn write_table(out: &mut String, priced: &Priced) -> std::fmt::Result {
    let names: String = priced.applied.iter().map(|rule| format!(" `{}` |", rule.rule)).collect();
    writeln!(out, "| line | units | list price |{names} to pay |")?;
    writeln!(out, "|---|---:|---:|{}---:|", "---:|".repeat(priced.applied.len()))?;
    let off = |minor: i64| match minor {
        0 => " |".to_owned(),
        minor => format!(" {} |", money(-minor, priced.currency)),
    };
    for (number, line) in priced.lines.iter().enumerate() {
        let shares: String = priced.applied.iter().map(|rule| off(rule.shares[number])).collect();
        let gift = if line.gift.is_some() { ", a gift" } else { "" };
        let name = format!("{}{gift}", line.good.sku);
        writeln!(out, "| {name} | {} | {} |{shares} {} |", line.quantity, line.list, line.total)?;
    }
    let sums: String = priced.applied.iter().map(|rule| off(rule.amount.minor())).collect();
    writeln!(out, "| **sum** | | {} |{sums} **{}** |", priced.list, priced.total)?;
    Ok(())
}

fn write_notes(out: &mut String, priced: &Priced) -> std::fmt::Result {
    for line in priced.lines.iter().filter(|line| line.parts.len() > 1) {
        let parts = line.parts.iter().map(|part| format!("{} at {}", part.quantity, part.unit));
        writeln!(out, "- {}: {}.", line.good.sku, parts.collect::<Vec<_>>().join(", "))?;
    }
    for rule in &priced.applied {
        for (cut, by) in
            [(rule.cut_by_floor, "a floor"), (rule.cut_by_maximum, "the maximum of all discounts")]
        {
            if cut.minor() > 0 {
                writeln!(out, "- `{}` would take {cut} more off, but for {by}.", rule.rule)?;
            }
        }
    }
    for skipped in &priced.skipped {
        writeln!(out, "- {}", told(&skipped.asked, &skipped.reason, priced.currency))?;
    }
    for near in &priced.near {
        writeln!(out, "- `{}`: {} more reaches the next threshold.", near.rule, near.missing)?;
    }
    Ok(())
}

fn told(asked: &Wanted, reason: &Reason, currency: Currency) -> String {
    let what = match asked {
        Wanted::Code(code) => format!("The code `{code}`"),
        Wanted::Voucher(rule) => format!("The voucher `{rule}`"),
        Wanted::Rule(rule) => format!("`{rule}`"),
    };
    let more = match reason {
        Reason::Minimum { missing } => format!(" {} is missing.", money(*missing, currency)),
        Reason::Units { priced, of } => format!(" {priced} of {of}."),
        _ => String::new(),
    };
    format!("{what} (`{}`): {reason}{more}", reason.as_str())
}

fn write_shipping(out: &mut String, shipping: &Shipping, charge: Money) -> std::fmt::Result {
    match &shipping.applied {
        Some(rule) => {
            let left = charge.minus(rule.amount).unwrap();
            writeln!(
                out,
                "- Delivery: {charge}, `{}` takes {} off: {left}.",
                rule.rule, rule.amount
            )?;
        }
        None => writeln!(out, "- Delivery: {charge}.")?,
    }
    for skipped in &shipping.skipped {
        writeln!(out, "- {}", told(&skipped.asked, &skipped.reason, charge.currency()))?;
    }
    Ok(())
}

#[test]
fn the_pages_of_examples_are_what_the_engine_gives() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/price-rules");
    let update = env::var_os("UPDATE").is_some();
    if update {
        fs::create_dir_all(&folder).unwrap();
    }
    for example in PAGES {
        let path = folder.join(format!("{}.md", example.file));
        let written = page(example);
        if update {
            fs::write(&path, &written).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, written, "{}: run with UPDATE=1", path.display());
    }
}

#[test]
fn the_overview_names_every_page() {
    let overview = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/price-rules.md");
    let overview = fs::read_to_string(overview).unwrap();
    for page in PAGES {
        assert!(overview.contains(&format!("(price-rules/{}.md)", page.file)), "{}", page.file);
    }
}
