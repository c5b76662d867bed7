//! The fields of a head, and what they say together.

use super::{
    Limits, MAX_FIELDS, MAX_HEAD, MAX_NAME, Malformed, Name,
    body::{content_length, is_chunked},
    connection::{self, Options},
    diagnosis::Side,
    upgrade,
};

/// The fields of a head: in order, in the sender's case, without an allocation.
#[derive(Clone)]
pub struct Fields<'b> {
    head: &'b [u8],
    spans: [Span; MAX_FIELDS],
    count: usize,
}

/// One field of a head.
#[derive(Clone, Copy)]
pub struct Field<'b> {
    head: &'b [u8],
    span: Span,
}

/// Where a field lies in its head, and what is known about it. A head has at most 65535 bytes, a
/// name at most 255, so that 128 of these fit into a kilobyte.
#[derive(Clone, Copy)]
struct Span {
    name: u16,
    name_len: u8,
    known: Name,
    value: u16,
    value_len: u16,
}

impl<'b> Fields<'b> {
    /// The number of fields.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'b>> + Clone + '_ {
        let head = self.head;
        self.spans().iter().map(move |&span| Field { head, span })
    }

    /// The value of the first field of that name, in any case.
    pub fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.iter()
            .find(|field| field.is(name))
            .map(|field| field.value())
    }

    /// The values of all fields of that known name.
    pub fn all(&self, known: Name) -> impl Iterator<Item = &'b [u8]> + '_ {
        self.iter()
            .filter(move |field| field.known() == known)
            .map(|field| field.value())
    }

    /// The options of `Connection`, as written; an option that names a field nominates it.
    pub fn connection_options(&self) -> impl Iterator<Item = &'b [u8]> + '_ {
        self.all(Name::Connection).flat_map(connection::options)
    }

    /// Appends the fields that `keep` wants to `out` as `Name: value CR LF`.
    ///
    /// Neighbours that are in this normal form already are copied in one piece.
    pub fn write(&self, out: &mut Vec<u8>, mut keep: impl FnMut(&Field<'b>) -> bool) {
        let mut run = 0..0;
        for field in self.iter() {
            if !keep(&field) {
                continue;
            }
            let start = usize::from(field.span.name);
            if !field.is_normal() {
                out.extend_from_slice(self.head.get(run).unwrap_or_default());
                run = 0..0;
                field.write(out);
            } else if run.end == start {
                run.end = field.value_end() + 2;
            } else {
                out.extend_from_slice(self.head.get(run).unwrap_or_default());
                run = start..field.value_end() + 2;
            }
        }
        out.extend_from_slice(self.head.get(run).unwrap_or_default());
    }

    /// The still empty fields of a whole head.
    pub(super) fn of(head: &'b [u8], limits: &Limits) -> Result<Self, Malformed> {
        if head.len() > limits.head.min(MAX_HEAD) {
            return Err(Malformed::HeadTooLong);
        }
        if !head.ends_with(b"\r\n\r\n") {
            return Err(Malformed::LineEnd);
        }
        let spans = [Span::EMPTY; MAX_FIELDS];
        Ok(Self {
            head,
            spans,
            count: 0,
        })
    }

    /// Marks the fields that `Connection` names.
    fn nominate(&mut self, side: Side) -> Result<(), Malformed> {
        let head = self.head;
        let spans = self.spans.get_mut(..self.count).unwrap_or_default();
        for index in 0..spans.len() {
            let Some(&span) = spans
                .get(index)
                .filter(|span| span.known == Name::Connection)
            else {
                continue;
            };
            for option in connection::options(Field { head, span }.value()) {
                if connection::is_about_the_connection(option) {
                    continue;
                }
                if side == Side::Request && !connection::may_be_named(option) {
                    return Err(Malformed::ConnectionNames);
                }
                for span in spans.iter_mut().filter(|span| span.known == Name::Other) {
                    let field = Field { head, span: *span };
                    if field.name_bytes().eq_ignore_ascii_case(option) {
                        span.known = Name::Nominated;
                    }
                }
            }
        }
        Ok(())
    }

    fn spans(&self) -> &[Span] {
        self.spans.get(..self.count).unwrap_or_default()
    }
}

