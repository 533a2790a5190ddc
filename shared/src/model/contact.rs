//! Who may be contacted, how often and when, about what is not a purchase.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Country, CustomerId, Email},
    digest, is_default,
    policy::PolicyError,
    text::Text,
    time::{Period, TimeOfDay, Timestamp, Zone},
};

/// What somebody is contacted for, besides what an order, a parcel or a ticket
/// of theirs needs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To be asked.
    Surveys,
    /// Goods that wait in a cart.
    Carts,
    /// Points, tiers, milestones, contests.
    Programme,
    /// Offers and news.
    Marketing,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Surveys, Self::Carts, Self::Programme, Self::Marketing];

    /// Its name in links and forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Surveys => "surveys",
            Self::Carts => "carts",
            Self::Programme => "programme",
            Self::Marketing => "marketing",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Whom a budget is for: a member, or whoever reads a guest's address. Guests
/// have an identity for each order, so the address is what is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contactee(String);

impl Contactee {
    /// Who is contacted.
    #[must_use]
    pub fn of(customer: &CustomerId, email: &Email) -> Self {
        if customer.is_member() { Self::member(customer) } else { Self::address(email) }
    }

    /// A member.
    #[must_use]
    pub fn member(customer: &CustomerId) -> Self {
        Self(customer.as_str().to_owned())
    }

    /// Whoever reads this address. It is kept as a digest.
    #[must_use]
    pub fn address(email: &Email) -> Self {
        let email = email.as_str().to_lowercase();
        Self(format!("eml_{}", digest::short(&[email.as_bytes()])))
    }

    /// Reads what [`Contactee::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.strip_prefix("eml_").is_some_and(digest::is_short);
        let member = || CustomerId::parse(text).is_ok_and(|it| it.is_member());
        (address || member()).then(|| Self(text.to_owned()))
    }

    /// Its name in keys and tokens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody has to say before being contacted for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nothing, until they say no.
    OptOut,
    /// Yes.
    OptIn,
}

/// How a purpose is treated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeRule {
    /// What somebody has to say first.
    pub consent: Consent,
    /// Whether it counts against the caps and yields to them.
    pub capped: bool,
    /// Whether it waits while it is night where they are.
    #[serde(default = "yes")]
    pub quiet: bool,
    /// Whether it may use what is kept in reserve.
    #[serde(default, skip_serializing_if = "is_default")]
    pub urgent: bool,
}

fn yes() -> bool {
    true
}

/// How often somebody is contacted at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// At most so many contacts ...
    pub contacts: u32,
    /// ... in this time.
    pub window: Period,
    /// For this purpose; for all that are capped together, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// So many of them are kept for what is urgent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reserve: u32,
}

/// When nobody is contacted: from evening to morning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From this time of the day ...
    pub from: TimeOfDay,
    /// ... until this one, of the next day if it is the earlier one.
    pub until: TimeOfDay,
}

/// Who may be contacted, how often and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPolicy {
    /// How each purpose is treated. One that is missing is off.
    pub purposes: BTreeMap<Purpose, PurposeRule>,
    /// How often somebody is contacted at most; each holds.
    pub caps: Vec<Cap>,
    /// When nobody is contacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
    /// Where the clocks are of whom neither a zone nor a country is known.
    pub zone: Zone,
    /// Where they are by country, instead of in the zones of the country.
    #[serde(default, skip_serializing_if = "is_default")]
    pub zones: BTreeMap<Country, Zone>,
}

/// Why somebody was not contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// Often enough already.
    Cap,
    /// They do not want it, or have not said that they do.
    NoConsent,
    /// The policy does not have the purpose.
    Off,
    /// It could not be said in time.
    TooLate,
    /// Enough others have answered.
    Quota,
    /// What it is about is not so any more.
    Moot,
}

/// What somebody chose about a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Whether they want it.
    pub wanted: bool,
    /// When they said so.
    pub at: Timestamp,
}

/// What is known of contacts with somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contacts {
    /// With whom.
    pub who: Contactee,
    /// When and for what they were contacted, earliest first; only what a cap
    /// may still count.
    pub made: Vec<(Timestamp, Purpose)>,
    /// What they chose.
    pub choices: BTreeMap<Purpose, Chosen>,
    /// Where their clocks are, as they say.
    pub zone: Option<Zone>,
    /// Where they were when they were last contacted about what goes to an address.
    pub country: Option<Country>,
    /// How often this record changed.
    pub version: u64,
}

impl Contacts {
    /// Somebody who was never contacted.
    #[must_use]
    pub fn none(who: Contactee) -> Self {
        let (made, choices) = (Vec::new(), BTreeMap::new());
        Self { who, made, choices, zone: None, country: None, version: 0 }
    }
}

/// What was decided about one contact, kept for whoever asks why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactEntry {
    /// With whom.
    pub who: Contactee,
    /// What tells it from others: the invitation, the message.
    pub reference: Text<80>,
    /// For what.
    pub purpose: Purpose,
    /// When it was decided, or since when it waits for the morning.
    pub at: Timestamp,
    /// Why nothing was said; none if they were contacted, or are not yet.
    pub withheld: Option<Withheld>,
}

