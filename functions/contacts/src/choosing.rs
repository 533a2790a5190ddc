//! Writing down what somebody chose.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        contact::{Contactee, Contacts, Purpose},
        time::Zone,
    },
    run::{App, Failure},
    store::{CommitError, contacts},
};

/// How often a choice is decided again because somebody was contacted at the
/// same moment.
const ATTEMPTS: u32 = 4;

/// Notes what somebody chose, and where their clocks are if they say so. What
/// is so already is not written. Gives what is known of them afterwards.
///
/// # Errors
/// When it cannot be read or written, or others were first every time.
pub(crate) async fn choose(
    app: &App,
    who: &Contactee,
    chosen: &BTreeMap<Purpose, bool>,
    zone: Option<&Zone>,
) -> Result<Contacts, Failure> {
    for _ in 0..ATTEMPTS {
        let known = app.store.contacts(who).await?;
        let mut changed = known.choosing(chosen, app.now());
        changed.zone = zone.cloned().or(changed.zone);
        if changed == known {
            return Ok(known);
        }
        match app.store.commit(contacts::save(&changed)).await {
            Ok(()) => return Ok(changed),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the contacts changed {ATTEMPTS} times while they were read")))
}
