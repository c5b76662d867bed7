//! Logins at a real provider, the npm package oidc-provider: whoever signs in there is known here.
//!
//! curl is the browser: it goes where it is sent, and fills in the forms.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use certs::{Chooser, Material};
use guard::entrance::Typed;
use net::resolve::Names;
use serde_json::json;
use signin::directory::oidc::{Callback, Finished, LogoutFault, Oidc, SignedIn, TokenFault};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

const BACK: &str = "https://pbx.example.com/.gatehouse/oidc/callback";
const SECRET: &str = "a secret: with & in it";

/// A running provider; it ends with this.
struct Provider {
    dir: PathBuf,
    issuer: String,
    port: u16,
    node: Child,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab/node")
}

/// Why there can be no provider here.
fn lacking() -> Option<String> {
    if !script().join("node_modules/oidc-provider").exists() {
        return Some("oidc-provider is not installed in tests/lab/node".to_owned());
    }
    ["node", "curl", "openssl"].into_iter().find_map(|program| {
        let there = Command::new(program).arg("--help").output().is_ok();
        (!there).then(|| format!("{program} is not installed"))
    })
}

impl Provider {
    /// One that signs with `algorithm`; where not `in_token`, claims are had from userinfo alone.
    fn start(algorithm: &str, in_token: bool) -> Self {
        Self::telling(algorithm, in_token, None)
    }

    /// The same, and it tells this port of the loopback address of who signs out.
    fn telling(algorithm: &str, in_token: bool, box_port: Option<u16>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let name = format!("gatehouse-oidc-{}-{port}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        let (chain, key) = (dir.join("chain.pem"), dir.join("key.pem"));
        let fixed = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=login \
                     -addext subjectAltName=DNS:login.example -addext basicConstraints=critical,CA:FALSE";
        let made = Command::new("openssl")
            .args(fixed.split_whitespace())
            .args([
                "-keyout".as_ref(),
                key.as_os_str(),
                "-out".as_ref(),
                chain.as_os_str(),
            ])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let issuer = format!("https://login.example:{port}");
        let logout =
            box_port.map(|port| format!("https://login.example:{port}/.gatehouse/oidc/logout"));
        let told = json!({
            "issuer": issuer, "address": "127.0.0.1", "port": port, "certificate": chain, "key": key,
            "client": "gatehouse", "secret": SECRET, "redirect": BACK, "logout": logout, "back": null,
            "algorithm": algorithm, "inToken": in_token, "gateway": "127.0.0.1", "authority": chain,
        });
        let file = dir.join("provider.json");
        fs::write(&file, told.to_string()).unwrap();
        let mut node = Command::new("node")
            .args([script().join("provider.mjs"), file])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        // It ends when nobody listens to it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            dir,
            issuer,
            port,
            node,
        }
    }

    fn oidc(&self, key: &str) -> Oidc {
        let text = format!(
            "schema = 1\n[access.staff]\nkind = \"sso\"\nlogin = \"oidc\"\n\
             session = {{ domain = \"example.com\" }}\n\
             oidc = {{ issuer = \"{}\", client = \"gatehouse\", client_key = {{ secret = \"x\" }} }}\n",
            self.issuer
        );
        let checked = config::check(&text, "test.toml").unwrap();
        let config::AccessKind::Sso(sso) = &checked.config.access[0].kind else {
            panic!("no login");
        };
        let config::Login::Oidc(login) = &sso.login else {
            panic!("no provider");
        };
        let roots = fs::read_to_string(self.dir.join("chain.pem")).unwrap();
        let names = Names::from_texts("", "127.0.0.1 login.example\n");
        Oidc::new(login, Some(&roots), Typed::from(key.to_owned()), names).unwrap()
    }

