//! The client against the server over a real socket, with a backend that only remembers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod bans;
mod document;
mod entrance;
mod events;
mod late;
mod memory;
mod operators;
mod texts;

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use control::{
    Backend, BindError, CertificateExport, CertificateImport, Client, ClientError, ExplainShown,
    LogQuery, MachineOrder, NewClientCertificate, Refusal, RefusalKind, Rollback, SOCKET_NAME,
    Secret, ZoneChange,
};
use service::Event;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use memory::{Memory, applied};

/// A folder of its own for one test; gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("control-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join(SOCKET_NAME)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Running {
    folder: Folder,
    backend: Memory,
    end: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        let listener = control::bind(&folder.socket()).unwrap();
        let backend = Memory::new();
        let (end, ended) = oneshot::channel();
        let serving = backend.clone();
        let server = tokio::spawn(async move {
            let ended = async {
                let _ = ended.await;
            };
            control::serve(listener, serving, ended).await
        });
        Self {
            folder,
            backend,
            end,
            server,
        }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.folder.socket()).await.unwrap()
    }
}

#[tokio::test]
async fn every_request_arrives_and_every_answer_comes_back() {
    let running = Running::start("requests");
    let client = running.client().await;
    let backend = &running.backend;
    assert_eq!(
        client.status().await.unwrap(),
        backend.status().await.unwrap()
    );
    assert_eq!(client.metrics().await.unwrap(), "up 1\n");
    assert_eq!(client.bans().await.unwrap(), backend.bans().await.unwrap());
    assert_eq!(client.clear_ban(None).await.unwrap().cleared, 5);
    let address = Some(IpAddr::from([203, 0, 113, 9]));
    assert_eq!(client.clear_ban(address).await.unwrap().cleared, 1);
    assert_eq!(
        client.rollback(Rollback::To(17)).await.unwrap(),
        applied(17)
    );
    let back = client.rollback(Rollback::Back).await;
    assert_eq!(back.unwrap(), applied(2));
    let given_up = client.rollback(Rollback::GiveUp(8)).await;
    assert_eq!(given_up.unwrap(), applied(7));
    assert_eq!(client.confirm(Some(8)).await.unwrap(), applied(8));
    assert_eq!(client.generations().await.unwrap().len(), 2);
    assert_eq!(client.config_text(Some(1)).await.unwrap().generation, 1);
    assert_eq!(client.diff(None, None).await.unwrap().from, 2);
    assert_eq!(
        client.derived().await.unwrap(),
        backend.derived().await.unwrap()
    );
    assert_eq!(
        client.hosts().await.unwrap(),
        backend.hosts().await.unwrap()
    );
    assert_eq!(
        client.history(None).await.unwrap(),
        backend.history(3600).await.unwrap()
    );
    assert_eq!(
        client.history(Some(86_400)).await.unwrap().step_seconds,
        86_400
    );
    let diff = client.diff(Some(4), Some(7)).await.unwrap();
    assert_eq!((diff.from, diff.to), (4, 7));
    assert_eq!(
        client.network().await.unwrap(),
        backend.network().await.unwrap()
    );
    let change = ZoneChange {
        zone: "lan".to_owned(),
        address: "192.0.2.4/24".to_owned(),
        gateway: Some(IpAddr::from([192, 0, 2, 1])),
    };
    assert_eq!(client.set_zone(&change).await.unwrap(), applied(4));
    let ordered = client.order(MachineOrder::FactoryReset).await.unwrap();
    assert_eq!(ordered.text, "FactoryReset");
    let refused = client.order(MachineOrder::Reboot).await.unwrap_err();
    assert_eq!(refused.to_string(), "not a box");
    let url = "https://hq.example/a?b=c&d=%20#é";
    let explained = client.explain(url, address).await.unwrap();
    assert_eq!(explained.text, format!("{url} {address:?}"));
}

#[tokio::test]
async fn a_request_is_explained_with_a_certificate_as_well() {
    let running = Running::start("explained");
    let client = running.client().await;
    let url = "https://hq.example/";
    let shown = ExplainShown {
        url: url.to_owned(),
        from: None,
        certificate: "pem".to_owned(),
    };
    let explained = client.explain(url, None).await.unwrap();
    assert_eq!(client.explain_shown(&shown).await.unwrap(), explained);
}

#[tokio::test]
async fn certificates_are_shown_and_ordered_by_name() {
    let running = Running::start("certificates");
    let client = running.client().await;
    let backend = &running.backend;
    assert_eq!(
        client.certificates().await.unwrap(),
        backend.certificates().await.unwrap()
    );
    client.renew_certificate("hq.example").await.unwrap();
    assert!(client.renew_certificate("other.example").await.is_err());
    assert_eq!(client.root().await.unwrap(), backend.root().await.unwrap());
    let export = CertificateExport {
        name: "hq.example".to_owned(),
        passphrase: Some("a good one".to_owned()),
    };
    assert!(!format!("{export:?}").contains("good"));
    let exported = client.export_certificate(&export).await.unwrap();
    assert_eq!(exported, backend.export_certificate(export).await.unwrap());
    // The longest file, every end of line of which JSON writes with two bytes.
    let import = CertificateImport {
        pem: Some("\n".repeat(CertificateImport::LONGEST_FILE)),
        key: Some("secret".to_owned()),
        ..CertificateImport::default()
    };
    assert!(!format!("{import:?}").contains("secret"));
    let imported = client.import_certificate(&import).await.unwrap();
    assert_eq!(imported, backend.import_certificate(import).await.unwrap());
    let new = NewClientCertificate {
        name: "anna".to_owned(),
        days: None,
        passphrase: "a good one".to_owned(),
    };
    assert!(!format!("{new:?}").contains("good"));
    let issued = client.issue_certificate(&new).await.unwrap();
    assert_eq!(issued, backend.issue_certificate(new).await.unwrap());
    let all = client.issued_certificates().await.unwrap();
    assert_eq!(all, client.revoke_certificate("anna").await.unwrap());
}

