use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};

use super::*;
use crate::{Ca, Usage, load_pem};

const NONE: &[&str] = &[];

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["*.hq.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 6, 1);
    params
}

fn self_signed(params: &CertificateParams) -> Material {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    load_pem(&certificate.pem(), &key.serialize_pem()).unwrap()
}

#[test]
fn time_is_judged_by_the_given_now() {
    let ca = Ca::create("ca", now()).unwrap();
    let leaf = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    let Validity {
        not_before,
        not_after,
    } = validity(&leaf).unwrap();
    let incomplete = Problem::Incomplete {
        issuer: "CN=ca".to_owned(),
    };
    for (at, expected) in [
        (
            not_before - days(1),
            Some(Problem::NotYetValid { from: not_before }),
        ),
        (now(), None),
        (not_after - days(15), None),
        (
            not_after - days(13),
            Some(Problem::ExpiresSoon { at: not_after }),
        ),
        (
            not_after + days(1),
            Some(Problem::Expired { at: not_after }),
        ),
    ] {
        let mut expected: Vec<_> = expected.into_iter().collect();
        expected.push(incomplete.clone());
        assert_eq!(check(&leaf, &["hq.example"], at), expected);
    }
}

#[test]
fn names_that_are_not_covered_are_listed() {
    let leaf = self_signed(&leaf_params());
    let problems = check(
        &leaf,
        &["a.hq.example", "hq.example", "b.a.hq.example"],
        now(),
    );
    assert_eq!(
        problems,
        [
            Problem::NotCovered {
                name: "hq.example".to_owned()
            },
            Problem::NotCovered {
                name: "b.a.hq.example".to_owned()
            },
            Problem::SelfSigned,
        ]
    );
}

#[test]
fn a_certificate_for_clients_only_is_none_for_servers() {
    let mut params = leaf_params();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let problems = check(&self_signed(&params), NONE, now());
    assert!(problems.contains(&Problem::NotForServers));
}

#[test]
fn the_chain_is_looked_through() {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let key = || KeyPair::generate().unwrap();
    let root = CertifiedIssuer::self_signed(authority("root"), key()).unwrap();
    let mut params = authority("middle");
    params.not_after = date_time_ymd(2026, 3, 1);
    let middle = CertifiedIssuer::signed_by(params, key(), &root).unwrap();
    let leaf_key = key();
    let leaf = leaf_params().signed_by(&leaf_key, &middle).unwrap();
    let alone = load_pem(&leaf.pem(), &leaf_key.serialize_pem()).unwrap();
    let issuer = "CN=middle".to_owned();
    assert_eq!(check(&alone, NONE, now()), [Problem::Incomplete { issuer }]);

    let whole = format!("{}{}", leaf.pem(), middle.pem());
    let whole = load_pem(&whole, &leaf_key.serialize_pem()).unwrap();
    let problems = check(&whole, NONE, now());
    assert!(
        matches!(&problems[..], [Problem::IntermediateExpired { subject, .. }] if subject == "CN=middle"),
        "{problems:?}"
    );

    let mut wrong = alone;
    wrong.chain_pem.push_str(&root.pem());
    let problems = check(&wrong, NONE, now());
    assert!(
        matches!(&problems[..], [Problem::Unordered { subject }] if subject == "CN=root"),
        "{problems:?}"
    );
}

#[test]
fn what_can_not_be_used_is_one_problem() {
    let mut leaf = self_signed(&leaf_params());
    leaf.key_pem = self_signed(&leaf_params()).key_pem;
    let problems = check(&leaf, &["other"], now());
    assert!(matches!(
        &problems[..],
        [Problem::Unusable(Error::KeyMismatch { .. })]
    ));
    assert!(problems[0].is_fatal());
}

#[test]
fn problems_read_well() {
    let at = UNIX_EPOCH + days(20_778);
    for (problem, text) in [
        (Problem::Expired { at }, "expired on 2026-11-21"),
        (
            Problem::NotYetValid { from: at },
            "not valid before 2026-11-21; is the clock right?",
        ),
        (
            Problem::NotCovered {
                name: "a.example".to_owned(),
            },
            "does not cover the name `a.example`",
        ),
    ] {
        assert_eq!(problem.to_string(), text);
    }
}
