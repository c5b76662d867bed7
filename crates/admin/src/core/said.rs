//! What the control API says in English, in the language of a page.

use control::{Moment, Refusal, RefusalKind};

use super::words::Language;

/// A text for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// In the language of the page.
    pub(crate) text: String,
    /// What the box says to it, in English, where the page has no words of its own for that.
    pub(crate) said: Option<String>,
}

impl Told {
    /// A text of ours.
    pub(crate) fn own(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            said: None,
        }
    }
}

/// A refusal. `wrong` is what a wrong entry is called here.
pub(crate) fn refusal(refusal: &Refusal, wrong: &str, language: Language) -> Told {
    let words = language.words();
    match (refusal.kind, refusal.retry_after_seconds) {
        (RefusalKind::Unauthorized, _) => Told::own(wrong),
        (RefusalKind::CodeWanted, _) => Told::own(words.code_wanted),
        (RefusalKind::TooMany, Some(seconds)) => Told::own(format!("{} {seconds}", words.too_many)),
        _ => text(&refusal.message, words.refused, language),
    }
}

/// A text of the box; `frame` stands before one that is not known.
pub(crate) fn text(said: &str, frame: &str, language: Language) -> Told {
    match language {
        Language::English => Told::own(said),
        Language::German => match german(said) {
            Some(text) => Told::own(text),
            None => Told {
                text: frame.to_owned(),
                said: Some(said.to_owned()),
            },
        },
    }
}

/// When something was, to the second; by UTC, since a page without script does not know the zone of who reads it.
pub(crate) fn moment(moment: Moment, language: Language) -> String {
    let text = moment.to_string();
    let parts = (
        text.get(..4),
        text.get(5..7),
        text.get(8..10),
        text.get(11..19),
    );
    let (Some(year), Some(month), Some(day), Some(time)) = parts else {
        return text;
    };
    match language {
        Language::English => format!("{year}-{month}-{day} {time} UTC"),
        Language::German => format!("{day}.{month}.{year}, {time} UTC"),
    }
}

/// What the pages without script are told, and the same in German; `{}` is what differs from case to case.
#[rustfmt::skip]
const GERMAN: &[(&str, &str)] = &[
    ("the password is too short; {} characters are the least", "Das Kennwort ist zu kurz; es braucht mindestens {} Zeichen."),
    ("the password is too long; {} bytes are the most", "Das Kennwort ist zu lang; höchstens {} Bytes."),
    ("the password has control characters; {}", "Das Kennwort enthält Steuerzeichen; nehmen Sie sichtbare Zeichen und Leerzeichen."),
    ("the password has too few different characters; use {} at the least", "Das Kennwort hat zu wenige verschiedene Zeichen; mindestens {}."),
    ("the password is the name of the user or of the box, or little more; choose another", "Das Kennwort ist der Name des Benutzers oder des Geräts oder wenig mehr; wählen Sie ein anderes."),
    ("the password is among those that are tried first; choose another", "Das Kennwort gehört zu denen, die zuerst probiert werden; wählen Sie ein anderes."),
    ("this is no name for a user; {}", "Das ist kein Name für einen Benutzer; nehmen Sie Buchstaben von a bis z, Ziffern und . - _ @, zuerst einen Buchstaben."),
    ("there is a user of this name already", "Es gibt schon einen Benutzer dieses Namens."),
    ("this box is claimed already; sign in", "Das Gerät ist schon in Betrieb genommen; melden Sie sich an."),
    ("this needs the role {}", "Das braucht die Rolle {}."),
    ("this change was begun by {} in another session; {}", "Diese Änderung hat {} in einer anderen Sitzung begonnen; bestätigt wird sie dort, von einem Administrator, an der Konsole oder mit „gatehouse confirm“."),
    ("generation {} is not on trial any more; generation {} is in force, and nothing was changed", "Generation {} ist nicht mehr auf Probe; in Kraft ist Generation {}, und nichts wurde geändert."),
    ("generation {} is not kept", "Generation {} ist nicht aufgehoben."),
    // Where a generation comes from.
    ("rollback to {}", "zurück auf {}"),
    ("network set {}", "Netzeinstellung {}"),
    ("file", "Datei"),
    ("factory", "Auslieferung"),
    ("start", "Start"),
    ("reload", "neu geladen"),
    ("apply", "übernommen"),
];

fn german(said: &str) -> Option<String> {
    GERMAN.iter().find_map(|(pattern, instead)| {
        let found = parts(pattern, said)?;
        let mut text = String::new();
        let mut found = found.into_iter();
        for (index, piece) in instead.split("{}").enumerate() {
            if index > 0 {
                text.push_str(found.next()?);
            }
            text.push_str(piece);
        }
        Some(text)
    })
}

/// What stands at each `{}` of `pattern` in `text`; none: it does not fit.
fn parts<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        let at = if is_last {
            rest.ends_with(piece).then(|| rest.len() - piece.len())
        } else {
            rest.find(piece)
        }?;
        let (part, after) = rest.split_at_checked(at)?;
        found.push(part);
        rest = after.strip_prefix(piece)?;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_in_german_and_the_rest_is_marked() {
        let told = |said: &str| text(said, "Nicht getan:", Language::German);
        for (said, expected) in [
            ("reload", "neu geladen"),
            ("rollback to 12", "zurück auf 12"),
            (
                "the password is too short; 10 characters are the least",
                "Das Kennwort ist zu kurz; es braucht mindestens 10 Zeichen.",
            ),
            (
                "generation 8 is not on trial any more; generation 7 is in force, and nothing was changed",
                "Generation 8 ist nicht mehr auf Probe; in Kraft ist Generation 7, und nichts wurde geändert.",
            ),
        ] {
            assert_eq!(told(said), Told::own(expected));
            assert_eq!(text(said, "", Language::English), Told::own(said));
        }
        for said in ["", "something new", "rollback", "reload it", "rollback to"] {
            let told = told(said);
            assert_eq!(told.text, "Nicht getan:");
            assert_eq!(told.said.as_deref(), Some(said));
        }
    }

    #[test]
    fn moments_are_written_as_the_language_does() {
        let at = Moment(1_795_225_367_123);
        assert_eq!(moment(at, Language::English), "2026-11-21 01:42:47 UTC");
        assert_eq!(moment(at, Language::German), "21.11.2026, 01:42:47 UTC");
    }
}
