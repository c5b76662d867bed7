//! The tables of tests/data/http: messages, byte for byte, with what must become of them.

use std::fs;

use anyhow::{Context, Result, bail};

/// A message of a table.
pub struct Row {
    /// `request`, `response`, `response-to-head`, `body` or `path`.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The rows of `tests/data/http/NAME.tsv`; how bytes are written there, tests/data/README.md says.
///
/// # Errors
/// When the file is missing or a line is not as described.
pub fn rows(name: &str) -> Result<Vec<Row>> {
    let path = crate::repository()
        .join("tests/data/http")
        .join(format!("{name}.tsv"));
    let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| row(line).with_context(|| line.to_owned()))
        .collect()
}

fn row(line: &str) -> Result<Row> {
    let [kind, name, _, bytes] = line.split('\t').collect::<Vec<_>>()[..] else {
        bail!("not four columns");
    };
    Ok(Row {
        kind: kind.to_owned(),
        name: name.to_owned(),
        bytes: unescape(bytes)?,
    })
}

fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        let (kind, after) = escape
            .split_at_checked(1)
            .context("a backslash at the end")?;
        rest = after;
        match kind {
            "r" => out.push(b'\r'),
            "n" => out.push(b'\n'),
            "t" => out.push(b'\t'),
            "\\" => out.push(b'\\'),
            "x" => {
                let (digits, after) = rest.split_at_checked(2).context("two digits")?;
                out.push(u8::from_str_radix(digits, 16)?);
                rest = after;
            }
            "[" => {
                let (repeated, after) = rest.split_once(']').context("no closing bracket")?;
                let (text, count) = repeated.rsplit_once('*').context("no count")?;
                out.extend(unescape(text)?.repeat(count.parse()?));
                rest = after;
            }
            other => bail!("unknown escape {other}"),
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        assert_eq!(
            unescape(r"a\r\n\x00\[b\n*2]\\").expect("well written"),
            b"a\r\n\0b\nb\n\\"
        );
        assert!(unescape(r"a\q").is_err());
        assert!(unescape("a\\").is_err());
    }
}
