//! One directory of those there are.

use config::{Login, Sso};

use super::oidc::Oidc;
use super::{Answer, Fault, Supplies, Typing};

/// What knows the users of an access list.
pub(crate) enum Directory {
    /// A provider, at which the browser signs in.
    Oidc(Box<Oidc>),
    /// Users that a test makes up.
    #[cfg(test)]
    Test(Box<dyn Fn(&Typing, Option<&[u8]>) -> Result<Answer, Fault> + Send + Sync>),
}

impl Directory {
    /// That of an access list.
    ///
    /// # Errors
    /// Why it can not be asked, in the operator's words.
    pub(crate) fn new(sso: &Sso, supplies: &Supplies) -> Result<Self, String> {
        match &sso.login {
            Login::Oidc(login) => {
                let roots = login.issuer_ca.as_ref();
                let roots = roots.map(|file| supplies.file(file)).transpose()?;
                let key = supplies.secret(&login.client_key)?;
                let oidc = Oidc::new(login, roots, key, supplies.names.clone());
                let oidc = oidc.map_err(|fault| fault.to_string())?;
                Ok(Self::Oidc(Box::new(oidc)))
            }
            Login::Ldap(_) | Login::Radius(_) => Err("this login is not built yet".to_owned()),
        }
    }

    /// Looks at a name and a password.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) async fn sign_in(&self, typing: &Typing) -> Result<Answer, Fault> {
        match self {
            Self::Oidc(_) => Ok(elsewhere(typing)),
            #[cfg(test)]
            Self::Test(said) => {
                tokio::time::sleep(tests::SLOW).await;
                said(typing, None)
            }
        }
    }

    /// Looks at the answer to a question; `typing` holds it where the password was, and `state` is the question's.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) async fn answer(&self, typing: &Typing, state: &[u8]) -> Result<Answer, Fault> {
        let _ = state;
        match self {
            Self::Oidc(_) => Ok(elsewhere(typing)),
            #[cfg(test)]
            Self::Test(said) => said(typing, Some(state)),
        }
    }
}

/// Nobody types a password here whose login is elsewhere.
fn elsewhere(_: &Typing) -> Answer {
    Answer::Refused("there are no passwords at this access list".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    /// How long the made-up directory takes for a password.
    pub(crate) const SLOW: Duration = Duration::from_millis(1300);
}
