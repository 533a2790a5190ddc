use aftercart::model::stock::MAX_SHARDS;
use proptest::prelude::*;

use super::*;

fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

fn at(name: &str) -> LocationId {
    LocationId::parse(name).unwrap()
}

fn levels(all: &[(&str, &str, &[i64])]) -> Levels {
    let mut levels = Levels::default();
    for (name, location, parts) in all {
        for (shard, units) in (0..MAX_SHARDS).zip(*parts) {
            levels.note(&sku(name), &at(location), shard, *units);
        }
    }
    levels
}

fn wanted(name: &str, quantity: u32) -> Wanted {
    Wanted { sku: sku(name), quantity, floor: Floor::default() }
}

/// What is taken where, in words: `TEA 2 a/0, CUP 1 b/0`.
fn told(wanted: &[Wanted], plans: &[LinePlan]) -> String {
    let lines = wanted.iter().zip(plans).flat_map(|(wanted, plan)| {
        let late = if plan.preorder { " later" } else { "" };
        plan.parts.iter().map(move |part| {
            let StockPart { location, shard, quantity } = part;
            format!("{} {quantity} {location}/{shard}{late}", wanted.sku)
        })
    });
    lines.collect::<Vec<_>>().join(", ")
}

fn planned(wanted: &[Wanted], locations: &[&str], levels: &Levels) -> String {
    let locations: Vec<LocationId> = locations.iter().map(|it| at(it)).collect();
    match plan("ord_1", &locations, wanted, levels) {
        Ok(plans) => told(wanted, &plans),
        Err(Unplanned::Short(short)) => {
            let lines = short.iter().map(|it| format!("{}: {}", it.line, it.available));
            format!("short {}", lines.collect::<Vec<_>>().join(", "))
        }
        Err(Unplanned::Scattered) => "scattered".to_owned(),
    }
}

#[test]
fn a_sku_in_two_lines_is_sold_before_it_is_there_in_both() {
    let there = levels(&[("TEA", "a", &[4])]);
    let line =
        |quantity| Wanted { floor: Floor { kept: 0, beyond: 10 }, ..wanted("TEA", quantity) };
    let told = planned(&[line(5), line(2)], &["a"], &there);
    assert_eq!(told, "TEA 5 a/0 later, TEA 2 a/0 later");
    assert_eq!(planned(&[line(13), line(2)], &["a"], &there), "short 1: 1");
}

#[test]
fn an_order_is_one_parcel_if_it_can_be() {
    let there = levels(&[
        ("TEA", "a", &[5]),
        ("CUP", "a", &[0]),
        ("TEA", "b", &[3]),
        ("CUP", "b", &[3]),
        ("CUP", "c", &[9]),
    ]);
    for (lines, plan) in [
        (vec![wanted("TEA", 2)], "TEA 2 a/0"),
        (vec![wanted("TEA", 2), wanted("CUP", 1)], "TEA 2 b/0, CUP 1 b/0"),
        (
            vec![wanted("TEA", 2), wanted("TEA", 1), wanted("CUP", 3)],
            "TEA 2 b/0, TEA 1 b/0, CUP 3 b/0",
        ),
        (vec![wanted("TEA", 4), wanted("CUP", 1)], "TEA 4 a/0, CUP 1 b/0"),
        (vec![wanted("TEA", 4), wanted("CUP", 9)], "TEA 4 a/0, CUP 9 c/0"),
        (vec![wanted("TEA", 7), wanted("CUP", 11)], "TEA 5 a/0, TEA 2 b/0, CUP 3 b/0, CUP 8 c/0"),
        (vec![wanted("TEA", 8), wanted("TEA", 1)], "short 1: 0"),
        (vec![wanted("TEA", 9), wanted("CUP", 13), wanted("POT", 1)], "short 0: 8, 1: 12, 2: 0"),
    ] {
        assert_eq!(planned(&lines, &["a", "b", "c"], &there), plan);
    }
    assert_eq!(planned(&[wanted("TEA", 3)], &["b"], &there), "TEA 3 b/0");
    assert_eq!(planned(&[wanted("TEA", 4)], &["b"], &there), "short 0: 3");
    assert_eq!(planned(&[wanted("TEA", 1)], &[], &there), "short 0: 0");
}

