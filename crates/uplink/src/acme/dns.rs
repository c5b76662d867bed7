//! TXT records in a zone whose name server takes updates (RFC 2136), signed by a key (RFC 8945), over TCP.

mod message;
mod others;
mod tsig;

use super::http::addresses;
use super::order::{Blame, DnsUpdate, Failure};
use super::problem::{clean, unfit};
use data_encoding::BASE64;
use message::{Broken, CNAME, Change, Reply, SOA, TXT, name, question, reply, text, update};
use net::connect::connect;
use net::resolve::Resolver;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};
use tsig::{Distrust, Key};

/// For one question and its answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a name server may take until it gives out what it has taken.
const SEEN: Duration = Duration::from_mins(1);
/// How often it is asked meanwhile.
const AGAIN: Duration = Duration::from_secs(1);
/// How many aliases may lead to the record.
const ALIASES: usize = 8;
/// The refusals that say that it has no such zone (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
const NOT_THERE: [u8; 4] = [2, 5, 9, 10];

/// A name server that takes records from us.
pub(super) struct NameServer<'a> {
    server: &'a str,
    addresses: Vec<SocketAddr>,
    key: Key,
    resolver: &'a Resolver,
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    zone: String,
    name: String,
}

impl<'a> NameServer<'a> {
    /// The server that `to` names.
    ///
    /// # Errors
    /// Ours, when the key is none; the server's, when its name has no address.
    pub(super) async fn new(to: &'a DnsUpdate, resolver: &'a Resolver) -> Result<Self, Failure> {
        let secret = BASE64.decode(to.tsig_key.trim().as_bytes()).ok();
        let secret = secret.filter(|secret| !secret.is_empty());
        let secret = secret.ok_or_else(|| {
            unfit("the secret of the TSIG key is not base64; copy it from the name server")
        })?;
        let key = Key::new(&to.tsig_name, &secret)
            .map_err(|error| unfit(format!("the name of the TSIG key: {error}")))?;
        let (host, port) = split(&to.server);
        let found = addresses(resolver, host, port).await;
        let addresses = found.map_err(|why| fault(&to.server, &why))?;
        Ok(Self {
            server: &to.server,
            addresses,
            key,
            resolver,
        })
    }

    /// Where the record for `name` is to stand: aliases are followed, and its zone is found.
    ///
    /// # Errors
    /// The server's, mostly for not having the zone.
    pub(super) async fn place(&self, host: &str) -> Result<Place, Failure> {
        let mut name = format!("_acme-challenge.{host}");
        for _ in 0..ALIASES {
            let Some(target) = self.alias(&name).await? else {
                let zone = self.zone(&name).await?;
                return Ok(Place { zone, name });
            };
            name = target;
        }
        let why = format!("{ALIASES} aliases lead away from _acme-challenge.{host}");
        Err(fault(self.server, &why))
    }

    /// Puts the record there, or takes it away.
    ///
    /// # Errors
    /// The server's: it does not take it.
    pub(super) async fn add(&self, place: &Place, text: &str) -> Result<(), Failure> {
        self.change(place, text, Change::Add).await
    }

    /// As [`NameServer::add`].
    pub(super) async fn remove(&self, place: &Place, text: &str) -> Result<(), Failure> {
        self.change(place, text, Change::Remove).await
    }

    /// Waits until the server gives the record out.
    ///
    /// # Errors
    /// The server's: it does not.
    pub(super) async fn wait_for(&self, place: &Place, wanted: &str) -> Result<(), Failure> {
        let until = Instant::now() + SEEN;
        loop {
            let (message, found) = self.ask(&place.name, TXT).await?;
            let mut records = found.answers.iter().filter(|r| r.kind == TXT);
            if records.any(|r| text(&message[r.data.clone()]) == wanted.as_bytes()) {
                return Ok(());
            }
            if Instant::now() + AGAIN > until {
                let why = format!(
                    "it has taken the record {} and does not give it out; another server may be the primary",
                    place.name
                );
                return Err(fault(self.server, &why));
            }
            sleep(AGAIN).await;
        }
    }

    async fn change(&self, place: &Place, text: &str, change: Change) -> Result<(), Failure> {
        let Place { zone, name } = place;
        let message = update(number()?, zone, name, text, change);
        let message = message.map_err(|why| fault(self.server, &format!("{name}: {why}")))?;
        let (_, reply) = self.exchange(message).await?;
        match reply.code {
            0 => Ok(()),
            5 => Err(fault(
                self.server,
                &format!("it does not let this key change TXT records at {name}; allow that there"),
            )),
            code => Err(fault(
                self.server,
                &format!("it does not take the update of {zone} ({})", told(code)),
            )),
        }
    }

    /// What `name` is an alias of, as the server says, or others, where it does not know.
    async fn alias(&self, asked: &str) -> Result<Option<String>, Failure> {
        let (message, found) = self.ask(asked, CNAME).await?;
        if NOT_THERE.contains(&found.code) {
            // The alias may stand in a zone of somebody else; one that nobody tells is none.
            return Ok(self.resolver.alias(asked).await.unwrap_or_default());
        }
        let mut aliases = found.answers.iter();
        let alias = aliases.find(|r| r.kind == CNAME && r.name == asked.to_ascii_lowercase());
        let Some(alias) = alias else { return Ok(None) };
        let target = name(&message, alias.data.start);
        let (target, _) = target.map_err(|why| fault(self.server, &why.to_string()))?;
        Ok(Some(target))
    }

