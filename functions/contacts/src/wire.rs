//! What clients send and get.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        contact::{ContactPolicy, Contacts, Purpose, QuietHours, Withheld},
        customer::{CustomerId, Language},
        text::Text,
        time::{Timestamp, Zone},
    },
    store::contacts::Noted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words;

/// The most contacts that are told of: some 200 bytes each.
const LISTED_MAX: usize = 200;

/// What a member is contacted for, besides what an order, a parcel or a ticket
/// needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactPreferences {
    /// What the shop contacts people for.
    pub purposes: Vec<PurposePreference>,
    /// Where the member's clocks are, as the member says or the shop supposes.
    pub zone: Zone,
    /// When nobody is contacted, by those clocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
}

/// Whether a member is contacted for a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PurposePreference {
    /// Which.
    pub purpose: Purpose,
    /// What it is called, in the language that was asked for.
    pub title: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Whether it is wanted: as the member says, or as the shop supposes.
    pub wanted: bool,
    /// When the member said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_at: Option<Timestamp>,
}

/// What a member chooses. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutContactPreferences {
    /// Which purposes are wanted, and which are not.
    #[serde(default)]
    pub purposes: PurposeChoices,
    /// Where the member's clocks are, such as `Asia/Shanghai`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

/// Whether each purpose is wanted; see [`Purpose`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeChoices {
    /// To be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surveys: Option<bool>,
    /// Goods that wait in a cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carts: Option<bool>,
    /// Points, tiers, milestones, contests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<bool>,
    /// Offers and news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing: Option<bool>,
}

impl From<PurposeChoices> for BTreeMap<Purpose, bool> {
    fn from(choices: PurposeChoices) -> Self {
        let all = [
            (Purpose::Surveys, choices.surveys),
            (Purpose::Carts, choices.carts),
            (Purpose::Programme, choices.programme),
            (Purpose::Marketing, choices.marketing),
        ];
        all.into_iter().filter_map(|(purpose, wanted)| Some((purpose, wanted?))).collect()
    }
}

impl ContactPreferences {
    /// What applies to somebody, in a language.
    #[must_use]
    pub fn of(contacts: &Contacts, policy: &ContactPolicy, language: Language) -> Self {
        let words = words::of(language);
        let purposes = policy.purposes.iter().map(|(purpose, rule)| {
            let (title, about) = words.purpose(*purpose);
            PurposePreference {
                purpose: *purpose,
                title: title.to_owned(),
                about: about.to_owned(),
                wanted: contacts.wants(*purpose, rule.consent),
                chosen_at: contacts.choices.get(purpose).map(|it| it.at),
            }
        });
        Self {
            purposes: purposes.collect(),
            zone: contacts.zones(policy).into_iter().next().unwrap_or_else(|| policy.zone.clone()),
            quiet: policy.quiet.clone(),
        }
    }
}

/// What somebody was contacted for, and what not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerContacts {
    /// Who.
    pub customer: CustomerId,
    /// Where their clocks are, if they say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// What they chose.
    pub choices: Vec<ChoiceFile>,
    /// The contacts of the last 180 days, latest first; at most 200.
    pub contacts: Vec<ContactFile>,
}

/// What somebody chose about a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChoiceFile {
    /// Which.
    pub purpose: Purpose,
    /// Whether it is wanted.
    pub wanted: bool,
    /// When they said so.
    pub chosen_at: Timestamp,
}

/// What became of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactOutcome {
    /// It was made.
    Made,
    /// It was not, and is not.
    Withheld,
    /// It waits until it is day.
    Waiting,
}

/// A contact, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactFile {
    /// The invitation, or the kind and the identity of the message.
    pub reference: Text<80>,
    /// For what.
    pub purpose: Purpose,
    /// What became of it.
    pub outcome: ContactOutcome,
    /// When that was decided, or since when it waits.
    pub at: Timestamp,
    /// Why it was withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Withheld>,
    /// Until when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl From<&Noted> for ContactFile {
    fn from(noted: &Noted) -> Self {
        let Noted { entry, waits, .. } = noted;
        Self {
            reference: entry.reference.clone(),
            purpose: entry.purpose,
            outcome: match (waits, entry.withheld) {
                (Some(_), _) => ContactOutcome::Waiting,
                (None, Some(_)) => ContactOutcome::Withheld,
                (None, None) => ContactOutcome::Made,
            },
            at: entry.at,
            why: entry.withheld,
            until: *waits,
        }
    }
}

impl CustomerContacts {
    /// What is known of a customer, of decisions that come latest first.
    #[must_use]
    pub fn of(customer: CustomerId, contacts: &Contacts, noted: &[Noted]) -> Self {
        let choices = contacts.choices.iter().map(|(purpose, it)| ChoiceFile {
            purpose: *purpose,
            wanted: it.wanted,
            chosen_at: it.at,
        });
        Self {
            customer,
            zone: contacts.zone.clone(),
            choices: choices.collect(),
            contacts: noted.iter().take(LISTED_MAX).map(ContactFile::from).collect(),
        }
    }
}
