//! What the developer sees: lines on stdout, and steps with a spinner on a
//! terminal. Nothing else in the dev command prints.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::failure::Failure;

/// The width of a step's name, so that what follows is a column.
const NAME: usize = 14;

/// Prints one line.
///
/// # Errors
/// [`Failure::Unread`] when nobody reads any more.
pub(super) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()).map_err(|_| Failure::Unread)
}

/// Prints one line where errors go. Nobody is told when that fails too.
pub(super) fn complain(text: impl AsRef<str>) {
    writeln!(io::stderr().lock(), "{}", text.as_ref()).ok();
}

/// Makes a text bold on a terminal.
pub(super) fn bold(text: &str) -> String {
    styled(text, "1")
}

/// Makes a text green on a terminal.
pub(super) fn green(text: &str) -> String {
    styled(text, "32")
}

/// Makes a text red on a terminal.
pub(super) fn red(text: &str) -> String {
    styled(text, "31")
}

/// Makes a text faint on a terminal.
pub(super) fn faint(text: &str) -> String {
    styled(text, "2")
}

fn styled(text: &str, code: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some() || !io::stdout().is_terminal();
    if plain { text.to_owned() } else { format!("\x1b[{code}m{text}\x1b[0m") }
}

/// One step of a verb: begun, perhaps told of, then done or dropped.
pub(super) struct Step {
    name: &'static str,
    begun: Instant,
    spinner: ProgressBar,
}

impl Step {
    /// Begins a step. `doing` says what happens now, for those who wait.
    pub(super) fn begin(name: &'static str, doing: &str) -> Result<Self, Failure> {
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix:14} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.set_prefix(name);
        spinner.set_message(doing.to_owned());
        if spinner.is_hidden() {
            line(format!("  .. {name:NAME$}{doing}"))?;
        } else {
            spinner.enable_steady_tick(Duration::from_millis(120));
        }
        Ok(Self { name, begun: Instant::now(), spinner })
    }

    /// Says what happens now. Seen on a terminal only.
    pub(super) fn tell(&self, doing: &str) {
        self.spinner.set_message(doing.chars().take(90).collect::<String>());
    }

    /// Says something that everybody should know before it happens.
    pub(super) fn announce(&self, what: &str) -> Result<(), Failure> {
        if self.spinner.is_hidden() {
            line(format!("     {:NAME$}{what}", ""))
        } else {
            self.tell(what);
            Ok(())
        }
    }

    /// The spinner, for telling from another thread.
    pub(super) fn teller(&self) -> ProgressBar {
        self.spinner.clone()
    }

    /// Ends the step well.
    pub(super) fn done(self, result: &str) -> Result<(), Failure> {
        self.spinner.finish_and_clear();
        let seconds = seconds(self.begun.elapsed());
        let ok = green("ok");
        line(format!("  {ok} {:NAME$}{result}  {}", self.name, faint(&seconds)))
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
    }
}

/// A spinner for something awaited; seen on a terminal only.
pub(super) fn waiting(what: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("  {spinner}  {msg} {elapsed}") {
        spinner.set_style(style);
    }
    spinner.set_message(what.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// A duration for people: `0.4 s`, `1 min 24 s`.
pub(super) fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    match time.as_secs() {
        0..=9 => format!("{}.{} s", tenths / 10, tenths % 10),
        10..=59 => format!("{} s", time.as_secs()),
        more => format!("{} min {} s", more / 60, more % 60),
    }
}

/// A table with one space of air; the widths are those of the widest cells.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_for_people() {
        assert_eq!(seconds(Duration::from_millis(449)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(24)), "24 s");
        assert_eq!(seconds(Duration::from_secs(84)), "1 min 24 s");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(table(&rows), ["a    bb", "ccc  d"]);
    }
}
