//! How somebody gets in: the claim of a new box, and signing in.

use super::porter::{Porter, Shelf, at, moment, random, shown, unix};
use control::{Actor, Claim, ClaimStatus, Login, Refusal, SessionStarted};
use guard::operators::{
    Attempt, Claimed, PasswordHash, Role, SALT_BYTES, SessionId, Taken, User, UserName, Users,
    check_password,
};

/// Under which name tries of the claim code are counted; no user can be called so.
const CLAIM: &str = "(claim)";

impl Porter {
    /// Whether the box is claimed; a local actor sees the code, too.
    pub fn claim_status(&self, actor: &Actor) -> Result<ClaimStatus, Refusal> {
        let random = random()?;
        let mut book = self.lock();
        let claimed = book.users.is_claimed();
        if claimed || *actor != Actor::Local {
            return Ok(ClaimStatus {
                claimed,
                code: None,
                expires: None,
            });
        }
        let (code, until) = book.claim.show(random, at());
        Ok(ClaimStatus {
            claimed,
            code: Some(code.to_string()),
            expires: Some(moment(until)),
        })
    }

    /// Makes the first user of a box, for whoever has read the code from its console.
    pub async fn claim(
        self,
        shelf: impl Shelf,
        actor: Actor,
        claim: Claim,
    ) -> Result<SessionStarted, Refusal> {
        if self.lock().users.is_claimed() {
            return Err(already_claimed());
        }
        let name = UserName::new(&claim.user).map_err(invalid)?;
        check_password(&claim.password, name.as_str(), &shelf.hostname().await).map_err(invalid)?;
        let taken = self.take_claim(&actor, &claim.code)?;
        match self.first_user(&shelf, &name, claim.password).await {
            Ok(()) => {}
            Err(refusal) => {
                self.lock().claim.give_back(taken);
                return Err(refusal);
            }
        }
        let mut book = self.lock();
        book.claim.clear();
        let started = self.begin_session(&mut book, &name, &actor)?;
        drop(book);
        self.audit(
            &signed_in(&started, &actor),
            "claimed the box and is its first admin",
        );
        Ok(started)
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// [`Refusal::unauthorized`] says nothing of what was wrong; [`Refusal::code_wanted`] that the password was right.
    pub async fn login(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        login: Login,
    ) -> Result<SessionStarted, Refusal> {
        let name = UserName::new(&login.user).ok();
        let (attempt, hash) = {
            let mut book = self.lock();
            if book.users.is_closed() {
                return Err(Refusal::conflict(
                    "what the box kept of its users is damaged; reset them at its console or with `gatehouse user reset`",
                ));
            }
            if !book.users.is_claimed() {
                return Err(Refusal::conflict("nobody has claimed this box yet"));
            }
            let attempt = self.admit(&mut book, &login.user, actor)?;
            let user = name.as_ref().and_then(|name| book.users.get(name));
            (attempt, user.map(|user| user.password.clone()))
        };
        let right = self.verify(attempt, hash.clone(), login.password).await?;
        let hash = hash.filter(|_| right);
        let (started, used_up) =
            self.let_in(actor, name.as_ref(), attempt, hash.as_ref(), login.code)?;
        self.save_sign_in(shelf, used_up).await;
        self.audit(&signed_in(&started, actor), "signed in");
        Ok(started)
    }

    /// Begins a session for whoever knew the password that `hash` is of; none: he did not know it. Also says whether a recovery
    /// code was used up.
    fn let_in(
        &self,
        actor: &Actor,
        name: Option<&UserName>,
        attempt: Attempt,
        hash: Option<&PasswordHash>,
        code: Option<String>,
    ) -> Result<(SessionStarted, bool), Refusal> {
        let mut book = self.lock();
        // He may have been removed, or his password changed, while it was looked at.
        let found = name.and_then(|name| {
            let user = book.users.get_mut(name).ok();
            Some((name, user?))
        });
        let Some((name, user)) = found else {
            drop(book);
            self.failed(actor, "failed sign-in: unknown user");
            return Err(wrong());
        };
        if Some(&user.password) != hash {
            drop(book);
            self.failed(actor, format!("failed sign-in as {name}: wrong password"));
            return Err(wrong());
        }
        let mut used_up = false;
        if let Some(totp) = &mut user.totp {
            let left = totp.recovery_codes_left();
            let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
                book.delays.take_back(attempt);
                return Err(Refusal::code_wanted(
                    "type the code of your authenticator app, or a recovery code",
                ));
            };
            if !totp.take(&code, unix()) {
                drop(book);
                self.failed(actor, format!("failed sign-in as {name}: wrong code"));
                return Err(Refusal::code_wanted(
                    "this code is wrong or was used before; type the next one, or a recovery code",
                ));
            }
            used_up = totp.recovery_codes_left() < left;
        }
        user.last_login = Some(unix());
        book.delays.succeeded(attempt);
        let started = self.begin_session(&mut book, name, actor)?;
        Ok((started, used_up))
    }

