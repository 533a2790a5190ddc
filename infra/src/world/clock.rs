//! Time that moves only when it is told to.

use std::sync::{Mutex, PoisonError};

use aftercart::model::time::{Clock, Period, Timestamp};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(Mutex::new(moment))
    }

    /// Moves the clock forward, or nowhere when the moment has passed.
    pub fn advance_to(&self, moment: Timestamp) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = moment.max(*now);
    }

    /// Moves the clock forward by a period.
    pub fn advance(&self, by: Period) {
        self.advance_to(self.now().plus(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
