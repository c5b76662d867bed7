//! The certificate that a client has shown in its handshake, and what is made of it for each host.

use crate::core::{HostRoutes, Shown, believed};
use crate::shell::live::Live;
use certs::{Clients, Refused, Verified};
use config::ClientTrust;
use net::tls;
use rustls::ServerConfig;
use rustls::server::ResolvesServerCert;
use rustls_pki_types::CertificateDer;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long what was made of a certificate holds: it may expire meanwhile, or its list.
const HOLDS: Duration = Duration::from_mins(1);

/// How the clients of some hosts are asked for certificates, and these are judged.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) trust: Arc<ClientTrust>,
    pub(crate) clients: Clients,
    /// What listeners present under the names of these hosts. Sessions are not resumed: who was
    /// believed once would be for as long as a ticket lasts.
    pub(crate) server: Arc<ServerConfig>,
}

impl Asking {
    /// That of `trust`, whose files are in `files`.
    ///
    /// # Errors
    /// The file that can not be used, and why.
    pub(crate) fn new(
        trust: &Arc<ClientTrust>,
        files: &BTreeMap<String, String>,
        chooser: Arc<dyn ResolvesServerCert>,
    ) -> Result<Self, String> {
        let clients = believed(trust, files)?;
        let names = clients.authority_names();
        let server = tls::asking_config(chooser, super::live::ALPN, names)
            .map_err(|error| format!("TLS: {error}"))?;
        Ok(Self {
            trust: Arc::clone(trust),
            clients,
            server: Arc::new(server),
        })
    }
}

/// What a client has shown when it was asked for a certificate.
pub(crate) struct Presented {
    /// By whom it was asked.
    trust: Arc<ClientTrust>,
    /// Under which name.
    server_name: Rc<str>,
    /// Its certificate, then intermediates; empty if it has shown none.
    chain: Vec<CertificateDer<'static>>,
    judged: RefCell<Option<Judged>>,
}

/// What was made of it.
struct Judged {
    by: Arc<Asking>,
    at: SystemTime,
    outcome: Rc<Result<Verified, Refused>>,
}

/// What is known of a client's certificate for one request.
pub(crate) enum Known {
    NotAsked,
    Nothing,
    Judged(Rc<Result<Verified, Refused>>),
    Unusable(Box<str>),
}

impl Presented {
    pub(crate) fn new(
        asking: &Asking,
        server_name: Rc<str>,
        chain: &[CertificateDer<'static>],
    ) -> Self {
        Self {
            trust: Arc::clone(&asking.trust),
            server_name,
            chain: chain.to_vec(),
            judged: RefCell::new(None),
        }
    }

    fn judge(&self, asking: &Arc<Asking>, now: SystemTime) -> Rc<Result<Verified, Refused>> {
        let mut judged = self.judged.borrow_mut();
        if let Some(known) = &*judged
            && Arc::ptr_eq(&known.by, asking)
            && now
                .duration_since(known.at)
                .is_ok_and(|since| since < HOLDS)
        {
            return Rc::clone(&known.outcome);
        }
        let (leaf, above) = self
            .chain
            .split_first()
            .expect("only what was shown is judged");
        let outcome = Rc::new(asking.clients.verify(leaf, above, now));
        *judged = Some(Judged {
            by: Arc::clone(asking),
            at: now,
            outcome: Rc::clone(&outcome),
        });
        outcome
    }
}

impl Known {
    /// What `presented` is for `host`, by the configuration `live` and the clock.
    ///
    /// A connection that was made under another name counts only where that asks in the same way: its client
    /// may have chosen its certificate, or to show none, for that name. Where the host itself asks in another
    /// way meanwhile, a certificate that is believed still counts; without one, the client is to come again,
    /// since it may have one for the new way.
    pub(crate) fn of(
        live: &Live,
        presented: Option<&Presented>,
        host: Option<&HostRoutes>,
    ) -> Self {
        let Some((host, trust)) = host.and_then(|host| Some((host, host.client_trust.as_ref()?)))
        else {
            return Self::NotAsked;
        };
        let asking = match live.asking(trust) {
            Ok(asking) => asking,
            Err(why) => return Self::Unusable(why.into()),
        };
        let Some(presented) = presented else {
            return Self::NotAsked;
        };
        let alike = presented.trust == *trust;
        if presented.chain.is_empty() {
            return if alike { Self::Nothing } else { Self::NotAsked };
        }
        let asked = live.routes.host(&presented.server_name);
        if !alike && !asked.is_some_and(|asked| std::ptr::eq(asked, host)) {
            return Self::NotAsked;
        }
        let outcome = presented.judge(asking, SystemTime::now());
        if alike || outcome.is_ok() {
            Self::Judged(outcome)
        } else {
            Self::NotAsked
        }
    }

    /// As the decision takes it.
    pub(crate) fn shown(&self) -> Shown<'_> {
        match self {
            Self::NotAsked => Shown::NotAsked,
            Self::Nothing => Shown::Nothing,
            Self::Unusable(why) => Shown::Unusable(why),
            Self::Judged(outcome) => match &**outcome {
                Ok(verified) => Shown::Verified(verified),
                Err(refused) => Shown::Refused(refused),
            },
        }
    }
}
