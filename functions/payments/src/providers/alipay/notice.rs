//! Notices: a form, signed over its decoded fields.
//!
//! The scheme writes `name=value` without quoting, so a signed text can be cut
//! into fields in other ways than Alipay's. A form that names a field twice is
//! refused, so no value can be cut into a second amount or trade; a field that
//! swallows the next one is then no amount, time or identity itself.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        form::{Fields, fields},
        id::PaymentId,
        money::Money,
        payment::{PaymentEvent, PaymentEventKind, Provider},
        signature::{SignatureError, body_digest},
        time::Timestamp,
    },
    run::secrets::Credentials,
};
use data_encoding::BASE64;
use encoding_rs::{Encoding, GB18030, GBK, UTF_8};
use secrecy::SecretString;

use super::{from_yuan, moment};
use crate::providers::{Report, Unreadable, account, event_identity, reference, rsa, word};

/// The type of every notice about a trade.
const TRADE: &str = "trade_status_sync";

/// Makes sure that one of the keys signed the notice, over the bytes that its
/// fields have in its charset.
pub(super) fn verify(keys: &[SecretString], body: &[u8]) -> Result<(), SignatureError> {
    let fields = fields(body).ok_or(SignatureError::Mismatch)?;
    let field = |name: &str| fields.get(name.as_bytes()).filter(|value| !value.is_empty());
    let signature = field("sign").ok_or(SignatureError::MissingHeader("sign"))?;
    let kind = field("sign_type").ok_or(SignatureError::MissingHeader("sign_type"))?;
    // Plain `RSA` is SHA-1.
    if kind != b"RSA2" {
        return Err(SignatureError::MalformedHeader("sign_type"));
    }
    let signature =
        BASE64.decode(signature).map_err(|_| SignatureError::MalformedHeader("sign"))?;
    if keys.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let matches = rsa::any_verifies(keys, &signed_text(&fields), &signature);
    matches.then_some(()).ok_or(SignatureError::Mismatch)
}

/// What is signed: all fields but `sign` and `sign_type`, in the order of
/// their names (`getSignCheckContentV1` of Alipay's Java SDK).
fn signed_text(fields: &Fields) -> Vec<u8> {
    let signed = fields.iter().filter(|(name, _)| *name != b"sign" && *name != b"sign_type");
    let pairs: Vec<Vec<u8>> =
        signed.map(|(name, value)| [name, &b"="[..], value].concat()).collect();
    pairs.join(&b"&"[..])
}

/// The fields of a notice, as text.
struct Notice(BTreeMap<String, String>);

impl Notice {
    fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let form = |why: &str| Unreadable::Form(why.to_owned());
        let fields = fields(body).ok_or_else(|| form("a field comes twice"))?;
        let charset = fields.get(&b"charset"[..]).filter(|label| !label.is_empty());
        let charset = charset.map_or(Some(UTF_8), |label| Encoding::for_label(label));
        // Alipay writes no others, and some others read any bytes as something.
        let charset = charset.filter(|it| [UTF_8, GBK, GB18030].contains(it));
        let charset = charset.ok_or(Unreadable::Encoding)?;
        let text = |bytes: &[u8]| {
            let text = charset.decode_without_bom_handling_and_without_replacement(bytes);
            text.map(|text| text.into_owned()).ok_or(Unreadable::Encoding)
        };
        let read = fields.iter().map(|(name, value)| Ok((text(name)?, text(value)?)));
        read.collect::<Result<_, _>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, Unreadable> {
        self.get(name).ok_or_else(|| Unreadable::Form(format!("there is no `{name}`")))
    }

    fn amount(&self, name: &str) -> Result<Money, Unreadable> {
        let impossible = || Unreadable::Value(format!("`{name}` is no amount in yuan"));
        from_yuan(self.required(name)?).ok_or_else(impossible)
    }

    /// When it happened; when the notice was sent, if it does not say.
    fn at(&self, name: &str) -> Result<Timestamp, Unreadable> {
        let text = self.get(name).map_or_else(|| self.required("notify_time"), Ok)?;
        moment(text).map_err(|_| Unreadable::Value(format!("`{name}` is no time")))
    }

