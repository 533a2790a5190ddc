//! AWS's signature, version 4, of a POST to the root of a service.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};

use super::Credentials;

/// The header that says when a call was signed.
pub(super) const DATE: &str = "x-amz-date";

/// The header that names the operation.
pub(super) const TARGET: &str = "x-amz-target";

/// The header that goes with a key that ends.
pub(super) const SESSION: &str = "x-amz-security-token";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The length of the day in `20260131T235959Z`.
const DAY_LEN: usize = 8;

/// When a call is signed, as AWS writes it: `20260131T235959Z`.
#[derive(Debug, Clone)]
pub(super) struct Moment(String);

impl Moment {
    /// The present, by the clock of the system.
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::of_unix_seconds(i64::try_from(since.as_secs()).unwrap_or(0))
    }

    fn of_unix_seconds(seconds: i64) -> Self {
        let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        Self(moment.strftime("%Y%m%dT%H%M%SZ").to_string())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn day(&self) -> &str {
        self.0.get(..DAY_LEN).unwrap_or_default()
    }
}

/// What is signed of a call.
pub(super) struct Signed<'a> {
    pub(super) content_type: &'a str,
    pub(super) host: &'a str,
    pub(super) moment: &'a Moment,
    pub(super) target: &'a str,
    pub(super) body: &'a [u8],
}

/// Signs the calls of one service.
pub(super) struct Signer {
    service: &'static str,
    region: String,
    access_key: String,
    secret: SecretString,
    session: Option<SecretString>,
    /// The key of a day, which is derived once.
    key: Mutex<Option<(String, Arc<hmac::Key>)>>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Signer {
    pub(super) fn new(service: &'static str, region: &str, credentials: &Credentials) -> Self {
        Self {
            service,
            region: region.to_owned(),
            access_key: credentials.access_key.clone(),
            secret: credentials.secret.clone(),
            session: credentials.session.clone(),
            key: Mutex::default(),
        }
    }

    /// The value of the header `authorization`.
    pub(super) fn authorization(&self, signed: &Signed<'_>) -> String {
        let Signed { content_type, host, moment, target, body } = signed;
        let session = self.session.as_ref().map(|session| session.expose_secret());
        let (session, names) = match session {
            Some(session) => (
                format!("{SESSION}:{session}\n"),
                "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
            ),
            None => (String::new(), "content-type;host;x-amz-date;x-amz-target"),
        };
        let body = sha256(body);
        let call = format!(
            "POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n{DATE}:{}\n{session}\
             {TARGET}:{target}\n\n{names}\n{body}",
            moment.text(),
        );
        let scope = format!("{}/{}/{}/aws4_request", moment.day(), self.region, self.service);
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{}", moment.text(), sha256(call.as_bytes()));
        let signature = hmac::sign(&self.key(moment.day()), text.as_bytes());
        let signature = HEXLOWER.encode(signature.as_ref());
        let who = &self.access_key;
        format!(
            "{ALGORITHM} Credential={who}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
    }

    /// The key of this day.
    fn key(&self, day: &str) -> Arc<hmac::Key> {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = kept.as_ref().filter(|(known, _)| known == day) {
            return Arc::clone(key);
        }
        let first = format!("AWS4{}", self.secret.expose_secret());
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
        for part in [day, &self.region, self.service, "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        let key = Arc::new(key);
        *kept = Some((day.to_owned(), Arc::clone(&key)));
        key
    }
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the samples were signed: 2026-01-31, one second before midnight.
    const SIGNED_AT: i64 = 1_769_903_999;

    fn signed(session: Option<&str>) -> String {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session: session.map(Into::into),
        };
        let signer = Signer::new("dynamodb", "eu-west-1", &credentials);
        let moment = Moment::of_unix_seconds(SIGNED_AT);
        assert_eq!(moment.text(), "20260131T235959Z");
        let signed = Signed {
            content_type: "application/x-amz-json-1.0",
            host: "dynamodb.eu-west-1.amazonaws.com",
            moment: &moment,
            target: "DynamoDB_20120810.GetItem",
            body: br#"{"TableName":"orders"}"#,
        };
        let first = signer.authorization(&signed);
        assert_eq!(first, signer.authorization(&signed), "by the key that was kept");
        first
    }

    /// The signatures are those that botocore 1.43 makes of the same calls.
    #[test]
    fn a_call_is_signed_as_aws_does_it() {
        let scope = "20260131/eu-west-1/dynamodb/aws4_request";
        assert_eq!(
            signed(None),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
                 Signature=bf5f27a3123bc46b8ae0f7780a630121ca46115387dcb1523c6be440e842e4cc"
            )
        );
        assert_eq!(
            signed(Some("session/token+=")),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
                 Signature=88ed58154152dc37f87f7813674b176be796e1f289cbde5d4ad32ae9b5e03910"
            )
        );
    }

    #[test]
    fn the_key_is_that_of_the_day() {
        let credentials =
            Credentials { access_key: "A".to_owned(), secret: "s".into(), session: None };
        let signer = Signer::new("sqs", "eu-west-1", &credentials);
        let tag = |day| HEXLOWER.encode(hmac::sign(&signer.key(day), b"").as_ref());
        let (first, second) = (tag("20260131"), tag("20260201"));
        assert_ne!(first, second);
        assert_eq!(first, tag("20260131"));
    }
}
