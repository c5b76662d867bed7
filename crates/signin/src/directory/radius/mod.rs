//! A login that RADIUS servers know about: a password, and the answer to what they ask beside it (RFC 2865).

mod exchange;
mod said;
mod silence;
#[cfg(test)]
mod tests;
mod ticket;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use config::{GroupsAttribute, RadiusLogin, RadiusServer, TargetHost};
use net::resolve::Names;
use proto::radius::{Attribute, Request, Unsayable};
use zeroize::Zeroizing;

use super::{Answer, Fault, Typing};
use exchange::{Exchange, Failure};
use silence::Silence;
use ticket::Ticket;

/// The RADIUS servers of one access list; shared by all workers.
pub struct Radius {
    servers: Vec<RadiusServer>,
    secret: Zeroizing<Vec<u8>>,
    names: Names,
    /// What the servers call us.
    nas: String,
    timeout: Duration,
    tries: u32,
    groups: Attribute,
    silence: Silence,
}

/// A server that could not be asked, and why.
struct Unheard {
    server: String,
    why: String,
}

impl Radius {
    /// What the configuration says, with the shared secret that it names; `nas` is our own name, at most 253 bytes.
    pub fn new(login: &RadiusLogin, secret: &[u8], names: Names, nas: impl Into<String>) -> Self {
        let servers = login.servers();
        Self {
            silence: Silence::new(servers.len()),
            servers,
            secret: Zeroizing::new(secret.to_vec()),
            names,
            nas: nas.into(),
            timeout: login.timeout,
            tries: login.tries,
            groups: match login.groups_attribute {
                GroupsAttribute::FilterId => Attribute::FilterId,
                GroupsAttribute::Class => Attribute::Class,
            },
        }
    }

    /// Asks whether it is he: one server after the other, until one answers.
    ///
    /// # Errors
    /// The servers' or the way's: none has answered; the server's: its answer makes no sense.
    pub async fn sign_in(&self, typing: &Typing) -> Result<Answer, Fault> {
        let mut unheard = Vec::new();
        for index in self.silence.order(Instant::now()) {
            let Some(server) = self.servers.get(index) else {
                continue;
            };
            match self.ask(server, None, typing).await? {
                Ok(answer) => {
                    self.silence.heard(index);
                    return Ok(answer);
                }
                Err(why) => {
                    self.silence.unheard(index, Instant::now());
                    let server = server.text.clone();
                    unheard.push(Unheard { server, why });
                }
            }
        }
        Err(unreachable(unheard))
    }

    /// Brings what the user has typed, where his password was, to the server whose question has this `state`; it may ask once more.
    ///
    /// # Errors
    /// As [`Radius::sign_in`]; no other server knows about the question.
    pub async fn answer(&self, typing: &Typing, state: &[u8]) -> Result<Answer, Fault> {
        let ticket = Ticket::read(state).ok_or_else(|| Fault::Unfit {
            server: self.servers_text(),
            why: "the question is none of this login".to_owned(),
        })?;
        let asker = |server: &&RadiusServer| server.text == ticket.server;
        let Some(server) = self.servers.iter().find(asker) else {
            return Err(Fault::Unreachable {
                server: ticket.server,
                why: "it asked, and is not in the configuration any more".to_owned(),
            });
        };
        self.ask(server, Some(&ticket), typing)
            .await?
            .map_err(|why| Fault::Unreachable {
                server: server.text.clone(),
                why,
            })
    }

    /// Asks one server; the inner error is why it was not heard.
    async fn ask(
        &self,
        server: &RadiusServer,
        ticket: Option<&Ticket>,
        typing: &Typing,
    ) -> Result<Result<Answer, String>, Fault> {
        let addresses = match ticket {
            Some(ticket) => vec![ticket.address],
            None => match self.addresses(server).await {
                Ok(addresses) => addresses,
                Err(why) => return Ok(Err(why)),
            },
        };
        let exchange = Exchange {
            addresses: &addresses,
            secret: &self.secret,
            timeout: self.timeout,
            tries: self.tries,
        };
        let request = Request {
            user: &typing.user,
            password: typing.password.as_str().as_bytes(),
            nas: &self.nas,
            client: typing.client,
            state: ticket.map_or(&[][..], |ticket| &ticket.state[..]),
        };
        let heard = exchange
            .ask(&request, |answer, address| {
                said::answer(answer, self.groups, typing, &|state| Ticket {
                    server: server.text.clone(),
                    address,
                    state,
                })
            })
            .await;
        match heard {
            Ok(Ok(answer)) => Ok(Ok(answer)),
            Ok(Err(why)) => Err(unfit(server, why)),
            Err(Failure::Unheard(why)) => Ok(Err(why)),
            Err(Failure::Unsayable(what @ (Unsayable::User | Unsayable::Password))) => {
                Ok(Ok(Answer::Refused(what.to_string())))
            }
            Err(Failure::Unsayable(what)) => Err(unfit(server, what.to_string())),
        }
    }

    async fn addresses(&self, server: &RadiusServer) -> Result<Vec<SocketAddr>, String> {
        let all: Vec<IpAddr> = match &server.host {
            TargetHost::Ip(address) => vec![*address],
            TargetHost::Name(name) => {
                let resolver = self.names.resolver().map_err(|error| error.to_string())?;
                let found = resolver.addresses(name).await;
                found.map_err(|error| error.to_string())?
            }
        };
        let port = server.port;
        Ok(all
            .into_iter()
            .map(|ip| SocketAddr::new(ip, port))
            .collect())
    }

    fn servers_text(&self) -> String {
        let texts: Vec<_> = self.servers.iter().map(|server| &*server.text).collect();
        texts.join(", ")
    }
}

fn unfit(server: &RadiusServer, why: String) -> Fault {
    Fault::Unfit {
        server: server.text.clone(),
        why,
    }
}

/// One fault of all that were asked; each says its own reason where there are several.
fn unreachable(mut unheard: Vec<Unheard>) -> Fault {
    if unheard.len() == 1
        && let Some(Unheard { server, why }) = unheard.pop()
    {
        return Fault::Unreachable { server, why };
    }
    let servers: Vec<_> = unheard.iter().map(|one| &*one.server).collect();
    let server = servers.join(", ");
    let reasons = unheard
        .iter()
        .map(|Unheard { server, why }| format!("{server}: {why}"));
    let why = reasons.collect::<Vec<_>>().join("; ");
    Fault::Unreachable { server, why }
}
