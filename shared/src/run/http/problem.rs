//! Problem details (RFC 9457): every refusal, in one shape.

use serde_json::{Map, Value};

use super::Response;

/// A refusal. Its `type` is stable and meant for programs, its `detail` is a
/// sentence for people, `field` names what is at fault in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    kind: &'static str,
    title: &'static str,
    detail: String,
    field: Option<String>,
    retry_after_s: Option<u32>,
    more: Map<String, Value>,
}

impl Problem {
    /// A refusal with this status, kind (a word for programs, such as
    /// `out-of-stock`), title (the kind in words) and detail.
    #[must_use]
    pub fn new(
        status: u16,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let (detail, more) = (detail.into(), Map::new());
        Self { status, kind, title, detail, field: None, retry_after_s: None, more }
    }

    /// A request that is malformed at a field: 400.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(400, "invalid-request", "The request is not valid", detail).at(field)
    }

    /// Something that does not exist, or not for this caller: 404.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not-found", "Not found", format!("There is no such {what}."))
    }

    /// A caller who is not known: 401.
    #[must_use]
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthenticated", "Sign in first", detail)
    }

    /// A caller who may not: 403.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "Not permitted", detail)
    }

    /// A key that was used for another request: 422.
    #[must_use]
    pub fn key_reused() -> Self {
        let detail = "This Idempotency-Key was used for a request with another content. \
                      Use a new key for a new request.";
        Self::new(422, "idempotency-key-reused", "The key was used for another request", detail)
            .at("Idempotency-Key")
    }

    /// A body that is too large: 413.
    #[must_use]
    pub fn too_large(bytes_max: usize) -> Self {
        let detail = format!("The body must have at most {bytes_max} bytes.");
        Self::new(413, "body-too-large", "The body is too large", detail)
    }

    /// A signature that does not hold: 401.
    #[must_use]
    pub fn bad_signature(detail: impl Into<String>) -> Self {
        Self::new(401, "invalid-signature", "The signature is not valid", detail)
    }

    /// Something here does not work for the moment: 503.
    #[must_use]
    pub fn unavailable() -> Self {
        let detail = "The service is busy. Repeat the request in a moment, with the same \
                      Idempotency-Key if it has one; nothing is done twice.";
        Self::new(503, "unavailable", "Try again in a moment", detail)
    }

    /// Our own fault: 500. The request's identity lets an operator find the log line.
    #[must_use]
    pub fn internal(request_id: &str) -> Self {
        let detail = "Something went wrong on our side. It was noted and will be looked into.";
        Self::new(500, "internal", "Something went wrong", detail)
            .with("request_id", Value::from(request_id))
    }

    /// Names the field at fault, such as `lines[0].quantity` or a header.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says when the caller may try again, in seconds from now.
    #[must_use]
    pub fn after(mut self, retry_after_s: u32) -> Self {
        self.retry_after_s = Some(retry_after_s);
        self
    }

    /// Adds a member for programs.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// When the caller may try again, if that is known: in seconds from now.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    /// The word for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The sentence for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem as an answer of type `application/problem+json`.
    #[must_use]
    pub fn respond(&self) -> Response {
        let mut body = self.more.clone();
        body.insert("type".to_owned(), format!("urn:aftercart:problem:{}", self.kind).into());
        body.insert("title".to_owned(), self.title.into());
        body.insert("status".to_owned(), self.status.into());
        body.insert("detail".to_owned(), self.detail.clone().into());
        if let Some(field) = &self.field {
            body.insert("field".to_owned(), field.clone().into());
        }
        Response {
            status: self.status,
            headers: Vec::new(),
            content_type: "application/problem+json",
            body: Value::Object(body).to_string(),
        }
    }
}
