//! Steps with their time and outcome, and the summary at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::say;

/// How a step ended well.
pub(crate) enum Outcome {
    /// It was done.
    Passed,
    /// It was left out, for a reason the reader is told.
    Skipped(String),
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
    notes: Vec<String>,
}

struct Step {
    name: &'static str,
    outcome: Result<Outcome>,
    took: Duration,
}

impl Report {
    /// Does one step and says how it ended; a failure does not keep the following steps from running.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<Outcome>,
    ) -> bool {
        say(&format!("\n== {name}"));
        let start = Instant::now();
        let outcome = work();
        let step = Step {
            name,
            outcome,
            took: start.elapsed(),
        };
        let passed = step.outcome.is_ok();
        say(&step.line());
        self.steps.push(step);
        passed
    }

    /// A line for the end of the summary.
    pub(crate) fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// When a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        say("\n== summary");
        for step in &self.steps {
            say(&step.line());
        }
        for note in &self.notes {
            say(note);
        }
        let all: Duration = self.steps.iter().map(|step| step.took).sum();
        let failed: Vec<&str> = self
            .steps
            .iter()
            .filter(|step| step.outcome.is_err())
            .map(|step| step.name)
            .collect();
        if !failed.is_empty() {
            bail!("failed after {}: {}", time(all), failed.join(", "));
        }
        say(&format!("all passed in {}", time(all)));
        Ok(())
    }
}

impl Step {
    fn line(&self) -> String {
        let time = time(self.took);
        match &self.outcome {
            Ok(Outcome::Passed) => format!("{:<28} passed   {time}", self.name),
            Ok(Outcome::Skipped(why)) => format!("{:<28} skipped: {why}", self.name),
            Err(error) => format!("{:<28} FAILED   {time}  {error:#}", self.name),
        }
    }
}

fn time(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{}:{:02} min", seconds / 60, seconds % 60)
    }
}
