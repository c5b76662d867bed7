//! How names in certificates match names that are asked for (RFC 9525 section 6.3).

use std::borrow::Cow;
use std::net::IpAddr;

/// True when `pattern` (a name of a certificate, perhaps `*.domain`, or an address) covers `wanted`.
///
/// A wildcard stands for exactly one whole label on the left. A wanted name that is itself a
/// wildcard is covered only by the same wildcard.
pub fn covers(pattern: &str, wanted: &str) -> bool {
    let (pattern, wanted) = (normal_name(pattern), normal_name(wanted));
    if pattern == wanted {
        return !pattern.is_empty();
    }
    match (pattern.strip_prefix("*."), parent(&wanted)) {
        (Some(domain), Some(above)) => domain == above && wanted.parse::<IpAddr>().is_err(),
        _ => false,
    }
}

/// The form in which names are compared: lower case, no dot at the end, no brackets around IPv6.
pub fn normal_name(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Some(inner) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        return match inner.parse::<IpAddr>() {
            Ok(address) => Cow::Owned(address.to_string()),
            Err(_) => Cow::Borrowed(name),
        };
    }
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The name without its first label; none where there is nothing left of it to cover.
pub(crate) fn parent(name: &str) -> Option<&str> {
    let (label, rest) = name.split_once('.')?;
    (!label.is_empty() && !rest.is_empty() && label != "*").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_name_is_covered_as_rfc_9525_says() {
        for (pattern, wanted, expected) in [
            ("hq.example", "hq.example", true),
            ("HQ.example.", "hq.EXAMPLE", true),
            ("*.example", "hq.example", true),
            ("*.example", "a.hq.example", false),
            ("*.example", "example", false),
            ("*.example", ".example", false),
            ("*.example", "*.example", true),
            ("*.hq.example", "*.example", false),
            ("h*.example", "hq.example", false),
            ("*.2.0.1", "192.2.0.1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("2001:db8::1", "[2001:0db8::1]", true),
            ("", "", false),
        ] {
            assert_eq!(covers(pattern, wanted), expected, "{pattern} {wanted}");
        }
    }
}
