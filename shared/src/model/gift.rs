//! Points that members give to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    id::GiftId,
    text::Text,
    time::{Date, Timestamp, Zone},
};

/// Points that a member gives to another. They are held for it in the giver's
/// ledger until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    /// Derived from the giver and the key of the call.
    pub id: GiftId,
    /// Whose points they are.
    pub from: CustomerId,
    /// Whom the giver named.
    pub named: CustomerId,
    /// Who may accept them: that member, or the account into which the one of
    /// that member flowed when the gift was made.
    pub to: CustomerId,
    /// How many.
    pub points: i64,
    /// What the giver writes about it.
    pub note: Option<Text<140>>,
    /// By which name the giver wants to be known to the other. Members know
    /// each other by no other name.
    pub signed: Option<Text<40>>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it may be accepted.
    pub until: Timestamp,
    /// How it ended, if somebody ended it.
    pub ended: Option<Ended>,
}

/// How a gift ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: End,
}

/// How somebody ended a gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It was accepted: the points moved.
    Accepted,
    /// It was refused: the points are the giver's again.
    Refused,
    /// The giver took it back.
    Withdrawn,
}

impl Gift {
    /// Whether it may be accepted at this moment. A gift whose time is over is
    /// the giver's again without anybody's doing.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }
}

/// What a member gave and accepted of late, by which gifts are limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Giving {
    /// Whose.
    pub customer: CustomerId,
    /// The last day on which something was counted, by the programme's calendar.
    pub on: Date,
    /// How many gifts the member made on that day.
    pub gifts: u32,
    /// How many points the member gave in the month of that day, accepted or not.
    pub given: i64,
    /// How many points the member accepted in it.
    pub accepted: i64,
    /// What came as gifts and may not be given on yet, by when it may.
    pub kept: Vec<Kept>,
    /// How often this was written.
    pub version: u64,
}

/// Points that came as gifts and may not be given on for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Until when.
    pub until: Timestamp,
    /// How many.
    pub points: i64,
}

/// How many moments are kept at which points may be given on: enough for the
/// gifts of a usual month, in a record of less than 1 KB.
pub const MAX_KEPT: usize = 12;

impl Giving {
    /// Of a member who gave and accepted nothing yet.
    #[must_use]
    pub fn nothing(customer: CustomerId) -> Self {
        let on = Timestamp::EPOCH.date_in(&Zone::utc());
        Self { customer, on, gifts: 0, given: 0, accepted: 0, kept: Vec::new(), version: 0 }
    }

    /// How many points came as gifts and may not be given on yet.
    #[must_use]
    pub fn kept(&self) -> i64 {
        self.kept.iter().fold(0, |sum, kept| sum.saturating_add(kept.points))
    }

    /// Keeps points that came as a gift. When more moments are kept than
    /// [`MAX_KEPT`], the two earliest become the later of them.
    pub fn keep(&mut self, more: Kept) {
        match self.kept.iter_mut().find(|kept| kept.until == more.until) {
            Some(kept) => kept.points = kept.points.saturating_add(more.points),
            None => self.kept.push(more),
        }
        self.kept.sort_unstable_by_key(|kept| kept.until);
        while self.kept.len() > MAX_KEPT {
            let first = self.kept.remove(0);
            if let Some(second) = self.kept.first_mut() {
                second.points = second.points.saturating_add(first.points);
            }
        }
    }

    /// What of it counts at this moment: what was counted in another day or
    /// month does not, nor what may be given on by now.
    #[must_use]
    pub fn at(mut self, now: Timestamp, zone: &Zone) -> Self {
        let today = now.date_in(zone);
        let month = |date: Date| (date.parts().0, date.parts().1);
        if self.on != today {
            self.gifts = 0;
        }
        if month(self.on) != month(today) {
            (self.given, self.accepted) = (0, 0);
        }
        self.kept.retain(|kept| now < kept.until);
        self.on = today;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_of_their_day_and_month_and_what_came_is_kept_its_time() {
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        let at = |text| Timestamp::parse(text).unwrap();
        let first = at("2026-11-29T15:00:00Z");
        let giving = Giving {
            on: first.date_in(&zone),
            gifts: 2,
            given: 30,
            accepted: 40,
            kept: vec![Kept { until: at("2026-12-09T00:00:00Z"), points: 40 }],
            ..Giving::nothing(CustomerId::member("a").unwrap())
        };
        for (now, expected) in [
            ("2026-11-29T15:59:59Z", (2, 30, 40, 40)),
            ("2026-11-29T16:00:00Z", (0, 30, 40, 40)),
            ("2026-11-30T15:59:59Z", (0, 30, 40, 40)),
            ("2026-11-30T16:00:00Z", (0, 0, 0, 40)),
            ("2026-12-09T00:00:00Z", (0, 0, 0, 0)),
            ("2027-11-29T15:00:00Z", (0, 0, 0, 0)),
        ] {
            let giving = giving.clone().at(at(now), &zone);
            let Giving { gifts, given, accepted, .. } = giving;
            assert_eq!((gifts, given, accepted, giving.kept()), expected, "{now}");
        }
    }

    #[test]
    fn each_gift_is_kept_its_own_time_and_no_part_of_one_less() {
        let at = |seconds: i64| Timestamp::from_unix_seconds(seconds).unwrap();
        let mut giving = Giving::nothing(CustomerId::member("a").unwrap());
        let most = i64::try_from(MAX_KEPT).unwrap();
        let kept = |until: i64| Kept { until: at(until), points: until };
        for until in (1..=most).rev().chain([1]) {
            giving.keep(kept(until));
        }
        assert_eq!(giving.kept(), most * (most + 1) / 2 + 1);
        assert_eq!(giving.kept[0], Kept { until: at(1), points: 2 });
        let later = giving.clone().at(at(1), &Zone::utc());
        assert_eq!(later.kept(), giving.kept() - 2, "the others are kept still");
        giving.keep(kept(100));
        assert_eq!(giving.kept.len(), MAX_KEPT);
        assert_eq!(giving.kept[0], Kept { until: at(2), points: 4 });
    }
}