/// What is decided about a contact that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made now: the record that notes it. It is written with what
    /// is sent.
    Admit(Contacts),
    /// It is night where they are; the first moment at which it is not.
    Wait(Timestamp),
    /// It is not made.
    Withhold(Withheld),
}

/// How many nights in a row are looked through. Where clocks jump, the end of
/// one may fall into the next, and so it may from zone to zone; after that comes
/// a day.
const NIGHTS_MAX: usize = 8;

/// The zones of countries, one a line: the code and the zone in which most
/// people live, or, where it is another hour elsewhere, the westernmost and the
/// easternmost one in which many do. Named as the time zone database has them
/// (its `zone.tab`).
const ZONES: &str = include_str!("contact/zones.txt");

/// Decides about one contact. What is urgent, by its purpose or by itself, may
/// use what the caps keep in reserve. Whoever reads of it has their clocks where
/// they said; else in the country, which is that of before if there is none, and
/// is noted with the contact.
///
/// While it is night the caps are not looked at: they are when the night is over.
#[must_use]
pub fn decide(
    contacts: &Contacts,
    purpose: Purpose,
    urgent: bool,
    country: Option<&Country>,
    policy: &ContactPolicy,
    now: Timestamp,
) -> Verdict {
    let Some(rule) = policy.purposes.get(&purpose) else {
        return Verdict::Withhold(Withheld::Off);
    };
    if !contacts.wants(purpose, rule.consent) {
        return Verdict::Withhold(Withheld::NoConsent);
    }
    let country = country.or(contacts.country.as_ref());
    let contacts = &Contacts { country: country.cloned(), ..contacts.clone() };
    let night = policy.quiet.as_ref().filter(|_| rule.quiet);
    if let Some(end) = night.and_then(|quiet| quiet.end(now, &contacts.zones(policy))) {
        return Verdict::Wait(end);
    }
    if !rule.capped {
        return Verdict::Admit(contacts.clone());
    }
    // A clock that is behind that of the last contact would forget too early.
    let now = contacts.made.last().map_or(now, |(last, _)| now.max(*last));
    let urgent = urgent || rule.urgent;
    let room = |cap: &Cap| cap.counted(contacts, now) < cap.open_to(urgent);
    if !policy.caps.iter().filter(|cap| cap.holds_for(purpose)).all(room) {
        return Verdict::Withhold(Withheld::Cap);
    }
    Verdict::Admit(contacts.with(purpose, policy, now))
}

impl Verdict {
    /// Withholds what is refused elsewhere: somebody who buys as a member and
    /// as a guest has two records, and a no in one of them is a no.
    #[must_use]
    pub fn unless(self, refused: bool) -> Self {
        match self {
            Self::Admit(_) | Self::Wait(_) if refused => Self::Withhold(Withheld::NoConsent),
            other => other,
        }
    }
}

impl Contacts {
    /// Where their clocks are, as far as is known: in one zone, or between two.
    #[must_use]
    pub fn zones(&self, policy: &ContactPolicy) -> Vec<Zone> {
        self.zone
            .as_ref()
            .map_or_else(|| policy.zones_of(self.country.as_ref()), |zone| vec![zone.clone()])
    }

    /// Whether they said that they do not want to be contacted for a purpose.
    #[must_use]
    pub fn refuses(&self, purpose: Purpose) -> bool {
        self.choices.get(&purpose).is_some_and(|it| !it.wanted)
    }

    /// As if a contact of then had not been made.
    #[must_use]
    pub fn without(&self, purpose: Purpose, then: Timestamp) -> Self {
        let mut contacts = self.clone();
        if let Some(place) = contacts.made.iter().position(|it| *it == (then, purpose)) {
            contacts.made.remove(place);
        }
        contacts
    }

    /// What they chose, after they chose this now. What they had chosen already
    /// keeps its moment.
    #[must_use]
    pub fn choosing(&self, chosen: &BTreeMap<Purpose, bool>, now: Timestamp) -> Self {
        let mut contacts = self.clone();
        for (purpose, wanted) in chosen {
            let is_new = contacts.choices.get(purpose).is_none_or(|it| it.wanted != *wanted);
            if is_new {
                contacts.choices.insert(*purpose, Chosen { wanted: *wanted, at: now });
            }
        }
        contacts
    }

    /// Whether they want to be contacted for a purpose.
    #[must_use]
    pub fn wants(&self, purpose: Purpose, consent: Consent) -> bool {
        self.choices.get(&purpose).map_or(consent == Consent::OptOut, |it| it.wanted)
    }

    /// With a contact that is made now, and without those that no cap counts any more.
    fn with(&self, purpose: Purpose, policy: &ContactPolicy, now: Timestamp) -> Self {
        let made = self.made.iter().copied().chain([(now, purpose)]);
        let counts = |(at, of): &(Timestamp, Purpose)| {
            policy.caps.iter().any(|cap| cap.holds_for(*of) && cap.spans(*at, now))
        };
        Self { made: made.filter(counts).collect(), ..self.clone() }
    }
}

