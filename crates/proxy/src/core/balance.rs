//! Which of several targets a request goes to, and which of them are well.

use super::routes::TargetKey;
use config::Balance;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// For how long a target that could not be connected is passed over, where it is not asked for its health.
const PASSED_OVER: Duration = Duration::from_secs(10);

/// The targets of a rule, at most 16, and how one of them is chosen.
#[derive(Debug)]
pub struct Targets {
    members: Box<[Member]>,
    balance: Balance,
    turn: AtomicUsize,
}

/// One target of a rule.
#[derive(Clone, Debug)]
pub struct Member {
    /// Where requests go.
    pub target: TargetKey,
    /// Whether it is well; shared by all rules that ask it in the same way.
    pub standing: Arc<Standing>,
}

/// How a target is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// The Host that it is asked for.
    pub host: Box<str>,
    /// The path that is asked for.
    pub path: Box<str>,
    /// How often.
    pub every: Duration,
}

/// Whether a target is well. Times are durations since one moment, the same for all calls.
#[derive(Debug)]
pub struct Standing {
    probe: Option<Probe>,
    /// Milliseconds until which it is passed over: [`WELL`], [`UNTIL_ASKED`], or a time.
    until: AtomicU64,
}

const WELL: u64 = 0;
const UNTIL_ASKED: u64 = u64::MAX;

/// Which targets one request was sent to in vain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried(u16);

impl Targets {
    pub(super) fn new(members: Vec<Member>, balance: Balance) -> Self {
        Self {
            members: members.into(),
            balance,
            turn: AtomicUsize::new(0),
        }
    }

    /// All of them, in the order of the file; never empty.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How one is chosen.
    pub fn balance(&self) -> Balance {
        self.balance
    }

    /// Whether `target` is one of them.
    pub fn contains(&self, target: &TargetKey) -> bool {
        self.members.iter().any(|member| member.target == *target)
    }

    /// The first of the file: the one whose name stands for all.
    pub fn first(&self) -> &Member {
        &self.members[0]
    }

    /// Where the request of `client` goes next. Those that are not well are the last resort; `None`
    /// once all were tried.
    pub fn choose(
        &self,
        client: IpAddr,
        tried: &mut Tried,
        now: impl FnOnce() -> Duration,
    ) -> Option<&Member> {
        if let [only] = &*self.members {
            return tried.add(0).then_some(only);
        }
        let turn = match self.balance {
            // Those that are tried in vain do not count.
            Balance::Rotate if tried.0 == 0 => self.turn.fetch_add(1, Ordering::Relaxed),
            Balance::Rotate => self.turn.load(Ordering::Relaxed),
            Balance::Failover | Balance::Sticky => 0,
        };
        let now = now();
        let mut passed_over = *tried;
        let mut resort = None;
        while let Some(index) = self.preferred(client, turn, passed_over) {
            let member = &self.members[index];
            if member.standing.is_well(now) {
                tried.add(index);
                return Some(member);
            }
            passed_over.add(index);
            resort = resort.or(Some(index));
        }
        let index = resort?;
        tried.add(index);
        Some(&self.members[index])
    }

    /// The best of those that are not `tried`.
    fn preferred(&self, client: IpAddr, turn: usize, tried: Tried) -> Option<usize> {
        let count = self.members.len();
        let left = (0..count).filter(|index| !tried.has(*index));
        match self.balance {
            Balance::Failover => left.min(),
            Balance::Rotate => left.min_by_key(|index| (index + count - turn % count) % count),
            // Highest random weight: when one leaves, only its clients go elsewhere.
            Balance::Sticky => left.max_by_key(|index| self.weight(client, *index)),
        }
    }
    /// The same in every process, so that clients stay where they are over a restart, and the same for
    /// plain and TLS, and for all hosts: only the machine counts, and of several targets on one their order.
    fn weight(&self, client: IpAddr, index: usize) -> u64 {
        let client = match client {
            // Privacy addresses change within a /64.
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 @ IpAddr::V4(_) => v4,
        };
        let host = &self.members[index].target.host;
        let before = &self.members[..index];
        let namesakes = before.iter().filter(|member| member.target.host == *host);
        let mut hasher = DefaultHasher::new();
        (client, host, namesakes.count()).hash(&mut hasher);
        hasher.finish()
    }
}

impl Tried {
    /// Takes note of a position; false if it was known.
    fn add(&mut self, index: usize) -> bool {
        let known = self.has(index);
        self.0 |= 1 << index;
        !known
    }

    fn has(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }
}

impl Standing {
    pub(super) fn new(probe: Option<Probe>) -> Self {
        Self {
            probe,
            until: AtomicU64::new(WELL),
        }
    }

    /// How it is asked, if it is.
    pub fn probe(&self) -> Option<&Probe> {
        self.probe.as_ref()
    }

    /// Whether requests may go there. Once the time of a target that was passed over is up, only the
    /// first who asks may try it.
    fn is_well(&self, now: Duration) -> bool {
        match self.until.load(Ordering::Relaxed) {
            WELL => true,
            until if until > millis(now) => false,
            until => {
                let again = millis(now + PASSED_OVER);
                let claimed =
                    self.until
                        .compare_exchange(until, again, Ordering::Relaxed, Ordering::Relaxed);
                claimed.is_ok()
            }
        }
    }

    /// Whether requests go elsewhere now.
    pub fn is_passed_over(&self, now: Duration) -> bool {
        self.until.load(Ordering::Relaxed) > millis(now)
    }

    /// Whether anything speaks against it.
    pub fn is_in_doubt(&self) -> bool {
        self.until.load(Ordering::Relaxed) != WELL
    }

