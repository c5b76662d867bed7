//! Text for a terminal that may know nothing but ASCII.

/// Columns that are used: the 80th of a VT100 is hard to leave.
pub const WIDTH: usize = 79;
/// Lines of the screen.
pub const HEIGHT: usize = 24;
/// Lines that one text may become: what is longer is cut.
const MOST_LINES: usize = 2_000;

/// `text` without anything that speaks to a terminal: what is no visible ASCII becomes a `?`, an end of line a space.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            ' '..='~' => character,
            '\n' | '\r' | '\t' => ' ',
            _ => '?',
        })
        .collect()
}

/// `text` cleaned and cut to `width` columns.
pub fn cut(text: &str, width: usize) -> String {
    let clean = clean(text);
    match clean.get(width..) {
        None | Some("") => clean,
        Some(_) => {
            let kept = clean.get(..width.saturating_sub(2)).unwrap_or_default();
            format!("{kept}..")
        }
    }
}

/// `text` cleaned, in lines of at most `width` columns; its own ends of lines are kept.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.trim_end().split('\n') {
        if lines.len() >= MOST_LINES {
            lines.push("(more is left out)".to_owned());
            break;
        }
        wrap_line(
            &clean(line.trim_end_matches('\r')),
            width.max(1),
            &mut lines,
        );
    }
    lines
}

fn wrap_line(line: &str, width: usize, lines: &mut Vec<String>) {
    let mut rest = line;
    while rest.len() > width && lines.len() < MOST_LINES {
        // All of it is ASCII by now, so that every byte is a column.
        let (head, _) = rest.split_at(width);
        let end = match head.rfind(' ') {
            Some(space) if !head[..space].trim().is_empty() => space,
            _ => width,
        };
        let (line, behind) = rest.split_at(end);
        lines.push(line.trim_end().to_owned());
        rest = behind.trim_start();
    }
    lines.push(rest.get(..width).unwrap_or(rest).to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_speaks_to_a_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{9b}é\nc"), "a?[2Jb?? c");
        assert_eq!(cut("0123456789", 6), "0123..");
        assert_eq!(cut("0123456789", 10), "0123456789");
    }

    #[test]
    fn lines_break_between_words_and_never_run_over() {
        assert_eq!(
            wrap("one two three\n four", 8),
            ["one two", "three", " four"]
        );
        assert_eq!(wrap("0123456789", 4), ["0123", "4567", "89"]);
        assert_eq!(wrap("", 4), [""]);
        let long = "ä ".repeat(100_000);
        let lines = wrap(&long, 3);
        assert!(lines.len() <= MOST_LINES + 1);
        assert!(lines.iter().all(|line| line.len() <= 3 && line.is_ascii()));
    }
}
