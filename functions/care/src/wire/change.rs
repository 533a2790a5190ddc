//! What operators send to act on a ticket.

use aftercart::model::{
    text::Text,
    ticket::{CauseCode, DeskId, MAX_MESSAGE, Priority, RemedyKind},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /operator/tickets/{id}/assignment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignTicket {
    /// Which desk; the one that has it, if it is left out.
    #[serde(default)]
    pub desk: Option<DeskId>,
    /// Who of them, by the subject of the token; nobody, if it is left out.
    #[serde(default)]
    pub assignee: Option<Text<128>>,
}

/// The body of `POST /operator/tickets/{id}/reply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyTicket {
    /// What the customer reads, in one paragraph.
    pub text: Text<MAX_MESSAGE>,
    /// Whether the customer is to say something before the shop goes on: its
    /// clock stands still until then.
    #[serde(default)]
    pub waits: bool,
}

/// The body of `POST /operator/tickets/{id}/note`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteTicket {
    /// What the customer does not read, in one paragraph.
    pub text: Text<MAX_MESSAGE>,
    /// The key of the remedy that it reports on: a call that was made.
    #[serde(default)]
    pub called: Option<Text<128>>,
}

/// The body of `POST /operator/tickets/{id}/priority`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrioritiseTicket {
    /// How soon it is seen to.
    pub priority: Priority,
}

/// The body of `POST /operator/tickets/{id}/remedies`: what is done for the
/// customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemedyTicket {
    /// What.
    pub remedy: RemedyKind,
}

/// The body of `POST /operator/tickets/{id}/solution`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SolveTicket {
    /// Why it came to it, by a code of the policy.
    pub cause: CauseCode,
    /// What the customer reads of it, in one paragraph.
    #[serde(default)]
    pub text: Option<Text<MAX_MESSAGE>>,
}

/// The body of `POST /operator/tickets/{id}/reopening`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenTicket {
    /// Why, in one paragraph; the customer does not read it.
    #[serde(default)]
    pub text: Option<Text<MAX_MESSAGE>>,
}
