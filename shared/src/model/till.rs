//! Stores: the number by which tills know a member, points that are held for a
//! till, and receipts.

use super::{
    customer::CustomerId,
    digest,
    id::{HoldId, OrderId},
    money::{Currency, Money},
    product::Sku,
    text::{Text, written},
    time::Timestamp,
};

/// The most lines of a receipt. A long one of a supermarket has some fifty, and
/// a hundred take 10 KB of the item that keeps it.
pub const MAX_RECEIPT_LINES: usize = 100;

/// The most returns of one receipt. More come from a program that does not end.
pub const MAX_RETURNS: usize = 20;

/// The digits of a member's number: with a million members, one in a million
/// new ones finds the first number taken that follows from who it is.
pub const NUMBER_DIGITS: usize = 12;

written! {
    /// The number by which tills know a member: 12 digits, which tell nothing of
    /// who it is.
    MemberNumber, MemberNumberError
}

/// Why a text is no member's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a member's number: {NUMBER_DIGITS} digits")]
pub struct MemberNumberError;

impl MemberNumber {
    /// The number of a member that comes first to be tried, or another one if
    /// `taken` before it belong to others.
    #[must_use]
    pub fn of(customer: &CustomerId, taken: u32) -> Self {
        let taken = taken.to_string();
        let hash =
            digest::full(&[b"member number", customer.as_str().as_bytes(), taken.as_bytes()]);
        // 60 bits: the numbers are spread evenly but for one part in a million.
        let bits = hash.get(..15).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
        Self(format!("{:012}", bits % 1_000_000_000_000))
    }

    /// The number written as `text`.
    ///
    /// # Errors
    /// When it is not 12 digits.
    pub fn parse(text: &str) -> Result<Self, MemberNumberError> {
        let fits = text.len() == NUMBER_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(MemberNumberError) }
    }
}

/// Points that are held for a till, and what became of them. The points
/// themselves are held in the ledger, under the same identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TillHold {
    /// Its identity.
    pub id: HoldId,
    /// Who showed the code.
    pub member: CustomerId,
    /// Whose points are held: the member's, or those of the account into which
    /// the member's is linked.
    pub account: CustomerId,
    /// How many.
    pub points: i64,
    /// When the hold ends by itself.
    pub until: Timestamp,
    /// How it ended, if a till ended it.
    pub ended: Option<TillEnd>,
    /// The receipt for which its points paid, if that was told.
    pub receipt: Option<OrderId>,
}

/// How a till ended a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TillEnd {
    /// So many of the points paid, the others are free again.
    Captured {
        /// When.
        at: Timestamp,
        /// How many.
        points: i64,
    },
    /// None of them paid.
    Voided,
}

/// What was bought in a store, as far as points need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Derived from the store and the number.
    pub id: OrderId,
    /// Who bought.
    pub customer: CustomerId,
    /// Which store.
    pub store: Text<40>,
    /// The number that the store gave the receipt.
    pub number: Text<64>,
    /// When it was bought.
    pub purchased_at: Timestamp,
    /// In which currency it was paid.
    pub currency: Currency,
    /// What was bought.
    pub lines: Vec<ReceiptLine>,
    /// Points that paid for a part of it.
    pub hold: Option<HoldId>,
    /// What came back, oldest first; at most [`MAX_RETURNS`].
    pub returns: Vec<ReceiptReturn>,
}

/// So many units of a SKU that were bought in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLine {
    /// What.
    pub sku: Sku,
    /// Its category, as the programme's rules name it.
    pub category: Option<Text<40>>,
    /// Its brand, as the programme's rules name it.
    pub brand: Option<Text<40>>,
    /// How many.
    pub quantity: u32,
    /// What was paid for all of them in money, in minor units: after
    /// discounts, and without what points paid.
    pub paid: i64,
}

/// Goods of a receipt that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptReturn {
    /// The number that the store gave the return.
    pub number: Text<64>,
    /// How many units of which lines; lines are counted from 1.
    pub lines: Vec<(u16, u32)>,
}

impl Receipt {
    /// The identity of a receipt.
    #[must_use]
    pub fn id_of(store: &Text<40>, number: &Text<64>) -> OrderId {
        OrderId::derive(&["receipt", store.as_str(), number.as_str()])
    }

    /// How many units of each line came back.
    #[must_use]
    pub fn returned(&self) -> Vec<u32> {
        let mut units = vec![0_u32; self.lines.len()];
        for (line, more) in self.returns.iter().flat_map(|it| &it.lines) {
            let place = usize::from(*line).checked_sub(1).and_then(|place| units.get_mut(place));
            if let Some(units) = place {
                *units = units.saturating_add(*more);
            }
        }
        units
    }

    /// Whether all of it came back.
    #[must_use]
    pub fn is_all_back(&self) -> bool {
        self.returned().iter().zip(&self.lines).all(|(units, line)| *units >= line.quantity)
    }

    /// What was paid in money for the units that are not back: of each line in
    /// proportion, what went back rounded down.
    #[must_use]
    pub fn kept(&self) -> Option<Money> {
        let lines = self.returned().into_iter().zip(&self.lines);
        let kept = lines.fold(0_i64, |sum, (units, line)| {
            sum.saturating_add(line.paid.saturating_sub(line.share(line.paid, units)))
        });
        Money::new(kept, self.currency).ok()
    }
}

impl ReceiptLine {
    /// What `units` of the line's units have of an amount of the whole line:
    /// the exact proportion, rounded down, so that the shares of any sequence
    /// sum to that of all its units.
    #[must_use]
    pub fn share(&self, amount: i64, units: u32) -> i64 {
        let exact = i128::from(amount) * i128::from(units.min(self.quantity));
        let share = exact.checked_div_euclid(i128::from(self.quantity)).unwrap_or(0);
        i64::try_from(share).unwrap_or(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_members_number_is_twelve_digits() {
        let customer = CustomerId::member("a").unwrap();
        let first = MemberNumber::of(&customer, 0);
        assert_eq!(MemberNumber::parse(first.as_str()), Ok(first.clone()));
        assert_eq!(first, MemberNumber::of(&customer, 0));
        assert_ne!(first, MemberNumber::of(&customer, 1));
        for text in ["", "12345678901", "1234567890123", "12345678901a", "１２３４"] {
            assert_eq!(MemberNumber::parse(text), Err(MemberNumberError), "{text}");
        }
    }

    #[test]
    fn what_is_kept_of_a_receipt_falls_with_what_comes_back() {
        let line = |quantity, paid| ReceiptLine {
            sku: Sku::parse("TEA").unwrap(),
            category: None,
            brand: None,
            quantity,
            paid,
        };
        let mut receipt = Receipt {
            id: Receipt::id_of(&Text::new("s1").unwrap(), &Text::new("1").unwrap()),
            customer: CustomerId::member("a").unwrap(),
            store: Text::new("s1").unwrap(),
            number: Text::new("1").unwrap(),
            purchased_at: Timestamp::EPOCH,
            currency: Currency::parse("GBP").unwrap(),
            lines: vec![line(3, 1_000), line(1, 50)],
            hold: None,
            returns: Vec::new(),
        };
        for (lines, kept) in [
            (vec![], 1_050),
            (vec![(1, 1)], 717),
            (vec![(1, 1)], 384),
            (vec![(2, 1), (9, 1)], 334),
            (vec![(1, 5)], 0),
        ] {
            receipt.returns.push(ReceiptReturn { number: Text::new("r").unwrap(), lines });
            assert_eq!(receipt.kept().map(Money::minor), Some(kept));
            assert_eq!(receipt.is_all_back(), kept == 0);
        }
    }
}
