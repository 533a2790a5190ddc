//! Ledgers of points and their entries, in one partition a member.
//!
//! A posting is one commit: its entries, put if absent, and the ledger, put if
//! its version is still the one that was read. A hold for an order that is not
//! paid is one update of the ledger, which can be part of the transaction that
//! places the order: it needs no reading before, and raises the version, so
//! that a posting which was decided without it loses and is decided again.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    id::{AdjustmentId, EntryId, GiftId, HoldId, LinkId, OrderId, RedemptionId, TicketId},
    money::{Currency, Money},
    points::{
        Account, Cause, Claim, Counter, Earning, Entry, Held, Holder, Ledger, Link, Lot, LotPart,
        MAX_HOLDS, Posting, Qualifying, Standing, Tier, Undone,
    },
    text::Text,
    time::{Date, Timestamp},
};

use super::{
    DueTable, Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{Item, StoredError, from_item, in_range, is_default, number, stored},
    key::{DUE, DUE_SHARD, ENTRY_PREFIX, SK, due_shard},
    read::{PartitionQuery, text},
};

const VERSION: &str = "n";
const HOLDS: &str = "h";
const SPENDABLE: &str = "sp";
const TAKEN: &str = "t";
const RETURNED: &str = "r";
const CLAIM: &str = "c";

/// The holds and what may be spent are written always, also when there is
/// nothing: the condition and the path of a hold need them. A member without a
/// ledger has no points.
#[derive(Serialize, Deserialize)]
struct StoredLedger {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    /// The balances, one text: in the order of [`Account::ALL`], with points
    /// between.
    b: String,
    /// The lots, one text, see [`written`]: a quarter of what a list of maps
    /// would take.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    l: String,
    h: BTreeMap<String, StoredHeld>,
    sp: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    s: StoredStanding,
    /// The counters, one text, see [`counted`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    co: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    li: Option<(CustomerId, LinkId)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lf: Vec<CustomerId>,
    n: u64,
}
stored!(StoredLedger, "points ledger", 3);

#[derive(Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredStanding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    te: Option<Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    si: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<(Tier, Millis)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    f: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<Millis>,
    #[serde(default, skip_serializing_if = "is_default")]
    q: StoredQualifying,
    #[serde(default, skip_serializing_if = "is_default")]
    n: StoredQualifying,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Millis>,
    #[serde(default, skip_serializing_if = "is_default")]
    l: StoredQualifying,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<Millis>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    e: Vec<(u16, Millis)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    j: Option<Millis>,
}

/// What a member did in a period, one text: points, orders, activity and
/// feedback with points between, then each currency with what was spent, with
/// commas before. It takes two thirds of what a map would, and nothing when it
/// is left out.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct StoredQualifying(Qualifying);

/// How many points are held, and in a text `<points>.<until>` when that ends by
/// itself. Only what is written with the ledger has an end.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredHeld {
    Points(i64),
    Until(String),
}

