//! The parts of the page.

use aftercart::model::{
    customer::Language,
    dates::Dates,
    points::{Account, Ledger},
    programme::{PointsPolicy, tiers::Level},
    time::{Date, Timestamp},
};

use crate::{
    rules::{
        path::{self, Path},
        wording::{PointsMovementKind, number, page as words, points, programme},
    },
    wire::{
        offers::{PointsOffers, RewardOffer},
        view::{BalancesView, GaveView, LotView, MovementView},
    },
};

/// The most months of which a page shows bars; what ends after them is one more.
const MONTHS_MAX: usize = 13;

/// How many points end in a month, and how long its bar is.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) points: String,
    pub(super) percent: i64,
    pub(super) tone: Option<&'static str>,
}

/// Where the member stands among the tiers.
pub(super) struct TierPart {
    pub(super) title: String,
    pub(super) warnings: Vec<String>,
    pub(super) percent: Option<i64>,
    pub(super) lines: Vec<String>,
    pub(super) benefits: Vec<String>,
}

/// A reward.
pub(super) struct RewardPart<'a> {
    pub(super) title: &'a str,
    pub(super) points: String,
    pub(super) missing: Option<String>,
}

/// A movement.
pub(super) struct MovementPart<'a> {
    pub(super) what: &'a str,
    pub(super) when: String,
    pub(super) datetime: String,
    pub(super) lines: Vec<String>,
    pub(super) sum: String,
    pub(super) tone: Option<&'static str>,
}

/// What there is besides what may be spent.
pub(super) fn others(balances: &BalancesView, language: Language) -> Vec<(&'static str, String)> {
    let ui = words::of(language);
    let all = [(ui.waiting, balances.pending), (ui.held, balances.held), (ui.owed, balances.debt)];
    let there = all.into_iter().filter(|(_, count)| *count != 0);
    there.map(|(name, count)| (name, points(count, language))).collect()
}

/// The last day on which a lot may be spent: its end is the first moment after.
fn last_day(lot: &LotView, dates: &Dates<'_>) -> Date {
    path::last_day(lot.expires_at, dates.zone)
}

/// How many points end in which month. Lots whose end has come, and that may
/// be spent a little longer, end at any time.
pub(super) fn bars(lots: &[LotView], now: Timestamp, dates: &Dates<'_>) -> Vec<Bar> {
    let ui = words::of(dates.language);
    let mut months: Vec<(String, i64, bool)> = Vec::new();
    for lot in lots {
        let is_over = lot.expires_at <= now;
        let month = if is_over { ui.ending.to_owned() } else { dates.month(last_day(lot, dates)) };
        let is_full = months.len() >= MONTHS_MAX;
        match months.last_mut() {
            Some((name, sum, _)) if *name == month => *sum = sum.saturating_add(lot.points),
            Some((name, sum, _)) if is_full => {
                ui.later.clone_into(name);
                *sum = sum.saturating_add(lot.points);
            }
            _ => months.push((month, lot.points, is_over)),
        }
    }
    let most = months.iter().map(|(_, sum, _)| *sum).max().unwrap_or(0).max(1);
    let bar = |(name, sum, is_over): (String, i64, bool)| Bar {
        name,
        points: number(sum),
        percent: percent(sum, most),
        tone: is_over.then_some("care"),
    };
    months.into_iter().map(bar).collect()
}

/// A part of a whole, in percent: rounded down, and from 0 to 100.
fn percent(part: i64, whole: i64) -> i64 {
    let percent = i128::from(part.max(0)) * 100 / i128::from(whole.max(1));
    i64::try_from(percent).unwrap_or(100).min(100)
}

/// Which points end first, of those whose end is to come.
pub(super) fn next_end(lots: &[LotView], now: Timestamp, dates: &Dates<'_>) -> Option<String> {
    let next = lots.iter().find(|lot| lot.expires_at > now)?;
    let day = dates.day(last_day(next, dates));
    Some(words::next_end(next.points, &day, dates.language))
}

