//! Those who have proven nothing: nothing is kept of them, and they are not answered often.

use stun::message::{Method, attribute};
use stun::turn::{Client, Reason, Transport, Verdict};

use super::{Raw, udp};
use crate::world::{World, client};

#[test]
fn a_challenge_tells_what_is_needed_and_no_more() {
    let mut world = World::new();
    let bare = world.unsigned(Method::ALLOCATE, &[]);
    let answer = world.ask(client(1), &bare).unwrap();
    assert_eq!(answer.code(), Some(401));
    let kinds: Vec<u16> = answer
        .message()
        .attributes()
        .map(|found| found.kind)
        .collect();
    let expected = [
        attribute::ERROR_CODE,
        attribute::REALM,
        attribute::NONCE,
        attribute::PASSWORD_ALGORITHMS,
    ];
    assert_eq!(kinds, expected);
    assert!(answer.0.len() < 128, "{}", answer.0.len());
    assert!(world.turn.is_empty());
}

#[test]
fn binding_is_answered_to_everybody() {
    let mut world = World::new();
    let bare = world.unsigned(Method::BINDING, &[]);
    let answer = world.ask(client(1), &bare).unwrap();
    let mapped = answer.addresses(attribute::XOR_MAPPED_ADDRESS);
    assert_eq!(mapped, [client(1).address]);
    let odd = world.unsigned(Method::BINDING, &[(attribute::CHANGE_REQUEST, &[0; 4])]);
    assert_eq!(world.ask(client(1), &odd).unwrap().code(), Some(420));
}

