//! All operators, and the form in which they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::user::{Role, User, UserName};

/// The most users.
pub const MAX_USERS: usize = 64;

/// The users of the box; serde writes and reads the form that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Users {
    users: BTreeMap<UserName, User>,
    closed: bool,
}

/// Why a change of the users is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UserFault {
    /// There is one of this name.
    #[error("there is a user of this name already")]
    Exists,
    /// There is none of this name.
    #[error("there is no user of this name")]
    Unknown,
    /// The table is full.
    #[error("there are {MAX_USERS} users already; remove one")]
    Full,
    /// Somebody else would be the first.
    #[error("the first user must be an admin; make one with the role admin first")]
    FirstAdmin,
    /// Somebody else has changed it.
    #[error("the password was changed meanwhile; sign in with the new one")]
    Changed,
    /// He signs in with an authenticator app.
    #[error("there is an authenticator app already; end that one first")]
    HasApp,
    /// He signs in without.
    #[error("there is no authenticator app")]
    NoApp,
    /// Nobody could administer the box any more.
    #[error("this is the last admin; make somebody else admin first")]
    LastAdmin,
}

impl Users {
    /// No users, and nobody may claim the box either: what was kept of them is lost, and only the console may begin anew.
    pub fn closed() -> Self {
        Self {
            users: BTreeMap::new(),
            closed: true,
        }
    }

    /// Whether the box has operators, or had: then nobody can claim it.
    pub fn is_claimed(&self) -> bool {
        self.closed || !self.users.is_empty()
    }

    /// Whether nobody can sign in until the console begins anew.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// A user.
    pub fn get(&self, name: &UserName) -> Option<&User> {
        self.users.get(name)
    }

    /// A user, to be changed in what is no role.
    ///
    /// # Errors
    /// [`UserFault::Unknown`].
    pub fn get_mut(&mut self, name: &UserName) -> Result<&mut User, UserFault> {
        self.users.get_mut(name).ok_or(UserFault::Unknown)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&UserName, &User)> {
        self.users.iter()
    }

    /// Takes a user in; the first of a box must be an admin, or nobody could administer it.
    ///
    /// # Errors
    /// [`UserFault::Exists`], [`UserFault::Full`], [`UserFault::FirstAdmin`].
    pub fn add(&mut self, name: UserName, user: User) -> Result<(), UserFault> {
        if self.users.is_empty() && user.role != Role::Admin {
            return Err(UserFault::FirstAdmin);
        }
        self.take_in(name, user)
    }

    fn take_in(&mut self, name: UserName, user: User) -> Result<(), UserFault> {
        if self.users.contains_key(&name) {
            return Err(UserFault::Exists);
        }
        if self.users.len() >= MAX_USERS {
            return Err(UserFault::Full);
        }
        self.users.insert(name, user);
        self.closed = false;
        Ok(())
    }

    /// Removes a user.
    ///
    /// # Errors
    /// [`UserFault::Unknown`], [`UserFault::LastAdmin`].
    pub fn remove(&mut self, name: &UserName) -> Result<User, UserFault> {
        self.spare_last_admin(name)?;
        self.users.remove(name).ok_or(UserFault::Unknown)
    }

    /// Gives a user another role.
    ///
    /// # Errors
    /// [`UserFault::Unknown`], [`UserFault::LastAdmin`].
    pub fn set_role(&mut self, name: &UserName, role: Role) -> Result<(), UserFault> {
        if role != Role::Admin {
            self.spare_last_admin(name)?;
        }
        self.get_mut(name)?.role = role;
        Ok(())
    }

    fn spare_last_admin(&self, name: &UserName) -> Result<(), UserFault> {
        let is_admin = |user: &User| user.role == Role::Admin;
        if self.get(name).is_some_and(is_admin)
            && self.users.values().filter(|user| is_admin(user)).count() < 2
        {
            return Err(UserFault::LastAdmin);
        }
        Ok(())
    }
}

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The form, for later ones.
    schema: u32,
    #[serde(default)]
    closed: bool,
    users: Vec<KeptUser>,
}

#[derive(Serialize, Deserialize)]
struct KeptUser {
    name: UserName,
    #[serde(flatten)]
    user: User,
}

const SCHEMA: u32 = 1;

impl From<Users> for Kept {
    fn from(users: Users) -> Self {
        let kept = users.users.into_iter();
        Self {
            schema: SCHEMA,
            closed: users.closed,
            users: kept.map(|(name, user)| KeptUser { name, user }).collect(),
        }
    }
}

impl TryFrom<Kept> for Users {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Self, String> {
        if kept.schema != SCHEMA {
            return Err(format!("schema {} is not known", kept.schema));
        }
        let mut users = Self::default();
        for KeptUser { name, user } in kept.users {
            if user.totp.as_ref().is_some_and(|totp| !totp.is_sound()) {
                return Err(format!("{name}: too many recovery codes"));
            }
            let text = name.to_string();
            users
                .take_in(name, user)
                .map_err(|fault| format!("{text}: {fault}"))?;
        }
        users.closed = kept.closed;
        Ok(users)
    }
}
