//! The note that a running stack leaves for other calls of the dev command,
//! and how they reach it.

use std::{
    fs,
    io::Read,
    time::{SystemTime, UNIX_EPOCH},
};

use aftercart::model::{signature, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    failure::{Failure, Trying},
    http::{Answer, Http},
    place::Place,
    stack::Stack,
};

/// The header that shows that a call is from this project.
pub(super) const TOKEN: &str = "dev-token";

/// How far our own page is from the emulator's port.
const PAGE_OFFSET: u16 = 20;

/// A stack that runs, or did when its note was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Running {
    /// The emulator's port.
    pub(super) port: u16,
    /// The process that holds the stack.
    pub(super) pid: u32,
    /// The folder in `.aftercart` with what it holds.
    pub(super) state: String,
    /// Known to those who can read the project only.
    pub(super) token: String,
}

impl Running {
    /// This process, about to run a stack.
    pub(super) fn new(port: u16, state: &str) -> Result<Self, Failure> {
        let mut random = [0_u8; 16];
        fs::File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(&mut random))
            .trying("draw random bytes")?;
        let token = signature::to_hex(&random);
        Ok(Self { port, pid: std::process::id(), state: state.to_owned(), token })
    }

    /// The port of our own page.
    pub(super) fn page_port(&self) -> u16 {
        self.port.saturating_add(PAGE_OFFSET)
    }

    /// Our own page.
    pub(super) fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.page_port())
    }

    /// Leaves the note.
    pub(super) fn note(&self, place: &Place) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).trying("note that the stack runs")?;
        fs::write(place.local("running.json")?, text).trying("note that the stack runs")
    }

    /// Takes the note away.
    pub(super) fn forget(place: &Place) {
        if let Ok(note) = place.local("running.json") {
            fs::remove_file(note).ok();
        }
    }

    /// The stack of this project that runs now, if one does.
    pub(super) fn find(place: &Place) -> Option<Self> {
        let note = fs::read_to_string(place.local("running.json").ok()?).ok()?;
        let running: Self = serde_json::from_str(&note).ok()?;
        running.ask("GET", "/status").is_ok_and(|answer| answer.status == 200).then_some(running)
    }

    /// The stack that runs and takes calls.
    pub(super) fn stack(place: &Place) -> Result<(Self, Stack), Failure> {
        let none = || {
            Failure::new("No local stack is running.")
                .remedy("Start one in another terminal with `cargo dev up`, or in the background with `cargo dev up --detach`.")
        };
        let running = Self::find(place).ok_or_else(none)?;
        if !running.ready() {
            return Err(Failure::new("The local stack is starting still.")
                .remedy("Wait until `cargo dev status` says that it is open."));
        }
        let stack = Stack::read(&place.local(&format!("{}/stack.json", running.state))?)?;
        Ok((running, stack))
    }

    /// Whether it takes calls.
    pub(super) fn ready(&self) -> bool {
        self.ask("GET", "/status").is_ok_and(|answer| answer.text("/status") == "open")
    }

    /// Asks it something.
    pub(super) fn ask(&self, method: &str, path: &str) -> Result<Answer, Failure> {
        self.send(method, path, "")
    }

    /// Tells it something, in JSON.
    pub(super) fn tell(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send("POST", path, &body.to_string())
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.page_url());
        Http::new().send(method, &url, &[(TOKEN, &self.token)], body)
    }
}

/// The present moment.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or_default();
    Timestamp::from_unix_millis(millis).unwrap_or(Timestamp::EPOCH)
}
