//! Carts: what somebody may order later. A cart holds no prices: products
//! have them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Contact, CustomerId},
    id::{CartId, OrderId},
    order::Order,
    policy::PolicyError,
    price::Code,
    product::Sku,
    text,
    time::{Period, Timestamp},
};

/// The most codes in a cart: more than a person collects for one order, and
/// pricing tries each of them.
pub const MAX_CODES: usize = 5;

/// How many of the last orders that took goods out of a cart it remembers. A
/// cart that one order empties needs no memory; this is for those that are
/// ordered in parts, and a message is hardly told again after so many parts.
pub const MAX_ENDINGS: usize = 8;

/// The longest that a cart is kept: two years.
const MAX_KEEP: Period = Period::of_days(730);

/// How long carts are kept, and when their owners are reminded of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CartsPolicy {
    /// How long after its last change a cart is kept.
    pub keep: CartsKeep,
    /// How long after its last change a cart counts as abandoned, and its
    /// owner is reminded.
    pub abandoned_after: Period,
    /// How long after a reminder the owner is not reminded again, whatever
    /// changes in the cart.
    pub remind_again_after: Period,
}

/// How long carts are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CartsKeep {
    /// Those of guests.
    pub guest: Period,
    /// Those of members.
    pub member: Period,
}

impl CartsPolicy {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`PolicyError::Nonsense`] names the field.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        for (field, keep) in
            [("carts.keep.guest", self.keep.guest), ("carts.keep.member", self.keep.member)]
        {
            if keep > MAX_KEEP {
                return nonsense(field, "must be at most 730d");
            }
            if keep <= self.abandoned_after {
                return nonsense(field, "must be longer than carts.abandoned_after");
            }
        }
        Ok(())
    }

    /// What applies to the carts of such an owner.
    #[must_use]
    pub fn terms(&self, owner: &CartOwner) -> CartTerms {
        CartTerms {
            keep: match owner {
                CartOwner::Guest(_) => self.keep.guest,
                CartOwner::Member(_) => self.keep.member,
            },
            abandoned_after: self.abandoned_after,
            remind_again_after: self.remind_again_after,
        }
    }
}

/// The periods of one cart; see [`CartsPolicy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartTerms {
    /// How long after its last change it is kept.
    pub keep: Period,
    /// How long after its last change its owner is reminded.
    pub abandoned_after: Period,
    /// How long after a reminder there is no other.
    pub remind_again_after: Period,
}

/// A guest's key to a cart, which the guest's client draws: who knows it has
/// the cart, so it must be hard to guess; a random UUID is.
#[derive(Clone, PartialEq, Eq)]
pub struct CartToken(String);

/// Why a text is no key to a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 16 to 128 printable ASCII characters without spaces, such as a UUID")]
pub struct CartTokenError;

impl CartToken {
    /// The key written as `text`.
    ///
    /// # Errors
    /// When it has not the form of one: see [`text::is_key`].
    pub fn parse(text: &str) -> Result<Self, CartTokenError> {
        if text::is_key(text) { Ok(Self(text.to_owned())) } else { Err(CartTokenError) }
    }
}

/// A key is never shown: it opens a cart.
impl std::fmt::Debug for CartToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CartToken")
    }
}

/// Whose a cart is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartOwner {
    /// A member's; a member has one.
    Member(CustomerId),
    /// The guest's who knows its key.
    Guest(CartToken),
}

impl CartOwner {
    /// The identity of the owner's cart. There is nothing to create first.
    #[must_use]
    pub fn cart(&self) -> CartId {
        match self {
            Self::Member(customer) => CartId::derive(&["member", customer.as_str()]),
            Self::Guest(CartToken(token)) => CartId::derive(&["guest", token]),
        }
    }

    fn member(&self) -> Option<&CustomerId> {
        match self {
            Self::Member(customer) => Some(customer),
            Self::Guest(_) => None,
        }
    }
}

/// So many units of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    /// What.
    pub sku: Sku,
    /// How many, 1 to [`super::order::MAX_QUANTITY`].
    pub quantity: u32,
}

/// What an owner has put into a cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CartContent {
    /// At most [`super::order::MAX_LINES`] lines, each SKU once.
    pub lines: Vec<CartLine>,
    /// At most [`MAX_CODES`] codes, each once. Whether they are good for
    /// anything a quote tells.
    pub codes: Vec<Code>,
    /// How the owner is reached.
    pub contact: Option<Contact>,
    /// Whether the owner wants to be reminded of the cart.
    pub remind: bool,
}

