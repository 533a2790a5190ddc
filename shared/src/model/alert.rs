//! What can go wrong with a delivery, and what is done about it: alerts, each
//! with a remedy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Address, CustomerId},
    id::{AlertId, OrderId, ShipmentId, VoucherId},
    order::Actor,
    shipment::{ParcelStatus, Reason, Tracking},
    text::Text,
    time::Timestamp,
};

/// What is wrong with a delivery.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Paid, and no label by the day on which the parcel was to leave.
    NotDispatched,
    /// A label, and the carrier has not got the parcel.
    NotPickedUp,
    /// It may not be there by the promised day.
    AtRisk,
    /// It is not there after the promised day.
    Late,
    /// The carrier tells nothing any more.
    Silent,
    /// A delivery was tried in vain.
    AttemptFailed,
    /// The carrier cannot find the address.
    AddressProblem,
    /// The receiver refused it.
    Refused,
    /// It was damaged.
    Damaged,
    /// It was lost.
    Lost,
    /// It comes back, or is back.
    Returned,
    /// Customs hold it.
    Customs,
    /// It waits to be fetched.
    NotFetched,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::NotDispatched,
        Self::NotPickedUp,
        Self::AtRisk,
        Self::Late,
        Self::Silent,
        Self::AttemptFailed,
        Self::AddressProblem,
        Self::Refused,
        Self::Damaged,
        Self::Lost,
        Self::Returned,
        Self::Customs,
        Self::NotFetched,
    ];

    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotDispatched => "not_dispatched",
            Self::NotPickedUp => "not_picked_up",
            Self::AtRisk => "at_risk",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::AttemptFailed => "attempt_failed",
            Self::AddressProblem => "address_problem",
            Self::Refused => "refused",
            Self::Damaged => "damaged",
            Self::Lost => "lost",
            Self::Returned => "returned",
            Self::Customs => "customs",
            Self::NotFetched => "not_fetched",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which of the merchant's people see to something.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Who packs and hands over.
    Warehouse,
    /// Who deals with carriers.
    Logistics,
    /// Who deals with buyers.
    Service,
}

/// What an operator is to do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pack the goods and attach a label.
    Dispatch,
    /// Hand the parcel to the carrier, or have it fetched.
    HandOver,
    /// Ask the carrier, and open an enquiry there.
    AskCarrier,
    /// Give the carrier the right address.
    CorrectAddress,
    /// Agree with the buyer on what comes next.
    ContactBuyer,
    /// Give customs what they want.
    ClearCustoms,
    /// Send the goods again, or give the money back.
    ReplaceOrRefund,
    /// Watch it; nothing else yet.
    Watch,
}

/// What a buyer may choose when something is wrong.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// To wait a little longer.
    Wait,
    /// The same goods again.
    Reship,
    /// The money back.
    Refund,
    /// Another address, or the corrected one.
    Address,
    /// Another day.
    Date,
}

/// What a buyer wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// When it was said.
    pub at: Timestamp,
    /// What.
    pub choice: Choice,
    /// The address, if that is what was wished.
    pub address: Option<Address>,
    /// In the buyer's own words.
    pub note: Option<Text<500>>,
}

/// What was offered to the buyer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    /// So many points, given already.
    pub points: u32,
    /// A voucher, given already.
    pub voucher: Option<VoucherId>,
    /// What the buyer may choose.
    pub choices: Vec<Choice>,
}

/// How an alert ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The goods were sent again.
    Reshipped,
    /// The money went back.
    Refunded,
    /// The carrier got the right address.
    AddressCorrected,
    /// The carrier was asked and goes on.
    CarrierAsked,
    /// The buyer was told, and agreed.
    BuyerContacted,
    /// It came right by itself: delivered, dispatched, heard of.
    CameRight,
    /// Nothing needed to be done.
    Dismissed,
}

/// The end of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Who saw to it.
    pub by: Actor,
    /// How.
    pub how: Remedy,
    /// What else there is to say.
    pub note: Option<Text<500>>,
}

/// Something about a delivery that somebody sees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// See [`Alert::identity`].
    pub id: AlertId,
    /// What is wrong.
    pub kind: AlertKind,
    /// Of which order.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// The label, if it has one.
    pub tracking: Option<Tracking>,
    /// Where the parcel was when it was raised.
    pub status: ParcelStatus,
    /// Why, as the carrier says.
    pub reason: Option<Reason>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Who sees to it.
    pub owner: Owner,
    /// What is to be done.
    pub act: Act,
    /// By when.
    pub due: Timestamp,
    /// What the buyer was offered.
    pub offered: Offered,
    /// What the buyer wishes.
    pub wish: Option<Wish>,
    /// How it ended.
    pub ended: Option<Ended>,
}

impl Alert {
    /// The identity of the alert of a kind about a shipment: derived from both,
    /// and, of what can be wrong again, since when it is so.
    #[must_use]
    pub fn identity(shipment: &ShipmentId, kind: AlertKind, since: Option<Timestamp>) -> AlertId {
        match since {
            Some(since) => AlertId::derive(&[shipment.as_str(), kind.as_str(), &since.to_string()]),
            None => AlertId::derive(&[shipment.as_str(), kind.as_str()]),
        }
    }
}
