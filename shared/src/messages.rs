//! What travels on the queues: past facts, in closed, versioned enums.
//!
//! A message is written in the item whose change it tells of, and forwarded by
//! the relay to every queue that wants it. It may come any number of times and
//! in any order, also days later, so it carries identities and no state:
//! receivers read what is true now.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    alert::{Act, AlertKind, Choice, Owner},
    customer::{CustomerId, Email, Language},
    delivery::MethodId,
    dispatch::{Dispatch, Shipment, ShipmentLine},
    gift::End,
    id::{
        AlertId, CartId, GiftId, InviteId, LinkId, MessageId, OrderId, PaymentId, RedemptionId,
        RefundId, ShipmentId, TicketId, VoucherId,
    },
    money::Money,
    product::Sku,
    programme::earning::ActionKind,
    reward::{RewardId, RewardKind},
    shipment::{ParcelStatus, Reason, Tracking},
    stock::{LocationId, StockState},
    survey::{Channel, TouchpointId},
    text::Text,
    ticket::{DeskId, Priority, Topic},
    time::{Date, Timestamp},
};

/// The edition of the messages. A change that an older receiver would read
/// wrongly makes a new one; receivers refuse an edition that they do not know.
pub const VERSION: u32 = 1;

/// The queues, each with one consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Folds reports of providers into orders.
    Payments,
    /// Opens the shipments of paid orders.
    Shipments,
    /// Folds scans into shipments.
    Tracking,
    /// Posts points.
    Points,
    /// Invites buyers to surveys.
    Surveys,
    /// Counts answers and reads what was written.
    Feedback,
    /// Opens tickets of answers, and follows them.
    Care,
    /// Contacts people for what is not a purchase, within their budget.
    Contacts,
    /// Changes orders because somebody asked for it elsewhere.
    OrderRequests,
    /// Follows orders: risk counters, search terms, carts, members' records, goods bought together.
    Orders,
    /// Calls providers: refunds, captures.
    ProviderCalls,
    /// Takes stock again for orders that were paid too late, or lets the money go back.
    LatePayments,
    /// Tells systems of the merchant.
    Webhooks,
    /// What people are to be told: read by the merchant's mailer or task list.
    Notifications,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 14] = [
        Self::Payments,
        Self::Shipments,
        Self::Tracking,
        Self::Points,
        Self::Surveys,
        Self::Feedback,
        Self::Care,
        Self::Contacts,
        Self::OrderRequests,
        Self::Orders,
        Self::ProviderCalls,
        Self::LatePayments,
        Self::Webhooks,
        Self::Notifications,
    ];

    /// The name in logs and in the template.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Shipments => "shipments",
            Self::Tracking => "tracking",
            Self::Points => "points",
            Self::Surveys => "surveys",
            Self::Feedback => "feedback",
            Self::Care => "care",
            Self::Contacts => "contacts",
            Self::OrderRequests => "order-requests",
            Self::Orders => "orders",
            Self::ProviderCalls => "provider-calls",
            Self::LatePayments => "late-payments",
            Self::Webhooks => "webhooks",
            Self::Notifications => "notifications",
        }
    }

    /// The environment variable that holds its URL.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Payments => "PAYMENTS_QUEUE_URL",
            Self::Shipments => "SHIPMENTS_QUEUE_URL",
            Self::Tracking => "TRACKING_QUEUE_URL",
            Self::Points => "POINTS_QUEUE_URL",
            Self::Surveys => "SURVEYS_QUEUE_URL",
            Self::Feedback => "FEEDBACK_QUEUE_URL",
            Self::Care => "CARE_QUEUE_URL",
            Self::Contacts => "CONTACTS_QUEUE_URL",
            Self::OrderRequests => "ORDER_REQUESTS_QUEUE_URL",
            Self::Orders => "ORDERS_QUEUE_URL",
            Self::ProviderCalls => "PROVIDER_CALLS_QUEUE_URL",
            Self::LatePayments => "LATE_PAYMENTS_QUEUE_URL",
            Self::Webhooks => "WEBHOOKS_QUEUE_URL",
            Self::Notifications => "NOTIFICATIONS_QUEUE_URL",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A paid order was called off, or some of its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// An order was paid, or placed with nothing due, or may go on after it was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPaid {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// Money of an order is to go back, for whatever reason it lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundWanted {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// An operator gave back money for units of a paid order, or for the order as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRefunded {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A buyer agreed to pay an order that still waits: the money may be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAuthorised {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which attempt.
    pub payment: PaymentId,
}

