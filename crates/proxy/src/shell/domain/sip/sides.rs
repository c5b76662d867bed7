//! The addresses of both sides of a connection, which are exchanged in its messages.

use crate::shell::domain::caller::{Caller, Reached};
use crate::shell::live::Live;
use config::TargetHost;
use sip::rewrite::{Legs, Mapping, Place};
use std::net::IpAddr;

/// The addresses of both sides of a connection.
pub(super) struct Sides {
    target: TargetHost,
    server: IpAddr,
    /// The ports of the target, plain and TLS.
    ports: (u16, u16),
    ours: IpAddr,
    towards: IpAddr,
    legs: Legs,
}

impl Sides {
    pub(super) fn of(caller: &Caller, reached: &Reached) -> Option<Self> {
        let (plain, secure) = reached.ports;
        Some(Self {
            target: reached.key().host.clone(),
            server: reached.target.peer_addr().ok()?.ip(),
            ports: (plain.or(secure)?, secure.or(plain)?),
            ours: caller.identity.local().ip(),
            towards: reached.target.local_addr().ok()?.ip(),
            legs: match (caller.identity.tls(), reached.key().tls.is_some()) {
                (true, true) => Legs::Secure,
                (true, false) => Legs::SecureToPlain,
                (false, _) => Legs::Plain,
            },
        })
    }

    /// What is exchanged, where the configuration says what our address is from outside.
    pub(super) fn mapping(&self, live: &Live) -> Option<Mapping> {
        let site = live.sip_site.as_ref()?;
        let own = |ip| Place::at(ip, site.listen.0, site.listen.1);
        let (plain, secure) = self.ports;
        let mut inside = vec![Place::at(self.server, plain, secure)];
        if let TargetHost::Name(name) = &self.target {
            inside.extend(Place::new(name, plain, secure));
        }
        inside.push(own(self.ours));
        if self.towards.to_canonical() != self.ours.to_canonical() {
            inside.push(own(self.towards));
        }
        let outside = vec![site.public.clone(), own(self.ours)];
        Mapping::new(inside, outside, self.legs)
    }
}
