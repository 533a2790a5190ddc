//! A merchant's own system: takes the webhooks of the local stack, checks each
//! signature as a merchant would, and shows what it was told.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use aftercart::model::{signature::standard_webhooks, time::Timestamp};
use serde_json::{Value, json};

/// Where on the page the system is.
pub(super) const PATH: &str = "/hooks";

/// The endpoint in infra/local/policy.json.
const ENDPOINT: &str = "demo";

/// What the stack signs with; of use on this machine only.
const SECRET: &str = "whsec_QWZ0ZXJjYXJ0J3MgbG9jYWwgc3RhY2sgc2lnbnMgdGhpcw==";

/// What is in the secret of webhooks.
pub(super) fn credentials() -> Value {
    json!({ ENDPOINT: { "webhook_secrets": [SECRET] } })
}

/// What the system was told, by message, each once.
#[derive(Debug, Default)]
pub(super) struct Hooks(Mutex<Vec<Value>>);

impl Hooks {
    /// Takes a call: whether it was signed as it must be.
    pub(super) fn take<'a>(
        &self,
        header: &dyn Fn(&str) -> Option<&'a str>,
        body: &[u8],
        now: Timestamp,
    ) -> bool {
        let Ok(id) = standard_webhooks::verify(&[SECRET], header, body, now) else {
            return false;
        };
        let told = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().all(|known| known["id"] != id) {
            all.push(json!({ "id": id, "told": told }));
        }
        true
    }

    /// The identities of what it was told.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(|told| told["id"].as_str().map(str::to_owned)).collect()
    }

    /// All of it, a line each.
    pub(super) fn lines(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|told| format!("{told}\n")).collect()
    }
}
