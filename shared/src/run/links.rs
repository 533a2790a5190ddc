//! Signed links and passes: what lets somebody in without a login, or holds the
//! shop to its word.
//!
//! A token is `payload.signature`, both in URL-safe base 64. The payload names
//! the purpose, so that a token for one thing opens no other, and the moment
//! it ends; the signature is HMAC-SHA256 over it.

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::{
    customer::CustomerId,
    exchange::Rate,
    id::{InviteId, OrderId},
    money::{Currency, Money},
    signature::{any_matches, hmac_sha256},
    time::Timestamp,
};

use super::secrets::LinkKeys;

/// The longest token that is looked at; ours have some 200 characters.
const TOKEN_MAX: usize = 512;

/// Why a token does not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not ours, altered, or for another purpose.
    #[error("the link is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
}

/// A guest's pass to the one order that the guest placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPass {
    /// Which order.
    pub order: OrderId,
    /// Which guest.
    pub customer: CustomerId,
}

/// A link to the tracking page of an order. It opens no other way to the
/// order: who has it sees where the parcels are, and may choose what is done
/// when something is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingLink {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A link to a survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyLink {
    /// Which invitation.
    pub invite: InviteId,
}

/// The shop's word that an order may be paid in another currency, at a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateQuote {
    /// Which order.
    pub order: OrderId,
    /// What of it is paid, in its currency.
    pub settles: Money,
    /// What is charged for that.
    pub charge: Money,
    /// At which rate, without the margin.
    pub rate: Rate,
}

/// Signs and opens tokens.
#[derive(Debug)]
pub struct Links {
    keys: LinkKeys,
}

const ORDER: &str = "order";
const TRACKING: &str = "tracking";
const SURVEY: &str = "survey";
const RATE: &str = "rate";

impl Links {
    /// Signs with the current key; opens what either key signed.
    #[must_use]
    pub fn new(keys: LinkKeys) -> Self {
        Self { keys }
    }

    /// A pass to an order.
    #[must_use]
    pub fn order_pass(&self, pass: &OrderPass, expires: Timestamp) -> String {
        self.seal(&[ORDER, pass.order.as_str(), pass.customer.as_str()], expires)
    }

    /// Opens a pass to an order.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_order_pass(&self, token: &str, now: Timestamp) -> Result<OrderPass, LinkError> {
        let (order, customer) = self.open_of_order(ORDER, token, now)?;
        Ok(OrderPass { order, customer })
    }

    /// The token of a link to a tracking page.
    #[must_use]
    pub fn tracking_link(&self, link: &TrackingLink, expires: Timestamp) -> String {
        self.seal(&[TRACKING, link.order.as_str(), link.customer.as_str()], expires)
    }

    /// Opens the token of a link to a tracking page.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_tracking_link(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<TrackingLink, LinkError> {
        let (order, customer) = self.open_of_order(TRACKING, token, now)?;
        Ok(TrackingLink { order, customer })
    }

    fn open_of_order(
        &self,
        purpose: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<(OrderId, CustomerId), LinkError> {
        let parts = self.open(token, now)?;
        let [found, order, customer] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            return Err(LinkError::Invalid);
        };
        if found != purpose {
            return Err(LinkError::Invalid);
        }
        let order = OrderId::parse(order).map_err(|_| LinkError::Invalid)?;
        let customer = CustomerId::parse(customer).map_err(|_| LinkError::Invalid)?;
        Ok((order, customer))
    }

    /// The token of a link to a survey.
    #[must_use]
    pub fn survey_link(&self, link: &SurveyLink, expires: Timestamp) -> String {
        self.seal(&[SURVEY, link.invite.as_str()], expires)
    }

    /// Opens the token of a link to a survey.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_survey_link(&self, token: &str, now: Timestamp) -> Result<SurveyLink, LinkError> {
        let parts = self.open(token, now)?;
        let [SURVEY, invite] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            return Err(LinkError::Invalid);
        };
        let invite = InviteId::parse(invite).map_err(|_| LinkError::Invalid)?;
        Ok(SurveyLink { invite })
    }

    /// The token of a quoted rate.
    #[must_use]
    pub fn rate_quote(&self, quote: &RateQuote, until: Timestamp) -> String {
        let (settles, charge) = (quote.settles, quote.charge);
        self.seal(
            &[
                RATE,
                quote.order.as_str(),
                &settles.minor().to_string(),
                settles.currency().code(),
                &charge.minor().to_string(),
                charge.currency().code(),
                &quote.rate.to_string(),
            ],
            until,
        )
    }

    /// Opens the token of a quoted rate.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_rate_quote(&self, token: &str, now: Timestamp) -> Result<RateQuote, LinkError> {
        let parts = self.open(token, now)?;
        let [RATE, order, settles, from, charge, to, rate] =
            parts.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            return Err(LinkError::Invalid);
        };
        let money = |minor: &str, code: &str| {
            let currency = Currency::parse(code).ok()?;
            Money::new(minor.parse().ok()?, currency).ok()
        };
        let quote = || {
            Some(RateQuote {
                order: OrderId::parse(order).ok()?,
                settles: money(settles, from)?,
                charge: money(charge, to)?,
                rate: Rate::parse(rate).ok()?,
            })
        };
        quote().ok_or(LinkError::Invalid)
    }

    /// Parts never hold line breaks: they are identities, amounts and codes.
    fn seal(&self, parts: &[&str], expires: Timestamp) -> String {
        let payload = format!("{}\n{}", expires.unix_seconds(), parts.join("\n"));
        let mac = hmac_sha256(&key(&self.keys.current), &[payload.as_bytes()]);
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        format!("{}.{}", encode(payload.as_bytes()), encode(&mac))
    }

    fn open(&self, token: &str, now: Timestamp) -> Result<Vec<String>, LinkError> {
        let invalid = LinkError::Invalid;
        if token.len() > TOKEN_MAX {
            return Err(invalid);
        }
        let (payload, mac) = token.split_once('.').ok_or(invalid)?;
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| invalid);
        let (payload, mac) = (decode(payload)?, decode(mac)?);
        let mut keys = vec![key(&self.keys.current)];
        keys.extend(self.keys.previous.as_ref().map(key));
        if !any_matches(&keys, &[&payload], &[mac]) {
            return Err(invalid);
        }
        let payload = String::from_utf8(payload).map_err(|_| invalid)?;
        let mut parts = payload.split('\n').map(str::to_owned);
        let expires: i64 = parts.next().and_then(|text| text.parse().ok()).ok_or(invalid)?;
        if now.unix_seconds() >= expires {
            return Err(LinkError::Expired);
        }
        Ok(parts.collect())
    }
}

