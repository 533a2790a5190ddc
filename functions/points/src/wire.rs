//! What clients get.

use aftercart::{
    model::{
        id::{EntryId, OrderId},
        points::{Account, Cause, Entry, Ledger, Lot, PendingLot, Posting},
        time::Timestamp,
    },
    store::{Page, PageToken},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A member's points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointsView {
    /// How many there are.
    pub balances: BalancesView,
    /// What may be spent, by when it ends: the next to end first.
    pub lots: Vec<LotView>,
    /// What was earned and may not be spent yet, oldest order first.
    pub pending_lots: Vec<PendingLotView>,
    /// A page of movements, latest first.
    pub movements: Vec<MovementView>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Points by where they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalancesView {
    /// Earned, and not yet to be spent.
    pub pending: i64,
    /// To be spent; what is held is in it.
    pub available: i64,
    /// Held for orders that are not paid.
    pub held: i64,
    /// What may be spent: available and not held.
    pub spendable: i64,
    /// Owed, as a positive number; what is earned next repays it first.
    pub debt: i64,
}

/// Points that end together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LotView {
    /// How many.
    pub points: i64,
    /// When they end.
    pub expires_at: Timestamp,
}

/// Points of an order that are not yet to be spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PendingLotView {
    /// Which order earned them.
    pub order: OrderId,
    /// How many.
    pub points: i64,
    /// When they become available; missing until the parcel has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures_at: Option<Timestamp>,
}

/// A movement of points and why it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MovementView {
    /// Its identity.
    pub id: EntryId,
    /// When it took effect.
    pub at: Timestamp,
    /// What it was, for programs.
    pub kind: PointsMovementKind,
    /// What it was, in words.
    pub what: String,
    /// The order that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// What it did to the member's accounts.
    pub changes: Vec<ChangeView>,
    /// The policy rule that said so.
    pub rule: String,
    /// The version of the policy.
    pub policy: String,
}

/// The kinds of movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointsMovementKind {
    /// Points were earned by an order; they are pending.
    Earned,
    /// Points paid for an order, or a part of it.
    Spent,
    /// What cancelled or refunded goods had earned was taken back.
    TakenBack,
    /// Points that had paid for cancelled or refunded goods came back.
    Returned,
    /// Points were given as an apology.
    Apology,
    /// Pending points became available.
    Matured,
    /// Points reached the end of their life.
    Expired,
}

/// So many points into an account of the member (positive) or out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeView {
    /// Which account.
    pub account: Account,
    /// How many.
    pub points: i64,
}

impl PointsView {
    /// What the member sees of a ledger and a page of its entries.
    #[must_use]
    pub fn of(ledger: &Ledger, page: &Page<Entry>) -> Self {
        Self {
            balances: BalancesView {
                pending: ledger.balance(Account::Pending),
                available: ledger.balance(Account::Available),
                held: ledger.held(),
                spendable: ledger.spendable(),
                debt: -ledger.balance(Account::Debt),
            },
            lots: ledger.lots.iter().map(LotView::from).collect(),
            pending_lots: ledger.pending.iter().map(PendingLotView::from).collect(),
            movements: page.items.iter().map(MovementView::from).collect(),
            next_cursor: page.next.as_ref().map(PageToken::encode),
        }
    }
}

impl From<&Lot> for LotView {
    fn from(lot: &Lot) -> Self {
        Self { points: lot.points, expires_at: lot.expires_at }
    }
}

impl From<&PendingLot> for PendingLotView {
    fn from(lot: &PendingLot) -> Self {
        Self { order: lot.order.clone(), points: lot.points, matures_at: lot.matures_at }
    }
}

impl From<&Entry> for MovementView {
    fn from(entry: &Entry) -> Self {
        let (kind, what, order) = match &entry.cause {
            Cause::OrderPaid(order) => {
                (PointsMovementKind::Earned, format!("Earned with order {order}"), Some(order))
            }
            Cause::OrderPoints(order) => {
                (PointsMovementKind::Spent, format!("Paid for order {order}"), Some(order))
            }
            Cause::OrderCancelled(order) => {
                let what = format!("Taken back: goods of order {order} were cancelled or refunded");
                (PointsMovementKind::TakenBack, what, Some(order))
            }
            Cause::PointsReturned(order) => {
                let what =
                    format!("Back: they had paid for cancelled or refunded goods of order {order}");
                (PointsMovementKind::Returned, what, Some(order))
            }
            Cause::Apology(order) => {
                let what = format!("Sorry: the goods of order {order} were gone when it was paid");
                (PointsMovementKind::Apology, what, Some(order))
            }
            Cause::DeliveryApology(order) => {
                let what = format!("Sorry: the delivery of order {order} was not as promised");
                (PointsMovementKind::Apology, what, Some(order))
            }
            Cause::ReturnWindowEnded(order) => {
                let what = format!("Available: the return window of order {order} ended");
                (PointsMovementKind::Matured, what, Some(order))
            }
            Cause::LotExpired(_) => {
                (PointsMovementKind::Expired, "Expired: not spent in time".to_owned(), None)
            }
        };
        Self {
            id: entry.id.clone(),
            at: entry.at,
            kind,
            what,
            order: order.cloned(),
            changes: entry.postings.iter().filter_map(change).collect(),
            rule: entry.rule.clone(),
            policy: entry.policy.clone(),
        }
    }
}

/// The member's side of a posting; the programme's accounts are not shown.
fn change(posting: &Posting) -> Option<ChangeView> {
    match posting.account {
        Account::Pending | Account::Available | Account::Debt => {
            Some(ChangeView { account: posting.account, points: posting.points })
        }
        Account::Issued | Account::Spent | Account::Expired => None,
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{customer::CustomerId, points::Authority, time::Period};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_sees_the_own_side_of_every_movement() {
        let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let (rule, policy) = ("r", "1");
        let order = OrderId::derive(&["1"]);
        let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
        let authority = Authority { rule, policy };
        let earned = ledger.earn(&order, &[3, 4], at, authority).unwrap();
        ledger.start_clock(&order, at);
        let later = |at: Timestamp| at.plus(Period::of_days(1));
        let matured = ledger.mature_one(at, authority, later).unwrap().unwrap();
        let lots = PointsView::of(&ledger, &Page { items: Vec::new(), next: None }).lots;
        let expired = ledger.expire_one(later(at), authority).unwrap().unwrap();
        let page = Page { items: vec![expired, matured, earned], next: None };
        let view = json!(PointsView::of(&ledger, &page));
        assert_eq!(
            view["balances"],
            json!({ "pending": 0, "available": 0, "held": 0, "spendable": 0, "debt": 0 })
        );
        assert_eq!(json!(lots), json!([{ "points": 7, "expires_at": later(at) }]));
        let changes: Vec<_> =
            [0, 1, 2].map(|n| view["movements"][n]["changes"].clone()).into_iter().collect();
        assert_eq!(
            changes,
            [
                json!([{ "account": "available", "points": -7 }]),
                json!([
                    { "account": "pending", "points": -7 },
                    { "account": "available", "points": 7 },
                ]),
                json!([{ "account": "pending", "points": 7 }]),
            ]
        );
        assert_eq!(view["movements"][2]["what"], format!("Earned with order {order}"));
        assert_eq!(view["movements"][0].get("order"), None);
    }
}
