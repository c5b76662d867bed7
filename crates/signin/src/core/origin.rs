//! Whether a form was sent by a page of ours, as the browser says it: `Sec-Fetch-Site` (Fetch Metadata) and `Origin`, which no page can
//! set.

use http::{HeaderMap, HeaderValue, header};

/// Whether a form with these headers, sent to `authority`, may be from a page of that host. What says nothing of itself is left to the
/// mark of the form.
pub(crate) fn is_own(headers: &HeaderMap, authority: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin") {
        return false;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => is(origin.as_bytes(), authority),
        (Some(_), Some(_)) => false,
    }
}

/// Whether somebody opens a page, alone or in a frame, and no page fetches a part of itself.
pub(crate) fn is_visit(headers: &HeaderMap) -> bool {
    let says = |name: &str, words: &[&[u8]]| {
        let said = headers.get(name).map(HeaderValue::as_bytes);
        said.is_none_or(|said| words.contains(&said))
    };
    says("sec-fetch-mode", &[b"navigate"])
        && says("sec-fetch-dest", &[b"document", b"iframe", b"frame"])
}

fn is(origin: &[u8], authority: &str) -> bool {
    let bare = authority.strip_suffix(":443").unwrap_or(authority);
    let name = origin.strip_prefix(b"https://");
    name.is_some_and(|name| name.eq_ignore_ascii_case(bare.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_no_visit() {
        for (mode, dest, is_one) in [
            (None, None, true),
            (Some("navigate"), Some("document"), true),
            (Some("navigate"), Some("iframe"), true),
            (Some("no-cors"), Some("image"), false),
            (Some("cors"), Some("empty"), false),
            (Some("navigate"), Some("object"), false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-mode", mode), ("sec-fetch-dest", dest)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(is_visit(&headers), is_one, "{mode:?} {dest:?}");
        }
    }

    #[test]
    fn a_foreign_page_sends_no_form_of_ours() {
        let own = "https://pbx.example.com";
        for (site, origin, is_ours) in [
            (None, None, true),
            (Some("same-origin"), Some(own), true),
            (None, Some(own), true),
            (Some("same-origin"), None, true),
            (Some("same-site"), Some(own), false),
            (Some("cross-site"), None, false),
            (Some("none"), None, false),
            (None, Some("null"), false),
            (None, Some("https://wiki.example.com"), false),
            (None, Some("https://pbx.example.com:8443"), false),
            (None, Some("http://pbx.example.com"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            for authority in ["pbx.example.com", "PBX.example.com:443"] {
                assert_eq!(is_own(&headers, authority), is_ours, "{site:?} {origin:?}");
            }
        }
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, own.parse().unwrap());
        headers.append(header::ORIGIN, own.parse().unwrap());
        assert!(!is_own(&headers, "pbx.example.com"));
    }
}
