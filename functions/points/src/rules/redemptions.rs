//! What follows for the points of a reward that was taken, called off or given
//! back.

use aftercart::model::{
    points::{Account, Authority, Cause, Entry, Ledger, LedgerError, Movement},
    policy::Policy,
    reward::{Redemption, RewardKind},
    time::Timestamp,
    voucher::Voucher,
};

use super::{
    expiry,
    membership::{self, Deed},
    news::News,
    undo,
};

/// The name that entries of rewards give this rule.
pub const REWARD_RULE: &str = "reward";

/// What is true of a redemption and its points.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The redemption.
    pub redemption: &'a Redemption,
    /// The ledger that pays for it.
    pub ledger: &'a Ledger,
    /// The entry that spent its points, if it was posted.
    pub spent: Option<&'a Entry>,
    /// Whether its points came back.
    pub is_returned: bool,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The ledger.
    pub ledger: Ledger,
    /// The movements, in their order.
    pub entries: Vec<Entry>,
    /// What the member is told.
    pub news: Vec<News>,
    /// The redemption, if it changes.
    pub redemption: Option<Redemption>,
    /// The voucher that the member gets.
    pub voucher: Option<Voucher>,
}

/// Spends the points that are held for a redemption, gives up the hold if it
/// was undone before, or gives the points back if it was undone after: with
/// the ends that they had, but they last a while. None if nothing is to be done.
///
/// # Errors
/// [`LedgerError::TooMany`]; [`LedgerError::Inconsistent`] when the points are
/// neither held nor posted.
pub fn follow(facts: Facts<'_>, policy: &Policy) -> Result<Option<Followed>, LedgerError> {
    let Facts { redemption, ledger, .. } = facts;
    let holder = redemption.holder();
    match (&redemption.undone, redemption.posted) {
        (None, true) => Ok(None),
        (None, false) => capture(facts, policy).map(Some),
        (Some(_), false) => {
            let mut ledger = ledger.clone();
            let released = ledger.release(&holder);
            Ok(released.map(|_| Followed::of(ledger, Vec::new())))
        }
        (Some(_), true) if facts.is_returned => Ok(None),
        (Some(undoing), true) => give_back(facts, undoing.at, policy).map(Some),
    }
}

fn capture(facts: Facts<'_>, policy: &Policy) -> Result<Followed, LedgerError> {
    let Redemption { id, account, customer, points, taken_at: at, .. } = facts.redemption;
    let mut ledger = facts.ledger.clone();
    let holder = facts.redemption.holder();
    let movement = Movement {
        id: Ledger::spending(account, &holder),
        at: *at,
        cause: Cause::Redeemed(id.clone()),
        authority: authority(policy),
    };
    let entry = ledger.capture(movement, &holder, *points, Account::Spent)?;
    let entry = entry.ok_or(LedgerError::Inconsistent)?;
    let after = membership::after(&mut ledger, &Deed::Spent, *at, policy)?;
    let voucher = match (&facts.redemption.kind, facts.redemption.voucher()) {
        (RewardKind::Coupon { rule, valid }, Some(voucher)) => Some(Voucher {
            id: voucher,
            customer: customer.clone(),
            rule: rule.clone(),
            granted_at: *at,
            expires_at: valid.map(|valid| at.plus(valid)),
            used_by: None,
        }),
        _ => None,
    };
    Ok(Followed {
        news: after.news,
        redemption: Some(Redemption { posted: true, ..facts.redemption.clone() }),
        voucher,
        ..Followed::of(ledger, std::iter::once(entry).chain(after.entries).collect())
    })
}

fn give_back(facts: Facts<'_>, at: Timestamp, policy: &Policy) -> Result<Followed, LedgerError> {
    let spent = facts.spent.ok_or(LedgerError::Inconsistent)?;
    let lots = undo::returning(&spent.lots, 0, facts.redemption.points, |part| {
        expiry::returned(part, at, &policy.points)
    });
    let mut ledger = facts.ledger.clone();
    let movement = Movement {
        id: facts.redemption.returning(),
        at,
        cause: Cause::RedemptionReturned(facts.redemption.id.clone()),
        authority: authority(policy),
    };
    let entry = ledger.credit(movement, Account::Spent, lots)?;
    Ok(Followed::of(ledger, vec![entry]))
}

fn authority(policy: &Policy) -> Authority<'_> {
    Authority { rule: REWARD_RULE, policy: policy.version.as_str() }
}

