//! A panic in one record or request must not take its neighbours along.

use std::{any::Any, future::Future, panic::AssertUnwindSafe};

use futures::FutureExt;

use super::Failure;

/// Runs a handler; a panic becomes a bug with the panic's text.
///
/// The handler's state dies with it: handlers share nothing but [`super::App`],
/// whose locks recover from poisoning.
pub(super) async fn caught<T>(
    handler: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|panic| {
        Err(Failure::bug(format!("the handler panicked: {}", text(panic.as_ref()))))
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
