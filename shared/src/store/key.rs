//! Every key of the store is made on this page.

use crate::model::{
    contact::Contactee,
    customer::CustomerId,
    digest,
    id::{
        AdjustmentId, AlertId, CartId, CaseId, EntryId, GiftId, HoldId, InviteId, LinkId,
        MovementId, OrderId, PaymentId, RedemptionId, RefundId, ShareId, ShipmentId, TeamId,
        TicketId, VoucherId, WebhookId,
    },
    payment::Provider,
    performance::Lane,
    points::Entry,
    product::Sku,
    reward::RewardId,
    shipment::{Carrier, Tracking},
    stock::LocationId,
    survey::TouchpointId,
    text::Text,
    till::MemberNumber,
    time::{Date, Timestamp},
    webhook::EndpointId,
};

use super::Table;

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub(super) table: Table,
    pub(super) pk: String,
    pub(super) sk: String,
}

/// The attribute of the partition key.
pub(super) const PK: &str = "pk";
/// The attribute of the sort key.
pub(super) const SK: &str = "sk";
/// The partition attribute of the index of what is due.
pub(super) const DUE_SHARD: &str = "due_shard";
/// The range attribute of the index of what is due.
pub(super) const DUE: &str = "due";
/// The range attribute of the index of orders by time.
pub(super) const PLACED_AT: &str = "placed_at";

/// Over how many partitions the index of what is due is spread. One partition
/// takes 1,000 writes a second; four keep ahead of what follows from orders, and
/// a sweep pays four queries.
pub(super) const DUE_SHARDS: u8 = 4;

/// The same of orders, of which every one is put into the index while its buyer
/// waits, and taken out when it is paid: in a rush for one product these are
/// 4,000 a second each.
pub(super) const ORDER_DUE_SHARDS: u8 = 16;

/// The shard of an item in the index of what is due, by its identity.
pub(super) fn due_shard(identity: &str) -> String {
    shard(identity, DUE_SHARDS)
}

/// The shard of an order in the index of what is due.
pub(super) fn order_due_shard(order: &OrderId) -> String {
    shard(order.as_str(), ORDER_DUE_SHARDS)
}

/// One of so many shards, of 16 at most: the last digit of the digest decides.
fn shard(identity: &str, of: u8) -> String {
    let digit = digest::full(&[identity.as_bytes()]).chars().next_back();
    let digit = digit.and_then(|it| it.to_digit(16)).unwrap_or(0);
    digit.checked_rem(u32::from(of)).unwrap_or(0).to_string()
}

impl Key {
    fn new(table: Table, pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { table, pk: pk.into(), sk: sk.into() }
    }

    /// A product.
    #[must_use]
    pub fn product(sku: &Sku) -> Self {
        Self::new(Table::Products, sku.as_str(), "PRODUCT")
    }

    /// The goods that are bought together with a product.
    #[must_use]
    pub fn related(sku: &Sku) -> Self {
        Self::new(Table::Lookups, format!("SKU#{sku}"), "RELATED")
    }

    /// That an order was counted in what is bought together.
    #[must_use]
    pub fn counted(order: &OrderId) -> Self {
        Self::new(Table::Lookups, order.as_str(), "COUNTED")
    }

    /// How many units of a product there are in a part of a location. Parts
    /// are partitions of their own: one takes 1,000 write units a second.
    #[must_use]
    pub fn level(sku: &Sku, location: &LocationId, shard: u8) -> Self {
        let sk = format!("{LEVEL_PREFIX}{location}");
        match shard {
            0 => Self::new(Table::Stock, sku.as_str(), sk),
            shard => Self::new(Table::Stock, format!("{sku}#{shard}"), sk),
        }
    }

    /// What was last told of how much of a product a location has.
    #[must_use]
    pub fn stock_watch(sku: &Sku, location: &LocationId) -> Self {
        Self::new(Table::Stock, sku.as_str(), format!("WATCH#{location}"))
    }

    /// A movement of goods.
    #[must_use]
    pub fn movement(sku: &Sku, id: &MovementId) -> Self {
        Self::new(Table::Stock, sku.as_str(), format!("{MOVEMENT_PREFIX}{id}"))
    }

    /// What is known of a member.
    #[must_use]
    pub fn profile(customer: &CustomerId) -> Self {
        Self::new(Table::Customers, customer.as_str(), "PROFILE")
    }

