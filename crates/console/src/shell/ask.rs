//! Questions to the box over its control socket, and to the network.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use control::{Client, ClientError};
use net::ping::Pinger;
use net::resolve::Names;
use tokio::task::{JoinHandle, spawn_local};

use super::{Answers, is_state};
use crate::core::{Answer, Question};

/// Echo requests of one ping.
const REQUESTS: u16 = 4;
/// The pause between them.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the box may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks, one question of the operator at a time.
pub(super) struct Asker {
    socket: PathBuf,
    answers: Answers,
    open: Option<JoinHandle<()>>,
}

impl Asker {
    pub(super) fn new(socket: PathBuf, answers: Answers) -> Self {
        Self {
            socket,
            answers,
            open: None,
        }
    }

    /// Asks; the answer comes with `number`. What was asked before is not waited for any more, but for the state.
    pub(super) fn ask(&mut self, number: u64, question: Question) {
        let (socket, answers) = (self.socket.clone(), self.answers.clone());
        let beside = is_state(&question);
        let task = spawn_local(async move {
            if let Some(answer) = answer(&socket, question, number, &answers).await {
                let _ = answers.send((number, answer)).await;
            }
        });
        if !beside && let Some(before) = self.open.replace(task) {
            before.abort();
        }
    }
}

async fn answer(
    socket: &Path,
    question: Question,
    number: u64,
    answers: &Answers,
) -> Option<Answer> {
    let progress = async |line: String| {
        let _ = answers.send((number, Answer::Line(line))).await;
    };
    Some(match question {
        Question::Nothing => return None,
        Question::Ping(host) => match ping(&host, progress).await {
            Ok(text) => Answer::Done(text),
            Err(text) => Answer::Failed(text),
        },
        Question::Lookup(name) => match addresses(&name).await {
            Ok(found) => {
                let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
                Answer::Done(format!("{name}\n{}", lines.join("\n")))
            }
            Err(text) => Answer::Failed(text),
        },
        Question::State => {
            let state = tokio::time::timeout(PATIENCE, of_box(socket, Question::State));
            match state.await {
                Ok(state) => state.unwrap_or_else(|error| Answer::Failed(error.to_string())),
                Err(_) => Answer::Failed("it takes too long".to_owned()),
            }
        }
        question => of_box(socket, question)
            .await
            .unwrap_or_else(|error| Answer::Failed(error.to_string())),
    })
}

async fn of_box(socket: &Path, question: Question) -> Result<Answer, ClientError> {
    let client = Client::connect(socket).await?;
    Ok(match question {
        Question::State => {
            let (status, network) = tokio::try_join!(client.status(), client.network())?;
            let claim = client.claim_status().await?;
            Answer::State(Box::new((status, network, claim)))
        }
        Question::Generations => Answer::Generations(client.generations().await?),
        Question::SetZone(change) => Answer::Applied(Box::new(client.set_zone(&change).await?)),
        Question::Rollback(way) => Answer::Applied(Box::new(client.rollback(way).await?)),
        Question::Confirm(number) => Answer::Applied(Box::new(client.confirm(Some(number)).await?)),
        Question::Order(order) => Answer::Done(client.order(order).await?.text),
        Question::ResetUsers => {
            let claim = client.reset_users().await?;
            let code = claim.code.unwrap_or_default();
            Answer::Done(format!(
                "All users are removed. Whoever enters {code} in the admin pages becomes the first one."
            ))
        }
        Question::Ping(_) | Question::Lookup(_) | Question::Nothing => {
            Answer::Failed("this is not for the box to answer".to_owned())
        }
    })
}

async fn ping(host: &str, progress: impl AsyncFn(String)) -> Result<String, String> {
    let found = addresses(host).await?;
    let address = *found
        .first()
        .ok_or_else(|| format!("{host} has no address"))?;
    let failed = |error: &dyn Display| format!("{address}: {error}");
    let pinger = Pinger::open(address).map_err(|error| failed(&error))?;
    let mut came = 0;
    for sequence in 1..=REQUESTS {
        let answer = pinger.echo(sequence).await;
        let line = match answer.map_err(|error| failed(&error))? {
            Some(time) => {
                came += 1;
                let time = time.as_secs_f64() * 1000.0;
                format!("{address}: answer {sequence} after {time:.2} ms")
            }
            None => format!("{address}: no answer {sequence}"),
        };
        progress(line).await;
        if sequence < REQUESTS {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(format!("{came} of {REQUESTS} answered"))
}

async fn addresses(name: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let failed = |error| format!("{name}: {error}");
    let resolver = Names::from_system().resolver().map_err(failed)?;
    resolver.addresses(name).await.map_err(failed)
}
