//! Adyen's standard webhooks: how their items are signed and what they say.

use aftercart::model::{
    id::{PaymentId, RefundId},
    payment::{PaymentEvent, PaymentEventKind, Provider},
    signature::{SignatureError, any_matches, body_digest, hex},
    time::Timestamp,
};
use data_encoding::BASE64;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::amount;
use crate::providers::{Call, Report, Unreadable, account, event_identity, reference, word};

/// What stands between the attempt and the refund in a modification's reference.
pub(super) const DIVIDER: char = '.';

/// Where an item has its signature.
const SIGNATURE: &str = "additionalData.hmacSignature";

#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "notificationItems")]
    items: Vec<Wrapped>,
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "NotificationRequestItem")]
    item: Item,
}

/// Values are kept as they came: leading spaces and colons are signed as they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(default)]
    psp_reference: String,
    #[serde(default)]
    original_reference: Option<String>,
    #[serde(default)]
    merchant_account_code: String,
    #[serde(default)]
    merchant_reference: Option<String>,
    #[serde(default)]
    amount: Option<Amount>,
    event_code: String,
    #[serde(default)]
    success: String,
    #[serde(default)]
    event_date: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    additional_data: Option<Additional>,
}

#[derive(Deserialize)]
struct Amount {
    value: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Additional {
    #[serde(default, rename = "hmacSignature")]
    signature: Option<String>,
    #[serde(default, rename = "modification.action")]
    action: Option<String>,
}

fn items(body: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    let notice: Notice =
        serde_json::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))?;
    Ok(notice.items.into_iter().map(|wrapped| wrapped.item).collect())
}

/// See [`super::Adyen`].
pub(super) fn verify(call: &Call<'_>) -> Result<(), SignatureError> {
    let items = items(call.body).map_err(|_| SignatureError::MissingHeader(SIGNATURE))?;
    if items.is_empty() {
        return Err(SignatureError::MissingHeader(SIGNATURE));
    }
    let secrets = call.credentials.webhook_secrets.iter();
    let keys: Vec<Vec<u8>> = secrets.filter_map(|key| hex(key.expose_secret().trim())).collect();
    if keys.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    items.iter().try_for_each(|item| signed(item, &keys))
}

fn signed(item: &Item, keys: &[Vec<u8>]) -> Result<(), SignatureError> {
    let offered = item.additional_data.as_ref().and_then(|it| it.signature.as_deref());
    let offered = offered.ok_or(SignatureError::MissingHeader(SIGNATURE))?;
    let malformed = SignatureError::MalformedHeader(SIGNATURE);
    let offered = BASE64.decode(offered.as_bytes()).map_err(|_| malformed)?;
    let value = item.amount.as_ref().map(|amount| amount.value.to_string());
    let payload = [
        item.psp_reference.as_str(),
        item.original_reference.as_deref().unwrap_or_default(),
        &item.merchant_account_code,
        item.merchant_reference.as_deref().unwrap_or_default(),
        value.as_deref().unwrap_or_default(),
        item.amount.as_ref().map_or("", |amount| &amount.currency),
        &item.event_code,
        &item.success,
    ]
    .join(":");
    if any_matches(keys, &[payload.as_bytes()], &[offered]) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// See [`crate::providers::PaymentProvider::read`]. Of several items, one that
/// cannot be read is a report of its own: what the others say is not lost.
pub(super) fn read(call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
    let ours = account(call.credentials, "merchant_account").ok();
    let capture = call.credentials.account.get("capture").map(String::as_str);
    let by_hand = capture == Some("manual");
    let items = items(call.body)?;
    let read = |item: &Item| report(item, ours, by_hand, call.body);
    if let [item] = &*items {
        return Ok(vec![read(item)?]);
    }
    Ok(items.iter().map(|item| read(item).unwrap_or_else(|_| unreadable(item))).collect())
}

fn unreadable(item: &Item) -> Report {
    let id = format!("{}:unreadable", identity(item));
    Report::Unknown {
        id: event_identity(&id),
        what: word(&format!("{} (unreadable)", item.event_code)),
    }
}

/// What tells an item's event from all others.
fn identity(item: &Item) -> String {
    format!("{}:{}:{}", item.psp_reference, item.event_code, item.success)
}

/// What an item says, whosever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    This(PaymentEventKind),
    Nothing,
    Unknown,
}