    /// A voucher of a member.
    #[must_use]
    pub fn voucher(customer: &CustomerId, id: &VoucherId) -> Self {
        Self::new(Table::Customers, customer.as_str(), id.as_str())
    }

    /// An offer that a member shares.
    #[must_use]
    pub fn share(id: &ShareId) -> Self {
        Self::new(Table::Shares, id.as_str(), "SHARE")
    }

    /// A cart.
    #[must_use]
    pub fn cart(id: &CartId) -> Self {
        Self::new(Table::Carts, id.as_str(), "CART")
    }

    /// How much of a part of a quota is used. Parts are partitions of their
    /// own, so that buyers do not queue for one of them.
    #[must_use]
    pub fn quota(rule: &str, scope: &str, shard: u8) -> Self {
        Self::new(Table::Quotas, format!("{rule}#{scope}#{shard}"), "USED")
    }

    /// How often something was seen of late: a buyer, a device, an address, a card.
    #[must_use]
    pub fn seen(kind: &str, digest: &str) -> Self {
        Self::new(Table::Risk, format!("{kind}#{digest}"), "SEEN")
    }

    /// Whether something is blocked or trusted.
    #[must_use]
    pub fn listed(kind: &str, digest: &str) -> Self {
        Self::new(Table::Risk, format!("{kind}#{digest}"), "LISTED")
    }

    /// That an order is found under a term; orders sort by time.
    #[must_use]
    pub fn term(term: &str, placed_at: Timestamp, order: &OrderId) -> Self {
        Self::new(Table::Lookups, term, format!("{placed_at}#{order}"))
    }

    /// An order. The buyer is part of the key: another's order is not found.
    #[must_use]
    pub fn order(customer: &CustomerId, order: &OrderId) -> Self {
        Self::new(Table::Orders, customer.as_str(), order.as_str())
    }

    /// An attempt to pay.
    #[must_use]
    pub fn attempt(payment: &PaymentId) -> Self {
        Self::new(Table::Payments, payment.as_str(), "ATTEMPT")
    }

    /// A provider's report about an attempt. Identities of events are one
    /// provider's, so that no other can take one first.
    #[must_use]
    pub fn payment_event(payment: &PaymentId, provider: Provider, event: &str) -> Self {
        let sk = format!("{EVENT_PREFIX}{provider}#{event}");
        Self::new(Table::Payments, payment.as_str(), sk)
    }

    /// What goes back of an attempt.
    #[must_use]
    pub fn refund(payment: &PaymentId, refund: &RefundId) -> Self {
        Self::new(Table::Payments, payment.as_str(), format!("{REFUND_PREFIX}{refund}"))
    }

    /// The body that brought a report, kept for a while.
    #[must_use]
    pub fn payment_body(payment: &PaymentId, provider: Provider, event: &str) -> Self {
        let pk = format!("BODY#{payment}");
        Self::new(Table::Payments, pk, format!("{EVENT_PREFIX}{provider}#{event}"))
    }

    /// Which attempt a provider knows under an identity of its own.
    #[must_use]
    pub fn payment_reference(provider: Provider, reference: &str) -> Self {
        Self::new(Table::Payments, format!("{provider}#{reference}"), "REFERENCE")
    }

    /// How the calls to a provider went of late.
    #[must_use]
    pub fn breaker(provider: Provider) -> Self {
        Self::new(Table::Payments, format!("BREAKER#{provider}"), "BREAKER")
    }

    /// Something about payments that waits for a person.
    #[must_use]
    pub fn case(case: &CaseId) -> Self {
        Self::new(Table::Payments, case.as_str(), "CASE")
    }

    /// The shipments of an order.
    #[must_use]
    pub fn dispatch(order: &OrderId) -> Self {
        Self::new(Table::Shipments, order.as_str(), "DISPATCH")
    }

    /// Something about a delivery that somebody sees to.
    #[must_use]
    pub fn alert(alert: &AlertId) -> Self {
        Self::new(Table::Shipments, alert.as_str(), "ALERT")
    }

    /// What is counted of the deliveries of a lane in a month, such as `2026-11`.
    #[must_use]
    pub fn performance(month: &str, lane: &Lane) -> Self {
        let Lane { service, carrier, from, to, method } = lane;
        let service = service.as_ref().map_or("", Text::as_str);
        let carrier = carrier.map_or("", Carrier::as_str);
        let sk = format!("{method}#{from}#{}#{carrier}#{service}", to.as_str());
        Self::new(Table::Shipments, performance_pk(month), sk)
    }

