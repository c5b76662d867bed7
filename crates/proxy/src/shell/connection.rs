//! A client that asks: a connection of HTTP/1, request by request, or one stream of HTTP/2. Every
//! request goes through all rules.

use crate::core::{Identity, Page, Reason, write_page, write_proof};
use crate::shell::alarm::Alarm;
use crate::shell::caps::Admitted;
use crate::shell::client::Client;
use crate::shell::lane::Lane;
use crate::shell::limits::{self, Limits};
use crate::shell::logins::{Check, Looked};
use crate::shell::presented::Presented;
use crate::shell::report::{Report, Told};
use crate::shell::request::{Place, Taken};
use crate::shell::worker::{Current, Slot, Worker};
use guard::entrance::Proof;
use proto::http::Malformed;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use tokio::time::Instant;

/// A client with what its requests need.
pub(crate) struct Connection<C> {
    pub(crate) worker: Rc<Worker>,
    pub(crate) slot: Rc<Slot>,
    pub(crate) client: C,
    pub(crate) identity: Rc<Identity>,
    pub(crate) admitted: Rc<Admitted>,
    /// The server name of the TLS hello.
    pub(crate) server_name: Option<Rc<str>>,
    /// The certificate that the client has shown, if it was asked for one.
    pub(crate) presented: Option<Rc<Presented>>,
    /// Those at the time it came in.
    pub(crate) limits: Rc<Limits>,
    /// From the client to a target.
    pub(crate) up: Lane,
    /// From a target to the client.
    pub(crate) down: Lane,
    pub(crate) alarm: Alarm,
    pub(crate) told: Told,
    /// What came of the look at the password of the request that is to be taken anew.
    pub(crate) looked: Option<(Proof, Looked)>,
}

/// How a connection goes on after a request.
pub(crate) enum Next {
    Again,
    /// Our direction ends cleanly; `linger` reads on for a while, lest the client's unread bytes
    /// turn into a reset that overtakes our answer.
    Close {
        linger: bool,
    },
    /// It is closed as it is: a response that was cut off must not end cleanly.
    Drop,
    /// As [`Next::Drop`], where only a reset tells the client.
    Reset,
}

/// How a client is told that it is refused.
struct Refusal<'a> {
    /// Where it can sign in.
    location: Option<&'a str>,
    head_only: bool,
    linger: bool,
    close: bool,
}

impl<C: Client> Connection<C> {
    pub(crate) fn new(
        worker: Rc<Worker>,
        slot: Rc<Slot>,
        client: C,
        identity: Rc<Identity>,
        admitted: Rc<Admitted>,
        server_name: Option<Rc<str>>,
        presented: Option<Rc<Presented>>,
    ) -> Self {
        let limits = worker.limits();
        Self {
            slot,
            client,
            identity,
            admitted,
            server_name,
            presented,
            up: Lane::default(),
            down: Lane::default(),
            alarm: Alarm::new(Instant::now() + limits.first_request),
            told: Told::default(),
            looked: None,
            limits,
            worker,
        }
    }

    pub(crate) async fn deal_with(&mut self, current: &Rc<Current>, taken: Taken) -> Next {
        match taken {
            // Whoever takes a request has its password looked at before.
            Taken::Incomplete | Taken::Check(_) => Next::Again,
            Taken::Refuse {
                reason,
                location,
                place,
                head_only,
                linger,
                keep,
            } => {
                let answer = Refusal {
                    location: location.as_deref(),
                    head_only,
                    linger,
                    close: !keep || self.worker.is_draining(),
                };
                self.refuse_and(current, place, &reason, answer).await
            }
            Taken::Redirect {
                status,
                location,
                place,
                head_only,
                keep,
            } => {
                let close = !keep || self.worker.is_draining();
                // A query may hold a password or a token, which no log is to keep.
                let told = location.split('?').next().unwrap_or_default();
                self.report(current, place)
                    .answered(status, &format!("redirect to {told}"));
                let page = Page {
                    status,
                    location: Some(&location),
                    challenge: None,
                    retry_after: None,
                    close,
                    head_only,
                    date: &self.worker.date(),
                };
                match self.send_page(&page).await {
                    true if !close => Next::Again,
                    true => Next::Close { linger: !keep },
                    false => Next::Drop,
                }
            }
            Taken::Proof {
                text,
                head_only,
                keep,
            } => self.prove(current, &text, head_only, keep).await,
            Taken::Forward(plan, place, asked) => self.forward(current, plan, place, asked).await,
        }
    }