fn report(
    item: &Item,
    ours: Option<&str>,
    by_hand: bool,
    body: &[u8],
) -> Result<Report, Unreadable> {
    let (id, what) = (event_identity(&identity(item)), word(&item.event_code));
    let kind = match told(item, by_hand)? {
        Told::Nothing => return Ok(Report::Nothing { what }),
        Told::Unknown => return Ok(Report::Unknown { id, what }),
        Told::This(kind) => kind,
    };
    let named = item.merchant_reference.as_deref().and_then(named);
    let Some((payment, refund)) = named.filter(|_| ours == Some(&item.merchant_account_code))
    else {
        return Ok(Report::Foreign { id, what: word(&format!("{what} {}", item.psp_reference)) });
    };
    if item.psp_reference.is_empty() {
        return Err(Unreadable::Form("the item has no identity".to_owned()));
    }
    let amount = item.amount.as_ref();
    let amount = amount.ok_or_else(|| Unreadable::Form("the item has no amount".to_owned()))?;
    let failed = matches!(
        kind,
        PaymentEventKind::Failed | PaymentEventKind::CaptureFailed | PaymentEventKind::RefundFailed
    );
    let reason = item.reason.as_deref().filter(|reason| failed && !reason.is_empty());
    Ok(Report::Event(PaymentEvent {
        id,
        payment,
        provider: Provider::Adyen,
        kind,
        amount: amount::from_adyen(amount.value, &amount.currency)
            .map_err(|error| Unreadable::Value(error.to_string()))?,
        at: Timestamp::parse(&item.event_date)
            .map_err(|_| Unreadable::Value("`eventDate` is no time".to_owned()))?,
        reason: reason.map(word),
        reference: paid_as(item, kind).and_then(reference),
        part: part(item, kind, refund).as_deref().and_then(reference),
        body_digest: body_digest(body),
    }))
}

/// The attempt and the refund that a `merchantReference` names.
fn named(text: &str) -> Option<(PaymentId, Option<RefundId>)> {
    let (payment, refund) = match text.split_once(DIVIDER) {
        Some((payment, refund)) => (payment, Some(RefundId::parse(refund).ok()?)),
        None => (text, None),
    };
    Some((PaymentId::parse(payment).ok()?, refund))
}

/// The payment's own reference: of what modifies it, the original's. A
/// declined try has another one than the try that pays.
fn paid_as(item: &Item, kind: PaymentEventKind) -> Option<&str> {
    let original = item.original_reference.as_deref().filter(|it| !it.is_empty());
    let itself = matches!(kind, PaymentEventKind::Succeeded | PaymentEventKind::Authorised);
    original.or(Some(item.psp_reference.as_str()).filter(|_| itself))
}

/// Which capture, refund or dispute. A dispute's reference is that of the
/// payment where the webhook is not set up to tell both.
fn part(item: &Item, kind: PaymentEventKind, refund: Option<RefundId>) -> Option<String> {
    let own = || Some(item.psp_reference.clone());
    match kind {
        PaymentEventKind::Captured | PaymentEventKind::CaptureFailed => own(),
        PaymentEventKind::Refunded | PaymentEventKind::RefundFailed => {
            refund.map(|id| id.to_string()).or_else(own)
        }
        PaymentEventKind::Disputed
        | PaymentEventKind::DisputeWon
        | PaymentEventKind::DisputeLost => {
            own().filter(|_| item.original_reference.as_ref().is_some_and(|it| !it.is_empty()))
        }
        _ => None,
    }
}

