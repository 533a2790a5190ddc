//! What a member is to be told of, besides the movements themselves.

use aftercart::{
    messages::{
        AccountsLinked, ContestWon, Message, MilestoneReached, PointsExpiring, TierNews,
        TierWarning,
    },
    model::{customer::CustomerId, id::LinkId, points::Tier, text::Text, time::Timestamp},
};

/// News of a member's points and tier. Each is told with the change of the
/// ledger that makes it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Points end soon.
    Expiring {
        /// How many end within these days.
        points: i64,
        /// When the first of them end.
        ends_at: Timestamp,
        /// Within how many days.
        days: u16,
    },
    /// The tier is another one; none is the lowest.
    TierChanged {
        /// The tier before.
        from: Option<Tier>,
        /// The tier now.
        to: Option<Tier>,
    },
    /// The tier will be lost unless more is done.
    TierWarning {
        /// Which tier.
        tier: Tier,
        /// When.
        until: Timestamp,
        /// So many days before this is.
        days: u16,
    },
    /// Something was reached that gives points.
    Milestone {
        /// Which milestone of the policy.
        id: Text<40>,
        /// How many points it gave.
        points: i64,
    },
    /// A contest was won.
    Won {
        /// Which contest of the policy.
        contest: Text<40>,
        /// On which rank.
        rank: u32,
        /// How many points it gave.
        points: i64,
    },
    /// Two accounts are one from now on.
    AccountsLinked {
        /// By which link.
        link: LinkId,
        /// The account that has the points.
        main: CustomerId,
        /// The account from which they flow.
        other: CustomerId,
        /// Until when the member undoes it alone.
        undo_until: Timestamp,
    },
}

impl News {
    /// The message that tells the member.
    #[must_use]
    pub fn message(&self, customer: &CustomerId) -> Message {
        // Whoever lets it out adds the link.
        let (customer, unsubscribe) = (customer.clone(), None);
        match self.clone() {
            Self::Expiring { points, ends_at, days } => {
                let it = PointsExpiring { customer, points, ends_at, days, unsubscribe };
                Message::PointsExpiring(it)
            }
            Self::TierChanged { from, to } => {
                Message::TierNews(TierNews { customer, before: from, tier: to, unsubscribe })
            }
            Self::TierWarning { tier, until, days } => {
                Message::TierWarning(TierWarning { customer, tier, until, days, unsubscribe })
            }
            Self::Milestone { id, points } => {
                let reached = MilestoneReached { customer, milestone: id, points, unsubscribe };
                Message::MilestoneReached(reached)
            }
            Self::Won { contest, rank, points } => {
                Message::ContestWon(ContestWon { customer, contest, rank, points, unsubscribe })
            }
            Self::AccountsLinked { link, main, other, undo_until } => {
                let linked = AccountsLinked { link, customer, main, other, undo_until };
                Message::AccountsLinked(linked)
            }
        }
    }
}
