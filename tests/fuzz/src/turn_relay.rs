use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use stun::Now;
use stun::credentials::{Algorithm, Credentials};
use stun::message::{Class, Digest, Message, Method, TransactionId, Writer, attribute};
use stun::nonce::Nonces;
use stun::peer::Peers;
use stun::turn::{
    AllocationId, CanNotOpen, Client, Config, Family, Input, LONGEST_ANSWER, Opened, Output, Quota,
    Quotas, Relay, Transport, Turn, Verdict,
};

const REALM: &[u8] = b"realm";
const METHODS: [Method; 6] = [
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::BINDING,
    Method::CONNECT,
];
const PEERS: [&str; 8] = [
    "9.9.9.9:5000",
    "9.9.9.8:5000",
    "[2606:4700::1]:5000",
    "192.88.100.1:50000",
    "[2a00::1]:50000",
    "127.0.0.1:53",
    "[::ffff:9.9.9.9]:5000",
    "10.0.0.1:5000",
];
const KINDS: [u16; 14] = [
    attribute::REQUESTED_TRANSPORT,
    attribute::LIFETIME,
    attribute::CHANNEL_NUMBER,
    attribute::DATA,
    attribute::EVEN_PORT,
    attribute::DONT_FRAGMENT,
    attribute::RESERVATION_TOKEN,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::ADDITIONAL_ADDRESS_FAMILY,
    attribute::XOR_RELAYED_ADDRESS,
    attribute::NONCE,
    0x7fff,
    0x8001,
    attribute::MESSAGE_INTEGRITY,
];
const MOST: usize = 3;

/// A relay is told a story in which passwords are right: it keeps its limits, knows which sockets are open, and reaches nobody who may
/// not be reached.
pub fn turn_relay(data: &[u8]) {
    let mut story = Story::new(data);
    while let Some(step) = story.byte() {
        story.step(step);
        story.check();
    }
}

struct Story<'a> {
    data: &'a [u8],
    turn: Turn,
    nonces: Nonces,
    peers: Peers,
    quotas: Quotas,
    wanted: Vec<(AllocationId, bool, bool, bool)>,
    sockets: HashSet<Relay>,
    milliseconds: u64,
    port: u16,
    transaction: u8,
}

impl<'a> Story<'a> {
    fn new(data: &'a [u8]) -> Self {
        let config = Config {
            allocations: MOST,
            permissions: MOST,
            channels: MOST,
            reservations: 1,
            ..Config::default()
        };
        let mut credentials = Credentials::new("realm").expect("it is a realm");
        credentials
            .add_user("u", "p")
            .expect("they are a name and a password");
        let nonces = Nonces::new(&[0; 32], Duration::from_hours(1));
        let ours = ["192.88.100.1", "2a00::1"].map(|ip| ip.parse().expect("it is an address"));
        let peers = Peers::new().own(ours).relaying(ours, 50_000..=59_999);
        let quota = Quota {
            user: 3,
            source: 3,
            all: 3,
        };
        let quotas = Quotas::new(quota);
        let turn = Turn::new(
            config,
            credentials,
            nonces.clone(),
            peers.clone(),
            quotas.clone(),
            1,
        );
        Self {
            data,
            turn,
            nonces,
            peers,
            quotas,
            wanted: Vec::new(),
            sockets: HashSet::new(),
            milliseconds: 0,
            port: 50_000,
            transaction: 0,
        }
    }

    fn step(&mut self, step: u8) {
        let client = self.client();
        match step % 8 {
            0 => {
                let length = usize::from(self.byte().unwrap_or(0));
                let bytes = self.take(length).to_vec();
                self.datagram(client, &bytes);
            }
            1 | 2 => {
                let bytes = self.request(client);
                self.datagram(client, &bytes);
            }
            3 => self.open(),
            4 => {
                let relay = self.relay();
                let peer = self.peer();
                let length = usize::from(self.byte().unwrap_or(0)) * 300;
                let verdict = self.input(Input::FromPeer {
                    relay,
                    peer,
                    length,
                });
                let is_one = matches!(verdict, Verdict::ToClient { .. } | Verdict::Drop(_));
                assert!(is_one, "{verdict:?}");
            }
            5 => {
                self.milliseconds += u64::from(self.byte().unwrap_or(0)) * 10_000;
                self.turn.handle_timeout(self.now());
                self.outputs();
            }
            6 => {
                self.input(Input::Gone { client });
            }
            _ => {
                let (relay, peer) = (self.relay(), self.peer());
                let [kind, code] = [self.byte().unwrap_or(0), 4];
                let data = [0; 4];
                self.input(Input::Icmp {
                    relay,
                    peer,
                    kind,
                    code,
                    data,
                });
            }
        }
    }

