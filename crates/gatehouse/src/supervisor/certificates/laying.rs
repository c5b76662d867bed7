//! Files and secrets that are written together: all of them, or none.

use super::Certificates;
use serde::{Deserialize, Serialize};
use store::{Error, Store};

/// What was before, while something is being written: after a power cut it is put back.
const BEFORE: &str = "ca/before-import.json";

/// Something that is to be written.
pub(super) struct Write {
    /// Where to.
    pub(super) place: Place,
    content: Vec<u8>,
}

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// A file that the configuration names.
    File(String),
    /// A secret.
    Secret(String),
}

/// What was in a place.
#[derive(Serialize, Deserialize)]
struct Was {
    place: Place,
    content: Option<Vec<u8>>,
}

impl Write {
    pub(super) fn file(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            place: Place::File(name.to_owned()),
            content: content.into(),
        }
    }

    pub(super) fn secret(name: &str, content: &str) -> Self {
        Self {
            place: Place::Secret(name.to_owned()),
            content: content.into(),
        }
    }
}

impl Place {
    fn read(&self, store: &Store) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::File(name) => store.blob(&file(name)),
            Self::Secret(name) => {
                let secret = store.secret(name)?;
                Ok(secret.map(|secret| secret.bytes().to_vec()))
            }
        }
    }

    fn write(&self, store: &mut Store, content: &[u8]) -> Result<(), Error> {
        match self {
            Self::File(name) => store.set_blob(&file(name), content),
            Self::Secret(name) => store.set_secret(name, content),
        }
    }

    fn remove(&self, store: &mut Store) -> Result<bool, Error> {
        match self {
            Self::File(name) => store.remove_blob(&file(name)),
            Self::Secret(name) => store.remove_secret(name),
        }
    }
}

impl Certificates {
    /// Does all `writes`, and asks `judge` whether that is good.
    ///
    /// # Errors
    /// The disk does not take it, or `judge` says no; everything is as it was.
    pub(super) fn lay(
        &self,
        store: &mut Store,
        writes: &[Write],
        judge: impl FnOnce(&Self, &mut Store) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut before = Vec::new();
        for write in writes {
            let (place, content) = (write.place.clone(), write.place.read(store)?);
            before.push(Was { place, content });
        }
        store.set_blob(BEFORE, &serde_json::to_vec(&before)?)?;
        let mut writing = writes.iter();
        let written = writing.try_for_each(|write| write.place.write(store, &write.content));
        let done = match written {
            Ok(()) => judge(self, store),
            Err(error) => Err(error.into()),
        };
        match done {
            Ok(()) => {
                store.remove_blob(BEFORE)?;
                Ok(())
            }
            Err(error) => {
                self.put_back(store);
                Err(error)
            }
        }
    }

    /// Puts back what was before something that did not come to its end.
    pub(super) fn put_back(&self, store: &mut Store) {
        let before = match store.blob(BEFORE) {
            Ok(Some(before)) => before,
            Ok(None) => return,
            Err(error) => return self.journal.notice("certs", error.to_string()),
        };
        let before: Vec<Was> = serde_json::from_slice(&before).unwrap_or_default();
        for Was { place, content } in before {
            let put = match content {
                Some(content) => place.write(store, &content),
                None => place.remove(store).map(drop),
            };
            if let Err(error) = put {
                // It is tried again at the next start.
                return self.journal.notice("certs", error.to_string());
            }
        }
        if let Err(error) = store.remove_blob(BEFORE) {
            self.journal.notice("certs", error.to_string());
        }
    }

    /// What lies in front of a file in `files/` of the state directory, if anything does.
    pub(super) fn hides(&self, file: &str) -> Option<String> {
        let (_, others) = self.places.split_last()?;
        let mut others = others.iter().map(|place| place.join(file));
        let found = others.find(|path| path.exists())?;
        Some(found.display().to_string())
    }
}

fn file(name: &str) -> String {
    format!("files/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::journal::Journal;

    #[test]
    fn all_of_it_is_written_or_nothing_also_after_a_power_cut() {
        let folder = std::env::temp_dir().join(format!("gatehouse-laying-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        let open = |store: &mut Store| {
            Certificates::open(store, "gate", Vec::new(), Journal::new()).unwrap()
        };
        let certificates = open(&mut store);
        store.set_blob("files/a.pem", b"old").unwrap();
        let writes = [Write::file("a.pem", "new"), Write::secret("a-key", "new")];
        let is_old = |store: &mut Store| {
            assert_eq!(store.blob("files/a.pem").unwrap().unwrap(), b"old");
            assert!(store.secret("a-key").unwrap().is_none());
            assert!(store.blob(BEFORE).unwrap().is_none());
        };
        let laid = certificates.lay(&mut store, &writes, |_, _| anyhow::bail!("it is not good"));
        assert_eq!(laid.unwrap_err().to_string(), "it is not good");
        is_old(&mut store);
        // The disk refuses the second.
        let unfit = [Write::file("a.pem", "new"), Write::secret("a-key", "")];
        let laid = certificates.lay(&mut store, &unfit, |_, _| Ok(()));
        assert!(laid.is_err());
        is_old(&mut store);
        let before = [
            Was {
                place: writes[0].place.clone(),
                content: Some(b"old".to_vec()),
            },
            Was {
                place: writes[1].place.clone(),
                content: None,
            },
        ];
        store
            .set_blob(BEFORE, &serde_json::to_vec(&before).unwrap())
            .unwrap();
        store.set_blob("files/a.pem", b"new").unwrap();
        let certificates = open(&mut store);
        is_old(&mut store);
        certificates
            .lay(&mut store, &writes, |_, _| Ok(()))
            .unwrap();
        assert_eq!(store.blob("files/a.pem").unwrap().unwrap(), b"new");
        assert!(store.blob(BEFORE).unwrap().is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
