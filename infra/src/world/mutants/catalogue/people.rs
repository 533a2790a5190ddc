//! What goes wrong with surveys, tickets and reminders.

use aftercart::store::Table::{Carts, Surveys, Tickets};

use super::{
    super::Defect::{Lax, Multiplied, Silent, Torn, Unconditional},
    super::Spot,
    Mutant, mutant,
};

const INVITE: Spot = Spot::of(Surveys).sort("INVITE");
const TICKET: Spot = Spot::of(Tickets).partition("tkt_").sort("TICKET");

pub(super) const ALL: &[Mutant] = &[
    mutant(
        "invite-anew",
        Unconditional(INVITE.by(&["survey-invite"])),
        "an invitation is written over the one that was sent",
        "one survey per order and touchpoint; one answer per invitation",
    ),
    mutant(
        "invite-sent-twice",
        Lax(INVITE.by(&["survey-send"]), &["st", "rm"]),
        "two who send an invitation do not see each other",
        "who was told is who is marked so",
    ),
    mutant(
        "answer-twice",
        Lax(INVITE.by(&["survey-answer"]), &["st", "an"]),
        "an answer takes the place of another",
        "one answer per invitation; what is counted is what was answered",
    ),
    mutant(
        "answer-counted-twice",
        Lax(INVITE.by(&["feedback-fold"]), &["ct"]),
        "two who count an answer do not see each other",
        "what is counted of answers is what was answered",
    ),
    mutant(
        "answer-torn",
        Torn(INVITE.by(&["feedback-fold"])),
        "the counters and what was counted are written one after the other",
        "what is counted of answers is what was answered",
    ),
    mutant(
        "answer-untold",
        Silent(INVITE.by(&["survey-answer"])),
        "nobody is told of an answer",
        "what is counted of answers is what was answered",
    ),
    mutant(
        "budget-ignored",
        Unconditional(Spot::of(Surveys).sort("CONTACTS")),
        "two who contact somebody do not see each other",
        "no customer is contacted beyond the budget",
    ),
    mutant(
        "ticket-overwritten",
        Unconditional(TICKET),
        "whoever changes a ticket overwrites what others changed meanwhile",
        "whatever a ticket asked for is decided; one ticket a cause",
    ),
    mutant(
        "ticket-torn",
        Torn(TICKET),
        "a ticket, its entries and the counters are written one after the other",
        "what is counted of tickets is what the tickets say",
    ),
    mutant(
        "ticket-untold",
        Silent(TICKET),
        "nobody is told what a ticket asks for",
        "whatever a ticket asked for is decided",
    ),
    mutant(
        "ticket-miscounted",
        Multiplied(Spot::of(Tickets).partition("TICKETS#"), "o", 2),
        "tickets are counted twice",
        "what is counted of tickets is what the tickets say",
    ),
    mutant(
        "cart-reminded-twice",
        Unconditional(Spot::of(Carts).by(&["cart-remind"])),
        "two who remind of a cart do not see each other",
        "of a cart its owner is reminded once",
    ),
];
