//! What the answers of a SIP target say of its client: passwords and numbers that are tried.

use sip::message::{Message, Name};
use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

/// Requests whose answers are waited for; a gateway registers a whole floor at once.
pub const MOST_UNANSWERED: usize = 512;
/// Neighbouring numbers in a row that the target says it does not know: nobody mistypes like that.
const UNKNOWN_IN_SERIES: u32 = 4;
/// Neighbouring numbers in a row none of which could be registered. A gateway of a whole floor registers its numbers like that, too, but
/// with success in between.
const REFUSED_IN_SERIES: u32 = 64;
/// How far apart neighbours are.
const NEAR: u64 = 16;

/// The requests of one connection that were not answered yet, and what came of those before.
#[derive(Debug, Default)]
pub struct Attempts {
    asked: VecDeque<Asked>,
    unknown: Series,
    refused: Series,
    /// Whether the target has agreed to anything yet.
    has_succeeded: bool,
}

/// One request.
#[derive(Debug)]
struct Asked {
    /// Of Call-ID and `CSeq`.
    key: u64,
    /// Who asks.
    user: Box<str>,
    /// The user who registers, or the number that is called.
    number: Option<Box<str>>,
    registers: bool,
    /// Whether it brings an answer to the target's challenge.
    proves: bool,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing that would count.
    Honest,
    /// The password of this user was wrong.
    WrongPassword(Box<str>),
    /// The target does not know the number.
    Unknown,
    /// Numbers are tried one after the other.
    Series,
}

/// Numbers that failed, one beside the other.
#[derive(Debug, Default)]
struct Series {
    last: Option<u64>,
    length: u32,
}

impl Attempts {
    /// Takes note of a request of the client; false where too many wait already. None is forgotten for another: what is tried would not
    /// count then.
    #[must_use]
    pub fn asked(&mut self, request: &Message<'_>) -> bool {
        let number = number(request);
        let is_proof = |header: &sip::message::Header<'_>| {
            header.is("Authorization") || header.is("Proxy-Authorization")
        };
        let proves = request.headers().any(|header| is_proof(&header));
        if request.method() == Some("ACK") || (number.is_none() && !proves) {
            return true;
        }
        if self.asked.len() >= MOST_UNANSWERED {
            return false;
        }
        let user = request.from().ok().and_then(|from| from.uri.user());
        self.asked.push_back(Asked {
            key: key(request),
            user: user.unwrap_or_default().as_ref().into(),
            number,
            registers: request.method() == Some("REGISTER"),
            proves,
        });
        true
    }

    /// What an answer of the target says of the request that it is the answer to.
    pub fn answered(&mut self, answer: &Message<'_>) -> Attempt {
        let Some(status @ 200..) = answer.status() else {
            return Attempt::Honest;
        };
        let key = key(answer);
        // One that looks the same, sent beside it, takes nobody's answer away.
        let with_password = self
            .asked
            .iter()
            .position(|asked| asked.key == key && asked.proves);
        let at = with_password.or_else(|| self.asked.iter().position(|asked| asked.key == key));
        let Some(at) = at else {
            return Attempt::Honest;
        };
        let Some(asked) = self.asked.remove(at) else {
            return Attempt::Honest;
        };
        match status {
            // To anything else many agree.
            200..=399 if asked.number.is_some() => {
                self.has_succeeded = true;
                self.unknown = Series::default();
                self.refused = Series::default();
                Attempt::Honest
            }
            // Whom the target knows may mistype.
            404 | 410 | 604 if !self.has_succeeded => {
                match asked.number.map(|number| self.unknown.goes_on(&number)) {
                    Some(UNKNOWN_IN_SERIES..) => Attempt::Series,
                    Some(_) => Attempt::Unknown,
                    None => Attempt::Honest,
                }
            }
            401 | 403 | 407 => {
                let number = asked.number.as_deref();
                let length = number.map_or(0, |number| self.refused.goes_on(number));
                // A call may be refused for whom it is for.
                let is_of_password = status != 403 || asked.registers;
                if length >= REFUSED_IN_SERIES {
                    Attempt::Series
                } else if asked.proves && is_of_password && !is_stale(answer) {
                    Attempt::WrongPassword(asked.user)
                } else {
                    Attempt::Honest
                }
            }
            _ => Attempt::Honest,
        }
    }
}

