//! Accounts that are linked, read and written.

use aftercart::{
    model::{
        customer::CustomerId,
        id::LinkId,
        points::{AccountLink, Ledger, LedgerError},
        policy::Policy,
        text::Text,
        time::Timestamp,
    },
    run::{App, Failure, http::Problem},
    store::{Commit, CommitError, Key, gifts, links},
};

use crate::{
    posting,
    rules::link::{self, Joined},
    soundness,
};

/// How often the ledgers are read again when somebody else changed one of them.
const ATTEMPTS: u32 = 4;

/// Links an account into another one; the link that is there already, if they
/// are linked so. An operator (`by`) links only accounts that are small. What
/// may not be given on yet goes with the points.
pub(crate) async fn join(
    app: &App,
    main: &CustomerId,
    other: &CustomerId,
    by: Option<Text<128>>,
) -> Result<AccountLink, Failure> {
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let keys = [main, other].map(|it| [Key::ledger(it), Key::giving(it)]);
        let found = app.store.read(&keys.concat()).await?;
        let (of_main, of_other) = (found.ledger(main)?, found.ledger(other)?);
        if let Some((_, id)) = of_other.link.into.as_ref().filter(|(into, _)| into == main) {
            return known(app, id).await;
        }
        if !of_other.may_flow_into(&of_main) {
            return Err(refusal(&of_main, &of_other).into());
        }
        if by.is_some() && !link::is_small(&of_other, &policy) {
            return Err(too_large(&policy).into());
        }
        let now = app.now();
        let joined = link::link(&of_other, &of_main, by.clone(), now, &policy);
        let joined = joined.map_err(Failure::bug)?;
        let (gave, given) = (found.giving(other)?, found.giving(main)?);
        let kept = link::kept(gave, given, now, &policy.points.zone);
        let kept: Commit = kept.as_ref().map(gifts::save).into_iter().collect();
        let commit = writes(app, (&of_other, &of_main), &joined, &policy, now)?.and(kept);
        match app.store.commit(commit).await {
            Ok(()) => return Ok(joined.link),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(contended())
}

async fn known(app: &App, id: &LinkId) -> Result<AccountLink, Failure> {
    let found = app.store.read(&[Key::account_link(id)]).await?;
    found.account_link(id)?.ok_or_else(|| Failure::bug(format!("there is no link {id}")))
}

/// Why two accounts are not linked.
fn refusal(main: &Ledger, other: &Ledger) -> Problem {
    let title = "The accounts are not linked";
    let linked = |detail: &str| Problem::new(409, "account-linked", title, detail);
    if main.customer == other.customer {
        let detail = "This is the same account: enter the code of another one.";
        Problem::new(409, "link-same-account", title, detail)
    } else if main.link.into.is_some() {
        linked("This account is linked into another one: link the other one to that.")
    } else if other.link.into.is_some() {
        linked("The other account is linked already.")
    } else if !other.link.from.is_empty() {
        linked("Accounts are linked into the other one: let it take this one in.")
    } else {
        let detail = "This account takes in no more others.";
        Problem::new(409, "too-many-links", title, detail)
    }
}

/// Why an operator does not link two accounts.
fn too_large(policy: &Policy) -> Problem {
    let detail = format!(
        "The other account has more than the {} points that an operator moves alone: let its \
         member show the code of /me/link-code and enter it in the main account.",
        policy.points.adjustments.alone_up_to
    );
    Problem::new(409, "link-needs-code", "The member links these accounts", detail)
}

/// Who takes two accounts apart.
pub(crate) enum By {
    /// An operator, for this reason.
    Operator(Text<128>, Text<500>),
    /// The member of one of them.
    Member(CustomerId),
}

impl By {
    /// What is noted of it, if this one may undo the link at this moment.
    fn undoes(
        &self,
        link: &AccountLink,
        now: Timestamp,
    ) -> Result<(Timestamp, Option<Text<128>>, Text<500>), Failure> {
        let member = match self {
            Self::Operator(by, why) => return Ok((now, Some(by.clone()), why.clone())),
            Self::Member(member) => member,
        };
        if now >= link.at.plus(link::UNDO_ALONE) {
            let detail = "The time in which you undo it yourself is over: ask the shop.";
            return Err(Problem::new(409, "link-undo-over", "Too late", detail).into());
        }
        let account = if *member == link.main { "main" } else { "linked" };
        let why = format!("The member of the {account} account did.");
        Ok((now, None, Text::new(&why).map_err(Failure::bug)?))
    }

    /// Whether this one may know of the link.
    fn sees(&self, link: &AccountLink) -> bool {
        match self {
            Self::Operator(..) => true,
            Self::Member(member) => [&link.main, &link.other].contains(&member),
        }
    }
}

/// Takes two accounts apart; as they are, if that was done.
pub(crate) async fn part(app: &App, id: &LinkId, by: By) -> Result<AccountLink, Failure> {
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&[Key::account_link(id)]).await?;
        let link = found.account_link(id)?.filter(|link| by.sees(link));
        let link = link.ok_or_else(|| Problem::not_found("link"))?;
        if link.undone.is_some() {
            return Ok(link);
        }
        let found = app.store.read(&[Key::ledger(&link.main), Key::ledger(&link.other)]).await?;
        let (main, other) = (found.ledger(&link.main)?, found.ledger(&link.other)?);
        let now = app.now();
        let undone = by.undoes(&link, now)?;
        let parted = link::undo(&other, &main, &link, undone, &policy).map_err(kept_together)?;
        match app.store.commit(writes(app, (&other, &main), &parted, &policy, now)?).await {
            Ok(()) => return Ok(parted.link),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(contended())
}

/// Why two accounts are not taken apart.
fn kept_together(error: LedgerError) -> Failure {
    if error != LedgerError::TooFew {
        return Failure::bug(error);
    }
    let detail = "Points that are to go back are held for an order, a reward, a gift or a till: \
                  wait until they are free, or give up what they are held for.";
    Problem::new(409, "points-held", "Points are held", detail).into()
}

/// Lets flow what is in a linked account and belongs into the other one;
/// nothing if it is not linked, or nothing is in it.
pub(crate) async fn flow(app: &App, customer: &CustomerId, policy: &Policy) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let other = app.store.read(&[Key::ledger(customer)]).await?.ledger(customer)?;
        let Some((account, id)) = other.link.into.clone().filter(|_| other.flows()) else {
            return Ok(());
        };
        let keys = [Key::ledger(&account), Key::account_link(&id)];
        let found = app.store.read(&keys).await?;
        let main = found.ledger(&account)?;
        let link = found.account_link(&id)?;
        let link = link.ok_or_else(|| Failure::bug(format!("there is no link {id}")))?;
        let now = app.now();
        let joined = link::flow(&other, &main, &link, now, policy).map_err(Failure::bug)?;
        let Some(joined) = joined else { return Ok(()) };
        match app.store.commit(writes(app, (&other, &main), &joined, policy, now)?).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(contended())
}

/// Both ledgers with their entries, then the link.
fn writes(
    app: &App,
    (other, main): (&Ledger, &Ledger),
    joined: &Joined,
    policy: &Policy,
    now: Timestamp,
) -> Result<Commit, Failure> {
    soundness::check(app, &joined.other)?;
    soundness::check(app, &joined.main)?;
    let Joined { of_other, of_main, other_news, news, .. } = joined;
    let first = posting::writes(other, &joined.other, of_other, other_news, policy, now);
    let second = posting::writes(main, &joined.main, of_main, news, policy, now);
    Ok(first.and(second).with(links::save(&joined.link)))
}

fn contended() -> Failure {
    Failure::retry(format!("two ledgers changed {ATTEMPTS} times while they were read"))
}
