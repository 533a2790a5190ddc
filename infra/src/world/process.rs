//! The processes of a function. Each runs one invocation at a time, as on
//! Lambda: invocations side by side are processes side by side.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aftercart::run::{App, Function};
use tokio::sync::Notify;

use super::port::Port;

/// A function in its place.
pub(super) struct Seat {
    pub(super) function: Function,
    pub(super) port: Arc<Port>,
    /// Its processes that wait for an invocation; the last one that ran is next.
    idle: Mutex<Vec<Process>>,
}

/// A process of a function.
pub(super) struct Process {
    pub(super) app: Arc<App>,
    pub(super) life: Arc<Life>,
}

/// Whether a process lives, and its way to the outside.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) port: Arc<Port>,
    end: Notify,
}

impl Seat {
    pub(super) fn new(function: Function, port: Arc<Port>) -> Self {
        Self { function, port, idle: Mutex::default() }
    }

    /// The process that runs the next invocation, if one waits.
    pub(super) fn take(&self) -> Option<Process> {
        self.idle().pop()
    }

    /// A process that has answered waits for the next invocation.
    pub(super) fn put_back(&self, process: Process) {
        self.idle().push(process);
    }

    /// Ends the processes that wait.
    pub(super) fn end(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Life {
    pub(super) fn new(port: Arc<Port>) -> Arc<Self> {
        Arc::new(Self { port, end: Notify::new() })
    }

    /// Ends the process in the middle of what it does: this call is never
    /// answered.
    pub(super) async fn end(&self) -> std::convert::Infallible {
        self.end.notify_one();
        std::future::pending().await
    }

    /// When the process has ended.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }
}
