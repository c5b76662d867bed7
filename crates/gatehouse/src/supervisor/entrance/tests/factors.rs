//! Second factors: from edge to the disk, and back to edge.

use super::*;
use crate::supervisor::operators::unix;
use control::WhichFactors;
use guard::entrance::{CodeUsed, Factor, FactorKey, Factors, NewSession, SessionNews};
use guard::totp::TotpSecret;
use service::{CodeTaken, FactorStanding, RollWatch, SessionReport};

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

    fn hear(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.watch.change(vec![change]);
        }
    }

    fn standing(&self, user: &str) -> FactorStanding {
        self.watch.factor("staff", user)
    }

    fn take(&self, user: &str, code: &str) -> CodeTaken {
        self.watch.take_code("staff", user, code, unix())
    }
}

fn secret(number: u8) -> TotpSecret {
    TotpSecret::new([number; 20])
}

fn factor(user: &str, number: u8) -> Factor {
    Factor {
        access: "staff".into(),
        user: user.into(),
        secret: secret(number),
        confirmed: unix(),
        used: unix() / 30 - 1,
    }
}

fn one(user: &str) -> WhichFactors {
    WhichFactors::One {
        access: "staff".to_owned(),
        user: user.to_owned(),
    }
}

/// A box on which nobody has a second factor yet.
fn lodge() -> Lodge {
    let lodge = Lodge::new();
    lodge.steward.lock().factors = Factors::none();
    lodge
}

async fn reset(lodge: &Lodge, which: WhichFactors) -> Result<(u64, u64), Refusal> {
    let steward = &lodge.steward;
    let done = steward.reset_factors(&lodge.drawer, &Actor::Local, which);
    done.await.map(|done| (done.reset, done.ended))
}

/// Tells `news`, and waits until they are kept.
async fn told(lodge: &Lodge, news: SessionNews) {
    lodge.steward.heard(news);
    lodge.steward.keep_factors(&lodge.drawer).await.unwrap();
}

#[tokio::test]
async fn second_factors_and_used_codes_outlive_edge_and_the_box() {
    let lodge = lodge();
    let mut edge = Edge::start(&lodge.steward);
    edge.watch.begin_factor(factor("anna", 1)).unwrap();
    let code = secret(1).code_at(unix());
    assert_eq!(edge.take("anna", &code), CodeTaken::Right);
    let news = edge.report.next().await;
    told(&lodge, news).await;
    edge.hear();
    assert_eq!(edge.take("anna", &code), CodeTaken::Wrong);
    for steward in [lodge.steward.clone(), lodge.again()] {
        let edge = Edge::start(&steward);
        assert_eq!(edge.standing("ANNA"), FactorStanding::There);
        assert_eq!(edge.take("anna", &code), CodeTaken::Wrong);
        assert_eq!(edge.standing("bert"), FactorStanding::None);
        let listed = steward.sso_factors().unwrap();
        assert_eq!((listed.len(), listed[0].user.as_str()), (1, "anna"));
    }
    assert!(!lodge.log().contains(&secret(1).text()));
}

