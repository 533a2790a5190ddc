//! Providers' statements, compared with our records by raw requests.

use aftercart::{
    model::{
        id::{PaymentId, RefundId},
        payment::Provider,
        time::Period,
    },
    run::metrics::Metric,
};
use aftercart_infra::{
    providers::{self, stripe::intent_id},
    signing::Payment,
    world::{Ask, Caller, Reply},
};
use serde_json::{Value, json};

use crate::shop::{ADA, Placed, Shop, key};

const HEAD: &str = "balance_transaction_id,created_utc,reporting_category,gross,fee,net,currency,\
                    payment_intent_id,source_id,payment_metadata[payment],refund_metadata[refund]\n";

/// An order that Stripe took the money of, which the schedule has seen.
async fn paid(shop: &Shop, number: usize) -> (Placed, String) {
    let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
    let payment = shop.start_payment(&placed, "stripe").await;
    let event = format!("evt_{payment}");
    let report = Payment {
        event: &event,
        kind: "succeeded",
        payment: &payment,
        amount: placed.total,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
    (placed, payment)
}

async fn swept(shop: &Shop) {
    shop.clock().advance(Period::of_seconds(5 * 60));
    shop.run_schedule("payment-sweep").await.unwrap();
}

fn time(shop: &Shop) -> String {
    shop.now().to_string().replace('T', " ").replace(".000Z", "")
}

/// A row of a charge that names our payment.
fn charge(shop: &Shop, txn: &str, gross: &str, payment: &str) -> String {
    let at = time(shop);
    format!("{txn},{at},charge,{gross},0.45,0,gbp,{},ch_1,{payment},\n", intent_id(payment))
}

fn import(provider: &str, body: impl Into<Vec<u8>>) -> Ask {
    let path = format!("/operator/settlements/{provider}");
    let ask = Ask::post(path, &json!({})).by(Caller::Operator);
    ask.with("content-type", "text/csv").with_body(body)
}

async fn report(shop: &Shop, provider: &str, body: impl Into<Vec<u8>>) -> Value {
    let reply: Reply = shop.reply(&import(provider, body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn count(report: &Value, class: &str) -> (u64, i64, i64) {
    let sum = &report["totals"]["GBP"][class];
    (sum["count"].as_u64().unwrap(), sum["gross"].as_i64().unwrap(), sum["fees"].as_i64().unwrap())
}

#[tokio::test]
async fn a_statement_is_compared_row_by_row() {
    let shop = Shop::open().await;
    let (_, matched) = paid(&shop, 0).await;
    let (_, by_reference) = paid(&shop, 1).await;
    let (_, different) = paid(&shop, 2).await;
    let (_, missing) = paid(&shop, 3).await;
    let unpaid = shop.place(ADA, "TEA", 1, &key("unpaid", 0)).await;
    let unpaid = shop.start_payment(&unpaid, "stripe").await;
    let rows = [
        charge(&shop, "txn_1", "12.50", &matched),
        charge(&shop, "txn_2", "12.50", &by_reference).replace(&format!(",{by_reference},"), ",,"),
        charge(&shop, "txn_3", "12.40", &different),
        charge(&shop, "txn_4", "12.50", &unpaid),
        charge(&shop, "txn_5", "99.00", PaymentId::derive(&["elsewhere"]).as_str()),
        format!("txn_6,{},fee,-3.00,0.00,-3.00,gbp,,,,\n", time(&shop)),
    ];
    swept(&shop).await;
    let body = format!("{HEAD}{}", rows.concat());
    let first = report(&shop, "stripe", body.clone()).await;
    assert_eq!(first["rows"], 6);
    assert_eq!(count(&first, "matched"), (2, 2500, 90));
    assert_eq!(count(&first, "different"), (2, 2490, 90));
    assert_eq!(count(&first, "extra"), (1, 9900, 45));
    assert_eq!(count(&first, "missing"), (1, 1250, 0));
    assert_eq!(count(&first, "other"), (1, -300, 0));
    let differences = first["differences"].as_array().unwrap();
    let told: Vec<(&str, &str, u64)> = differences
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or_default();
            (text("class"), text("why"), it["line"].as_u64().unwrap_or(0))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("different", "amount", 4),
            ("different", "pending", 5),
            ("extra", "unknown", 6),
            ("missing", "not_in_the_file", 0),
        ]
    );
    assert_eq!(differences[0]["ours"], json!({ "amount": 1250, "currency": "GBP" }));
    assert_eq!(differences[0]["theirs"], json!({ "amount": 1240, "currency": "GBP" }));
    assert_eq!(differences[3]["payment"], missing.as_str());
    // What differs or is extra waits for a person; what is missing may come
    // with the next statement.
    assert_eq!(shop.store().cases_open(None, 10).await.unwrap().items.len(), 3);
    assert_eq!(shop.metrics().counted(Metric::StatementDiffers), 3);

    let again = report(&shop, "stripe", body).await;
    assert_eq!(again, first);
    assert_eq!(shop.store().cases_open(None, 10).await.unwrap().items.len(), 3);
    assert_eq!(shop.metrics().counted(Metric::StatementDiffers), 3);

    // Another file of the same time does not miss what one has told.
    let rest = format!("{HEAD}{}", charge(&shop, "txn_9", "12.50", &missing));
    let rest = rest.replace(&time(&shop), rows[0].split(',').nth(1).unwrap());
    let rest = report(&shop, "stripe", rest).await;
    assert_eq!(count(&rest, "matched"), (1, 1250, 45));
    // The one whose amount differs is no missing one, nor is it settled.
    assert_eq!(count(&rest, "missing").0, 1);
}

#[tokio::test]
async fn refunds_are_found_by_either_identity() {
    let shop = Shop::open().await;
    let mut rows = Vec::new();
    let mut payments = Vec::new();
    for number in 0..3 {
        let (placed, payment) = paid(&shop, number).await;
        let ask = Ask::post(placed.path("/cancel"), &json!({}));
        assert_eq!(shop.reply(&placed.sign_in(ask)).await.status, 200);
        shop.settle().await.unwrap();
        let id = PaymentId::parse(&payment).unwrap();
        let refund = shop.store().payment(&id).await.unwrap().refunds.remove(0);
        let (at, intent) = (time(&shop), intent_id(&payment));
        let (ours, theirs) = (refund.id.to_string(), refund.reference.unwrap());
        let (ours, theirs) = match number {
            0 => (ours.as_str(), ""),
            1 => ("", theirs.as_str()),
            _ => ("", "re_of_somebody"),
        };
        rows.push(format!(
            "txn_{number},{at},refund,-12.50,0.00,-12.50,gbp,{intent},{theirs},{payment},{ours}\n"
        ));
        payments.push(payment);
    }
    swept(&shop).await;
    let report = report(&shop, "stripe", format!("{HEAD}{}", rows.concat())).await;
    assert_eq!(count(&report, "matched"), (2, -2500, 0));
    assert_eq!(count(&report, "extra"), (1, -1250, 0));
    // Three payments and the third refund were told of by no row.
    assert_eq!(count(&report, "missing"), (4, 3 * 1250 - 1250, 0));
    let missing =
        report["differences"].as_array().unwrap().iter().filter(|it| it["kind"] == "refund");
    let missing: Vec<&Value> = missing.filter(|it| it["class"] == "missing").collect();
    let [missing] = &*missing else { panic!("{missing:?}") };
    assert_eq!(missing["payment"], payments[2].as_str());
    assert!(RefundId::parse(missing["refund"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn alipays_bill_is_taken_in_its_encoding() {
    let shop = Shop::open().await;
    let bill = "#支付宝业务明细查询\n\
                #起始日期：[2026年11月21日 00:00:00]   终止日期：[2026年11月22日 00:00:00]\n\
                支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,退款批次号/请求号,服务费（元）\n\
                2026112122001\t,somebody_elses\t,交易,2026-11-21 10:00:30,35.80,\t,-0.22\n\
                #业务明细列表结束\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(bill);
    for body in [bill.as_bytes().to_vec(), gbk.into_owned()] {
        let report = report(&shop, "alipay", body).await;
        assert_eq!(
            report["totals"]["CNY"]["extra"],
            json!({ "count": 1, "gross": 3580, "fees": 22 })
        );
        assert_eq!(report["from"], "2026-11-20T16:00:00.000Z");
        assert_eq!(report["to"], "2026-11-21T15:59:59.000Z");
        assert_eq!(report["more_differences"], 0);
    }
    // In two encodings it is the same row, and the same case.
    assert_eq!(shop.store().cases_open(None, 10).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_file_with_many_differences_opens_so_many_cases_at_a_time() {
    let shop = Shop::open().await;
    let row = |number: usize| {
        format!("txn_{number},2026-11-21 12:00:00,charge,1.00,0.10,0.90,gbp,pi_{number},ch_1,,\n")
    };
    let rows: String = (0..250).map(row).collect();
    for (without_case, opened) in [(50, 200), (0, 250), (0, 250)] {
        let report = report(&shop, "stripe", format!("{HEAD}{rows}")).await;
        assert_eq!(count(&report, "extra"), (250, 25_000, 2_500));
        assert_eq!(report["differences"].as_array().unwrap().len(), 200);
        assert_eq!(report["more_differences"], 50);
        assert_eq!(report["without_case"], without_case);
        assert_eq!(shop.metrics().counted(Metric::StatementDiffers), opened);
    }
}

#[tokio::test]
async fn what_lies_between_two_files_is_found_by_the_time_of_the_query() {
    let shop = Shop::open().await;
    let (_, told) = paid(&shop, 0).await;
    let body = format!("{HEAD}{}", charge(&shop, "txn_1", "12.50", &told));
    let (from, to) = (shop.now(), shop.now().plus(Period::of_days(1)));
    shop.clock().advance(Period::of_seconds(60));
    paid(&shop, 1).await;
    swept(&shop).await;
    let query = |query: &str, body: &str| {
        let path = format!("/operator/settlements/stripe?{query}");
        let ask = Ask::post(path, &json!({})).by(Caller::Operator);
        ask.with("content-type", "text/csv").with_body(body.to_owned())
    };
    let both = format!("from={from}&to={to}");
    for (asked, body, missing) in [
        (String::new(), body.as_str(), 0),
        (format!("to={from}"), &body, 0),
        (format!("to={to}"), &body, 1),
        (both.clone(), &body, 1),
        // A file that is empty has a time only if it is given both ends.
        (format!("from={from}"), HEAD, 0),
        (both, HEAD, 1),
    ] {
        let reply = shop.reply(&query(&asked, body)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let found = reply.json()["totals"]["GBP"]["missing"]["count"].as_u64();
        assert_eq!(found.unwrap_or(0), missing, "{asked}: {}", reply.body);
    }
    for (asked, field) in [
        (format!("from={to}&to={from}"), "to"),
        ("from=yesterday".to_owned(), "from"),
        ("since=yesterday".to_owned(), "since"),
    ] {
        let reply = shop.reply(&query(&asked, &body)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{}", reply.body);
    }
}

#[tokio::test]
async fn what_is_no_statement_is_refused() {
    let shop = Shop::open().await;
    let problem = |reply: &Reply| (reply.status, reply.problem());
    let refused = |status, kind: &str| (status, kind.to_owned());
    let row = "txn_1,2026-11-21 12:00:00,charge,12.5o,0.10,0,gbp,pi_1,ch_1,,\n";
    let reply = shop.reply(&import("stripe", format!("{HEAD}{row}"))).await;
    assert_eq!(problem(&reply), refused(400, "invalid-request"));
    assert!(reply.text("/detail").contains("line 2, column `gross`"), "{}", reply.body);
    for body in [&b""[..], b"a,b\n1,2\n", b"\xff\xff"] {
        let reply = shop.reply(&import("stripe", body)).await;
        assert_eq!(problem(&reply), refused(400, "invalid-request"), "{}", reply.body);
    }
    let reply = shop.reply(&import("sandbox", HEAD)).await;
    assert_eq!(problem(&reply), refused(422, "statement-not-read"));
    let reply = shop.reply(&import("cash", HEAD)).await;
    assert_eq!(problem(&reply), refused(404, "not-found"));
    let reply = shop.reply(&import("stripe", vec![b'x'; 4 * 1024 * 1024 + 1])).await;
    assert_eq!(problem(&reply), refused(413, "body-too-large"));
    let member = import("stripe", HEAD).by_member(ADA);
    assert_eq!(shop.reply(&member).await.status, 403);
    let nobody = Ask::post("/operator/settlements/stripe", &json!({}));
    assert_eq!(shop.reply(&nobody).await.status, 401);
    assert_eq!(shop.store().cases_open(None, 10).await.unwrap().items.len(), 0);
}
