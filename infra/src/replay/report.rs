//! What a replay found, in numbers and in words.

use std::{collections::BTreeMap, fmt, time::Duration};

use aftercart::model::time::Timestamp;

use crate::world::Checked;

use super::log::Malformed;

/// Points by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PointsByState {
    /// Earned, and not yet to be spent.
    pub pending: i64,
    /// To be spent.
    pub available: i64,
    /// Run out.
    pub expired: i64,
}

impl PointsByState {
    /// All that was earned.
    #[must_use]
    pub fn earned(self) -> i64 {
        self.pending + self.available + self.expired
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            pending: self.pending + other.pending,
            available: self.available + other.available,
            expired: self.expired + other.expired,
        }
    }
}

/// Counts that are kept by the suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Paid orders.
    pub orders: usize,
    /// Of these, orders of nothing but gifts.
    pub free_orders: usize,
    /// The sum of the totals of paid orders, in cents.
    pub revenue_cents: i64,
    /// Points in the ledgers.
    pub points: PointsByState,
    /// The same, a customer each.
    pub balances: BTreeMap<String, PointsByState>,
    /// Parcels that arrived.
    pub parcels_delivered: usize,
    /// Parcels that are on their way.
    pub parcels_on_way: usize,
    /// Invitations that were sent.
    pub surveys_sent: usize,
    /// Invitations that were suppressed.
    pub surveys_suppressed: usize,
    /// Invitations that are scheduled.
    pub surveys_scheduled: usize,
    /// Write units of `DynamoDB` that all functions used.
    pub write_units: u64,
    /// What was checked.
    pub checked: Checked,
}

impl Kept {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            free_orders: self.free_orders + other.free_orders,
            revenue_cents: self.revenue_cents + other.revenue_cents,
            points: self.points.plus(other.points),
            balances: self.balances.into_iter().chain(other.balances).collect(),
            parcels_delivered: self.parcels_delivered + other.parcels_delivered,
            parcels_on_way: self.parcels_on_way + other.parcels_on_way,
            surveys_sent: self.surveys_sent + other.surveys_sent,
            surveys_suppressed: self.surveys_suppressed + other.surveys_suppressed,
            surveys_scheduled: self.surveys_scheduled + other.surveys_scheduled,
            write_units: self.write_units + other.write_units,
            checked: self.checked.plus(other.checked),
        }
    }
}

/// What the log says by itself, computed line by line without the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Purchases.
    pub purchases: usize,
    /// Different customers.
    pub customers: usize,
    /// The sum of the amounts, in cents.
    pub revenue_cents: i64,
    /// The policy's points of each line, by where they must be at the end.
    pub points: PointsByState,
    /// The same, a customer each.
    pub balances: BTreeMap<String, PointsByState>,
    /// The end of the last purchase's day.
    pub end: Timestamp,
}

/// What a replay found.
#[derive(Debug)]
pub struct Report {
    /// What the log says.
    pub expected: Expected,
    /// What the suite kept.
    pub kept: Kept,
    /// Lines that were skipped.
    pub malformed: Vec<Malformed>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Whether the suite kept what the log says.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let Self { expected, kept, .. } = self;
        kept.orders == expected.purchases
            && kept.revenue_cents == expected.revenue_cents
            && kept.points == expected.points
            && self.differing() == 0
    }

    /// How many customers have other points than the log says. A customer
    /// without points may be without a ledger.
    #[must_use]
    pub fn differing(&self) -> usize {
        let (kept, expected) = (&self.kept.balances, &self.expected.balances);
        let of = |all: &BTreeMap<String, PointsByState>, customer: &str| {
            all.get(customer).copied().unwrap_or_default()
        };
        let mut customers: Vec<&String> = kept.keys().chain(expected.keys()).collect();
        customers.sort_unstable();
        customers.dedup();
        let differs = |customer: &&&String| of(kept, customer) != of(expected, customer);
        customers.iter().filter(differs).count()
    }
}

