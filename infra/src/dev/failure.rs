//! Why a verb ended early, in words for the developer.

use std::fmt::Display;

/// The end of a verb that did not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The developer asked for the end, with Ctrl-C or a signal.
    Stopped,
    /// The reader of our output has closed it, as `head` does.
    Unread,
    /// It was told already.
    Told,
    /// What went wrong, and what to do about it.
    Trouble {
        /// One sentence, or a few lines.
        what: String,
        /// One sentence; empty when there is nothing better than to read `what`.
        remedy: String,
    },
}

impl Failure {
    /// Something went wrong.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self::Trouble { what: what.into(), remedy: String::new() }
    }

    /// The same, with what to do about it.
    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        match self {
            Self::Trouble { what, .. } => Self::Trouble { what, remedy: remedy.into() },
            other => other,
        }
    }
}

/// Turns errors of the system and of libraries into [`Failure`]s that say what was tried.
pub(super) trait Trying<T> {
    /// `tried` completes "Could not ...".
    fn trying(self, tried: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> Trying<T> for Result<T, E> {
    fn trying(self, tried: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("Could not {tried}: {error}.")))
    }
}
