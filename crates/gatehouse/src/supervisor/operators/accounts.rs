//! What is changed of users: by an admin, and by each of his own.

use super::entry::{invalid, own_session};
use super::porter::{Book, Porter, Shelf, at, random, refused, unix};
use control::{
    Actor, ClaimStatus, NewUser, PasswordChange, PasswordProof, RecoveryCodes, Refusal, Role,
    TotpCode, TotpOffer, UserChange,
};
use guard::operators::{
    CODE_BYTES, Delays, OFFER_TRIES, Offer, PasswordHash, RECOVERY_CODES, SessionId, Totp, User,
    UserFault, UserName, Users,
};
use guard::totp::{TOTP_BYTES, TotpSecret};

impl Porter {
    /// All users, by name.
    pub fn users(&self) -> Vec<control::User> {
        let book = self.lock();
        book.users
            .iter()
            .map(|(name, user)| shown(name, user))
            .collect()
    }

    /// Makes a user.
    pub async fn add_user(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        new: NewUser,
    ) -> Result<control::User, Refusal> {
        let name = UserName::new(&new.name).map_err(invalid)?;
        if self.lock().users.get(&name).is_some() {
            return Err(refused(UserFault::Exists));
        }
        let hash = self.hash(shelf, &name, new.password).await?;
        let user = User::new(new.role.into(), hash, unix());
        let add = |users: &mut Users| users.add(name.clone(), user.clone());
        self.change(shelf, (actor, Role::Admin), add, |_| {})
            .await?;
        self.audit(
            actor,
            format!("made the user {name} with the role {}", new.role.word()),
        );
        Ok(shown(&name, &user))
    }

    /// Changes role or password of a user, which ends his sessions but that of the actor.
    pub async fn change_user(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        name: &str,
        change: UserChange,
    ) -> Result<control::User, Refusal> {
        let name = self.known(name)?;
        let mut done = Vec::new();
        done.extend(change.role.map(|role| format!("role {}", role.word())));
        done.extend(
            change
                .password
                .as_ref()
                .map(|_| "another password".to_owned()),
        );
        if done.is_empty() {
            return Err(Refusal::invalid("give a role or a password"));
        }
        let hash = match change.password {
            Some(password) => Some(self.hash(shelf, &name, password).await?),
            None => None,
        };
        let make = |users: &mut Users| {
            if let Some(role) = change.role {
                users.set_role(&name, role.into())?;
            }
            let user = users.get_mut(&name)?;
            if let Some(hash) = &hash {
                user.password = hash.clone();
            }
            Ok(user.clone())
        };
        let then = |book: &mut Book| end_sessions(book, &name, actor.session(), hash.is_some());
        let user = self.change(shelf, (actor, Role::Admin), make, then).await?;
        self.audit(
            actor,
            format!("gave the user {name} {}", done.join(" and ")),
        );
        Ok(shown(&name, &user))
    }

    /// Removes a user and ends his sessions.
    pub async fn remove_user(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        name: &str,
    ) -> Result<(), Refusal> {
        let name = self.known(name)?;
        let remove = |users: &mut Users| users.remove(&name).map(drop);
        let then = |book: &mut Book| end_sessions(book, &name, None, true);
        self.change(shelf, (actor, Role::Admin), remove, then)
            .await?;
        self.audit(actor, format!("removed the user {name}"));
        Ok(())
    }

    /// Has another user sign in without his authenticator app.
    pub async fn remove_totp(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        name: &str,
    ) -> Result<(), Refusal> {
        let name = self.known(name)?;
        if matches!(actor, Actor::Session { user, .. } if user == name.as_str()) {
            return Err(Refusal::forbidden(
                "this is your own authenticator app; end it in your account, with your password and a code of it",
            ));
        }
        let remove = |users: &mut Users| without_totp(users, &name);
        self.change(shelf, (actor, Role::Admin), remove, |_| {})
            .await?;
        self.audit(actor, format!("removed the authenticator app of {name}"));
        Ok(())
    }

