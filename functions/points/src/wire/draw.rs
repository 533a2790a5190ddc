//! Draws of campaigns, as members see them.

use aftercart::model::{draw::Drawn, text::Text, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a member drew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrawView {
    /// In which campaign.
    pub campaign: Text<40>,
    /// When.
    pub at: Timestamp,
    /// How many points it gave, which may be spent at once; 0 is a blank.
    pub points: i64,
    /// How many draws are left on that day.
    pub left_today: u32,
}

impl From<Drawn> for DrawView {
    fn from(drawn: Drawn) -> Self {
        let Drawn { campaign, at, points, left, .. } = drawn;
        Self { campaign, at, points, left_today: left }
    }
}
