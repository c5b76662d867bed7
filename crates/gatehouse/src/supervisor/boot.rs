//! What a start begins with: the file, or what was confirmed last.

use super::change;
use super::journal::Journal;
use super::state::known;
use anyhow::{Context as _, anyhow, bail};
use config::Config;
use service::{ConfigChange, Event};
use std::path::Path;
use store::Store;

/// A configuration to start with.
pub struct Boot {
    /// Its generation; `None` for a file that was never in force.
    pub generation: Option<u32>,
    /// The text.
    pub text: String,
    /// What it says.
    pub config: Config,
    /// Whether it differs from what was confirmed last in a way that could lock the operator out.
    pub on_trial: bool,
}

impl Boot {
    /// What can be started with, the best first; never empty.
    ///
    /// A file whose content was never in force comes first. Then come the confirmed generations, the newest
    /// first: a file that was tried and given up does not come back by itself, and one that can not be
    /// put to work does not keep the box from starting. On a box the file is what its image brought, and comes
    /// last of all: an image of later must not take the place of what the operator has set.
    ///
    /// # Errors
    /// There is no generation, and the file can not be read or has faults.
    pub fn choose(
        file: &Path,
        is_box: bool,
        store: &Store,
        journal: &Journal,
    ) -> anyhow::Result<Vec<Self>> {
        let name = display(file);
        let read = std::fs::read_to_string(file)
            .with_context(|| format!("can not read the configuration {name}"));
        let mut choices = confirmed(store, journal);
        if is_box && !choices.is_empty() {
            return Ok(choices);
        }
        match (&read, choices.first()) {
            (Err(error), None) => bail!("{error:#}"),
            (Err(error), Some(_)) => journal.notice("config", format!("{error:#}")),
            (Ok(text), _) if store.find_text(text).is_none() => {
                let fresh = fresh(text, &name, store, journal, choices.first())?;
                choices.splice(0..0, fresh);
            }
            (Ok(text), Some(newest)) if *text != newest.text => {
                let generation = newest.generation.unwrap_or_default();
                journal.notice(
                    "config",
                    format!(
                        "runs generation {generation}, which is not what {name} holds; \
                         `gatehouse reload` applies the file"
                    ),
                );
            }
            (Ok(_), Some(_)) => {}
            (Ok(_), None) => bail!(
                "{name} was given up before it was confirmed, and nothing else is kept; change it"
            ),
        }
        Ok(choices)
    }
}

fn fresh(
    text: &str,
    name: &str,
    store: &Store,
    journal: &Journal,
    newest: Option<&Boot>,
) -> anyhow::Result<Option<Boot>> {
    let checked = config::check_with(text, name, &known(store)?);
    match (checked, newest) {
        (Ok(checked), newest) => Ok(Some(Boot {
            generation: None,
            text: text.to_owned(),
            on_trial: newest.is_some_and(|newest| {
                !change::locks_out(&newest.config, &checked.config).is_empty()
            }),
            config: checked.config,
        })),
        (Err(faults), None) => Err(anyhow!("{faults}")),
        (Err(faults), Some(newest)) => {
            journal.record(Event::Config {
                generation: newest.generation.unwrap_or_default(),
                change: ConfigChange::Refused {
                    reason: faults.to_string(),
                },
            });
            Ok(None)
        }
    }
}

/// Every confirmed generation that can still be read, the newest first.
fn confirmed(store: &Store, journal: &Journal) -> Vec<Boot> {
    let list = store.list();
    let confirmed = list
        .iter()
        .rev()
        .filter(|generation| generation.is_confirmed());
    confirmed
        .filter_map(|generation| {
            let number = generation.number;
            let name = format!("generation {number}");
            let read = store.text(number).map_err(anyhow::Error::from);
            let checked = read.and_then(|text| {
                let checked = config::check(&text, &name).map_err(|faults| anyhow!("{faults}"))?;
                Ok((text, checked.config))
            });
            match checked {
                Ok((text, config)) => Some(Boot {
                    generation: Some(number),
                    text,
                    config,
                    on_trial: false,
                }),
                Err(error) => {
                    journal.notice("config", format!("{name} is passed over: {error:#}"));
                    None
                }
            }
        })
        .collect()
}

/// What a file is called in messages.
pub fn display(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}