impl<'b> Field<'b> {
    /// The name as written.
    pub fn name(&self) -> &'b str {
        // A name is a token, so that it is ASCII.
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    /// The name as written.
    pub fn name_bytes(&self) -> &'b [u8] {
        let start = usize::from(self.span.name);
        self.head
            .get(start..start + usize::from(self.span.name_len))
            .unwrap_or_default()
    }

    /// The value without spaces around it; any byte but control characters (a tab may occur).
    pub fn value(&self) -> &'b [u8] {
        self.head
            .get(usize::from(self.span.value)..self.value_end())
            .unwrap_or_default()
    }

    /// What the name means to a proxy.
    pub const fn known(&self) -> Name {
        self.span.known
    }

    /// Whether it ends here: a connection's own by its name, or because `Connection` names it.
    pub const fn is_hop_by_hop(&self) -> bool {
        self.span.known.is_hop_by_hop()
    }

    /// Whether it has that name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name_bytes().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether a target may take it for `name`: equal but for case, and but for characters that
    /// CGI turns into underscores.
    pub fn is_twin_of(&self, name: &str) -> bool {
        Name::are_twins(self.name_bytes(), name.as_bytes())
    }

    /// Appends it as `Name: value CR LF`; without the space if the value is empty.
    pub fn write(&self, out: &mut Vec<u8>) {
        let value = self.value();
        out.extend_from_slice(self.name_bytes());
        out.extend_from_slice(if value.is_empty() { b":" } else { b": " });
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }

    /// Whether it came as [`write`](Self::write) writes it.
    fn is_normal(&self) -> bool {
        let colon = usize::from(self.span.name) + usize::from(self.span.name_len);
        let end = self.value_end();
        let between = match self.span.value_len {
            0 => end == colon + 1,
            _ => {
                end - usize::from(self.span.value_len) == colon + 2
                    && self.head.get(colon + 1) == Some(&b' ')
            }
        };
        between && self.head.get(end) == Some(&b'\r')
    }

    const fn value_end(&self) -> usize {
        self.span.value as usize + self.span.value_len as usize
    }
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl std::fmt::Debug for Field<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}: {}",
            self.name(),
            self.value().escape_ascii()
        )
    }
}

/// What the fields of a head say together, found in one pass.
#[derive(Default)]
pub(super) struct Said<'b> {
    pub(super) options: Options,
    pub(super) host: Option<&'b [u8]>,
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    pub(super) expects_continue: bool,
    pub(super) te_trailers: bool,
    pub(super) websocket: bool,
    pub(super) websocket_key: Option<&'b [u8]>,
    pub(super) websocket_version: Option<&'b [u8]>,
    once: u32,
}

impl<'b> Said<'b> {
    /// Reads the fields that `httparse` found in the head of `fields`, and fills those.
    pub(super) fn read(
        fields: &mut Fields<'b>,
        found: &[httparse::Header<'b>],
        side: Side,
    ) -> Result<Self, Malformed> {
        let mut said = Self::default();
        fields.count = found.len();
        for (header, span) in found.iter().zip(&mut fields.spans) {
            *span = Span::of(fields.head, header)?;
            said.take(header, span.known, side)?;
        }
        if said.options.nominates {
            fields.nominate(side)?;
        }
        Ok(said)
    }

    fn take(
        &mut self,
        header: &httparse::Header<'b>,
        known: Name,
        side: Side,
    ) -> Result<(), Malformed> {
        let value = header.value;
        if known.stands_once() {
            let bit = 1 << known as u32;
            if self.once & bit != 0 {
                return Err(Malformed::Repeated);
            }
            self.once |= bit;
        }
        match known {
            Name::Other if side == Side::Request && Name::has_twin(header.name.as_bytes()) => {
                return Err(Malformed::Twin);
            }
            Name::Host => self.host = Some(value),
            Name::ContentLength => self.length = Some(content_length(value)?),
            Name::TransferEncoding => self.chunked = is_chunked(value)?,
            Name::Connection => self.options.read(value)?,
            Name::Expect if value.eq_ignore_ascii_case(b"100-continue") => {
                self.expects_continue = true;
            }
            Name::Expect if side == Side::Request => return Err(Malformed::Expectation),
            Name::Te => self.te_trailers |= connection::has_option(value, b"trailers"),
            Name::Upgrade => self.websocket |= upgrade::names_websocket(value),
            Name::SecWebSocketKey => self.websocket_key = Some(value),
            Name::SecWebSocketVersion => self.websocket_version = Some(value),
            _ => {}
        }
        Ok(())
    }
}

impl Span {
    const EMPTY: Self = Self {
        name: 0,
        name_len: 0,
        known: Name::Other,
        value: 0,
        value_len: 0,
    };

    /// Locates a field in its head, and makes sure that the line before it ended in CR LF:
    /// `httparse` takes a bare LF for the same.
    fn of(head: &[u8], header: &httparse::Header<'_>) -> Result<Self, Malformed> {
        let name = offset(head, header.name.as_bytes());
        let before = name.checked_sub(2).and_then(|start| head.get(start..name));
        if before != Some(b"\r\n") {
            return Err(Malformed::LineEnd);
        }
        let short = |number: usize| u16::try_from(number).map_err(|_| Malformed::HeadTooLong);
        const { assert!(MAX_NAME == u8::MAX as usize) };
        Ok(Self {
            name: short(name)?,
            name_len: u8::try_from(header.name.len()).map_err(|_| Malformed::FieldNameTooLong)?,
            known: Name::of(header.name.as_bytes()),
            value: short(offset(head, header.value))?,
            value_len: short(header.value.len())?,
        })
    }
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr())
}
