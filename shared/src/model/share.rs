//! Offers that friends share: a member starts one, others join it, and what
//! was promised is granted as vouchers. One form serves group buying (all get
//! it when the group is full), a price that friends cut (the starter gets more
//! with each step), a code that is shared, and a draw.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    digest,
    id::{ShareId, VoucherId},
    policy::PolicyError,
    price::{RuleId, Title},
    text::Text,
    time::{Period, Timestamp},
    voucher::Voucher,
};

/// The most campaigns of a policy: more cannot be told to anybody.
pub const MAX_CAMPAIGNS: usize = 50;

/// The most members that join one share. All of them may get a voucher in the
/// transaction of the last, which is far below the 100 writes that DynamoDB
/// takes; and a share is one small item.
pub const MAX_JOINED: u32 = 50;

/// The most steps of a campaign, and the most chances of a draw.
const MAX_STEPS: usize = 10;

/// How friends share offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharesPolicy {
    /// What may be shared, at most 50.
    #[serde(default)]
    pub campaigns: Vec<Campaign>,
}

/// An offer to share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its name; a member starts one share of it. Another round has another name.
    pub id: RuleId,
    /// What members read.
    pub title: Title,
    /// When members may start and join; always, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How long a share is open after it was started.
    pub within: Period,
    /// How many may join a share, 1 to 50: with the starter, one less than the
    /// members of a group.
    pub most: u32,
    /// How many shares of the campaign one member may join.
    pub joins_per_member: u32,
    /// What is granted when so many have joined.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What a member gets for joining: one of these, drawn by weight.
    #[serde(default)]
    pub draw: Vec<Chance>,
    /// What draws are mixed with, so that nobody knows them beforehand. A
    /// secret of the shop; needed for a draw of several chances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Text<100>>,
    /// How long vouchers of it last.
    pub voucher_life: Period,
}

/// What is granted when so many have joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When so many have joined.
    pub joined: u32,
    /// To whom.
    pub to: Whom,
    /// A voucher for this price rule.
    pub rule: RuleId,
}

/// Who gets something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Whoever started the share.
    Starter,
    /// The starter and everybody who joined.
    All,
}

/// A chance of a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// A voucher for this price rule; nothing, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// How often against the others, 1 to 1,000,000.
    pub weight: u32,
}

/// A share that a member started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Derived from the campaign and the member.
    pub id: ShareId,
    /// Of which campaign.
    pub campaign: RuleId,
    /// Who started it.
    pub starter: CustomerId,
    /// When it ends.
    pub until: Timestamp,
    /// Who joined, in that order.
    pub joined: Vec<CustomerId>,
    /// How often it was written.
    pub version: u64,
}

/// Why nobody joins, or starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareRefusal {
    /// The campaign is not open now, or no campaign any more.
    #[error("The campaign is not open.")]
    Closed,
    /// The share's time is over.
    #[error("The time of this share is over.")]
    Over,
    /// As many have joined as may.
    #[error("As many have joined as may; start one of your own.")]
    Full,
    /// The starter does not join.
    #[error("You started this share; others join it.")]
    Own,
}

impl SharesPolicy {
    /// The campaign of this name.
    #[must_use]
    pub fn campaign(&self, id: &RuleId) -> Option<&Campaign> {
        self.campaigns.iter().find(|campaign| campaign.id == *id)
    }

    /// Whether the document makes sense.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let fault = |path: String, reason: &str| {
            Err(PolicyError::Malformed { path, reason: reason.to_owned() })
        };
        if self.campaigns.len() > MAX_CAMPAIGNS {
            return fault("shares.campaigns".to_owned(), "must be at most 50");
        }
        let mut names = BTreeSet::new();
        for (number, campaign) in self.campaigns.iter().enumerate() {
            let place = format!("shares.campaigns[{number}]");
            if !names.insert(&campaign.id) {
                return fault(format!("{place}.id"), "must differ from the others' ids");
            }
            if let Some((member, reason)) = campaign.fault() {
                return fault(format!("{place}.{member}"), reason);
            }
        }
        Ok(())
    }
}

