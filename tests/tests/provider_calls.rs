//! Providers that misbehave on the line, over real HTTP: whatever they do, and
//! however often the client asks again, an attempt is one charge and a refund
//! one refund. Each provider's code calls its own stand-in, which counts what
//! it was asked by the keys that it was asked with.

use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use aftercart::{
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId, RefundId},
        money::{Currency, Money},
        payment::{Attempt, Flow, PaymentEvent, Provider, Refund, RefundStatus},
        time::Timestamp,
    },
    run::{outgoing::Https, secrets::Credentials},
};
use aftercart_infra::{
    providers::{self as stand_ins, StandIns},
    signing::Payment,
};
use aftercart_payments::{
    calls,
    providers::{
        self, Answer, Asking, Call, CallError, Capability, GivingBack, Known, Report, Step,
    },
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::json;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate, matchers::any};

/// How long these tests wait for an answer.
const PATIENCE: Duration = Duration::from_millis(400);

/// Longer than that.
const TOO_LONG: Duration = Duration::from_millis(900);

/// How a provider misbehaves in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It does what it is asked and says so.
    Well,
    /// It does nothing, and answers nothing in time.
    Silent,
    /// It does what it is asked, and answers after our time-out.
    Late,
    /// It does nothing, and answers 500.
    Fault,
    /// It does what it is asked, and answers 500.
    FaultAfter,
    /// It does nothing, and answers 429.
    Busy,
    /// It does what it is asked, and its answer has no end.
    Huge,
    /// It does what it is asked, and half of its answer is missing.
    Half,
    /// It does what it is asked, and its answer is something else.
    Garbage,
    /// It drops the connection before it looks.
    Drop,
    /// It does what it is asked, and drops the connection.
    DropAfter,
    /// It does what it is asked twice, and answers twice.
    Twice,
}

use Manner::{
    Busy, Drop, DropAfter, Fault, FaultAfter, Garbage, Half, Huge, Late, Silent, Twice, Well,
};

/// A provider with manners: each call takes the next, and the last goes on.
#[derive(Debug)]
struct Sly {
    stand_ins: StandIns,
    manners: Mutex<VecDeque<Manner>>,
}

impl Sly {
    fn new(manners: &[Manner]) -> Arc<Self> {
        let manners = Mutex::new(manners.iter().copied().collect());
        Arc::new(Self { stand_ins: StandIns::default(), manners })
    }

    fn next(&self) -> Manner {
        self.manners.lock().unwrap().pop_front().unwrap_or(Well)
    }

    /// How often something was done.
    fn count(&self, provider: Provider, kind: &'static str) -> usize {
        self.stand_ins.memory(|memory| memory.count(provider, kind))
    }

    /// Takes a call in a manner: the answer, and how long it takes.
    fn take(&self, manner: Manner, request: &http::Request<Bytes>) -> (Duration, Answer) {
        let plain =
            |status: u16| (Duration::ZERO, stand_ins::json_answer(status, &json!({ "error": {} })));
        match manner {
            Silent => return (TOO_LONG, plain(200).1),
            Fault => return plain(500),
            Busy => return plain(429),
            _ => {}
        }
        let mut answer = self.stand_ins.answer(request);
        let body = answer.body().clone();
        match manner {
            Late => return (TOO_LONG, answer),
            FaultAfter => return plain(500),
            Huge => *answer.body_mut() = Bytes::from(vec![b' '; 1024 * 1024]),
            Half => *answer.body_mut() = body.slice(..body.len() / 2),
            Garbage => *answer.body_mut() = Bytes::from_static(b"<html>\xff</html>"),
            Twice => drop(self.stand_ins.answer(request)),
            _ => {}
        }
        (Duration::ZERO, answer)
    }
}

/// [`Sly`] as what a server of wiremock answers by.
struct Mannered(Arc<Sly>);

impl Respond for Mannered {
    fn respond(&self, call: &wiremock::Request) -> ResponseTemplate {
        let mut request = http::Request::builder().method(call.method.as_str());
        let query = call.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        request = request.uri(format!("{}{query}", call.url.path()));
        for (name, value) in &call.headers {
            request = request.header(name.as_str(), value.as_bytes());
        }
        let request = request.body(Bytes::from(call.body.clone())).unwrap();
        let (delay, answer) = self.0.take(self.0.next(), &request);
        let mut template = ResponseTemplate::new(answer.status().as_u16()).set_delay(delay);
        for (name, value) in answer.headers() {
            template = template.insert_header(name.as_str(), value.to_str().unwrap());
        }
        template.set_body_bytes(answer.body().to_vec())
    }
}