fn key(secret: &SecretString) -> Vec<u8> {
    secret.expose_secret().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(current: &str, previous: Option<&str>) -> Links {
        Links::new(LinkKeys { current: current.into(), previous: previous.map(SecretString::from) })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    #[test]
    fn a_token_opens_what_it_is_for_until_it_ends() {
        let signer = links("a", None);
        let pass = OrderPass { order: OrderId::derive(&["1"]), customer: CustomerId::guest("k") };
        let token = signer.order_pass(&pass, at(100));
        assert_eq!(signer.open_order_pass(&token, at(99)), Ok(pass.clone()));
        assert_eq!(signer.open_order_pass(&token, at(100)), Err(LinkError::Expired));
        assert_eq!(signer.open_survey_link(&token, at(99)), Err(LinkError::Invalid));
        assert_eq!(links("b", Some("a")).open_order_pass(&token, at(99)), Ok(pass));
        assert_eq!(links("b", None).open_order_pass(&token, at(99)), Err(LinkError::Invalid));
    }

    #[test]
    fn a_tracking_link_is_no_pass_and_a_pass_no_tracking_link() {
        let signer = links("a", None);
        let (order, customer) = (OrderId::derive(&["1"]), CustomerId::guest("k"));
        let link = TrackingLink { order: order.clone(), customer: customer.clone() };
        let token = signer.tracking_link(&link, at(100));
        assert_eq!(signer.open_tracking_link(&token, at(99)), Ok(link));
        assert_eq!(signer.open_tracking_link(&token, at(100)), Err(LinkError::Expired));
        assert_eq!(signer.open_order_pass(&token, at(99)), Err(LinkError::Invalid));
        let pass = signer.order_pass(&OrderPass { order, customer }, at(100));
        assert_eq!(signer.open_tracking_link(&pass, at(99)), Err(LinkError::Invalid));
        assert_eq!(links("b", None).open_tracking_link(&token, at(99)), Err(LinkError::Invalid));
    }

    #[test]
    fn an_altered_token_opens_nothing() {
        let signer = links("a", None);
        let token = signer.survey_link(&SurveyLink { invite: InviteId::derive(&["1"]) }, at(100));
        assert!(signer.open_survey_link(&token, at(0)).is_ok());
        for position in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(signer.open_survey_link(&altered, at(0)), Err(LinkError::Invalid));
        }
        for text in ["", ".", "a.b", "é.é"] {
            assert_eq!(signer.open_survey_link(text, at(0)), Err(LinkError::Invalid));
        }
    }

    #[test]
    fn a_quoted_rate_opens_as_it_was_sealed() {
        let signer = links("a", None);
        let money = |minor, code| Money::new(minor, Currency::parse(code).unwrap()).unwrap();
        let quote = RateQuote {
            order: OrderId::derive(&["1"]),
            settles: money(2_500, "GBP"),
            charge: money(2_957, "EUR"),
            rate: Rate::parse("1.165").unwrap(),
        };
        let token = signer.rate_quote(&quote, at(100));
        assert_eq!(signer.open_rate_quote(&token, at(99)), Ok(quote.clone()));
        assert_eq!(signer.open_rate_quote(&token, at(100)), Err(LinkError::Expired));
        assert_eq!(links("b", None).open_rate_quote(&token, at(99)), Err(LinkError::Invalid));
        assert_eq!(links("b", Some("a")).open_rate_quote(&token, at(99)), Ok(quote));
        let pass = OrderPass { order: OrderId::derive(&["1"]), customer: CustomerId::guest("k") };
        let pass = signer.order_pass(&pass, at(100));
        assert_eq!(signer.open_rate_quote(&pass, at(99)), Err(LinkError::Invalid));
        assert_eq!(signer.open_order_pass(&token, at(99)), Err(LinkError::Invalid));
        // Any character another one, in payload or signature.
        for place in (0..token.len()).filter(|place| token.as_bytes()[*place] != b'.') {
            let mut altered = token.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            let opened = signer.open_rate_quote(&altered, at(99));
            assert_eq!(opened, Err(LinkError::Invalid), "{place}");
        }
    }
}
