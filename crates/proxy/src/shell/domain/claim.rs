//! What a client says of itself and whom it wants, to be judged when it comes and again after a reload.

use crate::core::{DomainHost, DomainRule, Proof, Reason, Shown, TargetKey, Wanted};
use crate::shell::live::Live;
use certs::{Refused, Verified};
use config::Protocol;
use rustls_pki_types::CertificateDer;
use std::rc::Rc;
use std::time::SystemTime;

/// What the first message of a client says, and what its TLS handshake has shown.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) protocol: Protocol,
    pub(crate) tls: bool,
    /// The server name of the TLS hello.
    pub(crate) server_name: Option<Rc<str>>,
    /// The certificate of the client, then intermediates.
    pub(crate) chain: Rc<[CertificateDer<'static>]>,
    /// The host that it names.
    pub(crate) domain: Option<Box<str>>,
    /// The names that it has; `None` for one that can not be compared.
    pub(crate) names: Vec<Option<Box<str>>>,
    /// Whether it calls without having been registered.
    pub(crate) unregistered: bool,
}

/// What was decided.
pub(crate) struct Decided<'l> {
    pub(crate) host: &'l DomainHost,
    pub(crate) rule: &'l DomainRule,
    pub(crate) target: &'l TargetKey,
    pub(crate) proof: Proof,
}

/// Why it is rejected, and by which host and line.
pub(crate) struct Rejected {
    pub(crate) reason: Reason,
    /// [`DomainHost::index`].
    pub(crate) host: Option<usize>,
    pub(crate) line: Option<u32>,
}

impl From<Reason> for Rejected {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            host: None,
            line: None,
        }
    }
}

impl Claim {
    /// Where its connection goes by the configuration `live` and the clock.
    ///
    /// # Errors
    /// Why nowhere; the client is to blame.
    pub(crate) fn decide<'l>(&self, live: &'l Live) -> Result<Decided<'l>, Rejected> {
        let wanted = Wanted {
            protocol: self.protocol,
            domain: self.domain.as_deref(),
            server_name: self.server_name.as_deref(),
        };
        let found = live.routes.domains().find(&wanted);
        let (host, rule) = found.map_err(|(reason, host)| Rejected {
            reason,
            host: host.map(|host| host.index),
            line: host.map(|host| host.line),
        })?;
        let rejected = |reason| Rejected {
            reason,
            host: Some(host.index),
            line: Some(rule.line),
        };
        if self.unregistered && !rule.unregistered_calls {
            return Err(rejected(Reason::Unregistered("a call".into())));
        }
        let proof = self.proof(live, host, rule);
        let target = rule.target(&proof).map_err(rejected)?;
        Ok(Decided {
            host,
            rule,
            target,
            proof,
        })
    }

    fn proof(&self, live: &Live, host: &DomainHost, rule: &DomainRule) -> Proof {
        let names: Vec<_> = self.names.iter().map(Option::as_deref).collect();
        let judged: Result<Verified, Refused>;
        let shown = match (live.asking(&host.client_trust), self.chain.split_first()) {
            _ if !self.tls || !rule.check_certificate => Shown::NotAsked,
            (Err(why), _) => Shown::Unusable(why),
            (Ok(_), None) => Shown::Nothing,
            (Ok(asking), Some((leaf, above))) => {
                judged = asking.clients.verify(leaf, above, SystemTime::now());
                match &judged {
                    Ok(verified) => Shown::Verified(verified),
                    Err(refused) => Shown::Refused(refused),
                }
            }
        };
        rule.proof(self.tls, shown, &names)
    }
}
