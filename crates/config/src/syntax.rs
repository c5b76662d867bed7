//! From text to sections: TOML's own faults, in words an operator understands.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue, Error};

use crate::SCHEMA;
use crate::fault::Fault;
use crate::place::Place;
use crate::reader::{Reader, quoted};
use crate::sections::File;

/// The longest file; the products' are a hundred times shorter.
const LONGEST: usize = 1 << 20;

/// What became of a text.
pub(crate) enum Read {
    /// Its sections; faults of single values are reported and replaced by defaults.
    Sections(Box<File>),
    /// Nothing that makes sense as a whole: what could be said is reported.
    Nothing,
}

/// Reads the sections of a file.
pub(crate) fn read(reader: &mut Reader<'_>, text: &str) -> Read {
    if text.len() > LONGEST {
        let place = Place {
            path: String::new(),
            line: 1,
            column: 1,
        };
        let what = format!("the file is longer than {} KiB", LONGEST / 1024);
        reader
            .report
            .fault(place, what, "write networks instead of single addresses");
        return Read::Nothing;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() && newer(reader, table.get_ref()) {
        return Read::Nothing;
    }
    let mut broken: BTreeMap<u32, Broken> = BTreeMap::new();
    for error in &errors {
        let found = explain(reader, text, error);
        // Of several faults in one line the others mostly follow from the first.
        let first = broken
            .entry(found.fault.line)
            .or_insert_with(|| found.clone());
        if found.fault.column < first.fault.column {
            *first = found;
        }
    }
    let file = reader.root(table.get_ref());
    let torn = broken
        .values()
        .find(|broken| broken.torn)
        .map(|broken| broken.fault.line);
    // Where a bracket is open, what follows may be in the wrong table: what is said about it would
    // only mislead.
    let sound = |fault: &Fault| {
        !broken.contains_key(&fault.line)
            && torn.is_none_or(|torn| fault.line < torn && fault.what != crate::reader::MISSING)
    };
    reader.report.faults.retain(sound);
    reader
        .report
        .faults
        .extend(broken.into_values().map(|broken| broken.fault));
    match file {
        Some(file) if torn.is_none() => Read::Sections(Box::new(file)),
        _ => Read::Nothing,
    }
}

/// A file of a later version is not read at all: its other faults would be none.
fn newer(reader: &mut Reader<'_>, table: &DeTable<'_>) -> bool {
    let Some(value) = table.get("schema") else {
        return false;
    };
    let DeValue::Integer(number) = value.get_ref() else {
        return false;
    };
    let schema = i64::from_str_radix(number.as_str(), number.radix());
    let newer = schema.is_ok_and(|schema| schema > i64::from(SCHEMA));
    if newer {
        let place = reader.lines.place("schema", &value.span());
        let what = format!("{number} is newer than what this version knows, {SCHEMA}");
        reader
            .report
            .fault(place, what, "update the box first, or write the older file");
    }
    newer
}

/// A line that is no TOML.
#[derive(Debug, Clone)]
struct Broken {
    fault: Fault,
    /// Whether keys behind it may have got into the wrong table.
    torn: bool,
}

fn explain(reader: &Reader<'_>, text: &str, error: &Error) -> Broken {
    let span = error.span().unwrap_or(0..0);
    let (line, column) = reader.lines.position(span.start);
    let (line, column) = if error.message().starts_with("invalid multi-line") {
        // TOML notices at the end of the file what was forgotten long before.
        (opening(reader, line), 1)
    } else {
        (line, column)
    };
    let source = reader.lines.line(line);
    let part = text.get(span.clone()).unwrap_or_default();
    let message = error.message();
    let (what, remedy, torn) = if message.starts_with("string values must be quoted") {
        unquoted(part, source)
    } else if message == "duplicate key" {
        duplicate(reader, part, line, source)
    } else {
        structure(message, part, source)
    };
    Broken {
        fault: Fault {
            line,
            column,
            path: String::new(),
            what,
            remedy,
        },
        torn,
    }
}

/// The last line up to `line` that opens a text of several lines.
fn opening(reader: &Reader<'_>, line: u32) -> u32 {
    let opens = |line: &u32| {
        let source = reader.lines.line(*line);
        source.contains("\"\"\"") || source.contains("'''")
    };
    (1..=line).rev().find(opens).unwrap_or(line)
}

type Said = (String, String, bool);

/// A value that is neither a string nor anything else.
fn unquoted(part: &str, source: &str) -> Said {
    let part = part.trim();
    let typographic = ['“', '”', '„', '‘', '’', '«', '»'];
    if part.is_empty() {
        let key = source.split('=').next().unwrap_or_default().trim();
        let remedy = "write one behind the \"=\", or remove the line";
        return (
            format!("`{}` has no value", cut(key)),
            remedy.to_owned(),
            false,
        );
    }
    let truth = match part.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" => Some("true"),
        "no" | "off" | "false" => Some("false"),
        _ => None,
    };
    if let Some(truth) = truth {
        return (
            format!("`{part}` is neither true nor false"),
            format!("write {truth}"),
            false,
        );
    }
    if part.starts_with(typographic) {
        let plain = part.trim_matches(typographic);
        let remedy = format!("write {}", quoted(plain));
        return (
            format!("{} has typographic quotes", cut(part)),
            remedy,
            false,
        );
    }
    (
        format!("`{}` is not in quotes", cut(part)),
        format!("write {}", quoted(part)),
        false,
    )
}