#[test]
fn what_is_kept_is_not_there_and_what_is_not_there_is_sold_last() {
    let there = levels(&[("TEA", "a", &[5]), ("TEA", "b", &[8]), ("CUP", "b", &[2])]);
    let floor = |kept, beyond| Floor { kept, beyond };
    for (quantity, floor, plan) in [
        (5, floor(0, 0), "TEA 5 a/0"),
        (5, floor(2, 0), "TEA 5 b/0"),
        (9, floor(2, 0), "TEA 3 a/0, TEA 6 b/0"),
        (10, floor(2, 0), "short 0: 9"),
        (8, floor(0, 4), "TEA 8 b/0"),
        (9, floor(0, 4), "TEA 5 a/0, TEA 4 b/0"),
        (14, floor(0, 4), "TEA 9 a/0 later, TEA 5 b/0 later"),
        (22, floor(0, 4), "short 0: 21"),
        (13, floor(2, 4), "TEA 7 a/0 later, TEA 6 b/0 later"),
        (1, floor(100, 4), "short 0: 0"),
    ] {
        let line = Wanted { floor, ..wanted("TEA", quantity) };
        assert_eq!(planned(&[line], &["a", "b"], &there), plan);
    }
    // One line's waiting is no other's.
    let lines = [Wanted { floor: floor(0, 9), ..wanted("CUP", 3) }, wanted("TEA", 6)];
    assert_eq!(planned(&lines, &["a", "b"], &there), "CUP 3 b/0 later, TEA 6 b/0");
}

#[test]
fn buyers_spread_over_the_parts_and_the_last_units_are_found() {
    let there = levels(&[("TEA", "a", &[10, 10, 10, 10])]);
    let mut met = [0; 4];
    for order in 0..400 {
        let plans = plan(&format!("ord_{order}"), &[at("a")], &[wanted("TEA", 1)], &there).unwrap();
        met[usize::from(plans[0].parts[0].shard)] += 1;
    }
    assert!(met.iter().all(|count| (60..=140).contains(count)), "{met:?}");
    let few = levels(&[("TEA", "a", &[1, 0, 3, 2])]);
    for (quantity, plan) in [
        (1, None),
        (3, Some("TEA 3 a/2")),
        (5, Some("TEA 3 a/2, TEA 2 a/3")),
        (6, Some("TEA 3 a/2, TEA 2 a/3, TEA 1 a/0")),
        (7, Some("short 0: 6")),
    ] {
        let told = planned(&[wanted("TEA", quantity)], &["a"], &few);
        assert!(plan.is_none_or(|plan| told == plan), "{told}");
    }
    let lines: Vec<Wanted> = (0..5).map(|n| wanted(&format!("S{n}"), 16)).collect();
    let thin: Vec<String> = (0..5).map(|n| format!("S{n}")).collect();
    let thin: Vec<(&str, &str, &[i64])> =
        thin.iter().map(|name| (name.as_str(), "a", &[1; 16][..])).collect();
    assert_eq!(planned(&lines, &["a"], &levels(&thin)), "scattered");
}

/// Whether the conditions of these takes hold, and what is left if they do.
fn commit(takes: &[Take], levels: &mut Levels) -> Result<(), (Sku, LocationId, u8, i64)> {
    for take in takes {
        let StockPart { location, shard, quantity } = &take.part;
        let there = levels.parts(&take.sku, location)[usize::from(*shard)];
        if there < i64::from(*quantity) + take.floor {
            return Err((take.sku.clone(), location.clone(), *shard, there));
        }
    }
    for take in takes {
        let StockPart { location, shard, quantity } = &take.part;
        let there = levels.parts(&take.sku, location)[usize::from(*shard)];
        levels.note(&take.sku, location, *shard, there - i64::from(*quantity));
    }
    Ok(())
}