/// A moment in a third of the bytes that its text takes.
#[derive(Clone, Copy, PartialEq)]
struct Millis(Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.unix_millis())
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = i64::deserialize(deserializer)?;
        Timestamp::from_unix_millis(millis).map(Self).map_err(D::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    id: EntryId,
    at: Timestamp,
    k: StoredCause,
    r: String,
    po: String,
    ps: Vec<(Account, i64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ln: Vec<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ga: Vec<(String, i64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lt: Vec<StoredPart>,
    /// How an earning stands: the one thing of an entry's item that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<StoredClaim>,
}
stored!(StoredEntry, "points entry", 2);

/// What was done to a lot: its end, age and points, and a mark if it rolls.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum StoredPart {
    Fixed(Timestamp, Timestamp, i64),
    Rolling(Timestamp, Timestamp, i64, bool),
}

impl From<&LotPart> for StoredPart {
    fn from(part: &LotPart) -> Self {
        let LotPart { expires_at, granted_at, points, rolling } = *part;
        match rolling {
            false => Self::Fixed(expires_at, granted_at, points),
            true => Self::Rolling(expires_at, granted_at, points, rolling),
        }
    }
}

impl From<StoredPart> for LotPart {
    fn from(form: StoredPart) -> Self {
        let (expires_at, granted_at, points, rolling) = match form {
            StoredPart::Fixed(end, age, points) => (end, age, points, false),
            StoredPart::Rolling(end, age, points, rolling) => (end, age, points, rolling),
        };
        Self { expires_at, granted_at, points, rolling }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredClaim {
    o: OrderId,
    p: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<(Currency, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct StoredUndone {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    o: OrderId,
    t: i64,
    r: i64,
}
stored!(StoredUndone, "record of undone points", 1);

/// Makes the stored form of causes, and both ways between it and the model's.
macro_rules! causes {
    ($($name:literal $variant:ident($of:ty);)*) => {
        #[derive(Serialize, Deserialize)]
        enum StoredCause {
            $(#[serde(rename = $name)] $variant($of),)*
            #[serde(rename = "action")]
            Action { r: Text<40>, x: Text<80> },
            #[serde(rename = "campaign")]
            Campaign { c: Text<40>, x: Text<80> },
        }

        impl From<&Cause> for StoredCause {
            fn from(cause: &Cause) -> Self {
                match cause.clone() {
                    $(Cause::$variant(of) => Self::$variant(of),)*
                    Cause::Action { rule, reference } => Self::Action { r: rule, x: reference },
                    Cause::Campaign { campaign, reference } => {
                        Self::Campaign { c: campaign, x: reference }
                    }
                }
            }
        }

        impl From<StoredCause> for Cause {
            fn from(form: StoredCause) -> Self {
                match form {
                    $(StoredCause::$variant(of) => Self::$variant(of),)*
                    StoredCause::Action { r, x } => Self::Action { rule: r, reference: x },
                    StoredCause::Campaign { c, x } => {
                        Self::Campaign { campaign: c, reference: x }
                    }
                }
            }
        }
    };
}

causes! {
    "paid" OrderPaid(OrderId);
    "spent" OrderPoints(OrderId);
    "cancelled" OrderCancelled(OrderId);
    "returned" PointsReturned(OrderId);
    "apology" Apology(OrderId);
    "delivery" DeliveryApology(OrderId);
    "ticket" MadeGood(TicketId);
    "window" ReturnWindowEnded(OrderId);
    "expired" LotExpired(Timestamp);
    "extended" Extended(Timestamp);
    "milestone" Milestone(Text<40>);
    "prize" Prize(Text<40>);
    "redeemed" Redeemed(RedemptionId);
    "redemption_returned" RedemptionReturned(RedemptionId);
    "gift_sent" GiftSent(GiftId);
    "gift_received" GiftReceived(GiftId);
    "adjusted" Adjusted(AdjustmentId);
    "till" TillSpent(HoldId);
    "till_returned" TillReturned(HoldId);
    "linked" Linked(LinkId);
}

impl From<&Qualifying> for StoredQualifying {
    fn from(it: &Qualifying) -> Self {
        Self(it.clone())
    }
}

impl From<StoredQualifying> for Qualifying {
    fn from(form: StoredQualifying) -> Self {
        form.0
    }
}

impl From<StoredQualifying> for String {
    fn from(form: StoredQualifying) -> Self {
        let Qualifying { points, spend, orders, activity, feedback } = form.0;
        let counts = [orders, activity, feedback].map(i64::from);
        let counts = std::iter::once(points).chain(counts).map(short).collect::<Vec<_>>().join(".");
        let spent = |(currency, minor): (&Currency, &i64)| format!(",{currency}{}", short(*minor));
        std::iter::once(counts).chain(spend.iter().map(spent)).collect()
    }
}

impl TryFrom<String> for StoredQualifying {
    type Error = StoredError;

    fn try_from(text: String) -> Result<Self, StoredError> {
        read_qualifying(&text).map(Self).ok_or(StoredError::Range)
    }
}

fn read_qualifying(text: &str) -> Option<Qualifying> {
    let mut parts = text.split(',');
    let mut counts = parts.next()?.split('.').map(long);
    let points = counts.next()??;
    let mut count = || u32::try_from(counts.next()??).ok();
    let (orders, activity, feedback) = (count()?, count()?, count()?);
    let spent = |part: &str| {
        let (currency, minor) = part.split_at_checked(CODE)?;
        Some((Currency::parse(currency).ok()?, long(minor)?))
    };
    let spend = parts.map(spent).collect::<Option<_>>()?;
    Some(Qualifying { points, spend, orders, activity, feedback })
}

impl From<&Standing> for StoredStanding {
    fn from(it: &Standing) -> Self {
        Self {
            t: it.tier.clone(),
            te: it.earned.clone(),
            si: it.since.map(Millis),
            g: it.granted.clone().map(|(tier, at)| (tier, Millis(at))),
            f: it.period_from.map(Millis),
            u: it.period_until.map(Millis),
            q: (&it.qualifying).into(),
            n: (&it.next).into(),
            w: it.warned,
            r: it.rescue_until.map(Millis),
            l: (&it.lifetime).into(),
            a: it.active_at.map(Millis),
            e: it.told.iter().map(|(days, at)| (*days, Millis(*at))).collect(),
            j: it.joined_at.map(Millis),
        }
    }
}

impl From<StoredStanding> for Standing {
    fn from(form: StoredStanding) -> Self {
        Self {
            tier: form.t,
            earned: form.te,
            since: form.si.map(|it| it.0),
            granted: form.g.map(|(tier, at)| (tier, at.0)),
            period_from: form.f.map(|it| it.0),
            period_until: form.u.map(|it| it.0),
            qualifying: form.q.into(),
            next: form.n.into(),
            warned: form.w,
            rescue_until: form.r.map(|it| it.0),
            lifetime: form.l.into(),
            active_at: form.a.map(|it| it.0),
            told: form.e.into_iter().map(|(days, at)| (days, at.0)).collect(),
            joined_at: form.j.map(|it| it.0),
        }
    }
}

impl From<&Claim> for StoredClaim {
    fn from(claim: &Claim) -> Self {
        Self {
            o: claim.order.clone(),
            p: claim.points,
            s: claim.spend.map(|spend| (spend.currency(), spend.minor())),
            m: claim.matures_at,
            g: claim.granted_at,
        }
    }
}

impl StoredClaim {
    fn read(self) -> Result<Claim, StoreError> {
        let spend = |(currency, minor)| in_range("points entry", Money::new(minor, currency));
        Ok(Claim {
            order: self.o,
            points: self.p,
            spend: self.s.map(spend).transpose()?,
            matures_at: self.m,
            granted_at: self.g,
        })
    }
}

/// How many letters a currency has.
const CODE: usize = 3;

/// The base of numbers in texts: all digits and letters.
const BASE: u32 = 36;

/// The marks of lots that roll and of those in which others were joined. No
/// digit is a capital letter.
const ROLLING: char = 'R';
const JOINED: char = 'J';

/// A number in [`BASE`].
fn short(number: i64) -> String {
    let mut left = number.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(left % u64::from(BASE)).unwrap_or(0);
        digits.extend(char::from_digit(digit, BASE));
        left /= u64::from(BASE);
        if left == 0 {
            break;
        }
    }
    digits.extend((number < 0).then_some('-'));
    digits.iter().rev().collect()
}

fn long(text: &str) -> Option<i64> {
    i64::from_str_radix(text, BASE).ok()
}

/// The mark of moments that are given in minutes, not in milliseconds.
const MINUTES: char = 'M';

/// A minute in milliseconds.
const MINUTE: i64 = 60_000;

/// A moment: ends of calendar days take three quarters of what others take.
fn moment(at: Timestamp) -> String {
    match at.unix_millis() {
        millis if millis % MINUTE == 0 => format!("{}{MINUTES}", short(millis / MINUTE)),
        millis => short(millis),
    }
}

fn read_moment(text: &str) -> Option<Timestamp> {
    let millis = match text.strip_suffix(MINUTES) {
        Some(minutes) => long(minutes)?.checked_mul(MINUTE)?,
        None => long(text)?,
    };
    Timestamp::from_unix_millis(millis).ok()
}

impl From<&Held> for StoredHeld {
    fn from(held: &Held) -> Self {
        match held.until {
            None => Self::Points(held.points),
            Some(until) => Self::Until(format!("{}.{}", short(held.points), moment(until))),
        }
    }
}

impl StoredHeld {
    fn read(&self) -> Option<Held> {
        match self {
            Self::Points(points) => Some(Held { points: *points, until: None }),
            Self::Until(text) => {
                let (points, until) = text.split_once('.')?;
                Some(Held { points: long(points)?, until: Some(read_moment(until)?) })
            }
        }
    }
}

/// Writes the balances of all accounts; those that never moved are empty.
fn balanced(balances: &BTreeMap<Account, i64>) -> String {
    let one = |account| balances.get(account).map_or_else(String::new, |points| short(*points));
    Account::ALL.iter().map(one).collect::<Vec<_>>().join(".")
}

fn read_balances(text: &str) -> Option<BTreeMap<Account, i64>> {
    let written = |(_, text): &(&Account, &str)| !text.is_empty();
    let pairs = Account::ALL.iter().zip(text.split('.')).filter(written);
    pairs.map(|(account, text)| Some((*account, long(text)?))).collect()
}

/// Writes lots as `<end>.<age>.<points><marks>`, with commas between.
fn written(lots: &[Lot]) -> String {
    let one = |lot: &Lot| {
        let marks = [(lot.rolling, ROLLING), (lot.joined, JOINED)];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        let [end, age] = [lot.expires_at, lot.granted_at].map(moment);
        format!("{end}.{age}.{}{marks}", short(lot.points))
    };
    lots.iter().map(one).collect::<Vec<_>>().join(",")
}

fn read_lots(text: &str) -> Option<Vec<Lot>> {
    let one = |text: &str| {
        let mut parts = text.splitn(3, '.');
        let mut moment = || read_moment(parts.next()?);
        let (expires_at, granted_at) = (moment()?, moment()?);
        let rest = parts.next()?;
        Some(Lot {
            expires_at,
            granted_at,
            points: long(rest.trim_end_matches([ROLLING, JOINED]))?,
            rolling: rest.contains(ROLLING),
            joined: rest.contains(JOINED),
        })
    };
    text.split(',').filter(|part| !part.is_empty()).map(one).collect()
}

/// Writes counters as `<day>.<times>.<points>.<name>`, a line each; the day as
/// the number that its digits are.
fn counted(counters: &BTreeMap<Text<40>, Counter>) -> String {
    let one = |(name, it): (&Text<40>, &Counter)| {
        let (year, month, day) = it.from.parts();
        let day = (i64::from(year) * 100 + i64::from(month)) * 100 + i64::from(day);
        format!("{}.{}.{}.{name}", short(day), short(it.times.into()), short(it.points))
    };
    counters.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn read_counters(text: &str) -> Option<BTreeMap<Text<40>, Counter>> {
    let one = |text: &str| {
        let mut parts = text.splitn(4, '.');
        let day = long(parts.next()?)?;
        let day = format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100);
        let counter = Counter {
            from: Date::parse(&day).ok()?,
            times: u32::try_from(long(parts.next()?)?).ok()?,
            points: long(parts.next()?)?,
        };
        Some((Text::new(parts.next()?).ok()?, counter))
    };
    text.lines().map(one).collect()
}

/// Writes an entry, unless it was written before.
#[must_use]
pub fn post(entry: &Entry) -> Write {
    posted(entry, None)
}

/// Writes the entry that earned an order's points, and how they stand, unless
/// it was written before.
#[must_use]
pub fn post_earning(earning: &Earning) -> Write {
    let write = posted(&earning.entry, Some((&earning.claim).into()));
    match clock(&earning.claim) {
        None => write,
        Some(due) => {
            let shard = due_shard(earning.entry.customer.as_str());
            write.indexed(DUE_SHARD, shard).indexed(DUE, due.to_string())
        }
    }
}

fn posted(entry: &Entry, claim: Option<StoredClaim>) -> Write {
    let form = StoredEntry {
        v: 2,
        pk: entry.customer.clone(),
        id: entry.id.clone(),
        at: entry.at,
        k: (&entry.cause).into(),
        r: entry.rule.clone(),
        po: entry.policy.clone(),
        ps: entry.postings.iter().map(|posting| (posting.account, posting.points)).collect(),
        ln: entry.lines.clone(),
        ga: entry.gave.clone(),
        lt: entry.lots.iter().map(Into::into).collect(),
        c: claim,
    };
    Write::put(Key::of_entry(entry), &form, &Sends::none()).when(Condition::Absent)
}

/// When a claim is to be looked at: the end of its return window, as long as
/// that is to be seen to.
fn clock(claim: &Claim) -> Option<Timestamp> {
    claim.matures_at.filter(|_| claim.is_open())
}

/// Writes how an earning stands over what was read. Loses when that has
/// changed since.
///
/// # Errors
/// [`StoreError::Stored`], when it cannot be stored.
pub fn save_claim(entry: &Entry, read: &Claim, now: &Claim) -> Result<Write, StoreError> {
    let stored = |claim: &Claim| -> Result<AttributeValue, StoreError> {
        let form: serde_dynamo::Result<_> =
            serde_dynamo::to_attribute_value(StoredClaim::from(claim));
        let odd = |error: serde_dynamo::Error| StoreError::Stored {
            what: "points entry",
            source: error.into(),
        };
        form.map_err(odd)
    };
    let change = Change::default().set(CLAIM, stored(now)?);
    let change = match clock(now) {
        None => change.remove(DUE_SHARD).remove(DUE),
        Some(due) => change
            .set(DUE_SHARD, AttributeValue::S(due_shard(entry.customer.as_str())))
            .set(DUE, AttributeValue::S(due.to_string())),
    };
    Ok(Write::update(Key::of_entry(entry), change, &Sends::none())
        .when(Condition::Equals(CLAIM, stored(read)?)))
}

/// Writes a ledger over the one that was read, and when something of it is to
/// be done next. Loses when it has changed since. All ledgers are found by the
/// register, see [`super::tallies`].
#[must_use]
pub fn save(ledger: &Ledger, due: Option<Timestamp>, sends: &Sends) -> Write {
    let id = |holder: &Holder| holder.as_str().to_owned();
    let form = StoredLedger {
        v: 3,
        pk: ledger.customer.clone(),
        b: balanced(&ledger.balances),
        l: written(&ledger.lots),
        h: ledger.holds.iter().map(|(holder, held)| (id(holder), held.into())).collect(),
        sp: ledger.spendable(),
        s: (&ledger.standing).into(),
        co: counted(&ledger.counters),
        li: ledger.link.into.clone(),
        lf: ledger.link.from.clone(),
        n: ledger.version + 1,
    };
    let write =
        Write::put(Key::ledger(&ledger.customer), &form, sends).unchanged(VERSION, ledger.version);
    match due {
        None => write,
        Some(due) => write
            .indexed(DUE_SHARD, due_shard(ledger.customer.as_str()))
            .indexed(DUE, due.to_string()),
    }
}

/// Holds points. Loses when fewer may be spent (or the member has no ledger),
/// something is held for it already, or there are [`MAX_HOLDS`]. Belongs into
/// the commit that makes what they are held for.
#[must_use]
pub fn hold(customer: &CustomerId, holder: &Holder, points: i64) -> Write {
    let held = format!("{HOLDS}.{}", holder.as_str());
    let most = i64::try_from(MAX_HOLDS).unwrap_or(i64::MAX);
    let change = Change::default()
        .set(held.clone(), number(points))
        .add(SPENDABLE, points.saturating_neg())
        .add(VERSION, 1);
    Write::update(Key::ledger(customer), change, &Sends::none())
        .when(Condition::AtLeast(SPENDABLE, points))
        .when(Condition::Missing(held.into()))
        .when(Condition::SmallerThan(HOLDS, most))
}

/// Gives up the points that are held for something. Loses when these are not
/// held for it. Belongs into the commit that ends what they were held for; what
/// was captured comes back by a movement.
#[must_use]
pub fn release(customer: &CustomerId, holder: &Holder, points: i64) -> Write {
    let held = format!("{HOLDS}.{}", holder.as_str());
    let change = Change::default().remove(held.clone()).add(SPENDABLE, points).add(VERSION, 1);
    Write::update(Key::ledger(customer), change, &Sends::none())
        .when(Condition::Is(held.into(), number(points)))
}

/// Writes what was undone of an order's points over what was read. Loses when
/// that has changed since.
#[must_use]
pub fn undo(read: &Undone, now: &Undone) -> Write {
    let form = StoredUndone {
        v: 1,
        pk: now.customer.clone(),
        o: now.order.clone(),
        t: now.taken,
        r: now.returned,
    };
    let write = Write::put(Key::undone(&now.customer, &now.order), &form, &Sends::none());
    match (read.taken, read.returned) {
        (0, 0) => write.when(Condition::Absent),
        (taken, returned) => write
            .when(Condition::Is(TAKEN.into(), number(taken)))
            .when(Condition::Is(RETURNED.into(), number(returned))),
    }
}

/// Reads a cursor that a listing of entries gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| {
        let parts = token.inner().strip_prefix(ENTRY_PREFIX).and_then(|rest| rest.split_once('#'));
        parts.is_some_and(|(at, id)| Timestamp::parse(at).is_ok() && EntryId::parse(id).is_ok())
    })
}

/// The ledger in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`], also when what may be spent is not what the
/// balances and holds say.
pub fn ledger_from_item(item: &Item) -> Result<Ledger, StoreError> {
    let form: StoredLedger = from_item(item)?;
    let odd = || StoreError::Stored { what: "points ledger", source: StoredError::Range };
    let mut holds = BTreeMap::new();
    for (holder, held) in form.h {
        holds.insert(Holder::parse(&holder).ok_or_else(odd)?, held.read().ok_or_else(odd)?);
    }
    let ledger = Ledger {
        customer: form.pk,
        balances: read_balances(&form.b).ok_or_else(odd)?,
        lots: read_lots(&form.l).ok_or_else(odd)?,
        holds,
        standing: form.s.into(),
        counters: read_counters(&form.co).ok_or_else(odd)?,
        link: Link { into: form.li, from: form.lf },
        version: form.n,
    };
    if ledger.spendable() == form.sp { Ok(ledger) } else { Err(odd()) }
}

pub(super) fn undone_from_item(item: &Item) -> Result<Undone, StoreError> {
    let form: StoredUndone = from_item(item)?;
    Ok(Undone { customer: form.pk, order: form.o, taken: form.t, returned: form.r })
}

/// The entry in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn entry_from_item(item: &Item) -> Result<Entry, StoreError> {
    read_entry(item).map(|(entry, _)| entry)
}

/// The earning in an item, such as the one that a [`super::Conflict`] found;
/// none if the entry there is another one.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn earning_from_item(item: &Item) -> Result<Option<Earning>, StoreError> {
    let (entry, claim) = read_entry(item)?;
    Ok(claim.map(|claim| Earning { entry, claim }))
}

