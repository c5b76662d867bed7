//! Second factors, and the form in which they are kept.

use super::super::*;
use crate::totp::TotpSecret;

const NOW: u64 = 1_800_000_000;

fn factor(user: &str) -> Factor {
    Factor {
        access: "staff".into(),
        user: user.into(),
        secret: TotpSecret::new([7; 20]),
        confirmed: NOW,
        used: NOW / 30,
    }
}

fn key(user: &str) -> FactorKey {
    FactorKey::of("staff", user)
}

#[test]
fn what_there_is_is_not_replaced() {
    let mut factors = Factors::none();
    factors.begin(factor("anna")).unwrap();
    let mut other = factor("HQ\\Anna");
    other.secret = TotpSecret::new([8; 20]);
    assert_eq!(factors.begin(other.clone()), Err(NoFactor::There));
    assert_eq!(factors.get(&key("ANNA")), Some(&factor("anna")));
    assert!(factors.remove(&key("anna")).is_some());
    assert!(factors.remove(&key("anna")).is_none());
    factors.begin(other.clone()).unwrap();
    assert_eq!(factors.get(&key("anna")), Some(&other));
    for user in ["", "a\nb", "\u{301}", &"a".repeat(257)] {
        assert_eq!(
            factors.begin(factor(user)),
            Err(NoFactor::Unfit(UnfitFactor)),
            "{user}"
        );
    }
}

#[test]
fn a_step_only_grows_and_none_is_from_later() {
    let mut factors = Factors::none();
    factors.begin(factor("anna")).unwrap();
    let mut used = |user: &str, step: u64| {
        let is_news = factors.used(
            &CodeUsed {
                key: key(user),
                step,
            },
            NOW,
        );
        (is_news, factors.get(&key("anna")).unwrap().used)
    };
    assert_eq!(used("anna", NOW / 30), (false, NOW / 30));
    assert_eq!(used("anna", 1), (false, NOW / 30));
    assert_eq!(used("bert", u64::MAX), (false, NOW / 30));
    assert_eq!(used("anna", u64::MAX), (true, NOW / 30 + 1));
    assert_eq!(used("anna", u64::MAX), (false, NOW / 30 + 1));
}

#[test]
fn there_are_not_too_many() {
    let mut factors = Factors::none();
    for number in 0..MAX_FACTORS {
        factors.put(factor(&number.to_string()));
    }
    assert_eq!(factors.begin(factor("anna")), Err(NoFactor::Full));
    factors.remove(&key("7"));
    assert_eq!(factors.begin(factor("anna")), Ok(()));
    let mut long = Factors::none();
    for number in 0..MAX_FACTOR_NAMES / 205 {
        long.put(factor(&format!("{number:0>200}")));
    }
    assert_eq!(long.begin(factor(&"a".repeat(256))), Err(NoFactor::Full));
}

#[test]
fn where_it_is_not_known_who_has_one_nobody_begins_one() {
    for mut unknown in [
        Factors::default(),
        Factors::unknown(),
        Roll::default().factors,
    ] {
        assert!(!unknown.is_known());
        assert_eq!(unknown.begin(factor("anna")), Err(NoFactor::Unknown));
    }
}

#[test]
fn what_is_kept_is_read_and_what_is_damaged_is_not() {
    let mut factors = Factors::none();
    factors.begin(factor("anna")).unwrap();
    factors.begin(factor("bert")).unwrap();
    let text = serde_json::to_string(&factors).unwrap();
    assert_eq!(serde_json::from_str::<Factors>(&text).unwrap(), factors);
    assert!(!format!("{factors:?}").contains(&factor("anna").secret.text()));
    let unknown = serde_json::to_string(&Factors::unknown()).unwrap();
    assert!(
        !serde_json::from_str::<Factors>(&unknown)
            .unwrap()
            .is_known()
    );
    for (from, to) in [
        ("\"schema\":1", "\"schema\":2"),
        ("bert", "ANNA"),
        ("bert", ""),
        ("\"used\"", "\"other\""),
        ("\"is_known\":true,", ""),
        ("BQD", "BQ1"),
        ("A", "="),
    ] {
        let damaged = text.replace(from, to);
        if damaged != text {
            assert!(
                serde_json::from_str::<Factors>(&damaged).is_err(),
                "{damaged}"
            );
        }
    }
}
