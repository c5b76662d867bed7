use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::{check, validity};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

#[test]
fn a_ca_survives_being_stored() {
    let made = Ca::create("gate-hq CA", now()).unwrap();
    let loaded = Ca::load(made.root_pem(), &made.key_pem()).unwrap();
    assert_eq!(loaded.validity(), made.validity());
    let leaf = loaded
        .issue(&["hq.example"], Usage::Server, now())
        .unwrap()
        .chain()
        .unwrap();
    let root = CertificateDer::from_pem_slice(made.root_pem().as_bytes()).unwrap();
    let (leaf, root) = (parse(&leaf[0]).unwrap(), parse(&root).unwrap());
    leaf.verify_signature(Some(root.public_key())).unwrap();
}

#[test]
fn the_root_lives_ten_years_and_signs_leaves_only() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    let life = ca.validity().not_after.duration_since(now()).unwrap();
    assert_eq!(life, CA_LIFETIME);
    let root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    let root = parse(&root).unwrap();
    let basic = root.basic_constraints().unwrap().unwrap();
    assert!(basic.critical && basic.value.ca);
    assert_eq!(basic.value.path_len_constraint, Some(0));
    assert!(root.key_usage().unwrap().unwrap().value.key_cert_sign());
}

#[test]
fn a_leaf_has_its_names_its_usages_and_at_most_397_days() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    for (usage, client_auth) in [(Usage::Server, false), (Usage::Identity, true)] {
        let names = [
            "Gate-HQ.example",
            "*.hq.example",
            "192.0.2.1",
            "[2001:db8::1]",
        ];
        let leaf = ca.issue(&names, usage, now()).unwrap();
        assert_eq!(
            leaf.names,
            [
                "gate-hq.example",
                "*.hq.example",
                "192.0.2.1",
                "2001:db8::1"
            ]
        );
        assert_eq!(
            check(
                &leaf,
                &["gate-hq.example", "a.hq.example", "2001:db8::1"],
                now()
            )
            .iter()
            .filter(|problem| problem.is_fatal())
            .count(),
            0
        );
        let times = validity(&leaf).unwrap();
        let life = times.not_after.duration_since(times.not_before).unwrap();
        assert_eq!(life, LEAF_LIFETIME);
        assert!(times.renew_at() > now() && times.renew_at() < times.not_after);
        let chain = leaf.chain().unwrap();
        let certificate = parse(&chain[0]).unwrap();
        let extended = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(extended.server_auth);
        assert_eq!(extended.client_auth, client_auth);
        assert!(!certificate.is_ca());
        assert_eq!(certificate.subject().to_string(), "CN=gate-hq.example");
    }
}

#[test]
fn a_leaf_never_outlives_the_root() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    let late = ca.validity().not_after - Duration::from_hours(24);
    let leaf = ca.issue(&["hq.example"], Usage::Server, late).unwrap();
    assert_eq!(validity(&leaf).unwrap().not_after, ca.validity().not_after);
    for wrong in [
        ca.validity().not_after + Duration::from_secs(1),
        ca.validity().not_before - Duration::from_secs(1),
    ] {
        assert!(matches!(
            ca.issue(&["hq.example"], Usage::Server, wrong),
            Err(Error::Issue(_))
        ));
    }
}

#[test]
fn every_issue_has_its_own_serial_number_and_key() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    let first = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    let second = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    let serial = |material: &Material| {
        let chain = material.chain().unwrap();
        parse(&chain[0]).unwrap().raw_serial().to_vec()
    };
    assert_ne!(serial(&first), serial(&second));
    assert_ne!(first.key_pem, second.key_pem);
}

#[test]
fn names_that_no_certificate_can_carry_are_refused() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    let long = "a".repeat(64);
    for name in [
        "",
        "hq example",
        "hq..example",
        "hq.*.example",
        "ä.example",
        "a/b",
        &long,
    ] {
        assert!(
            matches!(
                ca.issue(&[name], Usage::Server, now()),
                Err(Error::BadName(_))
            ),
            "{name}"
        );
    }
    assert!(matches!(
        ca.issue::<&str>(&[], Usage::Server, now()),
        Err(Error::Issue(_))
    ));
    assert!(matches!(Ca::create("", now()), Err(Error::BadName(_))));
    assert!(matches!(
        Ca::create(&"x".repeat(65), now()),
        Err(Error::BadName(_))
    ));
}

#[test]
fn a_damaged_store_is_told_and_nothing_is_signed() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    let other = Ca::create("other", now()).unwrap();
    let leaf = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    for (root, key) in [
        (ca.root_pem(), other.key_pem().as_str()),
        (ca.root_pem(), ""),
        ("", ca.key_pem().as_str()),
        (leaf.chain_pem.as_str(), leaf.key_pem.as_str()),
        (&ca.root_pem()[..200], ca.key_pem().as_str()),
    ] {
        assert!(matches!(Ca::load(root, key), Err(Error::BadCa(_))));
    }
}

#[test]
fn the_keys_do_not_show_in_debug_output() {
    let ca = Ca::create("gate-hq CA", now()).unwrap();
    let leaf = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    let shown = format!("{ca:?} {leaf:?}");
    assert!(shown.contains("hq.example"));
    assert!(!shown.contains("PRIVATE") && !shown.contains(leaf.key_pem.lines().nth(1).unwrap()));
}
