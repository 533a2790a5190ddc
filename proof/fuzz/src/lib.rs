//! What the internet may send, and what must hold whatever it sends.
//!
//! A [`Target`] takes bytes and says what is wrong with what became of them.
//! The same targets are run by the tests, on the corpus and on mutations of it
//! that follow from a seed, and by libFuzzer, which looks for new ways through
//! the code (`fuzz/`, `cargo dev fuzz`).
//!
//! A target never trusts that nothing panicked: it states what has to hold.
//! Functions are called as a whole, in one process with their tables, where a
//! caught panic and whatever else is a bug of ours is seen in what they log.

#[macro_use]
mod finding;

mod requests;

mod callbacks;

mod provider_answers;

mod carriers;

mod messages;

mod documents;

mod statements;

mod tokens;

mod forms;

mod texts;

mod values;

mod mutate;

mod reply;

mod shop;

mod signing;

mod story;

mod watch;

pub use finding::{Finding, Verdict};
pub use mutate::mutate;

/// A seed of a target: its name and its bytes.
pub type Seed = (String, Vec<u8>);

/// A way in, and what must hold of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called, as is the folder of its corpus.
    pub name: &'static str,
    /// Looks what becomes of some bytes.
    pub check: fn(&[u8]) -> Verdict,
    /// Well-formed bytes, to begin with.
    pub seeds: fn() -> Result<Vec<Seed>, Finding>,
}

/// Whole functions of the HTTP API.
pub const REQUESTS: Target =
    Target { name: "requests", check: requests::check, seeds: requests::seeds };

/// What payment providers report.
pub const CALLBACKS: Target =
    Target { name: "callbacks", check: callbacks::check, seeds: callbacks::seeds };

/// What payment providers answer to calls.
pub const PROVIDER_ANSWERS: Target = Target {
    name: "provider_answers",
    check: provider_answers::check,
    seeds: provider_answers::seeds,
};

/// What carriers push and answer.
pub const CARRIERS: Target =
    Target { name: "carriers", check: carriers::check, seeds: carriers::seeds };

/// What lies in queues and streams.
pub const MESSAGES: Target =
    Target { name: "messages", check: messages::check, seeds: messages::seeds };

/// What the merchant sets.
pub const DOCUMENTS: Target =
    Target { name: "documents", check: documents::check, seeds: documents::seeds };

/// What providers say that they settled.
pub const STATEMENTS: Target =
    Target { name: "statements", check: statements::check, seeds: statements::seeds };

/// What opens doors.
pub const TOKENS: Target = Target { name: "tokens", check: tokens::check, seeds: tokens::seeds };

/// What pages send.
pub const FORMS: Target = Target { name: "forms", check: forms::check, seeds: forms::seeds };

/// What customers write.
pub const TEXTS: Target = Target { name: "texts", check: texts::check, seeds: texts::seeds };

/// Times, amounts, identities and the like.
pub const VALUES: Target = Target { name: "values", check: values::check, seeds: values::seeds };

/// All of them.
pub const TARGETS: [Target; 11] = [
    REQUESTS,
    CALLBACKS,
    PROVIDER_ANSWERS,
    CARRIERS,
    MESSAGES,
    DOCUMENTS,
    STATEMENTS,
    TOKENS,
    FORMS,
    TEXTS,
    VALUES,
];

/// The text of the bytes up to the first line break, and what comes after it:
/// how inputs say what they are about.
fn headed(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (head, rest) = input.split_at(end);
    Some((std::str::from_utf8(head).ok()?, rest.get(1..).unwrap_or_default()))
}

/// A seed of which the head says what it is about.
fn seed(name: impl Into<String>, head: &str, body: impl AsRef<[u8]>) -> Seed {
    (name.into(), [head.as_bytes(), b"\n", body.as_ref()].concat())
}
