//! A client of SIP, LDAP or H.323: it is read until it is known whom it wants, and then connected.

use super::claim::{Claim, Decided, Rejected};
use crate::core::{Identity, Proof, Reason, TargetKey};
use crate::shell::alarm::Alarm;
use crate::shell::buffer::Buffer;
use crate::shell::caps::Admitted;
use crate::shell::lane::{Lane, Screen};
use crate::shell::limits;
use crate::shell::report::{Report, Told};
use crate::shell::target::name;
use crate::shell::tunnel::{Asked, Counted, Ended, HeldWatch, Tunnel, What};
use crate::shell::worker::{Current, Slot, Worker};
use net::stream::Stream;
use service::metrics::Gauge;
use std::cell::Cell;
use std::future::poll_fn;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A client, and what was read of it.
pub(crate) struct Caller {
    pub(super) worker: Rc<Worker>,
    pub(super) slot: Rc<Slot>,
    pub(super) stream: Stream,
    pub(super) buffer: Buffer,
    pub(super) identity: Rc<Identity>,
    /// Counts it among the connections of its address while it lives.
    _admitted: Rc<Admitted>,
    pub(super) server_name: Option<Rc<str>>,
    /// When it must have said whom it wants.
    pub(super) until: Instant,
    pub(super) told: Told,
}

/// A target that was connected for a client.
pub(super) struct Reached {
    pub(super) current: Rc<Current>,
    pub(super) target: Stream,
    pub(super) proof: Proof,
    /// The ports of the target, plain and TLS.
    pub(super) ports: (Option<u16>, Option<u16>),
    /// The name of its host, as clients write it.
    pub(super) domain: Rc<str>,
    /// Whether the client has named it.
    pub(super) is_named: bool,
    asked: Asked,
    idle: Duration,
    host: usize,
    line: u32,
}

impl Reached {
    /// The target.
    pub(super) fn key(&self) -> &TargetKey {
        &self.asked.target
    }
}

/// What looks at the messages of both directions, where something does.
#[derive(Default)]
pub(super) struct Screens {
    pub(super) up: Option<Box<dyn Screen>>,
    pub(super) down: Option<Box<dyn Screen>>,
    /// Whether the target has let the client in, where they hear that.
    pub(super) accepted: Option<Rc<Cell<bool>>>,
}

impl Caller {
    /// One whose first bytes may be `ahead`.
    pub(crate) fn new(
        worker: Rc<Worker>,
        slot: Rc<Slot>,
        stream: Stream,
        ahead: Buffer,
        identity: Rc<Identity>,
        admitted: Rc<Admitted>,
    ) -> Self {
        Self {
            worker,
            slot,
            stream,
            buffer: ahead,
            identity,
            _admitted: admitted,
            server_name: None,
            until: Instant::now(),
            told: Told::default(),
        }
    }

    /// Reads more of it; false once there will be nothing more.
    ///
    /// # Errors
    /// It takes too long.
    pub(super) async fn read(&mut self) -> Result<bool, Reason> {
        let (stream, buffer) = (&mut self.stream, &mut self.buffer);
        let read = poll_fn(|cx| stream.poll_read_some(cx, buffer.room()));
        match timeout_at(self.until, read).await {
            Ok(Ok(count @ 1..)) => {
                self.buffer.advance(count);
                Ok(true)
            }
            Ok(Ok(0) | Err(_)) => Ok(false),
            Err(_) => Err(Reason::FirstLate),
        }
    }

    /// Tells it something, as far as it listens; false if it is gone.
    pub(super) async fn say(&mut self, mut bytes: &[u8]) -> bool {
        let stream = &mut self.stream;
        let now = Instant::now();
        // Slow readers do not get more time to say whom they want.
        let left = self.until.saturating_duration_since(now).max(LEAST);
        let told = timeout(left.min(limits::LINGER), async {
            while !bytes.is_empty() {
                let count =
                    poll_fn(|cx| stream.poll_write_some(cx, &[IoSlice::new(bytes)])).await?;
                bytes = bytes.get(count..).unwrap_or_default();
            }
            poll_fn(|cx| stream.poll_flush_all(cx)).await
        });
        matches!(told.await, Ok(Ok(())))
    }

    /// Ends the connection so that what it was told last arrives.
    pub(super) async fn part(&mut self) {
        let (stream, buffer) = (&mut self.stream, &mut self.buffer);
        buffer.clear();
        // Unread bytes would make a reset of the end, which overtakes what was told.
        let parted = timeout(limits::LINGER, async {
            poll_fn(|cx| stream.poll_finish(cx)).await?;
            let mut left = limits::LINGER_BYTES;
            loop {
                let read = poll_fn(|cx| stream.poll_read_some(cx, buffer.room())).await?;
                left = left.saturating_sub(read as u64);
                if read == 0 || left == 0 {
                    return Ok::<_, std::io::Error>(());
                }
            }
        });
        // It may be gone, which is just as well.
        let _ = parted.await;
    }

    /// A claim about itself, with what its handshake has shown.
    pub(super) fn claims(&self, domain: Option<&str>) -> Claim {
        Claim {
            protocol: self.identity.protocol(),
            tls: self.identity.tls(),
            server_name: self.server_name.clone(),
            chain: self.stream.peer_certificates().into(),
            domain: domain.map(Box::from),
            names: Vec::new(),
            unregistered: false,
        }
    }