/// Money came for an order that had ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentLate {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which attempt.
    pub payment: PaymentId,
}

/// Money that came too late goes back, and the buyer gets an apology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApologyDue {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A buyer is to be told what became of money that came too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LatePaymentSettled {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which attempt.
    pub payment: PaymentId,
    /// Whether the order goes on; the money goes back otherwise.
    pub accepted: bool,
}

/// A buyer is to be told that money is on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundMade {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which refund.
    pub refund: RefundId,
    /// How much, in the currency that was paid.
    pub amount: Money,
}

/// A member did something that may earn points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionDone {
    /// Who.
    pub customer: CustomerId,
    /// What.
    pub action: ActionKind,
    /// What tells this deed of the member from others of its kind. It is judged once.
    pub reference: Text<80>,
}

/// A provider reported something about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentReceived {
    /// Which attempt.
    pub payment: PaymentId,
}

/// A carrier reported something about a parcel, or a parcel got its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrackingReceived {
    /// Which parcel.
    pub tracking: Tracking,
}

/// A parcel reached its buyer, or the time of that was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelDelivered {
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// More is known of a parcel than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelChanged {
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A buyer is to be told where a parcel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelNews {
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
    /// Where it is.
    pub status: ParcelStatus,
    /// The day by which it is expected, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
    /// Where the news goes.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// The tracking page: a signed link, good without a login.
    pub link: String,
}

/// A buyer is to be told that something is wrong with a delivery, and what is
/// done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryAlert {
    /// Which alert.
    pub alert: AlertId,
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
    /// What is wrong.
    pub kind: AlertKind,
    /// Why, as the carrier says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The day by which it is expected now, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
    /// So many points were given for it.
    #[serde(default)]
    pub points: u32,
    /// A voucher was given for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherId>,
    /// What the buyer may choose on the tracking page.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Where the message goes.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// The tracking page: a signed link, good without a login.
    pub link: String,
}

/// Somebody of the merchant is to see to a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertRaised {
    /// Which alert.
    pub alert: AlertId,
    /// About which order.
    pub order: OrderId,
    /// About which shipment of it.
    pub shipment: ShipmentId,
    /// What is wrong.
    pub kind: AlertKind,
    /// Who sees to it.
    pub owner: Owner,
    /// What is to be done.
    pub act: Act,
    /// By when.
    pub due: Timestamp,
}

/// A buyer said on the tracking page what is to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WishMade {
    /// About which alert.
    pub alert: AlertId,
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
    /// What the buyer chose.
    pub choice: Choice,
    /// Who sees to it.
    pub owner: Owner,
}

/// The warehouse is to pack a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentOpened {
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
    /// Where it is packed.
    pub location: LocationId,
    /// What is packed.
    pub lines: Vec<ShipmentLine>,
    /// By which method the buyer wants it.
    pub method: MethodId,
    /// With which service it goes, by its name in the policy; whoever attaches
    /// the label chooses, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Text<40>>,
    /// The last day on which it leaves in time.
    pub ship_by: Date,
    /// Whether it goes before others.
    #[serde(default)]
    pub priority: bool,
}

impl ShipmentOpened {
    /// The task of packing a shipment as it stands.
    #[must_use]
    pub fn of(dispatch: &Dispatch, shipment: &Shipment) -> Self {
        Self {
            order: dispatch.order.clone(),
            shipment: shipment.id.clone(),
            location: shipment.location.clone(),
            lines: shipment.lines.clone(),
            method: dispatch.method.clone(),
            service: shipment.chosen.as_ref().map(|it| it.service.clone()),
            ship_by: dispatch.ship_by(shipment),
            priority: dispatch.priority,
        }
    }
}

/// A shipment that was to be packed is not to be packed after all, or waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentStopped {
    /// Which order.
    pub order: OrderId,
    /// Which shipment of it.
    pub shipment: ShipmentId,
}

/// An order waits for a person to look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderHeld {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// The goods of a SKU run low at a place, ran out, or came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockChanged {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// How it stands now.
    pub state: StockState,
    /// How many units may be sold.
    pub available: i64,
}

