//! Tickets as customers open them, and as customers and operators see them.

use std::collections::BTreeMap;

use aftercart::model::{
    customer::{CustomerId, Email, Language},
    dispatch::Shipment,
    id::{InviteId, OrderId, PaymentId, RefundId, ShipmentId, TicketId, VoucherId},
    money::Money,
    order::{Actor, Order, OrderStatus},
    payment::PaymentStatus,
    product::Sku,
    shipment::{Carrier, ParcelStatus, TrackingNumber},
    survey::{Given, Invite, InviteStatus, QuestionId, TouchpointId},
    text::Text,
    ticket::{
        CauseCode, DeskId, MAX_MESSAGE, Outcome, Priority, Remedy, RemedyKind, Source, Ticket,
        TicketEntry, TicketEvent, TicketStatus, Topic, Writer,
    },
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /me/tickets` and `POST /guest/orders/{id}/tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenTicket {
    /// About which of the member's orders, if it is about one. A guest's is about
    /// the order in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// About which shipment of it; the one that is most likely, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// What it is about; what the text is about, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// What happened, in one paragraph.
    pub text: Text<MAX_MESSAGE>,
    /// Where answers go. Needed where no order is named; about an order they go to
    /// its address, and none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// In which language; in that of the order, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// The body of `POST /operator/tickets`: what somebody said on the telephone, in
/// a chat, at a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeTicket {
    /// Whose it is.
    pub customer: CustomerId,
    /// About which of the customer's orders, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// About which shipment of it; the one that is most likely, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// What it is about; what the text is about, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// What was said, in one paragraph. The customer reads it.
    pub text: Text<MAX_MESSAGE>,
    /// Where answers go; to the address of the order, if it is left out. Needed
    /// where no order is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// In which language; in that of the order, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// How soon somebody sees to it; `normal`, if it is left out. Alarming words,
    /// and who it comes from, raise it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who sees to it; whoever the policy names, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<DeskId>,
}

/// A ticket as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketFile {
    /// Its identity.
    pub id: TicketId,
    /// Where it came from.
    pub source: Source,
    /// Whose it is.
    pub customer: CustomerId,
    /// Where answers go.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// The customer's tier when it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<40>>,
    /// About which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// About which shipment of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
    /// Who carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// The payments of the order.
    pub payments: Vec<PaymentId>,
    /// What goes back of them, or went.
    pub refunds: Vec<RefundId>,
    /// Vouchers that were given.
    pub vouchers: Vec<VoucherId>,
    /// What it is about.
    pub topic: Topic,
    /// How soon somebody sees to it.
    pub priority: Priority,
    /// The kinds of alarming words that the customer wrote.
    pub alarms: Vec<Text<40>>,
    /// Who sees to it.
    pub desk: DeskId,
    /// Who of them, by the subject of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Text<128>>,
    /// Where it stands.
    pub status: TicketStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the customer has to have an answer.
    pub answer_by: Timestamp,
    /// When it has to be solved.
    pub solve_by: Timestamp,
    /// When the customer had the first answer since it was opened, or opened
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// Since when it waits for the customer, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// When it was last solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved_at: Option<Timestamp>,
    /// Why it came to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseCode>,
    /// How often it was opened again.
    pub reopened: u16,
    /// How satisfied the customer was afterwards, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<u8>,
    /// What was done about it.
    pub remedies: Vec<RemedyFile>,
    /// How often it changed.
    pub version: u64,
}

/// Something that is done for the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyFile {
    /// What tells it from others of the ticket.
    pub key: Text<128>,
    /// What.
    pub remedy: RemedyKind,
    /// By whom.
    pub by: Actor,
    /// When it was asked for.
    pub at: Timestamp,
    /// Where it stands.
    pub status: RemedyStatus,
    /// Since when it is done, or it is known that it cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What it made: a voucher, a refund, a shipment, an entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Text<80>>,
    /// Why it cannot be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text<200>>,
}

/// Where a remedy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemedyStatus {
    /// Another part of the shop is at it.
    Asked,
    /// It is done.
    Done,
    /// It cannot be done.
    Refused,
}

