//! Times, amounts, identities and the like, of which everything else is made:
//! what reads is written as what reads the same.

use std::fmt::Display;

use aftercart::model::{
    contact::Contactee,
    customer::{Country, CustomerId, Email, Language},
    delivery::Promise,
    exchange::Rate,
    id::{EntryId, InviteId, OrderId, PaymentId, RefundId, ShipmentId, TicketId},
    money::{Currency, Money},
    price::{Code, LocalTime},
    product::Sku,
    shipment::TrackingNumber,
    tax::TaxRate,
    text::Text,
    till::MemberNumber,
    time::{Date, Period, TimeOfDay, Timestamp, YearDay, Zone},
    webhook::Place,
};

use crate::{Finding, Seed, Verdict};

/// Reads a text as everything that it could be.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(input);
    let text = text.as_ref();
    times(text)?;
    amounts(text)?;
    names(text)
}

/// What reads is written as what reads the same.
fn same<T: PartialEq + Display, E>(
    what: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Verdict {
    let Ok(read) = parse(text) else { return Ok(()) };
    let written = read.to_string();
    let again = parse(&written).is_ok_and(|again| again == read);
    hold!(again, "{what} changes: {text:?} to {written:?}");
    Ok(())
}

/// What reads is written as it was read.
fn unchanged<T, E>(
    what: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    written: impl Fn(&T) -> String,
) -> Verdict {
    let Ok(read) = parse(text) else { return Ok(()) };
    let written = written(&read);
    hold!(written == text, "{what} changes: {text:?} to {written:?}");
    Ok(())
}

fn times(text: &str) -> Verdict {
    same("a moment", text, Timestamp::parse)?;
    same("a date", text, Date::parse)?;
    same("a time of day", text, TimeOfDay::parse)?;
    same("a day of the year", text, YearDay::parse)?;
    same("a period", text, Period::parse)?;
    same("a local time", text, LocalTime::parse)?;
    if let Ok(moment) = Timestamp::parse(text).or_else(|_| Timestamp::parse_rfc2822(text)) {
        let (first, last) = (Timestamp::FIRST, Timestamp::LAST);
        hold!((first..=last).contains(&moment), "{moment} is no moment of ours");
        let millis = Timestamp::from_unix_millis(moment.unix_millis());
        hold!(millis == Ok(moment), "{moment} is not {millis:?}");
        hold!(moment.to_string().len() == 24, "{moment} is not written in 24 characters");
        let zone = Zone::parse("Asia/Shanghai").map_err(Finding::unprepared)?;
        let day = moment.date_in(&zone);
        hold!(Date::parse(&day.to_string()) == Ok(day), "{day} is no day");
        hold!(moment.plus(Period::of_days(u16::MAX)) <= last, "{moment} goes on for ever");
        hold!(moment.minus(Period::of_days(u16::MAX)) >= first, "{moment} began before time");
    }
    if let Ok(zone) = Zone::parse(text) {
        let written = String::from(zone.clone());
        hold!(Zone::parse(&written) == Ok(zone), "a zone changes: {text:?} to {written:?}");
    }
    Ok(())
}

fn amounts(text: &str) -> Verdict {
    same("a currency", text, Currency::parse)?;
    same("a rate of exchange", text, Rate::parse)?;
    same("a rate of tax", text, TaxRate::parse)?;
    for code in ["JPY", "GBP", "KWD"] {
        let currency = Currency::parse(code).map_err(Finding::unprepared)?;
        let Ok(money) = Money::from_decimal(text, currency) else { continue };
        let minor = money.minor();
        let places = currency.exponent();
        let unit = 10_u64.pow(places);
        let (whole, part) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
        let sign = if minor < 0 { "-" } else { "" };
        let width = places as usize;
        let written = match places {
            0 => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{part:0width$}"),
        };
        let again = Money::from_decimal(&written, currency);
        hold!(again == Ok(money), "{text:?} {code} is {minor}, which is {written}");
        if let Ok(rate) = Rate::parse(text) {
            let charge = rate.charge(money, currency, 0);
            let fits = charge.is_err() || charge.is_ok_and(|it| it.minor() >= 0 || minor < 0);
            hold!(fits, "{money} at {rate} costs {charge:?}");
        }
    }
    Ok(())
}

fn names(text: &str) -> Verdict {
    unchanged("an order", text, OrderId::parse, |id| id.to_string())?;
    unchanged("a payment", text, PaymentId::parse, |id| id.to_string())?;
    unchanged("a refund", text, RefundId::parse, |id| id.to_string())?;
    unchanged("a shipment", text, ShipmentId::parse, |id| id.to_string())?;
    unchanged("an entry", text, EntryId::parse, |id| id.to_string())?;
    unchanged("an invitation", text, InviteId::parse, |id| id.to_string())?;
    unchanged("a ticket", text, TicketId::parse, |id| id.to_string())?;
    unchanged("a customer", text, CustomerId::parse, |id| id.as_str().to_owned())?;
    unchanged(
        "a contactee",
        text,
        |it| Contactee::parse(it).ok_or(()),
        |it| it.as_str().to_owned(),
    )?;
    unchanged("a member's number", text, MemberNumber::parse, ToString::to_string)?;
    unchanged("a promise", text, |it| Promise::parse_compact(it).ok_or(()), Promise::compact)?;
    same("a SKU", text, Sku::parse)?;
    let country = |it: &str| Country::try_from(it.to_owned());
    unchanged("a country", text, country, |it| it.as_str().to_owned())?;
    same("a code", text, Code::parse)?;
    same("a number of a parcel", text, TrackingNumber::parse)?;
    if let Ok(email) = Email::parse(text) {
        let written = email.as_str();
        let again = Email::parse(written).is_ok_and(|again| again.as_str() == written);
        hold!(again, "an address changes: {text:?} to {written:?}");
        hold!(!written.contains(|c: char| c.is_control()), "an address breaks lines: {written:?}");
    }
    if let Ok(words) = Text::<40>::new(text) {
        let kept = words.as_str();
        hold!((1..=40).contains(&kept.chars().count()), "{kept:?} is too long, or nothing");
        hold!(kept.trim() == kept && !kept.contains(char::is_control), "{kept:?} is no text");
    }
    let _language = Language::of_tag(text);
    if Place::parse(text).is_ok() {
        let private = ["://10.", "://192.168.", "://169.254.", "://localhost", "://[::1]", "@"];
        let found = private.iter().find(|it| text.to_ascii_lowercase().contains(**it));
        hold!(found.is_none(), "a webhook may go to {text:?}");
    }
    Ok(())
}

/// One of each.
#[expect(clippy::unnecessary_wraps, reason = "every target has this function")]
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let texts = [
        ("moment", "2026-11-21T12:00:00.123Z"),
        ("moment-zone", "2026-11-21T12:00:00+08:00"),
        ("moment-mail", "Sat, 21 Nov 2026 12:00:00 +0000"),
        ("date", "2028-02-29"),
        ("time-of-day", "23:59"),
        ("year-day", "02-28"),
        ("period", "36h"),
        ("local-time", "2026-11-21T12:00"),
        ("zone", "Asia/Shanghai"),
        ("currency", "GBP"),
        ("decimal", "-1234.50"),
        ("rate", "7.1235"),
        ("tax", "19.5%"),
        ("order", "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("customer", "cus_7d3c1f52-4a0e-4a8e-9c56-0f6b1f1d2a11"),
        ("guest", "gst_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("contactee", "eml_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("number", "012345678901"),
        ("key", "5e5d4a52-1111-4a8e-9c56-0f6b1f1d2a11"),
        ("promise", "2026-11-21+2+1"),
        ("sku", "TEA-001"),
        ("country", "GB"),
        ("code", "nov 10"),
        ("tracking", "GX 123 456 789 GB"),
        ("mail", "ada@example.com"),
        ("text", " A mug of the shop 马克杯 "),
        ("tag", "zh-Hans-CN;q=0.9"),
        ("place", "https://hooks.example.com:8443/aftercart?x=1"),
        ("place-private", "https://192.168.0.1/"),
    ];
    Ok(texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect())
}