/// A buyer left goods in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartAbandoned {
    /// Which cart.
    pub cart: CartId,
    /// Which version of it: one that changed since is not reminded of.
    #[serde(default)]
    pub version: u64,
    /// Whose it is, if it is a member's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Where the reminder goes.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// What is in it.
    pub skus: Vec<Sku>,
    /// The page on which they choose not to be told of such: RFC 8058's one
    /// click is a POST to it. Missing until the message may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// A buyer is to be asked, for the first time or, once, again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyInvited {
    /// Which invitation.
    pub invite: InviteId,
    /// To which survey.
    pub touchpoint: TouchpointId,
    /// Who is asked: a guest, or a member whose number, app or account the mailer
    /// looks up by this.
    pub customer: CustomerId,
    /// About which order, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// How it travels. Who cannot be reached so, such as a guest, gets it by mail.
    #[serde(default)]
    pub channel: Channel,
    /// Where the invitation goes by mail.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// The first question, in that language, to be asked in the message itself.
    pub question: Text<200>,
    /// What can be tapped there, to open the page with that answer filled in;
    /// nothing is answered until it is sent there.
    #[serde(default)]
    pub taps: Vec<SurveyTap>,
    /// The page with the survey: a signed link, good without a login.
    pub link: String,
    /// The page on which they choose not to be asked: RFC 8058's one click is a
    /// POST to it.
    pub unsubscribe: String,
    /// Until when it is open.
    pub expires: Timestamp,
    /// Whether it is the reminder.
    #[serde(default)]
    pub reminder: bool,
}

/// One answer that can be tapped in an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyTap {
    /// What is shown.
    pub label: Text<40>,
    /// What it answers: the survey's link with `?a=` and this behind it opens
    /// the page with that filled in.
    pub answer: Text<20>,
}

/// A survey was answered, or the answer corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyAnswered {
    /// Which invitation.
    pub invite: InviteId,
}

/// Somebody of the merchant is to see to a ticket: it was opened, opened again,
/// given to another desk, or its time runs out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketWaits {
    /// Which ticket.
    pub ticket: TicketId,
    /// Why they are told.
    pub why: TicketWhy,
    /// What it is about.
    pub topic: Topic,
    /// How soon it is to be seen to.
    pub priority: Priority,
    /// Which desk.
    pub desk: DeskId,
    /// Who of them, if somebody has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Text<128>>,
    /// By when.
    pub due: Timestamp,
}

/// Why a desk is told of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketWhy {
    /// It is new.
    Opened,
    /// The customer wrote.
    Written,
    /// The customer was not satisfied.
    Reopened,
    /// It comes from another desk, or was given to somebody.
    Assigned,
    /// It is more urgent than it was.
    Raised,
    /// The time runs out.
    Reminder,
    /// The time ran out.
    Overdue,
    /// Something that was asked for cannot be done.
    Refused,
    /// Something that was asked for is not done after a day: it is asked for again.
    Undone,
}

/// A customer is to be told that the shop wrote, or that a ticket is solved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketNews {
    /// Which ticket.
    pub ticket: TicketId,
    /// Up to which entry: what tells it from others of the ticket.
    pub entry: u16,
    /// Where it goes.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// What was written, if something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<2_000>>,
    /// Whether it is solved, as the shop sees it.
    pub solved: bool,
    /// The page of the ticket: a signed link, good without a login.
    pub link: String,
}

/// A ticket was solved: the customer is to be asked whether it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketSolved {
    /// Which ticket.
    pub ticket: TicketId,
    /// When: it may be solved again.
    pub at: Timestamp,
}

/// Something is to be done for the customer of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyAsked {
    /// Of which ticket.
    pub ticket: TicketId,
    /// Which of its remedies, by its key.
    pub remedy: Text<128>,
}

/// Somebody of the merchant is to call a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallWanted {
    /// Because of which ticket.
    pub ticket: TicketId,
    /// Which of its remedies, by its key.
    pub remedy: Text<128>,
    /// Which number, if it is not that of the order's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text<32>>,
    /// Which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

/// The tier of a member is another one: what else knows it is to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierChanged {
    /// Whose.
    pub customer: CustomerId,
}

/// A member's first points were posted: the ledger is to be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsBegun {
    /// Whose.
    pub customer: CustomerId,
}

/// A member earned points, or lost some of them, while a contest runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsEarned {
    /// Who.
    pub customer: CustomerId,
}

