//! Secrets: read from AWS Secrets Manager, kept for five minutes. Every secret
//! that others sign with is a list, so that it can be rolled: add the new one,
//! let both work, take the old one away.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    aws::Client,
    model::time::{Period, Timestamp},
};

use super::{Failure, failure::chain};

/// How long a secret is used before it is read again.
const AGE_MAX: Period = Period::of_seconds(300);

/// The secrets of the suite, each one JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secret {
    /// Of payment providers.
    Payments,
    /// Of carriers.
    Carriers,
    /// Of our own links.
    Links,
    /// With which messages to systems of the merchant are signed.
    Webhooks,
}

impl Secret {
    /// Every secret.
    pub const ALL: [Self; 4] = [Self::Payments, Self::Carriers, Self::Links, Self::Webhooks];

    /// The environment variable that holds its ARN.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Payments => "PAYMENTS_SECRET_ARN",
            Self::Carriers => "CARRIERS_SECRET_ARN",
            Self::Links => "LINKS_SECRET_ARN",
            Self::Webhooks => "WEBHOOKS_SECRET_ARN",
        }
    }
}

/// What a sender signs with, or we sign with, and, where we call it, what we call it with. Every
/// list may hold the next secret next to the present one, so that it can be
/// rolled.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// What the sender's callbacks are checked with: shared secrets, or public
    /// keys and certificates. All are tried. What messages to an endpoint of
    /// the merchant are signed with: all sign.
    #[serde(default)]
    pub webhook_secrets: Vec<SecretString>,
    /// What its callbacks are encrypted with. All are tried.
    #[serde(default)]
    pub decryption_keys: Vec<SecretString>,
    /// What we call its API with, or sign these calls with; the first is used.
    #[serde(default)]
    pub api_keys: Vec<SecretString>,
    /// What the merchant's account is called there, and where its API is, by
    /// names that each sender's page tells.
    #[serde(default)]
    pub account: BTreeMap<String, String>,
}

/// The keys of our own links.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkKeys {
    /// Signs, and is accepted.
    pub current: SecretString,
    /// Are accepted still: one key, or a list of them. A link by which somebody
    /// chooses not to be contacted never ends, so a key with which any was made
    /// is kept here.
    #[serde(default, deserialize_with = "one_or_several")]
    pub previous: Vec<SecretString>,
}

impl LinkKeys {
    /// Every key that is accepted, the current one first.
    pub(super) fn all(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SecretString>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Keys {
        One(SecretString),
        Several(Vec<SecretString>),
    }
    Ok(match Option::deserialize(from)? {
        None => Vec::new(),
        Some(Keys::One(key)) => vec![key],
        Some(Keys::Several(keys)) => keys,
    })
}

/// The shortest key of links, in characters: 32 of them carry at least 128 bits.
const LINK_KEY_MIN: usize = 32;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue<'a> {
    secret_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GotSecretValue {
    #[serde(default)]
    secret_string: SecretString,
}

/// The secrets of one function.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    names: Vec<(Secret, String)>,
    known: Mutex<HashMap<Secret, (Timestamp, Arc<SecretString>)>>,
}

impl Secrets {
    pub(super) fn new(client: Client, names: Vec<(Secret, String)>) -> Self {
        Self { client, names, known: Mutex::default() }
    }

    /// The credentials of one sender, empty when it has none.
    ///
    /// # Errors
    /// When the secret cannot be read or has not its form.
    pub async fn credentials(
        &self,
        secret: Secret,
        sender: &str,
        now: Timestamp,
    ) -> Result<Credentials, Failure> {
        Ok(self.senders(secret, now).await?.remove(sender).unwrap_or_default())
    }

    /// The credentials of every sender that has any, by name.
    ///
    /// # Errors
    /// When the secret cannot be read or has not its form.
    pub async fn senders(
        &self,
        secret: Secret,
        now: Timestamp,
    ) -> Result<HashMap<String, Credentials>, Failure> {
        self.parsed(secret, now).await
    }

    /// The keys of our own links.
    ///
    /// # Errors
    /// When the secret cannot be read, has not its form, or a key is short.
    pub async fn links(&self, now: Timestamp) -> Result<LinkKeys, Failure> {
        use secrecy::ExposeSecret as _;
        let keys: LinkKeys = self.parsed(Secret::Links, now).await?;
        if keys.all().any(|key| key.expose_secret().len() < LINK_KEY_MIN) {
            let cause = format!("a key of links has fewer than {LINK_KEY_MIN} characters");
            return Err(Failure::retry(cause));
        }
        Ok(keys)
    }

    async fn parsed<T: serde::de::DeserializeOwned>(
        &self,
        secret: Secret,
        now: Timestamp,
    ) -> Result<T, Failure> {
        use secrecy::ExposeSecret as _;
        let text = self.text(secret, now).await?;
        // The parser's words could quote the secret, so only its place is told.
        serde_json::from_str(text.expose_secret()).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let place = format!("at line {line}, column {column}");
            Failure::retry(format!("the secret in {} has not its form {place}", secret.variable()))
        })
    }

    async fn text(&self, secret: Secret, now: Timestamp) -> Result<Arc<SecretString>, Failure> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&secret).cloned();
        if let Some((read_at, text)) = known.clone()
            && read_at <= now
            && now < read_at.plus(AGE_MAX)
        {
            return Ok(text);
        }
        let name = self.names.iter().find(|(declared, _)| *declared == secret);
        let (_, name) =
            name.ok_or_else(|| Failure::bug(format!("the secret {secret:?} is not declared")))?;
        let request = GetSecretValue { secret_id: name };
        let call: Result<GotSecretValue, _> = self.client.call("GetSecretValue", &request).await;
        let answer = match (call, known) {
            (Ok(answer), _) => answer,
            // Better the secret of five minutes ago than no callback at all.
            (Err(error), Some((_, text))) => {
                let error = chain(&error);
                tracing::warn!(secret = secret.variable(), error, "is not read anew");
                return Ok(text);
            }
            (Err(error), None) => {
                let (variable, cause) = (secret.variable(), chain(&error));
                let cause = format!("the secret in {variable} cannot be read: {cause}");
                return Err(Failure::retry(cause));
            }
        };
        let text = Arc::new(answer.secret_string);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(secret, (now, Arc::clone(&text)));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_links_that_were_rolled_are_one_or_a_list() {
        for (previous, all) in [
            (json!({}), &["c"][..]),
            (json!({ "previous": null }), &["c"]),
            (json!({ "previous": "b" }), &["c", "b"]),
            (json!({ "previous": ["b", "a"] }), &["c", "b", "a"]),
        ] {
            let mut document = previous;
            document["current"] = "c".into();
            let keys: LinkKeys = serde_json::from_value(document).unwrap();
            let found: Vec<&str> = keys.all().map(|key| key.expose_secret()).collect();
            assert_eq!(found, all);
        }
        for odd in [json!(7), json!([7]), json!({ "a": "b" })] {
            let document = json!({ "current": "c", "previous": odd });
            assert!(serde_json::from_value::<LinkKeys>(document).is_err());
        }
    }
}
