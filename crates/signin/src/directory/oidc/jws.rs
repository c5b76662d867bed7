//! A signed token in its compact form (RFC 7515 section 7.1), as far as it can be read before it is believed.

use super::json::{Object, object, text};
use super::keys::{Algorithm, KeyFault, Keys};
use data_encoding::BASE64URL_NOPAD as BASE64URL;
use thiserror::Error;

/// No provider signs more; one with 200 groups by their long names has 20 KB.
pub(super) const LONGEST_TOKEN: usize = 64 * 1024;

/// Why a token is not believed; whoever made it is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// It is none.
    #[error("it is no signed token")]
    Form,
    /// It is encrypted.
    #[error("it is encrypted; have the provider sign it only")]
    Encrypted,
    /// It is a token for something else.
    #[error("it is a token of another kind")]
    Kind,
    /// It is not signed as we take it.
    #[error(
        "it is signed by an algorithm that is not taken: RS, PS and ES of 256, 384 and 512 bits are, and EdDSA"
    )]
    Algorithm,
    /// It needs something to be understood that we do not know.
    #[error("it has a critical extension")]
    Critical,
    /// None of the provider's keys is the one that it names.
    #[error("it is signed with a key that the provider does not publish")]
    Key,
    /// It is not what was signed.
    #[error("its signature is wrong")]
    Signature,
    /// A claim is missing, or no value of its kind.
    #[error("its claim {0} is missing or of the wrong kind")]
    Claim(&'static str),
    /// A claim says something that is not so.
    #[error("its claim {0} is not what it should be")]
    Wrong(&'static str),
    /// It is too old.
    #[error("it is no longer valid; is the clock right?")]
    Over,
    /// It is from the future.
    #[error("it is not valid yet; is the clock right?")]
    Early,
    /// It came before.
    #[error("it was used before")]
    Again,
}

/// The claims of `token`, whose signature by one of `keys` is right and whose type (RFC 7515 section 4.1.9) is none or
/// one of `types`, in lower case.
///
/// # Errors
/// [`TokenFault`].
pub(super) fn verified(token: &str, types: &[&str], keys: &Keys) -> Result<Object, TokenFault> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenFault::Form);
    }
    let parts: Vec<_> = token.splitn(6, '.').collect();
    let [header, payload, signature] = parts[..] else {
        let is_jwe = parts.len() == 5;
        return Err(if is_jwe {
            TokenFault::Encrypted
        } else {
            TokenFault::Form
        });
    };
    let decode = |part: &str| {
        BASE64URL
            .decode(part.as_bytes())
            .map_err(|_| TokenFault::Form)
    };
    let head = object(&decode(header)?).ok_or(TokenFault::Form)?;
    let signature = decode(signature)?;
    if head.contains_key("crit") || head.contains_key("b64") {
        return Err(TokenFault::Critical);
    }
    if let Some(kind) = head.get("typ") {
        let kind = kind.as_str().ok_or(TokenFault::Form)?.to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if !types.contains(&kind) {
            return Err(TokenFault::Kind);
        }
    }
    let algorithm = text(&head, "alg").and_then(Algorithm::of);
    let algorithm = algorithm.ok_or(TokenFault::Algorithm)?;
    let id = match head.get("kid") {
        None => None,
        Some(id) => Some(id.as_str().ok_or(TokenFault::Form)?),
    };
    let signed = &token[..header.len() + 1 + payload.len()];
    keys.verify(id, algorithm, signed.as_bytes(), &signature)
        .map_err(|fault| match fault {
            KeyFault::Unknown => TokenFault::Key,
            KeyFault::Wrong => TokenFault::Signature,
        })?;
    object(&decode(payload)?).ok_or(TokenFault::Form)
}
