//! Orders with a real CA for tests (pebble, which refuses every fifth nonce) and a real name server (named).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

mod orders;
mod peers;
mod updates;

use certs::{Answers, KeyKind, new_key, request};
use net::resolve::Names;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::timeout;
use uplink::acme::{
    Account, Authority, External, Failure, Lookup, News, Order, OrderId, Proof, Step, Wanted, run,
};

/// The longest that an order takes here.
const LIMIT: Duration = Duration::from_mins(1);

/// What orders, and what is told of it.
struct Buyer {
    answers: Answers,
    wanted: watch::Sender<Wanted>,
    news: mpsc::Receiver<News>,
}

/// What became of an order.
#[derive(Debug, Default)]
struct Told {
    account: Option<String>,
    begun: Option<String>,
    steps: Vec<Step>,
}

impl Buyer {
    /// Must be called in a [`LocalSet`].
    fn start(answers: &Answers) -> Self {
        let (wanted, seen) = watch::channel(Wanted::default());
        let (news, heard) = mpsc::channel(4);
        let hosts = format!("127.0.0.1 {}\n", peers::CA_NAME);
        let (_, names) = watch::channel(Names::from_texts("", hosts));
        tokio::task::spawn_local(run(seen, names, answers.clone(), news));
        Self {
            answers: answers.clone(),
            wanted,
            news: heard,
        }
    }

    fn want(&self, orders: Vec<Order>) {
        self.wanted.send_replace(Wanted {
            orders,
            lookups: Vec::new(),
        });
    }

    async fn hear(&mut self) -> News {
        timeout(LIMIT, self.news.recv()).await.unwrap().unwrap()
    }

    /// Orders, and waits for the end of it.
    async fn order(&mut self, order: Order) -> (Told, Result<String, Failure>) {
        let id = order.id;
        self.want(vec![order]);
        let mut told = Told::default();
        let end = loop {
            match self.hear().await {
                News::Account { url, .. } => told.account = Some(url),
                News::Begun { id: of, url } if of == id => told.begun = Some(url),
                News::Step { id: of, step } if of == id => told.steps.push(step),
                News::Note { .. } => {}
                News::Issued { id: of, chain } if of == id => break Ok(chain),
                News::Failed { id: of, failure } if of == id => break Err(failure),
                other => panic!("{other:?}"),
            }
        };
        assert!(
            self.answers.is_empty(),
            "proofs are taken away before the end is told"
        );
        (told, end)
    }
}

/// A key, and an order of a certificate for it.
fn order(directory: &str, roots: &str, names: &[&str], proof: Proof) -> (String, Order) {
    let key = new_key(KeyKind::P256).unwrap();
    let order = Order {
        id: OrderId(1),
        authority: Authority {
            directory: directory.to_owned(),
            roots: Some(roots.to_owned()),
            account: Account {
                key: new_key(KeyKind::P256).unwrap(),
                url: None,
                contact: vec!["mailto:admin@hq.example".into()],
                external: None,
            },
        },
        names: names.iter().map(|&name| name.to_owned()).collect(),
        proof,
        request: request(&key, names).unwrap(),
        replaces: None,
        begun: None,
    };
    (key, order)
}

/// The names of the chain, which belongs to the key.
fn names(chain: &str, key: &str) -> Vec<String> {
    let mut names = certs::load_pem(chain, key).unwrap().names;
    names.sort();
    names
}

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}
