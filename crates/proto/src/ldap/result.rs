//! Answers that a proxy gives by itself.

use super::ber::{ENUMERATED, INTEGER, OCTETS, SEQUENCE, put};
use super::request::START_TLS_NAME;
use super::{Asks, Request};

/// The notice of disconnection (section 4.4.1).
const DISCONNECTION_NAME: &str = "1.3.6.1.4.1.1466.20036";

const EXTENDED: u8 = 0x78;
const RESPONSE_NAME: u8 = 0x8a;

/// The result codes that a proxy has a use for (section 4.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResultCode {
    /// It is done.
    Success = 0,
    /// Not now: something else has to come before it.
    OperationsError = 1,
    /// It can not be read.
    ProtocolError = 2,
    /// This way of proving who one is does not work here.
    AuthMethodNotSupported = 7,
    /// It has to be over TLS, or after a bind.
    StrongerAuthRequired = 8,
    /// Somebody has to say who he is.
    InappropriateAuthentication = 48,
    /// Nobody knows that name and password.
    InvalidCredentials = 49,
    /// It is not allowed.
    InsufficientAccessRights = 50,
    /// Too much to do.
    Busy = 51,
    /// The server can not be reached.
    Unavailable = 52,
    /// It is not done, for a reason that the text tells.
    UnwillingToPerform = 53,
}

impl Request {
    /// The answer to this request, with a text for people; none to those that get no answer (section 4.1.1).
    pub fn result(&self, code: ResultCode, text: &str) -> Option<Vec<u8>> {
        let tag = match self.asks {
            Asks::Bind(_) => 0x61,
            Asks::Search => 0x65,
            Asks::Modify => 0x67,
            Asks::Add => 0x69,
            Asks::Delete => 0x6b,
            Asks::Rename => 0x6d,
            Asks::Compare => 0x6f,
            Asks::StartTls | Asks::Extended => EXTENDED,
            Asks::Unbind | Asks::Abandon => return None,
        };
        let name = (self.asks == Asks::StartTls).then_some(START_TLS_NAME);
        Some(message(self.id, tag, code, text, name))
    }
}

/// What a server says unasked before it closes the connection (section 4.4.1).
pub fn disconnection(code: ResultCode, text: &str) -> Vec<u8> {
    message(0, EXTENDED, code, text, Some(DISCONNECTION_NAME))
}

fn message(id: u32, tag: u8, code: ResultCode, text: &str, name: Option<&str>) -> Vec<u8> {
    let mut result = Vec::new();
    put(&mut result, ENUMERATED, &[code as u8]);
    // No name of an entry that would match.
    put(&mut result, OCTETS, b"");
    put(&mut result, OCTETS, text.as_bytes());
    if let Some(name) = name {
        put(&mut result, RESPONSE_NAME, name.as_bytes());
    }
    let mut inner = Vec::new();
    put(&mut inner, INTEGER, number(&id.to_be_bytes()));
    put(&mut inner, tag, &result);
    let mut whole = Vec::new();
    put(&mut whole, SEQUENCE, &inner);
    whole
}

/// The shortest form of a number that is not negative.
fn number(mut digits: &[u8]) -> &[u8] {
    while let [0, 0..=0x7f, ..] = digits {
        digits = &digits[1..];
    }
    digits
}
