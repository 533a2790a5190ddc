//! An oracle that keeps every single point, and programmes at random.

use std::collections::BTreeSet;

use super::*;

/// The day on which a point ends, and the one on which it was granted.
type Point = (u16, u16);

/// One member's points, one by one.
#[derive(Debug, Clone, Default)]
struct Oracle {
    pending: BTreeMap<u32, i64>,
    /// In the order in which they are spent.
    available: Vec<Point>,
    held: BTreeMap<u32, (i64, Option<u16>)>,
    debt: i64,
    outside: BTreeMap<Account, i64>,
}

impl Oracle {
    fn spendable(&self) -> i64 {
        count(&self.available) - self.held.values().map(|it| it.0).sum::<i64>()
    }

    fn outside(&mut self, account: Account, points: i64) {
        *self.outside.entry(account).or_default() += points;
    }

    /// Points that come: those that end first repay what is owed.
    fn come(&mut self, mut points: Vec<Point>) {
        points.sort_unstable();
        let repaid = usize::try_from(self.debt).unwrap().min(points.len());
        self.debt -= i64::try_from(repaid).unwrap();
        self.available.extend(points.drain(repaid..));
        self.available.sort_unstable();
    }

    /// Points that go, those that end first.
    fn go(&mut self, points: i64, to: Account) -> Vec<Point> {
        self.outside(to, points);
        self.available.drain(..usize::try_from(points).unwrap()).collect()
    }

    fn mature(&mut self, order: u32, end: u16, age: u16) {
        let points = self.pending.remove(&order).unwrap_or(0);
        self.come(vec![(end, age); usize::try_from(points).unwrap()]);
    }

    fn take_back(&mut self, order: u32, points: i64, age: Option<u16>) {
        self.outside(Account::Cancelled, points);
        let pending = self.pending.entry(order).or_default();
        let mut missing = points - points.min(*pending);
        *pending -= points - missing;
        let mut most = missing.min(self.spendable());
        self.available.retain(|point| {
            let kept = most == 0 || Some(point.1) != age;
            if !kept {
                (most, missing) = (most - 1, missing - 1);
            }
            kept
        });
        self.debt += missing;
    }

    fn expire(&mut self, day: u16) {
        let held = usize::try_from(self.held.values().map(|it| it.0).sum::<i64>()).unwrap();
        let before = count(&self.available);
        let kept = |(n, point): &(usize, Point)| *n < held || point.0 > day;
        let all = std::mem::take(&mut self.available).into_iter().enumerate();
        self.available = all.filter(kept).map(|(_, point)| point).collect();
        self.outside(Account::Expired, before - count(&self.available));
    }

    fn lots(&self) -> Vec<(Timestamp, Timestamp, i64)> {
        let mut lots: BTreeMap<Point, i64> = BTreeMap::new();
        for point in &self.available {
            *lots.entry(*point).or_default() += 1;
        }
        lots.into_iter().map(|((end, age), points)| (at(end), at(age), points)).collect()
    }
}

fn count(points: &[Point]) -> i64 {
    i64::try_from(points.len()).unwrap()
}

/// One member: the ledger, what its entries amount to, and what it must be.
struct Member {
    ledger: Ledger,
    rebuilt: Rebuilt,
    ids: BTreeSet<EntryId>,
    oracle: Oracle,
    claims: BTreeMap<u32, Claim>,
    /// What orders earned, and what of it was taken back.
    earned: BTreeMap<u32, (i64, i64)>,
    /// What was spent, and is not given back yet.
    spent: Vec<Vec<Point>>,
}

impl Member {
    fn new(name: &str) -> Self {
        Self {
            ledger: Ledger::empty(CustomerId::member(name).unwrap()),
            rebuilt: Rebuilt::default(),
            ids: BTreeSet::new(),
            oracle: Oracle::default(),
            claims: BTreeMap::new(),
            earned: BTreeMap::new(),
            spent: Vec::new(),
        }
    }

    fn note(&mut self, entry: &Entry) {
        self.rebuilt.add(entry).unwrap();
        assert!(self.ids.insert(entry.id.clone()), "an entry comes once");
    }

    /// Whether no lots would have to be joined after this.
    fn has_room(&self, after: impl FnOnce(&mut Oracle)) -> bool {
        let mut oracle = self.oracle.clone();
        after(&mut oracle);
        oracle.lots().len() <= MAX_LOTS
    }

    fn check(&self) {
        let (ledger, oracle) = (&self.ledger, &self.oracle);
        assert_eq!(ledger.check(), Ok(()));
        assert_eq!(self.rebuilt.differences(ledger), []);
        let lots = ledger.lots.iter().map(|it| (it.expires_at, it.granted_at, it.points));
        assert_eq!(lots.collect::<Vec<_>>(), oracle.lots());
        for account in Account::ALL {
            let expected = match account {
                Account::Pending => oracle.pending.values().sum(),
                Account::Available => count(&oracle.available),
                Account::Debt => -oracle.debt,
                other => oracle.outside.get(&other).copied().unwrap_or(0),
            };
            assert_eq!(ledger.balance(account), expected, "{account:?}");
        }
        let held = oracle.held.iter().map(|(n, (points, until))| {
            (holder(*n), Held { points: *points, until: until.map(at) })
        });
        assert_eq!(ledger.holds, held.collect());
        assert_eq!(ledger.spendable(), oracle.spendable());
    }
}

