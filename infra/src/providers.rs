//! Stand-ins for payment providers: each answers the calls of the suite by its
//! provider's rules, as far as the suite makes any, and reports payments as
//! its provider would, signed. For tests, the demo and the replay. One file each.

pub mod adyen;
pub mod alipay;
pub mod alipay_plus;
pub mod paypal;
pub mod sandbox;
pub mod stripe;
pub mod unionpay;
pub mod wechat_pay;

#[cfg(test)]
mod drive;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aftercart::model::payment::Provider;
use aftercart_payments::providers::rsa;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::signing::{Callback, Payment};

/// The shop's private key: signs its calls.
pub const MERCHANT_KEY: &str = include_str!("../keys/merchant.pem");
/// The public half of [`MERCHANT_KEY`].
pub const MERCHANT_PUBLIC_KEY: &str = include_str!("../keys/merchant.pub.pem");
/// The providers' private key: signs their callbacks and answers.
pub const PROVIDER_KEY: &str = include_str!("../keys/provider.pem");
/// The public half of [`PROVIDER_KEY`].
pub const PROVIDER_PUBLIC_KEY: &str = include_str!("../keys/provider.pub.pem");
/// A private key that nobody trusts.
pub const OTHER_KEY: &str = include_str!("../keys/other.pem");

/// What a stand-in remembers of the calls that it had, by the provider and the
/// key of the call: `charge`s and `refund`s.
#[derive(Debug, Clone, Default)]
pub struct Memory(BTreeMap<(Provider, &'static str, String), Value>);

impl Memory {
    /// What was noted under a key.
    #[must_use]
    pub fn get(&self, provider: Provider, kind: &'static str, key: &str) -> Option<&Value> {
        self.0.get(&(provider, kind, key.to_owned()))
    }

    /// Notes something under a key, over what was noted before.
    pub fn note(&mut self, provider: Provider, kind: &'static str, key: &str, value: Value) {
        self.0.insert((provider, kind, key.to_owned()), value);
    }

    /// All that was noted of a kind, by key.
    pub fn of_kind(
        &self,
        provider: Provider,
        kind: &'static str,
    ) -> impl Iterator<Item = (&str, &Value)> {
        let noted = self.0.iter();
        let noted = noted.filter(move |((of, known, _), _)| *of == provider && *known == kind);
        noted.map(|((.., key), value)| (key.as_str(), value))
    }

    /// How much of a payment was given back, by the refunds that were noted.
    #[must_use]
    pub fn given_back(&self, provider: Provider, payment: &str) -> i64 {
        let refunds = self.0.iter().filter(|((of, kind, _), refund)| {
            *of == provider && *kind == "refund" && refund["payment"] == payment
        });
        refunds.filter_map(|(_, refund)| refund["amount"].as_i64()).sum()
    }

    /// How many there are of a kind.
    #[must_use]
    pub fn count(&self, provider: Provider, kind: &'static str) -> usize {
        self.0.keys().filter(|(of, known, _)| *of == provider && *known == kind).count()
    }
}

/// One provider's stand-in.
pub trait StandIn: Sync {
    /// What the suite's secret of payments says of the provider, whose API is
    /// at this address.
    fn credentials(&self, api_url: &str) -> Value;

    /// Answers a call. The same call twice is one charge or one refund where
    /// the provider has it so.
    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes>;

    /// What the provider reports of a payment, as it would: its kinds are
    /// those of the suite's events (`succeeded`, `failed`, `refunded`, ...),
    /// as far as the provider has them.
    fn callback(&self, report: &Payment<'_>) -> Callback;
}

/// The stand-in of a provider.
#[must_use]
pub fn of(provider: Provider) -> &'static dyn StandIn {
    match provider {
        Provider::Stripe => &stripe::Stripe,
        Provider::Adyen => &adyen::Adyen,
        Provider::Alipay => &alipay::Alipay,
        Provider::AlipayPlus => &alipay_plus::AlipayPlus,
        Provider::WechatPay => &wechat_pay::WechatPay,
        Provider::Unionpay => &unionpay::Unionpay,
        Provider::Paypal => &paypal::Paypal,
        Provider::Sandbox => &sandbox::Sandbox,
    }
}

/// The suite's secret of payments, for stand-ins under this address.
#[must_use]
pub fn credentials(base: &str) -> Value {
    let of_each = Provider::ALL.iter().map(|provider| {
        let api_url = format!("{base}/{provider}");
        (provider.to_string(), of(*provider).credentials(&api_url))
    });
    Value::Object(of_each.collect())
}

/// All stand-ins, with what they remember.
#[derive(Debug, Default)]
pub struct StandIns(Mutex<Memory>);

impl StandIns {
    /// Others that remember the same.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Mutex::new(self.memory(|memory| memory.clone())))
    }

    /// Answers a call to `<anything>/<provider>/<path>`.
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        let found = Provider::ALL.iter().find_map(|provider| {
            let (_, rest) = path.split_once(&format!("/{provider}/"))?;
            Some((*provider, format!("/{rest}")))
        });
        match found {
            Some((provider, rest)) => {
                self.memory(|memory| of(provider).answer(memory, &rest, request))
            }
            None => json_answer(404, &json!({ "error": "no such provider" })),
        }
    }

    /// Looks into, or changes, what they remember.
    pub fn memory<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An answer in JSON.
#[must_use]
pub fn json_answer(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// What a private key signs a message with: RSA over SHA-256, base 64.
#[must_use]
pub fn rsa_signature(key: &str, message: &[u8]) -> String {
    rsa::sign(&[key.into()], message).unwrap_or_default()
}

/// A header of a call; empty when it is missing.
#[must_use]
pub fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A field of a form; empty when it is missing.
#[must_use]
pub fn field(form: &[u8], name: &str) -> String {
    let mut pairs = form_urlencoded::parse(form);
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
