//! What members earn: deeds, and what a cart would earn.

use aftercart::model::{
    customer::{Country, CustomerId, Language},
    money::Money,
    points::{Judged, Told, Why},
    product::Sku,
    programme::{PointsPolicy, earning::ActionKind},
    text::Text,
    time::Timestamp,
};
use aftercart_pricing::goods::Line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{
    earn::{Earned, Left},
    wording,
    wording::reasons,
};

/// Something that a member did, as systems of the merchant report it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportAction {
    /// Who did it.
    pub customer: CustomerId,
    /// What.
    pub action: ActionKind,
    /// What tells it from the member's other deeds of this kind: the identity
    /// of the review, of the friend. It is judged once.
    pub reference: Text<80>,
    /// When it was done; now, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a deed gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionView {
    /// How many points.
    pub points: i64,
    /// When it was done.
    pub at: Timestamp,
    /// Which day in a row it was, of what is counted so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streak: Option<u32>,
    /// Every rule for such deeds, and what it gave.
    pub rules: Vec<EarningRuleView>,
}

/// What a rule gave, and why it is nothing or less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EarningRuleView {
    /// Its name in the policy.
    pub rule: String,
    /// What members read of it.
    pub title: String,
    /// How many points; negative for what a cap cuts off.
    pub points: i64,
    /// Why it is nothing, or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// A cart, to learn what it would earn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskEstimate {
    /// The goods, each SKU once.
    pub lines: Vec<EstimateLine>,
    /// The channel by which the order would come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text<40>>,
    /// Where the goods would go: taxes within the prices, which earn nothing,
    /// follow from it. Without it there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EstimateLine {
    /// What.
    pub sku: Sku,
    /// How many, 1 to 999.
    pub quantity: u32,
}

/// What a cart would earn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EstimateView {
    /// How many points.
    pub points: i64,
    /// What each line would earn.
    pub lines: Vec<EstimatedLineView>,
    /// Every rule that could have a part in it, in the order in which they
    /// apply, and what it would give.
    pub rules: Vec<EarningRuleView>,
    /// The version of the policy.
    pub policy: String,
}

/// What a line would earn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EstimatedLineView {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// What it costs after the price rules.
    pub total: Money,
    /// How many points.
    pub points: i64,
    /// Why it is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Left>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

impl EarningRuleView {
    /// What a rule gave, in this language.
    #[must_use]
    pub fn of(told: &Told, policy: &PointsPolicy, language: Language) -> Self {
        Self {
            rule: told.rule.clone(),
            title: wording::title(&told.rule, policy, language),
            points: told.points,
            why: told.why,
            words: told.why.map(|why| reasons::of_rule(why, language).to_owned()),
        }
    }
}

impl ActionView {
    /// What a deed gave, in this language.
    #[must_use]
    pub fn of(judged: &Judged, policy: &PointsPolicy, language: Language) -> Self {
        let rule = |told| EarningRuleView::of(told, policy, language);
        Self {
            points: judged.points(),
            at: judged.at,
            streak: judged.streak,
            rules: judged.told.iter().map(rule).collect(),
        }
    }
}

impl EstimatedLineView {
    /// What each line of a cart would earn, in this language.
    #[must_use]
    pub fn all(lines: &[Line], earned: &Earned, language: Language) -> Vec<Self> {
        let left = |position| {
            let of = earned.left.iter().find(|(of, _)| *of == position);
            of.map(|(_, left)| *left)
        };
        let line = |(position, (line, points)): (usize, (&Line, &i64))| Self {
            sku: line.good.sku.clone(),
            quantity: line.quantity,
            total: line.total,
            points: *points,
            why: left(position),
            words: left(position).map(|left| reasons::of_line(left, language).to_owned()),
        };
        lines.iter().zip(&earned.lines).enumerate().map(line).collect()
    }
}