/// A line of our own, for what no server of wiremock does: it ends without an
/// answer, or has two.
fn rough(sly: Arc<Sly>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let sly = Arc::clone(&sly);
            thread::spawn(move || serve(&sly, stream.unwrap()));
        }
    });
    base
}

/// Serves one connection, which ends with its first answer.
fn serve(sly: &Sly, mut stream: TcpStream) -> Option<()> {
    let request = read(&mut stream)?;
    let manner = sly.next();
    if manner == Drop {
        return None;
    }
    let (_, answer) = sly.take(manner, &request);
    if manner == DropAfter {
        return None;
    }
    let mut text = format!("HTTP/1.1 {}\r\n", answer.status().as_u16()).into_bytes();
    for (name, value) in answer.headers() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("content-length: {}\r\n\r\n", answer.body().len()).as_bytes());
    text.extend_from_slice(answer.body());
    let times = if manner == Twice { 2 } else { 1 };
    stream.write_all(&text.repeat(times)).ok()
}

/// Reads a request with a length.
fn read(stream: &mut TcpStream) -> Option<http::Request<Bytes>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let head = bytes.windows(4).position(|it| it == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head) = head {
            let text = std::str::from_utf8(&bytes[..head]).ok()?;
            let mut lines = text.lines();
            let mut first = lines.next()?.split(' ');
            let mut request = http::Request::builder().method(first.next()?).uri(first.next()?);
            let mut length = 0;
            for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse().ok()?;
                }
                request = request.header(name, value);
            }
            if bytes.len() >= head + length {
                let body = Bytes::copy_from_slice(&bytes[head..head + length]);
                return request.body(body).ok();
            }
        }
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

/// An attempt of a provider by one of the ways that it has.
fn attempt(provider: Provider, can: &Capability, flow: Flow) -> Attempt {
    let currency = can.currencies.first().copied().unwrap_or("EUR");
    let amount = Money::new(2_500, Currency::parse(currency).unwrap()).unwrap();
    Attempt {
        id: PaymentId::derive(&[provider.as_str(), flow.as_str(), can.method.as_str()]),
        order: OrderId::derive(&["1"]),
        customer: CustomerId::member("ada").unwrap(),
        provider,
        method: can.method,
        flow,
        amount,
        settles: amount,
        instalments: None,
        payer: Some(String::from("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").try_into().unwrap()),
        verify: false,
        at: now(),
        request: "r".to_owned(),
        ask_at: None,
        asked: 0,
    }
}

/// A provider and us, and the line between.
struct Line {
    provider: Provider,
    sly: Arc<Sly>,
    https: Https,
    credentials: Credentials,
    _server: Option<MockServer>,
}

impl Line {
    async fn new(provider: Provider, manners: &[Manner]) -> Self {
        let sly = Sly::new(manners);
        let (base, server) = if manners.iter().any(|it| matches!(it, Drop | DropAfter | Twice)) {
            (rough(Arc::clone(&sly)), None)
        } else {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(Mannered(Arc::clone(&sly))).mount(&server).await;
            (server.uri(), Some(server))
        };
        let credentials = stand_ins::of(provider).credentials(&format!("{base}/{provider}"));
        let credentials = serde_json::from_value(credentials).unwrap();
        let https = Https::new().unwrap().within(PATIENCE);
        Self { provider, sly, https, credentials, _server: server }
    }

    /// What the client of the shop does: asks until it gets an answer.
    async fn until_done<T>(
        &self,
        next: impl Fn(&[Answer]) -> Result<Step<T>, CallError>,
    ) -> Result<T, CallError> {
        let mut outcome = calls::make(&self.https, &next).await;
        for _ in 0..4 {
            if outcome.is_ok() {
                break;
            }
            outcome = calls::make(&self.https, &next).await;
        }
        outcome
    }

