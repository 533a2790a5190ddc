//! Drives the code of a provider against its stand-in, as the functions do.

use aftercart::{
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId, RefundId},
        money::{Currency, Money},
        payment::{
            Attempt, Flow, Method, PaymentEvent, PaymentStatus, Provider, Refund, RefundStatus,
        },
        text::Text,
        time::{Period, Timestamp},
    },
    run::secrets::Credentials,
};
use aftercart_payments::{
    providers::{
        self, Answer, Asking, Call, CallError, GivingBack, Known, PaymentProvider, RefundAnswer,
        Report, Step,
    },
    rules::fold::fold,
    wire::NextAction,
};
use serde_json::{Value, json};

use super::{StandIns, of};
use crate::signing::{Callback, Payment};

/// When everything happens.
const NOW: &str = "2026-11-21T12:00:00Z";

/// Where providers report.
const NOTIFY: &str = "https://shop.example/callbacks";

/// A provider and its stand-in.
pub(super) struct Drive {
    pub(super) attempt: Attempt,
    pub(super) credentials: Credentials,
    pub(super) stand_ins: StandIns,
    pub(super) now: Timestamp,
}

impl Drive {
    /// An attempt of a provider by a flow.
    pub(super) fn new(method: Method, flow: Flow, minor: i64, currency: &str) -> Self {
        let provider = Provider::parse(method.as_str()).unwrap();
        let now = Timestamp::parse(NOW).unwrap();
        let amount = Money::new(minor, Currency::parse(currency).unwrap()).unwrap();
        let attempt = Attempt {
            id: PaymentId::derive(&["drive"]),
            order: OrderId::derive(&["drive"]),
            customer: CustomerId::member("ada").unwrap(),
            provider,
            method,
            flow,
            amount,
            settles: amount,
            instalments: None,
            payer: Some(Text::new("openid_1").unwrap()),
            verify: false,
            at: now,
            request: String::new(),
            ask_at: None,
            asked: 0,
        };
        let url = format!("https://providers.local/{provider}");
        let credentials = serde_json::from_value(of(provider).credentials(&url)).unwrap();
        Self { attempt, credentials, stand_ins: StandIns::default(), now }
    }

    /// The same, some time later.
    pub(super) fn later(self, period: Period) -> Self {
        Self { now: self.now.plus(period), ..self }
    }

