use stun::credentials::{Algorithm, Credentials};
use stun::message::{Digest, HEADER, Key, MOST_ATTRIBUTES, Message, Writer};

/// A message is one as a whole only, tells attributes that lie in it, and stays the same when it is written again.
pub fn stun_message(data: &[u8]) {
    let Ok(message) = Message::parse(data) else {
        return;
    };
    assert!(Message::parse(&data[..data.len() - 1]).is_err());
    assert!(Message::parse(&[data, &[0]].concat()).is_err());
    let key = Key::new(b"key");
    for digest in [Digest::Sha1, Digest::Sha256] {
        assert!(!message.is_by(&key, digest, 0), "nobody has signed it");
    }
    let _ = message.fingerprint();
    let nobody = Credentials::new("realm").expect("it is a realm");
    assert!(nobody.prove(&message, Algorithm::Md5, 0).is_none());
    let kinds: Vec<u16> = message.attributes().map(|found| found.kind).collect();
    assert!(kinds.len() <= MOST_ATTRIBUTES);
    let unknown = message.not_understood(|_| false);
    assert!(unknown.count() <= kinds.len());

    let mut out = vec![0; data.len() + 64];
    let mut writer = Writer::new(
        &mut out,
        message.class(),
        message.method(),
        message.transaction(),
    );
    for found in message.attributes() {
        writer.attribute(found.kind, found.value);
        if let Some(address) = found.xor_address(&message) {
            assert!(matches!(found.value.len(), 8 | 20), "{address}");
        }
    }
    writer.protect(&key, Digest::Sha256).fingerprint();
    let Ok(length) = writer.finish() else {
        assert!(
            data.len() > 0xffff - 64 + HEADER,
            "only the longest have no room"
        );
        return;
    };
    let again = Message::parse(&out[..length]);
    // With the two that were added there may be more than may be.
    let Ok(again) = again else {
        assert!(kinds.len() + 2 > MOST_ATTRIBUTES);
        return;
    };
    assert!(again.attributes().eq(message.attributes()));
    assert!(again.is_by(&key, Digest::Sha256, 32) && again.fingerprint() == Some(true));
}
