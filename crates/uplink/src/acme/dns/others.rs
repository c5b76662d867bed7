//! The other name servers of a zone. A CA asks any of them, and one that takes records over from the primary may be slow.

mod ask;

use super::super::http::addresses;
use super::super::problem::clean;
use super::message::{A, AAAA, NS, Record, name};
use super::{NameServer, Place};
use ask::{Said, ask};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long all of this may take: finding the others, and waiting until they have what the primary has.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long finding them may take of that.
const FINDING: Duration = Duration::from_secs(30);
/// How often they are asked meanwhile.
const AGAIN: Duration = Duration::from_secs(2);
/// Name servers that are asked at one time.
const AT_ONCE: usize = 32;
/// Name servers of a zone that are asked, and addresses of all of them.
const SERVERS: usize = 13;
const ADDRESSES: usize = 16;
/// Where all name servers answer.
const PORT: u16 = 53;

/// The records of one zone that one of its name servers is to have. One that says nothing of this zone may serve another.
#[derive(Clone)]
struct Part {
    server: Server,
    /// Names and texts of the records that it was not seen to have.
    open: Vec<(String, String)>,
    /// It answers for the zone, and lacked a record.
    lacks: bool,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    name: String,
    address: SocketAddr,
}

impl NameServer<'_> {
    /// Waits until every other name server of the zones has the records, as far as it answers at all, for two minutes at
    /// most; tells `told` for whom. Returns what there is to say of those that still lack one: the CA may ask others.
    pub(in super::super) async fn spread(
        &self,
        records: &[(Place, String)],
        told: impl AsyncFnOnce(String),
    ) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        let mut parts = Vec::new();
        // Those that are not found in time are left out.
        let _ = timeout(FINDING, self.others(records, &mut parts)).await;
        let mut told = Some(told);
        loop {
            look(&mut parts, until).await;
            // Nobody waits for silence alone: a CA passes over it, too.
            if !parts.iter().any(|part| part.lacks) {
                break;
            }
            if let Some(told) = told.take() {
                let names = list(parts.iter().filter(|part| part.lacks));
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
        remark(&parts)
    }

    /// Adds each zone with each of its other servers to `parts`.
    async fn others(&self, records: &[(Place, String)], parts: &mut Vec<Part>) {
        let mut zones: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
        for (place, text) in records {
            let open = zones.entry(&place.zone).or_default();
            open.push((place.name.clone(), text.clone()));
        }
        // Zones mostly share their servers.
        let mut known = BTreeMap::new();
        for (zone, open) in zones {
            let servers = self.servers(zone, &mut known).await;
            parts.extend(servers.into_iter().map(|server| Part {
                server,
                open: open.clone(),
                lacks: false,
            }));
        }
    }

    /// The servers of `zone` without the primary; those that can not be found are left out. `known` are addresses of servers.
    async fn servers(
        &self,
        zone: &str,
        known: &mut BTreeMap<String, Vec<IpAddr>>,
    ) -> BTreeSet<Server> {
        let mut servers = BTreeSet::new();
        let Ok((message, found)) = self.ask(zone, NS).await else {
            return servers;
        };
        let records = found.answers.iter().filter(|r| r.kind == NS);
        let names = records.filter_map(|record| Some(name(&message, record.data.start).ok()?.0));
        for name in names.take(SERVERS).collect::<BTreeSet<_>>() {
            if !known.contains_key(&name) {
                known.insert(name.clone(), self.addresses_of(&name).await);
            }
            for &address in known.get(&name).into_iter().flatten() {
                let is_primary = self.addresses.iter().any(|ours| ours.ip() == address);
                if !is_primary && is_elsewhere(address) && servers.len() < ADDRESSES {
                    let (name, address) = (name.clone(), SocketAddr::new(address, PORT));
                    servers.insert(Server { name, address });
                }
            }
        }
        servers
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

impl Part {
    /// Asks for what is open, up to the first record that is not seen: the others are not looked for until it is there.
    async fn look(mut self) -> Self {
        while let Some((name, text)) = self.open.last() {
            match ask(self.server.address, name, text).await {
                Said::Here => drop(self.open.pop()),
                Said::NotHere => {
                    self.lacks = true;
                    break;
                }
                // Who lacked it before is waited for all the same.
                Said::Nothing => break,
            }
        }
        self
    }
}

/// Asks all at once, until `until`, and leaves those that were not seen to have everything.
async fn look(parts: &mut Vec<Part>, until: Instant) {
    let mut next = 0;
    let mut asked = JoinSet::new();
    loop {
        while let Some(part) = parts.get(next).filter(|_| asked.len() < AT_ONCE) {
            let (at, part) = (next, part.clone());
            asked.spawn(async move { (at, part.look().await) });
            next += 1;
        }
        match timeout_at(until, asked.join_next()).await {
            Ok(Some(Ok((at, part)))) => parts[at] = part,
            // It stays as it was.
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => break,
        }
    }
    parts.retain(|part| !part.open.is_empty());
}

/// Whether an address can be the one of a single other machine, as a CA could reach it, too: a zone can name any.
fn is_elsewhere(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            // 0.0.0.0/8 and 240.0.0.0/4 are nobody's (RFC 6890 section 2.2.2).
            let is_nobodys = ip.octets()[0] == 0 || ip.octets()[0] >= 240;
            !(is_nobodys || ip.is_loopback() || ip.is_link_local() || ip.is_multicast())
        }
        IpAddr::V6(ip) => {
            let is_near = ip.is_unspecified() || ip.is_loopback() || ip.is_unicast_link_local();
            !(is_near || ip.is_multicast())
        }
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

fn remark(parts: &[Part]) -> Option<String> {
    let (late, silent): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| part.lacks);
    let mut said = Vec::new();
    if !late.is_empty() {
        let names = list(late.into_iter());
        let minutes = PATIENCE.as_secs() / 60;
        said.push(format!(
            "after {minutes} minutes these name servers did not have it yet: {names}; have the primary notify them"
        ));
    }
    if !silent.is_empty() {
        let names = list(silent.into_iter());
        said.push(format!(
            "these name servers did not answer for the zone: {names}"
        ));
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// Name servers in a sentence, each once.
fn list<'a>(parts: impl Iterator<Item = &'a Part>) -> String {
    let servers: BTreeSet<&Server> = parts.map(|part| &part.server).collect();
    let servers = servers.iter();
    let names = servers.map(|server| format!("{} ({})", server.name, server.address.ip()));
    clean(&names.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
