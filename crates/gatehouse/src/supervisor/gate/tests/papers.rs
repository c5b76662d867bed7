//! Certificates that go in and out.

use super::*;
use certs::{Ca, Material, Usage, bundle};
use control::{CertificateExport, CertificateImport, NewClientCertificate};
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

fn pem(material: &Material) -> CertificateImport {
    CertificateImport {
        pem: Some(format!("{}{}", material.chain_pem, material.key_pem)),
        ..CertificateImport::default()
    }
}

/// What edge was told to serve.
async fn served(rig: &Rig) -> Vec<Material> {
    let told = |state: &mut State| state.told.clone().unwrap().edge.load.certificates;
    rig.gate.with(told).await
}

async fn kept(rig: &Rig) -> (Vec<u8>, Vec<u8>) {
    let kept = |state: &mut State| {
        let file = state.store.blob("files/pbx.pem").unwrap().unwrap();
        let key = state.store.secret("pbx-key").unwrap().unwrap();
        (file, key.bytes().to_vec())
    };
    rig.gate.with(kept).await
}

#[tokio::test]
async fn a_certificate_that_is_brought_is_served_at_once() {
    let rig = serving("import", &certificate(NAME)).await;
    let anna = rig.as_admin().await;
    let next = certificate(NAME);
    let imported = anna.import_certificate(pem(&next)).await.unwrap();
    let line = served(&rig).await[0].line;
    assert_eq!((imported.line, imported.lines), (line, None));
    assert_eq!(served(&rig).await[0].chain_pem, next.chain_pem);
    let generations = rig.gate.generations().await.unwrap();
    assert_eq!(generations.len(), 2, "there is no new generation");
    assert!(
        rig.log()
            .contains("audit anna: imported the certificate of pbx.example\n")
    );
    // The same as PKCS#12, where the configuration wants PEM.
    let third = certificate(NAME);
    let file = bundle::write(&third, NAME, "secret word").unwrap();
    let mut import = CertificateImport {
        name: Some(NAME.to_owned()),
        pkcs12: Some(BASE64.encode(&file)),
        passphrase: Some("wrong".to_owned()),
        ..CertificateImport::default()
    };
    let refused = anna.import_certificate(import.clone()).await.unwrap_err();
    assert_eq!(
        refused.message,
        "the passphrase is wrong, or the file is damaged"
    );
    import.passphrase = Some("secret word".to_owned());
    anna.import_certificate(import).await.unwrap();
    assert_eq!(served(&rig).await[0].chain_pem, third.chain_pem);
    let left = |state: &mut State| state.store.blob("ca/before-import.json").unwrap();
    assert_eq!(rig.gate.with(left).await, None);
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() {
    let rig = serving("import-unfit", &certificate(NAME)).await;
    let before = kept(&rig).await;
    let named = |material: &Material| CertificateImport {
        name: Some(NAME.to_owned()),
        ..pem(material)
    };
    let now = SystemTime::now();
    let ca = Ca::create("ours", now).unwrap();
    let mut mixed = certificate(NAME);
    mixed.key_pem = certificate(NAME).key_pem;
    let mut keyless = pem(&certificate(NAME));
    keyless.pem = Some(certificate(NAME).chain_pem);
    let mut both = pem(&certificate(NAME));
    both.pkcs12 = Some("AAAA".to_owned());
    for (import, words) in [
        (
            named(&ca.issue(&["other.example"], Usage::Server, now).unwrap()),
            "the certificate can not be taken: does not cover the name `pbx.example`; have one made for all names",
        ),
        (
            named(&mixed),
            "the private key does not belong to the certificate of pbx.example",
        ),
        (keyless, "no private key found"),
        (both, "give one certificate, as PEM or as PKCS#12"),
        (
            CertificateImport::default(),
            "give one certificate, as PEM or as PKCS#12",
        ),
        (
            CertificateImport {
                pem: Some("x".repeat(CertificateImport::LONGEST_FILE + 1)),
                ..CertificateImport::default()
            },
            "the file is longer than 65536 bytes",
        ),
    ] {
        let refused = rig.gate.import_certificate(import).await.unwrap_err();
        assert!(refused.message.starts_with(words), "{refused}");
    }
    // What lies beside the configuration file would be served on.
    std::fs::write(rig.folder.join("pbx.pem"), "x").unwrap();
    let refused = rig.gate.import_certificate(pem(&certificate(NAME))).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Conflict);
    assert!(refused.message.contains("remove it there"), "{refused}");
    assert_eq!(kept(&rig).await, before);
    assert!(!rig.log().contains("imported"));
}

