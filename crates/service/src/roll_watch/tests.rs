//! What the data path knows of who may enter.

use super::*;

fn token(id: u64, text: &str) -> LiveToken {
    LiveToken {
        id: TokenId(id),
        access: "wcs".into(),
        hash: TokenHash::of(text),
        expires: None,
    }
}

#[test]
fn what_is_told_later_is_worth_more() {
    let watch = RollWatch::default();
    let losses = watch.watch_losses();
    let max = UserName::new("max").unwrap();
    let roll = Roll {
        visitors: [(max.clone(), VisitorHash::of_nobody())].into(),
        tokens: vec![token(1, "one"), token(2, "two")],
        ..Roll::default()
    };
    watch.publish(roll.clone());
    assert!(losses.has_changed().unwrap());
    let (_, version) = watch.visitor(&max).unwrap();
    assert_eq!(watch.token(&TokenHash::of("one")), Some(token(1, "one")));

    watch.change(vec![
        Change::TokenGone(TokenId(1)),
        Change::Token(token(3, "three")),
        Change::TokenGone(TokenId(9)),
    ]);
    let known = |text| watch.token(&TokenHash::of(text)).is_some();
    assert_eq!(["one", "two", "three"].map(known), [false, true, true]);

    // The same password has the same number, also where all is told anew.
    watch.publish(roll);
    assert_eq!(["one", "two", "three"].map(known), [true, true, false]);
    assert_eq!(watch.visitor(&max).unwrap().1, version);

    watch.change(vec![Change::Visitor(max.clone(), None)]);
    assert!(watch.visitor(&max).is_none());
    watch.change(vec![Change::Visitor(
        max.clone(),
        Some(VisitorHash::of_nobody()),
    )]);
    assert_ne!(watch.visitor(&max).unwrap().1, version);
}

#[test]
fn a_flood_of_outdated_passwords_is_forgotten() {
    let (watch, mut receiver, _) = RollWatch::new();
    for _ in 0..2 * OUTDATED {
        let max = UserName::new("max").unwrap();
        watch.tell_outdated(max, Typed::from("correct horse".to_owned()));
    }
    let told = std::iter::from_fn(|| receiver.try_recv().ok()).count();
    assert_eq!(told, OUTDATED);
}

mod sessions {
    use super::super::*;
    use guard::entrance::{SessionId, Sessions};

    const NOW: u64 = 1_800_000_000;

    fn who(user: &str) -> NewSession {
        NewSession {
            access: "staff".into(),
            user: user.into(),
            groups: Vec::new(),
            from: [192, 0, 2, 7].into(),
            issuer_session: Some(format!("sid of {user}").into()),
            subject: Some(user.into()),
        }
    }

    fn begin(watch: &RollWatch, user: &str) -> TokenHash {
        TokenHash::of(&watch.begin_session(who(user), NOW).unwrap())
    }

    fn roll(sessions: Sessions) -> Roll {
        Roll {
            sessions,
            ..Roll::default()
        }
    }