    /// Whether the notice is for this application and merchant.
    fn is_for(&self, credentials: &Credentials) -> bool {
        let told = |name: &str| account(credentials, name).ok();
        let is_app = told("app_id").is_some_and(|app| self.get("app_id") == Some(app));
        is_app && told("seller_id").is_none_or(|seller| self.get("seller_id") == Some(seller))
    }
}

/// What a verified notice says.
pub(super) fn read(credentials: &Credentials, body: &[u8]) -> Result<Report, Unreadable> {
    let notice = Notice::parse(body)?;
    let id = event_identity(notice.required("notify_id")?);
    let kind = notice.get("notify_type").or_else(|| notice.get("msg_method")).unwrap_or_default();
    if kind != TRADE {
        return Ok(Report::Unknown { id, what: word(kind) });
    }
    let status = notice.required("trade_status")?;
    let what = word(status);
    let payment = PaymentId::parse(notice.get("out_trade_no").unwrap_or_default());
    let (true, Ok(payment)) = (notice.is_for(credentials), payment) else {
        return Ok(Report::Foreign { id, what });
    };
    let (kind, amount, at) = match happened(&notice, status)? {
        Happened::This(kind, amount, at) => (kind, amount, at),
        Happened::Nothing => return Ok(Report::Nothing { what }),
        Happened::Unknown => return Ok(Report::Unknown { id, what }),
    };
    Ok(Report::Event(PaymentEvent {
        id,
        payment,
        provider: Provider::Alipay,
        kind,
        amount,
        at,
        reason: None,
        reference: notice.get("trade_no").and_then(reference),
        part: None,
        body_digest: body_digest(body),
    }))
}

enum Happened {
    This(PaymentEventKind, Money, Timestamp),
    Nothing,
    Unknown,
}

fn happened(notice: &Notice, status: &str) -> Result<Happened, Unreadable> {
    let closed = status == "TRADE_CLOSED";
    match status {
        "TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED" => {}
        "WAIT_BUYER_PAY" => return Ok(Happened::Nothing),
        _ => return Ok(Happened::Unknown),
    }
    let has = |name: &str| notice.get(name).is_some();
    let gave_back = has("refund_fee") && notice.amount("refund_fee")?.minor() > 0;
    // A trade that was paid closes when all of it went back.
    let is_refund = gave_back || has("gmt_refund") || (closed && has("gmt_payment"));
    let (kind, amount, at) = match is_refund {
        true if closed && !gave_back => (PaymentEventKind::Refunded, "total_amount", "gmt_refund"),
        true => (PaymentEventKind::Refunded, "refund_fee", "gmt_refund"),
        false if closed => (PaymentEventKind::Expired, "total_amount", "gmt_close"),
        false => (PaymentEventKind::Succeeded, "total_amount", "gmt_payment"),
    };
    Ok(Happened::This(kind, notice.amount(amount)?, notice.at(at)?))
}

#[cfg(test)]
mod tests {
    use encoding_rs::Encoding;
    use proptest::prelude::*;
    use serde_json::{from_value, json};

    use super::*;
    use crate::providers::rsa::keys::{
        OTHER, OTHER_PUBLIC, PROVIDER as KEY, PROVIDER_PUBLIC as PUBLIC,
    };

    const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";

