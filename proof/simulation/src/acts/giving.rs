//! Points: given, taken, spent, held and linked.

use aftercart::model::time::Period;
use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::{
    book::Book,
    errand::{Aim, Errand},
    shop::REWARDS,
};

/// How long a code that was read is of use to a till.
const CODE: Period = Period::of_seconds(60);

pub(super) fn adjust(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    // More than one operator may give alone waits for another.
    let points = match book.dice.below(10) {
        0 => 5_000,
        1 => -30,
        _ => i64::from(book.dice.between(20, 400)),
    };
    let key = book.key("adjust");
    let name = &book.people.get(person)?.name;
    let path = format!("/operator/customers/cus_{name}/points/adjustments");
    let body = json!({ "points": points, "reason": "The parcel was wet." });
    let ask = Ask::post(path, &body).by(Caller::Operator).keyed(&key);
    Some(Errand::new("adjust", ask, Aim::Adjust))
}

pub(super) fn decide(book: &mut Book) -> Option<Errand> {
    let how = book.dice.word(&["approval", "refusal"]);
    let id = book.dice.pick(&book.adjustments)?;
    let path = format!("/operator/points/adjustments/{id}/{how}");
    Some(Errand::plain("adjust.decide", Ask::post(path, &json!({})).by(Caller::Operator)))
}

pub(super) fn gift(book: &mut Book) -> Option<Errand> {
    let (from, to) = (book.member()?, book.member()?);
    let points = book.dice.between(10, 60);
    let key = book.key("gift");
    let body = json!({ "to": format!("cus_{}", book.people.get(to)?.name), "points": points });
    let ask = book.by_member(from, Ask::post("/me/gifts", &body).keyed(&key));
    Some(Errand::new("gift", ask, Aim::Give { to }))
}

pub(super) fn gift_end(book: &mut Book) -> Option<Errand> {
    let how = book.dice.word(&["acceptance", "acceptance", "refusal"]);
    let (id, to) = book.dice.pick(&book.gifts)?;
    let ask = Ask::post(format!("/me/gifts/{id}/{how}"), &json!({}));
    Some(Errand::plain("gift.end", book.by_member(*to, ask)))
}

pub(super) fn redeem(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let reward = book.dice.word(&REWARDS);
    let key = book.key("redeem");
    let mut body = json!({ "reward": reward });
    if reward == "mug" {
        body["address"] = book.address("1 High Street");
    }
    if reward == "upgrade" {
        let order = book.order()?;
        body["order"] = book.orders.get(order)?.id.clone().into();
    }
    let ask = book.by_member(person, Ask::post("/me/redemptions", &body).keyed(&key));
    Some(Errand::new("redeem", ask, Aim::Redeem { person }))
}

pub(super) fn redeem_off(book: &mut Book) -> Option<Errand> {
    let (id, person) = book.dice.pick(&book.redemptions)?;
    let ask = Ask::post(format!("/me/redemptions/{id}/cancellation"), &json!({}));
    Some(Errand::plain("redeem.off", book.by_member(*person, ask)))
}

pub(super) fn redeem_done(book: &mut Book) -> Option<Errand> {
    let (what, body) = match book.dice.chance(600) {
        true => ("fulfilment", json!({ "note": "Parcel AB-1234" })),
        false => ("return", json!({ "restock": book.dice.chance(500) })),
    };
    let (id, _) = book.dice.pick(&book.redemptions)?;
    let ask = Ask::post(format!("/operator/redemptions/{id}/{what}"), &body);
    Some(Errand::plain("redeem.done", ask.by(Caller::Operator)))
}

pub(super) fn draw(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let key = book.key("draw");
    let ask = Ask::post("/me/campaigns/rain/draws", &json!({})).keyed(&key);
    Some(Errand::plain("draw", book.by_member(person, ask)))
}

pub(super) fn check_in(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    Some(Errand::plain("check-in", book.by_member(person, Ask::post("/me/check-ins", &json!({})))))
}

pub(super) fn review(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let reference = format!("r-{}", book.dice.below(6));
    let customer = format!("cus_{}", book.people.get(person)?.name);
    let body = json!({ "customer": customer, "action": "review", "reference": reference });
    let ask = Ask::post("/operator/points/actions", &body).by(Caller::Operator);
    Some(Errand::plain("review", ask))
}

pub(super) fn code(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let ask = book.by_member(person, Ask::get("/me/code"));
    Some(Errand::new("code", ask, Aim::Code { person }))
}

