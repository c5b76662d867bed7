//! Adding, confirming and giving up configurations.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::generation::{Generation, State, fingerprint};
use crate::{GENERATIONS, Store};

/// How many generations are kept; the oldest go first, but never the one that the box would start with.
pub const KEEP: usize = 100;
/// The most bytes of a configuration: 4 MiB.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;
/// The most bytes of a record.
pub(crate) const MAX_RECORD: usize = 64 * 1024;
/// The most bytes of an origin or a note.
const MAX_SENTENCE: usize = 1_000;

impl Store {
    /// Adds a configuration, which from now on is the current one.
    ///
    /// With `needs_confirm` it is pending: given up at the next start unless [`Store::confirm`] comes before. The first of all is
    /// confirmed at once, for there is nothing to go back to. One that was pending is given up in favour of the new one, so that
    /// whether confirmation is needed is to be judged against [`Store::confirmed`], not against [`Store::current`].
    ///
    /// # Errors
    /// [`Error::BadValue`] above [`MAX_TEXT`]; [`Error::Io`], and nothing has changed.
    pub fn add(
        &mut self,
        text: &str,
        origin: &str,
        needs_confirm: bool,
        unix_ms: u64,
    ) -> Result<Generation, Error> {
        if text.len() > MAX_TEXT {
            let reason = format!("{} bytes; {MAX_TEXT} is the most", text.len());
            return Err(Error::BadValue {
                what: "configuration".into(),
                reason,
            });
        }
        self.prune(KEEP - 1)?;
        // Also a number whose writing fails is not used again.
        self.highest += 1;
        let pending = needs_confirm && self.confirmed().is_some();
        let generation = Generation {
            number: self.highest,
            unix_ms,
            origin: sentence(origin),
            state: if pending {
                State::Pending
            } else {
                State::Confirmed
            },
            sha256: fingerprint(text.as_bytes()),
            note: None,
        };
        if let Err(error) = self.write_new_generation(&generation, text) {
            // Whatever is there of it must not come to life at the next start, now that the caller is told that it failed.
            let _ = self.disk.remove(&record_path(generation.number));
            let _ = self.disk.remove(&text_path(generation.number));
            let _ = self.disk.sync_directory(GENERATIONS);
            return Err(error);
        }
        let replaced = self.pending().cloned();
        self.generations
            .insert(generation.number, generation.clone());
        if let Some(old) = replaced {
            // It is given up already, by the new one; if its record can not say so now, the next start mends it.
            let _ = self.give_up(
                old,
                &format!(
                    "generation {} replaced it before it was confirmed",
                    generation.number
                ),
            );
        }
        Ok(generation)
    }

    /// Adds the text of an older generation as a new one.
    ///
    /// # Errors
    /// [`Error::NoSuchGeneration`], [`Error::Damaged`], and those of [`Store::add`].
    pub fn rollback(
        &mut self,
        number: u32,
        needs_confirm: bool,
        unix_ms: u64,
    ) -> Result<Generation, Error> {
        let text = self.text(number)?;
        self.add(
            &text,
            &format!("rollback to {number}"),
            needs_confirm,
            unix_ms,
        )
    }

    /// Confirms the pending generation: from now on the box starts with it.
    ///
    /// # Errors
    /// [`Error::NothingPending`]; [`Error::Io`], and it stays pending.
    pub fn confirm(&mut self) -> Result<Generation, Error> {
        let mut generation = self.pending().cloned().ok_or(Error::NothingPending)?;
        generation.state = State::Confirmed;
        self.write_record(&generation)?;
        self.generations
            .insert(generation.number, generation.clone());
        Ok(generation)
    }

    /// Gives the pending generation up, for the reason `why`; returns the confirmed one, which is current again.
    ///
    /// # Errors
    /// [`Error::NothingPending`]. [`Error::Io`] when the record could not be written: the generation is given up nevertheless,
    /// [`Store::current`] is the confirmed one, and the next start mends the record.
    pub fn revert(&mut self, why: &str) -> Result<Generation, Error> {
        let generation = self.pending().cloned().ok_or(Error::NothingPending)?;
        self.give_up(generation, why)?;
        self.confirmed().cloned().ok_or(Error::NothingPending)
    }

