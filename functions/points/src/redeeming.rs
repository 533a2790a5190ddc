//! What follows of a reward that was taken, called off or given back.

use aftercart::{
    model::{id::RedemptionId, points::Ledger, policy::Policy, reward::Redemption},
    run::{App, Failure},
    store::{Commit, CommitError, Key, Sends, rewards, vouchers},
};

use crate::{
    posting,
    rules::redemptions::{self, Facts, Followed},
    soundness,
};

/// How often the facts are read again when the ledger or the redemption
/// changed. What is still contended then comes again with its message.
const ATTEMPTS: u32 = 4;

/// Makes the points of a redemption follow from it, and a coupon's voucher: in
/// two batched reads and one transaction of the entry, the ledger, the
/// redemption, whose version keeps it from being posted while it is undone,
/// and the voucher.
///
/// # Errors
/// A message that names no redemption is poison.
pub(crate) async fn follow(app: &App, id: &RedemptionId, policy: &Policy) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&[Key::redemption(id)]).await?;
        let redemption = found.redemption(id)?;
        let redemption =
            redemption.ok_or_else(|| Failure::poison(format!("there is no redemption {id}")))?;
        let Some(commit) = decide(app, &redemption, policy).await? else { return Ok(()) };
        match app.store.commit(commit).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

async fn decide(
    app: &App,
    redemption: &Redemption,
    policy: &Policy,
) -> Result<Option<Commit>, Failure> {
    let Redemption { account, taken_at, undone, .. } = redemption;
    let spending = Key::entry(account, *taken_at, &Ledger::spending(account, &redemption.holder()));
    let returning = undone.as_ref();
    let returning = returning.map(|it| Key::entry(account, it.at, &redemption.returning()));
    let mut keys = vec![Key::ledger(account), spending.clone()];
    keys.extend(returning.clone());
    let found = app.store.read(&keys).await?;
    let (before, spent) = (found.ledger(account)?, found.entry(&spending)?);
    let returned = returning.map(|key| found.entry(&key)).transpose()?.flatten();
    let facts = Facts {
        redemption,
        ledger: &before,
        spent: spent.as_ref(),
        is_returned: returned.is_some(),
    };
    let followed = redemptions::follow(facts, policy)
        .map_err(|error| soundness::mismatch(app, error.to_string()))?;
    let Some(followed) = followed else { return Ok(None) };
    soundness::check(app, &followed.ledger)?;
    let Followed { ledger, entries, news, redemption, voucher } = followed;
    let posting = posting::writes(&before, &ledger, &entries, &news, policy, app.now());
    let redemption = redemption.map(|it| rewards::save(&it, &Sends::none()));
    let voucher = voucher.as_ref().map(vouchers::grant);
    Ok(Some(posting.and(redemption.into_iter().chain(voucher).collect())))
}
