//! What comes of a login, once the directory has said something.

use std::sync::{Arc, PoisonError};

use guard::entrance::Guess;
use http::{Response, StatusCode};
use service::{Event, clip};
use tokio::time::{Instant, sleep_until};

use super::arrival::Arrival;
use super::lasting::random_text;
use super::lists::List;
use super::reply::{self, Body};
use super::session::{AtIssuer, KeptOut};
use crate::core::page::Trouble;
use crate::core::pause;
use crate::core::pending::{Left, Step, Waiting};
use crate::core::returns::Return;
use crate::directory::{Answer, Fault, Person, Question};

/// How much a refused login counts.
pub(super) const WEIGHT: u32 = 1;
/// Seconds after which a browser may ask again where nobody could be asked.
pub(super) const LATER: u64 = 30;

/// A login that is under way: what belongs to it, whatever the directory says.
pub(super) struct Try<'t> {
    pub(super) list: &'t Arc<List>,
    pub(super) to: Return,
    pub(super) user: &'t str,
    /// The cookie of the browser.
    pub(super) browser: &'t str,
    pub(super) guess: Guess,
    /// Whether it is the answer to a question, and what may still be asked then.
    pub(super) left: Option<Left>,
}

impl Arrival<'_> {
    /// Tells what the directory said.
    pub(super) async fn heard(
        &self,
        login: Try<'_>,
        said: Result<Answer, Fault>,
    ) -> Response<Body> {
        self.note(login.list, said.as_ref().err());
        match said {
            Ok(Answer::Known(person)) => self.known(login, person).await,
            Ok(Answer::Asks(question)) => self.asks(&login, question),
            Ok(Answer::Refused(why)) => {
                self.lasting.context.offences.report(self.client, WEIGHT);
                self.told_failed(login.list, login.user, &why);
                self.refused(login).await
            }
            Err(_) => self.away(login).await,
        }
    }

    /// It is he, as far as the directory can say.
    async fn known(&self, login: Try<'_>, person: Person) -> Response<Body> {
        if login.list.totp {
            return self.ask_factor(login, person).await;
        }
        self.enter(login, person).await
    }

    /// It is he: his session begins.
    pub(super) async fn enter(&self, login: Try<'_>, person: Person) -> Response<Body> {
        match self.let_in(login.list, &login.to, person, AtIssuer::default()) {
            Ok(response) => {
                let now = Instant::now().into_std();
                self.lasting.guesses().succeeded(login.guess, now);
                response
            }
            Err(KeptOut::NoGroup) => self.no_group(&login),
            Err(KeptOut::NoSession) => self.away(login).await,
        }
    }

    /// It is he, and he may not.
    pub(super) fn no_group(&self, login: &Try<'_>) -> Response<Body> {
        self.lasting.guesses().take_back(login.guess);
        let trouble = Some(Trouble::NoGroup);
        self.login(StatusCode::FORBIDDEN, login.list, &login.to, "", trouble)
    }

    /// The password was right, and a code is wanted.
    fn asks(&self, login: &Try<'_>, question: Question) -> Response<Body> {
        let now = Instant::now().into_std();
        let waiting = Waiting {
            access: login.list.name.clone(),
            user: login.user.to_owned(),
            step: Step::Answer(question.state),
            to: login.to.as_str().to_owned(),
        };
        let is_first = login.left.is_none();
        let left = login.left.unwrap_or_else(|| Left::of_question(now));
        let Ok(text) = random_text() else {
            return self.account(None);
        };
        let stays = self
            .lasting
            .pending()
            .keep(&text, login.browser, waiting, left, now);
        let (list, to) = (login.list, &login.to);
        if !stays {
            self.lasting.context.offences.report(self.client, WEIGHT);
            self.told_failed(list, login.user, "has used up the answers to one question");
            let trouble = Some(Trouble::CodeOver);
            return self.login(StatusCode::FORBIDDEN, list, to, login.user, trouble);
        }
        // A question that follows an answer may be another word for "wrong": that one stays counted.
        if is_first {
            self.lasting.guesses().take_back(login.guess);
        }
        let prompt: String = question
            .prompt
            .chars()
            .filter(|char| !char.is_control())
            .take(200)
            .collect();
        self.form(StatusCode::OK, list, to, |hidden| {
            self.frame().code(hidden, &text, &prompt)
        })
    }

    async fn refused(&self, login: Try<'_>) -> Response<Body> {
        let trouble = match login.left {
            None => Trouble::Wrong,
            Some(_) => Trouble::WrongCode,
        };
        self.pad().await;
        let (list, to, user) = (login.list, &login.to, login.user);
        self.login(StatusCode::FORBIDDEN, list, to, user, Some(trouble))
    }

    /// Nobody can be asked.
    async fn away(&self, login: Try<'_>) -> Response<Body> {
        self.lasting.guesses().take_back(login.guess);
        self.pad().await;
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let page = self.form(status, login.list, &login.to, |hidden| {
            self.frame().away(hidden)
        });
        reply::later(page, LATER)
    }

    /// Waits until nobody can tell from the time what the directory knew.
    pub(super) async fn pad(&self) {
        sleep_until(self.at + pause::until_told(self.at.elapsed())).await;
    }

    /// Somebody did not get in.
    pub(super) fn told_failed(&self, list: &List, user: &str, why: &str) {
        let mut event = Event::LoginFailed {
            service: "signin".into(),
            access: list.name.clone(),
            method: "sso".into(),
            user: user.to_owned(),
            client: self.client,
            reason: why.to_owned(),
        };
        event.clip(512);
        self.lasting.context.events.send(event);
    }

    /// Tells the operator when the directory of a list is away, and when it is back.
    pub(super) fn note(&self, list: &List, fault: Option<&Fault>) {
        let mut standing = list.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = standing.heard(fault.is_some(), Instant::now().into_std());
        drop(standing);
        if is_news {
            let name = &list.name;
            self.notice(match fault {
                Some(fault) => format!("access `{name}`: nobody can sign in: {fault}"),
                None => format!("access `{name}`: sign-in works again"),
            });
        }
    }

    pub(super) fn notice(&self, mut text: String) {
        clip(&mut text, 1024);
        self.lasting.context.events.send(Event::Notice {
            service: "signin".into(),
            text,
        });
    }
}
