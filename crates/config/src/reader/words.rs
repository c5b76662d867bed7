//! Values and paths in the words of a fault.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeValue;

/// A value as a fault shows it: short, and without characters that could mislead a terminal.
pub(crate) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!(
        "\"{}{dots}\"",
        cut.escape_debug().to_string().replace("\\'", "'")
    )
}

/// The path of an entry of a list: by its name if it has one, else by its number from 1.
pub(super) fn entry_path(list: &str, index: usize, value: &Spanned<DeValue<'_>>) -> String {
    let name = value
        .get_ref()
        .as_table()
        .and_then(|table| table.get("name"));
    match name.and_then(|name| name.get_ref().as_str()) {
        Some(name) => format!("{list}[{}]", quoted(name)),
        None => format!("{list}[{}]", index + 1),
    }
}

/// A path as a TOML header: without numbers and names of list entries.
pub(super) fn header(path: &str) -> String {
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
pub(crate) fn shown(key: &str) -> Cow<'_, str> {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        Cow::Borrowed(key)
    } else {
        quoted(key).into()
    }
}

pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
        other => plain(other),
    }
}

pub(super) fn plain(value: &DeValue<'_>) -> String {
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
