//! What a process says, and how much of it is believed.

use super::{Condition, QUESTIONS, Question, TEXT_LIMIT, Waiting};
use crate::message::FromRole;
use crate::supervisor::{EDGE, Hub};
use net::link;
use service::{Answer, Event, clip};
use std::sync::PoisonError;
use tokio::sync::watch;

/// What no edge of ours tells.
const TOO_MANY: &str = "it tells of more sessions than there can be";

/// How the talk of a process ended.
pub(super) enum Heard {
    /// It closed its end: it ended, or is about to.
    End,
    /// It said that it can not serve.
    Failed(String),
    /// It said what no process of ours says.
    Fault(String),
}

impl Heard {
    /// Why the process is not to be trusted any more.
    pub(super) fn blame(&self) -> Option<String> {
        match self {
            Self::End | Self::Failed(_) => None,
            Self::Fault(reason) => Some(format!("its link broke: {reason}")),
        }
    }
}

/// Takes in what the process says. Never waits for the sending side: two full links that wait for each
/// other would stand still for good.
pub(super) async fn read(
    name: &'static str,
    mut receiver: link::Receiver,
    hub: Hub,
    condition: watch::Sender<Condition>,
    waiting: Waiting,
) -> Heard {
    loop {
        let message = match receiver.receive::<FromRole>().await {
            Ok(Some((message, _))) => message,
            Ok(None) => return Heard::End,
            Err(error) => return Heard::Fault(error.to_string()),
        };
        match message {
            FromRole::Started(sandbox) => condition.send_modify(|condition| {
                condition.sandbox = Some(sandbox);
            }),
            FromRole::Failed(mut reason) => {
                clip(&mut reason, TEXT_LIMIT);
                return Heard::Failed(reason);
            }
            FromRole::Loaded { number } => {
                let fault = None;
                condition
                    .send_modify(|condition| condition.answer = Some(Answer { number, fault }));
            }
            FromRole::Refused { number, mut why } => {
                clip(&mut why, TEXT_LIMIT);
                let fault = Some(why);
                condition
                    .send_modify(|condition| condition.answer = Some(Answer { number, fault }));
            }
            FromRole::Events(events) => {
                for mut event in events.into_iter().filter(may_be_said) {
                    event.clip(TEXT_LIMIT);
                    hub.journal.record(event);
                }
            }
            FromRole::Offences(offences) => {
                for (client, weight) in offences {
                    hub.warden.offence(name, client, weight);
                }
            }
            FromRole::Sessions(news) if !news.is_sound() => return Heard::Fault(TOO_MANY.into()),
            news @ (FromRole::Standing { .. }
            | FromRole::Acme(_)
            | FromRole::Outdated { .. }
            | FromRole::Sessions(_)) => {
                if name == EDGE {
                    hear_edge(&hub, news);
                }
            }
            FromRole::Metrics(text) => {
                if let Some(Question::Metrics(question)) = answered(&waiting) {
                    let _ = question.send(text);
                }
            }
            FromRole::Figures(figures) => {
                if let Some(Question::Figures(question)) = answered(&waiting) {
                    let _ = question.send(*figures);
                }
            }
        }
    }
}

/// Takes in what only edge can know.
fn hear_edge(hub: &Hub, news: FromRole) {
    match news {
        FromRole::Standing { device, standing } => hub.uplink.heard(&device, *standing),
        FromRole::Acme(news) => hub.orders.heard(*news),
        FromRole::Outdated { user, password } => hub.steward.outdated(user, password),
        FromRole::Sessions(news) => hub.steward.heard(news),
        _ => {}
    }
}

/// The question that is answered now. Whoever asked it is told nothing where the answer is one to another question.
fn answered(waiting: &Waiting) -> Option<Question> {
    let mut line = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    line.pop_front()
}

/// Whether `event` is news that a process can have; the others are the supervisor's own to tell.
fn may_be_said(event: &Event) -> bool {
    match event {
        Event::Decision(_)
        | Event::Notice { .. }
        | Event::Service { .. }
        | Event::Certificate { .. }
        | Event::LoginFailed { .. }
        | Event::Dropped { .. } => true,
        Event::Banned { .. }
        | Event::Unbanned { .. }
        | Event::Config { .. }
        | Event::Audit { .. } => false,
    }
}

/// Puts `question` into line; false where nobody waits for it, or too many wait already.
pub(super) fn wait_for_answer(waiting: &Waiting, question: Question) -> bool {
    let mut line = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let worth_asking = !question.is_closed() && line.len() < QUESTIONS;
    if worth_asking {
        line.push_back(question);
    }
    worth_asking
}
