//! Where a protocol of a host goes: its own target or the host's, with the ports that are meant.

use crate::fault::Report;
use crate::place::{At, Place};
use crate::sections::HostKeys;
use crate::types::{Target, Targets};
use crate::value::{Scheme, TargetText};

/// What a protocol needs to know to find its targets.
pub(crate) struct Wanted<'a> {
    /// The host it belongs to.
    pub(crate) host: &'a HostKeys,
    /// Where the protocol's own keys stand.
    pub(crate) at: &'a At,
    pub(crate) target: Option<&'a TargetText>,
    pub(crate) port: Option<u16>,
    pub(crate) tls_port: Option<u16>,
    pub(crate) protocol: &'static Speech,
    /// Whether a plain and a TLS target are both needed (`check_certificate`).
    pub(crate) both: bool,
}

/// How a protocol is spoken: its schemes and its standard ports.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) plain: Option<(Scheme, u16)>,
    pub(crate) tls: Option<(Scheme, u16)>,
    pub(crate) ports: (u16, u16),
}

pub(crate) const HTTP: Speech = speech(Scheme::Http, Scheme::Https, 80, 443);
pub(crate) const LDAP: Speech = speech(Scheme::Ldap, Scheme::Ldaps, 389, 636);
pub(crate) const SIP: Speech = speech(Scheme::Sip, Scheme::Sips, 5060, 5061);
pub(crate) const H323: Speech = Speech {
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

/// The targets of a protocol, for what comes in plain and over TLS.
pub(crate) fn targets(wanted: &Wanted<'_>, report: &mut Report) -> Option<Targets> {
    let (text, place) = written(wanted, report)?;
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

/// The target that counts, and where it stands.
pub(crate) fn written<'a>(
    wanted: &Wanted<'a>,
    report: &mut Report,
) -> Option<(&'a TargetText, Place)> {
    if let Some(target) = wanted.target {
        return Some((target, wanted.at.key("target")));
    }
    if let Some(target) = &wanted.host.target {
        return Some((target, wanted.host.at.key("target")));
    }
    if !wanted.at.is_broken("target") && !wanted.host.at.is_broken("target") {
        let remedy = "write `target = \"ADDRESS\"` here or in its [[host]]";
        report.fault(wanted.at.place.clone(), "has no target", remedy);
    }
    None
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
