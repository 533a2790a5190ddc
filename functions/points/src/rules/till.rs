//! What tills do to points: hold them, spend what is held, and tell what was
//! bought and what came back.
//!
//! A receipt earns like an order: its lines are a purchase by the channel
//! `store`, its points are pending, and their clock starts when the goods were
//! bought. What returns undo is a function of all of them together, so that
//! their shares sum to the whole.

use aftercart::model::{
    id::HoldId,
    points::{
        Account, Authority, Cause, Earning, Entry, Holder, Ledger, LedgerError, Movement, Undone,
    },
    policy::Policy,
    text::Text,
    till::{Receipt, ReceiptLine, TillEnd, TillHold},
    time::Timestamp,
};

use super::{
    calendar::Member,
    earn::{self, Bought, Purchase},
    expiry,
    membership::{self, Deed},
    news::News,
    orders, undo,
};

/// The name that entries of tills give this rule.
pub const RULE: &str = "till";

/// The name that entries of goods that came back give this rule.
pub const RETURN_RULE: &str = "goods_returned";

/// The channel of stores, as rules of the programme name it.
const CHANNEL: &str = "store";

/// A ledger after something that a till did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The ledger.
    pub ledger: Ledger,
    /// Its entries, in their order.
    pub entries: Vec<Entry>,
    /// What the member is told.
    pub news: Vec<News>,
}

impl Changed {
    fn nothing(ledger: &Ledger) -> Self {
        Self { ledger: ledger.clone(), entries: Vec::new(), news: Vec::new() }
    }

    fn follow(&mut self, deed: Deed, at: Timestamp, policy: &Policy) -> Result<(), LedgerError> {
        let after = membership::after(&mut self.ledger, &deed, at, policy)?;
        self.entries.extend(after.entries);
        self.news.extend(after.news);
        Ok(())
    }
}

/// Spends so many of the points that are held for a till; none if the hold is
/// over.
///
/// # Errors
/// [`LedgerError::TooFew`] for more than are held, [`LedgerError::Unbalanced`]
/// for none, [`LedgerError::TooMany`].
pub fn capture(
    ledger: &Ledger,
    hold: &HoldId,
    points: i64,
    now: Timestamp,
    policy: &Policy,
) -> Result<Option<Changed>, LedgerError> {
    let mut changed = Changed::nothing(ledger);
    let holder = Holder::Till(hold.clone());
    let movement = Movement {
        id: Ledger::spending(&ledger.customer, &holder),
        at: now,
        cause: Cause::TillSpent(hold.clone()),
        authority: authority(RULE, policy),
    };
    let entry = changed.ledger.capture(movement, &holder, points, Account::Spent)?;
    if entry.is_none() {
        return Ok(None);
    }
    changed.entries.extend(entry);
    changed.follow(Deed::Spent, now, policy)?;
    Ok(Some(changed))
}

/// What a receipt earns, and the ledger with it.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn record(
    receipt: &Receipt,
    ledger: &Ledger,
    member: &Member,
    policy: &Policy,
) -> Result<(Option<Earning>, Changed), LedgerError> {
    let mut changed = Changed::nothing(ledger);
    let spend = receipt.kept().filter(|spend| spend.minor() > 0);
    let (purchase, at) = (purchase(receipt), receipt.purchased_at);
    let earning = earn::earn(&mut changed.ledger, &receipt.id, &purchase, spend, member, policy)?;
    let Some(mut earning) = earning else { return Ok((None, changed)) };
    // What follows from a receipt is told from what follows from an order by it.
    RULE.clone_into(&mut earning.entry.rule);
    earning.claim.matures_at = Some(orders::return_window_end(at, member.tier.as_ref(), policy));
    changed.follow(Deed::Bought, at, policy)?;
    Ok((Some(earning), changed))
}

fn purchase(receipt: &Receipt) -> Purchase {
    let lines = receipt.lines.iter().map(|line| Bought {
        sku: line.sku.clone(),
        category: line.category.clone(),
        brand: line.brand.clone(),
        gift: false,
        paid: line.paid,
    });
    let channel = Text::new(CHANNEL).ok();
    Purchase { at: receipt.purchased_at, channel, lines: lines.collect() }
}

/// Takes back what the goods earned that came back, as far as it was not.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn take_back(
    receipt: &Receipt,
    earning: &mut Earning,
    undone: &mut Undone,
    changed: &mut Changed,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let Earning { entry, claim } = earning;
    let shares = receipt.lines.iter().zip(receipt.returned()).zip(&entry.lines);
    let shares = shares.map(|((line, units), points)| line.share(*points, units));
    let whole = shares.fold(0, i64::saturating_add);
    let more = whole.saturating_sub(undone.taken);
    let back = (more.max(0), receipt.kept().filter(|spend| spend.minor() > 0));
    membership::taken_back(&mut changed.ledger, claim, entry.at, back, &policy.points);
    if more > 0 {
        let by = authority(RETURN_RULE, policy);
        changed.entries.push(changed.ledger.take_back(claim, more, whole, now, by)?);
        undone.taken = whole;
    }
    Ok(())
}

