//! Alipay's bill of trades (`alipay.data.dataservice.bill.downloadurl.query`
//! with `bill_type` `trade`), the file of details: GBK, or UTF-8 where somebody
//! converted it; lines with `#` before and after the list, of which one says
//! the days; tabs after long numbers. Amounts are in yuan, times of Beijing.
//!
//! | column | what is read of it |
//! |---|---|
//! | 支付宝交易号 | Alipay's identity of the trade |
//! | 商户订单号 | our identity of the payment |
//! | 业务类型 | 交易 (a payment), 退款 (a refund), or else another movement |
//! | 完成时间, or else 创建时间 | when |
//! | 订单金额（元） | what the buyer paid; below zero what went back |
//! | 退款批次号/请求号 | our identity of the refund |
//! | 服务费（元） | the fee, below zero when it was taken |

use std::borrow::Cow;

use aftercart::model::{
    id::{PaymentId, RefundId},
    money::{Currency, Money},
    time::{Period, Timestamp},
};
use encoding_rs::GBK;

use super::{
    Row, RowKind, Statement,
    csv_file::{Fault, File, Record},
    span,
};

const TRADE: &str = "支付宝交易号";
const OUR_PAYMENT: &str = "商户订单号";
const TYPE: &str = "业务类型";
const ENDED: &str = "完成时间";
const BEGUN: &str = "创建时间";
const AMOUNT: &str = "订单金额";
const OUR_REFUND: &str = "退款批次号/请求号";
const FEE: &str = "服务费";

/// The words of the line that says the days: from, until.
const DAYS: &str = "起始日期";

/// The hours of Beijing ahead of UTC, all the year.
const BEIJING: &str = "+08:00";

pub(super) fn parse(body: &[u8]) -> Result<Statement, Fault> {
    let text = decoded(body)?;
    let file = File::read(&text)?;
    file.require(&[TRADE, OUR_PAYMENT, TYPE, ENDED, AMOUNT, OUR_REFUND, FEE])?;
    let yuan =
        Currency::parse("CNY").map_err(|error| Fault::Line { line: 1, what: error.to_string() })?;
    let rows = file.records().map(|record| row(&record, yuan));
    let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
    Ok(Statement { period: days(&text).or_else(|| span(&rows)), rows })
}

fn decoded(body: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Ok(Cow::Borrowed(text));
    }
    let text = GBK.decode_without_bom_handling_and_without_replacement(body);
    text.ok_or(Fault::Encoding { other: "GBK" })
}

fn row(record: &Record<'_>, yuan: Currency) -> Result<Row, Fault> {
    let written = record.text(TYPE)?;
    let kind = match written {
        "交易" => RowKind::Payment,
        "退款" => RowKind::Refund,
        _ => RowKind::Other,
    };
    let trade = record.text(TRADE)?;
    let refund = record.get(OUR_REFUND);
    let gross = record.money(AMOUNT, yuan)?;
    let money = |minor: i64| {
        Money::new(minor, yuan).map_err(|error| record.fault(AMOUNT, error.to_string()))
    };
    let fee = match record.get(FEE) {
        Some(_) => money(record.money(FEE, yuan)?.minor().saturating_neg())?,
        None => Money::zero(yuan),
    };
    let when = if record.get(ENDED).is_some() { ENDED } else { BEGUN };
    Ok(Row {
        line: record.line,
        id: [trade, written, refund.unwrap_or_default()].join(" ").trim_end().to_owned(),
        kind,
        payment: record.get(OUR_PAYMENT).and_then(|id| PaymentId::parse(id).ok()),
        reference: Some(trade.to_owned()),
        refund: refund.and_then(|id| RefundId::parse(id).ok()),
        refund_reference: refund.map(str::to_owned),
        at: record.moment(when, BEIJING)?,
        amount: money(gross.minor().saturating_abs())?,
        gross,
        fee,
    })
}

/// The days that the bill says it tells of, such as
/// `#起始日期：[2026年10月03日 00:00:00]   终止日期：[2026年10月04日 00:00:00]`.
fn days(text: &str) -> Option<(Timestamp, Timestamp)> {
    let line = text.lines().find(|line| line.starts_with('#') && line.contains(DAYS))?;
    let numbers = line.split(|it: char| !it.is_ascii_digit()).filter(|it| !it.is_empty());
    let numbers: Vec<&str> = numbers.collect();
    let moment = |parts: &[&str]| {
        let [year, month, day, hour, minute, second] = parts else { return None };
        let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}{BEIJING}");
        Timestamp::parse(&text).ok()
    };
    let (from, to) = numbers.split_at_checked(6)?;
    let (from, to) = (moment(from)?, moment(to)?);
    // The second day is that after the last.
    (from < to).then(|| (from, to.minus(Period::of_seconds(1))))
}
