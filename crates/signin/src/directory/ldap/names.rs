//! Names: what was typed into templates and filters (RFC 4514, RFC 4515), and out of what a directory writes.

use super::{LONGEST_GROUP, LONGEST_USER};
use ldap3::{dn_escape, ldap_escape};

/// What stands for what was typed.
const USER: &str = "{user}";
/// What stands for the name of the user's entry.
const DN: &str = "{dn}";

/// What was typed, without spaces around it; the error is a reason to refuse it.
pub(super) fn usable(typed: &str) -> Result<&str, &'static str> {
    let user = typed.trim();
    if user.is_empty() {
        return Err("the name is empty");
    }
    if user.chars().any(char::is_control) {
        return Err("the name holds a control character");
    }
    if user.chars().count() > LONGEST_USER {
        return Err("the name is too long");
    }
    Ok(user)
}

/// The name to bind with; the error is a reason to refuse it.
pub(super) fn bound(template: &str, user: &str) -> Result<String, &'static str> {
    if is_dn(template) {
        return Ok(template.replace(USER, &dn_escape(user)));
    }
    // `user@domain`, `DOMAIN\user`: there is no way to escape what has a meaning there.
    if user.contains(|character| "@\\/\"[]:;|=,+*?<>".contains(character)) {
        return Err("the name holds a character that means something in `bind`");
    }
    Ok(template.replace(USER, user))
}

/// Whether a name to bind with is that of an entry.
pub(super) fn is_dn(name: &str) -> bool {
    name.contains('=')
}

/// A filter with what was typed and the name of the user's entry.
pub(super) fn filter(template: &str, user: &str, dn: &str) -> String {
    // In one pass: what is filled in is never looked at again.
    let mut filter = String::with_capacity(template.len() + user.len() + dn.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, word) = rest.split_at(at);
        filter.push_str(before);
        rest = if let Some(behind) = word.strip_prefix(USER) {
            filter.push_str(&ldap_escape(user));
            behind
        } else if let Some(behind) = word.strip_prefix(DN) {
            filter.push_str(&ldap_escape(dn));
            behind
        } else {
            filter.push('{');
            &word[1..]
        };
    }
    filter.push_str(rest);
    filter
}

/// The attribute that a template compares with what was typed: `uid` of `(uid={user})` and of `uid={user},dc=a`.
pub(super) fn attribute(template: &str) -> Option<&str> {
    let before = &template[..template.find(USER)?];
    let before = before.strip_suffix('=')?;
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-.;".contains(character);
    let name = before.rsplit(|character| !is_part(character)).next()?;
    Some(name).filter(|name| !name.is_empty())
}

/// The user's name as the directory writes it: of several the first in the order of letters, whichever he has typed, so that he is one user.
pub(super) fn as_written<'a>(values: impl Iterator<Item = &'a str>) -> Option<String> {
    let value = values.min_by_key(|value| value.to_lowercase())?;
    usable(value).ok().map(str::to_owned)
}

/// The group that a value of `member_of` names: the first part of the name of its entry, or the value itself.
pub(super) fn group(value: &str) -> Option<String> {
    match first_value(value) {
        Some(name) => group_name(&name),
        None => group_name(value),
    }
}

