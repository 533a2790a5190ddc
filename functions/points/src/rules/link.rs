//! Two accounts of one person: linked, flowing, and apart again.

use aftercart::model::{
    gift::Giving,
    id::LinkId,
    points::{
        Account, AccountLink, Authority, Cause, Entry, Ledger, LedgerError, Movement, Qualifying,
        Standing,
    },
    policy::Policy,
    text::Text,
    time::{Period, Timestamp, Zone},
};

use super::{
    membership::{self, Deed},
    news::News,
    tiers,
};

/// The name that entries of linked accounts give this rule.
pub const RULE: &str = "linked";

/// How long the person undoes a link alone: whoever was talked into it, or
/// robbed of a code, reads of it within a week. What happens later to points
/// that came from two accounts is for somebody to look at.
pub const UNDO_ALONE: Period = Period::of_days(7);

/// Two ledgers and their link as they are after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The ledger from which points flow.
    pub other: Ledger,
    /// The ledger to which they flow.
    pub main: Ledger,
    /// The link.
    pub link: AccountLink,
    /// The entries of the first ledger.
    pub of_other: Vec<Entry>,
    /// The entries of the second one.
    pub of_main: Vec<Entry>,
    /// What is told of the first one.
    pub other_news: Vec<News>,
    /// What is told of the second one.
    pub news: Vec<News>,
}

/// Whether an operator links this account into another one alone: it has, and
/// waits for, no more points than an operator takes alone. Beyond that the
/// person shows the code of the one account and enters it in the other.
#[must_use]
pub fn is_small(other: &Ledger, policy: &Policy) -> bool {
    let of = |account| other.balance(account);
    let points = of(Account::Available).saturating_add(of(Account::Pending));
    points <= i64::from(policy.points.adjustments.alone_up_to)
}

/// What the main account gave and accepted, with what came to the other one as
/// gifts and may not be given on yet: it may not be given on from here either.
/// The other one keeps it, too, for when they are apart again; linked once more,
/// it is not kept twice. Nothing if nothing came.
#[must_use]
pub fn kept(other: Giving, main: Giving, now: Timestamp, zone: &Zone) -> Option<Giving> {
    let (other, mut main) = (other.at(now, zone), main.at(now, zone));
    for gift in &other.kept {
        match main.kept.iter_mut().find(|it| it.until == gift.until) {
            Some(known) => known.points = known.points.max(gift.points),
            None => main.keep(*gift),
        }
    }
    (!other.kept.is_empty()).then_some(main)
}

/// Links an account into another one of the same person, and lets all flow
/// that is in it. A debt of the main account is not repaid by that, so that
/// undoing gives back what there was. Only if
/// [`Ledger::may_flow_into`] allows it.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn link(
    other: &Ledger,
    main: &Ledger,
    by: Option<Text<128>>,
    at: Timestamp,
    policy: &Policy,
) -> Result<Joined, LedgerError> {
    let (mut other, mut main) = (other.clone(), main.clone());
    let version = other.version.to_string();
    let id = LinkId::derive(&[main.customer.as_str(), other.customer.as_str(), &version]);
    other.link.into = Some((main.customer.clone(), id.clone()));
    main.link.from.push(other.customer.clone());
    let link = AccountLink {
        id,
        main: main.customer.clone(),
        other: other.customer.clone(),
        at,
        by,
        came: Vec::new(),
        owed: 0,
        qualified: Qualifying::default(),
        qualified_in: None,
        raised: None,
        undone: None,
        version: 0,
    };
    let mut joined = moved(Ends { other, main, link, repay: false }, at, policy)?;
    let AccountLink { id, main, other, .. } = joined.link.clone();
    let told = News::AccountsLinked { link: id, main, other, undo_until: at.plus(UNDO_ALONE) };
    joined.news.push(told.clone());
    joined.other_news.push(told);
    Ok(joined)
}

/// Lets flow what has become available or owed in a linked account; nothing
/// if there is nothing.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn flow(
    other: &Ledger,
    main: &Ledger,
    link: &AccountLink,
    at: Timestamp,
    policy: &Policy,
) -> Result<Option<Joined>, LedgerError> {
    if !other.flows() {
        return Ok(None);
    }
    let ends = Ends { other: other.clone(), main: main.clone(), link: link.clone(), repay: true };
    moved(ends, at, policy).map(Some)
}

