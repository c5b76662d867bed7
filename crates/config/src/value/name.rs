//! Names: of hosts, zones, files, HTTP fields.

use std::fmt;

use crate::ClientTrust;
use crate::definition::{Plain, Shape};
use crate::reader::{Node, Reader, Value, quoted};

/// The name of a `[[host]]`: a domain, or a registration location below one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName {
    /// The domain, in lower case.
    pub domain: String,
    /// What stands behind the "/", as it is written.
    pub location: Option<String>,
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.domain)?;
        self.location
            .as_ref()
            .map_or(Ok(()), |location| write!(f, "/{location}"))
    }
}

impl Value for HostName {
    fn shape() -> Shape {
        Shape::Text("a domain name, or `domain/location`")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        let (domain, location) = match text.split_once('/') {
            Some((domain, location)) => (domain, Some(location)),
            None => (text, None),
        };
        if text.contains("://") {
            let remedy = "leave the scheme out: a host is known by its name alone";
            reader.fault(
                node,
                format!("{} is an address, not a name", quoted(text)),
                remedy,
            );
            return None;
        }
        if let Some((what, remedy)) = dns_fault(domain, false) {
            reader.fault(node, what, remedy);
            return None;
        }
        if let Some((what, remedy)) = location.and_then(location_fault) {
            reader.fault(node, what, remedy);
            return None;
        }
        let location = location.map(str::to_owned);
        Some(Self {
            domain: domain.to_ascii_lowercase(),
            location,
        })
    }
}

/// Free text on one line.
impl Value for String {
    fn shape() -> Shape {
        Shape::Text("text")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        if text.trim().is_empty() {
            reader.fault(node, "is empty", "write something between the quotes");
            return None;
        }
        if text.len() > 1000 || text.chars().any(char::is_control) {
            let remedy = "write at most 1000 characters on one line";
            reader.fault(node, "is too long or holds control characters", remedy);
            return None;
        }
        Some(text.to_owned())
    }
}

/// Text of any content, the empty one included (a path, a replacement).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Value for Text {
    fn shape() -> Shape {
        Shape::Text("text, possibly empty")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        if text.len() > 2000 || text.chars().any(char::is_control) {
            let remedy = "write at most 2000 characters on one line";
            reader.fault(node, "is too long or holds control characters", remedy);
            return None;
        }
        Some(Self(text.to_owned()))
    }
}

/// Declares a checked name that is kept as a plain `String`.
macro_rules! checked_name {
    ($(#[doc = $doc:literal])+ $name:ident, $shape:literal, $fault:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) struct $name(String);

        impl Value for $name {
            fn shape() -> Shape {
                Shape::Text($shape)
            }

            fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
                let text = reader.text(node)?;
                let fault: fn(&str) -> Option<(String, String)> = $fault;
                if let Some((what, remedy)) = fault(text) {
                    reader.fault(node, what, remedy);
                    return None;
                }
                Some(Self(text.to_owned()))
            }
        }

        impl Plain<String> for $name {
            fn plain(self) -> String {
                self.0
            }
        }
    };
}

pub(crate) use checked_name;

checked_name!(
    /// A domain name.
    DnsName, "a domain name", |text| dns_fault(text, false)
);
checked_name!(
    /// A domain name; its first label may be "*".
    CertificateName, "a domain name; `*.example.com` for all names directly below", |text| {
        dns_fault(text, true)
    }
);
checked_name!(
    /// One label of a domain name.
    Label, "one label of a domain name: letters, digits and \"-\"", label_fault
);
checked_name!(
    /// The name of a section or entry.
    Name, "a name: letters, digits, \"-\", \"_\" and \".\"", name_fault
);
checked_name!(
    /// The name of a network interface of the kernel.
    Interface, "a network interface", interface_fault
);
checked_name!(
    /// The name of an HTTP field or a cookie.
    Token, "a name as HTTP allows it", token_fault
);
checked_name!(
    /// A name in a client certificate; its first label may be "*".
    SubjectName, "a name in a certificate; `*.example.com` for all names directly below", subject_fault
);
checked_name!(
    /// The name of a group of users.
    GroupName, "the name of a group, 1 to 256 characters", group_fault
);
checked_name!(
    /// The name of a visitor, who signs in by password.
    VisitorName, "the name of a user: letters, digits, \".\", \"-\", \"_\" and \"@\", a letter first", visitor_fault
);
checked_name!(
    /// The origin of a web page.
    Origin, "an origin: `https://name` or `https://name:port`", origin_fault
);

