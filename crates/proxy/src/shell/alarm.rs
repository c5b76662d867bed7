//! One timer for the whole life of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set for every request and hardly ever goes off: it sleeps until the earliest time
/// it was once set to and only then looks whether that still holds, so that setting it
/// to a later time costs nothing.
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    due: Instant,
}

impl Alarm {
    pub(crate) fn new(due: Instant) -> Self {
        Self {
            sleep: Box::pin(sleep_until(due)),
            due,
        }
    }

    /// Sets the time at which it goes off.
    pub(crate) fn set(&mut self, due: Instant) {
        self.due = due;
        if due < self.sleep.deadline() {
            self.sleep.as_mut().reset(due);
        }
    }

    /// Ready once the time has come.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.sleep.as_mut().poll(cx).is_ready() {
            if self.due <= self.sleep.deadline() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.due);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;

    #[tokio::test]
    async fn goes_off_at_the_time_set_last_and_not_before() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut alarm = Alarm::new(after(5));
        alarm.set(after(40));
        poll_fn(|cx| alarm.poll(cx)).await;
        assert!(start.elapsed() >= Duration::from_millis(40));
        alarm.set(after(60_000));
        alarm.set(after(50));
        poll_fn(|cx| alarm.poll(cx)).await;
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert!(start.elapsed() < Duration::from_mins(1));
    }
}
