//! What AWS asks for: public on-demand prices, as data.
//!
//! Amounts are whole pico-dollars (a millionth of a millionth of a dollar) for
//! one of a thing, so that a dollar a million is a million of them.

/// What a price is of, how much it is, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Price {
    /// Of one of what.
    pub of: &'static str,
    /// In pico-dollars.
    pub pico_dollars: u64,
    /// Where it is published.
    pub source: &'static str,
}

/// Which region the prices are of, and since when they are so.
pub const WHERE_AND_WHEN: &str = "us-east-1, on demand, without free tiers, November 2026";

/// A write unit of DynamoDB: $0.625 a million since November 2024.
pub const WRITE: Price = Price {
    of: "write unit of DynamoDB",
    pico_dollars: 625_000,
    source: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
};

/// A read unit of DynamoDB: $0.125 a million.
pub const READ: Price = Price {
    of: "read unit of DynamoDB",
    pico_dollars: 125_000,
    source: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
};

/// A call of the HTTP API: $1.00 a million.
pub const API: Price = Price {
    of: "call of the HTTP API",
    pico_dollars: 1_000_000,
    source: "https://aws.amazon.com/api-gateway/pricing/",
};

/// A request to a standard queue: $0.40 a million.
pub const QUEUE: Price = Price {
    of: "request to SQS",
    pico_dollars: 400_000,
    source: "https://aws.amazon.com/sqs/pricing/",
};

/// An invocation: $0.20 a million.
pub const INVOCATION: Price = Price {
    of: "invocation of Lambda (arm64)",
    pico_dollars: 200_000,
    source: "https://aws.amazon.com/lambda/pricing/",
};

/// A millisecond of 128 MB: an eighth of $0.0000133334 a gigabyte and second.
pub const MILLISECOND: Price = Price {
    of: "millisecond of Lambda at 128 MB (arm64)",
    pico_dollars: 1_667,
    source: "https://aws.amazon.com/lambda/pricing/",
};

/// All of them.
pub const ALL: [Price; 6] = [WRITE, READ, API, QUEUE, INVOCATION, MILLISECOND];

/// How long a call takes in the region, in thousandths of a millisecond: what
/// was published of DynamoDB (PutItem 7.6 ms, a transaction of five items 25 ms,
/// medians of 2020), and the same as of a write for every other call of AWS. A
/// payment provider is far: a fifth of a second.
#[must_use]
pub fn microseconds(operation: &str) -> u64 {
    match operation {
        "TransactWriteItems" => 25_000,
        provider if provider.contains(' ') => 200_000,
        _ => 7_600,
    }
}

/// What an invocation takes beside its calls, in thousandths of a millisecond.
/// The processor needs less than that; Lambda bills by the millisecond.
pub const OWN_MICROSECONDS: u64 = 1_000;
