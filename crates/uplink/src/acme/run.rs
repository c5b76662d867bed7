//! All orders and questions that are under way, until there is nobody left who wants any.

use super::client::{Client, renewal};
use super::course::Course;
use super::order::{Failure, Lookup, News, Order, OrderId, Step, Wanted};
use super::problem::{unfit, unreachable};
use super::proofs::Proofs;
use certs::Answers;
use net::resolve::Names;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

/// Orders under way at one time, and as many questions.
const AT_ONCE: usize = 4;
/// For an order from its account to its chain.
const ORDER_LIMIT: Duration = Duration::from_mins(10);
/// For a question.
const LOOKUP_LIMIT: Duration = Duration::from_mins(1);
/// For taking the proofs away.
const CLEAR_LIMIT: Duration = Duration::from_secs(30);

/// Carries out what is `wanted`, each order once, and tells what becomes of it; ends when nobody can want more.
///
/// An order that is no longer wanted is given up: its proofs are taken away, and nothing more is told of it. A lookup
/// is answered once for as long as it stays wanted. `answers` is what the proxy answers CAs from, `names` how names
/// are resolved. Must run where `spawn_local` can.
pub async fn run(
    mut wanted: watch::Receiver<Wanted>,
    names: watch::Receiver<Names>,
    answers: Answers,
    news: mpsc::Sender<News>,
) {
    let mut runner = Runner {
        names,
        answers,
        news,
        orders: BTreeMap::new(),
        lookups: BTreeSet::new(),
        tasks: JoinSet::new(),
        under_way: HashMap::new(),
    };
    loop {
        let now = wanted.borrow_and_update().clone();
        runner.forget(&now);
        runner.start(&now);
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() {
                runner.orders.clear();
                // Each takes its proofs away.
                while runner.tasks.join_next().await.is_some() {}
                return;
            },
            Some(ended) = runner.tasks.join_next_with_id() => match ended {
                Ok((id, ())) => drop(runner.under_way.remove(&id)),
                Err(error) => runner.broke(error.id()).await,
            },
        }
    }
}

struct Runner {
    names: watch::Receiver<Names>,
    answers: Answers,
    news: mpsc::Sender<News>,
    /// Orders that were begun, also those that have ended; dropping one's sender gives it up.
    orders: BTreeMap<OrderId, oneshot::Sender<()>>,
    /// Certificates that were asked for.
    lookups: BTreeSet<String>,
    tasks: JoinSet<()>,
    under_way: HashMap<Id, What>,
}

#[derive(Clone, Debug)]
enum What {
    Order(OrderId),
    Lookup(String),
}

impl Runner {
    /// Gives up what is no longer wanted.
    fn forget(&mut self, wanted: &Wanted) {
        let orders: BTreeSet<OrderId> = wanted.orders.iter().map(|order| order.id).collect();
        self.orders.retain(|id, _| orders.contains(id));
        let lookups = wanted.lookups.iter().map(|l| l.certificate.as_str());
        let lookups: BTreeSet<&str> = lookups.collect();
        self.lookups.retain(|one| lookups.contains(one.as_str()));
    }

    /// Begins what is wanted, as far as there is room.
    fn start(&mut self, wanted: &Wanted) {
        let is_order = |what: &&What| matches!(what, What::Order(_));
        let mut ordering = self.under_way.values().filter(is_order).count();
        let mut asking = self.under_way.len() - ordering;
        for order in &wanted.orders {
            if ordering < AT_ONCE && !self.orders.contains_key(&order.id) {
                ordering += 1;
                self.order(order.clone());
            }
        }
        for lookup in &wanted.lookups {
            if asking < AT_ONCE && !self.lookups.contains(&lookup.certificate) {
                asking += 1;
                self.look_up(lookup.clone());
            }
        }
    }

    fn order(&mut self, order: Order) {
        let (giving_up, given_up) = oneshot::channel();
        self.orders.insert(order.id, giving_up);
        let what = What::Order(order.id);
        let (answers, news) = (self.answers.clone(), self.news.clone());
        let names = self.names.borrow().clone();
        let task = async move {
            if let Some(told) = carry_out(&order, &names, &answers, &news, given_up).await {
                // Without anybody who listens there is nothing to tell.
                let _ = news.send(told).await;
            }
        };
        let task = self.tasks.spawn_local(task);
        self.under_way.insert(task.id(), what);
    }

    fn look_up(&mut self, lookup: Lookup) {
        self.lookups.insert(lookup.certificate.clone());
        let what = What::Lookup(lookup.certificate.clone());
        let news = self.news.clone();
        let names = self.names.borrow().clone();
        let task = self.tasks.spawn_local(async move {
            let _ = news.send(ask(lookup, &names).await).await;
        });
        self.under_way.insert(task.id(), what);
    }

    /// Tells of one that has panicked.
    async fn broke(&mut self, id: Id) {
        let failure = unfit("it has failed for a fault of this software; please report it");
        let news = match self.under_way.remove(&id) {
            Some(What::Order(id)) => News::Failed { id, failure },
            Some(What::Lookup(certificate)) => News::NoRenewal {
                certificate,
                failure,
            },
            None => return,
        };
        let _ = self.news.send(news).await;
    }
}

/// Carries an order out; gives what became of it, or nothing when it was given up.
async fn carry_out(
    order: &Order,
    names: &Names,
    answers: &Answers,
    news: &mpsc::Sender<News>,
    given_up: oneshot::Receiver<()>,
) -> Option<News> {
    let id = order.id;
    // The proofs outlive the course, however that ends, and have a resolver of their own for that.
    let resolver = match names.resolver() {
        Ok(resolver) => resolver,
        Err(error) => {
            let failure = unfit(format!("no name can be resolved: {error}"));
            return Some(News::Failed { id, failure });
        }
    };
    let mut proofs = Proofs::new(&order.proof, answers, &resolver);
    let course = timeout(ORDER_LIMIT, go(order, names, news, &mut proofs));
    let ended = tokio::select! {
        ended = course => Some(ended),
        _ = given_up => None,
    };
    // What is left of them does no harm.
    let _ = timeout(CLEAR_LIMIT, proofs.clear()).await;
    Some(match ended? {
        Ok(Ok(chain)) => News::Issued { id, chain },
        Ok(Err(failure)) => News::Failed { id, failure },
        Err(_) => {
            let minutes = ORDER_LIMIT.as_secs() / 60;
            let text = format!("the CA has not come to an end with the order in {minutes} minutes");
            let failure = unreachable(text);
            News::Failed { id, failure }
        }
    })
}

async fn go(
    order: &Order,
    names: &Names,
    news: &mpsc::Sender<News>,
    proofs: &mut Proofs<'_>,
) -> Result<String, Failure> {
    let (id, step) = (order.id, Step::Account);
    let _ = news.send(News::Step { id, step }).await;
    let client = Client::new(&order.authority, names).await?;
    let course = Course {
        order,
        client,
        news,
    };
    course.run(proofs).await
}

async fn ask(lookup: Lookup, names: &Names) -> News {
    let Lookup {
        certificate,
        directory,
        roots,
    } = lookup;
    let asked = renewal(&directory, roots.as_deref(), &certificate, names);
    let answer = timeout(LOOKUP_LIMIT, asked).await;
    let answer = answer.unwrap_or_else(|_| Err(unreachable("the CA did not answer in time")));
    match answer {
        Ok(window) => News::Renewal {
            certificate,
            window,
        },
        Err(failure) => News::NoRenewal {
            certificate,
            failure,
        },
    }
}
