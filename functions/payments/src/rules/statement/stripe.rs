//! Stripe's payout reconciliation report and balance report, itemised, as the
//! dashboard and the Reports API give them in CSV
//! (<https://docs.stripe.com/reports/report-types/payout-reconciliation>).
//! Amounts are in major units of the currency, times in UTC in the columns
//! whose names end so, and in `created` unless another zone was asked for.
//!
//! | column | what is read of it |
//! |---|---|
//! | `balance_transaction_id` | what tells the row from others |
//! | `created_utc`, or else `created` | when |
//! | `reporting_category` | `charge`, `refund`, or else another movement |
//! | `gross`, `fee`, `currency` | what moved on the merchant's account |
//! | `customer_facing_amount`, `customer_facing_currency` | what the buyer paid or got back, if that is in another currency |
//! | `payment_metadata[payment]` | our identity of the payment |
//! | `payment_intent_id` | Stripe's identity of it |
//! | `refund_metadata[refund]` | our identity of the refund |
//! | `source_id` | Stripe's identity of the refund |

use aftercart::model::{
    id::{PaymentId, RefundId},
    money::{Currency, Money},
};

use super::{
    Row, RowKind, Statement,
    csv_file::{Fault, File, Record},
    span,
};

const ID: &str = "balance_transaction_id";
const CREATED_UTC: &str = "created_utc";
const CREATED: &str = "created";
const CATEGORY: &str = "reporting_category";
const GROSS: &str = "gross";
const FEE: &str = "fee";
const CURRENCY: &str = "currency";
const FACING_AMOUNT: &str = "customer_facing_amount";
const FACING_CURRENCY: &str = "customer_facing_currency";
const OUR_PAYMENT: &str = "payment_metadata[payment]";
const INTENT: &str = "payment_intent_id";
const OUR_REFUND: &str = "refund_metadata[refund]";
const SOURCE: &str = "source_id";

pub(super) fn parse(body: &[u8]) -> Result<Statement, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| Fault::Line {
        line: line_at(body, error.valid_up_to()),
        what: "this is no UTF-8".to_owned(),
    })?;
    let file = File::read(text)?;
    let created = if file.has(CREATED_UTC) { CREATED_UTC } else { CREATED };
    file.require(&[ID, created, CATEGORY, GROSS, FEE, CURRENCY])?;
    if !file.has(OUR_PAYMENT) {
        file.require(&[INTENT])?;
    }
    let rows = file.records().map(|record| row(&record, created));
    let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
    Ok(Statement { period: span(&rows), rows })
}

fn line_at(body: &[u8], position: usize) -> u64 {
    let breaks = body.iter().take(position).filter(|byte| **byte == b'\n').count();
    u64::try_from(breaks).unwrap_or(u64::MAX).saturating_add(1)
}

fn row(record: &Record<'_>, created: &'static str) -> Result<Row, Fault> {
    let kind = match record.text(CATEGORY)? {
        "charge" => RowKind::Payment,
        "refund" => RowKind::Refund,
        _ => RowKind::Other,
    };
    let settled = currency(record, CURRENCY)?;
    let gross = record.money(GROSS, settled)?;
    let seen = match record.get(FACING_AMOUNT) {
        Some(_) => record.money(FACING_AMOUNT, currency(record, FACING_CURRENCY)?)?,
        None => gross,
    };
    let amount = Money::new(seen.minor().saturating_abs(), seen.currency())
        .map_err(|error| record.fault(GROSS, error.to_string()))?;
    Ok(Row {
        line: record.line,
        id: record.text(ID)?.to_owned(),
        kind,
        payment: record.get(OUR_PAYMENT).and_then(|id| PaymentId::parse(id).ok()),
        reference: record.get(INTENT).map(str::to_owned),
        refund: record.get(OUR_REFUND).and_then(|id| RefundId::parse(id).ok()),
        refund_reference: record.get(SOURCE).map(str::to_owned),
        at: record.moment(created, "Z")?,
        amount,
        gross,
        fee: record.money(FEE, settled)?,
    })
}

/// Stripe writes codes of currencies in small letters.
fn currency(record: &Record<'_>, column: &'static str) -> Result<Currency, Fault> {
    let code = record.text(column)?.to_ascii_uppercase();
    Currency::parse(&code).map_err(|error| record.fault(column, error.to_string()))
}
