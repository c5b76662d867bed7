//! `docs/configuration.md`: every section and key, for people.

use std::fmt::Write as _;

use super::{paragraph, section};
use crate::definition::{About, Field, Shape, Word};
use crate::reader::Section as _;
use crate::sections::File;

const HEAD: &str = r#"# Configuration

Generated from the definition of the settings in `crates/config`; `configs/reference.toml` holds
every key once, `docs/schema.json` is for editors.

One TOML file says everything. `gatehouse check FILE` prints every fault at once, with its line and
what would be right; `gatehouse check --tables FILE` also prints what follows from the file: where
the box listens, names of certificates, DNS records, and the port forwards that a router upstream
needs.

Values that occur everywhere:

- **Durations** are strings with units: `"250ms"`, `"30s"`, `"5m"`, `"1h30m"`, `"7d"`.
- **Sizes** are strings with units: `"64KiB"`, `"500MB"` (MB is 1000 kB, MiB is 1024 KiB).
- **Targets** are `address`, `address:port` or `scheme://address[:port]`. A bare address is reached on
  the standard ports: plain for what came in plain, over TLS for what came in over TLS. With a port
  or a scheme there is one port for both.
- **Networks** are written as `192.168.10.0/24`; one address stands for itself.
- **Secrets** are never in the file: `{ secret = "NAME" }` refers to the store of the box, where
  `gatehouse secret set NAME` puts the value.
- **Zones** are named by `[network.NAME]`. Listeners take zones, not addresses.
"#;

/// The text of `docs/configuration.md`.
pub fn documentation() -> String {
    let mut text = HEAD.to_owned();
    let file = File::about();
    text.push_str("\n## Top level\n\n");
    keys(&mut text, &file, "");
    sections(&mut text, &file, "", 2);
    text
}

fn sections(text: &mut String, about: &About, path: &str, depth: usize) {
    for field in &about.fields {
        let Some((inner, mut header)) = section(field, path) else {
            continue;
        };
        if matches!(field.shape, Shape::Named(_)) {
            header.path = format!("{}.NAME", crate::place::join(path, field.key));
        }
        let marks = "#".repeat(depth);
        let _ = write!(text, "\n{marks} `{header}`\n\n{}\n", paragraph(field.doc));
        text.push('\n');
        keys(text, inner, &header.path);
        sections(text, inner, &header.path, (depth + 1).min(4));
    }
}

fn keys(text: &mut String, about: &About, path: &str) {
    for field in about
        .fields
        .iter()
        .filter(|field| section(field, path).is_none())
    {
        let (value, words) = shape(&field.shape);
        let need = need(field);
        let _ = writeln!(text, "- **`{}`**: {value}; {need}.", field.key);
        let _ = writeln!(text, "  {}", paragraph(field.doc));
        for word in words {
            let _ = writeln!(text, "  - `\"{}\"`: {}", word.word, paragraph(word.doc));
        }
    }
}

/// Whether a key must be given, or what holds without it.
fn need(field: &Field) -> String {
    let example = field
        .example
        .map(|example| format!("for example `{example}`"));
    match (field.required, field.default, example) {
        (true, ..) if matches!(field.shape, Shape::Integer(least, most) if least == most) => {
            "required".to_owned()
        }
        (true, _, Some(example)) => format!("required, {example}"),
        (true, _, None) => "required".to_owned(),
        (false, Some(default), Some(example)) => format!("default `{default}`, {example}"),
        (false, Some(default), None) => format!("default `{default}`"),
        (false, None, Some(example)) => format!("optional, {example}"),
        (false, None, None) => "optional".to_owned(),
    }
}

fn shape(shape: &Shape) -> (String, Vec<Word>) {
    match shape {
        Shape::Boolean => ("`true` or `false`".to_owned(), Vec::new()),
        Shape::Integer(least, most) if least == most => (format!("always `{least}`"), Vec::new()),
        Shape::Integer(least, most) => (format!("a number from {least} to {most}"), Vec::new()),
        Shape::Text(what) => ((*what).to_owned(), Vec::new()),
        Shape::Words(words) => ("one of these words".to_owned(), words.clone()),
        Shape::List(entry) => match entry.as_ref() {
            Shape::Words(words) => ("a list of these words".to_owned(), words.clone()),
            entry => (format!("a list, each {}", self::shape(entry).0), Vec::new()),
        },
        Shape::Map(entry) => {
            let entry = self::shape(entry).0;
            (format!("a table of names, each with {entry}"), Vec::new())
        }
        Shape::Inline(_) => ("a secret: `{ secret = \"NAME\" }`".to_owned(), Vec::new()),
        Shape::Either(shapes) => {
            let all: Vec<_> = shapes.iter().map(|each| self::shape(each).0).collect();
            (all.join(", or "), Vec::new())
        }
        Shape::Section(_) | Shape::Named(_) => ("a section".to_owned(), Vec::new()),
    }
}
