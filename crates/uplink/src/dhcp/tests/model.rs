//! A small DHCP server and a network that loses datagrams, in virtual time. Its bytes are written by another
//! library than ours, so that a mistake is not made twice.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dhcproto::v4::{DhcpOption, Flags, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable, Encoder};

use crate::dhcp::{Client, HardwareAddr, Identity, Lease, Loss, Now, Output, Receiver, Refusal};

pub(super) const MAC: HardwareAddr = HardwareAddr([2, 0, 0, 0, 0, 7]);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const FIRST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

/// A server with one address to give.
pub(super) struct Server {
    pub(super) is_up: bool,
    pub(super) id: Ipv4Addr,
    pub(super) gives: Ipv4Addr,
    /// Put into each answer, beside kind and server.
    pub(super) options: Vec<DhcpOption>,
    /// Until when it has promised which address.
    pub(super) promised: BTreeMap<Ipv4Addr, Instant>,
}

impl Server {
    pub(super) fn new(lasts: u32) -> Self {
        Self {
            is_up: true,
            id: SERVER,
            gives: FIRST,
            options: vec![
                DhcpOption::SubnetMask(Ipv4Addr::new(255, 255, 255, 0)),
                DhcpOption::Router(vec![SERVER]),
                DhcpOption::AddressLeaseTime(lasts),
            ],
            promised: BTreeMap::new(),
        }
    }

    fn lasts(&self) -> u32 {
        let lasts = self.options.iter().find_map(|option| match option {
            DhcpOption::AddressLeaseTime(seconds) => Some(*seconds),
            _ => None,
        });
        lasts.unwrap_or(0)
    }

    /// What it answers to a message of a client.
    pub(super) fn answer(&mut self, bytes: &[u8], now: Instant) -> Option<Vec<u8>> {
        let question = Message::decode(&mut Decoder::new(bytes)).unwrap();
        assert_eq!(question.opcode(), Opcode::BootRequest);
        assert_eq!(question.chaddr(), MAC.0);
        assert!(bytes.len() >= 300, "relays of old want 300 bytes");
        let requested = match question.opts().get(OptionCode::RequestedIpAddress) {
            Some(DhcpOption::RequestedIpAddress(address)) => Some(*address),
            _ => None,
        };
        let meant = match question.opts().get(OptionCode::ServerIdentifier) {
            Some(DhcpOption::ServerIdentifier(server)) => Some(*server),
            _ => None,
        };
        if !self.is_up || meant.is_some_and(|server| server != self.id) {
            return None;
        }
        match question.opts().msg_type().unwrap() {
            MessageType::Discover => {
                assert!(question.flags().broadcast());
                Some(self.write(&question, MessageType::Offer, self.gives))
            }
            MessageType::Request => {
                assert!(question.flags().broadcast());
                let own = question.ciaddr();
                let wants = requested.unwrap_or(own);
                assert!(own.is_unspecified() || requested.is_none());
                if wants != self.gives {
                    return Some(self.write(&question, MessageType::Nak, Ipv4Addr::UNSPECIFIED));
                }
                let end = now + Duration::from_secs(self.lasts().into());
                self.promised.insert(wants, end);
                Some(self.write(&question, MessageType::Ack, wants))
            }
            MessageType::Decline => {
                assert_eq!(requested, Some(self.gives));
                let next = u32::from(self.gives) + 1;
                self.gives = next.into();
                None
            }
            MessageType::Release => {
                assert!(self.promised.remove(&question.ciaddr()).is_some());
                None
            }
            other => panic!("a client does not send {other:?}"),
        }
    }

    pub(super) fn write(&self, question: &Message, kind: MessageType, given: Ipv4Addr) -> Vec<u8> {
        let mut answer = Message::default();
        answer
            .set_opcode(Opcode::BootReply)
            .set_xid(question.xid())
            .set_flags(Flags::default().set_broadcast())
            .set_yiaddr(given)
            .set_chaddr(question.chaddr());
        answer.opts_mut().insert(DhcpOption::MessageType(kind));
        answer
            .opts_mut()
            .insert(DhcpOption::ServerIdentifier(self.id));
        if kind != MessageType::Nak {
            for option in &self.options {
                answer.opts_mut().insert(option.clone());
            }
        }
        encoded(&answer)
    }
}

