//! Logins that browsers have gone away with, until they come back.

use super::flow::Pending;
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use subtle::ConstantTimeEq as _;

/// The most logins under way at providers.
const MOST: usize = 1024;
/// The most of one client (an address, or a /64 of IPv6).
const MOST_OF_ONE: usize = 16;

/// A login that waits for its browser.
pub struct Waits {
    /// What was asked of the provider.
    pub pending: Pending,
    /// The access list.
    pub access: String,
    /// What only that browser has, such as the value of a cookie: without it, whoever follows a stranger's link would be
    /// signed in as the stranger (RFC 6749 section 10.12).
    pub browser: String,
    /// Where it goes when it is he.
    pub to: String,
    /// Where it is.
    pub client: IpAddr,
}

/// All logins that wait; the oldest is forgotten where there are too many.
#[derive(Debug, Default)]
pub struct Waiting(VecDeque<Waits>);

impl Waiting {
    /// Keeps one more.
    pub fn put(&mut self, login: Waits, now: u64) {
        self.0.retain(|waits| !waits.pending.is_over(now));
        let own = network(login.client);
        let is_own = |waits: &Waits| network(waits.client) == own;
        if self.0.iter().filter(|waits| is_own(waits)).count() >= MOST_OF_ONE
            && let Some(oldest) = self.0.iter().position(is_own)
        {
            self.0.remove(oldest);
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(login);
    }

    /// The login with this state, if this is its browser; it comes back once.
    pub fn take(&mut self, state: &str, browser: &str, now: u64) -> Option<Waits> {
        self.0.retain(|waits| !waits.pending.is_over(now));
        let same = |a: &str, b: &str| bool::from(a.as_bytes().ct_eq(b.as_bytes()));
        let found = self
            .0
            .iter()
            .position(|waits| same(waits.pending.state(), state) & same(&waits.browser, browser))?;
        self.0.remove(found)
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waits")
            .field("pending", &self.pending)
            .field("access", &self.access)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// As the guard counts clients.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(number: u16, client: &str, now: u64) -> Waits {
        let mut state = [0; 32];
        state[..2].copy_from_slice(&number.to_be_bytes());
        Waits {
            pending: Pending::new(&[state, [0; 32], [0; 32]], "https://a.example/", now),
            access: "staff".to_owned(),
            browser: format!("browser {number}"),
            to: "/".to_owned(),
            client: client.parse().unwrap(),
        }
    }

    #[test]
    fn a_login_comes_back_once_and_in_its_own_browser() {
        let mut waiting = Waiting::default();
        waiting.put(login(1, "192.0.2.1", 1000), 1000);
        let state = login(1, "192.0.2.1", 1000).pending.state().to_owned();
        assert!(waiting.take(&state, "browser 2", 1001).is_none());
        assert!(waiting.take("x", "browser 1", 1001).is_none());
        assert!(waiting.take(&state, "browser 1", 1001).is_some());
        assert!(waiting.take(&state, "browser 1", 1001).is_none());
        waiting.put(login(1, "192.0.2.1", 1000), 1000);
        assert!(waiting.take(&state, "browser 1", 1600).is_none());
    }

    #[test]
    fn nobody_pushes_out_the_others() {
        let mut waiting = Waiting::default();
        waiting.put(login(1, "192.0.2.1", 1000), 1000);
        for number in 2..200 {
            waiting.put(login(number, &format!("2001:db8::{number}"), 1000), 1000);
        }
        assert_eq!(waiting.0.len(), 1 + MOST_OF_ONE);
        for number in 200..2000 {
            let client = format!("198.51.{}.{}", number / 200, number % 200);
            waiting.put(login(number, &client, 1000), 1000);
        }
        assert_eq!(waiting.0.len(), MOST);
    }
}
