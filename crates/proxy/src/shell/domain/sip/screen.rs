//! What is looked at, and changed, in the messages of a connection that has a target.

use super::sides::Sides;
use crate::core::{Attempt, Attempts, MOST_UNANSWERED, Reason, compared};
use crate::shell::domain::caller::{Caller, Reached, shown};
use crate::shell::lane::{Look, Screen};
use crate::shell::live::Live;
use crate::shell::target::name;
use crate::shell::worker::Shared;
use config::Protocol;
use service::{Context, Event};
use sip::address::Address;
use sip::attack_tool::is_attack_tool;
use sip::message::{Item, Limits, Message, next};
use sip::rewrite::{Direction, Mapping};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, Weak};

/// The host of an address that hides who calls (RFC 3323 section 4.1.1.3).
const NOBODY: &str = "anonymous.invalid";

/// Requests that a target agrees to only for whom it knows.
const LETTING_IN: [&str; 4] = ["REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE"];

/// Dialogues of a connection that are remembered.
const MOST_CALLS: usize = 64;

/// What both directions know.
pub(super) struct Call {
    shared: Arc<Shared>,
    client: IpAddr,
    domain: Rc<str>,
    /// The name that the certificate has which opened a target over TLS.
    proven: Option<Box<str>>,
    target: Box<str>,
    sides: Option<Sides>,
    /// The addresses to exchange, and the configuration that they are of.
    mapping: RefCell<(Weak<Live>, Option<Mapping>)>,
    attempts: RefCell<Attempts>,
    accepted: Rc<Cell<bool>>,
    /// The dialogues that the target has begun, where it takes the client's name for granted.
    called: RefCell<VecDeque<u64>>,
}

impl Call {
    pub(super) fn new(caller: &Caller, reached: &Reached) -> Self {
        let proven = reached.proof.given().map(Box::from);
        let sides = Sides::of(caller, reached);
        let live = &reached.current.live;
        let mapping = sides.as_ref().and_then(|sides| sides.mapping(live));
        Self {
            shared: Arc::clone(&caller.worker.shared),
            client: caller.identity.address(),
            domain: Rc::clone(&reached.domain),
            proven,
            target: name(reached.key()),
            sides,
            mapping: RefCell::new((Arc::downgrade(live), mapping)),
            attempts: RefCell::default(),
            accepted: Rc::default(),
            called: RefCell::default(),
        }
    }

