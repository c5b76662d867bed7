//! Sessions, in virtual time.

use std::time::Duration;

use super::super::*;

const NOW: u64 = 1_800_000_000;
const LIMITS: SessionLimits = SessionLimits {
    idle: Duration::from_hours(8),
    longest: Duration::from_hours(24),
};

fn new(user: &str) -> NewSession {
    NewSession {
        access: "staff".into(),
        user: user.into(),
        groups: vec!["pbx-users".into()],
        from: [192, 0, 2, 7].into(),
        issuer_session: None,
        subject: None,
    }
}

fn session(id: u64, user: &str, now: u64) -> Session {
    let hash = TokenHash::of(&id.to_string());
    new(user).begin(SessionId(id), hash, now).unwrap()
}

fn ids(sessions: &Sessions) -> Vec<u64> {
    sessions.iter().map(|session| session.id.0).collect()
}

#[test]
fn a_session_lasts_while_it_is_used_and_not_longer_than_the_longest() {
    let hour = 3600;
    let mut sessions = Sessions::default();
    for id in 1..=3 {
        assert_eq!(sessions.begin(session(id, "anna", NOW)), []);
    }
    let limits = |access: &str| (access == "staff").then_some(LIMITS);
    assert_eq!(sessions.expire(NOW + 8 * hour - 1, limits), []);
    for round in 1..24 {
        sessions.used(SessionId(1), NOW + round * hour);
        sessions.used(SessionId(9), NOW + round * hour);
    }
    // What was told later may be older.
    sessions.used(SessionId(1), NOW);
    assert_eq!(
        sessions.expire(NOW + 8 * hour, limits),
        [SessionId(2), SessionId(3)]
    );
    assert_eq!(sessions.expire(NOW + 24 * hour - 1, limits), []);
    // A clock that was set back ends nothing.
    assert_eq!(sessions.expire(0, limits), []);
    assert_eq!(sessions.expire(NOW + 24 * hour, limits), [SessionId(1)]);
    sessions.begin(session(4, "anna", NOW));
    assert_eq!(sessions.expire(NOW, |_| None), [SessionId(4)]);
    assert!(sessions.is_empty());
}

#[test]
fn there_is_an_end_to_sessions_and_the_oldest_go() {
    let mut sessions = Sessions::default();
    sessions.begin(session(1, "bert", NOW));
    for id in 2..2 + MAX_SESSIONS_OF_USER as u64 {
        assert_eq!(sessions.begin(session(id, "anna", NOW)), []);
    }
    assert_eq!(sessions.begin(session(50, "anna", NOW)), [SessionId(2)]);
    let mut other = session(51, "anna", NOW);
    other.access = "lab".into();
    assert_eq!(sessions.begin(other), []);
    assert_eq!(sessions.begin(session(52, "bert", NOW)), []);

    // A whole table, as it is kept.
    let all: Vec<_> = (1..=MAX_SESSIONS as u64)
        .map(|id| session(id, &id.to_string(), NOW))
        .collect();
    let kept = serde_json::json!({ "schema": 1, "last": 0, "sessions": all });
    let mut sessions: Sessions = serde_json::from_value(kept).unwrap();
    assert_eq!(sessions.begin(session(20_000, "carl", NOW)), [SessionId(1)]);
    assert_eq!(sessions.begin(session(20_001, "anna", NOW)), [SessionId(2)]);
    assert_eq!(sessions.len(), MAX_SESSIONS);

    let mut sessions = Sessions::default();
    let large = |id: u64| Session {
        groups: vec![
            "g".repeat(LONGEST_SESSION_NAME).into();
            LONGEST_GROUPS / LONGEST_SESSION_NAME
        ],
        ..session(id, &id.to_string(), NOW)
    };
    let many = (2 * MAX_SESSION_BYTES / LONGEST_GROUPS) as u64;
    for id in 1..=many {
        sessions.begin(large(id));
    }
    let names: usize = sessions.iter().map(Session::weight).sum();
    assert!(names <= MAX_SESSION_BYTES && names > MAX_SESSION_BYTES / 2);
    assert_eq!(sessions.last(), SessionId(many));
    // All of it goes to edge in one message, of 16 MiB at the most.
    assert!(serde_json::to_vec(&sessions).unwrap().len() < 10 << 20);
}

