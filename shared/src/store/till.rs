//! What tills leave: members' numbers and the codes that were used or refused,
//! points that are held for tills, and receipts.
//!
//! Holds are kept as long as receipts: goods come back years later, and then
//! the hold says whose points paid for them.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    id::{HoldId, OrderId},
    money::Currency,
    product::Sku,
    text::Text,
    till::{MemberNumber, Receipt, ReceiptLine, ReceiptReturn, TillEnd, TillHold},
    time::Timestamp,
};

use super::{
    Found, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item, number, stored},
};

const ENDED: &str = "e";
const RETURNS: &str = "rc";
const RECEIPT: &str = "r";
const HOUR: &str = "h";
const REFUSED: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredNumber {
    v: u32,
    c: CustomerId,
}
stored!(StoredNumber, "member's number", 1);

#[derive(Serialize, Deserialize)]
struct StoredCode {
    v: u32,
    /// The hold for which it was used.
    h: HoldId,
}
stored!(StoredCode, "used code", 1);

#[derive(Serialize, Deserialize)]
struct StoredRefusals {
    v: u32,
    /// In which hour, counted from 1970.
    h: i64,
    n: u32,
}
stored!(StoredRefusals, "count of refused codes", 1);

#[derive(Serialize, Deserialize)]
struct StoredHold {
    v: u32,
    #[serde(skip_serializing)]
    pk: HoldId,
    m: CustomerId,
    a: CustomerId,
    p: i64,
    u: Timestamp,
    /// How many points paid when a till ended it: 0 if it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<i64>,
    /// When they paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ea: Option<Timestamp>,
    /// For which receipt they paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<OrderId>,
}
stored!(StoredHold, "till's hold", 1);

#[derive(Serialize, Deserialize)]
struct StoredReceipt {
    v: u32,
    #[serde(skip_serializing)]
    pk: OrderId,
    c: CustomerId,
    s: Text<40>,
    n: Text<64>,
    at: Timestamp,
    cu: Currency,
    l: Vec<StoredLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    h: Option<HoldId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    r: Vec<(Text<64>, Vec<(u16, u32)>)>,
    /// How many returns there are: what a change of them has as condition.
    rc: usize,
}
stored!(StoredReceipt, "receipt", 1);

#[derive(Serialize, Deserialize)]
struct StoredLine {
    s: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<Text<40>>,
    q: u32,
    p: i64,
}

/// Gives a member a number. Loses when somebody has it.
#[must_use]
pub fn give_number(number: &MemberNumber, customer: &CustomerId) -> Write {
    let form = StoredNumber { v: 1, c: customer.clone() };
    Write::put(Key::member_number(number), &form, &Sends::none()).when(Condition::Absent)
}

/// The member in an item of a number, such as the one that a
/// [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn member_from_item(item: &Item) -> Result<CustomerId, StoreError> {
    from_item::<StoredNumber>(item).map(|form| form.c)
}

/// Writes that the code of a step was used for a hold. Loses when it was used
/// before. Belongs into the commit that writes the hold.
#[must_use]
pub fn use_code(number: &MemberNumber, step: i64, hold: &HoldId) -> Write {
    let form = StoredCode { v: 1, h: hold.clone() };
    Write::put(Key::used_code(number, step), &form, &Sends::none()).when(Condition::Absent)
}

/// Counts the first code of a number that is refused in an hour, which is
/// counted from 1970. Loses when one was counted in it.
#[must_use]
pub fn first_refusal(number: &MemberNumber, hour: i64) -> Write {
    let form = StoredRefusals { v: 1, h: hour, n: 1 };
    Write::put(Key::refused_codes(number), &form, &Sends::none())
        .when(Condition::MissingOrBelow(HOUR.into(), hour))
}

/// Counts another code of a number that is refused in an hour. Loses when none
/// was counted in it.
#[must_use]
pub fn another_refusal(refused: &MemberNumber, hour: i64) -> Write {
    let change = Change::default().add(REFUSED, 1);
    Write::update(Key::refused_codes(refused), change, &Sends::none())
        .when(Condition::Equals(HOUR, number(hour)))
}

/// Writes that points are held. Loses when that was written before. Belongs
/// into the commit that holds them in the ledger.
#[must_use]
pub fn open_hold(hold: &TillHold) -> Write {
    hold_form(hold).when(Condition::Absent)
}

/// Writes how a hold ended. Loses when it has ended. Belongs into the commit
/// that ends it in the ledger.
#[must_use]
pub fn end_hold(hold: &TillHold) -> Write {
    hold_form(hold).when(Condition::Exists).when(Condition::Missing(ENDED.into()))
}

/// Writes for which receipt the points of a hold paid. Loses when they paid for
/// another one. Belongs into the commit that writes the receipt.
#[must_use]
pub fn name_receipt(hold: &HoldId, receipt: &OrderId) -> Write {
    let id = AttributeValue::S(receipt.to_string());
    let same = Condition::Is(RECEIPT.into(), id.clone());
    Write::update(Key::till_hold(hold), Change::default().set(RECEIPT, id), &Sends::none())
        .when(Condition::Exists)
        .when(Condition::Any(vec![Condition::Missing(RECEIPT.into()), same]))
}

fn hold_form(hold: &TillHold) -> Write {
    let (paid, paid_at) = match hold.ended {
        None => (None, None),
        Some(TillEnd::Voided) => (Some(0), None),
        Some(TillEnd::Captured { at, points }) => (Some(points), Some(at)),
    };
    let form = StoredHold {
        v: 1,
        pk: hold.id.clone(),
        m: hold.member.clone(),
        a: hold.account.clone(),
        p: hold.points,
        u: hold.until,
        e: paid,
        ea: paid_at,
        r: hold.receipt.clone(),
    };
    Write::put(Key::till_hold(&hold.id), &form, &Sends::none())
}