fn told(item: &Item, by_hand: bool) -> Result<Told, Unreadable> {
    let success = match item.success.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Unreadable::Form("`success` is neither true nor false".to_owned())),
    };
    let kind = match (item.event_code.as_str(), success) {
        ("AUTHORISATION", true) if by_hand => PaymentEventKind::Authorised,
        ("AUTHORISATION", true) => PaymentEventKind::Succeeded,
        ("AUTHORISATION", false) => PaymentEventKind::Failed,
        ("PENDING", true) => PaymentEventKind::Processing,
        ("CAPTURE", true) if by_hand => PaymentEventKind::Captured,
        ("CAPTURE", false) | ("CAPTURE_FAILED", true) => PaymentEventKind::CaptureFailed,
        ("CANCELLATION" | "TECHNICAL_CANCEL", true) => PaymentEventKind::Cancelled,
        ("EXPIRE" | "OFFER_CLOSED", true) => PaymentEventKind::Expired,
        ("REFUND" | "REFUND_WITH_DATA", true) => PaymentEventKind::Refunded,
        ("REFUND" | "REFUND_WITH_DATA", false) | ("REFUND_FAILED" | "REFUNDED_REVERSED", true) => {
            PaymentEventKind::RefundFailed
        }
        ("CANCEL_OR_REFUND", _) => return either(item, success),
        (code, true) if DISPUTED.contains(&code) => PaymentEventKind::Disputed,
        (code, true) if DISPUTE_WON.contains(&code) => PaymentEventKind::DisputeWon,
        (code, true) if DISPUTE_LOST.contains(&code) => PaymentEventKind::DisputeLost,
        (code, _) if known(code) => return Ok(Told::Nothing),
        _ => return Ok(Told::Unknown),
    };
    Ok(Told::This(kind))
}

/// A payment that was called off if that was still possible, and given back
/// otherwise: `modification.action` tells which.
fn either(item: &Item, success: bool) -> Result<Told, Unreadable> {
    let action = item.additional_data.as_ref().and_then(|it| it.action.as_deref());
    Ok(match (action, success) {
        (Some("cancel"), true) => Told::This(PaymentEventKind::Cancelled),
        (Some("refund"), true) => Told::This(PaymentEventKind::Refunded),
        (Some("refund"), false) => Told::This(PaymentEventKind::RefundFailed),
        (_, false) => Told::Nothing,
        (_, true) => {
            return Err(Unreadable::Form("there is no `modification.action`".to_owned()));
        }
    })
}

/// A bank asks for an answer, or has taken the money.
const DISPUTED: [&str; 6] = [
    "REQUEST_FOR_INFORMATION",
    "NOTIFICATION_OF_CHARGEBACK",
    "CHARGEBACK",
    "PREARBITRATION_OPEN",
    "PREARBITRATION_DECLINED",
    "SCHEME_ARBITRATION",
];

/// A dispute ended for the shop. A reversed chargeback may come again as a
/// second one, which is lost.
const DISPUTE_WON: [&str; 5] = [
    "CHARGEBACK_REVERSED",
    "PREARBITRATION_WON",
    "PREARBITRATION_ISSUER_WITHDRAWN",
    "SCHEME_ARBITRATION_WON",
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED",
];

/// A dispute ended against the shop.
const DISPUTE_LOST: [&str; 5] = [
    "SECOND_CHARGEBACK",
    "PREARBITRATION_LOST",
    "PREARBITRATION_ACCEPTED",
    "SCHEME_ARBITRATION_LOST",
    "DISPUTE_DEFENSE_PERIOD_ENDED",
];