    /// Removes all users and sessions, so that the box can be claimed anew.
    pub async fn reset_users(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
    ) -> Result<ClaimStatus, Refusal> {
        if *actor != Actor::Local {
            return Err(Refusal::forbidden(
                "this can be done at the console and on the command line only",
            ));
        }
        let empty = |users: &mut Users| {
            *users = Users::default();
            Ok(())
        };
        let then = |book: &mut Book| {
            book.sessions.end_all();
            book.claim.clear();
            book.delays = Delays::default();
        };
        self.change(shelf, (actor, Role::Admin), empty, then)
            .await?;
        self.audit(actor, "removed all users; the box can be claimed anew");
        self.claim_status(actor)
    }

    /// Changes the actor's own password, which ends his other sessions.
    pub async fn change_password(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        change: PasswordChange,
    ) -> Result<(), Refusal> {
        let (name, proven) = self.prove(actor, change.old).await?;
        let hash = self.hash(shelf, &name, change.new).await?;
        let make = |users: &mut Users| {
            let user = users.get_mut(&name)?;
            if user.password != proven {
                return Err(UserFault::Changed);
            }
            user.password = hash.clone();
            Ok(())
        };
        let then = |book: &mut Book| end_sessions(book, &name, actor.session(), true);
        self.change(shelf, (actor, Role::Viewer), make, then)
            .await?;
        self.audit(actor, "changed the own password");
        Ok(())
    }

    /// Makes a secret for the actor's authenticator app; it counts once a code of it is shown.
    pub async fn offer_totp(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        proof: PasswordProof,
    ) -> Result<TotpOffer, Refusal> {
        let (name, _) = self.prove(actor, proof.password).await?;
        let secret = TotpSecret::new(random::<TOTP_BYTES>()?);
        let hostname = shelf.hostname().await;
        let mut book = self.lock();
        if book
            .users
            .get(&name)
            .is_some_and(|user| user.totp.is_some())
        {
            return Err(refused(UserFault::HasApp));
        }
        let id = SessionId(actor.session().unwrap_or_default());
        let Some(session) = book.sessions.get_mut(id, at()) else {
            return Err(Refusal::unauthorized("the session is over"));
        };
        session.offer = Some(Offer::new(secret.clone(), at()));
        Ok(TotpOffer {
            secret: secret.text(),
            uri: secret.uri(&format!("Gatehouse {hostname}"), name.as_str()),
        })
    }

    /// Has the actor sign in with his authenticator app from now on.
    pub async fn begin_totp(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        code: TotpCode,
    ) -> Result<RecoveryCodes, Refusal> {
        let id = own_session(actor)?;
        let (name, secret, step) = {
            let mut book = self.lock();
            let session = book.sessions.get_mut(id, at());
            let offered = session.and_then(|session| {
                let offer = session.offer.as_mut()?;
                let secret = offer.secret(at())?.clone();
                Some((session.user.clone(), secret, offer))
            });
            let Some((name, secret, offer)) = offered else {
                return Err(Refusal::conflict(format!(
                    "ask for a secret first; one is good for 10 minutes and {OFFER_TRIES} wrong codes"
                )));
            };
            let step = secret.step_of(&code.code, unix(), 0);
            if step.is_none() {
                offer.count_wrong();
            }
            (name, secret, step)
        };
        let Some(step) = step else {
            self.audit(actor, "typed a wrong code for a new authenticator app");
            return Err(Refusal::invalid(
                "this is not the code of the moment; look whether the clocks of the phone and of the box are right",
            ));
        };
        let mut codes = [[0; CODE_BYTES]; RECOVERY_CODES];
        for code in &mut codes {
            *code = random()?;
        }
        let (totp, codes) = Totp::begin(secret, step, codes);
        let make = |users: &mut Users| {
            let user = users.get_mut(&name)?;
            if user.totp.is_some() {
                return Err(UserFault::HasApp);
            }
            user.totp = Some(totp.clone());
            Ok(())
        };
        let then = |book: &mut Book| {
            let id = SessionId(actor.session().unwrap_or_default());
            if let Some(session) = book.sessions.get_mut(id, at()) {
                session.offer = None;
            }
        };
        self.change(shelf, (actor, Role::Viewer), make, then)
            .await?;
        self.audit(actor, "signs in with an authenticator app from now on");
        Ok(RecoveryCodes {
            codes: codes.iter().map(ToString::to_string).collect(),
        })
    }

