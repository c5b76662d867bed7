//! `configs/reference.toml`: every key once.

use std::fmt::Write as _;

use super::{lines, section};
use crate::definition::{About, Field};
use crate::reader::Section as _;
use crate::sections::File;

const HEAD: &str = "\
# Every setting of Gatehouse once, with its default. Generated; checked by a test.
#
# A line that begins with \"#\" and no space is a setting that is off unless it is written, with a
# value that could stand there. A setting marked \"required\" has no default: its value is an example.
# The file as it stands is valid: `gatehouse check configs/reference.toml`.
";

/// Optional settings without which the required ones make no sense.
const ON: &[&str] = &["access.daemons.from", "host.target"];

/// Sections that exclude others of this file, or need what it does not show.
const OFF: &[&str] = &[
    "access.daemons.session",
    "access.daemons.ldap",
    "access.daemons.radius",
    "access.daemons.oidc",
    "certificate.dns",
    "certificate.external_account",
    "forward",
    "host.h323.target_certificate",
    "host.http.target_certificate",
    "host.ldap.target_certificate",
    "host.sip.target_certificate",
    "host.http.health",
    "host.tls_passthrough",
];

/// The text of `configs/reference.toml`.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    keys(&mut text, &File::about(), "", "");
    text
}

fn keys(text: &mut String, about: &About, path: &str, off: &str) {
    for field in about
        .fields
        .iter()
        .filter(|field| section(field, path).is_none())
    {
        key(text, field, path, off);
    }
    for field in &about.fields {
        let Some((inner, header)) = section(field, path) else {
            continue;
        };
        let off = if OFF.contains(&header.path.as_str()) {
            "#"
        } else {
            off
        };
        text.push('\n');
        comment(text, field.doc, false);
        push_line(text, &format!("{off}{header}"));
        keys(text, inner, &header.path, off);
    }
}

fn key(text: &mut String, field: &Field, path: &str, off: &str) {
    let key = field.key;
    let value = field.default.or(field.example).unwrap_or("[]");
    let on = field.required
        || field.default.is_some()
        || ON.contains(&crate::place::join(path, key).as_str());
    if path.is_empty() {
        text.push('\n');
    }
    comment(text, field.doc, field.required);
    let off = if on { off } else { "#" };
    push_line(text, &format!("{off}{key} = {value}"));
}

fn comment(text: &mut String, doc: &[&str], required: bool) {
    let count = lines(doc).count();
    for (index, line) in lines(doc).enumerate() {
        let mark = if required && index + 1 == count {
            " (required)"
        } else {
            ""
        };
        push_line(text, &format!("# {line}{mark}"));
    }
}

fn push_line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Reader;

    #[test]
    fn the_reference_checks_clean() {
        let checked = crate::check(&reference(), "reference.toml");
        assert!(checked.is_ok(), "{}", checked.unwrap_err());
    }

    #[test]
    fn every_setting_that_is_off_can_be_read() {
        let text: String = reference()
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => setting,
                _ => line,
            })
            .fold(String::new(), |text, line| text + line + "\n");
        let mut reader = Reader::new(&text);
        crate::syntax::read(&mut reader, &text);
        assert_eq!(reader.report.faults, []);
    }

    #[test]
    fn every_key_is_there_once() {
        fn count(about: &About, path: &str) -> usize {
            let inner = |field: &Field| match section(field, path) {
                Some((about, header)) => count(about, &header.path),
                None => 1,
            };
            about.fields.iter().map(inner).sum()
        }
        let text = reference();
        let settings = text.lines().filter(|line| {
            let line = line.strip_prefix('#').unwrap_or(line);
            !line.starts_with([' ', '[']) && line.contains(" = ")
        });
        assert_eq!(settings.count(), count(&File::about(), ""));
    }
}
