//! What is done about tickets, their pages and their reports.

use aftercart_care::wire::{
    change::{
        AssignTicket, NoteTicket, PrioritiseTicket, RemedyTicket, ReopenTicket, ReplyTicket,
        SolveTicket,
    },
    report::TicketReport,
    ticket::TicketFile,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::json;

use super::{Content, FORM, LANG, Shapes, page, schema_of};

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "ticket-change" => set::<AssignTicket>(of, "The ticket with who sees to it."),
        "ticket-change-priority" => set::<PrioritiseTicket>(of, "The ticket with its deadlines."),
        "ticket-change-solution" => set::<SolveTicket>(of, "The ticket, which is solved."),
        "ticket-change-reopening" => set::<ReopenTicket>(of, "The ticket, which is open."),
        "ticket-change-reply" => added::<ReplyTicket>(of, "The ticket; the customer is told."),
        "ticket-change-note" => added::<NoteTicket>(of, "The ticket, with the note."),
        "ticket-change-remedies" => added::<RemedyTicket>(of, "The ticket, with the remedy."),
        "ticket-report" => {
            let about = "How soon tickets are answered and solved, by line.";
            let (json, csv) = (schema_of::<TicketReport>(of), json!({ "type": "string" }));
            let types = &["application/json", "text/csv"];
            let either = Content { types, schema: json!({ "anyOf": [json, csv] }) };
            Shapes::new(vec![(200, about, Some(either))], &[400])
                .asking(("from", "The first month in which the tickets were opened: `2026-09`."))
                .asking(("to", "The last month; the present one, if it is left out."))
                .asking(("by", "`desk`, `topic`, `priority`, `cause` or `month`."))
                .asking(("format", "`json`, which it is if it is left out, or `csv`."))
        }
        "ticket-page" => page_of("The page of the ticket."),
        "complaint-page" => page_of("The page for a complaint."),
        "ticket-page-post" | "complaint-page-post" => {
            let answers = vec![
                (303, "It is noted: on to the page.", None),
                (400, "A page: this is not what the page sends.", page()),
                (404, "A page: the link is not valid.", page()),
                (409, "A page: there is no room for more words.", page()),
                (410, "A page: the link has expired.", page()),
                (422, "The page again, with what is wrong at its field.", page()),
            ];
            let schema = json!({ "type": "object", "description": "The form of the page." });
            Shapes::new(answers, &[415]).asking(LANG).taking_one_of(FORM, schema)
        }
        _ => return None,
    })
}

/// Sets how a ticket is.
fn set<T: JsonSchema>(of: &mut SchemaGenerator, about: &'static str) -> Shapes {
    Shapes::ok::<TicketFile>(of, about, &[400, 404, 409, 422]).taking::<T>(of)
}

/// Adds something to a ticket.
fn added<T: JsonSchema>(of: &mut SchemaGenerator, about: &'static str) -> Shapes {
    Shapes::created::<TicketFile>(of, about, &[400, 404, 409, 422]).taking::<T>(of).keyed()
}

fn page_of(about: &'static str) -> Shapes {
    let answers = vec![
        (200, about, page()),
        (404, "A page: the link is not valid.", page()),
        (410, "A page: the link has expired.", page()),
    ];
    Shapes::new(answers, &[]).asking(LANG)
}
