//! The pages without script: what they show, and what their forms do.

use std::time::Duration;

use control::{Applied, Generation, GenerationState, LineError, Refusal, RefusalKind};
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::{started, taken};
use super::desk::{Desk, Standing, Visitor, request};
use crate::core::place::Page;
use crate::core::reply::{self, Body};
use crate::core::said::{self, Told};
use crate::core::{cookie, form};

/// Bytes of an answer of the control API that a page is made of.
const LONGEST: usize = 1 << 20;

/// How long a form, or such an answer, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of asking the control API.
enum Said<T> {
    Yes(T),
    No(StatusCode, Refusal),
}

impl Desk {
    /// Shows a page.
    pub(super) async fn show(
        &self,
        page: Page,
        query: Option<&str>,
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let Some(_permit) = self.permit(visitor) else {
            return self.busy(visitor);
        };
        let shown = match page {
            Page::Claim | Page::Login => self.show_entrance(page, query, visitor).await,
            Page::Confirm => self.show_trial(None, visitor).await,
            Page::Rollback => self.show_choices(None, visitor).await,
            Page::Logout => Ok(reply::html(StatusCode::OK, self.frame(visitor).logout())),
        };
        shown.unwrap_or_else(|_| self.away(visitor))
    }

    /// Carries out what a form asks for.
    pub(super) async fn take_form(
        &self,
        page: Page,
        request: Request<Incoming>,
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let Some(body) = taken(request.into_body(), form::LONGEST, PATIENCE).await else {
            return reply::see_other("/");
        };
        let Some(_permit) = self.permit(visitor) else {
            return self.busy(visitor);
        };
        let done = match page {
            Page::Claim => self.claim(&body, visitor).await,
            Page::Login => self.login(&body, visitor).await,
            Page::Logout => self.logout(visitor).await,
            Page::Confirm => self.confirm(&body, visitor).await,
            Page::Rollback => self.roll_back(&body, visitor).await,
        };
        done.unwrap_or_else(|_| self.away(visitor))
    }

    async fn show_entrance(
        &self,
        page: Page,
        query: Option<&str>,
        visitor: &Visitor<'_>,
    ) -> Result<Response<Body>, LineError> {
        let then = query.and_then(|query| form::read::<form::Login>(query.as_bytes()));
        let then = then.unwrap_or_default().then;
        let frame = self.frame(visitor);
        Ok(match (self.standing(visitor).await?, page) {
            (Standing::SignedIn, _) => reply::see_other(form::way_on(&then)),
            (Standing::Unclaimed, Page::Claim) => {
                reply::html(StatusCode::OK, frame.claim(None, ""))
            }
            (Standing::Unclaimed, _) => reply::see_other("/claim"),
            (Standing::SignedOut, Page::Claim) => reply::see_other("/login"),
            (Standing::SignedOut, _) => {
                let page = frame.login(None, "", form::way_on(&then));
                reply::html(StatusCode::OK, page)
            }
        })
    }

    async fn claim(&self, body: &[u8], visitor: &Visitor<'_>) -> Result<Response<Body>, LineError> {
        let claim = form::read::<form::Claim>(body).unwrap_or_default();
        let frame = self.frame(visitor);
        if claim.password != claim.again {
            let fault = Told::own(visitor.language.words().differ);
            let page = frame.claim(Some(&fault), &claim.user);
            return Ok(reply::html(StatusCode::UNPROCESSABLE_ENTITY, page));
        }
        let asked = json!({ "code": claim.code, "user": claim.user, "password": claim.password });
        Ok(match self.begin("/v1/claim", asked, visitor).await? {
            Said::Yes(cookie) => signed_in("/", cookie),
            Said::No(status, refusal) => {
                let words = visitor.language.words();
                let fault = said::refusal(&refusal, words.wrong_claim, visitor.language);
                reply::html(status, frame.claim(Some(&fault), &claim.user))
            }
        })
    }

