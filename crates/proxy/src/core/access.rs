//! Who may use a rule: the one place that judges `[access.NAME]`.

use super::decide::{Ask, AskedTls, Step, Watch};
use super::reason::Reason;
use super::routes::Rule;
use certs::{Refused, Verified, Why};
use config::{Access, AccessKind};
use ipnet::IpNet;
use service::Blame;
use thiserror::Error;

/// A reference to an `[access.…]`.
#[derive(Debug)]
pub struct Gate {
    /// Its name.
    pub name: Box<str>,
    /// What it asks for.
    pub kind: GateKind,
}

/// What an access asks for.
#[derive(Debug)]
pub enum GateKind {
    /// An address in one of these networks.
    Network(Vec<IpNet>),
    /// A certificate that the client shows.
    Certificate {
        /// Names of which it must have one; empty: every trusted one is let in.
        names: Vec<String>,
        /// The field that tells the target the client's name.
        user_header: Option<Box<str>>,
    },
    /// Something that comes later; it lets nobody in.
    NotBuilt(&'static str),
}

/// What is known of the certificate of a client, judged by what its host trusts.
#[derive(Clone, Copy, Debug, Default)]
pub enum Shown<'a> {
    /// Its connection was made under a name that asks for none, or by other authorities.
    #[default]
    NotAsked,
    /// It was asked, and has none to show.
    Nothing,
    /// It is not believed.
    Refused(&'a Refused),
    /// It is believed.
    Verified(&'a Verified),
    /// What the host trusts can not be used.
    Unusable(&'a str),
}

/// Why somebody is not let in by certificate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CertificateFault {
    /// The connection is not over TLS.
    #[error("needs a client certificate, which can be shown over TLS only")]
    NeedsTls,
    /// The connection was made under another name.
    #[error(
        "needs a client certificate, and the TLS connection was made for a name that asks for none, or for those of others"
    )]
    NotAsked,
    /// None was shown.
    #[error("needs a client certificate, and none was shown")]
    Missing,
    /// It is not believed.
    #[error("{0}")]
    Refused(Box<str>),
    /// It has none of the names.
    #[error("the client certificate of {0:?} has none of its `names`")]
    NotNamed(Box<str>),
    /// The configuration, or a file of it, is to blame.
    #[error("{0}")]
    NotJudged(Box<str>),
}

impl CertificateFault {
    /// The status that is answered.
    pub(super) fn status(&self) -> u16 {
        match self {
            // RFC 9110 section 15.5.20: the client comes again, with a connection of its own.
            Self::NotAsked => 421,
            _ => 403,
        }
    }

    /// Whose fault it is.
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::NotJudged(_) => Blame::Us,
            _ => Blame::Peer,
        }
    }
}

impl Gate {
    /// That of `access`.
    pub(super) fn new(access: &Access) -> Self {
        Self {
            name: access.name.as_str().into(),
            kind: match &access.kind {
                AccessKind::Network { from, .. } => GateKind::Network(from.clone()),
                AccessKind::Certificate { names, user_header } => GateKind::Certificate {
                    names: names.clone(),
                    user_header: user_header.as_deref().map(Box::from),
                },
                AccessKind::Basic { .. } => GateKind::NotBuilt("basic"),
                AccessKind::Cookie { .. } => GateKind::NotBuilt("cookie"),
                AccessKind::Sso { .. } => GateKind::NotBuilt("sso"),
            },
        }
    }

    /// The field that tells the target the client's name.
    pub(super) fn user_header(&self) -> Option<&str> {
        match &self.kind {
            GateKind::Certificate { user_header, .. } => user_header.as_deref(),
            GateKind::Network(_) | GateKind::NotBuilt(_) => None,
        }
    }

    /// Whether it asks for a certificate.
    pub(super) fn asks_certificate(&self) -> bool {
        matches!(self.kind, GateKind::Certificate { .. })
    }

    fn admits(&self, ask: &Ask<'_>) -> Result<(), Reason> {
        let name = || self.name.clone();
        match &self.kind {
            GateKind::Network(from) if from.iter().any(|net| net.contains(&ask.client)) => Ok(()),
            GateKind::Network(_) => Err(Reason::AccessDenied(name())),
            GateKind::Certificate { names, .. } => {
                certified(names, ask.tls).map_err(|fault| Reason::Certificate(name(), fault))
            }
            GateKind::NotBuilt(kind) => Err(Reason::AccessNotBuilt(name(), kind)),
        }
    }
}

fn certified(names: &[String], tls: Option<AskedTls<'_>>) -> Result<(), CertificateFault> {
    let Some(tls) = tls else {
        return Err(CertificateFault::NeedsTls);
    };
    match tls.certificate {
        Shown::NotAsked => Err(CertificateFault::NotAsked),
        Shown::Nothing => Err(CertificateFault::Missing),
        Shown::Unusable(why) => Err(CertificateFault::NotJudged(why.into())),
        Shown::Refused(refused) => {
            let text = refused.to_string().into();
            Err(match refused.why {
                Why::ListOutdated(_) | Why::AuthorityNotInTime { .. } => {
                    CertificateFault::NotJudged(text)
                }
                _ => CertificateFault::Refused(text),
            })
        }
        Shown::Verified(verified) if names.is_empty() || verified.has_name(names) => Ok(()),
        Shown::Verified(verified) => {
            let subject = verified.subject().unwrap_or_default();
            Err(CertificateFault::NotNamed(subject.into()))
        }
    }
}

/// Whether the access lists of `rule` let in who asks: all of `access_all`, and one of `access`.
pub(super) fn judge(rule: &Rule, ask: &Ask<'_>, watch: &mut impl Watch) -> Result<(), Reason> {
    for gate in &rule.all {
        let admitted = gate.admits(ask);
        watch.step(Step::Access(gate, admitted.is_ok()));
        admitted?;
    }
    let mut denied: Option<Reason> = None;
    for gate in &rule.any {
        let admitted = gate.admits(ask);
        watch.step(Step::Access(gate, admitted.is_ok()));
        match (admitted, &denied) {
            (Ok(()), _) => return Ok(()),
            (Err(reason), Some(other)) if worth(&reason) <= worth(other) => {}
            (Err(reason), _) => denied = Some(reason),
        }
    }
    denied.map_or(Ok(()), Err)
}

/// Which of several reasons is told: the client may come again with a certificate; then what is not its
/// fault; then what it showed.
fn worth(reason: &Reason) -> u8 {
    match reason {
        Reason::Certificate(_, CertificateFault::NotAsked) => 3,
        Reason::AccessNotBuilt(..) | Reason::Certificate(_, CertificateFault::NotJudged(_)) => 2,
        Reason::Certificate(..) => 1,
        _ => 0,
    }
}

/// What the target is told of who the client is: fields with their values, one for each name.
pub(super) fn users<'r>(
    rule: &'r Rule,
    shown: Shown<'r>,
) -> impl Iterator<Item = (&'r str, &'r str)> {
    let Shown::Verified(verified) = shown else {
        return None.into_iter().flatten();
    };
    let mut told: Vec<(&str, &str)> = Vec::new();
    for gate in rule.all.iter().chain(&rule.any) {
        let GateKind::Certificate { names, user_header } = &gate.kind else {
            continue;
        };
        let admitted = names.is_empty() || verified.has_name(names);
        if let (true, Some(header), Some(subject)) = (admitted, user_header, verified.subject())
            && !told
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(header))
        {
            told.push((header, subject));
        }
    }
    Some(told).into_iter().flatten()
}