impl Campaign {
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let joined = |step: &Step| (1..=self.most).contains(&step.joined);
        let weighs = |chance: &Chance| (1..=1_000_000).contains(&chance.weight);
        if !(1..=MAX_JOINED).contains(&self.most) {
            return Some(("most", "must be 1 to 50"));
        }
        if self.joins_per_member == 0 {
            return Some(("joins_per_member", "must be 1 or more"));
        }
        if self.from.zip(self.until).is_some_and(|(from, until)| until <= from) {
            return Some(("until", "must be after `from`"));
        }
        if self.steps.len() > MAX_STEPS || !self.steps.iter().all(joined) {
            return Some(("steps", "must be at most 10, each at 1 to `most` members who joined"));
        }
        if self.draw.len() > MAX_STEPS || !self.draw.iter().all(weighs) {
            return Some(("draw", "must be at most 10 chances of weights from 1 to 1,000,000"));
        }
        if self.steps.is_empty() && self.draw.is_empty() {
            return Some(("steps", "must grant something, or there must be a `draw`"));
        }
        let secret = self.salt.is_some() || self.draw.len() < 2;
        (!secret).then_some(("salt", "must be given for a draw of several chances"))
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// The share that a member starts now.
    ///
    /// # Errors
    /// [`ShareRefusal::Closed`].
    pub fn start(&self, starter: &CustomerId, now: Timestamp) -> Result<Share, ShareRefusal> {
        if !self.is_open(now) {
            return Err(ShareRefusal::Closed);
        }
        let until = now.plus(self.within);
        Ok(Share {
            id: ShareId::derive(&[self.id.as_str(), starter.as_str()]),
            campaign: self.id.clone(),
            starter: starter.clone(),
            until: self.until.map_or(until, |end| until.min(end)),
            joined: Vec::new(),
            version: 1,
        })
    }

    /// A share that somebody joins now, and the vouchers that are granted by
    /// it. None when the member has joined already.
    ///
    /// # Errors
    /// [`ShareRefusal`].
    pub fn join(
        &self,
        share: &Share,
        member: &CustomerId,
        now: Timestamp,
    ) -> Result<Option<(Share, Vec<Voucher>)>, ShareRefusal> {
        if share.joined.contains(member) {
            return Ok(None);
        }
        if share.starter == *member {
            return Err(ShareRefusal::Own);
        }
        if !self.is_open(now) {
            return Err(ShareRefusal::Closed);
        }
        if share.until <= now {
            return Err(ShareRefusal::Over);
        }
        let count = u32::try_from(share.joined.len()).unwrap_or(u32::MAX);
        if count >= self.most {
            return Err(ShareRefusal::Full);
        }
        let mut after = share.clone();
        after.joined.push(member.clone());
        after.version = share.version.saturating_add(1);
        let vouchers = self.granted(&after, count.saturating_add(1), member, now);
        Ok(Some((after, vouchers)))
    }

