//! Who may enter, as the data path sees it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use guard::entrance::{Change, LiveToken, Roll, TokenHash, TokenId, Typed, VisitorHash};
use guard::operators::UserName;
use tokio::sync::{mpsc, watch};

/// How many passwords wait at most to be kept in a better form; there is another chance at the next login.
const OUTDATED: usize = 16;

/// Visitors and tokens, looked up on requests. Cloning is cheap, clones are the same.
///
/// Until it is told the first [`Roll`], there is nobody in it. A change costs as much as it is long, not as
/// there are tokens.
#[derive(Clone, Debug)]
pub struct RollWatch {
    book: Arc<RwLock<Book>>,
    version: watch::Sender<u64>,
    outdated: mpsc::Sender<Outdated>,
}

/// A visitor whose password was right, while its hash is one that is to be made anew.
pub struct Outdated {
    /// Who it is.
    pub user: UserName,
    /// What he typed.
    pub password: Typed,
}

#[derive(Debug, Default)]
struct Book {
    visitors: HashMap<UserName, Known>,
    tokens: HashMap<TokenHash, LiveToken>,
    hashes: HashMap<TokenId, TokenHash>,
    /// The number of the last password.
    passwords: u64,
}

#[derive(Debug)]
struct Known {
    hash: VisitorHash,
    version: u64,
}

impl RollWatch {
    /// One without anybody in it, and where it says whose password is to be kept in a better form.
    pub fn new() -> (Self, mpsc::Receiver<Outdated>) {
        let (outdated, receiver) = mpsc::channel(OUTDATED);
        let watch = Self {
            book: Arc::default(),
            version: watch::Sender::new(0),
            outdated,
        };
        (watch, receiver)
    }

    /// A token that is on the roll; whether its time is over, the caller looks.
    pub fn token(&self, hash: &TokenHash) -> Option<LiveToken> {
        self.read().tokens.get(hash).cloned()
    }

    /// The hash of a visitor's password, and a number that is another one for every other password of anybody.
    pub fn visitor(&self, name: &UserName) -> Option<(VisitorHash, u64)> {
        let book = self.read();
        let known = book.visitors.get(name)?;
        Some((known.hash.clone(), known.version))
    }

    /// A number that changes with every change; whoever holds something open on a token or visitor waits for it
    /// and looks again.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Has the password of `user`, which was right, kept in a better form; never blocks, and forgets it where many wait.
    pub fn tell_outdated(&self, user: UserName, password: Typed) {
        let _ = self.outdated.try_send(Outdated { user, password });
    }

    /// Puts a whole roll into force, for every clone.
    pub fn publish(&self, roll: Roll) {
        let mut book = self.write();
        let Roll { visitors, tokens } = roll;
        book.visitors.retain(|name, _| visitors.contains_key(name));
        for (name, hash) in visitors {
            book.set_visitor(name, Some(hash));
        }
        book.tokens.clear();
        book.hashes.clear();
        for token in tokens {
            book.add_token(token);
        }
        drop(book);
        self.changed();
    }

    /// Puts changes into force, in their order.
    pub fn change(&self, changes: Vec<Change>) {
        let mut book = self.write();
        for change in changes {
            match change {
                Change::Visitor(name, hash) => book.set_visitor(name, hash),
                Change::Token(token) => book.add_token(token),
                Change::TokenGone(id) => book.remove_token(id),
            }
        }
        drop(book);
        self.changed();
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RollWatch {
    /// One whose outdated passwords nobody wants.
    fn default() -> Self {
        Self::new().0
    }
}

impl Book {
    fn set_visitor(&mut self, name: UserName, hash: Option<VisitorHash>) {
        let Some(hash) = hash else {
            self.visitors.remove(&name);
            return;
        };
        if self
            .visitors
            .get(&name)
            .is_some_and(|known| known.hash == hash)
        {
            return;
        }
        self.passwords += 1;
        let version = self.passwords;
        self.visitors.insert(name, Known { hash, version });
    }

    fn add_token(&mut self, token: LiveToken) {
        self.remove_token(token.id);
        self.hashes.insert(token.id, token.hash);
        self.tokens.insert(token.hash, token);
    }

    fn remove_token(&mut self, id: TokenId) {
        if let Some(hash) = self.hashes.remove(&id) {
            self.tokens.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: u64, text: &str) -> LiveToken {
        LiveToken {
            id: TokenId(id),
            access: "wcs".into(),
            hash: TokenHash::of(text),
            expires: None,
        }
    }

    #[test]
    fn what_is_told_later_is_worth_more() {
        let watch = RollWatch::default();
        let versions = watch.versions();
        let max = UserName::new("max").unwrap();
        let roll = Roll {
            visitors: [(max.clone(), VisitorHash::of_nobody())].into(),
            tokens: vec![token(1, "one"), token(2, "two")],
        };
        watch.publish(roll.clone());
        assert!(versions.has_changed().unwrap());
        let (_, version) = watch.visitor(&max).unwrap();
        assert_eq!(watch.token(&TokenHash::of("one")), Some(token(1, "one")));

        watch.change(vec![
            Change::TokenGone(TokenId(1)),
            Change::Token(token(3, "three")),
            Change::TokenGone(TokenId(9)),
        ]);
        let known = |text| watch.token(&TokenHash::of(text)).is_some();
        assert_eq!(["one", "two", "three"].map(known), [false, true, true]);

        // The same password has the same number, also where all is told anew.
        watch.publish(roll);
        assert_eq!(["one", "two", "three"].map(known), [true, true, false]);
        assert_eq!(watch.visitor(&max).unwrap().1, version);

        watch.change(vec![Change::Visitor(max.clone(), None)]);
        assert!(watch.visitor(&max).is_none());
        watch.change(vec![Change::Visitor(
            max.clone(),
            Some(VisitorHash::of_nobody()),
        )]);
        assert_ne!(watch.visitor(&max).unwrap().1, version);
    }

    #[test]
    fn a_flood_of_outdated_passwords_is_forgotten() {
        let (watch, mut receiver) = RollWatch::new();
        for _ in 0..2 * OUTDATED {
            let max = UserName::new("max").unwrap();
            watch.tell_outdated(max, Typed::from("correct horse".to_owned()));
        }
        let told = std::iter::from_fn(|| receiver.try_recv().ok()).count();
        assert_eq!(told, OUTDATED);
    }
}
