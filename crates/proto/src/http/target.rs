//! The request target (RFC 9112 section 3.2).

use super::{Authority, Malformed};

/// What is asked for, in one of three forms; the fourth belongs to CONNECT, which is refused.
#[derive(Clone, Copy, Debug)]
pub struct RequestTarget<'b> {
    /// The target as it came.
    pub raw: &'b str,
    /// Its form.
    pub form: TargetForm,
    /// The path, raw, without the query: begins with "/", or is "*". An absolute target without
    /// a path has "/".
    pub path: &'b str,
    /// The query, raw, without its "?".
    pub query: Option<&'b str>,
    /// The authority of an absolute target.
    pub authority: Option<Authority<'b>>,
}

/// The form of a request target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`
    Origin,
    /// `http://host/path?query`
    Absolute(Scheme),
    /// `*`, of OPTIONS
    Asterisk,
}

/// The scheme of an absolute target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl<'b> RequestTarget<'b> {
    /// Reads a target of which `httparse` has made sure that it holds no space and no control
    /// character.
    pub(super) fn parse(raw: &'b str, method: &str) -> Result<Self, Malformed> {
        if !raw.is_ascii() {
            return Err(Malformed::Target);
        }
        if raw.starts_with('/') {
            return Self::split(raw, raw, TargetForm::Origin, None);
        }
        if raw == "*" && method == "OPTIONS" {
            return Self::split(raw, raw, TargetForm::Asterisk, None);
        }
        let (scheme, rest) = raw.split_once("://").ok_or(Malformed::Target)?;
        let scheme = if scheme.eq_ignore_ascii_case("http") {
            Scheme::Http
        } else if scheme.eq_ignore_ascii_case("https") {
            Scheme::Https
        } else {
            return Err(Malformed::Target);
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(Malformed::Target)?;
        let authority = Authority::parse(authority.as_bytes())?;
        Self::split(raw, rest, TargetForm::Absolute(scheme), Some(authority))
    }

    fn split(
        raw: &'b str,
        rest: &'b str,
        form: TargetForm,
        authority: Option<Authority<'b>>,
    ) -> Result<Self, Malformed> {
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        // A fragment in the path is a matter of the path policy; here it would hide in the query.
        if query.is_some_and(|query| query.contains('#')) {
            return Err(Malformed::Target);
        }
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self {
            raw,
            form,
            path,
            query,
            authority,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_split() {
        let table = [
            ("/", "/", None, TargetForm::Origin),
            ("/a/b?c=d?e", "/a/b", Some("c=d?e"), TargetForm::Origin),
            ("/a?", "/a", Some(""), TargetForm::Origin),
            ("//a", "//a", None, TargetForm::Origin),
            ("*", "*", None, TargetForm::Asterisk),
            (
                "http://a.example",
                "/",
                None,
                TargetForm::Absolute(Scheme::Http),
            ),
            (
                "HTTPS://a.example?q",
                "/",
                Some("q"),
                TargetForm::Absolute(Scheme::Https),
            ),
            (
                "http://[::1]:80/x",
                "/x",
                None,
                TargetForm::Absolute(Scheme::Http),
            ),
        ];
        for (raw, path, query, form) in table {
            let target = RequestTarget::parse(raw, "OPTIONS").expect(raw);
            assert_eq!(
                (target.path, target.query, target.form),
                (path, query, form)
            );
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for raw in [
            "",
            "a",
            "a.example:80",
            "ftp://a/",
            "://a/",
            "/a?b#c",
            "/\u{fc}",
            "http:/a",
            "?a",
            "*a",
        ] {
            assert_eq!(
                RequestTarget::parse(raw, "OPTIONS").unwrap_err(),
                Malformed::Target,
                "{raw}"
            );
        }
        assert_eq!(
            RequestTarget::parse("*", "GET").unwrap_err(),
            Malformed::Target
        );
        assert_eq!(
            RequestTarget::parse("http://u@a/", "GET").unwrap_err(),
            Malformed::UserInfo
        );
        assert_eq!(
            RequestTarget::parse("http:///a", "GET").unwrap_err(),
            Malformed::Host
        );
        assert_eq!(
            RequestTarget::parse("http://a#b", "GET").unwrap().path,
            "#b",
            "the path policy refuses it"
        );
    }
}