/// A name of a group that can be told; none: it is left out.
pub(super) fn group_name(name: &str) -> Option<String> {
    // Blanks of other kinds are part of it: a group with one is another group.
    let name = name.trim_matches(' ');
    let fits =
        !name.is_empty() && name.len() <= LONGEST_GROUP && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

/// The value of the first part of an entry's name (RFC 4514 section 3).
fn first_value(dn: &str) -> Option<String> {
    let (attribute, rest) = dn.split_once('=')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b' ');
    if attribute.is_empty() || !attribute.bytes().all(plain) {
        return None;
    }
    let mut value = Vec::new();
    let mut rest = rest.trim_start().as_bytes();
    loop {
        match *rest {
            [] | [b',' | b'+' | b';', ..] => break,
            [b'\\', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
                value.push(u8::try_from(digit(high) * 16 + digit(low)).unwrap_or_default());
                rest = &rest[3..];
            }
            [b'\\', byte, ..] => {
                value.push(byte);
                rest = &rest[2..];
            }
            [byte, ..] => {
                value.push(byte);
                rest = &rest[1..];
            }
        }
    }
    String::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_one_value_of_a_name() {
        let template = "uid={user},ou=people,dc=example";
        for (typed, value) in [
            ("alice", "alice"),
            ("a,dc=x", "a\\2cdc\\3dx"),
            ("*", "*"),
            ("#a\\", "\\23a\\5c"),
            ("a+cn=b", "a\\2bcn\\3db"),
            ("{user}", "{user}"),
            ("zoë", "zoë"),
        ] {
            let expected = format!("uid={value},ou=people,dc=example");
            assert_eq!(bound(template, typed), Ok(expected), "{typed}");
        }
        assert_eq!(
            bound("{user}@example.com", "alice").as_deref(),
            Ok("alice@example.com")
        );
        for typed in ["a@b", "HQ\\alice", "a,b", "a=b"] {
            assert!(bound("{user}@example.com", typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn what_was_typed_stays_one_value_of_a_filter() {
        for (typed, expected) in [
            ("alice", "(|(uid=alice)(mail=alice))"),
            ("*", "(|(uid=\\2a)(mail=\\2a))"),
            (
                ")(uid=*",
                "(|(uid=\\29\\28uid=\\2a)(mail=\\29\\28uid=\\2a))",
            ),
            ("\\", "(|(uid=\\5c)(mail=\\5c))"),
            ("{dn}", "(|(uid={dn})(mail={dn}))"),
        ] {
            assert_eq!(
                filter("(|(uid={user})(mail={user}))", typed, "cn=x"),
                expected
            );
        }
        assert_eq!(
            filter("(&(member={dn})(a={b))", "u", "cn=A\\2C (b),dc=x"),
            "(&(member=cn=A\\5c2C \\28b\\29,dc=x)(a={b))"
        );
    }

    #[test]
    fn a_name_that_can_not_be_one_is_refused() {
        assert_eq!(usable(" alice "), Ok("alice"));
        for typed in ["", "  ", "a\0b", "a\nb", &"a".repeat(129)] {
            assert!(usable(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn the_attribute_of_a_name_is_found_in_its_template() {
        for (template, expected) in [
            ("(uid={user})", Some("uid")),
            (
                "(&(objectClass=person)(|(sAMAccountName={user})(mail={user})))",
                Some("sAMAccountName"),
            ),
            ("uid={user},dc=a", Some("uid")),
            ("{user}@example.com", None),
            ("(uid:={user})", None),
            ("(mail={user}@example.com)", Some("mail")),
            ("(cn=x-{user})", None),
        ] {
            assert_eq!(attribute(template), expected, "{template}");
        }
        let values = ["Alice", "al"];
        let of = as_written(values.iter().copied());
        assert_eq!(of.as_deref(), Some("al"));
        assert_eq!(as_written(["a\nb"].into_iter()), None);
    }

    #[test]
    fn groups_have_the_first_part_of_their_names() {
        for (value, expected) in [
            ("CN=pbx-users,OU=Groups,DC=hq,DC=example", Some("pbx-users")),
            ("cn=Sales\\, west+ou=x,dc=a", Some("Sales, west")),
            ("cn=\\C3\\A4\\2Cb,dc=a", Some("ä,b")),
            ("staff", Some("staff")),
            ("cn=,dc=a", None),
            ("cn=a\\0Ab,dc=a", None),
            ("cn=\\", Some("\\")),
        ] {
            assert_eq!(group(value).as_deref(), expected, "{value}");
        }
        assert_eq!(group(&"a".repeat(257)), None);
    }
}
