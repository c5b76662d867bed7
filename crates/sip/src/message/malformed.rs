use thiserror::Error;

/// Why bytes are no message, and never become one; whoever sent them is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// The first line is neither `METHOD uri SIP/2.0` nor `SIP/2.0 status reason`.
    #[error("the first line is no request and no answer of SIP")]
    StartLine,
    /// A line ends in a bare CR or a bare LF.
    #[error("a CR or LF of the head stands alone")]
    LineEnd,
    /// A NUL in the head.
    #[error("the head holds a NUL")]
    Nul,
    /// A line of the head that is no header, or whose name is no token.
    #[error("a line of the head is no header")]
    Header,
    /// A folded line with nothing but space, which some read as the end of the head.
    #[error("a folded line is empty")]
    EmptyFold,
    /// The head has more bytes than it may have.
    #[error("the head is too long")]
    HeadTooLong,
    /// The head has more headers than it may have.
    #[error("the head has too many headers")]
    TooManyHeaders,
    /// The message with its body has more bytes than it may have.
    #[error("the message is too long")]
    TooLong,
    /// Two of From, To, Call-ID, `CSeq` or Content-Length.
    #[error("a header that may stand there once stands there twice")]
    Twice,
    /// No From, To, Call-ID, `CSeq` or Via.
    #[error("a header that every message has is missing")]
    Missing,
    /// The Content-Length is no number.
    #[error("the Content-Length is no number")]
    ContentLength,
    /// There is a Content-Type, and nothing says where the body ends.
    #[error("the Content-Length is missing")]
    NoContentLength,
    /// The `CSeq` is not a number and a method, or names another method than the request.
    #[error("the CSeq is not a number and the method of the request")]
    CSeq,
}
