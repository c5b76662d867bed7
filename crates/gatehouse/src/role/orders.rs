//! What this process asks of certificate authorities.

use certs::Answers;
use net::resolve::Names;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use uplink::acme::{self, News, Wanted};

/// How much news waits for the link at most; an order waits with its next one.
const NEWS: usize = 64;

/// The orders that are under way. They go on through every reload; dropped, they are given up.
pub(super) struct Orders {
    wanted: watch::Sender<Wanted>,
    names: watch::Sender<Names>,
}

impl Orders {
    /// None yet, and what will be told; `answers` is what authorities find where they look. Without it nothing is
    /// ever ordered.
    pub(super) fn new(answers: Option<Answers>) -> (Self, mpsc::Receiver<News>) {
        let (wanted, wanted_seen) = watch::channel(Wanted::default());
        let (names, mut names_seen) = watch::channel(Names::default());
        let (news, heard) = mpsc::channel(NEWS);
        if let Some(answers) = answers {
            spawn_local(async move {
                // Before the first configuration no name leads anywhere, and nobody would answer an authority.
                if names_seen.changed().await.is_ok() {
                    acme::run(wanted_seen, names_seen, answers, news).await;
                }
            });
        }
        (Self { wanted, names }, heard)
    }

    /// This is to be had from now on, and nothing else.
    pub(super) fn set(&self, wanted: Wanted) {
        self.wanted.send_replace(wanted);
    }

    /// How names are resolved from now on.
    pub(super) fn resolve_by(&self, names: &Names) {
        self.names.send_replace(names.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::task::LocalSet;
    use tokio::time::timeout;
    use uplink::acme::{Account, Authority, Order, OrderId, Proof};

    /// One that fails at once: its account has no key.
    fn hopeless(id: u64) -> Order {
        Order {
            id: OrderId(id),
            authority: Authority {
                directory: "https://ca.example/dir".into(),
                roots: None,
                account: Account {
                    key: String::new(),
                    url: None,
                    contact: Vec::new(),
                    external: None,
                },
            },
            names: vec!["hq.example".into()],
            proof: Proof::Http01,
            request: Vec::new(),
            replaces: None,
            begun: None,
        }
    }

    /// The order that has failed, if one does within a moment.
    async fn failed(news: &mut mpsc::Receiver<News>) -> Option<OrderId> {
        loop {
            match timeout(Duration::from_millis(500), news.recv()).await {
                Ok(Some(News::Failed { id, .. })) => return Some(id),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return None,
            }
        }
    }

    #[tokio::test]
    async fn each_order_is_carried_out_once_and_none_before_the_first_configuration() {
        let work = async {
            let (orders, mut news) = Orders::new(Some(Answers::default()));
            let wanted = |ids: &[u64]| Wanted {
                orders: ids.iter().map(|&id| hopeless(id)).collect(),
                lookups: Vec::new(),
            };
            orders.set(wanted(&[1]));
            assert_eq!(failed(&mut news).await, None);
            orders.resolve_by(&Names::default());
            assert_eq!(failed(&mut news).await, Some(OrderId(1)));
            orders.resolve_by(&Names::default());
            orders.set(wanted(&[1, 2]));
            assert_eq!(failed(&mut news).await, Some(OrderId(2)));
            assert_eq!(failed(&mut news).await, None);
        };
        LocalSet::new().run_until(work).await;
    }

    #[tokio::test]
    async fn who_shows_no_proofs_orders_nothing() {
        let work = async {
            let (orders, mut news) = Orders::new(None);
            orders.resolve_by(&Names::default());
            orders.set(Wanted {
                orders: vec![hopeless(1)],
                lookups: Vec::new(),
            });
            assert_eq!(failed(&mut news).await, None);
        };
        LocalSet::new().run_until(work).await;
    }
}
