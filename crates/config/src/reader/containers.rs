//! Values that hold others: lists, what may be missing, sections with names.

use toml::de::DeValue;

use super::words::{entry_path, header, plain, quoted, shown};
use super::{Node, Reader, Section, TableReader, Value};
use crate::definition::Shape;
use crate::place::join;
use crate::value::name_fault;

/// Sections under names of the operator's choice (`[network.lan]`), in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named<T> {
    pub(crate) entries: Vec<T>,
    /// Every name the file gives, those of faulty sections included.
    pub(crate) names: Vec<String>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            names: Vec::new(),
        }
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
            all.entries
                .extend(reader.named_section(&Node { path, value }, name));
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
            T::read(
                reader,
                &Node {
                    path: entry_path(&node.path, index, value),
                    value,
                },
            )
        });
        Some(entries.collect())
    }

    fn absent(_: &mut TableReader<'_, '_, '_>, _: &'static str) -> Option<Self> {
        Some(Self::new())
    }
}
