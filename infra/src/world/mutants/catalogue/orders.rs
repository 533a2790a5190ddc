//! What goes wrong with orders, and with what they take.

use aftercart::store::Table::{Customers, Quotas, Stock};

use super::{
    super::Defect::{Blind, Forgetful, Lax, Multiplied, Silent, Skipped, Torn, Unconditional},
    super::Spot,
    ENDERS, LEVEL, Mutant, ORDER, mutant,
};

const VOUCHER: Spot = Spot::of(Customers).sort("vch_");

pub(super) const ALL: &[Mutant] = &[
    mutant(
        "order-anew",
        Unconditional(ORDER.by(&["order-place"])),
        "an order is put over the one that its key made before",
        "one order per key; stock is what came in less what living orders took",
    ),
    mutant(
        "oversell",
        Unconditional(LEVEL.by(&["order-place"])),
        "units are taken whether they are there or not",
        "stock sold is at most stock received",
    ),
    mutant(
        "oversell-late",
        Unconditional(LEVEL.by(&["order-retake"])),
        "late money takes units whether they are there or not",
        "stock sold is at most stock received",
    ),
    mutant(
        "stock-unseen",
        Blind(LEVEL.by(&["order-place", "order-retake"])),
        "an order is placed although its units were short",
        "no order without its stock",
    ),
    mutant(
        "stock-twice",
        Multiplied(LEVEL.by(&["order-place"]), "av", 2),
        "an order takes twice its units",
        "stock is what came in less what living orders took",
    ),
    mutant(
        "stock-kept",
        Skipped(LEVEL.by(ENDERS)),
        "the units of an order that ends stay away",
        "no stock held by a dead order",
    ),
    mutant(
        "stock-back-twice",
        Multiplied(LEVEL.by(ENDERS), "av", 2),
        "an order that ends gives back twice its units",
        "stock is what came in less what living orders took",
    ),
    mutant(
        "order-torn",
        Torn(ORDER.by(&["order-place"])),
        "order, units, vouchers and points are written one after the other",
        "no order without its stock",
    ),
    mutant(
        "end-torn",
        Torn(ORDER.by(ENDERS)),
        "the end of an order and what it gives back are written one after the other",
        "no stock held by a dead order",
    ),
    mutant(
        "order-unending",
        Forgetful(ORDER.by(&["order-place"]), &["due_shard"]),
        "no schedule sees an order that is not paid",
        "no stock held by a dead order longer than its hold",
    ),
    mutant(
        "receipt-of-goods-anew",
        Unconditional(Spot::of(Stock).sort("MOVE#")),
        "goods that came in are counted again when they are told again",
        "stock is its movements less what living orders took",
    ),
    mutant(
        "end-after-payment",
        Lax(ORDER.by(&["order-expire"]), &["st", "hi"]),
        "an order expires that was paid a moment ago",
        "every accepted payment ends in an order that ships, or in a refund",
    ),
    mutant(
        "cancel-as-read",
        Lax(ORDER.by(&["order-cancel", "units-cancel"]), &["st", "hi"]),
        "an order is called off as it was read, whatever it is meanwhile",
        "stock is what came in less what living orders took; money goes back once",
    ),
    mutant(
        "cancel-untold",
        Silent(ORDER.by(&["order-cancel", "units-cancel"])),
        "nobody is told of an order that was called off",
        "money that goes back is sent; points come back",
    ),
    mutant(
        "quota-overrun",
        Unconditional(Spot::of(Quotas).by(&["order-place"])),
        "a limited offer is used beyond its limit",
        "what of a limited offer is used is what living orders have of it, within its limit",
    ),
    mutant(
        "quota-kept",
        Skipped(Spot::of(Quotas).by(ENDERS)),
        "what an order used of a limited offer stays used when it ends",
        "what of a limited offer is used is what living orders have of it",
    ),
    mutant(
        "voucher-twice",
        Lax(VOUCHER.by(&["order-place"]), &["o"]),
        "a voucher is used that another order has",
        "a voucher is used by one living order",
    ),
    mutant(
        "voucher-kept",
        Skipped(VOUCHER.by(ENDERS)),
        "the voucher of an order that ends stays used",
        "a voucher is used by one living order",
    ),
];
