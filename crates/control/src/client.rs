//! The other end of the socket.

mod certificates;
mod entrance;
mod operators;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::api::{
    BanQuery, DiffQuery, ExplainQuery, GenerationQuery, HistoryQuery, RollbackQuery, SecretQuery,
};
use crate::{
    Applied, Apply, Ban, Checked, Cleared, ConfigText, Derived, Diff, Draft, ExplainShown,
    Explanation, Generation, History, Host, LogQuery, MachineOrder, Network, NewBan, Ordered,
    Record, Refusal, Rollback, Secret, Status, ZoneChange,
};

/// How long an answer may take; a reload opens listeners and starts processes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes of an answer: metrics and a full list of bans are some megabytes.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Bytes of one record of the log.
const LONGEST_RECORD: usize = 1024 * 1024;

/// Speaks to the box whose socket is at a path; each request is a connection of its own.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// Why the box did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket, or there is none.
    #[error("no running Gatehouse at {}; start it with `gatehouse run`, or name its state directory with --state", .0.display())]
    NotRunning(PathBuf),
    /// The socket belongs to another user.
    #[error("not allowed to open {}; run this as root, or as the user that runs Gatehouse", .0.display())]
    Forbidden(PathBuf),
    /// The box says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The box did not answer in time.
    #[error("the box did not answer within {} seconds", PATIENCE.as_secs())]
    Silent,
    /// What came back is not what was asked for; the program and the box may differ in version.
    #[error("the box answered in a way that is not understood: {0}")]
    Protocol(String),
    /// The connection failed.
    #[error("the connection to the box failed: {0}")]
    Connection(String),
}

impl Client {
    /// A client of the box whose socket is at `socket`, after one connection to see that it is there.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`], [`ClientError::Forbidden`].
    pub async fn connect(socket: &Path) -> Result<Self, ClientError> {
        let client = Self {
            socket: socket.to_owned(),
        };
        client.open().await?;
        Ok(client)
    }

