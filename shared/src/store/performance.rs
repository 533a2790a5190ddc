//! How carriers keep what was promised: an item a lane and month, counters only.
//! The lane is in the key; how many arrived after three days is in `d3`.

use crate::model::{
    customer::Country,
    delivery::MethodId,
    dispatch::Counted,
    performance::{Lane, Performance},
    shipment::Carrier,
    stock::LocationId,
    text::Text,
};

use super::{
    Found, Item, Key, Sends, Store, StoreError, Table, Write,
    commit::Change,
    item::{StoredError, as_number, number},
    key::performance_pk,
    read::{PartitionQuery, key_of},
};

const ENDED: &str = "e";
const KEPT: &str = "k";
const DAYS: &str = "d";

/// Counts a delivery that came to an end. It counts each time: it belongs in
/// the commit that notes it in its shipment, which loses the second time.
#[must_use]
pub fn count(lane: &Lane, counted: &Counted) -> Write {
    let mut change = Change::default().set("v", number(1)).add(ENDED, 1);
    if counted.kept {
        change = change.add(KEPT, 1);
    }
    if let Some(days) = counted.days {
        change = change.add(format!("{DAYS}{days}"), 1);
    }
    Write::update(Key::performance(counted.month.as_str(), lane), change, &Sends::none())
}

fn from_item(item: &Item) -> Option<(Lane, Performance)> {
    let (_, sk) = key_of(item)?;
    let [method, from, to, carrier, service] = sk.splitn(5, '#').collect::<Vec<_>>()[..] else {
        return None;
    };
    let lane = Lane {
        service: match service {
            "" => None,
            service => Some(Text::new(service).ok()?),
        },
        carrier: match carrier {
            "" => None,
            carrier => Some(Carrier::parse(carrier)?),
        },
        from: LocationId::parse(from).ok()?,
        to: Country::try_from(to.to_owned()).ok()?,
        method: MethodId::parse(method).ok()?,
    };
    let mut performance = Performance::default();
    for (name, value) in item {
        let count = || as_number(value)?.parse().ok();
        match name.as_str() {
            ENDED => performance.ended = count()?,
            KEPT => performance.kept = count()?,
            name => {
                let days = name.strip_prefix(DAYS).and_then(|days| days.parse().ok());
                if let Some(days) = days {
                    performance.days.insert(days, count()?);
                }
            }
        }
    }
    Some((lane, performance))
}

impl Found {
    /// What was counted of a lane in a month, nothing if nothing was.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn performance(&self, month: &str, lane: &Lane) -> Result<Performance, StoreError> {
        let Some(item) = self.item(&Key::performance(month, lane)) else {
            return Ok(Performance::default());
        };
        let odd = StoreError::Stored { what: "lane's counters", source: StoredError::Range };
        from_item(item).map(|(_, performance)| performance).ok_or(odd)
    }
}

impl Store {
    /// What was counted in a month, such as `2026-11`, in the order of the
    /// lanes' keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn performance(&self, month: &str) -> Result<Vec<(Lane, Performance)>, StoreError> {
        let pk = performance_pk(month);
        let query = PartitionQuery { table: Table::Shipments, pk: &pk, prefix: None };
        let items = self.partition(query).await?;
        let read = |item: &Item| {
            let odd = StoreError::Stored { what: "lane's counters", source: StoredError::Range };
            from_item(item).ok_or(odd)
        };
        items.iter().map(read).collect()
    }
}