    /// What the supervisor knows once it was told.
    fn hear(known: &mut Sessions, news: SessionNews) {
        for session in news.begun {
            assert_eq!(known.begin(session), []);
        }
        for id in news.ended {
            assert!(known.end(id).is_some());
        }
        for (id, when) in news.used {
            known.used(id, when);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_good_at_once_and_told() {
        let (watch, _, mut report) = RollWatch::new();
        let losses = watch.losses();
        let text = watch.begin_session(who("anna"), NOW).unwrap();
        let hash = TokenHash::of(&text);
        let live = watch.session(&hash).unwrap();
        assert_eq!((&*live.session().user, live.used()), ("anna", NOW));
        let mut known = Sessions::default();
        hear(&mut known, report.next().await);
        assert_eq!(known.get(SessionId(1)), Some(live.session()));
        live.touch(NOW + 7);
        live.touch(NOW + 5);
        let began = Instant::now();
        let news = report.next().await;
        assert!(began.elapsed() >= USED.saturating_sub(Duration::from_secs(1)));
        assert_eq!(news.used, [(SessionId(1), NOW + 7)]);
        assert!(news.begun.is_empty());
        hear(&mut known, news);
        assert_eq!(watch.losses(), losses, "one more wakes nobody");

        // Once all is told, there is nothing to tell.
        let silence = tokio::time::timeout(10 * USED, report.next()).await;
        assert!(silence.is_err());
        assert!(watch.end_session(&hash) && !watch.end_session(&hash));
        assert!(watch.session(&hash).is_none() && watch.losses() > losses);
        hear(&mut known, report.next().await);
        assert!(known.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn many_are_told_in_order_and_what_began_and_ended_in_between_is_not() {
        let (watch, _, mut report) = RollWatch::new();
        let mut known = Sessions::default();
        for user in 0..100 {
            begin(&watch, &user.to_string());
        }
        assert!(watch.end_session(&begin(&watch, "gone")));
        let mut messages = 0;
        while known.len() < 100 {
            hear(&mut known, report.next().await);
            messages += 1;
        }
        assert_eq!(messages, 7);
        let ended = watch.end_sessions_at("staff", None, Some("7"));
        assert_eq!(ended, 1);
        assert_eq!(watch.end_sessions_at("lab", None, Some("8")), 0);
        assert_eq!(watch.end_sessions_at("staff", Some("sid of 8"), None), 1);
        assert_eq!(watch.end_sessions_at("staff", None, None), 0);
        hear(&mut known, report.next().await);
        assert_eq!(known.len(), 98);
    }

    #[tokio::test(start_paused = true)]
    async fn the_supervisor_ends_sessions_and_gives_them_back_after_a_restart() {
        let (watch, _, mut report) = RollWatch::new();
        let mut known = Sessions::default();
        let [anna, bert, carl] = ["anna", "bert", "carl"].map(|user| begin(&watch, user));
        hear(&mut known, report.next().await);
        let before = watch.losses();
        known.end(SessionId(2));
        watch.change(vec![Change::SessionGone(SessionId(2))]);
        let is_there = |hash: &TokenHash| watch.session(hash).is_some();
        assert!(is_there(&anna) && !is_there(&bert) && watch.losses() > before);

        // Told whole: what it does not know yet stays, what ended meanwhile does not come back.
        let dora = begin(&watch, "dora");
        watch.end_session(&carl);
        watch.publish(roll(known.clone()));
        assert!(is_there(&anna) && is_there(&dora) && !is_there(&carl) && !is_there(&bert));
        hear(&mut known, report.next().await);
        known.end(SessionId(1));
        watch.publish(roll(known.clone()));
        assert!(!is_there(&anna) && is_there(&dora));

        let (again, _, mut report) = RollWatch::new();
        again.publish(roll(known.clone()));
        assert!(again.session(&dora).is_some() && again.session(&anna).is_none());
        begin(&again, "anna");
        hear(&mut known, report.next().await);
        let ids: Vec<_> = known.iter().map(|session| session.id.0).collect();
        assert_eq!(ids, [4, 5]);
    }

    #[test]
    fn who_signs_in_over_and_over_loses_his_oldest() {
        let watch = RollWatch::default();
        let first = begin(&watch, "anna");
        let others: Vec<_> = (1..guard::entrance::MAX_SESSIONS_OF_USER)
            .map(|_| begin(&watch, "anna"))
            .collect();
        assert!(watch.session(&first).is_some());
        let before = watch.losses();
        begin(&watch, "anna");
        assert!(watch.session(&first).is_none() && watch.losses() > before);
        assert!(others.iter().all(|hash| watch.session(hash).is_some()));
        assert!(matches!(
            watch.begin_session(who("a\nb"), NOW),
            Err(SessionFault::Unfit(_))
        ));
    }
}
