//! An operator who has signed in to the admin pages, as far as curl can be one.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::curl::{Answer, Curl};
use crate::{Gatehouse, Lab, Place};

/// What a browser with a session sends, from a place in the lab.
pub struct Operator<'lab> {
    lab: &'lab Lab,
    place: Place,
    /// `https://ADDRESS:PORT`.
    pages: String,
    cookie: String,
}

impl<'lab> Operator<'lab> {
    /// Takes a new box into use as `user`.
    ///
    /// # Errors
    /// The box shows no code, or does not take it.
    pub fn claim(
        gate: &Gatehouse<'lab>,
        lab: &'lab Lab,
        pages: &str,
        user: &str,
        password: &str,
    ) -> Result<Self> {
        let code = gate.json(&["claim"])?;
        let code = code["code"].as_str().context("no claim code")?.to_owned();
        let fields = [
            ("code", code.as_str()),
            ("user", user),
            ("password", password),
            ("again", password),
        ];
        Self::by_form(lab, Place::Lan, pages, "/claim", &fields)
    }

    /// Signs in.
    ///
    /// # Errors
    /// The pages do not let this user in; what they say is in the message.
    pub fn login(lab: &'lab Lab, pages: &str, user: &str, password: &str) -> Result<Self> {
        let fields = [("user", user), ("password", password)];
        Self::by_form(lab, Place::Lan, pages, "/login", &fields)
    }

    fn by_form(
        lab: &'lab Lab,
        place: Place,
        pages: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Self> {
        let answer = form(pages, path, fields).run(lab, place)?;
        ensure!(answer.status == 303, "{path}: {answer:?}");
        let cookie = answer.header("set-cookie");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        ensure!(cookie.starts_with("__Host-"), "{answer:?}");
        Ok(Self {
            lab,
            place,
            pages: pages.to_owned(),
            cookie,
        })
    }

    /// The same session at another address of the pages.
    #[must_use]
    pub fn at(&self, pages: &str) -> Self {
        Self {
            pages: pages.to_owned(),
            cookie: self.cookie.clone(),
            ..*self
        }
    }

    /// What only this browser and the supervisor know.
    pub fn token(&self) -> &str {
        self.cookie.split_once('=').map_or("", |(_, token)| token)
    }

    /// The value of the `Cookie` header.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Asks the API at `path`, such as `/v1/status`.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let url = format!("{}/api{path}", self.pages);
        let (origin, cookie) = (
            format!("Origin: {}", self.pages),
            format!("Cookie: {}", self.cookie),
        );
        let text = body.map(Value::to_string);
        let mut curl = Curl::new(&url)
            .with(&["--insecure", "--request", method])
            .header(&origin)
            .header(&cookie)
            .header("Content-Type: application/json");
        if let Some(text) = &text {
            curl = curl.with(&["--data-raw", text]);
        }
        curl.run(self.lab, self.place)
    }

    /// The same for a request that must succeed; what it says.
    ///
    /// # Errors
    /// It is refused.
    pub fn ok(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.ask(method, path, body)?;
        ensure!(answer.status == 200, "{method} {path}: {answer:?}");
        serde_json::from_str(&answer.body).with_context(|| answer.body.clone())
    }
}

/// A form of the pages without script, as a browser sends it.
pub fn form(pages: &str, path: &str, fields: &[(&str, &str)]) -> Curl {
    let mut curl = Curl::new(&format!("{pages}{path}"))
        .with(&["--insecure"])
        .header(&format!("Origin: {pages}"))
        .header("Sec-Fetch-Site: same-origin");
    for (name, value) in fields {
        curl = curl.with(&["--data-urlencode", &format!("{name}={value}")]);
    }
    curl
}
