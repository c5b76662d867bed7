use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;

use super::*;
use crate::{Ca, Usage, load_pem};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

#[derive(Debug)]
struct FixedClock;

impl rustls::time_provider::TimeProvider for FixedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(
            now().duration_since(UNIX_EPOCH).unwrap(),
        ))
    }
}

/// Believes everything, so that a test sees which certificate is offered for an address.
#[derive(Debug)]
struct AnyCertificate(Vec<SignatureScheme>);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

fn believing(ca: &Ca) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_details(provider, Arc::new(FixedClock))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn unbelieving(schemes: Vec<SignatureScheme>) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(schemes)))
        .with_no_client_auth()
}

/// A handshake in memory; the certificate the client got.
fn handshake(
    chooser: &Arc<Chooser>,
    client: ClientConfig,
    name: &str,
) -> Result<CertificateDer<'static>, rustls::Error> {
    let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(chooser) as _;
    let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(client.peer_certificates().unwrap()[0].clone().into_owned())
}

fn leaf(material: &Material) -> CertificateDer<'static> {
    material.chain().unwrap().remove(0)
}

#[test]
fn real_handshakes_get_the_exact_name_then_the_wildcard_then_nothing() {
    let ca = Ca::create("ca", now()).unwrap();
    let issue = |names: &[&str]| ca.issue(names, Usage::Server, now()).unwrap();
    let materials = vec![
        issue(&["first.example"]),
        issue(&["*.hq.example"]),
        issue(&["pbx.hq.example", "apps.example"]),
    ];
    let chooser = Arc::new(Chooser::new(materials.clone()).unwrap());
    for (name, expected) in [
        ("first.example", 0),
        ("a.hq.example", 1),
        ("PBX.hq.example", 2),
        ("apps.example", 2),
    ] {
        assert_eq!(chooser.index_for(name), Some(expected), "{name}");
        let got = handshake(&chooser, believing(&ca), name).unwrap();
        assert_eq!(got, leaf(&materials[expected]), "{name}");
    }
    for name in ["hq.example", "a.b.hq.example", "other.example"] {
        assert_eq!(chooser.index_for(name), None, "{name}");
        assert!(handshake(&chooser, believing(&ca), name).is_err(), "{name}");
    }
}

#[test]
fn a_hello_without_a_name_gets_the_first() {
    let ca = Ca::create("ca", now()).unwrap();
    let issue = |names: &[&str]| ca.issue(names, Usage::Server, now()).unwrap();
    let materials = vec![issue(&["192.0.2.1"]), issue(&["hq.example"])];
    let chooser = Arc::new(Chooser::new(materials.clone()).unwrap());
    // A client sends no server name when it was given an address (RFC 6066 section 3).
    let got = handshake(&chooser, believing(&ca), "192.0.2.1").unwrap();
    assert_eq!(got, leaf(&materials[0]));
    assert_eq!(chooser.index_for("192.0.2.1"), Some(0));
    let none = Arc::new(Chooser::new(Vec::new()).unwrap());
    assert!(none.is_empty());
    assert!(handshake(&none, believing(&ca), "192.0.2.1").is_err());
}

#[test]
fn the_client_that_can_not_verify_one_key_gets_the_other() {
    let ca = Ca::create("ca", now()).unwrap();
    let ecdsa = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let rsa = CertificateParams::new(vec!["hq.example".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let rsa = load_pem(&rsa.pem(), &key.serialize_pem()).unwrap();
    let chooser = Arc::new(Chooser::new(vec![ecdsa.clone(), rsa.clone()]).unwrap());
    for (scheme, expected) in [
        (SignatureScheme::RSA_PSS_SHA256, &rsa),
        (SignatureScheme::ECDSA_NISTP256_SHA256, &ecdsa),
    ] {
        let got = handshake(&chooser, unbelieving(vec![scheme]), "hq.example").unwrap();
        assert_eq!(got, leaf(expected));
    }
    let neither = unbelieving(vec![SignatureScheme::ED25519]);
    assert!(handshake(&chooser, neither, "hq.example").is_err());
}

#[test]
fn a_temporary_certificate_yields_to_a_lasting_one() {
    let ca = Ca::create("ca", now()).unwrap();
    let mut temporary = ca
        .issue(&["hq.example", "b.example"], Usage::Server, now())
        .unwrap();
    temporary.temporary = true;
    let lasting = ca.issue(&["hq.example"], Usage::Server, now()).unwrap();
    let chooser = Chooser::new(vec![temporary, lasting]).unwrap();
    assert_eq!(chooser.index_for("hq.example"), Some(1));
    assert_eq!(chooser.index_for("b.example"), Some(0));
}

#[test]
fn an_identity_is_believed_by_a_target_that_asks_for_it() {
    let ca = Ca::create("ca", now()).unwrap();
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let roots = Arc::new(roots);
    for (usage, believed) in [(Usage::Identity, true), (Usage::Server, false)] {
        let shown = ca.issue(&["gate-hq.example"], usage, now()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::clone(&roots),
            provider,
        )
        .build()
        .unwrap();
        let time = FixedClock.time();
        let result = verifier.verify_client_cert(&leaf(&shown), &[], time);
        assert_eq!(result.is_ok(), believed, "{usage:?}");
    }
}

impl FixedClock {
    fn time(&self) -> UnixTime {
        rustls::time_provider::TimeProvider::current_time(self).unwrap()
    }
}