impl CartContent {
    /// Where a reminder goes, if there is something to be reminded of and the
    /// owner wants it.
    #[must_use]
    pub fn reminder(&self) -> Option<&Contact> {
        self.contact.as_ref().filter(|_| self.remind && !self.lines.is_empty())
    }
}

/// A cart as the shop keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// Derived from its owner.
    pub id: CartId,
    /// The member whose it is; of a guest's, and of one that was never written, none.
    pub member: Option<CustomerId>,
    /// How often it was written; 0 is a cart that never was.
    pub version: u64,
    /// What is in it.
    pub content: CartContent,
    /// When the first of what is in it now was put into it; of an empty cart, never.
    pub filled_at: Option<Timestamp>,
    /// When its owner was reminded of it last.
    pub reminded_at: Option<Timestamp>,
    /// When its owner is to be reminded of it.
    pub remind_due: Option<Timestamp>,
    /// From when on it counts as empty; to the second.
    pub expires_at: Option<Timestamp>,
    /// The last orders that took goods out of it, latest last: at most
    /// [`MAX_ENDINGS`].
    pub ended_by: Vec<OrderId>,
}

/// An order that was made of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartOrder {
    /// Which.
    pub order: OrderId,
    /// When.
    pub placed_at: Timestamp,
    /// What its buyer asked for.
    pub lines: Vec<CartLine>,
}

impl From<&Order> for CartOrder {
    fn from(order: &Order) -> Self {
        let asked = order.lines.iter().filter(|line| line.gift.is_none());
        let line = |line: &super::order::OrderLine| CartLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
        };
        Self {
            order: order.id.clone(),
            placed_at: order.placed_at,
            lines: asked.map(line).collect(),
        }
    }
}

impl Cart {
    /// A cart that nobody has put anything into.
    #[must_use]
    pub fn empty(id: CartId) -> Self {
        Self {
            id,
            member: None,
            version: 0,
            content: CartContent::default(),
            filled_at: None,
            reminded_at: None,
            remind_due: None,
            expires_at: None,
            ended_by: Vec::new(),
        }
    }

    /// The cart as its owner's: its identity does not tell whose it is.
    #[must_use]
    pub fn of(self, owner: &CartOwner) -> Self {
        Self { member: owner.member().cloned(), ..self }
    }

    /// The cart as it is at `now`: one that has expired is empty. It keeps its
    /// version, because it is still there to be written over.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self.expires_at {
            Some(end) if end <= now => self.emptied(),
            _ => self,
        }
    }

    /// The cart after its owner changed what is in it, or none when nothing
    /// changes. Every change moves the ends of its terms; an empty cart has no
    /// reminder, and a cart has none before the last is so long ago as its
    /// terms say.
    #[must_use]
    pub fn changed(&self, content: CartContent, terms: CartTerms, now: Timestamp) -> Option<Self> {
        if content == self.content {
            return None;
        }
        let expires_at = whole_second(now.plus(terms.keep));
        let again = self.reminded_at.map(|at| at.plus(terms.remind_again_after));
        let due = now.plus(terms.abandoned_after).max(again.unwrap_or(Timestamp::FIRST));
        let remind = content.reminder().is_some() && due < expires_at;
        Some(Self {
            version: self.version.saturating_add(1),
            filled_at: (!content.lines.is_empty()).then(|| self.filled_at.unwrap_or(now)),
            remind_due: remind.then_some(due),
            expires_at: Some(expires_at),
            content,
            ..self.clone()
        })
    }

    /// The cart after its owner was reminded of it, or none when no reminder
    /// is due.
    #[must_use]
    pub fn reminded(&self, now: Timestamp) -> Option<Self> {
        self.remind_due.filter(|due| *due <= now)?;
        Some(Self {
            version: self.version.saturating_add(1),
            reminded_at: Some(now),
            remind_due: None,
            ..self.clone()
        })
    }

    /// The cart after an order was made of it: the units that were ordered are
    /// out of it, what was added since stays, and nobody is reminded of it
    /// until it changes again. A cart with nothing left forgets its codes and
    /// its contact, too.
    ///
    /// None when the order took its goods out before, or when what is in the
    /// cart was put there after the order was placed, so that the order may be
    /// told any number of times and at any time.
    #[must_use]
    pub fn ended(&self, by: &CartOrder) -> Option<Self> {
        let filled_since = self.filled_at.is_none_or(|at| at > by.placed_at);
        if filled_since || self.ended_by.contains(&by.order) {
            return None;
        }
        let mut cart = self.clone();
        for line in &mut cart.content.lines {
            let ordered = by.lines.iter().filter(|ordered| ordered.sku == line.sku);
            let ordered = ordered.fold(0_u32, |sum, it| sum.saturating_add(it.quantity));
            line.quantity = line.quantity.saturating_sub(ordered);
        }
        cart.content.lines.retain(|line| line.quantity > 0);
        cart.version = self.version.saturating_add(1);
        cart.remind_due = None;
        cart.ended_by.push(by.order.clone());
        let forgotten = cart.ended_by.len().saturating_sub(MAX_ENDINGS);
        cart.ended_by.drain(..forgotten);
        Some(if cart.content.lines.is_empty() { cart.emptied() } else { cart })
    }

    fn emptied(self) -> Self {
        let (content, ended_by) = (CartContent::default(), Vec::new());
        Self { content, filled_at: None, remind_due: None, ended_by, ..self }
    }
}

