//! The course of one order, from wherever it stands to its chain (RFC 8555 section 7.4).

use super::client::Client;
use super::http::Answer;
use super::order::{Blame, Failure, News, Order, Step};
use super::problem::{Fault, Refusal, unreachable};
use super::proofs::Proofs;
use super::shape::{Authorization, Challenge, OrderSeen, Status, identifiers, read};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// No certificate has more names.
const AUTHORIZATIONS: usize = 100;
/// How soon the CA is asked again that does not say when.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest pause between two questions, whatever the CA says: a proof lies out meanwhile.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How long the CA may look at proofs, or make a certificate.
const PATIENCE: Duration = Duration::from_mins(5);

/// One order on its way.
pub(super) struct Course<'a> {
    pub(super) order: &'a Order,
    pub(super) client: Client,
    pub(super) news: &'a mpsc::Sender<News>,
}

/// An order of ours with the CA.
struct Standing {
    url: String,
    seen: OrderSeen,
}

impl Course<'_> {
    /// Carries the order out and gives the chain; proofs that it lays out stay in `proofs`.
    ///
    /// # Errors
    /// Whoever the failure blames.
    pub(super) async fn run(mut self, proofs: &mut Proofs<'_>) -> Result<String, Failure> {
        if !self.client.is_known() {
            self.register().await?;
        }
        self.step(Step::Order).await;
        let mut standing = match self.begun().await? {
            Some(standing) => standing,
            None => self.begin().await?,
        };
        let mut proven = false;
        let mut finalized = false;
        loop {
            match standing.seen.status {
                Status::Pending if !proven => {
                    self.step(Step::Proofs).await;
                    self.prove(&standing, proofs).await?;
                    proven = true;
                    standing = self.look_again(standing, Status::Pending).await?;
                }
                Status::Ready if !finalized => {
                    proofs.clear().await;
                    self.step(Step::Issuance).await;
                    self.finalize(&standing).await?;
                    finalized = true;
                    standing = self.look_again(standing, Status::Ready).await?;
                }
                Status::Processing => {
                    standing = self.look_again(standing, Status::Processing).await?;
                }
                Status::Valid => return self.download(&standing).await,
                Status::Invalid => return Err(dead(&standing.seen)),
                Status::Pending | Status::Ready | Status::Other => {
                    return Err(unreachable(
                        "the CA has left the order where it was, though all that it asks for is done",
                    ));
                }
            }
        }
    }

    async fn register(&mut self) -> Result<(), Failure> {
        let url = self.client.register().await?;
        let directory = self.order.authority.directory.clone();
        self.tell(News::Account { directory, url }).await;
        Ok(())
    }

    /// The order that was begun before, if it is still of use.
    async fn begun(&mut self) -> Result<Option<Standing>, Failure> {
        let Some(url) = &self.order.begun else {
            return Ok(None);
        };
        let answer = match self.client.post(url, None).await {
            Ok(answer) => answer,
            Err(Fault::Refused(refusal)) if refusal.is_passing() => {
                return Err(refusal.failure("the order"));
            }
            // It has forgotten it, or us.
            Err(Fault::Refused(_)) => return Ok(None),
            Err(Fault::Other(failure)) => return Err(failure),
        };
        let seen: OrderSeen = read(&answer.body, "order")?;
        let usable = seen.status != Status::Invalid && seen.is_for(&self.order.names);
        let url = url.clone();
        Ok(usable.then_some(Standing { url, seen }))
    }

    async fn begin(&mut self) -> Result<Standing, Failure> {
        let mut asked = json!({ "identifiers": identifiers(&self.order.names) });
        if let Some(replaces) = &self.order.replaces
            && self.client.directory.renewal_info.is_some()
        {
            asked["replaces"] = json!(replaces);
        }
        let answer = self.new_order(asked).await;
        let answer = answer.map_err(|fault| fault.failure("the order"))?;
        let seen: OrderSeen = read(&answer.body, "order")?;
        let url = answer.location.ok_or_else(|| {
            unreachable("the CA does not say what it calls the order (RFC 8555 section 7.4)")
        })?;
        let id = self.order.id;
        self.tell(News::Begun {
            id,
            url: url.clone(),
        })
        .await;
        Ok(Standing { url, seen })
    }

    /// Orders, and does without what the CA does not take: an account it has forgotten, and the word that another
    /// certificate is replaced.
    async fn new_order(&mut self, mut asked: Value) -> Result<Answer, Fault> {
        let url = self.client.directory.new_order.clone();
        let mut registered = false;
        loop {
            let refusal = match self.client.post(&url, Some(&asked)).await {
                Err(Fault::Refused(refusal)) => refusal,
                other => return other,
            };
            if refusal.doubts_account() && !registered {
                self.client.forget();
                self.register().await?;
                registered = true;
            } else if refusal.is_passing()
                || asked
                    .as_object_mut()
                    .and_then(|a| a.remove("replaces"))
                    .is_none()
            {
                return Err(Fault::Refused(refusal));
            }
        }
    }

    /// Lays out a proof for each name, has the CA look, and waits for what it finds.
    async fn prove(&mut self, standing: &Standing, proofs: &mut Proofs<'_>) -> Result<(), Failure> {
        let urls = &standing.seen.authorizations;
        if urls.len() > AUTHORIZATIONS {
            return Err(unreachable(format!(
                "the CA wants more than {AUTHORIZATIONS} proofs for one certificate"
            )));
        }
        let mut open = Vec::new();
        for url in urls {
            let (seen, _) = self.authorization(url).await?;
            match seen.status {
                Status::Valid => {}
                Status::Pending => open.push((url, seen)),
                _ => return Err(seen.failure(&self.order.proof)),
            }
        }
        // Whoever could choose the name could have records written wherever the key of the name server reaches.
        if let Some((_, other)) = open.iter().find(|(_, seen)| !seen.is_of(&self.order.names)) {
            return Err(unreachable(format!(
                "the CA wants a proof of {}, which was not ordered",
                other.name()
            )));
        }
        let mut chosen: Vec<Challenge> = Vec::new();
        for (_, seen) in &open {
            let challenge = seen.challenge(&self.order.proof)?.clone();
            let authorization = self.client.key.authorization(&challenge.token);
            proofs
                .lay_out(&seen.name(), &challenge.token, &authorization)
                .await?;
            chosen.push(challenge);
        }
        let id = self.order.id;
        let note = async |text| self.tell(News::Note { id, text }).await;
        let remark = proofs.settle(note).await?;
        for challenge in chosen {
            if challenge.status == Status::Pending {
                let told = self.client.post(&challenge.url, Some(&json!({}))).await;
                told.map_err(|fault| fault.failure("to look for the proof"))?;
            }
        }
        for (url, _) in open {
            let seen = self.wait_for_authorization(url).await;
            seen.map_err(|failure| failure.because(remark.as_deref()))?;
        }
        Ok(())
    }

    async fn wait_for_authorization(&mut self, url: &str) -> Result<(), Failure> {
        let mut pause = Pause::new();
        loop {
            let (seen, wait) = self.authorization(url).await?;
            match seen.status {
                Status::Valid => return Ok(()),
                Status::Pending | Status::Processing => {}
                _ => return Err(seen.failure(&self.order.proof)),
            }
            if !pause.take(wait).await {
                return Err(unreachable(format!(
                    "the CA has not said within {} minutes whether it found the proof of {}",
                    PATIENCE.as_secs() / 60,
                    seen.name()
                )));
            }
        }
    }

    async fn authorization(&mut self, url: &str) -> Result<(Authorization, Option<u64>), Failure> {
        let answer = self.client.post(url, None).await;
        let answer = answer.map_err(|fault| fault.failure("the authorization"))?;
        Ok((read(&answer.body, "authorization")?, answer.retry_after))
    }

    async fn finalize(&mut self, standing: &Standing) -> Result<(), Failure> {
        let request = BASE64URL_NOPAD.encode(&self.order.request);
        let asked = json!({ "csr": request });
        let answer = self
            .client
            .post(&standing.seen.finalize, Some(&asked))
            .await;
        match answer {
            Ok(_) => Ok(()),
            // It was asked before, and that was not heard of.
            Err(Fault::Refused(refusal)) if refusal.problem.is("orderNotReady") => Ok(()),
            Err(fault) => Err(fault.failure("the certificate request")),
        }
    }

    /// Waits until the order is no longer at `from`.
    async fn look_again(&mut self, standing: Standing, from: Status) -> Result<Standing, Failure> {
        let mut pause = Pause::new();
        loop {
            let answer = self.client.post(&standing.url, None).await;
            let answer = answer.map_err(|fault| fault.failure("the order"))?;
            let seen: OrderSeen = read(&answer.body, "order")?;
            if seen.status != from || !pause.take(answer.retry_after).await {
                let url = standing.url;
                return match seen.status {
                    Status::Processing if from == Status::Processing => Err(unreachable(format!(
                        "the CA has not made the certificate within {} minutes",
                        PATIENCE.as_secs() / 60
                    ))),
                    _ => Ok(Standing { url, seen }),
                };
            }
        }
    }

    async fn download(&mut self, standing: &Standing) -> Result<String, Failure> {
        let Some(url) = &standing.seen.certificate else {
            return Err(unreachable("the CA does not say where the certificate is"));
        };
        let answer = self.client.post(url, None).await;
        let answer = answer.map_err(|fault| fault.failure("to give out the certificate"))?;
        let chain = String::from_utf8(answer.body).ok();
        chain
            .filter(|text| text.is_ascii() && text.contains("-----BEGIN CERTIFICATE-----"))
            .ok_or_else(|| unreachable("what the CA gives out for a certificate is none"))
    }

    async fn step(&self, step: Step) {
        let id = self.order.id;
        self.tell(News::Step { id, step }).await;
    }

    async fn tell(&self, news: News) {
        // Without anybody who listens the order is soon given up.
        let _ = self.news.send(news).await;
    }
}

