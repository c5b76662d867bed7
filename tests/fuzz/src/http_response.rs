use proto::http::{Limits, MAX_HEAD, Version, response};

/// A response head that is accepted holds no bare line end, and is understood alike when it is written anew.
pub fn http_response(data: &[u8]) {
    for method in ["GET", "HEAD"] {
        let Ok(Some(head)) = response(data, method, &Limits::default()) else {
            continue;
        };
        let bytes = &data[..head.len];
        assert!(bytes.ends_with(b"\r\n\r\n"));
        let (cr, lf) = (count(bytes, b"\r"), count(bytes, b"\n"));
        assert_eq!((cr, lf), (count(bytes, b"\r\n"), count(bytes, b"\r\n")));
        assert!(matches!(
            response(&bytes[..head.len - 1], method, &Limits::default()),
            Ok(None)
        ));
        let version = if head.version == Version::Http10 {
            "HTTP/1.0"
        } else {
            "HTTP/1.1"
        };
        let mut rewritten = format!("{version} {} ", head.status).into_bytes();
        rewritten.extend_from_slice(head.reason);
        rewritten.extend_from_slice(b"\r\n");
        head.fields.write(&mut rewritten, |_| true);
        rewritten.extend_from_slice(b"\r\n");
        let limits = Limits {
            head: MAX_HEAD,
            ..Limits::default()
        };
        let again = response(&rewritten, method, &limits)
            .expect("refused anew")
            .expect("cut");
        assert_eq!((again.status, again.framing), (head.status, head.framing));
        assert_eq!(
            (again.keep_alive, again.websocket),
            (head.keep_alive, head.websocket)
        );
        assert_eq!(again.reason, head.reason);
    }
}

fn count(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes
        .windows(wanted.len())
        .filter(|window| *window == wanted)
        .count()
}