    /// The generation in force: the pending one, else the confirmed one; `None` in a new store.
    pub fn current(&self) -> Option<&Generation> {
        self.generations
            .values()
            .rev()
            .find(|generation| generation.state != State::Reverted)
    }

    /// The generation that waits to be confirmed.
    pub fn pending(&self) -> Option<&Generation> {
        self.current()
            .filter(|generation| generation.state == State::Pending)
    }

    /// The generation that the box would start with after a power cut at this moment.
    pub fn confirmed(&self) -> Option<&Generation> {
        self.generations
            .values()
            .rev()
            .find(|generation| generation.is_confirmed())
    }

    /// The record of one generation.
    pub fn generation(&self, number: u32) -> Option<&Generation> {
        self.generations.get(&number)
    }

    /// All intact generations, the oldest first.
    pub fn list(&self) -> Vec<Generation> {
        self.generations.values().cloned().collect()
    }

    /// The text of one generation.
    ///
    /// # Errors
    /// [`Error::NoSuchGeneration`]; [`Error::Damaged`] when it is no longer what was written; [`Error::Io`].
    pub fn text(&self, number: u32) -> Result<String, Error> {
        let generation = self
            .generation(number)
            .ok_or(Error::NoSuchGeneration(number))?;
        let path = text_path(number);
        let damaged = |reason: &str| Error::Damaged {
            path: self.disk.full_path(&path),
            reason: reason.into(),
            remedy: "go back to another generation with `gatehouse rollback N`",
        };
        let text = self
            .read(&path, MAX_TEXT)?
            .ok_or_else(|| damaged("the file is gone"))?;
        if fingerprint(&text) != generation.sha256 {
            return Err(damaged("the text does not match its checksum"));
        }
        String::from_utf8(text).map_err(|_| damaged("the text is not UTF-8"))
    }

    /// The newest generation with exactly this text, whatever its state.
    pub fn find_text(&self, text: &str) -> Option<u32> {
        let wanted = fingerprint(text.as_bytes());
        self.generations
            .values()
            .rev()
            .find(|generation| generation.sha256 == wanted)
            .map(|found| found.number)
    }

    /// Two files, of which the record decides. The name of the text is durable before the record is begun,
    /// so that no power cut leaves a record without its text.
    fn write_new_generation(&self, generation: &Generation, text: &str) -> Result<(), Error> {
        self.replace(&text_path(generation.number), text.as_bytes())?;
        self.write_record(generation)
    }

    fn write_record(&self, generation: &Generation) -> Result<(), Error> {
        self.replace(&record_path(generation.number), &record(generation))
    }

    fn give_up(&mut self, mut generation: Generation, why: &str) -> Result<(), Error> {
        generation.state = State::Reverted;
        generation.note = Some(sentence(why));
        self.generations
            .insert(generation.number, generation.clone());
        self.write_record(&generation)
    }

    /// Removes the oldest generations until `keep` are left, the records first, for they decide.
    fn prune(&mut self, keep: usize) -> Result<(), Error> {
        let needed: Vec<u32> = [self.current(), self.confirmed()]
            .into_iter()
            .flatten()
            .map(|generation| generation.number)
            .collect();
        let all: BTreeSet<u32> = self
            .generations
            .keys()
            .chain(&self.damaged)
            .copied()
            .collect();
        let surplus = all.len().saturating_sub(keep);
        let old: Vec<u32> = all
            .into_iter()
            .filter(|number| !needed.contains(number))
            .take(surplus)
            .collect();
        if old.is_empty() {
            return Ok(());
        }
        for number in &old {
            self.unlink(&record_path(*number))?;
            self.generations.remove(number);
            self.damaged.remove(number);
        }
        self.sync(GENERATIONS)?;
        for number in &old {
            self.unlink(&text_path(*number))?;
        }
        Ok(())
    }
}

pub(crate) fn record(generation: &Generation) -> Vec<u8> {
    let mut record = serde_json::to_vec_pretty(generation)
        .expect("numbers, strings and an enum are always JSON");
    record.push(b'\n');
    record
}

pub(crate) fn text_path(number: u32) -> String {
    format!("{GENERATIONS}/{number:04}.toml")
}

pub(crate) fn record_path(number: u32) -> String {
    format!("{GENERATIONS}/{number:04}.json")
}

fn sentence(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_SENTENCE)].to_owned()
}
