//! What is looked at in the messages of a connection that has a target: who binds, and whether he is let in.

use super::super::caller::{Caller, Reached, shown};
use super::{domain, unreadable};
use crate::core::{Reason, compared};
use crate::shell::lane::{Look, Screen};
use crate::shell::target::name;
use crate::shell::worker::Worker;
use proto::ldap::{Asks, Bind, Reply, Request, ResultCode, reply, request};
use service::Event;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

/// What a plain message begins with (RFC 4511 section 5.1).
const SEQUENCE: u8 = 0x30;
/// Binds whose answers are waited for; a client sends one at a time (RFC 4511 section 4.2.1).
const MOST_BINDS: usize = 8;
/// Mechanisms after which messages may be sealed.
const SEALING: [&str; 3] = ["GSSAPI", "GSS-SPNEGO", "DIGEST-MD5"];

/// What both directions know.
pub(super) struct Talk {
    worker: Rc<Worker>,
    client: IpAddr,
    domain: Rc<str>,
    /// Whether the client has named the domain; one that has not may bind to any that is no host of ours.
    is_named: bool,
    target: Box<str>,
    binds: RefCell<VecDeque<Try>>,
    /// Whether a SASL mechanism seals what follows, if both sides want that.
    may_seal: Cell<bool>,
    accepted: Rc<Cell<bool>>,
}

/// A bind that was not answered yet.
struct Try {
    id: u32,
    user: Box<str>,
    /// What name and password are known by.
    guess: u64,
    /// Whether it proves anything.
    proves: bool,
    /// Whether messages may be sealed from then on.
    seals: bool,
}

impl Talk {
    pub(super) fn new(caller: &Caller, reached: &Reached) -> Self {
        Self {
            worker: Rc::clone(&caller.worker),
            client: caller.identity.address(),
            domain: Rc::clone(&reached.domain),
            is_named: reached.is_named,
            target: name(reached.key()),
            binds: RefCell::default(),
            may_seal: Cell::new(false),
            accepted: Rc::default(),
        }
    }

    /// Whether the target has let the client in.
    pub(super) fn accepted(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.accepted)
    }

    fn is_of_another(&self, domain: &str) -> bool {
        let other = compared(domain);
        let current = self.worker.current();
        let is_host = || current.live.routes.domains().host(&other).is_some();
        other != *self.domain && (self.is_named || is_host())
    }

    /// Takes note of a bind, whose `bytes` hold the password. None is forgotten for another: guesses would not count then.
    fn remember(&self, asked: &Request, bind: &Bind, bytes: &[u8]) -> Result<(), Reason> {
        let mut binds = self.binds.borrow_mut();
        if binds.len() >= MOST_BINDS || binds.iter().any(|waiting| waiting.id == asked.id) {
            let waiting = u32::try_from(binds.len()).unwrap_or(u32::MAX);
            return Err(Reason::Unanswered(waiting));
        }
        let (name, mechanism) = match bind {
            Bind::Simple(name) | Bind::Unauthenticated(name) => (Some(name), ""),
            Bind::Sasl { mechanism, name } => (name.as_ref(), mechanism.as_str()),
            Bind::Anonymous | Bind::Unknown => (None, ""),
        };
        let is = |known: &&str| known.eq_ignore_ascii_case(mechanism);
        let logins = &self.worker.shared.logins;
        binds.push_back(Try {
            id: asked.id,
            user: name
                .map(|name| shown(&name.text))
                .unwrap_or_default()
                .into(),
            guess: logins.digest((self.client, &self.domain, &bytes[asked.operation..])),
            proves: match bind {
                Bind::Simple(_) => true,
                Bind::Sasl { .. } => !is(&"ANONYMOUS"),
                Bind::Anonymous | Bind::Unauthenticated(_) | Bind::Unknown => false,
            },
            seals: SEALING.iter().any(is),
        });
        Ok(())
    }

    /// Counts what the target says of a bind.
    fn judge(&self, answer: &Reply) {
        if answer.is_entry {
            self.accepted.set(true);
        }
        let Some(code) = answer.bound else {
            return;
        };
        let mut binds = self.binds.borrow_mut();
        let at = binds.iter().position(|asked| asked.id == answer.id);
        let Some(asked) = at.and_then(|at| binds.remove(at)) else {
            return;
        };
        if code == ResultCode::Success as u32 {
            self.accepted.set(self.accepted.get() || asked.proves);
            self.may_seal.set(asked.seals);
        } else if code == ResultCode::InvalidCredentials as u32 {
            self.tell_failed(&asked);
        }
    }

    /// Telephones try a wrong password again at each letter of a search, which counts once.
    fn tell_failed(&self, asked: &Try) {
        let shared = &self.worker.shared;
        if shared.logins.is_first_lately(asked.guess) {
            shared.context.offences.report(self.client, 1);
        }
        let reason = "the target refused the password";
        let is_news = shared
            .logins
            .is_news(self.client, &self.domain, &asked.user, reason);
        if is_news {
            shared.context.events.send(Event::LoginFailed {
                service: "proxy".into(),
                access: self.domain.to_string(),
                method: "ldap".into(),
                user: asked.user.to_string(),
                client: self.client,
                reason: reason.to_owned(),
            });
        }
    }
}

