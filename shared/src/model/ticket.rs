//! Tickets: what a customer is unhappy about, who sees to it until when, and
//! what was done.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{CustomerId, Email, Language},
    id::{InviteId, OrderId, PaymentId, RefundId, ShipmentId, TicketId, VoucherId},
    is_default,
    money::Money,
    order::Actor,
    price::RuleId,
    product::Sku,
    shipment::Tracking,
    survey::TouchpointId,
    text::{Text, is_plain, names},
    time::{Period, Timestamp},
};

names! {
    /// The code of a root cause: 1 to 40 of `a-z 0-9 -`.
    CauseCode(40, is_plain);
    /// Why a text is no code of a cause.
    CauseCodeError = "the code of a cause is 1 to 40 characters of a-z, 0-9 and -";
}

names! {
    /// The name of a queue of tickets, and of those who see to it: 1 to 40 of `a-z 0-9 -`.
    DeskId(40, is_plain);
    /// Why a text is no name of a desk.
    DeskIdError = "the name of a desk is 1 to 40 characters of a-z, 0-9 and -";
}

/// The longest message of a customer or of the shop.
pub const MAX_MESSAGE: usize = 2_000;

/// The most entries of a ticket: an exchange of letters that gets longer is
/// held on the telephone, and noted.
pub const MAX_ENTRIES: u16 = 200;

/// The most things that are done about one ticket.
pub const MAX_REMEDIES: usize = 20;

/// What a ticket is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Late, lost, left at the wrong door.
    Delivery,
    /// The box.
    Packaging,
    /// What was sold.
    Product,
    /// What it costs.
    Price,
    /// How it was paid, and money that is to come back.
    Payment,
    /// Sending goods back.
    Returns,
    /// How people of the shop answered.
    Service,
    /// The site or the app.
    Site,
    /// Points and membership.
    Points,
    /// Anything else.
    Other,
}

/// How soon somebody sees to it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Somebody may be hurt or robbed.
    Urgent,
    /// Before others.
    High,
    /// In turn.
    Normal,
    /// When there is time.
    Low,
}

/// Where a ticket came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// An answer to a survey.
    Survey {
        /// Which.
        invite: InviteId,
        /// Of which touchpoint.
        touchpoint: TouchpointId,
    },
    /// The customer's app or account.
    Api,
    /// The page for complaints.
    Page,
    /// Somebody of the merchant took it down: telephone, chat, counter.
    Operator,
}

/// Where a ticket stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// The shop is to act.
    Open,
    /// The customer is to say something.
    Waiting,
    /// Solved, as the shop sees it.
    Solved,
}

/// What is done for the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RemedyKind {
    /// Points, of a member only.
    Points {
        /// How many.
        points: u32,
    },
    /// A voucher of a price rule, of a member only.
    Coupon {
        /// Of which rule.
        rule: RuleId,
        /// For how long it is good; without an end if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Period>,
    },
    /// Money of the order, in all: as a refund by an operator says it.
    Refund {
        /// For so many units of which lines.
        #[serde(default, skip_serializing_if = "is_default")]
        lines: BTreeMap<Sku, u32>,
        /// For the delivery.
        #[serde(default, skip_serializing_if = "is_default")]
        delivery: bool,
        /// Beyond goods and delivery.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goodwill: Option<Money>,
    },
    /// The goods of a shipment again.
    Reship {
        /// Of which one.
        shipment: ShipmentId,
    },
    /// Somebody calls.
    CallBack {
        /// Which number; that of the order's address if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Text<32>>,
    },
}

/// What became of a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Another part of the shop is at it.
    Asked,
    /// It is done.
    Done {
        /// Since when.
        at: Timestamp,
        /// What it made: a voucher, a refund, a shipment, an entry.
        reference: Option<Text<80>>,
    },
    /// It cannot be done.
    Refused {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: Text<200>,
    },
}

