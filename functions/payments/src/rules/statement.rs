//! Statements of providers: what they say of what was taken and given back,
//! and how that agrees with our records.
//!
//! A statement is a CSV file with a line of column names; columns are found by
//! name, in any order, and more of them do no harm. The modules
//! `stripe` and `alipay` beside this one tell what is read of each.

mod alipay;
mod csv_file;
mod stripe;

pub use csv_file::Fault;

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    id::{PaymentId, RefundId},
    money::{Currency, Money},
    payment::{Attempt, PaymentEvent, PaymentEventKind, Provider, Refund, RefundStatus, Settled},
    time::Timestamp,
};

use super::fold;

/// What a row of a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// Money that a buyer paid.
    Payment,
    /// Money that went back to a buyer.
    Refund,
    /// Anything else that moved money: fees, disputes, payouts.
    Other,
}

/// A row of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// In which line of the file it begins.
    pub line: u64,
    /// What tells it from all other rows of the provider's statements.
    pub id: String,
    /// What it is about.
    pub kind: RowKind,
    /// Our identity of the payment, if the row names it.
    pub payment: Option<PaymentId>,
    /// The provider's identity of the payment.
    pub reference: Option<String>,
    /// Our identity of the refund, if the row names it.
    pub refund: Option<RefundId>,
    /// The provider's identity of the refund.
    pub refund_reference: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// How much the buyer paid or got back; never below zero.
    pub amount: Money,
    /// How the merchant's account changed before fees; below zero if it lost.
    pub gross: Money,
    /// What the provider took for it, in the same currency.
    pub fee: Money,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it lists, in the order of the file.
    pub rows: Vec<Row>,
    /// Of which time it tells, both moments included; none if it is empty and
    /// does not say.
    pub period: Option<(Timestamp, Timestamp)>,
}

impl Statement {
    /// Has the statement tell of a longer time: from that moment on, if it is
    /// earlier than the first of its own, and until that, if it is later than
    /// the last. A statement without a time of its own needs both.
    pub fn widen(&mut self, from: Option<Timestamp>, to: Option<Timestamp>) {
        let (first, last) = self.period.unzip();
        let from = first.into_iter().chain(from).min();
        let to = last.into_iter().chain(to).max();
        self.period = from.zip(to);
    }
}

/// The most rows of a statement: each payment is read and written once, and
/// the answer has to be there within the 30 s of API Gateway.
pub const ROWS_MAX: usize = 10_000;

/// Reads a provider's statement; none if this provider's are not known.
///
/// # Errors
/// [`Fault`] names the line and the column.
#[must_use]
pub fn parse(provider: Provider, body: &[u8]) -> Option<Result<Statement, Fault>> {
    match provider {
        Provider::Stripe => Some(stripe::parse(body)),
        Provider::Alipay => Some(alipay::parse(body)),
        _ => None,
    }
}

/// The time from the first to the last of what buyers paid or got back.
fn span(rows: &[Row]) -> Option<(Timestamp, Timestamp)> {
    let times = || rows.iter().filter(|row| row.kind != RowKind::Other).map(|row| row.at);
    Some((times().min()?, times().max()?))
}

/// How a row agrees with our records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does; what is told of by it, if that waits to be told of.
    Matched(Option<Settled>),
    /// We know nothing of it.
    Extra,
    /// We know it otherwise: what we know, and what differs.
    Different(Option<Settled>, Option<Money>, &'static str),
    /// It is about no payment and no refund.
    Other,
}

/// What is known of a payment that a row is about.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// The attempt, with the statement's provider.
    pub attempt: &'a Attempt,
    /// What was reported of it.
    pub events: &'a [PaymentEvent],
    /// What goes back of it.
    pub refunds: &'a [Refund],
}

/// Compares the rows of one statement with our records, each payment and each
/// refund once.
#[derive(Debug, Default)]
pub struct Judge(BTreeSet<(PaymentId, Option<String>)>);

impl Judge {
    /// What is to be said of a row. `ours` is the payment it is about.
    pub fn judge(&mut self, row: &Row, ours: Option<Ours<'_>>) -> Verdict {
        match (row.kind, ours) {
            (RowKind::Other, _) => Verdict::Other,
            (_, None) => Verdict::Extra,
            (RowKind::Payment, Some(ours)) => self.payment(row, ours),
            (RowKind::Refund, Some(ours)) => self.refund(row, ours),
        }
    }

