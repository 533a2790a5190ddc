//! What was measured, as text for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A word.
    Text(String),
    /// A count.
    Count(u64),
    /// Thousandths, shown with as many decimals as are of use.
    Thousandths(u64),
    /// Yes or no.
    Yes(bool),
    /// Not measured here.
    Nothing,
}

impl Cell {
    /// A word.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            // Three digits tell all that a measurement is worth.
            Self::Thousandths(it) if *it >= 100_000 => it.div_euclid(1_000).to_string(),
            Self::Thousandths(it) if *it >= 10_000 => {
                format!("{}.{}", it / 1_000, it % 1_000 / 100)
            }
            Self::Thousandths(it) if *it >= 1_000 => {
                format!("{}.{:02}", it / 1_000, it % 1_000 / 10)
            }
            Self::Thousandths(it) => format!("0.{it:03}"),
            Self::Yes(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            Self::Nothing => "-".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
            Self::Thousandths(it) => {
                let decimal = format!("{}.{:03}", it / 1_000, it % 1_000);
                serde_json::from_str(&decimal).unwrap_or_default()
            }
            Self::Yes(yes) => json!(yes),
            Self::Nothing => Value::Null,
        }
    }
}

/// A table of figures: one row a case.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The option that made it, such as `checkout`.
    pub name: &'static str,
    /// What it is about, one line.
    pub title: String,
    /// The names of the columns, as JSON has them.
    pub columns: Vec<&'static str>,
    /// The rows, each with a cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// What else is to be known, a line each.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(name: &'static str, title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { name, title: title.into(), columns: columns.to_vec(), ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Adds a line below the table.
    pub fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// For people: columns in line, words to the left, figures to the right.
    #[must_use]
    pub fn text(&self) -> String {
        let shown: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        let width = |at: usize, name: &str| {
            let cells = shown.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).chain([name.len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> =
            self.columns.iter().enumerate().map(|(at, name)| width(at, name)).collect();
        let words: Vec<bool> = (0..self.columns.len())
            .map(|at| self.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Text(_)))))
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (at, cell) in cells.enumerate() {
                let width = widths.get(at).copied().unwrap_or(0);
                // Writing to a string does not fail.
                let _ignored: std::fmt::Result = if words.get(at).copied().unwrap_or(false) {
                    write!(line, "{cell:<width$}  ")
                } else {
                    write!(line, "{cell:>width$}  ")
                };
            }
            line.trim_end().to_owned() + "\n"
        };
        let mut text = format!("{}\n\n", self.title);
        text += &line(&mut self.columns.iter().copied());
        for row in &shown {
            text += &line(&mut row.iter().map(String::as_str));
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            text += note;
            text.push('\n');
        }
        text
    }

    /// For programs: each row an object, named by the columns.
    #[must_use]
    pub fn json(&self) -> Value {
        let row = |row: &Vec<Cell>| -> Map<String, Value> {
            let cells = self.columns.iter().zip(row);
            cells.map(|(name, cell)| ((*name).to_owned(), cell.json())).collect()
        };
        json!(self.rows.iter().map(row).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new("sample", "A sample", &["what", "per_s", "durable"]);
        table.row(vec![Cell::text("one"), Cell::Thousandths(1_234_567), Cell::Yes(true)]);
        table.row(vec![Cell::text("three"), Cell::Thousandths(12_345), Cell::Nothing]);
        table.note("Measured here.");
        table
    }

    #[test]
    fn people_read_columns() {
        let text = "A sample\n\nwhat   per_s  durable\none     1234      yes\nthree   12.3        -\n\nMeasured here.\n";
        assert_eq!(sample().text(), text);
    }

    #[test]
    fn programs_read_rows() {
        let rows = json!([
            { "what": "one", "per_s": 1234.567, "durable": true },
            { "what": "three", "per_s": 12.345, "durable": null },
        ]);
        assert_eq!(sample().json(), rows);
    }
}