    /// It could not be connected; true if it was well before.
    pub fn fail(&self, now: Duration) -> bool {
        let before = self.until.load(Ordering::Relaxed);
        if before != UNTIL_ASKED {
            let until = millis(now + PASSED_OVER);
            self.until.store(until, Ordering::Relaxed);
        }
        before == WELL
    }

    /// It was asked, and did not say that it is well; true if it was well before.
    pub fn is_unwell(&self) -> bool {
        self.until.swap(UNTIL_ASKED, Ordering::Relaxed) == WELL
    }

    /// It said that it is well; true if it was not before.
    pub fn heal(&self) -> bool {
        self.is_in_doubt() && self.until.swap(WELL, Ordering::Relaxed) != WELL
    }

    /// It was connected; true if that makes it well, which it was not before.
    pub fn connected(&self) -> bool {
        // What it said itself holds until it says something else.
        self.until.load(Ordering::Relaxed) != UNTIL_ASKED && self.heal()
    }
}

/// Never [`WELL`], and no time is as late as [`UNTIL_ASKED`].
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis())
        .unwrap_or(UNTIL_ASKED - 1)
        .clamp(1, UNTIL_ASKED - 1)
}

#[cfg(test)]
mod tests {
    use super::super::Routes;
    use super::*;
    use config::{Config, TargetHost};
    use std::collections::{BTreeMap, HashSet};

    fn routes(balance: &str, more: &str) -> Routes {
        let text = format!(
            "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
             interface = \"lo\"\naddresses = [\"192.0.2.1/24\"]\n[site]\ndomain = \"example\"\n\
             [[host]]\nname = \"a.example\"\n[[host.http]]\n\
             target = [\"http://10.0.0.1\", \"http://10.0.0.2\", \"http://10.0.0.3\"]\n\
             balance = \"{balance}\"\n{more}\n"
        );
        let config: Config = config::check(&text, "test.toml").unwrap().config;
        Routes::new(&config, &BTreeMap::new()).unwrap()
    }

    fn targets(routes: &Routes) -> &Targets {
        routes.hosts()[0].entries[0].rule.targets(false)
    }

    fn last(member: &Member) -> u8 {
        match member.target.host {
            TargetHost::Ip(IpAddr::V4(ip)) => ip.octets()[3],
            _ => 0,
        }
    }

    fn order(targets: &Targets, client: [u8; 4], now: Duration) -> Vec<u8> {
        let mut tried = Tried::default();
        std::iter::from_fn(|| targets.choose(client.into(), &mut tried, || now))
            .map(last)
            .collect()
    }

    const NOW: Duration = Duration::from_mins(1);
    const CLIENT: [u8; 4] = [203, 0, 113, 7];

    #[test]
    fn failover_keeps_the_order_of_the_file_and_passes_over_the_unwell() {
        let routes = routes("failover", "");
        let targets = targets(&routes);
        assert_eq!(order(targets, CLIENT, NOW), [1, 2, 3]);
        let first = &targets.first().standing;
        assert!(first.fail(NOW));
        assert!(!first.fail(NOW), "that is known");
        assert_eq!(order(targets, CLIENT, NOW), [2, 3, 1], "the last resort");
        let later = NOW + PASSED_OVER;
        assert_eq!(order(targets, CLIENT, later), [1, 2, 3], "one tries it");
        assert_eq!(order(targets, CLIENT, later), [2, 3, 1], "and only one");
        assert!(first.connected());
        assert!(!first.connected());
        assert_eq!(order(targets, CLIENT, later), [1, 2, 3]);
    }

    #[test]
    fn who_is_asked_for_its_health_must_answer() {
        let routes = routes("failover", "health = { path = \"/up\" }");
        let targets = targets(&routes);
        let first = &targets.first().standing;
        assert_eq!(first.probe().unwrap().host, "a.example".into());
        assert!(first.is_unwell());
        assert!(!first.fail(NOW), "it said so itself");
        assert!(!first.connected());
        let later = NOW + 100 * PASSED_OVER;
        assert_eq!(order(targets, CLIENT, later), [2, 3, 1]);
        assert!(first.heal());
        assert_eq!(order(targets, CLIENT, later), [1, 2, 3]);
        // One that only could not be connected need not wait to be asked.
        assert!(first.fail(later));
        assert!(first.connected());
    }

    #[test]
    fn rotate_gives_each_its_turn() {
        let routes = routes("rotate", "");
        let targets = targets(&routes);
        let firsts = [(); 6].map(|()| order(targets, CLIENT, NOW)[0]);
        assert_eq!(firsts, [1, 2, 3, 1, 2, 3]);
        assert_eq!(order(targets, CLIENT, NOW).len(), 3, "each of them once");
    }

    #[test]
    fn sticky_moves_only_the_clients_of_the_one_that_left() {
        let routes = routes("sticky", "");
        let targets = targets(&routes);
        let clients = || (0..=255).map(|last| [198, 51, 100, last]);
        let before: Vec<_> = clients().map(|c| order(targets, c, NOW)[0]).collect();
        assert_eq!(before.iter().collect::<HashSet<_>>().len(), 3, "all serve");
        assert!(targets.first().standing.fail(NOW));
        for (client, before) in clients().zip(before) {
            let now = order(targets, client, NOW)[0];
            assert!(now == before || before == 1, "{client:?}: {before}, {now}");
            assert_ne!(now, 1);
        }
        let v6 = |last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let of = |client| {
            last(
                targets
                    .choose(client, &mut Tried::default(), || NOW)
                    .unwrap(),
            )
        };
        assert_eq!(of(v6(1)), of(v6(2)), "one /64 is one client");
    }
}