checked_name!(
    /// A mail address.
    Mail, "a mail address", mail_fault
);
checked_name!(
    /// Telephone numbers.
    NumberPattern, "digits, with a \"+\" before and a \"*\" for any more behind", number_fault
);

impl Plain<String> for Text {
    fn plain(self) -> String {
        self.0
    }
}

/// The name of a certificate or key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl Value for FileName {
    fn shape() -> Shape {
        Shape::Text("a file name")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = String::read(reader, node)?;
        if text.starts_with("-----BEGIN") {
            let remedy = "store the file on the box and write its name here";
            reader.fault(node, "is the content of a file", remedy);
            return None;
        }
        let place = reader.place(node);
        reader.files.push((place, text.clone()));
        Some(Self(text))
    }
}

/// A file with authorities of clients, or "own": the box's own CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCa(String);

impl Value for ClientCa {
    fn shape() -> Shape {
        Shape::Text("a file name, or \"own\" for the box's own CA")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = String::read(reader, node)?;
        if text == ClientTrust::OWN_CA {
            return Some(Self(text));
        }
        FileName::read(reader, node).map(|file| Self(file.0))
    }
}

impl Plain<String> for ClientCa {
    fn plain(self) -> String {
        self.0
    }
}

impl Plain<String> for FileName {
    fn plain(self) -> String {
        self.0
    }
}

type Fault = (String, String);

/// Why a text is no name of a zone, an access list or a secret.
pub(crate) fn name_fault(text: &str) -> Option<Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let starts = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    (!starts || text.len() > 63 || !text.bytes().all(allowed)).then(|| {
        (
            format!("{} is no name", quoted(text)),
            "begin with a letter or digit and use at most 63 letters, digits, \"-\", \"_\" and \".\""
                .to_owned(),
        )
    })
}

/// Why a text is no domain name (RFC 1123 section 2.1).
pub(crate) fn dns_fault(text: &str, wildcard: bool) -> Option<Fault> {
    let fault =
        |what: &str, remedy: &str| Some((format!("{} {what}", quoted(text)), remedy.into()));
    if text.is_empty() {
        return Some(("is empty".into(), "write a domain name".into()));
    }
    // As in a URL, too: "[2001:db8::1]", "192.0.2.1:443".
    let bare = text
        .strip_prefix('[')
        .and_then(|bare| bare.strip_suffix(']'));
    let with_port = text.parse::<std::net::SocketAddr>();
    if with_port.is_ok() || bare.unwrap_or(text).parse::<std::net::IpAddr>().is_ok() {
        return fault("is an address", "write a domain name");
    }
    if text.contains(':') {
        return fault("holds a port", "leave it out: a name stands for all ports");
    }
    if text.ends_with('.') {
        return fault("ends in a dot", "leave the last dot out");
    }
    if !text.is_ascii() {
        return fault(
            "holds letters that DNS does not know",
            "write its \"xn--\" form",
        );
    }
    let plain = match text.strip_prefix("*.") {
        Some(_) if !wildcard => {
            return fault(
                "is a wildcard",
                "write each name: nothing is published unnamed",
            );
        }
        Some(plain) => plain,
        None => text,
    };
    if text.len() > 253 {
        return fault("is longer than 253 characters", "write a shorter name");
    }
    plain
        .split('.')
        .any(|label| label_fault(label).is_some())
        .then(|| {
            let remedy = "write labels of 1 to 63 letters, digits and \"-\" with dots between them";
            (
                format!("{} is no domain name", quoted(text)),
                remedy.to_owned(),
            )
        })
}

fn label_fault(text: &str) -> Option<Fault> {
    // The underscore is not allowed in a host name, yet found in many of them.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let bad = text.is_empty()
        || text.len() > 63
        || text.starts_with('-')
        || text.ends_with('-')
        || !text.bytes().all(allowed);
    bad.then(|| {
        let remedy = "write 1 to 63 letters, digits and \"-\", without a dot";
        (
            format!("{} is no host name", quoted(text)),
            remedy.to_owned(),
        )
    })
}

