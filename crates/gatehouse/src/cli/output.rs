//! How results are written: text for people, JSON for programs, colour only on a terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::{Done, Failure};

/// Where and how a command writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Out {
    pub(super) json: bool,
    colour: bool,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Attention,
    Heading,
}

impl Out {
    pub(super) fn new(json: bool) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            json,
            colour: !json && !dumb && !set("NO_COLOR") && io::stdout().is_terminal(),
        }
    }

    /// Writes `value` as JSON, or else what `text` makes of it.
    pub(super) fn show<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) -> Done {
        if self.json {
            let mut json = serde_json::to_string_pretty(value)
                .map_err(|error| Failure::Refused(error.to_string()))?;
            json.push('\n');
            write(&json)
        } else {
            write(&text())
        }
    }

    /// `text` in the colour of `tone`, where there are colours.
    pub(super) fn paint(self, tone: Tone, text: impl Display) -> String {
        if !self.colour {
            return text.to_string();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Attention => "33",
            Tone::Heading => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Says on standard error why a command failed.
    pub(super) fn failure(self, failure: &Failure) {
        let text = failure.text();
        if text.is_empty() {
            return;
        }
        if self.json {
            note(&serde_json::json!({ "error": text }).to_string());
        } else {
            note(&format!("gatehouse: {text}"));
        }
    }
}

/// Writes to standard output. A reader that has enough, such as `head`, ends the command quietly.
pub(super) fn write(text: &str) -> Done {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Failure::Refused(String::new()))
        }
        Err(error) => Err(Failure::Unusable(format!("can not write: {error}"))),
    }
}

/// Writes a line to standard error; there is nobody to tell where that fails.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Lines of cells, of which every column is as wide as it must be.
#[derive(Debug)]
pub(super) struct Table {
    lines: Vec<Vec<Cell>>,
}

#[derive(Debug)]
struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Table {
    pub(super) fn new(headings: &[&str]) -> Self {
        let cell = |text: &&str| Cell {
            text: (*text).to_owned(),
            tone: Some(Tone::Heading),
        };
        Self {
            lines: vec![headings.iter().map(cell).collect()],
        }
    }

    /// Adds a line; empty texts are shown as `-`.
    pub(super) fn line(&mut self, cells: impl IntoIterator<Item = (String, Option<Tone>)>) {
        let cells = cells.into_iter().map(|(text, tone)| Cell {
            text: if text.is_empty() {
                "-".to_owned()
            } else {
                text
            },
            tone,
        });
        self.lines.push(cells.collect());
    }

    /// The table as text, a line each.
    pub(super) fn text(&self, out: Out) -> String {
        let columns = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.lines.iter().filter_map(|line| line.get(column));
                cells
                    .map(|cell| cell.text.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for line in &self.lines {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let last = column + 1 == line.len();
                let padding = width - cell.text.chars().count();
                match cell.tone {
                    Some(tone) => text.push_str(&out.paint(tone, &cell.text)),
                    None => text.push_str(&cell.text),
                }
                if !last {
                    text.push_str(&" ".repeat(padding + 2));
                }
            }
            text.push('\n');
        }
        text
    }
}

/// A cell without colour.
pub(super) fn plain(text: impl Display) -> (String, Option<Tone>) {
    (text.to_string(), None)
}

#[cfg(test)]
pub(super) const TEXT: Out = Out {
    json: false,
    colour: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_with_and_without_colour() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.line([plain("é"), ("ok".to_owned(), Some(Tone::Good))]);
        table.line([plain("longer"), plain("")]);
        assert_eq!(table.text(TEXT), "NAME    STATE\né       ok\nlonger  -\n");
        let colour = Out {
            json: false,
            colour: true,
        };
        let coloured = table.text(colour);
        assert!(coloured.contains("\x1b[1mNAME\x1b[0m    \x1b[1mSTATE\x1b[0m\n"));
        assert!(coloured.contains("é       \x1b[32mok\x1b[0m\n"));
    }
}