#[tokio::test(start_paused = true)]
async fn what_edge_says_of_second_factors_is_looked_at() {
    let lodge = lodge();
    let mut edge = Edge::start(&lodge.steward);
    told(
        &lodge,
        SessionNews {
            factors: vec![factor("anna", 1)],
            ..SessionNews::default()
        },
    )
    .await;
    // One that there is is not replaced, and a captured edge can not use up codes that are to come.
    let far = |user: &str| CodeUsed {
        key: FactorKey::of("staff", user),
        step: u64::MAX,
    };
    let mut stray = factor("carl", 3);
    stray.access = "no such list".into();
    let mut future = factor("bert", 4);
    (future.confirmed, future.used) = (u64::MAX, u64::MAX);
    told(
        &lodge,
        SessionNews {
            factors: vec![factor("HQ\\Anna", 2), factor("a\nb", 2), stray, future],
            codes: vec![far("anna"), far("nobody")],
            ..SessionNews::default()
        },
    )
    .await;
    edge.hear();
    let later = unix() + 90;
    for (user, number) in [("anna", 1), ("bert", 4)] {
        let code = secret(number).code_at(later);
        let taken = edge.watch.take_code("staff", user, &code, later);
        assert_eq!(taken, CodeTaken::Right, "{user}");
    }
    // Whether there is such a list, is looked at before it is kept.
    lodge.steward.heard(SessionNews {
        factors: vec![factor("dora", 5)],
        ..SessionNews::default()
    });
    tokio::spawn(lodge.steward.clone().tend(lodge.drawer.clone()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    edge.hear();
    let gone = edge.watch.factor("no such list", "carl");
    assert_eq!(gone, FactorStanding::None);
    let users: Vec<_> = lodge.again().sso_factors().unwrap();
    let users: Vec<_> = users.iter().map(|factor| factor.user.as_str()).collect();
    assert_eq!(users, ["anna", "bert", "dora"]);
}

#[tokio::test]
async fn a_reset_ends_sessions_and_holds_at_once() {
    let lodge = lodge();
    let mut edge = Edge::start(&lodge.steward);
    let sign_in = |edge: &Edge, user: &str| {
        let who = NewSession {
            access: "staff".into(),
            user: user.into(),
            groups: Vec::new(),
            from: [192, 0, 2, 7].into(),
            issuer_session: None,
            subject: None,
        };
        TokenHash::of(&edge.watch.begin_session(who, unix()).unwrap())
    };
    for (user, number) in [("anna", 1), ("bert", 2)] {
        edge.watch.begin_factor(factor(user, number)).unwrap();
    }
    let (anna, bert) = (sign_in(&edge, "Anna"), sign_in(&edge, "bert"));
    let news = edge.report.next().await;
    told(&lodge, news).await;
    assert_eq!(
        reset(&lodge, one("nobody")).await.unwrap_err().kind,
        RefusalKind::NotFound
    );
    assert_eq!(reset(&lodge, one("ANNA@hq.example")).await, Ok((1, 1)));
    edge.hear();
    assert_eq!(edge.standing("anna"), FactorStanding::None);
    assert_eq!(edge.standing("bert"), FactorStanding::There);
    assert!(edge.watch.session(&anna).is_none() && edge.watch.session(&bert).is_some());
    let again = Edge::start(&lodge.again());
    assert_eq!(again.standing("anna"), FactorStanding::None);
    edge.watch.begin_factor(factor("anna", 3)).unwrap();

    lodge.drawer.broken.store(true, Ordering::Relaxed);
    let failed = reset(&lodge, WhichFactors::All).await.unwrap_err();
    assert_eq!(failed.kind, RefusalKind::Failed);
    edge.hear();
    assert_eq!(edge.standing("bert"), FactorStanding::None);
    assert!(edge.watch.session(&bert).is_none());
    let log = lodge.log();
    for said in [
        "reset the second factor of anna at staff",
        "reset all 1 second factors",
    ] {
        assert!(log.contains(said), "{log}");
    }
}

#[tokio::test]
async fn where_what_was_kept_is_lost_nobody_begins_until_all_is_reset() {
    let lodge = Lodge::new();
    let mut edge = Edge::start(&lodge.steward);
    assert_eq!(edge.standing("anna"), FactorStanding::Unknown);
    assert!(edge.watch.begin_factor(factor("anna", 1)).is_err());
    lodge.steward.heard(SessionNews {
        factors: vec![factor("anna", 1)],
        ..SessionNews::default()
    });
    let kind = |refused: Refusal| refused.kind;
    assert_eq!(
        lodge.steward.sso_factors().map_err(kind).unwrap_err(),
        RefusalKind::Conflict
    );
    let refused = reset(&lodge, one("anna")).await;
    assert_eq!(refused.map_err(kind), Err(RefusalKind::Conflict));
    assert_eq!(reset(&lodge, WhichFactors::All).await, Ok((0, 0)));
    edge.hear();
    assert_eq!(edge.standing("anna"), FactorStanding::None);
    assert!(edge.watch.begin_factor(factor("anna", 1)).is_ok());
    let again = Edge::start(&lodge.again());
    assert_eq!(again.standing("anna"), FactorStanding::None);
}
