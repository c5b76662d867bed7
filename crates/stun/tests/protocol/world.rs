//! A relay with sockets that are numbers, a clock that is told, and clients that speak by `stun_codec`.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytecodec::{DecodeExt as _, EncodeExt as _};
use stun::Now;
use stun::credentials::{Algorithm, Credentials, user_hash};
use stun::message::{Class, Digest, Message, Method, TransactionId, Writer, attribute};
use stun::nonce::Nonces;
use stun::peer::{Allowed, Peers};
use stun::turn::{
    CanNotOpen, Client, Config, Family, Input, LONGEST_ANSWER, Open, Opened, Output, Quota, Quotas,
    Relay, Token, Transport, Turn, Verdict,
};
use stun_codec::rfc5389::attributes::{MessageIntegrity, Nonce, Realm, Username};
use stun_codec::{MessageClass, MessageDecoder, MessageEncoder};

use crate::codec::{Attribute, Theirs};

pub(crate) const REALM: &str = "turn.example.org";
pub(crate) const OURS_V4: &str = "192.88.100.1";
pub(crate) const OURS_V6: &str = "2a00::1";
pub(crate) const PEER: &str = "9.9.9.9:5000";

/// The relay and what is around it.
pub(crate) struct World {
    pub(crate) turn: Turn,
    pub(crate) milliseconds: u64,
    pub(crate) sockets: HashMap<Relay, SocketAddr>,
    pub(crate) kept: HashMap<Token, SocketAddr>,
    pub(crate) offences: Vec<IpAddr>,
    pub(crate) quotas: Quotas,
    /// Families in which no socket can be opened.
    pub(crate) broken: Vec<Family>,
    /// Whether sockets are opened only by [`World::open`].
    pub(crate) is_slow: bool,
    pub(crate) waiting: Vec<Output>,
    next_port: u16,
    next_transaction: u64,
}

