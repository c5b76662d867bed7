//! Where a login leads: to a page of ours, whatever somebody has written into the address of the login page.

/// The longest address, in bytes; what browsers make of long ones differs.
const LONGEST: usize = 4096;

/// What begins the paths of the box itself: a login never leads back to one.
const OWN: &str = "/.gatehouse";

/// A place to which a browser may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return(String);

impl Return {
    /// The start page of the host.
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// What `to` asks for, where that is a path, or an `https` address of a host for which `is_ours` says yes (it is asked in lower case)
    /// at `port`; else the start page.
    pub fn read(to: &str, port: u16, is_ours: impl Fn(&str) -> bool) -> Self {
        // Browsers take "\" for "/", and leave tabs and line ends out.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if to.len() > LONGEST || !to.bytes().all(is_plain) {
            return Self::home();
        }
        if let Some(path) = path(to) {
            return Self(path.to_owned());
        }
        elsewhere(to, port, is_ours).map_or_else(Self::home, Self)
    }

    /// As it stands in `Location`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The origin of the other host that it leads to; none: it stays on this one.
    pub fn other_origin(&self) -> Option<&str> {
        let rest = self.0.strip_prefix("https://")?;
        let end = rest.find('/').unwrap_or(rest.len());
        self.0.get(.."https://".len() + end)
    }
}

/// A path, with its query; a second slash would begin a host.
fn path(text: &str) -> Option<&str> {
    let is_path = text.starts_with('/') && !text.starts_with("//");
    (is_path && !is_own(text)).then_some(text)
}

fn is_own(path: &str) -> bool {
    let rest = path.strip_prefix(OWN);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// An address of another host, written anew from what was understood of it.
fn elsewhere(to: &str, port: u16, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    let rest = to.strip_prefix("https://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, its_port) = match authority.split_once(':') {
        Some((host, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, digits.parse().ok()?)
        }
        Some(_) => return None,
        None => (authority, 443),
    };
    let host = host.to_ascii_lowercase();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if its_port != port || !host.bytes().all(is_name) || !is_ours(&host) {
        return None;
    }
    let path = match rest {
        "" => "/",
        path if path.starts_with('/') && !is_own(path) => path,
        _ => return None,
    };
    let port = match port {
        443 => String::new(),
        other => format!(":{other}"),
    };
    Some(format!("https://{host}{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(to: &str, port: u16) -> Return {
        let ours = ["pbx.example.com", "wiki.example.com"];
        Return::read(to, port, |host| ours.contains(&host))
    }

    #[test]
    fn what_is_ours_is_gone_back_to() {
        for (to, place) in [
            ("/", "/"),
            ("/a/b?c=d&e=%2F#f", "/a/b?c=d&e=%2F#f"),
            ("/a//b", "/a//b"),
            ("/?to=https://evil.example", "/?to=https://evil.example"),
            ("/.gatehousing", "/.gatehousing"),
            ("https://wiki.example.com", "https://wiki.example.com/"),
            (
                "https://WIKI.example.com:443/a?b",
                "https://wiki.example.com/a?b",
            ),
        ] {
            assert_eq!(read(to, 443).as_str(), place, "{to}");
        }
        let at = read("https://pbx.example.com:8443/a", 8443);
        assert_eq!(at.as_str(), "https://pbx.example.com:8443/a");
        assert_eq!(at.other_origin(), Some("https://pbx.example.com:8443"));
        assert_eq!(read("/a", 443).other_origin(), None);
    }

    #[test]
    fn nothing_leads_elsewhere() {
        for to in [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\r\nSet-Cookie: a=b",
            "/\u{0}",
            "/a b",
            "/ä",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://evil.example",
            "https://evil.example/pbx.example.com",
            "https://pbx.example.com.evil.example",
            "https://pbx.example.com@evil.example",
            "https://pbx.example.com:443@evil.example",
            "https://pbx.example.com:x/",
            "https://pbx.example.com:8443/",
            "https://pbx.example.com:065979/",
            "https://pbx.example.com?a",
            "https://pbx.example.com#@evil.example",
            "https://pbx.example.com\\@evil.example",
            "https://pbx.example.com./",
            "https://pbx.example.com/.gatehouse/logout",
            "http://pbx.example.com",
            "HTTPS://pbx.example.com",
            "javascript:alert(1)",
            "data:text/html,a",
            "/.gatehouse/logout",
            "/.gatehouse?a",
            "/.gatehouse",
        ] {
            assert_eq!(read(to, 443), Return::home(), "{to}");
        }
        assert_eq!(
            read(&format!("/{}", "a".repeat(LONGEST)), 443),
            Return::home()
        );
    }
}