/// The moment without the part of a second, as DynamoDB's expiry has it.
fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(moment.unix_seconds()).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMS: CartTerms = CartTerms {
        keep: Period::of_days(30),
        abandoned_after: Period::of_seconds(4 * 3_600),
        remind_again_after: Period::of_days(7),
    };

    fn start() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00.900Z").unwrap()
    }

    fn hours(count: u32) -> Timestamp {
        start().plus(Period::of_seconds(count * 3_600))
    }

    fn lines(of: &[(&str, u32)]) -> Vec<CartLine> {
        let line = |(sku, quantity): &(&str, u32)| CartLine {
            sku: Sku::parse(sku).unwrap(),
            quantity: *quantity,
        };
        of.iter().map(line).collect()
    }

    /// A content whose owner wants to be reminded.
    fn content(of: &[(&str, u32)]) -> CartContent {
        CartContent {
            lines: lines(of),
            codes: vec![Code::parse("TEN-OFF").unwrap()],
            contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
            remind: true,
        }
    }

    fn cart() -> Cart {
        Cart::empty(CartOwner::Guest(CartToken::parse(&"k".repeat(16)).unwrap()).cart())
    }

    fn filled() -> Cart {
        cart().changed(content(&[("TEA", 2), ("CUP", 1)]), TERMS, start()).unwrap()
    }

    fn order(number: usize, at: Timestamp, of: &[(&str, u32)]) -> CartOrder {
        let order = OrderId::derive(&[&number.to_string()]);
        CartOrder { order, placed_at: at, lines: lines(of) }
    }

    #[test]
    fn an_owner_has_one_cart_that_only_he_finds() {
        let guest = |token: &str| CartOwner::Guest(CartToken::parse(token).unwrap()).cart();
        let member = |name: &str| CartOwner::Member(CustomerId::member(name).unwrap()).cart();
        assert_eq!(guest("0123456789abcdef"), guest("0123456789abcdef"));
        assert_ne!(guest("0123456789abcdef"), guest("0123456789abcdeg"));
        assert_ne!(member("cus_0123456789ab"), guest("cus_0123456789ab"));
        for bad in ["", "short", &"k".repeat(129), "sixteen with blank", "sechzehn-zeichen-ü"] {
            assert_eq!(CartToken::parse(bad), Err(CartTokenError), "{bad}");
        }
        assert_eq!(format!("{:?}", CartToken::parse(&"k".repeat(16)).unwrap()), "CartToken");
    }

    #[test]
    fn a_cart_expires_so_long_after_its_last_change() {
        let cart = filled();
        let end = cart.expires_at.unwrap();
        assert_eq!(end.to_string(), "2026-12-21T12:00:00.000Z");
        let second = Period::of_seconds(1);
        assert_eq!(cart.clone().at(end.minus(second)), cart);
        let expired = cart.clone().at(end);
        assert_eq!((&expired.content, expired.remind_due), (&CartContent::default(), None));
        assert_eq!(expired.version, cart.version);
        let later = cart.changed(content(&[("TEA", 1)]), TERMS, hours(24)).unwrap();
        assert_eq!(later.at(end).content.lines, lines(&[("TEA", 1)]));
    }

    #[test]
    fn the_reminder_moves_with_every_change_and_leaves_an_empty_cart() {
        let first = filled();
        assert_eq!(first.remind_due, Some(hours(4)));
        assert_eq!(first.changed(first.content.clone(), TERMS, hours(1)), None);
        let second = first.changed(content(&[("TEA", 3)]), TERMS, hours(3)).unwrap();
        assert_eq!((second.remind_due, second.filled_at), (Some(hours(7)), Some(start())));
        for without in [
            content(&[]),
            CartContent { remind: false, ..content(&[("TEA", 1)]) },
            CartContent { contact: None, ..content(&[("TEA", 1)]) },
        ] {
            assert_eq!(second.changed(without, TERMS, hours(5)).unwrap().remind_due, None);
        }
        let short = CartTerms { keep: Period::of_seconds(4 * 3_600), ..TERMS };
        let never = cart().changed(content(&[("TEA", 1)]), short, start()).unwrap();
        assert_eq!(never.remind_due, None);
    }

    #[test]
    fn a_filling_is_reminded_of_once_and_the_next_not_too_soon() {
        let first = filled();
        assert_eq!(first.reminded(hours(3)), None);
        let told = first.reminded(hours(5)).unwrap();
        assert_eq!((told.reminded_at, told.remind_due), (Some(hours(5)), None));
        assert_eq!(told.reminded(hours(500)), None);
        let again = hours(5).plus(TERMS.remind_again_after);
        let soon = told.changed(content(&[("TEA", 1)]), TERMS, hours(6)).unwrap();
        assert_eq!(soon.remind_due, Some(again));
        let emptied = soon.changed(CartContent::default(), TERMS, hours(7)).unwrap();
        let anew = emptied.changed(content(&[("TEA", 1)]), TERMS, hours(8)).unwrap();
        assert_eq!((anew.remind_due, anew.filled_at), (Some(again), Some(hours(8))));
        let late = told.changed(content(&[("TEA", 1)]), TERMS, hours(300)).unwrap();
        assert_eq!(late.remind_due, Some(hours(304)));
    }

    #[test]
    fn an_order_takes_its_units_out_and_leaves_the_rest() {
        let cart = filled();
        let (later, all) = (hours(1), [("TEA", 2), ("CUP", 1)]);
        for (ordered, left) in [
            (&all[..], &[][..]),
            (&[("TEA", 1)], &[("TEA", 1), ("CUP", 1)]),
            (&[("TEA", 9), ("POT", 1)], &[("CUP", 1)]),
            (&[], &all),
        ] {
            let by = order(1, later, ordered);
            let ended = cart.ended(&by).unwrap();
            assert_eq!(ended.content.lines, lines(left), "{ordered:?}");
            assert_eq!((ended.remind_due, ended.version), (None, cart.version + 1));
            assert_eq!(ended.content == CartContent::default(), left.is_empty());
            assert_eq!(ended.ended(&by), None, "{ordered:?} twice");
        }
        let by = order(1, later, &all);
        assert_eq!(Cart::empty(cart.id.clone()).ended(&by), None);
        // The buyer filled it again before the order was told, or told again.
        let anew = cart.ended(&by).unwrap().changed(content(&all), TERMS, hours(2)).unwrap();
        assert_eq!((anew.ended_by.len(), anew.ended(&by)), (0, None));
        // What came in since stays.
        let more = content(&[("TEA", 2), ("CUP", 1), ("POT", 1)]);
        let more = cart.changed(more, TERMS, hours(2)).unwrap();
        assert_eq!(more.ended(&by).unwrap().content.lines, lines(&[("POT", 1)]));
    }

    #[test]
    fn the_memory_of_orders_is_bounded() {
        let mut cart = cart().changed(content(&[("TEA", 100)]), TERMS, start()).unwrap();
        for number in 0..20 {
            cart = cart.ended(&order(number, hours(1), &[("TEA", 1)])).unwrap();
        }
        assert_eq!((cart.ended_by.len(), cart.content.lines[0].quantity), (MAX_ENDINGS, 80));
        assert_eq!(cart.ended(&order(19, hours(1), &[("TEA", 1)])), None);
    }

    proptest! {
        #[test]
        fn orders_told_in_any_order_and_number_take_the_same_out(
            told in prop::collection::vec(0_usize..4, 0..30)
        ) {
            let mut cart = cart().changed(content(&[("TEA", 6), ("CUP", 1)]), TERMS, start()).unwrap();
            let mut once = std::collections::BTreeSet::new();
            for number in told {
                let by = order(number, hours(1), &[("TEA", 1)]);
                let ended = cart.ended(&by);
                prop_assert_eq!(ended.is_some(), once.insert(number));
                cart = ended.unwrap_or(cart);
            }
            prop_assert_eq!(usize::try_from(cart.content.lines[0].quantity).unwrap(), 6 - once.len());
        }
    }
}
