//! Chunked bodies (RFC 9112 section 7.1): reading them strictly, and the little it takes to write them.

use std::ops::Range;

use httparse::{EMPTY_HEADER, Status};

use super::{Limits, Malformed, Name, trim_ows};

/// What ends a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// The most bytes [`write_chunk_header`] writes.
pub const CHUNK_HEADER_MAX: usize = 18;

/// The most trailers of a body.
const MAX_TRAILERS: usize = 32;
/// The most digits of a chunk size; sixteen would reach 2^63.
const MAX_DIGITS: u8 = 15;

/// Takes a chunked body apart, however it is cut into reads.
///
/// It keeps no data but the trailers, and those only up to [`Limits::trailers`].
#[derive(Clone, Debug)]
pub struct ChunkDecoder {
    state: State,
    /// What is left of the chunk.
    remaining: u64,
    /// Bytes of data and of extensions so far.
    data: u64,
    extensions: u64,
    trailers: Vec<u8>,
    max_extension: usize,
    max_trailers: usize,
}

/// What one call of [`ChunkDecoder::decode`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Where in the input the data is; empty if there is none yet.
    pub data: Range<usize>,
    /// The bytes of the input that are done with, the data included.
    pub consumed: usize,
    /// Whether the body and its trailers are complete; what follows `consumed` is the next message.
    pub finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size, so many of them.
    Size(u8),
    /// In the extensions, so many bytes of them.
    Extension(usize),
    /// Behind the CR of the size line.
    SizeEnd,
    Data,
    /// Behind the data.
    DataCr,
    DataLf,
    Trailers,
    Finished,
    Failed(Malformed),
}

impl ChunkDecoder {
    /// A decoder at the beginning of a body.
    pub const fn new(limits: &Limits) -> Self {
        Self {
            state: State::Size(0),
            remaining: 0,
            data: 0,
            extensions: 0,
            trailers: Vec::new(),
            max_extension: limits.extension,
            max_trailers: limits.trailers,
        }
    }