/// Takes two accounts apart: what is left of what came goes back, as does what
/// was owed and is not repaid, and a tier that was reached only by the link.
/// What was earned for the one account stays with its orders, so it goes on as
/// if nothing had been.
///
/// # Errors
/// [`LedgerError::TooFew`] while points are held that are to go back,
/// [`LedgerError::TooMany`].
pub fn undo(
    other: &Ledger,
    main: &Ledger,
    link: &AccountLink,
    undone: (Timestamp, Option<Text<128>>, Text<500>),
    policy: &Policy,
) -> Result<Joined, LedgerError> {
    let (mut other, mut main, mut link) = (other.clone(), main.clone(), link.clone());
    let (at, stood) = (undone.0, main.standing.clone());
    let back = movement(&main, "unlinked", &other, &link.id, at, policy);
    let (from_main, flow) = main.send_back(back, &link)?;
    let back = movement(&other, "unlinked", &other, &link.id, at, policy);
    let (to_other, _) = other.receive(back, &flow, None)?;
    other.link.into = None;
    main.link.from.retain(|customer| *customer != other.customer);
    if let Some((before, then)) = link.raised.as_deref() {
        if stood == *then {
            main.standing = before.clone();
        } else if main.standing.tier == then.tier {
            let Standing { tier, earned, since, .. } = before.clone();
            main.standing = Standing { tier, earned, since, ..main.standing };
            // What the main account did itself since may reach as much.
            tiers::raise(&mut main.standing, at, &policy.points);
        }
    }
    (link.came, link.owed) = (Vec::new(), 0);
    (link.qualified, link.qualified_in) = (Qualifying::default(), None);
    link.undone = Some(undone);
    Ok(Joined {
        other,
        main,
        link,
        of_other: Vec::from_iter(to_other),
        of_main: Vec::from_iter(from_main),
        other_news: Vec::new(),
        news: Vec::new(),
    })
}

/// Two ledgers before something flows from the first to the second.
struct Ends {
    other: Ledger,
    main: Ledger,
    link: AccountLink,
    repay: bool,
}

fn moved(ends: Ends, at: Timestamp, policy: &Policy) -> Result<Joined, LedgerError> {
    let Ends { mut other, mut main, mut link, repay } = ends;
    let (stood, known) = (main.standing.clone(), link.clone());
    let nothing = Qualifying::default();
    let counts = other.standing.qualifying != nothing || other.standing.next != nothing;
    let (mut of_main, mut news) = (Vec::new(), Vec::new());
    // What comes counts in the period that runs, not in one that is over.
    if counts {
        let after = membership::after(&mut main, &Deed::Granted, at, policy)?;
        of_main.extend(after.entries);
        news.extend(after.news);
    }
    let out = movement(&other, "linked", &other, &link.id, at, policy);
    let (sent, flow) = other.send_on(out)?;
    let into = movement(&main, "linked", &other, &link.id, at, policy);
    let (received, there) = main.receive(into, &flow, repay.then_some(&link))?;
    link.note(&there, &main);
    of_main.extend(received);
    if counts {
        let after = membership::after(&mut main, &Deed::Granted, at, policy)?;
        of_main.extend(after.entries);
        news.extend(after.news);
    }
    link.raised = raised(&known, &stood, &main.standing);
    let (of_other, other_news) = (Vec::from_iter(sent), Vec::new());
    Ok(Joined { other, main, link, of_other, of_main, other_news, news })
}

/// Where the member stood in the main account before what came changed that,
/// and then. What came earlier is part of it, as long as nothing else changed
/// the tier in between.
fn raised(
    link: &AccountLink,
    stood: &Standing,
    now: &Standing,
) -> Option<Box<(Standing, Standing)>> {
    let known = link.raised.clone();
    if stood == now {
        return known;
    }
    let mut own = stood.clone();
    if link.qualified_in == stood.period_from {
        own.qualifying = own.qualifying.without(&link.qualified);
    }
    let own = match known.as_deref() {
        Some((before, then)) if then == stood => before.clone(),
        Some((_, then)) if then.tier == stood.tier && now.tier == stood.tier => return known,
        Some((Standing { tier, earned, since, .. }, then)) if then.tier == stood.tier => {
            Standing { tier: tier.clone(), earned: earned.clone(), since: *since, ..own }
        }
        _ => own,
    };
    Some(Box::new((own, now.clone())))
}