/// There is something in an account that belongs into another one of the same
/// person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsFlowing {
    /// Whose account it is that is linked into another.
    pub customer: CustomerId,
}

/// A member is to be told that points end soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsExpiring {
    /// Whose.
    pub customer: CustomerId,
    /// How many end then.
    pub points: i64,
    /// When they end.
    pub ends_at: Timestamp,
    /// Within how many days.
    pub days: u16,
    /// The page on which they choose not to be told of such: RFC 8058's one
    /// click is a POST to it. Missing until the message may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// A member is to be told of another tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierNews {
    /// Who.
    pub customer: CustomerId,
    /// The tier before; missing if it was the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Text<40>>,
    /// The tier now; missing if it is the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<40>>,
    /// The page on which they choose not to be told of such: RFC 8058's one
    /// click is a POST to it. Missing until the message may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// A member is to be told that the tier is lost unless more is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierWarning {
    /// Who.
    pub customer: CustomerId,
    /// The tier that would be lost.
    pub tier: Text<40>,
    /// When.
    pub until: Timestamp,
    /// So many days before this is.
    pub days: u16,
    /// The page on which they choose not to be told of such: RFC 8058's one
    /// click is a POST to it. Missing until the message may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// A member is to be told of points for what was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MilestoneReached {
    /// Who.
    pub customer: CustomerId,
    /// Which milestone of the policy.
    pub milestone: Text<40>,
    /// How many points it gave.
    pub points: i64,
    /// The page on which they choose not to be told of such: RFC 8058's one
    /// click is a POST to it. Missing until the message may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// A member is to be told of a prize of a contest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContestWon {
    /// Who.
    pub customer: CustomerId,
    /// Which contest of the policy.
    pub contest: Text<40>,
    /// On which rank the member, or the member's team, came in.
    pub rank: u32,
    /// How many points it gave.
    pub points: i64,
    /// The page on which they choose not to be told of such: RFC 8058's one
    /// click is a POST to it. Missing until the message may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// A member is to be told of a gift of points, which may be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GiftOffered {
    /// Which gift.
    pub gift: GiftId,
    /// Who may accept it.
    pub customer: CustomerId,
    /// How many points.
    pub points: i64,
    /// Until when.
    pub until: Timestamp,
}

/// A member is to be told what became of a gift of points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GiftEnded {
    /// Which gift.
    pub gift: GiftId,
    /// Who made it.
    pub customer: CustomerId,
    /// What the other member did.
    pub how: End,
}

/// A member is to be told that two accounts are one from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsLinked {
    /// Which link.
    pub link: LinkId,
    /// Who is to be told: one of the two.
    pub customer: CustomerId,
    /// The account that has the points from now on.
    pub main: CustomerId,
    /// The account from which they flow.
    pub other: CustomerId,
    /// Until when the member undoes it alone.
    pub undo_until: Timestamp,
}

/// A reward was taken, called off or given back: its points follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedemptionChanged {
    /// Which redemption.
    pub redemption: RedemptionId,
}

/// Somebody of the merchant is to give a member a reward. Where goods go is read
/// with the redemption, by operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewardTaken {
    /// Which redemption.
    pub redemption: RedemptionId,
    /// Which reward.
    pub reward: RewardId,
    /// What it is.
    pub kind: RewardKind,
    /// About which order, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

/// A reward that a member was to be given is not to be given after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewardStopped {
    /// Which redemption.
    pub redemption: RedemptionId,
}

