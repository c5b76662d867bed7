//! How a record of the log reads; one line, the same on stderr of the service and in `gatehouse log`.
//!
//! `2026-11-21T01:42:47Z rejected 203.0.113.9:51812 https hq.example GET /PBX0/FOO: no path of this host matches (line 77)`

use std::fmt;
use std::net::IpAddr;

use service::{ConfigChange, Decision, Event, Outcome, ServiceState};

use crate::Record;

/// Characters of one part of a line that a client chose; what is beyond is cut.
const LONGEST_PART: usize = 1024;

/// A record as one line, without the end of line. What clients chose can neither end the line nor
/// speak to a terminal: everything but visible characters and spaces is escaped.
pub fn line(record: &Record) -> Line<'_> {
    Line(record)
}

/// A record as one line; made by [`line()`].
#[derive(Debug, Clone, Copy)]
pub struct Line<'a>(&'a Record);

impl<'a> Line<'a> {
    /// The word that says what happened, such as `rejected`.
    pub fn word(&self) -> &'static str {
        word(&self.0.event)
    }

    /// All that follows the word.
    pub fn rest(&self) -> Rest<'a> {
        Rest(&self.0.event)
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.0.time, self.word(), self.rest())
    }
}

/// What follows the word in a line.
#[derive(Debug, Clone, Copy)]
pub struct Rest<'a>(&'a Event);

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Decision(decision) => write_decision(f, decision),
            Event::Banned {
                client,
                seconds,
                reason,
            } => {
                let (client, time, reason) = (Banned(*client), Span(*seconds), Plain(reason));
                write!(f, "{client} for {time}: {reason}")
            }
            Event::Unbanned { client, lifted } => {
                let why = if *lifted {
                    "by the operator"
                } else {
                    "its time is over"
                };
                write!(f, "{}: {why}", Banned(*client))
            }
            Event::Service { name, state } => write_service(f, name, state),
            Event::Config { generation, change } => write_config(f, *generation, change),
            Event::Certificate { names, text } => {
                let names = names.join(", ");
                write!(f, "{}: {}", Plain(&names), Plain(text))
            }
            Event::Audit {
                actor,
                client,
                text,
            } => {
                write!(f, "{}", Plain(actor))?;
                if let Some(client) = client {
                    write!(f, " at {client}")?;
                }
                write!(f, ": {}", Plain(text))
            }
            Event::LoginFailed {
                access,
                method,
                user,
                client,
                reason,
                service: _,
            } => {
                let user = if user.is_empty() { "-" } else { user };
                let (user, access, method) = (Plain(user), Plain(access), Plain(method));
                write!(
                    f,
                    "{user} at {client} by {method} ({access}): {}",
                    Plain(reason)
                )
            }
            Event::Notice { service, text } => write!(f, "{}: {}", Plain(service), Plain(text)),
            Event::Dropped { count } => {
                write!(
                    f,
                    "{count} records: they came faster than they could be taken"
                )
            }
        }
    }
}

/// Seconds as people say them: `45s`, `5m`, `1h 30m`, `2d`.
#[derive(Debug, Clone, Copy)]
pub struct Span(pub u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.0 / 86_400, "d"),
            (self.0 / 3_600 % 24, "h"),
            (self.0 / 60 % 60, "m"),
            (self.0 % 60, "s"),
        ];
        let mut shown = parts.iter().skip_while(|(count, _)| *count == 0);
        let Some((count, unit)) = shown.next() else {
            return f.write_str("0s");
        };
        write!(f, "{count}{unit}")?;
        // Two units are exact enough for reading.
        match shown.next() {
            Some((count, unit)) if *count > 0 => write!(f, " {count}{unit}"),
            _ => Ok(()),
        }
    }
}

/// A text on one line: what is not visible is escaped, and what is too long is cut.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a>(pub &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for (count, character) in self.0.chars().enumerate() {
            if count == LONGEST_PART {
                return f.write_str("…");
            }
            match character {
                ' '..='~' => f.write_char(character)?,
                // Escapes what is not printable, of other scripts as well; and a tab, but no quote.
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        Ok(())
    }
}

/// An address that is banned, or the network where IPv6 is counted by /64.
struct Banned(IpAddr);

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

fn word(event: &Event) -> &'static str {
    match event {
        Event::Decision(decision) => match decision.outcome {
            Outcome::Forwarded { .. } => "forwarded",
            Outcome::Answered { .. } => "answered",
            Outcome::Rejected { .. } => "rejected",
        },
        Event::Banned { .. } => "banned",
        Event::Unbanned { .. } => "unbanned",
        Event::Service { .. } => "service",
        Event::Config { .. } => "config",
        Event::Certificate { .. } => "certificate",
        Event::Audit { .. } => "audit",
        Event::LoginFailed { .. } => "login-failed",
        Event::Notice { .. } => "notice",
        Event::Dropped { .. } => "dropped",
    }
}

fn write_decision(f: &mut fmt::Formatter<'_>, decision: &Decision) -> fmt::Result {
    let host = match decision.host.as_str() {
        "" => "-",
        host => host,
    };
    write!(
        f,
        "{} {} {}",
        decision.client,
        decision.protocol,
        Plain(host)
    )?;
    if !decision.asked.is_empty() {
        write!(f, " {}", Plain(&decision.asked))?;
    }
    match &decision.outcome {
        Outcome::Forwarded { target, new } => {
            let new = if *new { " (new)" } else { "" };
            write!(f, " -> {}{new}", Plain(target))?;
        }
        Outcome::Answered { status, reason } => write!(f, ": {status} {}", Plain(reason))?,
        Outcome::Rejected { reason, .. } => write!(f, ": {}", Plain(reason))?,
    }
    match decision.rule {
        Some(line) => write!(f, " (line {line})"),
        None => Ok(()),
    }
}

fn write_service(f: &mut fmt::Formatter<'_>, name: &str, state: &ServiceState) -> fmt::Result {
    let name = Plain(name);
    match state {
        ServiceState::Running => write!(f, "{name} running"),
        ServiceState::Failed { reason, retry_ms } => {
            let (whole, tenths) = (retry_ms / 1000, retry_ms % 1000 / 100);
            write!(
                f,
                "{name} failed: {}; again in {whole}.{tenths}s",
                Plain(reason)
            )
        }
        ServiceState::Draining => write!(f, "{name} draining"),
        ServiceState::Stopped => write!(f, "{name} stopped"),
    }
}

fn write_config(f: &mut fmt::Formatter<'_>, generation: u32, change: &ConfigChange) -> fmt::Result {
    match change {
        ConfigChange::Applied => write!(f, "generation {generation} is in force"),
        ConfigChange::Trial { seconds } => write!(
            f,
            "generation {generation} is in force on trial: rolled back in {} unless confirmed",
            Span(*seconds)
        ),
        ConfigChange::Confirmed => write!(f, "generation {generation} is confirmed"),
        ConfigChange::RolledBack { reason } => {
            write!(
                f,
                "rolled back to generation {generation}: {}",
                Plain(reason)
            )
        }
        ConfigChange::Refused { reason } => {
            let faults = reason.trim_end().lines().collect::<Vec<_>>().join("; ");
            write!(
                f,
                "refused, generation {generation} stays in force: {}",
                Plain(&faults)
            )
        }
    }
}

#[cfg(test)]
mod tests;
