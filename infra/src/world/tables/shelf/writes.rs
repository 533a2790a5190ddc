//! Writes: conditions, updates, transactions.

use dynoxide::actions::{
    put_item::PutItemRequest,
    transact_write_items::{TransactWriteItem, TransactWriteItemsRequest},
    update_item::UpdateItemRequest,
};
use serde_json::json;

use super::*;

/// A write that is asked for.
struct Wanted<'a> {
    table: Table,
    place: Place,
    does: Does<'a>,
    condition: Option<&'a str>,
    terms: Terms<'a>,
}

enum Does<'a> {
    Put(Item),
    Update(&'a Item, &'a str),
}

/// A write whose condition does not hold of what it met.
struct Lost(Option<Image>);

/// An item as it is to become, or what it lost to.
type Outcome = Result<Image, Lost>;

impl Wanted<'_> {
    /// What becomes of the write, by what is there.
    fn outcome(self, rows: Option<&Rows>) -> Result<Outcome, DynoxideError> {
        let nothing = Item::default();
        let found = rows.and_then(|rows| rows.items.get(&self.place));
        let before: &Item = found.map_or(&nothing, AsRef::as_ref);
        if let Some(condition) = self.condition
            && !self.terms.hold(condition, before).map_err(invalid)?
        {
            return Ok(Err(Lost(found.cloned())));
        }
        let image = match self.does {
            Does::Put(item) => item,
            Does::Update(key, expression) => {
                let mut item = if found.is_some() { before.clone() } else { key.clone() };
                self.terms.update(expression, &mut item).map_err(invalid)?;
                item
            }
        };
        if item_size(&image) > ITEM_BYTES_MAX {
            return Err(invalid("Item size has exceeded the maximum allowed size"));
        }
        Ok(Ok(Arc::new(image)))
    }
}

impl State {
    pub(super) fn put(&mut self, request: PutItemRequest, now: Timestamp) -> Tabled {
        let PutItemRequest { table_name, item, condition_expression, .. } = request;
        let terms = Terms::new(
            request.expression_attribute_names.as_ref(),
            request.expression_attribute_values.as_ref(),
        );
        let wanted = Wanted {
            table: table(&table_name)?,
            place: Place::of(&item)?,
            does: Does::Put(item),
            condition: condition_expression.as_deref(),
            terms,
        };
        self.one(wanted, request.return_values.as_deref(), now)
    }

    pub(super) fn update(&mut self, request: UpdateItemRequest, now: Timestamp) -> Tabled {
        let wanted = Wanted {
            table: table(&request.table_name)?,
            place: Place::of(&request.key)?,
            does: Does::Update(&request.key, request.update_expression.as_deref().unwrap_or("")),
            condition: request.condition_expression.as_deref(),
            terms: Terms::new(
                request.expression_attribute_names.as_ref(),
                request.expression_attribute_values.as_ref(),
            ),
        };
        self.one(wanted, request.return_values.as_deref(), now)
    }

    fn one(&mut self, wanted: Wanted<'_>, gives: Option<&str>, now: Timestamp) -> Tabled {
        let (table, place) = (wanted.table, wanted.place.clone());
        let image = match wanted.outcome(self.tables.get(&table).map(AsRef::as_ref))? {
            Ok(image) => image,
            Err(Lost(found)) => {
                let found = found.map(Arc::unwrap_or_clone);
                let text = "The conditional request failed".to_owned();
                return Err(DynoxideError::ConditionalCheckFailedException(text, found));
            }
        };
        let before = self.tables.get(&table).and_then(|rows| rows.items.get(&place)).cloned();
        let (of_table, of_indexes) = self.write(table, &place, &image, now);
        let body = match (gives, before) {
            (Some("ALL_OLD"), Some(before)) => json!({ "Attributes": &*before }),
            _ => json!({}),
        };
        let cost = Cost { write_halves: (of_table + of_indexes) * 2, read_halves: 0 };
        Ok((body, cost, vec![(table, image)]))
    }

    pub(super) fn transact(
        &mut self,
        request: TransactWriteItemsRequest,
        now: Timestamp,
    ) -> Tabled {
        let items = request.transact_items;
        if items.is_empty() || items.len() > TRANSACTION_MAX {
            return Err(invalid("a transaction has between 1 and 100 items"));
        }
        let (mut images, mut reasons) = (Vec::new(), Vec::new());
        for item in &items {
            let wanted = wanted(item)?;
            let (table, place) = (wanted.table, wanted.place.clone());
            if images.iter().any(|(known, at, _)| *known == table && *at == place) {
                let text = "Transaction request cannot include multiple operations on one item";
                return Err(invalid(text));
            }
            let outcome = wanted.outcome(self.tables.get(&table).map(AsRef::as_ref));
            let (image, reason) = match outcome {
                Ok(Ok(image)) => (Some(image), reason("None", None, None)),
                Ok(Err(Lost(found))) => (
                    None,
                    reason("ConditionalCheckFailed", Some("The conditional request failed"), found),
                ),
                Err(error) => (None, reason("ValidationError", Some(&error.to_string()), None)),
            };
            images.push((table, place, image));
            reasons.push(reason);
        }
        if reasons.iter().any(|reason| reason.code != "None") {
            let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
            let text = format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                codes.join(", ")
            );
            return Err(DynoxideError::TransactionCanceledException(text, reasons));
        }
        let (mut units, mut written) = (0, Vec::new());
        for (table, place, image) in images {
            let Some(image) = image else { continue };
            // A transaction writes each item twice, its indexes once.
            let (of_table, of_indexes) = self.write(table, &place, &image, now);
            units += of_table * 2 + of_indexes;
            written.push((table, image));
        }
        Ok((json!({}), Cost { write_halves: units * 2, read_halves: 0 }, written))
    }

    fn write(&mut self, table: Table, place: &Place, image: &Image, now: Timestamp) -> (u64, u64) {
        let remembers = self.remembers;
        let rows = self.rows(table);
        if remembers {
            rows.remember(place, now);
        }
        rows.write(table, place, Arc::clone(image))
    }
}

fn wanted(item: &TransactWriteItem) -> Result<Wanted<'_>, DynoxideError> {
    if let Some(put) = &item.put {
        let terms = Terms::new(
            put.expression_attribute_names.as_ref(),
            put.expression_attribute_values.as_ref(),
        );
        return Ok(Wanted {
            table: table(&put.table_name)?,
            place: Place::of(&put.item)?,
            does: Does::Put(put.item.clone()),
            condition: put.condition_expression.as_deref(),
            terms,
        });
    }
    let update = item.update.as_ref();
    let update = update.ok_or_else(|| invalid("a transaction here has puts and updates"))?;
    let terms = Terms::new(
        update.expression_attribute_names.as_ref(),
        update.expression_attribute_values.as_ref(),
    );
    Ok(Wanted {
        table: table(&update.table_name)?,
        place: Place::of(&update.key)?,
        does: Does::Update(&update.key, &update.update_expression),
        condition: update.condition_expression.as_deref(),
        terms,
    })
}

fn reason(code: &str, message: Option<&str>, found: Option<Image>) -> CancellationReason {
    CancellationReason {
        code: code.to_owned(),
        message: message.map(str::to_owned),
        item: found.map(Arc::unwrap_or_clone),
    }
}
