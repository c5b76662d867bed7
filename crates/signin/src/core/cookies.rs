//! The cookies of a login: what a browser sends, and what it is told to keep.

use http::{HeaderMap, HeaderValue, header};

/// The cookie that ties a form to the browser it was shown in. The prefix keeps neighbours from setting it (RFC 6265bis section 4.1.3).
pub(crate) const LOGIN: &str = "__Host-gatehouse-login";

/// Cookies of one name that are looked at: a neighbour below the same domain may set some beside ours.
const MOST: usize = 8;

/// Bytes of a value of ours.
const LONGEST: usize = 128;

/// What a browser sends under a name and can be from us; the most particular path first (RFC 6265 section 5.4).
pub(crate) fn all<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim_matches(' ').split_once('='))
        .filter(move |(found, value)| *found == name && is_ours(value))
        .map(|(_, value)| value)
        .take(MOST)
}

/// `Set-Cookie` for the form: it ends with the browser.
pub(crate) fn login(value: &str) -> Option<HeaderValue> {
    let text = format!("{LOGIN}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    is_ours(value).then(|| HeaderValue::try_from(text).ok())?
}

/// `Set-Cookie` that begins a session for all hosts of `domain`.
pub(crate) fn session(name: &str, value: &str, domain: &str) -> Option<HeaderValue> {
    let text = format!("{name}={value}; Domain={domain}; Path=/; Secure; HttpOnly; SameSite=Lax");
    is_ours(value).then(|| HeaderValue::try_from(text).ok())?
}

/// `Set-Cookie` that takes it away.
pub(crate) fn no_session(name: &str, domain: &str) -> Option<HeaderValue> {
    let text =
        format!("{name}=; Domain={domain}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    HeaderValue::try_from(text).ok()
}

fn is_ours(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !value.is_empty() && value.len() <= LONGEST && value.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_the_name_are_found_and_nothing_else() {
        for (cookies, found) in [
            (&["s=ab-C_9"][..], &["ab-C_9"][..]),
            (&["a=b; s=x; c=d"], &["x"]),
            (&["a=b", "s=x;s=y"], &["x", "y"]),
            (&["S=x; s=; s=a b; s=\"x\"; s"], &[]),
            (&[], &[]),
        ] {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, cookie.parse().unwrap());
            }
            assert_eq!(all(&headers, "s").collect::<Vec<_>>(), found, "{cookies:?}");
        }
        let mut headers = HeaderMap::new();
        let many = "s=x; ".repeat(100);
        headers.insert(header::COOKIE, many.parse().unwrap());
        assert_eq!(all(&headers, "s").count(), MOST);
    }

    #[test]
    fn a_value_can_not_bring_attributes_along() {
        assert!(session("s", "abc", "example.com").is_some());
        assert_eq!(session("s", "abc; Path=/x", "example.com"), None);
        assert_eq!(login("a;b"), None);
    }
}
