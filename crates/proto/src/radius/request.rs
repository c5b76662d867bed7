//! Access-Request: who wants in (RFC 2865 section 4.1).

use std::net::IpAddr;

use thiserror::Error;

use super::{DIGEST, HEADER, MAX_VALUE, MESSAGE_AUTHENTICATOR, Nonce, digest, push, set_length};

/// The most bytes of a password (RFC 2865 section 5.2).
pub const MAX_PASSWORD: usize = 128;

const ACCESS_REQUEST: u8 = 1;
const USER_NAME: u8 = 1;
const USER_PASSWORD: u8 = 2;
const STATE: u8 = 24;
const CALLING_STATION_ID: u8 = 31;
const NAS_IDENTIFIER: u8 = 32;

/// A user's password, or his answer to what the server asked, and who asks.
pub struct Request<'a> {
    /// His name; at most [`MAX_VALUE`] bytes.
    pub user: &'a str,
    /// The password, or the answer to a challenge; at most [`MAX_PASSWORD`] bytes, none of them 0: the server could not
    /// tell those at the end from the filling.
    pub password: &'a [u8],
    /// What the server calls us (NAS-Identifier).
    pub nas: &'a str,
    /// Where he sits (Calling-Station-Id).
    pub client: IpAddr,
    /// The State of the challenge that is answered; empty: it is none, or the challenge had none.
    pub state: &'a [u8],
}

/// RADIUS has no place for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsayable {
    /// The name.
    #[error("the name is empty or longer than 253 bytes")]
    User,
    /// The password.
    #[error("the password is longer than 128 bytes or holds a zero byte")]
    Password,
    /// Our own name.
    #[error("our own name is empty or longer than 253 bytes")]
    Nas,
    /// The State.
    #[error("the state is longer than 253 bytes")]
    State,
}

impl Request<'_> {
    /// The packet; its first attribute is the Message-Authenticator.
    ///
    /// # Errors
    /// What does not fit; whoever typed it is to blame.
    pub fn encode(&self, nonce: &Nonce, secret: &[u8]) -> Result<Vec<u8>, Unsayable> {
        self.check()?;
        let mut packet = vec![ACCESS_REQUEST, nonce.identifier, 0, 0];
        packet.extend_from_slice(&nonce.authenticator);
        push(&mut packet, MESSAGE_AUTHENTICATOR, &[0; DIGEST]);
        let behind = packet.len();
        push(&mut packet, USER_NAME, self.user.as_bytes());
        let hidden = digest::hide(self.password, secret, &nonce.authenticator);
        push(&mut packet, USER_PASSWORD, &hidden);
        push(&mut packet, NAS_IDENTIFIER, self.nas.as_bytes());
        let client = self.client.to_canonical().to_string();
        push(&mut packet, CALLING_STATION_ID, client.as_bytes());
        if !self.state.is_empty() {
            push(&mut packet, STATE, self.state);
        }
        set_length(&mut packet);
        let at = behind - DIGEST;
        debug_assert!(at > HEADER);
        let proof = digest::message(&packet, at, &nonce.authenticator, secret);
        packet.splice(at..behind, proof);
        Ok(packet)
    }

    fn check(&self) -> Result<(), Unsayable> {
        let text = 1..=MAX_VALUE;
        if !text.contains(&self.user.len()) {
            return Err(Unsayable::User);
        }
        if self.password.len() > MAX_PASSWORD || self.password.contains(&0) {
            return Err(Unsayable::Password);
        }
        if !text.contains(&self.nas.len()) {
            return Err(Unsayable::Nas);
        }
        if self.state.len() > MAX_VALUE {
            return Err(Unsayable::State);
        }
        Ok(())
    }
}