    /// Connects it with the target that is due to its claim.
    ///
    /// # Errors
    /// Why it is rejected.
    pub(super) async fn reach(&mut self, claim: Claim) -> Result<Reached, Rejected> {
        let current = self.worker.current();
        self.told.host = shown(claim.domain.as_deref().unwrap_or_default());
        let Decided {
            host,
            rule,
            target,
            proof,
        } = claim.decide(&current.live)?;
        if self.told.host.is_empty() {
            self.told.host = host.name.to_string();
        }
        self.told.asked.push_str(&proof.to_string());
        let (host, line, idle, ports) = (host.index, rule.line, rule.idle, rule.ports());
        let domain = current.live.routes.domains().hosts()[host].name.as_ref();
        let target = target.clone();
        let connecting = self.worker.connect(&current, &target, Some(&self.identity));
        let connected = Box::pin(connecting).await.map_err(|reason| Rejected {
            reason,
            host: Some(host),
            line: Some(line),
        })?;
        Ok(Reached {
            target: connected.stream,
            ports,
            domain: domain.into(),
            is_named: claim.domain.is_some(),
            asked: Asked {
                what: What::Domain(Box::new(claim), proof.given().map(Box::from)),
                server_name: None,
                presented: None,
                target,
            },
            proof,
            idle,
            host,
            line,
            current,
        })
    }

    /// Tells that it is rejected; `status` as far as one could be sent.
    pub(super) fn rejected(&self, rejected: &Rejected, status: Option<u16>) {
        let current = self.worker.current();
        let Rejected { reason, host, line } = rejected;
        self.report(&current, *host, *line).rejected(reason, status);
    }

    fn report<'a>(
        &'a self,
        current: &'a Rc<Current>,
        host: Option<usize>,
        line: Option<u32>,
    ) -> Report<'a> {
        let routes = &current.live.routes;
        let before = routes.hosts().len() + routes.passthroughs().hosts().len();
        Report {
            shared: &self.worker.shared,
            current,
            identity: &self.identity,
            told: &self.told,
            host: host.map(|host| before + host),
            line,
        }
    }

    /// Passes what was read, and all that comes, to the end of both directions.
    pub(super) async fn tunnel(mut self, reached: Reached, screens: Screens) {
        let Reached {
            current,
            mut target,
            asked,
            idle,
            host: index,
            line,
            domain,
            ..
        } = reached;
        let report = self.report(&current, Some(index), Some(line));
        report.forwarded(&*asked.target, true);
        let host = report.host().clone();
        let instruments = &self.worker.shared.instruments;
        let _open = Open::count(instruments.forwarded(&domain, self.identity.spoken()));
        let (mut up, mut down) = (Lane::default(), Lane::default());
        up.buffer = std::mem::take(&mut self.buffer);
        begin(&mut up, screens.up);
        begin(&mut down, screens.down);
        let target_name = name(&asked.target);
        let started = Instant::now();
        let tunnel = Tunnel {
            worker: &self.worker,
            current: Rc::clone(&current),
            slot: &self.slot,
            identity: &self.identity,
            asked,
            idle: Some(idle),
            client: &mut self.stream,
            target: &mut target,
            up: &mut up,
            down: &mut down,
            alarm: &mut Alarm::new(started + idle),
            up_ended: false,
            down_ended: false,
            closing: false,
            watch: HeldWatch::default(),
            accepted: screens.accepted,
            counted: Counted::new(&host),
        };
        let ended = tunnel.run().await;
        let said_nothing = down.passed() == 0 && started.elapsed() < AT_ONCE;
        let hung_up = |how: &str| Reason::TargetHungUp(target_name, how.into());
        let reason = match ended {
            Ended::Refused(reason) => reason,
            Ended::TargetCut if said_nothing => hung_up("it cut the connection at once"),
            Ended::Cleanly if said_nothing => hung_up("it closed the connection at once"),
            Ended::Cleanly | Ended::Left | Ended::Cut | Ended::TargetCut => return,
        };
        self.report(&current, Some(index), Some(line))
            .rejected(&reason, None);
    }
}

/// How long at least a client may take to read what it is told.
const LEAST: Duration = Duration::from_secs(1);
/// The longest text of a client in a line of the log, in characters.
const MOST_SHOWN: usize = 256;

/// What a client has sent, as a line of the log can hold it: nothing that would end the line or turn its direction.
pub(super) fn shown(text: &str) -> String {
    let is_sound = |char: &char| {
        let turns = matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !char.is_control() && !turns
    };
    text.chars().filter(is_sound).take(MOST_SHOWN).collect()
}

/// Within which time a target that hangs up without a word has refused the client.
const AT_ONCE: Duration = Duration::from_secs(5);

fn begin(lane: &mut Lane, screen: Option<Box<dyn Screen>>) {
    match screen {
        Some(screen) => lane.begin_screened(screen),
        None => lane.begin_tunnel(),
    }
}

/// Counts an open connection that is forwarded.
struct Open(Gauge);

impl Open {
    fn count(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
