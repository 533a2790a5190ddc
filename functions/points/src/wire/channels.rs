//! What tills, apps and operators send and get about members' codes, holds,
//! receipts and linked accounts.

use aftercart::model::{
    customer::CustomerId,
    id::{HoldId, LinkId, OrderId},
    money::{Currency, Money},
    points::{AccountLink, Tier},
    product::Sku,
    text::Text,
    till::{MemberNumber, TillEnd, TillHold},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::link::UNDO_ALONE;

/// What a member shows at a till.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberCodeView {
    /// The member's number, which never changes.
    pub number: MemberNumber,
    /// What is shown now: the number and eight digits, for a bar code or to type.
    pub code: String,
    /// The code as a QR code, an SVG image.
    pub qr_svg: String,
    /// When the next code is shown.
    pub until: Timestamp,
    /// What an app shows codes with while it has no connection.
    pub offline: OfflineCodes,
}

/// How to make codes without a connection: time-based one-time passwords
/// (RFC 6238), after the member's number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfflineCodes {
    /// Always `SHA256`.
    pub algorithm: String,
    /// How many digits follow the number.
    pub digits: u8,
    /// How long one code is shown, in seconds, counted from 1970.
    pub step_s: u32,
    /// The keys, each for its time.
    pub keys: Vec<CodeKey>,
}

/// A key of codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CodeKey {
    /// The key, in base 32 (RFC 4648, without padding).
    pub key: String,
    /// From when it counts.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// A code that a till read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCode {
    /// The code: 20 digits; spaces and dashes between them are left out.
    pub code: String,
    /// When the till read it; now, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// A member at a till.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TillMemberView {
    /// The member's number.
    pub number: MemberNumber,
    /// How many points may be spent.
    pub spendable: i64,
    /// The member's tier; none is the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
}

/// Points to hold for a till.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldPoints {
    /// The code that the member showed; points are held once for it.
    pub code: String,
    /// When the till read it; now, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// How many, 1 or more.
    pub points: u32,
}

/// Held points to spend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureHold {
    /// Which hold.
    pub hold: HoldId,
    /// How many of its points; all of them, if it is left out. The others are
    /// free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
}

/// A hold to give up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidHold {
    /// Which hold.
    pub hold: HoldId,
}

/// Points that are held for a till.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TillHoldView {
    /// Its identity.
    pub hold: HoldId,
    /// How many points it holds, or held.
    pub points: i64,
    /// How it stands.
    pub status: TillHoldStatus,
    /// When it ends by itself.
    pub until: Timestamp,
    /// How many of its points paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<i64>,
}

/// How a till's hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TillHoldStatus {
    /// Its points are held.
    Held,
    /// Points of it paid.
    Captured,
    /// It was given up.
    Voided,
}

/// What a member bought in a store. The store and the number of the receipt are
/// what tells it from others: it is safe to send again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordReceipt {
    /// The code that the member showed.
    pub code: String,
    /// When the till read it; when the goods were bought, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Which store.
    pub store: Text<40>,
    /// The number that the store gave the receipt.
    pub receipt: Text<64>,
    /// When the goods were bought: within a day of `read_at`, and not later
    /// than now but for 120 seconds.
    pub purchased_at: Timestamp,
    /// In which currency they were paid.
    pub currency: Currency,
    /// What was bought, 1 to 100 lines.
    pub lines: Vec<ReceiptLineBody>,
    /// The hold whose points paid for a part of it; they pay for one receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
}

/// So many units of a SKU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptLineBody {
    /// What.
    pub sku: Sku,
    /// Its category, as the programme's rules name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<40>>,
    /// Its brand, as the programme's rules name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Text<40>>,
    /// How many units, 1 or more.
    pub quantity: u32,
    /// What was paid for all of them in money, in minor units: after
    /// discounts, without taxes that are on top, and without what points paid.
    pub paid: i64,
}

/// What a receipt earned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoreReceiptView {
    /// Its identity, by which movements name it.
    pub id: OrderId,
    /// How many points it earned.
    pub earned: i64,
    /// What each line earned.
    pub lines: Vec<i64>,
    /// When they may be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spendable_from: Option<Timestamp>,
}

