//! Walks the TOML tree: finds every key that is unknown, missing or of the wrong shape, and goes
//! on with what a file without that key would mean, so that one fault does not hide the next.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::definition::{About, Field, Shape};
use crate::fault::Report;
use crate::nearest::{instead, nearest};
use crate::place::{At, Lines, Place, join};
use crate::value::name_fault;

/// What is said of a key that the file must hold.
pub(crate) const MISSING: &str = "is missing";

/// Something a key can hold.
pub(crate) trait Value: Sized {
    /// What it looks like in the file.
    fn shape() -> Shape;

    /// Reads it; reports what is wrong with it and gives `None` when nothing is left.
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self>;

    /// What a file without the key means; by default that the key is missing.
    fn absent(parent: &mut TableReader<'_, '_, '_>, key: &'static str) -> Option<Self> {
        parent.missing(key, None);
        None
    }

    /// What is gone on with after a fault, where there is no default.
    fn recover() -> Option<Self> {
        None
    }
}

/// A table of the file, as declared with [`section!`](crate::definition::section).
pub(crate) trait Section: Sized {
    fn about() -> About;
    fn read(table: &mut TableReader<'_, '_, '_>) -> Option<Self>;
}

/// A value of the file and the path to it.
#[derive(Debug)]
pub(crate) struct Node<'n> {
    pub(crate) path: String,
    pub(crate) value: &'n Spanned<DeValue<'n>>,
}

/// What is learned while a file is read.
pub(crate) struct Reader<'t> {
    pub(crate) lines: Lines<'t>,
    pub(crate) report: Report,
    /// Every secret the file names.
    pub(crate) secrets: Vec<(Place, String)>,
    /// Every certificate or key file the file names.
    pub(crate) files: Vec<(Place, String)>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let lines = Lines::new(text);
        Self { lines, report: Report::default(), secrets: Vec::new(), files: Vec::new() }
    }

    pub(crate) fn place(&self, node: &Node<'_>) -> Place {
        self.lines.place(node.path.clone(), &node.value.span())
    }

    pub(crate) fn fault(
        &mut self,
        node: &Node<'_>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report.fault(self.place(node), what, remedy);
    }

    /// Reports a value of the wrong kind.
    pub(crate) fn wrong(&mut self, node: &Node<'_>, wanted: &str, remedy: impl Into<String>) {
        let what = format!("{} is not {wanted}", describe(node.value.get_ref()));
        self.fault(node, what, remedy);
    }

    pub(crate) fn unknown_word(&mut self, node: &Node<'_>, word: &str, known: &[&str]) {
        self.fault(node, format!("{} is not known here", quoted(word)), instead(word, known));
    }

    /// The string a value holds.
    pub(crate) fn text<'n>(&mut self, node: &Node<'n>) -> Option<&'n str> {
        match node.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            DeValue::Table(_) | DeValue::Array(_) => {
                self.wrong(node, "a string", "write one value in quotes");
                None
            }
            other => {
                let plain = plain(other);
                self.wrong(node, "a string", format!("put it in quotes: \"{plain}\""));
                None
            }
        }
    }

    /// Reads a section from a table of the file.
    pub(crate) fn section<T: Section>(&mut self, node: &Node<'_>) -> Option<T> {
        self.named_section(node, String::new())
    }

    fn named_section<T: Section>(&mut self, node: &Node<'_>, name: String) -> Option<T> {
        let place = self.place(node);
        let DeValue::Table(table) = node.value.get_ref() else {
            let remedy = match node.value.get_ref() {
                DeValue::Array(_) => format!("there is only one: write [{}]", header(&node.path)),
                _ => below::<T>(node),
            };
            self.wrong(node, "a section", remedy);
            return None;
        };
        let mut table = TableReader::new(self, table, place, name);
        T::read(&mut table)
    }

    /// Reads a whole file.
    pub(crate) fn root<T: Section>(&mut self, table: &DeTable<'_>) -> Option<T> {
        let place = Place { path: String::new(), line: 1, column: 1 };
        T::read(&mut TableReader::new(self, table, place, String::new()))
    }
}

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
        Self { reader, table, name, at: At::new(place), known: Vec::new() }
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
        let node = Node { path: join(&self.at.place.path, key), value };
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
        read.or_else(|| default.and_then(read_default)).or_else(T::recover)
    }

    /// What a section means that is not there: its defaults, or the keys it misses.
    pub(crate) fn absent_section<T: Section>(&mut self, key: &'static str) -> Option<T> {
        let table = DeTable::new();
        let place = Place { path: join(&self.at.place.path, key), ..self.at.place.clone() };
        T::read(&mut TableReader::new(self.reader, &table, place, String::new()))
    }

    pub(crate) fn missing(&mut self, key: &'static str, example: Option<&str>) {
        let place = self.at.place.clone();
        let path = join(&place.path, key);
        let remedy = match example {
            Some(example) => format!("write for example `{key} = {example}`"),
            None => format!("write [{}]", header(&path)),
        };
        self.at.note_broken(key);
        self.reader.report.fault(Place { path, ..place }, MISSING, remedy);
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
        let place = self.reader.lines.place(join(&self.at.place.path, &shown(key)), span);
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
                let entry = Node { path: entry_path(&node.path, index, value), value };
                self.at.note_key(format!("{key}[{}]", index + 1), self.reader.place(&entry));
            }
        }
    }
}