#[tokio::test]
async fn one_that_the_configuration_does_not_know_comes_with_its_lines() {
    let rig = Rig::new("import-new").await;
    let material = certificate("*.new.example");
    let imported = rig.gate.import_certificate(pem(&material)).await.unwrap();
    assert_eq!((imported.line, served(&rig).await.len()), (None, 0));
    let lines = imported.lines.unwrap();
    assert!(
        lines.contains("chain = \"wildcard.new.example.pem\""),
        "{lines}"
    );
    let text = format!("{TEXT}{lines}");
    rig.gate.apply_text(&text, 1, None).await.unwrap();
    assert_eq!(served(&rig).await[0].chain_pem, material.chain_pem);
    let again = certificate("*.new.example");
    rig.gate.import_certificate(pem(&again)).await.unwrap();
    assert_eq!(served(&rig).await[0].chain_pem, again.chain_pem);
}

#[tokio::test]
async fn what_lies_there_for_something_else_is_not_written_over() {
    let rig = Rig::new("import-taken").await;
    let lay = |state: &mut State| {
        let set = state
            .store
            .set_secret("new.example-key", b"of something else");
        set.unwrap();
    };
    rig.gate.with(lay).await;
    let refused = rig
        .gate
        .import_certificate(pem(&certificate("new.example")))
        .await;
    let refused = refused.unwrap_err();
    assert!(refused.message.contains("for something else"), "{refused}");
    let kept = |state: &mut State| state.store.secret("new.example-key").unwrap().unwrap();
    assert_eq!(rig.gate.with(kept).await.bytes(), b"of something else");
}

#[tokio::test]
async fn a_pkcs12_of_the_configuration_is_replaced_by_pem_as_well() {
    let rig = Rig::new("import-p12").await;
    let first = certificate(NAME);
    let file = bundle::write(&first, NAME, "secret word").unwrap();
    let lay = |state: &mut State| {
        state.store.set_blob("files/pbx.p12", &file).unwrap();
        state.store.set_secret("word", b"secret word").unwrap();
    };
    rig.gate.with(lay).await;
    let text = format!(
        "{TEXT}[[certificate]]\nnames = [\"pbx.example\"]\nsource = \"files\"\np12 = \"pbx.p12\"\npassphrase = {{ secret = \"word\" }}\n"
    );
    rig.gate.apply_text(&text, 1, None).await.unwrap();
    let next = certificate(NAME);
    rig.gate.import_certificate(pem(&next)).await.unwrap();
    assert_eq!(served(&rig).await[0].chain_pem, next.chain_pem);
    let word = |state: &mut State| state.store.secret("word").unwrap().unwrap();
    assert_ne!(rig.gate.with(word).await.bytes(), b"secret word");
    // Without a passphrase it is sealed anew: no secret is empty.
    let third = certificate(NAME);
    let import = CertificateImport {
        pkcs12: Some(BASE64.encode(&without_passphrase(&rig, &third))),
        passphrase: Some(String::new()),
        ..CertificateImport::default()
    };
    rig.gate.import_certificate(import).await.unwrap();
    assert_eq!(served(&rig).await[0].chain_pem, third.chain_pem);
}

/// `material` as PKCS#12 under an empty passphrase, which the box itself does not write.
fn without_passphrase(rig: &Rig, material: &Material) -> Vec<u8> {
    let (text, file) = (rig.folder.join("in.pem"), rig.folder.join("empty.p12"));
    std::fs::write(&text, format!("{}{}", material.chain_pem, material.key_pem)).unwrap();
    let openssl = Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:", "-in"])
        .args([text.as_path(), "-out".as_ref(), &file])
        .status();
    assert!(openssl.unwrap().success());
    std::fs::read(file).unwrap()
}

/// What edge was told of whose clients are believed.
async fn lists(rig: &Rig) -> (Option<String>, Option<String>) {
    let told = |state: &mut State| state.told.clone().unwrap().edge.load.files;
    let files = rig.gate.with(told).await;
    (
        files.get("own").cloned(),
        files.get(proxy::OWN_REVOKED).cloned(),
    )
}

fn client(name: &str) -> NewClientCertificate {
    NewClientCertificate {
        name: name.to_owned(),
        days: None,
        passphrase: "secret word".to_owned(),
    }
}

