//! Payment providers: what each can do, how each signs and words its
//! callbacks, and how it is called. One file each, one trait.
//!
//! All of it is pure. Verifying and reading are functions of the secrets, the
//! call and the time. A call to a provider is made in steps: a function is
//! given the answers that came so far and says what to call next, or what came
//! out; [`crate::calls`] carries the calls, and alone knows of time-outs and
//! retries.

pub mod adyen;

pub mod alipay;

pub mod alipay_plus;

pub mod paypal;

pub mod rsa;

pub mod sandbox;

pub mod stripe;

pub mod unionpay;

pub mod wechat_pay;

use aftercart::{
    model::{
        digest,
        id::PaymentId,
        money::Money,
        payment::{
            Attempt, Flow, MAX_REASON, MAX_REFERENCE, Method, PaymentEvent, Provider, Refund,
            RefundStatus,
        },
        signature::SignatureError,
        time::Timestamp,
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use bytes::Bytes;

use crate::wire::{NextAction, Received};

/// A call as it came, and what it is checked against.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What the provider signs with; all are tried.
    pub credentials: &'a Credentials,
    /// The method of the call, in capitals.
    pub method: &'a str,
    /// The path of the call, as the provider called it.
    pub path: &'a str,
    /// A header, by its name in small letters.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + 'a),
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The present moment.
    pub now: Timestamp,
}

/// What a verified call says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Something happened to an attempt.
    Event(PaymentEvent),
    /// Something that is known and of no interest: it is acknowledged, counted
    /// and not kept.
    Nothing {
        /// What, in the provider's word.
        what: String,
    },
    /// An event of a type that is not known here. A person looks at it.
    Unknown {
        /// The provider's identity of it.
        id: String,
        /// What, in the provider's word.
        what: String,
    },
    /// An event about a payment that was not started here.
    Foreign {
        /// The provider's identity of it.
        id: String,
        /// What, in the provider's word.
        what: String,
    },
}

/// Why a verified body says nothing. No retry will make it readable; a person
/// looks at it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not in the encoding that it is said to have.
    #[error("the body is not in its encoding")]
    Encoding,
    /// Not of the form that such an event has.
    #[error("the body is no event: {0}")]
    Form(String),
    /// An amount, currency or time that cannot be.
    #[error("the event holds an impossible value: {0}")]
    Value(String),
    /// Encrypted with none of our keys.
    #[error("the body cannot be decrypted")]
    Encrypted,
}

impl Unreadable {
    /// What is wrong, without a word of the body: for logs.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Encoding => "the body is not in its encoding",
            Self::Form(_) => "the body is no event",
            Self::Value(_) => "the event holds an impossible value",
            Self::Encrypted => "the body cannot be decrypted",
        }
    }
}

/// What a provider can do with a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// With what the buyer pays.
    pub method: Method,
    /// How the buyer gets there; the first is the usual one.
    pub flows: &'static [Flow],
    /// In which currencies; empty for every one that the provider takes.
    pub currencies: &'static [&'static str],
    /// In how many monthly parts; empty if only at once.
    pub instalments: &'static [u8],
    /// Whether a lender pays the shop and the buyer pays later.
    pub pay_later: bool,
    /// For how many days after the payment it can be given back.
    pub refund_days: u16,
    /// Whether a part of it can be given back.
    pub partial_refunds: bool,
}

/// A payment that is to be started.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// What is asked.
    pub attempt: &'a Attempt,
    /// What the provider is called with.
    pub credentials: &'a Credentials,
    /// Where the provider sends the buyer back to.
    pub return_url: Option<&'a str>,
    /// Where the provider reports.
    pub notify_url: &'a str,
    /// The buyer's address on the Internet, where the provider wants to know it.
    pub buyer_ip: Option<&'a str>,
    /// The present moment.
    pub now: Timestamp,
}

