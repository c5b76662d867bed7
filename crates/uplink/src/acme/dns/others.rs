//! The other name servers of a zone. A CA asks any of them, and one that takes records over from the primary may be slow.

use super::super::http::addresses;
use super::super::problem::clean;
use super::message::{A, AAAA, NS, Record, Reply, TXT, name, question, reply, text};
use super::{NameServer, Place, number, tcp};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout};

/// How long the others may take until they have what the primary has.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often they are asked meanwhile.
const AGAIN: Duration = Duration::from_secs(2);
/// For one datagram and its answer.
const LIMIT: Duration = Duration::from_secs(2);
/// Datagrams that one question may take: one may be lost.
const TRIES: usize = 2;
/// Name servers of a zone that are asked, and addresses of all of them.
const SERVERS: usize = 13;
const ADDRESSES: usize = 16;
/// Where all name servers answer.
const PORT: u16 = 53;

/// A record that a name server of its zone is to have.
struct Open {
    server: Server,
    /// The name of the record, and its text.
    name: String,
    text: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    name: String,
    address: IpAddr,
}

/// What a name server says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Here,
    NotHere,
    /// Nothing, or nothing about that zone.
    Nothing,
}

impl NameServer<'_> {
    /// Waits until every other name server of the zones has the records, as far as it answers at all; tells `told` for
    /// whom. Returns what there is to say of those that still lack one: the CA may ask others.
    pub(in super::super) async fn spread(
        &self,
        records: &[(Place, String)],
        told: impl AsyncFnOnce(String),
    ) -> Option<String> {
        let mut open = self.others(records).await;
        let mut silent = BTreeSet::new();
        let until = Instant::now() + PATIENCE;
        let mut told = Some(told);
        loop {
            look(&mut open, &mut silent).await;
            if open.is_empty() {
                break;
            }
            if let Some(told) = told.take() {
                let names = list(open.iter().map(|one| &one.server));
                let minutes = PATIENCE.as_secs() / 60;
                told(format!(
                    "waits {minutes} minutes at most for name servers that do not have the proof yet: {names}"
                ))
                .await;
            }
            if Instant::now() + AGAIN > until {
                break;
            }
            sleep(AGAIN).await;
        }
        remark(&open, &silent)
    }

    /// Each record with each of the other servers of its zone.
    async fn others(&self, records: &[(Place, String)]) -> Vec<Open> {
        let zones: BTreeSet<&str> = records.iter().map(|(p, _)| p.zone.as_str()).collect();
        let mut open = Vec::new();
        for zone in zones {
            let servers = self.servers(zone).await;
            let records = records.iter().filter(|(place, _)| place.zone == zone);
            for (place, text) in records {
                open.extend(servers.iter().map(|server| Open {
                    server: server.clone(),
                    name: place.name.clone(),
                    text: text.clone(),
                }));
            }
        }
        open
    }

    /// The servers of `zone` without the primary; those that can not be found are left out.
    async fn servers(&self, zone: &str) -> Vec<Server> {
        let Ok((message, found)) = self.ask(zone, NS).await else {
            return Vec::new();
        };
        let records = found.answers.iter().filter(|r| r.kind == NS);
        let names = records.filter_map(|record| Some(name(&message, record.data.start).ok()?.0));
        let mut servers = BTreeSet::new();
        for name in names.take(SERVERS).collect::<BTreeSet<_>>() {
            for address in self.addresses_of(&name).await {
                let is_primary = self.addresses.iter().any(|known| known.ip() == address);
                if !is_primary && servers.len() < ADDRESSES {
                    let name = name.clone();
                    servers.insert(Server { name, address });
                }
            }
        }
        servers.into_iter().collect()
    }

    /// As the zone has them, for that is where a CA looks; as others say, where they are in another zone.
    async fn addresses_of(&self, server: &str) -> Vec<IpAddr> {
        let mut own = Vec::new();
        for kind in [A, AAAA] {
            if let Ok((message, found)) = self.ask(server, kind).await
                && found.authoritative
            {
                own.extend(found.answers.iter().filter_map(|r| address(&message, r)));
            }
        }
        if own.is_empty() {
            let found = addresses(self.resolver, server, PORT).await;
            own.extend(found.unwrap_or_default().iter().map(SocketAddr::ip));
        }
        own
    }
}

