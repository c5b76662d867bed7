use crate::valid;
use guard::entrance::htpasswd::read;

/// A file of htpasswd that is taken is written and read alike, and no fault repeats what is behind a name.
pub fn htpasswd(data: &[u8]) {
    let text = valid(data);
    match read(text) {
        Ok(found) => {
            let lines = found
                .iter()
                .map(|(name, hash)| format!("{name}:{}\n", String::from(hash.clone())));
            let again: String = lines.collect();
            assert_eq!(read(&again).as_ref(), Ok(&found));
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= 100);
            assert!(
                faults
                    .iter()
                    .all(|fault| fault.line >= 1 && fault.what.len() < 400)
            );
        }
    }
}
