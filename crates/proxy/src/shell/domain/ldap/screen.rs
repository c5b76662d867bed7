//! What is looked at in the messages of a connection that has a target: who binds, and whether he is let in.

use super::super::caller::{Caller, Reached, shown};
use super::{domain, unreadable};
use crate::core::{Reason, compared};
use crate::shell::lane::{Look, Screen};
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

/// What both directions know.
pub(super) struct Talk {
    worker: Rc<Worker>,
    client: IpAddr,
    domain: Rc<str>,
    /// Whether the client has named the domain; one that has not may bind to any that is no host of ours.
    is_named: bool,
    binds: RefCell<VecDeque<Try>>,
    /// Whether a SASL mechanism may seal what follows.
    may_seal: Cell<bool>,
    accepted: Rc<Cell<bool>>,
}

/// A bind that was not answered yet.
struct Try {
    id: u32,
    user: Box<str>,
    /// Whether the same has not failed just now: telephones try a wrong password at each letter of a search.
    is_new: bool,
}

impl Talk {
    pub(super) fn new(caller: &Caller, reached: &Reached) -> Self {
        Self {
            worker: Rc::clone(&caller.worker),
            client: caller.identity.address(),
            domain: Rc::clone(&reached.domain),
            is_named: reached.is_named,
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

    /// Takes note of a bind, whose `bytes` hold the password.
    fn remember(&self, asked: &Request, bind: &Bind, bytes: &[u8]) {
        let user = match bind {
            Bind::Simple(name)
            | Bind::Sasl {
                name: Some(name), ..
            } => shown(&name.text),
            Bind::Anonymous | Bind::Sasl { .. } | Bind::Unknown => String::new(),
        };
        let logins = &self.worker.shared.logins;
        let guess = (self.client, &self.domain, &bytes[asked.operation..]);
        let mut binds = self.binds.borrow_mut();
        if binds.len() >= MOST_BINDS {
            binds.pop_front();
        }
        binds.push_back(Try {
            id: asked.id,
            user: user.into(),
            is_new: logins.is_first_lately(guess),
        });
    }

    /// Counts what the target says of a bind.
    fn judge(&self, answer: &Reply) {
        let Some(code) = answer.bound else {
            return;
        };
        let mut binds = self.binds.borrow_mut();
        let at = binds.iter().position(|asked| asked.id == answer.id);
        let Some(asked) = at.and_then(|at| binds.remove(at)) else {
            return;
        };
        if code == ResultCode::Success as u32 {
            self.accepted.set(true);
        } else if code == ResultCode::InvalidCredentials as u32 && asked.is_new {
            let context = &self.worker.shared.context;
            context.offences.report(self.client, 1);
            context.events.send(Event::LoginFailed {
                service: "proxy".into(),
                access: self.domain.to_string(),
                method: "ldap".into(),
                user: asked.user.into(),
                client: self.client,
                reason: "the target refused the password".to_owned(),
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
        match &asked.asks {
            Asks::StartTls => return Err(Reason::StartTls("the connection has a target already")),
            Asks::Bind(bind) => {
                if matches!(bind, Bind::Sasl { .. }) {
                    talk.may_seal.set(true);
                }
                talk.remember(&asked, bind, &read[..asked.len]);
            }
            _ => {}
        }
        match domain(&asked.asks) {
            Some(other) if talk.is_of_another(&other) => {
                Err(Reason::DomainChanged(shown(&other).into()))
            }
            _ => Ok(Look::Pass(asked.len)),
        }
    }
}

/// From the target to the client: everything passes, and answers to binds are heard.
pub(super) struct Down {
    talk: Rc<Talk>,
    /// Whether what comes is not LDAP, or not to be read.
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
                Err(_) => self.is_deaf = true,
            }
        }
        Ok(Look::Pass(passed.max(read.len())))
    }
}
