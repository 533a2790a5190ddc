//! Surveys: who is asked after a delivery, when, and what they answer.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`survey_invite`] | queue surveys: `parcel.delivered`, `order.refunded` | order, its shipments | invite | |
//! | [`survey_send`] | every five minutes | invites that are due, contacts, orders | invite, contacts | `notification.survey_invited` |
//! | [`survey_view`] | `GET /s/{token}` | invite | | |
//! | [`survey_answer`] | `POST /s/{token}` | | invite | |
//!
//! An order has one invitation an occasion, whose identity follows from both.
//! It is sent once, in the transaction that takes its place in the buyer's
//! contact budget, and answered once, by a condition. The link is signed and
//! ends; looking at it records nothing, because mail scanners look too.

pub mod survey_invite;

pub mod survey_send;

pub mod survey_view;

pub mod survey_answer;

pub mod pages;

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
];
