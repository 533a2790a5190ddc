//! What members draw in campaigns that give points.

use super::{
    customer::CustomerId,
    text::Text,
    time::Timestamp,
    time::{Date, Zone},
};

/// Over how many counters the points of a campaign are split. Everybody draws
/// in the same minute when points rain; one item takes some hundred
/// transactions a second.
pub const POOL_PARTS: u8 = 8;

/// A draw of a member. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its name: derived from the campaign, the member and the key of the call.
    pub reference: Text<80>,
    /// Who drew.
    pub customer: CustomerId,
    /// In which campaign.
    pub campaign: Text<40>,
    /// When.
    pub at: Timestamp,
    /// How many points it gave; 0 is a blank.
    pub points: i64,
    /// How many draws the member had left on that day.
    pub left: u32,
}

/// What a member drew in a campaign so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Who.
    pub customer: CustomerId,
    /// In which campaign.
    pub campaign: Text<40>,
    /// The last day of a draw, by the programme's calendar.
    pub on: Date,
    /// How many draws there were on that day.
    pub draws: u32,
    /// How many points they gave in all.
    pub points: i64,
    /// How often this was written.
    pub version: u64,
}

impl Drawing {
    /// Of a member who did not draw yet.
    #[must_use]
    pub fn nothing(customer: CustomerId, campaign: Text<40>) -> Self {
        let on = Timestamp::EPOCH.date_in(&Zone::utc());
        Self { customer, campaign, on, draws: 0, points: 0, version: 0 }
    }

    /// How many draws there were on this day.
    #[must_use]
    pub fn draws_on(&self, today: Date) -> u32 {
        if self.on == today { self.draws } else { 0 }
    }
}

/// How many points of a pool the part of this number, from 0, has: an even
/// split, the first parts one more. The parts sum to the pool; a part that does
/// not exist has nothing.
#[must_use]
pub fn part_of_pool(pool: u32, part: u8) -> i64 {
    let (parts, number) = (u32::from(POOL_PARTS), u32::from(part));
    if number >= parts {
        return 0;
    }
    i64::from(pool / parts) + i64::from(number < pool % parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_have_the_whole_pool(pool in any::<u32>()) {
            let parts = (0..=u8::MAX).map(|part| part_of_pool(pool, part));
            prop_assert_eq!(parts.sum::<i64>(), i64::from(pool));
        }
    }
}
