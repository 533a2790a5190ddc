//! The common crate of Aftercart: the nouns, the messages, the store and the
//! glue that every function shares.
//!
//! Read in this order; dependencies point one way, from the last to the first:
//! [`model`] (nouns and their legal moves, pure), [`messages`] (what travels on
//! the queues), [`aws`] (calls of AWS), [`store`] (the only place that knows
//! tables, keys and attributes), [`run`] (what turns an AWS event into a call
//! and an outcome into an answer).

pub mod model;

pub mod messages;

pub mod aws;

pub mod store;

pub mod run;
