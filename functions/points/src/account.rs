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
    ledger.customer == *customer || ledger.link.from.contains(customer)
}

/// The ledger of the account in which a member's points are: one round trip,
/// two if the own one flows into it.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn ledger(app: &App, member: &CustomerId) -> Result<Ledger, Failure> {
    let read = async |customer: &CustomerId| {
        app.store.read(&[Key::ledger(customer)]).await?.ledger(customer)
    };
    let own = read(member).await?;
    match &own.link.into {
        None => Ok(own),
        Some((main, _)) => Ok(read(main).await?),
    }
}