/// A key or a header for the second time.
fn duplicate(reader: &Reader<'_>, part: &str, line: u32, source: &str) -> Said {
    let header = source.trim_start().starts_with('[');
    let name = |line: &str| {
        line.split(['=', '#'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let wanted = name(source);
    let mut before = (1..line).rev();
    let first = if header {
        before.find(|line| name(reader.lines.line(*line)) == wanted)
    } else {
        let mut table =
            before.take_while(|line| !reader.lines.line(*line).trim_start().starts_with('['));
        table.find(|line| name(reader.lines.line(*line)) == wanted)
    };
    let first = first.map_or(String::new(), |first| format!(", first in line {first}"));
    if header {
        let bare = |header: &str| header.trim_matches(['[', ']']).to_owned();
        let other = (1..line)
            .map(|line| name(reader.lines.line(line)))
            .find(|other| {
                other.starts_with('[') && *other != wanted && bare(other) == bare(&wanted)
            });
        if let Some(other) = other.filter(|_| first.is_empty()) {
            let what = format!("{} is written as {}, too", cut(&wanted), cut(&other));
            return (
                what,
                "write it one way: [[…]] where there can be several".to_owned(),
                false,
            );
        }
        let what = format!("{} is written twice{first}", cut(&wanted));
        return (
            what,
            "write all its keys below one header".to_owned(),
            false,
        );
    }
    (
        format!("`{}` is written twice{first}", cut(part)),
        "keep one of the two".to_owned(),
        false,
    )
}

/// What TOML says begins so; what we say, the remedy, and whether keys behind it may have got into
/// the wrong table.
const RULES: &[(&str, &str, &str, bool)] = &[
    (
        "invalid multi-line",
        "a text in three quotes is not closed",
        "write the same three quotes at its end, or use one for text on one line",
        true,
    ),
    (
        "invalid basic string",
        "a string is not closed",
        "write `\"` at its end",
        false,
    ),
    (
        "invalid literal string",
        "a string is not closed",
        "write `'` at its end",
        false,
    ),
    (
        "unclosed table",
        "a header is not closed",
        "write `]` at its end",
        true,
    ),
    (
        "unclosed array table",
        "a header is not closed",
        "write `]]` at its end",
        true,
    ),
    (
        "unclosed array",
        "a list is not closed",
        "write `]` behind its last value",
        true,
    ),
    (
        "unclosed inline table",
        "a `{` is not closed",
        "write `}` behind its last value",
        true,
    ),
    (
        "missing comma between array elements",
        "a list goes on without a comma",
        "write `,` between its values and `]` behind the last, perhaps in the line before",
        true,
    ),
    (
        "missing comma between key-value pairs",
        "a `{` goes on without a comma",
        "write `,` between its values and `}` behind the last, perhaps in the line before",
        true,
    ),
    (
        "unexpected key or value",
        "there is something behind the value",
        "write each setting on a line of its own",
        true,
    ),
    (
        "missing escaped value",
        "a `\\` in quotes begins a special character, and this one does not exist",
        "write `\\\\`, or the whole text in single quotes",
        false,
    ),
    (
        "unexpected leading zero",
        "a number begins with 0",
        "leave the 0 out",
        false,
    ),
    (
        "invalid boolean",
        "this is neither true nor false",
        "write true or false",
        false,
    ),
    (
        "unquoted keys cannot be empty",
        "a name is missing",
        "write one",
        true,
    ),
    (
        "cannot extend value",
        "this key already has a value",
        "keep one of the two",
        false,
    ),
];

/// What else TOML does not allow.
fn structure(message: &str, part: &str, source: &str) -> Said {
    let control = |letter: &char| letter.is_control() && *letter != '\t';
    if let Some(letter) = source.chars().find(control) {
        let what = format!("there is a control character (U+{:04X})", u32::from(letter));
        return (what, "remove it".to_owned(), false);
    }
    if message.starts_with("key with no value") {
        return (
            format!("`{}` has no value", cut(source.trim())),
            "write `key = value`; a comment begins with `#`".to_owned(),
            true,
        );
    }
    if message.starts_with("invalid unquoted key") {
        let remedy = match part {
            ":" => "write `=` between a key and its value",
            part if part.starts_with('/') => "begin a comment with `#`",
            _ => "write letters, digits, `-` and `_`, or the key in quotes",
        };
        return (
            format!("`{}` can not be in a key", cut(part)),
            remedy.to_owned(),
            true,
        );
    }
    if message.starts_with("unexpected key or value") && source.trim_start().starts_with('[') {
        let remedy = "write the header alone on its line: [name] or [[name]]";
        return (
            "there is something behind the header".to_owned(),
            remedy.to_owned(),
            true,
        );
    }
    if let Some((_, what, remedy, torn)) =
        RULES.iter().find(|(start, ..)| message.starts_with(start))
    {
        return ((*what).to_owned(), (*remedy).to_owned(), *torn);
    }
    let number = ["float", "integer", "date", "time", "datetime", "offset"];
    let kind = message.strip_prefix("invalid ").unwrap_or_default();
    if number.iter().any(|number| kind.starts_with(number)) {
        let value = source.split_once('=').map_or(source, |(_, value)| value);
        let value = value.split('#').next().unwrap_or_default().trim();
        return (
            format!("`{}` is neither a number nor in quotes", cut(value)),
            format!("write {}", quoted(value)),
            false,
        );
    }
    (
        format!("this is no TOML: {message}"),
        "mend this line by the rules of TOML".to_owned(),
        true,
    )
}

/// A piece of the file as a fault shows it.
fn cut(text: &str) -> String {
    let short: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(60)
        .collect();
    if short.len() < text.len() {
        short + "…"
    } else {
        short
    }
}
