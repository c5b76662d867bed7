use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};

use super::*;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// Some day of 2026.
fn now() -> SystemTime {
    day(20_600)
}

fn day(since_epoch: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(24 * since_epoch)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn authority(name: &str) -> Issuer {
    let key = KeyPair::generate().unwrap();
    CertifiedIssuer::self_signed(authority_params(name), key).unwrap()
}

fn client_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn signed(params: &CertificateParams, by: &Issuer) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, by).unwrap().der().clone()
}

/// A list of `by` that revokes `serials` and is good until the given year.
fn list(by: &Issuer, serials: &[u64], since: i32, until: i32) -> String {
    let params = list_params(serials, since, until);
    params.signed_by(by).unwrap().pem().unwrap()
}

fn list_params(serials: &[u64], since: i32, until: i32) -> CertificateRevocationListParams {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2025, 5, 1),
        reason_code: None,
        invalidity_date: None,
    };
    CertificateRevocationListParams {
        this_update: date_time_ymd(since, 1, 2),
        next_update: date_time_ymd(until, 1, 2),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

fn files<'a>(texts: &'a [String], name: &'a str) -> Vec<PemFile<'a>> {
    let file = |pem: &'a String| PemFile { name, pem };
    texts.iter().map(file).collect()
}

fn clients(authorities: &[&Issuer], lists: &[String], outdated: Outdated) -> Clients {
    let authorities: Vec<_> = authorities.iter().map(|ca| ca.pem()).collect();
    let (authorities, lists) = (files(&authorities, "ca.pem"), files(lists, "list.pem"));
    Clients::new(&authorities, &lists, outdated).unwrap()
}

fn why(clients: &Clients, certificate: &CertificateDer<'_>) -> Option<Why> {
    let judged = clients.verify(certificate, &[], now());
    judged.err().map(|refused| refused.why)
}

#[test]
fn a_certificate_of_a_trusted_authority_is_believed_in_its_time() {
    let ca = authority("Phones CA");
    let trusting = clients(&[&ca], &[], Outdated::Refuse);
    let alice = signed(&client_params("alice"), &ca);
    let verified = trusting.verify(&alice, &[], now()).unwrap();
    assert_eq!(verified.subject(), Some("alice"));
    let year = Duration::from_hours(24 * 366);
    let late = trusting.verify(&alice, &[], now() + year).unwrap_err();
    assert_eq!(
        late.to_string(),
        "the client certificate of \"alice\" expired on 2027-01-01"
    );
    let early = trusting.verify(&alice, &[], now() - year).unwrap_err();
    assert!(matches!(early.why, Why::NotYetValid(_)), "{early}");

    let stranger = authority("Phones Ca");
    let mallory = signed(&client_params("alice"), &stranger);
    let refused = trusting.verify(&mallory, &[], now()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the client certificate of \"alice\" is not from a trusted authority, but from \"CN=Phones Ca\""
    );
    let torn = CertificateDer::from(alice[..alice.len() - 1].to_vec());
    assert!(matches!(why(&trusting, &torn), Some(Why::Unusable(_))));
}

#[test]
fn what_it_says_it_is_for_holds() {
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};

    let ca = authority("ca");
    let trusting = clients(&[&ca], &[], Outdated::Refuse);
    let with = |usages: &[ExtendedKeyUsagePurpose]| {
        let mut params = params("alice");
        params.extended_key_usages = usages.to_vec();
        signed(&params, &ca)
    };
    assert_eq!(why(&trusting, &with(&[])), None, "it does not say");
    assert_eq!(why(&trusting, &with(&[ServerAuth, ClientAuth])), None);
    let server = with(&[ServerAuth]);
    assert_eq!(why(&trusting, &server), Some(Why::NotForClients));
}

#[test]
fn an_intermediate_comes_with_the_certificate() {
    let root = authority("root");
    let key = KeyPair::generate().unwrap();
    let issuing = CertifiedIssuer::signed_by(authority_params("issuing"), key, &root).unwrap();
    let trusting = clients(&[&root], &[], Outdated::Refuse);
    let alice = signed(&client_params("alice"), &issuing);
    assert!(matches!(
        why(&trusting, &alice),
        Some(Why::UnknownAuthority(_))
    ));
    let above = [issuing.der().clone()];
    assert!(trusting.verify(&alice, &above, now()).is_ok());

    // One that was not made to sign leads nowhere.
    let bob = CertifiedIssuer::signed_by(params("bob"), KeyPair::generate().unwrap(), &root);
    let bob = bob.unwrap();
    let forged = signed(&client_params("alice"), &bob);
    let above = [bob.der().clone()];
    assert!(trusting.verify(&forged, &above, now()).is_err());

    // The list of the intermediate holds, too.
    let mut revoked = client_params("carol");
    revoked.serial_number = Some(SerialNumber::from(7));
    let carol = signed(&revoked, &issuing);
    let lists = [list(&issuing, &[7], 2026, 2027)];
    let trusting = clients(&[&root], &lists, Outdated::Refuse);
    let above = [issuing.der().clone()];
    let refused = trusting.verify(&carol, &above, now()).unwrap_err();
    assert_eq!(refused.why, Why::Revoked);
    assert!(trusting.verify(&alice, &above, now()).is_ok());
}

