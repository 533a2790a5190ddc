//! The replay of a purchase log: of a small one always, of a real one when
//! `AFTERCART_REPLAY` names it.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use aftercart_infra::replay::{self, Options, PointsByState, ReplayError};

/// Two purchases of one customer on one day, one for nothing, one long before
/// the others, lines that end in CR LF, and two that are no purchases.
const EXCERPT: &str = "\
 00004 0001 19970101  2   29.33\r
 00004 0001 19970101  1    0.00\r
 00021 0002 19980302  3   63.34\r
 00021 0002 19980302  x   63.34\r
 00050 0003 19980310  1    6.79\r
nothing\r
 00004 0001 19980331  1   14.99\r
";

fn file(name: &str, text: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("aftercart-{}-{name}", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

fn options(strict: bool) -> Options {
    Options { strict, progress: false, threads: 2 }
}

#[test]
fn an_excerpt_agrees_with_itself() {
    let report = replay::run(&file("excerpt", EXCERPT), options(false)).unwrap();
    assert!(report.agrees(), "{report}");
    let kept = &report.kept;
    assert_eq!((kept.orders, kept.free_orders, report.expected.customers), (5, 1, 3));
    assert_eq!(kept.revenue_cents, 2933 + 6334 + 679 + 1499);
    // 29 points came on 1997-01-18 and ran out with January 1998; 63 came on
    // 1998-03-19; 6 would on 1998-03-27; 14 wait.
    assert_eq!(kept.points, PointsByState { pending: 14, available: 69, expired: 29 });
    assert_eq!(confirm(EXCERPT, &kept.balances), 3);
    assert_eq!((kept.parcels_delivered, kept.parcels_on_way), (4, 1));
    assert_eq!((kept.surveys_sent, kept.surveys_suppressed), (3, 1));
    let lines: Vec<usize> = report.malformed.iter().map(|malformed| malformed.line).collect();
    assert_eq!(lines, [4, 6]);
    let text = report.to_string();
    assert!(text.contains("line 4 was skipped: `x` is no number of units"), "{text}");
    assert!(text.contains("Suite and log agree."), "{text}");
}

#[test]
fn strict_refuses_what_is_malformed_and_an_empty_file_is_none() {
    let refused = replay::run(&file("strict", EXCERPT), options(true)).unwrap_err();
    assert!(matches!(&refused, ReplayError::Malformed(lines) if lines.len() == 2), "{refused}");
    assert_eq!(
        refused.to_string(),
        "the file has 2 malformed lines; the first is line 4: `x` is no number of units"
    );
    for (name, text) in [("empty", ""), ("header", "customer,date,amount\n")] {
        let error = replay::run(&file(name, text), options(false)).unwrap_err();
        assert!(matches!(error, ReplayError::Empty), "{error}");
    }
    let missing = env::temp_dir().join("aftercart-no-such-file");
    assert!(matches!(replay::run(&missing, options(false)), Err(ReplayError::Unread(_))));
}

/// What every customer of a log has at the end by the default policy, worked
/// out from the text of the file with whole numbers only: no part of the suite
/// is asked, and no library of dates. A purchase of a day earns a point for
/// each full dollar; it is delivered on the fourth day at noon, and 14 days
/// later its points are there; they last to the end of the month that comes
/// twelve months later.
fn by_hand(text: &str) -> BTreeMap<String, PointsByState> {
    let days_of = |year: i64, month: i64| match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let later = |(mut year, mut month, mut day): (i64, i64, i64), days: i64| {
        day += days;
        while day > days_of(year, month) {
            day -= days_of(year, month);
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        (year, month, day)
    };
    let purchases: Vec<(String, (i64, i64, i64), i64)> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns.len() == 5 && columns[3].parse::<u32>().is_ok())
        .map(|columns| {
            let date: i64 = columns[2].parse().unwrap();
            let dollars: i64 = columns[4].split('.').next().unwrap().parse().unwrap();
            let date = (date / 10_000, date / 100 % 100, date % 100);
            (columns[0].to_owned(), date, dollars)
        })
        .collect();
    let end = later(purchases.iter().map(|it| it.1).max().unwrap(), 1);
    let mut balances: BTreeMap<String, PointsByState> = BTreeMap::new();
    for (customer, date, dollars) in purchases {
        let balance = balances.entry(customer).or_default();
        // At noon of the day: it is over by the end's midnight only if that is a later day.
        let (year, month, day) = later(date, 3 + 14);
        let ended = if month == 12 { (year + 2, 1, 1) } else { (year + 1, month + 1, 1) };
        if (year, month, day) >= end {
            balance.pending += dollars;
        } else if ended > end {
            balance.available += dollars;
        } else {
            balance.expired += dollars;
        }
    }
    balances
}

fn confirm(text: &str, kept: &BTreeMap<String, PointsByState>) -> usize {
    let by_hand = by_hand(text);
    for (customer, points) in &by_hand {
        let kept = kept.get(customer).copied().unwrap_or_default();
        assert_eq!(kept, *points, "customer {customer}");
    }
    assert!(kept.keys().all(|customer| by_hand.contains_key(customer)));
    by_hand.len()
}

#[test]
fn a_whole_log_agrees_with_itself() {
    let Some(path) = env::var_os("AFTERCART_REPLAY") else { return };
    let path = PathBuf::from(path);
    let report = replay::run(&path, Options::default()).unwrap();
    println!("{report}");
    assert!(report.agrees());
    let confirmed = confirm(&fs::read_to_string(path).unwrap(), &report.kept.balances);
    println!("The points of {confirmed} customers are those worked out by hand.");
}