/// Gives back the points that paid for the goods that came back, as far as
/// they did not come back before: with the ends that they had.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn give_back(
    receipt: &Receipt,
    (hold, spent): (&TillHold, &Entry),
    undone: &mut Undone,
    changed: &mut Changed,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let whole = given(receipt, hold);
    let lots = undo::returning(&spent.lots, undone.returned, whole, |part| {
        expiry::returned(part, now, &policy.points)
    });
    if lots.is_empty() {
        return Ok(());
    }
    let ledger = &mut changed.ledger;
    let movement = Movement {
        id: ledger.entry_id("till_returned", receipt.id.as_str(), &whole.to_string()),
        at: now,
        cause: Cause::TillReturned(hold.id.clone()),
        authority: authority(RETURN_RULE, policy),
    };
    changed.entries.push(ledger.credit(movement, Account::Spent, lots)?);
    undone.returned = whole;
    Ok(())
}

/// How many of the points that paid for a part of a receipt are to be back in
/// all: all with the last unit, before that in proportion to the units that
/// are back, rounded down: by what was paid for them in money, and where points
/// paid for everything by their number.
fn given(receipt: &Receipt, hold: &TillHold) -> i64 {
    let Some(TillEnd::Captured { points, .. }) = hold.ended else { return 0 };
    if receipt.is_all_back() {
        return points;
    }
    let paid = receipt.lines.iter().map(|line| line.paid).fold(0, i64::saturating_add);
    let weight = |line: &ReceiptLine| match paid {
        0 => i64::from(line.quantity),
        _ => line.paid,
    };
    let whole = receipt.lines.iter().map(weight).fold(0, i64::saturating_add);
    let back = receipt.lines.iter().zip(receipt.returned());
    let back = back.map(|(line, units)| line.share(weight(line), units));
    let back = back.fold(0, i64::saturating_add);
    let exact = i128::from(points) * i128::from(back);
    let share = exact.checked_div(i128::from(whole)).unwrap_or(0);
    i64::try_from(share).unwrap_or(points)
}

/// A ledger before returns change it.
#[must_use]
pub fn unchanged(ledger: &Ledger) -> Changed {
    Changed::nothing(ledger)
}

fn authority<'a>(rule: &'a str, policy: &'a Policy) -> Authority<'a> {
    Authority { rule, policy: policy.version.as_str() }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId, money::Currency, product::Sku, till::ReceiptReturn,
    };
    use proptest::prelude::*;

    use super::*;

    fn receipt(lines: &[(u32, i64)]) -> Receipt {
        let line = |&(quantity, paid): &(u32, i64)| ReceiptLine {
            sku: Sku::parse("TEA").unwrap(),
            category: None,
            brand: None,
            quantity,
            paid,
        };
        let (store, number) = (Text::new("s1").unwrap(), Text::new("1").unwrap());
        Receipt {
            id: Receipt::id_of(&store, &number),
            customer: CustomerId::member("ada").unwrap(),
            store,
            number,
            purchased_at: Timestamp::EPOCH,
            currency: Currency::parse("GBP").unwrap(),
            lines: lines.iter().map(line).collect(),
            hold: None,
            returns: Vec::new(),
        }
    }

    fn hold(points: i64) -> TillHold {
        let member = CustomerId::member("ada").unwrap();
        TillHold {
            id: HoldId::derive(&["till", "key"]),
            account: member.clone(),
            member,
            points,
            until: Timestamp::EPOCH,
            ended: Some(TillEnd::Captured { at: Timestamp::EPOCH, points }),
            receipt: None,
        }
    }

    fn back(receipt: &mut Receipt, line: u16, units: u32) {
        let number = Text::new("r").unwrap();
        receipt.returns.push(ReceiptReturn { number, lines: vec![(line, units)] });
    }

    #[test]
    fn points_come_back_by_money_or_where_none_was_paid_by_units() {
        for (lines, expected) in
            [([(3, 3_000), (1, 800)], [26, 52, 78, 100]), ([(3, 0), (1, 0)], [25, 50, 75, 100])]
        {
            let (mut receipt, hold) = (receipt(&lines), hold(100));
            for (line, expected) in [1, 1, 1, 2].into_iter().zip(expected) {
                back(&mut receipt, line, 1);
                assert_eq!(given(&receipt, &hold), expected, "{lines:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn returns_in_any_order_give_back_what_paid(
            lines in proptest::collection::vec((1_u32..6, prop_oneof![Just(0), 0_i64..9_999]), 1..5),
            free in any::<bool>(),
            points in 1_i64..100_000,
            order in proptest::collection::vec(any::<prop::sample::Index>(), 25),
        ) {
            let paid = |(units, paid): (u32, i64)| (units, if free { 0 } else { paid });
            let lines: Vec<(u32, i64)> = lines.into_iter().map(paid).collect();
            let (mut receipt, hold) = (receipt(&lines), hold(points));
            let mut left: Vec<u16> = (1..).zip(&lines)
                .flat_map(|(line, (units, _))| vec![line; usize::try_from(*units).unwrap()])
                .collect();
            let mut before = 0;
            for pick in order {
                if left.is_empty() {
                    break;
                }
                let line = left.swap_remove(pick.index(left.len()));
                back(&mut receipt, line, 1);
                let now = given(&receipt, &hold);
                prop_assert!((before..=points).contains(&now), "{} after {}", now, before);
                before = now;
            }
            prop_assert_eq!(before, points);
        }
    }
}
