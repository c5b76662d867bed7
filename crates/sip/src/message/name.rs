/// The headers that something here looks at, whatever their spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Name {
    /// `Call-ID`, `i`.
    CallId,
    /// `Contact`, `m`.
    Contact,
    /// `Content-Length`, `l`.
    ContentLength,
    /// `Content-Type`, `c`.
    ContentType,
    /// `CSeq`.
    CSeq,
    /// `From`, `f`.
    From,
    /// `Path` (RFC 3327).
    Path,
    /// `Record-Route`.
    RecordRoute,
    /// `Route`.
    Route,
    /// `Server`.
    Server,
    /// `Service-Route` (RFC 3608).
    ServiceRoute,
    /// `To`, `t`.
    To,
    /// `User-Agent`.
    UserAgent,
    /// `Via`, `v`.
    Via,
    /// Any other one.
    Other,
}

/// The short forms (RFC 3261 section 7.3.3 and the registry of SIP headers).
const SHORT: &[(&str, &str)] = &[
    ("a", "accept-contact"),
    ("b", "referred-by"),
    ("c", "content-type"),
    ("d", "request-disposition"),
    ("e", "content-encoding"),
    ("f", "from"),
    ("i", "call-id"),
    ("j", "reject-contact"),
    ("k", "supported"),
    ("l", "content-length"),
    ("m", "contact"),
    ("n", "identity-info"),
    ("o", "event"),
    ("r", "refer-to"),
    ("s", "subject"),
    ("t", "to"),
    ("u", "allow-events"),
    ("v", "via"),
    ("x", "session-expires"),
    ("y", "identity"),
];

impl Name {
    /// What a header is by its name, short or long, in any case.
    pub fn of(name: &[u8]) -> Self {
        // Every header of every message comes here: by its length, few are left to be compared.
        let candidates: &[(&str, Self)] = match name.len() {
            1 => &[
                ("c", Self::ContentType),
                ("f", Self::From),
                ("i", Self::CallId),
                ("l", Self::ContentLength),
                ("m", Self::Contact),
                ("t", Self::To),
                ("v", Self::Via),
            ],
            2 => &[("to", Self::To)],
            3 => &[("via", Self::Via)],
            4 => &[
                ("cseq", Self::CSeq),
                ("from", Self::From),
                ("path", Self::Path),
            ],
            5 => &[("route", Self::Route)],
            6 => &[("server", Self::Server)],
            7 => &[("call-id", Self::CallId), ("contact", Self::Contact)],
            10 => &[("user-agent", Self::UserAgent)],
            12 => &[
                ("content-type", Self::ContentType),
                ("record-route", Self::RecordRoute),
            ],
            13 => &[("service-route", Self::ServiceRoute)],
            14 => &[("content-length", Self::ContentLength)],
            _ => &[],
        };
        let found = candidates
            .iter()
            .find(|(spelling, _)| name.eq_ignore_ascii_case(spelling.as_bytes()));
        found.map_or(Self::Other, |(_, name)| *name)
    }
}

/// Whether a header has this long name, or its short form.
pub(super) fn is_same(name: &[u8], long: &str) -> bool {
    let is_short = |(short, its_long): &(&str, &str)| {
        name.eq_ignore_ascii_case(short.as_bytes()) && its_long.eq_ignore_ascii_case(long)
    };
    name.eq_ignore_ascii_case(long.as_bytes()) || SHORT.iter().any(is_short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_names_mean_the_same() {
        for (short, long) in SHORT {
            assert_eq!(Name::of(short.as_bytes()), Name::of(long.as_bytes()));
            assert_eq!(
                Name::of(short.to_uppercase().as_bytes()),
                Name::of(long.to_uppercase().as_bytes())
            );
            assert!(is_same(short.as_bytes(), &long.to_uppercase()));
            assert!(is_same(long.as_bytes(), long) && !is_same(b"z", long));
        }
        let long = [
            ("Call-ID", Name::CallId),
            ("CSeq", Name::CSeq),
            ("Content-Length", Name::ContentLength),
            ("Content-Type", Name::ContentType),
            ("Path", Name::Path),
            ("Record-Route", Name::RecordRoute),
            ("Route", Name::Route),
            ("Server", Name::Server),
            ("Service-Route", Name::ServiceRoute),
            ("User-Agent", Name::UserAgent),
            ("Subject", Name::Other),
            ("", Name::Other),
        ];
        for (spelling, name) in long {
            assert_eq!(Name::of(spelling.as_bytes()), name);
        }
    }
}
