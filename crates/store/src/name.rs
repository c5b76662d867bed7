//! Names that may become file names.

use crate::error::Error;

/// Checks a name: 1 to 64 of a-z, 0-9, ".", "_", "-"; a "." in front is kept for files that are being written.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('.') {
        Ok(())
    } else {
        Err(Error::BadName {
            what,
            name: name.chars().take(80).collect(),
        })
    }
}

/// The name a file has until it is complete.
pub(crate) fn unfinished(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, name)) => format!("{directory}/.{name}.new"),
        None => format!(".{path}.new"),
    }
}

/// Whether a name was given by [`unfinished`].
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.strip_suffix(".new").is_some()
}

/// The directory of a path, "" for the root.
pub(crate) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_safe_and_names_that_are_not() {
        for name in [
            "a",
            "turn-secret",
            "acme.key",
            "a_b",
            "0",
            "-",
            &"x".repeat(64),
        ] {
            assert!(check("secret", name).is_ok(), "{name}");
            assert!(!is_unfinished(name));
        }
        for name in [
            "",
            ".",
            "..",
            ".a",
            "a/b",
            "A",
            "ä",
            "a b",
            "a\0",
            "a\n",
            "../x",
            &"x".repeat(65),
        ] {
            assert!(check("secret", name).is_err(), "{name}");
        }
        assert_eq!(unfinished("secrets/a"), "secrets/.a.new");
        assert!(is_unfinished(".a.new"));
        assert_eq!((directory("secrets/a"), directory("a")), ("secrets", ""));
    }
}
