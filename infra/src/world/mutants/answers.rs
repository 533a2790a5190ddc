//! What becomes of requests: how they are applied, and what is answered.

use aftercart::{messages::Queue, model::payment::Provider};
use bytes::Bytes;
use dynoxide::actions::transact_write_items::{TransactWriteItem, TransactWriteItemsRequest};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::world::{
    Action, Port,
    port::{Answer, Broken},
    tables::{Reading, Request, named},
    weather::{Sky, Unseen},
};

use super::{Defect, Mutant, Spot, requests::alone};

/// Of so many torn transactions one ends in between.
const ENDS: u8 = 4;

/// The headers that keep a key of idempotency.
const KEYS: [&str; 2] = ["idempotency-key", "paypal-request-id"];

type Asked = http::Request<Bytes>;

fn done() -> Answer {
    Answer { status: 200, body: json!({}) }
}

fn has_lost(answer: &Answer) -> bool {
    let kind = answer.body["__type"].as_str().unwrap_or_default();
    kind.ends_with("ConditionalCheckFailedException")
        || kind.ends_with("TransactionCanceledException")
}

impl Mutant {
    /// Applies a request of the function as the mutant does it.
    pub(in crate::world) fn applied(
        &self,
        port: &Port,
        function: &str,
        mut request: Request,
    ) -> Result<Answer, Broken> {
        self.defect.change(function, &mut request);
        match self.defect {
            Defect::Blind(spot) if spot.has_any(function, &request) => {
                Ok(blind(spot, port, function, request))
            }
            Defect::Skipped(spot) if spot.has_any(function, &request) => {
                Ok(skipped(spot, port, function, request))
            }
            Defect::Torn(spot) if spot.has_any(function, &request) => torn(port, request),
            Defect::Stale(spot) if spot.calls(function) => Ok(stale(spot, port, request)),
            Defect::Hiding(spot) if spot.has_any(function, &request) => {
                let mut answer = port.applied(request);
                hide(&mut answer.body);
                Ok(answer)
            }
            _ => Ok(port.applied(request)),
        }
    }

    /// How many messages of a request are taken that is answered as if all were.
    pub(in crate::world) fn unsent(&self, function: &str, action: &Action) -> Option<usize> {
        match (&self.defect, action) {
            (Defect::Dropping(by), Action::Send(_)) if *by == function => Some(1),
            (Defect::Deaf(queue), Action::Send(to)) if queue == to => Some(0),
            _ => None,
        }
    }

    /// Whether what the reader of the streams says has failed is passed over.
    pub(in crate::world) fn passes(&self, reader: &str) -> bool {
        matches!(self.defect, Defect::Passing(it) if it == reader)
    }

    /// Whether what the consumer of the queue says has failed is forgotten.
    pub(in crate::world) fn is_careless(&self, queue: Queue) -> bool {
        matches!(self.defect, Defect::Careless(it) if it == queue)
    }

    /// The calls that are made in place of one to the outside.
    pub(in crate::world) fn asked(&self, request: Asked, sky: &Sky) -> Vec<Asked> {
        let number = || sky.dice(|dice| dice.u32(..));
        match self.defect {
            Defect::Generous(provider, times) if is_refund(provider, &request) => {
                vec![generous(request, times)]
            }
            Defect::Keyless(provider) if is_refund(provider, &request) => {
                vec![rekeyed(request, number())]
            }
            Defect::Doubled(provider) if is_refund(provider, &request) => {
                vec![rekeyed(request.clone(), number()), request]
            }
            _ => vec![request],
        }
    }
}

fn is_refund(provider: Provider, request: &Asked) -> bool {
    let path = request.uri().path();
    let of_provider = path.contains(&format!("/{provider}/"));
    request.method() == Method::POST && of_provider && path.contains("refund")
}

/// Leaves out the writes that lose here.
fn blind(spot: Spot, port: &Port, function: &str, request: Request) -> Answer {
    let Request::Transact(request) = request else {
        let answer = port.applied(request);
        return if has_lost(&answer) { done() } else { answer };
    };
    let answer = port.applied(Request::Transact(request.clone()));
    if !has_lost(&answer) {
        return answer;
    }
    let reasons = answer.body["CancellationReasons"].as_array().cloned().unwrap_or_default();
    let mut reasons = reasons.iter().map(|it| it["Code"] == "ConditionalCheckFailed");
    without(port, request, |item| reasons.next().unwrap_or(false) && spot.has_item(function, item))
}

