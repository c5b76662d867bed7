use sip::answer::Answer;
use sip::attack_tool::is_attack_tool;
use sip::message::{Item, Limits, next};
use sip::rewrite::{Direction, Legs, Mapping, Place};

/// A message that is accepted needed all of its bytes, stays one with the same body when addresses are exchanged, and its
/// answer is one.
pub fn sip_message(data: &[u8]) {
    let mut rest = data;
    while let Ok(Some(item)) = next(rest, &Limits::FIRST) {
        let length = item.length();
        assert!(0 < length && length <= rest.len());
        if let Item::Message(message) = item {
            assert_eq!(next(&rest[..length - 1], &Limits::FIRST), Ok(None));
            let _ = (message.from(), message.to(), is_attack_tool(&message));
            for direction in [Direction::ToClient, Direction::ToTarget] {
                let changed = mapping().rewritten(direction, &message);
                let Some(again) = whole(&changed) else {
                    panic!("{direction:?}: no message any more");
                };
                assert_eq!(again, message.body());
            }
            let mut out = Vec::new();
            if answer().write(&message, &mut out) {
                assert_eq!(whole(&out), Some(&[][..]));
            }
        }
        rest = &rest[length..];
    }
}

/// The body of a message that fills the bytes, however many there are.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let limits = Limits {
        head: usize::MAX,
        message: usize::MAX,
        headers: usize::MAX,
    };
    match next(bytes, &limits) {
        Ok(Some(Item::Message(message))) if message.bytes().len() == bytes.len() => {
            Some(message.body())
        }
        _ => None,
    }
}

fn mapping() -> Mapping {
    let place = |host, plain| Place::new(host, plain, 5061).expect("it is a host");
    let inside = vec![place("172.31.31.3", 5060), place("pbx.lan", 5060)];
    let outside = vec![place("78.54.23.241", 15060), place("gate.example", 15060)];
    Mapping::new(inside, outside, Legs::SecureToPlain).expect("both sides are there")
}

fn answer() -> Answer<'static> {
    Answer {
        status: 403,
        tag: "a",
        headers: &[("Allow", "REGISTER")],
        client: ([192, 0, 2, 1], 5060).into(),
    }
}
