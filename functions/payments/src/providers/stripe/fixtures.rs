//! What the tests of calls to Stripe begin with.

use aftercart::{
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId, RefundId},
        money::{Currency, Money},
        payment::{Attempt, Flow, Method, Provider, Refund, RefundStatus},
        time::Timestamp,
    },
    run::secrets::Credentials,
};
use bytes::Bytes;
use http::{Request, Response};
use secrecy::SecretString;

use crate::providers::{Answer, CallError, Step};

pub(super) fn credentials() -> Credentials {
    Credentials { api_keys: vec![SecretString::from("sk_test_1")], ..Credentials::default() }
}

pub(super) fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap()).unwrap()
}

pub(super) fn attempt(method: Method, amount: Money) -> Attempt {
    Attempt {
        id: PaymentId::derive(&["1"]),
        order: OrderId::derive(&["1"]),
        customer: CustomerId::member("a").unwrap(),
        provider: Provider::Stripe,
        method,
        flow: Flow::Embedded,
        amount,
        settles: amount,
        instalments: None,
        payer: None,
        verify: false,
        at: Timestamp::EPOCH,
        request: String::new(),
        ask_at: None,
        asked: 0,
    }
}

pub(super) fn refund(amount: Money) -> Refund {
    let attempt = attempt(Method::Card, amount);
    Refund {
        id: RefundId::derive(&["1"]),
        payment: attempt.id,
        order: attempt.order,
        customer: attempt.customer,
        amount,
        status: RefundStatus::Pending,
        again: 0,
        at: Timestamp::EPOCH,
        reference: None,
        reason: None,
        tries: 0,
        next_at: None,
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

pub(super) fn answer(status: u16, body: &str) -> Answer {
    Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
}

/// The call that is next.
pub(super) fn call<T>(step: Result<Step<T>, CallError>) -> Request<Bytes> {
    match step {
        Ok(Step::Call(request)) => request,
        Ok(Step::Done(_)) => panic!("nothing is called"),
        Err(error) => panic!("{error}"),
    }
}

/// What came out.
pub(super) fn done<T>(step: Result<Step<T>, CallError>) -> T {
    match step {
        Ok(Step::Done(done)) => done,
        Ok(Step::Call(request)) => panic!("{} is called", request.uri()),
        Err(error) => panic!("{error}"),
    }
}