/// Where the member stands, and the path from there, if there are tiers.
pub(super) fn tier(
    ledger: &Ledger,
    policy: &PointsPolicy,
    now: Timestamp,
    dates: &Dates<'_>,
) -> Option<TierPart> {
    if policy.tiers.levels.is_empty() {
        return None;
    }
    let language = dates.language;
    let course = path::course(ledger, policy, now);
    let name = |level: &Level| level.title.text(language).to_owned();
    let way = |path: &Path<'_>| Some((path.words(dates)?, name(path.level)));
    let lost = course.keep.as_ref().and_then(way);
    let next = course.next.as_ref().and_then(way);
    let warned = course.standing.warned.is_some();
    let keeps = lost.as_ref().map(|(words, level)| words::to_keep(words, level, language));
    let reaches = next.as_ref().map(|(words, level)| words::to_reach(words, level, language));
    let rescued = course.standing.rescue_until.filter(|until| *until > now);
    let rescue = policy.tiers.rescue.as_ref().zip(rescued).map(|(rescue, until)| {
        let day = dates.day(path::last_day(until, &policy.zone));
        words::rescue(&programme::percent(rescue.extra), &day, language)
    });
    let nearest = course.next.as_ref().or(course.keep.as_ref()).and_then(Path::nearest);
    let service = course.level.and_then(|level| level.benefits.service_line.as_ref());
    let given = course.level.map(|level| programme::benefits(level, policy, dates));
    Some(TierPart {
        title: words::your_tier(course.level.map(name).as_deref(), language),
        percent: nearest.map(|way| i64::from(way.share / 100)),
        warnings: keeps.clone().filter(|_| warned).into_iter().chain(rescue).collect(),
        lines: reaches.into_iter().chain(keeps.filter(|_| !warned)).collect(),
        benefits: given
            .into_iter()
            .flatten()
            .chain(service.map(|line| words::service(line.as_str(), language)))
            .collect(),
    })
}

/// The rewards, those within reach first.
pub(super) fn rewards<'a>(offers: &'a PointsOffers) -> Vec<RewardPart<'a>> {
    let language = offers.language;
    let part = |it: &'a RewardOffer| RewardPart {
        title: &it.title,
        points: points(it.points, language),
        missing: (it.missing > 0).then(|| words::missing(it.missing, language)),
    };
    offers.rewards.iter().map(part).collect()
}

/// A movement: what it is, how many points, and what there is to say of them;
/// of the rules that gave them, at most so many.
pub(super) fn movement<'a>(
    it: &'a MovementView,
    most: usize,
    dates: &Dates<'_>,
) -> MovementPart<'a> {
    let (language, into) = (dates.language, |account| into(it, account));
    let (available, pending, debt) =
        (into(Account::Available), into(Account::Pending), into(Account::Debt));
    let count = if available == 0 { pending } else { available };
    // What matured does not leave what waits: it is what waited.
    let is_extended = it.kind == PointsMovementKind::Extended;
    let sum = match count {
        0 if is_extended => number(it.lots.iter().map(|lot| lot.points.max(0)).sum()),
        0 => signed(debt),
        count => signed(count),
    };
    // What one rule gave by itself is the whole.
    let all: &[GaveView] = if it.gave.len() > 1 { &it.gave } else { &[] };
    let gave = all.iter().take(most);
    let mut lines: Vec<String> =
        gave.map(|gave| words::gave(&gave.title, &signed(gave.points), language)).collect();
    let rest = all.len().saturating_sub(most);
    lines.extend((rest > 0).then(|| words::and_more(rest, language)));
    lines.extend(it.waiting.as_ref().map(|waiting| {
        let day = waiting.matures_at.map(|at| dates.day(at.date_in(dates.zone)));
        words::waits(waiting.points, day.as_deref(), language)
    }));
    match debt {
        0 => {}
        owed @ ..0 => lines.push(words::owes(owed.saturating_neg(), language)),
        repaid => lines.push(words::repaid(repaid, language)),
    }
    MovementPart {
        what: &it.what,
        when: dates.moment(it.at),
        datetime: it.at.to_string(),
        lines,
        sum,
        tone: (available > 0).then_some("good"),
    }
}

fn into(it: &MovementView, account: Account) -> i64 {
    let of = it.changes.iter().filter(|change| change.account == account);
    of.fold(0, |sum, change| sum.saturating_add(change.points))
}

/// A number with its sign.
fn signed(count: i64) -> String {
    match count {
        1.. => format!("+{}", number(count)),
        0 => "0".to_owned(),
        ..0 => format!("\u{2212}{}", number(count.saturating_neg())),
    }
}