    /// The zone of `name`: what the server has it from says so, even where there is no such name.
    async fn zone(&self, name: &str) -> Result<String, Failure> {
        let mut candidate = name;
        loop {
            let (_, found) = self.ask(candidate, SOA).await?;
            let mut records = found.answers.iter().chain(&found.authority);
            let zone = records.find(|r| r.kind == SOA && is_within(name, &r.name));
            if let Some(zone) = zone.filter(|_| found.authoritative) {
                return Ok(zone.name.clone());
            }
            let Some((_, above)) = candidate.split_once('.') else {
                let why = format!(
                    "it has no zone that {} belongs to; name the primary of that zone",
                    clean(name)
                );
                return Err(fault(self.server, &why));
            };
            candidate = above;
        }
    }

    async fn ask(&self, name: &str, kind: u16) -> Result<(Vec<u8>, Reply), Failure> {
        let message = question(number()?, name, kind);
        let message = message.map_err(|why| fault(&clean(name), &why.to_string()))?;
        self.exchange(message).await
    }

    async fn exchange(&self, message: Vec<u8>) -> Result<(Vec<u8>, Reply), Failure> {
        let why = match timeout(LIMIT, self.talk(message)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why,
            Err(_) => format!("it did not answer within {} s", LIMIT.as_secs()),
        };
        Err(fault(self.server, &why))
    }

    async fn talk(&self, message: Vec<u8>) -> Result<(Vec<u8>, Reply), String> {
        let signed = self.key.sign(message, now()).map_err(|e| e.to_string())?;
        let answer = tcp(&self.addresses, &signed.message, LIMIT).await?;
        let read = reply(&answer).map_err(|e| e.to_string())?;
        if read.id != u16::from_be_bytes([signed.message[0], signed.message[1]]) {
            return Err(Broken::Message.to_string());
        }
        match self.key.verify(&answer, &read, &signed, now()) {
            Ok(()) => Ok((answer, read)),
            // Who has no zone need not know the key.
            Err(Distrust::Unsigned) if read.code != 0 => {
                Err(format!("it refuses ({})", told(read.code)))
            }
            Err(distrust) => Err(distrust.to_string()),
        }
    }
}

/// One message, and the one that answers it; `limit` is for the connection alone.
async fn tcp(to: &[SocketAddr], message: &[u8], limit: Duration) -> Result<Vec<u8>, String> {
    let mut io = connect(to, limit)
        .await
        .map_err(|error| format!("it can not be reached: {error}"))?;
    let length = u16::try_from(message.len()).map_err(|e| e.to_string())?;
    // In one piece: some servers want the length together with the message.
    let mut sent = length.to_be_bytes().to_vec();
    sent.extend_from_slice(message);
    let broke = |error: std::io::Error| format!("it broke off: {error}");
    io.write_all(&sent).await.map_err(broke)?;
    let mut answer = vec![0; usize::from(io.read_u16().await.map_err(broke)?)];
    io.read_exact(&mut answer).await.map_err(broke)?;
    Ok(answer)
}

/// Reads an answer and all names in it, for the fuzzer.
pub(super) fn chew(answer: &[u8]) {
    let Ok(read) = reply(answer) else { return };
    let key = Key::new("box.example", b"secret").expect("it is a name");
    let asked = key.sign(answer.to_vec(), 0);
    let asked = asked.expect("what could be read has a head and a length");
    // Nobody without the key can sign.
    assert!(key.verify(answer, &read, &asked, 0).is_err());
    for record in read.answers.iter().chain(&read.authority) {
        let _ = name(answer, record.data.start);
        text(&answer[record.data.clone()]);
    }
}

fn fault(server: &str, why: &str) -> Failure {
    Failure {
        blame: Blame::NameServer,
        text: format!("name server {}: {}", clean(server), clean(why)),
        retry_after: None,
    }
}

/// Name or address, and port.
fn split(server: &str) -> (&str, u16) {
    let bare = |text: &'_ str| text.parse::<Ipv6Addr>().is_ok();
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !bare(server) && !server.ends_with(']') => {
            (host, port.parse().unwrap_or(53))
        }
        _ => (server, 53),
    };
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    (inner.unwrap_or(host), port)
}

/// RFC 1035 section 4.1.1, RFC 2136 section 2.2.
fn told(code: u8) -> String {
    let name = match code {
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        code => return format!("code {code}"),
    };
    name.to_owned()
}

fn is_within(name: &str, zone: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let above = name.strip_suffix(zone);
    zone.is_empty() || above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

fn number() -> Result<u16, Failure> {
    let mut bytes = [0; 2];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| unfit(format!("the system gives no randomness: {error}")))?;
    Ok(u16::from_be_bytes(bytes))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_have_a_port() {
        for (text, expected) in [
            ("ns.example", ("ns.example", 53)),
            ("ns.example:5353", ("ns.example", 5353)),
            ("192.0.2.1:54", ("192.0.2.1", 54)),
            ("2001:db8::1", ("2001:db8::1", 53)),
            ("[2001:db8::1]:54", ("2001:db8::1", 54)),
            ("[2001:db8::1]", ("2001:db8::1", 53)),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_within_its_zone_by_whole_labels() {
        for (name, zone, expected) in [
            ("_acme-challenge.HQ.example", "hq.example", true),
            ("hq.example", "hq.example", true),
            ("notexample", "example", false),
            ("example", "hq.example", false),
            ("example", "", true),
        ] {
            assert_eq!(is_within(name, zone), expected, "{name} {zone}");
        }
    }
}
