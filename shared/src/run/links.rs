//! Signed links and passes: what lets somebody in without a login, or holds the
//! shop to its word.
//!
//! A token is `payload.signature`, both in URL-safe base 64. The payload names
//! the purpose, so that a token for one thing opens no other, and the moment
//! it ends; the signature is HMAC-SHA256 over it. The payload can be read by
//! whoever has the token.
//!
//! Links and codes that are shown or passed on and name somebody, whose name may
//! be an e-mail address, such as those to surveys: their tokens are the same payload, encrypted with
//! AES-256-GCM-SIV (RFC 8452) under a key derived from that of the signatures.
//! Such a token tells nothing but how long the payload is.

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::{
    contact::{Contactee, Purpose},
    customer::CustomerId,
    exchange::Rate,
    id::{InviteId, OrderId, TicketId},
    money::{Currency, Money},
    signature::{any_matches, hmac_sha256},
    survey::TouchpointId,
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

/// A link to the page for complaints about an order. It opens that page only:
/// who has it learns nothing of the parcels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintLink {
    /// About which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A link to a survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyLink {
    /// Which invitation.
    pub invite: InviteId,
    /// To which survey.
    pub touchpoint: TouchpointId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A link to the page on which somebody chooses what to be contacted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLink {
    /// Who.
    pub who: Contactee,
}

/// A link to the page of a ticket. It opens no other way to the customer's
/// account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketLink {
    /// Which ticket.
    pub ticket: TicketId,
    /// Whose it is.
    pub customer: CustomerId,
}

/// A link to the page with the reports of surveys and tickets, for people of
/// the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportLink;

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
const COMPLAINT: &str = "complaint";
const SURVEY: &str = "survey";
const CONTACT: &str = "contact";
const TICKET: &str = "ticket";
const REPORT: &str = "report";
const MEMBER: &str = "member";
const RATE: &str = "rate";
const ACCOUNT: &str = "account";
const DRAW: &str = "draw";

/// The use for which keys of tokens that cannot be read are derived.
const VEIL: &str = "veil";

impl Links {
    /// Signs with the current key; opens what any key signed.
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
        of_order(purpose, &self.open(token, now)?)
    }

    /// The token of a link to the page for complaints about an order.
    #[must_use]
    pub fn complaint_link(&self, link: &ComplaintLink, expires: Timestamp) -> String {
        self.veil(&[COMPLAINT, link.order.as_str(), link.customer.as_str()], expires)
    }

    /// Opens the token of a link to the page for complaints about an order. That
    /// of a link to the order's tracking page opens it, too.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_complaint_link(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<ComplaintLink, LinkError> {
        let opened = match self.unveil(token, now) {
            Ok(parts) => of_order(COMPLAINT, &parts),
            Err(LinkError::Expired) => Err(LinkError::Expired),
            Err(LinkError::Invalid) => self.open_of_order(TRACKING, token, now),
        };
        opened.map(|(order, customer)| ComplaintLink { order, customer })
    }

    /// The token of a link to a survey.
    #[must_use]
    pub fn survey_link(&self, link: &SurveyLink, expires: Timestamp) -> String {
        let SurveyLink { invite, touchpoint, customer } = link;
        let parts = [SURVEY, invite.as_str(), touchpoint.as_str(), customer.as_str()];
        self.veil(&parts, expires)
    }

    /// Opens the token of a link to a survey.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_survey_link(&self, token: &str, now: Timestamp) -> Result<SurveyLink, LinkError> {
        let parts = self.unveil(token, now)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let [SURVEY, invite, touchpoint, customer] = parts[..] else {
            return Err(LinkError::Invalid);
        };
        let link = || {
            Some(SurveyLink {
                invite: InviteId::parse(invite).ok()?,
                touchpoint: TouchpointId::parse(touchpoint).ok()?,
                customer: CustomerId::parse(customer).ok()?,
            })
        };
        link().ok_or(LinkError::Invalid)
    }

    /// The token of a link to somebody's choices. It never ends of itself:
    /// whoever finds an old message may still say no.
    #[must_use]
    pub fn contact_link(&self, link: &ContactLink) -> String {
        self.veil(&[CONTACT, link.who.as_str()], Timestamp::LAST)
    }

    /// Where somebody chooses not to be contacted for a purpose any more: the
    /// page of their choices, and by RFC 8058 the target of one click, which is
    /// for this purpose alone.
    #[must_use]
    pub fn unsubscribe(&self, shop: &str, who: &Contactee, purpose: Purpose) -> String {
        let token = self.contact_link(&ContactLink { who: who.clone() });
        format!("{}/u/{token}?for={}", shop.trim_end_matches('/'), purpose.as_str())
    }

    /// Opens the token of a link to somebody's choices.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_contact_link(&self, token: &str, now: Timestamp) -> Result<ContactLink, LinkError> {
        let parts = self.unveil(token, now)?;
        let [CONTACT, who] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            return Err(LinkError::Invalid);
        };
        let who = Contactee::parse(who).ok_or(LinkError::Invalid)?;
        Ok(ContactLink { who })
    }

    /// The token of a link to a ticket.
    #[must_use]
    pub fn ticket_link(&self, link: &TicketLink, expires: Timestamp) -> String {
        self.veil(&[TICKET, link.ticket.as_str(), link.customer.as_str()], expires)
    }

    /// Opens the token of a link to a ticket.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_ticket_link(&self, token: &str, now: Timestamp) -> Result<TicketLink, LinkError> {
        let parts = self.unveil(token, now)?;
        let [TICKET, ticket, customer] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            return Err(LinkError::Invalid);
        };
        let ticket = TicketId::parse(ticket).map_err(|_| LinkError::Invalid)?;
        let customer = CustomerId::parse(customer).map_err(|_| LinkError::Invalid)?;
        Ok(TicketLink { ticket, customer })
    }

    /// The token of a link to the page with the reports.
    #[must_use]
    pub fn report_link(&self, ReportLink: ReportLink, expires: Timestamp) -> String {
        self.seal(&[REPORT], expires)
    }

    /// Opens the token of a link to the page with the reports.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open_report_link(&self, token: &str, now: Timestamp) -> Result<ReportLink, LinkError> {
        let parts = self.open(token, now)?;
        let [REPORT] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            return Err(LinkError::Invalid);
        };
        Ok(ReportLink)
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
        self.keys.all().map(derive).collect()
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
        let keys = self.keys.all().zip(self.derived_keys(&[VEIL]));
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
        let keys: Vec<Vec<u8>> = self.keys.all().map(key).collect();
        if !any_matches(&keys, &[&payload], &[mac]) {
            return Err(invalid);
        }
        read(payload, now)
    }
}

