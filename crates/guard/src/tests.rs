use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

/// Virtual time: milliseconds after an arbitrary beginning.
struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Self(Instant::now() + Duration::from_hours(24))
    }

    fn at(&self, ms: u64) -> Instant {
        self.0 + Duration::from_millis(ms)
    }
}

/// A generator with a seed, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn policy(limit: u32, ban_for: u64) -> Policy {
    Policy {
        suspicious_per_minute: limit,
        ban_for: Duration::from_secs(ban_for),
        never: vec![
            "10.0.0.0/8".parse().unwrap(),
            "fd00:1::/48".parse().unwrap(),
        ],
        exempt: vec![
            "192.0.2.80".parse().unwrap(),
            "2001:db8:5::80".parse().unwrap(),
        ],
        operators: vec!["172.16.0.0/16".parse().unwrap()],
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn v4(number: u64) -> IpAddr {
    Ipv4Addr::from_bits(0xCB00_0000 + u32::try_from(number).unwrap()).into()
}

/// One address in a /64 of its own.
fn v6(number: u64) -> IpAddr {
    Ipv6Addr::from_bits((0x2001_0db8_0000_0000_u128 << 64) + (u128::from(number) << 64) + 1).into()
}

/// Offends until the ban; returns how many times.
fn offend_until_banned(guard: &mut Guard, client: IpAddr, now: Instant) -> u32 {
    for times in 1..=100_000 {
        if let Verdict::Banned { new, .. } = guard.offence(client, 1, now) {
            assert!(new);
            return times;
        }
    }
    panic!("{client} is never banned");
}

#[test]
fn one_more_than_the_limit_is_banned_for_its_time() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(20, 300));
    let client = ip("203.0.113.5");
    for n in 1..=20 {
        let verdict = guard.offence(client, 1, clock.at(u64::from(n)));
        assert_eq!(
            verdict,
            Verdict::Counted {
                offences: n,
                limit: 20
            }
        );
    }
    let until = clock.at(1_000 + 300_000);
    assert_eq!(
        guard.offence(client, 1, clock.at(1_000)),
        Verdict::Banned { until, new: true }
    );
    assert_eq!(
        guard.offence(client, 1, clock.at(9_000)),
        Verdict::Banned { until, new: false }
    );
    assert!(guard.is_banned(ip("::ffff:203.0.113.5"), clock.at(300_999)));
    assert!(!guard.is_banned(client, clock.at(301_000)));
    assert_eq!(guard.next_expiry(), Some(until));
    assert_eq!(guard.expire(clock.at(300_999)), []);
    assert_eq!(guard.expire(until), [ClientKey::of(client)]);
    assert_eq!(guard.next_expiry(), None);
    assert!(guard.ban_set(until).is_empty());
    assert_eq!(
        guard.offence(client, 1, until),
        Verdict::Counted {
            offences: 1,
            limit: 20
        },
        "a new beginning"
    );
}

#[test]
fn the_limit_may_be_reached_every_minute() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(20, 300));
    for n in 0..2_000 {
        let verdict = guard.offence(v4(1), 1, clock.at(n * 3_000));
        assert!(
            matches!(verdict, Verdict::Counted { .. }),
            "one every 3 seconds, number {n}: {verdict:?}"
        );
    }
    let mut guard = Guard::new(policy(20, 300));
    for minute in 0..10 {
        for _ in 0..20 {
            let verdict = guard.offence(v4(1), 1, clock.at(minute * 60_000 + 17));
            assert!(
                matches!(verdict, Verdict::Counted { .. }),
                "minute {minute}: {verdict:?}"
            );
        }
    }
}