    pub(crate) fn is_banned(&self) -> bool {
        let bans = &self.worker.shared.context.bans;
        bans.contains(self.identity.address())
    }

    /// Has the password of a request looked at; that is to be taken anew then.
    pub(crate) async fn look_at(&mut self, check: Box<Check>) {
        let (proof, client) = (check.proof, self.identity.address());
        let looked = self.worker.shared.logins.look_at(*check, client).await;
        self.looked = Some((proof, looked));
    }

    /// Answers a request with a page that says no more than the status, and ends the connection.
    pub(crate) async fn refuse(
        &mut self,
        current: &Rc<Current>,
        place: Place,
        reason: &Reason,
        head_only: bool,
        linger: bool,
    ) -> Next {
        let answer = Refusal {
            location: None,
            head_only,
            linger,
            close: true,
        };
        self.refuse_and(current, place, reason, answer).await
    }

    async fn refuse_and(
        &mut self,
        current: &Rc<Current>,
        place: Place,
        reason: &Reason,
        answer: Refusal<'_>,
    ) -> Next {
        let Refusal {
            location,
            head_only,
            linger,
            close,
        } = answer;
        // Who hung up or speaks TLS can not read a page.
        let unreadable = matches!(
            reason,
            Reason::ClientGone | Reason::Malformed(Malformed::TlsOnPlainPort)
        );
        let status = (!unreadable).then(|| reason.status());
        self.report(current, place).rejected(reason, status);
        let Some(status) = status else {
            return Next::Drop;
        };
        let challenge = reason.challenge();
        let page = Page {
            status,
            location,
            challenge: challenge.as_deref(),
            retry_after: reason.retry_after(),
            close,
            head_only,
            date: &self.worker.date(),
        };
        match self.send_page(&page).await {
            true if !close => Next::Again,
            true => Next::Close { linger },
            false => Next::Drop,
        }
    }

    /// Shows a certificate authority the proof it has asked for.
    async fn prove(
        &mut self,
        current: &Rc<Current>,
        text: &str,
        head_only: bool,
        keep: bool,
    ) -> Next {
        self.report(current, Place::default())
            .answered(200, "proof for a certificate authority");
        let close = !keep || self.worker.is_draining();
        let date = self.worker.date();
        let body = write_proof(self.down.prepare(), text, head_only, close, &date);
        match self.send_whole(body).await {
            true if !close => Next::Again,
            true => Next::Close { linger: !keep },
            false => Next::Drop,
        }
    }

    /// Sends a page of our own.
    async fn send_page(&mut self, page: &Page<'_>) -> bool {
        let body = write_page(self.down.prepare(), page);
        self.send_whole(body).await
    }

    /// Sends a whole response of our own that was written, with a body of that length, behind interim ones of a
    /// target that may still wait.
    async fn send_whole(&mut self, body: u64) -> bool {
        self.alarm.set(Instant::now() + limits::LINGER);
        if self
            .down
            .hand_over_head(&mut self.client, Some(body))
            .is_err()
        {
            return false;
        }
        poll_fn(|cx| {
            let sent = self.down.poll_drain(cx, &mut self.client, &mut false);
            if let Poll::Ready(sent) = sent {
                return Poll::Ready(sent.is_ok());
            }
            self.alarm.poll(cx).map(|()| false)
        })
        .await
    }

    pub(crate) fn report<'a>(&'a self, current: &'a Rc<Current>, place: Place) -> Report<'a> {
        Report {
            shared: &self.worker.shared,
            current,
            identity: &self.identity,
            told: &self.told,
            host: place.host,
            line: place.line,
        }
    }
}
