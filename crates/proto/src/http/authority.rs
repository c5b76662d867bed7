//! Host and port, as in `Host` and in absolute targets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Malformed;

/// The most bytes of a host name (RFC 1035 section 2.3.4), and one for a dot at its end.
const MAX_HOST: usize = 254;
/// The most bytes of one label of it.
const MAX_LABEL: usize = 63;

/// A validated host, and perhaps a port (RFC 9110 section 7.2); no user info, ever.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'b> {
    text: &'b str,
    host: &'b str,
    port: Option<u16>,
}

impl<'b> Authority<'b> {
    /// Reads `name`, `name:port`, `1.2.3.4:port` or `[v6]:port`.
    ///
    /// A name is made of letters, digits, "-", "_" and dots, with no empty label but for one dot
    /// at the end. What ends in a number must be a dotted IPv4 address of four plain numbers: some
    /// read "127.1" or "0x7f.1" as one.
    ///
    /// # Errors
    /// The client's: [`Malformed::Host`] or [`Malformed::UserInfo`].
    pub fn parse(text: &'b [u8]) -> Result<Self, Malformed> {
        let fault = if text.contains(&b'@') {
            Malformed::UserInfo
        } else {
            Malformed::Host
        };
        std::str::from_utf8(text)
            .ok()
            .and_then(Self::read)
            .ok_or(fault)
    }

    /// As it came.
    pub const fn text(&self) -> &'b str {
        self.text
    }

    /// The host without port and without a dot at its end, in the sender's case; an IPv6 address
    /// keeps its brackets.
    pub const fn host(&self) -> &'b str {
        self.host
    }

    /// The port, if one is given: 1 to 65535.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Appends it in the form a target gets: as it came, but without a dot at the end of the name,
    /// which some servers take for another name.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.host.as_bytes());
        // The port is all that is left, its colon included.
        let port = self.text.rfind(':').filter(|_| self.port.is_some());
        let port = port.and_then(|colon| self.text.get(colon..));
        out.extend_from_slice(port.unwrap_or_default().as_bytes());
    }

    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()
    }

    fn read(text: &'b str) -> Option<Self> {
        let (host, port) = if text.starts_with('[') {
            let (host, port) = text.split_at_checked(text.find(']')? + 1)?;
            let port = if port.is_empty() {
                None
            } else {
                Some(port.strip_prefix(':')?)
            };
            host.strip_prefix('[')?
                .strip_suffix(']')?
                .parse::<Ipv6Addr>()
                .ok()?;
            (host, port)
        } else {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            is_name(host).then_some((host, port))?
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let port = match port {
            Some(port) => Some(read_port(port)?),
            None => None,
        };
        Some(Self { text, host, port })
    }
}

fn read_port(text: &str) -> Option<u16> {
    let plain = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && !text.starts_with('0')).then(|| text.parse().ok())?
}

fn is_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    if host.len() > MAX_HOST || name.is_empty() {
        return false;
    }
    let mut last = name;
    for label in name.split('.') {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if label.is_empty() || label.len() > MAX_LABEL || !label.bytes().all(good) {
            return false;
        }
        last = label;
    }
    // The rule of the URL standard for hosts that "end in a number".
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    !number || host.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_taken() {
        let table = [
            ("hq.example", "hq.example", None),
            ("HQ.Example:453", "HQ.Example", Some(453)),
            ("hq.example.", "hq.example", None),
            ("HQ.example.:453", "HQ.example", Some(453)),
            ("localhost:1", "localhost", Some(1)),
            ("my_pbx", "my_pbx", None),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
            ("192.0.2.1:65535", "192.0.2.1", Some(65535)),
            ("[2001:db8::1]", "[2001:db8::1]", None),
            ("[::ffff:192.0.2.1]:8443", "[::ffff:192.0.2.1]", Some(8443)),
            ("1e100.net", "1e100.net", None),
        ];
        for (text, host, port) in table {
            let authority = Authority::parse(text.as_bytes()).expect(text);
            assert_eq!((authority.host(), authority.port()), (host, port));
        }
        let v6 = Authority::parse(b"[2001:db8::1]:80").unwrap();
        assert_eq!(v6.ip(), Some("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn what_a_target_gets_has_no_dot_at_its_end_and_the_port_as_it_came() {
        for (text, written) in [
            ("hq.example", "hq.example"),
            ("HQ.Example.", "HQ.Example"),
            ("hq.example.:80", "hq.example:80"),
            ("hq.example:8443", "hq.example:8443"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("[2001:db8::1]:80", "[2001:db8::1]:80"),
            ("192.0.2.1:1", "192.0.2.1:1"),
        ] {
            let mut out = b"Host: ".to_vec();
            Authority::parse(text.as_bytes()).unwrap().write(&mut out);
            assert_eq!(out, [b"Host: ", written.as_bytes()].concat(), "{text}");
        }
    }

    #[test]
    fn ports_are_plain_numbers_of_1_to_65535_and_dots_stand_once() {
        for text in [
            "a:",
            "a:0",
            "a:080",
            "a:65536",
            "a:123456",
            "a:+80",
            "a:80:80",
            "a.:",
            "a.:0",
            "a..",
            "a..:80",
            "a.b..",
            "a:.80",
            "a:80.",
            "[::1]80",
            "[::1]:",
            "[::1].",
            "[::1].:80",
        ] {
            let refused = Authority::parse(text.as_bytes()).unwrap_err();
            assert_eq!(refused, Malformed::Host, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = "a".repeat(64);
        let longer = "a.".repeat(130);
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "a,b",
            "::1",
            "2001:db8::1",
            "[]",
            "[::1",
            "[1.2.3.4]",
            "[fe80::1%25eth0]",
            "[v1.x]",
            "127.1",
            "1.2.3.256",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "1.2.3.4.",
            "01.2.3.4",
            "b\u{fc}cher.example",
            "a%2eb",
            "a;b",
            "*",
            "a\\b",
            &long,
            &longer,
        ] {
            assert_eq!(
                Authority::parse(text.as_bytes()).unwrap_err(),
                Malformed::Host,
                "{text}"
            );
        }
        for text in ["user@a", "user:pass@a", "@a", "a@"] {
            assert_eq!(
                Authority::parse(text.as_bytes()).unwrap_err(),
                Malformed::UserInfo,
                "{text}"
            );
        }
    }
}
