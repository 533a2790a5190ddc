//! How a member's points are read.

use aftercart::{
    model::{
        customer::CustomerId,
        points::Ledger,
        reward::{Offered, RewardId},
        time::Timestamp,
    },
    run::{App, Failure},
    store::{Key, PageToken},
};
use futures::future::try_join;

use crate::{
    account,
    rules::{offers::Catalogue, showing::Seen},
};

/// Reads the ledger from which a member spends and a page of its movements, at
/// the same time: one round trip, however long the history. They lie in one
/// partition, but at its two ends, so one query cannot read the ledger and the
/// latest entries without all that is between them. A movement that is written
/// in that instant may be in one of the two and not yet in the other.
///
/// An account that flows into another one takes a second round trip, and one
/// into which others flow a last one for these.
pub(crate) async fn look(
    app: &App,
    customer: &CustomerId,
    from: Option<&PageToken>,
    limit: u16,
) -> Result<Seen, Failure> {
    let read = async |customer: &CustomerId| {
        let movements = app.store.entries_of(customer, from, limit);
        try_join(app.store.ledger(customer), movements).await
    };
    let (mut ledger, mut movements) = read(customer).await?;
    if let Some((main, _)) = ledger.link.into.clone() {
        (ledger, movements) = read(&main).await?;
    }
    let others = others(app, &ledger).await?;
    let next_cursor = movements.next.as_ref().map(PageToken::encode);
    Ok(Seen { ledger, others, movements: movements.items, next_cursor })
}

/// The ledgers that flow into this one.
async fn others(app: &App, ledger: &Ledger) -> Result<Vec<Ledger>, Failure> {
    if ledger.link.from.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Key> = ledger.link.from.iter().map(Key::ledger).collect();
    let found = app.store.read(&keys).await?;
    let ledgers = ledger.link.from.iter().map(|customer| found.ledger(customer));
    Ok(ledgers.collect::<Result<_, _>>()?)
}

/// Reads the ledger from which a member spends, and what there is to take.
pub(crate) async fn shop(
    app: &App,
    customer: &CustomerId,
    now: Timestamp,
) -> Result<(Ledger, Catalogue), Failure> {
    let rewards = async { Ok(app.store.catalogue(now).await?) };
    let (ledger, rewards) = try_join(account::ledger(app, customer), rewards).await?;
    let catalogue = counted(app, &ledger, rewards).await?;
    Ok((ledger, catalogue))
}

/// Rewards, with how many the member has of those that are limited for one:
/// counted in the account from which the member spends.
pub(crate) async fn counted(
    app: &App,
    ledger: &Ledger,
    rewards: Vec<Offered>,
) -> Result<Catalogue, Failure> {
    let customer = &ledger.customer;
    let limited = rewards.iter().filter(|it| it.reward.per_member.is_some());
    let limited: Vec<RewardId> = limited.map(|it| it.id.clone()).collect();
    let keys: Vec<Key> = limited.iter().map(|id| Key::reward_count(customer, id)).collect();
    let found = app.store.read(&keys).await?;
    let count = |id: RewardId| Ok((id.clone(), found.reward_count(customer, &id)?));
    let has = limited.into_iter().map(count).collect::<Result<_, Failure>>()?;
    Ok(Catalogue { rewards, has })
}