/// The window against a list of all offences: more than the limit in 59 seconds is always a ban, no more than the limit in 60 never.
#[test]
fn the_window_is_a_minute_whatever_the_rhythm() {
    let clock = Clock::new();
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let limit = 1 + dice.below(30);
        let pause = [50, 1_500, 4_000, 20_000][usize::try_from(dice.below(4)).unwrap()];
        let mut guard = Guard::new(policy(u32::try_from(limit).unwrap(), 10));
        let mut past: Vec<(u64, u64)> = Vec::new();
        let mut now = 0;
        for _ in 0..400 {
            now += dice.below(pause) + u64::from(dice.below(50) == 0) * 45_000;
            let weight = 1 + dice.below(2) * dice.below(3);
            past.push((now, weight));
            let within = |window: u64| -> u64 {
                past.iter()
                    .filter(|(at, _)| now - at < window)
                    .map(|(_, weight)| weight)
                    .sum()
            };
            match guard.offence(v4(1), u32::try_from(weight).unwrap(), clock.at(now)) {
                Verdict::Counted { offences, .. } => {
                    assert!(within(59_000) <= limit, "seed {seed} at {now}: not banned");
                    assert!((within(59_000)..=within(60_000)).contains(&u64::from(offences)));
                }
                Verdict::Banned { new, .. } => {
                    assert!(
                        new && within(60_000) > limit,
                        "seed {seed} at {now}: banned"
                    );
                    now += 10_000;
                    past.clear();
                }
                Verdict::Exempt | Verdict::Withheld { .. } => panic!("neither"),
            }
        }
    }
}

#[test]
fn ipv6_counts_per_64_and_mapped_addresses_are_ipv4() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(20, 300));
    for host in 1..=20 {
        guard.offence(ip(&format!("2001:db8:7::{host}")), 1, clock.at(0));
    }
    assert!(matches!(
        guard.offence(ip("2001:db8:7::ffff"), 1, clock.at(0)),
        Verdict::Banned { new: true, .. }
    ));
    assert!(guard.is_banned(ip("2001:db8:7::1234"), clock.at(0)));
    assert!(!guard.is_banned(ip("2001:db8:7:1::1"), clock.at(0)));
    for _ in 0..10 {
        guard.offence(ip("203.0.113.9"), 1, clock.at(0));
        guard.offence(ip("::ffff:203.0.113.9"), 1, clock.at(0));
    }
    assert!(matches!(
        guard.offence(ip("203.0.113.9"), 1, clock.at(0)),
        Verdict::Banned { new: true, .. }
    ));
}

#[test]
fn the_exempt_are_never_counted_nor_hit() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(0, 300));
    for client in [
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "fd00:1:0:9::1",
        "192.0.2.80",
        "2001:db8:5::80",
    ] {
        assert_eq!(
            guard.offence(ip(client), 1_000, clock.at(0)),
            Verdict::Exempt,
            "{client}"
        );
    }
    // A neighbour of a target in the same /64 is banned alone.
    assert!(matches!(
        guard.offence(ip("2001:db8:5::666"), 1, clock.at(0)),
        Verdict::Banned { .. }
    ));
    assert!(guard.is_banned(ip("2001:db8:5::666"), clock.at(0)));
    let set = guard.ban_set(clock.at(0));
    assert!(set.contains(ip("2001:db8:5::666")));
    assert!(!set.contains(ip("2001:db8:5::80")));
    assert!(!guard.is_banned(ip("2001:db8:5::80"), clock.at(0)));
    assert!(guard.clear(ip("2001:db8:5::666")));
}

#[test]
fn never_networks_of_mapped_addresses_hold() {
    let mut wanted = policy(0, 300);
    wanted.never = vec![
        "::ffff:198.51.100.0/120".parse().unwrap(),
        "2001:db8:8::40/122".parse().unwrap(),
    ];
    let mut guard = Guard::new(wanted);
    let now = Clock::new().at(0);
    assert_eq!(guard.offence(ip("198.51.100.7"), 1, now), Verdict::Exempt);
    assert!(matches!(
        guard.offence(ip("198.51.101.7"), 1, now),
        Verdict::Banned { .. }
    ));
    assert_eq!(guard.offence(ip("2001:db8:8::41"), 1, now), Verdict::Exempt);
    assert!(matches!(
        guard.offence(ip("2001:db8:8::1"), 1, now),
        Verdict::Banned { .. }
    ));
    assert!(!guard.is_banned(ip("2001:db8:8::41"), now));
}

