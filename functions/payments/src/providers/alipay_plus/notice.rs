//! Notices: JSON, signed with the path and two headers.

use aftercart::model::{
    id::PaymentId,
    payment::{PaymentEvent, PaymentEventKind, Provider},
    signature::{SignatureError, body_digest},
    time::Timestamp,
};
use serde::Deserialize;

use super::{
    Amount, PENDING, RESULT,
    api::{CLIENT_ID, Outcome, REQUEST_TIME, SIGNATURE, offered, signed_text},
    client, outcome_kind, refund_of,
};
use crate::providers::{Call, Report, Unreadable, event_identity, reference, rsa, word};

/// Makes sure that one of the keys signed the notice.
pub(super) fn verify(call: &Call<'_>) -> Result<(), SignatureError> {
    let header =
        |name: &'static str| (call.header)(name).ok_or(SignatureError::MissingHeader(name));
    let (signature, client, time) = (header(SIGNATURE)?, header(CLIENT_ID)?, header(REQUEST_TIME)?);
    let offered = offered(signature).ok_or(SignatureError::MalformedHeader(SIGNATURE))?;
    let keys = &call.credentials.webhook_secrets;
    if keys.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let text = signed_text(call.method, call.path, client, time, call.body);
    let matches = rsa::any_verifies(keys, &text, &offered);
    matches.then_some(()).ok_or(SignatureError::Mismatch)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Notice {
    notify_type: String,
    result: Outcome,
    payment_request_id: String,
    payment_id: String,
    payment_amount: Option<Amount>,
    payment_time: String,
    capture_request_id: String,
    capture_amount: Option<Amount>,
    capture_time: String,
    refund_request_id: String,
    refund_status: String,
    refund_amount: Option<Amount>,
    refund_time: String,
    dispute_notification_type: String,
    dispute_id: String,
    dispute_amount: Option<Amount>,
    dispute_time: String,
    dispute_judged_result: String,
    dispute_judged_amount: Option<Amount>,
    dispute_judged_time: String,
    dispute_reason_code: String,
}

/// What a notice says of a payment.
struct Told<'a> {
    payment: Option<PaymentId>,
    /// What it is about, which with the type and outcome is its identity.
    about: &'a str,
    outcome: &'a str,
    kind: Option<PaymentEventKind>,
    amount: Option<&'a Amount>,
    at: &'a str,
    reason: &'a str,
    part: Option<String>,
}

/// What a verified notice says.
pub(super) fn read(call: &Call<'_>) -> Result<Report, Unreadable> {
    let text = std::str::from_utf8(call.body).map_err(|_| Unreadable::Encoding)?;
    let notice: Notice =
        serde_json::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))?;
    let dispute = notice.dispute_notification_type.as_str();
    let kind = if dispute.is_empty() { notice.notify_type.as_str() } else { dispute };
    let (what, digest) = (word(kind), body_digest(call.body));
    let told = match kind {
        RESULT | PENDING => notice.payment(kind),
        "CAPTURE_RESULT" => notice.capture(),
        "REFUND_RESULT" => notice.refund(),
        _ if !dispute.is_empty() => match notice.dispute() {
            Some(told) => told,
            None => return Ok(Report::Unknown { id: digest, what }),
        },
        _ => return Ok(Report::Unknown { id: digest, what }),
    };
    let id = event_identity(&format!("{}:{kind}:{}", told.about, told.outcome));
    let ours = (call.header)(CLIENT_ID) == client(call.credentials).ok();
    let (true, Some(payment)) = (ours, &told.payment) else {
        return Ok(Report::Foreign { id, what });
    };
    let Some(happened) = told.kind else { return Ok(Report::Nothing { what }) };
    let amount = match told.amount {
        Some(amount) => amount.money()?,
        // The amount of a payment that was not made is all that is missing.
        None if kind == RESULT && told.outcome == "F" => return Ok(Report::Nothing { what }),
        None => return Err(Unreadable::Form("there is no amount".to_owned())),
    };
    let sent_at = || (call.header)(REQUEST_TIME).unwrap_or_default();
    let at = if told.at.is_empty() { sent_at() } else { told.at };
    Ok(Report::Event(PaymentEvent {
        id,
        payment: payment.clone(),
        provider: Provider::AlipayPlus,
        kind: happened,
        amount,
        at: moment(at).ok_or_else(|| Unreadable::Value("a time is none".to_owned()))?,
        reason: Some(told.reason).filter(|code| !code.is_empty()).map(word),
        reference: reference(&notice.payment_id),
        part: told.part,
        body_digest: digest,
    }))
}