/// Every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "body")]
pub enum Message {
    /// See [`OrderPlaced`].
    #[serde(rename = "order.placed")]
    OrderPlaced(OrderPlaced),
    /// See [`OrderCancelled`].
    #[serde(rename = "order.cancelled")]
    OrderCancelled(OrderCancelled),
    /// See [`OrderPaid`].
    #[serde(rename = "order.paid")]
    OrderPaid(OrderPaid),
    /// See [`PaymentReceived`].
    #[serde(rename = "payment.received")]
    PaymentReceived(PaymentReceived),
    /// See [`RefundWanted`].
    #[serde(rename = "refund.wanted")]
    RefundWanted(RefundWanted),
    /// See [`OrderRefunded`].
    #[serde(rename = "order.refunded")]
    OrderRefunded(OrderRefunded),
    /// See [`PaymentAuthorised`].
    #[serde(rename = "payment.authorised")]
    PaymentAuthorised(PaymentAuthorised),
    /// See [`PaymentLate`].
    #[serde(rename = "payment.late")]
    PaymentLate(PaymentLate),
    /// See [`ApologyDue`].
    #[serde(rename = "apology.due")]
    ApologyDue(ApologyDue),
    /// See [`LatePaymentSettled`].
    #[serde(rename = "notification.late_payment_settled")]
    LatePaymentSettled(LatePaymentSettled),
    /// See [`RefundMade`].
    #[serde(rename = "notification.refund_made")]
    RefundMade(RefundMade),
    /// See [`TrackingReceived`].
    #[serde(rename = "tracking.received")]
    TrackingReceived(TrackingReceived),
    /// See [`ParcelDelivered`].
    #[serde(rename = "parcel.delivered")]
    ParcelDelivered(ParcelDelivered),
    /// See [`ParcelChanged`].
    #[serde(rename = "parcel.changed")]
    ParcelChanged(ParcelChanged),
    /// See [`ParcelNews`].
    #[serde(rename = "notification.parcel_news")]
    ParcelNews(ParcelNews),
    /// See [`DeliveryAlert`].
    #[serde(rename = "notification.delivery_alert")]
    DeliveryAlert(DeliveryAlert),
    /// See [`AlertRaised`].
    #[serde(rename = "notification.alert_raised")]
    AlertRaised(AlertRaised),
    /// See [`WishMade`].
    #[serde(rename = "notification.wish_made")]
    WishMade(WishMade),
    /// See [`ShipmentOpened`].
    #[serde(rename = "notification.shipment_opened")]
    ShipmentOpened(ShipmentOpened),
    /// See [`ShipmentStopped`].
    #[serde(rename = "notification.shipment_stopped")]
    ShipmentStopped(ShipmentStopped),
    /// See [`OrderHeld`].
    #[serde(rename = "notification.order_held")]
    OrderHeld(OrderHeld),
    /// See [`StockChanged`].
    #[serde(rename = "notification.stock_changed")]
    StockChanged(StockChanged),
    /// See [`CartAbandoned`].
    #[serde(rename = "notification.cart_abandoned")]
    CartAbandoned(CartAbandoned),
    /// See [`SurveyInvited`].
    #[serde(rename = "notification.survey_invited")]
    SurveyInvited(SurveyInvited),
    /// See [`RedemptionChanged`].
    #[serde(rename = "redemption.changed")]
    RedemptionChanged(RedemptionChanged),
    /// See [`RewardTaken`].
    #[serde(rename = "notification.reward_taken")]
    RewardTaken(RewardTaken),
    /// See [`RewardStopped`].
    #[serde(rename = "notification.reward_stopped")]
    RewardStopped(RewardStopped),
    /// See [`TierChanged`].
    #[serde(rename = "tier.changed")]
    TierChanged(TierChanged),
    /// See [`ActionDone`].
    #[serde(rename = "action.done")]
    ActionDone(ActionDone),
    /// See [`PointsBegun`].
    #[serde(rename = "points.begun")]
    PointsBegun(PointsBegun),
    /// See [`PointsEarned`].
    #[serde(rename = "points.earned")]
    PointsEarned(PointsEarned),
    /// See [`PointsFlowing`].
    #[serde(rename = "points.flowing")]
    PointsFlowing(PointsFlowing),
    /// See [`PointsExpiring`].
    #[serde(rename = "notification.points_expiring")]
    PointsExpiring(PointsExpiring),
    /// See [`TierNews`].
    #[serde(rename = "notification.tier_news")]
    TierNews(TierNews),
    /// See [`TierWarning`].
    #[serde(rename = "notification.tier_warning")]
    TierWarning(TierWarning),
    /// See [`MilestoneReached`].
    #[serde(rename = "notification.milestone_reached")]
    MilestoneReached(MilestoneReached),
    /// See [`ContestWon`].
    #[serde(rename = "notification.contest_won")]
    ContestWon(ContestWon),
    /// See [`GiftOffered`].
    #[serde(rename = "notification.gift_offered")]
    GiftOffered(GiftOffered),
    /// See [`GiftEnded`].
    #[serde(rename = "notification.gift_ended")]
    GiftEnded(GiftEnded),
    /// See [`AccountsLinked`].
    #[serde(rename = "notification.accounts_linked")]
    AccountsLinked(AccountsLinked),
    /// See [`SurveyAnswered`].
    #[serde(rename = "survey.answered")]
    SurveyAnswered(SurveyAnswered),
    /// See [`TicketWaits`].
    #[serde(rename = "notification.ticket_waits")]
    TicketWaits(TicketWaits),
    /// See [`TicketNews`].
    #[serde(rename = "notification.ticket_news")]
    TicketNews(TicketNews),
    /// See [`TicketSolved`].
    #[serde(rename = "ticket.solved")]
    TicketSolved(TicketSolved),
    /// Of a ticket: points, see [`RemedyAsked`].
    #[serde(rename = "remedy.points_asked")]
    PointsAsked(RemedyAsked),
    /// Of a ticket: refund, see [`RemedyAsked`].
    #[serde(rename = "remedy.refund_asked")]
    RefundAsked(RemedyAsked),
    /// Of a ticket: reship, see [`RemedyAsked`].
    #[serde(rename = "remedy.reship_asked")]
    ReshipAsked(RemedyAsked),
    /// See [`CallWanted`].
    #[serde(rename = "notification.call_wanted")]
    CallWanted(CallWanted),
}