    /// A message to an endpoint of the merchant.
    #[must_use]
    pub fn webhook(id: &WebhookId) -> Self {
        Self::new(Table::Webhooks, id.as_str(), "DELIVERY")
    }

    /// How the calls of an endpoint of the merchant went of late.
    #[must_use]
    pub fn webhook_health(endpoint: &EndpointId) -> Self {
        Self::new(Table::Webhooks, format!("HEALTH#{endpoint}"), "HEALTH")
    }

    /// What endpoints of the merchant were last told of a shipment's parcel.
    #[must_use]
    pub fn webhook_told(shipment: &ShipmentId) -> Self {
        Self::new(Table::Webhooks, shipment.as_str(), "TOLD")
    }

    /// A parcel by its label.
    #[must_use]
    pub fn parcel(tracking: &Tracking) -> Self {
        Self::new(Table::Tracking, tracking_pk(tracking), "PARCEL")
    }

    /// The raw body of a carrier's call.
    #[must_use]
    pub fn carrier_body(carrier: Carrier, digest: &str) -> Self {
        Self::new(Table::Tracking, format!("BODY#{carrier}#{digest}"), "BODY")
    }

    /// A member's ledger of points.
    #[must_use]
    pub fn ledger(customer: &CustomerId) -> Self {
        Self::new(Table::Points, customer.as_str(), "ACCOUNT")
    }