fn read_entry(item: &Item) -> Result<(Entry, Option<Claim>), StoreError> {
    let form: StoredEntry = from_item(item)?;
    let postings = form.ps.into_iter().map(|(account, points)| Posting { account, points });
    let entry = Entry {
        id: form.id,
        customer: form.pk,
        at: form.at,
        cause: form.k.into(),
        rule: form.r,
        policy: form.po,
        postings: postings.collect(),
        lines: form.ln,
        gave: form.ga,
        lots: form.lt.into_iter().map(Into::into).collect(),
    };
    Ok((entry, form.c.map(StoredClaim::read).transpose()?))
}

impl Found {
    /// The member's ledger, empty if there is none. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn ledger(&self, customer: &CustomerId) -> Result<Ledger, StoreError> {
        let item = self.item(&Key::ledger(customer));
        item.map_or_else(|| Ok(Ledger::empty(customer.clone())), ledger_from_item)
    }

    /// The entry under this key, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn entry(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.item(key).map(entry_from_item).transpose()
    }

    /// The earning under this key, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn earning(&self, key: &Key) -> Result<Option<Earning>, StoreError> {
        Ok(self.item(key).map(earning_from_item).transpose()?.flatten())
    }

    /// What was undone of the points of the member's order. It must have been
    /// asked for under [`Key::undone`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn undone(&self, customer: &CustomerId, order: &OrderId) -> Result<Undone, StoreError> {
        let item = self.item(&Key::undone(customer, order));
        let nothing = || Ok(Undone::nothing(customer.clone(), order.clone()));
        item.map_or_else(nothing, undone_from_item)
    }
}

