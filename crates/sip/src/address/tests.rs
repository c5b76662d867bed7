use super::*;

fn parse(text: &str) -> Result<Address<'_>, BadAddress> {
    Address::parse(text.as_bytes())
}

/// User, domain and port of an address.
fn parts(text: &str) -> (String, String, Option<u16>) {
    let uri = parse(text)
        .unwrap_or_else(|fault| panic!("{text}: {fault}"))
        .uri;
    let user = uri.user().unwrap_or_default().into_owned();
    (user, uri.domain().unwrap_or_default(), uri.port)
}

#[test]
fn addresses_are_read_in_their_parts() {
    let expected = [
        ("sip:john@dvl-ckl2.net", "john", "dvl-ckl2.net", None),
        ("<sip:john@dvl-ckl2.net>", "john", "dvl-ckl2.net", None),
        (
            "\"John \\\"J\\\" <Doe>\" <sip:john@DVL-ckl2.NET/Branch-B>;tag=1",
            "john",
            "dvl-ckl2.net/branch-b",
            None,
        ),
        (
            "John Doe <sips:john@a.example:5071;transport=tls?subject=x>;tag=1",
            "john",
            "a.example",
            Some(5071),
        ),
        ("sip:a.example;tag=x", "", "a.example", None),
        (
            "SIP:j%6fhn:secret@[2001:DB8::1]:5060;tag=\"a,b@c\"",
            "john",
            "[2001:db8::1]",
            Some(5060),
        ),
        (
            "<sip:+49;phone-context=x@a.example>",
            "+49;phone-context=x",
            "a.example",
            None,
        ),
        ("sip:a%@h", "a%", "h", None),
        (
            "Jürgen\r\n <sip:j%C3%BCrgen@192.0.2.1>\r\n ;tag=1",
            "jürgen",
            "192.0.2.1",
            None,
        ),
        ("tel:+4970311;ext=5", "+4970311", "", None),
        ("<tel:+4970311;ext=5>;tag=7", "+4970311", "", None),
        ("<urn:service:sos>", "", "", None),
        ("<sip:a@b> ; tag = 1", "a", "b", None),
        ("<sip:a@b/c:5060>", "a", "b/c", Some(5060)),
    ];
    for (text, user, domain, port) in expected {
        assert_eq!(
            parts(text),
            (user.to_owned(), domain.to_owned(), port),
            "{text}"
        );
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let expected = [
        ("", BadAddress::Uri),
        ("<>", BadAddress::Uri),
        ("sip:", BadAddress::Uri),
        ("john@a.example", BadAddress::Uri),
        ("<sip:a@b", BadAddress::Form),
        ("\"a <sip:a@b>", BadAddress::Uri),
        ("\"a\" b <sip:a@b>", BadAddress::Form),
        ("a, b <sip:a@b>", BadAddress::Several),
        ("<sip:a@b>, <sip:c@d>", BadAddress::Several),
        ("<sip:a@b>;tag=1, <sip:c@d>", BadAddress::Several),
        ("sip:a@b,sip:c@d", BadAddress::Several),
        ("sip:a@b;tag=1,sip:c@d", BadAddress::Several),
        ("<sip:a@b> <sip:c@d>", BadAddress::Form),
        ("<sip:a@b>;x=<sip:c@d>", BadAddress::Form),
        ("sip:a;b@c", BadAddress::Form),
        ("sip:a@b?c=d", BadAddress::Form),
        ("<sip:a@b@c>", BadAddress::Uri),
        ("<sip:@b>", BadAddress::Uri),
        ("<sip:a @b>", BadAddress::Uri),
        ("<sip:a@>", BadAddress::Host),
        ("<sip:a@b/>", BadAddress::Host),
        ("<sip:a@b/c/d>", BadAddress::Host),
        ("<sip:a@-b>", BadAddress::Host),
        ("<sip:a@b\\c>", BadAddress::Host),
        ("<sip:a@2001:db8::1>", BadAddress::Port),
        ("<sip:a@[2001:db8::1>", BadAddress::Host),
        ("<sip:a@[2001:db8::1]x>", BadAddress::Uri),
        ("<sip:a@[not]>", BadAddress::Host),
        ("<sip:a@b:>", BadAddress::Port),
        ("<sip:a@b:0>", BadAddress::Port),
        ("<sip:a@b:65536>", BadAddress::Port),
        ("<sip:a@b:+5060>", BadAddress::Port),
    ];
    for (text, fault) in expected {
        assert_eq!(parse(text), Err(fault), "{text}");
    }
}

#[test]
fn parameters_of_header_and_uri_are_kept_apart() {
    let text = "\"a\\\\b\\\"c\" <sip:a@b;transport=TLS;lr;tag=uri?x=y>;Tag=\"1;2\";q";
    let address = parse(text).unwrap();
    assert_eq!(address.display(), "a\\b\"c");
    assert_eq!(address.parameter("tag"), Some(&b"\"1;2\""[..]));
    assert_eq!(address.parameter("q"), Some(&b""[..]));
    assert_eq!(address.parameter("transport"), None);
    assert_eq!(address.uri.parameter("TRANSPORT"), Some(&b"TLS"[..]));
    assert_eq!(address.uri.parameter("lr"), Some(&b""[..]));
    assert_eq!(address.uri.parameter("tag"), Some(&b"uri"[..]));
    assert_eq!(address.uri.parameter("x"), None);
    assert_eq!(address.uri.host_port_span.of(text.as_bytes()), b"b");
}

#[test]
fn no_password_is_shown() {
    let shown = format!("{:?}", parse("<sip:a:secret@b>").unwrap().uri);
    assert!(!shown.contains("secret"), "{shown}");
}
