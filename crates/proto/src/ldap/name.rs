//! The name of a bind: a distinguished name (RFC 4514) or what Windows calls a user.

/// Who wants to bind, as far as it can be told; the text is never empty and holds no control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindName {
    /// As it was sent.
    pub text: String,
    /// The domain in lower case (of ASCII): of `domain\user`, `user@domain`, or the DC components of a distinguished name.
    pub domain: Option<String>,
    /// The user: what stands beside the domain, the first CN or UID of a distinguished name, or else the whole text.
    pub user: Option<String>,
}

impl BindName {
    /// What a text says, which must not be empty.
    pub fn new(text: &str) -> Self {
        let (domain, user) = distinguished(text).unwrap_or_else(|| account(text));
        let domain = domain.filter(|domain| is_domain(domain));
        Self {
            text: text.to_owned(),
            domain: domain.map(|domain| domain.to_ascii_lowercase()),
            user: user.filter(|user| !user.is_empty()),
        }
    }
}

type Parts = (Option<String>, Option<String>);

/// `domain\user`, `user@domain`, or a user alone.
fn account(text: &str) -> Parts {
    let parts = text
        .split_once('\\')
        .or_else(|| text.rsplit_once('@').map(|(user, domain)| (domain, user)));
    match parts {
        Some((domain, user)) => (Some(domain.to_owned()), Some(user.to_owned())),
        None => (None, Some(text.to_owned())),
    }
}

/// What could be the name of a host; whether it is one, the table of hosts knows.
fn is_domain(text: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || "-_./".contains(char);
    !text.is_empty() && text.chars().all(is_part)
}

/// Domain and user of a distinguished name; none if it is no such name.
fn distinguished(text: &str) -> Option<Parts> {
    let mut domain: Vec<String> = Vec::new();
    let mut user = None;
    let mut rest = text;
    loop {
        let (kind, behind) = rest.split_once('=')?;
        let (value, end, behind) = value(behind)?;
        match attribute(kind.trim_matches(' '))? {
            Attribute::Domain => domain.push(value),
            Attribute::User => user = user.or(Some(value)),
            Attribute::Other => {}
        }
        if end.is_none() {
            let domain = (!domain.is_empty()).then(|| domain.join("."));
            return Some((domain, user));
        }
        rest = behind;
    }
}

enum Attribute {
    Domain,
    User,
    Other,
}

/// What a type is, by its name or number (RFC 4519 sections 2.3, 2.4, 2.39); none if it can not be one.
fn attribute(kind: &str) -> Option<Attribute> {
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_prefix("oid.").unwrap_or(&kind);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if kind.is_empty() || !kind.bytes().all(is_part) {
        return None;
    }
    Some(match kind {
        "dc" | "domaincomponent" | "0.9.2342.19200300.100.1.25" => Attribute::Domain,
        "cn" | "commonname" | "2.5.4.3" | "uid" | "userid" | "0.9.2342.19200300.100.1.1" => {
            Attribute::User
        }
        _ => Attribute::Other,
    })
}

/// The value that `text` begins with, the separator that ends it, and what is behind that. Quotes and ";" are of RFC 2253
/// section 4, and are still written. None for what no value can hold, and for one in hexadecimal.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    let text = text.trim_start_matches(' ');
    if text.starts_with('#') {
        return None;
    }
    let mut value = Vec::new();
    // Up to here, spaces belong to the value.
    let mut kept = 0;
    let mut quoted = false;
    let mut chars = text.char_indices();
    let (end, behind) = loop {
        let Some((at, char)) = chars.next() else {
            break (None, "");
        };
        match char {
            '\\' => {
                let (_, escaped) = chars.next()?;
                value.extend(unescaped(escaped, &mut chars)?);
                kept = value.len();
            }
            '"' if quoted || value.is_empty() => {
                quoted = !quoted;
                kept = value.len();
            }
            ',' | ';' | '+' if !quoted => break (Some(char), text.get(at + 1..)?),
            '"' | '<' | '>' if !quoted => return None,
            _ => {
                let mut utf8 = [0; 4];
                value.extend_from_slice(char.encode_utf8(&mut utf8).as_bytes());
                if char != ' ' || quoted {
                    kept = value.len();
                }
            }
        }
    };
    value.truncate(kept);
    let value = String::from_utf8(value).ok()?;
    let sound = !quoted && !value.contains(char::is_control);
    sound.then_some((value, end, behind))
}

/// What an escape stands for: two hexadecimal digits for a byte, or a character for itself.
fn unescaped(first: char, chars: &mut impl Iterator<Item = (usize, char)>) -> Option<Vec<u8>> {
    if let Some(high) = first.to_digit(16) {
        let low = chars.next()?.1.to_digit(16)?;
        return Some(vec![u8::try_from(high << 4 | low).ok()?]);
    }
    let itself = " \"#+,;<=>\\".contains(first);
    itself.then(|| first.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_and_user_are_found_in_every_form() {
        for (text, domain, user) in [
            // As Windows and innovaphone write it.
            ("dvl-ckl2.net\\contacts", "dvl-ckl2.net", "contacts"),
            ("DVL-CKL2.net\\Contacts", "dvl-ckl2.net", "Contacts"),
            ("dvl-ckl2.net/branch-b\\hq", "dvl-ckl2.net/branch-b", "hq"),
            ("a.net\\b\\c", "a.net", "b\\c"),
            ("\\b", "", "b"),
            ("a.net\\", "a.net", ""),
            ("contacts@dvl-ckl2.net", "dvl-ckl2.net", "contacts"),
            ("john@home@dvl-ckl2.net", "dvl-ckl2.net", "john@home"),
            ("contacts", "", "contacts"),
            // In any spacing and case (RFC 4514, and RFC 2253 section 4).
            ("CN=admin, DC=dvl-ckl2, DC=net", "dvl-ckl2.net", "admin"),
            ("cn=admin,dc=dvl-ckl2,dc=net", "dvl-ckl2.net", "admin"),
            (
                "Cn = admin , dC =DVL-CKL2;Dc= net ",
                "dvl-ckl2.net",
                "admin",
            ),
            ("2.5.4.3=a,OID.0.9.2342.19200300.100.1.25=b", "b", "a"),
            ("uid=a,ou=x y,dc=b.net", "b.net", "a"),
            ("ou=x+cn=a,dc=b", "b", "a"),
            ("dc=b,dc=net", "b.net", ""),
            ("cn=a,cn=users,dc=b", "b", "a"),
            ("cn=a,o=b", "", "a"),
            // Escapes.
            ("cn=M\\C3\\BCller\\, J\\20\\ ,dc=b", "b", "Müller, J  "),
            ("cn=\"M, J\",dc=\"b\"", "b", "M, J"),
            ("cn=\\41\\2cB,dc=b", "b", "A,B"),
            ("cn=,dc=b", "b", ""),
            // Domains that can be no host.
            ("cn=a,dc=b c", "", "a"),
            ("cn=a,dc=b\\00", "cn=a,dc=b", "00"),
            ("a=b\\c", "a=b", "c"),
            ("cn=a,dc=#040162", "", "cn=a,dc=#040162"),
            ("cn=a,dc=b,", "", "cn=a,dc=b,"),
            ("cn=\"a,dc=b", "", "cn=\"a,dc=b"),
        ] {
            let name = BindName::new(text);
            let domain = Some(domain).filter(|domain| is_domain(domain));
            let user = Some(user).filter(|user| !user.is_empty());
            assert_eq!(name.domain.as_deref(), domain, "{text}");
            assert_eq!(name.user.as_deref(), user, "{text}");
            assert_eq!(name.text, text);
        }
    }
}