impl Followed {
    fn of(ledger: Ledger, entries: Vec<Entry>) -> Self {
        Self { ledger, entries, news: Vec::new(), redemption: None, voucher: None }
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::RedemptionId,
        order::Actor,
        points::{Lot, audit::Rebuilt, total},
        reward::{RedemptionStatus, Reward, RewardId, Undoing},
        time::Period,
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn day(days: u16) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(days))
    }

    fn policy() -> Policy {
        Policy::default_document().unwrap()
    }

    fn ada() -> CustomerId {
        CustomerId::member("ada").unwrap()
    }

    /// A ledger with lots of these points, which end this many days later, and
    /// its entries.
    fn ledger(lots: &[(i64, u16)]) -> (Ledger, Vec<Entry>) {
        let mut ledger = Ledger::empty(ada());
        let mut entries = Vec::new();
        for (number, (points, ends)) in lots.iter().enumerate() {
            let movement = Movement {
                id: ledger.entry_id("given", &number.to_string(), ""),
                at: day(0),
                cause: Cause::Milestone("given".to_owned().try_into().unwrap()),
                authority: Authority { rule: "test", policy: "1" },
            };
            let lots = vec![Lot::new(*points, day(0), day(*ends))];
            entries.push(ledger.credit(movement, Account::Issued, lots).unwrap());
        }
        (ledger, entries)
    }

    fn redemption(kind: &Value, points: i64) -> Redemption {
        let terms = json!({ "title": { "en": "A mug" }, "kind": kind, "points": points });
        let reward: Reward = serde_json::from_value(terms).unwrap();
        Redemption {
            id: RedemptionId::derive(&[&points.to_string()]),
            account: ada(),
            customer: ada(),
            reward: RewardId::parse("mug").unwrap(),
            title: reward.title,
            kind: reward.kind,
            points: reward.points,
            of_units: false,
            of_member: false,
            order: None,
            address: None,
            taken_at: day(1),
            request: String::new(),
            posted: false,
            fulfilled: None,
            undone: None,
            version: 1,
        }
    }

    fn coupon() -> Value {
        json!({ "coupon": { "rule": "five-off", "valid": "30d" } })
    }

    /// Follows until nothing is to be done; the ledger, the redemption and all
    /// entries.
    fn settled(
        (mut ledger, mut entries): (Ledger, Vec<Entry>),
        mut redemption: Redemption,
    ) -> (Ledger, Redemption, Vec<Entry>) {
        for _ in 0..3 {
            let id = Ledger::spending(&ada(), &redemption.holder());
            let entry = |id| entries.iter().find(|it: &&Entry| it.id == id);
            let facts = Facts {
                redemption: &redemption,
                ledger: &ledger,
                spent: entry(id),
                is_returned: entry(redemption.returning()).is_some(),
            };
            let Some(followed) = follow(facts, &policy()).unwrap() else { break };
            entries.extend(followed.entries);
            (ledger, redemption) = (followed.ledger, followed.redemption.unwrap_or(redemption));
        }
        (ledger, redemption, entries)
    }

    fn held(lots: &[(i64, u16)], redemption: &Redemption) -> (Ledger, Vec<Entry>) {
        let (mut ledger, entries) = ledger(lots);
        ledger.hold(redemption.holder(), redemption.points, None).unwrap();
        (ledger, entries)
    }

    fn undone(redemption: Redemption, at: Timestamp) -> Redemption {
        Redemption { undone: Some(Undoing { at, by: Actor::Buyer }), ..redemption }
    }

    #[test]
    fn a_coupon_is_posted_once_and_becomes_a_voucher() {
        let coupon = redemption(&coupon(), 30);
        let (held, _) = held(&[(100, 400)], &coupon);
        let facts =
            |redemption, ledger| Facts { redemption, ledger, spent: None, is_returned: false };
        let followed = follow(facts(&coupon, &held), &policy()).unwrap().unwrap();
        let voucher = followed.voucher.unwrap();
        assert_eq!(Some(voucher.id.clone()), coupon.voucher());
        assert_eq!((voucher.rule.as_str(), voucher.expires_at), ("five-off", Some(day(31))));
        assert_eq!((followed.ledger.spendable(), followed.ledger.held()), (70, 0));
        let posted = followed.redemption.unwrap();
        assert!(posted.posted);
        assert_eq!(follow(facts(&posted, &followed.ledger), &policy()), Ok(None));
        let (none, _) = ledger(&[(100, 400)]);
        assert_eq!(follow(facts(&coupon, &none), &policy()), Err(LedgerError::Inconsistent));
    }

    #[test]
    fn what_is_undone_before_it_is_posted_leaves_no_trace() {
        let gift = redemption(&json!({ "gift": { "sku": "MUG" } }), 30);
        let start = held(&[(100, 400)], &gift);
        let (ledger, gift, entries) = settled(start.clone(), undone(gift, day(2)));
        assert_eq!((ledger.spendable(), entries), (100, start.1));
        assert_eq!((gift.status(), gift.posted), (RedemptionStatus::Cancelled, false));
    }

    #[test]
    fn points_come_back_with_their_ends_but_last_a_while() {
        let gift = redemption(&json!({ "gift": { "sku": "MUG" } }), 60);
        let lots = [(50, 10), (100, 4_000)];
        let (ledger, gift, entries) = settled(held(&lots, &gift), gift);
        let left: Vec<_> = ledger.lots.iter().map(|lot| (lot.points, lot.expires_at)).collect();
        assert_eq!(left, [(90, day(4_000))]);
        let (ledger, _, _) = settled((ledger, entries), undone(gift, day(20)));
        let ends: Vec<_> = ledger.lots.iter().map(|lot| lot.expires_at).collect();
        assert_eq!((total(&ledger.lots), ends.len()), (150, 2));
        assert!(ends[0] > day(20), "an end that is past would take them at once");
        assert_eq!(ends[1], day(4_000));
    }

    proptest! {
        #[test]
        fn an_undone_redemption_is_as_if_it_never_was(
            lots in prop::collection::vec((1_i64..1_000, 500_u16..5_000), 1..8),
            share in 1_i64..=100,
            posted_first in any::<bool>(),
        ) {
            let all: i64 = lots.iter().map(|(points, _)| points).sum();
            let gift = redemption(&json!("service"), (all * share / 100).max(1));
            let before = ledger(&lots).0;
            let mut start = held(&lots, &gift);
            let mut gift = gift;
            if posted_first {
                let (ledger, posted, entries) = settled(start, gift);
                (start, gift) = ((ledger, entries), posted);
            }
            let (after, _, entries) = settled(start, undone(gift, day(3)));
            prop_assert_eq!(after.check(), Ok(()));
            prop_assert_eq!(after.held(), 0);
            prop_assert_eq!(&after.lots, &before.lots);
            prop_assert_eq!(after.balance(Account::Spent), 0);
            let mut rebuilt = Rebuilt::default();
            for entry in &entries {
                rebuilt.add(entry).unwrap();
            }
            prop_assert_eq!(rebuilt.differences(&after), Vec::new());
        }
    }
}
