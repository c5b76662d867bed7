//! Connections of browsers, as the proxy hands them over, and the way of each request.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use config::{Access, Config, Sso};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use service::{Context, Event};
use tokio::net::UnixStream;
use tokio::task::spawn_local;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::arrival::{Arrival, Stranger};
use super::lasting::Lasting;
use super::lists::Lists;
use super::reply::{self, Body};
use crate::core::form::{self, Form};
use crate::core::page::{self, Sentence};
use crate::directory::{Directory, Supplies};

/// For the head of a request, and for its body.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a request's head; the proxy has looked at it already.
const LONGEST_HEAD: usize = 128 * 1024;

/// The login pages of all hosts. Shared by all who serve.
pub struct SignIn {
    lists: Lists,
    lasting: Arc<Lasting>,
}

impl SignIn {
    /// The pages for `config`, with what the directories need. What `earlier` knows goes on: forms that are open, and failures that
    /// are remembered. A list whose directory can not be used lets nobody sign in, which the operator is told.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new(
        config: &Config,
        supplies: &Supplies,
        context: &Context,
        earlier: Option<&Self>,
    ) -> Result<Self, getrandom::Error> {
        let own_name = config.own_name();
        Self::made(config, context, earlier, |_, sso| {
            Directory::new(sso, &own_name, supplies)
        })
    }

    pub(crate) fn made(
        config: &Config,
        context: &Context,
        earlier: Option<&Self>,
        mut directory: impl FnMut(&Access, &Sso) -> Result<Directory, String>,
    ) -> Result<Self, getrandom::Error> {
        let lasting = match earlier {
            Some(earlier) => Arc::clone(&earlier.lasting),
            None => Arc::new(Lasting::new(context.clone())?),
        };
        let lists = Lists::new(config, |access, sso| {
            let made = directory(access, sso);
            if let Err(why) = &made {
                let name = &access.name;
                context.events.send(Event::Notice {
                    service: "signin".into(),
                    text: format!("access `{name}`: {why}; nobody can sign in there"),
                });
            }
            made
        });
        Ok(Self { lists, lasting })
    }

    /// Serves one connection to its end, within a `LocalSet`. What comes over it is believed to come from the proxy: who the client is, and which host
    /// was asked for over TLS.
    pub async fn serve(self: Arc<Self>, stream: UnixStream) {
        let service = service_fn(move |request| {
            let pages = Arc::clone(&self);
            // By a task of its own: who hangs up before he is told what came of his guess has made it all the same.
            let answer = spawn_local(async move { pages.answer(request).await });
            async move {
                let broken = |_| reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
                Ok::<_, Infallible>(answer.await.unwrap_or_else(broken))
            }
        });
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(LONGEST_HEAD);
        // What breaks here is the proxy's connection, which tells of it itself.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Some(arrival) = Arrival::read(&head.headers, &self.lists, &self.lasting) else {
            return reply::empty(StatusCode::BAD_REQUEST);
        };
        if arrival.lists.is_empty() {
            return arrival.sentence(StatusCode::NOT_FOUND, Sentence::NoPage);
        }
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let query = head.uri.query();
        match head.uri.path() {
            page::OWN | page::LOGOUT if reads => arrival.account(None),
            page::LOGIN if reads => arrival.show_login(&form::asked(query)).await,
            page::CALLBACK if reads => arrival.come_back(query).await,
            page::BACK_CHANNEL if head.method == Method::POST => match taken(body).await {
                Some(form) => arrival.provider_ended(&form).await,
                None => arrival.sentence(StatusCode::BAD_REQUEST, Sentence::Unreadable),
            },
            page::CODE if reads => reply::see_other(page::LOGIN),
            page::LOGIN | page::CODE | page::LOGOUT if head.method == Method::POST => {
                let Some(form) = taken(body).await else {
                    return arrival.sentence(StatusCode::BAD_REQUEST, Sentence::Unreadable);
                };
                match (head.uri.path(), arrival.sender(&form)) {
                    (_, Err(Stranger::Foreign)) => {
                        arrival.sentence(StatusCode::FORBIDDEN, Sentence::Foreign)
                    }
                    (page::LOGOUT, Ok(_)) => arrival.sign_out().await,
                    (page::LOGOUT, Err(Stranger::Unmarked)) => arrival.account(None),
                    (_, Err(Stranger::Unmarked)) => arrival.once_more(&form),
                    (page::LOGIN, Ok(browser)) => arrival.take_login(&form, browser).await,
                    (_, Ok(browser)) => arrival.take_code(&form, browser).await,
                }
            }
            page::OWN | page::LOGIN | page::CODE | page::LOGOUT => {
                arrival.sentence(StatusCode::METHOD_NOT_ALLOWED, Sentence::Method)
            }
            _ => arrival.sentence(StatusCode::NOT_FOUND, Sentence::NoPage),
        }
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn(..)")
    }
}

/// The form in a body; none: it is too long, comes too slowly, or is none.
async fn taken(body: Incoming) -> Option<Form> {
    let whole = Limited::new(body, form::LONGEST).collect();
    let whole = timeout(PATIENCE, whole).await.ok()?.ok()?;
    let whole = Zeroizing::new(whole.to_bytes().to_vec());
    Form::read(&whole)
}
