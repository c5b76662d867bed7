//! What logins at other servers need from the store.

use super::{Certificates, secret};
use config::Config;
use guard::entrance::Typed;
use std::collections::BTreeMap;
use store::Store;

impl Certificates {
    /// The secrets that logins need, by their names; without the line end that an editor or `echo` leaves.
    ///
    /// # Errors
    /// One is missing or no text. With `lenient` that is said in the log instead, and nobody can sign in there.
    pub fn login_secrets(
        &self,
        config: &Config,
        store: &mut Store,
        lenient: bool,
    ) -> anyhow::Result<BTreeMap<String, Typed>> {
        let mut secrets = BTreeMap::new();
        for (access, wanted) in signin::secrets_wanted(config) {
            let what = format!("what access `{access}` needs");
            match secret(store, &what, &wanted) {
                Ok(text) => {
                    let text = text.trim_end_matches(['\r', '\n']).to_owned();
                    secrets.insert(wanted.name, Typed::from(text));
                }
                Err(error) if lenient => self.journal.notice("signin", format!("{error:#}")),
                Err(error) => return Err(error),
            }
        }
        Ok(secrets)
    }
}