/// A step of a programme: what, by which of two members, about which order or
/// hold, how many points, so many days after the last step.
type Step = (u8, bool, u32, i64, u16);

/// When points end that are granted on a day: months of 30 days.
fn ends(day: u16) -> u16 {
    (day / 30 + 3) * 30
}

struct Programme {
    members: [Member; 2],
    day: u16,
    steps: u32,
}

impl Programme {
    fn movement(&self, kind: &str) -> Movement<'static> {
        Movement { at: at(self.day), ..movement(kind, self.steps) }
    }

    fn step(&mut self, (kind, who, n, points, days): Step) {
        self.steps += 1;
        self.day += days;
        let one = usize::from(who);
        match kind {
            0 => self.earn(one, n, points),
            1 => self.deliver(one, n, days),
            2 => self.mature(one, n),
            3 => self.take_back(one, n, points),
            4 => self.hold(one, n, points),
            5 => self.capture(one, n, points),
            6 => self.void(one, n),
            7 => self.expire(one),
            8 => self.extend(one),
            9 => self.gift(one, points),
            10 => self.spend(one, points),
            _ => self.give_back(one, points),
        }
        self.members.iter().for_each(Member::check);
    }

    fn earn(&mut self, one: usize, n: u32, points: i64) {
        let (day, member) = (self.day, &mut self.members[one]);
        if member.claims.contains_key(&n) {
            return;
        }
        let lines = [points, 1];
        let earned = member.ledger.earn(&order(n), &lines, None, at(day), AUTHORITY).unwrap();
        member.note(&earned.entry);
        member.claims.insert(n, earned.claim);
        member.earned.insert(n, (points + 1, 0));
        member.oracle.pending.insert(n, points + 1);
        member.oracle.outside(Account::Issued, -points - 1);
    }

    /// The clock starts, is moved, or stops.
    fn deliver(&mut self, one: usize, n: u32, days: u16) {
        let day = self.day;
        if let Some(claim) = self.members[one].claims.get_mut(&n).filter(|it| it.is_open()) {
            claim.matures_at = (!days.is_multiple_of(5)).then(|| at(day + days));
        }
    }

    /// Twice: the second time nothing is left to mature.
    fn mature(&mut self, one: usize, n: u32) {
        let (day, member) = (self.day, &mut self.members[one]);
        let Some(claim) = member.claims.get(&n) else { return };
        let age = (0..=day).find(|age| claim.matures_at == Some(at(*age)));
        let due = age.filter(|_| claim.is_open());
        if due.is_some_and(|age| !member.has_room(|it| it.mature(n, ends(age), age))) {
            return;
        }
        let claim = member.claims.get_mut(&n).unwrap();
        let end = at(due.map_or(0, ends));
        let lot = |points, age| Lot::new(points, age, end);
        let entry = member.ledger.mature(claim, at(day), AUTHORITY, lot).unwrap();
        assert_eq!(member.ledger.mature(claim, at(day), AUTHORITY, lot), Ok(None));
        assert_eq!(entry.is_some(), due.is_some());
        if let (Some(entry), Some(age)) = (entry, due) {
            member.note(&entry);
            member.oracle.mature(n, ends(age), age);
        }
    }

    fn take_back(&mut self, one: usize, n: u32, points: i64) {
        let (day, member) = (self.day, &mut self.members[one]);
        let Some((earned, taken)) = member.earned.get_mut(&n) else { return };
        let more = points.min(*earned - *taken);
        if more == 0 {
            return;
        }
        *taken += more;
        let (claim, whole) = (member.claims.get_mut(&n).unwrap(), *taken);
        let entry = member.ledger.take_back(claim, more, whole, at(day), AUTHORITY).unwrap();
        let age = (0..=day).find(|age| claim.granted_at == Some(at(*age)));
        member.oracle.take_back(n, more, age);
        member.note(&entry);
    }

    fn hold(&mut self, one: usize, n: u32, points: i64) {
        let until = n.is_multiple_of(2).then_some(self.day + 7);
        let Member { ledger, oracle, .. } = &mut self.members[one];
        let free = oracle.held.len() < MAX_HOLDS && !oracle.held.contains_key(&n);
        let may = free && points <= oracle.spendable();
        assert_eq!(ledger.hold(holder(n), points, until.map(at)).is_ok(), may);
        if may {
            oracle.held.insert(n, (points, until));
        }
    }

    /// A part of what is held, twice.
    fn capture(&mut self, one: usize, n: u32, points: i64) {
        let by = self.movement("capture");
        let member = &mut self.members[one];
        let part = member.oracle.held.remove(&n).map(|(held, _)| points.min(held));
        let mut capture =
            || member.ledger.capture(by.clone(), &holder(n), part.unwrap_or(1), Account::Spent);
        let (entry, again) = (capture().unwrap(), capture());
        assert_eq!((entry.is_some(), again), (part.is_some(), Ok(None)));
        if let (Some(entry), Some(part)) = (entry, part) {
            member.spent.push(member.oracle.go(part, Account::Spent));
            member.note(&entry);
        }
    }

    fn void(&mut self, one: usize, n: u32) {
        let Member { ledger, oracle, .. } = &mut self.members[one];
        assert_eq!(ledger.release(&holder(n)), oracle.held.remove(&n).map(|it| it.0));
    }

    /// Holds time out, then what ended is taken away.
    fn expire(&mut self, one: usize) {
        let (day, member) = (self.day, &mut self.members[one]);
        member.ledger.time_out(at(day));
        member.oracle.held.retain(|_, it| it.1.is_none_or(|until| until > day));
        while let Some(entry) = expire(&mut member.ledger, day) {
            member.note(&entry);
        }
        member.oracle.expire(day);
    }

    /// What ends within 40 days lasts 60.
    fn extend(&mut self, one: usize) {
        let (day, member) = (self.day, &mut self.members[one]);
        // As the store does with every change: it tells two extensions apart.
        member.ledger.version += 1;
        let later = |lot: &Lot| {
            let near = lot.expires_at > at(day) && lot.expires_at <= at(day + 40);
            near.then(|| at(day + 60))
        };
        let entry = member.ledger.extend(at(day), AUTHORITY, later).unwrap();
        for (end, _) in &mut member.oracle.available {
            if (day + 1..=day + 40).contains(end) {
                *end = day + 60;
            }
        }
        member.oracle.available.sort_unstable();
        if let Some(entry) = entry {
            member.note(&entry);
        }
    }

    fn spend(&mut self, one: usize, points: i64) {
        let by = self.movement("spend");
        let member = &mut self.members[one];
        let entry = member.ledger.debit(by, points, Account::Spent);
        assert_eq!(entry.is_ok(), points <= member.oracle.spendable());
        if let Ok(entry) = entry {
            member.spent.push(member.oracle.go(points, Account::Spent));
            member.note(&entry);
        }
    }

    /// Points go to the other member, and keep their ends and ages.
    fn gift(&mut self, one: usize, points: i64) {
        let (out, into) = (self.movement("sent"), self.movement("received"));
        let [first, second] = &mut self.members;
        let (from, to) = if one == 0 { (first, second) } else { (second, first) };
        let may = points <= from.oracle.spendable();
        let given = from.oracle.available.iter().copied();
        let given: Vec<Point> = given.take(usize::try_from(points).unwrap()).collect();
        if may && !to.has_room(|it| it.come(given.clone())) {
            return;
        }
        let sent = from.ledger.debit(out, points, Account::Gifted);
        assert_eq!(sent.is_ok(), may);
        let Ok(sent) = sent else { return };
        from.note(&sent);
        from.oracle.go(points, Account::Gifted);
        let lots = sent.lots.iter().map(|it| Lot::new(-it.points, it.granted_at, it.expires_at));
        let received = to.ledger.credit(into, Account::Gifted, lots.collect()).unwrap();
        to.note(&received);
        to.oracle.outside(Account::Gifted, -points);
        to.oracle.come(given);
    }

    /// Of what was spent last some comes back, what ends last first.
    fn give_back(&mut self, one: usize, points: i64) {
        let by = self.movement("back");
        let member = &mut self.members[one];
        let Some(mut spent) = member.spent.pop() else { return };
        let kept = spent.len().saturating_sub(usize::try_from(points).unwrap());
        let back = spent.split_off(kept);
        if back.is_empty() || !member.has_room(|it| it.come(back.clone())) {
            return;
        }
        let lots = back.iter().map(|(end, age)| lot(*end, *age, 1)).collect();
        let entry = member.ledger.credit(by, Account::Spent, lots).unwrap();
        member.note(&entry);
        member.oracle.outside(Account::Spent, -count(&back));
        member.oracle.come(back);
        member.spent.push(spent);
    }
}

proptest! {
    #[test]
    fn whatever_happens_every_point_is_where_the_oracle_has_it(
        steps in prop::collection::vec(
            (0_u8..12, any::<bool>(), 0_u32..8, 1_i64..40, 0_u16..20), 1..100,
        ),
    ) {
        let members = ["a", "b"].map(Member::new);
        let mut programme = Programme { members, day: 0, steps: 0 };
        for step in steps {
            programme.step(step);
        }
        let [one, other] = programme.members.map(|it| it.ledger.balance(Account::Gifted));
        prop_assert_eq!(one, -other);
    }
}