#[test]
fn clear_forgets_and_policy_changes_reach_existing_bans() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(5, 300));
    for client in [v4(1), v4(2), v6(1), v6(2)] {
        assert_eq!(offend_until_banned(&mut guard, client, clock.at(0)), 6);
    }
    let version = guard.version();
    assert!(guard.clear(v4(1)));
    assert!(!guard.clear(v4(1)));
    assert_eq!(guard.version(), version + 1);
    assert_eq!(
        offend_until_banned(&mut guard, v4(1), clock.at(1)),
        6,
        "the count starts anew"
    );

    let mut changed = policy(5, 60);
    changed.exempt.push(v6(1));
    assert_eq!(
        guard.set_policy(changed, clock.at(10_000)),
        [ClientKey::of(v6(1))]
    );
    assert!(!guard.is_banned(v6(1), clock.at(10_000)));
    assert!(
        guard
            .bans(clock.at(10_000))
            .iter()
            .all(|ban| ban.until <= clock.at(60_001))
    );
    assert_eq!(guard.expire(clock.at(60_001)).len(), 3);

    offend_until_banned(&mut guard, v4(3), clock.at(70_000));
    assert_eq!(guard.clear_all(), [ClientKey::of(v4(3))]);
    assert_eq!(guard.levels().suspects, 0);
    assert!(guard.bans(clock.at(70_000)).is_empty());
}

#[test]
fn zero_and_huge_values_of_the_policy() {
    let now = Clock::new().at(0);
    let mut guard = Guard::new(policy(0, 0));
    assert_eq!(
        guard.offence(v4(1), 1, now),
        Verdict::Counted {
            offences: 1,
            limit: 0
        }
    );
    assert_eq!(
        guard.offence(v4(2), 0, now),
        Verdict::Counted {
            offences: 0,
            limit: 0
        }
    );
    let mut guard = Guard::new(Policy {
        ban_for: Duration::MAX,
        ..policy(0, 0)
    });
    assert_eq!(
        guard.offence(v4(1), u32::MAX, now),
        Verdict::Banned {
            until: now + MAX_BAN,
            new: true
        }
    );
    let mut guard = Guard::new(policy(u32::MAX, 5));
    assert_eq!(
        guard.offence(v4(1), u32::MAX, now),
        Verdict::Counted {
            offences: 65_535,
            limit: u32::MAX
        }
    );
}

#[test]
fn a_restart_keeps_what_remains_of_a_ban() {
    const WALL: u64 = 1_800_000_000_000;
    let clock = Clock::new();
    let mut before = Guard::new(policy(5, 300));
    offend_until_banned(&mut before, v4(1), clock.at(0));
    offend_until_banned(&mut before, v6(1), clock.at(100_000));
    let saved = before.save(clock.at(120_000), WALL);
    assert_eq!(saved.bans[0].until_unix_ms, WALL + 180_000);
    assert_eq!(saved.bans[0].since_unix_ms, WALL - 120_000);

    // Wall-clock time at the restart, and what remains of each ban in seconds.
    let cases = [
        ("at once", WALL, [180, 280]),
        ("a minute later", WALL + 60_000, [120, 220]),
        ("when one is over", WALL + 180_000, [0, 100]),
        ("when all are over", WALL + 280_000, [0, 0]),
        ("with a clock that lost its battery", 0, [180, 280]),
        ("with a clock far ahead", u64::MAX, [0, 0]),
    ];
    for (case, wall, left) in cases {
        let mut after = Guard::new(policy(5, 300));
        let expected = left.iter().filter(|left| **left > 0).count();
        assert_eq!(after.restore(&saved, clock.at(7), wall), expected, "{case}");
        for (client, left) in [v4(1), v6(1)].into_iter().zip(left) {
            let until = 7 + left * 1_000;
            assert_eq!(after.is_banned(client, clock.at(7)), left > 0, "{case}");
            assert!(!after.is_banned(client, clock.at(until)), "{case}");
            assert!(
                left == 0 || after.is_banned(client, clock.at(until - 1)),
                "{case}"
            );
        }
        let again = after.save(clock.at(7), wall.max(WALL));
        assert!(
            again.bans.iter().all(|ban| saved.bans.contains(ban)),
            "{case}: saved again, it is the same list"
        );
    }

    let mut shorter = Guard::new(Policy {
        exempt: vec![v6(1)],
        ..policy(5, 10)
    });
    assert_eq!(
        shorter.restore(&saved, clock.at(7), WALL),
        1,
        "the exempt one is left out"
    );
    assert!(
        !shorter.is_banned(v4(1), clock.at(10_007)),
        "no longer than the policy of today"
    );
}

