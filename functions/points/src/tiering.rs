//! What `tier.changed` asks: that the member's record, by which prices,
//! delivery and sales go, and those of linked accounts have the tier that the
//! ledger says.

use aftercart::{
    model::{customer::CustomerId, policy::Policy},
    run::{App, Failure},
    store::{CommitError, Key, customers},
};

use crate::account;

/// How often a record is looked at again when somebody else wrote the tier.
const ATTEMPTS: u32 = 4;

/// Writes the tier of a member's ledger to the records of all accounts that
/// go by it. Without levels of the policy operators set tiers, and nothing
/// is written.
pub(crate) async fn follow(
    app: &App,
    customer: &CustomerId,
    policy: &Policy,
) -> Result<(), Failure> {
    if policy.points.tiers.levels.is_empty() {
        return Ok(());
    }
    let main = account::ledger(app, customer).await?;
    record(app, customer).await?;
    for account in account::all(&main).filter(|account| *account != customer) {
        record(app, account).await?;
    }
    Ok(())
}

/// Writes the tier to one record. The ledger is read after the record, and the
/// record is written only if nobody wrote its tier meanwhile: so of two who do
/// this at once, the one that read an older ledger does not have the last word.
async fn record(app: &App, account: &CustomerId) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let read = app.store.read(&[Key::profile(account)]).await?.profile(account)?;
        let tier = account::ledger(app, account).await?.standing.tier;
        if read.tier == tier {
            return Ok(());
        }
        match app.store.commit(customers::set_tier(&read, tier.as_ref())).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("a member's tier changed {ATTEMPTS} times while it was read")))
}
