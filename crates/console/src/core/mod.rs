//! What the console decides: no terminal, no socket, no clock in here.
//!
//! Bytes of the keyboard go into [`Console::handle_input`], answers of the box into [`Console::handle_answer`], the time into
//! [`Console::handle_timeout`]; [`Console::frame`] is what the terminal shows, and [`Console::poll_output`] what is to be done.
//! Nothing that changes the box happens by a single key: line noise can not type words.

mod flow;
mod home;
mod keys;
pub mod report;
mod screen;
#[cfg(test)]
mod tests;
pub mod text;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use control::{
    Applied, ClaimStatus, Generation, MachineOrder, Network, Rollback, Status, ZoneChange,
};

pub use screen::Frame;

use flow::{Choice, Goal};
use keys::{Key, Keys};
use screen::{List, Pager, Prompt};

/// How often the box is asked how it is.
const REFRESH: Duration = Duration::from_secs(5);
/// The same while it does not answer.
const RETRY: Duration = Duration::from_secs(1);
/// Lines of progress that are kept.
const PROGRESS: usize = 1_000;

/// What the console wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask this, and give the answer back with this number. A question of [`Question::State`] stands beside the others; each
    /// other takes the place of the one before, whose answer is not waited for any more.
    Ask(u64, Question),
    /// Draw everything anew: something else may have written over it.
    Redraw,
    /// The operator leaves.
    Leave,
}

/// What is asked of the box, or of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// How it is.
    State,
    /// Which generations there are.
    Generations,
    /// Another address for a zone.
    SetZone(ZoneChange),
    /// An earlier generation, or the end of a trial.
    Rollback(Rollback),
    /// Keep the generation of this number, which is on trial.
    Confirm(u32),
    /// Something of the machine as a whole.
    Order(MachineOrder),
    /// That all users of the admin pages are removed.
    ResetUsers,
    /// Whether a host answers.
    Ping(String),
    /// The addresses of a name.
    Lookup(String),
    /// Nothing more: forget what was asked.
    Nothing,
}

/// What came of a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// How the box is.
    State(Box<Known>),
    /// The generations, oldest first.
    Generations(Vec<Generation>),
    /// A change is in force.
    Applied(Box<Applied>),
    /// A line of something that goes on.
    Line(String),
    /// It is done, and this is all there is to say.
    Done(String),
    /// It was not done, for this reason.
    Failed(String),
}

/// How the box is.
pub type Known = (Status, Network, ClaimStatus);

/// The console.
#[derive(Debug)]
pub struct Console {
    may_leave: bool,
    keys: Keys,
    view: View,
    /// What was known last.
    known: Option<Box<Known>>,
    /// Why it is not known better.
    trouble: Option<String>,
    refresh: Instant,
    /// The number of the last question; only its answer counts.
    number: u64,
    /// The number of the last question for the state, while it is open.
    refreshing: Option<u64>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum View {
    /// The menu, with the item that Enter takes.
    Home(usize),
    List(List<Choice>),
    /// A text; with true, the state, which is kept up to date.
    Text(Pager, bool),
    Prompt(Prompt<Goal>),
    /// A question is open: what it is about, and what came of it so far.
    Busy(String, Vec<String>),
}

impl Console {
    /// A console that shows its menu; with `may_leave` the operator can end it.
    pub fn new(may_leave: bool, now: Instant) -> Self {
        let mut console = Self {
            may_leave,
            keys: Keys::default(),
            view: View::Home(0),
            known: None,
            trouble: None,
            refresh: now,
            number: 0,
            refreshing: None,
            outputs: VecDeque::new(),
        };
        console.handle_timeout(now);
        console
    }

    /// Takes in what was typed, or what the line made of it.
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        for byte in bytes {
            let mut pressed = Vec::new();
            self.keys.feed(*byte, now, &mut |key| pressed.push(key));
            for key in pressed {
                self.press(key);
            }
        }
    }

