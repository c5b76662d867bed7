//! What the forms of the pages without script send (`application/x-www-form-urlencoded`).

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Bytes of a form.
pub(crate) const LONGEST: usize = 8 * 1024;

/// The form of `/login`. Without `Debug`: it holds a password.
#[derive(Default, Deserialize)]
pub(crate) struct Login {
    #[serde(default)]
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) password: String,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) then: String,
}

/// The form of `/claim`. Without `Debug`: it holds a password.
#[derive(Default, Deserialize)]
pub(crate) struct Claim {
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) password: String,
    #[serde(default)]
    pub(crate) again: String,
}

/// The forms of `/confirm` and `/rollback`: which generation is meant. None is: the form is from elsewhere.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    pub(crate) generation: Option<u32>,
    /// The one that is to be given up, if it is on trial still.
    #[serde(default)]
    pub(crate) trial: Option<u32>,
}

/// Reads a form; none where it is none.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_urlencoded::from_bytes(body).ok()
}

/// Where a login leads: a path of our own, never another site.
pub(crate) fn way_on(then: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_#?=&.".contains(&byte);
    let is_ours = then.starts_with('/') && !then.starts_with("//") && then.len() <= 200;
    if is_ours && then.bytes().all(is_plain) {
        then
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_nothing_is_taken_for_one() {
        let login: Login = read(b"user=max&password=a%26b+c&then=%2Flog").unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("max", "a&b c")
        );
        assert_eq!(read::<Choice>(b"generation=7").unwrap().generation, Some(7));
        assert!(read::<Choice>(b"generation=x").is_none());
        assert!(read::<Choice>(b"generation=1&generation=2").is_none());
    }

    #[test]
    fn a_login_never_leads_elsewhere() {
        for (then, path) in [
            ("/log", "/log"),
            ("/config#L12", "/config#L12"),
            ("", "/"),
            ("log", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\r\nSet-Cookie: a", "/"),
            ("https://evil.example", "/"),
        ] {
            assert_eq!(way_on(then), path);
        }
    }
}
