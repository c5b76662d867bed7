//! One directory of those there are.

use config::{Login, Sso};

use super::ldap::Ldap;
use super::oidc::Oidc;
use super::radius::Radius;
use super::{Answer, Fault, Supplies, Typing};

/// What knows the users of an access list.
pub(crate) enum Directory {
    /// An LDAP server.
    Ldap(Box<Ldap>),
    /// RADIUS servers.
    Radius(Box<Radius>),
    /// A provider, at which the browser signs in.
    Oidc(Box<Oidc>),
    /// Users that a test makes up.
    #[cfg(test)]
    Test(Box<Said>),
}

/// What a test makes up: the answer to what was typed, and to a question's state.
#[cfg(test)]
pub(crate) type Said = dyn Fn(&Typing, Option<&[u8]>) -> Result<Answer, Fault> + Send + Sync;

impl Directory {
    /// That of an access list; `own_name` is what it calls this box.
    ///
    /// # Errors
    /// Why it can not be asked, in the operator's words.
    pub(crate) fn new(sso: &Sso, own_name: &str, supplies: &Supplies) -> Result<Self, String> {
        let names = supplies.names.clone();
        match &sso.login {
            Login::Ldap(login) => {
                let ca = login
                    .ca_file()
                    .map(|file| supplies.file(file))
                    .transpose()?;
                let account = login.account();
                let password = account.map(|account| supplies.secret(&account.password));
                let ldap = Ldap::new(login, password.transpose()?, ca, names);
                let ldap = ldap.map_err(|fault| fault.to_string())?;
                Ok(Self::Ldap(Box::new(ldap)))
            }
            Login::Radius(login) => {
                let secret = supplies.secret(&login.shared)?;
                let radius = Radius::new(login, secret.as_str().as_bytes(), names, own_name);
                Ok(Self::Radius(Box::new(radius)))
            }
            Login::Oidc(login) => {
                let roots = login.issuer_ca.as_ref();
                let roots = roots.map(|file| supplies.file(file)).transpose()?;
                let key = supplies.secret(&login.client_key)?;
                let oidc = Oidc::new(login, roots, key, names);
                let oidc = oidc.map_err(|fault| fault.to_string())?;
                Ok(Self::Oidc(Box::new(oidc)))
            }
        }
    }

    /// Looks at a name and a password.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) async fn sign_in(&self, typing: &Typing) -> Result<Answer, Fault> {
        match self {
            Self::Ldap(ldap) => ldap.sign_in(typing).await,
            Self::Radius(radius) => radius.sign_in(typing).await,
            Self::Oidc(_) => Ok(Answer::Refused("its users sign in elsewhere".to_owned())),
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
        match self {
            Self::Radius(radius) => radius.answer(typing, state).await,
            Self::Ldap(_) | Self::Oidc(_) => Ok(Answer::Refused("it has asked nothing".to_owned())),
            #[cfg(test)]
            Self::Test(said) => said(typing, Some(state)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    /// How long the made-up directory takes for a password.
    pub(crate) const SLOW: Duration = Duration::from_millis(1300);
}
