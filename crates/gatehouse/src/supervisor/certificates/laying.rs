//! Files and secrets that are written together: all of them, or none.

use super::Certificates;
use serde::{Deserialize, Serialize};
use std::fmt;
use store::{Error, Store};

/// What was before, while something is being written: after a power cut it is put back.
const BEFORE: &str = "ca/before-import.json";

/// The same where it could not be read.
const DAMAGED: &str = "ca/before-import.damaged";

/// Why something was not laid in.
#[derive(Debug)]
pub(super) struct NotLaid {
    why: anyhow::Error,
    /// Why not everything is as it was.
    left: Option<anyhow::Error>,
}

impl NotLaid {
    fn clean(why: anyhow::Error) -> Self {
        Self { why, left: None }
    }
}

impl fmt::Display for NotLaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, left } = self;
        match left {
            None => write!(f, "{why:#}; everything is as it was"),
            Some(left) => write!(
                f,
                "{why:#}; what was before could not be put back ({left:#}), which is tried again at the next import and start"
            ),
        }
    }
}

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
    pub(super) fn read(&self, store: &Store) -> Result<Option<Vec<u8>>, Error> {
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
    /// [`NotLaid`]: the disk does not take it, or `judge` says no.
    pub(super) fn lay(
        &self,
        store: &mut Store,
        writes: &[Write],
        judge: impl FnOnce(&Self, &mut Store) -> anyhow::Result<()>,
    ) -> Result<(), NotLaid> {
        // What is written over now could never be put back.
        self.put_back(store).map_err(|error| {
            NotLaid::clean(error.context("what an earlier import has left can not be put back"))
        })?;
        let before = before(store, writes).map_err(NotLaid::clean)?;
        if let Err(why) = remember(store, &before) {
            // It may be there all the same, and would undo what is set by hand later.
            let left = store.remove_blob(BEFORE).err().map(anyhow::Error::from);
            return Err(NotLaid { why, left });
        }
        let mut writing = writes.iter();
        let written = writing.try_for_each(|write| write.place.write(store, &write.content));
        let done = match written {
            Ok(()) => judge(self, store),
            Err(error) => Err(error.into()),
        };
        let done = done.and_then(|()| Ok(store.remove_blob(BEFORE).map(drop)?));
        done.map_err(|why| {
            let mut left = restore(store, &before).err();
            if left.is_some() {
                // The last step may have removed it.
                left = left.map(|error| match remember(store, &before) {
                    Ok(()) => error,
                    Err(other) => error.context(other),
                });
            }
            NotLaid { why, left }
        })
    }

    /// Puts back what was before something that did not come to its end.
    ///
    /// # Errors
    /// The store can not be read or written; it can be tried again.
    pub(super) fn put_back(&self, store: &mut Store) -> anyhow::Result<()> {
        let Some(kept) = store.blob(BEFORE)? else {
            return Ok(());
        };
        match serde_json::from_slice::<Vec<Was>>(&kept) {
            Ok(before) => restore(store, &before),
            Err(error) => {
                store.set_blob(DAMAGED, &kept)?;
                let text = format!(
                    "what was before an import that did not come to its end can not be read ({error}) and lies in {DAMAGED}; \
                     look whether the certificates are right"
                );
                self.journal.notice("certs", text);
                store.remove_blob(BEFORE)?;
                Ok(())
            }
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

/// What is in the places of `writes`.
fn before(store: &Store, writes: &[Write]) -> anyhow::Result<Vec<Was>> {
    let was = |write: &Write| {
        let (place, content) = (write.place.clone(), write.place.read(store)?);
        Ok(Was { place, content })
    };
    writes.iter().map(was).collect()
}

fn remember(store: &mut Store, before: &[Was]) -> anyhow::Result<()> {
    store.set_blob(BEFORE, &serde_json::to_vec(before)?)?;
    Ok(())
}

fn restore(store: &mut Store, before: &[Was]) -> anyhow::Result<()> {
    for Was { place, content } in before {
        match content {
            Some(content) => place.write(store, content)?,
            None => drop(place.remove(store)?),
        }
    }
    store.remove_blob(BEFORE)?;
    Ok(())
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
        assert_eq!(
            laid.unwrap_err().to_string(),
            "it is not good; everything is as it was"
        );
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

    #[test]
    fn what_could_not_be_put_back_is_not_written_over() {
        let folder = std::env::temp_dir().join(format!("gatehouse-left-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        let journal = Journal::new();
        let certificates = Certificates::open(&mut store, "gate", Vec::new(), journal).unwrap();
        store.set_blob("files/a.pem", b"half").unwrap();
        let old = |content: &[u8]| Was {
            place: Place::File("a.pem".to_owned()),
            content: Some(content.to_vec()),
        };
        // No disk takes this: an empty secret is none.
        let never = Was {
            place: Place::Secret("a-key".to_owned()),
            content: Some(Vec::new()),
        };
        remember(&mut store, &[old(b"old"), never]).unwrap();
        let kept = store.blob(BEFORE).unwrap().unwrap();
        let writes = [Write::file("a.pem", "new")];
        let laid = certificates.lay(&mut store, &writes, |_, _| Ok(()));
        let words = laid.unwrap_err().to_string();
        assert!(
            words.starts_with("what an earlier import has left can not be put back: "),
            "{words}"
        );
        assert_eq!(store.blob(BEFORE).unwrap().unwrap(), kept);
        // One that can not be read is kept apart.
        store.set_blob(BEFORE, b"[{").unwrap();
        // And the last step fails: all is as it was, and it is not said so.
        let path = folder.join(BEFORE);
        let laid = certificates.lay(&mut store, &writes, |_, _| {
            std::fs::remove_file(&path)?;
            std::fs::create_dir_all(path.join("full"))?;
            Ok(())
        });
        let words = laid.unwrap_err().to_string();
        assert!(
            words.contains("what was before could not be put back"),
            "{words}"
        );
        assert_eq!(store.blob(DAMAGED).unwrap().unwrap(), b"[{");
        assert_eq!(store.blob("files/a.pem").unwrap().unwrap(), b"old");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