fn a_level(parts: usize) -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![Just(0), 0..30_i64], parts)
}

fn a_floor() -> impl Strategy<Value = Floor> {
    (prop_oneof![Just(0), 0..40_u32], prop_oneof![Just(0), 0..40_u32])
        .prop_map(|(kept, beyond)| Floor { kept, beyond })
}

prop_compose! {
    fn a_shop()(parts in 1..=4_usize)(
        tea in prop::collection::vec(a_level(parts), 1..=3),
        cup in prop::collection::vec(a_level(1), 1..=3),
    ) -> (Levels, Vec<LocationId>) {
        let places: Vec<LocationId> = ["a", "b", "c"].iter().map(|it| at(it)).collect();
        let mut all = Levels::default();
        for (name, levels) in [("TEA", tea), ("CUP", cup)] {
            for (location, parts) in places.iter().zip(levels) {
                for (shard, units) in (0..MAX_SHARDS).zip(parts) {
                    all.note(&sku(name), location, shard, units);
                }
            }
        }
        (all, places)
    }
}

/// One step in the life of a level.
#[derive(Debug, Clone)]
enum Step {
    /// An order that read the level so many steps ago.
    Order { number: u16, quantity: u32, ago: usize },
    /// Those whom units are kept for take some, having read the level now.
    Insider { number: u16, quantity: u32 },
    /// Units come in or come back.
    In { shard: u8, units: i64 },
}

fn a_step(insiders: bool) -> impl Strategy<Value = Step> {
    let order = (any::<u16>(), 1..12_u32, 0..6_usize)
        .prop_map(|(number, quantity, ago)| Step::Order { number, quantity, ago });
    let back = (0..4_u8, 1..12_i64).prop_map(|(shard, units)| Step::In { shard, units });
    let insider =
        (any::<u16>(), 1..12_u32).prop_map(|(number, quantity)| Step::Insider { number, quantity });
    prop_oneof![4 => order, 1 => back, u32::from(insiders) => insider]
}

