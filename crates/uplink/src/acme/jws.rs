//! Signed requests (RFC 8555 section 6.2; RFC 7515, flattened JSON): ES256, and HS256 for external accounts.

use super::order::{Account, External, Failure};
use super::problem::unfit;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD as BASE64URL;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// The key of an account.
pub(super) struct Key {
    pair: EcdsaKeyPair,
    jwk: Value,
    thumbprint: String,
}

/// Who signs a request, as its header says.
pub(super) enum Signer<'a> {
    /// An account that the CA knows under this address.
    Account(&'a str),
    /// One that it does not know yet: by its key.
    Key,
}

impl Key {
    /// The key of `account`.
    ///
    /// # Errors
    /// Ours: it is none.
    pub(super) fn of(account: &Account) -> Result<Self, Failure> {
        let none = || {
            unfit(
                "the account key is no P-256 key in PEM; remove it, and a new account is made with the CA",
            )
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(account.key.as_bytes()).map_err(|_| none())?;
        let der = der.secret_pkcs8_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
        let pair = pair.map_err(|_| none())?;
        // SEC 1 section 2.3.3, uncompressed.
        let Some((&4, point)) = pair.public_key().as_ref().split_first() else {
            return Err(none());
        };
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (BASE64URL.encode(x), BASE64URL.encode(y));
        // RFC 7638 section 3: these members, in this order, without spaces.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = BASE64URL.encode(digest(&SHA256, canonical.as_bytes()).as_ref());
        Ok(Self {
            pair,
            jwk: json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y }),
            thumbprint,
        })
    }

    /// What proves that a challenge with this token is answered by the account (RFC 8555 section 8.1).
    pub(super) fn authorization(&self, token: &str) -> String {
        format!("{token}.{}", self.thumbprint)
    }

    /// The body of a request to `url`; without a `payload` it only asks (POST-as-GET).
    ///
    /// # Errors
    /// Ours: the system gave no randomness.
    pub(super) fn sign(
        &self,
        signer: &Signer<'_>,
        nonce: &str,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Vec<u8>, Failure> {
        let mut header = json!({ "alg": "ES256", "nonce": nonce, "url": url });
        match signer {
            Signer::Account(address) => header["kid"] = json!(address),
            Signer::Key => header["jwk"] = self.jwk.clone(),
        }
        let payload = payload.map(Value::to_string).unwrap_or_default();
        let message = Message::new(&header, &payload);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message.input().as_bytes())
            .map_err(|_| unfit("the system gives no randomness to sign with"))?;
        Ok(message.finish(signature.as_ref()).to_string().into_bytes())
    }

    /// What binds this key to the account that the operator has with the CA (RFC 8555 section 7.3.4).
    ///
    /// # Errors
    /// Ours: the MAC key is not base64url.
    pub(super) fn bind(&self, external: &External, url: &str) -> Result<Value, Failure> {
        let text = external.mac_key.trim().trim_end_matches('=');
        let secret = BASE64URL.decode(text.as_bytes());
        let secret = secret.ok().filter(|secret| !secret.is_empty()).ok_or_else(|| {
            unfit(
                "the MAC key of the external account is not base64url; copy it from the CA as it is shown there",
            )
        })?;
        let header = json!({ "alg": "HS256", "kid": external.key_id, "url": url });
        let message = Message::new(&header, &self.jwk.to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let mac = hmac::sign(&key, message.input().as_bytes());
        Ok(message.finish(mac.as_ref()))
    }
}

/// Header and payload of a message, in base64url.
struct Message {
    header: String,
    payload: String,
}

impl Message {
    fn new(header: &Value, payload: &str) -> Self {
        Self {
            header: BASE64URL.encode(header.to_string().as_bytes()),
            payload: BASE64URL.encode(payload.as_bytes()),
        }
    }

    fn input(&self) -> String {
        format!("{}.{}", self.header, self.payload)
    }

    fn finish(self, signature: &[u8]) -> Value {
        json!({
            "protected": self.header,
            "payload": self.payload,
            "signature": BASE64URL.encode(signature),
        })
    }
}

#[cfg(test)]
mod tests;
