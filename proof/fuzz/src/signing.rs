//! Signs what an input says as its provider would, so that what is behind the
//! signature is reached. What no provider could have signed stays as it is.

use std::collections::BTreeMap;

use aftercart::model::{
    digest,
    payment::Provider,
    signature::{hex, hmac_sha256, standard_webhooks, to_hex},
    time::Timestamp,
};
use aftercart_infra::providers::{
    self, PROVIDER_KEY, adyen, alipay, alipay_plus, rsa_signature, sandbox, stripe, wechat_pay,
};
use aftercart_payments::providers::{Answer, paypal, wechat_pay as wechat};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{SHA256, digest as sha},
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

/// A call with its signature.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signed {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// What a provider says, signed.
pub(crate) fn signed(provider: Provider, said: &[u8], now: Timestamp) -> Signed {
    let text = || std::str::from_utf8(said).ok().map(str::to_owned);
    let bare = || Signed { headers: Vec::new(), body: said.to_vec() };
    match provider {
        Provider::Stripe => by_stripe(said, now),
        Provider::Sandbox => by_sandbox(said, now),
        Provider::Adyen => Signed { body: by_adyen(said), ..Signed::default() },
        Provider::Alipay => Signed { body: by_alipay(said), ..Signed::default() },
        Provider::AlipayPlus => text().map_or_else(bare, |text| {
            let call = alipay_plus::signed(PROVIDER_KEY, now, text);
            Signed { headers: call.headers, body: call.body.into_bytes() }
        }),
        Provider::WechatPay => by_wechat(&encrypted(said), now),
        Provider::Unionpay => Signed { body: by_unionpay(said), ..Signed::default() },
        Provider::Paypal => by_paypal(said, now),
    }
}

/// An answer to a call, signed where the provider's are; none if there is no
/// such status.
pub(crate) fn answered(
    provider: Provider,
    call: &Request<Bytes>,
    status: u16,
    said: &[u8],
    now: Timestamp,
) -> Option<Answer> {
    let Signed { headers, body } = match provider {
        Provider::WechatPay => by_wechat(said, now),
        Provider::AlipayPlus => by_alipay_plus(call.uri().path(), said, now),
        Provider::Alipay => Signed { body: answered_by_alipay(said), ..Signed::default() },
        Provider::Unionpay => Signed { body: by_unionpay(said), ..Signed::default() },
        Provider::Stripe | Provider::Adyen | Provider::Paypal | Provider::Sandbox => {
            Signed { headers: Vec::new(), body: said.to_vec() }
        }
    };
    let response = Response::builder().status(status);
    let response = headers.iter().fold(response, |it, (name, value)| it.header(*name, value));
    response.body(Bytes::from(body)).ok()
}

/// The signature is over the path of the call, the client and the time, too.
fn by_alipay_plus(path: &str, said: &[u8], now: Timestamp) -> Signed {
    let (time, client) = (now.to_string(), alipay_plus::CLIENT_ID);
    let text = [format!("POST {path}\n{client}.{time}.").as_bytes(), said].concat();
    let signature = rsa_signature(PROVIDER_KEY, &text);
    let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
    let signature = format!("algorithm=RSA256,keyVersion=1,signature={signature}");
    let headers = vec![("response-time", time), ("signature", signature)];
    Signed { headers, body: said.to_vec() }
}

/// The signature is over the member that is the response.
fn answered_by_alipay(said: &[u8]) -> Vec<u8> {
    let Ok(answer) = serde_json::from_slice::<serde_json::Map<String, Value>>(said) else {
        return said.to_vec();
    };
    let Some((name, response)) = answer.iter().find(|(name, _)| name.ends_with("_response")) else {
        return said.to_vec();
    };
    let text = response.to_string();
    let signature = rsa_signature(PROVIDER_KEY, text.as_bytes());
    let name = Value::from(name.as_str());
    format!("{{{name}:{text},\"sign\":\"{signature}\"}}").into_bytes()
}

/// A name that the provider's account has in the shop's secret.
fn account(provider: Provider, name: &str) -> String {
    let credentials = providers::of(provider).credentials("https://providers.local");
    credentials["account"][name].as_str().unwrap_or_default().to_owned()
}

fn by_stripe(said: &[u8], now: Timestamp) -> Signed {
    let seconds = now.unix_seconds();
    let parts = [seconds.to_string().as_bytes(), b".", said].concat();
    let mac = to_hex(&hmac_sha256(stripe::SECRET.as_bytes(), &[&parts]));
    let headers = vec![("stripe-signature", format!("t={seconds},v1={mac}"))];
    Signed { headers, body: said.to_vec() }
}

fn by_sandbox(said: &[u8], now: Timestamp) -> Signed {
    let id = format!("evt_{}", digest::short(&[said]));
    let signature = standard_webhooks::sign(sandbox::SECRET, &id, now, said);
    let headers = vec![
        (standard_webhooks::ID, id),
        (standard_webhooks::TIMESTAMP, now.unix_seconds().to_string()),
        (standard_webhooks::SIGNATURE, signature),
    ];
    Signed { headers, body: said.to_vec() }
}

