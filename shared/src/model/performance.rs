//! How carriers keep what was promised: what is counted of each delivery.

use std::collections::BTreeMap;

use super::{
    customer::Country, delivery::MethodId, shipment::Carrier, stock::LocationId, text::Text,
};

/// More working days under way than these are counted as so many. No transit
/// of a policy is longer.
pub const MOST_DAYS: u16 = 90;

/// Of which deliveries something is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// With which service; none where somebody chose the label by hand, or took
    /// that of another carrier.
    pub service: Option<Text<40>>,
    /// Who reported of them, by their labels.
    pub carrier: Option<Carrier>,
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: Country,
    /// By which method the buyer chose.
    pub method: MethodId,
}

/// The deliveries of a lane in a month, or of several together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Performance {
    /// How many came to an end.
    pub ended: u32,
    /// How many were brought by when it was promised.
    pub kept: u32,
    /// How many were brought after so many working days under way, at most
    /// [`MOST_DAYS`]. Those whose times are in doubt are not among them.
    pub days: BTreeMap<u16, u32>,
}

impl Performance {
    /// These deliveries and those.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.ended = self.ended.saturating_add(other.ended);
        self.kept = self.kept.saturating_add(other.kept);
        for (days, count) in &other.days {
            let known = self.days.entry(*days).or_default();
            *known = known.saturating_add(*count);
        }
        self
    }

    /// Of how many it is known how long they were under way.
    #[must_use]
    pub fn timed(&self) -> u32 {
        self.days.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}
