//! Touchpoints: the surveys of a shop, as its policy has them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::{Country, Language},
    is_default,
    text::{Text, is_plain, names},
    ticket::Topic,
    time::Period,
};

names! {
    /// The name of a touchpoint: 1 to 40 of `a-z 0-9 -`.
    TouchpointId(40, is_plain);
    /// Why a text is no name of a touchpoint.
    TouchpointIdError = "the name of a touchpoint is 1 to 40 characters of a-z, 0-9 and -";
}

names! {
    /// The name of a question within its survey: 1 to 20 of `a-z 0-9 -`.
    QuestionId(20, is_plain);
    /// Why a text is no name of a question.
    QuestionIdError = "the name of a question is 1 to 20 characters of a-z, 0-9 and -";
}

names! {
    /// The name of a choice within its question: 1 to 20 of `a-z 0-9 -`.
    ChoiceId(20, is_plain);
    /// Why a text is no name of a choice.
    ChoiceIdError = "the name of a choice is 1 to 20 characters of a-z, 0-9 and -";
}

/// The longest comment: a few sentences, about a screen of a phone.
pub const MAX_COMMENT: usize = 1_000;

/// What makes a survey come up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The last parcel of an order has arrived.
    Delivery,
    /// Goods came back and the money went back for them.
    Return,
    /// A ticket was solved.
    Solved,
    /// An order was paid: how easy was that?
    Checkout,
    /// From time to time, of somebody who buys.
    Relationship,
    /// A member has another tier.
    Tier,
    /// The products of an order were in use for a while.
    Product,
}

/// How an invitation travels; the merchant's mailer does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// By e-mail.
    #[default]
    Email,
    /// By text message.
    Sms,
    /// In the shop's app.
    Push,
    /// By WeChat.
    Wechat,
}

/// What people read, in each language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// In English.
    pub en: Text<200>,
    /// In simplified Chinese.
    pub zh: Text<200>,
}

impl Wording {
    /// The text in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::En => self.en.as_str(),
            Language::Zh => self.zh.as_str(),
        }
    }
}

/// Who is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SurveyAudience")]
#[serde(deny_unknown_fields, default)]
pub struct Audience {
    /// Members only, not guests.
    #[serde(skip_serializing_if = "is_default")]
    pub members: bool,
    /// Of these tiers; of any and none, if there are none here.
    #[serde(skip_serializing_if = "is_default")]
    pub tiers: BTreeSet<Text<40>>,
    /// In these countries; in all, if there are none here.
    #[serde(skip_serializing_if = "is_default")]
    pub countries: BTreeSet<Country>,
    /// Who reads these languages; all, if there are none here.
    #[serde(skip_serializing_if = "is_default")]
    pub languages: BTreeSet<Language>,
}

/// One of what can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SurveyChoice")]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its name in answers and reports.
    pub id: ChoiceId,
    /// What people read.
    pub title: Wording,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// How likely to recommend, 0 to 10: the question of the Net Promoter Score.
    Nps,
    /// How satisfied, 1 to 5: the customer satisfaction score.
    Csat,
    /// How easy, 1 to 7: the Customer Effort Score, 7 being easiest.
    Ces,
    /// One to five stars.
    Stars,
    /// One of these.
    Single {
        /// What can be chosen.
        choices: Vec<Choice>,
    },
    /// Some of these.
    Multiple {
        /// What can be chosen.
        choices: Vec<Choice>,
        /// At most so many.
        most: u16,
    },
    /// A few words.
    Text,
    /// Which products are liked and which are not.
    Products,
}

/// How an answer is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Comparison {
    /// The score is this or less.
    AtMost(u8),
    /// The score is this or more.
    AtLeast(u8),
    /// One of these was chosen.
    Chose(Vec<ChoiceId>),
}

/// When a question is asked at all: after such an answer to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SurveyWhen")]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The earlier question.
    pub question: QuestionId,
    /// What must have been answered there.
    pub is: Comparison,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Its name in answers and reports.
    pub id: QuestionId,
    /// What is asked for.
    #[serde(flatten)]
    pub kind: Kind,
    /// What people read; the suite's own words for the kind and the occasion
    /// if there are none here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Wording>,
    /// After which answer it is asked; always, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Whether it may be skipped. The first question never may.
    #[serde(default)]
    pub optional: bool,
}

