use proto::http::{
    BasicCredentials, Limits, basic_challenge, cookies, is_basic, request, write_cookies,
};

/// Cookies that are taken out of a head are gone, all others stay as they were and in order; user and password of an `Authorization`
/// are parted at the first colon and hold nothing that could break a line.
pub fn http_credentials(data: &[u8]) {
    authorization(data);
    let head = [b"GET / HTTP/1.1\r\nHost: a\r\nCookie: ", data, b"\r\n\r\n"].concat();
    let Ok(Some(asked)) = request(&head, &Limits::default()) else {
        return;
    };
    let mut out = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    write_cookies(&mut out, &asked.fields, |name| name != b"AUTH");
    out.extend_from_slice(b"\r\n");
    let rest = request(&out, &Limits::default())
        .expect("refused anew")
        .expect("cut");
    assert_eq!(cookies(&rest.fields, "AUTH").count(), 0);
    for name in ["a", "b", ""] {
        assert!(cookies(&asked.fields, name).eq(cookies(&rest.fields, name)));
    }
}

fn authorization(data: &[u8]) {
    let read = BasicCredentials::read(data);
    assert_eq!(read.is_some(), is_basic(data));
    if let Some(Ok(found)) = read {
        assert!(!found.user().contains(':'));
        assert!(
            !found
                .user()
                .chars()
                .chain(found.password().chars())
                .any(char::is_control)
        );
        let challenge = basic_challenge(found.user());
        assert!(challenge.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}