    /// What the browser asks for, and what comes back: where it is sent, and the page.
    fn browse(&self, address: &str, form: Option<&str>) -> (String, String) {
        let jar = self.dir.join("cookies");
        let mut curl = Command::new("curl");
        curl.args([
            "-s",
            "-S",
            "-m",
            "20",
            "-w",
            "\n%{redirect_url}",
            "--resolve",
        ])
        .arg(format!("login.example:{}:127.0.0.1", self.port))
        .arg("--cacert")
        .arg(self.dir.join("chain.pem"))
        .arg("-b")
        .arg(&jar)
        .arg("-c")
        .arg(&jar);
        if let Some(form) = form {
            curl.args(["--data", form]);
        }
        let out = curl.arg(address).output().unwrap();
        assert!(out.status.success(), "{address}: {out:?}");
        let text = String::from_utf8(out.stdout).unwrap();
        let (page, next) = text.rsplit_once('\n').unwrap();
        (next.to_owned(), page.to_owned())
    }

    /// Signs in as `user` from `address` on, and brings back the query of the redirect.
    fn sign_in(&self, address: &str, user: &str) -> String {
        let (mut next, mut page) = self.browse(address, None);
        for _ in 0..12 {
            if let Some((_, query)) = next.split_once(&format!("{BACK}?")) {
                return query.to_owned();
            }
            (next, page) = if next.is_empty() {
                let (_, form) = page.split_once("<form").expect(&page);
                let between =
                    |start: &str| form.split_once(start)?.1.split_once('"').map(|(it, _)| it);
                let action = between("action=\"").unwrap();
                let prompt = between("name=\"prompt\" value=\"").unwrap();
                self.browse(
                    action,
                    Some(&format!("prompt={prompt}&login={user}&password=x")),
                )
            } else {
                self.browse(&next, None)
            };
        }
        panic!("no way back: {next} {page}");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

async fn known(oidc: &Oidc, provider: &Provider, user: &str) -> SignedIn {
    let (address, pending) = oidc.begin(BACK, now()).await.unwrap();
    let query = provider.sign_in(&address, user);
    let callback = Callback::of(&query).unwrap();
    assert_eq!(callback.state(), Some(pending.state()));
    match oidc.finish(&pending, &callback, now()).await.unwrap() {
        Finished::Known(who) => who,
        Finished::Refused(why) => panic!("{why}"),
    }
}

async fn signs_in(algorithm: &str, in_token: bool) {
    if let Some(why) = lacking() {
        return skipped(&why);
    }
    let provider = Provider::start(algorithm, in_token);
    let oidc = provider.oidc(SECRET);
    let who = known(&oidc, &provider, "ada").await;
    assert_eq!((&*who.person.user, &*who.subject), ("ada", "ada"));
    assert_eq!(who.person.groups, ["pbx-users", "staff"]);
    assert!(who.expires > now() && who.expires < now() + 24 * 3600);
    // It offers to sign out there.
    let end = oidc.end_session(None, now()).await.unwrap().unwrap();
    assert!(end.starts_with(&format!(
        "{}/session/end?client_id=gatehouse",
        provider.issuer
    )));
}

#[tokio::test]
async fn a_code_is_good_for_one_login_of_one_client() {
    if let Some(why) = lacking() {
        return skipped(&why);
    }
    let provider = Provider::start("ES256", true);
    let oidc = provider.oidc(SECRET);
    let (address, pending) = oidc.begin(BACK, now()).await.unwrap();
    let callback = Callback::of(&provider.sign_in(&address, "ada")).unwrap();
    let (_, other) = oidc.begin(BACK, now()).await.unwrap();
    let finished = oidc.finish(&other, &callback, now()).await.unwrap();
    assert!(matches!(finished, Finished::Refused(_)), "{finished:?}");
    let stranger = provider.oidc("guessed");
    let fault = stranger
        .finish(&pending, &callback, now())
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("invalid_client"), "{fault}");
    let finished = oidc.finish(&pending, &callback, now()).await.unwrap();
    assert!(matches!(finished, Finished::Known(_)), "{finished:?}");
    let finished = oidc.finish(&pending, &callback, now()).await.unwrap();
    assert!(matches!(finished, Finished::Refused(_)), "{finished:?}");
    let fault = oidc.logged_out("a.b.c", now()).await.unwrap_err();
    assert!(
        matches!(fault, LogoutFault::Token(TokenFault::Form)),
        "{fault}"
    );
}

/// Takes one request, answers 200 and says what was in its form.
async fn told(provider: &Provider, listener: tokio::net::TcpListener) -> Vec<(String, String)> {
    let read = |name: &str| fs::read_to_string(provider.dir.join(name)).unwrap();
    let material = Material {
        names: vec!["login.example".to_owned()],
        chain_pem: read("chain.pem"),
        key_pem: read("key.pem"),
        temporary: false,
        line: None,
    };
    let chooser = Chooser::new(vec![material]).unwrap();
    let tls = net::tls::server_config(Arc::new(chooser), &[b"http/1.1"]).unwrap();
    let (io, _) = listener.accept().await.unwrap();
    let mut stream = TlsAcceptor::from(Arc::new(tls)).accept(io).await.unwrap();
    let mut text = String::new();
    let body = loop {
        let mut room = [0; 4096];
        let count = stream.read(&mut room).await.unwrap();
        assert_ne!(count, 0, "{text}");
        text.push_str(std::str::from_utf8(&room[..count]).unwrap());
        let whole = text.split_once("\r\n\r\n").filter(|(head, body)| {
            let head = head.to_ascii_lowercase();
            let length = head.split_once("content-length: ").unwrap().1;
            let length = length
                .split_once("\r\n")
                .map_or(length, |(length, _)| length);
            body.len() >= length.parse().unwrap()
        });
        if let Some((_, body)) = whole {
            break body.to_owned();
        }
    };
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    stream.shutdown().await.unwrap();
    serde_urlencoded::from_str(&body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_of_who_signs_out_there() {
    if let Some(why) = lacking() {
        return skipped(&why);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let provider = Arc::new(Provider::telling("RS256", true, Some(port)));
    let oidc = provider.oidc(SECRET);
    let who = known(&oidc, &provider, "ada").await;
    let end = oidc.end_session(None, now()).await.unwrap().unwrap();
    let browser = Arc::clone(&provider);
    let signs_out = tokio::task::spawn_blocking(move || {
        let (_, page) = browser.browse(&end, None);
        let between = |start: &str| Some(page.split_once(start)?.1.split_once('"')?.0);
        let action = between("action=\"").expect(&page);
        let xsrf = between("name=\"xsrf\" value=\"").expect(&page);
        browser.browse(action, Some(&format!("xsrf={xsrf}&logout=yes")));
    });
    let form = told(&provider, listener).await;
    signs_out.await.unwrap();
    let [(name, token)] = &form[..] else {
        panic!("{form:?}");
    };
    assert_eq!(name, "logout_token");
    let whom = oidc.logged_out(token, now()).await.unwrap();
    assert!(who.issuer_session.is_some());
    assert_eq!(
        (whom.issuer_session, whom.subject),
        (who.issuer_session, Some(who.subject))
    );
    let fault = oidc.logged_out(token, now()).await.unwrap_err();
    assert!(
        matches!(fault, LogoutFault::Token(TokenFault::Again)),
        "{fault}"
    );
}

#[allow(
    clippy::print_stderr,
    reason = "that a test was skipped is for the reader"
)]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

#[tokio::test]
async fn at_one_that_signs_with_rsa() {
    signs_in("RS256", false).await;
}

#[tokio::test]
async fn at_one_that_signs_with_a_curve_and_says_all_in_the_token() {
    signs_in("ES256", true).await;
}

#[tokio::test]
async fn at_one_that_signs_with_pss() {
    signs_in("PS256", false).await;
}

#[tokio::test]
async fn at_one_that_signs_with_ed25519() {
    signs_in("EdDSA", true).await;
}
