//! Tickets: what customers complain of, and who sees to it.

use aftercart_care::wire::ticket::{
    OpenTicket, OwnTicket, OwnTicketPage, TakeTicket, TicketDossier, TicketFile, TicketPage,
};
use schemars::SchemaGenerator;

use super::Shapes;

/// How many tickets there are on a page.
const LIMIT: (&str, &str) = ("limit", "How many there are on a page, 1 to 50.");

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "ticket-open" => {
            let about = "The ticket, new or as it is since it was opened with this key.";
            Shapes::created::<OwnTicket>(of, about, &[400, 404, 422, 429])
                .taking::<OpenTicket>(of)
                .keyed()
        }
        "ticket-open-operator" => {
            let about = "The ticket, new or as it is since it was opened with this key.";
            Shapes::created::<TicketFile>(of, about, &[400, 422]).taking::<TakeTicket>(of).keyed()
        }
        "ticket-list" => {
            let about = "A page of the member's tickets, latest first.";
            Shapes::ok::<OwnTicketPage>(of, about, &[400]).asking(super::CURSOR).asking(LIMIT)
        }
        "ticket-list-operator" => {
            let about = "A page of a desk's tickets, the most urgent first.";
            Shapes::ok::<TicketPage>(of, about, &[400])
                .asking((
                    "desk",
                    "Whose tickets; the first desk's of the policy, if it is left out.",
                ))
                .asking(("status", "`open`, which it is if it is left out, `waiting` or `solved`."))
                .asking(super::CURSOR)
                .asking(LIMIT)
        }
        "ticket-view" => {
            let about = "The ticket with what was written and done, and the link to its page.";
            Shapes::ok::<OwnTicket>(of, about, &[404])
        }
        "ticket-view-operator" => {
            let about = "The ticket with all that is known of it.";
            Shapes::ok::<TicketDossier>(of, about, &[404])
        }
        _ => return None,
    })
}
