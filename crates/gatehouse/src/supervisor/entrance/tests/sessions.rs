//! Sessions: from edge to the disk, and back to edge.

use super::*;
use crate::supervisor::operators::unix;
use control::{SsoSession, WhichSessions};
use guard::entrance::{NewSession, Session, SessionId};
use service::{RollWatch, SessionReport};

fn who(user: &str, access: &str) -> NewSession {
    NewSession {
        access: access.into(),
        user: user.into(),
        groups: vec!["pbx-users".into()],
        from: [192, 0, 2, 7].into(),
        issuer_session: None,
        subject: None,
    }
}

/// Edge, in one of its lives.
struct Edge {
    watch: RollWatch,
    report: SessionReport,
    changes: Receiver<Change>,
}

impl Edge {
    fn start(steward: &Steward) -> Self {
        let (watch, _, report) = RollWatch::new();
        let (roll, changes) = steward.follow();
        watch.publish(roll);
        Self {
            watch,
            report,
            changes,
        }
    }

    fn begin(&self, user: &str, access: &str) -> TokenHash {
        let text = self.watch.begin_session(who(user, access), unix());
        TokenHash::of(&text.unwrap())
    }

    async fn tell(&mut self, steward: &Steward) {
        steward.heard(self.report.next().await);
    }

    fn hear(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.watch.change(vec![change]);
        }
    }

    fn knows(&self, hash: &TokenHash) -> bool {
        self.watch.session(hash).is_some()
    }
}

async fn listed(steward: &Steward, lodge: &Lodge) -> Vec<SsoSession> {
    steward.sso_sessions(&lodge.drawer).await
}

