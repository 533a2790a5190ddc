//! What is wrong with what became of some bytes.

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Finding(String);

/// Nothing, or what is wrong.
pub type Verdict = Result<(), Finding>;

impl Finding {
    /// In words.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What kept a target from looking at all.
    pub(crate) fn unprepared(error: impl std::fmt::Display) -> Self {
        Self(format!("the target cannot be prepared: {error}"))
    }
}

/// Ends with a finding, in words, unless something holds.
macro_rules! hold {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err($crate::Finding::new(format!($($words)+)));
        }
    };
}
