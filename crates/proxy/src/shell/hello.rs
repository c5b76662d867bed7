//! The TLS handshake of a client: its hello is read once, by us to see the server name, and then by
//! rustls.

use crate::core::{Identity, Page, Reason, write_page};
use crate::shell::buffer::Buffer;
use crate::shell::report::{Report, Told};
use crate::shell::worker::{Current, Worker};
use net::stream::{Stream, tls_fault};
use net::tls::UNRECOGNIZED_NAME;
use proto::http::MAX_METHOD;
use proto::tls::{Hello, MAX_BUFFERED, client_hello};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Ends with the encrypted stream and the server name that was asked for; where it fails, all is told.
pub(crate) async fn handshake(
    worker: &Rc<Worker>,
    io: TcpStream,
    identity: &Identity,
) -> Option<(Stream, Option<Rc<str>>)> {
    let mut told = Told {
        host: String::new(),
        asked: "TLS handshake".to_owned(),
    };
    let current = worker.current();
    let date = worker.date();
    let shake = shake(&current, io, &mut told, &date);
    let reason = match timeout(worker.limits().handshake, shake).await {
        Ok(Ok(done)) => {
            worker.shared.instruments.handshakes.inc();
            return Some(done);
        }
        Ok(Err(Fault::Silent)) => return None,
        Ok(Err(Fault::Reason(reason))) => reason,
        Err(_) => Reason::HandshakeLate,
    };
    let report = Report {
        shared: &worker.shared,
        current: &current,
        identity,
        told: &told,
        host: None,
        line: None,
    };
    report.rejected(&reason, None);
    None
}

enum Fault {
    /// It came and went without a byte, as health checks and browsers do.
    Silent,
    Reason(Reason),
}

async fn shake(
    current: &Current,
    io: TcpStream,
    told: &mut Told,
    date: &str,
) -> Result<(Stream, Option<Rc<str>>), Fault> {
    let mut stream = Stream::plain(io);
    let mut buffer = Buffer::default();
    let hello = read_hello(&mut stream, &mut buffer, date).await?;
    let live = &current.live;
    if let Some(name) = &hello.server_name {
        told.host.clone_from(name);
        if live.chooser.index_for(name).is_none() {
            // A client that does not wait for the alert is none the worse off.
            let alert = [IoSlice::new(&UNRECOGNIZED_NAME)];
            let _ = poll_fn(|cx| stream.poll_write_some(cx, &alert)).await;
            let _ = poll_fn(|cx| stream.poll_finish(cx)).await;
            return Err(Fault::Reason(Reason::ServerNameUnknown(
                name.as_str().into(),
            )));
        }
    }
    let server_name = hello.server_name.map(Into::into);
    let io = stream.into_plain().ok_or(Fault::Silent)?;
    match Stream::accept(io, live.server.clone(), buffer.filled()).await {
        Ok(stream) => Ok((stream, server_name)),
        Err(error) => {
            let why = match tls_fault(&error) {
                Some(fault) => fault.to_string(),
                None => error.to_string(),
            };
            Err(Fault::Reason(Reason::Handshake(why.into())))
        }
    }
}

async fn read_hello(stream: &mut Stream, buffer: &mut Buffer, date: &str) -> Result<Hello, Fault> {
    loop {
        let read = poll_fn(|cx| stream.poll_read_some(cx, buffer.room())).await;
        match read {
            Ok(count @ 1..) => buffer.advance(count),
            Ok(0) | Err(_) if buffer.is_empty() => return Err(Fault::Silent),
            Ok(0) => return Err(gone(&io::ErrorKind::UnexpectedEof.into())),
            Err(error) => return Err(gone(&error)),
        }
        match client_hello(buffer.filled()) {
            Ok(Some(hello)) => return Ok(hello),
            Ok(None) if buffer.len() > MAX_BUFFERED => {
                return Err(Fault::Reason(Reason::NotTls("too long".into())));
            }
            Ok(None) => {}
            Err(fault) => {
                if looks_like_http(buffer.filled()) {
                    answer_in_plain(stream, date).await;
                }
                return Err(Fault::Reason(Reason::NotTls(fault.to_string().into())));
            }
        }
    }
}

/// Whether somebody asks for `http://` where `https://` is served: a method, and a space behind it.
fn looks_like_http(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase());
    let len = method.count();
    (3..=MAX_METHOD).contains(&len) && bytes.get(len) == Some(&b' ')
}

/// Says so, as far as the client listens.
async fn answer_in_plain(stream: &mut Stream, date: &str) {
    let mut page = Vec::new();
    write_page(
        &mut page,
        &Page {
            status: 400,
            location: None,
            close: true,
            head_only: false,
            date,
        },
    );
    // It is new, so that its socket takes a page at once.
    let _ = poll_fn(|cx| stream.poll_write_some(cx, &[IoSlice::new(&page)])).await;
    let _ = poll_fn(|cx| stream.poll_finish(cx)).await;
}

fn gone(error: &io::Error) -> Fault {
    Fault::Reason(Reason::Handshake(error.to_string().into()))
}
