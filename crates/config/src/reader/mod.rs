//! Walks the TOML tree: finds every key that is unknown, missing or of the wrong shape, and goes
//! on with what a file without that key would mean, so that one fault does not hide the next.

mod containers;
mod table;
mod words;

pub(crate) use containers::Named;
pub(crate) use table::{TableReader, empty_section};
pub(crate) use words::{quoted, shown};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::definition::{Field, Shape};
use crate::fault::Report;
use crate::nearest::instead;
use crate::place::{Lines, Place};
use words::{describe, header, plain};

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
    fn about() -> crate::definition::About;
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
        Self {
            lines,
            report: Report::default(),
            secrets: Vec::new(),
            files: Vec::new(),
        }
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
        self.fault(
            node,
            format!("{} is not known here", quoted(word)),
            instead(word, known),
        );
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
        let place = Place {
            path: String::new(),
            line: 1,
            column: 1,
        };
        T::read(&mut TableReader::new(self, table, place, String::new()))
    }
}

/// How to write a section: short ones in one line.
fn below<T: Section>(node: &Node<'_>) -> String {
    let key = node.path.rsplit('.').next().unwrap_or_default();
    let about = T::about();
    match about.fields.first() {
        Some(Field {
            key: inner,
            example: Some(example),
            default: None,
            ..
        }) if about.fields.len() <= 4 && !key.ends_with(']') => {
            format!("write for example {key} = {{ {inner} = {example} }}")
        }
        _ => format!("write [{}] and its keys below", header(&node.path)),
    }
}