fn skipped(spot: Spot, port: &Port, function: &str, request: Request) -> Answer {
    let Request::Transact(request) = request else { return done() };
    without(port, request, |item| spot.has_item(function, item))
}

/// Applies a transaction without some of its writes.
fn without(
    port: &Port,
    mut request: TransactWriteItemsRequest,
    mut left_out: impl FnMut(&TransactWriteItem) -> bool,
) -> Answer {
    request.transact_items.retain(|item| !left_out(item));
    if request.transact_items.is_empty() {
        done()
    } else {
        port.applied(Request::Transact(request))
    }
}

/// Writes one after the other, until one loses or the process dies.
fn torn(port: &Port, request: Request) -> Result<Answer, Broken> {
    let Request::Transact(request) = request else { return Ok(port.applied(request)) };
    let many = request.transact_items.len();
    for (position, item) in request.transact_items.into_iter().enumerate() {
        if position > 0 && port.outside.sky.dice(|dice| dice.u8(0..ENDS) == 0) {
            return Err(Broken::Died);
        }
        let Some(item) = alone(item) else { continue };
        let answer = port.applied(item);
        if answer.status != 200 {
            return Ok(if has_lost(&answer) { cancelled(&answer, position, many) } else { answer });
        }
    }
    Ok(done())
}

/// A transaction of which the write at this position has lost.
fn cancelled(answer: &Answer, position: usize, many: usize) -> Answer {
    let reason = |at: usize| match (at == position, answer.body.get("Item")) {
        (false, _) => json!({ "Code": "None" }),
        (_, None) => json!({ "Code": "ConditionalCheckFailed" }),
        (_, Some(item)) => json!({ "Code": "ConditionalCheckFailed", "Item": item }),
    };
    let reasons: Vec<Value> = (0..many).map(reason).collect();
    let kind = "TransactionCanceledException";
    let body = json!({ "__type": kind, "message": "cancelled", "CancellationReasons": reasons });
    Answer { status: 400, body }
}

fn stale(spot: Spot, port: &Port, mut request: Request) -> Answer {
    let is_here = |name: &str| named(name) == Some(spot.table);
    let reads = match &mut request {
        Request::Get(request) if is_here(&request.table_name) => {
            request.consistent_read = None;
            true
        }
        Request::Query(request) if is_here(&request.table_name) => {
            request.consistent_read = None;
            true
        }
        Request::Batch(request) => {
            let mut reads = false;
            for (_, wanted) in request.request_items.iter_mut().filter(|(it, _)| is_here(it)) {
                wanted.consistent_read = None;
                reads = true;
            }
            reads
        }
        _ => false,
    };
    if !reads {
        return port.applied(request);
    }
    let unseen = Unseen::always(port.outside.sky.dice(|dice| dice.u64(..)));
    port.applied_so(request, Reading { now: port.outside.now(), unseen: Some(unseen) })
}

fn hide(body: &mut Value) {
    let forget = |value: &mut Value| {
        if let Some(fields) = value.as_object_mut() {
            fields.remove("Attributes");
            fields.remove("Item");
        }
    };
    forget(body);
    let reasons = body.get_mut("CancellationReasons").and_then(Value::as_array_mut);
    reasons.into_iter().flatten().for_each(forget);
}

/// The call under another key.
fn rekeyed(mut request: Asked, number: u32) -> Asked {
    for name in KEYS {
        let Some(value) = request.headers_mut().get_mut(name) else { continue };
        let key = format!("{}-{number}", value.to_str().unwrap_or_default());
        if let Ok(key) = HeaderValue::from_str(&key) {
            *value = key;
        }
    }
    request
}

/// The call for so many times the money: minor units in a form or in JSON.
fn generous(mut request: Asked, times: i64) -> Asked {
    let more = match serde_json::from_slice::<Value>(request.body()) {
        Ok(mut asked) => {
            if let Some(value) = asked["amount"]["value"].as_i64() {
                asked["amount"]["value"] = value.saturating_mul(times).into();
            }
            asked.to_string()
        }
        Err(_) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in form_urlencoded::parse(request.body()) {
                let minor = value.parse::<i64>().ok().filter(|_| name == "amount");
                match minor {
                    Some(minor) => {
                        form.append_pair(&name, &minor.saturating_mul(times).to_string())
                    }
                    None => form.append_pair(&name, &value),
                };
            }
            form.finish()
        }
    };
    *request.body_mut() = Bytes::from(more);
    request
}