pub(super) fn encoded(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut Encoder::new(&mut bytes)).unwrap();
    // The library pads with nothing behind the end.
    assert_eq!(bytes.last(), Some(&255));
    bytes
}

/// A client, a server and a wire.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) server: Server,
    pub(super) now: Now,
    pub(super) start: Instant,
    /// Of a hundred datagrams, how many are lost.
    pub(super) loss: u32,
    dice: u32,
    /// What the client said and to whom, with the second it was said in.
    pub(super) sent: Vec<(u64, Receiver, MessageType)>,
    pub(super) bound: Vec<Lease>,
    pub(super) lost: Vec<(u64, Loss)>,
    pub(super) refused: Vec<Refusal>,
}

pub(super) fn named(hostname: &str) -> Identity {
    Identity {
        hardware: MAC,
        hostname: Some(hostname.to_owned()),
    }
}

pub(super) fn noon() -> Now {
    Now {
        instant: Instant::now(),
        wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    }
}

impl World {
    pub(super) fn new(server: Server, remembered: Option<Lease>, seed: u32) -> Self {
        let now = noon();
        Self {
            client: Client::new(named("gate"), u64::from(seed), remembered, now),
            server,
            now,
            start: now.instant,
            loss: 0,
            dice: seed,
            sent: Vec::new(),
            bound: Vec::new(),
            lost: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub(super) fn second(&self) -> u64 {
        (self.now.instant - self.start).as_secs()
    }

    /// Lets so many seconds pass, from one timeout to the next.
    pub(super) fn pass(&mut self, seconds: u64) {
        let end = self.now.instant + Duration::from_secs(seconds);
        let mut steps = 0_u32;
        loop {
            self.exchange();
            let Some(next) = self.client.poll_timeout().filter(|at| *at <= end) else {
                break;
            };
            steps += 1;
            assert!(steps < 100_000, "the client does not go on");
            self.set(next.max(self.now.instant));
            self.client.handle_timeout(self.now);
        }
        self.set(end);
    }

    fn set(&mut self, instant: Instant) {
        self.now.wall += instant - self.now.instant;
        self.now.instant = instant;
    }

    /// Carries datagrams until nobody says anything more.
    pub(super) fn exchange(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Send { to, bytes } => {
                    let message = Message::decode(&mut Decoder::new(&bytes)).unwrap();
                    let kind = message.opts().msg_type().unwrap();
                    self.sent.push((self.second(), to, kind));
                    if self.is_lost() {
                        continue;
                    }
                    let answer = self.server.answer(&bytes, self.now.instant);
                    if let Some(answer) = answer
                        && !self.is_lost()
                    {
                        self.client.handle_input(&answer, self.now);
                    }
                }
                Output::Bound(lease) => self.bound.push(lease),
                Output::Lost(loss) => self.lost.push((self.second(), loss)),
                Output::Refused(refusal) => self.refused.push(refusal),
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        self.dice = self
            .dice
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.dice >> 16) % 100 < self.loss
    }

    /// The kinds of message the client has sent.
    pub(super) fn said(&self) -> Vec<MessageType> {
        self.sent.iter().map(|(_, _, kind)| *kind).collect()
    }

    /// The next datagram the client sends, which nobody answers.
    pub(super) fn question(&mut self) -> Message {
        loop {
            match self.client.poll_output() {
                Some(Output::Send { bytes, .. }) => {
                    return Message::decode(&mut Decoder::new(&bytes)).unwrap();
                }
                Some(_) => {}
                None => {
                    let next = self.client.poll_timeout().unwrap();
                    self.set(next.max(self.now.instant));
                    self.client.handle_timeout(self.now);
                }
            }
        }
    }

    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        self.client.lease().map(|lease| lease.address.addr())
    }
}

/// The calendar, so many seconds after noon.
pub(super) fn after_noon(seconds: u64) -> SystemTime {
    noon().wall + Duration::from_secs(seconds)
}
