//! Buyers: each does one checkout after another, and waits for every answer.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aftercart::model::time::Timestamp;
use aftercart_infra::{
    providers::sandbox,
    signing::{Callback, Payment},
};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    sync::oneshot,
};

use crate::{
    BenchError,
    failure::{Trying as _, trouble},
    gateway::api::MEMBER,
    http::Caller,
    path::Path,
};

/// What one of every good costs, in pence.
const PRICE: i64 = 1_250;

/// How long a buyer waits for "paid".
const PATIENCE: Duration = Duration::from_secs(30);

/// Who waits for a payment to be finished.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Instant>>>>;

/// A shop and its buyers.
#[derive(Debug, Clone)]
pub struct Shop {
    api: SocketAddr,
    caller: Caller,
    waiting: Waiting,
}

/// How long the steps of a checkout took.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The three answers over HTTP: the order, the payment, the callback.
    pub answers: [Duration; 3],
    /// From the first request until the order was paid.
    pub whole: Duration,
}

impl Shop {
    /// The shop behind a gateway. It listens to what the functions finish.
    ///
    /// # Errors
    /// When the gateway cannot be reached.
    pub async fn at(path: &Path) -> Result<Self, BenchError> {
        let waiting = Waiting::default();
        let stream = TcpStream::connect(path.addresses.finished).await;
        let stream = stream.trying("listen to the gateway")?;
        let heard = Arc::clone(&waiting);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                hear(&heard, &line);
            }
        });
        Ok(Self { api: path.addresses.api, caller: Caller::default(), waiting })
    }

    /// Puts a good on sale, with so many units of it.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn stock(&self, sku: &str, units: u64) -> Result<(), BenchError> {
        let price = json!({ "amount": PRICE, "currency": "GBP" });
        let product = json!({ "title": format!("Good {sku}"), "price": price });
        let put = http::Request::put(format!("http://{}/products/{sku}", self.api))
            .header("content-type", "application/json")
            .header(MEMBER, "operator")
            .body(product.to_string().into());
        expect(&self.caller.call(put.trying("make a request")?).await?, 200)?;
        let headers = [(MEMBER, "operator"), ("idempotency-key", sku)];
        let path = format!("/products/{sku}/receipts");
        let receipt = json!({ "quantity": units }).to_string();
        let answer = self.caller.post(self.api, &path, &headers, receipt).await?;
        expect(&answer, 201)?;
        Ok(())
    }

    /// Asks for an order of one unit.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn order(&self, buyer: &str, sku: &str) -> Result<Response<Bytes>, BenchError> {
        let body = json!({
            "lines": [{ "sku": sku, "quantity": 1 }],
            "shipping_address": {
                "name": "Ada Example", "line1": format!("{buyer} High Street"), "city": "Leeds",
                "postal_code": "LS1 1AA", "country": "GB",
            },
            "contact": { "email": format!("{buyer}@example.com"), "language": "en" },
        });
        let headers = [(MEMBER, buyer), ("idempotency-key", "the-order-of-this-buyer")];
        self.caller.post(self.api, "/orders", &headers, body.to_string()).await
    }

    /// Starts a payment of an order; gives its identity.
    ///
    /// # Errors
    /// When it is not started.
    pub async fn start(&self, buyer: &str, order: &str) -> Result<String, BenchError> {
        let headers = [(MEMBER, buyer), ("idempotency-key", "the-first-attempt")];
        let path = format!("/orders/{order}/payments");
        let body = r#"{"provider":"sandbox"}"#;
        let answer = self.caller.post(self.api, &path, &headers, body).await?;
        text(&expect(&answer, 201)?, "id")
    }

    /// The provider tells that a payment succeeded. Whoever wants to know when
    /// that is applied asks for it with [`Self::applied`] before.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn report(&self, callback: &Callback) -> Result<(), BenchError> {
        let headers: Vec<(&str, &str)> =
            callback.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = callback.body.clone();
        let answer = self.caller.post(self.api, callback.path, &headers, body).await?;
        expect(&answer, 200).map(drop)
    }

    /// Notes that somebody waits until a payment's report is applied.
    pub fn applied(&self, payment: &str) -> oneshot::Receiver<Instant> {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(payment.to_owned(), tell);
        told
    }

    /// One whole checkout.
    ///
    /// # Errors
    /// When a step of it is refused, or it is not paid in time.
    pub async fn checkout(&self, buyer: &str, sku: &str) -> Result<Times, BenchError> {
        let begun = Instant::now();
        let placed = expect(&self.order(buyer, sku).await?, 201)?;
        let after_order = Instant::now();
        let payment = self.start(buyer, &text(&placed, "id")?).await?;
        let after_start = Instant::now();
        let callback = callback(&payment, total(&placed)?)?;
        let applied = self.applied(&payment);
        self.report(&callback).await?;
        let after_report = Instant::now();
        let paid = tokio::time::timeout(PATIENCE, applied).await;
        let paid = paid.trying("wait until an order is paid")?.trying("hear of the gateway")?;
        Ok(Times {
            answers: [after_order - begun, after_start - after_order, after_report - after_start],
            whole: paid.max(after_report) - begun,
        })
    }
}

