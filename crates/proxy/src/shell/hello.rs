//! The TLS handshake of a client: its hello is read once, by us to see the server name, and then by
//! rustls.

use crate::core::{Identity, Page, Reason, TlsVerdict, write_page};
use crate::shell::buffer::Buffer;
use crate::shell::live::Live;
use crate::shell::passthrough::Passed;
use crate::shell::presented::Presented;
use crate::shell::report::{Report, Told};
use crate::shell::tunnel::{Asked, What};
use crate::shell::worker::{Current, Worker};
use certs::challenge::TLS_PROTOCOL;
use config::Protocol;
use net::stream::{Stream, tls_fault};
use net::tls::{UNRECOGNIZED_NAME, proof_config};
use proto::http::MAX_METHOD;
use proto::tls::{Hello, MAX_BUFFERED, client_hello};
use rustls::sign::CertifiedKey;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// A client that has said hello.
pub(crate) enum Greeted {
    /// TLS is spoken; with the server name that was asked for, and what the client has shown where
    /// that name asks for a certificate.
    Spoken(Stream, Option<Rc<str>>, Option<Rc<Presented>>),
    /// Another is to speak with it.
    Passed(Passed),
    /// A certificate authority has found the proof it looked for, and that was all.
    Proven,
}

/// Reads the hello, whose beginning may be `ahead`, and speaks TLS unless another is to, all `until`
/// then; where that fails, all is told.
pub(crate) async fn greet(
    worker: &Rc<Worker>,
    stream: Stream,
    ahead: Buffer,
    identity: &Identity,
    until: Instant,
) -> Option<Greeted> {
    let mut told = Told {
        host: String::new(),
        asked: "TLS handshake".to_owned(),
    };
    let current = worker.current();
    let date = worker.date();
    // What is passed on costs us no handshake.
    let may = || {
        let most = worker.limits().handshakes_per_address;
        let handshakes = &worker.shared.handshakes;
        handshakes.begin(identity.address(), most, worker.now())
    };
    let protocol = identity.protocol();
    let shake = shake(&current, stream, ahead, &mut told, (protocol, &date), may);
    let reason = match timeout_at(until, shake).await {
        Ok(Ok(greeted)) => {
            if let Greeted::Spoken(..) | Greeted::Proven = greeted {
                worker.shared.instruments.handshakes.inc();
            }
            return Some(greeted);
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
    current: &Rc<Current>,
    mut stream: Stream,
    mut buffer: Buffer,
    told: &mut Told,
    (protocol, date): (Protocol, &str),
    may: impl Fn() -> Result<(), Reason>,
) -> Result<Greeted, Fault> {
    let is_web = protocol == Protocol::Http;
    let at = stream
        .local_addr()
        .map_err(|_| Fault::Silent)?
        .ip()
        .to_canonical();
    let hello = read_hello(&mut stream, &mut buffer, is_web.then_some(date)).await?;
    let live = &current.live;
    if let Some(name) = &hello.server_name {
        told.host.clone_from(name);
    }
    let seeks_proof = is_web && hello.alpn == [TLS_PROTOCOL];
    if seeks_proof
        && let Some(name) = &hello.server_name
        && let Some(proof) = live.answers.tls(name)
    {
        may().map_err(Fault::Reason)?;
        return prove(stream, &proof, buffer.filled()).await;
    }
    let passthroughs = live.routes.passthroughs();
    let verdict = if is_web {
        passthroughs.decide(hello.server_name.as_deref(), at)
    } else {
        TlsVerdict::Terminate
    };
    match verdict {
        TlsVerdict::Terminate => {}
        TlsVerdict::Pass(host) => {
            let asked = Asked {
                what: What::Tls { at },
                target: host.target.clone(),
                server_name: hello.server_name.map(Into::into),
                presented: None,
            };
            let current = Rc::clone(current);
            return Ok(Greeted::Passed(Passed::new(
                current, stream, buffer, asked, host,
            )));
        }
        TlsVerdict::Refuse(own) => {
            say_unknown(&mut stream).await;
            return Err(Fault::Reason(Reason::AddressOfAnother(own.name.clone())));
        }
    }
    if seeks_proof {
        say_unknown(&mut stream).await;
        let name = hello.server_name.unwrap_or_default();
        return Err(Fault::Reason(Reason::NoProof(name.into())));
    }
    // Only of the web it says where a connection goes.
    if let Some(name) = hello.server_name.as_ref().filter(|_| is_web)
        && live.chooser.index_for(name).is_none()
    {
        say_unknown(&mut stream).await;
        let unknown = Reason::ServerNameUnknown(name.as_str().into());
        return Err(Fault::Reason(unknown));
    }
    may().map_err(Fault::Reason)?;
    speak(live, protocol, stream, buffer, hello.server_name.as_deref()).await
}

/// Speaks TLS as is due under that name.
async fn speak(
    live: &Live,
    protocol: Protocol,
    stream: Stream,
    buffer: Buffer,
    server_name: Option<&str>,
) -> Result<Greeted, Fault> {
    let is_web = protocol == Protocol::Http;
    let asking = server_name.filter(|_| is_web);
    let asking = asking.and_then(|name| live.asks_under(name));
    let server = match asking {
        Some(asking) => &asking.server,
        None if is_web => &live.server,
        None => live.domain_server(protocol),
    };
    let server_name: Option<Rc<str>> = server_name.map(Into::into);
    let io = stream.into_plain().ok_or(Fault::Silent)?;
    match Stream::accept(io, Arc::clone(server), buffer.filled()).await {
        Ok(stream) => {
            let chain = stream.peer_certificates();
            let presented = asking
                .zip(server_name.clone())
                .map(|(asking, name)| Rc::new(Presented::new(asking, name, chain)));
            Ok(Greeted::Spoken(stream, server_name, presented))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// Shows a certificate authority the certificate that it looks for (RFC 8737 section 3): after the handshake
/// there is nothing more to be said.
async fn prove(stream: Stream, proof: &CertifiedKey, hello: &[u8]) -> Result<Greeted, Fault> {
    let config = proof_config(proof.clone(), TLS_PROTOCOL);
    let config =
        config.map_err(|error| Fault::Reason(Reason::Handshake(error.to_string().into())))?;
    let io = stream.into_plain().ok_or(Fault::Silent)?;
    match Stream::accept(io, Arc::new(config), hello).await {
        Ok(mut stream) => {
            // It has seen what it came for, whether it waits for our goodbye or not.
            let _ = poll_fn(|cx| stream.poll_finish(cx)).await;
            Ok(Greeted::Proven)
        }
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &io::Error) -> Fault {
    let why = match tls_fault(error) {
        Some(fault) => fault.to_string(),
        None => error.to_string(),
    };
    Fault::Reason(Reason::Handshake(why.into()))
}

/// Tells the client that nobody has the name it asked for.
async fn say_unknown(stream: &mut Stream) {
    // A client that does not wait for the alert is none the worse off.
    let alert = [IoSlice::new(&UNRECOGNIZED_NAME)];
    let _ = poll_fn(|cx| stream.poll_write_some(cx, &alert)).await;
    let _ = poll_fn(|cx| stream.poll_finish(cx)).await;
}

/// Reads the hello; who sends HTTP instead is told so, where that is what is spoken, with the date of now.
async fn read_hello(
    stream: &mut Stream,
    buffer: &mut Buffer,
    date: Option<&str>,
) -> Result<Hello, Fault> {
    // A load balancer may have sent it behind its header.
    let mut known = !buffer.is_empty();
    loop {
        if !std::mem::take(&mut known) {
            let read = poll_fn(|cx| stream.poll_read_some(cx, buffer.room())).await;
            match read {
                Ok(count @ 1..) => buffer.advance(count),
                Ok(0) | Err(_) if buffer.is_empty() => return Err(Fault::Silent),
                Ok(0) => return Err(gone(&io::ErrorKind::UnexpectedEof.into())),
                Err(error) => return Err(gone(&error)),
            }
        }
        match client_hello(buffer.filled()) {
            Ok(Some(hello)) => return Ok(hello),
            Ok(None) if buffer.len() > MAX_BUFFERED => {
                return Err(Fault::Reason(Reason::NotTls("too long".into())));
            }
            Ok(None) => {}
            Err(fault) => {
                if let Some(date) = date.filter(|_| looks_like_http(buffer.filled())) {
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
            challenge: None,
            retry_after: None,
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