/// Whose order a token of this purpose names.
fn of_order(purpose: &str, parts: &[String]) -> Result<(OrderId, CustomerId), LinkError> {
    let [found, order, customer] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return Err(LinkError::Invalid);
    };
    if found != purpose {
        return Err(LinkError::Invalid);
    }
    let order = OrderId::parse(order).map_err(|_| LinkError::Invalid)?;
    let customer = CustomerId::parse(customer).map_err(|_| LinkError::Invalid)?;
    Ok((order, customer))
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
        rolled(current, previous.as_slice())
    }

    fn rolled(current: &str, previous: &[&str]) -> Links {
        let previous = previous.iter().map(|key| SecretString::from(*key)).collect();
        Links::new(LinkKeys { current: current.into(), previous })
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
    fn a_link_to_complain_opens_nothing_else_and_one_to_the_parcels_opens_it_too() {
        let signer = links("a", None);
        let (order, customer) = (OrderId::derive(&["1"]), CustomerId::guest("k"));
        let link = ComplaintLink { order: order.clone(), customer: customer.clone() };
        let token = signer.complaint_link(&link, at(100));
        assert_eq!(signer.open_tracking_link(&token, at(99)), Err(LinkError::Invalid));
        assert_eq!(signer.open_ticket_link(&token, at(99)), Err(LinkError::Invalid));
        let tracking = TrackingLink { order: order.clone(), customer: customer.clone() };
        for token in [token, signer.tracking_link(&tracking, at(100))] {
            assert_eq!(signer.open_complaint_link(&token, at(99)), Ok(link.clone()));
            assert_eq!(signer.open_complaint_link(&token, at(100)), Err(LinkError::Expired));
            assert_eq!(signer.open_order_pass(&token, at(99)), Err(LinkError::Invalid));
            let opened = links("b", None).open_complaint_link(&token, at(99));
            assert_eq!(opened, Err(LinkError::Invalid));
        }
        for other in [
            signer.order_pass(&OrderPass { order, customer: customer.clone() }, at(100)),
            signer.member_link(&MemberLink { customer }, at(100)),
        ] {
            assert_eq!(signer.open_complaint_link(&other, at(99)), Err(LinkError::Invalid));
        }
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
    fn a_link_to_choices_opens_as_long_as_its_key_is_kept() {
        let link = ContactLink { who: Contactee::member(&CustomerId::member("a").unwrap()) };
        let token = links("first key", None).contact_link(&link);
        let kept = rolled("third key", &["second key", "first key"]);
        assert_eq!(kept.open_contact_link(&token, at(99)), Ok(link));
        let lost = rolled("third key", &["second key"]);
        assert_eq!(lost.open_contact_link(&token, at(99)), Err(LinkError::Invalid));
        // What is signed is kept like what is encrypted.
        let pass = OrderPass { order: OrderId::derive(&["1"]), customer: CustomerId::guest("k") };
        let token = links("first key", None).order_pass(&pass, at(100));
        assert_eq!(kept.open_order_pass(&token, at(99)), Ok(pass));
    }

    #[test]
    fn a_members_token_cannot_be_read_nor_altered() {
        let signer = links("a", None);
        let customer = CustomerId::member("ada@example.com").unwrap();
        let link = MemberLink { customer: customer.clone() };
        let page = signer.member_link(&link, at(100));
        assert_eq!(page, signer.member_link(&link, at(100)), "the same is the same");
        let survey = SurveyLink {
            invite: InviteId::derive(&["1"]),
            touchpoint: TouchpointId::parse("delivery").unwrap(),
            customer: customer.clone(),
        };
        let survey = signer.survey_link(&survey, at(100));
        for token in [&page, &survey, &signer.account_code(&customer, at(100))] {
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
            &SurveyLink {
                invite: InviteId::derive(&["1"]),
                touchpoint: TouchpointId::parse("delivery").unwrap(),
                customer: CustomerId::guest("k"),
            },
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