/// Something that is done for the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What tells it from others of the ticket: the key of the call.
    pub key: Text<128>,
    /// What.
    pub kind: RemedyKind,
    /// By whom.
    pub by: Actor,
    /// When it was asked for.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a ticket is linked to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The order.
    pub order: Option<OrderId>,
    /// The shipment.
    pub shipment: Option<ShipmentId>,
    /// The parcel.
    pub parcel: Option<Tracking>,
    /// The payments.
    pub payments: Vec<PaymentId>,
    /// What goes back, or went.
    pub refunds: Vec<RefundId>,
    /// Vouchers that were given.
    pub vouchers: Vec<VoucherId>,
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Derived from what it came from.
    pub id: TicketId,
    /// Where it came from.
    pub source: Source,
    /// Whose it is.
    pub customer: CustomerId,
    /// Where answers go.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// The customer's tier when it was opened.
    pub tier: Option<Text<40>>,
    /// What it is linked to.
    pub links: Links,
    /// What it is about.
    pub topic: Topic,
    /// How soon somebody sees to it.
    pub priority: Priority,
    /// The alarming words that were found in what the customer wrote, by kind.
    pub alarms: Vec<Text<40>>,
    /// Who sees to it.
    pub desk: DeskId,
    /// Who of them, by the subject of the token.
    pub assignee: Option<Text<128>>,
    /// Where it stands.
    pub status: TicketStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the clock of its deadlines began: when it was opened, or opened
    /// again, and so much time of service later as it waited for the customer.
    pub clock_from: Timestamp,
    /// Since when it waits for the customer, if it does.
    pub waiting_since: Option<Timestamp>,
    /// When the customer has to have an answer.
    pub answer_by: Timestamp,
    /// When it has to be solved.
    pub solve_by: Timestamp,
    /// When the customer had the first answer since it was opened, or opened
    /// again.
    pub answered_at: Option<Timestamp>,
    /// When it was last solved.
    pub solved_at: Option<Timestamp>,
    /// Why it came to it, by a code of the policy.
    pub cause: Option<CauseCode>,
    /// How often it was opened again.
    pub reopened: u16,
    /// How often somebody was reminded, and of whom it was taken, since the clock runs.
    pub reminders: u16,
    /// What was done about it.
    pub remedies: Vec<Remedy>,
    /// How satisfied the customer was afterwards, 1 to 5.
    pub satisfaction: Option<u8>,
    /// How many entries it has.
    pub entries: u16,
    /// When somebody has to look at it next, if nothing happens.
    pub due: Option<Timestamp>,
    /// What is counted of it, besides what is said above.
    pub counted: Counted,
    /// How often it changed.
    pub version: u64,
}

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    /// The customer.
    Customer,
    /// Somebody of the merchant.
    Operator(Text<128>),
    /// The suite.
    Suite,
}

/// What was written or done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketEntry {
    /// Of which ticket.
    pub ticket: TicketId,
    /// Its number, from 1.
    pub number: u16,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Writer,
    /// What was done; nothing but words if there is nothing here.
    pub event: Option<TicketEvent>,
    /// What was written, personal data masked.
    pub text: Option<Text<MAX_MESSAGE>>,
    /// Whether the customer does not see it.
    pub internal: bool,
    /// What tells the call that wrote it from others: a digest of its key, and
    /// of what it said. None where the state of the ticket tells.
    pub request: Option<(Text<40>, Text<40>)>,
}

/// What happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TicketEvent {
    /// It was opened.
    Opened,
    /// It went to another desk or person.
    Assigned {
        /// Which desk.
        desk: DeskId,
        /// Who of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<Text<128>>,
    },
    /// Its priority changed.
    Prioritised {
        /// To what.
        priority: Priority,
    },
    /// Somebody was reminded, because the time runs out.
    Reminded,
    /// It went up, because the time ran out.
    Escalated {
        /// To which desk.
        desk: DeskId,
    },
    /// Something was done for the customer.
    Remedied {
        /// What.
        remedy: RemedyKind,
    },
    /// It was solved.
    Solved {
        /// Why it came to it.
        cause: CauseCode,
    },
    /// Somebody said of the solved ticket why it came to it.
    Explained {
        /// Why.
        cause: CauseCode,
    },
    /// It was closed, because the customer said nothing any more.
    Closed,
    /// The customer was not satisfied, or wrote again; or what was promised
    /// cannot be done.
    Reopened,
    /// The customer said that it is solved.
    Confirmed,
    /// The customer said how satisfied they are, 1 to 5.
    Judged {
        /// How.
        score: u8,
    },
}

/// What is counted of a ticket for reports, and under what. It is counted under
/// the desk and the priority that it was opened with, wherever it went later,
/// so that all numbers of a line are of the same tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The desk that it was opened at.
    pub desk: DeskId,
    /// The priority that it was opened with.
    pub priority: Priority,
    /// How long it took until the customer had the first answer that there ever
    /// was.
    pub answered: Option<Took>,
    /// How long it took until it was solved for the first time.
    pub solved: Option<Took>,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// In seconds since the ticket was opened, of the clock on the wall: what
    /// the customer waited.
    pub seconds: i64,
    /// Whether that was by when it had to be.
    pub in_time: bool,
}

