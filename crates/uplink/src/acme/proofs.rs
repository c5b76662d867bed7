//! The proofs of one order, laid out where a CA looks, and taken away again.

use super::dns::{NameServer, Place};
use super::order::{Failure, Proof};
use super::problem::unfit;
use certs::challenge::{Answer, Answers, Held, dns_text, tls_certificate};
use net::resolve::Resolver;
use std::sync::Arc;

/// The proofs of one order. They are to be cleared before this is dropped: what a name server has taken, only it
/// can take back.
pub(super) struct Proofs<'a> {
    proof: &'a Proof,
    answers: &'a Answers,
    resolver: &'a Resolver,
    held: Vec<Held>,
    records: Vec<(Place, String)>,
}

impl<'a> Proofs<'a> {
    /// None yet.
    pub(super) fn new(proof: &'a Proof, answers: &'a Answers, resolver: &'a Resolver) -> Self {
        Self {
            proof,
            answers,
            resolver,
            held: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Lays out the proof of `name` for a challenge with this token.
    ///
    /// # Errors
    /// The name server's, when it does not take the record; ours, when there is no room for it.
    pub(super) async fn lay_out(
        &mut self,
        name: &str,
        token: &str,
        authorization: &str,
    ) -> Result<(), Failure> {
        let answer = match self.proof {
            Proof::Http01 => Answer::Http {
                host: name.to_owned(),
                token: token.to_owned(),
                text: authorization.to_owned(),
            },
            Proof::TlsAlpn01 => Answer::Tls {
                name: name.to_owned(),
                key: Arc::new(
                    tls_certificate(name, authorization)
                        .map_err(|error| unfit(format!("the proof of {name}: {error}")))?,
                ),
            },
            Proof::Dns01Zone(zone) => Answer::Txt {
                name: format!("{name}.{zone}"),
                text: dns_text(authorization),
            },
            Proof::Dns01(to) => {
                let server = NameServer::new(to, self.resolver).await?;
                let (place, text) = (server.place(name).await?, dns_text(authorization));
                // Noted before it is there: an answer may get lost, and nobody else takes it away.
                self.records.push((place.clone(), text.clone()));
                return server.add(&place, &text).await;
            }
        };
        let held = self.answers.add(answer);
        self.held
            .push(held.map_err(|full| unfit(full.to_string()))?);
        Ok(())
    }

    /// Waits until all that was laid out can be seen, and tells `told` where that takes its time. Returns what there is to say
    /// of servers that do not show it even then.
    ///
    /// # Errors
    /// The name server's, when it does not give out what it has taken.
    pub(super) async fn settle(
        &self,
        told: impl AsyncFnOnce(String),
    ) -> Result<Option<String>, Failure> {
        let Proof::Dns01(to) = self.proof else {
            return Ok(None);
        };
        let server = NameServer::new(to, self.resolver).await?;
        for (place, text) in &self.records {
            server.wait_for(place, text).await?;
        }
        Ok(server.spread(&self.records, told).await)
    }

    /// Takes away all that was laid out; a record that the name server does not take back does no harm there.
    pub(super) async fn clear(&mut self) {
        self.held.clear();
        let Proof::Dns01(to) = self.proof else {
            return;
        };
        let records = std::mem::take(&mut self.records);
        if records.is_empty() {
            return;
        }
        if let Ok(server) = NameServer::new(to, self.resolver).await {
            for (place, text) in &records {
                // The next order is not to fail for what is left of this one.
                let _ = server.remove(place, text).await;
            }
        }
    }
}