#[test]
fn tables_stay_below_their_caps_and_empty_themselves() {
    let clock = Clock::new();
    let mut guard = Guard::with_caps(policy(1, 30), 100, 50);
    for n in 0..10_000 {
        guard.offence(v6(n), 1, clock.at(n));
        guard.offence(v4(n), 1 + u32::try_from(n % 2).unwrap(), clock.at(n));
        let levels = guard.levels();
        assert!(levels.suspects <= 200 && levels.bans <= 100, "{levels:?}");
        assert_eq!(guard.ban_set(clock.at(n)).len(), levels.bans);
    }
    let levels = guard.levels();
    assert!(levels.suspects_evicted > 0 && levels.bans_evicted > 0);
    // Two minutes later a handful of offences is enough to have cleaned up.
    for n in 0..60 {
        guard.offence(v6(n), 1, clock.at(130_000));
        guard.offence(v4(n), 1, clock.at(130_000));
    }
    assert_eq!(guard.levels().suspects, 120);
    guard.expire(clock.at(130_000));
    assert_eq!(guard.levels().bans, 0);
    assert!(guard.ban_set(clock.at(130_000)).is_empty());
}

/// An attacker floods the table from fresh addresses, to make the guard forget the one that guesses passwords.
#[test]
fn a_flood_of_fresh_addresses_does_not_clear_a_record() {
    let clock = Clock::new();
    let mut guard = Guard::with_caps(policy(20, 300), 1_000, 1_000);
    let mut fresh = 0;
    for _ in 0..20 {
        guard.offence(v6(0), 1, clock.at(0));
        // Ten times the table between two guesses once there are a few of them.
        for _ in 0..10_000 {
            fresh += 1;
            guard.offence(v6(fresh), 1, clock.at(1));
        }
        // The first guess alone is as fresh as all the others; from the second on the record is worth more.
        guard.offence(v6(0), 1, clock.at(1));
        if guard.is_banned(v6(0), clock.at(1)) {
            break;
        }
    }
    assert!(
        guard.is_banned(v6(0), clock.at(1)),
        "forgotten in the flood"
    );
}

/// The flood comes between every two guesses, and each of its addresses has as many offences as the guesser.
#[test]
fn who_wants_to_be_forgotten_pays_more_than_he_gains() {
    let clock = Clock::new();
    for table_is_full_of in [1, 2, 5] {
        let mut guard = Guard::with_caps(policy(20, 300), 1_000, 1_000);
        for n in 1..=1_000 {
            guard.offence(v6(n), table_is_full_of, clock.at(0));
        }
        // One fresh address after each guess, hoping to take its place.
        let (mut guesses, mut fresh) = (0_u64, 10_000);
        while !guard.is_banned(v6(0), clock.at(1)) {
            guesses += 1;
            fresh += 1;
            guard.offence(v6(0), 1, clock.at(1));
            guard.offence(v6(fresh), 1, clock.at(1));
            assert!(
                guesses < 100,
                "full of {table_is_full_of}: still guessing after {guesses}"
            );
        }
    }
}

