//! What goes wrong with payments and refunds.

use aftercart::{model::payment::Provider, store::Table::Payments};

use super::{
    super::Defect::{Blind, Doubled, Forgetful, Generous, Hiding, Keyless, Lax, Silent, Stale},
    super::Spot,
    Mutant, ORDER, mutant,
};

const ATTEMPT: Spot = Spot::of(Payments).sort("ATTEMPT");
const EVENT: Spot = Spot::of(Payments).sort("EVENT#");

pub(super) const ALL: &[Mutant] = &[
    mutant(
        "pay-the-ended",
        Lax(ORDER.by(&["payment-fold"]), &["st"]),
        "an order that has ended becomes paid",
        "stock is what came in less what living orders took",
    ),
    mutant(
        "pay-unseen",
        Blind(ORDER.by(&["payment-fold"])),
        "money is taken for accepted that the order did not take",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "pay-untold",
        Silent(ORDER.by(&["payment-fold"])),
        "nobody is told of a paid order",
        "a paid order ships, and earns its points",
    ),
    mutant(
        "event-untold",
        Silent(EVENT),
        "a provider's report is noted, and nobody is told",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "event-unread",
        Stale(Spot::of(Payments).by(&["payment-fold"])),
        "payments are folded from reports of a moment ago",
        "a payment's state does not depend on the order of deliveries",
    ),
    mutant(
        "loss-hidden",
        Hiding(ORDER.by(&["payment-fold"])),
        "who loses to an order is not told what it is",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "refunds-uncounted",
        Lax(ATTEMPT, &["rn"]),
        "two who reckon the refunds of a payment do not see each other",
        "no more goes back than was paid, each refund once",
    ),
    mutant(
        "refund-forgotten",
        Forgetful(Spot::of(Payments).sort("REFUND#"), &["due_shard"]),
        "a refund that could not be sent is not sent again",
        "every refund that an order lists is made",
    ),
    mutant(
        "payment-unasked",
        Forgetful(ATTEMPT, &["due_shard"]),
        "nobody asks a provider who does not tell",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "refund-generous",
        Generous(Provider::Stripe, 2),
        "twice the money is asked back of Stripe",
        "what providers gave back is what orders list",
    ),
    mutant(
        "refund-generous-adyen",
        Generous(Provider::Adyen, 2),
        "twice the money is asked back of Adyen",
        "what providers gave back is what orders list",
    ),
    mutant(
        "refund-keyless",
        Keyless(Provider::Stripe),
        "a refund that is sent to Stripe again has another key",
        "each refund is made once",
    ),
    mutant(
        "refund-keyless-adyen",
        Keyless(Provider::Adyen),
        "a refund that is sent to Adyen again has another key",
        "each refund is made once",
    ),
    mutant(
        "refund-keyless-paypal",
        Keyless(Provider::Paypal),
        "a refund that is sent to PayPal again has another key",
        "each refund is made once",
    ),
    mutant(
        "refund-doubled",
        Doubled(Provider::Stripe),
        "a refund is sent to Stripe twice",
        "each refund is made once",
    ),
    mutant(
        "refund-doubled-adyen",
        Doubled(Provider::Adyen),
        "a refund is sent to Adyen twice",
        "each refund is made once",
    ),
];
