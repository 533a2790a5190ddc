//! Deliberately broken variants of the suite, which the simulation must catch.
//!
//! A mutant is at work between the functions and what is outside of them: it
//! changes their requests, the answers that they get, and what is told of
//! their outcome. So the functions themselves carry nothing for it.

mod answers;
mod catalogue;
mod requests;
#[cfg(test)]
mod tests;

use aftercart::{messages::Queue, model::payment::Provider, store::Table};

/// A deliberately broken variant of the suite.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// What it is called, such as `oversell`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Which invariant or check should notice.
    pub breaks: &'static str,
    defect: Defect,
}

/// Where a defect is: in calls of these functions (all of them, if none is
/// named), about items of this table whose keys begin so.
#[derive(Debug, Clone, Copy)]
struct Spot {
    functions: &'static [&'static str],
    table: Table,
    pk: &'static str,
    sk: &'static str,
}

/// What is broken.
#[derive(Debug, Clone, Copy)]
enum Defect {
    /// Writes here have no condition.
    Unconditional(Spot),
    /// Conditions here lack the clauses that name one of these attributes.
    Lax(Spot, &'static [&'static str]),
    /// Writes here that lose are told to have succeeded.
    Blind(Spot),
    /// Writes here are not made, and are told to have succeeded.
    Skipped(Spot),
    /// Writes here leave these attributes as they are, or out.
    Forgetful(Spot, &'static [&'static str]),
    /// What writes here add to this attribute, or put into it, is so many times as much.
    Multiplied(Spot, &'static str, i64),
    /// Sets of texts are replaced here instead of added to.
    Overwriting(Spot),
    /// Items here carry no messages.
    Silent(Spot),
    /// Transactions with a write here are written one after the other: what
    /// was written before one that loses stays, and some end in between.
    Torn(Spot),
    /// Reads of this table see the past, even those that must not.
    Stale(Spot),
    /// Answers of writes here hide the item that they met.
    Hiding(Spot),
    /// The function sends only the first of each batch of messages, and is told
    /// that all were sent.
    Dropping(&'static str),
    /// No message ever comes to this queue, and senders are told that it did.
    Deaf(Queue),
    /// Whatever the consumer of this queue says has failed is not delivered again.
    Careless(Queue),
    /// Changes that the reader of the streams says have failed are not told again.
    Passing(&'static str),
    /// Refunds are asked of the provider with so many times the money.
    Generous(Provider, i64),
    /// Refunds are asked of the provider under another key each time.
    Keyless(Provider),
    /// Refunds are asked of the provider twice, once under another key.
    Doubled(Provider),
}

impl Mutant {
    /// All of them.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &catalogue::ALL
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|it| it.name == name)
    }
}

impl Spot {
    const fn of(table: Table) -> Self {
        Self { functions: &[], table, pk: "", sk: "" }
    }

    const fn sort(self, sk: &'static str) -> Self {
        Self { sk, ..self }
    }

    const fn partition(self, pk: &'static str) -> Self {
        Self { pk, ..self }
    }

    const fn by(self, functions: &'static [&'static str]) -> Self {
        Self { functions, ..self }
    }
}
