use signin::directory::oidc::chew;

/// Whatever an OIDC provider or a browser that comes from it sends: what an operator gets to see of it is short lines.
pub fn oidc_token(data: &[u8]) {
    for sentence in chew(data) {
        assert!(sentence.len() < 2000);
        assert!(!sentence.contains(char::is_control));
    }
}