    /// Reads on: past what frames the data, the first run of data, and what frames that.
    ///
    /// Call again with what is left while something is left and it is not finished. All input is
    /// consumed unless more data follows or the body ends.
    ///
    /// # Errors
    /// The peer's; then every later call says the same.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, Malformed> {
        let start = self.skip_framing(input, 0)?;
        let mut end = start;
        if self.state == State::Data {
            let available = input.len() - start;
            let taken = usize::try_from(self.remaining)
                .unwrap_or(usize::MAX)
                .min(available);
            end += taken;
            self.remaining -= taken as u64;
            self.data = self.data.saturating_add(taken as u64);
            if self.remaining == 0 {
                self.state = State::DataCr;
            }
        }
        let consumed = if self.state == State::Data {
            end
        } else {
            self.skip_framing(input, end)?
        };
        let finished = self.state == State::Finished;
        Ok(Decoded {
            data: start..end,
            consumed,
            finished,
        })
    }

    /// What is left of the chunk that is being read; the size of a chunk right before its data.
    pub const fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The trailers of a finished body as name and value, without spaces around the value.
    ///
    /// Those that have a meaning in the head only are left out: servers put them there late, so
    /// that they are no reason to break off, but some recipients take them for the head's.
    pub fn trailers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.trailers
            .split(|&byte| byte == b'\n')
            .filter_map(|line| {
                let colon = line.iter().position(|&byte| byte == b':')?;
                let (name, value) = line.split_at_checked(colon)?;
                let value = value.strip_prefix(b":")?;
                let value = value.strip_suffix(b"\r").unwrap_or(value);
                if Name::is_head_only(name) {
                    return None;
                }
                Some((std::str::from_utf8(name).ok()?, trim_ows(value)))
            })
    }

    /// Reads from `at` up to data, the end of the body, or the end of the input; says where.
    fn skip_framing(&mut self, input: &[u8], mut at: usize) -> Result<usize, Malformed> {
        while let Some(&byte) = input.get(at) {
            match self.state {
                State::Data | State::Finished => break,
                State::Failed(fault) => return Err(fault),
                _ => {}
            }
            at += 1;
            self.state = self
                .next(byte)
                .inspect_err(|&fault| self.state = State::Failed(fault))?;
        }
        match self.state {
            State::Failed(fault) => Err(fault),
            _ => Ok(at),
        }
    }

    fn next(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.state, byte) {
            (State::Size(0), b'\r' | b';') => Err(Malformed::ChunkSize),
            (State::Size(_) | State::Extension(_), b'\r') => Ok(State::SizeEnd),
            (State::Size(_), b';') => self.extension(0),
            (State::Size(count), _) => self.size(count, byte),
            // A bare LF here ends the line to some, and not to others.
            (State::Extension(count), b'\t' | b' '..=b'~' | 0x80..) => self.extension(count),
            (State::Extension(_), _) => Err(Malformed::ChunkExtension),
            (State::SizeEnd, b'\n') if self.remaining == 0 => Ok(State::Trailers),
            (State::SizeEnd, b'\n') => Ok(State::Data),
            (State::SizeEnd, _) => Err(Malformed::LineEnd),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size(0)),
            (State::DataCr | State::DataLf, _) => Err(Malformed::ChunkEnd),
            (State::Trailers, _) => self.trailer(byte),
            (state @ (State::Data | State::Finished | State::Failed(_)), _) => Ok(state),
        }
    }

    fn size(&mut self, count: u8, byte: u8) -> Result<State, Malformed> {
        let digit = char::from(byte).to_digit(16).ok_or(Malformed::ChunkSize)?;
        if count == MAX_DIGITS {
            return Err(Malformed::ChunkSize);
        }
        // What was left of the last chunk is zero, so that it can hold the next size.
        self.remaining = self.remaining << 4 | u64::from(digit);
        Ok(State::Size(count + 1))
    }

    /// Counts a byte of extension, its semicolon included.
    fn extension(&mut self, count: usize) -> Result<State, Malformed> {
        self.extensions += 1;
        // An honest sender adds a signature to a large chunk; one that adds a kilobyte to each
        // byte wants us to read for nothing.
        let all = self.max_extension as u64 * 4 + self.data / 16;
        if count >= self.max_extension || self.extensions > all {
            return Err(Malformed::ChunkExtension);
        }
        Ok(State::Extension(count + 1))
    }

    fn trailer(&mut self, byte: u8) -> Result<State, Malformed> {
        let previous = self.trailers.last().copied();
        if (byte == b'\n') != (previous == Some(b'\r')) {
            return Err(Malformed::LineEnd);
        }
        if self.trailers.len() >= self.max_trailers.max(2) {
            return Err(Malformed::TrailersTooLong);
        }
        self.trailers.push(byte);
        if self.trailers == b"\r\n" || self.trailers.ends_with(b"\r\n\r\n") {
            check_trailers(&self.trailers)?;
            return Ok(State::Finished);
        }
        Ok(State::Trailers)
    }
}

/// Checks a whole trailer section, its empty line included.
fn check_trailers(section: &[u8]) -> Result<(), Malformed> {
    let mut storage = [EMPTY_HEADER; MAX_TRAILERS];
    let found = match httparse::parse_headers(section, &mut storage) {
        Ok(Status::Complete((_, found))) => found,
        Ok(Status::Partial) => return Err(Malformed::LineEnd),
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed::TrailersTooLong),
        Err(httparse::Error::HeaderName) if has_folded_line(section) => {
            return Err(Malformed::Folded);
        }
        Err(httparse::Error::HeaderName) => return Err(Malformed::FieldName),
        Err(_) => return Err(Malformed::FieldValue),
    };
    // RFC 9110 section 6.5.1: what frames, routes, authenticates or describes the content.
    let harmless = |header: &httparse::Header<'_>| {
        let name = header.name.as_bytes();
        let about_content = name
            .first_chunk::<8>()
            .is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
        Name::of(name) == Name::Other && !about_content && !Name::has_twin(name)
    };
    if found.iter().all(harmless) {
        Ok(())
    } else {
        Err(Malformed::TrailerName)
    }
}

fn has_folded_line(section: &[u8]) -> bool {
    section
        .split(|&byte| byte == b'\n')
        .any(|line| matches!(line, [b' ' | b'\t', ..]))
}

