//! The zone that the box answers itself, so that `_acme-challenge` of a name somewhere else can be an alias of a name
//! here (RFC 8555 section 8.4).
//!
//! [`Zone`] is pure: a question goes in, an answer comes out. [`serve`] drives it on sockets.

mod shell;

pub use shell::serve;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{NS, SOA, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// The longest answer in one datagram, which no network takes apart (RFC 9715 section 3.1).
const DATAGRAM: u16 = 1232;
/// The longest answer to somebody who does not say what he takes (RFC 1035 section 2.3.4).
const SHORT: u16 = 512;
/// Seconds that an answer may be kept: the next proof is another.
const TTL: u32 = 1;
/// Seconds that the zone's own records may be kept.
const LONG_TTL: u32 = 300;
/// Seconds after which somebody with a copy would ask again, try again and give up; there are no copies.
const COPIES: (i32, i32, i32) = (3600, 600, 86_400);

/// A zone, and the name of the server that answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    apex: Name,
    server: Name,
}

/// What a question came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A datagram, whose sender nobody has proven.
    Datagram,
    /// A connection.
    Stream,
}

impl Zone {
    /// The zone `apex`, answered by the box that the internet calls `server`; none where one of them is no name.
    pub fn new(apex: &str, server: &str) -> Option<Self> {
        let name = |text: &str| {
            let mut name = Name::from_ascii(text).ok()?;
            name.set_fqdn(true);
            (!name.is_root()).then(|| name.to_lowercase())
        };
        Some(Self {
            apex: name(apex)?,
            server: name(server)?,
        })
    }

    fn holds(&self, name: &Name) -> bool {
        self.apex.zone_of(name)
    }

    /// What stands at `name`, which this zone holds, of the type that is asked for.
    ///
    /// A name of the zone always exists, if only without records: some names lie between the zone and a proof, and
    /// a resolver that heard of one that it is not there would not ask for what is below (RFC 8020).
    fn records(&self, name: &Name, kind: RecordType, texts: &[String]) -> Vec<Record> {
        let wants = |one| kind == one || kind == RecordType::ANY;
        let mut found = Vec::new();
        if *name == self.apex {
            if wants(RecordType::SOA) {
                found.push(self.soa(name));
            }
            if wants(RecordType::NS) {
                let data = RData::NS(NS(self.server.clone()));
                found.push(Record::from_rdata(name.clone(), LONG_TTL, data));
            }
        }
        if wants(RecordType::TXT) {
            let record = |text: &String| {
                let data = RData::TXT(TXT::new(vec![text.clone()]));
                Record::from_rdata(name.clone(), TTL, data)
            };
            found.extend(texts.iter().map(record));
        }
        found
    }

    fn soa(&self, owner: &Name) -> Record {
        let (refresh, retry, expire) = COPIES;
        let master = self.server.clone();
        let mailbox = Name::from_ascii("hostmaster").and_then(|name| name.append_domain(&master));
        let data = SOA::new(
            master.clone(),
            mailbox.unwrap_or(master),
            1,
            refresh,
            retry,
            expire,
            TTL,
        );
        Record::from_rdata(owner.clone(), LONG_TTL, RData::SOA(data))
    }
}

/// The answer of `zones` to a message; none to what is no question at all.
///
/// `texts` are the TXT records of a name, in lower case without the final dot.
pub fn answer(
    zones: &[Zone],
    message: &[u8],
    carrier: Carrier,
    texts: impl Fn(&str) -> Vec<String>,
) -> Option<Vec<u8>> {
    // Every further question would be said again in the answer.
    if message.get(4..6) != Some(&[0, 1]) {
        return unreadable(message);
    }
    let question = match Message::from_vec(message) {
        Ok(question) if question.metadata.message_type == MessageType::Query => question,
        // An answer to an answer would go to and fro for ever.
        Ok(_) => return None,
        Err(_) => return unreadable(message),
    };
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.queries.clone_from(&question.queries);
    let mut longest = SHORT;
    if let Some(edns) = &question.edns {
        longest = edns.max_payload().clamp(SHORT, DATAGRAM);
        let mut own = Edns::new();
        own.set_max_payload(DATAGRAM);
        answer.edns = Some(own);
    }
    answer.metadata.response_code = fill(&mut answer, zones, &question, texts);
    let whole = answer.to_vec().ok()?;
    if carrier == Carrier::Datagram && whole.len() > usize::from(longest) {
        let cut = answer.truncate().to_vec().ok();
        return cut.filter(|cut| cut.len() <= usize::from(longest));
    }
    Some(whole)
}

/// The answer to somebody who is to ask again over a connection: never longer than the question, which may come from
/// anywhere. None to what is no plain question.
pub fn by_stream(message: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = message.split_first_chunk::<12>()?;
    if head[2] & 0xF8 != 0 || head[4..6] != [0, 1] {
        return None;
    }
    let mut end = 0;
    while let label @ 1..=63 = *rest.get(end)? {
        end += 1 + usize::from(label);
    }
    let asked = (rest[end] == 0).then_some(rest.get(..end + 5)?)?;
    // A response, cut.
    let flags = head[2] & 0x01 | 0x82;
    let said = [&head[..2], &[flags, 0, 0, 1, 0, 0, 0, 0, 0, 0], asked].concat();
    Some(said)
}

/// Says of a question whose head alone can be read that it is malformed.
fn unreadable(message: &[u8]) -> Option<Vec<u8>> {
    let head = message.first_chunk::<12>()?;
    let is_question = head[2] & 0x80 == 0;
    let id = u16::from_be_bytes([head[0], head[1]]);
    let refusal = Message::error_msg(id, OpCode::Query, ResponseCode::FormErr);
    is_question.then(|| refusal.to_vec().ok()).flatten()
}

/// Puts the records that belong there into `answer`; what it comes to is returned.
fn fill(
    answer: &mut Message,
    zones: &[Zone],
    question: &Message,
    texts: impl Fn(&str) -> Vec<String>,
) -> ResponseCode {
    if question.metadata.op_code != OpCode::Query {
        return ResponseCode::NotImp;
    }
    if question
        .edns
        .as_ref()
        .is_some_and(|edns| edns.version() > 0)
    {
        return bad_version(answer);
    }
    let [asked] = question.queries.as_slice() else {
        return ResponseCode::FormErr;
    };
    let held = zones.iter().filter(|zone| zone.holds(&asked.name));
    let Some(zone) = held.max_by_key(|zone| zone.apex.num_labels()) else {
        return ResponseCode::Refused;
    };
    if asked.query_class != DNSClass::IN || asked.query_type == RecordType::AXFR {
        return ResponseCode::Refused;
    }
    answer.metadata.authoritative = true;
    let plain = asked.name.to_lowercase().to_ascii();
    let texts = texts(plain.trim_end_matches('.'));
    answer.answers = zone.records(&asked.name, asked.query_type, &texts);
    if answer.answers.is_empty() {
        answer.authorities.push(zone.soa(&zone.apex));
    }
    ResponseCode::NoError
}

/// RFC 6891 section 6.1.3: the higher bits of the code stand in the OPT record.
fn bad_version(answer: &mut Message) -> ResponseCode {
    if let Some(edns) = &mut answer.edns {
        edns.set_rcode_high(ResponseCode::BADVERS.high());
    }
    ResponseCode::BADVERS
}

#[cfg(test)]
mod tests;
