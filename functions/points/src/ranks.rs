//! Who is ahead in a contest.

use aftercart::{
    model::programme::contests::Contest,
    run::{App, Failure},
    store::{Found, Key, contests::Competitor},
};

use crate::rules::contests::{Contestant, ranked};

/// The first of a contest, and what else was asked for.
#[derive(Debug)]
pub(crate) struct First {
    /// The first first.
    pub(crate) contestants: Vec<Contestant>,
    /// The other items that were asked for.
    pub(crate) found: Found,
}

/// Reads the first of a contest, and other items with them: one query of the
/// index and one batched read.
pub(crate) async fn first(
    app: &App,
    contest: &Contest,
    most: u16,
    others: &[Key],
) -> Result<First, Failure> {
    let competitors = app.store.contest_ranks(&contest.id, most).await?;
    let key = |it: &Competitor| match it {
        Competitor::Member(customer) => Key::participant(&contest.id, customer),
        Competitor::Team(team) => Key::team(team),
    };
    let keys: Vec<Key> = competitors.iter().map(key).chain(others.iter().cloned()).collect();
    let found = app.store.read(&keys).await?;
    let mut contestants = Vec::with_capacity(competitors.len());
    for competitor in &competitors {
        contestants.extend(match competitor {
            Competitor::Member(customer) => {
                Some(Contestant::Member(found.participant(&contest.id, customer)?))
            }
            Competitor::Team(team) => found.team(team)?.map(Contestant::Team),
        });
    }
    Ok(First { contestants: ranked(contestants), found })
}
