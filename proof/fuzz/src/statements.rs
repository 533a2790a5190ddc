//! What payment providers say that they settled: files of comma-separated
//! values that an operator uploads. The first line names the provider.

use aftercart::model::payment::Provider;
use aftercart_infra::world::{Ask, Caller, Reply};
use aftercart_payments::rules::statement::{self, ROWS_MAX, Statement};
use serde_json::json;

use crate::{Finding, Seed, Verdict, headed, reply, seed, shop::Shop, story};

/// Reads a statement, and has the shop import it.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((name, body)) = headed(input) else { return Ok(()) };
    let Some(provider) = Provider::parse(name) else { return Ok(()) };
    let Some(read) = statement::parse(provider, body) else { return Ok(()) };
    if let Ok(statement) = &read {
        looks_right(statement)?;
    }
    let ask = Ask::post(format!("/operator/settlements/{provider}"), &json!({}));
    let ask = ask.by(Caller::Operator).with("content-type", "text/csv").with_body(body);
    let shop = Shop::here()?;
    let led = shop.run(async |world| {
        let Some((function, event)) = world.event_of(&ask) else { return Ok(None) };
        Ok(Some(Reply::of(&world.invoke(function, &event).await?)))
    })?;
    hold!(led.bugs.is_empty(), "the import has a bug: {}", led.bugs.join("; "));
    let Some(answer) = led.out else { return Ok(()) };
    reply::check(&answer)?;
    let took = answer.status < 300;
    hold!(read.is_ok() || !took, "a statement that cannot be read is taken: {}", answer.body);
    Ok(())
}

fn looks_right(statement: &Statement) -> Verdict {
    hold!(statement.rows.len() <= ROWS_MAX, "it has {} rows", statement.rows.len());
    if let Some((first, last)) = statement.period {
        hold!(first <= last, "it ends before it begins: {first} to {last}");
    }
    for row in &statement.rows {
        hold!(row.amount.minor() >= 0, "an amount is below zero: {row:?}");
        let one = row.amount.currency();
        let same = row.gross.currency() == one && row.fee.currency() == one;
        hold!(same, "a row has several currencies: {row:?}");
    }
    Ok(())
}

/// A statement of each provider whose statements are known.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let samples = story::requests()?;
    let of_stripe = samples.into_iter().find(|sample| sample.name == "settlement-import");
    let of_stripe = of_stripe.map(|it| it.body).unwrap_or_default();
    Ok(vec![
        seed("stripe", "stripe", of_stripe),
        seed("stripe-empty", "stripe", "balance_transaction_id,created,gross\n"),
        seed("alipay", "alipay", ALIPAY),
        seed("other", "paypal", "a,b\n1,2\n"),
    ])
}

/// As Alipay's own, in UTF-8.
const ALIPAY: &str = "#支付宝业务明细查询\n\
    #起始日期：[2026年11月21日 00:00:00]   终止日期：[2026年11月22日 00:00:00]\n\
    支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,退款批次号/请求号,服务费（元）\n\
    2026112122001\t,somebody_elses\t,交易,2026-11-21 10:00:30,35.80,\t,-0.22\n\
    #业务明细列表结束\n";
