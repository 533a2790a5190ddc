//! Gifts of points between members: what limits them, and what moves.
//!
//! Points are held when a gift is made, and move when it is accepted: nobody is
//! given points without wanting them. They keep the ends of their lots, so that
//! nothing lasts longer by going around, and a gift is no activity of the giver.
//! So a gift is open no longer than the points last that it would take first:
//! held points do not end, and nobody is to accept any that have ended.
//! What came as a gift may be spent, but is not given on for a while: then none
//! goes around in a ring, of whatever length. How long somebody has to be a
//! member to give, and how much one accepts in a month, keeps the welcome points
//! of many fresh accounts from being gathered in one.

use aftercart::model::{
    customer::CustomerId,
    gift::{Gift, Giving, Kept},
    id::GiftId,
    points::{Account, Authority, Cause, Entry, Holder, Ledger, LedgerError, Movement},
    policy::Policy,
    text::Text,
    time::Timestamp,
};

use super::{
    membership::{self, Deed},
    news::News,
};

/// The name that entries of gifts give this rule.
pub const RULE: &str = "gifts";

/// A gift that a member wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Derived from the member and the key of the call.
    pub id: GiftId,
    /// To whom.
    pub to: CustomerId,
    /// How many points.
    pub points: i64,
    /// What the giver writes about it.
    pub note: Option<Text<140>>,
    /// By which name the giver wants to be known to the other.
    pub signed: Option<Text<40>>,
}

/// Why a gift is not made or not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The policy has no gifts.
    #[error("The shop offers no gifts of points.")]
    Off,
    /// To oneself.
    #[error("These points are your own already.")]
    Own,
    /// Not an amount that is given.
    #[error("A gift has {least} to {most} points.")]
    Amount {
        /// The fewest.
        least: u32,
        /// The most.
        most: u32,
    },
    /// Too short a member.
    #[error("You may give points from {0} on.")]
    Fresh(Timestamp),
    /// Too many gifts on one day.
    #[error("You made {0} gifts today, which is as many as one may.")]
    Day(u32),
    /// Too much in one month.
    #[error("You may give {0} more points this month.")]
    Month(i64),
    /// More than is there to be given.
    #[error("You may give {0} of your points now. What came as a gift is kept for a while.")]
    TooFew(i64),
    /// Points of the giver have ended, but are there still: they are held, or
    /// were not seen to yet. They would be the first to be given.
    #[error("Some of your points have ended just now. Try again later.")]
    Ended,
    /// The one who accepts has accepted too much.
    #[error("You may accept {0} more points this month.")]
    Accepted(i64),
    /// It was accepted, refused or taken back, or its time is over.
    #[error("The gift is not open any more.")]
    Over,
    /// A ledger that cannot take it.
    #[error("the gift cannot be posted: {0}")]
    Ledger(#[from] LedgerError),
}

/// What an accepted gift moved, and what followed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The entry of the giver.
    pub sent: Entry,
    /// Those of who accepted.
    pub received: Vec<Entry>,
    /// What the latter is told of.
    pub news: Vec<News>,
}

/// Makes a gift: holds its points in the giver's ledger, and counts it. It
/// counts also if it is not accepted, so that nobody is pestered.
///
/// # Errors
/// [`Refusal`]; then nothing was changed.
pub fn offer(
    offer: Offer,
    ledger: &mut Ledger,
    giving: &mut Giving,
    policy: &Policy,
    now: Timestamp,
) -> Result<Gift, Refusal> {
    let gifts = policy.points.gifts.as_ref().ok_or(Refusal::Off)?;
    let Offer { id, to, points, note, signed } = offer;
    let mut counted = giving.clone().at(now, &policy.points.zone);
    let joined = ledger.standing.joined_at.unwrap_or(now).plus(gifts.member_for);
    let of_month = i64::from(gifts.per_month).saturating_sub(counted.given).max(0);
    let givable = ledger.holdable().saturating_sub(counted.kept()).max(0);
    if to == ledger.customer {
        return Err(Refusal::Own);
    }
    if !(i64::from(gifts.least)..=i64::from(gifts.most)).contains(&points) {
        return Err(Refusal::Amount { least: gifts.least, most: gifts.most });
    }
    if joined > now {
        return Err(Refusal::Fresh(joined));
    }
    if counted.gifts >= gifts.per_day {
        return Err(Refusal::Day(counted.gifts));
    }
    if points > of_month {
        return Err(Refusal::Month(of_month));
    }
    if points > givable {
        return Err(Refusal::TooFew(givable));
    }
    // Lots are taken by their ends, the earliest first.
    let first = ledger.lots.first().map(|lot| policy.points.expiry.gone_at(lot.expires_at));
    let until = first.unwrap_or(Timestamp::LAST).min(now.plus(gifts.open));
    if until <= now {
        return Err(Refusal::Ended);
    }
    ledger.hold(Holder::Gift(id.clone()), points, Some(until))?;
    counted.gifts = counted.gifts.saturating_add(1);
    counted.given = counted.given.saturating_add(points);
    *giving = counted;
    let (from, ended) = (ledger.customer.clone(), None);
    let named = to.clone();
    Ok(Gift { id, from, named, to, points, note, signed, made_at: now, until, ended })
}