    /// The provider's code.
    pub(super) fn code(&self) -> &'static dyn PaymentProvider {
        providers::of(self.attempt.provider)
    }

    fn run<T>(
        &self,
        next: impl Fn(&[Answer]) -> Result<Step<T>, CallError>,
    ) -> Result<T, CallError> {
        let mut answers = Vec::new();
        loop {
            match next(&answers)? {
                Step::Done(done) => return Ok(done),
                Step::Call(request) => answers.push(self.stand_ins.answer(&request)),
            }
        }
    }

    pub(super) fn start(&self) -> Result<NextAction, CallError> {
        let asking = Asking {
            attempt: &self.attempt,
            credentials: &self.credentials,
            return_url: Some("https://shop.example/back?order=1"),
            notify_url: NOTIFY,
            buyer_ip: Some("192.0.2.1"),
            now: self.now,
        };
        self.run(|answers| self.code().start(&asking, answers))
    }

    fn known<'a>(&'a self, reference: Option<&'a str>) -> Known<'a> {
        Known { attempt: &self.attempt, reference, credentials: &self.credentials, now: self.now }
    }

    pub(super) fn capture(&self, reference: Option<&str>) -> Result<Vec<PaymentEvent>, CallError> {
        self.run(|answers| self.code().capture(&self.known(reference), answers))
    }

    pub(super) fn query(&self, reference: Option<&str>) -> Result<Vec<PaymentEvent>, CallError> {
        self.run(|answers| self.code().query(&self.known(reference), answers))
    }

    /// A refund of a part, by its name.
    pub(super) fn due(&self, name: &str, minor: i64) -> Refund {
        Refund {
            id: RefundId::derive(&[name]),
            payment: self.attempt.id.clone(),
            order: self.attempt.order.clone(),
            customer: self.attempt.customer.clone(),
            amount: Money::new(minor, self.attempt.amount.currency()).unwrap(),
            status: RefundStatus::Pending,
            again: 0,
            at: self.now,
            reference: None,
            reason: None,
            tries: 0,
            next_at: None,
        }
    }

    pub(super) fn refund(
        &self,
        refund: &Refund,
        reference: Option<&str>,
    ) -> Result<RefundAnswer, CallError> {
        let payment = self.known(reference);
        let giving = GivingBack { refund, payment, notify_url: NOTIFY };
        self.run(|answers| self.code().refund(&giving, answers))
    }

    pub(super) fn refund_status(
        &self,
        refund: &Refund,
        reference: Option<&str>,
    ) -> Result<RefundAnswer, CallError> {
        let payment = self.known(reference);
        let giving = GivingBack { refund, payment, notify_url: NOTIFY };
        self.run(|answers| self.code().refund_status(&giving, answers))
    }

    /// Sets a member of what the stand-in remembers.
    pub(super) fn remember(&self, kind: &'static str, key: &str, member: &str, value: Value) {
        let provider = self.attempt.provider;
        self.stand_ins.memory(|memory| {
            let noted = memory.get(provider, kind, key).cloned();
            let mut noted = noted.unwrap_or_else(|| {
                json!({ "amount": self.attempt.amount.minor(), "currency": self.attempt.amount.currency() })
            });
            noted[member] = value;
            memory.note(provider, kind, key, noted);
        });
    }

    /// How often the stand-in did something.
    pub(super) fn count(&self, kind: &'static str) -> usize {
        self.stand_ins.memory(|memory| memory.count(self.attempt.provider, kind))
    }

    /// A report of the stand-in, some seconds after now.
    pub(super) fn callback(
        &self,
        kind: &str,
        minor: i64,
        part: Option<&str>,
        seconds: u32,
    ) -> Callback {
        let event = format!("evt-{kind}-{}-{seconds}", part.unwrap_or_default());
        of(self.attempt.provider).callback(&Payment {
            event: &event,
            kind,
            payment: self.attempt.id.as_str(),
            amount: minor,
            currency: self.attempt.amount.currency().code(),
            at: self.now.plus(Period::of_seconds(seconds)),
            part,
        })
    }

    /// What a callback says, verified.
    pub(super) fn heard(&self, callback: &Callback) -> Report {
        let header = |name: &str| {
            let found = callback.headers.iter().find(|(header, _)| *header == name);
            found.map(|(_, value)| value.as_str())
        };
        let call = Call {
            credentials: &self.credentials,
            method: "POST",
            path: callback.path,
            header: &header,
            body: callback.body.as_bytes(),
            now: self.now,
        };
        assert_eq!(self.code().verify(&call), Ok(()), "{}", callback.body);
        let mut reports = self.code().read(&call).unwrap();
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }

    /// The event of a report of the stand-in.
    pub(super) fn event(
        &self,
        kind: &str,
        minor: i64,
        part: Option<&str>,
        seconds: u32,
    ) -> PaymentEvent {
        match self.heard(&self.callback(kind, minor, part, seconds)) {
            Report::Event(event) => event,
            other => panic!("{kind}: {other:?}"),
        }
    }

    /// The one state that all orders of the events lead to, each event told
    /// once and each told twice.
    pub(super) fn state(&self, events: &[PaymentEvent]) -> PaymentStatus {
        let expected = fold(&self.attempt, events);
        for order in orders(events.len()) {
            let told: Vec<PaymentEvent> =
                order.iter().filter_map(|n| events.get(*n)).cloned().collect();
            assert_eq!(fold(&self.attempt, &told), expected);
            for again in events {
                let mut twice = told.clone();
                twice.push(again.clone());
                assert_eq!(fold(&self.attempt, &twice), expected);
                twice.rotate_right(1);
                assert_eq!(fold(&self.attempt, &twice), expected);
            }
        }
        expected.payment.status
    }
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let places = |shorter: Vec<usize>| {
        (0..count).map(move |place| {
            let mut longer = shorter.clone();
            longer.insert(place, last);
            longer
        })
    };
    orders(last).into_iter().flat_map(places).collect()
}