#[test]
fn floods_of_ipv6_touch_no_ipv4_record_and_no_ipv4_ban() {
    let clock = Clock::new();
    let mut guard = Guard::with_caps(policy(20, 300), 100, 100);
    offend_until_banned(&mut guard, v4(1), clock.at(0));
    guard.offence(v4(2), 1, clock.at(0));
    for n in 0..1_000 {
        offend_until_banned(&mut guard, v6(n), clock.at(1));
        guard.offence(v6(100_000 + n), 20, clock.at(1));
    }
    assert!(guard.is_banned(v4(1), clock.at(1)));
    assert_eq!(
        guard.offence(v4(2), 0, clock.at(1)),
        Verdict::Counted {
            offences: 1,
            limit: 20
        }
    );
}

/// Everything at random against a model that is nothing but a map; the snapshot, the list and the question agree at any time.
#[test]
fn random_use_agrees_with_a_simple_model() {
    let clock = Clock::new();
    for seed in 0..50 {
        let mut dice = Dice(seed);
        let mut guard = Guard::new(policy(3, 20));
        let mut model: HashMap<ClientKey, u64> = HashMap::new();
        let mut now = 0;
        for _ in 0..2_000 {
            now += dice.below(400);
            let client = if dice.below(2) == 0 {
                v4(dice.below(20))
            } else {
                v6(dice.below(20))
            };
            let key = ClientKey::of(client);
            model.retain(|_, until| *until > now);
            match dice.below(20) {
                0 => assert_eq!(
                    guard.clear(client),
                    model.remove(&key).is_some() && guard.version() > 0
                ),
                1 => {
                    guard.expire(clock.at(now));
                }
                2 => {
                    let saved = guard.save(clock.at(now), 1_000_000 + now);
                    guard = Guard::new(policy(3, 20));
                    assert_eq!(
                        guard.restore(&saved, clock.at(now), 1_000_000 + now),
                        model.len()
                    );
                }
                _ => {
                    if let Verdict::Banned { until, new } = guard.offence(client, 1, clock.at(now))
                    {
                        assert_eq!(new, !model.contains_key(&key));
                        let kept = *model.entry(key).or_insert(now + 20_000);
                        assert_eq!(until, clock.at(kept));
                    }
                }
            }
            let snapshot = guard.ban_set(clock.at(now));
            assert_eq!(
                snapshot,
                model.keys().copied().collect(),
                "seed {seed} at {now}"
            );
            assert_eq!(guard.bans(clock.at(now)).len(), model.len());
            assert_eq!(
                snapshot.contains(client),
                guard.is_banned(client, clock.at(now))
            );
        }
    }
}

#[test]
fn what_is_saved_and_handed_over_is_readable_text() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(5, 300));
    offend_until_banned(&mut guard, v6(1), clock.at(0));
    let saved = guard.save(clock.at(0), 1_000);
    let text = serde_json::to_string(&saved).unwrap();
    assert_eq!(
        text,
        r#"{"saved_unix_ms":1000,"bans":[{"client":"2001:db8:0:1::/64","since_unix_ms":1000,"until_unix_ms":301000,"offences":6}]}"#
    );
    assert_eq!(serde_json::from_str::<Saved>(&text).unwrap(), saved);
    let set = guard.ban_set(clock.at(0));
    assert_eq!(
        serde_json::to_string(&set).unwrap(),
        r#"["2001:db8:0:1::/64"]"#
    );
    assert_eq!(
        serde_json::from_str::<BanSet>(r#"["2001:db8:0:1::/64"]"#).unwrap(),
        set
    );
    assert!(serde_json::from_str::<BanSet>(r#"["2001:db8::/32"]"#).is_err());
}

#[test]
fn hearsay_bans_so_many_a_minute_and_no_more() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(20, 300));
    let (mut banned, mut withheld, mut told) = (0, 0, 0);
    for number in 0..1000 {
        // The weight that an invented offence claims is not believed.
        for times in 1..=5 {
            let verdict = guard.hearsay(v4(number), u32::MAX, clock.at(number));
            match verdict {
                Verdict::Counted { .. } => assert!(times < 5),
                Verdict::Banned { new, .. } => banned += u32::from(new),
                Verdict::Withheld { first } => {
                    withheld += 1;
                    told += u32::from(first);
                }
                Verdict::Exempt => panic!("nobody here is"),
            }
        }
    }
    assert_eq!((banned, withheld, told), (HEARSAY_BANS, 744, 1));
    assert!(!guard.is_banned(v4(999), clock.at(1000)));
    // What others report is not held back by it, and a minute later hearsay counts again.
    offend_until_banned(&mut guard, ip("203.1.0.1"), clock.at(1000));
    for times in 1..=5 {
        let verdict = guard.hearsay(v4(999), 5, clock.at(60_000));
        assert_eq!(
            matches!(verdict, Verdict::Banned { new: true, .. }),
            times == 5
        );
    }
    for exempt in ["10.1.2.3", "192.0.2.80"] {
        let verdict = guard.hearsay(ip(exempt), 5, clock.at(60_000));
        assert_eq!(verdict, Verdict::Exempt);
    }
}

