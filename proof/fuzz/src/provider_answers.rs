//! What payment providers answer to our calls.
//!
//! The first line names the provider, what was called for (`start`, `query`,
//! `capture`, `refund`, `refund_status`), and the status of the last answer.
//! What follows is its body; `=====` on a line of its own parts it from those
//! before. Answers are signed here where the provider's are.

use aftercart::model::{
    id::RefundId,
    payment::{Attempt, MAX_REFERENCE, PaymentEvent, Provider, Refund, RefundStatus},
    time::Timestamp,
};
use aftercart_infra::providers::StandIns;
use aftercart_payments::{
    providers::{self as code, Answer, Asking, CallError, GivingBack, Known, RefundAnswer, Step},
    wire::NextAction,
};

use crate::{
    Finding, Seed, Verdict,
    callbacks::{are_events, attempt, credentials},
    headed, seed,
    shop::Shop,
    signing,
};

/// What parts one answer from the next.
const PARTED: &[u8] = b"\n=====\n";

/// What a provider is called for.
const CALLS: [&str; 5] = ["start", "query", "capture", "refund", "refund_status"];

/// How many calls one thing takes at most.
const STEPS_MAX: usize = 16;

/// How long a reason is at most that a person reads in the log.
const WORDS_MAX: usize = 4_096;

/// What came of a call.
#[derive(Debug, PartialEq)]
enum Came {
    /// It was told how the buyer goes on.
    Started(Box<NextAction>),
    /// Events were told.
    Told(Vec<PaymentEvent>),
    /// A refund was told of.
    GivenBack(RefundAnswer),
}

/// Answers a call, and looks what the suite makes of it.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((head, bodies)) = headed(input) else { return Ok(()) };
    let words: Vec<&str> = head.split(' ').collect();
    let [name, what, status] = words[..] else { return Ok(()) };
    let (Some(provider), Ok(status)) = (Provider::parse(name), status.parse::<u16>()) else {
        return Ok(());
    };
    let (called, now) = (Called::of(provider)?, Shop::here()?.time());
    let (mut waiting, mut given) = (parted(bodies), Vec::new());
    waiting.reverse();
    for _ in 0..STEPS_MAX {
        let Some(step) = called.step(what, &given) else { return Ok(()) };
        let request = match step {
            Err(error) => return is_short(&error),
            Ok(Step::Done(came)) => return looks_right(provider, &came),
            Ok(Step::Call(request)) => request,
        };
        let Some(body) = waiting.pop() else { return Ok(()) };
        let status = if waiting.is_empty() { status } else { 200 };
        match signing::answered(provider, &request, status, body, now) {
            Some(answer) => given.push(answer),
            None => return Ok(()),
        }
    }
    Err(Finding::new(format!("{provider} is called again and again")))
}

fn parted(bodies: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), bodies);
    while let Some(at) = rest.windows(PARTED.len()).position(|part| part == PARTED) {
        let (first, more) = rest.split_at(at);
        parts.push(first);
        rest = more.get(PARTED.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

/// A refusal that can be logged.
fn is_short(error: &CallError) -> Verdict {
    let words = error.to_string();
    hold!(words.len() <= WORDS_MAX, "a refusal has {} bytes", words.len());
    hold!(!words.contains(|c: char| c.is_control()), "a refusal breaks lines: {words:?}");
    Ok(())
}

fn looks_right(provider: Provider, came: &Came) -> Verdict {
    match came {
        Came::Started(next) => {
            let again = serde_json::to_string(next).map(|text| serde_json::from_str(&text));
            let same =
                again.is_ok_and(|again| again.is_ok_and(|again: NextAction| again == **next));
            hold!(same, "what is next cannot be kept: {next:?}");
            Ok(())
        }
        Came::Told(events) => are_events(provider, events),
        Came::GivenBack(RefundAnswer { reference, reason, .. }) => {
            let long = |text: &Option<String>| {
                text.as_ref().is_some_and(|it| it.len() > MAX_REFERENCE * 4)
            };
            hold!(!long(reference) && !long(reason), "a refund's words are long: {came:?}");
            Ok(())
        }
    }
}

/// What is called for.
struct Called {
    provider: Provider,
    attempt: Attempt,
    refund: Refund,
    credentials: aftercart::run::secrets::Credentials,
    now: Timestamp,
}

impl Called {
    fn of(provider: Provider) -> Result<Self, Finding> {
        let (attempt, now) = (attempt(provider)?, Shop::here()?.time());
        let refund = Refund {
            id: RefundId::derive(&["fuzz"]),
            payment: attempt.id.clone(),
            order: attempt.order.clone(),
            customer: attempt.customer.clone(),
            amount: attempt.amount,
            status: RefundStatus::Pending,
            again: 0,
            at: now,
            reference: None,
            reason: None,
            tries: 0,
            next_at: None,
        };
        let credentials = credentials(provider)?;
        Ok(Self { provider, attempt, refund, credentials, now })
    }

    /// The next step of a call, none if there is no such call.
    fn step(&self, what: &str, answers: &[Answer]) -> Option<Result<Step<Came>, CallError>> {
        let code = code::of(self.provider);
        let (attempt, credentials, now) = (&self.attempt, &self.credentials, self.now);
        let known = Known { attempt, reference: Some("ref_1"), credentials, now };
        let notify_url = "https://shop.example/callbacks";
        let giving = GivingBack { refund: &self.refund, payment: known, notify_url };
        let asking = Asking {
            attempt,
            credentials,
            return_url: Some("https://shop.example/back"),
            notify_url,
            buyer_ip: Some("192.0.2.1"),
            now,
        };
        Some(match what {
            "start" => came(code.start(&asking, answers), |next| Came::Started(Box::new(next))),
            "query" => came(code.query(&known, answers), Came::Told),
            "capture" => came(code.capture(&known, answers), Came::Told),
            "refund" => came(code.refund(&giving, answers), Came::GivenBack),
            "refund_status" => came(code.refund_status(&giving, answers), Came::GivenBack),
            _ => return None,
        })
    }

    /// The stand-in's answers to a call, up to where it ends.
    fn answers(&self, stand_ins: &StandIns, what: &str) -> Vec<Answer> {
        let mut answers = Vec::new();
        while answers.len() < STEPS_MAX {
            let Some(Ok(Step::Call(request))) = self.step(what, &answers) else { break };
            answers.push(stand_ins.answer(&request));
        }
        answers
    }
}

fn came<T>(
    step: Result<Step<T>, CallError>,
    of: impl FnOnce(T) -> Came,
) -> Result<Step<Came>, CallError> {
    Ok(match step? {
        Step::Call(request) => Step::Call(request),
        Step::Done(done) => Step::Done(of(done)),
    })
}

/// What the stand-in of each provider answers to each call.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let mut seeds = Vec::new();
    for provider in Provider::ALL.iter().copied() {
        let (called, stand_ins) = (Called::of(provider)?, StandIns::default());
        for what in CALLS {
            let answers = called.answers(&stand_ins, what);
            let Some(last) = answers.last() else { continue };
            let head = format!("{provider} {what} {}", last.status().as_u16());
            let bodies: Vec<&[u8]> = answers.iter().map(|answer| &**answer.body()).collect();
            seeds.push(seed(format!("{provider}-{what}"), &head, bodies.join(PARTED)));
        }
    }
    Ok(seeds)
}
