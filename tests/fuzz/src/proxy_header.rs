use proto::proxy_header::{MAX_BUFFERED, read, write_v1, write_v1_local, write_v2, write_v2_local};

/// A PROXY header that is accepted needed all of its bytes, and is read alike when it is written anew.
pub fn proxy_header(data: &[u8]) {
    let found = read(data);
    if data.len() >= MAX_BUFFERED {
        assert!(!matches!(found, Ok(None)));
    }
    let Ok(Some((header, len))) = found else {
        return;
    };
    assert_eq!(read(&data[..len - 1]), Ok(None));
    assert_eq!(read(&data[..len]), Ok(Some((header, len))));
    assert_eq!(header.source.is_some(), header.destination.is_some());
    for version in [1, 2] {
        let mut out = Vec::new();
        match (version, header.source.zip(header.destination)) {
            (1, Some((source, destination))) => write_v1(&mut out, source, destination),
            (_, Some((source, destination))) => write_v2(&mut out, source, destination),
            (1, None) => write_v1_local(&mut out),
            (_, None) => write_v2_local(&mut out),
        }
        assert_eq!(read(&out), Ok(Some((header, out.len()))));
    }
}
