use aftercart::model::{
    answers::Counted,
    contact::Chosen,
    customer::{CustomerId, Email, Language},
    survey::{About, TouchpointId},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Noon of a day: no night is near.
fn at(day: u16) -> Timestamp {
    Timestamp::parse("2026-01-01T12:00:00Z").unwrap().plus(Period::of_days(day))
}

fn invite(status: InviteStatus) -> Invite {
    Invite {
        id: InviteId::derive(&["1"]),
        touchpoint: TouchpointId::parse("delivery").unwrap(),
        occasion: Occasion::Delivery,
        about: About::default(),
        customer: CustomerId::member("a").unwrap(),
        email: Email::parse("a@b.cd").unwrap(),
        language: Language::En,
        country: None,
        due: at(3),
        expires: at(33),
        status,
        counted: Counted::default(),
    }
}

/// Delays of three days, surveys of thirty, a reminder after five; one survey
/// in ninety days, and two more that are urgent.
fn policy() -> Policy {
    Policy::default_document().unwrap()
}

fn nobody() -> Contacts {
    Contacts::none(Contactee::member(&CustomerId::member("a").unwrap()))
}

fn contacted(days: &[u16]) -> Contacts {
    let made = days.iter().map(|day| (at(*day), Purpose::Surveys)).collect();
    Contacts { made, ..nobody() }
}

fn kept() -> Facts {
    Facts {
        is_kept: true,
        delivered_at: Some(at(0)),
        moot: None,
        answered: 0,
        sent: Sent::default(),
        before: Counts::default(),
        country: None,
        contacts: nobody(),
        refused: false,
    }
}

/// The days on which somebody was contacted when it is sent, if it is.
fn sent(sending: &Sending) -> Option<usize> {
    match sending {
        Sending::Send(contacts) => Some(contacts.made.len()),
        _ => None,
    }
}

const SENT: InviteStatus = InviteStatus::Sent { at: Timestamp::EPOCH, reminded_at: None };

fn sent_on(day: u16) -> InviteStatus {
    InviteStatus::Sent { at: at(day), reminded_at: None }
}

#[test]
fn an_invitation_goes_out_in_its_time_and_within_the_budget() {
    let scheduled = invite(InviteStatus::Scheduled);
    let decided = |days: &[u16], day| {
        decide(&scheduled, &Facts { contacts: contacted(days), ..kept() }, &policy(), at(day))
    };
    assert_eq!(decided(&[], 2), Sending::Settled);
    assert_eq!(sent(&decided(&[], 3)), Some(1));
    assert_eq!(decided(&[1], 3), Sending::Suppress(Suppression::ContactBudget));
    assert_eq!(decided(&[], 33), Sending::Suppress(Suppression::TooLate));
}

#[test]
fn what_the_policy_or_the_reader_does_not_want_is_not_sent() {
    let scheduled = invite(InviteStatus::Scheduled);
    let decided = |facts: &Facts, change: &dyn Fn(&mut Policy)| {
        let mut policy = policy();
        change(&mut policy);
        decide(&scheduled, facts, &policy, at(3))
    };
    let ended = Sending::Suppress(Suppression::Ended);
    assert_eq!(decided(&kept(), &|it| it.surveys.touchpoints.clear()), ended);
    let off = Sending::Suppress(Suppression::Off);
    assert_eq!(decided(&kept(), &|it| it.contact.purposes.clear()), off);
    let chosen = Chosen { wanted: false, at: at(0) };
    let choices = [(Purpose::Surveys, chosen)].into();
    let refused = Facts { contacts: Contacts { choices, ..nobody() }, ..kept() };
    let why = Suppression::NoConsent;
    assert_eq!(decided(&refused, &|_| ()), Sending::Suppress(why));
    let elsewhere = Facts { refused: true, ..kept() };
    assert_eq!(decided(&elsewhere, &|_| ()), Sending::Suppress(why));
    for (quota, answered, goes) in [(None, 5, true), (Some(5), 4, true), (Some(5), 5, false)] {
        let facts = Facts { answered, ..kept() };
        let decided = decided(&facts, &|it| it.surveys.touchpoints[0].quota = quota);
        assert_eq!(decided == Sending::Suppress(Suppression::Quota), !goes, "{quota:?} {answered}");
    }
}

#[test]
fn a_quota_is_full_when_so_many_were_asked_as_will_answer_it() {
    let scheduled = invite(InviteStatus::Scheduled);
    let mut policy = policy();
    policy.surveys.touchpoints[0].quota = Some(20);
    for (asked, answered, before, full) in [
        // While nothing is known, one of ten.
        (0, 0, (0, 0), false),
        (199, 0, (0, 0), false),
        (200, 0, (0, 0), true),
        // As of those of the month before.
        (38, 0, (1_000, 540), false),
        (39, 0, (1_000, 540), true),
        // Of both together: 80 of 400.
        (99, 10, (301, 70), false),
        (100, 10, (300, 70), true),
        // Not fewer than have answered.
        (21, 20, (1_000, 100), true),
        // Fewer answer than one of ten.
        (199, 2, (1_000, 10), false),
        (200, 2, (1_000, 10), true),
        (u64::MAX, u64::MAX, (u64::MAX, u64::MAX), true),
    ] {
        let before = Counts { sent: before.0, answered: before.1, ..Counts::default() };
        let sent: Sent = [(Column::All, asked)].into_iter().collect();
        let facts = Facts { answered, sent, before, ..kept() };
        let decided = decide(&scheduled, &facts, &policy, at(3));
        let known = decided == Sending::Suppress(Suppression::Quota);
        assert_eq!(known, full, "{asked} {answered} {:?}", facts.before);
    }
    // Who was asked is reminded until so many have answered.
    let sent: Sent = [(Column::All, 500)].into_iter().collect();
    let facts = Facts { sent, answered: 19, ..kept() };
    let asked = invite(sent_on(3));
    assert!(matches!(decide(&asked, &facts, &policy, at(8)), Sending::Remind(_)));
    let full = Facts { answered: 20, ..facts };
    assert_eq!(decide(&asked, &full, &policy, at(8)), Sending::LetBe(Withheld::Quota));
}

#[test]
fn the_last_delivery_is_the_one_that_is_asked_about() {
    let scheduled = invite(InviteStatus::Scheduled);
    let put_off = |due: u16, expires: u16| {
        let (due, expires) = (at(due), at(expires));
        Sending::PutOff { due, expires, night: false }
    };
    let send = |day: u16| Sending::Send(contacted(&[day]));
    let (none, late) = (Suppression::NothingKept, Suppression::TooLate);
    for (is_kept, delivered, day, decided) in [
        // As scheduled.
        (true, Some(0), 2, Sending::Settled),
        (true, Some(0), 3, send(3)),
        // Recalled, or replaced by a parcel that is under way.
        (true, None, 2, Sending::Settled),
        (true, None, 3, put_off(4, 33)),
        (true, None, 32, put_off(33, 33)),
        (true, None, 33, Sending::Suppress(late)),
        (false, None, 3, Sending::Suppress(none)),
        // Another parcel came later, or the time was corrected.
        (true, Some(2), 3, put_off(5, 35)),
        (true, Some(2), 5, send(5)),
        (true, Some(31), 33, put_off(34, 64)),
        (true, Some(1), 33, Sending::Suppress(late)),
        (false, Some(2), 3, Sending::Suppress(none)),
        (false, Some(0), 2, Sending::Settled),
    ] {
        let facts = Facts { is_kept, delivered_at: delivered.map(at), ..kept() };
        let known = decide(&scheduled, &facts, &policy(), at(day));
        assert_eq!(known, decided, "{facts:?} on day {day}");
    }
}

#[test]
fn what_is_not_so_any_more_is_not_asked_about() {
    let solved = Invite {
        touchpoint: TouchpointId::parse("solved").unwrap(),
        occasion: Occasion::Solved,
        ..invite(InviteStatus::Scheduled)
    };
    // Nothing has to be kept of an order, and what is urgent may use the reserve.
    let facts = Facts { is_kept: false, delivered_at: None, contacts: contacted(&[1]), ..kept() };
    assert_eq!(sent(&decide(&solved, &facts, &policy(), at(3))), Some(2));
    for why in [Suppression::Reopened, Suppression::CalledOff, Suppression::Superseded] {
        let moot = Facts { moot: Some(why), ..facts.clone() };
        assert_eq!(decide(&solved, &moot, &policy(), at(3)), Sending::Suppress(why));
        assert_eq!(withheld(why), Withheld::Moot);
    }
}

#[test]
fn another_tier_is_asked_about_in_the_place_of_the_one_before() {
    let touchpoint: Touchpoint = serde_json::from_value(json!({
        "id": "t", "on": "tier", "delay": "3d", "open": "30d",
        "questions": [{ "id": "q", "kind": "nps" }],
    }))
    .unwrap();
    let gold = Text::new("gold").ok();
    let scheduled = invite(InviteStatus::Scheduled);
    let cause = invitation::tier_cause(&scheduled.customer, gold.as_ref(), at(0));
    let id = invitation::identity(&touchpoint, &cause);
    let about = Invite { id, occasion: Occasion::Tier, ..scheduled };
    let standing = |tier: Option<Text<40>>, since: Option<Timestamp>| Standing {
        tier,
        since,
        ..Standing::default()
    };
    let superseded = Some(Suppression::Superseded);
    for (standing, why) in [
        (standing(gold.clone(), Some(at(0))), None),
        (standing(gold.clone(), Some(at(1))), superseded),
        (standing(Text::new("silver").ok(), Some(at(0))), superseded),
        (standing(None, None), superseded),
    ] {
        let known = moot(&about, &touchpoint, (None, None, Some(&standing)));
        assert_eq!(known, why, "{standing:?}");
    }
}

#[test]
fn at_night_an_invitation_waits_for_the_morning() {
    let moment = |text: &str| Timestamp::parse(text).unwrap();
    let late = moment("2026-01-05T22:30:00Z");
    let scheduled = Invite { due: at(4), ..invite(InviteStatus::Scheduled) };
    let policy = policy();
    let due = moment("2026-01-06T08:00:00Z");
    let expires = due.plus(Period::of_days(30));
    let decided = |facts: &Facts, now| decide(&scheduled, facts, &policy, now);
    assert_eq!(decided(&kept(), late), Sending::PutOff { due, expires, night: true });
    // Where the order goes it is noon, or night.
    let country = Country::try_from("CN".to_owned()).ok();
    let abroad = Facts { country, ..kept() };
    assert_eq!(sent(&decided(&abroad, moment("2026-01-06T04:00:00Z"))), Some(1));
    let due = moment("2026-01-06T00:00:00Z");
    let expires = due.plus(Period::of_days(30));
    assert_eq!(decided(&abroad, late), Sending::PutOff { due, expires, night: true });
    let asked = Invite { status: sent_on(0), ..scheduled.clone() };
    let due = moment("2026-01-07T08:00:00Z");
    let reminded = decide(&asked, &kept(), &policy, late.plus(Period::of_days(1)));
    assert_eq!(reminded, Sending::RemindAt { due, night: true });
}

#[test]
fn a_reader_is_reminded_once_if_there_is_still_a_reason() {
    let asked = invite(sent_on(3));
    let once = Facts { contacts: contacted(&[3]), ..kept() };
    assert_eq!(remind_at(&asked, &policy(), at(3)), Some(at(8)));
    assert_eq!(remind_at(&asked, &policy(), at(28)), None, "it closes before");
    let decided = |facts: &Facts, day| decide(&asked, facts, &policy(), at(day));
    assert_eq!(decided(&once, 5), Sending::RemindAt { due: at(8), night: false });
    assert_eq!(decided(&once, 8), Sending::Remind(contacted(&[3, 8])));
    let often = Facts { contacts: contacted(&[1, 2, 3]), ..kept() };
    assert_eq!(decided(&often, 8), Sending::LetBe(Withheld::Cap));
    let why = [
        Facts { is_kept: false, ..once.clone() },
        Facts { delivered_at: None, ..once.clone() },
        Facts { moot: Some(Suppression::Reopened), ..once.clone() },
    ];
    for facts in &why {
        assert_eq!(decided(facts, 8), Sending::LetBe(Withheld::Moot), "{facts:?}");
    }
    assert_eq!(decided(&once, 33), Sending::LetBe(Withheld::TooLate), "it has closed");
    let mut document = json!(policy());
    document["surveys"]["touchpoints"][0]["reminder"] = json!(null);
    let never = Policy::parse(&document.to_string()).unwrap();
    assert_eq!(decide(&asked, &once, &never, at(8)), Sending::LetBe(Withheld::Off));
    let reminded = invite(InviteStatus::Sent { at: at(3), reminded_at: Some(at(8)) });
    assert_eq!(decide(&reminded, &once, &policy(), at(9)), Sending::Settled);
}

proptest! {
    #[test]
    fn no_window_holds_more_contacts_than_the_budget(
        days in prop::collection::vec((0_u16..400, any::<bool>()), 1..60),
        most in 1_u32..4,
        window in 1_u16..120,
    ) {
        let mut document = json!(policy());
        document["contact"]["caps"] =
            json!([{ "contacts": most, "window": format!("{window}d"), "purpose": "surveys" }]);
        let policy = Policy::parse(&document.to_string()).unwrap();
        let mut days = days;
        days.sort_unstable();
        let mut contacts = nobody();
        let mut sent: Vec<Timestamp> = Vec::new();
        for (day, reminder) in days {
            let status = if reminder { SENT } else { InviteStatus::Scheduled };
            let due = Invite { due: at(0), expires: at(1_000), ..invite(status) };
            let facts = Facts { contacts: contacts.clone(), ..kept() };
            if let Sending::Send(after) | Sending::Remind(after) =
                decide(&due, &facts, &policy, at(day))
            {
                contacts = after;
                sent.push(at(day));
            }
        }
        for start in &sent {
            let end = start.plus(Period::of_days(window));
            let within = sent.iter().filter(|at| *at >= start && **at < end).count();
            prop_assert!(within <= usize::try_from(most).unwrap());
        }
    }
}