    fn payment(&mut self, row: &Row, ours: Ours<'_>) -> Verdict {
        let attempt = ours.attempt;
        let settled = Some(Settled::Paid(attempt.id.clone()));
        let folded = fold::fold(attempt, ours.events);
        let Some(received) = folded.received else {
            return Verdict::Different(settled, None, folded.payment.status.as_str());
        };
        self.compare(row, received, settled, (attempt.id.clone(), None))
    }

    fn refund(&mut self, row: &Row, ours: Ours<'_>) -> Verdict {
        let attempt = ours.attempt;
        let same = |known: Option<&str>| {
            let theirs = row.refund_reference.as_deref();
            theirs.is_some() && theirs == known
        };
        let noted = ours.refunds.iter().find(|refund| {
            row.refund.as_ref() == Some(&refund.key()) || same(refund.reference.as_deref())
        });
        if let Some(refund) = noted {
            let settled = Some(Settled::Refunded(attempt.id.clone(), refund.id.clone()));
            if refund.status != RefundStatus::Succeeded {
                return Verdict::Different(settled, Some(refund.amount), refund.status.as_str());
            }
            let key = (attempt.id.clone(), Some(refund.id.to_string()));
            return self.compare(row, refund.amount, settled, key);
        }
        // Somebody gave it back at the provider, and a callback told of it.
        let told = ours
            .events
            .iter()
            .find(|event| event.kind == PaymentEventKind::Refunded && same(event.part.as_deref()));
        match told {
            Some(event) => {
                let key = (attempt.id.clone(), event.part.clone());
                self.compare(row, event.amount, None, key)
            }
            None => Verdict::Extra,
        }
    }

    fn compare(
        &mut self,
        row: &Row,
        ours: Money,
        settled: Option<Settled>,
        key: (PaymentId, Option<String>),
    ) -> Verdict {
        if !self.0.insert(key) {
            return Verdict::Different(settled, Some(ours), "told_twice");
        }
        if row.amount.currency() != ours.currency() {
            return Verdict::Different(settled, Some(ours), "currency");
        }
        if row.amount != ours {
            return Verdict::Different(settled, Some(ours), "amount");
        }
        Verdict::Matched(settled)
    }
}

/// What an attempt brought, by our records.
#[must_use]
pub fn received(attempt: &Attempt, events: &[PaymentEvent]) -> Option<Money> {
    fold::fold(attempt, events).received
}

/// Money of ours of which a statement of its time says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub money: Settled,
    /// How much; below zero if it went back.
    pub amount: Money,
}

/// Sums of one class, in minor units of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many rows or records.
    pub count: u32,
    /// What moved on the merchant's account, before fees.
    pub gross: i64,
    /// What the provider took for it.
    pub fees: i64,
}

/// The sums of what was found, of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows that agree with our records.
    pub matched: Sum,
    /// Rows of which we know nothing.
    pub extra: Sum,
    /// Rows that we know otherwise.
    pub different: Sum,
    /// Money of ours of which the statement says nothing.
    pub missing: Sum,
    /// Rows about something else than payments and refunds.
    pub other: Sum,
}

/// The sums of what was found, by currency. Every row is in one of them.
#[must_use]
pub fn totals(judged: &[(&Row, Verdict)], missing: &[Missing]) -> BTreeMap<Currency, Totals> {
    let mut totals: BTreeMap<Currency, Totals> = BTreeMap::new();
    for (row, verdict) in judged {
        let of = totals.entry(row.gross.currency()).or_default();
        let sum = match verdict {
            Verdict::Matched(_) => &mut of.matched,
            Verdict::Extra => &mut of.extra,
            Verdict::Different(..) => &mut of.different,
            Verdict::Other => &mut of.other,
        };
        add(sum, row.gross.minor(), row.fee.minor());
    }
    for missing in missing {
        let of = totals.entry(missing.amount.currency()).or_default();
        add(&mut of.missing, missing.amount.minor(), 0);
    }
    totals
}