    async fn login(&self, body: &[u8], visitor: &Visitor<'_>) -> Result<Response<Body>, LineError> {
        let login = form::read::<form::Login>(body).unwrap_or_default();
        let then = form::way_on(&login.then);
        let code = Some(login.code.trim()).filter(|code| !code.is_empty());
        let asked = json!({ "user": login.user, "password": login.password, "code": code });
        Ok(match self.begin("/v1/login", asked, visitor).await? {
            Said::Yes(cookie) => signed_in(then, cookie),
            Said::No(status, refusal) => {
                let (frame, words) = (self.frame(visitor), visitor.language.words());
                let fault = said::refusal(&refusal, words.wrong_login, visitor.language);
                reply::html(status, frame.login(Some(&fault), &login.user, then))
            }
        })
    }

    async fn logout(&self, visitor: &Visitor<'_>) -> Result<Response<Body>, LineError> {
        let asked = self.ask(request(Method::DELETE, "/v1/session", None), visitor);
        // The browser shall forget the session whatever becomes of it; it ends by itself where nobody uses it.
        let mut response = match asked.await {
            Ok(_) => reply::see_other("/login"),
            Err(_) => self.away(visitor),
        };
        let headers = response.headers_mut();
        headers.insert(header::SET_COOKIE, cookie::cleared());
        Ok(response)
    }

    async fn show_trial(
        &self,
        fault: Option<(StatusCode, Refusal)>,
        visitor: &Visitor<'_>,
    ) -> Result<Response<Body>, LineError> {
        let list = match self
            .said::<Vec<Generation>>("/v1/generations", visitor)
            .await?
        {
            Said::Yes(list) => list,
            Said::No(_, refusal) => return Ok(self.refused("/confirm", &refusal, visitor)),
        };
        let is_trial = |one: &&Generation| matches!(one.state, GenerationState::Trial { .. });
        let trial = list.iter().find(is_trial);
        let (status, fault) = fault_of(fault, visitor);
        let page = self.frame(visitor).confirm(trial, fault.as_ref());
        Ok(reply::html(status, page))
    }

    async fn confirm(
        &self,
        body: &[u8],
        visitor: &Visitor<'_>,
    ) -> Result<Response<Body>, LineError> {
        let choice = form::read::<form::Choice>(body).unwrap_or_default();
        let path = chosen(
            "/v1/confirm",
            form::Choice {
                trial: None,
                ..choice
            },
        );
        let words = visitor.language.words();
        Ok(match self.change(&path, visitor).await? {
            Said::Yes(done) => self.done(words.confirm, words.confirmed, &done, visitor),
            Said::No(status, refusal) => self.show_trial(Some((status, refusal)), visitor).await?,
        })
    }

    async fn show_choices(
        &self,
        fault: Option<(StatusCode, Refusal)>,
        visitor: &Visitor<'_>,
    ) -> Result<Response<Body>, LineError> {
        let mut list = match self
            .said::<Vec<Generation>>("/v1/generations", visitor)
            .await?
        {
            Said::Yes(list) => list,
            Said::No(_, refusal) => return Ok(self.refused("/rollback", &refusal, visitor)),
        };
        list.retain(|one| one.state == GenerationState::Kept);
        list.reverse();
        let (status, fault) = fault_of(fault, visitor);
        let page = self.frame(visitor).rollback(&list, fault.as_ref());
        Ok(reply::html(status, page))
    }

    async fn roll_back(
        &self,
        body: &[u8],
        visitor: &Visitor<'_>,
    ) -> Result<Response<Body>, LineError> {
        let choice = form::read::<form::Choice>(body).unwrap_or_default();
        let path = chosen("/v1/rollback", choice);
        let words = visitor.language.words();
        Ok(match self.change(&path, visitor).await? {
            Said::Yes(done) => self.done(words.rollback, words.rolled_back, &done, visitor),
            Said::No(status, refusal) => {
                self.show_choices(Some((status, refusal)), visitor).await?
            }
        })
    }

