//! The tests of the suite as a whole, in one binary.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and prints what it measured"
)]

mod shop;

mod access;

mod security;

mod checkout;

mod carts;

mod contacts;

mod shares;

mod earning;

mod feedback;

mod survey_reports;

mod giving;

mod contests;

mod liability;

mod stock;

mod risk;

mod search;

mod orders;

mod hostile;

mod journeys;

mod budgets;

mod store;

mod payments;

mod payment_cases;

mod provider_page;

mod paying;

mod provider_calls;

mod refunds;

mod reconcile;

mod settlements;

mod late_payments;

mod order_refunds;

mod quotes;

mod rush;

mod rewards;

mod tiers;

mod tracking;

mod scenarios;

mod harness;

mod logistics;

mod dispatch;

mod carriers;

mod alerts;

mod parcels;

mod polling;

mod performance;

mod points;

mod reported_points;

mod channels;

mod till_fixes;

mod point_views;

mod customers;

mod surveys;

mod answering;

mod tickets;

mod remedies;

mod care;

mod relay;

mod audit;
mod webhooks;

mod years;

mod replay;

mod template;

mod openapi;

mod events;

mod architecture;

mod messages;

mod weather;

mod costs;
