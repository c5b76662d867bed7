mod papers;

use super::*;

use super::super::Hub;
use super::super::certificates::{Certificates, places};
use super::super::child::Condition;
use super::super::entrance::{Book, Steward};
use super::super::history::History;
use super::super::kernel_network::KernelNetwork;
use super::super::machine::Machine;
use super::super::operators::Porter;
use super::super::orders::{self, Orders};
use super::super::uplink::Uplink;
use super::super::warden::Warden;
use control::{Applied, Apply, Backend, Claim, LogQuery, Operators, RefusalKind, Rollback, render};
use guard::operators::Users;
use service::Answer;
use std::collections::BTreeMap;
use tokio::sync::watch;

const TEXT: &str = "schema = 1\n[system]\nhostname = \"gate\"\n";

/// A box whose processes are pretended: they take everything at once, unless the test has them wait.
struct Rig {
    gate: Gate,
    edge: watch::Sender<Condition>,
    /// Ready whenever edge is told something.
    told: Box<dyn FnMut() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
    folder: PathBuf,
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Has a process take whatever it is told.
fn take_all(says: &watch::Sender<Condition>) {
    let answer = Answer {
        number: u64::MAX,
        fault: None,
    };
    says.send_modify(|condition| condition.answer = Some(answer));
}

impl Rig {
    async fn new(name: &str) -> Self {
        let folder = format!("gatehouse-gate-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let mut store = Store::open(&folder).unwrap().store;
        let journal = Journal::new();
        let registry = service::Registry::default();
        let config = config::check(TEXT, "test.toml").unwrap().config;
        let policy = policy(&config);
        let warden = Warden::new(policy, &guard::Saved::default(), journal.clone(), &registry);
        let file = folder.join("test.toml");
        let porter = Porter::new(Users::default(), journal.clone(), warden.clone());
        let hub = Hub {
            steward: Steward::new(Book::default(), porter.clone(), journal.clone()),
            porter,
            warden,
            uplink: Uplink::new(Leases::default(), journal.clone()),
            orders: Orders::new(),
            registry,
            machine: Machine::new(&file, &folder).unwrap(),
            history: History::new(),
            files: 1024,
            journal: journal.clone(),
        };
        let certificates =
            Certificates::open(&mut store, "gate", places(&file, &folder), journal.clone());
        let number = store.add(TEXT, "file", false, 0).unwrap().number;
        let network = KernelNetwork::new(false, &hub.uplink, &journal);
        let mut state = State {
            store,
            certificates: certificates.unwrap(),
            network,
            workers: 1,
            listeners: BTreeMap::new(),
            running: Running::new(number, TEXT.to_owned(), config),
            told: None,
            trial: None,
        };
        let wanted = state.running.clone();
        let prepared = state.prepare("test.toml", wanted, Mode::Strict).unwrap();
        let [(edge, told, edge_says), (admin, _, admin_says)] =
            ["edge", "admin"].map(Child::pretended);
        for says in [&edge_says, &admin_says] {
            take_all(says);
        }
        // It says nothing else any more.
        std::mem::forget(admin_says);
        let gate = Gate::new(hub, edge, admin, file, state);
        let _ = gate.put_to_work(&mut *gate.lock().await, prepared);
        let told = move || {
            let mut told = told.clone();
            told.mark_unchanged();
            let heard = async move { told.changed().await.unwrap() };
            Box::pin(heard) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
        };
        Self {
            gate,
            edge: edge_says,
            told: Box::new(told),
            folder,
        }
    }

    /// The box as its first admin asks it.
    async fn as_admin(&self) -> Gate {
        let code = self.gate.claim_status().await.unwrap().code.unwrap();
        let claim = Claim {
            code,
            user: "anna".to_owned(),
            password: "correct horse battery".to_owned(),
        };
        let visitor = self.gate.acting(Actor::Visitor { client: None });
        let started = visitor.claim(claim).await.unwrap();
        let actor = self.gate.authenticate(&started.token, None, true).unwrap();
        self.gate.acting(actor)
    }

    async fn in_force(&self) -> String {
        self.gate.with(|state| state.running.text.clone()).await
    }

    fn log(&self) -> String {
        let mut records = self.gate.journal().kept().read(&LogQuery::default());
        let mut text = String::new();
        while let Some(record) = records.try_next() {
            let line = render::line(&record).to_string();
            text.push_str(line.split_once(' ').unwrap().1);
            text.push('\n');
        }
        text
    }
}

fn apply(text: &str, base: u32) -> Apply {
    Apply {
        text: text.to_owned(),
        base,
        trial_seconds: None,
    }
}

fn kind(result: Result<Applied, Refusal>) -> RefusalKind {
    match result {
        Ok(applied) => panic!("it was done: {applied:?}"),
        Err(refusal) => refusal.kind,
    }
}

fn other_ban_time(minutes: u32) -> String {
    format!("{TEXT}[guard]\nban_for = \"{minutes}m\"\n")
}

#[tokio::test]
async fn who_is_signed_out_while_the_processes_look_at_it_applies_nothing() {
    let mut rig = Rig::new("commit").await;
    let anna = rig.as_admin().await;
    rig.edge.send_modify(|condition| condition.answer = None);
    let told = (rig.told)();
    let (asker, text) = (anna.clone(), other_ban_time(7));
    let applied = tokio::spawn(async move { Backend::apply(&asker, apply(&text, 1)).await });
    told.await;
    rig.gate.end_session(anna.actor.session()).await.unwrap();
    let told = (rig.told)();
    take_all(&rig.edge);
    assert_eq!(kind(applied.await.unwrap()), RefusalKind::Unauthorized);
    // They have back what they had.
    told.await;
    let log = rig.log();
    assert!(log.contains("the session ended meanwhile"), "{log}");
    assert_eq!(rig.in_force().await, TEXT);
    assert_eq!(rig.gate.generations().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_signed_out_while_others_change_the_box_changes_nothing() {
    let rig = Rig::new("waits").await;
    let anna = rig.as_admin().await;
    let text = other_ban_time(7);
    Backend::apply(&rig.gate, apply(&text, 1)).await.unwrap();
    let trial = Apply {
        trial_seconds: Some(600),
        ..apply(&other_ban_time(8), 2)
    };
    Backend::apply(&anna, trial).await.unwrap();
    let state = rig.gate.lock().await;
    let asks = [anna.clone(), anna.clone(), anna.clone(), anna.clone()];
    let [one, two, three, four] = asks;
    let waiting = [
        tokio::spawn(async move { Backend::confirm(&one, None).await }),
        tokio::spawn(async move { Backend::rollback(&two, Rollback::Back).await }),
        tokio::spawn(async move { Backend::rollback(&three, Rollback::To(1)).await }),
        tokio::spawn(async move { Backend::apply(&four, apply(TEXT, 3)).await }),
    ];
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    rig.gate.end_session(anna.actor.session()).await.unwrap();
    drop(state);
    for asked in waiting {
        assert_eq!(kind(asked.await.unwrap()), RefusalKind::Unauthorized);
    }
    assert_eq!(rig.in_force().await, other_ban_time(8));
    assert!(rig.gate.with(|state| state.trial.is_some()).await);
}

#[tokio::test]
async fn a_change_has_its_actor_in_the_log_also_when_he_does_not_wait_for_it() {
    let mut rig = Rig::new("audit").await;
    let anna = rig.as_admin().await;
    rig.edge.send_modify(|condition| condition.answer = None);
    let told = (rig.told)();
    let (asker, text) = (anna.clone(), other_ban_time(7));
    let applied = tokio::spawn(async move { Backend::apply(&asker, apply(&text, 1)).await });
    told.await;
    applied.abort();
    assert!(applied.await.unwrap_err().is_cancelled());
    take_all(&rig.edge);
    while !rig.log().contains("audit anna: applied: generation 2\n") {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.in_force().await, other_ban_time(7));
    let refused = Backend::apply(&anna, apply("schema = 7\n", 2)).await;
    assert_eq!(kind(refused), RefusalKind::Invalid);
    let log = rig.log();
    let line = "audit anna: asked in vain to apply a configuration\n";
    assert!(log.contains(line), "{log}");
}

#[tokio::test]
async fn a_long_text_that_is_applied_holds_nobody_else_up() {
    let rig = Rig::new("long").await;
    let faulty = format!("{TEXT}{}", "[[host]]\n".repeat(20_000));
    let applied = rig.gate.apply_text(&faulty, 1, None);
    tokio::select! {
        biased;
        _ = applied => panic!("nobody had a turn meanwhile"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_comment_confirms_no_trial_and_makes_it_nobody_elses() {
    let rig = Rig::new("comment").await;
    let anna = rig.as_admin().await;
    let trial = Apply {
        trial_seconds: Some(600),
        ..apply(&other_ban_time(7), 1)
    };
    Backend::apply(&rig.gate, trial).await.unwrap();
    let until = async || {
        let trial = rig.gate.with(|state| state.trial.clone()).await;
        trial.map(|trial| (trial.generation, trial.by, trial.until))
    };
    let before = until().await.unwrap();
    let commented = format!("# mine\n{}", other_ban_time(7));
    let applied = Backend::apply(&anna, apply(&commented, 2)).await.unwrap();
    assert!(applied.notes.iter().any(|note| note.contains("confirm")));
    let (generation, by, ends) = until().await.expect("it is on trial as before");
    assert_eq!((generation, by), (3, Actor::Local));
    assert_eq!(ends, before.2);
    // What does change something is another change.
    Backend::apply(&anna, apply(TEXT, 3)).await.unwrap();
    assert!(until().await.is_none());
}

#[tokio::test]
async fn news_of_edge_are_no_reason_to_read_secrets_again() {
    let rig = Rig::new("news").await;
    let gate = rig.gate.clone();
    let text = format!(
        "{TEXT}[[certificate]]\nnames = [\"*.a.example\"]\nsource = \"acme\"\nchallenge = \"dns-01\"\n[certificate.dns]\n\
         server = \"192.0.2.53\"\ntsig_name = \"gate\"\ntsig_key = {{ secret = \"tsig\" }}\n"
    );
    let set = |state: &mut State| state.store.set_secret("tsig", b"c2VjcmV0").unwrap();
    gate.with(set).await;
    gate.apply_text(&text, 1, None).await.unwrap();
    gate.with(|state| state.store.remove_secret("tsig").unwrap())
        .await;
    let kept = tokio::spawn(orders::keep(gate.clone()));
    let pause = Duration::from_millis(300);
    sleep(pause).await;
    gate.with(set).await;
    let mut wanted = gate.hub.orders.wanted();
    for id in 0..9 {
        let id = uplink::acme::OrderId(id);
        let url = "https://ca.example/1".to_owned();
        let news = uplink::acme::News::Begun { id, url };
        gate.hub.orders.heard(news);
    }
    sleep(pause).await;
    assert!(wanted.borrow_and_update().orders.is_empty());
    gate.hub.orders.look_again();
    wanted.changed().await.unwrap();
    assert_eq!(wanted.borrow().orders.len(), 1);
    kept.abort();
}

#[tokio::test]
async fn a_certificate_that_came_is_served_without_a_new_generation() {
    let rig = Rig::new("issued").await;
    let gate = rig.gate.clone();
    let text = format!(
        "{TEXT}[[certificate]]\nnames = [\"*.a.example\"]\nsource = \"acme\"\nchallenge = \"dns-01\"\n[certificate.dns]\n\
         server = \"192.0.2.53\"\ntsig_name = \"gate\"\ntsig_key = {{ secret = \"tsig\" }}\n"
    );
    gate.with(|state| state.store.set_secret("tsig", b"c2VjcmV0"))
        .await
        .unwrap();
    let applied = gate.apply_text(&text, 1, None).await.unwrap().generation;
    orders::look(&gate).await;
    let wanted = gate.hub.orders.wanted().borrow().clone();
    let [order] = wanted.orders.as_slice() else {
        panic!("{wanted:?}");
    };
    let status = gate.certificates().await.unwrap();
    assert_eq!((status.len(), status[0].expires), (1, None));
    let renewal = status[0].renewal.as_ref().unwrap();
    assert_eq!(renewal.state, control::RenewalState::Ordered);
    let refused = gate.renew_certificate("*.a.example".to_owned()).await;
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Conflict);

    let sign =
        |state: &mut State| orders::tests::sign(&state.store, &["*.a.example"], orders::now());
    let chain = gate.with(sign).await;
    let id = order.id;
    orders::hear(&gate, uplink::acme::News::Issued { id, chain }).await;
    let told = |state: &mut State| {
        let told = state.told.clone().unwrap();
        (state.running.generation, told.edge.load.certificates)
    };
    let (generation, served) = gate.with(told).await;
    assert_eq!(generation, applied);
    assert_eq!(served.len(), 1);
    assert!(!served[0].temporary && served[0].line.is_some());
    orders::look(&gate).await;
    assert!(gate.hub.orders.wanted().borrow().orders.is_empty());
    let status = gate.certificates().await.unwrap();
    assert_eq!(status[0].source, "acme");
    let days = status[0].days_left.unwrap();
    assert!((89..=90).contains(&days), "{days}");
    assert!(
        gate.renew_certificate("*.a.example".to_owned())
            .await
            .is_ok()
    );
}
