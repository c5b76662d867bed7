//! The terminal and the box around the [`Console`].

mod ask;
mod line;
mod terminal;

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::core::{Answer, Console, Output, Question};
use ask::Asker;
pub use line::Line;
use terminal::Terminal;

/// Answers that wait to be taken at most.
const ANSWERS: usize = 16;

/// Which terminal, and which box.
#[derive(Debug, Clone)]
pub struct Options {
    /// The terminal that the console takes for itself, such as a serial line; none: that of standard input, until the operator
    /// leaves.
    pub tty: Option<PathBuf>,
    /// The control socket of the box.
    pub socket: PathBuf,
}

/// Why the console ended otherwise than by the operator's wish.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// There is no terminal to show it on.
    #[error("{0}: not a terminal; run this on one, or name one with --tty")]
    NotATerminal(String),
    /// The terminal can not be used.
    #[error("{0}: {1}")]
    Terminal(String, #[source] io::Error),
    /// Nobody is at the other end any more.
    #[error("the terminal hung up")]
    HungUp,
    /// The machine gives no event loop.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Shows the console until the operator leaves, or a signal ends it; the terminal is then as it was before.
///
/// # Errors
/// [`ConsoleError`].
pub fn run(options: &Options) -> Result<(), ConsoleError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())?;
    runtime.block_on(talk(options))
}

async fn talk(options: &Options) -> Result<(), ConsoleError> {
    let mut signals = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::interrupt())?,
    ];
    // Only now: a signal before would end us with the terminal taken.
    let mut terminal = Terminal::open(options.tty.as_deref())?;
    let [terminate, hangup, interrupt] = &mut signals;
    let mut typed = terminal.read()?;
    let (sender, mut answers) = mpsc::channel(ANSWERS);
    let mut asker = Asker::new(options.socket.clone(), sender);
    let mut console = Console::new(options.tty.is_none(), Instant::now());
    let mut whole = true;
    loop {
        while let Some(output) = console.poll_output() {
            match output {
                Output::Ask(number, question) => asker.ask(number, question),
                Output::Redraw => whole = true,
                Output::Leave => return Ok(()),
            }
        }
        terminal.draw(&console.frame(), std::mem::take(&mut whole))?;
        let due = tokio::time::Instant::from_std(console.poll_timeout());
        tokio::select! {
            bytes = typed.recv() => match bytes {
                Some(bytes) => console.handle_input(&bytes, Instant::now()),
                None => return Err(ConsoleError::HungUp),
            },
            Some((number, answer)) = answers.recv() => {
                console.handle_answer(number, answer, Instant::now());
            }
            () = tokio::time::sleep_until(due) => console.handle_timeout(Instant::now()),
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

type Answers = mpsc::Sender<(u64, Answer)>;

/// Whether a question stands beside the others.
fn is_state(question: &Question) -> bool {
    *question == Question::State
}
