//! What an LDAP server is asked: attributes and filters.

use super::name::checked_name;
use crate::definition::{Plain, Shape};
use crate::reader::{Node, Reader, Value, quoted};

/// How deep the parentheses of a filter may stand in each other.
const DEEPEST: usize = 16;

checked_name!(
    /// The name of an attribute (RFC 4512 section 2.5).
    Attribute, "the name of an attribute", attribute_fault
);
checked_name!(
    /// A search filter (RFC 4515).
    LdapFilter, "a filter: `(attribute=value)`, and several as `(&(a=b)(c=d))`", filter_fault
);

fn attribute_fault(text: &str) -> Option<(String, String)> {
    let fits = is_attribute(text) && text.len() <= 64;
    (!fits).then(|| {
        let remedy = "write letters, digits and \"-\", a letter first, such as \"memberOf\"";
        let what = format!("{} is no name of an attribute", quoted(text));
        (what, remedy.to_owned())
    })
}

fn is_attribute(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';');
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(allowed)
}

fn filter_fault(text: &str) -> Option<(String, String)> {
    let whole = text.len() <= 1000 && !text.chars().any(char::is_control);
    if whole && filter(text, DEEPEST) == Some("") {
        return None;
    }
    let remedy = "write for example \"(uid={user})\" or \"(&(objectClass=person)(uid={user}))\"";
    Some((format!("{} is no filter", quoted(text)), remedy.to_owned()))
}

/// What follows the filter that `text` begins with; none: it begins with no filter.
fn filter(text: &str, deep: usize) -> Option<&str> {
    let inner = text.strip_prefix('(')?;
    let deep = deep.checked_sub(1)?;
    let rest = if let Some(mut rest) = inner.strip_prefix(['&', '|']) {
        rest = filter(rest, deep)?;
        while rest.starts_with('(') {
            rest = filter(rest, deep)?;
        }
        rest
    } else if let Some(rest) = inner.strip_prefix('!') {
        filter(rest, deep)?
    } else {
        item(inner)?
    };
    rest.strip_prefix(')')
}

/// What follows `attribute=value`.
fn item(text: &str) -> Option<&str> {
    let end = text.find(['(', ')'])?;
    let (item, rest) = text.split_at(end);
    let (attribute, value) = item.split_once('=')?;
    let attribute = attribute.strip_suffix(['~', '<', '>']).unwrap_or(attribute);
    // An extensible match has the rule behind a colon.
    let (attribute, rule) = match attribute.strip_suffix(':') {
        Some(parts) => parts
            .split_once(':')
            .map_or((parts, None), |(a, b)| (a, Some(b))),
        None => (attribute, None),
    };
    let rule = rule.map(|rule| rule.strip_prefix("dn:").unwrap_or(rule));
    let escaped = value.split('\\').skip(1).all(|part| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let fits = is_attribute(attribute) && rule.is_none_or(is_attribute) && escaped;
    fits.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_told_from_what_is_none() {
        for good in [
            "(uid={user})",
            "(&(objectClass=person)(|(uid={user})(mail={user})))",
            "(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
            "(cn:dn:2.4.6.8.10:={user})",
            "(cn:caseExactMatch:={user})",
            "(uid>=a*b\\2a)",
            "(uid=)",
        ] {
            assert_eq!(filter_fault(good), None, "{good}");
        }
        let deep = format!("{}(a=b){}", "(!".repeat(16), ")".repeat(16));
        for bad in [
            "",
            "uid={user}",
            "(uid)",
            "(uid={user}",
            "(uid={user}))",
            "(&)",
            "((a=b))",
            "(=b)",
            "(a=\\2)",
            "(a=\\zz)",
            "(a b=c)",
            "(a=b)(c=d)",
            "(!(a=b)(c=d))",
            deep.as_str(),
        ] {
            assert!(filter_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn attributes_have_plain_names() {
        for (text, fits) in [
            ("memberOf", true),
            ("1.2.840.1", true),
            ("", false),
            ("a=b", false),
            ("-a", false),
        ] {
            assert_eq!(attribute_fault(text).is_none(), fits, "{text}");
        }
    }
}