    /// An entry of a ledger; entries sort by time.
    #[must_use]
    pub fn entry(customer: &CustomerId, at: Timestamp, id: &EntryId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("ENTRY#{at}#{id}"))
    }

    /// Where an entry is.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Self {
        Self::entry(&entry.customer, entry.at, &entry.id)
    }

    /// The entry of a member that an index names.
    pub(super) fn found_entry(customer: &CustomerId, sk: &str) -> Option<Self> {
        let is_entry = sk.starts_with(ENTRY_PREFIX);
        is_entry.then(|| Self::new(Table::Points, customer.as_str(), sk))
    }

    /// That there is a ledger of a member: the register that lists all of them.
    #[must_use]
    pub fn registered(customer: &CustomerId) -> Self {
        Self::new(Table::Points, customer.as_str(), "REGISTERED")
    }

    /// A member in a contest.
    #[must_use]
    pub fn participant(contest: &Text<40>, customer: &CustomerId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("CONTEST#{contest}"))
    }

    /// A team of a contest.
    #[must_use]
    pub fn team(team: &TeamId) -> Self {
        Self::new(Table::Points, team.as_str(), "TEAM")
    }

    /// How a contest ended.
    #[must_use]
    pub fn outcome(contest: &Text<40>) -> Self {
        Self::new(Table::Points, format!("CONTEST#{contest}"), "OUTCOME")
    }

    /// What all ledgers amounted to on a day.
    #[must_use]
    pub fn tally(date: Date) -> Self {
        Self::new(Table::Points, TALLIES, format!("{TALLY_PREFIX}{date}"))
    }

    /// A gift of points.
    #[must_use]
    pub fn gift(id: &GiftId) -> Self {
        Self::new(Table::Points, id.as_str(), "GIFT")
    }

    /// That a member made a gift or may accept it; gifts sort by time.
    #[must_use]
    pub fn gift_of(customer: &CustomerId, at: Timestamp, id: &GiftId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("{GIFT_PREFIX}{at}#{id}"))
    }

    /// What a member gave and accepted of late.
    #[must_use]
    pub fn giving(customer: &CustomerId) -> Self {
        Self::new(Table::Points, customer.as_str(), "GIVING")
    }

    /// A draw of a member in a campaign.
    #[must_use]
    pub fn drawn(customer: &CustomerId, reference: &Text<80>) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("DRAWN#{}", reference.as_str()))
    }

    /// What a member drew in a campaign so far.
    #[must_use]
    pub fn drawing(customer: &CustomerId, campaign: &Text<40>) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("DRAWING#{}", campaign.as_str()))
    }

    /// How much is given of a part of a campaign's points.
    #[must_use]
    pub fn pool(campaign: &Text<40>, part: u8) -> Self {
        Self::new(Table::Points, format!("POOL#{}#{part}", campaign.as_str()), "POOL")
    }

    /// Points that an operator gives or takes.
    #[must_use]
    pub fn adjustment(id: &AdjustmentId) -> Self {
        Self::new(Table::Points, id.as_str(), "ADJUSTMENT")
    }

    /// How many points an operator gave and took alone.
    #[must_use]
    pub fn alone(operator: &Text<128>) -> Self {
        Self::new(Table::Points, format!("ALONE#{}", operator.as_str()), "ALONE")
    }

    /// A deed of a member that was judged.
    #[must_use]
    pub fn deed(customer: &CustomerId, id: &EntryId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("DEED#{id}"))
    }

    /// What was undone of an order's points.
    #[must_use]
    pub fn undone(customer: &CustomerId, order: &OrderId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("{UNDONE_PREFIX}{order}"))
    }

    /// A reward of the catalogue.
    #[must_use]
    pub fn reward(id: &RewardId) -> Self {
        Self::new(Table::Points, format!("{REWARD_PREFIX}{id}"), "REWARD")
    }

    /// How many of a reward a member has.
    #[must_use]
    pub fn reward_count(customer: &CustomerId, id: &RewardId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("REWARD#{id}"))
    }

    /// A reward that a member took.
    #[must_use]
    pub fn redemption(id: &RedemptionId) -> Self {
        Self::new(Table::Points, id.as_str(), "REDEMPTION")
    }

    /// That a member took a reward; such notes sort by time.
    #[must_use]
    pub fn redeemed(customer: &CustomerId, at: Timestamp, id: &RedemptionId) -> Self {
        Self::new(Table::Points, customer.as_str(), format!("{REDEEMED_PREFIX}{at}#{id}"))
    }

    /// The member whom tills know by a number.
    #[must_use]
    pub fn member_number(number: &MemberNumber) -> Self {
        Self::new(Table::Points, format!("NUMBER#{number}"), "NUMBER")
    }

    /// That a member's code of a step was used to hold points.
    #[must_use]
    pub fn used_code(number: &MemberNumber, step: i64) -> Self {
        Self::new(Table::Points, format!("NUMBER#{number}"), format!("USED#{step}"))
    }

    /// How many codes of a number were refused of late.
    #[must_use]
    pub fn refused_codes(number: &MemberNumber) -> Self {
        Self::new(Table::Points, format!("NUMBER#{number}"), "REFUSED")
    }

    /// Points that are held for a till.
    #[must_use]
    pub fn till_hold(id: &HoldId) -> Self {
        Self::new(Table::Points, id.as_str(), "HOLD")
    }

    /// A receipt of a store.
    #[must_use]
    pub fn receipt(id: &OrderId) -> Self {
        Self::new(Table::Points, id.as_str(), "RECEIPT")
    }

    /// A link of two accounts.
    #[must_use]
    pub fn account_link(id: &LinkId) -> Self {
        Self::new(Table::Points, id.as_str(), "LINK")
    }

    /// An invitation.
    #[must_use]
    pub fn invite(id: &InviteId) -> Self {
        Self::new(Table::Surveys, id.as_str(), "INVITE")
    }

    /// The products that a survey names, beside its invitation.
    #[must_use]
    pub fn invite_products(id: &InviteId) -> Self {
        Self::new(Table::Surveys, id.as_str(), "PRODUCTS")
    }

    /// How often somebody was contacted, and what they want.
    #[must_use]
    pub fn contacts(who: &Contactee) -> Self {
        Self::new(Table::Surveys, who.as_str(), "CONTACTS")
    }

    /// What was decided about a contact. Its reference tells it from others, so
    /// one is decided about once.
    #[must_use]
    pub fn contact_entry(who: &Contactee, reference: &Text<80>) -> Self {
        let sk = format!("{CONTACT_PREFIX}{}", reference.as_str());
        Self::new(Table::Surveys, who.as_str(), sk)
    }

    /// What is counted of the answers to a touchpoint in a month, of one column
    /// of a report: `all`, `carrier#royal-mail`.
    #[must_use]
    pub fn answers(touchpoint: &TouchpointId, month: &str, column: &str) -> Self {
        Self::new(Table::Surveys, answers_pk(touchpoint, month), column)
    }

    /// What a buyer wrote in a survey, next to what others wrote in that month,
    /// such as `2026-11`; feedback sorts by time.
    #[must_use]
    pub fn feedback(month: &str, at: Timestamp, invite: &InviteId) -> Self {
        Self::new(Table::Surveys, feedback_pk(month), format!("{at}#{invite}"))
    }

    /// What is counted of tickets in a month, of one column of a report.
    #[must_use]
    pub fn ticket_counts(month: &str, column: &str) -> Self {
        Self::new(Table::Tickets, ticket_counts_pk(month), column)
    }

    /// A ticket.
    #[must_use]
    pub fn ticket(id: &TicketId) -> Self {
        Self::new(Table::Tickets, id.as_str(), "TICKET")
    }

    /// An entry of a ticket.
    #[must_use]
    pub fn ticket_entry(id: &TicketId, number: u16) -> Self {
        Self::new(Table::Tickets, id.as_str(), format!("{TICKET_ENTRY_PREFIX}{number:05}"))
    }

    /// That a customer has a ticket; such notes sort by time.
    #[must_use]
    pub fn ticket_of(customer: &CustomerId, at: Timestamp, id: &TicketId) -> Self {
        Self::new(Table::Tickets, customer.as_str(), format!("{TICKET_PREFIX}{at}#{id}"))
    }

    /// The policy.
    #[must_use]
    pub fn policy() -> Self {
        Self::new(Table::Settings, "POLICY", "CURRENT")
    }

    /// The price rules.
    #[must_use]
    pub fn price_rules() -> Self {
        Self::new(Table::Settings, "PRICE_RULES", "CURRENT")
    }

    /// The exchange rates.
    #[must_use]
    pub fn exchange_rates() -> Self {
        Self::new(Table::Settings, "EXCHANGE_RATES", "CURRENT")
    }
}

