//! How a deed is judged: read, decided and written.

use std::collections::BTreeSet;

use aftercart::{
    model::{
        customer::CustomerId,
        points::{Judged, Ledger},
        policy::Policy,
        text::Text,
    },
    run::{App, Failure, metrics::Metric},
    store::{Commit, CommitError, Conflict, Found, Key, StoreError, deeds},
};

use crate::{
    account, posting,
    rules::actions::{self, Action, Decided, Facts},
    soundness,
};

/// How often the facts are read again when somebody else changed the ledger, or
/// accounts were taken apart in between.
const ATTEMPTS: u32 = 5;

/// A deed, and whether it was judged before.
pub(crate) struct Acted {
    pub(crate) judged: Judged,
    pub(crate) before: bool,
}

/// What is known of a person: of the account that asks, and of the one into
/// which it flows, if it does.
struct Known {
    asking: (CustomerId, Found),
    main: Option<(CustomerId, Found)>,
}

impl Known {
    /// One batched read, and another one of an account that flows into another.
    async fn read(
        app: &App,
        customer: &CustomerId,
        action: &Action,
        policy: &Policy,
    ) -> Result<Self, Failure> {
        let found = app.store.read(&keys(customer, action, policy)).await?;
        let main = account::main(&found.ledger(customer)?).clone();
        let main = match main == *customer {
            true => None,
            false => {
                let of_main = app.store.read(&keys(&main, action, policy)).await?;
                Some((main, of_main))
            }
        };
        Ok(Self { asking: (customer.clone(), found), main })
    }

    fn accounts(&self) -> impl Iterator<Item = &(CustomerId, Found)> {
        std::iter::once(&self.asking).chain(&self.main)
    }

    /// The ledger of the account in which the points are.
    fn ledger(&self) -> Result<Ledger, StoreError> {
        let (customer, found) = self.main.as_ref().unwrap_or(&self.asking);
        found.ledger(customer)
    }

    /// What the deed gave, if the person did it before.
    fn judged(&self, action: &Action) -> Result<Option<Judged>, StoreError> {
        for (customer, found) in self.accounts() {
            let id = Judged::id(customer, action.kind, &action.reference);
            if let Some(judged) = found.deed(customer, &id)? {
                return Ok(Some(judged));
            }
        }
        Ok(None)
    }

    /// The rules for such deeds that give once, and did.
    fn once(&self, action: &Action, policy: &Policy) -> Result<BTreeSet<Text<40>>, StoreError> {
        let mut once = BTreeSet::new();
        for rule in actions::rules(action.kind, &policy.points).filter(|rule| rule.once) {
            for (customer, found) in self.accounts() {
                if found.deed(customer, &Judged::once(customer, &rule.id))?.is_some() {
                    once.insert(rule.id.clone());
                }
            }
        }
        Ok(once)
    }
}

/// Judges what a member did, once: in one batched read and one transaction of
/// the deed, its entry and the ledger. Nothing if the policy has no rule for
/// such deeds. The points go to the account in which the member's points are.
/// The deed is known by the account that asks, and by that one: it is the same
/// deed before the accounts are linked, while they are, and after.
///
/// # Errors
/// When the ledger changed whenever it was read, the caller may come again.
pub(crate) async fn act(
    app: &App,
    customer: &CustomerId,
    action: &Action,
    policy: &Policy,
) -> Result<Option<Acted>, Failure> {
    if actions::rules(action.kind, &policy.points).next().is_none() {
        return Ok(None);
    }
    for _ in 0..ATTEMPTS {
        let known = Known::read(app, customer, action, policy).await?;
        if let Some(judged) = known.judged(action)? {
            return Ok(Some(Acted { judged, before: true }));
        }
        if let Some(acted) = judge(app, &known, action, policy).await? {
            return Ok(Some(acted));
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

/// Nothing if a ledger, or what a rule gave once, changed meanwhile.
async fn judge(
    app: &App,
    known: &Known,
    action: &Action,
    policy: &Policy,
) -> Result<Option<Acted>, Failure> {
    let (customer, found) = &known.asking;
    let before = known.ledger()?;
    if !account::is_of(&before, customer) {
        return Ok(None);
    }
    let (profile, once) = (found.profile(customer)?, known.once(action, policy)?);
    let facts = Facts { ledger: &before, profile: &profile, once: &once, now: app.now() };
    let decided =
        actions::decide(action, facts, policy).map_err(|error| soundness::refused(app, error))?;
    soundness::check(app, &decided.ledger)?;
    let Decided { ledger, entries, news, .. } = &decided;
    let writes = posting::writes(&before, ledger, entries, news, policy, app.now());
    match app.store.commit(judging(&decided, action).and(writes)).await {
        Ok(()) => {
            app.metrics.add(Metric::PointsPosted, decided.judged.points(), app.now());
            Ok(Some(Acted { judged: decided.judged, before: false }))
        }
        Err(CommitError::Lost(lost)) => {
            let judged = Conflict::at(&lost, 0).map(deeds::deed_from_item).transpose()?;
            Ok(judged.map(|judged| Acted { judged, before: true }))
        }
        Err(error) => Err(error.into()),
    }
}

fn keys(customer: &CustomerId, action: &Action, policy: &Policy) -> Vec<Key> {
    let deed = Judged::id(customer, action.kind, &action.reference);
    let mut keys = vec![Key::ledger(customer), Key::profile(customer), Key::deed(customer, &deed)];
    let once = actions::rules(action.kind, &policy.points).filter(|rule| rule.once);
    keys.extend(once.map(|rule| Key::deed(customer, &Judged::once(customer, &rule.id))));
    keys
}

/// The deed first: conflicts come by position. What a rule gives once is noted
/// like a deed of its own, and all of it again for the account in which the
/// points are, if that is another one.
fn judging(decided: &Decided, action: &Action) -> Commit {
    let (judged, main) = (&decided.judged, &decided.ledger.customer);
    let of = |customer: &CustomerId| {
        let id = Judged::id(customer, action.kind, &action.reference);
        let deed = Judged { id, customer: customer.clone(), ..judged.clone() };
        let once = decided.once.iter().map(|rule| Judged {
            id: Judged::once(customer, rule),
            told: Vec::new(),
            streak: None,
            ..deed.clone()
        });
        let once: Vec<_> = once.map(|it| deeds::judge(&it)).collect();
        std::iter::once(deeds::judge(&deed)).chain(once)
    };
    let main = (*main != judged.customer).then_some(main);
    [&judged.customer].into_iter().chain(main).flat_map(of).collect()
}