/// What a client was told.
#[derive(Clone, Debug)]
pub(crate) struct Answer(pub(crate) Vec<u8>);

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let quotas = Quotas::new(Quota {
            user: 10,
            source: 20,
            all: 30,
        });
        let mut credentials = Credentials::new(REALM).unwrap();
        credentials.add_user("alice", "secret").unwrap();
        credentials.add_user("bob", "other").unwrap();
        credentials.add_secret("shared").unwrap();
        let nonces = Nonces::new(&[1; 32], Duration::from_hours(1));
        Self {
            turn: Turn::new(config, credentials, nonces, peers(), quotas.clone(), 42),
            milliseconds: 1000,
            sockets: HashMap::new(),
            kept: HashMap::new(),
            offences: Vec::new(),
            quotas,
            broken: Vec::new(),
            is_slow: false,
            waiting: Vec::new(),
            next_port: 50_000,
            next_transaction: 0,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            running: Duration::from_millis(self.milliseconds),
            unix: 1_800_000_000 + self.milliseconds / 1000,
        }
    }

    /// Lets time pass, and the relay do what it then has to.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let until = self.milliseconds + seconds * 1000;
        while let Some(due) = self.turn.poll_timeout() {
            let due = u64::try_from(due.as_millis()).unwrap();
            if due > until {
                break;
            }
            self.milliseconds = due.max(self.milliseconds);
            self.turn.handle_timeout(self.now());
            self.pump();
        }
        self.milliseconds = until;
    }

    /// What the relay does with an input, and what the client is told at once or by then.
    pub(crate) fn input(&mut self, input: Input<'_>) -> (Verdict, Option<Answer>) {
        let mut out = [0; LONGEST_ANSWER];
        let verdict = self.turn.handle_input(input, self.now(), &mut out);
        let answer = read(&verdict, &out);
        let later = self.pump();
        (verdict, answer.or(later))
    }

    pub(crate) fn datagram(&mut self, client: Client, bytes: &[u8]) -> Verdict {
        self.input(Input::FromClient { client, bytes }).0
    }

    pub(crate) fn ask(&mut self, client: Client, bytes: &[u8]) -> Option<Answer> {
        self.input(Input::FromClient { client, bytes }).1
    }

    /// Opens what waits.
    pub(crate) fn open(&mut self) -> Option<Answer> {
        self.is_slow = false;
        let mut last = None;
        for output in std::mem::take(&mut self.waiting) {
            last = self.perform(output).or(last);
        }
        last
    }

    fn pump(&mut self) -> Option<Answer> {
        let mut last = None;
        while let Some(output) = self.turn.poll_output() {
            last = self.perform(output).or(last);
        }
        last
    }

    fn perform(&mut self, output: Output) -> Option<Answer> {
        match output {
            Output::Open { .. } if self.is_slow => self.waiting.push(output),
            Output::Open { allocation, open } => {
                let result = self.opened(open);
                if let Ok(opened) = result {
                    for told in opened.v4.into_iter().chain(opened.v6) {
                        let family = Family::of(told);
                        self.sockets.insert(Relay { allocation, family }, told);
                    }
                }
                return self.input(Input::Opened { allocation, result }).1;
            }
            Output::Close { relay } => {
                assert!(self.sockets.remove(&relay).is_some(), "{relay:?} is open");
            }
            Output::Release { token } => {
                assert!(self.kept.remove(&token).is_some(), "it was kept");
            }
            Output::Offence { client } => self.offences.push(client),
        }
        None
    }

    fn opened(&mut self, open: Open) -> Result<Opened, CanNotOpen> {
        if let Some(token) = open.reserved {
            let told = self.kept.remove(&token).ok_or(CanNotOpen)?;
            return Ok(Opened {
                v4: Some(told),
                ..Opened::default()
            });
        }
        let port = self.next_port;
        self.next_port += 2;
        let at = |ip: &str, is_wanted: bool, family| {
            let is_there = is_wanted && !self.broken.contains(&family);
            is_there.then(|| SocketAddr::new(ip.parse().unwrap(), port))
        };
        let opened = Opened {
            v4: at(OURS_V4, open.v4, Family::V4),
            v6: at(OURS_V6, open.v6, Family::V6),
            is_reserved: open.reserve.is_some(),
        };
        if let Some(token) = open.reserve {
            let above = SocketAddr::new(OURS_V4.parse().unwrap(), port + 1);
            self.kept.insert(token, above);
        }
        if opened.v4.or(opened.v6).is_none() {
            return Err(CanNotOpen);
        }
        Ok(opened)
    }

    /// The nonce that a client gets with his first 401.
    pub(crate) fn nonce(&mut self, client: Client) -> String {
        let bare = self.unsigned(Method::ALLOCATE, &[]);
        let answer = self.ask(client, &bare).expect("a challenge");
        assert_eq!(answer.code(), Some(401));
        String::from_utf8(answer.first(attribute::NONCE).unwrap()).unwrap()
    }

    /// A request of Alice as `stun_codec` writes it.
    pub(crate) fn theirs(
        &mut self,
        client: Client,
        method: Method,
        with: Vec<Attribute>,
    ) -> Vec<u8> {
        self.theirs_of(("alice", "secret"), client, method, with)
    }

    pub(crate) fn theirs_of(
        &mut self,
        (name, password): (&str, &str),
        client: Client,
        method: Method,
        with: Vec<Attribute>,
    ) -> Vec<u8> {
        let nonce = self.nonce(client);
        let id = stun_codec::TransactionId::new(self.transaction().0);
        let method = stun_codec::Method::new(method.0).unwrap();
        let mut message = Theirs::new(MessageClass::Request, method, id);
        for attribute in with {
            message.add_attribute(attribute);
        }
        let name = Username::new(name.into()).unwrap();
        let realm = Realm::new(REALM.into()).unwrap();
        message.add_attribute(name.clone());
        message.add_attribute(realm.clone());
        message.add_attribute(Nonce::new(nonce).unwrap());
        let integrity =
            MessageIntegrity::new_long_term_credential(&message, &name, &realm, password);
        message.add_attribute(integrity.unwrap());
        MessageEncoder::new().encode_into_bytes(message).unwrap()
    }

    /// A request of Alice with attributes as they are, which `stun_codec` might not write.
    pub(crate) fn ours(
        &mut self,
        client: Client,
        method: Method,
        with: &[(u16, &[u8])],
    ) -> Vec<u8> {
        self.modern(client, method, with, Algorithm::Md5, Digest::Sha1)
    }

    /// The same with a choice of algorithms; the name is hashed where one of them is SHA-256.
    pub(crate) fn modern(
        &mut self,
        client: Client,
        method: Method,
        with: &[(u16, &[u8])],
        algorithm: Algorithm,
        digest: Digest,
    ) -> Vec<u8> {
        let nonce = self.nonce(client);
        let mut out = [0; 2048];
        let mut writer = Writer::new(&mut out, Class::Request, method, self.transaction());
        for (kind, value) in with {
            writer.attribute(*kind, value);
        }
        if algorithm == Algorithm::Sha256 {
            writer.attribute(attribute::USERHASH, &user_hash(b"alice", REALM));
            writer.attribute(attribute::PASSWORD_ALGORITHMS, &[0, 2, 0, 0, 0, 1, 0, 0]);
            writer.attribute(attribute::PASSWORD_ALGORITHM, &[0, 2, 0, 0]);
        } else {
            writer.attribute(attribute::USERNAME, b"alice");
        }
        writer.attribute(attribute::REALM, REALM.as_bytes());
        writer.attribute(attribute::NONCE, nonce.as_bytes());
        let key = algorithm.key(b"alice", REALM.as_bytes(), b"secret");
        let length = writer.protect(&key, digest).finish().unwrap();
        out[..length].to_vec()
    }

    pub(crate) fn unsigned(&mut self, method: Method, with: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = [0; 2048];
        let mut writer = Writer::new(&mut out, Class::Request, method, self.transaction());
        for (kind, value) in with {
            writer.attribute(*kind, value);
        }
        let length = writer.finish().unwrap();
        out[..length].to_vec()
    }

    pub(crate) fn transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        let mut id = [0xab; 12];
        id[4..].copy_from_slice(&self.next_transaction.to_be_bytes());
        TransactionId(id)
    }
}