/// The partition of what is counted of the deliveries of a month.
pub(super) fn performance_pk(month: &str) -> String {
    format!("PERFORMANCE#{month}")
}

/// The partition of what is counted of the answers to a touchpoint in a month.
pub(super) fn answers_pk(touchpoint: &TouchpointId, month: &str) -> String {
    format!("ANSWERS#{touchpoint}#{month}")
}

/// The partition of what buyers wrote in surveys in a month.
pub(super) fn feedback_pk(month: &str) -> String {
    format!("FEEDBACK#{month}")
}

/// The partition of what is counted of the tickets of a month.
pub(super) fn ticket_counts_pk(month: &str) -> String {
    format!("TICKETS#{month}")
}

/// What the sort keys of decisions about contacts begin with.
pub(super) const CONTACT_PREFIX: &str = "CONTACT#";

/// What the sort keys of a ticket's entries begin with.
pub(super) const TICKET_ENTRY_PREFIX: &str = "ENTRY#";

/// What the sort keys of notes of a customer's tickets begin with.
pub(super) const TICKET_PREFIX: &str = "TICKET#";

/// The partition of a parcel and of all that its carrier reported of it.
pub(super) fn tracking_pk(tracking: &Tracking) -> String {
    format!("{}#{}", tracking.carrier, tracking.number)
}

/// What the sort keys of levels begin with.
pub(super) const LEVEL_PREFIX: &str = "LEVEL#";

/// What the sort keys of movements begin with.
pub(super) const MOVEMENT_PREFIX: &str = "MOVE#";

/// What the sort keys of providers' reports begin with.
pub(super) const EVENT_PREFIX: &str = "EVENT#";

/// What the sort keys of refunds begin with.
pub(super) const REFUND_PREFIX: &str = "REFUND#";

/// What the sort keys of records of undone points begin with.
pub(super) const UNDONE_PREFIX: &str = "UNDONE#";

/// The partition of what all ledgers amounted to.
pub(super) const TALLIES: &str = "TALLIES";

/// What the sort keys of what all ledgers amounted to begin with.
pub(super) const TALLY_PREFIX: &str = "TALLY#";

/// What the sort keys begin with by which members find their gifts.
pub(super) const GIFT_PREFIX: &str = "GIFT#";

/// What the sort keys of a ledger's entries begin with.
pub(super) const ENTRY_PREFIX: &str = "ENTRY#";

/// What the partitions of rewards begin with.
pub(super) const REWARD_PREFIX: &str = "REWARD#";

/// What the sort keys of notes of what a member took begin with.
pub(super) const REDEEMED_PREFIX: &str = "REDEEMED#";
