//! A configuration that is looked at before it is applied. Nothing here changes what is in force.

use super::gate::{DRAFT, Gate};
use super::{change, network, pages};
use config::{Config, Known};
use control::{Checked, Fault, InterfaceStatus, Refusal};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long two texts are compared exactly; what is left of them then is shown as removed and written anew.
const COMPARE: Duration = Duration::from_millis(500);

/// One text is looked at at a time: the longest takes 200 MB of memory while it is compared.
static LOOKING: Semaphore = Semaphore::const_new(1);

impl Gate {
    /// What there is to say of `text`: its faults, what it would change, and whether that must be confirmed.
    ///
    /// On a thread of its own: a long text takes a while, and the box has only one for everything else.
    pub(super) async fn look_at(&self, text: String) -> Result<Checked, Refusal> {
        let failed = |error: &dyn std::fmt::Display| Refusal::failed(error.to_string());
        let turn = LOOKING.acquire().await.map_err(|error| failed(&error))?;
        let now = self
            .with(|state| {
                let trial = state.trial.as_ref();
                let base = trial.map_or(&state.running.config, |trial| &trial.base);
                Ok(Now {
                    known: state.known()?,
                    base: Arc::clone(base),
                    config: Arc::clone(&state.running.config),
                    text: state.running.text.clone(),
                    generation: state.running.generation,
                    interfaces: Vec::new(),
                })
            })
            .await
            .map_err(|error: anyhow::Error| failed(&format_args!("{error:#}")))?;
        // Without them the pages' new addresses are told as far as the text has them.
        let interfaces = network::network(&now.config).map(|network| network.interfaces);
        let now = Now {
            interfaces: interfaces.unwrap_or_default(),
            ..now
        };
        let look = move || {
            let checked = looked_at(&text, &now);
            // Not before, also where nobody waits for it any more.
            drop(turn);
            checked
        };
        let looked = tokio::task::spawn_blocking(look).await;
        looked.map_err(|error| failed(&error))
    }
}

/// Two texts compared line by line, in unified format; empty where they do not differ.
pub fn compared(old: &str, new: &str, (old_name, new_name): (&str, &str)) -> String {
    similar::TextDiff::configure()
        .timeout(COMPARE)
        .diff_lines(old, new)
        .unified_diff()
        .header(old_name, new_name)
        .to_string()
}

/// The faults of a text as the API tells them.
pub fn told(faults: &config::Faults) -> Vec<Fault> {
    let faults = faults.faults.iter();
    faults
        .map(|fault| Fault {
            line: fault.line,
            column: fault.column,
            path: fault.path.clone(),
            what: fault.what.clone(),
            remedy: fault.remedy.clone(),
        })
        .collect()
}

/// What a draft is compared with.
struct Now {
    known: Known,
    /// What was confirmed last.
    base: Arc<Config>,
    /// What is in force.
    config: Arc<Config>,
    text: String,
    generation: u32,
    /// What the kernel has.
    interfaces: Vec<InterfaceStatus>,
}

fn looked_at(text: &str, now: &Now) -> Checked {
    let running = &now.text;
    let name = format!("generation {}", now.generation);
    let mut checked = Checked {
        generation: now.generation,
        faults: Vec::new(),
        not_checked: Vec::new(),
        changed: text != running,
        confirm: Vec::new(),
        new_pages: Vec::new(),
        diff: compared(running, text, (&name, DRAFT)),
    };
    match config::check_with(text, DRAFT, &now.known) {
        Ok(sound) => {
            let unchecked = sound.unchecked.iter();
            checked.not_checked = unchecked.map(ToString::to_string).collect();
            let reasons = change::locks_out(&now.base, &sound.config).into_iter();
            checked.confirm = reasons.map(str::to_owned).collect();
            checked.new_pages = pages::added(&now.config, &sound.config, &now.interfaces);
        }
        Err(faults) => checked.faults = told(&faults),
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
        interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[admin]\nport = 8443\n";

    fn look(text: &str) -> Checked {
        let base = Arc::new(config::check(BASE, "test.toml").unwrap().config);
        let now = Now {
            known: Known::default(),
            config: Arc::clone(&base),
            base,
            text: BASE.to_owned(),
            generation: 7,
            interfaces: Vec::new(),
        };
        looked_at(text, &now)
    }

    #[test]
    fn a_text_is_looked_at_against_what_is_in_force() {
        let same = look(BASE);
        assert!(
            !same.changed && same.diff.is_empty() && same.faults.is_empty(),
            "{same:?}"
        );
        let other = look(&BASE.replace("8443", "8444"));
        assert!(other.changed);
        assert_eq!(
            (other.generation, other.confirm),
            (7, vec!["the admin pages' listener".to_owned()])
        );
        assert_eq!(other.new_pages, ["https://192.0.2.4:8444/"]);
        assert!(
            other.diff.contains("-port = 8443\n+port = 8444\n"),
            "{}",
            other.diff
        );
        assert!(
            other
                .diff
                .starts_with("--- generation 7\n+++ gatehouse.toml\n"),
            "{}",
            other.diff
        );
        let harmless = look(&format!("# a comment\n{BASE}"));
        assert!(harmless.changed && harmless.confirm.is_empty() && harmless.new_pages.is_empty());
    }

    #[test]
    fn every_fault_has_its_line_and_column() {
        let faulty = look(&BASE.replace("\"inside\"", "\"insid\"").replace("8443", "0"));
        let places: Vec<_> = faulty
            .faults
            .iter()
            .map(|fault| (fault.line, fault.column))
            .collect();
        assert_eq!(places, [(5, 9), (9, 8)], "{:?}", faulty.faults);
        assert!(faulty.changed && faulty.confirm.is_empty() && !faulty.diff.is_empty());
    }

    #[test]
    fn what_only_the_box_knows_is_listed() {
        let text = format!(
            "{BASE}[[certificate]]\nnames = [\"a.example\"]\nsource = \"files\"\nchain = \"a.pem\"\nkey = {{ secret = \"a\" }}\n"
        );
        let checked = look(&text);
        assert!(checked.faults.is_empty(), "{:?}", checked.faults);
        assert!(
            checked
                .not_checked
                .iter()
                .any(|line| line.contains("a.pem")),
            "{checked:?}"
        );
    }

    #[test]
    fn what_the_api_takes_can_be_kept() {
        assert_eq!(control::Apply::LONGEST_TEXT, store::MAX_TEXT);
    }

    #[test]
    fn two_long_texts_that_have_nothing_in_common_do_not_take_for_ever() {
        let lines = |word: &str| {
            let lines: Vec<String> = (0..60_000)
                .map(|number| format!("{word}{number}\n"))
                .collect();
            lines.concat()
        };
        let text = compared(&lines("a"), &lines("b"), ("a", "b"));
        assert!(text.contains("+b59999"));
    }
}