    fn granted(
        &self,
        share: &Share,
        count: u32,
        member: &CustomerId,
        now: Timestamp,
    ) -> Vec<Voucher> {
        let mut vouchers = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let whom: Vec<&CustomerId> = match step.to {
                _ if step.joined != count => Vec::new(),
                Whom::Starter => vec![&share.starter],
                Whom::All => std::iter::once(&share.starter).chain(&share.joined).collect(),
            };
            let cause = format!("step {number}");
            vouchers.extend(
                whom.into_iter().map(|to| self.voucher(share, to, &step.rule, &cause, now)),
            );
        }
        if let Some(rule) = self.drawn(share, member) {
            vouchers.push(self.voucher(share, member, rule, "draw", now));
        }
        vouchers
    }

    /// What a member draws in a share: the same whenever it is asked.
    fn drawn(&self, share: &Share, member: &CustomerId) -> Option<&RuleId> {
        let all: u64 = self.draw.iter().map(|chance| u64::from(chance.weight)).sum();
        let salt = self.salt.as_ref().map_or("", Text::as_str);
        let hash = digest::full(&[
            salt.as_bytes(),
            share.id.as_str().as_bytes(),
            member.as_str().as_bytes(),
        ]);
        let number = hash
            .bytes()
            .take(12)
            .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut place = number.checked_rem(all)?;
        for chance in &self.draw {
            match place.checked_sub(u64::from(chance.weight)) {
                Some(rest) => place = rest,
                None => return chance.rule.as_ref(),
            }
        }
        None
    }

    fn voucher(
        &self,
        share: &Share,
        to: &CustomerId,
        rule: &RuleId,
        cause: &str,
        now: Timestamp,
    ) -> Voucher {
        Voucher {
            id: VoucherId::derive(&[share.id.as_str(), to.as_str(), cause]),
            customer: to.clone(),
            rule: rule.clone(),
            granted_at: now,
            expires_at: Some(now.plus(self.voucher_life)),
            used_by: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn member(name: &str) -> CustomerId {
        CustomerId::member(name).unwrap()
    }

    fn campaign(more: serde_json::Value) -> Campaign {
        let mut document = json!({
            "id": "tea-friends", "title": { "en": "Tea with friends" }, "within": "1d",
            "most": 2, "joins_per_member": 3, "voucher_life": "7d",
        });
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let campaign: Campaign = serde_json::from_value(document).unwrap();
        assert_eq!(campaign.fault(), None);
        campaign
    }

    fn to(vouchers: &[Voucher]) -> Vec<(&str, &str)> {
        vouchers.iter().map(|it| (it.customer.as_str(), it.rule.as_str())).collect()
    }

    #[test]
    fn a_group_gets_its_price_when_it_is_full() {
        let group = campaign(json!({ "steps": [{ "joined": 2, "to": "all", "rule": "group" }] }));
        let share = group.start(&member("ada"), now()).unwrap();
        let (share, none) = group.join(&share, &member("bob"), now()).unwrap().unwrap();
        assert_eq!(none, []);
        assert_eq!(group.join(&share, &member("bob"), now()), Ok(None));
        assert_eq!(group.join(&share, &member("ada"), now()), Err(ShareRefusal::Own));
        let (full, all) = group.join(&share, &member("cid"), now()).unwrap().unwrap();
        assert_eq!(to(&all), [("cus_ada", "group"), ("cus_bob", "group"), ("cus_cid", "group")]);
        assert_eq!(group.join(&full, &member("dee"), now()), Err(ShareRefusal::Full));
        assert_eq!(group.join(&share, &member("dee"), share.until), Err(ShareRefusal::Over));
    }

    #[test]
    fn friends_cut_a_price_step_by_step() {
        let cut = campaign(json!({ "steps": [
            { "joined": 1, "to": "starter", "rule": "cut-5" },
            { "joined": 2, "to": "starter", "rule": "cut-20" },
        ], "draw": [{ "rule": "thanks", "weight": 1 }] }));
        let share = cut.start(&member("ada"), now()).unwrap();
        let (share, first) = cut.join(&share, &member("bob"), now()).unwrap().unwrap();
        assert_eq!(to(&first), [("cus_ada", "cut-5"), ("cus_bob", "thanks")]);
        let (_, second) = cut.join(&share, &member("cid"), now()).unwrap().unwrap();
        assert_eq!(to(&second), [("cus_ada", "cut-20"), ("cus_cid", "thanks")]);
    }

    #[test]
    fn a_campaign_opens_and_closes() {
        let window = json!({
            "steps": [{ "joined": 1, "to": "all", "rule": "r" }],
            "from": "2026-11-21T12:00:00Z", "until": "2026-11-21T13:00:00Z",
        });
        let campaign = campaign(window);
        let early = Timestamp::parse("2026-11-21T11:59:59Z").unwrap();
        assert_eq!(campaign.start(&member("ada"), early), Err(ShareRefusal::Closed));
        let share = campaign.start(&member("ada"), now()).unwrap();
        assert_eq!(Some(share.until), campaign.until, "not longer than the campaign");
        let joined = campaign.join(&share, &member("bob"), share.until);
        assert_eq!(joined, Err(ShareRefusal::Closed));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let sound = json!({
            "id": "a", "title": { "en": "A" }, "within": "1d", "most": 2, "joins_per_member": 1,
            "voucher_life": "7d", "steps": [{ "joined": 1, "to": "all", "rule": "r" }],
        });
        for (member, value) in [
            ("most", json!(0)),
            ("most", json!(51)),
            ("joins_per_member", json!(0)),
            ("steps", json!([])),
            ("steps", json!([{ "joined": 3, "to": "all", "rule": "r" }])),
            ("draw", json!([{ "weight": 0 }])),
        ] {
            let mut odd = sound.clone();
            odd[member] = value;
            let policy: SharesPolicy =
                serde_json::from_value(json!({ "campaigns": [odd] })).unwrap();
            let error = policy.check().unwrap_err().to_string();
            assert!(error.contains(&format!("shares.campaigns[0].{member}")), "{error}");
        }
        let mut open = sound.clone();
        open["draw"] = json!([{ "weight": 1 }, { "weight": 2 }]);
        let twice: SharesPolicy =
            serde_json::from_value(json!({ "campaigns": [sound.clone(), sound] })).unwrap();
        assert!(twice.check().unwrap_err().to_string().contains("campaigns[1].id"));
        let salted: SharesPolicy = serde_json::from_value(json!({ "campaigns": [open] })).unwrap();
        assert!(salted.check().unwrap_err().to_string().contains("salt"));
    }

    /// Of many draws each chance comes about as often as its weight says.
    #[test]
    fn a_draw_follows_the_weights() {
        let draw = campaign(json!({ "salt": "secret", "draw": [
            { "rule": "grand", "weight": 1 }, { "rule": "small", "weight": 3 }, { "weight": 6 },
        ] }));
        let mut drawn: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for number in 0..10_000 {
            let share = draw.start(&member(&format!("starter-{number}")), now()).unwrap();
            let rule = draw.drawn(&share, &member("bob")).map(RuleId::as_str);
            *drawn.entry(rule).or_default() += 1;
        }
        for (rule, expected) in [(Some("grand"), 1_000), (Some("small"), 3_000), (None, 6_000)] {
            let off = drawn[&rule].abs_diff(expected);
            // Five standard deviations of a binomial of 10,000.
            assert!(off < 250, "{rule:?}: {}", drawn[&rule]);
        }
    }

    proptest! {
        /// Whoever joins, in whatever order and however often: nobody gets the
        /// same thing twice, and nobody beyond the steps that were reached.
        #[test]
        fn vouchers_are_granted_once(order in prop::collection::vec(0_usize..6, 0..20)) {
            let group = campaign(json!({ "most": 4, "steps": [
                { "joined": 2, "to": "all", "rule": "two" },
                { "joined": 4, "to": "starter", "rule": "four" },
            ] }));
            let mut share = group.start(&member("m0"), now()).unwrap();
            let mut granted = BTreeSet::new();
            for number in order {
                let joining = group.join(&share, &member(&format!("m{number}")), now());
                let Ok(Some((after, vouchers))) = joining else { continue };
                for voucher in vouchers {
                    prop_assert!(granted.insert((voucher.customer.clone(), voucher.rule.clone())));
                }
                share = after;
            }
            let expected = match share.joined.len() { 0 | 1 => 0, 2 | 3 => 3, _ => 4 };
            prop_assert_eq!(granted.len(), expected);
        }
    }
}
