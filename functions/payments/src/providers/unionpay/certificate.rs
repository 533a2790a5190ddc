//! Whether a certificate in a message is UnionPay's: rules of
//! `CertUtil.verifyCertificate` in its library `acpsdk`.

use aftercart::{model::time::Timestamp, run::secrets::Credentials};
use secrecy::ExposeSecret as _;
use x509_parser::{certificate::X509Certificate, parse_x509_certificate, time::ASN1Time};

use crate::providers::rsa;

/// UnionPay's name, the third of the parts of a common name that `@` divides.
const UNIONPAY: &str = "中国银联股份有限公司";

/// The most certificates between a message's and the root: UnionPay has one.
const MIDDLES_MAX: usize = 3;

/// The public key of a certificate, as DER, if it is in its time, follows from
/// the secret's root and is UnionPay's.
pub(super) fn key(text: &str, credentials: &Credentials, now: Timestamp) -> Option<Vec<u8>> {
    let offered = rsa::der(text)?;
    let (_, leaf) = parse_x509_certificate(&offered).ok()?;
    let ders: Vec<Vec<u8>> =
        credentials.webhook_secrets.iter().filter_map(|it| rsa::der(it.expose_secret())).collect();
    let parsed = ders.iter().filter_map(|der| parse_x509_certificate(der).ok());
    let trusted: Vec<X509Certificate<'_>> = parsed.map(|(_, certificate)| certificate).collect();
    let now = ASN1Time::from_timestamp(now.unix_seconds()).ok()?;
    let name = credentials.account.get("certificate_name").map_or(UNIONPAY, String::as_str);
    let good = is_named(&leaf, name) && follows(&leaf, &trusted, now, MIDDLES_MAX);
    good.then(|| leaf.public_key().raw.to_vec())
}

fn is_named(certificate: &X509Certificate<'_>, name: &str) -> bool {
    let common = certificate.subject().iter_common_name().next();
    let common = common.and_then(|common| common.as_str().ok()).unwrap_or_default();
    common.split('@').nth(2) == Some(name)
}

/// Whether a certificate is in its time and signed by a root of the trusted
/// ones, or by another of them that follows itself.
fn follows(
    certificate: &X509Certificate<'_>,
    trusted: &[X509Certificate<'_>],
    now: ASN1Time,
    middles: usize,
) -> bool {
    certificate.validity().is_valid_at(now)
        && trusted.iter().any(|issuer| {
            issuer.is_ca()
                && issuer.subject() == certificate.issuer()
                && certificate.verify_signature(Some(issuer.public_key())).is_ok()
                && (is_root(issuer, now)
                    || (middles > 0 && follows(issuer, trusted, now, middles.saturating_sub(1))))
        })
}

fn is_root(certificate: &X509Certificate<'_>, now: ASN1Time) -> bool {
    certificate.subject() == certificate.issuer()
        && certificate.validity().is_valid_at(now)
        && certificate.verify_signature(None).is_ok()
}
