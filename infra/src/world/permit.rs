//! What a function may do: its needs, in the words of an access policy.

use std::{collections::BTreeSet, fmt};

use aftercart::{
    messages::Queue,
    run::{Function, Need, Trigger, secrets::Secret},
    store::{Index, Op, Table},
};

/// One thing that a function may do, such as `PutItem orders`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// An operation on a table.
    Table(Op, Table),
    /// A query of an index.
    Index(Table, Index),
    /// Sending to a queue.
    Send(Queue),
    /// Parking in the dead-letter queue of a queue.
    Park(Queue),
    /// Reading a secret.
    Secret(Secret),
    /// What no function may do, such as reading a whole table.
    Other(String),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(op, table) => write!(f, "{} {}", op.name(), table.name()),
            Self::Index(table, index) => write!(f, "Query {}/{}", table.name(), index.name()),
            Self::Send(queue) => write!(f, "SendMessage {queue}"),
            Self::Park(queue) => write!(f, "SendMessage {queue}-dlq"),
            Self::Secret(secret) => write!(f, "GetSecretValue {}", secret.variable()),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// What a function declared, and with it its dead-letter queue.
#[must_use]
pub fn declared(function: &Function) -> BTreeSet<Action> {
    let mut actions = BTreeSet::new();
    for need in function.needs {
        match *need {
            Need::Table(table, ops) => {
                actions.extend(ops.iter().map(|op| Action::Table(*op, table)));
            }
            Need::Index(table, index) => {
                actions.insert(Action::Index(table, index));
            }
            Need::Queue(queue) => {
                actions.insert(Action::Send(queue));
            }
            Need::Secret(secret) => {
                actions.insert(Action::Secret(secret));
            }
            Need::Setting(_) | Need::Outgoing => {}
        }
    }
    if let Trigger::Queue(queue) = function.trigger {
        actions.insert(Action::Park(queue));
    }
    actions
}