#[test]
fn what_is_missing_is_400_and_a_bad_choice_of_algorithms_too() {
    let mut world = World::new();
    let nonce = world.nonce(client(1));
    let name: (u16, &[u8]) = (attribute::USERNAME, b"alice");
    let realm: (u16, &[u8]) = (attribute::REALM, b"turn.example.org");
    let nonce: (u16, &[u8]) = (attribute::NONCE, nonce.as_bytes());
    let mac: (u16, &[u8]) = (attribute::MESSAGE_INTEGRITY, &[0; 20]);
    let choice: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHM, &[0, 2, 0, 0]);
    let offer: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHMS, &[0, 1, 0, 0]);
    let whole: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHMS, &[0, 2, 0, 0, 0, 1, 0, 0]);
    let third: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHM, &[0, 3, 0, 0]);
    let rows: [(&[Raw<'_>], u16); 9] = [
        (&[name, realm, nonce], 401),
        (&[realm, nonce, mac], 400),
        (&[name, nonce, mac], 400),
        (&[name, realm, mac], 400),
        (&[name, realm, nonce, choice, mac], 400),
        (&[name, realm, nonce, whole, mac], 400),
        (&[name, realm, nonce, choice, offer, mac], 400),
        (&[name, realm, nonce, third, whole, mac], 400),
        (&[name, realm, nonce, choice, whole, mac], 401),
    ];
    for (number, (with, code)) in rows.into_iter().enumerate() {
        let bytes = world.unsigned(Method::ALLOCATE, with);
        let answer = world.ask(client(1), &bytes).unwrap();
        assert_eq!(answer.code(), Some(code), "{number}");
        assert_eq!(answer.first(attribute::NONCE).is_some(), code == 401);
        assert_eq!(answer.message().protection(), None, "{number}");
    }
}

#[test]
fn a_wrong_password_is_an_offence_of_a_proven_address_only() {
    let mut world = World::new();
    let alice = ("alice", "wrong");
    let wrong = world.theirs_of(alice, client(1), Method::ALLOCATE, vec![udp()]);
    assert_eq!(world.ask(client(1), &wrong).unwrap().code(), Some(401));
    assert_eq!(world.offences, [client(1).address.ip()]);
    // The same bytes from where the nonce was not given to.
    for number in 2..100 {
        let answer = world.ask(client(number), &wrong);
        assert!(answer.is_none_or(|answer| answer.code() == Some(438)));
    }
    world.wait(3600);
    assert_eq!(world.ask(client(1), &wrong).unwrap().code(), Some(438));
    assert_eq!(world.offences.len(), 1);
    let nobody = world.theirs_of(("nobody", "x"), client(1), Method::ALLOCATE, vec![udp()]);
    assert_eq!(world.ask(client(1), &nobody).unwrap().code(), Some(401));
    assert_eq!(world.offences.len(), 2);
}

#[test]
fn names_with_a_time_are_served_until_then() {
    let mut world = World::new();
    let until = world.now().unix + 60;
    let name = format!("{until}:carol");
    let password = stun::credentials::timed_password("shared", &name);
    let key = stun::credentials::Algorithm::Md5.key(
        name.as_bytes(),
        crate::world::REALM.as_bytes(),
        password.as_bytes(),
    );
    for (seconds, expected) in [(0, None), (60, Some(401))] {
        world.wait(seconds);
        let bytes = world.theirs_of((&name, &password), client(1), Method::REFRESH, vec![]);
        let mut out = [0; 1024];
        let input = stun::turn::Input::FromClient {
            client: client(1),
            bytes: &bytes,
        };
        let verdict = world.turn.handle_input(input, world.now(), &mut out);
        let Verdict::Answer { length, .. } = verdict else {
            panic!("{verdict:?}");
        };
        let answer = crate::world::Answer(out[..length].to_vec());
        assert_eq!(answer.code(), expected.or(Some(437)));
        let is_signed = answer
            .message()
            .is_by(&key, stun::message::Digest::Sha1, 32);
        assert_eq!(is_signed, expected.is_none());
    }
}

#[test]
fn a_hundred_thousand_spoofed_requests_leave_nothing_and_are_seldom_answered() {
    let mut world = World::new();
    let bare = world.unsigned(
        Method::ALLOCATE,
        &[(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])],
    );
    let mut signed = world.theirs(client(1), Method::ALLOCATE, vec![udp()]);
    let last = signed.len() - 1;
    signed[last] ^= 1;
    world.milliseconds += 1000;
    let before = format!("{:?}", world.turn);
    let mut answers = 0;
    for number in 0..100_000_u32 {
        let address = ((number.wrapping_mul(2_654_435_761)) | 1).to_be_bytes();
        let spoofed = Client {
            address: (address, 1000).into(),
            ..client(1)
        };
        let bytes = if number % 2 == 0 { &bare } else { &signed };
        match world.datagram(spoofed, bytes) {
            Verdict::Answer { .. } => answers += 1,
            verdict => assert_eq!(verdict, Verdict::Drop(Reason::Stranger)),
        }
    }
    assert!(answers <= 5000, "{answers}");
    assert!(world.offences.is_empty() && world.turn.is_empty());
    assert_eq!(world.turn.poll_timeout(), None);
    // The tables are of the same size; but for the limit, which has one, nothing has changed.
    let after = format!("{:?}", world.turn);
    let without_limit = |text: &str| {
        let start = text.find("strangers: Limiter").unwrap();
        let end = text.find("table: Table").unwrap();
        [&text[..start], &text[end..]].concat()
    };
    assert_eq!(without_limit(&before), without_limit(&after));
}

#[test]
fn one_source_is_answered_so_often_and_a_stream_always() {
    let mut world = World::new();
    let bare = world.unsigned(Method::BINDING, &[]);
    let answered = |world: &mut World, with: Client| {
        let asked = (0..500).filter(|_| {
            let verdict = world.datagram(with, &bare);
            matches!(verdict, Verdict::Answer { .. })
        });
        asked.count()
    };
    assert_eq!(answered(&mut world, client(1)), 50);
    assert_eq!(answered(&mut world, client(2)), 0);
    world.milliseconds += 500;
    assert_eq!(answered(&mut world, client(1)), 25);
    // Asked often, nothing of what has grown is lost.
    let often = (0..700).filter(|_| {
        world.milliseconds += 7;
        let verdict = world.datagram(client(1), &bare);
        matches!(verdict, Verdict::Answer { .. })
    });
    assert_eq!(often.count(), 245);
    let v6 = |text: &str| Client {
        address: text.parse().unwrap(),
        ..client(1)
    };
    assert_eq!(answered(&mut world, v6("[2a01:1:2:3::1]:1")), 50);
    assert_eq!(answered(&mut world, v6("[2a01:1:2:3::2]:1")), 0);
    assert_eq!(answered(&mut world, v6("[2a01:1:2:4::2]:1")), 50);
    let stream = Client {
        transport: Transport::Tls,
        connection: 7,
        ..client(1)
    };
    assert_eq!(answered(&mut world, stream), 500);
}