/// Each item has a signature over some of its fields.
fn by_adyen(said: &[u8]) -> Vec<u8> {
    let Ok(mut call) = serde_json::from_slice::<Value>(said) else { return said.to_vec() };
    let key = hex(adyen::HMAC_KEY).unwrap_or_default();
    for item in call["notificationItems"].as_array_mut().into_iter().flatten() {
        let Some(item) = item.get_mut("NotificationRequestItem").filter(|it| it.is_object()) else {
            continue;
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let field = |name: &str| item.get(name).map(text).unwrap_or_default();
        let of_amount = |name: &str| item.pointer(name).map(text).unwrap_or_default();
        let signed = [
            field("pspReference"),
            field("originalReference"),
            field("merchantAccountCode"),
            field("merchantReference"),
            of_amount("/amount/value"),
            of_amount("/amount/currency"),
            field("eventCode"),
            field("success"),
        ];
        let signature = BASE64.encode(&hmac_sha256(&key, &[signed.join(":").as_bytes()]));
        if let Some(more) = item.get_mut("additionalData").and_then(Value::as_object_mut) {
            more.insert("hmacSignature".to_owned(), signature.into());
        }
    }
    call.to_string().into_bytes()
}

fn by_alipay(said: &[u8]) -> Vec<u8> {
    let fields: Vec<_> = form_urlencoded::parse(said).collect();
    let kept = fields.iter().map(|(name, value)| (&**name, &**value));
    let kept = kept.filter(|(name, value)| {
        !matches!(*name, "sign" | "sign_type") && !name.is_empty() && !value.is_empty()
    });
    alipay::notice(PROVIDER_KEY, kept).into_bytes()
}

fn by_wechat(said: &[u8], now: Timestamp) -> Signed {
    let (seconds, nonce) = (now.unix_seconds().to_string(), digest::short(&[said]));
    let message = [seconds.as_bytes(), b"\n", nonce.as_bytes(), b"\n", said, b"\n"].concat();
    let headers = vec![
        (wechat::TIMESTAMP, seconds),
        (wechat::SIGNATURE, rsa_signature(PROVIDER_KEY, &message)),
        (wechat::NONCE, nonce),
        (wechat::SERIAL, account(Provider::WechatPay, "platform_serial")),
    ];
    Signed { headers, body: said.to_vec() }
}

/// The key, the nonce and the name that the stand-in encrypts with.
const NONCE: &str = "a-nonce-of-1";
const DATA: &str = "transaction";

/// The event with its resource encrypted, if the resource is plain.
fn encrypted(said: &[u8]) -> Vec<u8> {
    let Ok(mut event) = serde_json::from_slice::<Value>(said) else { return said.to_vec() };
    let plain = event.get("resource").filter(|resource| resource.get("ciphertext").is_none());
    let Some(mut text) = plain.map(|resource| resource.to_string().into_bytes()) else {
        return said.to_vec();
    };
    let key = UnboundKey::new(&AES_256_GCM, wechat_pay::API_V3_KEY.as_bytes());
    let nonce = Nonce::try_assume_unique_for_key(NONCE.as_bytes());
    let (Ok(key), Ok(nonce)) = (key.map(LessSafeKey::new), nonce) else { return said.to_vec() };
    let sealed = key.seal_in_place_append_tag(nonce, Aad::from(DATA.as_bytes()), &mut text);
    if sealed.is_err() {
        return said.to_vec();
    }
    event["resource"] = json!({
        "original_type": DATA,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": BASE64.encode(&text),
        "associated_data": DATA,
        "nonce": NONCE,
    });
    event.to_string().into_bytes()
}

/// What is in an event whose resource is encrypted.
pub(crate) fn decrypted(said: &str) -> Option<String> {
    let mut event: Value = serde_json::from_str(said).ok()?;
    let resource = &event["resource"];
    let text = |name: &str| resource[name].as_str();
    let mut sealed = BASE64.decode(text("ciphertext")?.as_bytes()).ok()?;
    let key = UnboundKey::new(&AES_256_GCM, wechat_pay::API_V3_KEY.as_bytes()).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(text("nonce")?.as_bytes()).ok()?;
    let data = Aad::from(text("associated_data")?.as_bytes().to_vec());
    let opened = LessSafeKey::new(key).open_in_place(nonce, data, &mut sealed).ok()?;
    let plain: Value = serde_json::from_slice(opened).ok()?;
    event["resource"] = plain;
    Some(event.to_string())
}

/// Fields in the order of their names, and a signature over their digest.
fn by_unionpay(said: &[u8]) -> Vec<u8> {
    let mut fields: BTreeMap<String, String> = form_urlencoded::parse(said).into_owned().collect();
    fields.remove("signature");
    let kept = fields.iter().filter(|(_, value)| !value.is_empty());
    let joined: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
    let digest = to_hex(sha(&SHA256, joined.join("&").as_bytes()).as_ref());
    fields.insert("signature".to_owned(), rsa_signature(PROVIDER_KEY, digest.as_bytes()));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish().into_bytes()
}

fn by_paypal(said: &[u8], now: Timestamp) -> Signed {
    let (id, time) = (digest::short(&[said]), now.to_string());
    let webhook = account(Provider::Paypal, "webhook_id");
    let message = format!("{id}|{time}|{webhook}|{}", crc32fast::hash(said));
    let headers = vec![
        (paypal::TRANSMISSION_ID, id),
        (paypal::TRANSMISSION_TIME, time),
        (paypal::SIGNATURE, rsa_signature(PROVIDER_KEY, message.as_bytes())),
        (paypal::ALGORITHM, "SHA256withRSA".to_owned()),
    ];
    Signed { headers, body: said.to_vec() }
}
