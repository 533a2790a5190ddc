//! Surveys: who is asked on which occasion, what, and what was answered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    answers::Counted,
    customer::{Country, CustomerId, Email, Language},
    id::{InviteId, OrderId, ShipmentId, TicketId},
    product::Sku,
    shipment::Carrier,
    stock::LocationId,
    text::Text,
    time::{Period, Timestamp},
};

mod checking;
mod touchpoint;

pub use touchpoint::{
    Audience, Channel, Choice, ChoiceId, Comparison, Kind, LEAST_ANSWERS, MAX_COMMENT, Occasion,
    Question, QuestionId, SurveysPolicy, Touchpoint, TouchpointId, Valuable, When, Wording,
};

/// What somebody thinks of a product.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Taste {
    /// Likes it.
    Like,
    /// Does not.
    Dislike,
}

/// What was answered to one question, in the form that its kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A number of the scale.
    Score(u8),
    /// The choices that were taken, in the order of the question.
    Choices(Vec<ChoiceId>),
    /// In the buyer's own words.
    Text(Text<MAX_COMMENT>),
    /// Of each product that was judged.
    Products(BTreeMap<Sku, Taste>),
}

/// For how long an answer may be corrected, from when it was first given.
pub const CORRECTABLE: Period = Period::of_days(1);

/// How many revisions of an answer there may be, the first one among them: each
/// is counted, read and noted on a ticket, and nobody needs more.
pub const MAX_REVISIONS: u32 = 10;

/// What a buyer answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// By question; those that were skipped are not there.
    pub given: BTreeMap<QuestionId, Given>,
    /// When it was first given: a correction is taken for a day from then.
    pub at: Timestamp,
    /// 1 as it was first given, one more with each correction.
    pub revision: u32,
    /// In which language the page was read.
    pub language: Language,
}

/// Why an invitation was not sent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The buyer was contacted as often as the policy allows.
    ContactBudget,
    /// The buyer does not want to be asked.
    NoConsent,
    /// Enough have answered this month.
    Quota,
    /// It came due only after its survey had closed.
    TooLate,
    /// The buyer kept nothing of the order: all of its goods were refunded.
    NothingKept,
    /// The ticket that was solved was opened again, and perhaps solved again,
    /// which is asked about by itself.
    Reopened,
    /// The order that was paid was called off.
    CalledOff,
    /// The buyer's tier is another one since, which is asked about by itself.
    Superseded,
    /// The policy contacts nobody for surveys.
    Off,
    /// The policy does not have its touchpoint, or no surveys, any more.
    Ended,
}

/// Where an invitation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteStatus {
    /// Waits for its time.
    Scheduled,
    /// On its way to the buyer.
    Sent {
        /// Since when.
        at: Timestamp,
        /// When the one reminder was sent.
        reminded_at: Option<Timestamp>,
    },
    /// Will not be sent.
    Suppressed {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: Suppression,
    },
    /// Answered.
    Answered {
        /// When the invitation was sent.
        sent_at: Timestamp,
        /// What was answered.
        answer: Answer,
    },
}

impl InviteStatus {
    /// Whether it may still be sent or suppressed.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        matches!(self, Self::Scheduled)
    }

    /// The answer, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

/// The most characters of a product's title in a survey: a line on a phone or two.
pub const MAX_TITLE: usize = 60;

/// A product that was delivered, as a page names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// What.
    pub sku: Sku,
    /// What buyers read.
    pub title: Text<MAX_TITLE>,
}

impl Delivered {
    /// The product with this title, or with as much of it as a survey shows;
    /// none without a title.
    #[must_use]
    pub fn named(sku: &Sku, title: &str) -> Option<Self> {
        let title = if title.chars().count() > MAX_TITLE {
            let start: String = title.chars().take(MAX_TITLE.saturating_sub(1)).collect();
            format!("{}…", start.trim_end())
        } else {
            title.to_owned()
        };
        Some(Self { sku: sku.clone(), title: Text::new(&title).ok()? })
    }
}

/// What an invitation is about, by which its answer is counted and its ticket
/// linked. Known when it is written, and kept: what changes later does not move
/// an answer from one column to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The order.
    pub order: Option<OrderId>,
    /// The shipment that arrived last.
    pub shipment: Option<ShipmentId>,
    /// The ticket that was solved.
    pub ticket: Option<TicketId>,
    /// Who carried it.
    pub carrier: Option<Carrier>,
    /// From where to where.
    pub lane: Option<(LocationId, Country)>,
    /// The buyer's tier.
    pub tier: Option<Text<40>>,
    /// The products.
    pub products: Vec<Sku>,
}

impl About {
    /// What of an answer is about what the invitation names. Who has the link
    /// may judge any product: what is said of others is nobody's.
    #[must_use]
    pub fn named(&self, given: &BTreeMap<QuestionId, Given>) -> BTreeMap<QuestionId, Given> {
        let kept = |given: &Given| match given {
            Given::Products(tastes) => {
                let tastes = tastes.iter().filter(|(sku, _)| self.products.contains(sku));
                let tastes: BTreeMap<Sku, Taste> =
                    tastes.map(|(sku, taste)| (sku.clone(), *taste)).collect();
                (!tastes.is_empty()).then_some(Given::Products(tastes))
            }
            other => Some(other.clone()),
        };
        given.iter().filter_map(|(id, given)| Some((id.clone(), kept(given)?))).collect()
    }
}

/// The most products that a survey names: a page stays one screen or two.
pub const MAX_PRODUCTS: usize = 12;

/// An invitation to answer one survey once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Derived from the touchpoint and the cause.
    pub id: InviteId,
    /// Which survey.
    pub touchpoint: TouchpointId,
    /// On what occasion.
    pub occasion: Occasion,
    /// What it is about.
    pub about: About,
    /// Who is asked.
    pub customer: CustomerId,
    /// Where the invitation goes.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// Where the buyer's clocks are, as far as the address tells.
    pub country: Option<Country>,
    /// When it is to be sent.
    pub due: Timestamp,
    /// When its survey closes.
    pub expires: Timestamp,
    /// Where it stands.
    pub status: InviteStatus,
    /// What statistics have counted of the answer.
    pub counted: Counted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_is_cut_and_says_so() {
        let sku = Sku::parse("TEA").unwrap();
        let title = |text: &str| Delivered::named(&sku, text).map(|it| it.title.to_string());
        let whole = "茶".repeat(MAX_TITLE);
        assert_eq!(title(&whole), Some(whole.clone()));
        assert_eq!(title(&format!("{whole}茶")), Some(format!("{}…", "茶".repeat(MAX_TITLE - 1))));
        let spaced = format!("{} {}", "a".repeat(MAX_TITLE - 2), "b".repeat(9));
        assert_eq!(title(&spaced), Some(format!("{}…", "a".repeat(MAX_TITLE - 2))));
        assert_eq!(title(" "), None);
    }
}
