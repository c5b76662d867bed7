//! Where a protocol of a host goes: its own target or the host's, with the ports that are meant.

use crate::fault::Report;
use crate::place::{At, Place};
use crate::sections::{H323Keys, HostKeys, HttpKeys, LdapKeys, PassthroughKeys, SipKeys};
use crate::types::{Target, Targets};
use crate::value::{Scheme, TargetText};

/// The keys of a protocol, which say where it goes.
pub(crate) trait Leads {
    /// What must be known to find its targets.
    fn wanted<'a>(&'a self, host: &'a HostKeys) -> Wanted<'a>;
}

/// What must be known to find the targets of a protocol.
pub(crate) struct Wanted<'a> {
    /// The host it belongs to.
    host: &'a HostKeys,
    /// Where the protocol's own keys stand.
    at: &'a At,
    /// Its own targets; empty: the host's.
    own: &'a [TargetText],
    port: Option<u16>,
    tls_port: Option<u16>,
    protocol: &'static Speech,
    /// Whether a plain and a TLS target are both needed (`check_certificate`).
    both: bool,
}

/// How a protocol is spoken: its schemes and its standard ports.
#[derive(Debug)]
struct Speech {
    plain: Option<(Scheme, u16)>,
    tls: Option<(Scheme, u16)>,
    ports: (u16, u16),
}

macro_rules! leads {
    ($($keys:ident speaks $protocol:ident $(on $port:ident and $tls_port:ident)?
       $(, both if $both:ident)?;)+) => {
        $(
            impl Leads for $keys {
                fn wanted<'a>(&'a self, host: &'a HostKeys) -> Wanted<'a> {
                    Wanted {
                        host,
                        at: &self.at,
                        own: self.target.as_ref().map_or(&[], AsRef::as_ref),
                        port: leads!(@or None $(, self.$port)?),
                        tls_port: leads!(@or None $(, self.$tls_port)?),
                        protocol: &$protocol,
                        both: leads!(@or false $(, self.$both)?),
                    }
                }
            }
        )+
    };
    (@or $default:expr) => { $default };
    (@or $default:expr, $value:expr) => { $value };
}

leads! {
    HttpKeys speaks HTTP on port and tls_port;
    LdapKeys speaks LDAP on port and tls_port;
    SipKeys speaks SIP on port and tls_port, both if check_certificate;
    H323Keys speaks H323 on port and tls_port, both if check_certificate;
    PassthroughKeys speaks HTTP;
}

const HTTP: Speech = speech(Scheme::Http, Scheme::Https, 80, 443);
const LDAP: Speech = speech(Scheme::Ldap, Scheme::Ldaps, 389, 636);
const SIP: Speech = speech(Scheme::Sip, Scheme::Sips, 5060, 5061);
const H323: Speech = Speech {
    plain: None,
    tls: None,
    ports: (1720, 1300),
};

const fn speech(plain: Scheme, tls: Scheme, port: u16, tls_port: u16) -> Speech {
    Speech {
        plain: Some((plain, port)),
        tls: Some((tls, tls_port)),
        ports: (port, tls_port),
    }
}

/// The one target of a protocol, for what comes in plain and over TLS.
pub(crate) fn target(wanted: &Wanted<'_>, report: &mut Report) -> Option<Targets> {
    let (text, place) = wanted.written(report).into_iter().next()?;
    by_keys(wanted, text, place, report)
}

/// The targets of a protocol that may have several, in the order of the file; `None` when one of
/// them has a fault.
pub(crate) fn targets(wanted: &Wanted<'_>, report: &mut Report) -> Option<Vec<Targets>> {
    let written = wanted.written(report);
    let built: Vec<_> = written
        .into_iter()
        .map(|(text, place)| by_keys(wanted, text, place, report))
        .collect();
    let built: Vec<_> = built.into_iter().collect::<Option<_>>()?;
    (!built.is_empty()).then_some(built)
}

impl<'a> Wanted<'a> {
    /// Whether the target is written with a scheme.
    pub(crate) fn has_scheme(&self) -> bool {
        let of_host = self.host.target.as_slice();
        let mut targets = if self.own.is_empty() {
            of_host
        } else {
            self.own
        }
        .iter();
        targets.any(|target| target.scheme.is_some())
    }

    /// The targets that count, and where each stands; reports when there is none.
    pub(crate) fn written(&self, report: &mut Report) -> Vec<(&'a TargetText, Place)> {
        let (host, at) = (self.host, self.at);
        if !self.own.is_empty() {
            let own = self.own.iter().enumerate();
            return own
                .map(|(index, text)| (text, at.entry("target", index)))
                .collect();
        }
        if let Some(target) = &host.target {
            return vec![(target, host.at.key("target"))];
        }
        if !at.is_broken("target") && !host.at.is_broken("target") {
            let remedy = "write `target = \"ADDRESS\"` here or in its [[host]]";
            report.fault(at.place.clone(), "has no target", remedy);
        }
        Vec::new()
    }
}

