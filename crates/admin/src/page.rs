//! What is answered to which request; pure.

use std::fmt::Write as _;

/// Sent with every answer. No Strict-Transport-Security: with the box's own CA a browser
/// would not let the operator past its warning any more.
const HEADERS: &str = "\
Cache-Control: no-store\r\n\
Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
Cross-Origin-Opener-Policy: same-origin\r\n\
Cross-Origin-Resource-Policy: same-origin\r\n\
Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n\
Referrer-Policy: no-referrer\r\n\
X-Content-Type-Options: nosniff\r\n\
X-Frame-Options: DENY\r\n\
Connection: close\r\n";

/// An answer as it is sent.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

/// The answer to a request; `path` is without its query.
pub(crate) fn answer(method: &str, path: &str, hostname: &str) -> Answer {
    let head_only = method == "HEAD";
    match (method, path) {
        ("GET" | "HEAD", "/") => {
            let body = running(hostname);
            build(200, "OK", "", "text/html", &body, head_only)
        }
        ("GET" | "HEAD", _) => {
            let body = "There is no such page.\n";
            build(404, "Not Found", "", "text/plain", body, head_only)
        }
        _ => {
            let body = "Only GET and HEAD are possible here.\n";
            let allow = "Allow: GET, HEAD\r\n";
            build(405, "Method Not Allowed", allow, "text/plain", body, false)
        }
    }
}

/// The answer to what is no request.
pub(crate) fn refusal(status: u16) -> Answer {
    build(
        status,
        "Refused",
        "",
        "text/plain",
        "The request was not understood.\n",
        false,
    )
}

fn running(hostname: &str) -> String {
    let name = escaped(hostname);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name}</title>\n\
         <h1>{name}</h1>\n\
         <p>Gatehouse {version} is running.</p>\n\
         </html>\n"
    )
}

fn build(
    status: u16,
    reason: &str,
    header: &str,
    kind: &str,
    body: &str,
    head_only: bool,
) -> Answer {
    let length = body.len();
    let mut text = format!(
        "HTTP/1.1 {status} {reason}\r\n\
         Content-Type: {kind}; charset=utf-8\r\n\
         Content-Length: {length}\r\n\
         {header}{HEADERS}\r\n"
    );
    if !head_only {
        text.push_str(body);
    }
    Answer {
        status,
        bytes: text.into_bytes(),
    }
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' => {
                let _ = write!(html, "&#{};", u32::from(character));
            }
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &Answer) -> &str {
        std::str::from_utf8(&answer.bytes).unwrap()
    }

    #[test]
    fn one_page_is_there_and_nothing_else() {
        for (method, path, status) in [
            ("GET", "/", 200),
            ("HEAD", "/", 200),
            ("GET", "/index.html", 404),
            ("GET", "//", 404),
            ("HEAD", "/x", 404),
            ("POST", "/", 405),
            ("OPTIONS", "*", 405),
        ] {
            let answer = answer(method, path, "gate-hq");
            assert_eq!(answer.status, status, "{method} {path}");
            let (head, body) = text(&answer).split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")));
            assert!(head.contains("default-src 'none'") && head.contains("no-store"));
            assert_eq!(body.is_empty(), method == "HEAD");
            if !body.is_empty() {
                let length = format!("Content-Length: {}\r\n", body.len());
                assert!(head.contains(&length), "{head}");
            }
        }
    }

    #[test]
    fn the_page_names_host_and_version_and_lets_no_markup_in() {
        let answer = answer("GET", "/", "<b>&\"hq\"");
        assert!(text(&answer).contains("<h1>&#60;b&#62;&#38;&#34;hq&#34;</h1>"));
        let version = concat!("Gatehouse ", env!("CARGO_PKG_VERSION"), " is running");
        assert!(text(&answer).contains(version));
    }
}
