use proto::tls::{MAX_BUFFERED, client_hello};

/// A hello that is accepted needed all of its bytes, names a DNS name, and is read alike from one record.
pub fn tls_hello(data: &[u8]) {
    let found = client_hello(data);
    if data.len() >= MAX_BUFFERED {
        assert!(!matches!(found, Ok(None)));
    }
    let Ok(Some(hello)) = found else {
        return;
    };
    assert_eq!(client_hello(&data[..hello.len - 1]), Ok(None));
    assert_eq!(client_hello(&data[..hello.len]), Ok(Some(hello.clone())));
    if let Some(name) = &hello.server_name {
        assert!(!name.is_empty() && name.len() <= 253 && *name == name.to_ascii_lowercase());
    }
    let mut message = Vec::new();
    let mut rest = &data[..hello.len];
    while let [_, _, _, high, low, tail @ ..] = rest {
        let (fragment, tail) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        message.extend_from_slice(fragment);
        rest = tail;
    }
    let len = u16::try_from(message.len())
        .expect("within the limit")
        .to_be_bytes();
    let joined = [&[22, 3, 3, len[0], len[1]], &message[..]].concat();
    let again = client_hello(&joined).expect("refused anew").expect("cut");
    assert_eq!(
        (again.server_name, again.alpn),
        (hello.server_name, hello.alpn)
    );
}
