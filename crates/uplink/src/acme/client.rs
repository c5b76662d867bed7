//! A CA as an account sees it: signed requests with fresh nonces, and who we are there.

use super::http::{Answer, Http};
use super::jws::{Key, Signer};
use super::order::{Account, Authority, Failure, Window};
use super::problem::{Fault, Problem, Refusal, unreachable, unwanted};
use super::shape::{Directory, read, window};
use http::Method;
use net::resolve::Names;
use serde_json::{Value, json};

/// How often in a row the CA may refuse a nonce. One that refuses every fifth without a reason does so this often
/// once in ten million times.
const NONCES: usize = 10;
/// What the RFC requires, and what it says (RFC 8555 section 7.3.1): 200 for an account that was there.
const CREATED: std::ops::RangeInclusive<u16> = 200..=201;

/// A CA and our account there.
pub(super) struct Client {
    http: Http,
    pub(super) directory: Directory,
    pub(super) key: Key,
    account: Account,
    nonce: Option<String>,
}

impl Client {
    /// Asks the CA what it offers.
    ///
    /// # Errors
    /// The CA's, when it can not be reached; ours, when key or roots are unfit.
    pub(super) async fn new(authority: &Authority, names: &Names) -> Result<Self, Failure> {
        let key = Key::of(&authority.account)?;
        let http = Http::new(authority.roots.as_deref(), names)?;
        let directory = directory(&http, &authority.directory).await?;
        Ok(Self {
            http,
            directory,
            key,
            account: authority.account.clone(),
            nonce: None,
        })
    }

    /// Whether the CA has told what it calls our account.
    pub(super) fn is_known(&self) -> bool {
        self.account.url.is_some()
    }

    /// Forgets what the CA called our account; it knows none of that name.
    pub(super) fn forget(&mut self) {
        self.account.url = None;
    }

    /// Makes the account, or finds that of this key; gives its address.
    ///
    /// # Errors
    /// The CA's: it does not want us.
    pub(super) async fn register(&mut self) -> Result<String, Failure> {
        let url = self.directory.new_account.clone();
        let mut asked = json!({ "termsOfServiceAgreed": true });
        if !self.account.contact.is_empty() {
            asked["contact"] = json!(self.account.contact);
        }
        match &self.account.external {
            Some(external) => {
                asked["externalAccountBinding"] = self.key.bind(external, &url)?;
            }
            None if self.directory.meta.external_account_required => {
                return Err(unwanted(
                    "the CA takes only those who have an account with it already; give the key identifier and \
                     MAC key that it shows there as the external account",
                ));
            }
            None => {}
        }
        let answer = self.signed(&Signer::Key, &url, Some(&asked)).await;
        let answer = answer.map_err(|fault| fault.failure("the account"))?;
        let place = answer.location.filter(|_| CREATED.contains(&answer.status));
        let place = place.ok_or_else(|| {
            unreachable("the CA does not say what it calls the account (RFC 8555 section 7.3)")
        })?;
        self.account.url = Some(place.clone());
        Ok(place)
    }

    /// Sends `payload` to `url`, or only asks for it, as our account.
    ///
    /// # Errors
    /// The CA's: it refuses, or can not be reached.
    pub(super) async fn post(
        &mut self,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Answer, Fault> {
        let account = self.account.url.clone();
        let signer = match &account {
            Some(address) => Signer::Account(address),
            None => Signer::Key,
        };
        self.signed(&signer, url, payload).await
    }

    async fn signed(
        &mut self,
        signer: &Signer<'_>,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Answer, Fault> {
        let mut left = NONCES;
        loop {
            let nonce = self.nonce().await?;
            let body = self.key.sign(signer, &nonce, url, payload)?;
            let mut answer = self.http.ask(Method::POST, url, Some(body)).await?;
            self.nonce = answer.nonce.take();
            if (200..300).contains(&answer.status) {
                return Ok(answer);
            }
            let refusal = refusal(&answer);
            left -= 1;
            if !refusal.problem.is("badNonce") || left == 0 {
                return Err(Fault::Refused(refusal));
            }
        }
    }

    /// The nonce of the last answer, or a new one.
    async fn nonce(&mut self) -> Result<String, Failure> {
        if let Some(nonce) = self.nonce.take() {
            return Ok(nonce);
        }
        let asked = self.http.ask(Method::HEAD, &self.directory.new_nonce, None);
        let answer = asked.await?;
        answer.nonce.ok_or_else(|| Failure {
            retry_after: answer.retry_after,
            ..unreachable(format!(
                "the CA gives no nonce (status {}; RFC 8555 section 7.2)",
                answer.status
            ))
        })
    }
}

/// Asks a CA when it wants a certificate renewed (RFC 9773 section 4.1).
///
/// # Errors
/// The CA's: it can not be reached, does not know the certificate, or offers no such service.
pub(super) async fn renewal(
    directory_url: &str,
    roots: Option<&str>,
    certificate: &str,
    names: &Names,
) -> Result<Window, Failure> {
    let http = Http::new(roots, names)?;
    let directory = directory(&http, directory_url).await?;
    let Some(place) = directory.renewal_info else {
        return Err(unwanted(
            "the CA does not say when it wants certificates renewed",
        ));
    };
    let url = format!("{}/{certificate}", place.trim_end_matches('/'));
    let answer = http.ask(Method::GET, &url, None).await?;
    if answer.status != 200 {
        return Err(refusal(&answer).failure("the renewal information"));
    }
    window(&answer.body, answer.retry_after)
}

async fn directory(http: &Http, url: &str) -> Result<Directory, Failure> {
    let answer = http.ask(Method::GET, url, None).await?;
    if answer.status != 200 {
        return Err(refusal(&answer).failure("its directory; is the address right?"));
    }
    read(&answer.body, "directory")
}

fn refusal(answer: &Answer) -> Refusal {
    Refusal {
        status: answer.status,
        problem: Problem::read(&answer.body),
        retry_after: answer.retry_after,
    }
}
