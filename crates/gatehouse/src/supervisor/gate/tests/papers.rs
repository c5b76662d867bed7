//! Certificates that go in and out.

use super::*;
use certs::{Ca, Material, Usage, bundle};
use control::CertificateExport;
use data_encoding::BASE64;
use std::process::Command;
use std::time::SystemTime;

const NAME: &str = "pbx.example";
const FILES: &str = "[[certificate]]\nnames = [\"pbx.example\"]\nsource = \"files\"\nchain = \"pbx.pem\"\nkey = { secret = \"pbx-key\" }\n";

/// A certificate for `name` of a CA that nobody knows.
fn certificate(name: &str) -> Material {
    let now = SystemTime::now();
    let ca = Ca::create("ours", now).unwrap();
    ca.issue(&[name], Usage::Server, now).unwrap()
}

/// A box that serves `material` from files.
async fn serving(name: &str, material: &Material) -> Rig {
    let rig = Rig::new(name).await;
    let lay = |state: &mut State| {
        let store = &mut state.store;
        store
            .set_blob("files/pbx.pem", material.chain_pem.as_bytes())
            .unwrap();
        store
            .set_secret("pbx-key", material.key_pem.as_bytes())
            .unwrap();
    };
    rig.gate.with(lay).await;
    let text = format!("{TEXT}{FILES}");
    rig.gate.apply_text(&text, 1, None).await.unwrap();
    rig
}

fn export(name: &str, passphrase: Option<&str>) -> CertificateExport {
    CertificateExport {
        name: name.to_owned(),
        passphrase: passphrase.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_key_comes_out_under_a_passphrase_alone_and_openssl_reads_it() {
    let material = certificate(NAME);
    let rig = serving("export", &material).await;
    let anna = rig.as_admin().await;
    let chain = anna.export_certificate(export(NAME, None)).await.unwrap();
    assert_eq!(
        (chain.pem, chain.pkcs12),
        (Some(material.chain_pem.clone()), None)
    );
    for (passphrase, refused) in [("short", RefusalKind::Invalid), ("", RefusalKind::Invalid)] {
        let answer = anna
            .export_certificate(export(NAME, Some(passphrase)))
            .await;
        assert_eq!(answer.unwrap_err().kind, refused);
    }
    let other = anna.export_certificate(export("other.example", None)).await;
    assert_eq!(other.unwrap_err().kind, RefusalKind::NotFound);
    let passphrase = "über+passphrase";
    let exported = anna
        .export_certificate(export(NAME, Some(passphrase)))
        .await
        .unwrap();
    assert_eq!(exported.pem, None);
    let bytes = BASE64.decode(exported.pkcs12.unwrap().as_bytes()).unwrap();
    assert_eq!(
        bundle::read(&bytes, passphrase).unwrap().key_pem,
        material.key_pem
    );
    let file = rig.folder.join("out.p12");
    std::fs::write(&file, bytes).unwrap();
    let openssl = Command::new("openssl")
        .args([
            "pkcs12",
            "-nodes",
            "-passin",
            &format!("pass:{passphrase}"),
            "-in",
        ])
        .arg(&file)
        .output();
    let said = openssl.expect("openssl is there");
    let text = String::from_utf8(said.stdout).unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{words}");
    assert!(text.contains("friendlyName: pbx.example"), "{text}");
    assert!(text.contains("BEGIN PRIVATE KEY") && text.contains("BEGIN CERTIFICATE"));
    let log = rig.log();
    for line in ["without its key", "with its key"] {
        let line = format!("audit anna: exported the certificate of pbx.example {line}\n");
        assert!(log.contains(&line), "{log}");
    }
    assert!(!log.contains("passphrase"), "{log}");
}

#[tokio::test]
async fn who_is_no_admin_any_more_gets_no_key() {
    let rig = serving("export-out", &certificate(NAME)).await;
    let anna = rig.as_admin().await;
    rig.gate.end_session(anna.actor.session()).await.unwrap();
    let refused = anna
        .export_certificate(export(NAME, Some("long enough")))
        .await;
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Unauthorized);
}
