//! The log: kept for those who ask, and printed on standard error as it comes.

use control::{Moment, Record, render};
use service::Event;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How many lines wait to be printed at most.
const WAITING_LINES: usize = 4096;
/// Bytes of a text in a record at the most: whoever can have something written down must not fill the memory by that.
const LONGEST_TEXT: usize = 2048;
/// How long the last lines may take to come out when nobody asked for them.
const LAST_LINES: Duration = Duration::from_millis(300);
/// How often a full queue is tried again at the end.
const RETRY: Duration = Duration::from_millis(5);

/// The log of the box. Clones are the same.
#[derive(Clone)]
pub struct Journal {
    kept: control::Journal,
    printer: Arc<Printer>,
}

impl Journal {
    /// An empty log.
    pub fn new() -> Self {
        Self::printed_on(std::io::stderr())
    }

    /// Writes `event` down; a long text in it is cut. Never waits: whoever reads standard error may have stopped doing so.
    pub fn record(&self, mut event: Event) {
        event.clip(LONGEST_TEXT);
        let record = self.kept.push(event, now());
        self.printer.print(line(&record));
    }

    /// Writes down what `service` says to the operator.
    pub fn notice(&self, service: &'static str, text: impl Into<String>) {
        self.record(Event::Notice {
            service: service.into(),
            text: text.into(),
        });
    }

    /// The same log, for those who read it.
    pub fn kept(&self) -> control::Journal {
        self.kept.clone()
    }

    /// Waits until everything so far is printed, for `patience` at most. Blocks the thread.
    pub fn flush(&self, patience: Duration) {
        self.printer.flush(patience);
    }

    fn printed_on(paper: impl Write + Send + 'static) -> Self {
        Self {
            kept: control::Journal::new(control::Journal::CAPACITY, now()),
            printer: Arc::new(Printer::start(paper)),
        }
    }
}

/// The time.
pub fn now() -> Moment {
    SystemTime::now().into()
}

fn line(record: &Record) -> String {
    format!("{}\n", render::line(record))
}

enum Order {
    Print(String),
    /// Says that everything before it is printed.
    Tell(SyncSender<()>),
}

/// A thread that prints, so that nobody else has to wait for it.
struct Printer {
    orders: SyncSender<Order>,
    lost: AtomicU64,
}

impl Printer {
    fn start(paper: impl Write + Send + 'static) -> Self {
        let (orders, queue) = sync_channel(WAITING_LINES);
        // Without the thread the log is still kept, for `gatehouse log`.
        let _ = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || work(paper, &queue));
        Self {
            orders,
            lost: AtomicU64::new(0),
        }
    }

    fn print(&self, line: String) {
        let printed = self.own_up() && self.orders.try_send(Order::Print(line)).is_ok();
        if !printed {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says how many lines are missing, in their place; false while not even that fits.
    fn own_up(&self) -> bool {
        let count = self.lost.swap(0, Ordering::Relaxed);
        if count == 0 {
            return true;
        }
        let text = format!(
            "{count} lines are missing here, printing took too long; `gatehouse log` has the last ones"
        );
        let record = Record {
            id: 0,
            time: now(),
            event: Event::Notice {
                service: "log".into(),
                text,
            },
        };
        let told = self.orders.try_send(Order::Print(line(&record))).is_ok();
        if !told {
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
        told
    }

    fn flush(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let (tell, told) = sync_channel(1);
        let mut order = Order::Tell(tell);
        loop {
            self.own_up();
            match self.orders.try_send(order) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if Instant::now() < deadline => order = back,
                Err(_) => return,
            }
            thread::sleep(RETRY);
        }
        let _ = told.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.flush(LAST_LINES);
    }
}

fn work(mut paper: impl Write, queue: &Receiver<Order>) {
    for order in queue {
        match order {
            // A closed standard error is no reason to stop.
            Order::Print(line) => drop(paper.write_all(line.as_bytes())),
            Order::Tell(told) => drop(told.try_send(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    /// Prints once the gate lets it.
    struct Paper {
        gate: Receiver<()>,
        open: bool,
        text: Arc<Mutex<String>>,
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.open {
                self.open = true;
                let _ = self.gate.recv();
            }
            let mut text = self.text.lock().unwrap();
            text.push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn journal() -> (Journal, Sender<()>, Arc<Mutex<String>>) {
        let (opener, gate) = channel();
        let text = Arc::new(Mutex::new(String::new()));
        let paper = Paper {
            gate,
            open: false,
            text: Arc::clone(&text),
        };
        (Journal::printed_on(paper), opener, text)
    }

    #[test]
    fn a_standard_error_that_nobody_reads_holds_nobody_up() {
        let (journal, opener, text) = journal();
        for number in 0..WAITING_LINES + 100 {
            journal.notice("test", format!("number {number}."));
        }
        journal.flush(Duration::from_millis(20));
        assert!(text.lock().unwrap().is_empty());
        opener.send(()).unwrap();
        journal.flush(Duration::from_secs(10));
        journal.notice("test", "afterwards");
        journal.flush(Duration::from_secs(10));
        let text = text.lock().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("number 0."), "{}", lines[0]);
        assert!(lines.last().unwrap().contains("afterwards"));
        let missing = lines[lines.len() - 2];
        assert!(missing.contains("lines are missing here"), "{missing}");
        // One line is in the printer's hand, beside those that wait.
        assert!(lines.len() <= WAITING_LINES + 3, "{}", lines.len());
    }

    #[test]
    fn no_text_is_longer_than_a_page() {
        let (journal, opener, text) = journal();
        opener.send(()).unwrap();
        journal.notice("test", "x".repeat(1_000_000));
        journal.flush(Duration::from_secs(10));
        let mut kept = journal.kept().read(&control::LogQuery::default());
        let kept = kept.try_next().unwrap();
        let Event::Notice { text: kept, .. } = &kept.event else {
            panic!("it is not there: {kept:?}");
        };
        assert_eq!(kept.len(), LONGEST_TEXT);
        assert!(kept.ends_with("x…"));
        assert!(text.lock().unwrap().len() < LONGEST_TEXT + 100);
    }

    #[test]
    fn the_last_lines_come_out_at_the_end() {
        let (journal, opener, text) = journal();
        opener.send(()).unwrap();
        journal.notice("test", "last words");
        drop(journal);
        assert!(text.lock().unwrap().contains("last words"));
    }
}
