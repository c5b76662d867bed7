use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use utoipa::ToSchema;

/// Who is to blame for a failure; only [`Blame::Peer`] feeds `guard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The client: it asked for something that is not allowed, or broke the protocol.
    Peer,
    /// The target: it refused, hung up, was silent, or broke the protocol.
    Upstream,
    /// Gatehouse itself, or its configuration.
    Us,
}

/// What became of one request or connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Passed on.
    Forwarded {
        /// Address and port of the target.
        target: String,
        /// Whether a new connection was opened to it.
        new: bool,
    },
    /// Answered by Gatehouse itself, by rule: a redirect, for instance.
    Answered {
        /// The status sent.
        status: u16,
        /// What was answered, and why.
        reason: String,
    },
    /// Refused.
    Rejected {
        /// The status sent, where one could be sent.
        status: Option<u16>,
        /// Why, in the operator's words.
        reason: String,
        /// Whose fault it was.
        blame: Blame,
    },
}

/// One line of the decision log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// The service that decided, `proxy` for instance.
    #[schema(value_type = String)]
    pub service: Cow<'static, str>,
    /// How the client came in: `http`, `https`, `sip`, …
    #[schema(value_type = String)]
    pub protocol: Cow<'static, str>,
    /// The client.
    #[schema(value_type = String)]
    pub client: SocketAddr,
    /// The host that was asked for; empty where none was named.
    pub host: String,
    /// What was asked, `GET /PBX0/APPS` for instance.
    pub asked: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The line of the configuration that decided.
    pub rule: Option<u32>,
}

/// A service's or process's state, as told in the log and in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ServiceState {
    /// It serves.
    Running,
    /// It failed and will be started anew.
    Failed {
        /// Why.
        reason: String,
        /// Until the next start, in milliseconds.
        retry_ms: u64,
    },
    /// It lets its sessions end.
    Draining,
    /// It ended because it was told to.
    Stopped,
}

/// What happened to the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ConfigChange {
    /// In force, and kept.
    Applied,
    /// In force until `seconds` are over, unless confirmed.
    Trial {
        /// Time left to confirm.
        seconds: u64,
    },
    /// A trial was confirmed.
    Confirmed,
    /// Given up for the generation named beside it.
    RolledBack {
        /// Why.
        reason: String,
    },
    /// Not put into force.
    Refused {
        /// The faults, one a line.
        reason: String,
    },
}

/// News from a service. Closed on purpose: what can happen is listed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A request or connection was decided on.
    Decision(Decision),
    /// An address was banned.
    Banned {
        /// The address, or the first of its /64.
        #[schema(value_type = String)]
        client: IpAddr,
        /// For how long, in seconds.
        seconds: u64,
        /// Why.
        reason: String,
    },
    /// A ban ended or was lifted.
    Unbanned {
        /// The address, or the first of its /64.
        #[schema(value_type = String)]
        client: IpAddr,
        /// Whether the operator lifted it.
        lifted: bool,
    },
    /// A service or process changed its state.
    Service {
        /// Its name.
        #[schema(value_type = String)]
        name: Cow<'static, str>,
        /// Its state now.
        #[serde(flatten)]
        state: ServiceState,
    },
    /// The configuration changed, or did not.
    Config {
        /// The generation in question.
        generation: u32,
        /// What happened.
        #[serde(flatten)]
        change: ConfigChange,
    },
    /// Something about a certificate that the operator should know.
    Certificate {
        /// The names it is for.
        names: Vec<String>,
        /// What is wrong or new.
        text: String,
    },
    /// Somebody did not get in at something that is published.
    LoginFailed {
        /// The service that asked.
        #[schema(value_type = String)]
        service: Cow<'static, str>,
        /// The `[access.NAME]`.
        access: String,
        /// Its kind.
        #[schema(value_type = String)]
        method: Cow<'static, str>,
        /// As whom; empty where what was sent can be nobody's name.
        user: String,
        /// From where.
        #[schema(value_type = String)]
        client: IpAddr,
        /// Why not.
        reason: String,
    },
    /// An operator did something, or somebody tried to be one.
    Audit {
        /// The user, `local` for console and command line, `nobody` for who is not signed in.
        actor: String,
        /// The browser, where there is one.
        #[schema(value_type = Option<String>)]
        client: Option<IpAddr>,
        /// What was done.
        text: String,
    },
    /// Anything else an operator should read.
    Notice {
        /// The service that says it.
        #[schema(value_type = String)]
        service: Cow<'static, str>,
        /// What it says.
        text: String,
    },
    /// Events that were lost because they came faster than they could be taken.
    Dropped {
        /// How many.
        count: u64,
    },
}