/// Accepts a gift: its points go from the giver's lots that end first into lots
/// of the other's ledger with the same ends; a debt there is repaid first.
/// `from` and `to` are the ledgers of both.
///
/// # Errors
/// [`Refusal`]; then nothing that was changed is to be written.
pub fn accept(
    gift: &Gift,
    (from, to): (&mut Ledger, &mut Ledger),
    giving: &mut Giving,
    policy: &Policy,
    now: Timestamp,
) -> Result<Accepted, Refusal> {
    let gifts = policy.points.gifts.as_ref().ok_or(Refusal::Off)?;
    let mut counted = giving.clone().at(now, &policy.points.zone);
    let left = i64::from(gifts.accepted_per_month).saturating_sub(counted.accepted).max(0);
    if from.customer == to.customer {
        return Err(Refusal::Own);
    }
    if !gift.is_open(now) {
        return Err(Refusal::Over);
    }
    if gift.points > left {
        return Err(Refusal::Accepted(left));
    }
    let authority = Authority { rule: RULE, policy: policy.version.as_str() };
    let holder = Holder::Gift(gift.id.clone());
    let id = Ledger::spending(&from.customer, &holder);
    let movement = Movement { id, at: now, cause: Cause::GiftSent(gift.id.clone()), authority };
    let sent = from.capture(movement, &holder, gift.points, Account::Gifted)?;
    // The hold ends with the gift: one without the other is a gift that is over.
    let sent = sent.ok_or(Refusal::Over)?;
    // Points that end earlier may have come to the giver since.
    if sent.lots.iter().any(|part| policy.points.expiry.gone_at(part.expires_at) <= now) {
        return Err(Refusal::Over);
    }
    let parts = sent.lots.iter();
    let lots = parts.map(|it| it.lot(it.points.saturating_neg()));
    let id = to.entry_id("gift_received", gift.id.as_str(), "");
    let cause = Cause::GiftReceived(gift.id.clone());
    let movement = Movement { id, at: now, cause, authority };
    let received = to.credit(movement, Account::Gifted, lots.collect())?;
    counted.accepted = counted.accepted.saturating_add(gift.points);
    let until = now.plus(gifts.kept_for);
    if until > now {
        counted.keep(Kept { until, points: gift.points });
    }
    *giving = counted;
    let after = membership::after(to, &Deed::Granted, now, policy)?;
    let received = std::iter::once(received).chain(after.entries).collect();
    Ok(Accepted { sent, received, news: after.news })
}