/// From the client to the target: sees to it that nobody binds to another domain on the same connection, nor hides what he does by TLS
/// within it.
pub(super) struct Up {
    talk: Rc<Talk>,
    /// Whether what follows is sealed.
    is_sealed: bool,
}

impl Up {
    pub(super) fn new(talk: Rc<Talk>) -> Self {
        Self {
            talk,
            is_sealed: false,
        }
    }
}

impl Screen for Up {
    fn look(&mut self, read: &[u8], _: &mut Vec<u8>) -> Result<Look, Reason> {
        let talk = &*self.talk;
        // Sealed messages begin with a length in four bytes (RFC 4422 section 3.7), which is none that a directory takes where it could be the
        // begin of a plain message.
        self.is_sealed |= talk.may_seal.get() && !read.starts_with(&[SEQUENCE]);
        if self.is_sealed {
            return Ok(Look::Pass(read.len()));
        }
        let Some(asked) = request(read).map_err(unreadable)? else {
            return Ok(Look::More);
        };
        if let Some(other) = domain(&asked.asks).filter(|other| talk.is_of_another(other)) {
            return Err(Reason::DomainChanged(shown(&other).into()));
        }
        match &asked.asks {
            Asks::StartTls => Err(Reason::StartTls("the connection has a target already")),
            Asks::Bind(bind) => {
                talk.remember(&asked, bind, &read[..asked.len])?;
                Ok(Look::Pass(asked.len))
            }
            _ => Ok(Look::Pass(asked.len)),
        }
    }
}

/// From the target to the client: everything passes, and answers to binds are heard.
pub(super) struct Down {
    talk: Rc<Talk>,
    /// Whether what comes is sealed.
    is_deaf: bool,
}

impl Down {
    pub(super) fn new(talk: Rc<Talk>) -> Self {
        Self {
            talk,
            is_deaf: false,
        }
    }
}

impl Screen for Down {
    fn look(&mut self, read: &[u8], _: &mut Vec<u8>) -> Result<Look, Reason> {
        let mut passed: usize = 0;
        while !self.is_deaf && passed < read.len() {
            match reply(&read[passed..]) {
                Ok(Some(answer)) => {
                    self.talk.judge(&answer);
                    passed = passed.saturating_add(answer.len);
                }
                Ok(None) if passed == 0 => return Ok(Look::More),
                Ok(None) => return Ok(Look::Pass(passed)),
                Err(_) if self.talk.may_seal.get() => self.is_deaf = true,
                Err(_) if passed > 0 => return Ok(Look::Pass(passed)),
                Err(fault) => {
                    let target = self.talk.target.clone();
                    return Err(Reason::TargetUnreadable(target, fault.to_string().into()));
                }
            }
        }
        Ok(Look::Pass(passed.max(read.len())))
    }
}
