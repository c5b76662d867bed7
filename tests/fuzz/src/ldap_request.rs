use proto::ldap::{Asks, Bind, BindName, LONGEST_REQUEST, ResultCode, answer, request};

/// What an LDAP client asks is read alike whatever follows it, says nothing that could not stand in a line of the log, and gets
/// an answer that belongs to it.
pub fn ldap_request(data: &[u8]) {
    let Ok(Some(found)) = request(data) else {
        return;
    };
    let longer = [data, b"more"].concat();
    assert_eq!(request(&longer), Ok(Some(found.clone())));
    if let Asks::Bind(bind) = &found.asks {
        assert!(found.len <= data.len().min(LONGEST_REQUEST));
        assert_eq!(request(&data[..found.len - 1]), Ok(None));
        match bind {
            Bind::Simple(name) | Bind::Unauthenticated(name) => check(name),
            Bind::Sasl { name, mechanism } => {
                assert!(!mechanism.contains(char::is_control));
                name.iter().for_each(check);
            }
            Bind::Anonymous | Bind::Unknown => {}
        }
    }
    let Some(said) = found.result(ResultCode::Unavailable, "no") else {
        return;
    };
    let of_entries = matches!(
        found.asks,
        Asks::Compare | Asks::Add | Asks::Delete | Asks::Modify | Asks::Rename
    );
    if !of_entries {
        let said = answer(&said).expect("an answer").expect("whole");
        assert_eq!(said.id, found.id);
    }
}

fn check(name: &BindName) {
    assert!(!name.text.is_empty() && !name.text.contains(char::is_control));
    for part in name.domain.iter().chain(&name.user) {
        assert!(!part.is_empty() && part.len() <= name.text.len());
        assert!(!part.contains(char::is_control));
    }
}
