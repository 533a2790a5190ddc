//! Lots: points that were granted together and end together.

use crate::model::time::Timestamp;

/// The most lots of a ledger. The ledger is one item that every movement
/// writes: with 16 lots, and everything else at its bound, it stays below the
/// two kilobytes that a posting's budget of write units allows. Points of a year,
/// by the month in which they end, are 13 lots.
pub const MAX_LOTS: usize = 16;

/// Points to be spent until a moment, granted at another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// When they run out.
    pub expires_at: Timestamp,
    /// When they were granted: the oldest of them, if lots were joined. It is
    /// the age by which lots of one end are told apart.
    pub granted_at: Timestamp,
    /// How many are left.
    pub points: i64,
    /// Whether they last from the last activity of the member, not from when
    /// they were granted.
    pub rolling: bool,
    /// Whether lots were joined in it to keep a ledger small.
    pub joined: bool,
}

impl Lot {
    /// A lot by itself.
    #[must_use]
    pub fn new(points: i64, granted_at: Timestamp, expires_at: Timestamp) -> Self {
        Self { expires_at, granted_at, points, rolling: false, joined: false }
    }

    /// The order in which lots are spent: the earliest end first, then the oldest.
    #[must_use]
    pub fn rank(&self) -> (Timestamp, Timestamp) {
        (self.expires_at, self.granted_at)
    }

    /// So many points of the lot taken (negative) or added.
    #[must_use]
    pub fn part(&self, points: i64) -> LotPart {
        let Self { expires_at, granted_at, rolling, .. } = *self;
        LotPart { expires_at, granted_at, points, rolling }
    }
}

/// What an entry did to a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotPart {
    /// When the lot ends.
    pub expires_at: Timestamp,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// Positive for points that it added, negative for those that it took.
    pub points: i64,
    /// Whether the lot's points last from the last activity of the member.
    pub rolling: bool,
}

impl LotPart {
    /// A lot of so many points of the same kind, by itself: what was taken is
    /// given back so, or to somebody else.
    #[must_use]
    pub fn lot(&self, points: i64) -> Lot {
        Lot { rolling: self.rolling, ..Lot::new(points, self.granted_at, self.expires_at) }
    }
}

/// How many points lots have together.
#[must_use]
pub fn total(lots: &[Lot]) -> i64 {
    lots.iter().fold(0, |sum, lot| sum.saturating_add(lot.points))
}

/// Takes points out of lots, in the order in which they are spent, as many as
/// there are. What was taken comes back, as negative parts.
pub(super) fn take(lots: &mut Vec<Lot>, points: i64) -> Vec<LotPart> {
    take_where(lots, points, |_| true)
}

/// Takes points out of those lots that are wanted.
pub(super) fn take_where(
    lots: &mut Vec<Lot>,
    points: i64,
    wanted: impl Fn(&Lot) -> bool,
) -> Vec<LotPart> {
    let mut missing = points;
    let mut taken = Vec::new();
    for lot in lots.iter_mut().filter(|lot| wanted(lot)) {
        let part = lot.points.min(missing);
        if part > 0 {
            lot.points = lot.points.saturating_sub(part);
            missing = missing.saturating_sub(part);
            taken.push(lot.part(part.saturating_neg()));
        }
    }
    lots.retain(|lot| lot.points > 0);
    taken
}

/// Adds a lot, and joins others if there are too many now. What changed comes
/// back.
pub(super) fn add(lots: &mut Vec<Lot>, added: Lot) -> Vec<LotPart> {
    if added.points <= 0 {
        return Vec::new();
    }
    let mut parts = vec![added.part(added.points)];
    insert(lots, added);
    while lots.len() > MAX_LOTS {
        parts.extend(join(lots));
    }
    parts
}

/// Puts a lot in its place. Lots of one end and age are one, and all of it lasts
/// from the last activity if one of them did: nobody's points end earlier.
pub(super) fn insert(lots: &mut Vec<Lot>, added: Lot) {
    match lots.binary_search_by_key(&added.rank(), Lot::rank) {
        Ok(position) => {
            if let Some(lot) = lots.get_mut(position) {
                lot.points = lot.points.saturating_add(added.points);
                lot.rolling |= added.rolling;
                lot.joined |= added.joined;
            }
        }
        Err(position) => lots.insert(position, added),
    }
}

/// Joins the two neighbours whose ends are closest, of several such the
/// earliest, into one with the later end: nobody loses a day by it. Points that
/// last from the last activity do not join others, unless nothing else is left.
fn join(lots: &mut Vec<Lot>) -> Vec<LotPart> {
    let gap = |(position, pair): (usize, &[Lot])| match pair {
        [one, other] => {
            let apart = other.expires_at.unix_millis().saturating_sub(one.expires_at.unix_millis());
            Some((one.rolling != other.rolling, apart, position))
        }
        _ => None,
    };
    let Some((_, _, position)) = lots.windows(2).enumerate().filter_map(gap).min() else {
        return Vec::new();
    };
    let one = lots.remove(position);
    let Some(other) = lots.get_mut(position) else { return Vec::new() };
    let mut parts = vec![one.part(one.points.saturating_neg())];
    parts.push(other.part(other.points.saturating_neg()));
    other.granted_at = other.granted_at.min(one.granted_at);
    other.points = other.points.saturating_add(one.points);
    (other.rolling, other.joined) = (one.rolling && other.rolling, true);
    parts.push(other.part(other.points));
    let joined = lots.remove(position);
    insert(lots, joined);
    parts
}
