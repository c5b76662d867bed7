//! Names and passwords as they go into keys.
//!
//! RFC 8489 wants `OpaqueString` (RFC 8265 section 4), RFC 5389 wanted `SASLprep` (RFC 4013), and clients of both are about. Both forms are
//! taken where they differ, which they never do in ASCII.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Unusable;

/// The forms of a text of at most so many bytes: one, or two that differ.
pub(super) fn forms(text: &str, longest: usize) -> Result<Vec<String>, Unusable> {
    let opaque: String = text.chars().map(space).nfc().collect();
    let sasl: String = text
        .chars()
        .filter(|char| !is_mapped_to_nothing(*char))
        .map(space)
        .nfkc()
        .collect();
    let mut forms = vec![opaque];
    if forms.first() != Some(&sasl) && !sasl.is_empty() {
        forms.push(sasl);
    }
    for form in &forms {
        if form.is_empty() {
            return Err(Unusable::Empty);
        }
        if form.len() > longest {
            return Err(Unusable::TooLong);
        }
        if form.chars().any(char::is_control) || form.starts_with(is_combining_mark) {
            return Err(Unusable::Character);
        }
    }
    Ok(forms)
}

/// Every space is the one of ASCII.
fn space(char: char) -> char {
    match char {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    }
}

/// RFC 3454 table B.1.
fn is_mapped_to_nothing(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{1806}'
            | '\u{180b}'..='\u{180d}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}