fn hold_from_item(item: &Item) -> Result<TillHold, StoreError> {
    let form: StoredHold = from_item(item)?;
    let ended = |points| match form.ea {
        Some(at) => TillEnd::Captured { at, points },
        None => TillEnd::Voided,
    };
    Ok(TillHold {
        id: form.pk,
        member: form.m,
        account: form.a,
        points: form.p,
        until: form.u,
        ended: form.e.map(ended),
        receipt: form.r,
    })
}

/// Writes a receipt. Loses when it was written before.
#[must_use]
pub fn record(receipt: &Receipt) -> Write {
    receipt_form(receipt).when(Condition::Absent)
}

/// Writes what came back of a receipt over what was read. Loses when something
/// else came back since.
#[must_use]
pub fn note_return(read: &Receipt, now: &Receipt) -> Write {
    let known = u64::try_from(read.returns.len()).unwrap_or(u64::MAX);
    receipt_form(now).when(Condition::Is(RETURNS.into(), number(known)))
}

fn receipt_form(receipt: &Receipt) -> Write {
    let line = |line: &ReceiptLine| StoredLine {
        s: line.sku.clone(),
        c: line.category.clone(),
        b: line.brand.clone(),
        q: line.quantity,
        p: line.paid,
    };
    let form = StoredReceipt {
        v: 1,
        pk: receipt.id.clone(),
        c: receipt.customer.clone(),
        s: receipt.store.clone(),
        n: receipt.number.clone(),
        at: receipt.purchased_at,
        cu: receipt.currency,
        l: receipt.lines.iter().map(line).collect(),
        h: receipt.hold.clone(),
        r: receipt.returns.iter().map(|it| (it.number.clone(), it.lines.clone())).collect(),
        rc: receipt.returns.len(),
    };
    Write::put(Key::receipt(&receipt.id), &form, &Sends::none())
}

fn receipt_from_item(item: &Item) -> Result<Receipt, StoreError> {
    let form: StoredReceipt = from_item(item)?;
    let line = |line: StoredLine| ReceiptLine {
        sku: line.s,
        category: line.c,
        brand: line.b,
        quantity: line.q,
        paid: line.p,
    };
    Ok(Receipt {
        id: form.pk,
        customer: form.c,
        store: form.s,
        number: form.n,
        purchased_at: form.at,
        currency: form.cu,
        lines: form.l.into_iter().map(line).collect(),
        hold: form.h,
        returns: form
            .r
            .into_iter()
            .map(|(number, lines)| ReceiptReturn { number, lines })
            .collect(),
    })
}

impl Found {
    /// The member who has a number, if it was asked for under
    /// [`Key::member_number`] and somebody has it.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn numbered(&self, number: &MemberNumber) -> Result<Option<CustomerId>, StoreError> {
        self.item(&Key::member_number(number)).map(member_from_item).transpose()
    }

    /// The hold for which the code of a step was used, if that was asked for
    /// under [`Key::used_code`] and it was used.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn code_used(
        &self,
        number: &MemberNumber,
        step: i64,
    ) -> Result<Option<HoldId>, StoreError> {
        let form = self.item(&Key::used_code(number, step)).map(from_item::<StoredCode>);
        Ok(form.transpose()?.map(|form| form.h))
    }

    /// How many codes of a number were refused in an hour, if that was asked
    /// for under [`Key::refused_codes`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn codes_refused(&self, number: &MemberNumber, hour: i64) -> Result<u32, StoreError> {
        let form = self.item(&Key::refused_codes(number)).map(from_item::<StoredRefusals>);
        Ok(form.transpose()?.filter(|form| form.h == hour).map_or(0, |form| form.n))
    }

    /// The till's hold, if it was asked for under [`Key::till_hold`] and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn till_hold(&self, id: &HoldId) -> Result<Option<TillHold>, StoreError> {
        self.item(&Key::till_hold(id)).map(hold_from_item).transpose()
    }

    /// The receipt, if it was asked for under [`Key::receipt`] and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn receipt(&self, id: &OrderId) -> Result<Option<Receipt>, StoreError> {
        self.item(&Key::receipt(id)).map(receipt_from_item).transpose()
    }
}

impl Store {
    /// The member who has a number, if somebody has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn numbered(&self, number: &MemberNumber) -> Result<Option<CustomerId>, StoreError> {
        self.get(&Key::member_number(number)).await?.as_ref().map(member_from_item).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_read_as_it_was_written_and_kept() {
        let member = CustomerId::member("a").unwrap();
        let open = TillHold {
            id: HoldId::derive(&["till", "key"]),
            account: member.clone(),
            member,
            points: 80,
            until: Timestamp::EPOCH,
            ended: None,
            receipt: None,
        };
        let paid = TillEnd::Captured { at: Timestamp::EPOCH, points: 30 };
        let receipt = Some(OrderId::derive(&["receipt", "s1", "1"]));
        let voided = TillHold { ended: Some(TillEnd::Voided), ..open.clone() };
        let captured = TillHold { ended: Some(paid), receipt, ..open.clone() };
        for hold in [open, voided, captured] {
            let write = hold_form(&hold);
            let item = write.item().unwrap();
            assert_eq!(hold_from_item(item).unwrap(), hold);
            // What comes back years later is given back by it.
            assert!(!item.contains_key("ttl"), "{item:?}");
        }
    }
}
