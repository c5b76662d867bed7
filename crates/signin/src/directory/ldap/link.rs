//! Operations over a connection. `ldap3` speaks at one end of a socket pair; what the server says gets there only
//! after it was looked at.

use super::super::Fault;
use super::meaning::{self, Bound, Found};
use guard::entrance::Typed;
use ldap3::{
    DerefAliases, Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry,
    SearchOptions, StdStream,
};
use net::stream::Stream;
use proto::ldap::{Kind, answer};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one operation may take.
const STEP: Duration = Duration::from_secs(5);
/// The most bytes that a server may say in one login.
const MOST: usize = 4 * 1024 * 1024;
/// How much is read at once.
const ROOM: usize = 16 * 1024;

/// A connection on which one login is asked.
pub(super) struct Link {
    ldap: Ldap,
    url: String,
    watch: Arc<Watch>,
    /// They end with the link.
    _tasks: JoinSet<()>,
}

/// What both ends of the socket pair know.
#[derive(Debug, Default)]
struct Watch {
    /// A search is under way; else it is a bind.
    searching: AtomicBool,
    /// Why the connection is over.
    end: OnceLock<String>,
}

/// Which entries a search looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Within<'a> {
    /// This one.
    Only(&'a str),
    /// This one and all below it.
    Below(&'a str),
}

/// An entry that was found.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// The values of an attribute, of all its parts where a server cuts long lists (`memberOf;range=0-1499`).
    pub(super) fn values<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'a str> + Clone + 'a {
        let is_meant = move |found: &str| {
            let plain = found.split(';').next().unwrap_or_default();
            found.eq_ignore_ascii_case(name) || plain.eq_ignore_ascii_case(name)
        };
        let attributes = self.attributes.iter();
        let meant = attributes.filter(move |(found, _)| is_meant(found));
        meant.flat_map(|(_, values)| values.iter().map(String::as_str))
    }
}

impl Link {
    /// Operations over `stream`, whose server is called `url`.
    pub(super) async fn over(stream: Stream, url: &str) -> Result<Self, Fault> {
        let watch = Arc::new(Watch::default());
        let ours = |error: io::Error| unreachable(url, format!("want of room: {error}"));
        let (near, far) = std::os::unix::net::UnixStream::pair().map_err(ours)?;
        near.set_nonblocking(true).map_err(ours)?;
        let near = UnixStream::from_std(near).map_err(ours)?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(far));
        let opened = LdapConnAsync::with_settings(settings, "ldapi:///").await;
        let (driver, ldap) = opened.map_err(|error| unreachable(url, error.to_string()))?;
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&watch);
        tasks.spawn(async move {
            if let Err(error) = carry(stream, near, &shared).await {
                let _ = shared.end.set(error.to_string());
            }
        });
        tasks.spawn(async move {
            // What goes wrong is told where it was asked for.
            let _ = driver.drive().await;
        });
        Ok(Self {
            ldap,
            url: url.to_owned(),
            watch,
            _tasks: tasks,
        })
    }

    /// Binds; the password must not be empty, since that would be no bind at all (RFC 4513 section 5.1.2).
    pub(super) async fn bind(&mut self, name: &str, password: &Typed) -> Result<Bound, Fault> {
        if name.is_empty() || password.as_str().is_empty() {
            return Ok(Bound::Refused(
                "the name or the password is empty".to_owned(),
            ));
        }
        self.watch.searching.store(false, Ordering::Release);
        let asked = timeout(STEP, self.ldap.simple_bind(name, password.as_str())).await;
        let result = self.got(asked)?;
        meaning::bound(result.rc, &result.text).map_err(|why| self.unfit(why))
    }

    /// Searches; the server is asked for `most` entries at most, and for these attributes.
    pub(super) async fn search(
        &mut self,
        within: Within<'_>,
        filter: &str,
        attributes: &[&str],
        most: i32,
    ) -> Result<Found, Fault> {
        self.watch.searching.store(true, Ordering::Release);
        let seconds = i32::try_from(STEP.as_secs()).unwrap_or(i32::MAX);
        let options = SearchOptions::new()
            .deref(DerefAliases::Never)
            .sizelimit(most)
            .timelimit(seconds);
        let (base, scope) = match within {
            Within::Only(base) => (base, Scope::Base),
            Within::Below(base) => (base, Scope::Subtree),
        };
        let ldap = self.ldap.with_search_options(options);
        let asked = timeout(STEP, ldap.search(base, scope, filter, attributes)).await;
        let found = self.got(asked)?;
        if let Err(why) = meaning::searched(found.1.rc, &found.1.text) {
            return Ok(Found::Hidden(why));
        }
        let entries = found.0.into_iter().map(|found| {
            // It can not panic: `proto::ldap` has looked at every part of it.
            let entry = SearchEntry::construct(found);
            Entry {
                dn: entry.dn,
                attributes: entry.attrs.into_iter().collect(),
            }
        });
        let entries = entries.collect();
        Ok(match found.1.rc {
            0 => Found::Entries(entries),
            _ => Found::Some(entries),
        })
    }

    fn got<T>(
        &self,
        asked: Result<ldap3::result::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, Fault> {
        match asked {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(LdapError::FilterParsing)) => Err(self.unfit("a filter of ours is none")),
            Ok(Err(_)) => {
                let why = self.watch.end.get().map_or("it hangs up", String::as_str);
                Err(unreachable(&self.url, why))
            }
            Err(_) => Err(unreachable(&self.url, "it does not answer in time")),
        }
    }

    fn unfit(&self, why: impl Into<String>) -> Fault {
        Fault::Unfit {
            server: self.url.clone(),
            why: why.into(),
        }
    }
}

fn unreachable(url: &str, why: impl Into<String>) -> Fault {
    Fault::Unreachable {
        server: url.to_owned(),
        why: why.into(),
    }
}

/// Carries what both say until one ends.
async fn carry(stream: Stream, near: UnixStream, watch: &Watch) -> io::Result<()> {
    let (server, mut to_server) = tokio::io::split(stream);
    let (mut asked, answers) = near.into_split();
    tokio::select! {
        asked = tokio::io::copy(&mut asked, &mut to_server) => asked.map(drop),
        told = tell(server, answers, watch) => told,
    }
}

/// Passes on what is an answer to what was asked.
async fn tell(
    mut server: ReadHalf<Stream>,
    mut answers: OwnedWriteHalf,
    watch: &Watch,
) -> io::Result<()> {
    let mut waiting = Vec::new();
    let mut room = vec![0; ROOM];
    let mut all = 0;
    loop {
        let count = server.read(&mut room).await?;
        if count == 0 {
            return Err(io::Error::other("it hangs up"));
        }
        all += count;
        if all > MOST {
            return Err(io::Error::other("it says more than any login needs"));
        }
        waiting.extend_from_slice(&room[..count]);
        let mut done = 0;
        while let Some(said) = answer(&waiting[done..]).map_err(io::Error::other)? {
            done += said.length;
            let searching = watch.searching.load(Ordering::Acquire);
            match said.kind {
                _ if said.id == 0 => return Err(io::Error::other("it ends the connection")),
                Kind::Other => {}
                Kind::Entry | Kind::Done(_) if searching => answers.write_all(&said.plain).await?,
                Kind::Bound(_) if !searching => answers.write_all(&said.plain).await?,
                _ => return Err(io::Error::other("it answers what was not asked")),
            }
        }
        waiting.drain(..done);
    }
}
