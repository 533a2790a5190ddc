//! A CSV file with a line of column names.

use aftercart::model::{
    money::{Currency, Money, MoneyError},
    time::Timestamp,
};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::ROWS_MAX;

/// Why a file is no statement. Each names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its bytes are no text of the encodings that the provider writes.
    #[error("the file is neither UTF-8 nor {other}")]
    Encoding {
        /// The other encoding.
        other: &'static str,
    },
    /// It is no CSV there.
    #[error("line {line}: {what}")]
    Line {
        /// In which line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A column is missing.
    #[error("line {line}: there is no column `{column}`")]
    Column {
        /// The line of the column names, from 1.
        line: u64,
        /// By which name it is looked for.
        column: &'static str,
    },
    /// A value cannot be read.
    #[error("line {line}, column `{column}`: {what}")]
    Cell {
        /// In which line, from 1.
        line: u64,
        /// In which column.
        column: &'static str,
        /// What is wrong.
        what: String,
    },
    /// It is longer than can be compared in one call.
    #[error("the file has more than {ROWS_MAX} rows: divide it, by days or by payouts")]
    Rows,
}

/// The records of a file, by column names.
pub(super) struct File {
    header: Vec<String>,
    header_line: u64,
    records: Vec<(u64, StringRecord)>,
}

/// One record of a file.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    file: &'a File,
    record: &'a StringRecord,
    /// In which line it begins, from 1.
    pub(super) line: u64,
}

impl File {
    /// Reads a file. Lines that begin with `#` say nothing; names of columns
    /// are compared without what is in brackets at their end, such as a unit.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| Fault::Line {
                line: error.position().map_or(0, csv::Position::line),
                what: "this is no CSV".to_owned(),
            })?;
            records.push((lines.of(&record), record));
            if records.len() > ROWS_MAX.saturating_add(1) {
                return Err(Fault::Rows);
            }
        }
        if records.is_empty() {
            return Err(Fault::Line { line: 1, what: "the file is empty".to_owned() });
        }
        let (header_line, first) = records.remove(0);
        let header = first.iter().map(|name| plain(name).to_owned()).collect();
        Ok(Self { header, header_line, records })
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.iter().map(|(line, record)| Record { file: self, record, line: *line })
    }

    /// Makes sure that there is such a column.
    pub(super) fn require(&self, columns: &[&'static str]) -> Result<(), Fault> {
        let line = self.header_line;
        match columns.iter().find(|column| !self.has(column)) {
            Some(column) => Err(Fault::Column { line, column }),
            None => Ok(()),
        }
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }
}

impl<'a> Record<'a> {
    /// What is in a column; none if it is empty or there is no such column.
    pub(super) fn get(&self, column: &str) -> Option<&'a str> {
        let position = self.file.header.iter().position(|name| name == column)?;
        self.record.get(position).filter(|text| !text.is_empty())
    }

    /// What is in a column that must not be empty.
    pub(super) fn text(&self, column: &'static str) -> Result<&'a str, Fault> {
        self.get(column).ok_or_else(|| self.fault(column, "it is empty"))
    }

    /// An amount in whole units of a currency, with a point before the rest.
    pub(super) fn money(&self, column: &'static str, currency: Currency) -> Result<Money, Fault> {
        let text = self.text(column)?;
        let money = Money::from_decimal(text.strip_prefix('+').unwrap_or(text), currency);
        money.map_err(|error: MoneyError| self.fault(column, error.to_string()))
    }

    /// A moment written as `2026-11-21 12:00:00`, so many hours ahead of UTC.
    pub(super) fn moment(&self, column: &'static str, offset: &str) -> Result<Timestamp, Fault> {
        let text = self.text(column)?.replacen(' ', "T", 1);
        let text = if text.ends_with('Z') { text } else { format!("{text}{offset}") };
        Timestamp::parse(&text)
            .map_err(|_| self.fault(column, "it is no time such as 2026-11-21 12:00:00"))
    }

    /// What is wrong with a column of this record.
    pub(super) fn fault(&self, column: &'static str, what: impl Into<String>) -> Fault {
        Fault::Cell { line: self.line, column, what: what.into() }
    }
}

/// Counts lines up to where records begin. The reader itself counts what lies
/// between two records, such as comments and half of a line's end, to the second.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first record at or after a place; places only grow.
    fn of(&mut self, record: &StringRecord) -> u64 {
        let place = record.position().map_or(0, csv::Position::byte);
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let mut comment = false;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\n' => (self.line, comment) = (self.line.saturating_add(1), false),
                b'#' if self.at >= place => comment = true,
                b'\r' => {}
                _ if self.at >= place && !comment => break,
                _ => {}
            }
            self.at = self.at.saturating_add(1);
        }
        self.line
    }
}

/// A name of a column without a unit in round brackets.
fn plain(name: &str) -> &str {
    let end = name.find(['（', '(']).unwrap_or(name.len());
    name.get(..end).unwrap_or(name).trim()
}