/// A page of a desk's tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketPage {
    /// Whose they are.
    pub desk: DeskId,
    /// Where they stand.
    pub status: TicketStatus,
    /// Those that are open by when something has to happen, the most urgent first.
    pub tickets: Vec<TicketFile>,
    /// What the next page is asked for with, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A ticket with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketDossier {
    /// The ticket.
    pub ticket: TicketFile,
    /// What was written and done, in order.
    pub entries: Vec<EntryFile>,
    /// The order as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderBrief>,
    /// The order's shipments as they are now.
    pub shipments: Vec<ShipmentBrief>,
    /// The answer that it came from, as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerBrief>,
}

/// The order of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderBrief {
    /// Which.
    pub id: OrderId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Where it stands with money.
    pub status: OrderStatus,
    /// What was to be paid.
    pub total: Money,
    /// Its lines.
    pub lines: Vec<LineBrief>,
    /// How each attempt to pay it stands.
    pub payments: Vec<PaymentBrief>,
    /// Money that goes back, or went.
    pub refunds: Vec<RefundBrief>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineBrief {
    /// What.
    pub sku: Sku,
    /// Its title.
    pub title: Text<80>,
    /// How many.
    pub quantity: u32,
    /// For how many of them the money went back, or is to.
    pub off: u32,
}

/// An attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentBrief {
    /// Which.
    pub id: PaymentId,
    /// How it stands.
    pub status: PaymentStatus,
    /// Since when, by the provider's clock.
    pub at: Timestamp,
    /// Whether its money paid the order.
    pub paid: bool,
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundBrief {
    /// Which.
    pub id: RefundId,
    /// Of which attempt.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
}

/// A shipment of the order of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentBrief {
    /// Which.
    pub id: ShipmentId,
    /// Who carries it, if it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// Where it is.
    pub status: ParcelStatus,
    /// When it reached the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// The answer to a survey that a ticket came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerBrief {
    /// To which invitation.
    pub invite: InviteId,
    /// Of which survey.
    pub touchpoint: TouchpointId,
    /// When it was given.
    pub at: Timestamp,
    /// How often it was given: more than 1 if it was corrected.
    pub revision: u32,
    /// The scores, by question. What was written is among the entries.
    pub scores: BTreeMap<QuestionId, u8>,
}

/// An entry of a ticket as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryFile {
    /// Its number, from 1.
    pub number: u16,
    /// When.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: EntryWriter,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<TicketEvent>,
    /// What was written, personal data masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<MAX_MESSAGE>>,
    /// Whether the customer does not see it.
    pub internal: bool,
}

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryWriter {
    /// The customer.
    Customer,
    /// Somebody of the merchant, by the subject of the token.
    Operator(Text<128>),
    /// The shop's programs.
    Suite,
}

/// A ticket as its customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnTicket {
    /// Its identity.
    pub id: TicketId,
    /// About which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// What it is about.
    pub topic: Topic,
    /// Where it stands.
    pub status: TicketStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By when the customer has an answer, while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// When it was last solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved_at: Option<Timestamp>,
    /// The page on which the customer goes on: a signed link, good without a
    /// login. Only of a ticket that was just opened, or is asked for by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What was written and done, in order. Only of a ticket by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<OwnEntry>,
}

/// An entry of a ticket as its customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnEntry {
    /// When.
    pub at: Timestamp,
    /// Whether the customer wrote it, not the shop.
    pub mine: bool,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<TicketEvent>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<MAX_MESSAGE>>,
}

/// A page of a customer's tickets, latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnTicketPage {
    /// The tickets.
    pub tickets: Vec<OwnTicket>,
    /// What the next page is asked for with, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl From<Ticket> for TicketFile {
    fn from(ticket: Ticket) -> Self {
        let links = ticket.links;
        let (carrier, tracking_number) = links.parcel.map(|it| (it.carrier, it.number)).unzip();
        Self {
            id: ticket.id,
            source: ticket.source,
            customer: ticket.customer,
            email: ticket.email,
            language: ticket.language,
            tier: ticket.tier,
            order: links.order,
            shipment: links.shipment,
            carrier,
            tracking_number,
            payments: links.payments,
            refunds: links.refunds,
            vouchers: links.vouchers,
            topic: ticket.topic,
            priority: ticket.priority,
            alarms: ticket.alarms,
            desk: ticket.desk,
            assignee: ticket.assignee,
            status: ticket.status,
            opened_at: ticket.opened_at,
            answer_by: ticket.answer_by,
            solve_by: ticket.solve_by,
            answered_at: ticket.answered_at,
            waiting_since: ticket.waiting_since,
            solved_at: ticket.solved_at,
            cause: ticket.cause,
            reopened: ticket.reopened,
            satisfaction: ticket.satisfaction,
            remedies: ticket.remedies.into_iter().map(RemedyFile::from).collect(),
            version: ticket.version,
        }
    }
}

