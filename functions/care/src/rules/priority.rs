//! How soon a ticket is seen to, and by whom.

use aftercart::model::{
    care::{CarePolicy, Desk},
    money::Money,
    text::Text,
    ticket::{DeskId, Priority, Topic},
};

/// How soon a ticket is seen to whose complaint asks for `base`. Alarming words
/// make it urgent; somebody whom the policy raises is seen to one step sooner,
/// but nothing is urgent for who it comes from.
#[must_use]
pub fn priority(
    base: Priority,
    alarms: &[Text<40>],
    (tier, total): (Option<&Text<40>>, Option<Money>),
    policy: &CarePolicy,
) -> Priority {
    if !alarms.is_empty() {
        return Priority::Urgent;
    }
    match base {
        Priority::Normal if policy.raise.is_for(tier, total) => Priority::High,
        Priority::Low if policy.raise.is_for(tier, total) => Priority::Normal,
        base => base,
    }
}

/// Which desk sees to a topic of a customer of this tier: the first that names
/// the tier, else the first that names the topic, else the first.
#[must_use]
pub fn desk(topic: Topic, tier: Option<&Text<40>>, policy: &CarePolicy) -> Option<DeskId> {
    let of_tier = |it: &&Desk| tier.is_some_and(|tier| it.tiers.contains(tier));
    let of_topic = |it: &&Desk| it.topics.contains(&topic);
    let desks = || policy.desks.iter();
    let desk = desks().find(of_tier).or_else(|| desks().find(of_topic)).or_else(|| desks().next());
    desk.map(|it| it.id.clone())
}

/// Where a ticket goes whose desk the policy does not have any more: to the first.
/// None if it has that desk.
#[must_use]
pub fn stranded(desk: &DeskId, policy: &CarePolicy) -> Option<DeskId> {
    let first = policy.desks.first().filter(|_| policy.desk(desk).is_none());
    first.map(|it| it.id.clone())
}

#[cfg(test)]
mod tests {
    use aftercart::model::money::Currency;

    use super::*;
    use crate::rules::sample;

    #[test]
    fn alarms_are_urgent_and_who_is_raised_comes_one_step_sooner() {
        let policy = sample::policy();
        let (gold, alarm) = (sample::text("gold"), sample::text("injury"));
        let money = |minor| Money::new(minor, Currency::parse("EUR").unwrap()).unwrap();
        use Priority::{High, Low, Normal, Urgent};
        for (base, alarms, tier, total, expected) in [
            (Normal, false, None, None, Normal),
            (Normal, false, Some(&gold), None, High),
            (Low, false, Some(&gold), None, Normal),
            (High, false, Some(&gold), None, High),
            (Urgent, false, None, None, Urgent),
            (Low, false, None, Some(money(20_000)), Normal),
            (Low, false, None, Some(money(19_999)), Low),
            (Low, true, None, None, Urgent),
        ] {
            let alarms = if alarms { vec![alarm.clone()] } else { Vec::new() };
            let decided = priority(base, &alarms, (tier, total), &policy);
            assert_eq!(decided, expected, "{base:?} {alarms:?} {tier:?} {total:?}");
        }
    }

    #[test]
    fn a_tier_has_its_desk_a_topic_has_one_and_the_first_has_the_rest() {
        let policy = sample::policy();
        let gold = sample::text("gold");
        for (topic, tier, expected) in [
            (Topic::Delivery, None, "parcels"),
            (Topic::Delivery, Some(&gold), "gold"),
            (Topic::Price, None, "service"),
        ] {
            let desk = desk(topic, tier, &policy).unwrap();
            assert_eq!(desk.as_str(), expected, "{topic:?} {tier:?}");
        }
        assert_eq!(super::desk(Topic::Price, None, &CarePolicy { desks: vec![], ..policy }), None);
    }
}