impl Notice {
    fn named(&self) -> Option<PaymentId> {
        PaymentId::parse(&self.payment_request_id).ok()
    }

    /// The code of a failure.
    fn failure(&self, failed: bool) -> &str {
        if failed { &self.result.result_code } else { "" }
    }

    fn payment(&self, what: &str) -> Told<'_> {
        let (outcome, code) = (&self.result.result_status, &self.result.result_code);
        let kind = outcome_kind(what, outcome, code);
        Told {
            payment: self.named(),
            about: &self.payment_request_id,
            outcome,
            kind,
            amount: self.payment_amount.as_ref(),
            at: &self.payment_time,
            reason: self.failure(outcome == "F"),
            part: None,
        }
    }

    fn capture(&self) -> Told<'_> {
        let outcome = self.result.result_status.as_str();
        let kind = match outcome {
            "S" => Some(PaymentEventKind::Captured),
            "F" => Some(PaymentEventKind::CaptureFailed),
            _ => None,
        };
        Told {
            payment: self.named(),
            about: &self.capture_request_id,
            outcome,
            kind,
            amount: self.capture_amount.as_ref(),
            at: &self.capture_time,
            reason: self.failure(outcome == "F"),
            part: reference(&self.capture_request_id),
        }
    }

    fn refund(&self) -> Told<'_> {
        let outcome = self.refund_status.as_str();
        let kind = match outcome {
            "SUCCESS" => Some(PaymentEventKind::Refunded),
            "FAIL" => Some(PaymentEventKind::RefundFailed),
            _ => None,
        };
        let (payment, refund) = refund_of(&self.refund_request_id).unzip();
        Told {
            payment,
            about: &self.refund_request_id,
            outcome,
            kind,
            amount: self.refund_amount.as_ref(),
            at: &self.refund_time,
            reason: self.failure(outcome == "FAIL"),
            part: refund.map(|refund| refund.to_string()),
        }
    }

    /// None if the type is not known.
    fn dispute(&self) -> Option<Told<'_>> {
        let judged = self.dispute_judged_result.as_str();
        let kind = match (self.dispute_notification_type.as_str(), judged) {
            ("DISPUTE_CREATED", _) => Some(PaymentEventKind::Disputed),
            ("DISPUTE_JUDGED", "ACCEPT_BY_CUSTOMER") | ("DISPUTE_CANCELLED", _) => {
                Some(PaymentEventKind::DisputeWon)
            }
            ("DISPUTE_JUDGED", "ACCEPT_BY_MERCHANT") | ("RDR_RESOLVED", _) => {
                Some(PaymentEventKind::DisputeLost)
            }
            ("DEFENSE_SUPPLIED" | "DEFENSE_DUE_ALERT", _)
            | ("DISPUTE_JUDGED", "VALIDATE_SUCCESS" | "VALIDATE_FAIL") => None,
            _ => return None,
        };
        let is_judged = self.dispute_notification_type == "DISPUTE_JUDGED";
        let judged_amount = self.dispute_judged_amount.as_ref().filter(|_| is_judged);
        Some(Told {
            payment: self.named(),
            about: &self.dispute_id,
            outcome: judged,
            kind,
            amount: judged_amount.or(self.dispute_amount.as_ref()),
            at: if is_judged { &self.dispute_judged_time } else { &self.dispute_time },
            reason: &self.dispute_reason_code,
            part: reference(&self.dispute_id),
        })
    }
}