/// Events that say nothing of a payment here, or nothing by this `success`:
/// reports, payouts, contracts, reviews, gift cards, terminals, and words
/// about a dispute that change nothing.
const UNINTERESTING: [&str; 24] = [
    "ACH_NOTIFICATION_OF_CHANGE",
    "AUTHENTICATION",
    "AUTHORISATION_ADJUSTMENT",
    "AUTORESCUE",
    "CANCEL_AUTORESCUE",
    "DIRECT_DEBIT_NOTICE_OF_CHANGE_NOTIFICATION",
    "DONATION",
    "INFORMATION_SUPPLIED",
    "ISSUER_COMMENTS",
    "MANUAL_REVIEW_ACCEPT",
    "MANUAL_REVIEW_REJECT",
    "NOTIFICATION_OF_FRAUD",
    "ORDER_CLOSED",
    "ORDER_OPENED",
    "PAIDOUT_REVERSED",
    "PAYOUT_DECLINE",
    "PAYOUT_EXPIRE",
    "PAYOUT_THIRDPARTY",
    "POSTPONED_REFUND",
    "PROCESS_RETRY",
    "RECURRING_CONTRACT",
    "REPORT_AVAILABLE",
    "REPORT_AVAILABLE_FAILED",
    "VOID_PENDING_REFUND",
];

/// Those of the table of this module that say something only by one `success`.
const ONE_SIDED: [&str; 9] = [
    "PENDING",
    "CAPTURE",
    "CAPTURE_FAILED",
    "CANCELLATION",
    "TECHNICAL_CANCEL",
    "EXPIRE",
    "OFFER_CLOSED",
    "REFUND_FAILED",
    "REFUNDED_REVERSED",
];