fn till(what: &str, body: &Value) -> Ask {
    Ask::post(format!("/operator/till/{what}"), body).by(Caller::Operator)
}

/// A member whose code a till has read of late.
fn shown(book: &Book) -> Option<(usize, Value)> {
    book.people.iter().enumerate().find_map(|(position, person)| {
        let (code, at) = person.code.as_ref()?;
        let fresh = book.now <= at.plus(CODE);
        fresh.then(|| (position, json!({ "code": code, "read_at": at })))
    })
}

pub(super) fn till_hold(book: &mut Book) -> Option<Errand> {
    let Some((person, mut body)) = shown(book) else { return code(book) };
    body["points"] = book.dice.between(5, 60).into();
    let key = book.key("till");
    Some(Errand::new("till.hold", till("holds", &body).keyed(&key), Aim::Hold { person }))
}

pub(super) fn till_end(book: &mut Book) -> Option<Errand> {
    let captured = book.dice.chance(600);
    let hold = book.dice.pick(&book.holds)?;
    let ask = match captured {
        true => till("captures", &json!({ "hold": hold, "points": 5 })),
        false => till("voids", &json!({ "hold": hold })),
    };
    Some(Errand::plain("till.end", ask))
}

pub(super) fn till_buy(book: &mut Book) -> Option<Errand> {
    let Some((_, shown)) = shown(book) else { return code(book) };
    let number = format!("r-{}", book.dice.below(1_000));
    let body = json!({
        "code": shown["code"], "store": "s1", "receipt": number, "purchased_at": book.now,
        "currency": book.shop.currency,
        "lines": [{ "sku": "TEA", "quantity": 3, "paid": 3_000 }, { "sku": "CUP", "quantity": 1, "paid": 800 }],
    });
    Some(Errand::new("till.buy", till("purchases", &body), Aim::Receipt { number }))
}

pub(super) fn till_return(book: &mut Book) -> Option<Errand> {
    let (line, units) = (book.dice.between(1, 2), 1);
    let number = format!("b-{}", book.dice.below(3));
    let receipt = book.dice.pick(&book.receipts)?;
    let lines = json!([{ "line": line, "units": units }]);
    let body = json!({ "store": "s1", "receipt": receipt, "number": number, "lines": lines });
    Some(Errand::plain("till.return", till("returns", &body)))
}

pub(super) fn link_code(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let ask = book.by_member(person, Ask::get("/me/link-code"));
    Some(Errand::new("link.code", ask, Aim::LinkCode { person }))
}

pub(super) fn link(book: &mut Book) -> Option<Errand> {
    let main = book.member()?;
    let code = book.people.iter().find_map(|person| person.link_code.clone())?;
    let ask = book.by_member(main, Ask::post("/me/links", &json!({ "code": code })));
    Some(Errand::new("link", ask, Aim::Link))
}

pub(super) fn link_undo(book: &mut Book) -> Option<Errand> {
    let link = book.dice.pick(&book.links)?;
    let body = json!({ "why": "Two persons." });
    let ask = Ask::post(format!("/operator/links/{link}/undoing"), &body);
    Some(Errand::plain("link.undo", ask.by(Caller::Operator)))
}

/// Teams of contests: founded, joined, left; names.
pub(super) fn team(book: &mut Book) -> Option<Errand> {
    if !book.shop.has_contests() {
        return None;
    }
    let person = book.member()?;
    let what = book.dice.below(4);
    let team = book.dice.pick(&book.teams).cloned();
    let name = format!("Team {person}");
    let (ask, aim) = match (what, team) {
        (0, Some(team)) => {
            (Ask::post(format!("/me/teams/{team}/members"), &json!({})), Aim::Nothing)
        }
        (1, Some(team)) => (Ask::delete(format!("/me/teams/{team}/members/me")), Aim::Nothing),
        (2, _) => (Ask::put("/me/contests/sprint/name", &json!({ "name": name })), Aim::Nothing),
        _ => {
            let body = json!({ "contest": "relay", "name": name });
            (Ask::post("/me/teams", &body), Aim::Found { person })
        }
    };
    Some(Errand::new("team", book.by_member(person, ask), aim))
}

pub(super) fn see(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let paths = ["/me/points", "/me/membership", "/me/gifts", "/me/redemptions", "/me/vouchers"];
    let path = book.dice.word(&paths);
    Some(Errand::plain("points.see", book.by_member(person, Ask::get(path))))
}
