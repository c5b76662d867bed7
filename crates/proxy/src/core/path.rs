//! How a path of the file matches the path of a request (design section 7).

/// How a path of the file fits the path that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It lets the request in.
    Yes,
    /// The request does not begin with it.
    No,
    /// The request begins with it, but it ends in "/" and the rest holds a further "/".
    Deeper,
}

/// Compares `path`, of the file, with the initial part of `asked`, the raw path of the request
/// without its query. The empty path of the file fits everything; where `path` ends in
/// "/", the rest of `asked` must hold no further "/".
pub fn fit(path: &[u8], asked: &[u8]) -> Fit {
    let Some(rest) = asked.strip_prefix(path) else {
        return Fit::No;
    };
    if path.ends_with(b"/") && rest.contains(&b'/') {
        Fit::Deeper
    } else {
        Fit::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_match_and_a_slash_at_the_end_keeps_to_one_level() {
        let table = [
            ("", "/", Fit::Yes),
            ("", "/a/b/c", Fit::Yes),
            ("", "*", Fit::Yes),
            ("/PBX0/APPS", "/PBX0/APPS", Fit::Yes),
            ("/PBX0/APPS", "/PBX0/APPS/websocket", Fit::Yes),
            ("/PBX0/APPS", "/PBX0/APPSTORE", Fit::Yes),
            ("/PBX0/APPS", "/PBX0/APP", Fit::No),
            ("/PBX0/APPS", "/pbx0/apps", Fit::No),
            ("/PBX0/APPS", "/x/PBX0/APPS", Fit::No),
            ("/x/", "/x/", Fit::Yes),
            ("/x/", "/x/a", Fit::Yes),
            ("/x/", "/x/a/", Fit::Deeper),
            ("/x/", "/x/a/b", Fit::Deeper),
            ("/x/", "/x", Fit::No),
            ("/", "/", Fit::Yes),
            ("/", "/a", Fit::Yes),
            ("/", "/a/b", Fit::Deeper),
        ];
        for (path, asked, expected) in table {
            assert_eq!(
                fit(path.as_bytes(), asked.as_bytes()),
                expected,
                "{path:?} for {asked:?}"
            );
        }
    }
}