    /// Has the actor sign in without his authenticator app from now on.
    pub async fn end_totp(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        proof: PasswordProof,
    ) -> Result<(), Refusal> {
        let (name, _) = self.prove(actor, proof.password).await?;
        self.prove_app(actor, &name, proof.code.as_deref())?;
        let end = |users: &mut Users| without_totp(users, &name);
        self.change(shelf, (actor, Role::Viewer), end, |_| {})
            .await?;
        self.audit(actor, "signs in without an authenticator app from now on");
        Ok(())
    }

    /// The actor's name, and the hash of his password, once he has shown that he knows it. A stolen session guesses no faster
    /// than anybody else.
    async fn prove(
        &self,
        actor: &Actor,
        password: String,
    ) -> Result<(UserName, PasswordHash), Refusal> {
        own_session(actor)?;
        let name = self.known(&actor.to_string())?;
        let (attempt, hash) = {
            let mut book = self.lock();
            let hash = book.users.get(&name).map(|user| user.password.clone());
            let hash = hash.ok_or_else(|| refused(UserFault::Unknown))?;
            (self.admit(&mut book, name.as_str(), actor)?, hash)
        };
        if self.verify(attempt, Some(hash.clone()), password).await? {
            self.lock().delays.take_back(attempt);
            return Ok((name, hash));
        }
        self.failed(actor, "typed a wrong password where the own one was wanted");
        Err(Refusal::invalid("the password is wrong"))
    }

    /// Has the actor show a code of his authenticator app: whoever found out his password can not do without it by that.
    fn prove_app(&self, actor: &Actor, name: &UserName, code: Option<&str>) -> Result<(), Refusal> {
        let mut book = self.lock();
        if book.users.get(name).is_none_or(|user| user.totp.is_none()) {
            return Err(refused(UserFault::NoApp));
        }
        let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
            return Err(Refusal::invalid(
                "type a code of your authenticator app, or a recovery code, too",
            ));
        };
        let attempt = self.admit(&mut book, name.as_str(), actor)?;
        let app = book.users.get_mut(name).map_err(refused)?.totp.as_mut();
        if app.is_some_and(|app| app.take(code, unix())) {
            book.delays.take_back(attempt);
            return Ok(());
        }
        drop(book);
        self.failed(
            actor,
            "typed a wrong code where one of the own authenticator app was wanted",
        );
        Err(Refusal::invalid(
            "this code is wrong or was used before; type the next one, or a recovery code",
        ))
    }

    async fn hash(
        &self,
        shelf: &impl Shelf,
        name: &UserName,
        password: String,
    ) -> Result<PasswordHash, Refusal> {
        let hostname = shelf.hostname().await;
        self.hashing.new_password(name, password, &hostname).await
    }

    fn known(&self, name: &str) -> Result<UserName, Refusal> {
        let name = UserName::new(name).map_err(|_| refused(UserFault::Unknown))?;
        match self.lock().users.get(&name) {
            Some(_) => Ok(name),
            None => Err(refused(UserFault::Unknown)),
        }
    }
}

fn end_sessions(book: &mut Book, name: &UserName, spared: Option<u64>, other_password: bool) {
    book.sessions.end_of(name, spared.map(SessionId));
    if other_password {
        book.delays.forget(name.as_str());
    }
}

fn without_totp(users: &mut Users, name: &UserName) -> Result<(), UserFault> {
    let app = users.get_mut(name)?.totp.take();
    app.map(drop).ok_or(UserFault::NoApp)
}

/// A user as the API has him.
fn shown(name: &UserName, user: &User) -> control::User {
    let moment = |unix: u64| control::Moment(unix.saturating_mul(1000));
    let left = user.totp.as_ref().map_or(0, Totp::recovery_codes_left);
    control::User {
        name: name.to_string(),
        role: user.role.into(),
        created: moment(user.created),
        last_login: user.last_login.map(moment),
        totp: user.totp.is_some(),
        recovery_codes_left: left as u64,
    }
}
