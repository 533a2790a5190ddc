//! How goods are sent and watched: the merchant's carriers and services, what
//! is done when something goes wrong, and of what buyers are told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    alert::{Act, AlertKind, Choice, Owner},
    customer::Country,
    delivery::{Group, MethodId, PostalCodes, Prices},
    is_default,
    price::RuleId,
    shipment::{Carrier, ParcelStatus},
    stock::LocationId,
    text::Text,
    time::{Period, TimeOfDay, Zone},
};

mod check;

/// How goods are sent and watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticsPolicy {
    /// The services of carriers, the shop's favourite first. Without any,
    /// whoever attaches the label chooses.
    pub services: Vec<Service>,
    /// How one of those that fit is chosen.
    pub choose: ChoosePolicy,
    /// What is done when something goes wrong, by what it is. A kind that is
    /// left out raises no alert.
    pub alerts: BTreeMap<AlertKind, AlertRule>,
    /// When a parcel counts as stuck.
    pub patience: PatiencePolicy,
    /// The most that a buyer is given for the bad delivery of an order.
    pub most_points: u32,
    /// Of which steps buyers are told, each once and only while it is news.
    pub tell: Vec<ParcelStatus>,
    /// When buyers are left in peace: what is not urgent waits until it ends.
    pub quiet: Option<QuietPolicy>,
    /// How carriers are asked that do not tell by themselves.
    pub polling: PollingPolicy,
    /// For how long the raw bodies of carriers are kept, compressed; not at
    /// all if it is left out.
    pub keep_payloads: Option<Period>,
    /// For how long a link to the tracking page stays good.
    pub link: Period,
}

/// A service of a carrier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name in shipments and statistics; not used again for something else.
    pub id: Text<40>,
    /// Who reports its parcels.
    pub carrier: Carrier,
    /// Who carries them, by the name that the one who reports uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Text<40>>,
    /// From which locations; from all if it names none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub locations: Vec<LocationId>,
    /// For which methods of delivery; for all that ship if it names none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub methods: Vec<MethodId>,
    /// To which countries; everywhere if it names none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub countries: Vec<Country>,
    /// To which regions of them, however their letters are cased.
    #[serde(default, skip_serializing_if = "is_default")]
    pub regions: Vec<Text<60>>,
    /// Where the postal code is one of these.
    #[serde(default, skip_serializing_if = "is_default")]
    pub postal_codes: Vec<PostalCodes>,
    /// For whose parcels; for everybody's otherwise.
    #[serde(default, skip_serializing_if = "Group::is_empty")]
    pub only: Group,
    /// The heaviest parcel that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_grams: Option<u32>,
    /// What it costs the shop, by currency and weight.
    #[serde(default, skip_serializing_if = "is_default")]
    pub costs: Prices,
    /// In how many working days nine of ten parcels arrive.
    pub days: u16,
}

/// How one of the services that fit is chosen: those whose parcels are on time
/// often enough; of these the cheapest, or for parcels that go first the
/// fastest; then the shop's favourite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChoosePolicy {
    /// Whose parcels go first.
    pub priority: Group,
    /// The lowest share of parcels that were on time, in basis points.
    pub least_on_time: u32,
    /// From how many parcels on that share says anything.
    pub least_seen: u32,
}

/// What is done about something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Whether the buyer is told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tell: bool,
    /// So many points for the buyer, if nothing was given for the order yet.
    /// Guests have no points.
    #[serde(default, skip_serializing_if = "is_default")]
    pub points: u32,
    /// A voucher for the buyer, if nothing was given for the order yet.
    /// Guests have no vouchers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherOffer>,
    /// What the buyer may choose on the tracking page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub choices: Vec<Choice>,
    /// Who sees to it.
    pub owner: Owner,
    /// What is to be done.
    pub act: Act,
    /// Within which time.
    pub within: Period,
}

/// A voucher that a buyer gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoucherOffer {
    /// For which price rule.
    pub rule: RuleId,
    /// For how long it is good.
    pub life: Period,
}