/// A written target with the ports of the protocol's keys.
fn by_keys(
    wanted: &Wanted<'_>,
    text: &TargetText,
    place: Place,
    report: &mut Report,
) -> Option<Targets> {
    if let Some(scheme) = text.scheme {
        return by_scheme(wanted, text, scheme, place, report);
    }
    let (port, tls_port) = (wanted.port, wanted.tls_port);
    if let Some(written) = text.port {
        return by_port(wanted, text, written, place, report);
    }
    let at = |port: u16, tls: bool| Target {
        host: text.host.clone(),
        port,
        tls,
    };
    let (plain, tls) = wanted.protocol.ports;
    Some(match (port, tls_port) {
        (None, None) => Targets {
            plain: at(plain, false),
            tls: at(tls, true),
        },
        (Some(plain), Some(tls)) => Targets {
            plain: at(plain, false),
            tls: at(tls, true),
        },
        (Some(port), None) => {
            one_port(wanted, &wanted.at.key("port"), report)?;
            Targets {
                plain: at(port, false),
                tls: at(port, false),
            }
        }
        (None, Some(port)) => {
            one_port(wanted, &wanted.at.key("tls_port"), report)?;
            Targets {
                plain: at(port, true),
                tls: at(port, true),
            }
        }
    })
}

/// A bare address with a port has that one for both.
fn by_port(
    wanted: &Wanted<'_>,
    text: &TargetText,
    written: u16,
    place: Place,
    report: &mut Report,
) -> Option<Targets> {
    if let Some(key) = given(wanted) {
        let what = format!("the port is given twice: here, and {written} with the target");
        report.fault(wanted.at.key(key), what, "remove one of the two");
        return None;
    }
    one_port(wanted, &place, report)?;
    if written == wanted.protocol.ports.1 {
        let what = format!("port {written} speaks TLS, and this is read as a plain target");
        let remedy = match wanted.protocol.tls {
            Some((scheme, _)) => format!("write \"{}://{}\"", scheme.as_str(), text.host),
            None => format!("write target = \"{}\" and tls_port = {written}", text.host),
        };
        report.fault(place, what, remedy);
        return None;
    }
    let target = Target {
        host: text.host.clone(),
        port: written,
        tls: false,
    };
    Some(Targets {
        plain: target.clone(),
        tls: target,
    })
}

/// A target with a scheme has one port for both.
fn by_scheme(
    wanted: &Wanted<'_>,
    text: &TargetText,
    scheme: Scheme,
    place: Place,
    report: &mut Report,
) -> Option<Targets> {
    let known = [wanted.protocol.plain, wanted.protocol.tls];
    let Some((_, standard)) = known
        .into_iter()
        .flatten()
        .find(|(known, _)| *known == scheme)
    else {
        let what = format!(
            "\"{}://\" does not fit {}",
            scheme.as_str(),
            wanted.at.place.path
        );
        let remedy = match known {
            [Some((plain, _)), Some((tls, _))] => {
                format!(
                    "write {}:// or {}://, or the address alone",
                    plain.as_str(),
                    tls.as_str()
                )
            }
            _ => "write the address alone".to_owned(),
        };
        report.fault(place, what, remedy);
        return None;
    };
    if let Some(key) = given(wanted) {
        let what = "has no meaning beside a target with a scheme, which has one port for all";
        let remedy = "write the port into the target and remove this";
        report.fault(wanted.at.key(key), what, remedy);
        return None;
    }
    one_port(wanted, &place, report)?;
    let port = text.port.unwrap_or(standard);
    let target = Target {
        host: text.host.clone(),
        port,
        tls: scheme.tls(),
    };
    Some(Targets {
        plain: target.clone(),
        tls: target,
    })
}

/// Reports one port where two are needed.
fn one_port(wanted: &Wanted<'_>, place: &Place, report: &mut Report) -> Option<()> {
    if !wanted.both {
        return Some(());
    }
    let (plain, tls) = wanted.protocol.ports;
    let remedy = format!(
        "give both port and tls_port ({plain} and {tls} are used if neither is given), \
         or write check_certificate = false"
    );
    let what = "gives one target port, but check_certificate needs a plain and a TLS port";
    report.fault(place.clone(), what, remedy);
    None
}

fn given(wanted: &Wanted<'_>) -> Option<&'static str> {
    ["port", "tls_port"]
        .into_iter()
        .find(|key| wanted.at.holds(key))
}
