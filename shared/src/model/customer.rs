//! Who buys: a member whom the merchant's identity provider knows, or a guest.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{digest, text::Text};

/// The longest subject that an identity provider gives (OpenID Connect Core,
/// section 2, allows 255 characters; keys stay short with half of it).
pub const MAX_SUBJECT: usize = 128;

/// A buyer. Members are `cus_` and the subject of their token, guests `gst_`
/// and a digest of the key of their order: a guest is a buyer of one order.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct CustomerId(String);

/// Why a text names no buyer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a customer is `cus_` and a subject of 1 to {MAX_SUBJECT} of the characters A-Z a-z 0-9 . _ : @ | + = - or `gst_` and 26 characters"
)]
pub struct CustomerError;

impl CustomerId {
    /// The member whom the identity provider knows by this subject.
    ///
    /// # Errors
    /// When the subject is empty, too long, or holds a character outside
    /// `A-Z a-z 0-9 . _ : @ | + = -`, which covers the subjects of the common
    /// providers; `#` and `/` would be ambiguous in keys and paths.
    pub fn member(subject: &str) -> Result<Self, CustomerError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._:@|+=-".contains(&b);
        if subject.is_empty() || subject.len() > MAX_SUBJECT || !subject.bytes().all(fits) {
            return Err(CustomerError);
        }
        Ok(Self(format!("cus_{subject}")))
    }

    /// The guest who places an order under this idempotency key.
    #[must_use]
    pub fn guest(key: &str) -> Self {
        Self(format!("gst_{}", digest::short(&[b"guest", key.as_bytes()])))
    }

    /// The buyer written as `text`.
    ///
    /// # Errors
    /// When it is neither a member nor a guest.
    pub fn parse(text: &str) -> Result<Self, CustomerError> {
        match (text.strip_prefix("cus_"), text.strip_prefix("gst_")) {
            (Some(subject), _) => Self::member(subject),
            (_, Some(key)) if digest::is_short(key) => Ok(Self(text.to_owned())),
            _ => Err(CustomerError),
        }
    }

    /// Whether the buyer has an account: guests earn no points.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.0.starts_with("cus_")
    }

    /// The identity as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CustomerId {
    type Error = CustomerError;
    fn try_from(text: String) -> Result<Self, CustomerError> {
        Self::parse(&text)
    }
}

impl From<CustomerId> for String {
    fn from(id: CustomerId) -> Self {
        id.0
    }
}

/// The languages that messages and pages come in.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Its code, as requests and links have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a tag (BCP 47) such as `zh-Hans-CN;q=0.9`, if the shop has it.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', ';']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|known| known.code().eq_ignore_ascii_case(primary))
    }
}

/// An e-mail address: one `@` between a local part and a host with a dot.
/// Whether it can be reached only a message shows, so no more is checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as ada@example.com, of at most 254 characters")]
pub struct EmailError;

/// The longest address that can stand in an SMTP path (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL: usize = 254;

impl Email {
    /// The address, white space at its ends cut off.
    ///
    /// # Errors
    /// When it has not the form of one.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, host) = text.split_once('@').ok_or(EmailError)?;
        // The last two are characters of no text: no message could carry them.
        let odd = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '@' | '<' | '>' | ',' | '\u{fffe}' | '\u{ffff}')
        };
        let host_fits = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
        if local.is_empty()
            || !host_fits
            || text.len() > MAX_EMAIL
            || local.contains(odd)
            || host.contains(odd)
        {
            return Err(EmailError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// How a buyer is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Where messages about the order go.
    pub email: Email,
    /// The language of messages and pages.
    #[serde(default)]
    pub language: Language,
}

/// A country of ISO 3166-1: two capital letters.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Country(String);

/// Why a text is no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a country code of two capital letters, such as GB or CN")]
pub struct CountryError;

impl Country {
    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Country {
    type Error = CountryError;
    fn try_from(text: String) -> Result<Self, CountryError> {
        let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        if fits { Ok(Self(text)) } else { Err(CountryError) }
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0
    }
}

/// Where a parcel goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Whom it is for.
    pub name: Text<100>,
    /// Street and number, or what takes their place.
    pub line1: Text<100>,
    /// Flat, building, care of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<Text<100>>,
    /// Town or city.
    pub city: Text<60>,
    /// State, province or county.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Text<60>>,
    /// Postal code, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Text<16>>,
    /// Country.
    pub country: Country,
    /// For the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text<32>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buyers_are_members_or_guests() {
        let member = CustomerId::member("auth0|5f7c").unwrap();
        assert!(member.is_member());
        assert_eq!(CustomerId::parse("cus_auth0|5f7c"), Ok(member));
        let guest = CustomerId::guest("a key");
        assert!(!guest.is_member());
        assert_eq!(CustomerId::parse(guest.as_str()), Ok(guest));
        for text in ["", "cus_", "cus_a#b", "cus_a/b", "gst_x", "adm_1"] {
            assert_eq!(CustomerId::parse(text), Err(CustomerError), "{text}");
        }
    }

    #[test]
    fn addresses_of_mail_have_a_form() {
        for good in ["a@b.c", " ada+1@example.co.uk "] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.c", "a@b.", "a b@c.d", "a@b@c.d", "<a@b.c>", "a@.b"] {
            assert_eq!(Email::parse(bad), Err(EmailError), "{bad}");
        }
        for bad in ["a\u{ffff}@b.c", "a@b\u{fffe}.c"] {
            assert_eq!(Email::parse(bad), Err(EmailError), "{}", bad.escape_unicode());
        }
    }
}
