//! Lambda's Runtime API: the next event, the answer to it, or why there is none.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::{json, value::RawValue};

use crate::aws::{Broken, Transport};

use super::Invocation;

/// The variable that says where the Runtime API is.
const VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

/// The header with the identity of an invocation.
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";

/// The header with the trace that an invocation belongs to.
const TRACE: &str = "lambda-runtime-trace-id";

/// The header with the kind of an error.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// The Runtime API as this process sees it.
#[derive(Debug)]
pub(super) struct Runtime {
    transport: Arc<dyn Transport>,
    root: String,
}

impl Runtime {
    /// The Runtime API of the environment; none outside of Lambda.
    pub(super) fn of_environment(transport: Arc<dyn Transport>) -> Option<Self> {
        let place = std::env::var(VARIABLE).ok().filter(|place| !place.is_empty())?;
        Some(Self { transport, root: format!("http://{place}/2018-06-01/runtime") })
    }

    /// Waits for the next event, however long that takes.
    pub(super) async fn next(&self) -> Result<Invocation, Broken> {
        let request = Request::get(format!("{}/invocation/next", self.root)).body(Bytes::new())?;
        let (head, body) = self.transport.send(request).await?.into_parts();
        if !head.status.is_success() {
            return Err(format!("the Runtime API answered {} to next", head.status).into());
        }
        let request_id = text(&head.headers, REQUEST_ID).ok_or("an event has no identity")?;
        let payload: Box<RawValue> = serde_json::from_slice(&body)?;
        Ok(Invocation { payload, request_id, trace: text(&head.headers, TRACE) })
    }

    /// Gives the answer to an event.
    pub(super) async fn answer(&self, request_id: &str, answer: Vec<u8>) -> Result<(), Broken> {
        let place = format!("{}/invocation/{request_id}/response", self.root);
        let answer = self.transport.send(Request::post(place).body(answer.into())?).await?;
        match answer.status() {
            // Lambda takes six megabytes; the caller is to be told.
            StatusCode::PAYLOAD_TOO_LARGE => {
                self.fail(request_id, "the answer is larger than Lambda takes").await
            }
            _ => taken(&answer),
        }
    }

    /// Tells that an event failed: its trigger tries again.
    pub(super) async fn fail(&self, request_id: &str, why: &str) -> Result<(), Broken> {
        self.tell(&format!("invocation/{request_id}/error"), "Fault", why).await
    }

    /// Tells that the function cannot start.
    pub(super) async fn cannot_start(&self, why: &str) -> Result<(), Broken> {
        self.tell("init/error", "Configuration", why).await
    }

    async fn tell(&self, place: &str, kind: &str, why: &str) -> Result<(), Broken> {
        let body = json!({ "errorType": kind, "errorMessage": why }).to_string();
        let request = Request::post(format!("{}/{place}", self.root))
            .header(ERROR_TYPE, kind)
            .body(body.into())?;
        taken(&self.transport.send(request).await?)
    }
}

fn taken(answer: &Response<Bytes>) -> Result<(), Broken> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(format!("the Runtime API answered {status}").into())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
