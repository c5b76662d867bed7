//! What a provider says of itself (OIDC Discovery 1.0 section 3, RFC 8414).

use super::json::{Object, object, text};
use super::text::clean;
use http::Uri;

/// No provider's address is longer.
const LONGEST_ADDRESS: usize = 2048;

/// A provider, as far as it is of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provider {
    /// Where browsers are sent.
    pub(super) authorization: String,
    /// Where a code becomes a token.
    pub(super) token: String,
    pub(super) userinfo: Option<String>,
    pub(super) keys: String,
    /// Where browsers are sent to sign out (RP-Initiated Logout 1.0).
    pub(super) end_session: Option<String>,
    /// Whether every answer names its issuer (RFC 9207 section 3).
    pub(super) names_itself: bool,
    pub(super) client: ClientProof,
}

/// How we show that we are the client (Core 1.0 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientProof {
    /// In the `Authorization` field.
    Basic,
    /// In the form.
    Post,
}

/// Where a provider says it.
pub(super) fn address(issuer: &str) -> String {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{issuer}/.well-known/openid-configuration")
}

impl Provider {
    /// What the provider of this `issuer` says in `body`.
    ///
    /// # Errors
    /// Why it is of no use; the provider's fault, or that of whoever has written the issuer.
    pub(super) fn read(body: &[u8], issuer: &str) -> Result<Self, String> {
        let said = object(body).ok_or("its /.well-known/openid-configuration is no JSON object")?;
        let own = text(&said, "issuer").unwrap_or_default();
        if own != issuer {
            // Section 4.3: exactly.
            return Err(format!(
                "it calls itself {:?}; write that as the issuer, letter for letter, if it is the right one",
                clean(own)
            ));
        }
        let client = ClientProof::of(&said)
            .ok_or("it takes neither client_secret_basic nor client_secret_post")?;
        Ok(Self {
            authorization: needed(&said, "authorization_endpoint")?,
            token: needed(&said, "token_endpoint")?,
            userinfo: endpoint(&said, "userinfo_endpoint")?,
            keys: needed(&said, "jwks_uri")?,
            end_session: endpoint(&said, "end_session_endpoint")?,
            names_itself: said
                .get("authorization_response_iss_parameter_supported")
                .is_some_and(|is| is == true),
            client,
        })
    }
}

impl ClientProof {
    fn of(said: &Object) -> Option<Self> {
        let Some(ways) = said.get("token_endpoint_auth_methods_supported") else {
            return Some(Self::Basic);
        };
        let ways = ways.as_array()?;
        let has = |way: &str| ways.iter().any(|one| one == way);
        match (has("client_secret_basic"), has("client_secret_post")) {
            (true, _) => Some(Self::Basic),
            (false, true) => Some(Self::Post),
            (false, false) => None,
        }
    }
}

fn needed(said: &Object, key: &str) -> Result<String, String> {
    endpoint(said, key)?.ok_or_else(|| format!("it has no {key}"))
}

fn endpoint(said: &Object, key: &str) -> Result<Option<String>, String> {
    let Some(value) = said.get(key) else {
        return Ok(None);
    };
    let address = value.as_str().filter(|address| is_https(address));
    let address = address.ok_or_else(|| format!("its {key} is no https address"))?;
    Ok(Some(address.to_owned()))
}

/// Whether something can be asked there.
pub(super) fn is_https(address: &str) -> bool {
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || address.len() > LONGEST_ADDRESS || address.contains('#') {
        return false;
    }
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    let named = |authority: &http::uri::Authority| {
        !authority.host().is_empty() && !authority.as_str().contains('@')
    };
    uri.scheme_str() == Some("https") && uri.authority().is_some_and(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://login.example/realms/a";

    fn said() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://login.example/auth?x=1",
            "token_endpoint": "https://login.example/token",
            "userinfo_endpoint": "https://login.example/me",
            "jwks_uri": "https://keys.example/jwks",
            "end_session_endpoint": "https://login.example/end",
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        })
    }

    fn read(said: &Value) -> Result<Provider, String> {
        Provider::read(said.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn a_provider_is_read() {
        let whole = read(&said()).unwrap();
        assert_eq!(whole.client, ClientProof::Post);
        assert!(whole.names_itself);
        assert_eq!(
            whole.end_session.as_deref(),
            Some("https://login.example/end")
        );
        let mut less = said();
        for key in [
            "userinfo_endpoint",
            "end_session_endpoint",
            "authorization_response_iss_parameter_supported",
            "token_endpoint_auth_methods_supported",
        ] {
            less.as_object_mut().unwrap().remove(key);
        }
        let less = read(&less).unwrap();
        assert_eq!(
            (less.client, less.names_itself),
            (ClientProof::Basic, false)
        );
        assert_eq!((less.userinfo, less.end_session), (None, None));
    }

    #[test]
    fn one_that_can_not_be_used_says_why() {
        for (key, value, why) in [
            (
                "issuer",
                json!("https://login.example/realms/a/"),
                "calls itself \"https://login.example/realms/a/\"",
            ),
            ("issuer", json!(null), "calls itself \"\""),
            (
                "jwks_uri",
                json!("http://login.example/jwks"),
                "its jwks_uri is no https",
            ),
            (
                "token_endpoint",
                json!("https://me@login.example/token"),
                "its token_endpoint",
            ),
            (
                "authorization_endpoint",
                json!("https://login.example/a#b"),
                "its authorization_endpoint",
            ),
            (
                "userinfo_endpoint",
                json!("https:///me"),
                "its userinfo_endpoint",
            ),
            (
                "end_session_endpoint",
                json!("https://a.example/\r\nX: y"),
                "its end_session_endpoint",
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!(["none"]),
                "neither",
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!("client_secret_basic"),
                "neither",
            ),
        ] {
            let mut said = said();
            said[key] = value;
            let told = read(&said).unwrap_err();
            assert!(told.contains(why), "{key}: {told}");
        }
        for key in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            let mut said = said();
            said.as_object_mut().unwrap().remove(key);
            assert_eq!(read(&said).unwrap_err(), format!("it has no {key}"));
        }
        assert!(Provider::read(b"[]", ISSUER).is_err());
    }

    #[test]
    fn a_slash_at_the_end_is_none_of_the_address() {
        for issuer in ["https://a.example/o/gate", "https://a.example/o/gate/"] {
            let address = address(issuer);
            assert_eq!(
                address,
                "https://a.example/o/gate/.well-known/openid-configuration"
            );
        }
    }
}