/// When a parcel counts as stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PatiencePolicy {
    /// From the label to the carrier's first scan.
    pub pick_up: Period,
    /// From one scan to the next, under way.
    pub silence: Period,
    /// From when it waits to be fetched.
    pub fetch: Period,
    /// From the last scan to when nothing is expected any more: the parcel is
    /// not asked about again.
    pub give_up: Period,
}

/// When buyers are left in peace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietPolicy {
    /// From this time of the day ...
    pub from: TimeOfDay,
    /// ... to this one, on the next day if it is earlier.
    pub until: TimeOfDay,
    /// Where these times are; where the promise's dates are, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

/// How carriers are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollingPolicy {
    /// Who is asked, and how often at most. Others are never asked.
    pub carriers: BTreeMap<Carrier, PollingLimit>,
}

/// How often a carrier is asked at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollingLimit {
    /// So many calls a minute.
    pub per_minute: u16,
}

impl Default for LogisticsPolicy {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            choose: ChoosePolicy::default(),
            alerts: default_alerts(),
            patience: PatiencePolicy::default(),
            most_points: 500,
            tell: vec![
                ParcelStatus::PickedUp,
                ParcelStatus::OutForDelivery,
                ParcelStatus::ReadyForPickup,
                ParcelStatus::Delivered,
            ],
            quiet: None,
            polling: PollingPolicy::default(),
            keep_payloads: None,
            link: Period::of_days(90),
        }
    }
}

impl Default for ChoosePolicy {
    fn default() -> Self {
        Self { priority: Group::default(), least_on_time: 8_500, least_seen: 50 }
    }
}

impl Default for PatiencePolicy {
    fn default() -> Self {
        Self {
            pick_up: Period::of_days(2),
            silence: Period::of_days(5),
            fetch: Period::of_days(4),
            give_up: Period::of_days(45),
        }
    }
}

/// Who sees to something unless the merchant says otherwise.
fn owner(act: Act) -> Owner {
    match act {
        Act::Dispatch | Act::HandOver => Owner::Warehouse,
        Act::AskCarrier | Act::CorrectAddress | Act::ClearCustoms | Act::Watch => Owner::Logistics,
        Act::ContactBuyer | Act::ReplaceOrRefund => Owner::Service,
    }
}

/// What is done unless the merchant says otherwise: nobody is given anything.
fn default_alerts() -> BTreeMap<AlertKind, AlertRule> {
    use Choice::{Address, Date, Refund, Reship, Wait};
    let rule = |tell, choices: &[Choice], act, hours: u32| AlertRule {
        tell,
        points: 0,
        voucher: None,
        choices: choices.to_vec(),
        owner: owner(act),
        act,
        within: Period::of_seconds(hours * 3_600),
    };
    BTreeMap::from([
        (AlertKind::NotDispatched, rule(false, &[], Act::Dispatch, 8)),
        (AlertKind::NotPickedUp, rule(false, &[], Act::HandOver, 24)),
        (AlertKind::AtRisk, rule(false, &[], Act::Watch, 24)),
        (AlertKind::Late, rule(true, &[Wait, Refund], Act::AskCarrier, 24)),
        (AlertKind::Silent, rule(true, &[Wait], Act::AskCarrier, 24)),
        (AlertKind::AttemptFailed, rule(true, &[Address, Date], Act::Watch, 24)),
        (AlertKind::AddressProblem, rule(true, &[Address], Act::CorrectAddress, 8)),
        (AlertKind::Refused, rule(false, &[], Act::ContactBuyer, 24)),
        (AlertKind::Damaged, rule(true, &[Reship, Refund], Act::ReplaceOrRefund, 8)),
        (AlertKind::Lost, rule(true, &[Reship, Refund], Act::ReplaceOrRefund, 8)),
        (AlertKind::Returned, rule(true, &[Reship, Refund], Act::ReplaceOrRefund, 24)),
        (AlertKind::Customs, rule(true, &[], Act::ClearCustoms, 8)),
        (AlertKind::NotFetched, rule(true, &[], Act::Watch, 48)),
    ])
}
