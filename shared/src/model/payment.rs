//! Attempts to pay and what providers report of them.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    id::{CaseId, OrderId, PaymentId, RefundId},
    money::Money,
    text::Text,
    time::Timestamp,
};

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$about:meta])* $variant:ident = $name:literal,)* }) => {
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            JsonSchema,
        )]
        $(#[$doc])*
        pub enum $type {
            $($(#[$about])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in requests, answers and stored forms.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What has this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Who takes the money.
    Provider {
        /// Stripe payment intents.
        Stripe = "stripe",
        /// Adyen checkout.
        Adyen = "adyen",
        /// Alipay in China, open platform.
        Alipay = "alipay",
        /// Alipay+ by Antom: wallets of several countries.
        AlipayPlus = "alipay_plus",
        /// WeChat Pay in China, API v3.
        WechatPay = "wechat_pay",
        /// UnionPay online payment.
        Unionpay = "unionpay",
        /// PayPal orders.
        Paypal = "paypal",
        /// A provider of play money, whose callbacks follow Standard Webhooks.
        Sandbox = "sandbox",
    }
}

words! {
    /// With what a buyer pays.
    #[schemars(rename = "PaymentMethod")]
    Method {
        /// A credit or debit card, or a wallet that holds one.
        Card = "card",
        /// An Alipay balance or what is bound to it.
        Alipay = "alipay",
        /// Instalments by Alipay's Huabei.
        Huabei = "huabei",
        /// A wallet of the Alipay+ network.
        AlipayPlus = "alipay_plus",
        /// A WeChat balance or what is bound to it.
        WechatPay = "wechat_pay",
        /// A UnionPay card or account.
        Unionpay = "unionpay",
        /// A PayPal account.
        Paypal = "paypal",
        /// Pay later with Klarna.
        Klarna = "klarna",
        /// A bank account by iDEAL.
        Ideal = "ideal",
        /// Play money.
        Test = "test",
    }
}

words! {
    /// How the buyer gets from the shop to the provider.
    Flow {
        /// The provider's own form inside the shop's page or app.
        Embedded = "embedded",
        /// The provider's page, on a computer.
        Redirect = "redirect",
        /// The provider's page on a telephone, which may open its app.
        Mobile = "mobile",
        /// A code that the buyer scans.
        Qr = "qr",
        /// The provider's app, called by the shop's app.
        App = "app",
        /// Inside the provider's app, where the shop is a mini programme.
        MiniProgram = "mini_program",
    }
}

/// In how many parts a buyer pays a lender, or a card's bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instalments {
    /// So many monthly parts.
    pub months: u8,
    /// Whether the shop pays what it costs, so that the parts sum to the price.
    pub interest_free: bool,
}

/// One attempt to pay one order with one provider. What was asked never
/// changes: its state is the fold of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Derived from the order and the key of the call that started it.
    pub id: PaymentId,
    /// What is paid.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// With whom.
    pub provider: Provider,
    /// With what.
    pub method: Method,
    /// How the buyer gets there.
    pub flow: Flow,
    /// How much the provider takes.
    pub amount: Money,
    /// What of the order that pays: the same, unless the buyer pays in another
    /// currency.
    pub settles: Money,
    /// In how many parts, if in parts.
    pub instalments: Option<Instalments>,
    /// Who pays, where the provider wants to be told (a mini programme's openid).
    pub payer: Option<Text<128>>,
    /// Whether the risk rules want an extra verification of the buyer.
    pub verify: bool,
    /// When it was started.
    pub at: Timestamp,
    /// A digest of the request that started it.
    pub request: String,
    /// When its provider is to be asked how it stands, if nobody told. None
    /// when the outcome is known, or nobody will ever tell.
    pub ask_at: Option<Timestamp>,
    /// How often its provider was asked.
    pub asked: u32,
}

/// What an event says happened. Within one moment a later one in this list
/// outweighs those before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEventKind {
    /// The provider works on it; the outcome comes later.
    Processing,
    /// The money is set aside, or the buyer has agreed; it is not taken yet.
    Authorised,
    /// This try was declined; the attempt may still succeed.
    Failed,
    /// The time to pay ended at the provider.
    Expired,
    /// The attempt was called off at the provider.
    Cancelled,
    /// What was set aside, or a part of it, was taken.
    Captured,
    /// A capture did not work after all.
    CaptureFailed,
    /// The money was taken, all at once.
    Succeeded,
    /// Money went back to the buyer.
    Refunded,
    /// A refund did not work after all.
    RefundFailed,
    /// The buyer, or the buyer's bank, wants the money back.
    Disputed,
    /// A dispute ended for the shop.
    DisputeWon,
    /// A dispute ended against the shop: the money is gone.
    DisputeLost,
}

impl PaymentEventKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Processing,
        Self::Authorised,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
        Self::Captured,
        Self::CaptureFailed,
        Self::Succeeded,
        Self::Refunded,
        Self::RefundFailed,
        Self::Disputed,
        Self::DisputeWon,
        Self::DisputeLost,
    ];
}

/// One verified report of a provider about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentEvent {
    /// The provider's identity of the event, or what tells it from all others
    /// where it has none.
    pub id: String,
    /// The attempt it is about.
    pub payment: PaymentId,
    /// Who reports.
    pub provider: Provider,
    /// What happened.
    pub kind: PaymentEventKind,
    /// How much it is about.
    pub amount: Money,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// Why it failed, in the provider's code; at most [`MAX_REASON`] characters.
    pub reason: Option<String>,
    /// The provider's own identity of the payment, by which it is asked and
    /// refunds are made.
    pub reference: Option<String>,
    /// Of captures, refunds and disputes: which one. Without it the amount is
    /// that of all of them so far.
    pub part: Option<String>,
    /// SHA-256 of the raw body, to prove later what was received.
    pub body_digest: String,
}

