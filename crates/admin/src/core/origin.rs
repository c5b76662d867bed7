//! Whether a request was made by our own pages or by the operator, and not by a foreign page in the same browser.
//!
//! Browsers say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata) and `Origin`; neither can be set by a page.

use http::{HeaderMap, HeaderValue, Method, header};

/// The kinds of requests, which differ in what a foreign page may cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page or a part of one: a link from elsewhere may lead to it, since the session's cookie does not go along.
    Page,
    /// Anything that a script or form of ours asks for.
    Call,
}

/// Why a request is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Foreign {
    /// The browser says that another site made it.
    #[error("the request comes from another site")]
    Site,
    /// A change without a word about where it comes from: no browser does that.
    #[error(
        "the request does not say where it comes from; send `Origin: https://` and the name or address that was asked"
    )]
    Silent,
}

/// Decides on a request with `method` and `headers` that was sent to `authority`.
///
/// # Errors
/// [`Foreign`]: whoever made the request is to blame, which need not be the client.
pub(crate) fn admit(
    kind: Kind,
    method: &Method,
    headers: &HeaderMap,
    authority: &str,
) -> Result<(), Foreign> {
    let reads = method == Method::GET || method == Method::HEAD;
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let ours = match site {
        None | Some(b"same-origin") => true,
        // Typed by the operator, or followed from a bookmark.
        Some(b"none") => reads,
        Some(_) => reads && kind == Kind::Page,
    };
    if !ours {
        return Err(Foreign::Site);
    }
    if reads {
        return Ok(());
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) if site.is_some() => Ok(()),
        (None, _) => Err(Foreign::Silent),
        (Some(origin), None) if is(origin.as_bytes(), authority) => Ok(()),
        (Some(_), _) => Err(Foreign::Site),
    }
}

fn is(origin: &[u8], authority: &str) -> bool {
    let bare = authority.strip_suffix(":443").unwrap_or(authority);
    origin
        .strip_prefix(b"https://")
        .is_some_and(|name| name.eq_ignore_ascii_case(bare.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request says of itself, and whether it is admitted.
    type Row = (
        Kind,
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        bool,
    );

    const OURS: &str = "192.168.1.1:8443";
    const OWN: Option<&str> = Some("https://192.168.1.1:8443");
    const REQUESTS: &[Row] = &[
        (Kind::Page, "GET", None, None, true),
        (Kind::Page, "GET", Some("cross-site"), None, true),
        (Kind::Page, "GET", Some("none"), None, true),
        (Kind::Call, "GET", Some("same-origin"), None, true),
        (Kind::Call, "GET", None, None, true),
        (Kind::Call, "GET", Some("cross-site"), None, false),
        (Kind::Call, "GET", Some("same-site"), None, false),
        (Kind::Call, "POST", Some("same-origin"), OWN, true),
        (Kind::Call, "POST", Some("same-origin"), None, true),
        (Kind::Call, "POST", None, OWN, true),
        (Kind::Call, "POST", None, None, false),
        (Kind::Call, "POST", Some("none"), OWN, false),
        (Kind::Call, "POST", Some("same-site"), OWN, false),
        (Kind::Call, "POST", None, Some("null"), false),
        (
            Kind::Call,
            "POST",
            None,
            Some("https://evil.example"),
            false,
        ),
        (
            Kind::Call,
            "POST",
            None,
            Some("http://192.168.1.1:8443"),
            false,
        ),
        (Kind::Call, "POST", None, Some("https://192.168.1.1"), false),
        (
            Kind::Call,
            "POST",
            None,
            Some("https://192.168.1.1:8443.evil.example"),
            false,
        ),
        (Kind::Page, "POST", Some("cross-site"), None, false),
        (Kind::Call, "DELETE", None, None, false),
    ];

    #[test]
    fn what_a_foreign_page_causes_is_not_carried_out() {
        for &(kind, method, site, origin, admitted) in REQUESTS {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let result = admit(kind, &method, &headers, OURS);
            assert_eq!(
                result.is_ok(),
                admitted,
                "{kind:?} {method} {site:?} {origin:?}"
            );
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, "https://gate".parse().unwrap());
        assert!(admit(Kind::Call, &Method::POST, &headers, "gate:443").is_ok());
        headers.append(header::ORIGIN, "https://gate".parse().unwrap());
        assert_eq!(
            admit(Kind::Call, &Method::POST, &headers, "gate"),
            Err(Foreign::Site)
        );
    }
}