/// A box that lets in whom it has issued a certificate for.
async fn letting_in(name: &str, http: u16) -> Rig {
    let rig = Rig::new(name).await;
    let https = http + 1;
    let text = format!(
        "{TEXT}[proxy]\ntrusted_clients = [\"own\"]\nipv6 = false\n[proxy.listen]\nhttp = {http}\nhttps = {https}\n\
         [access.staff]\nkind = \"certificate\"\n[[host]]\nname = \"a.example\"\ntarget = \"192.0.2.9\"\n\
         [[host.http]]\naccess = [\"staff\"]\n"
    );
    rig.gate.apply_text(&text, 1, None).await.unwrap();
    rig
}

/// What was issued, as whoever has it opens it.
fn opened(issued: &control::IssuedCertificate) -> Material {
    let bytes = BASE64.decode(issued.pkcs12.as_bytes()).unwrap();
    bundle::read(&bytes, "secret word").unwrap()
}

#[tokio::test]
async fn what_is_issued_for_a_client_holds_until_it_is_revoked() {
    let rig = letting_in("issue", 18_091).await;
    let anna = rig.as_admin().await;
    let issued = anna
        .issue_certificate(client("bert@a.example"))
        .await
        .unwrap();
    let material = opened(&issued);
    let judged = |(root, list): (Option<String>, Option<String>)| {
        let root = root.unwrap();
        let file = |pem| certs::PemFile { name: "own", pem };
        let lists: Vec<_> = list.iter().map(|list| file(list)).collect();
        let clients = certs::Clients::new(&[file(&root)], &lists, certs::Outdated::Refuse);
        let chain = material.chain().unwrap();
        clients.unwrap().verify(&chain[0], &[], SystemTime::now())
    };
    assert!(judged(lists(&rig).await).is_ok());
    let explain = async |url: &str| {
        let chain = material.chain_pem.clone();
        let url = url.to_owned();
        rig.gate.explain(url, None, Some(chain)).await.unwrap().text
    };
    let text = explain("https://a.example/").await;
    for line in [
        "the client certificate is believed; its names: bert@a.example\n",
        "access staff lets it in\n",
        "forwarded to",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let text = explain("https://b.example/").await;
    assert!(text.contains("is not asked for under this name"), "{text}");
    let serial = issued.certificate.serial.to_uppercase();
    let revoked = anna.revoke_certificate(serial).await.unwrap();
    assert_eq!(revoked.len(), 1);
    assert_eq!(
        judged(lists(&rig).await).unwrap_err().why,
        certs::Why::Revoked
    );
    let text = explain("https://a.example/").await;
    let refused =
        "refused (403): access `staff`: the client certificate of \"bert@a.example\" was revoked";
    assert!(text.contains(refused), "{text}");
}

#[tokio::test]
async fn what_was_issued_is_registered_and_revoked_by_number_or_name() {
    let rig = letting_in("register", 18_095).await;
    let anna = rig.as_admin().await;
    let issued = anna.issue_certificate(client("bert")).await.unwrap();
    let again = anna.issue_certificate(client("bert")).await.unwrap();
    let carl = anna.issue_certificate(client("carl")).await.unwrap();
    let days = (issued.certificate.expires.0 - issued.certificate.issued.0) / 86_400_000;
    assert_eq!(days, 397);
    let all = anna.issued_certificates().await.unwrap();
    let expected = [&issued, &again, &carl].map(|one| one.certificate.clone());
    assert_eq!(all, expected);
    // The key is nowhere.
    let kept = std::fs::read_to_string(rig.folder.join("ca/clients.json")).unwrap();
    assert!(!kept.contains("PRIVATE"), "{kept}");
    let serial = issued.certificate.serial.clone();
    anna.revoke_certificate(serial.clone()).await.unwrap();
    // Whoever repeats it learns whether the gate knows.
    let twice = anna.revoke_certificate(serial.clone()).await.unwrap();
    assert_eq!(twice[0].serial, serial);
    let none = anna.revoke_certificate("dora".to_owned()).await;
    assert_eq!(none.unwrap_err().kind, RefusalKind::NotFound);
    let named = anna.revoke_certificate("bert".to_owned()).await.unwrap();
    assert_eq!(named.len(), 2);
    assert_eq!(named[1].serial, again.certificate.serial);
    let log = rig.log();
    for (line, of) in [
        ("issued a certificate for the client carl", &carl),
        ("revoked the certificate of the client bert", &again),
    ] {
        let line = format!(
            "audit anna: {line}, serial number {}\n",
            of.certificate.serial
        );
        assert!(log.contains(&line), "{log}");
    }
}

#[tokio::test]
async fn what_the_gate_has_not_taken_is_not_said_to_be_revoked() {
    let rig = letting_in("revoke-late", 18_097).await;
    let anna = rig.as_admin().await;
    anna.issue_certificate(client("bert")).await.unwrap();
    rig.edge.send_modify(|condition| {
        let fault = Some("no room".to_owned());
        let number = u64::MAX;
        condition.answer = Some(Answer { number, fault });
    });
    let refused = anna
        .revoke_certificate("bert".to_owned())
        .await
        .unwrap_err();
    assert!(
        refused
            .message
            .starts_with("it is revoked, but may be let in"),
        "{refused}"
    );
    rig.edge.send_modify(|condition| {
        let (number, fault) = (u64::MAX, None);
        condition.answer = Some(Answer { number, fault });
    });
    let revoked = anna.revoke_certificate("bert".to_owned()).await.unwrap();
    assert!(revoked[0].revoked.is_some());
}

#[tokio::test]
async fn no_client_is_called_like_the_box_or_a_host_of_it() {
    let rig = letting_in("issue-own", 18_099).await;
    for name in ["a.example", "A.example.", "gate"] {
        let refused = rig.gate.issue_certificate(client(name)).await.unwrap_err();
        assert!(
            refused
                .message
                .contains("give the client a name of its own"),
            "{refused}"
        );
    }
    rig.gate
        .issue_certificate(client("phone.a.example"))
        .await
        .unwrap();
}

#[tokio::test]
async fn one_whose_file_is_gone_is_served_on() {
    let material = certificate(NAME);
    let rig = serving("served-on", &material).await;
    std::fs::remove_file(rig.folder.join("files/pbx.pem")).unwrap();
    rig.gate.refresh().await;
    assert_eq!(served(&rig).await[0].chain_pem, material.chain_pem);
    assert!(
        rig.gate
            .apply_text(&format!("{TEXT}{FILES}"), 1, None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_can_not_be_issued_is_said() {
    let rig = Rig::new("not-issued").await;
    for (new, words) in [
        (
            NewClientCertificate {
                days: Some(0),
                ..client("x")
            },
            "a certificate holds for 1 to 3650 days",
        ),
        (
            client("*.a.example"),
            "`*.a.example` is not a name a certificate can carry",
        ),
        (
            NewClientCertificate {
                passphrase: "short".to_owned(),
                ..client("x")
            },
            "the passphrase has to have 8 characters at least, and 256 bytes at most",
        ),
    ] {
        let refused = rig.gate.issue_certificate(new).await.unwrap_err();
        assert_eq!(refused.message, words);
    }
    assert!(rig.gate.issued_certificates().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_authority_of_clients_that_ends_soon_is_told_of_daily_and_in_status() {
    let rig = Rig::new("ends-soon").await;
    let now = orders::now();
    let year = 365 * 24 * 3600;
    // Made ten years ago, but for a week.
    let made = SystemTime::now() - Duration::from_secs(10 * year - 4 * 24 * 3600);
    let ca = Ca::create("clients of old", made).unwrap();
    let file = rig.folder.join("clients.pem");
    std::fs::write(&file, ca.root_pem()).unwrap();
    let text = format!(
        "{TEXT}[proxy]\ntrusted_clients = [\"clients.pem\"]\nipv6 = false\n[proxy.listen]\nhttp = 18093\nhttps = 18094\n\
         [access.staff]\nkind = \"certificate\"\n[[host]]\nname = \"a.example\"\ntarget = \"192.0.2.9\"\n\
         [[host.http]]\naccess = [\"staff\"]\n"
    );
    rig.gate.apply_text(&text, 1, None).await.unwrap();
    let words = "clients.pem: the authority CN=clients of old expires on ";
    let is_shown = async || {
        let status = rig.gate.status().await.unwrap();
        status.left_out.iter().any(|text| text.starts_with(words))
    };
    assert!(!is_shown().await);
    orders::look(&rig.gate).await;
    assert!(is_shown().await);
    let later = |hours: u64| now + hours * 3600;
    let look = async |at: u64| {
        let look = |state: &mut State| {
            let files = state.told.as_ref().unwrap().edge.load.files.clone();
            let config = Arc::clone(&state.running.config);
            state
                .certificates
                .look_at_clients(&config, &files, at)
                .len()
        };
        rig.gate.with(look).await
    };
    for (hours, told) in [(2, 0), (25, 1), (26, 0), (50, 1)] {
        assert_eq!(look(later(hours)).await, told, "{hours}");
    }
}
