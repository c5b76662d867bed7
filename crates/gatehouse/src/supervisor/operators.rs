//! Who may operate the box: users and sessions behind the control API.

mod accounts;
mod entry;
mod hashing;
mod porter;
#[cfg(test)]
mod tests;

pub use porter::{Porter, Shelf, random, unix};

use super::OPERATORS;
use super::gate::Gate;
use super::journal::Journal;
use control::{
    Actor, Claim, ClaimStatus, Login, NewUser, Operators, PasswordChange, PasswordProof,
    RecoveryCodes, Refusal, Session, SessionStarted, TotpCode, TotpOffer, User, UserChange,
};
use guard::operators::Users;
use std::net::IpAddr;
use store::Store;

/// Where a list of users is laid that can not be read.
const DAMAGED: &str = "operators-damaged.json";

/// The users that are kept in `store`. What is there and can not be read does not open the box to whoever comes first: it
/// stays closed until the console or command line resets it.
pub fn kept(store: &mut Store, journal: &Journal) -> Users {
    let closed = |text: String| {
        let text = format!(
            "{text}; nobody can sign in at the admin pages until the users are reset at the console or with `gatehouse user reset`"
        );
        journal.notice("operators", text);
        Users::closed()
    };
    let bytes = match store.blob(OPERATORS) {
        Ok(None) => return Users::default(),
        Ok(Some(bytes)) => bytes,
        Err(error) => return closed(error.to_string()),
    };
    match serde_json::from_slice(&bytes) {
        Ok(users) => users,
        Err(error) => {
            // Without its own words, which repeat what is in the file.
            let (line, column) = (error.line(), error.column());
            let users = closed(format!(
                "{OPERATORS} is damaged at {line}:{column} and was laid aside as {DAMAGED}"
            ));
            let shut = serde_json::to_vec(&users).expect("a word and a number are JSON");
            let laid = store.set_blob(DAMAGED, &bytes);
            if let Err(error) = laid.and_then(|()| store.set_blob(OPERATORS, &shut)) {
                journal.notice("operators", error.to_string());
            }
            users
        }
    }
}

impl Shelf for Gate {
    async fn keep(
        &self,
        users: &[u8],
        still: impl FnOnce() -> Result<(), Refusal> + Send,
    ) -> anyhow::Result<()> {
        self.with(|state| {
            still()?;
            Ok(state.store.set_blob(OPERATORS, users)?)
        })
        .await
    }

    async fn hostname(&self) -> String {
        self.with(|state| state.running.config.system.hostname.clone())
            .await
    }
}

impl Gate {
    /// Whether a name is free of visitors: names are unique over both.
    fn is_no_visitor(&self, name: &str) -> Result<(), Refusal> {
        if self.hub.steward.has_visitor(name) {
            return Err(Refusal::conflict("there is a visitor of this name already"));
        }
        Ok(())
    }
}

impl Operators for Gate {
    fn acting(&self, actor: Actor) -> Self {
        self.asked_by(actor)
    }

    fn authenticate(&self, token: &str, client: Option<IpAddr>, attended: bool) -> Option<Actor> {
        self.hub.porter.authenticate(token, client, attended)
    }

    fn session_over(&self, id: u64) -> impl Future<Output = ()> + Send + 'static {
        self.hub.porter.clone().session_over(id)
    }

    async fn claim_status(&self) -> Result<ClaimStatus, Refusal> {
        self.hub.porter.claim_status(&self.actor)
    }

    async fn claim(&self, claim: Claim) -> Result<SessionStarted, Refusal> {
        self.is_no_visitor(&claim.user)?;
        // To its end, also when the browser has left: the code is used up by then.
        let porter = self.hub.porter.clone();
        let claimed = tokio::spawn(porter.claim(self.clone(), self.actor.clone(), claim));
        claimed
            .await
            .map_err(|error| Refusal::failed(error.to_string()))?
    }

    async fn login(&self, login: Login) -> Result<SessionStarted, Refusal> {
        self.hub.porter.login(self, &self.actor, login).await
    }

    async fn session(&self) -> Result<Session, Refusal> {
        self.hub.porter.session(&self.actor)
    }

    async fn sessions(&self) -> Result<Vec<Session>, Refusal> {
        Ok(self.hub.porter.sessions(&self.actor))
    }

    async fn end_session(&self, id: Option<u64>) -> Result<(), Refusal> {
        self.hub.porter.end_session(&self.actor, id)
    }

    async fn users(&self) -> Result<Vec<User>, Refusal> {
        Ok(self.hub.porter.users())
    }

    async fn add_user(&self, user: NewUser) -> Result<User, Refusal> {
        self.is_no_visitor(&user.name)?;
        self.hub.porter.add_user(self, &self.actor, user).await
    }

    async fn change_user(&self, name: String, change: UserChange) -> Result<User, Refusal> {
        let porter = &self.hub.porter;
        porter.change_user(self, &self.actor, &name, change).await
    }

    async fn remove_user(&self, name: String) -> Result<(), Refusal> {
        self.hub.porter.remove_user(self, &self.actor, &name).await
    }

    async fn remove_totp(&self, name: String) -> Result<(), Refusal> {
        self.hub.porter.remove_totp(self, &self.actor, &name).await
    }

    async fn reset_users(&self) -> Result<ClaimStatus, Refusal> {
        self.hub.porter.reset_users(self, &self.actor).await
    }

    async fn change_password(&self, change: PasswordChange) -> Result<(), Refusal> {
        let porter = &self.hub.porter;
        porter.change_password(self, &self.actor, change).await
    }

    async fn offer_totp(&self, proof: PasswordProof) -> Result<TotpOffer, Refusal> {
        self.hub.porter.offer_totp(self, &self.actor, proof).await
    }

    async fn begin_totp(&self, code: TotpCode) -> Result<RecoveryCodes, Refusal> {
        self.hub.porter.begin_totp(self, &self.actor, code).await
    }

    async fn end_totp(&self, proof: PasswordProof) -> Result<(), Refusal> {
        self.hub.porter.end_totp(self, &self.actor, proof).await
    }
}