impl Message {
    /// The queues that want it. [`Queue::Webhooks`] gets it only while a system
    /// of the merchant asked for it.
    #[must_use]
    pub fn queues(&self) -> &'static [Queue] {
        match self {
            Self::OrderPlaced(_) => &[Queue::Orders],
            Self::OrderPaid(_) => {
                &[Queue::Shipments, Queue::Points, Queue::Orders, Queue::Surveys, Queue::Webhooks]
            }
            Self::OrderCancelled(_) => &[Queue::Points, Queue::ProviderCalls, Queue::Webhooks],
            Self::OrderRefunded(_) => {
                &[Queue::Points, Queue::Surveys, Queue::ProviderCalls, Queue::Webhooks]
            }
            Self::RefundWanted(_) | Self::PaymentAuthorised(_) => &[Queue::ProviderCalls],
            Self::PaymentLate(_) => &[Queue::LatePayments],
            Self::RedemptionChanged(_)
            | Self::ApologyDue(_)
            | Self::PointsAsked(_)
            | Self::ActionDone(_)
            | Self::PointsBegun(_)
            | Self::PointsEarned(_)
            | Self::PointsFlowing(_) => &[Queue::Points],
            Self::TierChanged(_) => &[Queue::Points, Queue::Surveys],
            Self::SurveyAnswered(_) => &[Queue::Feedback, Queue::Care],
            Self::TicketSolved(_) => &[Queue::Surveys],
            Self::RefundAsked(_) => &[Queue::OrderRequests],
            Self::ReshipAsked(_) => &[Queue::Shipments],
            Self::PaymentReceived(_) => &[Queue::Payments],
            Self::TrackingReceived(_) => &[Queue::Tracking],
            Self::ParcelDelivered(_) => &[Queue::Points, Queue::Surveys],
            Self::ParcelChanged(_) => &[Queue::Webhooks],
            Self::ShipmentOpened(_)
            | Self::ShipmentStopped(_)
            | Self::AlertRaised(_)
            | Self::TicketWaits(_)
            | Self::CallWanted(_)
            | Self::WishMade(_) => &[Queue::Notifications, Queue::Webhooks],
            Self::CartAbandoned(_)
            | Self::PointsExpiring(_)
            | Self::TierNews(_)
            | Self::TierWarning(_)
            | Self::MilestoneReached(_)
            | Self::ContestWon(_) => &[Queue::Contacts],
            Self::ParcelNews(_)
            | Self::TicketNews(_)
            | Self::DeliveryAlert(_)
            | Self::OrderHeld(_)
            | Self::LatePaymentSettled(_)
            | Self::RefundMade(_)
            | Self::StockChanged(_)
            | Self::GiftOffered(_)
            | Self::GiftEnded(_)
            | Self::AccountsLinked(_)
            | Self::RewardTaken(_)
            | Self::RewardStopped(_)
            | Self::SurveyInvited(_) => &[Queue::Notifications],
        }
    }

    /// The name of its kind, as it is written in `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OrderPlaced(_) => "order.placed",
            Self::OrderPaid(_) => "order.paid",
            Self::OrderCancelled(_) => "order.cancelled",
            Self::PaymentReceived(_) => "payment.received",
            Self::RefundWanted(_) => "refund.wanted",
            Self::OrderRefunded(_) => "order.refunded",
            Self::PaymentAuthorised(_) => "payment.authorised",
            Self::PaymentLate(_) => "payment.late",
            Self::ApologyDue(_) => "apology.due",
            Self::LatePaymentSettled(_) => "notification.late_payment_settled",
            Self::RefundMade(_) => "notification.refund_made",
            Self::TrackingReceived(_) => "tracking.received",
            Self::ParcelDelivered(_) => "parcel.delivered",
            Self::ParcelChanged(_) => "parcel.changed",
            Self::ParcelNews(_) => "notification.parcel_news",
            Self::DeliveryAlert(_) => "notification.delivery_alert",
            Self::AlertRaised(_) => "notification.alert_raised",
            Self::WishMade(_) => "notification.wish_made",
            Self::ShipmentOpened(_) => "notification.shipment_opened",
            Self::ShipmentStopped(_) => "notification.shipment_stopped",
            Self::OrderHeld(_) => "notification.order_held",
            Self::StockChanged(_) => "notification.stock_changed",
            Self::CartAbandoned(_) => "notification.cart_abandoned",
            Self::SurveyInvited(_) => "notification.survey_invited",
            Self::RedemptionChanged(_) => "redemption.changed",
            Self::RewardTaken(_) => "notification.reward_taken",
            Self::RewardStopped(_) => "notification.reward_stopped",
            Self::TierChanged(_) => "tier.changed",
            Self::ActionDone(_) => "action.done",
            Self::PointsBegun(_) => "points.begun",
            Self::PointsEarned(_) => "points.earned",
            Self::PointsFlowing(_) => "points.flowing",
            Self::PointsExpiring(_) => "notification.points_expiring",
            Self::TierNews(_) => "notification.tier_news",
            Self::TierWarning(_) => "notification.tier_warning",
            Self::MilestoneReached(_) => "notification.milestone_reached",
            Self::ContestWon(_) => "notification.contest_won",
            Self::GiftOffered(_) => "notification.gift_offered",
            Self::GiftEnded(_) => "notification.gift_ended",
            Self::AccountsLinked(_) => "notification.accounts_linked",
            Self::SurveyAnswered(_) => "survey.answered",
            Self::TicketWaits(_) => "notification.ticket_waits",
            Self::TicketNews(_) => "notification.ticket_news",
            Self::TicketSolved(_) => "ticket.solved",
            Self::PointsAsked(_) => "remedy.points_asked",
            Self::RefundAsked(_) => "remedy.refund_asked",
            Self::ReshipAsked(_) => "remedy.reship_asked",
            Self::CallWanted(_) => "notification.call_wanted",
        }
    }

    /// What it is about, as logs name it.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::OrderPlaced(body) => body.order.to_string(),
            Self::OrderPaid(body) => body.order.to_string(),
            Self::OrderCancelled(body) => body.order.to_string(),
            Self::OrderHeld(body) => body.order.to_string(),
            Self::ShipmentStopped(body) => body.shipment.to_string(),
            Self::StockChanged(body) => format!("{} {}", body.sku, body.location),
            Self::CartAbandoned(body) => body.cart.to_string(),
            Self::PaymentReceived(body) => body.payment.to_string(),
            Self::RefundWanted(body) => body.order.to_string(),
            Self::OrderRefunded(body) => body.order.to_string(),
            Self::PaymentAuthorised(body) => body.payment.to_string(),
            Self::PaymentLate(body) => body.payment.to_string(),
            Self::ApologyDue(body) => body.order.to_string(),
            Self::LatePaymentSettled(body) => body.payment.to_string(),
            Self::RefundMade(body) => body.refund.to_string(),
            Self::TrackingReceived(body) => {
                format!("{}#{}", body.tracking.carrier, body.tracking.number)
            }
            Self::ParcelDelivered(body) => body.shipment.to_string(),
            Self::ShipmentOpened(body) => body.shipment.to_string(),
            Self::ParcelChanged(body) => body.shipment.to_string(),
            Self::ParcelNews(body) => format!("{} {}", body.shipment, body.status.as_str()),
            Self::DeliveryAlert(body) => body.alert.to_string(),
            Self::AlertRaised(body) => body.alert.to_string(),
            Self::WishMade(body) => body.alert.to_string(),
            Self::SurveyInvited(body) => body.invite.to_string(),
            Self::RedemptionChanged(body) => body.redemption.to_string(),
            Self::RewardTaken(body) => body.redemption.to_string(),
            Self::RewardStopped(body) => body.redemption.to_string(),
            Self::TierChanged(body) => body.customer.to_string(),
            Self::ActionDone(body) => format!("{} {}", body.customer, body.reference),
            Self::PointsBegun(body) => body.customer.to_string(),
            Self::PointsEarned(body) => body.customer.to_string(),
            Self::PointsFlowing(body) => body.customer.to_string(),
            Self::PointsExpiring(body) => {
                format!("{} {} {}", body.customer, body.days, body.ends_at)
            }
            Self::TierNews(body) => body.customer.to_string(),
            Self::TierWarning(body) => format!("{} {}", body.customer, body.days),
            Self::MilestoneReached(body) => format!("{} {}", body.customer, body.milestone),
            Self::ContestWon(body) => format!("{} {}", body.customer, body.contest),
            Self::GiftOffered(body) => body.gift.to_string(),
            Self::GiftEnded(body) => body.gift.to_string(),
            Self::AccountsLinked(body) => format!("{} {}", body.link, body.customer),
            Self::SurveyAnswered(body) => body.invite.to_string(),
            Self::TicketWaits(body) => format!("{} {:?} {}", body.ticket, body.why, body.due),
            Self::TicketNews(body) => format!("{} {}", body.ticket, body.entry),
            Self::TicketSolved(body) => format!("{} {}", body.ticket, body.at),
            Self::PointsAsked(body) => format!("{} {}", body.ticket, body.remedy),
            Self::RefundAsked(body) => format!("{} {}", body.ticket, body.remedy),
            Self::ReshipAsked(body) => format!("{} {}", body.ticket, body.remedy),
            Self::CallWanted(body) => format!("{} {}", body.ticket, body.remedy),
        }
    }
}

