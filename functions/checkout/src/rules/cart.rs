//! What goes into a cart, and what becomes of it.

use aftercart::model::{
    cart::{Cart, CartContent, CartLine, CartTerms, MAX_CODES},
    order::{MAX_LINES, MAX_QUANTITY},
    price::Code,
    time::Timestamp,
};

/// Why a cart does not take what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many codes.
    #[error("A cart has at most {MAX_CODES} codes.")]
    Codes,
    /// The same code twice.
    #[error("The code {code} is there twice; capital and small letters are the same.")]
    RepeatedCode {
        /// At which place, counted from 0.
        place: usize,
        /// Which code.
        code: Code,
    },
    /// A reminder to nobody.
    #[error("A reminder needs a contact that it goes to.")]
    NoContact,
    /// A quantity of a line that nobody sells.
    #[error("The quantity must be 0 to {MAX_QUANTITY}; 0 takes the line out.")]
    Quantity,
    /// One line more than a cart has.
    #[error("The cart has {MAX_LINES} lines, and takes no more. Take one out first.")]
    Full,
}

/// The quantity of one line that is set; 0 takes it out.
///
/// # Errors
/// [`Refusal::Quantity`].
pub fn quantity(asked: i64) -> Result<u32, Refusal> {
    quantity_of(asked).ok_or(Refusal::Quantity)
}

fn quantity_of(asked: i64) -> Option<u32> {
    u32::try_from(asked).ok().filter(|quantity| *quantity <= MAX_QUANTITY)
}

/// Checks what is in a cart besides its lines.
///
/// # Errors
/// [`Refusal::Codes`], [`Refusal::RepeatedCode`] or [`Refusal::NoContact`].
pub fn check(content: &CartContent) -> Result<(), Refusal> {
    if content.codes.len() > MAX_CODES {
        return Err(Refusal::Codes);
    }
    for (place, code) in content.codes.iter().enumerate() {
        if content.codes.iter().take(place).any(|earlier| earlier == code) {
            return Err(Refusal::RepeatedCode { place, code: code.clone() });
        }
    }
    if content.remind && content.contact.is_none() {
        return Err(Refusal::NoContact);
    }
    Ok(())
}

/// A cart that was changed since its owner looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed;

/// The cart with this content in place of its own, or none if that is its
/// content already. An owner who names the version that he saw changes no
/// other; what is as he wants it is so in any version.
///
/// # Errors
/// [`Changed`].
pub fn replace(
    cart: &Cart,
    content: &CartContent,
    seen: Option<u64>,
    terms: CartTerms,
    now: Timestamp,
) -> Result<Option<Cart>, Changed> {
    let changed = cart.changed(content.clone(), terms, now);
    match seen {
        Some(version) if version != cart.version && changed.is_some() => Err(Changed),
        _ => Ok(changed),
    }
}

/// The cart with so many units of a SKU, or none if it has them already.
///
/// # Errors
/// [`Refusal::Full`].
pub fn put_line(
    cart: &Cart,
    line: &CartLine,
    terms: CartTerms,
    now: Timestamp,
) -> Result<Option<Cart>, Refusal> {
    let mut content = cart.content.clone();
    let full = content.lines.len() >= MAX_LINES;
    match content.lines.iter_mut().find(|known| known.sku == line.sku) {
        Some(known) => known.quantity = line.quantity,
        None if line.quantity > 0 && full => return Err(Refusal::Full),
        None => content.lines.push(line.clone()),
    }
    content.lines.retain(|line| line.quantity > 0);
    Ok(cart.changed(content, terms, now))
}

/// What becomes of two carts that are merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The member's, if it changes.
    pub member: Option<Cart>,
    /// The guest's, if it changes.
    pub guest: Option<Cart>,
}

