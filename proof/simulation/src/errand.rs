//! What somebody outside asks of the suite, and what it is for.

use aftercart::model::{payment::Provider, shipment::Carrier, time::Timestamp};
use aftercart_infra::{
    carriers, providers,
    signing::{Payment, Push, Scan},
    world::{Ask, Reply, World, WorldError},
};
use serde_json::Value;

/// A request that is repeated, the same, until it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    /// What it is, in the words of the trace.
    pub(crate) name: &'static str,
    /// The request.
    pub(crate) ask: Ask,
    /// What its answer is good for.
    pub(crate) aim: Aim,
}

/// What the answer to a request is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aim {
    /// It was only asked.
    Nothing,
    /// A provider or a carrier tells something: it is signed anew each time.
    Tell(Told),
    /// An order under a key, of a person; perhaps not the body that the key was
    /// used with first.
    Place { person: usize, key: String, body: Value, other: bool },
    /// A look at an order.
    See { order: usize },
    /// An order is called off.
    CallOff { order: usize },
    /// A unit is called off.
    CallOffUnits { order: usize },
    /// An attempt to pay.
    Pay { order: usize, provider: &'static str },
    /// A label of this carrier, with this number.
    Label { order: usize, carrier: &'static str, number: String },
    /// An answer to a survey.
    Answer { survey: usize },
    /// A complaint of a person.
    Complain { person: usize, order: Option<usize> },
    /// Points for this person.
    Give { to: usize },
    /// A reward for this person.
    Redeem { person: usize },
    /// The code that this person shows at a till.
    Code { person: usize },
    /// Points of this person that a till holds.
    Hold { person: usize },
    /// Goods bought at a till, under this number of the receipt.
    Receipt { number: String },
    /// The code by which this person's account is linked to another.
    LinkCode { person: usize },
    /// Two accounts of one person.
    Link,
    /// A team of this person.
    Found { person: usize },
    /// An offer that this person shares.
    Share,
    /// Points that an operator gives.
    Adjust,
    /// What waits for a person: cases of payments.
    Cases,
    /// What waits for a person: alerts about deliveries.
    Alerts,
    /// A voucher of this person.
    Voucher { person: usize },
    /// What this person's cart is now.
    Cart { person: usize },
}

/// What a provider or a carrier tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Of a payment.
    Payment {
        provider: &'static str,
        event: String,
        kind: &'static str,
        payment: String,
        amount: i64,
        currency: String,
        part: Option<String>,
    },
    /// Of a parcel.
    Parcel {
        carrier: &'static str,
        event: String,
        number: String,
        scans: Vec<(&'static str, Timestamp)>,
    },
}

impl Told {
    /// The call, signed at a moment.
    fn signed(&self, at: Timestamp) -> Option<Ask> {
        let callback = match self {
            Self::Payment { provider, event, kind, payment, amount, currency, part } => {
                let report = Payment {
                    event,
                    kind,
                    payment,
                    amount: *amount,
                    currency,
                    at,
                    part: part.as_deref(),
                };
                providers::of(Provider::parse(provider)?).callback(&report)
            }
            Self::Parcel { carrier, event, number, scans } => {
                let scan = |(status, at): &(&'static str, Timestamp)| Scan {
                    status,
                    place: "Leeds",
                    at: *at,
                };
                let scans: Vec<Scan<'_>> = scans.iter().map(scan).collect();
                let push = Push { event, number, scans: &scans, eta: None, at };
                carriers::of(carrier_named(carrier)?).push(&push)
            }
        };
        Some(Ask::callback(&callback))
    }
}

/// The carrier of a name.
pub(crate) fn carrier_named(name: &str) -> Option<Carrier> {
    Carrier::ALL.into_iter().find(|carrier| carrier.as_str() == name)
}

/// What came of an errand.
#[derive(Debug)]
pub(crate) enum Came {
    /// An answer.
    Answer(Reply),
    /// None: its process died, or the line broke.
    Nothing,
}

impl Errand {
    pub(crate) fn new(name: &'static str, ask: Ask, aim: Aim) -> Self {
        Self { name, ask, aim }
    }

    /// Something that is only asked.
    pub(crate) fn plain(name: &'static str, ask: Ask) -> Self {
        Self::new(name, ask, Aim::Nothing)
    }

    /// Something that a provider or a carrier tells.
    pub(crate) fn telling(name: &'static str, told: Told) -> Self {
        let ask = Ask::post("/", &Value::Null);
        Self { name, ask, aim: Aim::Tell(told) }
    }

    /// Gets it ready to be run: what is told is signed now.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        if let Aim::Tell(told) = &self.aim
            && let Some(ask) = told.signed(now)
        {
            self.ask = ask;
        }
        self
    }

    /// Runs it once.
    ///
    /// # Errors
    /// [`WorldError`] when that says nothing about the suite.
    pub(crate) async fn run(&self, world: &World) -> Result<Came, WorldError> {
        match world.ask(&self.ask).await {
            Ok(reply) => Ok(Came::Answer(reply)),
            Err(WorldError::Fault { .. }) => Ok(Came::Nothing),
            Err(error) => Err(error),
        }
    }
}