proptest! {
    #[test]
    fn a_plan_takes_what_is_wanted_on_conditions_that_hold(
        (levels, places) in a_shop(),
        lines in prop::collection::vec((any::<bool>(), 1..40_u32), 1..4),
        floors in [a_floor(), a_floor()],
        order in any::<u32>(),
    ) {
        let lines: Vec<Wanted> = lines.into_iter().map(|(tea, quantity)| Wanted {
            sku: sku(if tea { "TEA" } else { "CUP" }), quantity, floor: floors[usize::from(tea)],
        }).collect();
        match plan(&order.to_string(), &places, &lines, &levels) {
            Ok(plans) => {
                for (line, plan) in lines.iter().zip(&plans) {
                    let sum: u32 = plan.parts.iter().map(|part| part.quantity).sum();
                    prop_assert_eq!(sum, line.quantity);
                    prop_assert!(plan.parts.iter().all(|part| part.quantity > 0));
                }
                let takes = takes(&lines, &plans);
                for (i, take) in takes.iter().enumerate() {
                    let same = |it: &Take| it.sku == take.sku && it.part.location == take.part.location && it.part.shard == take.part.shard;
                    prop_assert_eq!(takes.iter().position(same), Some(i), "a part is written twice");
                }
                let mut left = levels.clone();
                prop_assert_eq!(commit(&takes, &mut left), Ok(()));
                for line in &lines {
                    for place in places.iter().filter(|it| left.parts(&line.sku, it) != levels.parts(&line.sku, it)) {
                        let Floor { kept, beyond } = line.floor;
                        prop_assert!(left.sum(&line.sku, place) >= i64::from(kept) - i64::from(beyond));
                    }
                }
            }
            Err(Unplanned::Short(short)) => prop_assert!(!short.is_empty()),
            Err(Unplanned::Scattered) => prop_assert!(false, "so few parts are not scattered"),
        }
    }

    /// Whatever is there, to the last unit, can be had, and not one more.
    #[test]
    fn all_that_is_not_kept_can_be_had(
        (levels, places) in a_shop(), floor in a_floor(), order in any::<u32>(),
    ) {
        let at_place = |place| (levels.sum(&sku("TEA"), place) + i64::from(floor.beyond) - i64::from(floor.kept)).max(0);
        let known = places.iter().filter(|place| !levels.parts(&sku("TEA"), place).is_empty());
        let all = u32::try_from(known.map(at_place).sum::<i64>()).unwrap();
        let line = |quantity| [Wanted { floor, ..wanted("TEA", quantity) }];
        if all > 0 {
            prop_assert!(plan(&order.to_string(), &places, &line(all), &levels).is_ok());
        }
        let short = vec![Short { line: 0, available: i64::from(all) }];
        prop_assert_eq!(plan(&order.to_string(), &places, &line(all + 1), &levels), Err(Unplanned::Short(short)));
    }

    /// Orders that were planned on what was true a while ago keep together
    /// what each of them must keep.
    #[test]
    fn what_is_kept_is_kept_though_orders_do_not_see_one_another(
        first in a_level(4), floor in a_floor(), steps in prop::collection::vec(a_step(false), 1..60),
    ) {
        let mut past = vec![levels(&[("TEA", "a", &first)])];
        for step in steps {
            let mut now = past[past.len() - 1].clone();
            match step {
                Step::In { shard, units } => {
                    let there = now.parts(&sku("TEA"), &at("a"))[usize::from(shard)];
                    now.note(&sku("TEA"), &at("a"), shard, there + units);
                }
                Step::Insider { .. } => {}
                Step::Order { number, quantity, ago } => {
                    let read = &past[past.len().saturating_sub(ago + 1)];
                    let lines = [Wanted { floor, ..wanted("TEA", quantity) }];
                    let Ok(plans) = plan(&number.to_string(), &[at("a")], &lines, read) else { continue };
                    if commit(&takes(&lines, &plans), &mut now).is_ok() {
                        let least = i64::from(floor.kept) - i64::from(floor.beyond);
                        prop_assert!(now.sum(&sku("TEA"), &at("a")) >= least, "{now:?}");
                    }
                }
            }
            past.push(now);
        }
    }

    /// Those whom units are kept for may take them; nobody goes beyond what
    /// may be sold, and others take no unit that is kept when they read.
    #[test]
    fn nobody_goes_beyond_what_may_be_sold(
        first in a_level(4), floor in a_floor(), steps in prop::collection::vec(a_step(true), 1..60),
    ) {
        let mut now = levels(&[("TEA", "a", &first)]);
        for step in steps {
            let (number, quantity, floor) = match step {
                Step::In { shard, units } => {
                    let there = now.parts(&sku("TEA"), &at("a"))[usize::from(shard)];
                    now.note(&sku("TEA"), &at("a"), shard, there + units);
                    continue;
                }
                Step::Insider { number, quantity } => (number, quantity, Floor { kept: 0, ..floor }),
                Step::Order { number, quantity, .. } => (number, quantity, floor),
            };
            let lines = [Wanted { floor, ..wanted("TEA", quantity) }];
            if let Ok(plans) = plan(&number.to_string(), &[at("a")], &lines, &now) {
                prop_assert_eq!(commit(&takes(&lines, &plans), &mut now), Ok(()));
                let least = i64::from(floor.kept) - i64::from(floor.beyond);
                prop_assert!(now.sum(&sku("TEA"), &at("a")) >= least, "{now:?}");
            }
        }
    }
}