impl Answer {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    /// None if it says yes.
    pub(crate) fn code(&self) -> Option<u16> {
        match self.message().class() {
            Class::Success => None,
            Class::Error => {
                let value = self.first(attribute::ERROR_CODE).unwrap();
                assert_eq!(value.len(), 4, "no reason phrase");
                Some(u16::from(value[2]) * 100 + u16::from(value[3]))
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn first(&self, kind: u16) -> Option<Vec<u8>> {
        self.message().first(kind).map(<[u8]>::to_vec)
    }

    pub(crate) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        let message = self.message();
        let found = message.attributes().filter(|found| found.kind == kind);
        found
            .map(|found| found.xor_address(&message).unwrap())
            .collect()
    }

    pub(crate) fn lifetime(&self) -> u32 {
        let value = self.first(attribute::LIFETIME).unwrap();
        u32::from_be_bytes(value.try_into().unwrap())
    }
}

/// The answer, if there is one: `stun_codec` has to be able to read it.
fn read(verdict: &Verdict, out: &[u8]) -> Option<Answer> {
    let Verdict::Answer { length, .. } = verdict else {
        return None;
    };
    let bytes = out[..*length].to_vec();
    let read = MessageDecoder::<Attribute>::new()
        .decode_from_bytes(&bytes)
        .unwrap()
        .unwrap();
    let told = Message::parse(&bytes).unwrap();
    assert_eq!(told.first(attribute::SOFTWARE), None);
    if let Some(integrity) = read.get_attribute::<MessageIntegrity>() {
        let is_by = |name: &str, password: &str| {
            let name = Username::new(name.into()).unwrap();
            let realm = Realm::new(REALM.into()).unwrap();
            let checked = integrity.check_long_term_credential(&name, &realm, password);
            checked.is_ok()
        };
        assert!(is_by("alice", "secret") || is_by("bob", "other"));
    }
    Some(Answer(bytes))
}

fn peers() -> Peers {
    let ours = [OURS_V4.parse().unwrap(), OURS_V6.parse().unwrap()];
    Peers::new()
        .own(ours)
        .relaying(ours, 50_000..=59_999)
        .allowing([Allowed {
            network: "172.31.31.0/24".parse().unwrap(),
            ports: 16384..=32767,
        }])
}

/// A client by UDP.
pub(crate) fn client(number: u16) -> Client {
    Client {
        address: format!("203.0.114.7:{}", 10_000 + number).parse().unwrap(),
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
