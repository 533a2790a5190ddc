//! Drives Chromium by the Chrome DevTools Protocol over two pipes, on file
//! descriptors 3 and 4 (`--remote-debugging-pipe`): no port, no other program.
//! Messages are JSON, each with a zero byte behind it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::super::{
    child,
    failure::{Failure, Trying},
};

/// How long an answer may take: the first one comes when Chromium has started.
const PATIENCE: Duration = Duration::from_secs(30);

/// The names under which Chromium is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Gives Chromium's pipes the numbers that it wants. The shell is its parent's
/// place: it becomes Chromium.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// A Chromium with one page.
#[derive(Debug)]
pub(super) struct Browser {
    process: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    asked: u64,
}

impl Browser {
    /// The program, if this machine has one: `CHROMIUM` names it otherwise.
    pub(super) fn program() -> Option<String> {
        if let Ok(named) = std::env::var("CHROMIUM") {
            return Some(named);
        }
        let path = std::env::var_os("PATH")?;
        let mut folders = std::env::split_paths(&path);
        let found = folders.find_map(|folder| {
            NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file())
        });
        found.map(|file| file.display().to_string())
    }

    /// Starts it without a window, with a profile of its own.
    pub(super) fn start(program: &str, profile: &Path) -> Result<Self, Failure> {
        let mut process = Command::new("sh")
            .args(["-c", START, program, "--headless=new", "--remote-debugging-pipe"])
            // The pages are our own, and containers seldom allow its sandbox.
            .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
            .args(["--force-color-profile=srgb", "--lang=en"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .trying("start Chromium")?;
        let missing = || Failure::new("Chromium has no pipes.");
        let commands = process.stdin.take().ok_or_else(missing)?;
        let answers = process.stdout.take().ok_or_else(missing)?;
        let (teller, messages) = channel();
        thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if teller.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self { process, commands, messages, session: None, asked: 0 };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach)?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Page.enable", json!({}))?;
        Ok(browser)
    }

    /// Calls a method and waits for what it gives.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        self.asked = self.asked.saturating_add(1);
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).trying("reach Chromium")?;
        loop {
            let answer = self.next(method)?;
            if answer["id"].as_u64() != Some(self.asked) {
                continue;
            }
            return match answer.get("error") {
                Some(error) => Err(Failure::new(format!("Chromium refused {method}: {error}."))),
                None => Ok(answer["result"].clone()),
            };
        }
    }

    /// Opens an address and waits until the page is there.
    pub(super) fn open(&mut self, address: &str) -> Result<(), Failure> {
        while self.messages.try_recv().is_ok() {}
        self.call("Page.navigate", json!({ "url": address }))?;
        self.loaded(address)
    }

    /// Waits until a page is there.
    pub(super) fn loaded(&mut self, what: &str) -> Result<(), Failure> {
        while self.next(what)?["method"] != "Page.loadEventFired" {}
        Ok(())
    }

    /// What an expression amounts to in the page. The scripts of the page itself
    /// are off; the tester's are not.
    pub(super) fn evaluate(&mut self, expression: &str) -> Result<Value, Failure> {
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.call("Runtime.evaluate", params)?;
        match answer.get("exceptionDetails") {
            Some(error) => Err(Failure::new(format!("The page's check failed: {error}."))),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Presses a key.
    pub(super) fn press(&mut self, key: &str, code: u32, text: &str) -> Result<(), Failure> {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    fn next(&mut self, waited_for: &str) -> Result<Value, Failure> {
        self.messages.recv_timeout(PATIENCE).map_err(|error| {
            let how = match error {
                RecvTimeoutError::Timeout => "says nothing",
                RecvTimeoutError::Disconnected => "has ended",
            };
            Failure::new(format!("Chromium {how}; waited for: {waited_for}."))
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        child::end(&mut self.process, Signal::TERM);
    }
}