impl Event {
    /// The service this event is about, for `gatehouse log --service`.
    pub fn service(&self) -> &str {
        match self {
            Self::Decision(decision) => &decision.service,
            Self::Service { name, .. } => name,
            Self::Notice { service, .. } | Self::LoginFailed { service, .. } => service,
            Self::Banned { .. } | Self::Unbanned { .. } => "guard",
            Self::Config { .. } => "config",
            Self::Certificate { .. } => "certs",
            Self::Audit { .. } => "audit",
            Self::Dropped { .. } => "log",
        }
    }

    /// Cuts every text in it to `limit` bytes, and a list of texts to its first so many bytes.
    pub fn clip(&mut self, limit: usize) {
        match self {
            Self::Decision(decision) => {
                clip_name(&mut decision.service, limit);
                clip_name(&mut decision.protocol, limit);
                clip(&mut decision.host, limit);
                clip(&mut decision.asked, limit);
                match &mut decision.outcome {
                    Outcome::Forwarded { target: text, .. }
                    | Outcome::Answered { reason: text, .. }
                    | Outcome::Rejected { reason: text, .. } => clip(text, limit),
                }
            }
            Self::Banned { reason, .. } => clip(reason, limit),
            Self::Service { name, state } => {
                clip_name(name, limit);
                if let ServiceState::Failed { reason, .. } = state {
                    clip(reason, limit);
                }
            }
            Self::Config { change, .. } => match change {
                ConfigChange::RolledBack { reason } | ConfigChange::Refused { reason } => {
                    clip(reason, limit);
                }
                ConfigChange::Applied | ConfigChange::Trial { .. } | ConfigChange::Confirmed => {}
            },
            Self::Certificate { names, text } => {
                let mut left = limit;
                names.retain(|name| {
                    // A list of empty names would have no end either.
                    let fits = name.len() < left;
                    left = left.saturating_sub(name.len() + 1);
                    fits
                });
                clip(text, limit);
            }
            Self::LoginFailed {
                service,
                access,
                method,
                user,
                reason,
                client: _,
            } => {
                clip_name(service, limit);
                clip_name(method, limit);
                for text in [access, user, reason] {
                    clip(text, limit);
                }
            }
            Self::Audit { actor, text, .. } => {
                clip(actor, limit);
                clip(text, limit);
            }
            Self::Notice { service, text } => {
                clip_name(service, limit);
                clip(text, limit);
            }
            Self::Unbanned { .. } | Self::Dropped { .. } => {}
        }
    }
}

/// Cuts `text` to `limit` bytes, between characters; what was cut ends in `…`.
pub fn clip(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit.saturating_sub('…'.len_utf8())));
        text.push('…');
    }
}

fn clip_name(name: &mut Cow<'static, str>, limit: usize) {
    if name.len() > limit {
        clip(name.to_mut(), limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_service_it_is_about() {
        let banned = Event::Banned {
            client: IpAddr::from([203, 0, 113, 9]),
            seconds: 300,
            reason: "20 rejected within a minute".into(),
        };
        assert_eq!(banned.service(), "guard");
        let service = Event::Service {
            name: "edge".into(),
            state: ServiceState::Draining,
        };
        assert_eq!(service.service(), "edge");
    }
    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut event = Event::Notice {
            service: "s".repeat(20).into(),
            text: "é".repeat(20),
        };
        event.clip(10);
        let Event::Notice { service, text } = event else {
            panic!("it is still a notice");
        };
        assert_eq!((service.as_ref(), text.as_str()), ("sssssss…", "ééé…"));
        let mut event = Event::Certificate {
            names: vec!["a.example".into(), "b.example".into(), String::new()],
            text: String::new(),
        };
        event.clip(12);
        let Event::Certificate { names, .. } = event else {
            panic!("it is still about a certificate");
        };
        assert_eq!(names, ["a.example"]);
    }
}
