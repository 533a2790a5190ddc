//! How a changed ledger is written: its entries, then itself with the moment at
//! which something of it is to be done next and the messages that the change
//! causes. Whatever changes a ledger writes it through this.

use aftercart::{
    messages::{Message, PointsBegun, PointsEarned, PointsFlowing, TierChanged},
    model::{
        points::{Account, Entry, Ledger},
        policy::Policy,
        time::Timestamp,
    },
    store::{Commit, Sends, points},
};

use crate::rules::{agenda, news::News};

/// The writes of a change at this moment: the entries in their order, each if
/// it was never written, then the ledger, if it is as it was read. Nothing is
/// written of a ledger that did not change.
pub(crate) fn writes(
    before: &Ledger,
    now: &Ledger,
    entries: &[Entry],
    news: &[News],
    policy: &Policy,
    at: Timestamp,
) -> Commit {
    let changed = before != now || !entries.is_empty() || !news.is_empty();
    let save = || {
        let sends = sends(before, now, news, policy, at);
        points::save(now, agenda::due(now, policy, at), &sends)
    };
    entries.iter().map(points::post).chain(changed.then(save)).collect()
}

/// The messages of a change: what the member is told, that the tier is another
/// one (a linked account has that of the main one), that the ledger is new,
/// while a contest runs that what counts in it has changed (the deeds of linked
/// accounts count together), and that something belongs into the account into
/// which this one is linked.
fn sends(before: &Ledger, now: &Ledger, news: &[News], policy: &Policy, at: Timestamp) -> Sends {
    let customer = &now.customer;
    let told = news.iter().map(|it| it.message(customer));
    let tier = (before.standing.tier != now.standing.tier || before.link != now.link)
        .then(|| Message::TierChanged(TierChanged { customer: customer.clone() }));
    let running = policy.points.contests.iter().any(|it| it.is_counted(at));
    let moved = |account| before.balance(account) != now.balance(account);
    let counts = moved(Account::Issued) || moved(Account::Cancelled) || before.link != now.link;
    let earned = (running && counts)
        .then(|| Message::PointsEarned(PointsEarned { customer: customer.clone() }));
    let begun = (before.version == 0)
        .then(|| Message::PointsBegun(PointsBegun { customer: customer.clone() }));
    let flowing =
        now.flows().then(|| Message::PointsFlowing(PointsFlowing { customer: customer.clone() }));
    told.chain(tier)
        .chain(begun)
        .chain(earned)
        .chain(flowing)
        .fold(Sends::none(), |sends, it| sends.and(it, at, None))
}
