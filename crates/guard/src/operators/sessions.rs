//! Who is signed in.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::user::UserName;
use crate::totp::TotpSecret;

/// A session that is not used for so long ends.
pub const IDLE: Duration = Duration::from_mins(30);
/// Every session ends after so long.
pub const LIFE: Duration = Duration::from_hours(12);
/// The most sessions at a time.
pub const MAX_SESSIONS: usize = 128;
/// The most sessions of one user.
pub const MAX_SESSIONS_OF_USER: usize = 16;
/// How long a secret that was offered for an authenticator app can be taken into use.
pub const OFFER_LIFE: Duration = Duration::from_mins(10);
/// How many wrong codes an offered secret outlives, less one.
pub const OFFER_TRIES: u32 = 5;
/// How many random bytes a token is made of.
pub const TOKEN_BYTES: usize = 32;

/// Characters of a token as text.
const TOKEN_TEXT: usize = 43;

/// What a browser shows to be in a session; only its hash is kept. Has no debug form.
#[derive(Clone)]
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// The token that these random bytes are.
    pub fn new(random: [u8; TOKEN_BYTES]) -> Self {
        Self(random)
    }

    /// A token as a browser sends it; `None`: it can be none.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != TOKEN_TEXT {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As a browser is to send it: 43 characters that need no escaping anywhere.
    pub fn text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The name of a session, by which it can be seen and ended but not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserName,
    /// The browser, as of its beginning.
    pub client: Option<IpAddr>,
    /// When it began.
    pub since: Instant,
    /// When it was last used.
    pub used: Instant,
    /// The secret that its user was offered for an app, and has not confirmed.
    pub offer: Option<Offer>,
    key: [u8; 32],
}

/// A secret that was offered for an authenticator app.
#[derive(Clone, Debug)]
pub struct Offer {
    secret: TotpSecret,
    until: Instant,
    wrong: u32,
}

impl Offer {
    /// One that is made now.
    pub fn new(secret: TotpSecret, now: Instant) -> Self {
        Self {
            secret,
            until: now + OFFER_LIFE,
            wrong: 0,
        }
    }

    /// The secret, while it can be taken into use.
    pub fn secret(&self, now: Instant) -> Option<&TotpSecret> {
        (now < self.until && self.wrong < OFFER_TRIES).then_some(&self.secret)
    }

    /// Counts a wrong code.
    pub fn count_wrong(&mut self) {
        self.wrong += 1;
    }
}

impl Session {
    /// When it ends if it is not used any more.
    pub fn ends(&self) -> Instant {
        (self.used + IDLE).min(self.since + LIFE)
    }
}

/// The sessions of the box.
#[derive(Debug, Default)]
pub struct Sessions {
    /// In the order of their beginning.
    open: Vec<Session>,
    last: u64,
}

impl Sessions {
    /// Begins a session; where there are too many, the oldest one ends, of the same user or of all.
    pub fn begin(
        &mut self,
        token: &Token,
        user: UserName,
        client: Option<IpAddr>,
        now: Instant,
    ) -> &Session {
        self.drop_ended(now);
        let of_user = |session: &Session| session.user == user;
        if self.open.iter().filter(|open| of_user(open)).count() >= MAX_SESSIONS_OF_USER
            && let Some(oldest) = self.open.iter().position(of_user)
        {
            self.open.remove(oldest);
        }
        if self.open.len() >= MAX_SESSIONS {
            self.open.remove(0);
        }
        self.last += 1;
        self.open.push(Session {
            id: SessionId(self.last),
            user,
            client,
            since: now,
            used: now,
            offer: None,
            key: token.hash(),
        });
        self.open.last().expect("it was put there just now")
    }

    /// The session of a token, which counts as used now.
    pub fn of(&mut self, token: &Token, now: Instant) -> Option<&mut Session> {
        let session = self.known(token, now)?;
        session.used = now;
        Some(session)
    }

    /// The session of a token; that is no use of it.
    pub fn known(&mut self, token: &Token, now: Instant) -> Option<&mut Session> {
        self.drop_ended(now);
        let key = token.hash();
        let mut found = None;
        // To the end in any case, so that the time it takes says nothing.
        for (place, session) in self.open.iter().enumerate() {
            if session.key.ct_eq(&key).into() {
                found = Some(place);
            }
        }
        self.open.get_mut(found?)
    }

    /// A session by its name; that is no use of it.
    pub fn get(&self, id: SessionId, now: Instant) -> Option<&Session> {
        self.iter(now).find(|session| session.id == id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: SessionId, now: Instant) -> Option<&mut Session> {
        self.drop_ended(now);
        self.open.iter_mut().find(|session| session.id == id)
    }

    /// All that are open, the oldest first.
    pub fn iter(&self, now: Instant) -> impl Iterator<Item = &Session> {
        self.open.iter().filter(move |session| session.ends() > now)
    }

    /// Ends a session; false: there is none of this name.
    pub fn end(&mut self, id: SessionId) -> bool {
        let before = self.open.len();
        self.open.retain(|session| session.id != id);
        self.open.len() < before
    }

    /// Ends all sessions of a user but `spared`.
    pub fn end_of(&mut self, user: &UserName, spared: Option<SessionId>) {
        self.open
            .retain(|session| session.user != *user || Some(session.id) == spared);
    }

    /// Ends all.
    pub fn end_all(&mut self) {
        self.open.clear();
    }

    fn drop_ended(&mut self, now: Instant) {
        self.open.retain(|session| session.ends() > now);
    }
}
