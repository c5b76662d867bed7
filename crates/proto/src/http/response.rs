//! Response heads.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Status};

use super::{
    Fields, Limits, MAX_FIELDS, Malformed, ResponseFraming, Version,
    diagnosis::{Side, diagnose},
    fields::Said,
};

/// A response head that can be read in one way only. It borrows from the buffer it was read from.
#[derive(Clone, Debug)]
pub struct Response<'b> {
    /// 100 to 599.
    pub status: u16,
    /// The reason phrase: no control characters, may be empty.
    pub reason: &'b [u8],
    /// The version the target speaks.
    pub version: Version,
    /// All fields in order.
    pub fields: Fields<'b>,
    /// How the body that follows is framed.
    pub framing: ResponseFraming,
    /// Whether another request may be sent on this connection after the body.
    pub keep_alive: bool,
    /// A 101 that changes to WebSocket: the bytes that follow are no longer HTTP.
    pub websocket: bool,
    /// The bytes of the head, the empty line included.
    pub len: usize,
}

/// Reads the response head that `buf` begins with; `None` when more bytes are needed.
///
/// `request_method` is that of the request it answers: a response to HEAD has no body (RFC 9112
/// section 6.3). An interim response (1xx) is a head of its own; the next follows at `len`.
///
/// # Errors
/// The target's: whatever could be read in two ways, and heads beyond the limits.
pub fn response<'b>(
    buf: &'b [u8],
    request_method: &str,
    limits: &Limits,
) -> Result<Option<Response<'b>>, Malformed> {
    // httparse would skip empty lines.
    if buf.first().is_some_and(|&first| first != b'H') {
        return Err(Malformed::StatusLine);
    }
    let mut storage = [const { MaybeUninit::<Header<'b>>::uninit() }; MAX_FIELDS];
    let storage = storage.split_at_mut(limits.fields.min(MAX_FIELDS)).0;
    let mut parsed = httparse::Response::new(&mut []);
    let result =
        ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, buf, storage);
    let len = match result {
        Ok(Status::Complete(len)) => len,
        Ok(Status::Partial) if buf.len() >= limits.head => return Err(Malformed::HeadTooLong),
        Ok(Status::Partial) => return Ok(None),
        Err(error) => return Err(diagnose(buf, error, Side::Response)),
    };
    let (Some(status @ 100..=599), Some(minor), Some(head)) =
        (parsed.code, parsed.version, buf.get(..len))
    else {
        return Err(Malformed::StatusLine);
    };
    let version = Version::of_minor(minor);
    let mut fields = Fields::of(head, limits)?;
    let said = Said::read(&mut fields, parsed.headers, Side::Response)?;
    let framing = frame(request_method, status, version, &said)?;
    let modern = version == Version::Http11;
    let persistent = !said.options.close && (modern || said.options.keep_alive);
    // A 204 with a body announced, a 304 with chunks: some servers send them, some do not. Nobody
    // can tell where the next response begins, so that there is none. The length in a 304 is that
    // of what was not modified.
    let doubtful = match status {
        204 => said.chunked || said.length.is_some_and(|length| length > 0),
        304 => said.chunked,
        _ => false,
    };
    Ok(Some(Response {
        status,
        reason: reason(head),
        version,
        framing,
        keep_alive: persistent && !doubtful && framing != ResponseFraming::UntilClose,
        websocket: status == 101 && modern && said.options.upgrade && said.websocket,
        len,
        fields,
    }))
}

fn frame(
    request_method: &str,
    status: u16,
    version: Version,
    said: &Said<'_>,
) -> Result<ResponseFraming, Malformed> {
    let announced = said.chunked || said.length.is_some_and(|length| length > 0);
    match (said.chunked, said.length) {
        (true, Some(_)) => Err(Malformed::LengthAndCoding),
        (true, None) if version == Version::Http10 => Err(Malformed::CodingInHttp10),
        _ if status < 200 && announced => Err(Malformed::BodyNotAllowed),
        _ if request_method == "HEAD" || matches!(status, 100..200 | 204 | 304) => {
            Ok(ResponseFraming::None)
        }
        (true, None) => Ok(ResponseFraming::Chunked),
        (false, Some(length)) => Ok(ResponseFraming::Length(length)),
        (false, None) => Ok(ResponseFraming::UntilClose),
    }
}

/// What stands behind "HTTP/1.1 200 "; `httparse` leaves it out where it is not ASCII.
fn reason(head: &[u8]) -> &[u8] {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    line.get(13..).unwrap_or_default()
}
