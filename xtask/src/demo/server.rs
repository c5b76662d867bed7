//! The servers of the demo: enough HTTP for a page, and a WebSocket echo.
//!
//! They stand behind the proxy, which sends nothing but well-formed requests; nothing else should be put before them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::Result;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// What stands at an address.
#[derive(Clone, Copy)]
pub(crate) enum Site {
    /// A page with a WebSocket form.
    Pbx,
    /// Words.
    App,
}

/// A request's head: its first line, and all of it.
struct Head {
    method: String,
    path: String,
    text: String,
}

impl Head {
    fn field(&self, name: &str) -> Option<&str> {
        let fields = self
            .text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        fields
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// Listens at `address` for as long as the program runs, and returns where that is.
pub(crate) fn start(address: &str, site: Site) -> Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that breaks is the end of that connection and of nothing else.
            thread::spawn(move || serve(stream, site).ok());
        }
    });
    Ok(address)
}

/// The requests of one connection, one after the other.
fn serve(stream: TcpStream, site: Site) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(head) = read_head(&mut reader)? {
        let is_websocket = head
            .field("Upgrade")
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        if let (true, Some(key)) = (is_websocket, head.field("Sec-WebSocket-Key")) {
            return echo(stream, key);
        }
        let length: u64 = head
            .field("Content-Length")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        io::copy(&mut (&mut reader).take(length), &mut io::sink())?;
        answer(&stream, &head, site)?;
    }
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut text = String::new();
    // The proxy's own limit of a head is far below this.
    let mut limited = reader.take(256 * 1024);
    while !text.ends_with("\r\n\r\n") {
        if limited.read_line(&mut text)? == 0 {
            return Ok(None);
        }
    }
    let mut words = text.split(' ').map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    Ok(Some(Head { method, path, text }))
}

fn answer(mut stream: &TcpStream, head: &Head, site: Site) -> io::Result<()> {
    let (kind, body) = match (site, head.path.as_str()) {
        (Site::Pbx, "/" | "/PBX0/APPCLIENT/appclient.htm") => {
            let page = include_str!("page.html").replace("{{head}}", &escape(head.text.trim_end()));
            ("text/html; charset=utf-8", page)
        }
        (Site::Pbx, path) => ("text/plain", format!("The PBX was asked for {path}\n")),
        (Site::App, path) => (
            "text/plain",
            format!("The application was asked for {path}\n"),
        ),
    };
    let length = body.len();
    let mut out =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    if head.method != "HEAD" {
        out += &body;
    }
    stream.write_all(out.as_bytes())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Every message back, until the client has enough.
fn echo(mut stream: TcpStream, key: &str) -> io::Result<()> {
    let accept = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    while let Ok(message) = socket.read() {
        let sent = match message {
            Message::Text(_) | Message::Binary(_) => socket.send(message),
            _ => socket.flush(),
        };
        if sent.is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(address: SocketAddr, request: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(request.as_bytes())?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn the_page_shows_the_head_and_runs_nothing_of_it() -> Result<()> {
        let address = start("127.0.0.1:0", Site::Pbx)?;
        let answer = ask(
            address,
            "GET / HTTP/1.1\r\nHost: hq\r\nX-Note: <script>\r\n\r\n",
        )?;
        assert!(answer.contains("X-Note: &lt;script&gt;"), "{answer}");
        Ok(())
    }

    #[test]
    fn a_body_is_skipped_and_the_next_request_answered() -> Result<()> {
        let address = start("127.0.0.1:0", Site::App)?;
        let answer = ask(
            address,
            "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /GET /b HTTP/1.1\r\n\r\n",
        )?;
        assert!(
            answer.contains("asked for /a") && answer.contains("asked for /b"),
            "{answer}"
        );
        Ok(())
    }

    #[test]
    fn websocket_messages_come_back() -> Result<()> {
        let address = start("127.0.0.1:0", Site::Pbx)?;
        let stream = TcpStream::connect(address)?;
        let url = "ws://hq/PBX0/APPS/websocket";
        let (mut socket, _) =
            tungstenite::client(url, stream).map_err(|error| anyhow::anyhow!("{error}"))?;
        socket.send(Message::text("hello"))?;
        assert_eq!(socket.read()?, Message::text("hello"));
        Ok(())
    }
}