/// A payment that is asked about, or whose money is taken.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What was asked.
    pub attempt: &'a Attempt,
    /// The provider's identity of it, if an event told.
    pub reference: Option<&'a str>,
    /// What the provider is called with.
    pub credentials: &'a Credentials,
    /// The present moment.
    pub now: Timestamp,
}

/// Money that is to go back.
#[derive(Debug, Clone, Copy)]
pub struct GivingBack<'a> {
    /// How much of what, and under which identity.
    pub refund: &'a Refund,
    /// The payment.
    pub payment: Known<'a>,
    /// Where the provider reports.
    pub notify_url: &'a str,
}

/// What a provider said of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundAnswer {
    /// Where it stands: sent, succeeded or failed.
    pub status: RefundStatus,
    /// The provider's identity of it.
    pub reference: Option<String>,
    /// Why it will not be, in the provider's code.
    pub reason: Option<String>,
}

/// An answer of a provider.
pub type Answer = http::Response<Bytes>;

/// What is next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is made once a call and taken apart at once")]
pub enum Step<T> {
    /// Make this call; its answer is added to the others.
    Call(http::Request<Bytes>),
    /// All is said.
    Done(T),
}

/// Why something with a provider did not work. None of it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The last answer says to try again: the same call is repeated.
    #[error("the provider said to try again: {0}")]
    Again(String),
    /// The provider does not take the amount or currency.
    #[error("the provider does not take the amount: {0}")]
    Amount(String),
    /// The attempt is older than the provider's memory of its key: the same
    /// call could make a second charge.
    #[error("the attempt is too old to be taken up again")]
    TooOld,
    /// The provider has the money of this payment already.
    #[error("it is paid already")]
    Paid,
    /// The provider refuses for a reason that no buyer can mend; the text is
    /// its code.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The answer has not its form, or is not signed as it must be.
    #[error("the provider's answer has not its form: {0}")]
    Unusable(String),
    /// The call cannot be written: a key, an address or an account's name is
    /// missing from the secret, or is no such thing. Or the provider does not
    /// take the key, or not for this call. A secret that is mended mends it.
    #[error("the call to the provider cannot be written: {0}")]
    Unwritable(String),
    /// The provider cannot do it.
    #[error("the provider cannot do that")]
    Unsupported,
}

/// One provider.
pub trait PaymentProvider: Sync {
    /// What it can do.
    fn capabilities(&self) -> &'static [Capability];

    /// Whether it takes an amount by a method, in its own currencies and
    /// precision. Nothing is rounded.
    ///
    /// # Errors
    /// [`CallError::Amount`] says why not.
    fn takes(&self, method: Method, amount: Money) -> Result<(), CallError>;

    /// Makes sure that the provider sent the body, lately where it signs a time.
    ///
    /// # Errors
    /// [`SignatureError`].
    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError>;

    /// What the body of a verified call says: usually one report.
    ///
    /// # Errors
    /// [`Unreadable`].
    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable>;

    /// The provider's own identity of the payment that a verified event is
    /// about which names nothing of ours.
    ///
    /// # Errors
    /// [`Unreadable`].
    fn payment_of(&self, _call: &Call<'_>) -> Result<Option<String>, Unreadable> {
        Ok(None)
    }

    /// What the body of a verified call says of an attempt which the provider
    /// knows by [`PaymentProvider::payment_of`].
    ///
    /// # Errors
    /// [`Unreadable`].
    fn read_of(&self, call: &Call<'_>, _payment: &PaymentId) -> Result<Vec<Report>, Unreadable> {
        self.read(call)
    }

    /// The headers that [`PaymentProvider::read`] looks at, in small letters:
    /// they are kept with an event that may be read again.
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the provider wants to hear when its call is done with, byte for byte.
    ///
    /// # Errors
    /// A bug when the answer cannot be written.
    fn acknowledge(&self) -> Result<Response, Failure> {
        Response::json(200, &Received { received: true })
    }

