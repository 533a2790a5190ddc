//! RSA signatures as Chinese and other providers make them: PKCS #1 v1.5 over
//! SHA-256, base 64. Pure.
//!
//! A public key is written as PEM (`PUBLIC KEY` or `CERTIFICATE`) or, as
//! Alipay shows it, as the bare base 64 of its DER; a private key as PEM
//! (`PRIVATE KEY` or `RSA PRIVATE KEY`) or bare base 64.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use data_encoding::BASE64;
use secrecy::{ExposeSecret as _, SecretString};
use x509_parser::parse_x509_certificate;

use super::CallError;

/// The DER of a text that is PEM or bare base 64, whatever its line breaks.
#[must_use]
pub fn der(text: &str) -> Option<Vec<u8>> {
    let inner = match text.split_once("-----BEGIN ") {
        Some((_, after)) => after.split_once("-----")?.1.split_once("-----END ")?.0,
        None => text,
    };
    let plain: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64.decode(plain.as_bytes()).ok().filter(|der| !der.is_empty())
}

/// The public key of a text, as DER: that of the certificate if it is one.
#[must_use]
pub fn public_key(text: &str) -> Option<Vec<u8>> {
    let der = der(text)?;
    let of_certificate = parse_x509_certificate(&der)
        .ok()
        .map(|(_, certificate)| certificate.public_key().raw.to_vec());
    Some(of_certificate.unwrap_or(der))
}

/// Whether any of the keys gives the signature over the message. A text that
/// is no key gives none.
#[must_use]
pub fn any_verifies(keys: &[SecretString], message: &[u8], signature: &[u8]) -> bool {
    let verifies = |text: &SecretString| {
        let key = public_key(text.expose_secret());
        key.is_some_and(|key| verifies(&key, message, signature))
    };
    keys.iter().any(verifies)
}

/// Whether the key, as DER, gives the signature over the message.
#[must_use]
pub fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(message, signature).is_ok()
}

/// Signs a message with the first of the keys; base 64.
///
/// # Errors
/// [`CallError::Unwritable`] when there is no key, or it is none.
pub fn sign(keys: &[SecretString], message: &[u8]) -> Result<String, CallError> {
    let unwritable = |why: &str| CallError::Unwritable(why.to_owned());
    let text = keys.first().ok_or_else(|| unwritable("the secret has no private key"))?;
    let der = der(text.expose_secret());
    let pair = der.and_then(|der| KeyPair::from_pkcs8(&der).or(KeyPair::from_der(&der)).ok());
    let pair = pair.ok_or_else(|| unwritable("the secret's private key is no RSA key"))?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| unwritable("the private key does not sign"))?;
    Ok(BASE64.encode(&signature))
}

/// Keys and certificates of the stand-ins, for tests of providers.
#[cfg(test)]
pub(super) mod keys {
    use aftercart::run::secrets::Credentials;
    use data_encoding::BASE64;
    use serde_json::json;

    pub(crate) const PROVIDER: &str = include_str!("../../../../infra/keys/provider.pem");
    pub(crate) const PROVIDER_PUBLIC: &str =
        include_str!("../../../../infra/keys/provider.pub.pem");
    pub(crate) const PROVIDER_CERTIFICATE: &str =
        include_str!("../../../../infra/keys/provider.cert.pem");
    pub(crate) const MERCHANT: &str = include_str!("../../../../infra/keys/merchant.pem");
    pub(crate) const MERCHANT_PUBLIC: &str =
        include_str!("../../../../infra/keys/merchant.pub.pem");
    pub(crate) const OTHER: &str = include_str!("../../../../infra/keys/other.pem");
    pub(crate) const OTHER_PUBLIC: &str = include_str!("../../../../infra/keys/other.pub.pem");

    /// What a private key signs a message with.
    pub(crate) fn sign(key: &str, message: &[u8]) -> String {
        super::sign(&[key.into()], message).unwrap()
    }

