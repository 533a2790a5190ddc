//! Structured logs: one JSON object a line, readable alone, without bodies,
//! tokens or personal data.

use tracing::Level;
use tracing_subscriber::{Layer, Registry, filter::LevelFilter, layer::SubscriberExt};

/// The variable that sets the level: `error`, `warn`, `info` or `debug`.
const VARIABLE: &str = "LOG_LEVEL";

/// Starts logging to standard output. A level that is none of the four is
/// taken for `info`, and said so.
pub(super) fn start() {
    let wanted = std::env::var(VARIABLE).unwrap_or_default().to_ascii_lowercase();
    let level = match wanted.as_str() {
        "error" => Some(Level::ERROR),
        "warn" => Some(Level::WARN),
        "info" | "" => Some(Level::INFO),
        "debug" => Some(Level::DEBUG),
        _ => None,
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_filter(LevelFilter::from_level(level.unwrap_or(Level::INFO)));
    let started = tracing::subscriber::set_global_default(Registry::default().with(lines));
    if started.is_ok() && level.is_none() {
        tracing::warn!(variable = VARIABLE, "is none of error, warn, info, debug; info is used");
    }
}