/// The most caps: each is counted with every contact.
const MAX_CAPS: usize = 10;

/// The most contacts of a cap. All that a cap may still count lie in one
/// record, which is written whole with every contact.
const MAX_CONTACTS: u32 = 50;

/// The longest window of a cap.
const MAX_WINDOW: Period = Period::of_days(366);

impl ContactPolicy {
    /// Whether the rules make sense, beyond their form.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the field and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let wrong = |path: String, reason: &str| {
            Err(PolicyError::Malformed { path, reason: reason.to_owned() })
        };
        if self.caps.len() > MAX_CAPS {
            return wrong("contact.caps".to_owned(), "must be at most 10");
        }
        for (i, cap) in self.caps.iter().enumerate() {
            let at = |field: &str| format!("contact.caps[{i}].{field}");
            if !(1..=MAX_CONTACTS).contains(&cap.contacts) {
                return wrong(at("contacts"), "must be 1 to 50");
            }
            if cap.window.seconds() == 0 || cap.window > MAX_WINDOW {
                return wrong(at("window"), "must be more than 0s and at most 366d");
            }
            if cap.reserve >= cap.contacts {
                return wrong(at("reserve"), "must be less than contacts");
            }
            let capped = |of| self.purposes.get(&of).is_some_and(|rule| rule.capped);
            if cap.purpose.is_some_and(|of| !capped(of)) {
                return wrong(at("purpose"), "must be a purpose that is capped");
            }
        }
        if self.quiet.as_ref().is_some_and(|quiet| quiet.from == quiet.until) {
            return wrong("contact.quiet.until".to_owned(), "must be another time than from");
        }
        Ok(())
    }

    /// Where the clocks are of somebody in a country: in one zone, or between
    /// two, the western one first. Never nothing.
    #[must_use]
    pub fn zones_of(&self, country: Option<&Country>) -> Vec<Zone> {
        let set = || self.zones.get(country?).map(|zone| vec![zone.clone()]);
        set().or_else(|| zones_in(country?)).unwrap_or_else(|| vec![self.zone.clone()])
    }
}

/// The zones of a country; none of a code that no country has.
fn zones_in(country: &Country) -> Option<Vec<Zone>> {
    let of = |line: &'static str| line.strip_prefix(country.as_str())?.strip_prefix(' ');
    let names = ZONES.lines().find_map(of)?;
    names.split(' ').map(|name| Zone::parse(name).ok()).collect()
}

impl Cap {
    /// Whether contacts for a purpose count against it.
    fn holds_for(&self, purpose: Purpose) -> bool {
        self.purpose.is_none_or(|it| it == purpose)
    }

    /// Whether a contact of then is still counted.
    fn spans(&self, then: Timestamp, now: Timestamp) -> bool {
        then > now.minus(self.window)
    }

    fn counted(&self, contacts: &Contacts, now: Timestamp) -> usize {
        let counts = |(at, of): &&(Timestamp, Purpose)| self.holds_for(*of) && self.spans(*at, now);
        contacts.made.iter().filter(counts).count()
    }

    /// So many contacts are open to what is urgent or is not.
    fn open_to(&self, urgent: bool) -> usize {
        let reserve = if urgent { 0 } else { self.reserve };
        usize::try_from(self.contacts.saturating_sub(reserve)).unwrap_or(usize::MAX)
    }
}

/// It is always night somewhere.
struct Endless;

impl QuietHours {
    /// The first moment that is not in a night in any of the zones, if this one
    /// is. Where it is always night somewhere, because zones are far apart or
    /// nights are long, the first zone decides.
    #[must_use]
    pub fn end(&self, now: Timestamp, zones: &[Zone]) -> Option<Timestamp> {
        let night = |zones: &[Zone]| -> Result<Option<Timestamp>, Endless> {
            let next = |it: &Timestamp| zones.iter().filter_map(|z| self.night_of(*it, z)).max();
            let mut ends = std::iter::successors(next(&now), next);
            let end = ends.by_ref().take(NIGHTS_MAX).last();
            ends.next().map_or(Ok(end), |_| Err(Endless))
        };
        let first = zones.get(..1).unwrap_or_default();
        night(zones).or_else(|Endless| night(first)).unwrap_or_default()
    }

    /// The end of a night that this moment is in. The nights of the two days
    /// before are looked at too: one lasts until morning, and a country that
    /// moves over the date line leaves out a day.
    fn night_of(&self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let today = now.date_in(zone);
        let ends = (0..=2).filter_map(|days| {
            let day = today.minus_days(days);
            let last = if self.from < self.until { day } else { day.plus_days(1) };
            let (from, until) = (day.at(self.from, zone).ok()?, last.at(self.until, zone).ok()?);
            (from <= now && now < until).then_some(until)
        });
        ends.max()
    }
}

#[cfg(test)]
mod tests;
