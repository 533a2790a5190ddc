//! Why a measurement ended early.

use std::fmt::Display;

/// The end of a measurement that did not give its figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The options are not understood.
    #[error("{0}\nTry `--help`.")]
    Usage(String),
    /// Something could not be done.
    #[error("could not {tried}: {why}")]
    Trouble {
        /// Completes "could not ...".
        tried: String,
        /// What was said about it.
        why: String,
    },
    /// What was measured is wrong, so that its speed does not matter.
    #[error("the result is wrong: {0}")]
    Wrong(String),
}

/// Turns errors of the system and of libraries into [`BenchError`]s that say
/// what was tried.
pub trait Trying<T> {
    /// `tried` completes "could not ...".
    ///
    /// # Errors
    /// [`BenchError::Trouble`].
    fn trying(self, tried: impl Display) -> Result<T, BenchError>;
}

impl<T, E: Display> Trying<T> for Result<T, E> {
    fn trying(self, tried: impl Display) -> Result<T, BenchError> {
        self.map_err(|error| BenchError::Trouble {
            tried: tried.to_string(),
            why: error.to_string(),
        })
    }
}

/// A trouble that no error of others tells.
#[must_use]
pub fn trouble(tried: impl Display, why: impl Display) -> BenchError {
    BenchError::Trouble { tried: tried.to_string(), why: why.to_string() }
}