/// Tells who waits that a message is finished.
fn hear(waiting: &Waiting, line: &str) {
    let heard = Instant::now();
    let message: Value = serde_json::from_str(line).unwrap_or_default();
    let Some(payment) = message.pointer("/body/payment").and_then(Value::as_str) else { return };
    let known = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(payment);
    if let Some(known) = known {
        // Who waited may have lost patience.
        let _heard: Result<(), Instant> = known.send(heard);
    }
}

/// The sandbox's signed report that a payment succeeded.
///
/// # Errors
/// When the clock is out of range.
pub fn callback(payment: &str, amount: i64) -> Result<Callback, BenchError> {
    let at = now()?;
    let event = format!("evt_{payment}");
    let kind = "succeeded";
    let report = Payment { event: &event, kind, payment, amount, currency: "GBP", at, part: None };
    Ok(sandbox::signed(sandbox::SECRET, &report, at))
}

fn now() -> Result<Timestamp, BenchError> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = i64::try_from(since.trying("read the clock")?.as_millis());
    Timestamp::from_unix_millis(millis.trying("read the clock")?).trying("read the clock")
}

/// The total of an order, in minor units.
///
/// # Errors
/// When it has none.
pub fn total(order: &Value) -> Result<i64, BenchError> {
    let total = order.pointer("/total/amount").and_then(Value::as_i64);
    total.ok_or_else(|| trouble("read the total of an order", order))
}

/// A text of an answer.
///
/// # Errors
/// When it is not there.
pub fn text(answer: &Value, name: &str) -> Result<String, BenchError> {
    let text = answer.get(name).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| trouble(format!("read {name} of an answer"), answer))
}

/// The body of an answer that has to have this status.
///
/// # Errors
/// When it has another.
pub fn expect(answer: &Response<Bytes>, status: u16) -> Result<Value, BenchError> {
    if answer.status() != StatusCode::from_u16(status).unwrap_or_default() {
        let body = String::from_utf8_lossy(answer.body());
        let tried = format!("get the status {status}");
        return Err(trouble(tried, format!("it is {}: {body}", answer.status())));
    }
    Ok(serde_json::from_slice(answer.body()).unwrap_or_default())
}

/// A share of sorted times, in per mille, as microseconds; 0 of none.
#[must_use]
pub fn percentile(sorted: &[Duration], per_mille: usize) -> u64 {
    let at = (sorted.len() * per_mille / 1_000).min(sorted.len().saturating_sub(1));
    let time = sorted.get(at).copied().unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let times: Vec<Duration> = (1..=1_000).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 500), 501);
        assert_eq!(percentile(&times, 990), 991);
        assert_eq!(percentile(&times[..1], 990), 1);
        assert_eq!(percentile(&[], 990), 0);
    }
}
