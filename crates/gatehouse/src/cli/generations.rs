//! `gatehouse reload`, `confirm`, `rollback`, `generations` and `diff`.

use control::render::Span;
use control::{Applied, Client, Diff, Generation, GenerationState, Rollback};

use super::Done;
use super::output::{Out, Table, Tone, plain};

/// Has the box read its file anew.
pub(super) async fn reload(out: Out, client: &Client) -> Done {
    let applied = client.reload().await?;
    out.show(&applied, || applied_text(out, &applied))
}

/// Keeps what is on trial.
pub(super) async fn confirm(out: Out, client: &Client) -> Done {
    let applied = client.confirm(None).await?;
    out.show(&applied, || {
        format!("generation {} is confirmed\n", applied.generation.number)
    })
}

/// Puts an earlier configuration into force.
pub(super) async fn rollback(out: Out, client: &Client, generation: Option<u32>) -> Done {
    let way = generation.map_or(Rollback::Back, Rollback::To);
    let applied = client.rollback(way).await?;
    out.show(&applied, || applied_text(out, &applied))
}

/// Lists what is kept.
pub(super) async fn list(out: Out, client: &Client) -> Done {
    let generations = client.generations().await?;
    out.show(&generations, || list_text(out, &generations))
}

/// Shows how two generations differ.
pub(super) async fn diff(out: Out, client: &Client, from: Option<u32>, to: Option<u32>) -> Done {
    let diff = client.diff(from, to).await?;
    out.show(&diff, || diff_text(out, &diff))
}

/// What came of a change, in words.
pub(super) fn applied_text(out: Out, applied: &Applied) -> String {
    let number = applied.generation.number;
    let mut text = match applied.generation.state {
        GenerationState::Trial { seconds } => {
            let trial = format!(
                "on trial, rolled back in {} unless confirmed",
                Span(seconds)
            );
            let trial = out.paint(Tone::Attention, trial);
            format!("generation {number} is in force {trial}\n")
        }
        _ if applied.changed => format!("generation {number} is in force\n"),
        _ => format!("nothing changed: generation {number} is in force\n"),
    };
    for note in &applied.notes {
        text.push_str(note);
        text.push('\n');
    }
    text
}

fn list_text(out: Out, generations: &[Generation]) -> String {
    let mut table = Table::new(&["GENERATION", "CREATED", "STATE", "ORIGIN"]);
    for generation in generations {
        let state = match generation.state {
            GenerationState::Active => ("in force".to_owned(), Some(Tone::Good)),
            GenerationState::Trial { seconds } => (
                format!("on trial, {} left", Span(seconds)),
                Some(Tone::Attention),
            ),
            GenerationState::Kept => ("kept".to_owned(), None),
            GenerationState::GivenUp => ("given up".to_owned(), None),
        };
        table.line([
            plain(generation.number),
            plain(generation.created),
            state,
            plain(&generation.origin),
        ]);
    }
    table.text(out)
}

fn diff_text(out: Out, diff: &Diff) -> String {
    if diff.text.is_empty() {
        return format!("generations {} and {} do not differ\n", diff.from, diff.to);
    }
    let mut text = String::with_capacity(diff.text.len());
    for line in diff.text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, "\n"),
        };
        let tone = match line.as_bytes().first() {
            Some(b'+') => Some(Tone::Good),
            Some(b'-') => Some(Tone::Bad),
            Some(b'@') => Some(Tone::Heading),
            _ => None,
        };
        match tone {
            Some(tone) => text.push_str(&out.paint(tone, line)),
            None => text.push_str(line),
        }
        text.push_str(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use control::Moment;

    use super::super::output::TEXT;
    use super::*;

    fn applied(state: GenerationState, changed: bool) -> Applied {
        Applied {
            generation: Generation {
                number: 12,
                created: Moment(0),
                origin: "reload".to_owned(),
                state,
            },
            changed,
            notes: vec!["a note".to_owned()],
        }
    }

    #[test]
    fn what_came_of_a_reload_is_said() {
        for (state, changed, expected) in [
            (
                GenerationState::Active,
                true,
                "generation 12 is in force\na note\n",
            ),
            (
                GenerationState::Active,
                false,
                "nothing changed: generation 12 is in force\na note\n",
            ),
            (
                GenerationState::Trial { seconds: 180 },
                true,
                "generation 12 is in force on trial, rolled back in 3m unless confirmed\na note\n",
            ),
        ] {
            assert_eq!(applied_text(TEXT, &applied(state, changed)), expected);
        }
    }

    #[test]
    fn a_diff_is_passed_on_as_it_is_without_colour() {
        let mut diff = Diff {
            from: 1,
            to: 2,
            text: "--- generation 1\n+++ generation 2\n@@ -1 +1 @@\n-a\n+b\n".to_owned(),
        };
        assert_eq!(diff_text(TEXT, &diff), diff.text);
        diff.text.clear();
        assert_eq!(
            diff_text(TEXT, &diff),
            "generations 1 and 2 do not differ\n"
        );
    }
}
