//! How a thread shares the processors with others.

use std::io;

/// The nice value of who gives way to everybody (sched(7)).
const LOWEST: i32 = 19;

/// Lets every other thread run before the one that calls this; for work that can wait.
///
/// # Errors
/// The system's, where it does not allow it.
pub fn give_way() -> io::Result<()> {
    // In Linux, nice values are those of threads, and no process means the thread that asks.
    rustix::process::setpriority_process(None, LOWEST)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox;

    #[test]
    fn a_thread_gives_way_also_where_it_is_shut_in() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let thread = std::thread::spawn(move || {
            sandbox::shut_in().unwrap();
            give_way().unwrap();
        });
        thread.join().unwrap();
        let thread = std::thread::spawn(move || {
            give_way().unwrap();
            nice()
        });
        assert_eq!((thread.join().unwrap(), nice()), (LOWEST, before));
    }
}
