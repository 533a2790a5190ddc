//! Configuration: read once, from what a function says it needs.

use crate::{
    messages::Queue,
    store::{Index, Op, Table},
};

use super::{Function, Trigger, secrets::Secret};

/// Something that a function may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A table, and what is done with it.
    Table(Table, &'static [Op]),
    /// An index of a table, which is queried.
    Index(Table, Index),
    /// A queue, to which messages are sent.
    Queue(Queue),
    /// A secret, which is read.
    Secret(Secret),
    /// A value of the environment.
    Setting(Setting),
    /// Calls to payment providers, carriers or systems of the merchant.
    Outgoing,
}

/// A value of the environment that is no table, queue or secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Where customers reach the API: the beginning of links sent to them.
    PublicUrl,
}

impl Setting {
    /// The environment variable that holds it.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::PublicUrl => "PUBLIC_URL",
        }
    }
}

/// The variable that names the dead-letter queue of a queue's consumer, where
/// it parks what no retry can mend.
pub const PARKING_VARIABLE: &str = "DEAD_LETTER_QUEUE_URL";

/// Looks up variables.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What a function cannot start without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{function} cannot start: set {}; template.yaml gives each function the variables it needs",
    .missing.join(", ")
)]
pub struct ConfigError {
    /// The function.
    pub function: &'static str,
    /// The variables that are missing or empty.
    pub missing: Vec<&'static str>,
}

/// What a function reads from its environment.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) tables: Vec<(Table, String)>,
    pub(super) queues: Vec<(Queue, String)>,
    pub(super) secrets: Vec<(Secret, String)>,
    pub(super) settings: Vec<(Setting, String)>,
    pub(super) parking: Option<String>,
}

/// The variables that a function needs, each once.
#[must_use]
pub fn variables(function: &Function) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = function
        .needs
        .iter()
        .filter_map(|need| match need {
            Need::Table(table, _) | Need::Index(table, _) => Some(table.variable()),
            Need::Queue(queue) => Some(queue.variable()),
            Need::Secret(secret) => Some(secret.variable()),
            Need::Setting(setting) => Some(setting.variable()),
            Need::Outgoing => None,
        })
        .collect();
    if matches!(function.trigger, Trigger::Queue(_)) {
        names.push(PARKING_VARIABLE);
    }
    names.sort_unstable();
    names.dedup();
    names
}

pub(super) fn read(
    function: &Function,
    environment: &Environment<'_>,
) -> Result<Config, ConfigError> {
    let value = |name| environment(name).filter(|value| !value.is_empty());
    let missing: Vec<_> =
        variables(function).into_iter().filter(|name| value(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(ConfigError { function: function.name, missing });
    }
    let value = |name| value(name).unwrap_or_default();
    let mut config = Config::default();
    for need in function.needs {
        match *need {
            Need::Table(table, _) | Need::Index(table, _) => {
                config.tables.push((table, value(table.variable())));
            }
            Need::Queue(queue) => config.queues.push((queue, value(queue.variable()))),
            Need::Secret(secret) => config.secrets.push((secret, value(secret.variable()))),
            Need::Setting(setting) => config.settings.push((setting, value(setting.variable()))),
            Need::Outgoing => {}
        }
    }
    if matches!(function.trigger, Trigger::Queue(_)) {
        config.parking = Some(value(PARKING_VARIABLE));
    }
    Ok(config)
}
