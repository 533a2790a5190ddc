//! The last look at a ledger before it is written.

use aftercart::{
    model::points::{Ledger, LedgerError},
    run::{App, Failure, metrics::Metric},
};

/// Refuses to write a ledger whose balances do not follow from its lots, and
/// rings the operator's alarm: an error in it must not grow.
pub(crate) fn check(app: &App, ledger: &Ledger) -> Result<(), Failure> {
    ledger.check().map_err(|error| mismatch(app, error.to_string()))
}

/// What becomes of a message by which a ledger refuses to move: no retry mends
/// too many points; anything else is a ledger that is not sound.
pub(crate) fn refused(app: &App, error: LedgerError) -> Failure {
    match error {
        LedgerError::TooMany => Failure::poison(error),
        LedgerError::TooFew | LedgerError::Unbalanced | LedgerError::Inconsistent => {
            mismatch(app, error.to_string())
        }
    }
}

/// A ledger and its entries that do not agree.
pub(crate) fn mismatch(app: &App, what: impl Into<String>) -> Failure {
    app.metrics.count(Metric::LedgerMismatch, app.now());
    Failure::bug(what.into())
}
