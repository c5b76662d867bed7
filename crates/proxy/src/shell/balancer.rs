//! A load balancer in front of us: before the first byte of its client it says who that is.

use crate::core::Reason;
use crate::shell::buffer::Buffer;
use net::stream::Stream;
use proto::proxy_header::{Header, MAX_BUFFERED, read};
use std::future::poll_fn;
use tokio::time::{Instant, timeout_at};

/// What a balancer has said.
pub(crate) struct Introduced {
    pub(crate) header: Header,
    /// What came behind it.
    pub(crate) ahead: Buffer,
}

/// Reads the PROXY header that the connection of a balancer begins with, `until` then; `None` when it came and went without
/// a byte, as its health checks do.
///
/// # Errors
/// Why there is none; the balancer is to blame, or our configuration, and no client.
pub(crate) async fn introduction(
    stream: &mut Stream,
    until: Instant,
) -> Result<Option<Introduced>, Reason> {
    match timeout_at(until, header(stream)).await {
        Ok(introduced) => introduced,
        Err(_) => Err(Reason::ProxyHeader("no PROXY header came in time".into())),
    }
}

async fn header(stream: &mut Stream) -> Result<Option<Introduced>, Reason> {
    let mut ahead = Buffer::default();
    loop {
        let count = poll_fn(|cx| stream.poll_read_some(cx, ahead.room())).await;
        match count {
            Ok(count @ 1..) => ahead.advance(count),
            Ok(0) | Err(_) if ahead.is_empty() => return Ok(None),
            _ => {
                let cut = "the connection ended within the PROXY header";
                return Err(Reason::ProxyHeader(cut.into()));
            }
        }
        let bytes = ahead.filled();
        let begun = &bytes[..bytes.len().min(MAX_BUFFERED)];
        match read(begun) {
            Ok(Some((header, length))) => {
                ahead.consume(length);
                return Ok(Some(Introduced { header, ahead }));
            }
            Ok(None) => {}
            Err(fault) => return Err(Reason::ProxyHeader(fault.to_string().into())),
        }
    }
}