fn known(code: &str) -> bool {
    [&UNINTERESTING[..], &ONE_SIDED, &DISPUTED, &DISPUTE_WON, &DISPUTE_LOST]
        .iter()
        .any(|codes| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use aftercart::{model::signature::hmac_sha256, run::secrets::Credentials};
    use proptest::prelude::*;
    use secrecy::SecretString;
    use serde_json::{Value, json};

    use super::*;

    // The example of Adyen's documents, with the keys and results of the tests
    // of adyen-php-api-library (HmacSignatureTest.php).
    const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    const SIGNED: &str = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=";
    const OTHER_KEY: &str = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00";
    const OTHER_SIGNED: &str = "Ny9gS2veKo5E4w8/OL6xz1/wvT/hYkAXy1xNc/QvO4I=";
    // The key of the webhooks that adyen-ruby-api-library tests slashes and colons with.
    const SLASHES_KEY: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";

    const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const REFUND: &str = "rfd_aaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn published(signature: &str) -> Value {
        json!({
            "additionalData": { "hmacSignature": signature },
            "amount": { "value": 1130, "currency": "EUR" },
            "pspReference": "7914073381342284",
            "eventCode": "AUTHORISATION",
            "merchantAccountCode": "TestMerchant",
            "merchantReference": "TestPayment-1407325143704",
            "paymentMethod": "visa",
            "success": "true",
        })
    }

    fn body(items: &[Value]) -> String {
        let items: Vec<Value> =
            items.iter().map(|item| json!({ "NotificationRequestItem": item })).collect();
        json!({ "live": "false", "notificationItems": items }).to_string()
    }

    fn with<T>(keys: &[&str], body: &[u8], f: impl FnOnce(&Call<'_>) -> T) -> T {
        let account = [("merchant_account".to_owned(), "AftercartECOM".to_owned())];
        let credentials = Credentials {
            webhook_secrets: keys.iter().map(|key| SecretString::from(*key)).collect(),
            account: account.into(),
            ..Credentials::default()
        };
        held(&credentials, body, f)
    }

    fn held<T>(credentials: &Credentials, body: &[u8], f: impl FnOnce(&Call<'_>) -> T) -> T {
        let path = "/callbacks/adyen";
        let header = |_: &str| None;
        let now = Timestamp::EPOCH;
        f(&Call { credentials, method: "POST", path, header: &header, body, now })
    }

    fn verified(keys: &[&str], items: &[Value]) -> Result<(), SignatureError> {
        with(keys, body(items).as_bytes(), verify)
    }

    #[test]
    fn the_published_examples_pass() {
        assert_eq!(verified(&[KEY], &[published(SIGNED)]), Ok(()));
        assert_eq!(verified(&[OTHER_KEY], &[published(OTHER_SIGNED)]), Ok(()));
        for (psp, reference, signature) in [
            (
                "M8NB66SBZSGLNK82",
                ":slashes are fun",
                "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA=",
            ),
            (
                "ZVWN7D3WSMK2WN82",
                "\\:/\\/slashes are fun",
                "CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A=",
            ),
        ] {
            let item = json!({
                "additionalData": { "hmacSignature": signature },
                "amount": { "currency": "EUR", "value": 1000 },
                "eventCode": "AUTHORISATION",
                "eventDate": "2023-01-10T13:40:54+01:00",
                "merchantAccountCode": "AntoniStroinski",
                "merchantReference": reference,
                "pspReference": psp,
                "success": "true",
            });
            assert_eq!(verified(&[SLASHES_KEY], &[item]), Ok(()), "{reference}");
        }
    }

    #[test]
    fn every_key_is_tried_and_every_item_is_signed() {
        let (first, second) = (published(SIGNED), published(OTHER_SIGNED));
        assert_eq!(verified(&[OTHER_KEY, KEY], std::slice::from_ref(&first)), Ok(()));
        assert_eq!(verified(&["no key", KEY], std::slice::from_ref(&first)), Ok(()));
        let both = [first, second];
        assert_eq!(verified(&[KEY, OTHER_KEY], &both), Ok(()));
        assert_eq!(verified(&[&KEY.to_lowercase(), OTHER_KEY], &both), Ok(()));
        assert_eq!(verified(&[KEY], &both), Err(SignatureError::Mismatch));
        assert_eq!(verified(&[OTHER_KEY], &both), Err(SignatureError::Mismatch));
    }

    #[test]
    fn each_fault_is_told() {
        let missing = SignatureError::MissingHeader(SIGNATURE);
        let mut unsigned = published(SIGNED);
        unsigned["additionalData"] = json!({});
        let mut bare = published(SIGNED);
        bare.as_object_mut().unwrap().remove("additionalData");
        for (keys, item, error) in [
            (&[][..], published(SIGNED), SignatureError::NoSecret),
            (&["", "zz"], published(SIGNED), SignatureError::Mismatch),
            (&["zz"], published(SIGNED), SignatureError::NoSecret),
            (&[KEY], published("!"), SignatureError::MalformedHeader(SIGNATURE)),
            (&[KEY], published(""), SignatureError::Mismatch),
            (&[KEY], published(OTHER_SIGNED), SignatureError::Mismatch),
            (&[OTHER_KEY], published(SIGNED), SignatureError::Mismatch),
            (&[KEY], unsigned, missing),
            (&[KEY], bare, missing),
        ] {
            assert_eq!(verified(keys, std::slice::from_ref(&item)), Err(error), "{keys:?} {item}");
        }
        assert_eq!(verified(&[KEY], &[]), Err(missing));
        assert_eq!(with(&[KEY], b"nothing", verify), Err(missing));
        // Another signed value, and two values in each other's place.
        let of = |name: &str, value: Value| {
            let mut item = published(SIGNED);
            item[name] = value;
            item
        };
        for item in [
            of("pspReference", "7914073381342285".into()),
            of("originalReference", "7914073381342284".into()),
            of("merchantAccountCode", "TestMerchant ".into()),
            of("merchantReference", "testPayment-1407325143704".into()),
            of("merchantReference", " TestPayment-1407325143704".into()),
            of("amount", json!({ "value": 1131, "currency": "EUR" })),
            of("amount", json!({ "value": 1130, "currency": "GBP" })),
            of("eventCode", "CANCELLATION".into()),
            of("success", "false".into()),
        ] {
            assert_eq!(verified(&[KEY], &[item]), Err(SignatureError::Mismatch));
        }
        let mut swapped = published(SIGNED);
        swapped["merchantReference"] = "TestMerchant".into();
        swapped["merchantAccountCode"] = "TestPayment-1407325143704".into();
        assert_eq!(verified(&[KEY], &[swapped]), Err(SignatureError::Mismatch));
    }

    #[test]
    fn one_flipped_bit_in_any_signed_byte_is_enough() {
        let text = body(&[published(SIGNED)]);
        for value in [SIGNED, "1130", "EUR", "7914073381342284", "AUTHORISATION", "TestMerchant"] {
            let place = text.find(value).unwrap();
            // The last character of the base 64 has bits that say nothing; another
            // text for the same bytes is no other signature.
            for byte in place..place + value.len() {
                let mut flipped = text.clone().into_bytes();
                flipped[byte] ^= 1;
                assert!(with(&[KEY], &flipped, verify).is_err(), "{value} {byte}");
            }
        }
    }

    fn item(code: &str, success: bool) -> Value {
        json!({
            "additionalData": {},
            "amount": { "currency": "GBP", "value": 700 },
            "eventCode": code,
            "eventDate": "2026-11-21T13:00:00+01:00",
            "merchantAccountCode": "AftercartECOM",
            "merchantReference": PAYMENT,
            "originalReference": "PAYMENT000000001",
            "paymentMethod": "visa",
            "pspReference": "CHANGE0000000001",
            "reason": "Refused",
            "success": success.to_string(),
        })
    }

    fn read_one(item: &Value, by_hand: bool) -> Result<Report, Unreadable> {
        let mut credentials = with(&[], b"", |call| call.credentials.clone());
        if by_hand {
            credentials.account.insert("capture".to_owned(), "manual".to_owned());
        }
        let text = body(std::slice::from_ref(item));
        let mut reports = held(&credentials, text.as_bytes(), read)?;
        assert_eq!(reports.len(), 1);
        Ok(reports.remove(0))
    }

    #[test]
    fn events_are_read_field_by_field() {
        use PaymentEventKind as Kind;
        let (own, none, failed) = (Some("CHANGE0000000001"), None, Some("Refused"));
        for (code, success, by_hand, kind, part, reason) in [
            ("AUTHORISATION", true, false, Kind::Succeeded, none, none),
            ("AUTHORISATION", true, true, Kind::Authorised, none, none),
            ("AUTHORISATION", false, false, Kind::Failed, none, failed),
            ("PENDING", true, false, Kind::Processing, none, none),
            ("CAPTURE", true, true, Kind::Captured, own, none),
            ("CAPTURE", false, false, Kind::CaptureFailed, own, failed),
            ("CAPTURE_FAILED", true, false, Kind::CaptureFailed, own, failed),
            ("CANCELLATION", true, false, Kind::Cancelled, none, none),
            ("TECHNICAL_CANCEL", true, false, Kind::Cancelled, none, none),
            ("EXPIRE", true, false, Kind::Expired, none, none),
            ("OFFER_CLOSED", true, false, Kind::Expired, none, none),
            ("REFUND", true, false, Kind::Refunded, own, none),
            ("REFUND", false, false, Kind::RefundFailed, own, failed),
            ("REFUND_FAILED", true, false, Kind::RefundFailed, own, failed),
            ("REFUNDED_REVERSED", true, false, Kind::RefundFailed, own, failed),
            ("REQUEST_FOR_INFORMATION", true, false, Kind::Disputed, own, none),
            ("NOTIFICATION_OF_CHARGEBACK", true, false, Kind::Disputed, own, none),
            ("CHARGEBACK", true, false, Kind::Disputed, own, none),
            ("CHARGEBACK_REVERSED", true, false, Kind::DisputeWon, own, none),
            ("PREARBITRATION_WON", true, false, Kind::DisputeWon, own, none),
            ("SECOND_CHARGEBACK", true, false, Kind::DisputeLost, own, none),
            ("PREARBITRATION_LOST", true, false, Kind::DisputeLost, own, none),
            ("DISPUTE_DEFENSE_PERIOD_ENDED", true, false, Kind::DisputeLost, own, none),
        ] {
            let Ok(Report::Event(event)) = read_one(&item(code, success), by_hand) else {
                panic!("{code} {success}")
            };
            assert_eq!((event.kind, event.part.as_deref()), (kind, part), "{code} {success}");
            assert_eq!(event.reason.as_deref(), reason, "{code} {success}");
            assert_eq!(event.id, format!("CHANGE0000000001:{code}:{success}"));
            assert_eq!((event.provider, event.payment.as_str()), (Provider::Adyen, PAYMENT));
            assert_eq!(event.amount.to_string(), "7.00 GBP");
            assert_eq!(event.at.to_string(), "2026-11-21T12:00:00.000Z");
            assert_eq!(event.reference.as_deref(), Some("PAYMENT000000001"));
        }
    }

    #[test]
    fn either_a_cancellation_or_a_refund_is_told_by_its_action() {
        for (action, success, expected) in [
            ("cancel", true, Some(PaymentEventKind::Cancelled)),
            ("refund", true, Some(PaymentEventKind::Refunded)),
            ("refund", false, Some(PaymentEventKind::RefundFailed)),
            ("cancel", false, None),
        ] {
            let mut item = item("CANCEL_OR_REFUND", success);
            item["additionalData"] = json!({ "modification.action": action });
            let found = match read_one(&item, false).unwrap() {
                Report::Event(event) => Some(event.kind),
                _ => None,
            };
            assert_eq!(found, expected, "{action} {success}");
        }
        let unsaid = read_one(&item("CANCEL_OR_REFUND", true), false);
        assert!(matches!(unsaid, Err(Unreadable::Form(_))));
    }

    #[test]
    fn references_tell_payments_refunds_and_disputes_apart() {
        let read = |item: &Value| match read_one(item, false) {
            Ok(Report::Event(event)) => event,
            other => panic!("{other:?}"),
        };
        let mut paid = item("AUTHORISATION", true);
        paid["originalReference"] = "".into();
        assert_eq!(read(&paid).reference.as_deref(), Some("CHANGE0000000001"));
        paid["success"] = "false".into();
        assert_eq!(read(&paid).reference, None);
        let mut refund = item("REFUND", true);
        refund["merchantReference"] = format!("{PAYMENT}.{REFUND}").into();
        let refunded = read(&refund);
        assert_eq!((refunded.payment.as_str(), refunded.part.as_deref()), (PAYMENT, Some(REFUND)));
        let mut won = item("CHARGEBACK_REVERSED", true);
        won.as_object_mut().unwrap().remove("originalReference");
        let won = read(&won);
        assert_eq!((won.part, won.reference), (None, None));
    }

    #[test]
    fn what_says_nothing_here_is_told_from_what_a_person_looks_at() {
        let of = |name: &str, value: &str| {
            let mut item = item("AUTHORISATION", true);
            item[name] = value.into();
            item
        };
        let report = json!({
            "amount": { "currency": "EUR", "value": 0 }, "eventCode": "REPORT_AVAILABLE",
            "eventDate": "2026-11-21T12:00:00Z", "merchantAccountCode": "AftercartECOM",
            "merchantReference": "", "pspReference": "settlement_detail_report_batch_1.csv",
            "reason": "will contain the url to the report", "success": "true",
        });
        for (item, expected) in [
            (report, "nothing"),
            (item("CAPTURE", true), "nothing"),
            (item("CANCELLATION", false), "nothing"),
            (item("CHARGEBACK", false), "nothing"),
            (item("RECURRING_CONTRACT", true), "nothing"),
            (item("NOTIFICATION_OF_FRAUD", true), "nothing"),
            (item("EATEN", true), "unknown"),
            (of("merchantAccountCode", "OtherECOM"), "foreign"),
            (of("merchantReference", "order 7"), "foreign"),
            (of("merchantReference", &format!("{PAYMENT}.rfd_x")), "foreign"),
            (of("merchantReference", &format!(" {PAYMENT}")), "foreign"),
        ] {
            let found = match read_one(&item, false).unwrap() {
                Report::Event(_) => "event",
                Report::Nothing { .. } => "nothing",
                Report::Unknown { .. } => "unknown",
                Report::Foreign { what, .. } => {
                    assert_eq!(what, "AUTHORISATION CHANGE0000000001");
                    "foreign"
                }
            };
            assert_eq!(found, expected, "{item}");
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        let raw = |body: &[u8]| with(&[], body, read);
        assert_eq!(raw(b"\xff"), Err(Unreadable::Encoding));
        assert!(matches!(raw(b"{}"), Err(Unreadable::Form(_))));
        assert_eq!(raw(br#"{"notificationItems":[]}"#), Ok(Vec::new()));
        for (name, value) in [
            ("eventDate", json!("yesterday")),
            ("amount", json!({ "value": 1, "currency": "ZZZ" })),
            ("amount", json!({ "value": i64::MAX, "currency": "GBP" })),
        ] {
            let mut item = item("AUTHORISATION", true);
            item[name] = value;
            assert!(matches!(read_one(&item, false), Err(Unreadable::Value(_))), "{item}");
        }
        for (name, value) in [
            ("success", json!("maybe")),
            ("amount", json!(null)),
            ("amount", json!({ "value": 1.5, "currency": "GBP" })),
            ("pspReference", json!("")),
        ] {
            let mut item = item("AUTHORISATION", true);
            item[name] = value;
            assert!(matches!(read_one(&item, false), Err(Unreadable::Form(_))), "{item}");
        }
    }

    #[test]
    fn several_items_are_several_reports() {
        let items = [item("AUTHORISATION", true), item("REPORT_AVAILABLE", true)];
        let reports = with(&[], body(&items).as_bytes(), read).unwrap();
        assert!(matches!(&*reports, [Report::Event(_), Report::Nothing { .. }]));
        // One that cannot be read takes no other with it.
        for (name, value) in [("eventDate", json!("yesterday")), ("amount", json!(null))] {
            let mut odd = item("AUTHORISATION", true);
            odd[name] = value;
            let items = [odd, item("CHARGEBACK", true)];
            let reports = with(&[], body(&items).as_bytes(), read).unwrap();
            let [Report::Unknown { id, what }, Report::Event(_)] = &*reports else {
                panic!("{reports:?}")
            };
            assert_eq!(id, "CHANGE0000000001:AUTHORISATION:true:unreadable");
            assert_eq!(what, "AUTHORISATION (unreadable)");
        }
    }

    proptest! {
        /// Whatever the values, what is signed over them is what they are.
        #[test]
        fn any_values_are_signed_as_they_are(
            psp in "\\PC{0,20}", original in "[ :\\\\a-z]{0,10}", account in "[ :\\\\a-z]{0,10}",
            merchant in "\\PC{0,20}", value in any::<i64>(), currency in "[A-Z]{3}",
            code in "[A-Z_]{1,10}",
        ) {
            let payload =
                format!("{psp}:{original}:{account}:{merchant}:{value}:{currency}:{code}:true");
            let mac = hmac_sha256(&hex(KEY).unwrap(), &[payload.as_bytes()]);
            let item = json!({
                "additionalData": { "hmacSignature": BASE64.encode(&mac) },
                "amount": { "value": value, "currency": currency }, "eventCode": code,
                "merchantAccountCode": account, "merchantReference": merchant,
                "originalReference": original, "pspReference": psp, "success": "true",
            });
            prop_assert_eq!(verified(&[OTHER_KEY, KEY], std::slice::from_ref(&item)), Ok(()));
            prop_assert_eq!(verified(&[OTHER_KEY], &[item]), Err(SignatureError::Mismatch));
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(with(&[KEY], &bytes, verify).is_err());
            prop_assert!(with(&[KEY], &bytes, read).is_err());
        }

        #[test]
        fn any_item_is_answered(
            code in prop::sample::select(vec!["AUTHORISATION", "REFUND", "CHARGEBACK", "EATEN"]),
            text in "\\PC{0,200}", value in any::<i64>(), original in "\\PC{0,200}",
        ) {
            let mut item = item(code, true);
            item["pspReference"] = text.into();
            item["originalReference"] = original.into();
            item["amount"]["value"] = value.into();
            if let Ok(Report::Event(event)) = read_one(&item, true) {
                prop_assert!(event.id.len() <= 128);
                prop_assert!(event.part.is_none_or(|part| part.len() <= 128));
            }
        }
    }
}