    fn known<'a>(&'a self, attempt: &'a Attempt, reference: Option<&'a str>) -> Known<'a> {
        Known { attempt, reference, credentials: &self.credentials, now: now() }
    }

    async fn start(&self, attempt: &Attempt) {
        let asking = Asking {
            attempt,
            credentials: &self.credentials,
            return_url: Some("https://shop.example/thanks"),
            notify_url: "https://shop.example/callbacks/provider",
            buyer_ip: Some("203.0.113.7"),
            now: now(),
        };
        let code = providers::of(self.provider);
        let outcome = self.until_done(|answers| code.start(&asking, answers)).await;
        // UnionPay tells an app once how to go on: a buyer who missed that
        // starts another attempt, and can never pay the first.
        let begun = matches!(outcome, Ok(_) | Err(CallError::TooOld));
        assert!(begun, "{}: {outcome:?}", self.provider);
    }

    /// Gives all of a paid attempt back.
    async fn refund(&self, attempt: &Attempt) {
        let code = providers::of(self.provider);
        self.pay(attempt);
        let asked = self.known(attempt, None);
        let events = self.until_done(|answers| code.query(&asked, answers)).await;
        let events = events.unwrap_or_else(|_| self.reported(attempt));
        let reference = events.iter().find_map(|event| event.reference.clone());
        let refund = Refund {
            id: RefundId::derive(&[attempt.id.as_str()]),
            payment: attempt.id.clone(),
            order: attempt.order.clone(),
            customer: attempt.customer.clone(),
            amount: attempt.amount,
            status: RefundStatus::Pending,
            again: 0,
            at: now(),
            reference: None,
            reason: None,
            tries: 0,
            next_at: None,
        };
        let payment = self.known(attempt, reference.as_deref());
        let notify_url = "https://shop.example/callbacks/provider";
        let giving = GivingBack { refund: &refund, payment, notify_url };
        let outcome = self.until_done(|answers| code.refund(&giving, answers)).await;
        assert!(outcome.is_ok(), "{}: {outcome:?}", self.provider);
    }

    /// What the provider reports of a paid attempt, where it cannot be asked.
    fn reported(&self, attempt: &Attempt) -> Vec<PaymentEvent> {
        let report = Payment {
            event: "evt_1",
            kind: "succeeded",
            payment: attempt.id.as_str(),
            amount: attempt.amount.minor(),
            currency: attempt.amount.currency().code(),
            at: now(),
            part: None,
        };
        let callback = stand_ins::of(self.provider).callback(&report);
        let header = |name: &str| {
            let found = callback.headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_str())
        };
        let call = Call {
            credentials: &self.credentials,
            method: "POST",
            path: callback.path,
            header: &header,
            body: callback.body.as_bytes(),
            now: now(),
        };
        let reports = providers::of(self.provider).read(&call).unwrap().into_iter();
        let events = reports.filter_map(|report| match report {
            Report::Event(event) => Some(event),
            _ => None,
        });
        events.collect()
    }

    /// The buyer pays.
    fn pay(&self, attempt: &Attempt) {
        self.sly.stand_ins.memory(|memory| {
            let charge = memory.get(self.provider, "charge", attempt.id.as_str()).cloned();
            let mut charge = charge.unwrap_or_else(|| panic!("{}: no charge", self.provider));
            charge["status"] = "paid".into();
            memory.note(self.provider, "charge", attempt.id.as_str(), charge);
        });
    }
}

/// A way to begin a payment for each provider and flow that calls it: by which
/// method makes no other calls.
fn ways() -> Vec<Attempt> {
    let mut ways: Vec<Attempt> = Vec::new();
    for provider in Provider::ALL {
        let code = providers::of(*provider);
        for can in code.capabilities() {
            for flow in can.flows {
                let attempt = attempt(*provider, can, *flow);
                let known = |it: &Attempt| (it.provider, it.flow) == (*provider, *flow);
                if calls_out(&attempt) && !ways.iter().any(known) {
                    ways.push(attempt);
                }
            }
        }
    }
    ways
}

fn calls_out(attempt: &Attempt) -> bool {
    let credentials = stand_ins::of(attempt.provider).credentials("https://providers.local");
    let credentials: Credentials = serde_json::from_value(credentials).unwrap();
    let asking = Asking {
        attempt,
        credentials: &credentials,
        return_url: Some("https://shop.example/thanks"),
        notify_url: "https://shop.example/callbacks/provider",
        buyer_ip: Some("203.0.113.7"),
        now: now(),
    };
    matches!(providers::of(attempt.provider).start(&asking, &[]), Ok(Step::Call(_)))
}

/// In which order a provider misbehaves before it comes to its senses.
const MANNERS: &[&[Manner]] = &[
    &[Well],
    &[Silent],
    &[Late],
    &[Fault],
    &[FaultAfter],
    &[Busy],
    &[Huge],
    &[Half],
    &[Garbage],
    &[Drop],
    &[DropAfter],
    &[Twice, Twice, Twice],
    // Longer than one request of the client's tries.
    &[FaultAfter, FaultAfter, FaultAfter, FaultAfter],
    &[DropAfter, DropAfter, DropAfter, DropAfter],
    &[Late, FaultAfter, Half, Huge],
    // Well at first, where there are several calls.
    &[Well, Late],
    &[Well, FaultAfter, Half],
];