impl Failure {
    /// Adds to the failure of a proof what may be the reason.
    fn because(mut self, remark: Option<&str>) -> Self {
        if let (Blame::Proof, Some(remark)) = (self.blame, remark) {
            self.text = format!("{}; {remark}", self.text);
        }
        self
    }
}

impl Refusal {
    /// Whether the CA may know no account by the name that we gave.
    fn doubts_account(&self) -> bool {
        let problem = |kind| self.problem.is(kind);
        problem("accountDoesNotExist") || problem("unauthorized") || problem("malformed")
    }

    /// Whether it says nothing of what was asked for, only of the moment.
    fn is_passing(&self) -> bool {
        self.status >= 500
            || self.status == 429
            || self.problem.is("rateLimited")
            || self.problem.is("serverInternal")
            || self.problem.is("badNonce")
    }
}

/// Why an order has failed at the CA.
fn dead(seen: &OrderSeen) -> Failure {
    let refusal = Refusal {
        status: 403,
        problem: seen.error.clone().unwrap_or_default(),
        retry_after: None,
    };
    refusal.failure("the order")
}

/// The pauses between questions, ever longer, until patience ends.
struct Pause {
    next: Duration,
    until: Instant,
}

impl Pause {
    fn new() -> Self {
        Self {
            next: FIRST_WAIT,
            until: Instant::now() + PATIENCE,
        }
    }

    /// Waits, as long as the CA wants if it says so; `false` when it has been long enough.
    async fn take(&mut self, wanted: Option<u64>) -> bool {
        let pause = wanted.map_or(self.next, Duration::from_secs);
        let pause = pause.clamp(FIRST_WAIT, LONGEST_WAIT);
        self.next = (self.next * 3 / 2).min(LONGEST_WAIT);
        if Instant::now() + pause > self.until {
            return false;
        }
        sleep(pause).await;
        true
    }
}
