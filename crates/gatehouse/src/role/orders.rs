//! What this process asks of certificate authorities.

use certs::Answers;
use net::resolve::Names;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use uplink::acme::{self, News, Wanted};

/// How much news waits for the link at most; an order waits with its next one.
const NEWS: usize = 64;

/// The orders that are under way. They go on through every reload; dropped, they are given up.
pub(super) struct Orders {
    wanted: watch::Sender<Wanted>,
    names: watch::Sender<Names>,
}

impl Orders {
    /// None yet, and what will be told; `answers` is what authorities find where they look. Without it nothing is
    /// ever ordered.
    pub(super) fn new(answers: Option<Answers>) -> (Self, mpsc::Receiver<News>) {
        let (wanted, wanted_seen) = watch::channel(Wanted::default());
        let (names, mut names_seen) = watch::channel(Names::default());
        let (news, heard) = mpsc::channel(NEWS);
        if let Some(answers) = answers {
            spawn_local(async move {
                // Before the first configuration no name leads anywhere, and nobody would answer an authority.
                if names_seen.changed().await.is_ok() {
                    acme::run(wanted_seen, names_seen, answers, news).await;
                }
            });
        }
        (Self { wanted, names }, heard)
    }

    /// This is to be had from now on, and nothing else.
    pub(super) fn set(&self, wanted: Wanted) {
        self.wanted.send_replace(wanted);
    }

    /// How names are resolved from now on.
    pub(super) fn resolve_by(&self, names: &Names) {
        self.names.send_replace(names.clone());
    }
}