/// A moment as Antom writes it: ISO 8601, or milliseconds after 1970 began.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(millis) => Timestamp::from_unix_millis(millis).ok(),
        Err(_) => Timestamp::parse(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::run::secrets::Credentials;
    use proptest::prelude::*;
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::providers::rsa::keys::{
        OTHER, OTHER_PUBLIC, PROVIDER as KEY, PROVIDER_PUBLIC as PUBLIC,
    };

    const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const REFUND: &str = "rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb";
    const PATH: &str = "/callbacks/alipay_plus";
    const TIME: &str = "2026-11-21T20:00:05.253+08:00";

    fn credentials(keys: &[&str]) -> Credentials {
        from_value(json!({ "webhook_secrets": keys, "account": { "client_id": "5Y1" } })).unwrap()
    }

    fn header_of(key: &str, path: &str, time: &str, body: &[u8]) -> String {
        let text = signed_text("POST", path, "5Y1", time, body);
        let signature = rsa::sign(&[key.into()], &text).unwrap();
        let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
        format!("algorithm=RSA256,keyVersion=1,signature={signature}")
    }

    /// A call with these headers; an empty one is missing.
    struct Sent<'a> {
        signature: &'a str,
        client: &'a str,
        time: &'a str,
        path: &'a str,
        body: &'a [u8],
    }

    impl Sent<'_> {
        fn with<T>(&self, keys: &[&str], f: impl FnOnce(&Call<'_>) -> T) -> T {
            let header = |name: &str| {
                let value = match name {
                    SIGNATURE => self.signature,
                    CLIENT_ID => self.client,
                    REQUEST_TIME => self.time,
                    _ => "",
                };
                Some(value).filter(|value| !value.is_empty())
            };
            let (credentials, now) = (credentials(keys), Timestamp::EPOCH);
            let (method, path, body) = ("POST", self.path, self.body);
            f(&Call { credentials: &credentials, method, path, header: &header, body, now })
        }
    }

    fn verified(keys: &[&str], signature: &str, body: &[u8]) -> Result<(), SignatureError> {
        let sent = Sent { signature, client: "5Y1", time: TIME, path: PATH, body };
        sent.with(keys, verify)
    }

    fn success() -> Value {
        json!({
            "notifyType": "PAYMENT_RESULT",
            "result": { "resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success" },
            "paymentRequestId": PAYMENT,
            "paymentId": "2020010123456789XXXX",
            "paymentAmount": { "value": "8000", "currency": "EUR" },
            "paymentCreateTime": "2020-01-01T12:01:00+08:30",
            "paymentTime": "2020-01-01T12:01:01+08:30",
        })
    }

    fn read_text(body: &[u8]) -> Result<Report, Unreadable> {
        let sent = Sent { signature: "", client: "5Y1", time: TIME, path: PATH, body };
        sent.with(&[], read)
    }

    fn read_changed(changes: Value) -> Result<Report, Unreadable> {
        let mut notice = success();
        for (name, value) in changes.as_object().unwrap() {
            notice[name] = value.clone();
        }
        read_text(notice.to_string().as_bytes())
    }

    #[test]
    fn any_of_the_keys_may_have_signed() {
        let body = success().to_string();
        let signature = header_of(KEY, PATH, TIME, body.as_bytes());
        let spaced = signature.replace(',', " ,\t");
        let plain = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        for header in [&signature, &spaced, &plain] {
            assert_eq!(verified(&[PUBLIC], header, body.as_bytes()), Ok(()), "{header}");
        }
        assert_eq!(
            verified(&["no key", OTHER_PUBLIC, PUBLIC], &signature, body.as_bytes()),
            Ok(())
        );
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(verified(&[OTHER_PUBLIC], &signature, body.as_bytes()), mismatch);
        assert_eq!(verified(&[], &signature, body.as_bytes()), Err(SignatureError::NoSecret));
    }

    #[test]
    fn what_antom_did_not_sign_is_refused() {
        use SignatureError::{MalformedHeader, Mismatch, MissingHeader};
        let body = success().to_string();
        let right = header_of(KEY, PATH, TIME, body.as_bytes());
        let other = header_of(OTHER, PATH, TIME, body.as_bytes());
        let plain = right.replace("RSA256", "RSA");
        let good = Sent {
            signature: &right,
            client: "5Y1",
            time: TIME,
            path: PATH,
            body: body.as_bytes(),
        };
        for (sent, why) in [
            (Sent { signature: &other, ..good }, Mismatch),
            (Sent { signature: "", ..good }, MissingHeader("signature")),
            (Sent { client: "", ..good }, MissingHeader("client-id")),
            (Sent { time: "", ..good }, MissingHeader("request-time")),
            (Sent { client: TIME, time: "5Y1", ..good }, Mismatch),
            (Sent { client: "5Y2", ..good }, Mismatch),
            (Sent { time: "2026-11-21T20:00:06.253+08:00", ..good }, Mismatch),
            (Sent { path: "/callbacks/alipay", ..good }, Mismatch),
            (Sent { body: b"{}", ..good }, Mismatch),
            (Sent { signature: &plain, ..good }, MalformedHeader("signature")),
            (Sent { signature: "algorithm=RSA256", ..good }, MalformedHeader("signature")),
            (Sent { signature: "signature=%", ..good }, MalformedHeader("signature")),
        ] {
            assert_eq!(sent.with(&[PUBLIC], verify), Err(why), "{}", sent.signature);
        }
    }

    #[test]
    fn a_notice_is_read_field_by_field() {
        let body = success().to_string();
        let Ok(Report::Event(event)) = read_text(body.as_bytes()) else { panic!("no event") };
        assert_eq!(event.id, format!("{PAYMENT}:PAYMENT_RESULT:S"));
        assert_eq!(
            (event.provider, event.kind),
            (Provider::AlipayPlus, PaymentEventKind::Succeeded)
        );
        assert_eq!(
            (event.payment.as_str(), event.amount.to_string().as_str()),
            (PAYMENT, "80.00 EUR")
        );
        assert_eq!(event.at.to_string(), "2020-01-01T03:31:01.000Z");
        assert_eq!(event.reference.as_deref(), Some("2020010123456789XXXX"));
        assert_eq!((event.part, event.reason), (None, None));
        assert_eq!(event.body_digest, body_digest(body.as_bytes()));
    }

    #[test]
    fn each_type_is_what_the_table_says() {
        use PaymentEventKind::{
            Cancelled, CaptureFailed, Captured, DisputeLost, DisputeWon, Disputed, Expired, Failed,
            Processing, RefundFailed, Refunded, Succeeded,
        };
        let failed = |code: &str| json!({ "resultStatus": "F", "resultCode": code });
        let money = |value: &str| json!({ "value": value, "currency": "JPY" });
        let refund = format!("{PAYMENT}_{REFUND}");
        let dispute = |kind: &str, judged: &str| {
            json!({
                "disputeNotificationType": kind, "disputeId": "d1", "disputeAmount": money("7"),
                "disputeJudgedAmount": money("5"), "disputeJudgedResult": judged,
                "disputeTime": "2026-11-21T00:00:00Z", "disputeJudgedTime": "2026-11-21T00:00:00Z",
            })
        };
        for (changes, kind, minor, part) in [
            (json!({}), Succeeded, 8000, None),
            (json!({ "paymentTime": "" }), Succeeded, 8000, None),
            (json!({ "result": failed("USER_BALANCE_NOT_ENOUGH") }), Failed, 8000, None),
            (json!({ "result": failed("ORDER_IS_CLOSED") }), Expired, 8000, None),
            (json!({ "result": failed("ORDER_IS_CANCELED") }), Cancelled, 8000, None),
            (json!({ "notifyType": "PAYMENT_PENDING" }), Processing, 8000, None),
            (
                json!({
                    "notifyType": "CAPTURE_RESULT", "captureRequestId": "c1",
                    "captureAmount": money("70"), "captureTime": "1795262400000",
                }),
                Captured,
                70,
                Some("c1"),
            ),
            (
                json!({
                    "notifyType": "CAPTURE_RESULT", "captureRequestId": "c1",
                    "captureAmount": money("70"), "result": failed("X"),
                }),
                CaptureFailed,
                70,
                Some("c1"),
            ),
            (
                json!({
                    "notifyType": "REFUND_RESULT", "refundRequestId": refund,
                    "refundStatus": "SUCCESS", "refundAmount": money("3"),
                }),
                Refunded,
                3,
                Some(REFUND),
            ),
            (
                json!({
                    "notifyType": "REFUND_RESULT", "refundRequestId": refund,
                    "refundStatus": "FAIL", "refundAmount": money("3"), "result": failed("X"),
                }),
                RefundFailed,
                3,
                Some(REFUND),
            ),
            (dispute("DISPUTE_CREATED", ""), Disputed, 7, Some("d1")),
            (dispute("DISPUTE_JUDGED", "ACCEPT_BY_CUSTOMER"), DisputeWon, 5, Some("d1")),
            (dispute("DISPUTE_JUDGED", "ACCEPT_BY_MERCHANT"), DisputeLost, 5, Some("d1")),
            (dispute("DISPUTE_CANCELLED", ""), DisputeWon, 7, Some("d1")),
            (dispute("RDR_RESOLVED", ""), DisputeLost, 7, Some("d1")),
        ] {
            let read = read_changed(changes.clone());
            let Ok(Report::Event(event)) = read else { panic!("{changes}: {read:?}") };
            let told = (event.kind, event.amount.minor(), event.part.as_deref());
            assert_eq!(told, (kind, minor, part), "{changes}");
        }
        for changes in [
            dispute("DEFENSE_SUPPLIED", ""),
            dispute("DEFENSE_DUE_ALERT", ""),
            dispute("DISPUTE_JUDGED", "VALIDATE_SUCCESS"),
            json!({ "result": failed("X"), "paymentAmount": null }),
        ] {
            assert!(matches!(read_changed(changes), Ok(Report::Nothing { .. })));
        }
    }

    #[test]
    fn a_notice_without_a_time_happened_when_it_was_sent() {
        let Ok(Report::Event(event)) = read_changed(json!({ "paymentTime": "" })) else {
            panic!("no event")
        };
        assert_eq!(event.at.to_string(), "2026-11-21T12:00:05.253Z");
    }

    #[test]
    fn what_is_no_event_of_ours_says_why() {
        for changes in [
            json!({ "paymentRequestId": "order 7" }),
            json!({ "paymentRequestId": "" }),
            json!({ "notifyType": "REFUND_RESULT", "refundRequestId": "r1" }),
            json!({ "notifyType": "REFUND_RESULT", "refundRequestId": format!("{PAYMENT}_rfd_x") }),
            json!({ "notifyType": "REFUND_RESULT", "refundRequestId": REFUND }),
        ] {
            let read = read_changed(changes.clone());
            assert!(matches!(read, Ok(Report::Foreign { .. })), "{changes}: {read:?}");
        }
        for changes in [
            json!({ "notifyType": "PAYMENT_EATEN" }),
            json!({ "notifyType": "" }),
            json!({ "disputeNotificationType": "DISPUTE_EATEN" }),
            json!({ "disputeNotificationType": "DISPUTE_JUDGED" }),
        ] {
            let read = read_changed(changes.clone());
            assert!(matches!(read, Ok(Report::Unknown { .. })), "{changes}: {read:?}");
        }
        let body = success().to_string();
        let body = body.as_bytes();
        let sent = Sent { signature: "", client: "5Y2", time: TIME, path: PATH, body };
        assert!(matches!(sent.with(&[], read), Ok(Report::Foreign { .. })));
    }

    #[test]
    fn impossible_values_are_for_a_person() {
        let money = |value: &str, currency: &str| json!({ "paymentAmount": { "value": value, "currency": currency } });
        for changes in [
            money("80.00", "EUR"),
            money("-80", "EUR"),
            money("+80", "EUR"),
            money("", "EUR"),
            money("99999999999999999999", "EUR"),
            money("80", "eur"),
            money("80", "XYZ"),
            json!({ "paymentTime": "2020-01-01" }),
        ] {
            let read = read_changed(changes.clone());
            assert!(matches!(read, Err(Unreadable::Value(_))), "{changes}: {read:?}");
        }
        let number = json!({ "paymentAmount": { "value": 80, "currency": "EUR" } });
        assert!(matches!(read_changed(number), Err(Unreadable::Form(_))));
        assert!(matches!(read_changed(json!({ "paymentAmount": null })), Err(Unreadable::Form(_))));
        assert_eq!(read_text(b"\"\xff\""), Err(Unreadable::Encoding));
        assert!(matches!(read_text(b"[]"), Err(Unreadable::Form(_)) | Ok(Report::Unknown { .. })));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused(place in 0_usize..700, bit in 0_u8..8) {
            let mut body = success().to_string().into_bytes();
            let header = header_of(KEY, PATH, TIME, &body);
            let mut signature = header.clone().into_bytes();
            let place = place % (body.len() + signature.len());
            match place.checked_sub(body.len()) {
                None => body[place] ^= 1 << bit,
                Some(place) => signature[place] ^= 1 << bit,
            }
            let Ok(flipped) = String::from_utf8(signature) else { return Ok(()) };
            let same = flipped != header && offered(&flipped) == offered(&header);
            prop_assert_eq!(verified(&[PUBLIC], &flipped, &body).is_ok(), same);
        }

        #[test]
        fn any_bytes_are_answered(
            body in prop::collection::vec(any::<u8>(), 0..200),
            signature in ".{0,80}",
            client in ".{0,10}",
            time in ".{0,30}",
        ) {
            let (signature, client, time) = (signature.as_str(), client.as_str(), time.as_str());
            let sent = Sent { signature, client, time, path: PATH, body: &body };
            prop_assert!(sent.with(&[PUBLIC], verify).is_err());
            let _report = sent.with(&[PUBLIC], read);
        }

        #[test]
        fn any_values_are_answered(
            name in prop::sample::select(vec!["paymentTime", "paymentRequestId", "notifyType"]),
            value in ".{0,40}",
        ) {
            let _report = read_changed(json!({ name: value }));
        }
    }
}
