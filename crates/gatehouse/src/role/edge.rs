//! The process that talks to the world.

use super::host;
use crate::message::Load;
use anyhow::{Context as _, anyhow};
use certs::Answers;
use net::Listener;
use proxy::{Inside, Proxy};
use service::Context;
use signin::{SignIn, Supplies};
use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::spawn_local;

/// Serves what the configuration publishes, until the supervisor says stop.
///
/// # Errors
/// The process could not be shut in, or its link broke.
pub fn edge() -> anyhow::Result<()> {
    // What certificate authorities find here, whatever configuration is in force.
    let answers = Answers::default();
    let proofs = answers.clone();
    host::<Proxy, _>(
        async |context, _| {
            let pages = RefCell::new(None);
            let places = Arc::new(Semaphore::new(MOST_INSIDE));
            Ok(move |load: &Load, listeners| {
                let inside = |made| inside(made, Arc::clone(&places));
                configure(load, listeners, (&answers, &inside), (&context, &pages))
            })
        },
        Some(proofs),
    )
}

/// The login pages of the configuration before; what they know outlives a reload.
type Pages = RefCell<Option<Arc<SignIn>>>;

fn configure(
    load: &Load,
    listeners: Vec<Listener>,
    (answers, inside): (&Answers, &dyn Fn(Arc<SignIn>) -> Inside),
    (context, pages): (&Context, &Pages),
) -> anyhow::Result<proxy::Config> {
    let checked = config::check(&load.text, &load.file).map_err(|faults| anyhow!("{faults}"))?;
    let supplies = Supplies {
        secrets: load.secrets.clone(),
        files: load.files.clone(),
        names: load.names.clone(),
    };
    let mut pages = pages.borrow_mut();
    let made = SignIn::new(&checked.config, &supplies, context, pages.as_deref());
    let made = Arc::new(made.context("the login page")?);
    *pages = Some(Arc::clone(&made));
    Ok(proxy::Config {
        config: Arc::new(checked.config),
        certificates: load.certificates.clone(),
        identity: load.identity.clone(),
        listeners,
        files: load.files.clone(),
        names: load.names.clone(),
        answers: answers.clone(),
        inside: inside(made),
    })
}

/// Connections to the login pages at a time, of all workers; each takes two descriptors, which others want, too.
const MOST_INSIDE: usize = 512;

/// A connection to the login pages, which are served by the worker that asks for it.
fn inside(pages: Arc<SignIn>, places: Arc<Semaphore>) -> Inside {
    Inside::new(move || {
        let place = Arc::clone(&places).try_acquire_owned();
        let place = place.map_err(|_| io::Error::other("too many are at the login page"))?;
        let (ours, theirs) = UnixStream::pair()?;
        let served = Arc::clone(&pages).serve(theirs);
        spawn_local(async move {
            served.await;
            drop(place);
        });
        Ok(ours)
    })
}
