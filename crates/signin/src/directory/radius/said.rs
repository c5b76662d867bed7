//! What an answer of a server means here.

use proto::radius::{self, Attribute, Verdict};

use super::Ticket;
use crate::directory::{Answer, Person, Question, Typing};

/// The most groups of a person.
const MOST_GROUPS: usize = 64;
/// The most characters of a name; those of [`Typing`].
const LONGEST_NAME: usize = 128;
/// The most characters of a prompt.
const LONGEST_PROMPT: usize = 200;

/// An answer as the login page wants it; an error is why it makes no sense. `ticket` makes one from a State.
pub(super) fn answer(
    said: radius::Answer<'_>,
    groups: Attribute,
    typing: &Typing,
    ticket: &dyn Fn(Vec<u8>) -> Ticket,
) -> Result<Answer, String> {
    match said.verdict {
        Verdict::Accept => Ok(Answer::Known(Person {
            is_named: said.values(Attribute::UserName).next().is_some(),
            user: name(&said, typing)?,
            groups: texts(&said, groups),
        })),
        Verdict::Reject => Ok(Answer::Refused(match shown(&said) {
            text if text.is_empty() => "the server says no".to_owned(),
            text => format!("the server says no: {text}"),
        })),
        Verdict::Challenge => {
            let state = said.values(Attribute::State).next().unwrap_or_default();
            Ok(Answer::Asks(Question {
                prompt: shown(&said),
                state: ticket(state.to_vec()).write(),
            }))
        }
    }
}

/// What the server calls him, or else what he has typed (RFC 2865 section 5.1).
fn name(said: &radius::Answer<'_>, typing: &Typing) -> Result<String, String> {
    let Some(bytes) = said.values(Attribute::UserName).next() else {
        // It may not tell Alice from alice, so targets must not be told of two.
        return Ok(typing.user.to_lowercase());
    };
    // Whoever it is then, it is not the one whose name was typed.
    text(bytes)
        .filter(|name| name.chars().count() <= LONGEST_NAME)
        .ok_or_else(|| "its User-Name is no name of at most 128 characters".to_owned())
}

/// The values of an attribute that are names, each once; those of the many other uses of these attributes harm nobody.
fn texts(said: &radius::Answer<'_>, attribute: Attribute) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for found in said.values(attribute).filter_map(text) {
        if all.len() < MOST_GROUPS && !all.contains(&found) {
            all.push(found);
        }
    }
    all
}

/// A value that is one line of text.
fn text(value: &[u8]) -> Option<String> {
    let text = str::from_utf8(value).ok()?.trim();
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// What the server wants to be read by the user, as one line.
fn shown(said: &radius::Answer<'_>) -> String {
    let parts: Vec<_> = said
        .values(Attribute::ReplyMessage)
        .map(String::from_utf8_lossy)
        .collect();
    let words = parts
        .iter()
        .flat_map(|part| part.split(|char: char| char.is_control() || char.is_whitespace()))
        .filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_PROMPT).collect()
}
