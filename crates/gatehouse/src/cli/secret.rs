//! `gatehouse secret`.

use std::path::Path;

use control::{Client, ClientError, Secret};
use store::{MAX_SECRET, Store};

use super::args::SecretAction;
use super::hidden;
use super::output::{self, Out};
use super::{Done, Failure};

/// Sets, lists or removes secrets, of the box that runs or, while none does, in its state directory.
pub(super) async fn run(out: Out, state: &Path, socket: &Path, action: SecretAction) -> Done {
    let place = match Client::connect(socket).await {
        Ok(client) => Place::Running(client),
        // A box that never ran may need its secrets before its first start.
        Err(ClientError::NotRunning(_))
            if state.is_dir() || matches!(action, SecretAction::Set { .. }) =>
        {
            Place::AtRest(state)
        }
        Err(error) => return Err(error.into()),
    };
    match action {
        SecretAction::Set { name } => {
            let value = hidden::read(&format!("Value of {name}"), "value", MAX_SECRET)?;
            place
                .set(Secret {
                    name: name.clone(),
                    value,
                })
                .await?;
            out.show(&serde_json::json!({ "set": name }), || {
                format!("secret {name} is set{}\n", place.remark())
            })
        }
        SecretAction::List => {
            let names = place.names().await?;
            out.show(&names, || {
                names
                    .iter()
                    .flat_map(|name| [name.as_str(), "\n"])
                    .collect()
            })
        }
        SecretAction::Rm { name } => {
            place.remove(&name).await?;
            out.show(&serde_json::json!({ "removed": name }), || {
                format!("secret {name} is removed{}\n", place.remark())
            })
        }
    }
}

/// Where secrets are.
enum Place<'a> {
    Running(Client),
    AtRest(&'a Path),
}

impl Place<'_> {
    async fn set(&self, secret: Secret) -> Done {
        match self {
            Self::Running(client) => Ok(client.set_secret(&secret).await?),
            Self::AtRest(state) => {
                let mut store = open(state)?;
                let value = secret.value.as_bytes();
                store
                    .set_secret(&secret.name, value)
                    .map_err(|error| refused(&error))
            }
        }
    }

    async fn names(&self) -> Result<Vec<String>, Failure> {
        match self {
            Self::Running(client) => Ok(client.secrets().await?),
            Self::AtRest(state) => {
                let names = store::secret_names(state).map_err(|error| unusable(&error))?;
                Ok(names.into_iter().collect())
            }
        }
    }

    async fn remove(&self, name: &str) -> Done {
        match self {
            Self::Running(client) => Ok(client.remove_secret(name).await?),
            Self::AtRest(state) => {
                if !store::secret_names(state)
                    .map_err(|error| unusable(&error))?
                    .contains(name)
                {
                    return Err(Failure::Refused(format!("there is no secret `{name}`")));
                }
                open(state)?
                    .remove_secret(name)
                    .map(drop)
                    .map_err(|error| refused(&error))
            }
        }
    }

    fn remark(&self) -> String {
        match self {
            Self::Running(_) => String::new(),
            Self::AtRest(state) => {
                format!(" in {}, for the next start of the box", state.display())
            }
        }
    }
}

fn open(state: &Path) -> Result<Store, Failure> {
    let opened = Store::open(state).map_err(|error| unusable(&error))?;
    for note in &opened.notes {
        output::note(&format!("gatehouse: {note}"));
    }
    Ok(opened.store)
}

fn unusable(error: &store::Error) -> Failure {
    Failure::Unusable(error.to_string())
}

fn refused(error: &store::Error) -> Failure {
    match error {
        store::Error::Io { .. } => unusable(error),
        _ => Failure::Refused(error.to_string()),
    }
}
