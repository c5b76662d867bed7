use proto::radius::{Answer, Attribute, MAX_VALUE, Nonce, Verdict};

const SECRET: &[u8] = b"a secret that nobody guesses";
const ASKED: Nonce = Nonce {
    identifier: 7,
    authenticator: *b"0123456789abcdef",
};
/// More attributes might not fit into a packet.
const MOST: usize = 4000;

/// No bytes from the network are an answer of a RADIUS server; as attributes of one that proves itself they are read as they stand.
pub fn radius_answer(data: &[u8]) {
    assert!(Answer::read(data, &ASKED, SECRET).is_err());
    let mut said = Vec::new();
    let mut rest = data.get(..MOST).unwrap_or(data);
    while let [kind, len, after @ ..] = rest {
        let (value, after) = after.split_at(usize::from(*len).min(after.len()));
        said.push((*kind, value));
        rest = after;
    }
    let packet = Answer::write(Verdict::Accept, &said, &ASKED, SECRET);
    // One that has a second Message-Authenticator or User-Name is none.
    let Ok(answer) = Answer::read(&packet, &ASKED, SECRET) else {
        return;
    };
    assert_eq!(answer.verdict, Verdict::Accept);
    for attribute in [
        Attribute::UserName,
        Attribute::FilterId,
        Attribute::ReplyMessage,
        Attribute::State,
        Attribute::Class,
    ] {
        let wrote = said
            .iter()
            .filter(|(kind, value)| *kind == attribute as u8 && !value.is_empty())
            .map(|(_, value)| value.get(..MAX_VALUE).unwrap_or(value));
        assert!(wrote.eq(answer.values(attribute)));
    }
}