#[tokio::test]
async fn secrets_go_in_and_only_names_come_out() {
    let running = Running::start("secrets");
    let client = running.client().await;
    let secret = Secret {
        name: "acme-tsig".to_owned(),
        value: "a \"b\"\n\0é".to_owned(),
    };
    client.set_secret(&secret).await.unwrap();
    assert_eq!(*running.backend.secrets.lock().unwrap(), [secret]);
    assert_eq!(client.secrets().await.unwrap(), ["acme-tsig"]);
    client.remove_secret("acme-tsig").await.unwrap();
    assert!(client.secrets().await.unwrap().is_empty());
    let huge = Secret {
        name: "x".to_owned(),
        value: "x".repeat(200_000),
    };
    assert!(client.set_secret(&huge).await.is_err());
}

#[tokio::test]
async fn refusals_keep_their_kind_and_their_lines() {
    let running = Running::start("refusals");
    let client = running.client().await;
    let Err(ClientError::Refused(refusal)) = client.reload().await else {
        panic!("not refused");
    };
    assert_eq!(refusal.kind, RefusalKind::Invalid);
    assert_eq!(refusal.message.lines().count(), 2);
    for (asked, what) in [
        (client.confirm(None).await, "confirm"),
        (client.confirm(Some(9)).await, "confirm another"),
        (client.rollback(Rollback::GiveUp(9)).await, "give up"),
    ] {
        let Err(ClientError::Refused(refusal)) = asked else {
            panic!("{what}: not refused");
        };
        assert_eq!(refusal.kind, RefusalKind::Conflict, "{what}");
    }
    let other = Some(IpAddr::from([192, 0, 2, 1]));
    let error = client.clear_ban(other).await.unwrap_err();
    assert_eq!(error.to_string(), "192.0.2.1 is not banned");
}

/// One request as bytes; status line and body of the answer.
async fn raw(socket: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_is_not_understood_is_refused_in_json() {
    let running = Running::start("odd");
    let socket = running.folder.socket();
    for (line, status) in [
        ("GET /v1/nothing", "404"),
        ("GET /", "404"),
        ("POST /v1/status", "405"),
        ("DELETE /v1/bans?client=nobody", "422"),
        ("POST /v1/rollback?generation=-1", "422"),
        ("POST /v1/rollback?generation=7&trial=8", "422"),
        ("POST /v1/confirm?generation=x", "422"),
        ("DELETE /v1/secrets", "422"),
        ("PUT /v1/secrets", "422"),
        ("GET /v1/log?last=x", "422"),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(&socket, &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        assert!(serde_json::from_str::<Refusal>(body).is_ok(), "{body}");
    }
}

#[tokio::test]
async fn the_log_is_followed_and_resumed() {
    let running = Running::start("log");
    let client = running.client().await;
    for text in ["1", "2", "3"] {
        running.backend.note(text);
    }
    let query = LogQuery {
        last: Some(2),
        follow: true,
        ..LogQuery::default()
    };
    let mut log = client.log(&query).await.unwrap();
    let mut last = 0;
    for expected in ["2", "3", "4"] {
        if expected == "4" {
            running.backend.note("4");
        }
        let record = log.next().await.unwrap().unwrap();
        assert!(matches!(&record.event, Event::Notice { text, .. } if text == expected));
        last = record.id;
    }
    drop(log);
    running.backend.note("5");
    let query = LogQuery {
        after: Some(last),
        ..LogQuery::default()
    };
    let mut log = client.log(&query).await.unwrap();
    let record = log.next().await.unwrap().unwrap();
    assert!(matches!(&record.event, Event::Notice { text, .. } if text == "5"));
    assert_eq!(log.next().await.unwrap(), None);
}

#[tokio::test]
async fn at_the_end_followed_logs_end_and_the_server_does_not_wait() {
    let running = Running::start("end");
    let client = running.client().await;
    let query = LogQuery {
        follow: true,
        ..LogQuery::default()
    };
    let mut log = client.log(&query).await.unwrap();
    let idle = UnixStream::connect(running.folder.socket()).await.unwrap();
    running.end.send(()).unwrap();
    assert_eq!(log.next().await.unwrap(), None);
    let patience = Duration::from_secs(10);
    let ended = tokio::time::timeout(patience, running.server).await;
    ended.unwrap().unwrap().unwrap();
    drop(idle);
}

#[tokio::test]
async fn the_socket_is_private_and_replaces_only_a_dead_one() {
    let folder = Folder::new("socket");
    let socket = folder.socket();
    let missing = Client::connect(&socket).await;
    assert!(matches!(missing, Err(ClientError::NotRunning(_))));
    let first = control::bind(&socket).unwrap();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(control::bind(&socket), Err(BindError::InUse(_))));
    drop(first);
    let dead = Client::connect(&socket).await;
    assert!(matches!(dead, Err(ClientError::NotRunning(_))));
    drop(control::bind(&socket).unwrap());
    std::fs::remove_file(&socket).unwrap();
    std::fs::write(&socket, "precious").unwrap();
    let refused = control::bind(&socket);
    assert!(matches!(refused, Err(BindError::NotASocket(_))));
    assert_eq!(std::fs::read(&socket).unwrap(), b"precious");
    let long = folder.0.join("x".repeat(120));
    assert!(matches!(control::bind(&long), Err(BindError::TooLong(_))));
}
