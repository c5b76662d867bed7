//! The second factor: what follows a password that was right.

use guard::entrance::{Factor, NoFactor, Typed};
use guard::totp::{TOTP_BYTES, TotpSecret};
use http::{Response, StatusCode};
use service::{CodeTaken, FactorStanding};
use tokio::time::Instant;

use super::arrival::{Arrival, unix_now};
use super::lasting::{random, random_text};
use super::lists::List;
use super::reply::{self, Body};
use super::verdict::{LATER, Try, WEIGHT};
use crate::core::factor::Offered;
use crate::core::page::Trouble;
use crate::core::pending::{Left, Step, Waiting};
use crate::directory::Person;

/// Whom the directory knows, and the secret that is offered to him if he has no app yet.
type Known = (Person, Option<Box<TotpSecret>>);

impl Arrival<'_> {
    /// The directory knows him: he is asked for a code of his app, or shown how to set one up.
    pub(super) async fn ask_factor(&self, login: Try<'_>, person: Person) -> Response<Body> {
        if self.looked_for_group(login.list, &person).is_err() {
            return self.no_group(&login);
        }
        // By each name that he can type he would set up another.
        if !person.is_named {
            let why = "the directory does not say what it calls him, so that his second factor is not known (User-Name in the answer of a RADIUS \
                server, or the user's own entry in LDAP)";
            return self.factors_away(login, why).await;
        }
        let entrance = &self.lasting.context.entrance;
        let offered = match entrance.factor(&login.list.name, &person.user) {
            FactorStanding::There => None,
            FactorStanding::None => match random::<TOTP_BYTES>() {
                Ok(bytes) => Some(Box::new(TotpSecret::new(bytes))),
                Err(_) => return self.factors_away(login, "there is no randomness").await,
            },
            FactorStanding::Unknown => {
                let why = "it is not known who has a second factor";
                return self.factors_away(login, why).await;
            }
        };
        // The password was not guessed. From here on codes are counted.
        self.lasting.guesses().take_back(login.guess);
        let left = Left::of_factor(Instant::now().into_std());
        self.show_factor(&login, (person, offered), left, false)
    }

    /// Looks at a code of his app.
    pub(super) async fn take_factor(
        &self,
        login: Try<'_>,
        (person, offered): Known,
        code: &Typed,
    ) -> Response<Body> {
        let list = login.list;
        let taken = match &offered {
            None => {
                let entrance = &self.lasting.context.entrance;
                entrance.take_code(&list.name, &person.user, code.as_str(), unix_now())
            }
            Some(secret) => self.take_first(list, &person, secret, code),
        };
        match (taken, login.left) {
            (CodeTaken::Right, _) => self.enter(login, person).await,
            (CodeTaken::Wrong, Some(left)) => {
                self.lasting.context.offences.report(self.client, WEIGHT);
                let why = "the code of the app is wrong, or was used before";
                self.told_failed(list, &person.user, why);
                self.pad().await;
                self.show_factor(&login, (person, offered), left, true)
            }
            (CodeTaken::Wait(wait), _) => {
                self.lasting.guesses().take_back(login.guess);
                let trouble = Trouble::Wait(wait.as_secs() + 1);
                self.not_now(list, &login.to, login.user, trouble)
            }
            (CodeTaken::Wrong | CodeTaken::Gone, _) => {
                self.lasting.guesses().take_back(login.guess);
                self.factor_over(&login)
            }
        }
    }

    /// The first code of an app: from now on he has a second factor.
    fn take_first(
        &self,
        list: &List,
        person: &Person,
        secret: &TotpSecret,
        code: &Typed,
    ) -> CodeTaken {
        let now = unix_now();
        let Some(used) = secret.step_of(code.as_str(), now, 0) else {
            return CodeTaken::Wrong;
        };
        let factor = Factor {
            access: list.name.as_str().into(),
            user: person.user.as_str().into(),
            secret: secret.clone(),
            confirmed: now,
            used,
        };
        let (name, user) = (&list.name, &person.user);
        match self.lasting.context.entrance.begin_factor(factor) {
            Ok(()) => {
                let from = self.client;
                self.notice(format!(
                    "{user:?} has set up a second factor at access `{name}` from {from}"
                ));
                CodeTaken::Right
            }
            // He was faster elsewhere, or the supervisor has it anew.
            Err(NoFactor::There | NoFactor::Unknown) => CodeTaken::Gone,
            Err(fault) => {
                self.notice(format!(
                    "access `{name}`: no second factor for {user:?}: {fault}"
                ));
                CodeTaken::Gone
            }
        }
    }

    /// Shows the form for a code; `again`: the one before was wrong.
    fn show_factor(
        &self,
        login: &Try<'_>,
        (person, offered): Known,
        left: Left,
        again: bool,
    ) -> Response<Body> {
        let Ok(text) = random_text() else {
            return self.account(None);
        };
        let (list, user) = (login.list, person.user.clone());
        let waiting = Waiting {
            access: list.name.clone(),
            user: login.user.to_owned(),
            step: Step::Code(person, offered.clone()),
            to: login.to.as_str().to_owned(),
        };
        let now = Instant::now().into_std();
        let stays = self
            .lasting
            .pending()
            .keep(&text, login.browser, waiting, left, now);
        if !stays {
            return self.factor_over(login);
        }
        let status = if again {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::OK
        };
        self.form(status, list, &login.to, |hidden| match &offered {
            None => self.frame().factor(hidden, &text, again),
            Some(secret) => {
                let offered = Offered {
                    secret,
                    issuer: &list.session.domain,
                    user: &user,
                };
                self.frame().first_factor(hidden, &text, offered, again)
            }
        })
    }

    /// The code came too late, or too many were wrong.
    fn factor_over(&self, login: &Try<'_>) -> Response<Body> {
        let trouble = Some(Trouble::CodeOver);
        let (list, to, user) = (login.list, &login.to, login.user);
        self.login(StatusCode::FORBIDDEN, list, to, user, trouble)
    }

    /// No code can be looked at, so that nobody is let in.
    async fn factors_away(&self, login: Try<'_>, why: &str) -> Response<Body> {
        self.lasting.guesses().take_back(login.guess);
        self.told_failed(login.list, login.user, why);
        self.pad().await;
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let page = self.form(status, login.list, &login.to, |hidden| {
            self.frame().factors_away(hidden)
        });
        reply::later(page, LATER)
    }
}
