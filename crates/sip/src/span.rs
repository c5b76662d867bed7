/// From where to where something stands in bytes that both sides know; the end is behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

impl Span {
    /// From `start` to before `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// All of `bytes`.
    pub const fn all(bytes: &[u8]) -> Self {
        Self::new(0, bytes.len())
    }

    /// What stands there; nothing where `bytes` are too short.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The same in bytes that have `offset` more in front.
    #[must_use]
    pub const fn behind(self, offset: usize) -> Self {
        Self::new(self.start + offset, self.end + offset)
    }

    /// How many bytes it covers.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers nothing.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}