#[test]
fn hearsay_does_not_close_the_operators_way_in() {
    let clock = Clock::new();
    let now = clock.at(0);
    let mut guard = Guard::new(policy(4, 300));
    let (operator, stranger) = (ip("172.16.0.9"), ip("203.0.113.5"));
    for client in [operator, stranger] {
        guard.hearsay(client, 5, now);
        assert!(guard.ban_set(now).contains(client));
    }
    assert!(!guard.operator_set(now).contains(operator));
    assert!(guard.operator_set(now).contains(stranger));
    // A list that was kept does not close it either.
    let mut later = Guard::new(policy(4, 300));
    later.restore(&guard.save(now, 1_000), now, 1_000);
    assert!(!later.operator_set(now).contains(operator));
    assert!(later.operator_set(now).contains(stranger));
    // Only who misbehaves there does; what hearsay said of him before counts for nothing.
    for times in 1..=5 {
        let verdict = guard.offence(operator, 1, now);
        assert!(matches!(verdict, Verdict::Banned { new: false, .. }));
        assert_eq!(guard.operator_set(now).contains(operator), times == 5);
    }
    assert!(guard.clear(operator));
    assert!(!guard.operator_set(now).contains(operator));
    assert_eq!(offend_until_banned(&mut guard, operator, now), 5);
    assert!(guard.operator_set(now).contains(operator));
    guard.expire(clock.at(300_001));
    assert!(guard.operator_set(clock.at(300_001)).is_empty());
}

#[test]
fn a_ban_by_hand_has_its_own_time_whatever_the_policy_says() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(2, 60));
    let client = ip("203.0.113.9");
    let month = Duration::from_hours(30 * 24);
    let ban = guard.ban_by_hand(client, month, clock.at(0)).unwrap();
    assert_eq!((ban.offences, ban.by_hand), (0, true));
    assert!(guard.ban_set(clock.at(0)).contains(client));
    assert!(guard.operator_set(clock.at(0)).contains(client));
    // Neither a reload nor a restart makes it shorter, and offences do not make it longer.
    guard.set_policy(policy(2, 60), clock.at(1));
    guard.offence(client, 9, clock.at(2));
    assert_eq!(guard.bans(clock.at(3))[0].until, clock.at(0) + month);
    let saved = guard.save(clock.at(10_000), 1_000_000);
    let mut again = Guard::new(policy(2, 60));
    assert_eq!(again.restore(&saved, clock.at(20_000), 1_000_000), 1);
    let kept = again.bans(clock.at(20_000))[0];
    assert!(kept.by_hand && kept.until == clock.at(10_000) + month);
    assert!(again.clear(client) && !again.is_banned(client, clock.at(20_000)));
}

