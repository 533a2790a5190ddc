//! Years of a points programme, with every nightly job, audited each year.

use aftercart::model::points::{Account, MAX_LOTS};
use aftercart_infra::years::{self, Options, Report};

fn played(members: u32, years: u32, seed: u64) -> Report {
    years::run(Options { members, years, seed, progress: false }).unwrap()
}

/// The run ends early at the first ledger that is not its entries, at the first
/// entry that is written twice, and at the first repetition that changes anything.
#[test]
fn ten_years_of_a_thousand_members_are_clean_each_year() {
    let report = played(1_000, 10, 1);
    println!("{report}");
    assert_eq!(report.years.len(), 10);
    let last = &report.years[9];
    let balance = |account| last.balances.iter().find(|it| it.0 == account).unwrap().1;
    for account in [Account::Pending, Account::Available, Account::Spent, Account::Expired] {
        assert!(balance(account) > 0, "{account:?}");
    }
    assert!(balance(Account::Cancelled) > 0 && balance(Account::Issued) < 0);
    assert!(last.orders > 10_000 && last.refunds > 1_000 && last.news > 1_000, "{last:?}");
    assert!(last.tiers.iter().all(|members| *members > 0), "{last:?}");
    assert!(last.lots <= MAX_LOTS);
}

#[test]
fn the_same_seed_is_the_same_years_and_another_one_is_clean_too() {
    let years = played(40, 3, 7).years;
    assert_eq!(years, played(40, 3, 7).years);
    assert_ne!(years, played(40, 3, 8).years);
}
