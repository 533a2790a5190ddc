//! Signed links and passes: what lets somebody in without a login, or holds the
//! shop to its word.
//!
//! A token is `payload.signature`, both in URL-safe base 64. The payload names
//! the purpose, so that a token for one thing opens no other, and the moment
//! it ends; the signature is HMAC-SHA256 over it. The payload can be read by
//! whoever has the token.
//!
//! Members' links and codes name somebody, whose name may be an e-mail address,
//! and are shown or passed on: their tokens are the same payload, encrypted with
//! AES-256-GCM-SIV (RFC 8452) under a key derived from that of the signatures.
//! Such a token tells nothing but how long the payload is.

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
};
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
    /// Whose it is.
    pub customer: CustomerId,
}

/// A link to the page of a member's points. It opens no other way to the
/// account: who has it sees the points, and can do nothing with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberLink {
    /// Whose points.
    pub customer: CustomerId,
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
const MEMBER: &str = "member";
const RATE: &str = "rate";
const ACCOUNT: &str = "account";
const DRAW: &str = "draw";

/// The use for which keys of tokens that cannot be read are derived.
const VEIL: &str = "veil";

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
        self.seal(&[SURVEY, link.invite.as_str(), link.customer.as_str()], expires)
    }

    /// Opens the token of a link to a survey.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_survey_link(&self, token: &str, now: Timestamp) -> Result<SurveyLink, LinkError> {
        let parts = self.open(token, now)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let [SURVEY, invite, customer] = parts[..] else { return Err(LinkError::Invalid) };
        let invite = InviteId::parse(invite).map_err(|_| LinkError::Invalid)?;
        let customer = CustomerId::parse(customer).map_err(|_| LinkError::Invalid)?;
        Ok(SurveyLink { invite, customer })
    }

    /// A number that nobody without the keys can foresee, and that is the same
    /// whenever the same is drawn; evenly spread over all of its type.
    #[must_use]
    pub fn draw(&self, of: &[&str]) -> u64 {
        // What is sealed begins with a number, so no token is the same text.
        let parts = std::iter::once(DRAW).chain(of.iter().copied());
        let text: Vec<&str> = parts.collect();
        let mac = hmac_sha256(&key(&self.keys.current), &[text.join("\n").as_bytes()]);
        mac.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The token of a link to the page of a member's points.
    #[must_use]
    pub fn member_link(&self, link: &MemberLink, expires: Timestamp) -> String {
        self.veil(&[MEMBER, link.customer.as_str()], expires)
    }

    /// Opens the token of a link to the page of a member's points.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_member_link(&self, token: &str, now: Timestamp) -> Result<MemberLink, LinkError> {
        let parts = self.unveil(token, now)?;
        let [MEMBER, customer] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            return Err(LinkError::Invalid);
        };
        let customer = CustomerId::parse(customer).map_err(|_| LinkError::Invalid)?;
        Ok(MemberLink { customer })
    }

    /// What a member enters in another account of the same person, to link the
    /// two: it proves that whoever enters it has both.
    #[must_use]
    pub fn account_code(&self, customer: &CustomerId, expires: Timestamp) -> String {
        self.veil(&[ACCOUNT, customer.as_str()], expires)
    }

    /// The account that showed such a code.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_account_code(&self, token: &str, now: Timestamp) -> Result<CustomerId, LinkError> {
        let parts = self.unveil(token, now)?;
        let [ACCOUNT, customer] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            return Err(LinkError::Invalid);
        };
        CustomerId::parse(customer).map_err(|_| LinkError::Invalid)
    }

    /// Keys that are derived for one use, named by these parts, the current one
    /// first: who has one of them has no other.
    #[must_use]
    pub fn derived_keys(&self, parts: &[&str]) -> Vec<Vec<u8>> {
        let text = parts.join("\n");
        let derive =
            |secret: &SecretString| hmac_sha256(&key(secret), &[b"key\n", text.as_bytes()]);
        std::iter::once(&self.keys.current).chain(&self.keys.previous).map(derive).collect()
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

    /// A token that cannot be read without the keys. The nonce follows from the
    /// payload, so no two payloads have the same one but by chance, and if they
    /// do, the cipher tells no more than that.
    fn veil(&self, parts: &[&str], expires: Timestamp) -> String {
        let payload = payload(parts, expires);
        let key = self.derived_keys(&[VEIL]).into_iter().next().unwrap_or_default();
        // Only a key of another length fails: then no token opens anything.
        veiled(&key, payload.as_bytes()).unwrap_or_default()
    }

    fn unveil(&self, token: &str, now: Timestamp) -> Result<Vec<String>, LinkError> {
        let invalid = LinkError::Invalid;
        if token.len() > TOKEN_MAX {
            return Err(invalid);
        }
        let token = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| invalid)?;
        let secrets = std::iter::once(&self.keys.current).chain(&self.keys.previous);
        let keys = secrets.zip(self.derived_keys(&[VEIL]));
        // An empty key, of a secret that was never filled in, is everybody's.
        let mut keys = keys.filter(|(secret, _)| !secret.expose_secret().is_empty());
        let payload = keys.find_map(|(_, key)| unveiled(&key, &token).ok()).ok_or(invalid)?;
        read(payload, now)
    }

    /// Parts never hold line breaks: they are identities, amounts and codes.
    fn seal(&self, parts: &[&str], expires: Timestamp) -> String {
        let payload = payload(parts, expires);
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
        read(payload, now)
    }
}

