//! Plain HTTP to this machine: the API, the emulator and our own page.

use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, http::Request};

use super::failure::{Failure, Trying};

/// Longer than any function may run.
const PATIENCE: Duration = Duration::from_secs(40);

/// The most of an answer that is read.
const ANSWER_BYTES_MAX: u64 = 10_000_000;

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// Header names in small letters, and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body as text.
    pub(super) body: String,
}

impl Answer {
    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A text of the JSON body, by pointer; empty when there is none.
    pub(super) fn text(&self, pointer: &str) -> String {
        text(&self.json(), pointer)
    }
}

/// A text in a JSON value, by pointer; numbers as they are written; empty when there is none.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// Calls to this machine.
#[derive(Debug, Clone)]
pub(super) struct Http(Agent);

impl Http {
    /// A client that minds no proxy: everything is on this machine.
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE));
        Self(config.build().into())
    }

    /// Sends a request, with a body unless it is empty. Any status is an answer.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let tried = format!("reach {url}");
        let mut answer = if body.is_empty() {
            self.0.run(request.body(()).trying(&tried)?)
        } else {
            self.0.run(request.body(body.to_owned()).trying(&tried)?)
        }
        .trying(&tried)?;
        let headers = answer.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            body: answer
                .body_mut()
                .with_config()
                .limit(ANSWER_BYTES_MAX)
                .lossy_utf8(true)
                .read_to_string()
                .trying(&tried)?,
        })
    }
}
