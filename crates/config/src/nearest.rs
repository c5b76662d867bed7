//! "Did you mean": the known word that is nearest to an unknown one.

/// The known word an operator most likely meant, if one is near enough to be worth saying.
pub(crate) fn nearest<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(word);
    // Short words are near to everything: "wan" is not a slip for "lan".
    let short = wanted.chars().count() <= 3;
    let fits = |candidate: &str| !short || candidate.chars().next() == wanted.chars().next();
    // A third of the word may differ: enough for slips and plurals, too little for nonsense.
    let most = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| fits(&plain(candidate)))
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to write instead of an unknown word: the nearest known one, or all of them.
pub(crate) fn instead(word: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(word, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match known {
        [] => "remove it".to_owned(),
        [only] => format!("write `{only}`"),
        [rest @ .., last] => {
            let rest: Vec<_> = rest.iter().map(|word| format!("`{word}`")).collect();
            format!("write {} or `{last}`", rest.join(", "))
        }
    }
}