fn payload(parts: &[&str], expires: Timestamp) -> String {
    format!("{}\n{}", expires.unix_seconds(), parts.join("\n"))
}

/// The parts of a payload that is ours, unless its time is over.
fn read(payload: Vec<u8>, now: Timestamp) -> Result<Vec<String>, LinkError> {
    let invalid = LinkError::Invalid;
    let payload = String::from_utf8(payload).map_err(|_| invalid)?;
    let mut parts = payload.split('\n').map(str::to_owned);
    let expires: i64 = parts.next().and_then(|text| text.parse().ok()).ok_or(invalid)?;
    if now.unix_seconds() >= expires {
        return Err(LinkError::Expired);
    }
    Ok(parts.collect())
}

fn veiled(key: &[u8], payload: &[u8]) -> Result<String, Unspecified> {
    let nonce: Vec<u8> =
        hmac_sha256(key, &[b"nonce\n", payload]).into_iter().take(NONCE_LEN).collect();
    let mut sealed = payload.to_vec();
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key)?).seal_in_place_append_tag(
        Nonce::try_assume_unique_for_key(&nonce)?,
        Aad::empty(),
        &mut sealed,
    )?;
    Ok(BASE64URL_NOPAD.encode(&[nonce, sealed].concat()))
}

fn unveiled(key: &[u8], token: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let (nonce, sealed) = token.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce)?;
    let mut sealed = sealed.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key)?);
    let payload = key.open_in_place(nonce, Aad::empty(), &mut sealed)?;
    Ok(payload.to_vec())
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
    fn an_account_shows_a_code_that_is_nothing_else_and_keys_are_derived() {
        let signer = links("a", None);
        let customer = CustomerId::member("ada").unwrap();
        let code = signer.account_code(&customer, at(100));
        assert_eq!(signer.open_account_code(&code, at(99)), Ok(customer));
        assert_eq!(signer.open_account_code(&code, at(100)), Err(LinkError::Expired));
        assert_eq!(signer.open_order_pass(&code, at(99)), Err(LinkError::Invalid));
        let link = MemberLink { customer: CustomerId::member("ada").unwrap() };
        let page = signer.member_link(&link, at(100));
        assert_eq!(signer.open_account_code(&page, at(99)), Err(LinkError::Invalid));
        let rolled = links("b", Some("a"));
        let (old, new) = (signer.derived_keys(&["code", "1"]), rolled.derived_keys(&["code", "1"]));
        assert_eq!((old.len(), new.len(), &old[0]), (1, 2, &new[1]));
        assert_ne!(new[0], new[1]);
        assert_ne!(signer.derived_keys(&["code", "2"]), old);
    }

    #[test]
    fn a_link_to_points_opens_nothing_else() {
        let signer = links("a", None);
        let link = MemberLink { customer: CustomerId::member("a").unwrap() };
        let token = signer.member_link(&link, at(100));
        assert_eq!(signer.open_member_link(&token, at(99)), Ok(link));
        assert_eq!(signer.open_member_link(&token, at(100)), Err(LinkError::Expired));
        assert_eq!(signer.open_tracking_link(&token, at(99)), Err(LinkError::Invalid));
        assert_eq!(links("b", None).open_member_link(&token, at(99)), Err(LinkError::Invalid));
        let code = signer.account_code(&CustomerId::guest("k"), at(100));
        assert_eq!(signer.open_member_link(&code, at(99)), Err(LinkError::Invalid));
    }

    #[test]
    fn a_members_token_cannot_be_read_nor_altered() {
        let signer = links("a", None);
        let customer = CustomerId::member("ada@example.com").unwrap();
        let link = MemberLink { customer: customer.clone() };
        let page = signer.member_link(&link, at(100));
        assert_eq!(page, signer.member_link(&link, at(100)), "the same is the same");
        for token in [&page, &signer.account_code(&customer, at(100))] {
            let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
            assert!(!bytes.windows(3).any(|part| part == b"ada"), "{token}");
        }
        assert_eq!(links("b", Some("a")).open_member_link(&page, at(99)), Ok(link));
        for place in 0..page.len() {
            let mut altered = page.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            let opened = signer.open_member_link(&altered, at(99));
            assert_eq!(opened, Err(LinkError::Invalid), "{place}");
        }
        let open = links("", None);
        let everybodys = open.member_link(&MemberLink { customer }, at(100));
        assert_eq!(open.open_member_link(&everybodys, at(99)), Err(LinkError::Invalid));
        for text in ["", ".", "a.b", "AAAA", "é"] {
            assert_eq!(signer.open_member_link(text, at(0)), Err(LinkError::Invalid));
        }
    }

    #[test]
    fn an_altered_token_opens_nothing() {
        let signer = links("a", None);
        let token = signer.survey_link(
            &SurveyLink { invite: InviteId::derive(&["1"]), customer: CustomerId::guest("k") },
            at(100),
        );
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
    fn a_draw_is_the_same_for_the_same_and_another_for_others() {
        let signer = links("a", None);
        let drawn = signer.draw(&["rain", "cus_a", "1"]);
        assert_eq!(drawn, signer.draw(&["rain", "cus_a", "1"]));
        assert_ne!(drawn, signer.draw(&["rain", "cus_a", "2"]));
        assert_ne!(drawn, links("b", Some("a")).draw(&["rain", "cus_a", "1"]));
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
