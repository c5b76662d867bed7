//! What the login page is shown with, and what its forms ask of a directory.

use std::time::Duration;

use guard::entrance::{Guess, Typed};
use http::{Response, StatusCode};

use super::arrival::Arrival;
use super::lists::List;
use super::reply::{self, Body};
use super::verdict::{Try, WEIGHT};
use crate::core::crowd::Underway;
use crate::core::form::{Asked, Form};
use crate::core::origin;
use crate::core::page::{Hidden, Trouble};
use crate::core::pending::{Step, Waiting};
use crate::core::returns::Return;
use crate::directory::{Fault, Typing};

/// Seconds after which a browser may ask again where too many sign in.
const SOON: u64 = 5;

impl Arrival<'_> {
    /// Shows the form, or who is signed in already: were he led back at once, and not let in there, he would go round in circles.
    pub(super) async fn show_login(&self, asked: &Asked) -> Response<Body> {
        let Some(list) = self.list(asked) else {
            return self.account(None);
        };
        let to = self.way_back(list, &asked.to);
        if self.sessions().iter().any(|(of, ..)| of.name == list.name) {
            return self.account(Some(&to));
        }
        match list.provider() {
            // A picture on a page of somebody else would begin logins that push out those that somebody wants.
            Some(_) if !origin::is_visit(self.headers) => self.at_provider(list, &to),
            Some(oidc) => self.go(list, oidc, &to).await,
            None => self.login(StatusCode::OK, list, &to, "", None),
        }
    }

    /// Shows the form anew, since the one that was sent is not from this browser's page.
    pub(super) fn once_more(&self, form: &Form) -> Response<Body> {
        let asked = form.asked();
        let Some(list) = self.list(&asked) else {
            return self.account(None);
        };
        let to = self.way_back(list, &asked.to);
        let user = form.user().unwrap_or_default();
        self.login(
            StatusCode::FORBIDDEN,
            list,
            &to,
            user,
            Some(Trouble::OnceMore),
        )
    }

    /// Has the directory look at a user name and a password.
    pub(super) async fn take_login(&self, form: &Form, browser: &str) -> Response<Body> {
        let asked = form.asked();
        let Some(list) = self.list(&asked) else {
            return self.account(None);
        };
        let to = self.way_back(list, &asked.to);
        let typed = form.user().zip(form.password());
        let Some((user, password)) = typed else {
            let user = form.user().unwrap_or_default();
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return self.login(status, list, &to, user, Some(Trouble::Incomplete));
        };
        let made = self.attempt(list, user);
        let (underway, guess) = match made {
            Ok(made) => made,
            Err(trouble) => return self.not_now(list, &to, user, trouble),
        };
        let said = match &list.directory {
            Ok(directory) => {
                directory
                    .sign_in(&self.typing(user, password.clone()))
                    .await
            }
            Err(why) => Err(unusable(list, why)),
        };
        drop(underway);
        let login = Try {
            list,
            to,
            user,
            browser,
            guess,
            left: None,
        };
        self.heard(login, said).await
    }

    /// Has the directory look at a one-time code, or looks at that of an app.
    pub(super) async fn take_code(&self, form: &Form, browser: &str) -> Response<Body> {
        let now = self.at.into_std();
        let of = |waiting: &Waiting| self.lists.iter().find(|list| list.name == waiting.access);
        let known = self
            .lasting
            .pending()
            .get(&form.pending, browser, now)
            .cloned();
        let Some((list, waiting)) = known.and_then(|waiting| Some((of(&waiting)?, waiting))) else {
            return self.code_over(form);
        };
        let to = self.way_back(list, &waiting.to);
        let user = waiting.user.as_str();
        let Some(code) = form.code() else {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return self.login(status, list, &to, user, Some(Trouble::WrongCode));
        };
        let (underway, guess) = match self.attempt(list, user) {
            Ok(made) => made,
            Err(trouble) => return self.not_now(list, &to, user, trouble),
        };
        // Only now: who has to wait first can answer it then.
        let taken = self.lasting.pending().take(&form.pending, browser, now);
        let Some((_, left)) = taken else {
            self.lasting.guesses().take_back(guess);
            return self.code_over(form);
        };
        let login = Try {
            list,
            to,
            user,
            browser,
            guess,
            left: Some(left),
        };
        let state = match waiting.step {
            Step::Answer(state) => state,
            Step::Code(person, offered) => {
                drop(underway);
                return self.take_factor(login, (person, offered), &code).await;
            }
        };
        let said = match &list.directory {
            Ok(directory) => directory.answer(&self.typing(user, code), &state).await,
            Err(why) => Err(unusable(list, why)),
        };
        drop(underway);
        self.heard(login, said).await
    }

    /// There is nothing that a code could be for.
    fn code_over(&self, form: &Form) -> Response<Body> {
        let asked = form.asked();
        let Some(list) = self.list(&asked) else {
            return self.account(None);
        };
        let to = self.way_back(list, &asked.to);
        let trouble = Some(Trouble::CodeOver);
        self.login(StatusCode::FORBIDDEN, list, &to, "", trouble)
    }

    /// Lets a try in, which counts as failed from now on.
    fn attempt(&self, list: &List, user: &str) -> Result<(Underway, Guess), Trouble> {
        let underway = self
            .lasting
            .crowd
            .enter(&list.name, self.client)
            .ok_or(Trouble::Busy)?;
        let now = self.at.into_std();
        let begun = self
            .lasting
            .guesses()
            .begin(&list.name, user, self.client, now);
        begun
            .map(|guess| (underway, guess))
            .map_err(|wait: Duration| {
                // Who goes on asking is no visitor who has mistyped.
                self.lasting.context.offences.report(self.client, WEIGHT);
                Trouble::Wait(wait.as_secs() + 1)
            })
    }

    pub(super) fn not_now(
        &self,
        list: &List,
        to: &Return,
        user: &str,
        trouble: Trouble,
    ) -> Response<Body> {
        let (status, seconds) = match trouble {
            Trouble::Wait(seconds) => (StatusCode::TOO_MANY_REQUESTS, seconds),
            _ => (StatusCode::SERVICE_UNAVAILABLE, SOON),
        };
        let page = self.login(status, list, to, user, Some(trouble));
        reply::later(page, seconds)
    }

    pub(super) fn login(
        &self,
        status: StatusCode,
        list: &List,
        to: &Return,
        user: &str,
        trouble: Option<Trouble>,
    ) -> Response<Body> {
        // Passwords of such users are typed elsewhere.
        if list.provider().is_some() {
            let page = |hidden: Hidden<'_>| self.frame().provider(hidden, trouble);
            return self.form(status, list, to, page);
        }
        self.form(status, list, to, |hidden| {
            self.frame().login(hidden, user, trouble)
        })
    }

    fn typing(&self, user: &str, password: Typed) -> Typing {
        Typing {
            user: user.to_owned(),
            password,
            client: self.client,
        }
    }
}

fn unusable(list: &List, why: &str) -> Fault {
    Fault::Unfit {
        server: list.name.clone(),
        why: why.to_owned(),
    }
}