    /// The session of the actor.
    pub fn session(&self, actor: &Actor) -> Result<control::Session, Refusal> {
        let id = own_session(actor)?;
        let book = self.lock();
        let session = book.sessions.get(id, at());
        session
            .and_then(|session| shown(session, &book.users))
            .ok_or_else(|| Refusal::unauthorized("the session is over"))
    }

    /// The sessions that the actor may see, the oldest first.
    pub fn sessions(&self, actor: &Actor) -> Vec<control::Session> {
        let book = self.lock();
        let open = book.sessions.iter(at());
        open.filter(|session| may_see(actor, &session.user))
            .filter_map(|session| shown(session, &book.users))
            .collect()
    }

    /// Ends a session that the actor may see; none given: his own.
    pub fn end_session(&self, actor: &Actor, id: Option<u64>) -> Result<(), Refusal> {
        let id = match id {
            Some(id) => SessionId(id),
            None => own_session(actor)?,
        };
        let mut book = self.lock();
        let session = book.sessions.get(id, at());
        let session = session.filter(|session| may_see(actor, &session.user));
        let Some(user) = session.map(|session| session.user.clone()) else {
            return Err(Refusal::not_found("there is no such session"));
        };
        book.sessions.end(id);
        drop(book);
        self.sessions_ended();
        let text = if Some(id.0) == actor.session() {
            "signed out".to_owned()
        } else {
            format!("ended a session of {user}")
        };
        self.audit(actor, text);
        Ok(())
    }

    fn take_claim(&self, actor: &Actor, code: &str) -> Result<Taken, Refusal> {
        let mut book = self.lock();
        if book.users.is_claimed() {
            return Err(already_claimed());
        }
        let attempt = self.admit(&mut book, CLAIM, actor)?;
        let refusal = match book.claim.take(code, at()) {
            Claimed::Right(taken) => {
                book.delays.succeeded(attempt);
                return Ok(taken);
            }
            Claimed::Wrong { left: 0 } => {
                "the code is wrong, and void by now; console and `gatehouse claim` show another one"
            }
            Claimed::Wrong { .. } => "the code is wrong",
            Claimed::NoCode => {
                "there is no code, or its time is over; console and `gatehouse claim` show another one"
            }
        };
        drop(book);
        self.failed(actor, "failed claim: wrong code");
        Err(Refusal::unauthorized(refusal))
    }

    async fn first_user(
        &self,
        shelf: &impl Shelf,
        name: &UserName,
        password: String,
    ) -> Result<(), Refusal> {
        let salt = random::<SALT_BYTES>()?;
        let hash = self.hashing.run(move || PasswordHash::of(&password, salt));
        let mut user = User::new(Role::Admin, hash.await?, unix());
        user.last_login = Some(unix());
        // The code is all that he had to show.
        let by = (&Actor::Local, control::Role::Admin);
        let add = |users: &mut Users| users.add(name.clone(), user.clone());
        self.change(shelf, by, add, |_| {}).await
    }
}

/// The actor that somebody is who has just signed in.
fn signed_in(started: &SessionStarted, visitor: &Actor) -> Actor {
    Actor::Session {
        id: started.session.id,
        user: started.session.user.clone(),
        role: started.session.role,
        client: visitor.client(),
    }
}

pub(super) fn own_session(actor: &Actor) -> Result<SessionId, Refusal> {
    let id = actor.session().map(SessionId);
    id.ok_or_else(|| {
        Refusal::not_found("there is no session; this is for somebody who is signed in")
    })
}

fn may_see(actor: &Actor, user: &UserName) -> bool {
    let own = matches!(actor, Actor::Session { user: own, .. } if own == user.as_str());
    own || actor.may(control::Role::Admin)
}

fn already_claimed() -> Refusal {
    Refusal::conflict("this box is claimed already; sign in")
}

fn wrong() -> Refusal {
    Refusal::unauthorized("the user name or the password is wrong")
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn invalid(error: impl ToString) -> Refusal {
    Refusal::invalid(error.to_string())
}