    // The input of the example in Alipay's document on checking notices, and
    // what its rule makes of it (the printed result leaves out `gmt_create`).
    const PUBLISHED: &str = "total_amount=2.00&buyer_id=2088102116773037&body=大乐透2.1&trade_no=2016071921001003030200089909&refund_fee=0.00&notify_time=2016-07-19 14:10:49&subject=大乐透2.1&sign_type=RSA2&charset=utf-8&notify_type=trade_status_sync&out_trade_no=0719141034-6418&gmt_close=2016-07-19 14:10:46&gmt_payment=2016-07-19 14:10:47&trade_status=TRADE_SUCCESS&version=1.0&gmt_create=2016-07-19 14:10:44&app_id=2015102700040153&seller_id=2088102119685838&notify_id=4a91b7a78a503640467525113fb7d8bg8e";
    const CANONICAL: &str = "app_id=2015102700040153&body=大乐透2.1&buyer_id=2088102116773037&charset=utf-8&gmt_close=2016-07-19 14:10:46&gmt_create=2016-07-19 14:10:44&gmt_payment=2016-07-19 14:10:47&notify_id=4a91b7a78a503640467525113fb7d8bg8e&notify_time=2016-07-19 14:10:49&notify_type=trade_status_sync&out_trade_no=0719141034-6418&refund_fee=0.00&seller_id=2088102119685838&subject=大乐透2.1&total_amount=2.00&trade_no=2016071921001003030200089909&trade_status=TRADE_SUCCESS&version=1.0";