fn add(sum: &mut Sum, gross: i64, fee: i64) {
    sum.count = sum.count.saturating_add(1);
    sum.gross = sum.gross.saturating_add(gross);
    sum.fees = sum.fees.saturating_add(fee);
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::OrderId,
        payment::{Flow, Method},
    };
    use aftercart::store::payments;
    use encoding_rs::GBK;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn money_waits_for_a_statement_where_statements_are_read() {
        for provider in Provider::ALL {
            let read = parse(*provider, b"").is_some();
            assert_eq!(read, payments::TELLING.contains(provider), "{provider}");
        }
    }

    #[test]
    fn a_statement_can_be_given_a_longer_time_and_no_shorter_one() {
        let at = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
        for (own, from, to, wide) in [
            (Some((2, 4)), None, None, Some((2, 4))),
            (Some((2, 4)), Some(1), Some(5), Some((1, 5))),
            (Some((2, 4)), Some(3), Some(3), Some((2, 4))),
            (Some((2, 4)), None, Some(9), Some((2, 9))),
            (None, Some(1), Some(5), Some((1, 5))),
            (None, Some(1), None, None),
            (None, None, None, None),
        ] {
            let both = |(from, to)| (at(from), at(to));
            let mut statement = Statement { rows: Vec::new(), period: own.map(both) };
            statement.widen(from.map(at), to.map(at));
            assert_eq!(statement.period, wide.map(both));
        }
    }

    const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const REFUND: &str = "rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    fn read(provider: Provider, body: &[u8]) -> Result<Statement, Fault> {
        parse(provider, body).unwrap()
    }

    #[test]
    fn stripes_report_is_read_by_the_names_of_its_columns() {
        let body = format!(
            "\u{feff}currency,net,fee,gross,reporting_category,created_utc,created,\
             balance_transaction_id,payment_intent_id,source_id,payment_metadata[payment],\
             refund_metadata[refund],customer_facing_amount,customer_facing_currency\n\
             gbp,24.30,0.70,25.00,charge,2026-11-21 12:00:00,2026-11-21 04:00:00,txn_1,pi_1,ch_1,{PAYMENT},,25.00,gbp\n\
             gbp,-10.00,0.00,-10.00,refund,2026-11-22 12:00:00,,txn_2,pi_1,re_1,{PAYMENT},{REFUND},-12.50,usd\n\
             gbp,-20.00,20.00,0.00,dispute,2026-11-30 12:00:00,,txn_3,,dp_1,,,,\n"
        );
        let statement = read(Provider::Stripe, body.as_bytes()).unwrap();
        let [paid, back, dispute] = &*statement.rows else { panic!("{statement:?}") };
        assert_eq!((paid.kind, paid.line, paid.id.as_str()), (RowKind::Payment, 2, "txn_1"));
        assert_eq!(paid.payment.as_ref().unwrap().as_str(), PAYMENT);
        assert_eq!(paid.reference.as_deref(), Some("pi_1"));
        assert_eq!((paid.amount, paid.gross), (money(2500, "GBP"), money(2500, "GBP")));
        assert_eq!(paid.fee, money(70, "GBP"));
        assert_eq!(paid.at.to_string(), "2026-11-21T12:00:00.000Z");
        assert_eq!((back.kind, back.line), (RowKind::Refund, 3));
        assert_eq!((back.amount, back.gross), (money(1250, "USD"), money(-1000, "GBP")));
        assert_eq!(back.refund.as_ref().unwrap().as_str(), REFUND);
        assert_eq!(back.refund_reference.as_deref(), Some("re_1"));
        assert_eq!((dispute.kind, dispute.fee), (RowKind::Other, money(2000, "GBP")));
        let (from, to) = statement.period.unwrap();
        assert_eq!((from, to), (paid.at, back.at));
    }

    fn bill() -> String {
        format!(
            "#支付宝业务明细查询\r\n\
             #账号：[20880000000000000156]\r\n\
             #起始日期：[2026年10月03日 00:00:00]   终止日期：[2026年10月04日 00:00:00]\r\n\
             #-----------------------------------------业务明细列表-----------------------------\r\n\
             支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,对方账户,订单金额（元）,商家实收（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n\
             2026100322001400000000000001\t,{PAYMENT}\t,交易\t,茶, 2026-10-03 10:00:00,2026-10-03 10:00:30,buy***@example.com,35.80,35.00,\t,-0.22,0.00,\r\n\
             2026100322001400000000000001\t,{PAYMENT}\t,退款\t,\"茶,绿\",2026-10-03 10:00:00,2026-10-03 18:00:30,buy***@example.com,-10.00,-10.00,{REFUND}\t,0.06,0.00,\r\n\
             2026100322001400000000000002\t,\t,手续费\t,,2026-10-03 10:00:00,,,-1.00,-1.00,\t,0.00,0.00,\r\n\
             #-----------------------------------------业务明细列表结束-------------------------\r\n\
             #交易合计：1笔\r\n"
        )
    }

    #[test]
    fn alipays_bill_is_read_in_either_encoding() {
        let bill = bill();
        let (gbk, _, unmappable) = GBK.encode(&bill);
        assert!(!unmappable);
        for body in [gbk.as_ref(), bill.as_bytes()] {
            let statement = read(Provider::Alipay, body).unwrap();
            let [paid, back, fee] = &*statement.rows else { panic!("{statement:?}") };
            assert_eq!((paid.kind, paid.line), (RowKind::Payment, 6));
            assert_eq!(paid.payment.as_ref().unwrap().as_str(), PAYMENT);
            assert_eq!(paid.reference.as_deref(), Some("2026100322001400000000000001"));
            assert_eq!((paid.amount, paid.fee), (money(3580, "CNY"), money(22, "CNY")));
            assert_eq!(paid.at.to_string(), "2026-10-03T02:00:30.000Z");
            assert_eq!((back.kind, back.gross), (RowKind::Refund, money(-1000, "CNY")));
            assert_eq!((back.amount, back.fee), (money(1000, "CNY"), money(-6, "CNY")));
            assert_eq!(back.refund.as_ref().unwrap().as_str(), REFUND);
            assert_eq!((fee.kind, fee.at), (RowKind::Other, paid.at.minus(SECONDS)));
            let (from, to) = statement.period.unwrap();
            assert_eq!(from.to_string(), "2026-10-02T16:00:00.000Z");
            assert_eq!(to.to_string(), "2026-10-03T15:59:59.000Z");
        }
    }

    const SECONDS: aftercart::model::time::Period = aftercart::model::time::Period::of_seconds(30);

    #[test]
    fn faults_name_their_place() {
        let head = "balance_transaction_id,created,reporting_category,gross,fee,currency,payment_intent_id\n";
        let row = |text: &str| {
            format!("{head}txn_1,2026-11-21 12:00:00,charge,1.00,0.10,gbp,pi_1\n{text}\n")
        };
        for (body, said) in [
            (String::new(), "line 1: the file is empty"),
            (head.replace("gross", "net"), "line 1: there is no column `gross`"),
            (
                head.replace("payment_intent_id", "x"),
                "line 1: there is no column `payment_intent_id`",
            ),
            (
                row("txn_2,2026-11-21,charge,1,0,gbp,pi_1"),
                "line 3, column `created`: it is no time such as 2026-11-21 12:00:00",
            ),
            (
                row("txn_2,2026-11-21 12:00:00,charge,1.005,0,gbp,pi_1"),
                "line 3, column `gross`: the amount is not a decimal number of the currency's precision",
            ),
            (
                row("txn_2,2026-11-21 12:00:00,charge,1,free,gbp,pi_1"),
                "line 3, column `fee`: the amount is not a decimal number of the currency's precision",
            ),
            (
                row("txn_2,2026-11-21 12:00:00,charge,1,0,zzz,pi_1"),
                "line 3, column `currency`: the currency is not an ISO 4217 code in capitals, such as EUR",
            ),
            (
                row(",2026-11-21 12:00:00,charge,1,0,gbp,pi_1"),
                "line 3, column `balance_transaction_id`: it is empty",
            ),
            (row("txn_2,2026-11-21 12:00:00"), "line 3, column `reporting_category`: it is empty"),
        ] {
            let fault = read(Provider::Stripe, body.as_bytes()).unwrap_err();
            assert_eq!(fault.to_string(), said, "{body}");
        }
        let mut broken = row("").into_bytes();
        broken.extend(b"txn_2,\xff");
        let fault = read(Provider::Stripe, &broken).unwrap_err();
        assert_eq!(fault.to_string(), "line 4: this is no UTF-8");
        let fault = read(Provider::Alipay, b"\xff\xff").unwrap_err();
        assert_eq!(fault.to_string(), "the file is neither UTF-8 nor GBK");
        let long = "txn_2,2026-11-21 12:00:00,charge,1,0,gbp,pi_1\n".repeat(ROWS_MAX + 1);
        let fault = read(Provider::Stripe, format!("{head}{long}").as_bytes()).unwrap_err();
        assert_eq!(fault, Fault::Rows);
        assert_eq!(parse(Provider::Sandbox, b""), None);
    }

    fn attempt() -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Stripe,
            method: Method::Card,
            flow: Flow::Embedded,
            amount: money(2500, "GBP"),
            settles: money(2500, "GBP"),
            instalments: None,
            payer: None,
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
            ask_at: None,
            asked: 0,
        }
    }

    fn event(kind: PaymentEventKind, minor: i64, part: Option<&str>) -> PaymentEvent {
        PaymentEvent {
            id: format!("{kind:?} {part:?}"),
            payment: attempt().id,
            provider: Provider::Stripe,
            kind,
            amount: money(minor, "GBP"),
            at: Timestamp::EPOCH,
            reason: None,
            reference: None,
            part: part.map(str::to_owned),
            body_digest: String::new(),
        }
    }

    fn refund(name: &str, minor: i64, status: RefundStatus) -> Refund {
        Refund {
            id: RefundId::derive(&[name]),
            payment: attempt().id,
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            amount: money(minor, "GBP"),
            status,
            again: 0,
            at: Timestamp::EPOCH,
            reference: Some(format!("re_{name}")),
            reason: None,
            tries: 1,
            next_at: None,
        }
    }

    fn row(kind: RowKind, amount: Money, refund_reference: Option<&str>) -> Row {
        Row {
            line: 2,
            id: "txn_1".to_owned(),
            kind,
            payment: Some(attempt().id),
            reference: None,
            refund: None,
            refund_reference: refund_reference.map(str::to_owned),
            at: Timestamp::EPOCH,
            amount,
            gross: amount,
            fee: money(1, "GBP"),
        }
    }

    #[test]
    fn a_row_is_compared_with_what_is_known() {
        use PaymentEventKind::{Processing, Refunded, Succeeded};
        use RowKind::{Other, Payment, Refund as Back};
        let attempt = attempt();
        let settled = Some(Settled::Paid(attempt.id.clone()));
        let differs = |why| Verdict::Different(settled.clone(), Some(money(2500, "GBP")), why);
        let paid = [event(Succeeded, 2500, None)];
        let told = [event(Succeeded, 2500, None), event(Refunded, 300, Some("re_x"))];
        let refunds =
            [refund("a", 500, RefundStatus::Succeeded), refund("b", 600, RefundStatus::Pending)];
        let back =
            |name: &str| Some(Settled::Refunded(attempt.id.clone(), RefundId::derive(&[name])));
        for (row, events, expected) in [
            (row(Payment, money(2500, "GBP"), None), &paid[..], Verdict::Matched(settled.clone())),
            (row(Payment, money(2499, "GBP"), None), &paid, differs("amount")),
            (row(Payment, money(2500, "EUR"), None), &paid, differs("currency")),
            (
                row(Payment, money(2500, "GBP"), None),
                &[event(Processing, 2500, None)],
                Verdict::Different(settled.clone(), None, "processing"),
            ),
            (row(Back, money(500, "GBP"), Some("re_a")), &paid, Verdict::Matched(back("a"))),
            (
                row(Back, money(501, "GBP"), Some("re_a")),
                &paid,
                Verdict::Different(back("a"), Some(money(500, "GBP")), "amount"),
            ),
            (
                row(Back, money(600, "GBP"), Some("re_b")),
                &paid,
                Verdict::Different(back("b"), Some(money(600, "GBP")), "pending"),
            ),
            (row(Back, money(300, "GBP"), Some("re_x")), &told, Verdict::Matched(None)),
            (row(Back, money(300, "GBP"), Some("re_y")), &told, Verdict::Extra),
            (row(Back, money(300, "GBP"), None), &told, Verdict::Extra),
            (row(Other, money(300, "GBP"), None), &told, Verdict::Other),
        ] {
            let ours = Ours { attempt: &attempt, events, refunds: &refunds };
            assert_eq!(Judge::default().judge(&row, Some(ours)), expected, "{row:?}");
            let unknown = if row.kind == Other { Verdict::Other } else { Verdict::Extra };
            assert_eq!(Judge::default().judge(&row, None), unknown);
        }
        let mut judge = Judge::default();
        let ours = Ours { attempt: &attempt, events: &paid, refunds: &[] };
        let twice = row(Payment, money(2500, "GBP"), None);
        assert_eq!(judge.judge(&twice, Some(ours)), Verdict::Matched(settled.clone()));
        assert_eq!(judge.judge(&twice, Some(ours)), differs("told_twice"));
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_class_and_the_totals_add_up(
            drawn in prop::collection::vec((0_u8..3, 0_i64..4, 0_u8..4, any::<bool>()), 0..30),
            missing in prop::collection::vec(-50_i64..50, 0..5),
        ) {
            let attempt = attempt();
            let events = [
                event(PaymentEventKind::Succeeded, 2, None),
                event(PaymentEventKind::Refunded, 1, Some("re_x")),
            ];
            let refunds = [refund("a", 1, RefundStatus::Succeeded), refund("b", 2, RefundStatus::Sent)];
            let rows: Vec<(Row, bool)> = drawn.into_iter().map(|(kind, minor, part, known)| {
                let kind = match kind { 0 => RowKind::Payment, 1 => RowKind::Refund, _ => RowKind::Other };
                let part = match part { 0 => Some("re_a"), 1 => Some("re_b"), 2 => Some("re_x"), _ => None };
                let code = if minor == 3 { "EUR" } else { "GBP" };
                (Row { fee: money(minor, code), ..row(kind, money(minor, code), part) }, known)
            }).collect();
            let mut judge = Judge::default();
            let judged: Vec<(&Row, Verdict)> = rows.iter().map(|(row, known)| {
                let ours = Ours { attempt: &attempt, events: &events, refunds: &refunds };
                (row, judge.judge(row, known.then_some(ours)))
            }).collect();
            let missing: Vec<Missing> = missing.into_iter().map(|minor| Missing {
                money: Settled::Paid(attempt.id.clone()), amount: money(minor, "GBP"),
            }).collect();
            let totals = totals(&judged, &missing);
            let sums = || totals.values().map(|it| [it.matched, it.extra, it.different, it.other]);
            let all = |of: fn(&Sum) -> i64| sums().flatten().map(|sum| of(&sum)).sum::<i64>();
            prop_assert_eq!(all(|sum| i64::from(sum.count)), i64::try_from(rows.len()).unwrap());
            prop_assert_eq!(all(|sum| sum.gross), rows.iter().map(|(row, _)| row.gross.minor()).sum::<i64>());
            prop_assert_eq!(all(|sum| sum.fees), rows.iter().map(|(row, _)| row.fee.minor()).sum::<i64>());
            let gone = totals.values().map(|it| it.missing);
            prop_assert_eq!(gone.clone().map(|sum| sum.gross).sum::<i64>(), missing.iter().map(|it| it.amount.minor()).sum::<i64>());
            prop_assert_eq!(gone.map(|sum| sum.count).sum::<u32>(), u32::try_from(missing.len()).unwrap());
            // No payment and no refund is matched twice.
            let matched = judged.iter().filter(|(row, it)| row.kind == RowKind::Payment && matches!(it, Verdict::Matched(_)));
            prop_assert!(matched.count() <= 1);
        }

        #[test]
        fn any_file_is_answered(body in prop::collection::vec(any::<u8>(), 0..300), lines in "[a-z_,\"\n#0-9.-]{0,200}") {
            for provider in [Provider::Stripe, Provider::Alipay] {
                for body in [&body[..], lines.as_bytes()] {
                    prop_assert!(parse(provider, body).is_some());
                }
            }
        }
    }
}
