//! In which account a member's points are: the own one, or the one into which
//! it flows.

use aftercart::{
    model::{customer::CustomerId, points::Ledger},
    run::{App, Failure},
    store::Key,
};

/// The account in which the points of a ledger's member are.
pub(crate) fn main(ledger: &Ledger) -> &CustomerId {
    ledger.link.into.as_ref().map_or(&ledger.customer, |(main, _)| main)
}

/// Whether a ledger is of this account, or it flows into it.
pub(crate) fn is_of(ledger: &Ledger, customer: &CustomerId) -> bool {
    all(ledger).any(|account| account == customer)
}

/// The ledger of the account in which a member's points are: one round trip,
/// two if the own one flows into it.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn ledger(app: &App, member: &CustomerId) -> Result<Ledger, Failure> {
    let own = app.store.read(&[Key::ledger(member)]).await?.ledger(member)?;
    spent_from(app, own).await
}

/// The same of a member whose own ledger was read: another round trip only if
/// that one flows into another.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn spent_from(app: &App, own: Ledger) -> Result<Ledger, Failure> {
    let Some((main, _)) = &own.link.into else { return Ok(own) };
    Ok(app.store.read(&[Key::ledger(main)]).await?.ledger(main)?)
}

/// The accounts whose points are in a ledger: its own, and those that flow
/// into it.
pub(crate) fn all(ledger: &Ledger) -> impl Iterator<Item = &CustomerId> {
    std::iter::once(&ledger.customer).chain(&ledger.link.from)
}
