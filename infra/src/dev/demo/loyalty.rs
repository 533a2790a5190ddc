//! What a member does with points: checks in, reaches a tier, takes a reward,
//! gives to a friend, draws in the points rain, and reads all of it.

use serde_json::{Value, json};

use super::play::{Caller, Play};
use crate::dev::{failure::Failure, http::text};

/// Ana's points after her order's return window, and the operator's audit.
pub(super) fn member(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("What points are for")?;
    deeds(play)?;
    tier(play)?;
    reward(play)?;
    gift(play)?;
    page(play)?;
    audit(play)
}

fn deeds(play: &mut Play<'_>) -> Result<(), Failure> {
    let checked_in = play.call(Caller::Ana, "POST", "/me/check-ins", &[], "")?;
    let fine = matches!(checked_in.status, 200 | 201);
    play.expect("POST /me/check-ins", &checked_in, fine, "points at once, and a streak begins")?;
    let again = play.call(Caller::Ana, "POST", "/me/check-ins", &[], "")?;
    let same = (again.status, &again.body) == (checked_in.status, &checked_in.body);
    play.expect("POST /me/check-ins, again", &again, same, "the same answer")?;
    let key = [("idempotency-key", play.key("points-rain"))];
    let key: Vec<_> = key.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let drawn = play.call(Caller::Ana, "POST", "/me/campaigns/points-rain/draws", &key, "{}")?;
    let won = text(&drawn.json(), "/points");
    let fine = matches!(drawn.status, 200 | 201) && !won.is_empty();
    play.expect("POST /me/campaigns/points-rain/draws", &drawn, fine, &format!("{won} points"))?;
    Ok(())
}

/// The tier follows from what matured, and reaches prices and delivery.
fn tier(play: &mut Play<'_>) -> Result<(), Failure> {
    let member = play.wait("GET /me/membership: silver, by what she bought", |play| {
        let member = play.call(Caller::Ana, "GET", "/me/membership", &[], "")?.json();
        Ok((text(&member, "/tier/id") == "silver").then_some(member))
    })?;
    let words = text(&member, "/next/words");
    play.note(!words.is_empty(), &format!("The way to the next: {words}"))?;
    Ok(())
}

fn reward(play: &mut Play<'_>) -> Result<(), Failure> {
    let tasting = json!({
        "title": { "en": "A tasting for two", "zh": "双人品鉴会" },
        "kind": "service", "points": 20, "units": 50, "per_member": 1,
    });
    let put = play.call(Caller::Operator, "PUT", "/rewards/tasting", &[], &tasting.to_string())?;
    play.expect("PUT /rewards/tasting", &put, put.status == 200, "50 of them, 20 points each")?;
    let key = play.key("tasting");
    let headers = [("idempotency-key", key.as_str())];
    let body = json!({ "reward": "tasting" }).to_string();
    let taken = play.call(Caller::Ana, "POST", "/me/redemptions", &headers, &body)?;
    play.expect("POST /me/redemptions", &taken, taken.status == 201, "taken, and its points held")?;
    let again = play.call(Caller::Ana, "POST", "/me/redemptions", &headers, &body)?;
    let same = again.status == taken.status && again.text("/id") == taken.text("/id");
    play.expect("POST /me/redemptions, again", &again, same, "the same redemption")?;
    let id = taken.text("/id");
    play.wait("points-post spends what is held for it", |play| {
        let points = play.call(Caller::Ana, "GET", "/me/points", &[], "")?.json();
        let movements = points.get("movements").and_then(Value::as_array).cloned();
        let ours = |it: &Value| text(it, "/about") == id;
        Ok(movements.unwrap_or_default().iter().any(ours).then_some(()))
    })?;
    let path = format!("/operator/redemptions/{id}/fulfilment");
    let done = play.call(Caller::Operator, "POST", &path, &[], "{}")?;
    play.expect("POST /operator/redemptions/{id}/fulfilment", &done, done.status == 200, "done")?;
    Ok(())
}

fn gift(play: &mut Play<'_>) -> Result<(), Failure> {
    let key = play.key("gift");
    let headers = [("idempotency-key", key.as_str())];
    let body = json!({ "to": play.customer(1), "points": 5, "note": "Try the tea" }).to_string();
    let made = play.call(Caller::Ana, "POST", "/me/gifts", &headers, &body)?;
    play.expect("POST /me/gifts", &made, made.status == 201, "5 points for Ben, if he accepts")?;
    let path = format!("/me/gifts/{}/acceptance", made.text("/id"));
    let taken = play.call(Caller::Ben, "POST", &path, &[], "")?;
    play.expect("POST /me/gifts/{id}/acceptance", &taken, taken.status == 200, "they are Ben's")?;
    Ok(())
}

/// The page behind the link, and the rules in words.
fn page(play: &mut Play<'_>) -> Result<(), Failure> {
    let points = play.call(Caller::Ana, "GET", "/me/points", &[], "")?;
    let path = play.path_of(&points.text("/page"));
    for (language, name) in [("en", "English"), ("zh", "Chinese")] {
        let asked = format!("{path}?lang={language}");
        let page = play.call(Caller::Nobody, "GET", &asked, &[("accept", "text/html")], "")?;
        let fine = page.status == 200 && page.body.contains(&format!("lang=\"{language}"));
        play.expect("GET /m/{token}", &page, fine, &format!("her points on a page, in {name}"))?;
    }
    Ok(())
}

/// The ledger made again from nothing but its entries.
fn audit(play: &mut Play<'_>) -> Result<(), Failure> {
    for who in [play.customer(0), play.customer(1)] {
        let path = format!("/operator/customers/{who}/points/audit");
        let audit = play.call(Caller::Operator, "GET", &path, &[], "")?;
        let clean = audit.status == 200 && audit.text("/result") == "same";
        play.expect(
            "GET /operator/customers/{id}/points/audit",
            &audit,
            clean,
            "every balance and lot follows from the entries",
        )?;
    }
    Ok(())
}
