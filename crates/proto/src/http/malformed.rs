//! Why a message is refused, in the operator's words.

use thiserror::Error;

/// Why a head, a body or a path is refused; the peer that sent it is to blame.
///
/// `Display` is what the operator reads. `Debug` is the name the test data uses.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// Bare LF, bare CR, or an empty line before a head.
    #[error("a line does not end in CR LF, or a CR or LF stands elsewhere")]
    LineEnd,
    /// The first byte is that of a TLS record.
    #[error("TLS on a port that expects plain HTTP")]
    TlsOnPlainPort,
    /// The request line is not `method SP target SP version`.
    #[error("the request line is not a method, a target and a version with one space between")]
    RequestLine,
    /// The method is no token in capitals of bearable length.
    #[error("the method is not a word in capital letters")]
    Method,
    /// TRACE or CONNECT.
    #[error("the method TRACE or CONNECT")]
    MethodRefused,
    /// The target has none of the three forms, or bytes that no URL has.
    #[error("the request target is not a path, an http(s) URL or \"*\" with OPTIONS")]
    Target,
    /// The target is longer than the limit.
    #[error("the request target is too long")]
    TargetTooLong,
    /// Neither HTTP/1.0 nor HTTP/1.1.
    #[error("the version is neither HTTP/1.0 nor HTTP/1.1")]
    Version,
    /// The status line of a response.
    #[error("the status line is not a version, a status of 100 to 599 and a reason")]
    StatusLine,
    /// The head is larger than the limit.
    #[error("the head is too large")]
    HeadTooLong,
    /// There are more fields than the limit.
    #[error("the head has too many fields")]
    TooManyFields,
    /// A line begins with a space or tab (obs-fold).
    #[error("a line is folded, or begins with a space")]
    Folded,
    /// A field name with a byte that no token has, or a space before its colon.
    #[error("a field name is not a token followed by a colon")]
    FieldName,
    /// A field name is longer than [`MAX_NAME`](super::MAX_NAME).
    #[error("a field name is too long")]
    FieldNameTooLong,
    /// A control character in a field value.
    #[error("a control character in a field value")]
    FieldValue,
    /// A field that may stand once stands twice.
    #[error("a field that may stand only once is repeated")]
    Repeated,
    /// A name that some targets read as one of those that frame, route or identify.
    #[error("a field name that differs from a reserved one only by an underscore or the like")]
    Twin,
    /// HTTP/1.1 without Host.
    #[error("Host is missing")]
    HostMissing,
    /// Host or the authority of the target is no host name or address with an optional port.
    #[error("Host, or the authority of the target, is not a valid name or address and port")]
    Host,
    /// User info before the host.
    #[error("user info before the host")]
    UserInfo,
    /// Host and absolute target disagree.
    #[error("Host differs from the authority of the target")]
    HostDiffers,
    /// Content-Length is not one plain decimal number.
    #[error("Content-Length is not one plain decimal number")]
    ContentLength,
    /// Content-Length together with Transfer-Encoding.
    #[error("both Content-Length and Transfer-Encoding")]
    LengthAndCoding,
    /// Any coding but a single `chunked`.
    #[error("a Transfer-Encoding other than \"chunked\"")]
    TransferEncoding,
    /// Transfer-Encoding in HTTP/1.0.
    #[error("Transfer-Encoding in HTTP/1.0")]
    CodingInHttp10,
    /// A body where none can be.
    #[error("a length or coding where no body can follow")]
    BodyNotAllowed,
    /// Connection is no list of tokens.
    #[error("Connection is not a list of tokens")]
    Connection,
    /// Connection names a field that is not the connection's own.
    #[error("Connection names a field that is not about the connection")]
    ConnectionNames,
    /// Any expectation but 100-continue.
    #[error("an expectation other than 100-continue")]
    Expectation,
    /// A WebSocket handshake that lacks a part, or has a wrong one.
    #[error("an incomplete or wrong WebSocket handshake")]
    WebSocket,
    /// A WebSocket version other than 13.
    #[error("a WebSocket version other than 13")]
    WebSocketVersion,
    /// A chunk size that is no hexadecimal number, or too large.
    #[error("a chunk size is not a plain hexadecimal number")]
    ChunkSize,
    /// Chunk extensions with control characters, or too many bytes of them.
    #[error("chunk extensions are malformed or too long")]
    ChunkExtension,
    /// A chunk's data is not followed by CR LF.
    #[error("a chunk is longer or shorter than its size says")]
    ChunkEnd,
    /// The trailer section is larger than the limit.
    #[error("the trailers are too large")]
    TrailersTooLong,
    /// A trailer that frames, routes or identifies.
    #[error("a trailer that may not stand after the body")]
    TrailerName,
    /// The path does not begin with "/".
    #[error("the path does not begin with \"/\"")]
    PathRelative,
    /// "/./", "/../", also with path parameters.
    #[error("the path has a segment \".\" or \"..\"")]
    PathDots,
    /// "//", or a segment that is nothing but a path parameter.
    #[error("the path has an empty segment")]
    PathEmptySegment,
    /// A backslash, plain or encoded.
    #[error("the path has a backslash")]
    PathBackslash,
    /// A "#".
    #[error("the path has a fragment")]
    PathFragment,
    /// A raw control character, space or byte beyond ASCII.
    #[error("the path has a control character, a space or a byte beyond ASCII")]
    PathByte,
    /// "%" without two hexadecimal digits.
    #[error("the path has a \"%\" without two hexadecimal digits")]
    PathEscape,
    /// An encoded slash.
    #[error("the path has an encoded slash")]
    PathEncodedSlash,
    /// An encoded control character.
    #[error("the path has an encoded control character")]
    PathEncodedControl,
    /// A letter, digit, "-", ".", "_" or "~" that is encoded for no honest reason.
    #[error("the path encodes a character that needs no encoding")]
    PathEncodedPlain,
    /// An encoding of an encoding, or an overlong UTF-8 form.
    #[error("the path hides a character behind two encodings")]
    PathDisguised,
}

impl Malformed {
    /// The status a request is answered with; a response is always a 502 for the client.
    pub const fn status(self) -> u16 {
        match self {
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::WebSocketVersion => 426,
            Self::HeadTooLong
            | Self::TooManyFields
            | Self::FieldNameTooLong
            | Self::TrailersTooLong => 431,
            Self::Method | Self::MethodRefused | Self::TransferEncoding => 501,
            Self::Version => 505,
            _ => 400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_a_client_or_server_error() {
        assert_eq!(Malformed::LineEnd.status(), 400);
        assert_eq!(Malformed::HeadTooLong.status(), 431);
        assert_eq!(Malformed::TransferEncoding.status(), 501);
        assert_eq!(Malformed::Version.status(), 505);
    }
}
