//! What is told about one request: to the log, the metrics and the guard.

use crate::core::{Identity, LoginFault, Reason, TicketFault};
use crate::metrics::HostInstruments;
use crate::shell::live::Live;
use crate::shell::worker::{Current, Shared};
use service::{Blame, Decision, Event, Outcome};
use std::rc::Rc;
use std::sync::Arc;

/// What a log line says about a request beside its outcome. Kept by the connection, so that
/// its memory is used again.
#[derive(Default)]
pub(crate) struct Told {
    /// The host as asked for.
    pub(crate) host: String,
    /// Method and path.
    pub(crate) asked: String,
}

/// Tells what became of one request.
pub(crate) struct Report<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) current: &'a Rc<Current>,
    pub(crate) identity: &'a Identity,
    pub(crate) told: &'a Told,
    /// The position of the host among the routes.
    pub(crate) host: Option<usize>,
    /// The line that decided.
    pub(crate) line: Option<u32>,
}

impl Report<'_> {
    /// It was passed on, and the target has begun to answer.
    pub(crate) fn forwarded(&self, target: impl std::fmt::Display, new: bool) {
        if self
            .live()
            .log_forwarded
            .contains(&self.identity.protocol())
        {
            let target = target.to_string();
            self.log(Outcome::Forwarded { target, new });
        }
    }

    /// We answered it ourselves, by rule.
    pub(crate) fn answered(&self, status: u16, reason: &str) {
        self.host().answered(status);
        if self
            .live()
            .log_forwarded
            .contains(&self.identity.protocol())
        {
            let reason = reason.to_owned();
            self.log(Outcome::Answered { status, reason });
        }
    }

    /// It was rejected; `status` as far as one could be sent.
    pub(crate) fn rejected(&self, reason: &Reason, status: Option<u16>) {
        if let Some(status) = status {
            self.host().answered(status);
        }
        self.shared.instruments.rejected(reason);
        self.host().rejected.inc();
        let blame = reason.blame();
        let weight = reason.weight();
        if blame == Blame::Peer && weight > 0 {
            let offences = &self.shared.context.offences;
            offences.report(self.identity.address(), weight);
        }
        self.tell_login(reason);
        if self.live().log_rejected.contains(&self.identity.protocol()) {
            self.log(Outcome::Rejected {
                status,
                reason: reason.to_string(),
                blame,
            });
        }
    }

    /// Somebody has sent a password or a token that is none.
    fn tell_login(&self, reason: &Reason) {
        let (access, method, user, reason) = match reason {
            Reason::Login(refused) => {
                let user = match &refused.fault {
                    LoginFault::Wrong(user) => user.as_ref(),
                    LoginFault::NotNamed(user) => Some(user),
                    LoginFault::Unreadable => None,
                    LoginFault::Missing
                    | LoginFault::Unchecked
                    | LoginFault::Busy
                    | LoginFault::WrongAgain
                    | LoginFault::Held(_) => return,
                };
                (&refused.access, "basic", user, refused.fault.to_string())
            }
            Reason::Ticket(access, fault @ TicketFault::Unknown) => {
                (access, "cookie", None, fault.to_string())
            }
            Reason::SignIn(refused) => {
                let Some(user) = &refused.user else { return };
                let reason = refused.fault.to_string();
                return self.tell_failed(&refused.access, "sso", user.to_string(), reason);
            }
            _ => return,
        };
        let user = user.map_or_else(String::new, ToString::to_string);
        self.tell_failed(access, method, user, reason);
    }

    fn tell_failed(&self, access: &str, method: &'static str, user: String, reason: String) {
        let client = self.identity.address();
        if !self.shared.logins.is_news(client, access, &user, &reason) {
            return;
        }
        self.shared.context.events.send(Event::LoginFailed {
            service: "proxy".into(),
            access: access.to_string(),
            method: method.into(),
            user,
            client,
            reason,
        });
    }

    /// The instruments of the host.
    pub(crate) fn host(&self) -> &HostInstruments {
        self.host
            .and_then(|index| self.live().hosts.get(index))
            .unwrap_or(&self.shared.instruments.no_host)
    }

    fn live(&self) -> &Live {
        &self.current.live
    }

    fn log(&self, outcome: Outcome) {
        self.shared.context.events.send(Event::Decision(Decision {
            service: "proxy".into(),
            protocol: self.identity.spoken().into(),
            client: self.identity.client(),
            host: self.told.host.clone(),
            asked: self.told.asked.clone(),
            outcome,
            rule: self.line,
        }));
    }
}
