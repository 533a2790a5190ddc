//! Who is invited, and when.

use aftercart::model::{
    dispatch::Dispatch,
    id::{InviteId, OrderId},
    order::{Order, OrderStatus},
    policy::SurveysPolicy,
    survey::{Invite, InviteStatus, Touchpoint},
};

/// The identity of the one invitation of an order for an occasion.
#[must_use]
pub fn identity(order: &OrderId, touchpoint: Touchpoint) -> InviteId {
    InviteId::derive(&[order.as_str(), touchpoint.as_str()])
}

/// Whether its buyer kept any of the goods that were bought: the order was not
/// called off, and the money did not go back for all of them.
#[must_use]
pub fn is_kept(order: &Order) -> bool {
    let mut bought = order.lines.iter().filter(|line| line.gift.is_none());
    order.status == OrderStatus::Paid && bought.any(|line| line.off() < line.quantity)
}

/// The invitation to tell about a delivery, once there is one: it is due a
/// while after the last parcel arrived, and open for a while from then. Nobody is
/// asked about goods that nobody kept.
#[must_use]
pub fn after_delivery(
    order: &Order,
    dispatch: Option<&Dispatch>,
    policy: &SurveysPolicy,
) -> Option<Invite> {
    let due = dispatch?.delivered_at()?.plus(policy.delay);
    if !is_kept(order) {
        return None;
    }
    Some(Invite {
        id: identity(&order.id, Touchpoint::Delivery),
        order: order.id.clone(),
        customer: order.customer.clone(),
        touchpoint: Touchpoint::Delivery,
        email: order.contact.email.clone(),
        language: order.contact.language,
        due,
        expires: due.plus(policy.open),
        status: InviteStatus::Scheduled,
    })
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::{CustomerId, Language},
        delivery::{MethodId, Promise},
        dispatch::Shipment,
        money::{Currency, Money},
        order::{OrderDelivery, OrderLine},
        policy::Policy,
        price::RuleId,
        product::Sku,
        shipment::Journey,
        stock::LocationId,
        text::Text,
        time::Timestamp,
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// A line of three units.
    fn line(gift: Option<RuleId>) -> OrderLine {
        let free = Money::zero(Currency::parse("EUR").unwrap());
        OrderLine {
            sku: Sku::parse("TEA").unwrap(),
            title: Text::new("Tea").unwrap(),
            category: None,
            brand: None,
            quantity: 3,
            unit_price: free,
            discount: free,
            total: free,
            tax: free,
            points: free,
            gift,
            cancelled: 0,
            refunded: 0,
            stock: Vec::new(),
        }
    }

    fn order() -> Order {
        let paid_at = at("2026-11-01T00:00:00Z");
        let free = Money::zero(Currency::parse("EUR").unwrap());
        Order {
            id: OrderId::derive(&["1"]),
            customer: CustomerId::guest("k"),
            placed_at: paid_at,
            status: OrderStatus::Paid,
            lines: vec![line(None), line(RuleId::parse("gift").ok())],
            discounts: Vec::new(),
            delivery: OrderDelivery {
                method: MethodId::parse("standard").unwrap(),
                price: free,
                discount: free,
                tax: free,
                points: 0,
                promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
            },
            tax_included: true,
            points: None,
            quotas: Vec::new(),
            vouchers: Vec::new(),
            cart: None,
            channel: None,
            device: None,
            card: None,
            risk: None,
            held_at: None,
            history: Vec::new(),
            total: free,
            address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
                .unwrap(),
            contact: serde_json::from_str(r#"{"email":"a@b.cd","language":"zh"}"#).unwrap(),
            hold_until: paid_at,
            expires_at: None,
            payments: Vec::new(),
            paid_at: Some(paid_at),
            refunds_due: Vec::new(),
            request: "r".to_owned(),
            policy: "1".to_owned(),
        }
    }

    /// So many parcels, each delivered then or not.
    fn dispatch(delivered: &[Option<Timestamp>]) -> Dispatch {
        let (order, opened_at) = (order(), at("2026-11-01T00:00:00Z"));
        let shipment = |(number, delivered_at): (u16, &Option<Timestamp>)| Shipment {
            journey: Journey { delivered_at: *delivered_at, ..Journey::pending() },
            ..Shipment::new(&order.id, number, LocationId::default(), Vec::new(), opened_at)
        };
        let shipments = (1..).zip(delivered).map(shipment).collect();
        Dispatch { shipments, ..Dispatch::unopened(&order, opened_at) }
    }

    #[test]
    fn a_delivery_is_asked_about_a_while_later() {
        let policy = Policy::default_document().unwrap().surveys;
        let invited = |dispatch: Option<&Dispatch>| after_delivery(&order(), dispatch, &policy);
        assert_eq!(invited(None), None);
        let (first, last) = (at("2026-11-04T10:00:00Z"), at("2026-11-05T10:00:00Z"));
        for waits in [&[][..], &[None], &[Some(first), None]] {
            assert_eq!(invited(Some(&dispatch(waits))), None);
        }
        let invite = invited(Some(&dispatch(&[Some(last), Some(first)]))).unwrap();
        assert_eq!(invite.due, at("2026-11-08T10:00:00Z"));
        assert_eq!(invite.expires, at("2026-12-08T10:00:00Z"));
        assert_eq!(invite.language, Language::Zh);
        assert!(invite.status.is_scheduled());
        let mut refunded = order();
        (refunded.lines[0].cancelled, refunded.lines[0].refunded) = (1, 1);
        assert!(is_kept(&refunded), "one is left");
        refunded.lines[0].refunded = 2;
        assert!(!is_kept(&refunded), "a gift is no reason to ask");
        let delivered = dispatch(&[Some(last)]);
        assert_eq!(after_delivery(&refunded, Some(&delivered), &policy), None);
        assert!(!is_kept(&Order { status: OrderStatus::Cancelled, ..order() }));
        let corrected = invited(Some(&dispatch(&[Some(at("2026-11-06T10:00:00Z"))]))).unwrap();
        assert_eq!(corrected.id, invite.id);
    }
}
