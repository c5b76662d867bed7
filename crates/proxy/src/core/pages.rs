//! What a client reads when Gatehouse itself answers: a status, and nothing of the inside.

use super::headers::Sent;
use std::io::Write;

/// An answer of our own.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The status.
    pub status: u16,
    /// Where to go instead, for redirects.
    pub location: Option<&'a str>,
    /// What is asked of the client: the value of `WWW-Authenticate`.
    pub challenge: Option<&'a str>,
    /// In how many seconds the client may come again, where that is known.
    pub retry_after: Option<u64>,
    /// Whether the connection ends here.
    pub close: bool,
    /// HEAD: no body follows, the fields are those of GET.
    pub head_only: bool,
    /// The time now, as [`super::http_date`] writes it.
    pub date: &'a str,
}

/// Appends the whole response to `out` and gives the length of the body that is in it.
pub fn write_page(out: &mut Vec<u8>, page: &Page<'_>) -> u64 {
    let reason = reason_phrase(page.status);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{status} {reason}</title>\n\
         <h1>{reason}</h1>\n<p>{text}\n",
        status = page.status,
        text = text(page.status),
    );
    let _ = write!(
        out,
        "HTTP/1.1 {} {reason}\r\nDate: {}\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\n",
        page.status,
        page.date,
        body.len()
    );
    if let Some(location) = page.location {
        let _ = write!(out, "Location: {location}\r\n");
    }
    if let Some(challenge) = page.challenge {
        let _ = write!(out, "WWW-Authenticate: {challenge}\r\n");
    }
    if let Some(seconds) = page.retry_after {
        let _ = write!(out, "Retry-After: {seconds}\r\n");
    }
    if page.status == 426 {
        out.extend_from_slice(b"Sec-WebSocket-Version: 13\r\n");
    }
    let sent = if page.close {
        Sent::Close
    } else {
        Sent::KeepAlive
    };
    out.extend_from_slice(sent.connection());
    out.extend_from_slice(b"\r\n");
    if page.head_only {
        return 0;
    }
    out.extend_from_slice(body.as_bytes());
    body.len() as u64
}

/// Appends the response with the proof that a certificate authority asks for (RFC 8555 section 8.3), and gives the
/// length of the body that is in it.
pub fn write_proof(
    out: &mut Vec<u8>,
    proof: &str,
    head_only: bool,
    close: bool,
    date: &str,
) -> u64 {
    let _ = write!(
        out,
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\n",
        proof.len()
    );
    let sent = if close { Sent::Close } else { Sent::KeepAlive };
    out.extend_from_slice(sent.connection());
    out.extend_from_slice(b"\r\n");
    if head_only {
        return 0;
    }
    out.extend_from_slice(proof.as_bytes());
    proof.len() as u64
}

/// The usual words for the statuses that we send (RFC 9110 section 15).
fn reason_phrase(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        303 => "See Other",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}

fn text(status: u16) -> &'static str {
    match status {
        301 | 308 => "This page is only served over an encrypted connection.",
        303 => "Please sign in first.",
        401 => "Your user name and password are needed to see this page.",
        403 => "You may not see this page.",
        404 => "There is nothing here.",
        408 => "Your request took too long.",
        413 => "What you sent is too large.",
        421 => {
            "You have asked over a connection that belongs to another address. Please open this page anew."
        }
        429 => {
            "Somebody has tried wrong passwords for this user name. Please try again in a moment."
        }
        500.. => "The service can not answer right now. Please try again later.",
        _ => "Your browser sent something that can not be answered.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: &Page<'_>) -> String {
        let mut out = Vec::new();
        write_page(&mut out, page);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_length_is_that_of_the_body_also_for_head() {
        let mut asked = Page {
            status: 404,
            location: None,
            challenge: None,
            retry_after: None,
            close: true,
            head_only: false,
            date: "Sun, 06 Nov 1994 08:49:37 GMT",
        };
        let whole = page(&asked);
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov"));
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
        assert!(head.ends_with("\r\nConnection: close"));
        asked.head_only = true;
        assert_eq!(page(&asked), format!("{head}\r\n\r\n"));
    }

    #[test]
    fn every_status_we_send_has_its_words() {
        for status in [
            301, 303, 308, 400, 401, 403, 404, 408, 413, 414, 417, 421, 426, 431, 501, 502, 503,
            504, 505,
        ] {
            assert_ne!(reason_phrase(status), "Error", "{status}");
        }
    }
}
