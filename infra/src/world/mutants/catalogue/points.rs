//! What goes wrong with points, gifts, rewards and tills.

use aftercart::store::Table::Points;

use super::{
    super::Defect::{Blind, Lax, Skipped, Torn, Unconditional},
    super::Spot,
    ENDERS, LEDGER, Mutant, mutant,
};

const ENTRY: Spot = Spot::of(Points).sort("ENTRY#");

pub(super) const ALL: &[Mutant] = &[
    mutant(
        "ledger-overwritten",
        Unconditional(LEDGER.by(&["points-post"])),
        "whoever posts points overwrites what others posted meanwhile",
        "a ledger is its entries",
    ),
    mutant(
        "ledger-settled-as-read",
        Unconditional(LEDGER.by(&["points-settle"])),
        "what matures is written over what was posted meanwhile",
        "a ledger is its entries",
    ),
    mutant(
        "ledger-torn",
        Torn(LEDGER),
        "entries and ledger are written one after the other",
        "a ledger is its entries",
    ),
    mutant(
        "ledger-unseen",
        Blind(LEDGER.by(&["points-post"])),
        "an entry is posted although the ledger has changed meanwhile",
        "a ledger is its entries",
    ),
    mutant(
        "entry-anew",
        Unconditional(ENTRY),
        "an entry is posted over the one that its cause made before",
        "an effect happens once; a ledger is its entries",
    ),
    mutant(
        "points-twice-spent",
        Lax(LEDGER.by(&["order-place"]), &["sp"]),
        "an order holds points that are not there",
        "no balance goes below zero",
    ),
    mutant(
        "hold-forgotten",
        Skipped(LEDGER.by(ENDERS)),
        "the points that an ended order held stay held",
        "a ledger holds what its unpaid orders want",
    ),
    mutant(
        "undone-anew",
        Unconditional(Spot::of(Points).sort("UNDONE#")),
        "two who undo the points of an order do not see each other",
        "what came back of an order's points is what was called off",
    ),
    mutant(
        "claim-twice",
        Lax(ENTRY, &["c"]),
        "two who see to the same earning do not see each other",
        "what is pending is what earnings wait with",
    ),
    mutant(
        "gift-twice",
        Lax(Spot::of(Points).partition("gft_").sort("GIFT"), &["e"]),
        "a gift is accepted that was refused, or ended",
        "each gift ends once",
    ),
    mutant(
        "giving-overwritten",
        Unconditional(Spot::of(Points).sort("GIVING")),
        "two gifts of one member do not see each other",
        "what a member gave is what the gifts say",
    ),
    mutant(
        "reward-oversold",
        Lax(Spot::of(Points).partition("REWARD#").sort("REWARD"), &["t"]),
        "rewards are taken that are not there",
        "no more of a reward is taken than there is",
    ),
    mutant(
        "redemption-overwritten",
        Unconditional(Spot::of(Points).partition("rdm_")),
        "a reward is called off that was handed over, or the other way",
        "each redemption is paid for, or given back, once",
    ),
    mutant(
        "reward-kept",
        Skipped(Spot::of(Points).partition("REWARD#").by(&["redemption-change", "points-post"])),
        "a reward that is called off stays taken",
        "what is taken of a reward is what living redemptions have",
    ),
    mutant(
        "till-hold-twice",
        Lax(Spot::of(Points).partition("hld_").sort("HOLD"), &["e"]),
        "a till's hold ends that has ended",
        "a ledger holds what its holders want",
    ),
    mutant(
        "till-receipt-anew",
        Unconditional(Spot::of(Points).sort("RECEIPT")),
        "a receipt of a till is recorded over itself",
        "an effect happens once",
    ),
];