impl Store {
    /// The member's ledger, empty if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger(&self, customer: &CustomerId) -> Result<Ledger, StoreError> {
        let item = self.get(&Key::ledger(customer)).await?;
        item.as_ref().map_or_else(|| Ok(Ledger::empty(customer.clone())), ledger_from_item)
    }

    /// A page of the member's entries, latest first, and how those stand that
    /// earned an order's points.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries_of(
        &self,
        customer: &CustomerId,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<(Entry, Option<Claim>)>, StoreError> {
        let pk = customer.as_str();
        let start = from.map(|token| token.start(pk));
        let query = PartitionQuery { table: Table::Points, pk, prefix: Some(ENTRY_PREFIX) };
        let (items, last) = self.latest(query, start, limit).await?;
        let items: Result<Vec<_>, StoreError> = items.iter().map(read_entry).collect();
        let next = last.and_then(|last| text(&last, SK)).map(PageToken::new);
        Ok(Page { items: items?, next })
    }

    /// A page of the member's entries that take effect from the one moment to
    /// the other, both included; earliest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries_between(
        &self,
        customer: &CustomerId,
        (from, to): (Timestamp, Timestamp),
        after: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<Entry>, StoreError> {
        let pk = customer.as_str();
        let start = after.map(|token| token.start(pk));
        // No identity of an entry begins with what comes after `~`.
        let range = (format!("{ENTRY_PREFIX}{from}"), format!("{ENTRY_PREFIX}{to}~"));
        let range = (range.0.as_str(), range.1.as_str());
        let (items, last) = self.between((Table::Points, pk), range, start, limit).await?;
        let items: Result<Vec<Entry>, StoreError> = items.iter().map(entry_from_item).collect();
        let next = last.and_then(|last| text(&last, SK)).map(PageToken::new);
        Ok(Page { items: items?, next })
    }

    /// What is due by `now`, as the index has it: members in whose ledgers
    /// something is to be done, each with the earnings whose return windows
    /// have ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn points_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<BTreeMap<CustomerId, Vec<Key>>, StoreError> {
        let mut members: BTreeMap<CustomerId, Vec<Key>> = BTreeMap::new();
        for due in self.due(DueTable::Points, now, most).await? {
            let Ok(customer) = CustomerId::parse(&due.pk) else { continue };
            let earning = Key::found_entry(&customer, &due.sk);
            members.entry(customer).or_default().extend(earning);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests;
