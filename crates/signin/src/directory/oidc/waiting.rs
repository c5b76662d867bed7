//! Logins that browsers have gone away with, until they come back.

use super::flow::Pending;
use crate::core::crowd::Site;
use guard::ClientKey;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use subtle::ConstantTimeEq as _;

/// The most logins under way at providers.
const MOST: usize = 1024;
/// The most of one browser.
const MOST_OF_BROWSER: usize = 16;
/// The most of one client (an address, or a /64 of IPv6): an office, in the morning.
const MOST_OF_ONE: usize = 128;

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
        self.keep_below(MOST_OF_BROWSER, |waits| waits.browser == login.browser);
        let own = ClientKey::of(login.client);
        self.keep_below(MOST_OF_ONE, |waits| ClientKey::of(waits.client) == own);
        if self.0.len() >= MOST {
            let most = self.site_with_most();
            self.keep_below(1, |waits| Some(Site::of(waits.client)) == most);
        }
        self.0.push_back(login);
    }

    /// Forgets the oldest of some, so that with one more there are no more than `most`, or one of them at least.
    fn keep_below(&mut self, most: usize, is_own: impl Fn(&Waits) -> bool) {
        if self.0.iter().filter(|waits| is_own(waits)).count() >= most
            && let Some(oldest) = self.0.iter().position(is_own)
        {
            self.0.remove(oldest);
        }
    }

    /// Whose logins go where there are too many of all.
    fn site_with_most(&self) -> Option<Site> {
        let mut counts: HashMap<Site, usize> = HashMap::new();
        for waits in &self.0 {
            *counts.entry(Site::of(waits.client)).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(site, _)| site)
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
        // A site that has many networks pushes out its own.
        for number in 200..4000 {
            let client = format!("2001:db8:0:{number:x}::1");
            waiting.put(login(number, &client, 1000), 1000);
        }
        assert_eq!(waiting.0.len(), MOST);
        let first = login(1, "192.0.2.1", 1000);
        for number in 4000..4010 {
            let client = format!("198.51.100.{}", number - 4000);
            waiting.put(login(number, &client, 1000), 1000);
        }
        assert_eq!(waiting.0.len(), MOST);
        let state = first.pending.state();
        assert!(waiting.take(state, "browser 1", 1001).is_some());
        // One browser has some, as it has tabs.
        let mut waiting = Waiting::default();
        for number in 0..20 {
            let mut again = login(number, "192.0.2.1", 1000);
            again.browser = "browser".to_owned();
            waiting.put(again, 1000);
        }
        assert_eq!(waiting.0.len(), MOST_OF_BROWSER);
    }
}