fn location_fault(text: &str) -> Option<Fault> {
    name_fault(text).map(|_| {
        let what = format!("{} is no registration location", quoted(text));
        (
            what,
            "write letters, digits, \"-\", \"_\" and \".\" behind the \"/\"".to_owned(),
        )
    })
}

fn interface_fault(text: &str) -> Option<Fault> {
    let bad = |byte: u8| !byte.is_ascii_graphic() || byte == b'/' || byte == b':';
    let wrong = text.is_empty() || text.len() > 15 || matches!(text, "." | "..");
    (wrong || text.bytes().any(bad)).then(|| {
        let remedy = "write its name in the kernel, for example \"eth0\"";
        (
            format!("{} is no network interface", quoted(text)),
            remedy.to_owned(),
        )
    })
}

/// Why a text is no name of an HTTP field (RFC 9110 section 5.6.2).
pub(super) fn token_fault(text: &str) -> Option<Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (text.is_empty() || text.len() > 100 || !text.bytes().all(allowed)).then(|| {
        let remedy = "write letters, digits and \"-\", without spaces and colons";
        (
            format!("{} is no name that HTTP allows", quoted(text)),
            remedy.to_owned(),
        )
    })
}

fn subject_fault(text: &str) -> Option<(String, String)> {
    let odd = text.is_empty()
        || text.len() > 256
        || text.trim() != text
        || text.chars().any(char::is_control);
    if odd {
        let what = format!("{} is no name that a certificate is taken by", quoted(text));
        let remedy = "write 1 to 256 characters without spaces at their ends";
        return Some((what, remedy.to_owned()));
    }
    let below = text.strip_prefix("*.").unwrap_or(text);
    (below.contains('*') || below.is_empty()).then(|| {
        let what = format!("the \"*\" in {} is not the whole first label", quoted(text));
        let remedy = "write whole names, or `*.example.com`, or no `names` for every certificate";
        (what, remedy.to_owned())
    })
}

fn group_fault(text: &str) -> Option<Fault> {
    let odd = text.is_empty()
        || text.len() > 256
        || text.trim() != text
        || text.chars().any(char::is_control);
    odd.then(|| {
        let what = format!("{} is no name of a group", quoted(text));
        let remedy = "write 1 to 256 characters without spaces at their ends";
        (what, remedy.to_owned())
    })
}

fn visitor_fault(text: &str) -> Option<Fault> {
    let fits = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte));
    (!fits).then(|| {
        let what = format!("{} is no name for a user", quoted(text));
        let remedy = "use letters from a to z, digits, \".\", \"-\", \"_\" and \"@\", a letter first, 64 characters at the most";
        (what, remedy.to_owned())
    })
}

fn origin_fault(text: &str) -> Option<Fault> {
    let remedy = || "write `https://name`, as the browser sends it in `Origin`".to_owned();
    let name = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(name) = name else {
        return Some((format!("{} has no scheme", quoted(text)), remedy()));
    };
    let name = match name.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => name,
        _ => name,
    };
    dns_fault(name, false).map(|_| (format!("{} is no origin", quoted(text)), remedy()))
}

fn mail_fault(text: &str) -> Option<Fault> {
    let fault = |remedy: &str| {
        let what = format!("{} is no mail address", quoted(text));
        Some((what, remedy.to_owned()))
    };
    if text.starts_with("mailto:") {
        return fault("leave \"mailto:\" out");
    }
    // What would begin another address or a header in `mailto:` (RFC 6068) must not be in it.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$*+-./=^_`{|}~'".contains(&byte);
    match text.split_once('@') {
        Some((user, domain))
            if (1..=64).contains(&user.len())
                && user.bytes().all(allowed)
                && dns_fault(domain, false).is_none() =>
        {
            None
        }
        _ => fault("write for example \"admin@example.com\""),
    }
}

fn number_fault(text: &str) -> Option<Fault> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits = digits.strip_suffix('*').unwrap_or(digits);
    let bad = text.len() > 40 || !digits.bytes().all(|byte| byte.is_ascii_digit());
    (bad || (digits.is_empty() && text != "*")).then(|| {
        let remedy = "write digits, a \"+\" before them and a \"*\" behind them if need be";
        (
            format!("{} is no pattern for numbers", quoted(text)),
            remedy.to_owned(),
        )
    })
}