    /// How the box is.
    ///
    /// # Errors
    /// Every method: [`ClientError`].
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.ask(Method::GET, "/v1/status", &()).await
    }

    /// All instruments, Prometheus text.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let body = self.fetch(Method::GET, "/v1/metrics", &(), None).await?;
        String::from_utf8(body.to_vec()).map_err(|error| ClientError::Protocol(error.to_string()))
    }

    /// Who is banned now.
    pub async fn bans(&self) -> Result<Vec<Ban>, ClientError> {
        self.ask(Method::GET, "/v1/bans", &()).await
    }

    /// Bans a client by hand.
    pub async fn ban(&self, ban: &NewBan) -> Result<Ban, ClientError> {
        self.tell(Method::POST, "/v1/bans", ban).await
    }

    /// What follows from the configuration in force.
    pub async fn derived(&self) -> Result<Derived, ClientError> {
        self.ask(Method::GET, "/v1/derived", &()).await
    }

    /// The hosts that are published.
    pub async fn hosts(&self) -> Result<Vec<Host>, ClientError> {
        self.ask(Method::GET, "/v1/hosts", &()).await
    }

    /// How the box did for the last so many seconds; none given: for an hour.
    pub async fn history(&self, seconds: Option<u32>) -> Result<History, ClientError> {
        let query = HistoryQuery { seconds };
        self.ask(Method::GET, "/v1/history", &query).await
    }

    /// Lifts the ban of one address, or all bans.
    pub async fn clear_ban(&self, client: Option<IpAddr>) -> Result<Cleared, ClientError> {
        let query = BanQuery { client };
        self.ask(Method::DELETE, "/v1/bans", &query).await
    }

    /// Has the box read its configuration file anew.
    pub async fn reload(&self) -> Result<Applied, ClientError> {
        self.ask(Method::POST, "/v1/reload", &()).await
    }

    /// Keeps the generation that is on trial; where one is given, only that one.
    pub async fn confirm(&self, generation: Option<u32>) -> Result<Applied, ClientError> {
        let query = GenerationQuery { generation };
        self.ask(Method::POST, "/v1/confirm", &query).await
    }

    /// Gives up a trial, or puts an older generation into force.
    pub async fn rollback(&self, way: Rollback) -> Result<Applied, ClientError> {
        let query = RollbackQuery::from(way);
        self.ask(Method::POST, "/v1/rollback", &query).await
    }

    /// All generations that are kept, oldest first.
    pub async fn generations(&self) -> Result<Vec<Generation>, ClientError> {
        self.ask(Method::GET, "/v1/generations", &()).await
    }

    /// The text of a generation; none given: the one in force.
    pub async fn config_text(&self, generation: Option<u32>) -> Result<ConfigText, ClientError> {
        let query = GenerationQuery { generation };
        self.ask(Method::GET, "/v1/config", &query).await
    }

    /// How generation `to` differs from an older one; none given: the one in force from the one before.
    pub async fn diff(&self, from: Option<u32>, to: Option<u32>) -> Result<Diff, ClientError> {
        let query = DiffQuery {
            from,
            to,
            generation: None,
        };
        self.ask(Method::GET, "/v1/diff", &query).await
    }

    /// What there is to say of a text that could become the configuration; changes nothing.
    pub async fn check(&self, draft: &Draft) -> Result<Checked, ClientError> {
        self.tell(Method::POST, "/v1/check", draft).await
    }

    /// Puts a text into force.
    pub async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError> {
        self.tell(Method::POST, "/v1/apply", apply).await
    }

    /// The names of the secrets in the store.
    pub async fn secrets(&self) -> Result<Vec<String>, ClientError> {
        self.ask(Method::GET, "/v1/secrets", &()).await
    }

    /// Stores a secret, in place of one of the same name.
    pub async fn set_secret(&self, secret: &Secret) -> Result<(), ClientError> {
        self.tell(Method::PUT, "/v1/secrets", secret).await
    }

    /// Forgets a secret.
    pub async fn remove_secret(&self, name: &str) -> Result<(), ClientError> {
        let query = SecretQuery {
            name: name.to_owned(),
        };
        self.ask(Method::DELETE, "/v1/secrets", &query).await
    }

    /// The networks of the box.
    pub async fn network(&self) -> Result<Network, ClientError> {
        self.ask(Method::GET, "/v1/network", &()).await
    }

    /// Puts a configuration into force that differs in the address of one zone.
    pub async fn set_zone(&self, change: &ZoneChange) -> Result<Applied, ClientError> {
        self.tell(Method::POST, "/v1/network", change).await
    }

    /// Has the box as a whole do something.
    pub async fn order(&self, order: MachineOrder) -> Result<Ordered, ClientError> {
        self.tell(Method::POST, "/v1/machine", &order).await
    }

    /// What would happen to a request for `url`.
    pub async fn explain(
        &self,
        url: &str,
        from: Option<IpAddr>,
    ) -> Result<Explanation, ClientError> {
        let query = ExplainQuery {
            url: url.to_owned(),
            from,
        };
        self.ask(Method::GET, "/v1/explain", &query).await
    }

    /// The same for a client that shows a certificate.
    pub async fn explain_shown(&self, asked: &ExplainShown) -> Result<Explanation, ClientError> {
        self.tell(Method::POST, "/v1/explain", asked).await
    }

    /// The records of the log that `query` wants, as they come.
    pub async fn log(&self, query: &LogQuery) -> Result<LogStream, ClientError> {
        let response = self.send(Method::GET, "/v1/log", query, None).await?;
        let body = checked(response).await?;
        Ok(LogStream {
            body,
            buffer: BytesMut::new(),
            ready: VecDeque::new(),
        })
    }

    pub(crate) async fn tell<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        what: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(what).expect("strings and words are JSON");
        let body = Some(Bytes::from(body));
        read(&self.fetch(method, path, &(), body).await?)
    }

    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        read(&self.fetch(method, path, query, None).await?)
    }

    async fn fetch(
        &self,
        method: Method,
        path: &str,
        query: &impl Serialize,
        body: Option<Bytes>,
    ) -> Result<Bytes, ClientError> {
        let exchange = async {
            let response = self.send(method, path, query, body).await?;
            collected(checked(response).await?).await
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::Silent),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &impl Serialize,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, ClientError> {
        let query = serde_urlencoded::to_string(query)
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        let separator = if query.is_empty() { "" } else { "?" };
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}{separator}{query}"))
            .header(header::HOST, "gatehouse")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.unwrap_or_default()))
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        let io = TokioIo::new(self.open().await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .map_err(|error| connection_failed(&error))?;
        // It ends when the answer has been read or dropped.
        tokio::spawn(connection);
        sender
            .send_request(request)
            .await
            .map_err(|error| connection_failed(&error))
    }

    async fn open(&self) -> Result<UnixStream, ClientError> {
        let path = || self.socket.clone();
        match UnixStream::connect(&self.socket).await {
            Ok(stream) => Ok(stream),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::NotADirectory => ClientError::NotRunning(path()),
                io::ErrorKind::PermissionDenied => ClientError::Forbidden(path()),
                _ => ClientError::Connection(format!("{}: {error}", self.socket.display())),
            }),
        }
    }
}

/// Records of the log, one after the other.
#[derive(Debug)]
pub struct LogStream {
    body: Incoming,
    buffer: BytesMut,
    ready: VecDeque<Record>,
}

impl LogStream {
    /// The next record; none: all that was wanted has come, or the box ended.
    ///
    /// # Errors
    /// [`ClientError::Connection`] when the box went away, [`ClientError::Protocol`].
    pub async fn next(&mut self) -> Result<Option<Record>, ClientError> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(Some(record));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| connection_failed(&error))?;
            if let Some(data) = frame.data_ref() {
                self.take(data)?;
            }
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), ClientError> {
        self.buffer.extend_from_slice(data);
        while let Some(end) = self.buffer.iter().position(|&b| b == b'\n') {
            let line = self.buffer.split_to(end + 1);
            self.ready.push_back(read(&line)?);
        }
        if self.buffer.len() > LONGEST_RECORD {
            return Err(ClientError::Protocol("a record without end".to_owned()));
        }
        Ok(())
    }
}

async fn checked(response: Response<Incoming>) -> Result<Incoming, ClientError> {
    let status = response.status();
    let body = response.into_body();
    if status.is_success() {
        return Ok(body);
    }
    let body = collected(body).await?;
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => Err(ClientError::Refused(refusal)),
        Err(_) => Err(ClientError::Protocol(format!("status {status}"))),
    }
}

async fn collected(body: Incoming) -> Result<Bytes, ClientError> {
    match Limited::new(body, LONGEST_ANSWER).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) => Err(ClientError::Connection(error.to_string())),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::Protocol(error.to_string()))
}

fn connection_failed(error: &hyper::Error) -> ClientError {
    ClientError::Connection(error.to_string())
}
