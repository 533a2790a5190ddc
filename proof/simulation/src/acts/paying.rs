//! Attempts to pay, and what providers tell of them.

use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    book::{Book, recent},
    dice::Dice,
    errand::{Aim, Errand, Told},
};

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The buyer pays, and the provider tells it.
    Paid,
    /// The buyer pays, and the provider tells nobody until it is asked.
    Silent,
    /// The buyer pays when the order has expired.
    Late,
    /// The provider says no.
    Failed,
    /// The provider says no, and then the buyer pays after all.
    FailedThenPaid,
    /// The provider tells another amount.
    OtherAmount,
    /// The buyer goes away.
    Abandoned,
}

impl Fate {
    /// What becomes of an attempt with a provider.
    pub(crate) fn of(dice: &mut Dice, provider: &str) -> Self {
        let thrown = dice.below(100);
        let asked = provider != "sandbox";
        match thrown {
            0..5 => Self::Abandoned,
            5..12 => Self::Failed,
            12..20 => Self::FailedThenPaid,
            20..28 => Self::Late,
            28..34 if asked => Self::Silent,
            34..38 if !asked => Self::OtherAmount,
            _ => Self::Paid,
        }
    }
}

pub(super) fn start(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let provider = match book.dice.chance(500) {
        true => "sandbox",
        false => book.dice.word(book.shop.providers),
    };
    let key = book.key("pay");
    let note = book.orders.get(order)?;
    let ask = Ask::post(book.path(note, "/payments"), &json!({ "provider": provider }));
    let ask = book.by_buyer(note, ask).keyed(&key);
    let errand = Errand::new("pay", ask, Aim::Pay { order, provider });
    if book.dice.chance(60) {
        book.later(5, errand.clone());
    }
    Some(errand)
}

pub(super) fn see(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let what = book.dice.word(&["/payments", "/payment-methods"]);
    let note = book.orders.get(order)?;
    Some(Errand::plain("pay.see", book.by_buyer(note, Ask::get(book.path(note, what)))))
}

/// A report of a payment.
pub(crate) fn report(
    book: &mut Book,
    payment: usize,
    kind: &'static str,
    amount: Option<i64>,
) -> Option<Errand> {
    let event = book.key("evt");
    let note = book.payments.get(payment)?;
    let told = Told::Payment {
        provider: note.provider,
        event,
        kind,
        payment: note.id.clone(),
        amount: amount.unwrap_or(note.amount),
        currency: note.currency.clone(),
        part: None,
    };
    Some(Errand::telling("report", told))
}

/// Something that providers tell rarely: a payment that is still going on, that
/// was disputed, or that failed after all; an event that nobody knows.
pub(super) fn odd(book: &mut Book) -> Option<Errand> {
    let payment = recent(&mut book.dice, book.payments.len())?;
    let kinds = ["processing", "failed", "expired", "disputed", "dispute_won", "unheard_of"];
    let kind = book.dice.word(&kinds);
    let event = book.key("evt");
    let note = book.payments.get_mut(payment).filter(|it| it.provider == "sandbox")?;
    note.odd = true;
    let part = kind.starts_with("dispute").then(|| "dis_1".to_owned());
    let told = Told::Payment {
        provider: note.provider,
        event,
        kind,
        payment: note.id.clone(),
        amount: note.amount,
        currency: note.currency.clone(),
        part,
    };
    Some(Errand::telling("report.odd", told))
}