    /// Takes in the answer to the question `number`.
    pub fn handle_answer(&mut self, number: u64, answer: Answer, now: Instant) {
        if self.refreshing == Some(number) {
            self.refreshing = None;
            return self.known_anew(answer, now);
        }
        let View::Busy(title, lines) = &mut self.view else {
            return;
        };
        if self.number != number {
            return;
        }
        let title = title.clone();
        match answer {
            Answer::Line(line) if lines.len() < PROGRESS => lines.push(line),
            Answer::Generations(list) => self.choose_generation(list),
            Answer::Applied(applied) => self.show_applied(&title, &applied),
            Answer::Done(text) => {
                lines.push(text);
                let text = lines.join("\n");
                self.show(View::Text(Pager::new(&title, &text), false));
            }
            Answer::Failed(text) => {
                lines.push(format!("It was not done: {text}"));
                let text = lines.join("\n");
                self.show(View::Text(Pager::new(&title, &text), false));
            }
            Answer::Line(_) | Answer::State(_) => {}
        }
        // What was done shows at once.
        self.refresh = now;
    }

    /// When [`Console::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Instant {
        let keys = self.keys.poll_timeout();
        keys.map_or(self.refresh, |due| due.min(self.refresh))
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut pressed = Vec::new();
        self.keys.handle_timeout(now, &mut |key| pressed.push(key));
        for key in pressed {
            self.press(key);
        }
        if now >= self.refresh {
            self.refresh = now + REFRESH;
            if self.refreshing.is_none() {
                self.number_of_state();
            }
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What the terminal shows.
    pub fn frame(&self) -> Frame {
        match &self.view {
            View::Home(selected) => self.home(*selected),
            View::List(list) => list.frame(),
            View::Text(pager, _) => pager.frame(),
            View::Prompt(prompt) => prompt.frame(),
            View::Busy(title, lines) => {
                let mut lines: Vec<_> = lines
                    .iter()
                    .flat_map(|line| text::wrap(line, text::WIDTH))
                    .collect();
                let hidden = lines.len().saturating_sub(text::HEIGHT - 5);
                lines.drain(..hidden);
                lines.push("Please wait ...".to_owned());
                Frame::new(title, lines, "Esc: do not wait")
            }
        }
    }

    fn press(&mut self, key: Key) {
        let typing = matches!(self.view, View::Prompt(_));
        let echo = typing && matches!(key, Key::Char(_) | Key::Backspace | Key::Clear);
        if !echo {
            self.outputs.push_back(Output::Redraw);
        }
        match key {
            Key::Redraw => {}
            Key::Cancel if self.may_leave => self.outputs.push_back(Output::Leave),
            Key::Cancel | Key::Escape => self.go_home(),
            key => self.press_in_view(key),
        }
    }

    fn go_home(&mut self) {
        if matches!(self.view, View::Busy(..)) {
            self.ask(Question::Nothing);
        }
        if !matches!(self.view, View::Home(_)) {
            self.show(View::Home(0));
        }
    }

    fn show(&mut self, view: View) {
        self.view = view;
        self.outputs.push_back(Output::Redraw);
    }

    fn ask(&mut self, question: Question) {
        self.number += 1;
        self.outputs.push_back(Output::Ask(self.number, question));
    }

    /// Asks, and waits for the answer on a screen of its own.
    fn wait_for(&mut self, title: &str, question: Question) {
        self.ask(question);
        self.show(View::Busy(title.to_owned(), Vec::new()));
    }

    fn number_of_state(&mut self) {
        // Beside the operator's own questions, whose number must stay the last.
        let number = u64::MAX - self.number;
        self.refreshing = Some(number);
        self.outputs.push_back(Output::Ask(number, Question::State));
    }

    fn known_anew(&mut self, answer: Answer, now: Instant) {
        match answer {
            Answer::State(state) => {
                if let View::Text(pager, true) = &mut self.view {
                    pager.refresh(&report::whole(&state.0, &state.1, &state.2));
                }
                self.known = Some(state);
                self.trouble = None;
            }
            Answer::Failed(why) => {
                self.trouble = Some(why);
                self.refresh = now + RETRY;
            }
            _ => {}
        }
    }
}
