//! One table of the file, key by key.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::words::{entry_path, header, shown};
use super::{MISSING, Node, Reader, Section, Value};
use crate::nearest::nearest;
use crate::place::{At, Place, join};

/// Reads the keys of one table.
pub(crate) struct TableReader<'r, 't, 'n> {
    reader: &'r mut Reader<'t>,
    table: &'n DeTable<'n>,
    name: String,
    at: At,
    known: Vec<&'static str>,
}

impl<'r, 't, 'n> TableReader<'r, 't, 'n> {
    pub(crate) fn new(
        reader: &'r mut Reader<'t>,
        table: &'n DeTable<'n>,
        place: Place,
        name: String,
    ) -> Self {
        Self {
            reader,
            table,
            name,
            at: At::new(place),
            known: Vec::new(),
        }
    }

    /// The name of a section that has one (`[network.lan]`: "lan").
    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    /// Reads one key, its default where the file does not hold it, or reports it missing.
    pub(crate) fn take<T: Value>(
        &mut self,
        key: &'static str,
        default: Option<&'static str>,
        required: Option<&'static str>,
    ) -> Option<T> {
        self.known.push(key);
        let table = self.table;
        let Some(value) = table.get(key) else {
            return match (default, required) {
                (Some(text), _) => read_default(text),
                (None, Some(example)) => {
                    self.missing(key, Some(example));
                    T::recover()
                }
                (None, None) => T::absent(self, key),
            };
        };
        let node = Node {
            path: join(&self.at.place.path, key),
            value,
        };
        self.note(key, &node);
        let before = self.reader.report.faults.len();
        let read = T::read(self.reader, &node);
        if required.is_some() && self.reader.report.faults.len() == before && is_empty(&node) {
            let example = required.unwrap_or_default();
            let remedy = format!("write at least one, for example `{key} = {example}`");
            self.reader.fault(&node, "is empty", remedy);
        }
        if self.reader.report.faults.len() > before {
            self.at.note_broken(key);
        }
        read.or_else(|| default.and_then(read_default))
            .or_else(T::recover)
    }

    /// What a section means that is not there: its defaults, or the keys it misses.
    pub(crate) fn absent_section<T: Section>(&mut self, key: &'static str) -> Option<T> {
        let table = DeTable::new();
        let place = Place {
            path: join(&self.at.place.path, key),
            ..self.at.place.clone()
        };
        T::read(&mut TableReader::new(
            self.reader,
            &table,
            place,
            String::new(),
        ))
    }

    pub(crate) fn missing(&mut self, key: &'static str, example: Option<&str>) {
        let place = self.at.place.clone();
        let path = join(&place.path, key);
        let remedy = match example {
            Some(example) => format!("write for example `{key} = {example}`"),
            None => format!("write [{}]", header(&path)),
        };
        self.at.note_broken(key);
        self.reader
            .report
            .fault(Place { path, ..place }, MISSING, remedy);
    }

    /// Reports the keys nobody asked for, and gives the places of the others.
    pub(crate) fn finish(&mut self) -> At {
        let mut unknown: Vec<_> = self
            .table
            .iter()
            .filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref()))
            .map(|(key, _)| (key.span(), key.get_ref().to_string()))
            .collect();
        unknown.sort_by_key(|(span, _)| span.start);
        for (span, key) in unknown {
            self.unknown_key(&span, &key);
        }
        std::mem::take(&mut self.at)
    }

    fn unknown_key(&mut self, span: &Range<usize>, key: &str) {
        let place = self
            .reader
            .lines
            .place(join(&self.at.place.path, &shown(key)), span);
        let near = nearest(key, self.known.iter().copied());
        let remedy = match (near, crate::sections::homes(key)) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, homes) if !homes.is_empty() => {
                format!("it belongs to {}", homes.join(" or "))
            }
            (None, _) => {
                let known: Vec<_> = self.known.iter().map(|key| format!("`{key}`")).collect();
                match known.as_slice() {
                    [] => "nothing may stand here".to_owned(),
                    known => format!("known here: {}", known.join(", ")),
                }
            }
        };
        self.reader.report.fault(place, "unknown key", remedy);
    }

    fn note(&mut self, key: &'static str, node: &Node<'_>) {
        self.at.note_key(key, self.reader.place(node));
        if let DeValue::Array(entries) = node.value.get_ref() {
            for (index, value) in entries.iter().enumerate() {
                let entry = Node {
                    path: entry_path(&node.path, index, value),
                    value,
                };
                self.at
                    .note_key(format!("{key}[{}]", index + 1), self.reader.place(&entry));
            }
        }
    }
}

fn is_empty(node: &Node<'_>) -> bool {
    matches!(node.value.get_ref(), DeValue::Array(entries) if entries.is_empty())
}

/// A section as it is without any key, if it needs none.
pub(crate) fn empty_section<T: Section>() -> Option<T> {
    Reader::new("").root(&DeTable::new())
}

/// Reads the default of a field; a test reads them all once.
fn read_default<T: Value>(text: &'static str) -> Option<T> {
    let value = DeValue::parse(text).ok()?;
    let node = Node {
        path: String::new(),
        value: &value,
    };
    T::read(&mut Reader::new(text), &node)
}
