//! Request heads.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::{
    Authority, Fields, Framing, Limits, MAX_FIELDS, MAX_METHOD, Malformed, RequestTarget, Upgrade,
    Version,
    diagnosis::{Side, diagnose},
    fields::Said,
    upgrade,
};

/// A request head that can be read in one way only. It borrows from the buffer it was read from.
#[derive(Clone, Debug)]
pub struct Request<'b> {
    /// The method, in capitals; never TRACE or CONNECT.
    pub method: &'b str,
    /// What is asked for.
    pub target: RequestTarget<'b>,
    /// The version the client speaks.
    pub version: Version,
    /// All fields in order.
    pub fields: Fields<'b>,
    /// Whom it is meant for: `Host`, which an absolute target only repeats. HTTP/1.0 may leave it out.
    pub host: Option<Authority<'b>>,
    /// How its body is framed.
    pub framing: Framing,
    /// Whether the client will send another request on this connection.
    pub keep_alive: bool,
    /// Whether the client waits for a 100 before it sends the body.
    pub expect_continue: bool,
    /// Whether the client takes trailers (`TE: trailers`).
    pub te_trailers: bool,
    /// A valid wish to change the protocol.
    pub upgrade: Option<Upgrade<'b>>,
    /// The bytes of the head, the empty line included, and one before it that is skipped.
    pub len: usize,
}

/// Reads the request head that `buf` begins with; `None` when more bytes are needed.
///
/// RFC 9112 with RFC 9110. One empty line before it is skipped (RFC 9112 section 2.2).
///
/// # Errors
/// The client's: whatever could be read in two ways, and heads beyond the limits.
pub fn request<'b>(buf: &'b [u8], limits: &Limits) -> Result<Option<Request<'b>>, Malformed> {
    let head = buf.strip_prefix(b"\r\n").unwrap_or(buf);
    let skipped = buf.len() - head.len();
    // httparse would skip any number of empty lines, bare LF included.
    match head {
        [b'\r'] if skipped == 0 => return Ok(None),
        [b'\r' | b'\n', ..] => return Err(Malformed::LineEnd),
        _ => {}
    }
    let mut storage = [const { MaybeUninit::<Header<'b>>::uninit() }; MAX_FIELDS];
    let storage = storage.split_at_mut(limits.fields.min(MAX_FIELDS)).0;
    let mut parsed = httparse::Request::new(&mut []);
    let len = match parsed.parse_with_uninit_headers(head, storage) {
        Ok(Status::Complete(len)) => len,
        Ok(Status::Partial) => return incomplete(head, parsed.path, limits),
        Err(error) => return Err(diagnose(head, error, Side::Request)),
    };
    let (Some(method), Some(target), Some(minor), Some(head)) =
        (parsed.method, parsed.path, parsed.version, head.get(..len))
    else {
        return Err(Malformed::RequestLine);
    };
    if target.len() > limits.target {
        return Err(Malformed::TargetTooLong);
    }
    check_method(method)?;
    let target = RequestTarget::parse(target, method)?;
    let version = Version::of_minor(minor);
    let mut fields = Fields::of(head, limits)?;
    let said = Said::read(&mut fields, parsed.headers, Side::Request)?;
    let host = agree_on_host(&target, version, said.host)?;
    let framing = frame(version, &said)?;
    let upgrade = upgrade::of_request(method, version, framing, &said)?;
    let modern = version == Version::Http11;
    let has_body = !matches!(framing, Framing::None | Framing::Length(0));
    Ok(Some(Request {
        method,
        target,
        version,
        host,
        framing,
        keep_alive: !said.options.close && (modern || said.options.keep_alive),
        // An expectation of HTTP/1.0 is ignored (RFC 9110 section 10.1.1).
        expect_continue: said.expects_continue && modern && has_body,
        te_trailers: said.te_trailers,
        upgrade,
        len: skipped + len,
        fields,
    }))
}

/// A head that has not ended: too long already, or to be waited for.
fn incomplete<'b>(
    head: &[u8],
    target: Option<&str>,
    limits: &Limits,
) -> Result<Option<Request<'b>>, Malformed> {
    let in_target = target.is_none() && head.len() > limits.target + MAX_METHOD + 2;
    if in_target || target.is_some_and(|target| target.len() > limits.target) {
        Err(Malformed::TargetTooLong)
    } else if head.len() >= limits.head {
        Err(Malformed::HeadTooLong)
    } else {
        Ok(None)
    }
}

/// Methods are case-sensitive and all registered ones are in capitals; a target that takes "head"
/// for HEAD would leave us waiting for a body.
fn check_method(method: &str) -> Result<(), Malformed> {
    if method.len() > MAX_METHOD || method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(Malformed::Method);
    }
    match method {
        "TRACE" | "CONNECT" => Err(Malformed::MethodRefused),
        _ => Ok(()),
    }
}

/// RFC 9112 section 3.2.2: Host must be there, and identical to the authority of the target.
fn agree_on_host<'b>(
    target: &RequestTarget<'b>,
    version: Version,
    host: Option<&'b [u8]>,
) -> Result<Option<Authority<'b>>, Malformed> {
    let Some(host) = host else {
        return match version {
            Version::Http10 => Ok(target.authority),
            Version::Http11 => Err(Malformed::HostMissing),
        };
    };
    let host = Authority::parse(host)?;
    match target.authority {
        Some(authority) if !authority.text().eq_ignore_ascii_case(host.text()) => {
            Err(Malformed::HostDiffers)
        }
        _ => Ok(Some(host)),
    }
}

fn frame(version: Version, said: &Said<'_>) -> Result<Framing, Malformed> {
    match (said.chunked, said.length) {
        (true, Some(_)) => Err(Malformed::LengthAndCoding),
        (true, None) if version == Version::Http10 => Err(Malformed::CodingInHttp10),
        (true, None) => Ok(Framing::Chunked),
        (false, Some(length)) => Ok(Framing::Length(length)),
        (false, None) => Ok(Framing::None),
    }
}
