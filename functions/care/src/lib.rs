//! Care: complaints and low scores, who sees to them until when, and what is done.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`ticket_follow`] | queue care (`survey.answered`) | invitation; order, shipments, member; ticket | ticket, counters | `notification.ticket_waits` |
//! | [`ticket_open`] | `POST /me/tickets`, `POST /guest/orders/{id}/tickets`, `POST /operator/tickets` | order, shipments, member | ticket, counters | `notification.ticket_waits`, `notification.ticket_news` |
//! | [`ticket_list`] | `GET /me/tickets`, `GET /operator/tickets` | tickets | | |
//! | [`ticket_view`] | `GET /me/tickets/{id}`, `GET /operator/tickets/{id}` | ticket; order, shipments, invitation | | |
//! | [`ticket_watch`] | every 5 minutes | tickets that are due | ticket, counters | `notification.ticket_waits`, `notification.ticket_news`, `ticket.solved`; a remedy's message again |
//! | [`ticket_change`] | `POST /operator/tickets/{id}/assignment`, `.../reply`, `.../note`, `.../priority`, `.../remedies`, `.../solution`, `.../reopening` | ticket | ticket, counters, voucher | `notification.ticket_waits`, `notification.ticket_news`, `ticket.solved`, `remedy.points_asked`, `remedy.refund_asked`, `remedy.reship_asked`, `notification.call_wanted` |
//! | [`ticket_page`] | `GET` and `POST /c/{token}` | ticket | ticket, counters | `notification.ticket_waits`, `ticket.solved` |
//! | [`complaint_page`] | `GET` and `POST /complaints/{token}` | ticket; order, shipments, member | ticket, counters | `notification.ticket_waits`, `notification.ticket_news` |
//! | [`ticket_report`] | `GET /operator/ticket-reports` | counters | | |
//!
//! A ticket changes on the condition that nobody changed it since it was read, in
//! one transaction with its entries, the counters of the reports and the messages.

pub mod ticket_follow;

pub mod ticket_open;

pub mod ticket_list;

pub mod ticket_view;

pub mod ticket_watch;

pub mod ticket_change;

pub mod ticket_page;

pub mod complaint_page;

pub mod ticket_report;

pub mod pages;

pub mod rules;

pub mod wire;

mod acting;

mod opening;

mod link;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    ticket_follow::FUNCTION,
    ticket_open::FUNCTION,
    ticket_list::FUNCTION,
    ticket_view::FUNCTION,
    ticket_watch::FUNCTION,
    ticket_change::FUNCTION,
    ticket_page::FUNCTION,
    complaint_page::FUNCTION,
    ticket_report::FUNCTION,
];
