//! What a terminal at the serial line shows.

const ROWS: usize = 24;
const COLUMNS: usize = 80;

/// The lines of the screen after all of `said`.
pub(crate) fn shown(said: &str) -> String {
    // What was there before the screen was wiped last is gone.
    let said = said.rfind("\u{1b}[2J").map_or(said, |last| &said[last..]);
    let mut screen = Screen {
        lines: vec![vec![' '; COLUMNS]; ROWS],
        at: (0, 0),
    };
    let mut characters = said.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => screen.order(&mut characters),
            character => screen.put(character),
        }
    }
    let lines = screen
        .lines
        .iter()
        .map(|line| line.iter().collect::<String>());
    lines
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

struct Screen {
    lines: Vec<Vec<char>>,
    at: (usize, usize),
}

impl Screen {
    fn put(&mut self, character: char) {
        match character {
            '\r' => self.at.1 = 0,
            '\n' if self.at.0 + 1 < ROWS => self.at.0 += 1,
            '\n' => {
                self.lines.remove(0);
                self.lines.push(vec![' '; COLUMNS]);
            }
            character if self.at.1 < COLUMNS => {
                self.lines[self.at.0][self.at.1] = character;
                self.at.1 += 1;
            }
            _ => {}
        }
    }

    /// What comes behind an escape: `[`, numbers, a letter.
    fn order(&mut self, characters: &mut std::str::Chars) {
        let mut numbers = String::new();
        let letter = characters
            .by_ref()
            .skip_while(|character| *character == '[')
            .find(|character| {
                let ends = character.is_ascii_alphabetic();
                if !ends {
                    numbers.push(*character);
                }
                ends
            });
        let mut numbers = numbers.split(';').map(|number| number.parse().unwrap_or(1));
        let mut number = |most: usize| numbers.next().unwrap_or(1_usize).clamp(1, most) - 1;
        match letter {
            Some('H') => self.at = (number(ROWS), number(COLUMNS)),
            Some('J') => self.lines = vec![vec![' '; COLUMNS]; ROWS],
            Some('K') => {
                let (row, column) = self.at;
                self.lines[row]
                    .get_mut(column..)
                    .unwrap_or_default()
                    .fill(' ');
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_where_they_were_put_and_what_was_wiped_is_gone() {
        let said = "init: before\r\n\u{1b}[0m\u{1b}[r\u{1b}[H\u{1b}[2J\u{1b}[1;1Hone\u{1b}[K\u{1b}[2;3Htwo\u{1b}[2;4H\u{1b}[K";
        let screen = shown(said);
        assert!(screen.starts_with("one\n  t\n\n"), "{screen}");
        assert_eq!(screen.lines().count(), ROWS);
        assert!(shown("log\r\nmore").starts_with("log\nmore\n"));
    }
}