/// A movement in one of the ledgers. What tells it from others of the same link
/// is how often the account from which things flow had changed: that grows with
/// every flow.
fn movement<'a>(
    ledger: &Ledger,
    kind: &str,
    other: &Ledger,
    link: &LinkId,
    at: Timestamp,
    policy: &'a Policy,
) -> Movement<'a> {
    Movement {
        id: ledger.entry_id(kind, link.as_str(), &other.version.to_string()),
        at,
        cause: Cause::Linked(link.clone()),
        authority: Authority { rule: RULE, policy: policy.version.as_str() },
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        gift::Kept as KeptGift,
        id::{HoldId, OrderId},
        points::{Account, Claim, Holder, Lot, MAX_LOTS, audit::Rebuilt, total},
        time::Period,
    };
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rules::fixtures::at;

    const BY: Authority<'static> = Authority { rule: "r", policy: "1" };

    fn policy() -> Policy {
        Policy::default_document().unwrap()
    }

    fn customer(name: &str) -> CustomerId {
        CustomerId::member(name).unwrap()
    }

    fn why() -> (Text<128>, Text<500>) {
        (Text::new("op").unwrap(), Text::new("two persons").unwrap())
    }

    /// A ledger, and all that was ever written of it.
    #[derive(Clone)]
    struct Kept {
        ledger: Ledger,
        rebuilt: Rebuilt,
        steps: u32,
    }

    impl Kept {
        fn new(name: &str) -> Self {
            let ledger = Ledger::empty(customer(name));
            Self { ledger, rebuilt: Rebuilt::default(), steps: 0 }
        }

        fn write(&mut self, ledger: Ledger, entries: &[Entry]) {
            for entry in entries {
                assert_eq!(entry.customer, ledger.customer);
                self.rebuilt.add(entry).unwrap();
            }
            assert_eq!(self.rebuilt.differences(&ledger), []);
            self.ledger = Ledger { version: self.ledger.version + 1, ..ledger };
        }

        fn movement(&mut self, cause: Cause) -> Movement<'static> {
            self.steps += 1;
            let id = self.ledger.entry_id("step", &self.steps.to_string(), "");
            Movement { id, at: at(0), cause, authority: BY }
        }

        /// Gives points that end on that day, or takes them as a debt.
        fn give(&mut self, points: i64, day: u16) {
            let cause = Cause::LotExpired(at(0));
            let movement = self.movement(cause);
            let mut ledger = self.ledger.clone();
            let lot = Lot::new(points, at(day).minus(Period::of_days(20)), at(day));
            let entry = ledger.credit(movement, Account::Issued, vec![lot]).unwrap();
            self.write(ledger, &[entry]);
        }

        fn owe(&mut self, points: i64) {
            let order = OrderId::derive(&[&self.steps.to_string()]);
            self.steps += 1;
            let mut claim =
                Claim { order, points: 0, spend: None, matures_at: None, granted_at: None };
            let mut ledger = self.ledger.clone();
            let entry = ledger.take_back(&mut claim, points, points, at(0), BY).unwrap();
            self.write(ledger, &[entry]);
        }

        fn spend(&mut self, points: i64) {
            let movement = self.movement(Cause::LotExpired(at(0)));
            let mut ledger = self.ledger.clone();
            let points = points.min(ledger.spendable());
            if points > 0 {
                let entry = ledger.debit(movement, points, Account::Spent).unwrap();
                self.write(ledger, &[entry]);
            }
        }

        fn hold(&mut self, points: i64) {
            let holder = Holder::Till(HoldId::derive(&["h"]));
            let mut ledger = self.ledger.clone();
            if ledger.hold(holder, points, None).is_ok() {
                self.write(ledger, &[]);
            }
        }

        fn release(&mut self) {
            let mut ledger = self.ledger.clone();
            ledger.release(&Holder::Till(HoldId::derive(&["h"])));
            self.write(ledger, &[]);
        }
    }

    /// Two ledgers that may be linked.
    struct Two {
        other: Kept,
        main: Kept,
        link: Option<AccountLink>,
    }

    impl Two {
        fn new() -> Self {
            Self { other: Kept::new("other"), main: Kept::new("main"), link: None }
        }

        fn write(&mut self, joined: Joined) {
            let Joined { other, main, link, of_other, of_main, .. } = joined;
            self.other.write(other, &of_other);
            self.main.write(main, &of_main);
            assert!(link.came.len() <= MAX_LOTS);
            self.link = Some(AccountLink { version: link.version + 1, ..link });
            assert!(!self.other.ledger.flows());
        }

        fn link(&mut self) {
            assert!(self.other.ledger.may_flow_into(&self.main.ledger));
            let joined = link(&self.other.ledger, &self.main.ledger, None, at(1), &policy());
            self.write(joined.unwrap());
        }

        fn flow(&mut self) {
            let Some(link) = self.link.clone().filter(|it| it.undone.is_none()) else { return };
            let (other, main) = (&self.other.ledger, &self.main.ledger);
            if let Some(joined) = flow(other, main, &link, at(2), &policy()).unwrap() {
                self.write(joined);
            }
        }

        fn undo(&mut self) {
            self.try_undo(&policy()).unwrap();
        }

        fn try_undo(&mut self, policy: &Policy) -> Result<(), LedgerError> {
            let (by, reason) = why();
            let link = self.link.clone().unwrap();
            let (other, main) = (&self.other.ledger, &self.main.ledger);
            self.write(undo(other, main, &link, (at(3), Some(by), reason), policy)?);
            Ok(())
        }

        /// What both have and owe together.
        fn worth(&self) -> i64 {
            let of = |ledger: &Ledger| {
                ledger.balance(Account::Available) + ledger.balance(Account::Debt)
            };
            of(&self.other.ledger) + of(&self.main.ledger)
        }
    }

    /// What a member sees of a ledger, whatever was written in between.
    fn seen(ledger: &Ledger) -> (i64, i64, Vec<Lot>, aftercart::model::points::Link) {
        let lots = ledger.lots.iter().map(|lot| Lot { joined: false, ..lot.clone() }).collect();
        let (available, debt) = (Account::Available, Account::Debt);
        (ledger.balance(available), ledger.balance(debt), lots, ledger.link.clone())
    }

    #[test]
    fn all_flows_at_once_with_its_ends_and_what_is_held_stays() {
        let mut two = Two::new();
        two.other.give(100, 50);
        two.other.give(30, 40);
        two.main.give(5, 45);
        two.other.hold(40);
        two.link();
        assert_eq!((two.other.ledger.spendable(), two.main.ledger.spendable()), (0, 95));
        let ends: Vec<_> =
            two.main.ledger.lots.iter().map(|lot| (lot.points, lot.expires_at)).collect();
        assert_eq!(ends, [(5, at(45)), (90, at(50))], "what ends first stays for what is held");
        assert_eq!(two.main.ledger.link.from, [customer("other")]);
        two.other.release();
        assert!(two.other.ledger.flows());
        two.flow();
        assert_eq!(
            (two.other.ledger.balance(Account::Available), two.main.ledger.spendable()),
            (0, 135)
        );
        two.main.spend(50);
        two.undo();
        let left = (two.other.ledger.spendable(), two.main.ledger.spendable());
        assert_eq!(left, (85, 0), "what ends first was spent: 30, 5 and 15 of the 100");
        assert_eq!(two.link.unwrap().came, []);
    }

    #[test]
    fn what_is_owed_is_settled_with_what_came_before_and_with_what_comes_later() {
        let mut two = Two::new();
        two.other.give(100, 50);
        two.link();
        // An order of the linked account is sent back.
        two.other.owe(40);
        two.flow();
        assert_eq!((two.main.ledger.spendable(), two.main.ledger.balance(Account::Debt)), (60, 0));
        two.other.owe(100);
        two.flow();
        assert_eq!((two.main.ledger.spendable(), two.main.ledger.balance(Account::Debt)), (0, -40));
        two.other.give(50, 60);
        two.flow();
        assert_eq!((two.main.ledger.spendable(), two.main.ledger.balance(Account::Debt)), (10, 0));
        two.undo();
        assert_eq!((two.other.ledger.spendable(), two.main.ledger.spendable()), (10, 0));
    }

    #[test]
    fn what_counts_towards_a_tier_flows_and_comes_back() {
        let mut two = Two::new();
        let counted = |points| Qualifying { points, orders: 1, ..Qualifying::default() };
        two.other.ledger.standing.qualifying = counted(70);
        two.main.ledger.standing.qualifying = counted(30);
        two.link();
        let of = |ledger: &Ledger| ledger.standing.qualifying.points;
        assert_eq!((of(&two.other.ledger), of(&two.main.ledger)), (0, 100));
        two.other.ledger.standing.qualifying = counted(5);
        two.flow();
        assert_eq!((of(&two.other.ledger), of(&two.main.ledger)), (0, 105));
        two.undo();
        assert_eq!((of(&two.other.ledger), of(&two.main.ledger)), (75, 30));
    }

    #[test]
    fn what_was_done_in_the_main_account_in_a_later_period_stays_there() {
        let counted = |points| Qualifying { points, orders: 1, ..Qualifying::default() };
        let of = |ledger: &Ledger| ledger.standing.qualifying.points;
        for (later, has, flows, expected) in [
            // What came is in the period that has ended, or all that is there.
            (true, 60, 0, (0, 60)),
            (true, 60, 7, (7, 60)),
            (false, 20, 0, (20, 0)),
            (false, 100, 7, (77, 30)),
        ] {
            let mut two = Two::new();
            two.other.ledger.standing.qualifying = counted(70);
            two.link();
            let standing = &mut two.main.ledger.standing;
            standing.qualifying = counted(has);
            if later {
                standing.period_from = Some(at(2));
            }
            if flows > 0 {
                two.other.ledger.standing.qualifying = counted(flows);
                two.flow();
            }
            two.undo();
            let left = (of(&two.other.ledger), of(&two.main.ledger));
            assert_eq!(left, expected, "{later} {has} {flows}");
        }
    }

    #[test]
    fn points_that_are_held_keep_accounts_together() {
        let mut two = Two::new();
        two.other.give(100, 50);
        two.main.give(20, 60);
        two.link();
        two.main.hold(30);
        let (main, link) = (two.main.ledger.clone(), two.link.clone());
        assert_eq!(two.try_undo(&policy()), Err(LedgerError::TooFew));
        assert_eq!((&two.main.ledger, &two.link), (&main, &link));
        two.main.release();
        two.main.hold(20);
        two.undo();
        assert_eq!((two.other.ledger.spendable(), two.main.ledger.spendable()), (100, 0));
    }

    #[test]
    fn a_tier_that_is_reached_by_what_flows_later_is_lost_with_the_link() {
        let mut policy = policy();
        let level = |id: &str, points: i64| {
            let ways = json!([{ "points": points }]);
            serde_json::from_value(json!({ "id": id, "title": { "en": id }, "reach": ways }))
        };
        policy.points.tiers.levels =
            vec![level("silver", 100).unwrap(), level("gold", 300).unwrap()];
        let counted = |points| Qualifying { points, ..Qualifying::default() };
        for (flows, meanwhile, expected) in [
            (&[50, 100][..], 0, ("silver", "")),
            (&[50, 100, 200], 0, ("gold", "")),
            (&[150, 200], 0, ("gold", "")),
            (&[150], 60, ("silver", "")),
            // What the main account did itself reaches as much.
            (&[150], 120, ("silver", "silver")),
            (&[50, 100], 310, ("gold", "gold")),
        ] {
            let mut two = Two::new();
            for (n, points) in flows.iter().enumerate() {
                two.other.ledger.standing.qualifying = counted(*points);
                let (other, main) = (&two.other.ledger, &two.main.ledger);
                let joined = match &two.link {
                    None => link(other, main, None, at(1), &policy).unwrap(),
                    Some(link) => flow(other, main, link, at(2), &policy).unwrap().unwrap(),
                };
                two.write(joined);
                if n == 0 && meanwhile > 0 {
                    let main = &mut two.main.ledger.standing;
                    main.qualifying.add(&counted(meanwhile));
                    main.lifetime.add(&counted(meanwhile));
                    tiers::raise(main, at(2), &policy.points);
                }
            }
            let tier = |two: &Two| {
                two.main.ledger.standing.tier.as_ref().map_or("", Text::as_str).to_owned()
            };
            let linked = tier(&two);
            two.try_undo(&policy).unwrap();
            assert_eq!((linked.as_str(), tier(&two).as_str()), expected, "{flows:?} {meanwhile}");
            assert_eq!(two.main.ledger.standing.qualifying, counted(meanwhile));
        }
    }

    #[test]
    fn an_operator_links_no_more_points_than_an_adjustment_gives() {
        let policy = policy();
        let most = i64::from(policy.points.adjustments.alone_up_to);
        for (available, pending, small) in
            [(0, 0, true), (most, 0, true), (most, 1, false), (most + 1, 0, false)]
        {
            let mut ledger = Ledger::empty(customer("other"));
            ledger.balances = [(Account::Available, available), (Account::Pending, pending)].into();
            assert_eq!(is_small(&ledger, &policy), small, "{available} {pending}");
        }
    }

    #[test]
    fn what_came_as_gifts_is_kept_in_both_accounts_and_once() {
        let zone = Zone::utc();
        let gifts = |name: &str, kept: &[(u16, i64)]| {
            let kept =
                kept.iter().map(|(day, points)| KeptGift { until: at(*day), points: *points });
            Giving { kept: kept.collect(), ..Giving::nothing(customer(name)) }
        };
        let other = gifts("other", &[(2, 5), (40, 30), (50, 20)]);
        let main = gifts("main", &[(45, 10)]);
        let first = kept(other.clone(), main.clone(), at(3), &zone).unwrap();
        assert_eq!((first.kept(), &first.customer), (60, &main.customer));
        assert_eq!(kept(other.clone(), first.clone(), at(3), &zone).unwrap(), first, "once");
        assert_eq!(kept(gifts("other", &[(2, 5)]), main, at(3), &zone), None);
    }

    #[test]
    fn accounts_are_linked_in_pairs_not_in_chains() {
        let [a, b, c] = ["a", "b", "c"].map(|name| Ledger::empty(customer(name)));
        let joined = link(&a, &b, None, at(1), &policy()).unwrap();
        let (a, b) = (joined.other, joined.main);
        for (other, main, may) in [
            (&a, &c, false),
            (&b, &c, false),
            (&c, &a, false),
            (&c, &b, true),
            (&c, &c, false),
            (&a, &b, false),
        ] {
            assert_eq!(other.may_flow_into(main), may, "{} {}", other.customer, main.customer);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Give(bool, i64, u16),
        Owe(bool, i64),
        Spend(bool, i64),
        Hold(bool, i64),
        Release(bool),
        Flow,
    }

    fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
        let main = any::<bool>;
        let points = || 1_i64..1_000;
        let step = prop_oneof![
            4 => (main(), points(), 21_u16..200).prop_map(|(of, it, day)| Step::Give(of, it, day)),
            1 => (main(), points()).prop_map(|(of, it)| Step::Owe(of, it)),
            2 => (main(), points()).prop_map(|(of, it)| Step::Spend(of, it)),
            1 => (main(), points()).prop_map(|(of, it)| Step::Hold(of, it)),
            1 => main().prop_map(Step::Release),
            2 => Just(Step::Flow),
        ];
        prop::collection::vec(step, 0..most)
    }

    impl Two {
        fn take(&mut self, step: &Step) {
            let main = match step {
                Step::Flow => return self.flow(),
                Step::Give(main, ..)
                | Step::Owe(main, _)
                | Step::Spend(main, _)
                | Step::Hold(main, _)
                | Step::Release(main) => *main,
            };
            let of = if main { &mut self.main } else { &mut self.other };
            match *step {
                Step::Give(_, points, day) => of.give(points, day),
                Step::Owe(_, points) => of.owe(points),
                Step::Spend(_, points) => of.spend(points),
                Step::Hold(_, points) => of.hold(points),
                Step::Release(_) => of.release(),
                Step::Flow => {}
            }
        }
    }

    proptest! {
        #[test]
        fn linked_and_apart_again_is_as_before(before in steps(12)) {
            let mut two = Two::new();
            before.iter().for_each(|step| two.take(step));
            let start = (seen(&two.other.ledger), seen(&two.main.ledger));
            let standing = (two.other.ledger.standing.clone(), two.main.ledger.standing.clone());
            two.link();
            two.undo();
            prop_assert_eq!((seen(&two.other.ledger), seen(&two.main.ledger)), start);
            prop_assert_eq!((two.other.ledger.standing, two.main.ledger.standing), standing);
        }

        #[test]
        fn whatever_is_done_meanwhile_no_point_is_lost_or_made(
            before in steps(60), meanwhile in steps(60),
        ) {
            let mut two = Two::new();
            before.iter().for_each(|step| two.take(step));
            let worth = two.worth();
            two.link();
            prop_assert_eq!(two.worth(), worth);
            for step in meanwhile {
                let worth = two.worth();
                two.take(&step);
                if matches!(step, Step::Flow) {
                    prop_assert_eq!(two.worth(), worth);
                }
            }
            two.flow();
            let (worth, came) = (two.worth(), two.link.clone().unwrap().came);
            let had = two.main.ledger.spendable();
            if two.try_undo(&policy()) == Err(LedgerError::TooFew) {
                prop_assert!(two.main.ledger.held() > 0);
                two.main.release();
                two.undo();
                prop_assert_eq!(two.worth(), worth);
                return Ok(());
            }
            prop_assert_eq!(two.worth(), worth);
            let came = came.iter().map(|part| part.points).sum::<i64>();
            prop_assert!(had - two.main.ledger.spendable() <= came);
            prop_assert_eq!(total(&two.main.ledger.lots), two.main.ledger.balance(Account::Available));
        }
    }
}