/// Goods of a receipt that came back. The number of the return is what tells it
/// from others of the receipt: it is safe to send again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnReceipt {
    /// Which store gave the receipt.
    pub store: Text<40>,
    /// The number of the receipt.
    pub receipt: Text<64>,
    /// The number that the store gave the return.
    pub number: Text<64>,
    /// What came back.
    pub lines: Vec<ReturnLine>,
}

/// So many units of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnLine {
    /// Which line of the receipt, counted from 1.
    pub line: u16,
    /// How many units of it came back with this return.
    pub units: u32,
}

/// What returns did to points, all returns of the receipt together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnView {
    /// The identity of the receipt.
    pub id: OrderId,
    /// How many points that it earned were taken back.
    pub taken_back: i64,
    /// How many points that had paid for it came back.
    pub given_back: i64,
}

/// What the other account of the same person shows, to be linked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkCodeView {
    /// To be entered in the account that is to have the points.
    pub code: String,
    /// Until when.
    pub until: Timestamp,
}

/// An account to take in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkAccount {
    /// The code that the other account shows.
    pub code: String,
}

/// Two accounts of one person to link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkAccounts {
    /// The account that has the points from now on.
    pub main: CustomerId,
    /// The account from which they flow.
    pub other: CustomerId,
}

/// Why accounts are taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoLink {
    /// The reason.
    pub why: Text<500>,
}

/// A link, as the member sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkView {
    /// Its identity.
    pub id: LinkId,
    /// Since when.
    pub since: Timestamp,
    /// Until when the member undoes it alone; later the shop does.
    pub undo_until: Timestamp,
    /// When it was undone, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<Timestamp>,
}

/// A link, as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkFile {
    /// Its identity.
    pub id: LinkId,
    /// The account that has the points.
    pub main: CustomerId,
    /// The account from which they flow.
    pub other: CustomerId,
    /// Since when.
    pub since: Timestamp,
    /// The operator who linked them; the member did, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Text<128>>,
    /// How it was undone, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<UndoneLinkView>,
}

/// How a link was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UndoneLinkView {
    /// When.
    pub at: Timestamp,
    /// By which operator; by the member, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Text<128>>,
    /// Why.
    pub why: Text<500>,
}

/// The links of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkList {
    /// Into another account, or from others.
    pub links: Vec<LinkFile>,
}

impl From<&TillHold> for TillHoldView {
    fn from(hold: &TillHold) -> Self {
        let (status, captured) = match hold.ended {
            None => (TillHoldStatus::Held, None),
            Some(TillEnd::Voided) => (TillHoldStatus::Voided, None),
            Some(TillEnd::Captured { points, .. }) => (TillHoldStatus::Captured, Some(points)),
        };
        Self { hold: hold.id.clone(), points: hold.points, status, until: hold.until, captured }
    }
}

impl From<&AccountLink> for LinkView {
    fn from(link: &AccountLink) -> Self {
        let undone_at = link.undone.as_ref().map(|(at, _, _)| *at);
        let undo_until = link.at.plus(UNDO_ALONE);
        Self { id: link.id.clone(), since: link.at, undo_until, undone_at }
    }
}

impl From<&AccountLink> for LinkFile {
    fn from(link: &AccountLink) -> Self {
        let undone = link.undone.clone();
        Self {
            id: link.id.clone(),
            main: link.main.clone(),
            other: link.other.clone(),
            since: link.at,
            by: link.by.clone(),
            undone: undone.map(|(at, by, why)| UndoneLinkView { at, by, why }),
        }
    }
}

/// The points that receipts earn are in minor units of one currency; what was
/// paid has to be money.
impl RecordReceipt {
    /// Whether every amount is one.
    #[must_use]
    pub fn amounts_fit(&self) -> bool {
        let sum = self.lines.iter().try_fold(0_i64, |sum, line| {
            let fits = line.paid >= 0;
            sum.checked_add(line.paid).filter(|_| fits)
        });
        sum.is_some_and(|sum| Money::new(sum, self.currency).is_ok())
    }
}
