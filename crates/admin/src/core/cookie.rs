//! The cookie that carries the token of a session.
//!
//! Its name begins with `__Host-`: a browser takes such a cookie only over TLS, without a domain and for all paths, so that
//! no neighbour can set it (RFC 6265bis section 4.1.3).

use http::{HeaderMap, HeaderValue, header};

/// The cookie's name.
const NAME: &str = "__Host-gatehouse";

/// Bytes of a token; ours are shorter.
const LONGEST: usize = 128;

/// The token of the session that a request belongs to. One that is there twice is none: one of them is not from us.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let mut found = None;
    for value in headers.get_all(header::COOKIE) {
        for pair in value.to_str().ok()?.split(';') {
            let Some((name, token)) = pair.trim_matches(' ').split_once('=') else {
                continue;
            };
            if name == NAME && found.replace(token).is_some() {
                return None;
            }
        }
    }
    found.filter(|token| is_token(token))
}

/// `Set-Cookie` that begins a session; it ends with the browser, or sooner by the supervisor's word.
pub(crate) fn set(token: &str) -> Option<HeaderValue> {
    let text = format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Strict");
    is_token(token).then(|| HeaderValue::try_from(text).ok())?
}

/// `Set-Cookie` that ends it.
pub(crate) fn cleared() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-gatehouse=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

fn is_token(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_is_found_and_nothing_else() {
        for (cookies, token_found) in [
            (&["__Host-gatehouse=ab-C_9"][..], Some("ab-C_9")),
            (&["a=b; __Host-gatehouse=x; c=d"], Some("x")),
            (&["a=b", "__Host-gatehouse=x"], Some("x")),
            (&["__Host-gatehouse=x; __Host-gatehouse=y"], None),
            (&["__Host-gatehouse=x", "__Host-gatehouse=x"], None),
            (&["__host-gatehouse=x"], None),
            (&["gatehouse=x"], None),
            (&["__Host-gatehouse="], None),
            (&["__Host-gatehouse=a b"], None),
            (&["__Host-gatehouse=\"x\""], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, cookie.parse().unwrap());
            }
            assert_eq!(token(&headers), token_found, "{cookies:?}");
        }
        let mut headers = HeaderMap::new();
        let long = format!("{NAME}={}", "x".repeat(LONGEST + 1));
        headers.insert(header::COOKIE, long.parse().unwrap());
        assert_eq!(token(&headers), None);
    }

    #[test]
    fn a_token_can_not_bring_attributes_along() {
        assert!(
            set("abc")
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("__Host-gatehouse=abc; Path=/; ")
        );
        assert_eq!(set("abc; Domain=evil.example"), None);
        assert_eq!(set(""), None);
    }
}