#[test]
fn a_ban_by_hand_takes_the_place_of_another_and_spares_who_is_never_banned() {
    let clock = Clock::new();
    let mut guard = Guard::new(policy(0, 3600));
    let client = ip("2001:db8:1::1");
    guard.offence(client, 1, clock.at(0));
    let minute = Duration::from_mins(1);
    guard.ban_by_hand(ip("2001:db8:1::2"), minute, clock.at(1));
    assert_eq!(guard.bans(clock.at(2)).len(), 1);
    assert_eq!(guard.expire(clock.at(1) + minute).len(), 1);
    assert!(!guard.ban_set(clock.at(1) + minute).contains(client));
    for exempt in ["10.1.2.3", "192.0.2.80", "2001:db8:5::80"] {
        assert_eq!(
            guard.ban_by_hand(ip(exempt), minute, clock.at(0)),
            None,
            "{exempt}"
        );
    }
    // Beside a target only the one address.
    let beside = guard
        .ban_by_hand(ip("2001:db8:5::81"), minute, clock.at(0))
        .unwrap();
    assert_eq!(beside.client.prefix_len(), 128);
    // An operator that bans himself still reaches the pages.
    guard.ban_by_hand(ip("172.16.0.9"), minute, clock.at(0));
    assert!(guard.ban_set(clock.at(0)).contains(ip("172.16.0.9")));
    assert!(!guard.operator_set(clock.at(0)).contains(ip("172.16.0.9")));
}

#[test]
fn lists_of_before_there_were_bans_by_hand_are_read() {
    let text = r#"{"saved_unix_ms":0,"bans":[{"client":"203.0.113.9","since_unix_ms":0,"until_unix_ms":9000,"offences":3}]}"#;
    let saved: Saved = serde_json::from_str(text).unwrap();
    assert!(!saved.bans[0].by_hand);
}

#[test]
fn the_admin_pages_can_not_ban_everybody_either() {
    let (now, mut guard) = (Instant::now(), Guard::new(policy(20, 300)));
    let stranger = |number: u32| IpAddr::from((0xcb00_0000 + number).to_be_bytes());
    let mut offend = |client: IpAddr, at: Instant| {
        let mut last = Verdict::Exempt;
        for _ in 0..21 {
            last = guard.pages(client, 1, at);
        }
        last
    };
    for number in 0..HEARSAY_BANS {
        let verdict = offend(stranger(number), now);
        assert!(matches!(verdict, Verdict::Banned { .. }), "{verdict:?}");
    }
    let first = offend(stranger(HEARSAY_BANS), now);
    assert_eq!(first, Verdict::Withheld { first: true });
    let later = offend(stranger(HEARSAY_BANS + 1), now + Duration::from_mins(1));
    assert!(matches!(later, Verdict::Banned { .. }), "{later:?}");
    // What edge tells has bans of its own.
    for _ in 0..21 {
        guard.hearsay(stranger(5000), 1, now + Duration::from_mins(1));
    }
    assert!(guard.is_banned(stranger(5000), now + Duration::from_mins(1)));
}

#[test]
fn one_host_inside_does_not_get_its_neighbours_banned() {
    let clock = Clock::new();
    let now = clock.at(0);
    let inside = Policy {
        operators: vec!["fd00:2:0:1::/64".parse().unwrap()],
        ..policy(4, 300)
    };
    let mut guard = Guard::new(inside);
    for network in ["fd00:2:0:1::", "fe80::"] {
        let host = |last: u32| ip(&format!("{network}{last:x}"));
        for _ in 0..5 {
            guard.pages(host(2), 1, now);
        }
        assert!(guard.operator_set(now).contains(host(2)));
        assert!(guard.ban_set(now).contains(host(2)));
        assert!(!guard.is_banned(host(7), now) && !guard.ban_set(now).contains(host(7)));
        // Whoever makes up addresses comes to an end.
        for last in 0x100..0x200 {
            guard.pages(host(last), 1, now);
        }
        assert!(guard.is_banned(host(7), now));
    }
    // Of the world a /64 is one client.
    for last in 1..6 {
        guard.pages(ip(&format!("2001:db8:9::{last}")), 1, now);
    }
    assert!(guard.is_banned(ip("2001:db8:9::7"), now));
}
