//! How fast the suite is, and what it costs: measured on the binaries that are
//! deployed, over real HTTP, beside a store that commits to disk.
//!
//! | option | what is measured | where |
//! |---|---|---|
//! | `--checkout` | orders from the button to "paid": how many, how long, how much CPU | [`checkout`] |
//! | `--races` | many who want the same at once: nothing oversold, doubled, lost | [`races`] |
//! | `--sustained` | one process over 100,000 invocations: its memory | [`sustained`] |
//! | `--start` | each binary, from exec to its first answer | [`start`] |
//! | `--cost` | units, round trips and dollars of a complete order | [`cost`] |
//! | `--growth` | the same with 10 and 100 times the history | [`growth`] |
//!
//! The parts of the path, each a module that others may use: [`store`] is
//! DynamoDB, [`runtime_api`] the Lambda Runtime API, [`gateway`] the HTTP API
//! with streams and queues behind it, [`path`] all of them as processes.

pub mod checkout;
pub mod cost;
pub mod failure;
pub mod gateway;
pub mod growth;
pub mod http;
pub mod load;
pub mod path;
pub mod plot;
pub mod process;
pub mod races;
pub mod runtime_api;
pub mod start;
pub mod store;
pub mod sustained;
pub mod table;

mod cli;

pub use cli::{Options, main};
pub use failure::BenchError;
pub use table::{Cell, Table};
