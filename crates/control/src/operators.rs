//! Who asks, and what the supervisor provides for it.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;

use crate::{
    Claim, ClaimStatus, Login, NewUser, PasswordChange, PasswordProof, RecoveryCodes, Refusal,
    Role, Session, SessionStarted, TotpCode, TotpOffer, User, UserChange,
};

/// Where a connection comes from, which decides what it may do without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The Unix socket: command line and console. May do everything; the mode of the socket is the lock.
    Local,
    /// The process of the admin pages, which may have been captured: nothing without a session of an operator.
    Pages,
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever may open the Unix socket, or the box itself.
    Local,
    /// Somebody who is not signed in.
    Visitor {
        /// The browser, as the admin pages say.
        client: Option<IpAddr>,
    },
    /// A program with a key, which may do with the tokens of one access what there is to do.
    Key {
        /// The number of the key.
        id: u64,
        /// The access.
        access: String,
        /// Where the program is, as the admin pages say.
        client: Option<IpAddr>,
    },
    /// Somebody who is.
    Session {
        /// The name of the session.
        id: u64,
        /// The user.
        user: String,
        /// What he may do now.
        role: Role,
        /// The browser of this request, as the admin pages say.
        client: Option<IpAddr>,
    },
}

impl Actor {
    /// The browser, where there is one.
    pub fn client(&self) -> Option<IpAddr> {
        match self {
            Self::Local => None,
            Self::Visitor { client } | Self::Key { client, .. } | Self::Session { client, .. } => {
                *client
            }
        }
    }

    /// The name of his session, where he has one.
    pub fn session(&self) -> Option<u64> {
        match self {
            Self::Session { id, .. } => Some(*id),
            Self::Local | Self::Visitor { .. } | Self::Key { .. } => None,
        }
    }

    /// Whether he may do what `role` may.
    pub fn may(&self, role: Role) -> bool {
        match self {
            Self::Local => true,
            Self::Visitor { .. } | Self::Key { .. } => false,
            Self::Session { role: own, .. } => *own >= role,
        }
    }

    /// Whether he may keep a configuration that `beginner` has put on trial.
    ///
    /// That the box can still be reached must be shown by whoever changed it, and in the session in which he did; another
    /// browser proves nothing, except of somebody who may do everything.
    pub fn may_confirm(&self, beginner: &Self) -> bool {
        let same = self.session().is_some() && self.session() == beginner.session();
        same || self.may(Role::Admin)
    }
}

/// As the log names him.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Visitor { .. } => f.write_str("nobody"),
            Self::Key { id, access, .. } => write!(f, "key {id} of {access}"),
            Self::Session { user, .. } => f.write_str(user),
        }
    }
}

/// Users and sessions, as the API asks for them. Every method acts for whom [`Operators::acting`] has named.
///
/// # Errors
/// Every method refuses by [`Refusal`], whose message is for the operator.
pub trait Operators: Clone + Send + Sync + 'static {
    /// The same box, asked by `actor`.
    #[must_use]
    fn acting(&self, actor: Actor) -> Self;

    /// Who shows this token; `client` is the browser, and `attended` says whether that is a use of his session. None:
    /// nobody.
    fn authenticate(&self, token: &str, client: Option<IpAddr>, attended: bool) -> Option<Actor>;

    /// Ready once the session `id` is over, for whatever reason.
    fn session_over(&self, id: u64) -> impl Future<Output = ()> + Send + 'static;

    /// Whether the box is claimed; for a local actor with the code, which is made where there is none.
    fn claim_status(&self) -> impl Future<Output = Result<ClaimStatus, Refusal>> + Send;

    /// Makes the first user and signs him in.
    fn claim(&self, claim: Claim) -> impl Future<Output = Result<SessionStarted, Refusal>> + Send;

    /// Signs somebody in; a session that he had before in this browser ends.
    fn login(&self, login: Login) -> impl Future<Output = Result<SessionStarted, Refusal>> + Send;

    /// The session of the actor.
    fn session(&self) -> impl Future<Output = Result<Session, Refusal>> + Send;

    /// The sessions that the actor may see: all, or his own.
    fn sessions(&self) -> impl Future<Output = Result<Vec<Session>, Refusal>> + Send;

    /// Ends a session that the actor may see; none given: the one he is in.
    fn end_session(&self, id: Option<u64>) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// All users.
    fn users(&self) -> impl Future<Output = Result<Vec<User>, Refusal>> + Send;

    /// Makes a user.
    fn add_user(&self, user: NewUser) -> impl Future<Output = Result<User, Refusal>> + Send;

    /// Changes role or password of a user, which ends his sessions but that of the actor.
    fn change_user(
        &self,
        name: String,
        change: UserChange,
    ) -> impl Future<Output = Result<User, Refusal>> + Send;

    /// Removes a user.
    fn remove_user(&self, name: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Has a user sign in without his authenticator app from now on.
    fn remove_totp(&self, name: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Removes all users, so that the box can be claimed anew.
    fn reset_users(&self) -> impl Future<Output = Result<ClaimStatus, Refusal>> + Send;

    /// Changes the password of the actor, which ends his other sessions.
    fn change_password(
        &self,
        change: PasswordChange,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Makes a secret for the actor's authenticator app.
    fn offer_totp(
        &self,
        proof: PasswordProof,
    ) -> impl Future<Output = Result<TotpOffer, Refusal>> + Send;

    /// Has the actor sign in with his authenticator app from now on.
    fn begin_totp(
        &self,
        code: TotpCode,
    ) -> impl Future<Output = Result<RecoveryCodes, Refusal>> + Send;

    /// Has the actor sign in without his authenticator app from now on.
    fn end_totp(&self, proof: PasswordProof) -> impl Future<Output = Result<(), Refusal>> + Send;
}
