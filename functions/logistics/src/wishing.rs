//! What a buyer wishes when something is wrong with a delivery: noted with the
//! alert, and told to whoever sees to it.

use aftercart::{
    messages::{Message, WishMade},
    model::{
        alert::{Alert, Choice, Wish},
        id::{AlertId, OrderId},
    },
    run::{App, Failure},
    store::{CommitError, Conflict, Sends, alerts},
};

/// What became of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wished {
    /// It is noted, by this call or an earlier one.
    Noted,
    /// The order has no such alert.
    Unknown,
    /// Somebody saw to it, or it came right: there is nothing to choose any more.
    Ended,
    /// That was not offered.
    NotOffered,
    /// Another address was chosen, and none was given; or one was given with
    /// another choice.
    AddressMissing,
}

/// Notes what a buyer wishes about an alert of the order, instead of what was
/// wished before, while the alert is open and only what was offered. Safe to
/// repeat: the same wish again is noted already.
///
/// Reads the shipments' table, and writes it.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn wish(
    app: &App,
    (order, alert): (&OrderId, &AlertId),
    wish: &Wish,
    trace: Option<&str>,
) -> Result<Wished, Failure> {
    let found = app.store.alert(alert).await?.filter(|it| it.order == *order);
    let Some(found) = found else { return Ok(Wished::Unknown) };
    let wished = judged(&found, wish);
    if wished != Wished::Noted || found.wish.as_ref().is_some_and(|it| is_same(it, wish)) {
        return Ok(wished);
    }
    let made = WishMade {
        alert: found.id.clone(),
        order: found.order.clone(),
        shipment: found.shipment.clone(),
        choice: wish.choice,
        owner: found.owner,
    };
    let sends = Sends::one(Message::WishMade(made), wish.at, trace);
    match app.store.commit(alerts::wish(alert, wish, &sends)?).await {
        Ok(()) => Ok(Wished::Noted),
        // An alert does not go away: it ended meanwhile.
        Err(CommitError::Lost(conflicts)) => {
            Ok(Conflict::at(&conflicts, 0).map_or(Wished::Unknown, |_| Wished::Ended))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the wish may be made.
fn judged(alert: &Alert, wish: &Wish) -> Wished {
    if alert.ended.is_some() {
        Wished::Ended
    } else if !alert.offered.choices.contains(&wish.choice) {
        Wished::NotOffered
    } else if (wish.choice == Choice::Address) != wish.address.is_some() {
        Wished::AddressMissing
    } else {
        Wished::Noted
    }
}

/// Whether the same is wished, whenever it was said.
fn is_same(one: &Wish, other: &Wish) -> bool {
    (one.choice, &one.address, &one.note) == (other.choice, &other.address, &other.note)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        alert::{Act, AlertKind, Ended, Offered, Owner, Remedy},
        customer::CustomerId,
        id::ShipmentId,
        order::Actor,
        shipment::ParcelStatus,
        time::Timestamp,
    };
    use serde_json::json;

    use super::*;

    fn alert() -> Alert {
        let shipment = ShipmentId::derive(&["1"]);
        Alert {
            id: Alert::identity(&shipment, AlertKind::AttemptFailed, None),
            kind: AlertKind::AttemptFailed,
            order: OrderId::derive(&["1"]),
            customer: CustomerId::guest("k"),
            shipment,
            tracking: None,
            status: ParcelStatus::AttemptFailed,
            reason: None,
            raised_at: Timestamp::EPOCH,
            owner: Owner::Logistics,
            act: Act::Watch,
            due: Timestamp::EPOCH,
            offered: Offered { choices: vec![Choice::Address, Choice::Date], ..Offered::default() },
            wish: None,
            ended: None,
        }
    }

    #[test]
    fn a_wish_is_one_of_those_offered_while_the_alert_is_open() {
        let address = json!({
            "name": "Ada Example", "line1": "1 High Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        });
        let wish = |choice, address: Option<&serde_json::Value>| Wish {
            at: Timestamp::EPOCH,
            choice,
            address: address.map(|it| serde_json::from_value(it.clone()).unwrap()),
            note: None,
        };
        let open = alert();
        for (choice, address, expected) in [
            (Choice::Date, None, Wished::Noted),
            (Choice::Address, Some(&address), Wished::Noted),
            (Choice::Address, None, Wished::AddressMissing),
            (Choice::Date, Some(&address), Wished::AddressMissing),
            (Choice::Refund, None, Wished::NotOffered),
        ] {
            assert_eq!(judged(&open, &wish(choice, address)), expected, "{choice:?}");
        }
        let (at, by) = (Timestamp::EPOCH, Actor::Rule);
        let ended = Some(Ended { at, by, how: Remedy::CameRight, note: None });
        let ended = Alert { ended, ..open };
        assert_eq!(judged(&ended, &wish(Choice::Date, None)), Wished::Ended);
    }
}