/// How long something took, of many: how many there are in each class of
/// lengths. A class is an eighth of a power of two wide, so a length is known
/// to an eighth of itself however many are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many by class.
    pub classes: BTreeMap<u16, u32>,
    /// How many of them came in time.
    pub in_time: u32,
}

/// The classes of a power of two.
const CLASSES: u32 = 8;

impl Spread {
    /// The class of a length in seconds.
    #[must_use]
    pub fn class(seconds: i64) -> u16 {
        let seconds = u32::try_from(seconds.max(0)).unwrap_or(u32::MAX);
        let power = seconds.max(1).ilog2();
        let class = match power.checked_sub(CLASSES.ilog2()) {
            // Shorter than eight seconds: a class a second.
            None => seconds,
            Some(shift) => shift * CLASSES + (seconds >> shift),
        };
        u16::try_from(class).unwrap_or(u16::MAX)
    }

    /// The longest length of a class, in seconds.
    #[must_use]
    pub fn longest(class: u16) -> i64 {
        let (class, classes) = (i64::from(class), i64::from(CLASSES));
        if class < 2 * classes {
            return class;
        }
        let shift = (class / classes - 1).min(31);
        ((class - shift * classes + 1) << shift) - 1
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.classes.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The length that so many of a hundred did not exceed, in seconds: the
    /// longest one of its class (nearest rank). None if there are none.
    #[must_use]
    pub fn percentile(&self, percent: u32) -> Option<i64> {
        let rank = (u64::from(self.count()) * u64::from(percent.min(100))).div_ceil(100).max(1);
        let mut seen = 0_u64;
        self.classes.iter().find_map(|(class, count)| {
            seen += u64::from(*count);
            (seen >= rank).then(|| Self::longest(*class))
        })
    }
}

/// What is counted of the tickets that were opened in a month, of one column of
/// a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketCounts {
    /// How many were opened.
    pub opened: u32,
    /// How long it took until the customer had an answer.
    pub answered: Spread,
    /// How long it took until they were solved for the first time.
    pub solved: Spread,
    /// How many were opened again.
    pub reopened: u32,
    /// How many customers said how satisfied they are, by what they said.
    pub scores: BTreeMap<u8, u32>,
}

impl Ticket {
    /// By when the shop has to do what comes next: answer, then solve.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        if self.answered_at.is_none() { self.answer_by.min(self.solve_by) } else { self.solve_by }
    }

    /// The next entry, numbered and counted; it is stored with the ticket.
    #[must_use]
    pub fn entry(&mut self, at: Timestamp, by: Writer, event: Option<TicketEvent>) -> TicketEntry {
        self.entries = self.entries.saturating_add(1);
        TicketEntry {
            ticket: self.id.clone(),
            number: self.entries,
            at,
            by,
            event,
            text: None,
            internal: false,
            request: None,
        }
    }

    /// The remedy of a key.
    #[must_use]
    pub fn remedy(&self, key: &str) -> Option<&Remedy> {
        self.remedies.iter().find(|it| it.key.as_str() == key)
    }

    /// The ticket when it is known what became of a remedy. None if there is no
    /// such remedy, or that is known already.
    #[must_use]
    pub fn settle(&self, key: &str, outcome: Outcome) -> Option<Self> {
        let mut ticket = self.clone();
        let remedy = ticket.remedies.iter_mut().find(|it| it.key.as_str() == key)?;
        if remedy.outcome != Outcome::Asked {
            return None;
        }
        remedy.outcome = outcome;
        Some(ticket)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_class_tells_a_length_to_an_eighth_of_it(
            seconds in 0_i64..i64::from(u32::MAX / 2),
            longer in 0_i64..100_000,
        ) {
            let class = Spread::class(seconds);
            let longest = Spread::longest(class);
            prop_assert!(longest >= seconds);
            prop_assert!(longest - seconds <= seconds / 8);
            prop_assert_eq!(Spread::class(longest), class);
            prop_assert!(Spread::class(seconds.saturating_add(longer)) >= class);
            prop_assert_eq!(Spread::class(longest + 1), class + 1);
        }
    }

    #[test]
    fn a_percentile_is_what_so_many_did_not_exceed() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(50), None);
        for seconds in [60, 60, 60, 3_600] {
            *spread.classes.entry(Spread::class(seconds)).or_default() += 1;
        }
        let of = |seconds| Some(Spread::longest(Spread::class(seconds)));
        assert_eq!(spread.percentile(0), of(60));
        assert_eq!(spread.percentile(75), of(60));
        assert_eq!(spread.percentile(76), of(3_600));
        assert_eq!(spread.count(), 4);
    }
}