impl From<Remedy> for RemedyFile {
    fn from(remedy: Remedy) -> Self {
        let (status, ended_at, reference, why) = match remedy.outcome {
            Outcome::Asked => (RemedyStatus::Asked, None, None, None),
            Outcome::Done { at, reference } => (RemedyStatus::Done, Some(at), reference, None),
            Outcome::Refused { at, why } => (RemedyStatus::Refused, Some(at), None, Some(why)),
        };
        let Remedy { key, kind, by, at, .. } = remedy;
        Self { key, remedy: kind, by, at, status, ended_at, reference, why }
    }
}

impl From<TicketEntry> for EntryFile {
    fn from(entry: TicketEntry) -> Self {
        Self {
            number: entry.number,
            at: entry.at,
            by: match entry.by {
                Writer::Customer => EntryWriter::Customer,
                Writer::Operator(name) => EntryWriter::Operator(name),
                Writer::Suite => EntryWriter::Suite,
            },
            event: entry.event,
            text: entry.text,
            internal: entry.internal,
        }
    }
}

impl From<&Order> for OrderBrief {
    fn from(order: &Order) -> Self {
        let lines = order.lines.iter().map(|it| LineBrief {
            sku: it.sku.clone(),
            title: it.title.clone(),
            quantity: it.quantity,
            off: it.off(),
        });
        let payments = order.payments.iter().map(|it| PaymentBrief {
            id: it.payment.clone(),
            status: it.status,
            at: it.at,
            paid: it.paid,
        });
        let refunds = order.refunds_due.iter().map(|it| RefundBrief {
            id: it.id.clone(),
            payment: it.payment.clone(),
            amount: it.amount,
        });
        Self {
            id: order.id.clone(),
            placed_at: order.placed_at,
            status: order.status,
            total: order.total,
            lines: lines.collect(),
            payments: payments.collect(),
            refunds: refunds.collect(),
        }
    }
}

impl From<&Shipment> for ShipmentBrief {
    fn from(shipment: &Shipment) -> Self {
        let tracking = shipment.tracking.clone();
        let (carrier, tracking_number) = tracking.map(|it| (it.carrier, it.number)).unzip();
        Self {
            id: shipment.id.clone(),
            carrier,
            tracking_number,
            status: shipment.journey.status,
            delivered_at: shipment.journey.delivered_at,
        }
    }
}

impl AnswerBrief {
    /// What was answered, if it was.
    #[must_use]
    pub fn of(invite: &Invite) -> Option<Self> {
        let InviteStatus::Answered { answer, .. } = &invite.status else { return None };
        let score = |(id, given): (&QuestionId, &Given)| match given {
            Given::Score(score) => Some((id.clone(), *score)),
            _ => None,
        };
        Some(Self {
            invite: invite.id.clone(),
            touchpoint: invite.touchpoint.clone(),
            at: answer.at,
            revision: answer.revision,
            scores: answer.given.iter().filter_map(score).collect(),
        })
    }
}

impl From<&Ticket> for OwnTicket {
    fn from(ticket: &Ticket) -> Self {
        let is_due = ticket.answered_at.is_none() && ticket.status == TicketStatus::Open;
        Self {
            id: ticket.id.clone(),
            order: ticket.links.order.clone(),
            topic: ticket.topic,
            status: ticket.status,
            opened_at: ticket.opened_at,
            answer_by: is_due.then_some(ticket.answer_by),
            solved_at: ticket.solved_at,
            link: None,
            entries: Vec::new(),
        }
    }
}

impl OwnEntry {
    /// The entry, if the customer sees it.
    #[must_use]
    pub fn of(entry: TicketEntry) -> Option<Self> {
        let mine = entry.by == Writer::Customer;
        (!entry.internal).then_some(Self {
            at: entry.at,
            mine,
            event: entry.event,
            text: entry.text,
        })
    }
}