    fn done(
        &self,
        title: &str,
        text: &str,
        done: &Applied,
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let page = self
            .frame(visitor)
            .done(title, text, &done.generation, &done.notes);
        reply::html(StatusCode::OK, page)
    }

    /// Who has no session is shown the way to one; who may not, why.
    fn refused(&self, path: &str, refusal: &Refusal, visitor: &Visitor<'_>) -> Response<Body> {
        if refusal.kind == RefusalKind::Unauthorized {
            return reply::see_other(&format!("/login?then={path}"));
        }
        let words = visitor.language.words();
        let told = said::refusal(refusal, words.wrong_login, visitor.language);
        let page = self.frame(visitor).told("403", &told, ("/", words.home));
        reply::html(StatusCode::FORBIDDEN, page)
    }

    /// Begins a session; the cookie that carries it.
    async fn begin(
        &self,
        path: &str,
        asked: Value,
        visitor: &Visitor<'_>,
    ) -> Result<Said<http::HeaderValue>, LineError> {
        let answer = self
            .ask(request(Method::POST, path, Some(asked)), visitor)
            .await?;
        if !answer.status().is_success() {
            return no(answer).await;
        }
        let body = taken(answer.into_body(), LONGEST, PATIENCE).await;
        let begun = body.as_ref().and_then(started);
        begun
            .map(|(cookie, _)| Said::Yes(cookie))
            .ok_or(LineError::Answer)
    }

    async fn change(&self, path: &str, visitor: &Visitor<'_>) -> Result<Said<Applied>, LineError> {
        let answer = self.ask(request(Method::POST, path, None), visitor).await?;
        read(answer).await
    }

    async fn said<T: DeserializeOwned>(
        &self,
        path: &str,
        visitor: &Visitor<'_>,
    ) -> Result<Said<T>, LineError> {
        let answer = self.ask(request(Method::GET, path, None), visitor).await?;
        read(answer).await
    }

    /// What the control API says at `path`, where it is not refused to anybody.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        visitor: &Visitor<'_>,
    ) -> Result<T, LineError> {
        match self.said(path, visitor).await? {
            Said::Yes(what) => Ok(what),
            Said::No(..) => Err(LineError::Answer),
        }
    }
}

async fn read<T: DeserializeOwned>(answer: Response<Incoming>) -> Result<Said<T>, LineError> {
    if !answer.status().is_success() {
        return no(answer).await;
    }
    let body = taken(answer.into_body(), LONGEST, PATIENCE).await;
    let what = body.and_then(|body| serde_json::from_slice(&body).ok());
    what.map(Said::Yes).ok_or(LineError::Answer)
}

async fn no<T>(answer: Response<Incoming>) -> Result<Said<T>, LineError> {
    let status = answer.status();
    let body = taken(answer.into_body(), LONGEST, PATIENCE).await;
    let refusal = body.and_then(|body| serde_json::from_slice(&body).ok());
    refusal
        .map(|refusal| Said::No(status, refusal))
        .ok_or(LineError::Answer)
}

/// The status of a page that shows what went wrong, if something did, and how it is put.
fn fault_of(
    fault: Option<(StatusCode, Refusal)>,
    visitor: &Visitor<'_>,
) -> (StatusCode, Option<Told>) {
    let Some((status, refusal)) = fault else {
        return (StatusCode::OK, None);
    };
    let wrong = visitor.language.words().wrong_login;
    let told = said::refusal(&refusal, wrong, visitor.language);
    (status, Some(told))
}

/// The request that a choice stands for. A form without a number names generation 0, which there never is: what such a request means
/// depends on what is in force when it arrives.
fn chosen(path: &str, choice: form::Choice) -> String {
    match choice.trial {
        Some(number) => format!("{path}?trial={number}"),
        None => format!("{path}?generation={}", choice.generation.unwrap_or(0)),
    }
}

fn signed_in(path: &str, cookie: http::HeaderValue) -> Response<Body> {
    let mut response = reply::see_other(path);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