/// Asks for all that is open, and leaves what is still missing. Who says nothing is not asked again.
async fn look(open: &mut Vec<Open>, silent: &mut BTreeSet<Server>) {
    let mut missing = Vec::new();
    for one in open.drain(..) {
        if silent.contains(&one.server) {
            continue;
        }
        match ask(one.server.address, &one.name, &one.text).await {
            Said::Here => {}
            Said::NotHere => missing.push(one),
            Said::Nothing => drop(silent.insert(one.server)),
        }
    }
    *open = missing;
}

async fn ask(server: IpAddr, name: &str, wanted: &str) -> Said {
    for _ in 0..TRIES {
        match timeout(LIMIT, exchange(server, name)).await {
            Ok(Ok(answer)) => return said(&answer, wanted),
            // It can not be reached from here.
            Ok(Err(_)) => return Said::Nothing,
            Err(_) => {}
        }
    }
    Said::Nothing
}

/// One question as a CA asks it: by a datagram, and by a connection where the answer is too long for one.
async fn exchange(server: IpAddr, name: &str) -> io::Result<Vec<u8>> {
    let id = number().map_err(|failure| io::Error::other(failure.text))?;
    let asked = question(id, name, TXT).map_err(io::Error::other)?;
    let ours: IpAddr = match server {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((ours, 0)).await?;
    socket.connect((server, PORT)).await?;
    socket.send(&asked).await?;
    let mut answer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut answer).await?;
        let message = answer.get(..length).unwrap_or_default();
        match reply(message) {
            Ok(read) if read.id == id && read.truncated => break,
            Ok(read) if read.id == id => return Ok(message.to_vec()),
            _ => {}
        }
    }
    let to = [SocketAddr::new(server, PORT)];
    tcp(&to, &asked, LIMIT).await.map_err(io::Error::other)
}

/// What an answer says of the record with this text.
fn said(message: &[u8], wanted: &str) -> Said {
    match reply(message) {
        Ok(Reply {
            code: 0 | 3,
            authoritative: true,
            answers,
            ..
        }) => {
            let mut texts = answers.iter().filter(|r| r.kind == TXT);
            if texts.any(|r| text(&message[r.data.clone()]) == wanted.as_bytes()) {
                Said::Here
            } else {
                Said::NotHere
            }
        }
        _ => Said::Nothing,
    }
}

fn address(message: &[u8], record: &Record) -> Option<IpAddr> {
    let data = message.get(record.data.clone())?;
    match record.kind {
        A => Some(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
        AAAA => Some(IpAddr::from(<[u8; 16]>::try_from(data).ok()?)),
        _ => None,
    }
}

fn remark(open: &[Open], silent: &BTreeSet<Server>) -> Option<String> {
    let mut parts = Vec::new();
    if !open.is_empty() {
        let names = list(open.iter().map(|one| &one.server));
        let minutes = PATIENCE.as_secs() / 60;
        parts.push(format!(
            "after {minutes} minutes these name servers did not have it yet: {names}; have the primary notify them"
        ));
    }
    if !silent.is_empty() {
        let names = list(silent.iter());
        parts.push(format!(
            "these name servers did not answer for the zone: {names}"
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Name servers in a sentence, each once.
fn list<'a>(servers: impl Iterator<Item = &'a Server>) -> String {
    let servers: BTreeSet<&Server> = servers.collect();
    let servers = servers.iter();
    let names = servers.map(|server| format!("{} ({})", server.name, server.address));
    clean(&names.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
