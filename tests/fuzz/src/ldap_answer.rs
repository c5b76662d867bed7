use proto::ldap::{Kind, answer};

/// What an LDAP server says is made plain once: plain form is its own plain form, and no longer than what was said allows.
pub fn ldap_answer(data: &[u8]) {
    let Ok(Some(said)) = answer(data) else { return };
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