/// A message and what travels with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// The edition, [`VERSION`].
    pub v: u32,
    /// Derived from kind, subject and time, so a message sent twice is known as one.
    pub id: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// The trace of the call that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The message.
    #[serde(flatten)]
    pub message: Message,
}

impl Envelope {
    /// The message as written at this moment, in this trace.
    #[must_use]
    pub fn seal(message: Message, at: Timestamp, trace: Option<&str>) -> Self {
        let id = MessageId::derive(&[message.kind(), &message.subject(), &at.to_string()]);
        Self { v: VERSION, id, at, trace: trace.map(str::to_owned), message }
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// [`UnreadableMessage`] when it is not JSON, of an edition or a kind that
    /// this build does not know, or lacks a field.
    pub fn parse(text: &str) -> Result<Self, UnreadableMessage> {
        #[derive(Deserialize)]
        struct Edition {
            v: u32,
        }
        let edition: Edition = serde_json::from_str(text)?;
        if edition.v != VERSION {
            return Err(UnreadableMessage::Edition(edition.v));
        }
        Ok(serde_json::from_str(text)?)
    }
}

/// Why a text is no message.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableMessage {
    /// Another edition.
    #[error("edition {0} of the messages is not known here (this is edition {VERSION})")]
    Edition(u32),
    /// Malformed, or of an unknown kind.
    #[error("the message is malformed")]
    Malformed(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    #[test]
    fn an_envelope_reads_as_it_is_written() {
        let order = OrderId::derive(&["1"]);
        let customer = CustomerId::member("a").unwrap();
        let message = Message::OrderPaid(OrderPaid { order: order.clone(), customer });
        let envelope = Envelope::seal(message, at(), Some("1-abc"));
        let text = serde_json::to_string(&envelope).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"v":1,"id":"{}","at":"2026-11-21T12:00:00.000Z","trace":"1-abc","type":"order.paid","body":{{"order":"{order}","customer":"cus_a"}}}}"#,
                envelope.id
            )
        );
        assert_eq!(Envelope::parse(&text).unwrap(), envelope);
    }

    #[test]
    fn what_is_not_a_message_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"v":2,"id":"x","at":"","type":"order.paid","body":{}}"#,
            r#"{"v":1,"id":"msg_aaaaaaaaaaaaaaaaaaaaaaaaaa","at":"2026-11-21T12:00:00Z","type":"order.eaten","body":{}}"#,
        ] {
            assert!(Envelope::parse(text).is_err(), "{text}");
        }
    }
}
