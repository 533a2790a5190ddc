//! Contacts: who may be contacted, how often and when, for what is not a purchase.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`contact_gate`] | queue contacts (`notification.cart_abandoned`, `notification.points_expiring`, `notification.tier_news`, `notification.tier_warning`, `notification.milestone_reached`, `notification.contest_won`) | record of contacts, decision, cart | record of contacts, decision | the same message, to the queue notifications |
//! | [`contact_release`] | every 5 minutes | contacts that wait | contacts that wait | what waited, to the queue contacts |
//! | [`contact_page`] | `GET` and `POST /u/{token}` | record of contacts | record of contacts | |
//! | [`contact_preferences`] | `GET` and `PUT /me/contact-preferences` | record of contacts | record of contacts | |
//! | [`contact_list`] | `GET /operator/customers/{id}/contacts` (operator) | record of contacts, decisions; order of a guest | | |
//!
//! Everybody has one record: when they were contacted, what they chose, where
//! their clocks are. Whoever contacts somebody writes it with what is sent,
//! over the version that was read, so that no cap is exceeded, whoever else
//! contacts them at the same moment. Surveys decide by the same rule
//! ([`aftercart::model::contact::decide`]) and write the same record.

pub mod contact_gate;

pub mod contact_release;

pub mod contact_page;

pub mod contact_preferences;

pub mod contact_list;

mod choosing;

pub mod pages;

pub mod words;

pub mod rules;

pub mod wire;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    contact_gate::FUNCTION,
    contact_release::FUNCTION,
    contact_page::FUNCTION,
    contact_preferences::FUNCTION,
    contact_list::FUNCTION,
];
