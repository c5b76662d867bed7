//! Ports that wait for whoever shows their token (RFC 8656 section 7.2).

use super::allocate::RESERVED;
use super::verdict::Token;

#[derive(Debug)]
pub(super) struct Reservations {
    most: usize,
    /// In the order in which they end.
    held: Vec<(Token, u32)>,
}

impl Reservations {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            held: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.held.len() >= self.most
    }

    pub(super) fn put(&mut self, token: Token, now: u32) {
        self.held.push((token, now.saturating_add(RESERVED)));
    }

    pub(super) fn has(&self, token: Token, now: u32) -> bool {
        let mut held = self.held.iter();
        held.any(|(held, until)| *held == token && *until > now)
    }

    /// Uses the token up.
    pub(super) fn take(&mut self, token: Token) {
        self.held.retain(|(held, _)| *held != token);
    }

    /// The first that is over.
    pub(super) fn expired(&mut self, now: u32) -> Option<Token> {
        let (token, until) = *self.held.first()?;
        (until <= now).then(|| {
            self.held.remove(0);
            token
        })
    }

    pub(super) fn first_due(&self) -> Option<u32> {
        self.held.first().map(|(_, until)| *until)
    }
}
