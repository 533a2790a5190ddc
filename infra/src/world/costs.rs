//! What invocations cost, one by one, for whoever adds it up.

use std::sync::{Mutex, PoisonError};

use super::{Meter, World};

/// An invocation and what it cost.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// Which function.
    pub function: &'static str,
    /// Its calls and units.
    pub meter: Meter,
}

/// The invocations since somebody wanted to know of them; nobody does at first.
#[derive(Debug, Default)]
pub(super) struct Costs(Mutex<Option<Vec<Invoked>>>);

impl Costs {
    /// Notes an invocation that has ended, if somebody wants to know.
    pub(super) fn note(&self, function: &'static str, meter: impl FnOnce() -> Meter) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(noted) = noted.as_mut() {
            noted.push(Invoked { function, meter: meter() });
        }
    }
}

impl World {
    /// The invocations that ended since this was last asked, in their order;
    /// none the first time, from which on they are noted. Of invocations of one
    /// function side by side it is not known which cost what.
    #[must_use]
    pub fn take_costs(&self) -> Vec<Invoked> {
        let mut noted = self.costs.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.replace(Vec::new()).unwrap_or_default()
    }
}
