//! The zones that this process answers for certificate authorities.

use certs::Answers;
use net::{ListenKey, Listener};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_local};
use uplink::acme::zone::{self, Zone};

/// What is answered, and where.
pub(super) struct Zones {
    known: watch::Sender<Arc<[Zone]>>,
    answers: Answers,
    serving: BTreeMap<ListenKey, AbortHandle>,
}

impl Zones {
    /// Nothing yet; `answers` holds the proofs.
    pub(super) fn new(answers: Answers) -> Self {
        Self {
            known: watch::Sender::new(Arc::default()),
            answers,
            serving: BTreeMap::new(),
        }
    }

    /// Answers `zones`, each with the name of its server, on these listeners from now on, and nowhere else. What is
    /// answered on already goes on.
    ///
    /// # Errors
    /// A socket can not be used: ours.
    pub(super) fn answer(
        &mut self,
        listeners: Vec<Listener>,
        zones: &[(String, String)],
    ) -> io::Result<()> {
        let known = zones.iter();
        let known = known.filter_map(|(apex, server)| Zone::new(apex, server));
        self.known.send_replace(known.collect());
        self.serving.retain(|key, task| {
            let stays = listeners.iter().any(|listener| listener.key == *key);
            if !stays {
                task.abort();
            }
            stays
        });
        for listener in listeners {
            if !self.serving.contains_key(&listener.key) {
                let serving = zone::serve(&listener, &self.known.subscribe(), &self.answers)?;
                let task = spawn_local(serving).abort_handle();
                self.serving.insert(listener.key, task);
            }
        }
        Ok(())
    }

    /// Answers nothing any more.
    pub(super) fn close(&mut self) {
        for task in std::mem::take(&mut self.serving).into_values() {
            task.abort();
        }
    }
}
