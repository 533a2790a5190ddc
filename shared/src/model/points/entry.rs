//! Movements of points.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::{AdjustmentId, EntryId, GiftId, HoldId, LinkId, OrderId, RedemptionId, TicketId},
    text::Text,
    time::Timestamp,
};

use super::{LedgerError, LotPart, MAX_POINTS};

/// The accounts between which points move. The first three are the member's,
/// the others the programme's, from this member's side.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Earned, and not yet to be spent.
    Pending,
    /// To be spent. What is held is still here: see [`super::Ledger::holds`].
    Available,
    /// Owed, because points of cancelled or returned goods were spent. Never
    /// positive.
    Debt,
    /// What the programme gave out. Never positive.
    Issued,
    /// What came back for goods and rewards.
    Spent,
    /// What ran out.
    Expired,
    /// What went to other members (positive) or came from them.
    Gifted,
    /// What was taken back: of goods that were called off or returned, and by operators.
    Cancelled,
    /// What went to another account of the same person (positive) or came from it.
    Linked,
}

impl Account {
    /// Every account.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Available,
        Self::Debt,
        Self::Issued,
        Self::Spent,
        Self::Expired,
        Self::Gifted,
        Self::Cancelled,
        Self::Linked,
    ];

    /// Whether it is the member's, not the programme's.
    #[must_use]
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Pending | Self::Available | Self::Debt)
    }
}

/// One side of a movement: so many points into an account, or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// Positive in, negative out, never zero.
    pub points: i64,
}

/// What a movement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// An order was paid, or goods were bought in a store.
    OrderPaid(OrderId),
    /// Points paid for an order, or a part of it.
    OrderPoints(OrderId),
    /// A paid order was called off, or units of it: what they earned is taken back.
    OrderCancelled(OrderId),
    /// A paid order was called off, or units of it: the points that paid for
    /// them come back.
    PointsReturned(OrderId),
    /// An apology: money for the order came too late, and the goods were gone.
    Apology(OrderId),
    /// An apology: the order was delivered late, damaged or not at all.
    DeliveryApology(OrderId),
    /// Something that a member was unhappy about, and that is made good.
    MadeGood(TicketId),
    /// The return window of an order's goods ended.
    ReturnWindowEnded(OrderId),
    /// A lot reached the end of its life, at this moment.
    LotExpired(Timestamp),
    /// Lots last longer: the member did something at this moment.
    Extended(Timestamp),
    /// The member did something that earns: the rule, and what was done, in
    /// words that tell one such deed from another.
    Action {
        /// Which rule of the policy.
        rule: Text<40>,
        /// Which deed.
        reference: Text<80>,
    },
    /// The member reached something: the milestone of the policy.
    Milestone(Text<40>),
    /// A campaign gave points: which one, and which draw of the member.
    Campaign {
        /// Which campaign of the policy.
        campaign: Text<40>,
        /// Which draw.
        reference: Text<80>,
    },
    /// A contest was won: the contest of the policy.
    Prize(Text<40>),
    /// A reward was taken.
    Redeemed(RedemptionId),
    /// A reward was called off or given back.
    RedemptionReturned(RedemptionId),
    /// Points were given to another member.
    GiftSent(GiftId),
    /// Points came from another member.
    GiftReceived(GiftId),
    /// An operator gave or took points.
    Adjusted(AdjustmentId),
    /// Points paid in a store.
    TillSpent(HoldId),
    /// Points that had paid in a store came back.
    TillReturned(HoldId),
    /// Points went to the other account of the same person, or came from it.
    Linked(LinkId),
}

/// For what a member is given points as an apology, each once an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apology {
    /// Money came too late, and the goods were gone.
    LatePayment,
    /// A bad delivery.
    Delivery,
}

/// A movement of points. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Derived from the member, the cause and the rule.
    pub id: EntryId,
    /// Whose points.
    pub customer: CustomerId,
    /// When it takes effect. Of what an order earned and spent, when it was
    /// paid, so that these entries are found by their order.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// The policy rule that says so.
    pub rule: String,
    /// The version of the policy.
    pub policy: String,
    /// Two or more, summing to zero; none of an order that earned nothing, but
    /// counts towards a tier.
    pub postings: Vec<Posting>,
    /// Of an earning: what each line of the order earned.
    pub lines: Vec<i64>,
    /// Of an earning: which rules gave what, as [`crate::model::programme`]
    /// names them; why others did not is told from the order and this.
    pub gave: Vec<(String, i64)>,
    /// What it took from which lots and added to which. They sum to what it
    /// moves into the account of available points.
    pub lots: Vec<LotPart>,
}

impl Entry {
    /// How many points it moves: what goes into accounts, which is what comes
    /// out of others.
    #[must_use]
    pub fn moved(&self) -> i64 {
        self.postings.iter().map(|posting| posting.points.max(0)).sum()
    }

    /// What it moves into an account; out of it, if it is negative.
    #[must_use]
    pub fn into(&self, account: Account) -> i64 {
        let of = self.postings.iter().filter(|posting| posting.account == account);
        of.map(|posting| posting.points).sum()
    }
}

/// Adds postings to balances.
///
/// # Errors
/// [`LedgerError::Unbalanced`] when the postings do not sum to zero,
/// [`LedgerError::TooMany`] when a balance would leave plus or minus
/// [`MAX_POINTS`].
pub fn apply(
    balances: &mut BTreeMap<Account, i64>,
    postings: &[Posting],
) -> Result<(), LedgerError> {
    let sum: i128 = postings.iter().map(|posting| i128::from(posting.points)).sum();
    if postings.len() == 1 || sum != 0 {
        return Err(LedgerError::Unbalanced);
    }
    for posting in postings {
        let balance = balances.entry(posting.account).or_insert(0);
        let sum = balance.checked_add(posting.points).ok_or(LedgerError::TooMany)?;
        if sum.unsigned_abs() > MAX_POINTS.unsigned_abs() {
            return Err(LedgerError::TooMany);
        }
        *balance = sum;
    }
    Ok(())
}
