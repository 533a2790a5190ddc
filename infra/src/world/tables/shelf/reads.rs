//! Reads: by key, by partition, of an index; now or a moment ago.

use std::ops::Bound;

use dynoxide::actions::{
    batch_get_item::BatchGetItemRequest, get_item::GetItemRequest, query::QueryRequest,
    scan::ScanRequest,
};
use serde_json::{Map, Value, json};

use crate::world::{tables::request::index_named, weather::Unseen};

use super::*;

/// The most bytes of a page.
const PAGE_BYTES_MAX: usize = 1_024 * 1_024;

/// What of a list of items in order is asked for.
struct Want<K> {
    from: Bound<K>,
    until: Bound<K>,
    forward: bool,
    most: usize,
}

impl State {
    fn found(&self, table: Table) -> Option<&Rows> {
        self.tables.get(&table).map(AsRef::as_ref)
    }

    pub(super) fn get(&self, request: &GetItemRequest, reading: Reading) -> Tabled {
        let (table, place) = (table(&request.table_name)?, Place::of(&request.key)?);
        let consistent = request.consistent_read == Some(true);
        let Reading { now, mut unseen } = reading;
        let unseen = unseen.as_mut().filter(|_| !consistent).map_or(0, Unseen::writes);
        let image = self.found(table).and_then(|rows| rows.seen(&place, unseen, now));
        let units = units(image.map_or(0, |image| item_size(image)), 4);
        let body = image.map_or_else(|| json!({}), |image| json!({ "Item": &**image }));
        Ok((body, read(units, consistent), Vec::new()))
    }

    pub(super) fn batch(&self, request: &BatchGetItemRequest, reading: Reading) -> Tabled {
        let Reading { now, mut unseen } = reading;
        let (mut responses, mut halves) = (Map::new(), 0);
        let names: BTreeSet<&String> = request.request_items.keys().collect();
        for name in names {
            let Some(wanted) = request.request_items.get(name) else { continue };
            let (rows, mut items) = (self.found(table(name)?), Vec::new());
            let consistent = wanted.consistent_read == Some(true);
            for key in &wanted.keys {
                let place = Place::of(key)?;
                let unseen = unseen.as_mut().filter(|_| !consistent).map_or(0, Unseen::writes);
                let image = rows.and_then(|rows| rows.seen(&place, unseen, now));
                let units = units(image.map_or(0, |image| item_size(image)), 4);
                halves += read(units, consistent).read_halves;
                items.extend(image.map(|image| json!(&**image)));
            }
            responses.insert(name.clone(), items.into());
        }
        let body = json!({ "Responses": responses, "UnprocessedKeys": {} });
        Ok((body, Cost { write_halves: 0, read_halves: halves }, Vec::new()))
    }

    pub(super) fn query(&self, request: &QueryRequest, reading: Reading) -> Tabled {
        let plain = request.filter_expression.is_none() && request.projection_expression.is_none();
        let condition = request.key_condition_expression.as_deref().filter(|_| plain);
        let condition = condition.ok_or_else(|| invalid("such a query is not known here"))?;
        let terms = Terms::new(
            request.expression_attribute_names.as_ref(),
            request.expression_attribute_values.as_ref(),
        );
        let span = terms.span(condition).map_err(invalid)?;
        let table = table(&request.table_name)?;
        let index = match &request.index_name {
            None => None,
            Some(name) => {
                let known = index_named(name)
                    .and_then(|index| table.indexes().iter().find(|(it, ..)| *it == index));
                Some(known.ok_or_else(|| invalid(format!("there is no index {name}")))?)
            }
        };
        let consistent = index.is_none() && request.consistent_read == Some(true);
        let reading = Reading { unseen: reading.unseen.filter(|_| !consistent), ..reading };
        let start = start_of(request.exclusive_start_key_raw.as_ref())?;
        let (forward, most) = (request.scan_index_forward, request.limit.unwrap_or(usize::MAX));
        let nothing = Rows::default();
        let rows = self.found(table).unwrap_or(&nothing);
        let page = match index {
            None => {
                let from = Place { pk: span.partition.as_str().into(), sk: span.from.into() };
                let until = match span.until {
                    Some(until) => Place { pk: Arc::clone(&from.pk), sk: until.into() },
                    None => Place::first_of(&after(&from.pk)),
                };
                let start = start.as_ref().map(Place::of).transpose()?;
                let next = start.as_ref().map(Place::next);
                let want = Want::between((from, until), (start, next), forward, most);
                let images = rows.page(want, reading);
                page(images, ("pk", "sk"), false)
            }
            Some((index, partition, range)) => {
                let names = (*partition, *range);
                let rung_at = |pk: &str, range: &str| -> Rung {
                    (pk.into(), range.into(), Place::first_of(""))
                };
                let from = rung_at(&span.partition, &span.from);
                let until = match &span.until {
                    Some(until) => rung_at(&span.partition, until),
                    None => rung_at(&after(&span.partition), ""),
                };
                let start = match &start {
                    Some(key) => rung(key, &Place::of(key)?, names),
                    None => None,
                };
                let next = start.clone().map(|(pk, range, place)| (pk, range, place.next()));
                let want = Want::between((from, until), (start, next), forward, most);
                let images = rows.page_of_index(*index, names, want, reading);
                page(images, names, true)
            }
        };
        let Page { items, bytes, last } = page;
        let mut body = json!({ "Count": items.len(), "ScannedCount": items.len() });
        if request.select.as_deref() != Some("COUNT") {
            body["Items"] = items.into();
        }
        if let Some(last) = last {
            body["LastEvaluatedKey"] = last;
        }
        Ok((body, read(units(bytes, 4), consistent), Vec::new()))
    }