/// Moves what is in a guest's cart into a member's. Units add up to at most
/// [`MAX_QUANTITY`]. Lines beyond [`MAX_LINES`] stay where they are; codes
/// beyond [`MAX_CODES`] are dropped. The guest's contact and wish to be
/// reminded go with it if the member has left no contact.
///
/// Merging once more what is left changes nothing.
#[must_use]
pub fn merge(
    (member, member_terms): (&Cart, CartTerms),
    (guest, guest_terms): (&Cart, CartTerms),
    now: Timestamp,
) -> Merged {
    let mut merged = member.content.clone();
    let mut left = CartContent::default();
    for line in &guest.content.lines {
        let full = merged.lines.len() >= MAX_LINES;
        match merged.lines.iter_mut().find(|known| known.sku == line.sku) {
            Some(known) => {
                known.quantity = known.quantity.saturating_add(line.quantity).min(MAX_QUANTITY);
            }
            None if full => left.lines.push(line.clone()),
            None => merged.lines.push(line.clone()),
        }
    }
    for code in &guest.content.codes {
        if merged.codes.len() < MAX_CODES && !merged.codes.contains(code) {
            merged.codes.push(code.clone());
        }
    }
    if merged.contact.is_none() {
        merged.contact.clone_from(&guest.content.contact);
        merged.remind = guest.content.remind;
    }
    Merged {
        member: member.changed(merged, member_terms, now),
        guest: guest.changed(left, guest_terms, now),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        cart::{CartOwner, CartToken},
        product::Sku,
        time::Period,
    };
    use proptest::prelude::*;

    use super::*;

    const TERMS: CartTerms = CartTerms {
        keep: Period::of_days(30),
        abandoned_after: Period::of_seconds(3_600),
        remind_again_after: Period::of_days(7),
    };

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn sku(sku: &str) -> Sku {
        Sku::parse(sku).unwrap()
    }

    fn line(name: &str, quantity: u32) -> CartLine {
        CartLine { sku: sku(name), quantity }
    }

    fn code(text: &str) -> Code {
        Code::parse(text).unwrap()
    }

    fn many(count: usize) -> Vec<CartLine> {
        (0..count).map(|number| line(&format!("S{number}"), 1)).collect()
    }

    fn cart(lines: Vec<CartLine>) -> Cart {
        let owner = CartOwner::Guest(CartToken::parse(&"k".repeat(16)).unwrap());
        let cart = Cart::empty(owner.cart());
        let content = CartContent { lines, ..CartContent::default() };
        cart.changed(content, TERMS, now()).unwrap_or(cart)
    }

    #[test]
    fn every_refusal_names_its_place() {
        for (asked, expected) in [(0, Ok(0)), (999, Ok(999)), (-1, Err(())), (1_000, Err(()))] {
            assert_eq!(quantity(asked), expected.map_err(|()| Refusal::Quantity));
        }
        let codes = |codes: &[&str]| CartContent {
            codes: codes.iter().map(|text| code(text)).collect(),
            ..CartContent::default()
        };
        assert_eq!(check(&codes(&["AAA1", "AAA2", "AAA3", "AAA4", "AAA5"])), Ok(()));
        let six = codes(&["AAA1", "AAA2", "AAA3", "AAA4", "AAA5", "AAA6"]);
        assert_eq!(check(&six), Err(Refusal::Codes));
        let twice = Refusal::RepeatedCode { place: 1, code: code("AAA1") };
        assert_eq!(check(&codes(&["AAA1", "aaa1"])), Err(twice));
        let nobody = CartContent { remind: true, ..CartContent::default() };
        assert_eq!(check(&nobody), Err(Refusal::NoContact));
    }

    #[test]
    fn a_line_is_set_and_taken_out() {
        let cart = cart(many(MAX_LINES - 1));
        let put =
            |cart: &Cart, name: &str, quantity| put_line(cart, &line(name, quantity), TERMS, now());
        let full = put(&cart, "NEW", 2).unwrap().unwrap();
        assert_eq!(full.content.lines.last(), Some(&line("NEW", 2)));
        assert_eq!(put(&full, "NEW", 2), Ok(None));
        assert_eq!(put(&full, "MORE", 1), Err(Refusal::Full));
        assert_eq!(put(&full, "MORE", 0), Ok(None));
        let first = put(&full, "S0", 5).unwrap().unwrap();
        assert_eq!(first.content.lines.first(), Some(&line("S0", 5)));
        let less = put(&full, "S0", 0).unwrap().unwrap();
        assert_eq!(less.content.lines.first(), Some(&line("S1", 1)));
    }

    #[test]
    fn a_version_that_was_not_seen_is_not_written_over() {
        let cart = cart(many(2));
        let content = |count| CartContent { lines: many(count), ..CartContent::default() };
        let put = |count, seen| replace(&cart, &content(count), seen, TERMS, now());
        for seen in [None, Some(cart.version)] {
            assert_eq!(put(3, seen).unwrap().unwrap().content, content(3));
        }
        assert_eq!(put(3, Some(0)), Err(Changed));
        // It is as it was asked: the call came a second time.
        assert_eq!(put(2, Some(0)), Ok(None));
    }

    #[test]
    fn a_merge_takes_contact_and_codes_along() {
        let contact =
            |name: &str| serde_json::from_str(&format!(r#"{{"email":"{name}@b.cd"}}"#)).unwrap();
        let mut guest = cart(many(1));
        guest.content.codes = vec![code("AAA1"), code("AAA2")];
        guest.content.contact = contact("guest");
        guest.content.remind = true;
        let mut member = cart(many(1));
        member.content.codes =
            ["AAA2", "BBB1", "BBB2", "BBB3"].iter().map(|text| code(text)).collect();
        let merged = merge((&member, TERMS), (&guest, TERMS), now());
        let content = merged.member.unwrap().content;
        assert_eq!(content.lines, [line("S0", 2)]);
        assert_eq!(content.codes.last(), Some(&code("AAA1")));
        assert_eq!((content.contact, content.remind), (contact("guest"), true));
        assert_eq!(merged.guest.unwrap().content, CartContent::default());
        member.content.contact = contact("member");
        let merged = merge((&member, TERMS), (&guest, TERMS), now()).member.unwrap();
        assert_eq!((merged.content.contact, merged.content.remind), (contact("member"), false));
    }

    fn some_lines() -> impl Strategy<Value = Vec<CartLine>> {
        prop::collection::btree_map(0_usize..80, 1..=MAX_QUANTITY, 0..=MAX_LINES).prop_map(
            |lines| {
                let lines = lines
                    .into_iter()
                    .map(|(number, quantity)| line(&format!("S{number}"), quantity));
                lines.collect()
            },
        )
    }

    proptest! {
        #[test]
        fn a_merge_is_within_bounds_loses_no_line_and_happens_once(
            (ours, theirs) in (some_lines(), some_lines())
        ) {
            let (member, guest) = (cart(ours), cart(theirs));
            let merged = merge((&member, TERMS), (&guest, TERMS), now());
            let after = merged.member.unwrap_or_else(|| member.clone());
            let left = merged.guest.unwrap_or_else(|| guest.clone());
            prop_assert!(after.content.lines.len() <= MAX_LINES);
            let of = |cart: &Cart, sku: &Sku| {
                let lines = cart.content.lines.iter().filter(|line| line.sku == *sku);
                lines.map(|line| line.quantity).sum::<u32>()
            };
            for line in member.content.lines.iter().chain(&guest.content.lines) {
                let sum = of(&member, &line.sku) + of(&guest, &line.sku);
                prop_assert_eq!(of(&after, &line.sku) + of(&left, &line.sku), sum.min(MAX_QUANTITY));
            }
            let again = merge((&after, TERMS), (&left, TERMS), now());
            prop_assert_eq!(again, Merged { member: None, guest: None });
        }
    }
}
