//! The keys that a provider signs with (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use super::json::{Object, object, text};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use data_encoding::BASE64URL_NOPAD as BASE64URL;
use serde_json::Value;

/// The most keys of a provider.
const MOST: usize = 64;
/// Of an RSA key with 8192 bits, which is the longest that is taken.
const LONGEST_MODULUS: usize = 1024;

/// How a token may be signed (RFC 7518 section 3.1, RFC 8037 section 3.1): by a key pair, never by a shared secret or not at all.
#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    /// RSA with PKCS #1 v1.5, or with PSS.
    Rsa(&'static str, &'static RsaParameters),
    /// ECDSA on a curve.
    Ec(&'static str, &'static str),
    Ed25519,
}

impl Algorithm {
    /// The one of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rsa("RS256", &signature::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Self::Rsa("RS384", &signature::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Self::Rsa("RS512", &signature::RSA_PKCS1_2048_8192_SHA512),
            "PS256" => Self::Rsa("PS256", &signature::RSA_PSS_2048_8192_SHA256),
            "PS384" => Self::Rsa("PS384", &signature::RSA_PSS_2048_8192_SHA384),
            "PS512" => Self::Rsa("PS512", &signature::RSA_PSS_2048_8192_SHA512),
            "ES256" => Self::Ec("ES256", "P-256"),
            "ES384" => Self::Ec("ES384", "P-384"),
            "ES512" => Self::Ec("ES512", "P-521"),
            // RFC 9864 section 2.2 has a name for the curve alone.
            "EdDSA" | "Ed25519" => Self::Ed25519,
            _ => return None,
        })
    }
}

/// Why no key of a provider vouches for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyFault {
    /// None of them is meant; there may be newer ones.
    Unknown,
    /// The one that is meant has not signed this.
    Wrong,
}

/// The keys of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The only algorithm it is for, if that is said.
    only: Option<String>,
    public: Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A curve's name and a point, uncompressed (SEC 1 section 2.3.3).
    Ec(&'static str, Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Keys {
    /// The keys in a JWK set that tokens can be signed with; those of other kinds are left out (RFC 7517 section 5).
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let set = object(body)?;
        let entries = set.get("keys")?.as_array()?.iter().take(MOST);
        Some(Self(entries.filter_map(Key::of).collect()))
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks whether the key named `id`, or any one where no name is given, has signed `message`.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub(super) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyFault> {
        let meant = |key: &&Key| id.is_none_or(|id| key.id.as_deref() == Some(id));
        let mut fault = KeyFault::Unknown;
        for key in self.0.iter().filter(meant) {
            match key.verify(algorithm, message, signature) {
                Some(true) => return Ok(()),
                // Without a name it may be a key that we have not seen yet.
                Some(false) if id.is_some() => fault = KeyFault::Wrong,
                _ => {}
            }
        }
        Err(fault)
    }
}

impl Key {
    fn of(jwk: &Value) -> Option<Self> {
        let jwk = jwk.as_object()?;
        let operations = jwk.get("key_ops").and_then(Value::as_array);
        let verifies = operations.is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !verifies || text(jwk, "use").is_some_and(|used| used != "sig") {
            return None;
        }
        Some(Self {
            id: text(jwk, "kid").map(str::to_owned),
            only: text(jwk, "alg").map(str::to_owned),
            public: Public::of(jwk)?,
        })
    }

    /// Whether it has signed `message`; nothing where it can not have, since it is for other algorithms.
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
        let allowed = |name: &str| self.only.as_deref().is_none_or(|only| only == name);
        let by_point = |scheme: &'static dyn VerificationAlgorithm, point: &[u8]| {
            let key = UnparsedPublicKey::new(scheme, point);
            key.verify(message, signature).is_ok()
        };
        match (algorithm, &self.public) {
            (Algorithm::Rsa(name, scheme), Public::Rsa { n, e }) if allowed(name) => {
                let key = RsaPublicKeyComponents { n, e };
                Some(key.verify(scheme, message, signature).is_ok())
            }
            (Algorithm::Ec(name, curve), Public::Ec(own, point))
                if allowed(name) && curve == *own =>
            {
                let scheme = match curve {
                    "P-256" => &ECDSA_P256_SHA256_FIXED,
                    "P-384" => &ECDSA_P384_SHA384_FIXED,
                    _ => &ECDSA_P521_SHA512_FIXED,
                };
                Some(by_point(scheme, point))
            }
            (Algorithm::Ed25519, Public::Ed25519(point))
                if allowed("EdDSA") || allowed("Ed25519") =>
            {
                Some(by_point(&signature::ED25519, point))
            }
            _ => None,
        }
    }
}

impl Public {
    fn of(jwk: &Object) -> Option<Self> {
        let bytes = |name: &str| {
            let bytes = BASE64URL.decode(text(jwk, name)?.as_bytes()).ok()?;
            Some(bytes).filter(|bytes| !bytes.is_empty() && bytes.len() <= LONGEST_MODULUS + 1)
        };
        let number = |name: &str| {
            let bytes = bytes(name)?;
            let start = bytes.iter().position(|byte| *byte != 0)?;
            Some(bytes[start..].to_vec())
        };
        match (text(jwk, "kty")?, text(jwk, "crv")) {
            ("RSA", _) => Some(Self::Rsa {
                n: number("n")?,
                e: number("e")?,
            }),
            ("EC", Some(curve)) => {
                let (curve, size) = match curve {
                    "P-256" => ("P-256", 32),
                    "P-384" => ("P-384", 48),
                    "P-521" => ("P-521", 66),
                    _ => return None,
                };
                let (x, y) = (bytes("x")?, bytes("y")?);
                // RFC 7518 section 6.2.1.2: with their leading zeros.
                (x.len() == size && y.len() == size)
                    .then(|| Self::Ec(curve, [&[4][..], &x, &y].concat()))
            }
            ("OKP", Some("Ed25519")) => bytes("x").filter(|x| x.len() == 32).map(Self::Ed25519),
            _ => None,
        }
    }
}
