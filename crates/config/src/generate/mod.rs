//! What is generated from the definition of the settings: `configs/reference.toml`,
//! `docs/configuration.md` and `docs/schema.json`.

mod documentation;
mod json;
mod reference;
mod schema;

pub use documentation::documentation;
pub use reference::reference;
pub use schema::json_schema;

use crate::definition::{About, Field, Shape};

/// The lines of a documentation comment, without the space that rustdoc wants before each.
fn lines<'d>(doc: &'d [&'d str]) -> impl Iterator<Item = &'d str> {
    doc.iter().map(|line| line.trim())
}

/// A documentation comment as one paragraph.
fn paragraph(doc: &[&str]) -> String {
    lines(doc).collect::<Vec<_>>().join(" ")
}

/// The section a field holds, and how its header is written below `path`.
fn section<'f>(field: &'f Field, path: &str) -> Option<(&'f About, Header)> {
    let inner = crate::place::join(path, field.key);
    match &field.shape {
        Shape::Section(about) => Some((
            about,
            Header {
                path: inner,
                several: false,
            },
        )),
        Shape::Named(about) => {
            let name = field.example.unwrap_or("NAME").trim_matches('"');
            Some((
                about,
                Header {
                    path: format!("{inner}.{name}"),
                    several: false,
                },
            ))
        }
        Shape::List(entry) => match entry.as_ref() {
            Shape::Section(about) => Some((
                about,
                Header {
                    path: inner,
                    several: true,
                },
            )),
            _ => None,
        },
        _ => None,
    }
}

/// The header of a section: `[path]`, or `[[path]]` where there can be several.
struct Header {
    path: String,
    several: bool,
}

impl std::fmt::Display for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.several {
            write!(f, "[[{}]]", self.path)
        } else {
            write!(f, "[{}]", self.path)
        }
    }
}
