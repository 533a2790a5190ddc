//! The tables of what carriers' codes mean: `carriers/*.json` beside the
//! sources. A file says where its codes are documented, and of which day that
//! documentation is; a new code of a carrier is a new line there.

use std::{collections::BTreeMap, sync::LazyLock};

use aftercart::model::shipment::{Carrier, ParcelStatus, Reason};
use serde::Deserialize;

/// The codes of one carrier.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Where the codes are documented.
    pub source: String,
    /// The day of that documentation, or its edition.
    pub edition: String,
    /// The words for where a parcel is.
    pub codes: BTreeMap<String, Code>,
    /// The more exact words that may come with them.
    #[serde(default)]
    pub details: BTreeMap<String, Code>,
}

/// What a code means.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Where the parcel is; left out of a detail that leaves it to the code.
    #[serde(default)]
    pub status: Option<ParcelStatus>,
    /// Why, when something is wrong.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Whether a detail that has a status decides.
    #[serde(default)]
    pub vague: bool,
    /// The carrier's own explanation, for readers.
    #[serde(default)]
    pub about: String,
}

/// What the words of a scan mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Where the parcel is.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    pub reason: Option<Reason>,
    /// Whether all the words are in the table.
    pub is_known: bool,
}

impl Table {
    /// What a code and the more exact one with it mean. One that is not in the
    /// table is [`ParcelStatus::Unknown`]; a detail that is not in it leaves
    /// what the code says.
    #[must_use]
    pub fn meaning(&self, code: &str, detail: Option<&str>) -> Meaning {
        let known = self.codes.get(code);
        let more = detail.map(|detail| self.details.get(detail));
        let is_known = known.is_some() && more.is_none_or(|more| more.is_some());
        let more = more.flatten();
        let decided = more.and_then(|more| more.status);
        let decided = decided.filter(|_| known.is_some_and(|code| code.vague));
        let status = decided.or_else(|| known.and_then(|code| code.status));
        let reason = more.and_then(|more| more.reason).or_else(|| known.and_then(|it| it.reason));
        Meaning { status: status.unwrap_or(ParcelStatus::Unknown), reason, is_known }
    }
}

/// The table of a carrier. The generic format has words of ours and none.
#[must_use]
pub fn of(carrier: Carrier) -> &'static Table {
    static EASYPOST: LazyLock<Table> =
        LazyLock::new(|| read(include_str!("../../carriers/easypost.json")));
    static AFTERSHIP: LazyLock<Table> =
        LazyLock::new(|| read(include_str!("../../carriers/aftership.json")));
    static KUAIDI100: LazyLock<Table> =
        LazyLock::new(|| read(include_str!("../../carriers/kuaidi100.json")));
    static KDNIAO: LazyLock<Table> =
        LazyLock::new(|| read(include_str!("../../carriers/kdniao.json")));
    static GENERIC: LazyLock<Table> =
        LazyLock::new(|| read(include_str!("../../carriers/generic.json")));
    match carrier {
        Carrier::Easypost => &EASYPOST,
        Carrier::Aftership => &AFTERSHIP,
        Carrier::Kuaidi100 => &KUAIDI100,
        Carrier::Kdniao => &KDNIAO,
        Carrier::Generic => &GENERIC,
    }
}

/// The files are part of the program, and tests read them all; without its
/// table every code of a carrier would be unknown, and counted.
fn read(file: &str) -> Table {
    serde_json::from_str(file).unwrap_or_default()
}