/// Waits until what is to be kept is kept.
async fn kept(lodge: &Lodge) {
    let unkept = || *lodge.steward.unkept.borrow();
    while unkept() == crate::supervisor::entrance::sessions::Unkept::Sessions {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Taken first, written then: the turn is over when it is written.
    drop(lodge.steward.changes.lock().await);
}

#[tokio::test(start_paused = true)]
async fn sessions_outlive_edge_and_the_box() {
    let lodge = Lodge::new();
    tokio::spawn(lodge.steward.clone().tend(lodge.drawer.clone()));
    let mut edge = Edge::start(&lodge.steward);
    let (anna, bert) = (edge.begin("anna", "staff"), edge.begin("bert", "staff"));
    edge.tell(&lodge.steward).await;
    let users: Vec<_> = listed(&lodge.steward, &lodge).await;
    assert_eq!(users.len(), 2);
    assert_eq!((&*users[0].user, &*users[0].access), ("anna", "staff"));
    assert_eq!(users[0].groups, ["pbx-users"]);

    // Edge is started anew, and then the box.
    let mut edge = Edge::start(&lodge.steward);
    assert!(edge.knows(&anna) && edge.knows(&bert));
    assert!(edge.watch.end_session(&bert));
    edge.tell(&lodge.steward).await;
    kept(&lodge).await;
    let again = lodge.again();
    let edge = Edge::start(&again);
    assert!(edge.knows(&anna) && !edge.knows(&bert));
    assert_eq!(listed(&again, &lodge).await.len(), 1);
    // A number is never given twice.
    let carl = edge.begin("carl", "staff");
    let carl = edge.watch.session(&carl).unwrap().session().id;
    assert_eq!(carl, SessionId(3));
}

#[tokio::test]
async fn operators_end_sessions_and_edge_is_told() {
    let lodge = Lodge::new();
    let mut edge = Edge::start(&lodge.steward);
    let users = ["anna", "anna", "bert", "carl"];
    let hashes = users.map(|user| edge.begin(user, "staff"));
    edge.tell(&lodge.steward).await;
    let end = async |which| {
        let steward = &lodge.steward;
        let ended = steward.end_sso_sessions(&lodge.drawer, &Actor::Local, which);
        ended.await.map(|ended| ended.ended)
    };
    assert_eq!(end(WhichSessions::One(3)).await, Ok(1));
    let none = end(WhichSessions::One(3)).await.unwrap_err();
    assert_eq!(none.kind, RefusalKind::NotFound);
    edge.hear();
    let known = |edge: &Edge| hashes.each_ref().map(|hash| edge.knows(hash));
    assert_eq!(known(&edge), [true, true, false, true]);
    assert_eq!(
        known(&Edge::start(&lodge.again())),
        [true, true, false, true]
    );
    assert_eq!(end(WhichSessions::OfUser("anna".to_owned())).await, Ok(2));
    assert_eq!(end(WhichSessions::All).await, Ok(1));
    assert_eq!(end(WhichSessions::All).await, Ok(0));
    edge.hear();
    assert_eq!(known(&edge), [false; 4]);
    assert_eq!(known(&Edge::start(&lodge.again())), [false; 4]);
    let log = lodge.log();
    assert!(log.contains("ended session 3 of bert at staff"), "{log}");
    assert!(log.contains("ended 2 sessions of anna"), "{log}");

    // Where it can not be kept, they are over none the less, and the operator is told.
    let dora = edge.begin("dora", "staff");
    edge.tell(&lodge.steward).await;
    lodge.drawer.broken.store(true, Ordering::Relaxed);
    let failed = end(WhichSessions::All).await.unwrap_err();
    assert_eq!(failed.kind, RefusalKind::Failed);
    edge.hear();
    assert!(!edge.knows(&dora));
    lodge.drawer.broken.store(false, Ordering::Relaxed);
    lodge.steward.keep_sessions(&lodge.drawer).await.unwrap();
    assert_eq!(
        lodge.again().follow().0,
        Roll {
            sessions: lodge.steward.follow().0.sessions,
            ..Roll::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn what_edge_says_of_sessions_is_looked_at() {
    let lodge = Lodge::new();
    tokio::spawn(lodge.steward.clone().tend(lodge.drawer.clone()));
    let mut edge = Edge::start(&lodge.steward);
    let stray = edge.begin("anna", "no such list");
    let sound = edge.begin("anna", "staff");
    edge.tell(&lodge.steward).await;
    kept(&lodge).await;
    edge.hear();
    assert!(edge.knows(&sound) && !edge.knows(&stray));
    assert_eq!(listed(&lodge.steward, &lodge).await.len(), 1);

    let made = |id: u64, user: &str| {
        let hash = TokenHash::of(&id.to_string());
        let session = who("bert", "staff").begin(SessionId(id), hash, u64::MAX);
        Session {
            user: user.into(),
            ..session.unwrap()
        }
    };
    let news = guard::entrance::SessionNews {
        begun: vec![made(1, "bert"), made(7, "a\nb"), made(8, "bert")],
        ended: vec![SessionId(99)],
        used: vec![(SessionId(2), u64::MAX), (SessionId(98), 1)],
        ..guard::entrance::SessionNews::default()
    };
    lodge.steward.heard(news);
    let there = listed(&lodge.steward, &lodge).await;
    let ids: Vec<_> = there.iter().map(|session| session.id).collect();
    assert_eq!(ids, [2, 8]);
    let soon = (unix() + 5) * 1000;
    assert!(
        there
            .iter()
            .all(|session| session.used.0 < soon && session.begun.0 < soon)
    );
}

#[tokio::test(start_paused = true)]
async fn many_logins_are_one_write_a_second_and_uses_one_in_ten_minutes() {
    let lodge = Lodge::new();
    tokio::spawn(lodge.steward.clone().tend(lodge.drawer.clone()));
    let mut edge = Edge::start(&lodge.steward);
    let written = || lodge.drawer.written.load(Ordering::Relaxed);
    let anna = edge.begin("anna", "staff");
    edge.tell(&lodge.steward).await;
    kept(&lodge).await;
    let before = written();
    for round in 0..100 {
        edge.begin(&format!("user {round}"), "staff");
        edge.tell(&lodge.steward).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!((1..=3).contains(&(written() - before)), "{}", written());
    let before = written();
    for minute in 1..=30 {
        let live = edge.watch.session(&anna).unwrap();
        live.touch(unix() + minute);
        edge.tell(&lodge.steward).await;
    }
    assert!((1..=4).contains(&(written() - before)), "{}", written());
    assert!(!lodge.log().contains("can not be kept"));
    lodge.drawer.broken.store(true, Ordering::Relaxed);
    edge.begin("bert", "staff");
    edge.tell(&lodge.steward).await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    let log = lodge.log();
    assert_eq!(
        log.matches("who has signed in can not be kept").count(),
        1,
        "{log}"
    );
    lodge.drawer.broken.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(Edge::start(&lodge.again()).knows(&anna));
    assert_eq!(lodge.again().follow().0.sessions.len(), 102);
}