/// Writes the line before a chunk of `len` bytes, which must not be 0; the chunk is to be followed
/// by CR LF.
pub fn write_chunk_header(len: u64, line: &mut [u8; CHUNK_HEADER_MAX]) -> &[u8] {
    let mut start = CHUNK_HEADER_MAX;
    let mut rest = len;
    let mut put = |byte: u8| {
        start = start.saturating_sub(1);
        if let Some(place) = line.get_mut(start) {
            *place = byte;
        }
    };
    put(b'\n');
    put(b'\r');
    loop {
        let digit = u32::try_from(rest & 0xf).unwrap_or_default();
        put(char::from_digit(digit, 16).map_or(b'0', |digit| digit as u8));
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    line.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a body in pieces of `step` bytes; gives the data and what was left over.
    fn feed(body: &[u8], step: usize) -> Result<(Vec<u8>, usize, ChunkDecoder), Malformed> {
        let mut decoder = ChunkDecoder::new(&Limits::default());
        let mut data = Vec::new();
        let mut at = 0;
        while at < body.len() {
            let piece = &body[at..body.len().min(at + step)];
            let found = decoder.decode(piece)?;
            data.extend_from_slice(&piece[found.data]);
            at += found.consumed;
            if found.finished {
                return Ok((data, at, decoder));
            }
        }
        Ok((data, usize::MAX, decoder))
    }

    #[test]
    fn bodies_are_read_however_they_are_cut() {
        let table: [(&str, &str, usize); 5] = [
            ("0\r\n\r\n", "", 0),
            ("5\r\nhello\r\n0\r\n\r\nGET /", "hello", 5),
            (
                "5;a=b\r\nhello\r\n6;c=\"d\r\n world\r\n000\r\n\r\n",
                "hello world",
                0,
            ),
            ("A\r\n0123456789\r\n00;x\r\n\r\n", "0123456789", 0),
            ("1\r\na\r\n0\r\nX-Sum: 1 \r\nb:\r\n\r\nrest", "a", 4),
        ];
        for (body, expected, rest) in table {
            for step in 1..=body.len() {
                let (data, end, _) = feed(body.as_bytes(), step).expect(body);
                assert_eq!(data, expected.as_bytes(), "{body:?} by {step}");
                assert_eq!(end, body.len() - rest, "{body:?} by {step}");
            }
        }
        let (_, _, decoder) = feed(table[4].0.as_bytes(), 3).unwrap();
        let trailers: Vec<_> = decoder.trailers().collect();
        assert_eq!(trailers, [("X-Sum", &b"1"[..]), ("b", b"")]);
    }

    #[test]
    fn a_whole_small_body_takes_one_call() {
        let mut decoder = ChunkDecoder::new(&Limits::default());
        let found = decoder.decode(b"5\r\nhello\r\n0\r\n\r\n").unwrap();
        assert_eq!(
            found,
            Decoded {
                data: 3..8,
                consumed: 15,
                finished: true
            }
        );
        let after = decoder.decode(b"GET").unwrap();
        assert_eq!(
            after,
            Decoded {
                data: 0..0,
                consumed: 0,
                finished: true
            }
        );
    }

    #[test]
    fn a_fault_stays_a_fault() {
        let mut decoder = ChunkDecoder::new(&Limits::default());
        assert_eq!(decoder.decode(b"x"), Err(Malformed::ChunkSize));
        assert_eq!(decoder.decode(b"0\r\n\r\n"), Err(Malformed::ChunkSize));
        assert_eq!(decoder.decode(b""), Err(Malformed::ChunkSize));
    }

    #[test]
    fn extensions_must_be_paid_for_with_data() {
        let limits = Limits {
            extension: 100,
            ..Limits::default()
        };
        let mut decoder = ChunkDecoder::new(&limits);
        let small = format!("1;{}\r\na\r\n", "x".repeat(90));
        let outcome = (0..10).try_for_each(|_| decoder.decode(small.as_bytes()).map(drop));
        assert_eq!(outcome, Err(Malformed::ChunkExtension));
        let mut decoder = ChunkDecoder::new(&limits);
        let large = format!("10000;{}\r\n{}\r\n", "x".repeat(90), "d".repeat(0x10000));
        for _ in 0..100 {
            assert!(decoder.decode(large.as_bytes()).is_ok());
        }
    }

    #[test]
    fn headers_of_chunks_are_hexadecimal() {
        let mut line = [0; CHUNK_HEADER_MAX];
        assert_eq!(write_chunk_header(1, &mut line), b"1\r\n");
        assert_eq!(write_chunk_header(0x1f0a, &mut line), b"1f0a\r\n");
        assert_eq!(
            write_chunk_header(u64::MAX, &mut line),
            b"ffffffffffffffff\r\n"
        );
    }
}
