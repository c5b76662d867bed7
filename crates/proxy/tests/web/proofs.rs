//! What certificate authorities find here.

use crate::gate::{Gate, PLAIN, plain};
use crate::peer::{Peer, field, within};
use certs::challenge::{TLS_PROTOCOL, tls_certificate};
use certs::{Answer, Answers};
use net::stream::Stream;
use net::tls::{Trust, client_config};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/.well-known/acme-challenge/abc";

fn ask(method: &str, host: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

fn page(host: &str) -> Answer {
    Answer::Http {
        host: host.into(),
        token: "abc".into(),
        text: "abc.thumbprint".into(),
    }
}

#[tokio::test]
async fn a_proof_is_shown_before_any_rule_and_only_while_it_lies_out() {
    let (gate, target) = plain("plain = \"redirect\"").await;
    let held = gate.answers.add(page("web.example")).unwrap();
    let mut client = gate.ask(ask("GET", "Web.Example:80", PATH)).await;
    let (head, body) = client.response().await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(
        field(&head, "content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(body, b"abc.thumbprint");
    // A query, another token, another method and another host are requests like any other.
    for (method, host, path) in [
        ("GET", "web.example", "/.well-known/acme-challenge/abcd"),
        ("GET", "web.example", "/.well-known/acme-challenge/"),
        ("POST", "web.example", PATH),
        ("GET", "web.example", "/"),
    ] {
        client.send(ask(method, host, path)).await;
        let (head, _) = client.response().await;
        assert!(head.starts_with("HTTP/1.1 30"), "{method} {path}: {head}");
    }
    drop(held);
    client.send(ask("GET", "web.example", PATH)).await;
    client.gets("301 Moved Permanently").await;
    drop(target);
}

#[tokio::test]
async fn a_host_that_serves_nothing_may_be_proven_too() {
    let (mut gate, _target) = plain("").await;
    let _held = gate.answers.add(page("mail.example")).unwrap();
    let mut client = gate.ask(ask("GET", "mail.example", PATH)).await;
    client.gets("200 OK").await;
    assert_eq!(gate.decision().await.host, "mail.example");
    let mut client = gate.ask(ask("GET", "other.example", PATH)).await;
    client.gets("404 Not Found").await;
}

#[tokio::test]
async fn a_banned_client_sees_no_proof() {
    let (gate, _target) = plain("").await;
    let _held = gate.answers.add(page("web.example")).unwrap();
    gate.ban("127.0.0.1");
    let mut client = Peer::connect(gate.http).await;
    client.send(ask("GET", "web.example", PATH)).await;
    client.ends().await;
}

#[tokio::test]
async fn proofs_outlive_a_reload() {
    let (mut gate, target) = plain("").await;
    let _held = gate.answers.add(page("web.example")).unwrap();
    gate.reload(&target, PLAIN);
    let mut client = gate.ask(ask("GET", "web.example", PATH)).await;
    client.gets("200 OK").await;
}

/// Takes what a certificate authority does: any certificate, with extensions that nobody else understands.
#[derive(Debug)]
struct Authority;

impl ServerCertVerifier for Authority {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // id-pe-acmeIdentifier, 1.3.6.1.5.5.7.1.31.
        let proof = [6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 0x1f];
        if leaf.windows(proof.len()).any(|part| part == proof) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// A hello as that of a certificate authority, or of a client that knows its protocol as well.
async fn look(gate: &Gate, name: &str, protocols: &[&[u8]]) -> std::io::Result<Stream> {
    let mut config = client_config(&Trust::Any, None).unwrap();
    if protocols == [TLS_PROTOCOL] {
        let authority = Arc::new(Authority);
        config.dangerous().set_certificate_verifier(authority);
    }
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let io = TcpStream::connect(gate.https).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    within(Stream::connect(io, Arc::new(config), name)).await
}

fn lay_out(answers: &Answers, name: &str) -> certs::challenge::Held {
    let key = Arc::new(tls_certificate(name, "abc.thumbprint").unwrap());
    let name = name.into();
    answers.add(Answer::Tls { name, key }).unwrap()
}

#[tokio::test]
async fn a_hello_for_a_proof_gets_it_and_no_more() {
    let (gate, _target) = plain("").await;
    let held = lay_out(&gate.answers, "web.example");
    let mut seen = look(&gate, "web.example", &[TLS_PROTOCOL]).await.unwrap();
    assert_eq!(seen.alpn(), Some(TLS_PROTOCOL));
    // Our last flight goes out.
    within(seen.flush()).await.unwrap();
    let mut rest = Vec::new();
    within(seen.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
    // Who offers something else as well is a client.
    let client = look(&gate, "web.example", &[b"http/1.1", TLS_PROTOCOL]).await;
    assert_eq!(client.unwrap().alpn(), Some(&b"http/1.1"[..]));
    drop(held);
    assert!(look(&gate, "web.example", &[TLS_PROTOCOL]).await.is_err());
}

#[tokio::test]
async fn a_proof_that_does_not_lie_out_is_rejected_without_an_offence() {
    let (mut gate, _target) = plain("").await;
    let _held = lay_out(&gate.answers, "web.example");
    for name in ["ws.example", "nobody.example"] {
        let refused = look(&gate, name, &[TLS_PROTOCOL]).await.err().unwrap();
        let refused = refused.to_string();
        assert!(refused.contains("UnrecognisedName"), "{refused}");
        gate.rejects_for("no proof lies out").await;
    }
    assert!(gate.outbox.offences.try_recv().is_err());
}
