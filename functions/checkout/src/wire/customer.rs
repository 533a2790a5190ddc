//! What the shop knows of members, and their vouchers.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        customer::CustomerId,
        delivery::MethodId,
        id::{OrderId, VoucherId},
        money::Currency,
        price::RuleId,
        profile::Profile,
        text::Text,
        time::{Timestamp, YearDay},
        voucher::Voucher,
    },
    store::{Page, PageToken},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `PUT /customers/{id}`: the whole of what the shop sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutCustomer {
    /// The tier; none, if it is left out. While the policy has levels of
    /// membership, it is left out, and stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<40>>,
    /// The segments, at most 20; none, if they are left out.
    #[serde(default)]
    pub segments: Vec<Text<40>>,
    /// Month and day of the birthday, such as `02-29`; unknown, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<YearDay>,
}

/// A member's tier, segments and birthday, as they were set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StandingView {
    /// Whose.
    pub id: CustomerId,
    /// The tier that rules name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<40>>,
    /// The segments that rules name.
    pub segments: Vec<Text<40>>,
    /// Month and day of the birthday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<YearDay>,
}

/// What the shop knows of a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerView {
    /// Whose.
    pub id: CustomerId,
    /// The tier that rules name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<40>>,
    /// The segments that rules name.
    pub segments: Vec<Text<40>>,
    /// Month and day of the birthday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<YearDay>,
    /// When the first of the paid orders was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How many orders were paid.
    pub orders: u32,
    /// What was paid for them in money, in minor units by currency.
    pub spent: BTreeMap<Currency, i64>,
    /// The most that was paid for one of them.
    pub largest: BTreeMap<Currency, i64>,
    /// How the latest of them was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_method: Option<MethodId>,
}

/// What the shop knows of a member, with a page of the vouchers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerPage {
    /// The record.
    pub customer: CustomerView,
    /// A page of the vouchers, in no particular order.
    pub vouchers: Vec<VoucherView>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A page of a member's vouchers, in no particular order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoucherPage {
    /// The vouchers.
    pub vouchers: Vec<VoucherView>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The body of `POST /customers/{id}/vouchers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantVoucher {
    /// The price rule that it is for. As long as the shop has no rule of this
    /// name, the voucher does nothing.
    pub rule: RuleId,
    /// When it ends; never, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A voucher as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoucherView {
    /// Its identity, which quotes and orders name.
    pub id: VoucherId,
    /// The price rule that it is for.
    pub rule: RuleId,
    /// Where it stands.
    pub state: VoucherState,
    /// The order that uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Where a voucher stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoucherState {
    /// An order may use it.
    Open,
    /// An order uses it. If that ends, the voucher is open again.
    Used,
    /// It has ended.
    Expired,
}

impl From<Profile> for CustomerView {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.customer,
            tier: profile.tier,
            segments: profile.segments,
            birthday: profile.birthday,
            since: profile.since,
            orders: profile.orders,
            spent: profile.spent,
            largest: profile.largest,
            last_method: profile.last_method,
        }
    }
}

impl VoucherView {
    /// The voucher as it stands now.
    #[must_use]
    pub fn of(voucher: Voucher, now: Timestamp) -> Self {
        let state = match (voucher.is_open(now), &voucher.used_by) {
            (true, _) => VoucherState::Open,
            (false, Some(_)) => VoucherState::Used,
            (false, None) => VoucherState::Expired,
        };
        Self {
            id: voucher.id,
            rule: voucher.rule,
            state,
            order: voucher.used_by,
            granted_at: voucher.granted_at,
            expires_at: voucher.expires_at,
        }
    }
}

impl VoucherPage {
    /// The page as it stands now.
    #[must_use]
    pub fn of(page: Page<Voucher>, now: Timestamp) -> Self {
        Self {
            vouchers: page.items.into_iter().map(|it| VoucherView::of(it, now)).collect(),
            next_cursor: page.next.as_ref().map(PageToken::encode),
        }
    }
}
