//! Answers of our own to requests (RFC 3261 section 8.2.6, RFC 3581 section 4), and to pings.

use std::net::SocketAddr;

use crate::address::ip;
use crate::lex::is_token_byte;
use crate::message::{Message, Name};
use crate::via::Via;

/// The answer to a ping (RFC 5626 section 3.5.1).
pub const PONG: &[u8] = b"\r\n";

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// 100 to 699; its words are those of the RFC.
    pub status: u16,
    /// The tag that To gets where it has none: a token that nobody guesses, other for other requests. What is no token
    /// in it is left out.
    pub tag: &'a str,
    /// Further headers, name and value each; none with a line end or a NUL in it is written.
    pub headers: &'a [(&'a str, &'a str)],
    /// Where the request came from.
    pub client: SocketAddr,
}

impl Answer<'_> {
    /// Appends the answer to a request; whether there is one: an ACK and a response get none.
    pub fn write(&self, request: &Message<'_>, out: &mut Vec<u8>) -> bool {
        if request.method().is_none_or(|method| method == "ACK") {
            return false;
        }
        out.extend_from_slice(
            format!("SIP/2.0 {} {}\r\n", self.status, reason(self.status)).as_bytes(),
        );
        let mut is_first = true;
        for header in request.headers() {
            let name = match header.name {
                Name::Via => "Via",
                Name::From => "From",
                Name::To => "To",
                Name::CallId => "Call-ID",
                Name::CSeq => "CSeq",
                _ => continue,
            };
            put(out, name.as_bytes());
            match header.name {
                Name::Via if is_first => {
                    self.write_via(header.value(), out);
                    is_first = false;
                }
                Name::To => self.write_to(request, header.value(), out),
                _ => out.extend_from_slice(header.value()),
            }
            out.extend_from_slice(b"\r\n");
        }
        for (name, value) in self.headers {
            let is_line = |text: &str| !text.bytes().any(|byte| b"\r\n\0".contains(&byte));
            if is_line(name) && is_line(value) {
                put(out, name.as_bytes());
                out.extend_from_slice(value.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        true
    }

    /// The topmost Via, with where the request came from if it asks for that, or names another host.
    fn write_via(&self, value: &[u8], out: &mut Vec<u8>) {
        let Some(via) = Via::parse(value)
            .ok()
            .filter(|via| via.received().is_none())
        else {
            out.extend_from_slice(value);
            return;
        };
        let client = self.client.ip().to_canonical();
        let asked = via.asks_for_port();
        let behind = via.sent_by_span.end;
        out.extend_from_slice(&value[..behind]);
        if asked.is_some() || ip(via.host()) != Some(client) {
            out.extend_from_slice(format!(";received={client}").as_bytes());
        }
        match asked {
            Some(rport) => {
                out.extend_from_slice(&value[behind..rport.end]);
                out.extend_from_slice(format!("={}", self.client.port()).as_bytes());
                out.extend_from_slice(&value[rport.end..]);
            }
            None => out.extend_from_slice(&value[behind..]),
        }
    }

    /// To with a tag.
    fn write_to(&self, request: &Message<'_>, value: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(value);
        let has_tag = request
            .to()
            .map_or(true, |to| to.parameter("tag").is_some());
        if !has_tag {
            out.extend_from_slice(b";tag=");
            out.extend(self.tag.bytes().filter(|byte| is_token_byte(*byte)));
        }
    }
}

fn put(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
}

/// The words of a status (RFC 3261 section 21).
fn reason(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        416 => "Unsupported URI Scheme",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        486 => "Busy Here",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        // The words are for people; those that nothing here says have none of their own.
        _ => "Answer",
    }
}