    /// Whether the target has let the client in.
    pub(super) fn accepted(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.accepted)
    }

    fn context(&self) -> &Context {
        &self.shared.context
    }

    /// Whether a request may go on, on a connection that was opened for one domain and, over TLS onward, for one user.
    fn check(&self, request: &Message<'_>) -> Result<(), Reason> {
        if is_attack_tool(request) {
            return Err(Reason::AttackTool);
        }
        let Some(method) = request.method() else {
            return Ok(());
        };
        // Case counts, and not everybody knows that.
        let registers = method.eq_ignore_ascii_case("REGISTER");
        let to = match request.to() {
            Ok(to) => to,
            Err(_) if self.proven.is_none() && !registers => return Ok(()),
            Err(fault) => return Err(unreadable(&fault)),
        };
        let from = request.from().map_err(|fault| unreadable(&fault))?;
        if !registers && self.is_within_dialog(method, request, (&from, &to)) {
            return self.is_nobody_else(super::asserted(request).map(Option::unwrap_or_default));
        }
        let hides = from.uri.domain().as_deref() == Some(NOBODY) && !registers;
        let of_from = from.uri.domain().filter(|_| !hides);
        if let Some(other) = of_from.filter(|domain| compared(domain) != *self.domain) {
            return Err(Reason::DomainChanged(shown(&other).into()));
        }
        if registers {
            let other = to.uri.domain().unwrap_or_default();
            if !super::names_same(&self.domain, &other) {
                return Err(Reason::DomainChanged(shown(&other).into()));
            }
        }
        let user = |address: &Address<'_>| address.uri.user().unwrap_or_default().into_owned();
        let mut users = vec![user(&from)];
        users.extend(registers.then(|| user(&to)));
        users.extend(super::asserted(request).map(Option::unwrap_or_default));
        if hides && ["", "anonymous"].contains(&&*users[0]) {
            users.remove(0);
        }
        self.is_nobody_else(users.into_iter())
    }

    /// Whether these users are the one who was proven, if one was.
    fn is_nobody_else(&self, mut users: impl Iterator<Item = String>) -> Result<(), Reason> {
        let Some(proven) = &self.proven else {
            return Ok(());
        };
        match users.find(|user| !user.eq_ignore_ascii_case(proven)) {
            Some(other) => Err(Reason::NameChanged(shown(&other).into())),
            None => Ok(()),
        }
    }

    /// Whether a request belongs to a dialogue, in which From is whatever the client was called by. Whoever has proven who he is could
    /// say so of anything, so that there the target must have begun it, and called him so.
    fn is_within_dialog(
        &self,
        method: &str,
        request: &Message<'_>,
        (from, to): (&Address<'_>, &Address<'_>),
    ) -> bool {
        let has_tag = to.parameter("tag").is_some_and(|tag| !tag.is_empty());
        if self.proven.is_some() {
            let dialog = dialog(request.call_id(), to, from);
            return has_tag && self.called.borrow().contains(&dialog);
        }
        let stands_alone = ["MESSAGE", "PUBLISH", "OPTIONS"];
        has_tag && !stands_alone.contains(&method)
    }

    /// Takes note of a dialogue that the target begins.
    fn remember(&self, request: &Message<'_>) {
        let begins = ["INVITE", "SUBSCRIBE", "REFER"];
        let method = request.method().unwrap_or_default();
        let (Ok(from), Ok(to)) = (request.from(), request.to()) else {
            return;
        };
        if self.proven.is_none() || !begins.contains(&method) {
            return;
        }
        let mut called = self.called.borrow_mut();
        let call = dialog(request.call_id(), &from, &to);
        if !called.contains(&call) {
            if called.len() >= MOST_CALLS {
                called.pop_front();
            }
            called.push_back(call);
        }
    }

    /// Takes note of what a message of the target says of the client.
    fn judge(&self, answer: &Message<'_>) -> Result<(), Reason> {
        let lets_in = match (answer.status(), answer.cseq().1) {
            // Who is asked something is known; and it rings for as long as somebody has patience.
            (None, _) | (Some(101..=299), "INVITE") => true,
            // To anything else many agree.
            (Some(200..=299), method) => LETTING_IN.contains(&method),
            _ => false,
        };
        if lets_in {
            self.accepted.set(true);
        }
        match self.attempts.borrow_mut().answered(answer) {
            Attempt::Honest => {}
            Attempt::Series => return Err(Reason::Series),
            Attempt::Unknown => self.context().offences.report(self.client, 1),
            Attempt::WrongPassword(user) => {
                self.context().offences.report(self.client, 1);
                self.tell_failed(&user);
            }
        }
        Ok(())
    }

    fn tell_failed(&self, user: &str) {
        let reason = "the target refused the password";
        if !self
            .shared
            .logins
            .is_news(self.client, &self.domain, user, reason)
        {
            return;
        }
        self.context().events.send(Event::LoginFailed {
            service: "proxy".into(),
            access: self.domain.to_string(),
            method: "sip".into(),
            user: shown(user),
            client: self.client,
            reason: reason.to_owned(),
        });
    }

    /// The message as the other side is to see it.
    fn pass(&self, direction: Direction, message: &Message<'_>, out: &mut Vec<u8>) -> Look {
        let length = message.bytes().len();
        let Some(sides) = &self.sides else {
            return Look::Pass(length);
        };
        let live = self.shared.live.load();
        let mut known = self.mapping.borrow_mut();
        if known.0.as_ptr() != Arc::as_ptr(&live) {
            *known = (Arc::downgrade(&live), sides.mapping(&live));
        }
        let Some(mapping) = &known.1 else {
            return Look::Pass(length);
        };
        match mapping.rewritten(direction, message) {
            std::borrow::Cow::Borrowed(_) => Look::Pass(length),
            std::borrow::Cow::Owned(changed) => {
                out.extend_from_slice(&changed);
                Look::Replaced(length)
            }
        }
    }
}

/// From the client to the target.
pub(super) struct Up(Rc<Call>);

impl Up {
    pub(super) fn new(call: Rc<Call>) -> Self {
        Self(call)
    }
}

impl Screen for Up {
    fn look(&mut self, read: &[u8], out: &mut Vec<u8>) -> Result<Look, Reason> {
        let item = next(read, &Limits::LATER).map_err(|fault| unreadable(&fault))?;
        match item {
            None => Ok(Look::More),
            Some(item @ Item::KeepAlive(_)) => Ok(Look::Pass(item.length())),
            Some(Item::Message(message)) => {
                self.0.check(&message)?;
                if !self.0.attempts.borrow_mut().asked(&message) {
                    let most = u32::try_from(MOST_UNANSWERED).unwrap_or(u32::MAX);
                    return Err(Reason::Unanswered(most));
                }
                Ok(self.0.pass(Direction::ToTarget, &message, out))
            }
        }
    }
}

/// From the target to the client.
pub(super) struct Down(Rc<Call>);

impl Down {
    pub(super) fn new(call: Rc<Call>) -> Self {
        Self(call)
    }
}

impl Screen for Down {
    fn look(&mut self, read: &[u8], out: &mut Vec<u8>) -> Result<Look, Reason> {
        let item = next(read, &Limits::LATER).map_err(|fault| {
            let target = self.0.target.clone();
            Reason::TargetUnreadable(target, fault.to_string().into())
        })?;
        match item {
            None => Ok(Look::More),
            Some(item @ Item::KeepAlive(_)) => Ok(Look::Pass(item.length())),
            Some(Item::Message(message)) => {
                self.0.judge(&message)?;
                self.0.remember(&message);
                Ok(self.0.pass(Direction::ToClient, &message, out))
            }
        }
    }
}

fn unreadable(fault: &dyn std::fmt::Display) -> Reason {
    Reason::Unreadable(Protocol::Sip, fault.to_string().into())
}

/// A dialogue that `caller` has begun with `called` (RFC 3261 section 12), whose Call-ID may have the space of a fold in it.
fn dialog(call_id: &[u8], caller: &Address<'_>, called: &Address<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let tag = caller.parameter("tag");
    (tag, called.uri.user(), called.uri.domain()).hash(&mut hasher);
    for byte in call_id.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        hasher.write_u8(*byte);
    }
    hasher.finish()
}
