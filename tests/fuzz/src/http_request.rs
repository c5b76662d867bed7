use proto::http::{Authority, Limits, MAX_HEAD, Request, Version, path_is_unambiguous, request};

/// A request head that is accepted holds no bare line end, needed all of its bytes, and is understood alike
/// when it is written anew.
pub fn http_request(data: &[u8]) {
    let Ok(Some(head)) = request(data, &Limits::default()) else {
        return;
    };
    let bytes = &data[..head.len];
    assert!(bytes.ends_with(b"\r\n\r\n"));
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => assert_eq!(bytes[at - 1], b'\r'),
            b'\r' => assert_eq!(bytes[at + 1], b'\n'),
            b'\t' => {}
            _ => assert!(byte >= b' ' && byte != 0x7f),
        }
    }
    for end in [0, head.len / 2, head.len - 2, head.len - 1] {
        assert!(matches!(
            request(&bytes[..end], &Limits::default()),
            Ok(None)
        ));
    }
    if path_is_unambiguous(head.target.path.as_bytes()).is_ok() {
        assert!(head.target.path.starts_with('/') && !head.target.path.contains("/../"));
    }
    let limits = Limits {
        head: MAX_HEAD,
        ..Limits::default()
    };
    let rewritten = rewrite(&head);
    let again = request(&rewritten, &limits)
        .expect("refused anew")
        .expect("cut");
    assert_eq!(again.framing, head.framing);
    assert_eq!(again.keep_alive, head.keep_alive);
    assert_eq!(again.upgrade.is_some(), head.upgrade.is_some());
    assert_eq!(
        again.host.map(|host| host.text()),
        head.host.map(|host| host.text())
    );
    assert_eq!(rewrite(&again), rewritten);
    if let Some(host) = &head.host {
        let mut written = Vec::new();
        host.write(&mut written);
        let again = Authority::parse(&written).expect("refused anew");
        assert_eq!((again.host(), again.port()), (host.host(), host.port()));
        assert_eq!(again.text().as_bytes(), written);
        assert!(!host.host().ends_with('.'));
    }
}

fn rewrite(head: &Request<'_>) -> Vec<u8> {
    let version = if head.version == Version::Http10 {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    let mut out = format!("{} {} {version}\r\n", head.method, head.target.raw).into_bytes();
    head.fields.write(&mut out, |_| true);
    out.extend_from_slice(b"\r\n");
    out
}