#[test]
fn what_can_be_no_session_is_none() {
    let fault = |new: NewSession| new.begin(SessionId(1), TokenHash::of("a"), NOW).err();
    let long: Box<str> = "u".repeat(LONGEST_SESSION_NAME + 1).into();
    assert_eq!(fault(new("anna")), None);
    for user in ["", "a\nb", &long] {
        assert_eq!(fault(new(user)), Some(UnfitSession::Name));
    }
    let of = |groups: Vec<Box<str>>| {
        fault(NewSession {
            groups,
            ..new("anna")
        })
    };
    assert_eq!(of(Vec::new()), None);
    assert_eq!(of(vec!["a\0".into()]), Some(UnfitSession::Name));
    let many = vec!["g".into(); MOST_GROUPS + 1];
    assert_eq!(of(many), Some(UnfitSession::Groups));
    let long = vec!["g".repeat(200).into(); 41];
    assert_eq!(of(long), Some(UnfitSession::Groups));

    let mut sessions = Sessions::default();
    sessions.begin(session(5, "anna", NOW));
    // A number that was given before is none of a new session; the old one stays.
    assert_eq!(sessions.begin(session(5, "bert", NOW)), []);
    assert_eq!(sessions.begin(session(4, "bert", NOW)), [SessionId(4)]);
    let mut unfit = session(6, "bert", NOW);
    unfit.user = "".into();
    assert_eq!(sessions.begin(unfit), [SessionId(6)]);
    assert_eq!(ids(&sessions), [5]);
    assert_eq!(&*sessions.end(SessionId(5)).unwrap().user, "anna");
    assert_eq!(sessions.end(SessionId(5)), None);
    assert_eq!(sessions.begin(session(5, "anna", NOW)), [SessionId(5)]);
    // Nobody uses the numbers up.
    let far = session(u64::MAX, "anna", NOW);
    assert_eq!(sessions.begin(far), [SessionId(u64::MAX)]);
    assert_eq!(sessions.last(), SessionId(5));
    assert_eq!(Sessions::next_after(SessionId(u64::MAX)), None);
    assert_eq!(Sessions::next_after(SessionId(5)), Some(SessionId(6)));
    let kept = serde_json::json!({ "schema": 1, "last": u64::MAX, "sessions": [] });
    assert!(serde_json::from_value::<Sessions>(kept).is_err());
}

#[test]
fn a_user_is_the_same_however_he_writes_himself() {
    let mut sessions = Sessions::default();
    let spellings = ["anna", "Anna", "ANNA", "annA"];
    let most = MAX_SESSIONS_OF_USER as u64;
    for (id, user) in (1..=most).zip(spellings.into_iter().cycle()) {
        assert_eq!(sessions.begin(session(id, user, NOW)), []);
    }
    assert_eq!(
        sessions.begin(session(most + 1, "aNNa", NOW)),
        [SessionId(1)]
    );
    assert!(session(1, "Ärna", NOW).is_of("ärNA") && !session(1, "Ärna", NOW).is_of("arna"));
}

#[test]
fn what_a_wrong_clock_has_dated_ahead_is_over() {
    let limits = SessionLimits {
        idle: Duration::from_secs(100),
        longest: Duration::from_secs(1000),
    };
    assert!(limits.allow(NOW, NOW, NOW) && limits.allow(NOW + AHEAD, NOW + AHEAD, NOW));
    assert!(!limits.allow(NOW, NOW + AHEAD + 1, NOW));
    assert!(!limits.allow(NOW + AHEAD + 1, NOW + AHEAD + 1, NOW));
}

#[test]
fn an_identity_provider_ends_its_own_session_or_all_of_a_user() {
    let mut session = session(1, "anna", NOW);
    assert!(!session.is_of_issuer(Some("s"), None) && !session.is_of_issuer(None, None));
    session.subject = Some("u".into());
    // The provider has not said what it calls its session.
    assert!(session.is_of_issuer(Some("s"), Some("u")));
    assert!(!session.is_of_issuer(Some("s"), Some("v")) && !session.is_of_issuer(Some("s"), None));
    session.issuer_session = Some("s".into());
    session.subject = Some("u".into());
    assert!(!session.is_of_issuer(None, None));
    for (issuer_session, subject, is_it) in [
        (Some("s"), None, true),
        (None, Some("u"), true),
        (Some("s"), Some("u"), true),
        (Some("t"), Some("u"), false),
        (Some("s"), Some("v"), false),
        (None, Some("v"), false),
    ] {
        assert_eq!(session.is_of_issuer(issuer_session, subject), is_it);
    }
}

#[test]
fn sessions_are_kept_without_their_text() {
    let text = session_text([7; TEXT_BYTES]);
    assert!(text.starts_with("gs") && text.len() == 45);
    let cookie = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(text.bytes().all(cookie));
    let mut sessions = Sessions::default();
    let hash = TokenHash::of(&text);
    sessions.begin(new("anna").begin(SessionId(7), hash, NOW).unwrap());
    sessions.begin(session(8, "bert", NOW));
    sessions.end(SessionId(8));
    let kept = serde_json::to_string(&sessions).unwrap();
    assert!(!kept.contains(&text) && !format!("{sessions:?}").contains(&String::from(hash)));
    let again: Sessions = serde_json::from_str(&kept).unwrap();
    assert_eq!((&again, again.last()), (&sessions, SessionId(8)));
    for damaged in [
        kept.replace("anna", ""),
        kept.replace("\"schema\":1", "\"schema\":2"),
        kept.replace("192.0.2.7", "192.0.2"),
        kept.replace("\"sessions\"", "\"users\""),
    ] {
        assert!(serde_json::from_str::<Sessions>(&damaged).is_err());
    }
}