/// How many providers misbehave at a time: they wait for most of it, and no
/// answer may be late for want of a processor.
const SIDE_BY_SIDE: usize = 48;

/// Checks every way with every script.
async fn each<'a, Checked: Future<Output = ()>>(
    ways: &'a [Attempt],
    scripts: impl Iterator<Item = &'a [Manner]>,
    check: impl Fn(&'a Attempt, &'a [Manner]) -> Checked,
) {
    let all = scripts.flat_map(|script| ways.iter().map(move |attempt| (attempt, script)));
    let checks: Vec<Checked> = all.map(|(attempt, script)| check(attempt, script)).collect();
    stream::iter(checks).buffer_unordered(SIDE_BY_SIDE).collect::<Vec<()>>().await;
}

async fn check(attempt: &Attempt, manners: &[Manner]) {
    let line = Line::new(attempt.provider, manners).await;
    line.start(attempt).await;
    // The buyer's page asks again, with the same key.
    line.start(attempt).await;
    let what = format!("{} by {} {}: {manners:?}", attempt.provider, attempt.method, attempt.flow);
    assert_eq!(line.sly.count(attempt.provider, "charge"), 1, "{what}");
}

/// A provider that times out, answers 500, answers twice, answers after our
/// time-out, drops the connection or answers something else, never yields two
/// charges.
#[tokio::test]
async fn no_misbehaviour_yields_two_charges() {
    let ways = ways();
    let called: Vec<Provider> = ways.iter().map(|attempt| attempt.provider).collect();
    assert!(called.contains(&Provider::Stripe), "{called:?}");
    let (mut firsts, mut others): (Vec<Attempt>, Vec<Attempt>) = (Vec::new(), Vec::new());
    for attempt in ways {
        let again = firsts.iter().any(|first| first.provider == attempt.provider);
        if again { &mut others } else { &mut firsts }.push(attempt);
    }
    each(&firsts, MANNERS.iter().copied(), check).await;
    // How a call is carried does not depend on the flow, only what it says.
    each(&others, MANNERS.iter().filter(|it| it.contains(&FaultAfter)).copied(), check).await;
}

async fn check_refund(attempt: &Attempt, manners: &[Manner]) {
    let line = Line::new(attempt.provider, &[Well]).await;
    line.start(attempt).await;
    line.sly.manners.lock().unwrap().extend(manners);
    line.refund(attempt).await;
    line.refund(attempt).await;
    let what = format!("{}: {manners:?}", attempt.provider);
    assert_eq!(line.sly.count(attempt.provider, "refund"), 1, "{what}");
}

/// Nor two refunds.
#[tokio::test]
async fn no_misbehaviour_yields_two_refunds() {
    let mut ways = ways();
    ways.dedup_by_key(|attempt| attempt.provider);
    // Where the money is taken by a call of its own, that would come first.
    ways.retain(|attempt| !providers::of(attempt.provider).captures());
    let smooth = |it: &&&[Manner]| !it.iter().any(|it| matches!(it, Drop | DropAfter | Twice));
    each(&ways, MANNERS.iter().filter(smooth).copied(), check_refund).await;
}

/// A way that says that it needs no address to come back to is begun without.
#[test]
fn what_needs_no_return_is_begun_without_one() {
    for provider in Provider::ALL {
        let code = providers::of(*provider);
        let credentials = stand_ins::of(*provider).credentials("https://providers.local");
        let credentials: Credentials = serde_json::from_value(credentials).unwrap();
        for can in code.capabilities() {
            for flow in can.flows {
                let attempt = attempt(*provider, can, *flow);
                let asking = |return_url| Asking {
                    attempt: &attempt,
                    credentials: &credentials,
                    return_url,
                    notify_url: "https://shop.example/callbacks/provider",
                    buyer_ip: Some("203.0.113.7"),
                    now: now(),
                };
                let what = format!("{provider} by {} {flow}", can.method);
                let usual = code.start(&asking(Some("https://shop.example/thanks")), &[]);
                assert!(usual.is_ok(), "{what}: {usual:?}");
                let without = code.start(&asking(None), &[]);
                assert!(without.is_ok() || code.needs_return(*flow), "{what}: {without:?}");
            }
        }
    }
}