impl Series {
    /// Another number failed; how many neighbours have before it, one after the other.
    fn goes_on(&mut self, number: &str) -> u32 {
        let digits = number.trim_start_matches(|c: char| !c.is_ascii_digit());
        let Ok(number) = digits.parse::<u64>() else {
            return self.length;
        };
        match self.last {
            // The same again, with a password now.
            Some(last) if last == number => {}
            Some(last) if last.abs_diff(number) <= NEAR => self.length += 1,
            _ => self.length = 0,
        }
        self.last = Some(number);
        self.length
    }
}

/// The user who registers, or the number that is called.
fn number(request: &Message<'_>) -> Option<Box<str>> {
    let user = match request.method()? {
        "REGISTER" => request.to().ok()?.uri.user(),
        "INVITE" => sip::address::Uri::parse(request.uri()?).ok()?.user(),
        _ => return None,
    };
    Some(user?.as_ref().into())
}

fn key(message: &Message<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    // What is folded may come back on one line.
    let call_id = message.call_id().iter();
    for byte in call_id.filter(|byte| !byte.is_ascii_whitespace()) {
        hasher.write_u8(*byte);
    }
    message.cseq().hash(&mut hasher);
    hasher.finish()
}

/// Whether the target only wants the same answer to a newer challenge (RFC 7616 section 3.3).
fn is_stale(answer: &Message<'_>) -> bool {
    let challenges = answer.headers().filter(|header| {
        header.name == Name::Other
            && (header.is("WWW-Authenticate") || header.is("Proxy-Authenticate"))
    });
    let mut values = challenges.map(|header| header.value().to_ascii_lowercase());
    values.any(|value| {
        let text = String::from_utf8_lossy(&value);
        text.split([',', ' ']).any(|part| {
            let parts = part.split_once('=');
            parts.is_some_and(|(name, value)| {
                name.trim() == "stale" && value.trim().trim_matches('"') == "true"
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::message::{Item, Limits, next};

    fn with<T>(text: &str, look: impl FnOnce(&Message<'_>) -> T) -> T {
        let bytes = text.replace('\n', "\r\n");
        match next(bytes.as_bytes(), &Limits::LATER) {
            Ok(Some(Item::Message(message))) => look(&message),
            other => panic!("{other:?}"),
        }
    }

    fn register(attempts: &mut Attempts, user: u64, count: u32, proof: bool) {
        assert!(asks(attempts, "REGISTER", (user, count), proof));
    }

    fn asks(attempts: &mut Attempts, method: &str, (user, count): (u64, u32), proof: bool) -> bool {
        let proof = if proof {
            "Authorization: Digest username=\"x\"\n"
        } else {
            ""
        };
        let text = format!(
            "{method} sip:a.net SIP/2.0\nVia: SIP/2.0/TCP 1.2.3.4;branch=z9hG4bKa\nFrom: <sip:{user}@a.net>;tag=1\nTo: <sip:{user}@a.net>\n\
             Call-ID: c\nCSeq: {count} {method}\n{proof}Content-Length: 0\n\n"
        );
        with(&text, |request| attempts.asked(request))
    }

    fn answer(attempts: &mut Attempts, status: u16, count: u32, more: &str) -> Attempt {
        let text = format!(
            "SIP/2.0 {status} X\nVia: SIP/2.0/TCP 1.2.3.4;branch=z9hG4bKa\nFrom: <sip:1@a.net>;tag=1\nTo: <sip:1@a.net>;tag=2\n\
             Call-ID: c\nCSeq: {count} REGISTER\n{more}Content-Length: 0\n\n"
        );
        with(&text, |answer| attempts.answered(answer))
    }

    #[test]
    fn a_password_is_wrong_only_where_one_was_tried_and_is_not_merely_old() {
        let mut attempts = Attempts::default();
        register(&mut attempts, 100, 1, false);
        assert_eq!(answer(&mut attempts, 401, 1, ""), Attempt::Honest);
        register(&mut attempts, 100, 2, true);
        let stale = "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\", stale=TRUE, qop=\"auth\"\n";
        assert_eq!(answer(&mut attempts, 401, 2, stale), Attempt::Honest);
        register(&mut attempts, 100, 3, true);
        let anew = "WWW-Authenticate: Digest realm=\"a\", nonce=\"c\", stale=false\n";
        assert_eq!(answer(&mut attempts, 100, 3, ""), Attempt::Honest);
        let wrong = Attempt::WrongPassword("100".into());
        assert_eq!(answer(&mut attempts, 401, 3, anew), wrong);
        // Its answer was taken; a second one says nothing.
        assert_eq!(answer(&mut attempts, 401, 3, anew), Attempt::Honest);
    }

    #[test]
    fn neighbouring_numbers_that_nobody_knows_are_a_series_and_mistyped_ones_are_not() {
        let mut attempts = Attempts::default();
        let mut tried = |number, count, status| {
            register(&mut attempts, number, count, false);
            answer(&mut attempts, status, count, "")
        };
        for count in 0..4 {
            assert_eq!(tried(u64::from(100 + count), count, 404), Attempt::Unknown);
        }
        assert_eq!(tried(104, 4, 404), Attempt::Series);
        for (count, number) in (6..).zip([4711, 200, 91_000, 17, 5000, 300]) {
            assert_eq!(tried(number, count, 404), Attempt::Unknown);
        }
        // Whom the target knows may mistype.
        assert_eq!(tried(104, 20, 200), Attempt::Honest);
        for (count, number) in (30..).zip([100, 101, 102, 103, 104, 105, 106]) {
            assert_eq!(tried(number, count, 404), Attempt::Honest);
        }
    }

    #[test]
    fn a_floor_of_telephones_may_register_and_a_whole_building_that_never_can_is_a_series() {
        let mut attempts = Attempts::default();
        for count in 0..64 {
            register(&mut attempts, u64::from(100 + count), count, false);
            assert_eq!(answer(&mut attempts, 401, count, ""), Attempt::Honest);
        }
        register(&mut attempts, 164, 64, false);
        assert_eq!(answer(&mut attempts, 401, 64, ""), Attempt::Series);
    }

    #[test]
    fn what_is_never_answered_takes_no_more_room_and_pushes_nothing_out() {
        let mut attempts = Attempts::default();
        register(&mut attempts, 1, 0, true);
        for count in 1..512 {
            assert!(asks(&mut attempts, "FOO", (1, count), true));
        }
        assert!(!asks(&mut attempts, "FOO", (1, 512), true));
        assert!(!asks(&mut attempts, "REGISTER", (1, 513), true));
        assert_eq!(attempts.asked.len(), MOST_UNANSWERED);
        let wrong = Attempt::WrongPassword("1".into());
        assert_eq!(answer(&mut attempts, 401, 0, ""), wrong);
    }

    #[test]
    fn to_be_told_the_options_is_no_success() {
        let mut attempts = Attempts::default();
        assert!(asks(&mut attempts, "OPTIONS", (1, 1), true));
        let told = "SIP/2.0 200 X\nVia: SIP/2.0/TCP 1.2.3.4;branch=z9hG4bKa\nFrom: <sip:1@a.net>;tag=1\nTo: <sip:1@a.net>;tag=2\n\
             Call-ID: c\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n";
        assert_eq!(
            with(told, |answer| attempts.answered(answer)),
            Attempt::Honest
        );
        register(&mut attempts, 100, 2, false);
        assert_eq!(answer(&mut attempts, 404, 2, ""), Attempt::Unknown);
    }
}
