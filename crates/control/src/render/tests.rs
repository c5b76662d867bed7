use service::Blame;

use super::*;
use crate::Moment;

const NOW: Moment = Moment(1_795_225_367_000);

fn decision(outcome: Outcome) -> Event {
    Event::Decision(Decision {
        service: "proxy".into(),
        protocol: "https".into(),
        client: "203.0.113.9:51812".parse().unwrap(),
        host: "hq.example".to_owned(),
        asked: "GET /PBX0/FOO".to_owned(),
        outcome,
        rule: Some(77),
    })
}

fn rejected(reason: &str) -> Outcome {
    Outcome::Rejected {
        status: Some(404),
        reason: reason.to_owned(),
        blame: Blame::Peer,
    }
}

fn rendered(event: Event) -> String {
    let record = Record {
        id: 1,
        time: NOW,
        event,
    };
    line(&record).to_string()
}

#[test]
fn decisions_read_as_the_manual_shows_them() {
    let forwarded = |new| Outcome::Forwarded {
        target: "172.31.31.2:443".to_owned(),
        new,
    };
    for (outcome, expected) in [
        (
            rejected("no path of this host matches"),
            "rejected 203.0.113.9:51812 https hq.example GET /PBX0/FOO: no path of this host matches (line 77)",
        ),
        (
            forwarded(true),
            "forwarded 203.0.113.9:51812 https hq.example GET /PBX0/FOO -> 172.31.31.2:443 (new) (line 77)",
        ),
        (
            forwarded(false),
            "forwarded 203.0.113.9:51812 https hq.example GET /PBX0/FOO -> 172.31.31.2:443 (line 77)",
        ),
        (
            Outcome::Answered {
                status: 308,
                reason: "to https".to_owned(),
            },
            "answered 203.0.113.9:51812 https hq.example GET /PBX0/FOO: 308 to https (line 77)",
        ),
    ] {
        let expected = format!("2026-11-21T01:42:47Z {expected}");
        assert_eq!(rendered(decision(outcome)), expected);
    }
}

#[test]
fn a_connection_that_asked_for_nothing_still_reads_well() {
    let event = Event::Decision(Decision {
        service: "proxy".into(),
        protocol: "https".into(),
        client: "[2001:db8::9]:51812".parse().unwrap(),
        host: String::new(),
        asked: String::new(),
        outcome: rejected("no TLS hello within 10 s"),
        rule: None,
    });
    assert_eq!(
        rendered(event),
        "2026-11-21T01:42:47Z rejected [2001:db8::9]:51812 https -: no TLS hello within 10 s"
    );
}

#[test]
fn what_a_client_chose_can_not_leave_its_line_or_speak_to_the_terminal() {
    let hostile = "GET /\n2026 forwarded\r\x1b[2J\u{9b}31m\u{202e}\u{2028}\u{200b}\0é\\";
    let Event::Decision(mut decision) = decision(rejected("x")) else {
        unreachable!()
    };
    decision.asked = hostile.to_owned();
    decision.host = hostile.to_owned();
    let text = rendered(Event::Decision(decision));
    assert!(
        text.chars().all(|c| c == 'é' || (' '..='~').contains(&c)),
        "{text:?}"
    );
    assert!(text.contains(r"\n2026 forwarded\r\u{1b}[2J\u{9b}31m\u{202e}"));
}

#[test]
fn what_is_too_long_is_cut() {
    let long = "é".repeat(5_000);
    assert_eq!(Plain(&long).to_string().chars().count(), LONGEST_PART + 1);
}

#[test]
fn all_other_events_are_sentences() {
    for (event, expected) in [
        (
            Event::Banned {
                client: "2001:db8:1:2::".parse().unwrap(),
                seconds: 300,
                reason: "21 rejected within a minute".into(),
            },
            "banned 2001:db8:1:2::/64 for 5m: 21 rejected within a minute",
        ),
        (
            Event::Unbanned {
                client: "203.0.113.9".parse().unwrap(),
                lifted: true,
            },
            "unbanned 203.0.113.9: by the operator",
        ),
        (
            Event::Service {
                name: "edge".into(),
                state: ServiceState::Failed {
                    reason: "killed by signal 9".into(),
                    retry_ms: 250,
                },
            },
            "service edge failed: killed by signal 9; again in 0.2s",
        ),
        (
            Event::Certificate {
                names: vec!["a.example".into(), "*.b.example".into()],
                text: "expires on 2026-12-01".into(),
            },
            "certificate a.example, *.b.example: expires on 2026-12-01",
        ),
        (
            Event::Notice {
                service: "edge".into(),
                text: "hello".into(),
            },
            "notice edge: hello",
        ),
        (
            Event::Dropped { count: 3 },
            "dropped 3 records: they came faster than they could be taken",
        ),
    ] {
        assert_eq!(rendered(event), format!("2026-11-21T01:42:47Z {expected}"));
    }
}

#[test]
fn changes_of_the_configuration_are_sentences() {
    for (event, expected) in [
        (
            Event::Config {
                generation: 12,
                change: ConfigChange::Trial { seconds: 180 },
            },
            "config generation 12 is in force on trial: rolled back in 3m unless confirmed",
        ),
        (
            Event::Config {
                generation: 12,
                change: ConfigChange::Refused {
                    reason: "a:1: x\na:2: y\n".into(),
                },
            },
            "config refused, generation 12 stays in force: a:1: x; a:2: y",
        ),
    ] {
        assert_eq!(rendered(event), format!("2026-11-21T01:42:47Z {expected}"));
    }
}

#[test]
fn spans_are_said_in_at_most_two_units() {
    for (seconds, expected) in [
        (0, "0s"),
        (45, "45s"),
        (300, "5m"),
        (61, "1m 1s"),
        (5_400, "1h 30m"),
        (3_605, "1h"),
        (172_800, "2d"),
        (90_061, "1d 1h"),
    ] {
        assert_eq!(Span(seconds).to_string(), expected);
    }
}

#[test]
fn what_operators_do_is_one_line_each() {
    for (event, expected) in [
        (
            Event::Audit {
                actor: "anna".to_owned(),
                client: Some("2001:db8::9".parse().unwrap()),
                text: "signed in".to_owned(),
            },
            "audit anna at 2001:db8::9: signed in",
        ),
        (
            Event::Audit {
                actor: "local".to_owned(),
                client: None,
                text: "set the secret a\nb".to_owned(),
            },
            "audit local: set the secret a\\nb",
        ),
    ] {
        assert_eq!(rendered(event), format!("2026-11-21T01:42:47Z {expected}"));
    }
}