    /// The same, not encoded.
    pub(crate) fn signature(key: &str, message: &[u8]) -> Vec<u8> {
        BASE64.decode(sign(key, message).as_bytes()).unwrap()
    }

    /// A secret that trusts these and holds an account.
    pub(crate) fn trusting(trusted: &[&str], account: serde_json::Value) -> Credentials {
        let secret = json!({
            "webhook_secrets": trusted, "api_keys": [MERCHANT], "account": account,
        });
        serde_json::from_value(secret).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        keys::{
            MERCHANT, MERCHANT_PUBLIC, OTHER, OTHER_PUBLIC, PROVIDER, PROVIDER_CERTIFICATE,
            PROVIDER_PUBLIC, signature,
        },
        *,
    };

    const MESSAGE: &[u8] = b"1624523846\nnonce\n{}\n";

    fn bare(pem: &str) -> String {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        lines.collect()
    }

    #[test]
    fn keys_are_read_however_they_are_written() {
        let signed = signature(PROVIDER, MESSAGE);
        let windows = PROVIDER_PUBLIC.replace('\n', "\r\n");
        for key in [PROVIDER_PUBLIC, PROVIDER_CERTIFICATE, &windows, &bare(PROVIDER_PUBLIC)] {
            assert!(verifies(&public_key(key).unwrap(), MESSAGE, &signed), "{key}");
        }
        assert_eq!(signature(&bare(PROVIDER), MESSAGE), signed);
    }

    #[test]
    fn any_of_the_keys_is_enough() {
        let signed = signature(PROVIDER, MESSAGE);
        let good = PROVIDER_PUBLIC;
        for (texts, expected) in [
            (&[good, OTHER_PUBLIC][..], true),
            (&[OTHER_PUBLIC, "no key", "", good], true),
            (&[PROVIDER_CERTIFICATE], true),
            (&[OTHER_PUBLIC, MERCHANT_PUBLIC], false),
            (&["no key", ""], false),
            (&[], false),
        ] {
            let keys: Vec<SecretString> = texts.iter().map(|text| (*text).into()).collect();
            assert_eq!(any_verifies(&keys, MESSAGE, &signed), expected, "{texts:?}");
        }
    }

    #[test]
    fn the_first_private_key_signs() {
        let keys = [MERCHANT, OTHER].map(SecretString::from);
        let signed = BASE64.decode(sign(&keys, MESSAGE).unwrap().as_bytes()).unwrap();
        assert!(verifies(&public_key(MERCHANT_PUBLIC).unwrap(), MESSAGE, &signed));
        for text in ["", "no key", MERCHANT_PUBLIC, PROVIDER_CERTIFICATE] {
            let refused = sign(&[text.into()], MESSAGE);
            assert!(matches!(refused, Err(CallError::Unwritable(_))), "{text}");
        }
        assert!(matches!(sign(&[], MESSAGE), Err(CallError::Unwritable(_))));
    }

    proptest! {
        #[test]
        fn one_flipped_bit_is_enough(at in 0..256_usize, of in 0..MESSAGE.len(), bit in 0_u32..8) {
            let (key, mut signed) =
                (public_key(PROVIDER_PUBLIC).unwrap(), signature(PROVIDER, MESSAGE));
            let mut message = MESSAGE.to_vec();
            message[of] ^= 1 << bit;
            prop_assert!(!verifies(&key, &message, &signed));
            signed[at] ^= 1 << bit;
            prop_assert!(!verifies(&key, MESSAGE, &signed));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let armoured = format!("-----BEGIN X-----\n{}\n-----END X-----", BASE64.encode(&bytes));
            for text in [&text, &armoured] {
                let keys = [text.as_str().into()];
                prop_assert!(!any_verifies(&keys, MESSAGE, &bytes));
                prop_assert!(sign(&keys, MESSAGE).is_err());
            }
        }
    }
}