#[test]
fn a_chain_has_an_end() {
    let mut above = vec![authority("root")];
    for level in 0..7 {
        let (params, key) = (authority_params(&level.to_string()), KeyPair::generate());
        let by = above.last().unwrap();
        above.push(CertifiedIssuer::signed_by(params, key.unwrap(), by).unwrap());
    }
    let trusting = clients(&[&above[0]], &[], Outdated::Refuse);
    let ders: Vec<_> = above.iter().map(|one| one.der().clone()).collect();
    let alice = signed(&client_params("alice"), &above[6]);
    assert!(trusting.verify(&alice, &ders[1..=6], now()).is_ok());
    let refused = trusting.verify(&alice, &ders[1..=7], now()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the client certificate of \"alice\" comes with more certificates than any chain needs"
    );
}

#[test]
fn a_list_of_a_part_is_none() {
    let ca = authority("ca");
    for scope in [
        None,
        Some(CrlScope::UserCertsOnly),
        Some(CrlScope::CaCertsOnly),
    ] {
        let mut params = list_params(&[1], 2026, 2027);
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://ca.example/1.crl".to_owned()],
            },
            scope,
        });
        let list = params.signed_by(&ca).unwrap().pem().unwrap();
        let (authority, lists) = ([ca.pem()], [list]);
        let (authority, lists) = (files(&authority, "ca.pem"), files(&lists, "list.pem"));
        let error = Clients::new(&authority, &lists, Outdated::Refuse).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("ask the authority for its full list"),
            "{said}"
        );
    }
}

#[test]
fn what_is_revoked_is_refused_and_an_outdated_list_is_said() {
    let ca = authority("ca");
    let numbered = |name: &str, serial: u64| {
        let mut params = client_params(name);
        params.serial_number = Some(SerialNumber::from(serial));
        signed(&params, &ca)
    };
    let (alice, bob) = (numbered("alice", 1), numbered("bob", 2));
    let fresh = clients(&[&ca], &[list(&ca, &[2], 2026, 2027)], Outdated::Refuse);
    assert_eq!(why(&fresh, &alice), None);
    assert_eq!(why(&fresh, &bob), Some(Why::Revoked));
    assert_eq!(fresh.problems(now()), Vec::<String>::new());

    let old = [list(&ca, &[2], 2025, 2026)];
    let strict = clients(&[&ca], &old, Outdated::Refuse);
    assert!(matches!(why(&strict, &alice), Some(Why::ListOutdated(_))));
    let said = "list.pem: the list of revoked certificates expired on 2026-01-02, and client \
                certificates of its authority are refused; fetch the next one";
    assert_eq!(strict.problems(now()), [said]);
    let lenient = clients(&[&ca], &old, Outdated::Accept);
    assert_eq!(why(&lenient, &alice), None);
    assert_eq!(why(&lenient, &bob), Some(Why::Revoked));

    // The newest of several decides, wherever it stands.
    let both = [list(&ca, &[], 2025, 2026), list(&ca, &[1], 2026, 2027)];
    let newest = clients(&[&ca], &both, Outdated::Refuse);
    assert_eq!(why(&newest, &alice), Some(Why::Revoked));
    assert_eq!(why(&newest, &bob), None);
}

#[test]
fn two_authorities_of_one_name_are_two() {
    let (first, second) = (authority("ca"), authority("ca"));
    let mut params = client_params("alice");
    params.serial_number = Some(SerialNumber::from(9));
    let (one, two) = (signed(&params, &first), signed(&params, &second));
    let both = clients(&[&first, &second], &[], Outdated::Refuse);
    assert_eq!((why(&both, &one), why(&both, &two)), (None, None));
    let lists = [list(&second, &[9], 2026, 2027)];
    let both = clients(&[&first, &second], &lists, Outdated::Refuse);
    assert_eq!(why(&both, &one), None);
    assert_eq!(why(&both, &two), Some(Why::Revoked));
    assert_eq!(both.authority_names().len(), 1);
    let third = signed(&params, &authority("ca"));
    assert!(matches!(why(&both, &third), Some(Why::UnknownAuthority(_))));
}

#[test]
fn an_authority_has_its_time_too() {
    let key = KeyPair::generate().unwrap();
    let mut ended = authority_params("ca");
    ended.not_before = date_time_ymd(2020, 1, 1);
    ended.not_after = date_time_ymd(2026, 2, 1);
    let pem = key.serialize_pem();
    let old = CertifiedIssuer::self_signed(ended, key).unwrap();
    let alice = signed(&client_params("alice"), &old);
    let trusting = clients(&[&old], &[], Outdated::Refuse);
    let refused = why(&trusting, &alice);
    assert!(
        matches!(refused, Some(Why::AuthorityNotInTime { .. })),
        "{refused:?}"
    );
    assert_eq!(trusting.problems(now()).len(), 1);
    // Renewed with its key, it counts again.
    let key = KeyPair::from_pem(&pem).unwrap();
    let renewed = CertifiedIssuer::self_signed(authority_params("ca"), key).unwrap();
    let trusting = clients(&[&old, &renewed], &[], Outdated::Refuse);
    assert_eq!(why(&trusting, &alice), None);
}

