//! What can go wrong, by what is to be done about it. The class is chosen
//! where the failure arises.

use std::{error::Error, fmt};

use crate::store::{CommitError, StoreError};

use super::http::Problem;

/// A failure and what is to be done about it.
#[derive(Debug)]
pub enum Failure {
    /// The caller's fault: told to the caller, never retried by us.
    Refuse(Box<Problem>),
    /// May work later: an HTTP caller is told to try again, a message comes back.
    Retry(Cause),
    /// A message that no retry can mend: parked with its reason for a person.
    Poison(Cause),
    /// Our own fault: logged as such; a message comes back and is parked in the end.
    Bug(Cause),
}

/// Why something failed, for us; never for the caller.
pub type Cause = Box<dyn Error + Send + Sync>;

impl Failure {
    /// May work later.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self::Retry(cause.into())
    }

    /// Cannot work, however often it is tried.
    pub fn poison(cause: impl Into<Cause>) -> Self {
        Self::Poison(cause.into())
    }

    /// Should not be possible.
    pub fn bug(cause: impl Into<Cause>) -> Self {
        Self::Bug(cause.into())
    }

    /// The name of the class in logs.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Refuse(_) => "refuse",
            Self::Retry(_) => "retry",
            Self::Poison(_) => "poison",
            Self::Bug(_) => "bug",
        }
    }
}

/// The failure and what caused it, in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(problem) => write!(f, "{}", problem.detail()),
            Self::Retry(cause) | Self::Poison(cause) | Self::Bug(cause) => {
                f.write_str(&chain(cause.as_ref()))
            }
        }
    }
}

/// An error and its sources, joined by colons.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refuse(Box::new(problem))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Call { .. } | StoreError::Contended { .. } | StoreError::Unread { .. } => {
                Self::retry(error)
            }
            StoreError::Refused { .. } | StoreError::Stored { .. } | StoreError::Undeclared(_) => {
                Self::bug(error)
            }
        }
    }
}

/// A lost condition that the handler did not answer means that its facts are
/// out of date: on the next try it reads them anew.
impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Failed(error) => error.into(),
            CommitError::Lost(_) => Self::retry(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_tells_every_source() {
        let error = StoreError::Call { operation: "GetItem", source: "no route".into() };
        assert_eq!(chain(&error), "the call GetItem of DynamoDB failed: no route");
        assert_eq!(Failure::from(error).class(), "retry");
        assert_eq!(
            Failure::from(StoreError::Undeclared(crate::store::Table::Stock)).class(),
            "bug"
        );
    }
}
