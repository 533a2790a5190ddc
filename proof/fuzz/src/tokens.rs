//! What opens doors: links, passes, cursors, codes.
//!
//! The first line says what it is: `token`, as it came; `sealed`, the text in a
//! token, which is signed here with the shop's own key, so that the reader
//! behind the signature is reached; or `cursor` and `code`.

use aftercart::{
    model::signature::hmac_sha256,
    run::links::Links,
    store::{self, PageToken},
};
use aftercart_infra::world::secrets;
use aftercart_points::rules::code::Code;
use data_encoding::BASE64URL_NOPAD;

use crate::{Finding, Seed, Verdict, headed, seed, shop::Shop, story};

/// Opens it wherever it could open something.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((kind, text)) = headed(input) else { return Ok(()) };
    match kind {
        "token" => token(&String::from_utf8_lossy(text)),
        "sealed" => sealed(text),
        "cursor" => cursor(&String::from_utf8_lossy(text)),
        "code" => code(&String::from_utf8_lossy(text)),
        _ => Ok(()),
    }
}

/// A token opens what it was made for, and nothing else; no other opens anything.
fn token(text: &str) -> Verdict {
    let shop = Shop::here()?;
    let opened = opened(&story::links()?, text)?;
    let pass = ("order pass", shop.known.order_token.clone());
    let known = shop.known.links.iter().map(|(prefix, token)| (purpose(prefix), token.clone()));
    let ours: Vec<(&str, String)> = known.chain([pass]).collect();
    for purpose in opened {
        let made = ours.iter().any(|(known, token)| {
            // A link to the parcels opens the page of complaints, too.
            token == text && (*known == purpose || (*known == "tracking" && purpose == "complaint"))
        });
        hold!(made, "a token that nobody made opens as {purpose}: {text}");
    }
    Ok(())
}

fn purpose(prefix: &str) -> &'static str {
    match prefix {
        "/t/" => "tracking",
        "/complaints/" => "complaint",
        "/m/" => "member",
        "/u/" => "contact",
        "/c/" => "ticket",
        "/r/" => "report",
        _ => "survey",
    }
}

/// Whatever the shop itself could have signed opens at most one door, beside
/// the page of complaints.
fn sealed(payload: &[u8]) -> Verdict {
    let mac = hmac_sha256(secrets::LINKS.as_bytes(), &[payload]);
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let text = format!("{}.{}", encode(payload), encode(&mac));
    let mut opened = opened(&story::links()?, &text)?;
    opened.retain(|purpose| *purpose != "complaint");
    hold!(opened.len() <= 1, "a token opens as {opened:?}: {text}");
    Ok(())
}

/// As what a token opens.
fn opened(links: &Links, text: &str) -> Result<Vec<&'static str>, Finding> {
    let now = Shop::here()?.time();
    let doors = [
        ("order pass", links.open_order_pass(text, now).is_ok()),
        ("tracking", links.open_tracking_link(text, now).is_ok()),
        ("complaint", links.open_complaint_link(text, now).is_ok()),
        ("survey", links.open_survey_link(text, now).is_ok()),
        ("contact", links.open_contact_link(text, now).is_ok()),
        ("ticket", links.open_ticket_link(text, now).is_ok()),
        ("report", links.open_report_link(text, now).is_ok()),
        ("member", links.open_member_link(text, now).is_ok()),
        ("account", links.open_account_code(text, now).is_ok()),
        ("rate", links.open_rate_quote(text, now).is_ok()),
    ];
    Ok(doors.into_iter().filter(|(_, is_open)| *is_open).map(|(purpose, _)| purpose).collect())
}

/// Reads a cursor.
type Read = fn(&str) -> Option<PageToken>;

/// The readers of cursors, by the listings that give them.
const CURSORS: [(&str, Read); 14] = [
    ("adjustments", store::adjustments::cursor),
    ("alerts", store::alerts::cursor),
    ("feedback", store::feedback::cursor),
    ("gifts", store::gifts::cursor),
    ("lookups", store::lookups::cursor),
    ("orders", store::orders::cursor),
    ("orders that are held", store::orders::held_cursor),
    ("payment cases", store::payments::case_cursor),
    ("points", store::points::cursor),
    ("rewards", store::rewards::cursor),
    ("tickets", store::tickets::cursor),
    ("own tickets", store::tickets::own_cursor),
    ("vouchers", store::vouchers::cursor),
    ("webhooks", store::webhooks::cursor),
];

/// A cursor is given back as it came.
fn cursor(text: &str) -> Verdict {
    // What it holds, and the text as it would come.
    for text in [text.to_owned(), BASE64URL_NOPAD.encode(text.as_bytes())] {
        for (listing, read) in CURSORS {
            if let Some(token) = read(&text) {
                hold!(token.encode() == text, "a cursor of {listing} changes: {text}");
            }
        }
    }
    Ok(())
}

/// A code that a till reads is shown as it is, whatever stands between its digits.
fn code(text: &str) -> Verdict {
    let Some(code) = Code::parse(text) else { return Ok(()) };
    let written = code.written();
    hold!(Code::parse(&written) == Some(code), "a code changes: {text} to {written}");
    hold!(written.bytes().all(|b| b.is_ascii_digit()), "a code has letters: {written}");
    Ok(())
}

/// A token of each kind, and what is in them.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let shop = Shop::here()?;
    let mut seeds = vec![
        seed("pass", "token", &shop.known.order_token),
        seed("code", "code", "0123 4567 8901 2345 6789"),
        seed("cursor-order", "cursor", format!("2026-11-21T12:00:00.000Z#{}", shop.known.order)),
        seed("cursor-due", "cursor", format!("2026-11-21T12:00:00.000Z {}", shop.known.ticket)),
        seed("cursor-due-order", "cursor", {
            format!("2026-11-21T12:00:00.000Z {} {}", story::MEMBER, shop.known.order)
        }),
        seed("cursor-entry", "cursor", {
            "ENTRY#2026-11-21T12:00:00.000Z#ent_aaaaaaaaaaaaaaaaaaaaaaaaaa"
        }),
        seed(
            "cursor-ticket",
            "cursor",
            format!("TICKET#2026-11-21T12:00:00.000Z#{}", { &shop.known.ticket }),
        ),
    ];
    for (prefix, token) in &shop.known.links {
        let name = purpose(prefix);
        seeds.push(seed(name, "token", token));
        if let Some((payload, _)) = token.split_once('.') {
            let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap_or_default();
            seeds.push(seed(format!("sealed-{name}"), "sealed", payload));
        }
    }
    Ok(seeds)
}