    pub(super) fn scan(&self, request: &ScanRequest) -> Tabled {
        let nothing = Rows::default();
        let rows = self.found(table(&request.table_name)?).unwrap_or(&nothing);
        let start = start_of(request.exclusive_start_key_raw.as_ref())?;
        let start = start.as_ref().map(Place::of).transpose()?;
        let want = Want {
            from: start.map_or(Bound::Unbounded, Bound::Excluded),
            until: Bound::Unbounded,
            forward: true,
            most: request.limit.unwrap_or(usize::MAX),
        };
        let images = taken(&rows.items, want);
        let Page { items, bytes, last } = page(images, ("pk", "sk"), false);
        let mut body = json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items });
        if let Some(last) = last {
            body["LastEvaluatedKey"] = last;
        }
        let consistent = request.consistent_read == Some(true);
        Ok((body, read(units(bytes, 4), consistent), Vec::new()))
    }
}

impl<K: Ord> Want<K> {
    /// What lies between two keys, the first included, behind a start: the last
    /// key that is known already, and the one right behind it.
    fn between(
        (from, until): (K, K),
        (start, next): (Option<K>, Option<K>),
        forward: bool,
        most: usize,
    ) -> Self {
        let (from, until) = match (start, next) {
            (_, Some(next)) if forward => (from.max(next), until),
            (Some(start), _) if !forward => (from, until.min(start)),
            _ => (from, until),
        };
        // A map refuses a range that ends before it begins.
        let until = if until < from { Bound::Unbounded } else { Bound::Excluded(until) };
        let most = if matches!(until, Bound::Unbounded) { 0 } else { most };
        Self { from: Bound::Included(from), until, forward, most }
    }
}

impl Rows {
    fn page(&self, want: Want<Place>, reading: Reading) -> Taken {
        let Some(mut unseen) = reading.unseen else { return taken(&self.items, want) };
        let mut items = within(&self.items, &want);
        for place in self.past.keys() {
            match self.seen(place, unseen.writes(), reading.now) {
                Some(image) => items.insert(place.clone(), Arc::clone(image)),
                None => items.remove(place),
            };
        }
        taken(&items, want)
    }

    fn page_of_index(
        &self,
        index: Index,
        names: (&str, &str),
        want: Want<Rung>,
        reading: Reading,
    ) -> Taken {
        let nothing = BTreeMap::new();
        let entries = self.indexes.get(&index).unwrap_or(&nothing);
        let Some(mut unseen) = reading.unseen else { return taken(entries, want) };
        let mut entries = within(entries, &want);
        for place in self.past.keys() {
            if let Some(now) = self.items.get(place).and_then(|it| rung(it, place, names)) {
                entries.remove(&now);
            }
            let then = self.seen(place, unseen.writes(), reading.now);
            if let Some((rung, image)) =
                then.and_then(|it| Some((rung(it, place, names)?, Arc::clone(it))))
            {
                entries.insert(rung, image);
            }
        }
        taken(&entries, want)
    }
}

/// Images of a page, and whether it is full: there may be more then.
type Taken = (Vec<Image>, bool);

/// The key behind which a page begins.
fn start_of(key: Option<&Value>) -> Result<Option<Item>, DynoxideError> {
    let read = |key: &Value| serde_json::from_value(key.clone());
    key.map(read).transpose().map_err(|error| invalid(error.to_string()))
}

/// What lies where something is asked for.
fn within<K: Ord + Clone>(items: &BTreeMap<K, Image>, want: &Want<K>) -> BTreeMap<K, Image> {
    if want.most == 0 {
        return BTreeMap::new();
    }
    let range = items.range((want.from.clone(), want.until.clone()));
    range.map(|(key, image)| (key.clone(), Arc::clone(image))).collect()
}

fn taken<K: Ord>(items: &BTreeMap<K, Image>, want: Want<K>) -> Taken {
    let Want { from, until, forward, most } = want;
    if most == 0 {
        return (Vec::new(), false);
    }
    let range = items.range((from, until)).map(|(_, image)| Arc::clone(image));
    let images: Vec<Image> =
        if forward { range.take(most).collect() } else { range.rev().take(most).collect() };
    let full = images.len() == most;
    (images, full)
}

struct Page {
    items: Vec<Value>,
    bytes: usize,
    last: Option<Value>,
}

/// The images as a page: whole, or what an index holds of them.
fn page((images, mut more): Taken, names: (&str, &str), keys_only: bool) -> Page {
    let (mut items, mut bytes, mut last) = (Vec::new(), 0, None);
    for image in images {
        let keys = keys_of(&image, names);
        bytes += if keys_only { item_size(&keys) } else { item_size(&image) };
        items.push(if keys_only { json!(&keys) } else { json!(&*image) });
        last = Some(keys);
        if bytes >= PAGE_BYTES_MAX {
            more = true;
            break;
        }
    }
    let last = last.filter(|_| more).map(|keys| json!(keys));
    Page { items, bytes, last }
}

fn read(units: u64, consistent: bool) -> Cost {
    let halves = if consistent { units * 2 } else { units };
    Cost { write_halves: 0, read_halves: halves }
}
