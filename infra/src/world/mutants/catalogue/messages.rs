//! What goes wrong between the functions.

use aftercart::messages::Queue;

use super::{
    super::Defect::{Careless, Deaf, Dropping, Passing},
    Mutant, mutant,
};

pub(super) const ALL: &[Mutant] = &[
    mutant(
        "relay-first-only",
        Dropping("relay"),
        "the relay sends the first message of each batch only",
        "every message comes to every queue that wants it",
    ),
    mutant(
        "relay-passes",
        Passing("relay"),
        "the relay passes over changes that it could not send",
        "every message comes to every queue that wants it",
    ),
    mutant(
        "points-deaf",
        Deaf(Queue::Points),
        "no message comes to the points",
        "every message comes to every queue that wants it",
    ),
    mutant(
        "shipments-deaf",
        Deaf(Queue::Shipments),
        "no message comes to the shipments",
        "every message comes to every queue that wants it",
    ),
    mutant(
        "payments-careless",
        Careless(Queue::Payments),
        "what failed of a batch of payments is not tried again",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "points-careless",
        Careless(Queue::Points),
        "what failed of a batch of points is not tried again",
        "every paid order of a member earns once",
    ),
    mutant(
        "shipments-careless",
        Careless(Queue::Shipments),
        "what failed of a batch of shipments is not tried again",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "refunds-careless",
        Careless(Queue::ProviderCalls),
        "what failed of a batch of refunds is not tried again",
        "every refund that an order lists is made",
    ),
];
