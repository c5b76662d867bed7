use uplink::acme::chew;

/// Whatever a certificate authority or its name server sends: what an operator gets to see of it is one short line.
pub fn acme_answer(data: &[u8]) {
    for sentence in chew(data) {
        assert!(sentence.len() < 2000);
        assert!(!sentence.contains(char::is_control));
    }
}
