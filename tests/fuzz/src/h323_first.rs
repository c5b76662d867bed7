use proto::h323::{Alias, Kind, MAX_ALIASES, MAX_BUFFERED, later, recognise};

/// A first message that is accepted needed all of its bytes, and says nothing that could not stand in a line of the log.
pub fn h323_first(data: &[u8]) {
    let next = later(data);
    if let Ok(Some(next)) = &next {
        assert_eq!(later(&data[..next.len - 1]), Ok(None));
        assert_eq!(later(&data[..next.len]), Ok(Some(next.clone())));
    }
    let found = recognise(data);
    if data.len() >= MAX_BUFFERED {
        assert!(!matches!(found, Ok(None)));
    }
    let Ok(Some(first)) = found else {
        return;
    };
    assert!(first.len <= MAX_BUFFERED);
    // Unless a keep-alive comes before it, it says the same later.
    if let Ok(Some(next)) = next
        && next.len == first.len
        && !matches!(first.kind, Kind::Setup { .. })
    {
        assert_eq!(next.request.as_ref(), Some(&first));
    }
    assert_eq!(recognise(&data[..first.len - 1]), Ok(None));
    assert_eq!(recognise(&data[..first.len]), Ok(Some(first.clone())));
    assert!(first.aliases.len() <= MAX_ALIASES);
    let destinations = match &first.kind {
        Kind::Setup { destinations } => &destinations[..],
        Kind::Registration | Kind::Discovery => &[],
    };
    let aliases = first.aliases.iter().chain(destinations);
    for text in aliases.filter_map(Alias::text) {
        assert!(!text.is_empty() && !text.contains(char::is_control));
    }
    for identifier in first.gatekeeper.iter().chain(&first.endpoint) {
        let text = identifier.as_str();
        assert!(!text.is_empty() && !text.contains(char::is_control));
        assert!(text.chars().count() <= 128);
        let host = identifier.host().to_ascii_lowercase();
        assert!(text.to_ascii_lowercase().ends_with(&host));
    }
}
