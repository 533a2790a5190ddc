//! Purchase logs: the CDNOW format (columns divided by spaces: customer,
//! perhaps the customer's number in a sample, date, number of discs, dollars)
//! and CSV (`customer,date,amount`, a header or none). Lines may end in CR LF.

use std::collections::BTreeMap;

use aftercart::model::{
    customer::CustomerId,
    money::{Currency, Money, MoneyError},
    time::Timestamp,
};

/// The currency of every amount.
const CURRENCY: &str = "USD";

/// What is sold: so many units for so much, as one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bundle {
    /// How many units.
    pub units: u32,
    /// What they cost together.
    pub cents: i64,
}

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Its line in the file, from 1.
    pub line: usize,
    /// The subject of the customer's token.
    pub customer: String,
    /// The start of its day.
    pub day: Timestamp,
    /// What was bought.
    pub bundle: Bundle,
}

/// A line that is no purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Its number in the file, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The purchases, by day; those of one day as they stand in the file.
    pub purchases: Vec<Purchase>,
    /// The lines that are none.
    pub malformed: Vec<Malformed>,
}

impl Log {
    /// Reads a file.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        for (position, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = position + 1;
            let read = match std::str::from_utf8(bytes).map(str::trim) {
                Ok("") => continue,
                Ok(text) if line == 1 && is_header(text) => continue,
                Ok(text) => purchase(line, text),
                Err(_) => Err("it is not UTF-8".to_owned()),
            };
            match read {
                Ok(purchase) => log.purchases.push(purchase),
                Err(reason) => log.malformed.push(Malformed { line, reason }),
            }
        }
        log.purchases.sort_by_key(|purchase| purchase.day);
        log
    }

    /// How often each bundle is bought.
    #[must_use]
    pub fn bundles(&self) -> BTreeMap<Bundle, u32> {
        let mut bundles = BTreeMap::new();
        for purchase in &self.purchases {
            *bundles.entry(purchase.bundle).or_default() += 1;
        }
        bundles
    }

    /// The sum of all purchases.
    #[must_use]
    pub fn revenue_cents(&self) -> i64 {
        self.purchases.iter().map(|purchase| purchase.bundle.cents).sum()
    }
}

fn is_header(text: &str) -> bool {
    text.to_ascii_lowercase().replace(' ', "") == "customer,date,amount"
}

fn purchase(line: usize, text: &str) -> Result<Purchase, String> {
    let comma = text.contains(',');
    let columns: Vec<&str> = match comma {
        true => text.split(',').map(str::trim).collect(),
        false => text.split_whitespace().collect(),
    };
    let (customer, date, units, amount) = match (comma, columns.as_slice()) {
        (true, [customer, date, amount]) => (customer, date, "1", amount),
        (false, [customer, _, date, units, amount] | [customer, date, units, amount]) => {
            (customer, date, *units, amount)
        }
        (true, other) => return Err(format!("it has {} columns, not 3", other.len())),
        (false, other) => return Err(format!("it has {} columns, not 5", other.len())),
    };
    CustomerId::member(customer).map_err(|_| format!("`{customer}` names no customer"))?;
    let units: u32 = units.parse().map_err(|_| format!("`{units}` is no number of units"))?;
    let bundle = Bundle { units, cents: cents(amount)? };
    Ok(Purchase { line, customer: (*customer).to_owned(), day: day(date)?, bundle })
}

fn cents(text: &str) -> Result<i64, String> {
    let money = |currency: Currency| Money::from_decimal(text, currency);
    match Currency::parse(CURRENCY).and_then(money) {
        Ok(amount) if amount.minor() >= 0 => Ok(amount.minor()),
        Ok(_) => Err(format!("the amount `{text}` is negative")),
        Err(MoneyError::Overflow) => Err(format!("the amount `{text}` is too large")),
        Err(_) => Err(format!("`{text}` is no amount such as 29.33")),
    }
}

/// The start of a day written `19970101` or `1997-01-01`.
fn day(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no date such as 19970101 or 1997-01-01");
    let digits = text.replace('-', "");
    let part = |from: usize, to: usize| digits.get(from..to).ok_or_else(wrong);
    let dashed = text.len() == 10 && text.match_indices('-').map(|it| it.0).eq([4, 7]);
    if digits.len() != 8 || !(text.len() == 8 || dashed) {
        return Err(wrong());
    }
    let moment = format!("{}-{}-{}T00:00:00Z", part(0, 4)?, part(4, 6)?, part(6, 8)?);
    Timestamp::parse(&moment).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Customer, day, units and cents.
    type Row = (String, String, u32, i64);

    fn read(text: &str) -> (Vec<Row>, Vec<(usize, String)>) {
        let log = Log::parse(text.as_bytes());
        let purchases = log.purchases.into_iter().map(|it| {
            (it.customer, it.day.to_string()[..10].to_owned(), it.bundle.units, it.bundle.cents)
        });
        let malformed = log.malformed.into_iter().map(|it| (it.line, it.reason));
        (purchases.collect(), malformed.collect())
    }

    fn bought(customer: &str, day: &str, units: u32, cents: i64) -> Row {
        (customer.to_owned(), day.to_owned(), units, cents)
    }

    #[test]
    fn both_formats_are_read() {
        let text = " 00004 0001 19970118  2   29.73\r\n 00004 0001 19970101  1    0.00\r\n";
        let expected =
            vec![bought("00004", "1997-01-01", 1, 0), bought("00004", "1997-01-18", 2, 2973)];
        assert_eq!(read(text), (expected, Vec::new()));
        let four = "00004 19970101 1 29.33";
        assert_eq!(read(four), (vec![bought("00004", "1997-01-01", 1, 2933)], Vec::new()));
        let csv = "customer, date, amount\r\na@b,1997-01-02,12.5\r\nc,19970101,7\n\n";
        let expected =
            vec![bought("c", "1997-01-01", 1, 700), bought("a@b", "1997-01-02", 1, 1250)];
        assert_eq!(read(csv), (expected, Vec::new()));
    }

    #[test]
    fn malformed_lines_are_told_by_number_and_reason() {
        let wrong = |line: &str| {
            let (purchases, malformed) = read(&format!("a,1997-01-01,1.00\n{line}\n"));
            assert_eq!((purchases.len(), malformed.len()), (1, 1), "{line}");
            assert_eq!(malformed[0].0, 2);
            malformed[0].1.clone()
        };
        for (line, reason) in [
            ("a,b", "it has 2 columns, not 3"),
            ("a b", "it has 2 columns, not 5"),
            ("a#b,1997-01-01,1", "`a#b` names no customer"),
            ("a,1997-02-30,1", "`1997-02-30` is no date such as 19970101 or 1997-01-01"),
            ("a,97-01-01,1", "`97-01-01` is no date such as 19970101 or 1997-01-01"),
            ("a,1997é101,1", "`1997é101` is no date such as 19970101 or 1997-01-01"),
            ("a,1997-01-01,-1.00", "the amount `-1.00` is negative"),
            ("a,1997-01-01,1.001", "`1.001` is no amount such as 29.33"),
            ("a,1997-01-01,99999999999999", "the amount `99999999999999` is too large"),
            ("1 1 19970101 x 1.00", "`x` is no number of units"),
            ("customer,date,amount", "`amount` is no amount such as 29.33"),
        ] {
            assert_eq!(wrong(line), reason);
        }
        let (_, malformed) = {
            let log = Log::parse(b"\xff\xfe\n");
            (0, log.malformed)
        };
        assert_eq!(malformed[0].reason, "it is not UTF-8");
    }
}