/// Thousands apart, as in `6,919`.
fn grouped(number: impl fmt::Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn dollars(cents: i64) -> String {
    format!("{}.{:02}", grouped(cents / 100), cents % 100)
}

/// A quotient with one decimal, rounded down.
fn per(sum: u64, count: usize) -> String {
    let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
    format!("{}.{}", sum / count, sum % count * 10 / count)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, kept, malformed, took } = self;
        for line in malformed {
            writeln!(f, "line {} was skipped: {}", line.line, line.reason)?;
        }
        writeln!(f, "Until {}:", expected.end)?;
        let mut row = |name: &str, kept: String, of_log: String| {
            writeln!(f, "  {name:<22}{kept:>14}{of_log:>14}")
        };
        row("", "suite".into(), "log".into())?;
        row("orders", grouped(kept.orders), grouped(expected.purchases))?;
        row("revenue, USD", dollars(kept.revenue_cents), dollars(expected.revenue_cents))?;
        let (points, by_line) = (kept.points, expected.points);
        for (name, kept, expected) in [
            ("points earned", points.earned(), by_line.earned()),
            ("  pending", points.pending, by_line.pending),
            ("  available", points.available, by_line.available),
            ("  expired", points.expired, by_line.expired),
        ] {
            row(name, grouped(kept), grouped(expected))?;
        }
        let mut row = |name: &str, kept: String| writeln!(f, "  {name:<22}{kept:>14}");
        row("customers", grouped(expected.customers))?;
        row("  with other points", grouped(self.differing()))?;
        row("orders for nothing", grouped(kept.free_orders))?;
        row("parcels delivered", grouped(kept.parcels_delivered))?;
        row("parcels on their way", grouped(kept.parcels_on_way))?;
        row("surveys sent", grouped(kept.surveys_sent))?;
        row("surveys suppressed", grouped(kept.surveys_suppressed))?;
        row("surveys scheduled", grouped(kept.surveys_scheduled))?;
        row("write units an order", per(kept.write_units, kept.orders))?;
        let Checked {
            skus,
            orders,
            payments,
            refunds,
            offers,
            shipments,
            parcels,
            alerts,
            entries,
            ledgers,
            gifts,
            redemptions,
            invites,
            answers,
            contacted,
            tickets,
            remedies,
            webhooks,
            messages,
        } = kept.checked;
        writeln!(f, "Every invariant holds:")?;
        for (count, what) in [
            (skus, "SKUs: what is left is what came in less what orders took"),
            (orders, "orders: none has more charges than one"),
            (payments, "payments: each is its order's, or due to go back"),
            (refunds, "refunds: each was due, and is asked for once"),
            (offers, "vouchers and limits: each is used as living orders use it"),
            (shipments, "paid orders: each has all its goods in shipments"),
            (parcels, "parcels: each is where its scans say"),
            (alerts, "alerts: each is open as its shipment says"),
            (entries, "entries of points: each sums to zero"),
            (ledgers, "ledgers: each equals its entries and its lots"),
            (gifts, "gifts: each moved its points once, or not at all"),
            (redemptions, "rewards taken: each is paid for and counted once"),
            (invites, "invitations: one for each delivered order"),
            (answers, "answers: each is counted once, as it is"),
            (contacted, "customers invited: none beyond the budget"),
            (tickets, "tickets: each is counted once, as it is"),
            (remedies, "remedies of tickets: each was carried out once, or refused"),
            (webhooks, "webhooks: each is written, and taken if it says so"),
            (messages, "messages: every queue got what was meant for it"),
        ] {
            writeln!(f, "  {:>9} {what}", grouped(count))?;
        }
        let verdict = if self.agrees() { "agree" } else { "DO NOT AGREE" };
        write!(f, "Suite and log {verdict}. It took {} s.", took.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(6919), "6,919");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(dollars(24_409_194), "244,091.94");
        assert_eq!(per(55, 10), "5.5");
        assert_eq!(per(0, 0), "0.0");
    }
}
