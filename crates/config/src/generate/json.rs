//! JSON, as much of it as a schema needs.

use std::fmt;

use toml::de::DeValue;

/// A JSON value; objects keep the order they are written in.
#[derive(Debug, Clone)]
pub(super) enum Json {
    Truth(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
    /// An object whose keys are not known beforehand.
    Keys(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A value of the file, written in TOML; `None` when JSON has none like it.
    pub(super) fn from_toml(text: &str) -> Option<Self> {
        DeValue::parse(text)
            .ok()
            .and_then(|value| value_of(value.get_ref()))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => write_text(f, text),
            Self::List(entries) if entries.iter().all(Self::is_short) => {
                f.write_str("[")?;
                for (index, entry) in entries.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    entry.write(f, depth)?;
                }
                f.write_str("]")
            }
            Self::List(entries) => {
                let each = entries.iter().map(|entry| (None, entry));
                write_block(f, ('[', ']'), each, depth)
            }
            Self::Object(entries) => {
                let each = entries.iter().map(|(key, value)| (Some(*key), value));
                write_block(f, ('{', '}'), each, depth)
            }
            Self::Keys(entries) => {
                let each = entries
                    .iter()
                    .map(|(key, value)| (Some(key.as_str()), value));
                write_block(f, ('{', '}'), each, depth)
            }
        }
    }

    fn is_short(&self) -> bool {
        matches!(self, Self::Truth(_) | Self::Number(_) | Self::Text(_))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

fn value_of(value: &DeValue<'_>) -> Option<Json> {
    Some(match value {
        DeValue::String(text) => Json::text(text.as_ref()),
        DeValue::Integer(number) => Json::Number(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Json::Truth(*truth),
        DeValue::Array(entries) => Json::List(
            entries
                .iter()
                .map(|entry| value_of(entry.get_ref()))
                .collect::<Option<_>>()?,
        ),
        DeValue::Table(table) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Some((key.to_string(), value_of(value.get_ref())?))
            };
            Json::Keys(table.iter().map(entry).collect::<Option<_>>()?)
        }
        DeValue::Float(_) | DeValue::Datetime(_) => return None,
    })
}

fn write_block<'j>(
    f: &mut fmt::Formatter<'_>,
    (open, close): (char, char),
    entries: impl Iterator<Item = (Option<&'j str>, &'j Json)>,
    depth: usize,
) -> fmt::Result {
    write!(f, "{open}")?;
    let mut empty = true;
    for (key, value) in entries {
        f.write_str(if empty { "\n" } else { ",\n" })?;
        empty = false;
        write!(f, "{:1$}", "", (depth + 1) * 2)?;
        if let Some(key) = key {
            write_text(f, key)?;
            f.write_str(": ")?;
        }
        value.write(f, depth + 1)?;
    }
    if !empty {
        write!(f, "\n{:1$}", "", depth * 2)?;
    }
    write!(f, "{close}")
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
            letter => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"")
}