/// The longest reason code that is kept; providers' codes are shorter.
pub const MAX_REASON: usize = 64;

/// The longest identity that a provider gives a payment or a part of one;
/// they have some 30 characters.
pub const MAX_REFERENCE: usize = 128;

words! {
    /// What the events of an attempt amount to.
    PaymentStatus {
        /// Nothing was heard yet.
        Pending = "pending",
        /// The provider works on it.
        Processing = "processing",
        /// The money is set aside and not taken yet.
        Authorised = "authorised",
        /// The last try was declined.
        Failed = "failed",
        /// The time to pay ended at the provider.
        Expired = "expired",
        /// Called off.
        Cancelled = "cancelled",
        /// A part of the money was taken.
        PartlyCaptured = "partly_captured",
        /// Paid in full.
        Succeeded = "succeeded",
        /// Paid, but not the amount or currency that was asked: a person decides.
        Mismatched = "mismatched",
        /// A part of the money went back.
        PartlyRefunded = "partly_refunded",
        /// All of the money went back.
        Refunded = "refunded",
        /// The buyer's bank wants the money back, and nobody has decided.
        Disputed = "disputed",
        /// A dispute ended for the shop.
        ChargebackWon = "chargeback_won",
        /// A dispute ended against the shop.
        ChargebackLost = "chargeback_lost",
    }
}

words! {
    /// Where a refund stands.
    RefundStatus {
        /// To be sent to the provider, perhaps again.
        Pending = "pending",
        /// The provider has it; the outcome comes later.
        Sent = "sent",
        /// The money is on its way back.
        Succeeded = "succeeded",
        /// The provider will not do it: a person decides.
        Failed = "failed",
    }
}

/// Money that goes back to where it came from: one call to a provider, under
/// one identity, however often it is made; see [`Refund::key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The same as what the order says is due.
    pub id: RefundId,
    /// The attempt whose money it is.
    pub payment: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// Whose order.
    pub customer: CustomerId,
    /// How much, in the currency that was paid.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// How often it was begun anew because the provider would not make it.
    pub again: u32,
    /// When it was noted, or begun anew.
    pub at: Timestamp,
    /// The provider's identity of it.
    pub reference: Option<String>,
    /// Why it did not work, in the provider's code.
    pub reason: Option<String>,
    /// How often the provider was called.
    pub tries: u32,
    /// When the provider is called or asked again. None when that is over.
    pub next_at: Option<Timestamp>,
}

impl Refund {
    /// What its provider knows it by. A provider answers a key that it knows as
    /// it did before: one that is begun anew is another refund there.
    #[must_use]
    pub fn key(&self) -> RefundId {
        match self.again {
            0 => self.id.clone(),
            again => RefundId::derive(&[self.id.as_str(), &again.to_string()]),
        }
    }
}

/// Money that a provider's statement is to tell of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Settled {
    /// That an attempt brought.
    Paid(PaymentId),
    /// That went back of an attempt by a refund.
    Refunded(PaymentId, RefundId),
}

impl Settled {
    /// Of which attempt.
    #[must_use]
    pub fn payment(&self) -> &PaymentId {
        match self {
            Self::Paid(payment) | Self::Refunded(payment, _) => payment,
        }
    }
}

words! {
    /// Why a person has to look at something about payments.
    CaseReason {
        /// A verified event of a type that the suite does not know.
        UnknownEvent = "unknown_event",
        /// A verified event about a payment that was not started here.
        Foreign = "foreign",
        /// A verified event that cannot be read, or whose values cannot be.
        Impossible = "impossible",
        /// The amount or currency that was paid is not what was asked.
        AmountDiffers = "amount_differs",
        /// A provider will not make a refund.
        RefundFailed = "refund_failed",
        /// An order lists as much money to go back as it may.
        TooManyRefunds = "too_many_refunds",
        /// The buyer's bank wants money back: evidence is due at the provider.
        Disputed = "disputed",
        /// A provider's statement has what is not in our records, or another amount.
        StatementDiffers = "statement_differs",
    }
}

/// Something about payments that waits for a person, or waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCase {
    /// Derived from the reason and what it is about: the same again is the same case.
    pub id: CaseId,
    /// Why.
    pub reason: CaseReason,
    /// From whom it came.
    pub provider: Provider,
    /// The attempt that it is about, if one is known.
    pub payment: Option<PaymentId>,
    /// How much it is about, if that is known.
    pub amount: Option<Money>,
    /// What happened, for a person, in the provider's words where they help.
    pub what: Text<300>,
    /// When it was noted.
    pub at: Timestamp,
    /// Of an event that may be read again: the body as it came.
    pub body: Option<Vec<u8>>,
    /// The headers that the event is read with.
    pub headers: BTreeMap<String, String>,
    /// What a person did about it.
    pub resolved: Option<CaseResolved>,
}

/// What a person did about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResolved {
    /// When.
    pub at: Timestamp,
    /// Who, by the subject of the token.
    pub by: Text<128>,
    /// What.
    pub how: CaseAction,
}

words! {
    /// What a person may do about a case.
    CaseAction {
        /// Read the event again: the suite knows more now.
        Replay = "replay",
        /// Take the money for the order, although the amount differs.
        Accept = "accept",
        /// Give the money back, or try that again.
        Refund = "refund",
        /// Nothing has to be done, or it was done elsewhere.
        Dismiss = "dismiss",
    }
}