/// Ends a gift without its being accepted: what is held for it in the giver's
/// ledger is given up.
///
/// # Errors
/// [`Refusal::Over`].
pub fn give_up(gift: &Gift, from: &mut Ledger, now: Timestamp) -> Result<(), Refusal> {
    let held = from.release(&Holder::Gift(gift.id.clone()));
    held.filter(|_| gift.is_open(now)).map(drop).ok_or(Refusal::Over)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        points::{Lot, audit::Rebuilt},
        programme::between::GiftsPolicy,
        time::Period,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fixtures::{at, granted};

    fn policy() -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.points.gifts = Some(GiftsPolicy {
            least: 10,
            most: 500,
            per_day: 2,
            per_month: 800,
            accepted_per_month: 600,
            open: Period::of_days(7),
            kept_for: Period::of_days(30),
            member_for: Period::of_days(30),
        });
        policy
    }

    fn name(name: &str) -> CustomerId {
        CustomerId::member(name).unwrap()
    }

    /// The ledger of an old member with lots of so many points, each ending
    /// ten days after the one before.
    fn rich(of: &str, lots: &[i64]) -> (Ledger, Vec<Entry>) {
        let mut ledger = Ledger::empty(name(of));
        ledger.standing.joined_at = Some(at(0));
        let lot = |(n, points): (u16, &i64)| Lot::new(*points, at(n), at(400 + 10 * n));
        let lots: Vec<Lot> = (0..).zip(lots).map(lot).collect();
        let authority = Authority { rule: "r", policy: "1" };
        let cause = Cause::Milestone(Text::new("m").unwrap());
        let movement = Movement { id: ledger.entry_id("m", "", ""), at: at(0), cause, authority };
        let entry = ledger.credit(movement, Account::Issued, lots).unwrap();
        (ledger, vec![entry])
    }

    fn asked(number: usize, to: &str, points: i64) -> Offer {
        let id = GiftId::derive(&[&number.to_string()]);
        Offer { id, to: name(to), points, note: None, signed: None }
    }

    #[test]
    fn a_gift_is_limited() {
        let of = |ledger: &Ledger, giving: &Giving, to: &str, points: i64, day: u16| {
            let (mut ledger, mut giving) = (ledger.clone(), giving.clone());
            offer(asked(1, to, points), &mut ledger, &mut giving, &policy(), at(day))
                .map(|gift| gift.points)
        };
        let (ada, nothing) = (rich("ada", &[700]).0, Giving::nothing(name("ada")));
        let today = at(40).date_in(&policy().points.zone);
        let counted = Giving { on: today, ..nothing.clone() };
        let kept = |points, day| vec![Kept { until: at(day), points }];
        let fresh = Refusal::Fresh(at(30));
        let amount = Refusal::Amount { least: 10, most: 500 };
        for (giving, to, points, day, expected) in [
            (&nothing, "bob", 500, 40, Ok(500)),
            (&nothing, "bob", 10, 30, Ok(10)),
            (&nothing, "bob", 10, 29, Err(fresh)),
            (&nothing, "ada", 10, 40, Err(Refusal::Own)),
            (&nothing, "bob", 9, 40, Err(amount.clone())),
            (&nothing, "bob", -10, 40, Err(amount.clone())),
            (&nothing, "bob", 501, 40, Err(amount)),
            (&Giving { gifts: 2, ..counted.clone() }, "bob", 10, 40, Err(Refusal::Day(2))),
            (&Giving { gifts: 2, ..counted.clone() }, "bob", 10, 41, Ok(10)),
            (&Giving { given: 790, ..counted.clone() }, "bob", 10, 40, Ok(10)),
            (&Giving { given: 791, ..counted.clone() }, "bob", 10, 40, Err(Refusal::Month(9))),
            (
                &Giving { kept: kept(650, 60), ..counted.clone() },
                "bob",
                51,
                59,
                Err(Refusal::TooFew(50)),
            ),
            (&Giving { kept: kept(650, 60), ..counted }, "bob", 51, 60, Ok(51)),
        ] {
            assert_eq!(of(&ada, giving, to, points, day), expected, "{to} {points} {day}");
        }
        let poor = rich("ada", &[99]).0;
        assert_eq!(of(&poor, &nothing, "bob", 100, 40), Err(Refusal::TooFew(99)));
        let mut off = policy();
        off.points.gifts = None;
        let (mut ledger, mut giving) = (ada, nothing);
        let refused = offer(asked(1, "bob", 10), &mut ledger, &mut giving, &off, at(40));
        assert_eq!(refused, Err(Refusal::Off));
    }

    #[test]
    fn an_accepted_gift_keeps_the_ends_of_its_lots_and_repays_a_debt() {
        let (mut ada, _) = rich("ada", &[30, 50]);
        let mut bob = Ledger::empty(name("bob"));
        bob.balances = [(Account::Debt, -10), (Account::Cancelled, 10)].into();
        let (mut hers, mut his) = (Giving::nothing(name("ada")), Giving::nothing(name("bob")));
        let gift = offer(asked(1, "bob", 60), &mut ada, &mut hers, &policy(), at(40)).unwrap();
        assert_eq!((ada.spendable(), ada.balance(Account::Available)), (20, 80));
        assert_eq!((gift.until, hers.gifts, hers.given), (at(47), 1, 60));
        let late = accept(&gift, (&mut ada.clone(), &mut bob.clone()), &mut his, &policy(), at(47));
        assert_eq!(late, Err(Refusal::Over));
        let moved = accept(&gift, (&mut ada, &mut bob), &mut his, &policy(), at(46)).unwrap();
        assert_eq!(moved.sent.cause, Cause::GiftSent(gift.id.clone()));
        assert_eq!(moved.received[0].cause, Cause::GiftReceived(gift.id.clone()));
        assert_eq!(bob.lots, [Lot::new(20, at(0), at(400)), Lot::new(30, at(1), at(410))]);
        assert_eq!((bob.balance(Account::Debt), bob.balance(Account::Gifted)), (0, -60));
        assert_eq!((ada.balance(Account::Gifted), ada.spendable()), (60, 20));
        assert_eq!(
            (his.accepted, his.kept.clone()),
            (60, vec![Kept { until: at(76), points: 60 }])
        );
        let again = accept(&gift, (&mut ada, &mut bob), &mut his, &policy(), at(46));
        assert_eq!(again, Err(Refusal::Over), "nothing is held any more");
    }

    #[test]
    fn no_gift_is_of_points_that_have_ended() {
        let mut hers = Giving::nothing(name("ada"));
        let make = |ledger: &mut Ledger, giving: &mut Giving, policy: &Policy, day| {
            offer(asked(1, "bob", 60), ledger, giving, policy, at(day))
        };
        // The first lot ends on day 400, the second on day 410.
        let (ada, _) = rich("ada", &[30, 50]);
        let until = |policy: &Policy, day| {
            let made = make(&mut ada.clone(), &mut hers.clone(), policy, day);
            made.map(|gift| gift.until)
        };
        let mut graceful = policy();
        graceful.points.expiry.grace = Some(Period::of_days(3));
        assert_eq!(until(&policy(), 393), Ok(at(400)));
        assert_eq!(until(&policy(), 395), Ok(at(400)), "not seven days");
        assert_eq!(until(&policy(), 400), Err(Refusal::Ended));
        assert_eq!(until(&graceful, 400), Ok(at(403)), "they may be spent still");
        // What ends earlier came after the gift was made.
        let mut ada = ada;
        let gift = make(&mut ada, &mut hers, &policy(), 395).unwrap();
        granted(&mut ada, Lot::new(10, at(0), at(396)));
        let accepted = |day| {
            let (mut from, mut bob) = (ada.clone(), Ledger::empty(name("bob")));
            let mut his = Giving::nothing(name("bob"));
            accept(&gift, (&mut from, &mut bob), &mut his, &policy(), at(day)).map(drop)
        };
        assert_eq!((accepted(395), accepted(396)), (Ok(()), Err(Refusal::Over)));
    }

    #[test]
    fn who_accepts_is_limited_and_nobody_accepts_from_oneself() {
        let (mut ada, _) = rich("ada", &[500]);
        let mut hers = Giving::nothing(name("ada"));
        let gift = offer(asked(1, "bob", 500), &mut ada, &mut hers, &policy(), at(40)).unwrap();
        let on = at(41).date_in(&policy().points.zone);
        let his = Giving { on, accepted: 101, ..Giving::nothing(name("bob")) };
        let accepted = |to: &Ledger, giving: &Giving, day| {
            let (mut from, mut to, mut giving) = (ada.clone(), to.clone(), giving.clone());
            accept(&gift, (&mut from, &mut to), &mut giving, &policy(), at(day)).map(drop)
        };
        let bob = Ledger::empty(name("bob"));
        assert_eq!(accepted(&bob, &his, 41), Err(Refusal::Accepted(499)));
        assert_eq!(accepted(&bob, &Giving { accepted: 100, ..his.clone() }, 41), Ok(()));
        assert_eq!(accepted(&ada, &his, 41), Err(Refusal::Own));
    }

    #[test]
    fn what_is_given_up_is_the_givers_again() {
        let (mut ada, _) = rich("ada", &[500]);
        let before = ada.clone();
        let mut hers = Giving::nothing(name("ada"));
        let gift = offer(asked(1, "bob", 500), &mut ada, &mut hers, &policy(), at(40)).unwrap();
        assert_eq!(give_up(&gift, &mut ada.clone(), at(47)), Err(Refusal::Over));
        assert_eq!(give_up(&gift, &mut ada, at(46)), Ok(()));
        assert_eq!(ada, before);
        assert_eq!(give_up(&gift, &mut ada, at(46)), Err(Refusal::Over));
    }

    const MEMBERS: [&str; 4] = ["ada", "bob", "cid", "dan"];

    proptest! {
        /// Whatever members give to each other, in whatever order it is
        /// accepted or refused: no point is made or lost, every ledger is what
        /// its entries amount to, no point lasts longer by it, and nobody gives
        /// on within its time what came as a gift.
        #[test]
        fn gifts_make_no_points(
            lots in prop::collection::vec(prop::collection::vec(1_i64..300, 1..4), 4),
            deeds in prop::collection::vec((0_usize..4, 0_usize..4, 0_i64..400, 0_u8..3), 1..40),
        ) {
            let mut policy = policy();
            if let Some(gifts) = &mut policy.points.gifts {
                (gifts.least, gifts.per_day, gifts.member_for) = (1, 99, Period::of_days(0));
                (gifts.per_month, gifts.accepted_per_month) = (100_000, 100_000);
            }
            let mut ledgers = Vec::new();
            let mut rebuilt = vec![Rebuilt::default(); MEMBERS.len()];
            let mut givings: Vec<Giving> =
                MEMBERS.iter().map(|of| Giving::nothing(name(of))).collect();
            for (n, lots) in lots.iter().enumerate() {
                let (ledger, entries) = rich(MEMBERS[n], lots);
                entries.iter().for_each(|entry| rebuilt[n].add(entry).unwrap());
                ledgers.push(ledger);
            }
            let held = |ledgers: &[Ledger]| -> i64 {
                ledgers.iter().map(|it| it.balance(Account::Available)).sum()
            };
            let (whole, mut given_of_own) = (held(&ledgers), [0_i64; 4]);
            let own: Vec<i64> = ledgers.iter().map(Ledger::spendable).collect();
            for (number, (from, to, points, fate)) in deeds.into_iter().enumerate() {
                let asked = asked(number, MEMBERS[to], points);
                let Ok(gift) = offer(asked, &mut ledgers[from], &mut givings[from], &policy, at(40))
                else { continue };
                let (mut giver, mut taker) = (ledgers[from].clone(), ledgers[to].clone());
                match fate {
                    0 => prop_assert_eq!(give_up(&gift, &mut giver, at(41)), Ok(())),
                    1 => {
                        let ledgers = (&mut giver, &mut taker);
                        let moved = accept(&gift, ledgers, &mut givings[to], &policy, at(41));
                        let moved = moved.unwrap();
                        rebuilt[from].add(&moved.sent).unwrap();
                        moved.received.iter().for_each(|it| rebuilt[to].add(it).unwrap());
                        given_of_own[from] += points;
                    }
                    // It stays held.
                    _ => continue,
                }
                (ledgers[from], ledgers[to]) = (giver, taker);
            }
            prop_assert_eq!(held(&ledgers), whole);
            for (n, ledger) in ledgers.iter().enumerate() {
                prop_assert_eq!(ledger.check(), Ok(()));
                prop_assert_eq!(rebuilt[n].differences(ledger), vec![]);
                prop_assert!(ledger.lots.iter().all(|lot| lot.expires_at <= at(430)));
                prop_assert!(given_of_own[n] <= own[n], "more than was the member's own");
            }
        }
    }
}
