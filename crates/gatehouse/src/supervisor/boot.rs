//! What a start begins with: the file, or what was confirmed last.

use super::journal::{Journal, now};
use super::state::known;
use anyhow::{Context as _, anyhow, bail};
use config::Config;
use service::{ConfigChange, Event};
use std::path::Path;
use store::Store;

/// The configuration to start with.
pub struct Boot {
    /// Its generation.
    pub generation: u32,
    /// The text.
    pub text: String,
    /// What it says.
    pub config: Config,
}

impl Boot {
    /// Chooses what to start with.
    ///
    /// A file whose content was never in force is taken as a new generation. Otherwise the newest
    /// confirmed generation starts: a file that was tried and given up does not come back by itself.
    ///
    /// # Errors
    /// There is no generation and the file can not be read or has faults.
    pub fn choose(
        file: &Path,
        store: &mut Store,
        journal: &Journal,
    ) -> anyhow::Result<Self> {
        let name = display(file);
        let confirmed = store.confirmed().map(|generation| generation.number);
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("can not read the configuration {name}"));
        let fresh = match (text, confirmed) {
            (Err(error), None) => return Err(error),
            (Err(error), Some(_)) => {
                journal.notice("config", format!("{error:#}"));
                None
            }
            (Ok(text), _) if store.find_text(&text).is_some() => None,
            (Ok(text), _) => Some(text),
        };
        if let Some(text) = fresh {
            match (config::check_with(&text, &name, &known(store)?), confirmed) {
                (Ok(checked), _) => {
                    let generation = store.add(&text, "file", false, now().0)?;
                    return Ok(Self {
                        generation: generation.number,
                        text,
                        config: checked.config,
                    });
                }
                (Err(faults), None) => bail!("{faults}"),
                (Err(faults), Some(number)) => journal.record(Event::Config {
                    generation: number,
                    change: ConfigChange::Refused {
                        reason: faults.to_string(),
                    },
                }),
            }
        }
        Self::confirmed(file, store, journal)
    }

    fn confirmed(file: &Path, store: &Store, journal: &Journal) -> anyhow::Result<Self> {
        let name = display(file);
        let newest = store.confirmed().context("no generation is kept")?;
        let generation = newest.number;
        let text = store.text(generation)?;
        let config = config::check(&text, &format!("generation {generation}"))
            .map_err(|faults| anyhow!("{faults}"))?
            .config;
        if std::fs::read_to_string(file).is_ok_and(|now| now != text) {
            journal.notice(
                "config",
                format!("runs generation {generation}, which is not what {name} holds; `gatehouse reload` applies the file"),
            );
        }
        Ok(Self {
            generation,
            text,
            config,
        })
    }
}

/// What a file is called in messages.
pub fn display(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}
