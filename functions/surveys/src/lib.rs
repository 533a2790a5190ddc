//! Surveys: who is asked on which occasion, when, and what they answer.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`survey_invite`] | queue surveys: `parcel.delivered`, `order.refunded`, `order.paid`, `tier.changed`, `ticket.solved` | order, its shipments, member, ledger, ticket | invite | |
//! | [`survey_send`] | every five minutes | invites that are due, contacts, orders, shipments, tickets, ledgers, counters | invite, contacts, counters | `notification.survey_invited` |
//! | [`survey_view`] | `GET /s/{token}` | invite, deed | | |
//! | [`survey_answer`] | `POST /s/{token}` | invite, to ask again | invite | `survey.answered`, `action.done` |
//! | [`feedback_fold`] | queue feedback: `survey.answered` | invite, feedback | counters, invite, feedback | `action.done` |
//! | [`feedback_list`] | `GET /operator/feedback` | feedback | | |
//! | [`feedback_reward`] | `POST /operator/feedback/{invite}/reward` | invite, feedback | feedback | `action.done` |
//! | [`survey_report`] | `GET /operator/survey-reports`, `GET /r/{token}` | counters | | |
//!
//! The surveys are touchpoints of the policy. Of each there is one invitation for
//! what caused it, whose identity follows from both. It is sent once, in the
//! transaction that takes its place in its reader's contact budget, of which
//! there may be one reminder, and answered once, by a condition. The link is
//! signed and ends; looking at it records nothing, because mail scanners look
//! too. See `docs/surveys.md`.

pub mod survey_invite;

pub mod survey_send;

pub mod survey_view;

pub mod survey_answer;

pub mod survey_report;

pub mod feedback_fold;

pub mod feedback_list;

pub mod feedback_reward;

pub mod pages;

pub mod report_pages;

pub mod words;

pub mod rules;

pub mod wire;

mod link;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    survey_invite::FUNCTION,
    survey_send::FUNCTION,
    survey_view::FUNCTION,
    survey_answer::FUNCTION,
    survey_report::FUNCTION,
    feedback_fold::FUNCTION,
    feedback_list::FUNCTION,
    feedback_reward::FUNCTION,
];