/// A survey, and who is asked it when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Touchpoint {
    /// Its name.
    pub id: TouchpointId,
    /// What makes it come up.
    pub on: Occasion,
    /// How long after that it is sent.
    pub delay: Period,
    /// How long it is open then.
    pub open: Period,
    /// How long after the invitation the one reminder is sent, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<Period>,
    /// Who is asked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience: Audience,
    /// Of so many of ten thousand of these.
    #[serde(default = "everybody", skip_serializing_if = "is_everybody")]
    pub share: u16,
    /// Until so many have answered in a month of UTC; without an end, if there
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// Once in this time at most; of a relationship survey only, which needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Period>,
    /// How the invitation travels.
    #[serde(default, skip_serializing_if = "is_default")]
    pub channel: Channel,
    /// Whether it may use what the contact budget keeps for what matters most.
    #[serde(default, skip_serializing_if = "is_default")]
    pub urgent: bool,
    /// What is asked, the question that the invitation asks first.
    pub questions: Vec<Question>,
}

const EVERYBODY: u16 = 10_000;

fn everybody() -> u16 {
    EVERYBODY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_everybody(share: &u16) -> bool {
    *share == EVERYBODY
}

impl Kind {
    /// The lowest and the highest score, of what is answered with one.
    #[must_use]
    pub const fn scale(&self) -> Option<(u8, u8)> {
        match self {
            Self::Nps => Some((0, 10)),
            Self::Csat | Self::Stars => Some((1, 5)),
            Self::Ces => Some((1, 7)),
            Self::Single { .. } | Self::Multiple { .. } | Self::Text | Self::Products => None,
        }
    }

    /// What can be chosen, if something can.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        match self {
            Self::Single { choices } | Self::Multiple { choices, .. } => choices,
            _ => &[],
        }
    }
}

impl Touchpoint {
    /// The question of a name.
    #[must_use]
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|it| it.id == *id)
    }

    /// Whether a question is about products.
    #[must_use]
    pub fn names_products(&self) -> bool {
        self.questions.iter().any(|it| it.kind == Kind::Products)
    }
}

/// Which feedback is valuable without anybody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Valuable {
    /// At least so many letters and digits; a Chinese character says as much as
    /// three of them.
    pub least: u16,
    /// About one of these; about anything that is known, if there are none here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub topics: BTreeSet<Topic>,
}

/// The surveys of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveysPolicy {
    /// Who is asked what when.
    pub touchpoints: Vec<Touchpoint>,
    /// From how many answers on reports show what was answered; from
    /// [`LEAST_ANSWERS`] on, if nothing is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_answers: Option<u32>,
    /// Which feedback of members is called valuable as it comes; only what an
    /// operator calls so, if nothing is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valuable: Option<Valuable>,
}

/// Fewer answers than these say little, and may tell who gave them: of ten, a
/// share has an interval of some thirty points to either side.
pub const LEAST_ANSWERS: u32 = 10;

impl SurveysPolicy {
    /// From how many answers on reports show what was answered.
    #[must_use]
    pub fn least_answers(&self) -> u32 {
        self.least_answers.unwrap_or(LEAST_ANSWERS)
    }

    /// The touchpoint of a name.
    #[must_use]
    pub fn touchpoint(&self, id: &TouchpointId) -> Option<&Touchpoint> {
        self.touchpoints.iter().find(|it| it.id == *id)
    }

    /// Those of an occasion.
    pub fn on(&self, occasion: Occasion) -> impl Iterator<Item = &Touchpoint> {
        self.touchpoints.iter().filter(move |it| it.on == occasion)
    }

    /// Whether something is asked on any of these occasions.
    #[must_use]
    pub fn asks_on(&self, occasions: &[Occasion]) -> bool {
        self.touchpoints.iter().any(|it| occasions.contains(&it.on))
    }
}
