//! The kinds of screen, and how each is drawn.

use super::text::{HEIGHT, WIDTH, cut, wrap};

/// Items of a list on one page: one for each digit.
pub(super) const PAGE: usize = 9;
/// Lines of a text on one page.
const TEXT_PAGE: usize = HEIGHT - 4;
/// Columns of what is typed that are shown.
const TYPED: usize = 60;
/// The longest that can be typed: a name of the DNS.
const LONGEST: usize = 253;

/// What is on the terminal: at most [`HEIGHT`] lines of at most [`WIDTH`] visible characters of ASCII.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The lines, from the top.
    pub lines: Vec<String>,
    /// Line and column of the cursor, from 0.
    pub cursor: (usize, usize),
}

impl Frame {
    /// A screen with its title on top and `help` at the bottom.
    pub(super) fn new(title: &str, body: impl IntoIterator<Item = String>, help: &str) -> Self {
        let mut lines = vec![cut(title, WIDTH), "-".repeat(WIDTH)];
        let body = body.into_iter().take(HEIGHT - 3);
        lines.extend(body.map(|line| cut(&line, WIDTH).trim_end().to_owned()));
        lines.resize(HEIGHT - 1, String::new());
        lines.push(cut(help, WIDTH));
        let cursor = (HEIGHT - 1, lines.last().map_or(0, String::len));
        Self { lines, cursor }
    }
}

/// Things to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List<C> {
    /// What it is about.
    pub(super) title: String,
    /// What to know before.
    pub(super) head: String,
    /// What there is, and what is meant by it.
    pub(super) items: Vec<(String, C)>,
    /// The one that Enter takes.
    pub(super) selected: usize,
}

impl<C> List<C> {
    /// Its first item on the page that is shown.
    fn first(&self) -> usize {
        self.selected / PAGE * PAGE
    }

    /// Moves the mark by so many items.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// What the digit `digit` stands for on this page.
    pub(super) fn by_digit(&self, digit: usize) -> Option<&C> {
        let index = self.first() + digit.checked_sub(1).filter(|index| *index < PAGE)?;
        self.items.get(index).map(|(_, choice)| choice)
    }

    /// How it is drawn.
    pub(super) fn frame(&self) -> Frame {
        let mut body = wrap(&self.head, WIDTH);
        body.truncate(HEIGHT - PAGE - 5);
        if !self.head.is_empty() {
            body.push(String::new());
        }
        let page = self.items.iter().enumerate().skip(self.first()).take(PAGE);
        for (place, (index, (text, _))) in page.enumerate() {
            body.push(item(place + 1, text, index == self.selected));
        }
        let pages = self.items.len().div_ceil(PAGE);
        let help = if pages > 1 {
            format!(
                "Page {} of {pages}: PgUp/PgDn or p/n.  Digit or arrows and Enter: choose.  Esc: menu",
                self.selected / PAGE + 1
            )
        } else {
            "Digit, or arrows and Enter: choose.  Esc: menu".to_owned()
        };
        Frame::new(&self.title, body, &help)
    }
}

/// One line of a menu.
pub(super) fn item(key: impl std::fmt::Display, text: &str, selected: bool) -> String {
    let mark = if selected { '>' } else { ' ' };
    format!(" {mark} {key}  {text}")
}

/// A text, page by page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pager {
    title: String,
    lines: Vec<String>,
    top: usize,
}

impl Pager {
    /// Shows `text` from its beginning.
    pub(super) fn new(title: &str, text: &str) -> Self {
        Self {
            title: title.to_owned(),
            lines: wrap(text, WIDTH),
            top: 0,
        }
    }

    /// Shows another text at the same place.
    pub(super) fn refresh(&mut self, text: &str) {
        self.lines = wrap(text, WIDTH);
        self.step(0);
    }

    /// Moves on by so many pages; false at the end.
    pub(super) fn page(&mut self, by: isize) -> bool {
        let before = self.top;
        let page = isize::try_from(TEXT_PAGE).unwrap_or(isize::MAX);
        self.step(by.saturating_mul(page));
        self.top != before
    }

    /// Moves on by so many lines.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.lines.len().saturating_sub(TEXT_PAGE);
        self.top = self.top.saturating_add_signed(by).min(last);
    }

    /// How it is drawn.
    pub(super) fn frame(&self) -> Frame {
        let shown = self.lines.iter().skip(self.top).take(TEXT_PAGE).cloned();
        let below = self.lines.len().saturating_sub(self.top + TEXT_PAGE);
        let help = match below {
            0 if self.top == 0 => "Enter or Esc: menu".to_owned(),
            0 => "The end.  PgUp or p: back.  Enter or Esc: menu".to_owned(),
            below => format!("{below} more lines: PgDn, n or space.  PgUp or p: back.  Esc: menu"),
        };
        Frame::new(&self.title, shown, &help)
    }
}

/// Something to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt<G> {
    /// What it is about.
    pub(super) title: String,
    /// What to know before.
    pub(super) body: String,
    /// What stands before the place to type.
    pub(super) label: String,
    /// What was typed so far.
    pub(super) text: String,
    /// What was wrong with it.
    pub(super) note: String,
    /// What it is for.
    pub(super) goal: G,
}

impl<G> Prompt<G> {
    /// Takes a character in.
    pub(super) fn push(&mut self, character: char) {
        if self.text.len() < LONGEST {
            self.text.push(character);
        }
    }

    /// How it is drawn.
    pub(super) fn frame(&self) -> Frame {
        let mut body = wrap(&self.body, WIDTH);
        body.truncate(HEIGHT - 10);
        body.push(String::new());
        let label = cut(&self.label, WIDTH - TYPED - 3);
        let hidden = self.text.len().saturating_sub(TYPED);
        let shown = self.text.get(hidden..).unwrap_or_default();
        let line = format!("{label}: {shown}");
        // Title and rule stand above.
        let cursor = (body.len() + 2, line.len());
        body.push(line);
        body.push(String::new());
        body.extend(wrap(&self.note, WIDTH).into_iter().take(4));
        let help = "Enter: go on.  Backspace, Ctrl-U: correct.  Esc: menu";
        Frame {
            cursor,
            ..Frame::new(&self.title, body, help)
        }
    }
}
