//! A provider that says what a test has it say.

use super::super::Oidc;
use super::RSA;
use bytes::Bytes;
use certs::{Ca, Chooser, Usage};
use guard::entrance::Typed;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use net::resolve::Names;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Answers by path, and what was asked.
#[derive(Default)]
pub(crate) struct Says {
    pub(crate) answers: HashMap<&'static str, (u16, String)>,
    /// Path, `Authorization` field, body.
    pub(crate) asked: Vec<(String, String, String)>,
}

/// A provider on the loopback address, at `https://login.example:PORT`.
pub(crate) struct Stub {
    pub(crate) issuer: String,
    pub(crate) says: Arc<Mutex<Says>>,
    root: String,
}

impl Stub {
    pub(crate) async fn start() -> Self {
        let ca = Ca::create("Test", SystemTime::now()).unwrap();
        let material = ca.issue(&["login.example"], Usage::Server, SystemTime::now());
        let chooser = Chooser::new(vec![material.unwrap()]).unwrap();
        let tls = net::tls::server_config(Arc::new(chooser), &[b"http/1.1"]).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let says = Arc::new(Mutex::new(Says::default()));
        let told = Arc::clone(&says);
        tokio::spawn(async move {
            while let Ok((io, _)) = listener.accept().await {
                let Ok(stream) = acceptor.accept(io).await else {
                    continue;
                };
                let says = Arc::clone(&told);
                let serve = service_fn(move |request| answer(Arc::clone(&says), request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), serve);
                tokio::spawn(async move {
                    let _ = connection.await;
                });
            }
        });
        let stub = Self {
            issuer: format!("https://login.example:{port}"),
            says,
            root: ca.root_pem().to_owned(),
        };
        let discovery = stub.discovery();
        stub.say("/.well-known/openid-configuration", 200, &discovery);
        stub.say("/jwks", 200, &json!({ "keys": [RSA.jwk("r")] }));
        stub
    }

    pub(crate) fn discovery(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "end_session_endpoint": format!("{issuer}/end"),
            "jwks_uri": format!("{issuer}/jwks"),
        })
    }

    pub(crate) fn say(&self, path: &'static str, status: u16, body: &Value) {
        let mut says = self.says.lock().unwrap();
        says.answers.insert(path, (status, body.to_string()));
    }

    /// How often `path` was asked.
    pub(crate) fn times(&self, path: &str) -> usize {
        let says = self.says.lock().unwrap();
        says.asked
            .iter()
            .filter(|(asked, ..)| asked == path)
            .count()
    }

    /// One who signs in here.
    pub(crate) fn oidc(&self, more: &str) -> Oidc {
        let names = Names::from_texts("", "127.0.0.1 login.example\n");
        let login = login(&self.issuer, more);
        Oidc::new(
            &login,
            Some(&self.root),
            Typed::from("s3cr:t".to_owned()),
            names,
        )
        .unwrap()
    }
}

/// The section of the file.
fn login(issuer: &str, more: &str) -> config::OidcLogin {
    let text = format!(
        "schema = 1\n[access.staff]\nkind = \"sso\"\nlogin = \"oidc\"\n\
         session = {{ domain = \"example.com\" }}\n\
         oidc = {{ issuer = \"{issuer}\", client = \"gatehouse\", client_key = {{ secret = \"x\" }}{more} }}\n"
    );
    let checked = config::check(&text, "test.toml").unwrap();
    let config::AccessKind::Sso(sso) = &checked.config.access[0].kind else {
        panic!("no login");
    };
    let config::Login::Oidc(login) = &sso.login else {
        panic!("no provider");
    };
    login.clone()
}

async fn answer(
    says: Arc<Mutex<Says>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let field = request.headers().get("authorization");
    let field = field.map_or("", |field| field.to_str().unwrap()).to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let mut says = says.lock().unwrap();
    let (status, text) = says
        .answers
        .get(&*path)
        .cloned()
        .unwrap_or((404, String::new()));
    says.asked.push((path, field, body));
    let response = Response::builder().status(status).body(Full::from(text));
    Ok(response.unwrap())
}
