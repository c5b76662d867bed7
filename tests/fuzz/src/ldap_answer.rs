use proto::ldap::{Kind, answer, reply};

/// What an LDAP server says is made plain once: plain form is its own plain form, and no longer than what was said allows. What is
/// known of it by its beginning is the same.
pub fn ldap_answer(data: &[u8]) {
    let known = reply(data);
    if let Ok(Some(known)) = known {
        assert!(known.len > 2);
    }
    let Ok(Some(said)) = answer(data) else { return };
    let known = known.expect("an answer has a beginning");
    let known = known.expect("what is whole has begun");
    assert_eq!((known.id, known.len), (said.id, said.length));
    let bound = match said.kind {
        Kind::Bound(code) => Some(code),
        _ => None,
    };
    assert_eq!(known.bound, bound);
    assert!(said.length <= data.len());
    assert_eq!(said.plain.is_empty(), said.kind == Kind::Other);
    if said.kind != Kind::Other {
        let again = answer(&said.plain).expect("plain form is LDAP");
        let again = again.expect("plain form is whole");
        assert_eq!(
            (again.id, again.kind, &again.plain),
            (said.id, said.kind, &said.plain)
        );
        assert_eq!(again.length, said.plain.len());
    }
}
