//! "Did you mean": the known word that is nearest to an unknown one.

/// The known word an operator most likely meant, if one is near enough to be worth saying.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
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
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to write instead of an unknown word: the nearest known one, or all of them.
pub(crate) fn instead(word: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(word, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let mut unique: Vec<&str> = Vec::new();
    for word in known {
        if !unique.contains(word) {
            unique.push(word);
        }
    }
    match unique.as_slice() {
        [] => "remove it".to_owned(),
        [only] => format!("write `{only}`"),
        [rest @ .., last] => {
            let rest: Vec<_> = rest.iter().map(|word| format!("`{word}`")).collect();
            format!("write {} or `{last}`", rest.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_nonsense_is_not() {
        let known = [
            "suspicious_per_minute",
            "ban_for",
            "never",
            "lan",
            "http",
            "https",
        ];
        for (word, expected) in [
            ("suspicous_per_minute", Some("suspicious_per_minute")),
            ("ban-for", Some("ban_for")),
            ("banfor", Some("ban_for")),
            ("Never", Some("never")),
            ("lna", Some("lan")),
            ("wan", None),
            ("htpps", Some("https")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn what_to_write_instead() {
        assert_eq!(
            instead("x", &["dhcp", "auto6", "auto6"]),
            "write `dhcp` or `auto6`"
        );
        assert_eq!(instead("dchp", &["dhcp", "auto6"]), "did you mean `dhcp`?");
        assert_eq!(instead("x", &[]), "remove it");
    }
}
