//! Where a setting stands in the file, and how a fault names that place.

use std::ops::Range;

/// A place in the file: what a fault points to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Dotted path as an operator reads it: `host["hq.example"].http[1].target`.
    pub(crate) path: String,
    /// 1-based line.
    pub(crate) line: u32,
    /// 1-based column, in characters.
    pub(crate) column: u32,
}

/// Where one table stands, and where each of its keys does.
///
/// Two of them are always equal: where a setting stands is no part of what it says, so that a
/// line moved does not look like a setting changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct At {
    pub(crate) place: Place,
    keys: Vec<(String, Place)>,
    broken: Vec<&'static str>,
}

impl At {
    /// A table whose header stands at `place`.
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            keys: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// The place of a key of this table (`access`) or of one entry of its list
    /// (`access[2]`); that of the table when the file does not hold it.
    pub(crate) fn key(&self, key: &str) -> Place {
        let found = |key: &str| self.keys.iter().find(|(name, _)| name == key);
        let list = key.split_once('[').map_or(key, |(list, _)| list);
        if let Some((_, place)) = found(key).or_else(|| found(list)) {
            return place.clone();
        }
        Place {
            path: join(&self.place.path, list),
            ..self.place.clone()
        }
    }

    /// The place of entry `index` (counted from 0) of the list `key`.
    pub(crate) fn entry(&self, key: &str, index: usize) -> Place {
        self.key(&format!("{key}[{}]", index + 1))
    }

    /// Whether the file holds this key, readable or not.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.keys.iter().any(|(name, _)| name == key)
    }

    /// How many entries the file gives the list `key`, readable or not.
    pub(crate) fn count(&self, key: &str) -> usize {
        let entry = |name: &str| {
            name.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with('['))
        };
        self.keys.iter().filter(|(name, _)| entry(name)).count()
    }

    /// Whether the value of this key could not be read, so that a rule about it would only
    /// repeat the fault in other words.
    pub(crate) fn is_broken(&self, key: &str) -> bool {
        self.broken.contains(&key)
    }

    pub(crate) fn note_key(&mut self, key: impl Into<String>, place: Place) {
        self.keys.push((key.into(), place));
    }

    pub(crate) fn note_broken(&mut self, key: &'static str) {
        self.broken.push(key);
    }
}

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for At {}

/// Appends a key to a path.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Byte offsets of a text to lines and columns.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// Line and column (both from 1) of a byte offset; one past the end is the end.
    pub(crate) fn position(&self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = self.text.get(self.starts[line]..offset).unwrap_or_default();
        let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        // Nobody counts columns in a line of this length, and neither do we, entry by entry.
        let long = before.len() > 4096;
        let column = if long {
            before.len()
        } else {
            before.chars().count()
        };
        (narrow(line + 1), narrow(column + 1))
    }

    pub(crate) fn place(&self, path: impl Into<String>, span: &Range<usize>) -> Place {
        let (line, column) = self.position(span.start);
        Place {
            path: path.into(),
            line,
            column,
        }
    }

    /// The text of a line (from 1), without its end.
    pub(crate) fn line(&self, line: u32) -> &'t str {
        let index = (line as usize).saturating_sub(1);
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let end = self
            .starts
            .get(index + 1)
            .copied()
            .unwrap_or(self.text.len());
        self.text
            .get(start..end)
            .unwrap_or_default()
            .trim_end_matches(['\r', '\n'])
    }
}