    fn keys(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    fn credentials() -> Credentials {
        from_value(json!({ "account": { "app_id": "2021", "seller_id": "2088" } })).unwrap()
    }

    /// The fields of a success; a change replaces a field, or takes it away.
    fn changed(changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let fields = [
            ("app_id", "2021"),
            ("buyer_logon_id", "a&b=c@example.com"),
            ("charset", "utf-8"),
            ("gmt_payment", "2026-11-21 20:00:00"),
            ("notify_id", "2026112100222"),
            ("notify_time", "2026-11-21 20:00:01"),
            ("notify_type", "trade_status_sync"),
            ("out_trade_no", PAYMENT),
            ("seller_id", "2088"),
            ("subject", "订单 1"),
            ("total_amount", "12.34"),
            ("trade_no", "2026112122001"),
            ("trade_status", "TRADE_SUCCESS"),
        ];
        let mut fields: BTreeMap<&str, &str> = fields.into();
        fields.extend(changes.iter().copied());
        let kept = fields.iter().filter(|(_, value)| !value.is_empty());
        kept.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// A form whose bytes are those of the charset.
    fn form(fields: &[(String, String)], charset: &'static Encoding) -> String {
        let encode = |text: &str| -> String {
            let (bytes, _, _) = charset.encode(text);
            bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
        };
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    fn signed_by(key: &str, body: &str) -> Vec<u8> {
        let signature = rsa::sign(&keys(&[key]), &signed_text(&fields(body.as_bytes()).unwrap()));
        let signature = signature.unwrap().replace('+', "%2B");
        format!("{body}&sign_type=RSA2&sign={signature}").into_bytes()
    }

    fn success() -> Vec<u8> {
        signed_by(KEY, &form(&changed(&[]), UTF_8))
    }

    fn read_changed(changes: &[(&str, &str)]) -> Result<Report, Unreadable> {
        read(&credentials(), form(&changed(changes), UTF_8).as_bytes())
    }

    #[test]
    fn the_published_example_is_sorted_and_joined_by_the_rule() {
        let fields = fields(PUBLISHED.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(signed_text(&fields)).unwrap(), CANONICAL);
    }

    #[test]
    fn any_of_the_keys_may_have_signed() {
        let body = success();
        assert_eq!(verify(&keys(&[PUBLIC]), &body), Ok(()));
        assert_eq!(verify(&keys(&["no key", OTHER_PUBLIC, PUBLIC]), &body), Ok(()));
        assert_eq!(verify(&keys(&[OTHER_PUBLIC]), &body), Err(SignatureError::Mismatch));
        assert_eq!(verify(&keys(&[]), &body), Err(SignatureError::NoSecret));
        let bare: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(verify(&keys(&[&bare]), &body), Ok(()));
    }

    #[test]
    fn what_alipay_did_not_sign_is_refused() {
        use SignatureError::{MalformedHeader, Mismatch, MissingHeader};
        let text = String::from_utf8(success()).unwrap();
        let unsigned = form(&changed(&[]), UTF_8);
        let swap = |from: &str, to: &str| {
            text.replace(from, "\0").replace(to, from).replace('\0', to).into_bytes()
        };
        for (body, why) in [
            (signed_by(OTHER, &unsigned), Mismatch),
            (unsigned.clone().into_bytes(), MissingHeader("sign")),
            (text.replace("&sign_type=RSA2", "").into_bytes(), MissingHeader("sign_type")),
            (text.replace("=RSA2", "=RSA").into_bytes(), MalformedHeader("sign_type")),
            (format!("{unsigned}&sign_type=RSA2&sign=%").into_bytes(), MalformedHeader("sign")),
            (format!("{unsigned}&sign_type=RSA2&sign=AAAA").into_bytes(), Mismatch),
            (swap("app_id=", "seller_id="), Mismatch),
            (swap("trade_no=", "out_trade_no="), Mismatch),
            (format!("{text}&refund_fee=1").into_bytes(), Mismatch),
            (format!("{text}&total_amount=12.34").into_bytes(), Mismatch),
        ] {
            assert_eq!(verify(&keys(&[PUBLIC]), &body), Err(why), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn no_value_is_cut_into_fields() {
        // The signed text is the same, wherever it is cut.
        let whole = form(&changed(&[("subject", "x&total_amount=0.01")]), UTF_8);
        let value = |text: &str| form(&[("subject".to_owned(), text.to_owned())], UTF_8);
        let cut = format!("{}&total_amount=0.01", value("x"));
        let cut = whole.replace(&value("x&total_amount=0.01"), &cut);
        assert_ne!(cut, whole);
        let body = String::from_utf8(signed_by(KEY, &whole)).unwrap().replace(&whole, &cut);
        assert_eq!(verify(&keys(&[PUBLIC]), body.as_bytes()), Err(SignatureError::Mismatch));
        assert!(matches!(read(&credentials(), body.as_bytes()), Err(Unreadable::Form(_))));
    }

    #[test]
    fn a_notice_in_gbk_verifies_and_reads() {
        for (label, charset) in [("GBK", GBK), ("gbk", GBK), ("gb2312", GBK), ("UTF-8", UTF_8)] {
            let fields = changed(&[("charset", label), ("subject", "中文订单 和一个 %")]);
            let body = signed_by(KEY, &form(&fields, charset));
            assert_eq!(verify(&keys(&[PUBLIC]), &body), Ok(()), "{label}");
            assert!(matches!(read(&credentials(), &body), Ok(Report::Event(_))), "{label}");
            let notice = Notice::parse(&body).unwrap();
            assert_eq!(notice.get("subject"), Some("中文订单 和一个 %"));
        }
        let gbk = form(&changed(&[]), GBK);
        assert_eq!(read(&credentials(), gbk.as_bytes()), Err(Unreadable::Encoding));
        assert_eq!(read_changed(&[("charset", "utf-7")]), Err(Unreadable::Encoding));
        assert_eq!(read_changed(&[("charset", "latin1")]), Err(Unreadable::Encoding));
    }

    #[test]
    fn a_notice_is_read_field_by_field() {
        let body = success();
        let Ok(Report::Event(event)) = read(&credentials(), &body) else { panic!("no event") };
        assert_eq!((event.id.as_str(), event.payment.as_str()), ("2026112100222", PAYMENT));
        assert_eq!((event.provider, event.kind), (Provider::Alipay, PaymentEventKind::Succeeded));
        assert_eq!(event.amount.to_string(), "12.34 CNY");
        assert_eq!(event.at.to_string(), "2026-11-21T12:00:00.000Z");
        assert_eq!(event.reference.as_deref(), Some("2026112122001"));
        assert_eq!((event.part, event.reason), (None, None));
        assert_eq!(event.body_digest, body_digest(&body));
    }

    #[test]
    fn each_status_is_what_the_table_says() {
        use PaymentEventKind::{Expired, Refunded, Succeeded};
        let refund = ("gmt_refund", "2026-11-22 08:00:00.659");
        for (changes, kind, minor, hour) in [
            (&[("trade_status", "TRADE_FINISHED")][..], Succeeded, 1234, 12),
            (&[("refund_fee", "0.00")], Succeeded, 1234, 12),
            (&[("refund_fee", "5.00"), refund], Refunded, 500, 0),
            (
                &[("trade_status", "TRADE_FINISHED"), ("refund_fee", "5.00"), refund],
                Refunded,
                500,
                0,
            ),
            (
                &[("trade_status", "TRADE_CLOSED"), ("refund_fee", "12.34"), refund],
                Refunded,
                1234,
                0,
            ),
            (&[("trade_status", "TRADE_CLOSED"), refund], Refunded, 1234, 0),
            (
                &[
                    ("trade_status", "TRADE_CLOSED"),
                    ("gmt_payment", ""),
                    ("gmt_close", "2026-11-21 21:00:00"),
                ],
                Expired,
                1234,
                13,
            ),
        ] {
            let Ok(Report::Event(event)) = read_changed(changes) else { panic!("{changes:?}") };
            assert_eq!((event.kind, event.amount.minor()), (kind, minor), "{changes:?}");
            assert!(event.at.to_string().contains(&format!("T{hour:02}:00:00")), "{changes:?}");
        }
    }

    #[test]
    fn what_is_no_event_of_ours_says_why() {
        let (id, what) = ("2026112100222".to_owned(), "TRADE_SUCCESS".to_owned());
        let foreign = Report::Foreign { id: id.clone(), what };
        for (name, value) in [
            ("app_id", "2022"),
            ("app_id", ""),
            ("seller_id", "2089"),
            ("seller_id", ""),
            ("out_trade_no", "0719141034-6418"),
            ("out_trade_no", ""),
        ] {
            assert_eq!(read_changed(&[(name, value)]), Ok(foreign.clone()), "{name}");
        }
        let what = "WAIT_BUYER_PAY".to_owned();
        assert_eq!(read_changed(&[("trade_status", &what)]), Ok(Report::Nothing { what }));
        let what = "TRADE_PENDING".to_owned();
        let unknown = Report::Unknown { id: id.clone(), what: what.clone() };
        assert_eq!(read_changed(&[("trade_status", &what)]), Ok(unknown));
        let unknown = Report::Unknown { id, what: "dut_user_sign".to_owned() };
        assert_eq!(read_changed(&[("notify_type", "dut_user_sign")]), Ok(unknown));
    }

    #[test]
    fn impossible_values_are_for_a_person() {
        for (name, value) in [
            ("total_amount", "12.345"),
            ("total_amount", "-12.34"),
            ("total_amount", "1e3"),
            ("total_amount", "12,34"),
            ("total_amount", "99999999999999999999"),
            ("refund_fee", "0.001"),
            ("gmt_payment", "2026-02-30 00:00:00"),
            ("gmt_payment", "1795262400"),
        ] {
            let read = read_changed(&[(name, value)]);
            assert!(matches!(read, Err(Unreadable::Value(_))), "{name}={value}: {read:?}");
        }
        for name in ["notify_id", "trade_status", "total_amount"] {
            assert!(matches!(read_changed(&[(name, "")]), Err(Unreadable::Form(_))), "{name}");
        }
        assert!(matches!(read_changed(&[("total_amount", "12.3400")]), Ok(Report::Event(_))));
        let moved = [("gmt_refund", "2026-11-22 08:00:00")];
        assert!(matches!(read_changed(&moved), Err(Unreadable::Form(_))));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused_or_changes_nothing(place in 0_usize..900, bit in 0_u8..8) {
            let mut body = success();
            let (whole, place) = (fields(&body), place % body.len());
            body[place] ^= 1 << bit;
            let same = fields(&body) == whole;
            prop_assert_eq!(verify(&keys(&[PUBLIC]), &body).is_ok(), same);
        }

        #[test]
        fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(verify(&keys(&[PUBLIC]), &body).is_err());
            let _report = read(&credentials(), &body);
        }

        #[test]
        fn any_fields_are_answered(
            name in prop::sample::select(changed(&[])), value in ".{0,40}"
        ) {
            let _report = read_changed(&[(name.0.as_str(), value.as_str())]);
        }
    }
}