    /// A request or a Send indication with whatever attributes, in which the password is right.
    fn request(&mut self, client: Client) -> Vec<u8> {
        let chosen = usize::from(self.byte().unwrap_or(0));
        let (class, method) = match METHODS.get(chosen % (METHODS.len() + 1)) {
            Some(method) => (Class::Request, *method),
            None => (Class::Indication, Method::SEND),
        };
        self.transaction = self.transaction.wrapping_add(chosen.to_le_bytes()[0] & 1);
        let id = TransactionId([self.transaction; 12]);
        let mut out = [0; 4096];
        let mut writer = Writer::new(&mut out, class, method, id);
        for _ in 0..self.byte().unwrap_or(0) % 8 {
            let chosen = usize::from(self.byte().unwrap_or(0));
            match KINDS.get(chosen % (KINDS.len() + 4)) {
                Some(kind) => {
                    let length = usize::from(self.byte().unwrap_or(0) % 32);
                    writer.attribute(*kind, self.take(length));
                }
                None => {
                    writer.xor_address(attribute::XOR_PEER_ADDRESS, self.peer());
                }
            }
        }
        let nonce = self.nonces.make(client.address, self.now());
        writer
            .attribute(attribute::USERNAME, b"u")
            .attribute(attribute::REALM, REALM)
            .attribute(attribute::NONCE, &nonce);
        let key = Algorithm::Md5.key(b"u", REALM, b"p");
        let length = writer.protect(&key, Digest::Sha1).finish();
        out[..length.expect("there is room")].to_vec()
    }

    fn datagram(&mut self, client: Client, bytes: &[u8]) {
        match self.input(Input::FromClient { client, bytes }) {
            Verdict::ToPeer {
                peer,
                payload,
                relay,
                ..
            } => {
                assert!(payload.end <= bytes.len());
                assert!(self.sockets.contains(&relay));
                assert_eq!(self.peers.judge(peer), Ok(peer));
                assert_eq!(Family::of(peer), relay.family);
            }
            Verdict::ToOwnRelay { to, payload, .. } => {
                assert!(payload.end <= bytes.len() && self.peers.is_relayed(to));
            }
            Verdict::Answer { client: to, .. } => assert_eq!(to, client),
            _ => {}
        }
    }

    /// Opens what was wanted first, or not.
    fn open(&mut self) {
        let how = self.byte().unwrap_or(0);
        if self.wanted.is_empty() {
            return;
        }
        let (allocation, v4, v6, is_reserved) = self.wanted.remove(0);
        self.port = 50_000 + (self.port + 1) % 1000;
        let at = |ip: &str| format!("{ip}:{}", self.port).parse::<SocketAddr>().ok();
        let opened = Opened {
            v4: at("192.88.100.1").filter(|_| v4 && how & 1 == 0),
            v6: at("[2a00::1]").filter(|_| v6 && how & 2 == 0),
            is_reserved: is_reserved && how & 4 == 0,
        };
        for told in opened.v4.into_iter().chain(opened.v6) {
            let family = Family::of(told);
            self.sockets.insert(Relay { allocation, family });
        }
        let is_some = opened.v4.or(opened.v6).is_some();
        let result = if is_some { Ok(opened) } else { Err(CanNotOpen) };
        self.input(Input::Opened { allocation, result });
    }

    fn input(&mut self, input: Input<'_>) -> Verdict {
        let mut out = [0; LONGEST_ANSWER];
        let verdict = self.turn.handle_input(input, self.now(), &mut out);
        if let Verdict::Answer { length, .. } = verdict {
            assert!(
                Message::parse(&out[..length]).is_ok(),
                "an answer is a message"
            );
        }
        self.outputs();
        verdict
    }

    fn outputs(&mut self) {
        while let Some(output) = self.turn.poll_output() {
            match output {
                Output::Open { allocation, open } => {
                    let is_reserved = open.reserve.is_some();
                    self.wanted
                        .push((allocation, open.v4, open.v6, is_reserved));
                }
                Output::Close { relay } => assert!(self.sockets.remove(&relay), "it was open"),
                Output::Release { .. } => {}
                Output::Offence { client } => panic!("{client} has the right password"),
            }
        }
    }

    fn check(&self) {
        assert!(self.turn.len() <= MOST);
        assert_eq!(self.quotas.all() as usize, self.turn.len());
        let mut open = 0;
        for shown in self.turn.allocations() {
            assert!(shown.permissions <= MOST && shown.channels <= MOST);
            open += shown.relayed.iter().flatten().count();
        }
        assert_eq!(open, self.sockets.len());
        assert!(self.turn.is_empty() || self.turn.poll_timeout().is_some());
    }

    fn now(&self) -> Now {
        Now {
            running: Duration::from_millis(self.milliseconds),
            unix: 1_800_000_000,
        }
    }

    fn client(&mut self) -> Client {
        let number = u16::from(self.byte().unwrap_or(0) % 5);
        let is_stream = number == 4;
        Client {
            address: ([9, 1, 1, 1], 1000 + number).into(),
            transport: if is_stream {
                Transport::Tcp
            } else {
                Transport::Udp
            },
            listener: 0,
            connection: u32::from(is_stream),
        }
    }

    fn relay(&mut self) -> Relay {
        let [place, generation] =
            [self.byte(), self.byte()].map(|byte| u32::from(byte.unwrap_or(0) % 8));
        Relay {
            allocation: AllocationId { place, generation },
            family: if place < 4 { Family::V4 } else { Family::V6 },
        }
    }

    fn peer(&mut self) -> SocketAddr {
        let chosen = usize::from(self.byte().unwrap_or(0)) % PEERS.len();
        PEERS[chosen].parse().expect("it is an address")
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.data.split_first()?;
        self.data = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.data.split_at(length.min(self.data.len()));
        self.data = rest;
        taken
    }
}