#[test]
fn names_are_those_that_can_not_deceive() {
    let ca = authority("ca");
    let trusting = clients(&[&ca], &[], Outdated::Refuse);
    let mut params = client_params("0090334000f1");
    let ia5 = |name: &str| name.try_into().unwrap();
    params.subject_alt_names = vec![
        SanType::DnsName(ia5("f1.phones.example")),
        SanType::Rfc822Name(ia5("f1.x@phones.example")),
        SanType::URI(ia5("sip:f1@hq.example")),
        SanType::DnsName(ia5("x\r\ny.example")),
    ];
    let verified = trusting.verify(&signed(&params, &ca), &[], now()).unwrap();
    let names: Vec<_> = verified.names().collect();
    let expected = [
        "0090334000f1",
        "f1.phones.example",
        "f1.x@phones.example",
        "sip:f1@hq.example",
    ];
    assert_eq!(names, expected);
    assert!(verified.has_name(&["*.phones.example"]));
    assert!(verified.has_name(&["nobody", "F1.X@phones.example"]));
    assert!(!verified.has_name(&["*.example"]));
    assert!(!verified.has_name(&["*.x@phones.example"]));
    assert!(!verified.has_name::<&str>(&[]));
    assert!(verified.is_called("0090334000F1"));
    assert!(!verified.is_called("f1.phones.example"));

    for name in ["alice\u{202e}", "alice\n", " alice", ""] {
        let verified = trusting.verify(&signed(&client_params(name), &ca), &[], now());
        assert_eq!(verified.unwrap().subject(), None, "{name:?}");
    }
    let mut below = client_params("Users");
    below.distinguished_name = rcgen::DistinguishedName::new();
    below.distinguished_name.push(DnType::OrganizationName, "x");
    below.subject_alt_names = vec![SanType::DnsName(ia5("only.example"))];
    let verified = trusting.verify(&signed(&below, &ca), &[], now()).unwrap();
    assert_eq!(verified.subject(), Some("only.example"));
    assert!(!verified.is_called("only.example"));
}

/// As `openssl ca` makes one without `crlnumber`.
const VERSION_1: &str = "\
-----BEGIN X509 CRL-----
MIG5MGIwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCY2EXDTI2MTEyMjAzMTYzMVoX
DTI2MTIyMjAzMTYzMVowJzAlAhRuDvXgtFXMyhqlSoZEzg5ntZPV+hcNMjYxMTIy
MDMxNDA4WjAKBggqhkjOPQQDAgNHADBEAiAKSjtEfP13oORhR2y2mS9HyrrwS6wU
qismKjh2s0eP2QIgbt2ZxfRuTJYwJv6kx1BUw+V7f+wPvCjVsP8Y3TS1MZo=
-----END X509 CRL-----
";

#[test]
fn a_file_that_can_not_be_used_is_named() {
    let ca = authority("ca");
    let key = KeyPair::generate().unwrap();
    let leaf = client_params("alice").signed_by(&key, &ca).unwrap().pem();
    let (own, foreign) = (
        list(&ca, &[], 2026, 2027),
        list(&authority("ca"), &[], 2026, 2027),
    );
    let said = |authority: &str, list: Option<&str>| {
        let ca = PemFile {
            name: "ca.pem",
            pem: authority,
        };
        let lists: Vec<_> = list
            .map(|pem| PemFile {
                name: "list.pem",
                pem,
            })
            .into_iter()
            .collect();
        Clients::new(&[ca], &lists, Outdated::Refuse)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        said("nothing", None),
        "ca.pem: holds no certificate; a PEM file with the certificate of the authority is needed"
    );
    assert_eq!(
        said(&leaf, None),
        "ca.pem: certificate 1 (CN=alice) is not that of an authority; give the certificate that signs \
         those of the clients"
    );
    let torn = ca.pem().replacen('\n', "\nAAAA", 1);
    assert!(said(&torn, None).starts_with("ca.pem: certificate 1 can not be read: "));
    assert!(said(&ca.pem(), Some(&ca.pem())).starts_with("list.pem: holds no list of revoked"));
    assert_eq!(
        said(&ca.pem(), Some(&foreign)),
        "list.pem: list 1 bears the name of CN=ca, but was not signed by it"
    );
    let torn = own.replacen('\n', "\nAAAA", 1);
    assert!(said(&ca.pem(), Some(&torn)).starts_with("list.pem: list 1 can not be used: "));
    let old = said(&ca.pem(), Some(VERSION_1));
    assert!(old.contains("it is of version 1; set `crlnumber`"), "{old}");
}