    /// Begins an attempt. The same attempt is the same payment at the
    /// provider, however often it is begun.
    ///
    /// # Errors
    /// [`CallError`].
    fn start(&self, asking: &Asking<'_>, answers: &[Answer])
    -> Result<Step<NextAction>, CallError>;

    /// Whether a buyer who gets there so comes back by
    /// [`Asking::return_url`], so that it cannot be left out.
    fn needs_return(&self, flow: Flow) -> bool {
        matches!(flow, Flow::Redirect | Flow::Mobile)
    }

    /// Whether [`PaymentProvider::query`] can tell anything.
    fn answers_queries(&self) -> bool {
        true
    }

    /// Whether the money is taken only by [`PaymentProvider::capture`].
    fn captures(&self) -> bool {
        false
    }

    /// Takes the money of an attempt to which the buyer has agreed, where the
    /// provider waits for that. Safe to repeat. What came of it is told as events.
    ///
    /// # Errors
    /// [`CallError`].
    fn capture(
        &self,
        _payment: &Known<'_>,
        _answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        Err(CallError::Unsupported)
    }

    /// Gives money back. The same refund happens once, however often it is asked.
    ///
    /// # Errors
    /// [`CallError`].
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError>;

    /// Asks where a refund stands that was sent.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Unsupported`] where only callbacks tell.
    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError>;

    /// Asks how an attempt stands. What is told has the same identity however
    /// often it is asked, and may be the same as a callback's: folding copes.
    /// Nothing while the buyer has not paid.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Unsupported`] where only callbacks tell.
    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError>;
}

/// The code of a provider.
#[must_use]
pub fn of(provider: Provider) -> &'static dyn PaymentProvider {
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

/// A name of the merchant's account at a provider.
///
/// # Errors
/// [`CallError::Unwritable`] names what is missing from the secret.
fn account<'a>(credentials: &'a Credentials, name: &str) -> Result<&'a str, CallError> {
    let found = credentials.account.get(name).map(String::as_str).filter(|it| !it.is_empty());
    found.ok_or_else(|| CallError::Unwritable(format!("the secret's account has no `{name}`")))
}

/// Where a provider's API is: the secret's `api_url`, or else the usual place.
fn api_url<'a>(credentials: &'a Credentials, usual: &'a str) -> &'a str {
    credentials.account.get("api_url").map_or(usual, |url| url.trim_end_matches('/'))
}

/// Fields as a form, each encoded.
fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Makes sure that a provider has a method, and takes an amount's currency by it.
fn in_currency(
    provider: &str,
    capabilities: &[Capability],
    method: Method,
    amount: Money,
) -> Result<(), CallError> {
    let found = capabilities.iter().find(|it| it.method == method);
    let currencies = found.ok_or(CallError::Unsupported)?.currencies;
    let code = amount.currency().code();
    if currencies.is_empty() || currencies.contains(&code) {
        return Ok(());
    }
    Err(CallError::Amount(format!("{provider} takes no {code} by {method}")))
}

/// A provider's identity of a payment, or of a part of one, within the length
/// that is kept.
fn reference(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= MAX_REFERENCE && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

/// The longest identity of an event that is kept as it is; providers' have
/// some 30 characters.
const EVENT_ID_MAX: usize = 128;

/// The identity of an event by which it is known as the same for ever. One
/// that would not fit a key is replaced by its digest, which tells as much.
fn event_identity(id: &str) -> String {
    let fits = id.len() <= EVENT_ID_MAX && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { id.to_owned() } else { digest::full(&[id.as_bytes()]) }
}

/// A provider's word or code within the length that is kept and logged.
fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_that_fit_no_key_are_digested() {
        assert_eq!(event_identity("evt_1"), "evt_1");
        let long = "e".repeat(EVENT_ID_MAX + 1);
        for id in [long.as_str(), "evt 1", "évt", "evt\n1"] {
            assert_eq!(event_identity(id).len(), 64, "{id}");
        }
        assert_ne!(event_identity("evt 1"), event_identity("evt 2"));
    }
}
