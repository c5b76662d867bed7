//! Who is believed (RFC 8489 section 9.2.4). Nothing is kept of those who are not.

use super::Turn;
use super::client::{Client, Source};
use super::request::{Reply, Request};
use super::verdict::{Output, Reason, Verdict};
use crate::Now;
use crate::credentials::Algorithm;
use crate::message::{Class, Message, attribute};
use crate::nonce::Judged;

/// SHA-256 and MD5, neither with parameters (RFC 8489 section 14.11).
const ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];
/// What a nonce begins with whose next bits say what we can do.
const NONCE_COOKIE: &[u8] = b"obMatJos2";

/// Why somebody is not believed.
enum Doubt {
    /// An answer without anything else.
    Malformed,
    /// An answer with realm and nonce.
    Unproven(u16),
    /// The same, and his address is proven while his password is wrong.
    Wrong,
}

impl Turn {
    /// The request, if it is somebody's; otherwise what he is told.
    pub(super) fn authenticate<'a>(
        &mut self,
        client: Client,
        message: Message<'a>,
        now: Now,
        out: &mut [u8],
    ) -> Result<Request<'a>, Verdict> {
        let doubt = match self.prove(client, &message, now) {
            Ok(proven) => {
                return Ok(Request {
                    client,
                    message,
                    proven,
                    now,
                });
            }
            Err(doubt) => doubt,
        };
        if matches!(doubt, Doubt::Wrong) {
            self.note(Output::Offence {
                client: client.address.ip(),
            });
        }
        if !self.admits_stranger(&client, now) {
            return Err(Verdict::Drop(Reason::Stranger));
        }
        let reply = Reply {
            client,
            method: message.method(),
            transaction: message.transaction(),
            has_fingerprint: message.fingerprint().is_some(),
            proven: None,
        };
        Err(match doubt {
            Doubt::Malformed => reply.error(400, out),
            Doubt::Unproven(code) => self.challenge(&reply, code, now, out),
            Doubt::Wrong => self.challenge(&reply, 401, now, out),
        })
    }

    /// Whether somebody who has proven nothing is answered. On a stream his address is proven, and he gets no more than he asks for.
    pub(super) fn admits_stranger(&mut self, client: &Client, now: Now) -> bool {
        let source = Source::of(client.address.ip());
        client.is_stream() || self.strangers.admits(source, now.milliseconds())
    }

    fn prove(
        &self,
        client: Client,
        message: &Message<'_>,
        now: Now,
    ) -> Result<crate::credentials::Proven, Doubt> {
        if message.protection().is_none() {
            return Err(Doubt::Unproven(401));
        }
        let has = |kind| message.first(kind).is_some();
        let is_named = has(attribute::USERNAME) || has(attribute::USERHASH);
        let (true, true, Some(nonce)) = (
            is_named,
            has(attribute::REALM),
            message.first(attribute::NONCE),
        ) else {
            return Err(Doubt::Malformed);
        };
        let algorithm = algorithm(message, nonce)?;
        // Before the password: what a stranger can make us compute is one HMAC. The RFC answers 401 where both are wrong; with a
        // fresh nonce he is told so next time.
        if self.nonces.judge(nonce, client.address, now) == Judged::Stale {
            return Err(Doubt::Unproven(438));
        }
        self.credentials
            .prove(message, algorithm, now.unix)
            .ok_or(Doubt::Wrong)
    }

    fn challenge(&self, reply: &Reply<'_>, code: u16, now: Now, out: &mut [u8]) -> Verdict {
        let nonce = self.nonces.make(reply.client.address, now);
        reply.write(Class::Error, out, |writer| {
            writer
                .error(code)
                .attribute(attribute::REALM, self.credentials.realm().as_bytes())
                .attribute(attribute::NONCE, &nonce)
                .attribute(attribute::PASSWORD_ALGORITHMS, &ALGORITHMS);
        })
    }
}

/// With what the key is made: MD5 where nobody says, and a choice of what we have offered, told back to us unchanged, so that
/// nobody in between can have taken the better one away.
fn algorithm(message: &Message<'_>, nonce: &[u8]) -> Result<Algorithm, Doubt> {
    let chosen = message.first(attribute::PASSWORD_ALGORITHM);
    let offered = message.first(attribute::PASSWORD_ALGORITHMS);
    if !nonce.starts_with(NONCE_COOKIE) || (chosen.is_none() && offered.is_none()) {
        return Ok(Algorithm::Md5);
    }
    match (chosen, offered) {
        (Some(&[high, low, 0, 0]), Some(offered)) if offered == ALGORITHMS => {
            Algorithm::of(u16::from_be_bytes([high, low])).ok_or(Doubt::Malformed)
        }
        _ => Err(Doubt::Malformed),
    }
}