/// Sections under names of the operator's choice (`[network.lan]`), in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named<T> {
    pub(crate) entries: Vec<T>,
    /// Every name the file gives, those of faulty sections included.
    pub(crate) names: Vec<String>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), names: Vec::new() }
    }
}

impl<T: Section> Value for Named<T> {
    fn shape() -> Shape {
        Shape::Named(T::about())
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let mut all = Self::default();
        let DeValue::Table(table) = node.value.get_ref() else {
            let remedy = format!("write [{}.NAME] and its keys below", header(&node.path));
            reader.wrong(node, "a section", remedy);
            return Some(all);
        };
        let mut tables: Vec<_> = table.iter().collect();
        tables.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in tables {
            let name = key.get_ref().to_string();
            let path = join(&node.path, &shown(&name));
            if let Some((what, remedy)) = name_fault(&name) {
                let place = reader.lines.place(path.clone(), &key.span());
                reader.report.fault(place, what, remedy);
            }
            all.names.push(name.clone());
            all.entries.extend(reader.named_section(&Node { path, value }, name));
        }
        Some(all)
    }

    fn absent(_: &mut TableReader<'_, '_, '_>, _: &'static str) -> Option<Self> {
        Some(Self::default())
    }
}

impl<T: Value> Value for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        Some(T::read(reader, node))
    }

    fn absent(_: &mut TableReader<'_, '_, '_>, _: &'static str) -> Option<Self> {
        Some(None)
    }
}

impl<T: Value> Value for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let DeValue::Array(entries) = node.value.get_ref() else {
            let remedy = match (T::shape(), node.value.get_ref()) {
                (Shape::Section(_), DeValue::Table(_)) => {
                    format!("there can be several: write [[{}]]", header(&node.path))
                }
                (Shape::Section(_), _) => {
                    format!("write [[{}]] and its keys below", header(&node.path))
                }
                (_, DeValue::String(text)) => format!("put it in brackets: [{}]", quoted(text)),
                (_, DeValue::Table(_)) => "write its values in brackets: [ ]".to_owned(),
                (_, other) => format!("put it in brackets: [{}]", plain(other)),
            };
            reader.wrong(node, "a list", remedy);
            return Some(Self::new());
        };
        let entries = entries.iter().enumerate().filter_map(|(index, value)| {
            T::read(reader, &Node { path: entry_path(&node.path, index, value), value })
        });
        Some(entries.collect())
    }

    fn absent(_: &mut TableReader<'_, '_, '_>, _: &'static str) -> Option<Self> {
        Some(Self::new())
    }
}

/// A value as a fault shows it: short, and without characters that could mislead a terminal.
pub(crate) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{}{dots}\"", cut.escape_debug().to_string().replace("\\'", "'"))
}

/// The path of an entry of a list: by its name if it has one, else by its number from 1.
fn entry_path(list: &str, index: usize, value: &Spanned<DeValue<'_>>) -> String {
    let name = value.get_ref().as_table().and_then(|table| table.get("name"));
    match name.and_then(|name| name.get_ref().as_str()) {
        Some(name) => format!("{list}[{}]", quoted(name)),
        None => format!("{list}[{}]", index + 1),
    }
}

/// A path as a TOML header: without numbers and names of list entries.
fn header(path: &str) -> String {
    let mut plain = String::new();
    let mut quoted = false;
    let mut depth = 0_u32;
    for letter in path.chars() {
        match letter {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            letter if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain
}

/// A key as a path shows it.
fn shown(key: &str) -> Cow<'_, str> {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) { Cow::Borrowed(key) } else { quoted(key).into() }
}

/// How to write a section: short ones in one line.
fn below<T: Section>(node: &Node<'_>) -> String {
    let key = node.path.rsplit('.').next().unwrap_or_default();
    let about = T::about();
    match about.fields.first() {
        Some(Field { key: inner, example: Some(example), default: None, .. })
            if about.fields.len() <= 4 && !key.ends_with(']') =>
        {
            format!("write for example {key} = {{ {inner} = {example} }}")
        }
        _ => format!("write [{}] and its keys below", header(&node.path)),
    }
}

fn is_empty(node: &Node<'_>) -> bool {
    matches!(node.value.get_ref(), DeValue::Array(entries) if entries.is_empty())
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
        other => plain(other),
    }
}

fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.chars().take(60).collect(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "[ ]".to_owned(),
        DeValue::Table(_) => "{ }".to_owned(),
    }
}

/// A section as it is without any key, if it needs none.
pub(crate) fn empty_section<T: Section>() -> Option<T> {
    Reader::new("").root(&DeTable::new())
}

/// Reads the default of a field; a test reads them all once.
fn read_default<T: Value>(text: &'static str) -> Option<T> {
    let value = DeValue::parse(text).ok()?;
    let node = Node { path: String::new(), value: &value };
    T::read(&mut Reader::new(text), &node)
}
