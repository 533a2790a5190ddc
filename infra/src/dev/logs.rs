//! What the functions log, from where the emulator keeps it.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use aftercart::model::time::{Period, Timestamp};
use serde_json::{Value, json};

use super::{
    child::Stop,
    failure::Failure,
    http::text,
    place::Place,
    running::{Running, now},
    show::{self, faint, red},
    stack::Stack,
};

/// How often a followed log is looked at.
const GLANCE: Duration = Duration::from_millis(700);

/// How far back a followed log is looked at again: a call logs at its end, and
/// none takes longer than a minute.
const LOOK_BACK: Period = Period::of_seconds(60);

/// The most lines that are shown of the past.
const LINES_MAX: usize = 200;

struct Line {
    at: i64,
    function: String,
    message: String,
}

/// `cargo dev logs`: of one function or of all, once or as they come.
pub(super) fn run(
    place: &Place,
    stop: &Stop,
    function: Option<&str>,
    follow: bool,
) -> Result<(), Failure> {
    let (_, stack) = Running::stack(place)?;
    let mut groups = BTreeMap::new();
    match function {
        Some(name) => groups.insert(name.to_owned(), stack.function(name)?.log_group.clone()),
        None => {
            groups.extend(stack.functions.iter().map(|(n, f)| (n.clone(), f.log_group.clone())));
            None
        }
    };
    let mut seen = HashSet::new();
    let mut lines = fetch(&stack, &groups, &mut seen, 0)?;
    let width = groups.keys().map(String::len).max().unwrap_or(0);
    let skipped = lines.len().saturating_sub(LINES_MAX);
    if skipped > 0 {
        show::line(faint(&format!("... {skipped} earlier lines are not shown")))?;
    }
    show_all(&lines[skipped..], width)?;
    if lines.is_empty() && !follow {
        show::line("Nothing was logged yet.")?;
    }
    while follow && stop.pause(GLANCE).is_ok() {
        let since = now().minus(LOOK_BACK).unix_millis();
        lines = fetch(&stack, &groups, &mut seen, since)?;
        show_all(&lines, width)?;
    }
    Ok(())
}

/// The lines that were not seen yet, in the order of time. The emulator gives
/// events no identity, but each call of a function its own log stream.
fn fetch(
    stack: &Stack,
    groups: &BTreeMap<String, String>,
    seen: &mut HashSet<(String, String)>,
    since: i64,
) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for (function, group) in groups {
        let mut page = json!({ "logGroupName": group, "startTime": since });
        loop {
            let answer = stack.aws("logs", "Logs_20140328.FilterLogEvents", &page)?.json();
            for event in answer.get("events").and_then(Value::as_array).into_iter().flatten() {
                let message = text(event, "/message");
                let new = seen.insert((text(event, "/logStreamName"), message.clone()));
                if new && !is_frame(&message) {
                    let at = event.get("timestamp").and_then(Value::as_i64).unwrap_or_default();
                    lines.push(Line { at, function: function.clone(), message });
                }
            }
            match answer.get("nextToken").filter(|token| !token.is_null()) {
                Some(token) => page["nextToken"] = token.clone(),
                None => break,
            }
        }
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

/// Lambda's own lines around each call.
fn is_frame(message: &str) -> bool {
    ["START RequestId", "END RequestId", "REPORT RequestId"].iter().any(|f| message.starts_with(f))
}

fn show_all(lines: &[Line], width: usize) -> Result<(), Failure> {
    for Line { at, function, message } in lines {
        let at = Timestamp::from_unix_millis(*at).map(|at| at.to_string()).unwrap_or_default();
        let time = at.get(11..23).unwrap_or(&at);
        show::line(format!("{} {function:width$}  {}", faint(time), readable(message)))?;
    }
    Ok(())
}

/// A JSON line of a function as people read it: level, message, then the rest.
/// Counters for the operator are shown as such.
fn readable(line: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    let counts = fields.remove("_aws").is_some();
    for common in ["timestamp", "target", "span", "request_id", "trace", "v"] {
        fields.remove(common);
    }
    let mut take = |name: &str| fields.remove(name).and_then(|v| v.as_str().map(str::to_owned));
    let level = if counts { "COUNT".to_owned() } else { take("level").unwrap_or_default() };
    let message = take("message").unwrap_or_default();
    let level = format!("{level:5}");
    let level = if level == "ERROR" || level == "WARN " { red(&level) } else { level };
    let rest = fields.into_iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    let rest = faint(&rest.collect::<Vec<_>>().join(" "));
    format!("{level} {message}{}{rest}", if message.is_empty() { "" } else { "  " })
}
