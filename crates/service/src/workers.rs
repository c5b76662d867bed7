use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio::task::spawn_local;

type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;
type Job = Box<dyn FnOnce() -> LocalFuture + Send>;

/// Jobs that may wait for one worker; services start a handful each.
const WAITING_JOBS: usize = 1024;

/// The threads of the data path: one current-thread runtime each, on which nothing needs to be `Send`.
#[derive(Clone)]
pub struct Workers {
    queues: Arc<[mpsc::Sender<Job>]>,
}

/// The worker thread has ended, or has more jobs waiting than it will ever be given.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("worker {0} takes no more work")]
pub struct WorkerGone(usize);

impl Workers {
    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// The system's, when it gives no thread or no epoll descriptor.
    pub fn start(count: usize) -> io::Result<Self> {
        let queues = (0..count.max(1))
            .map(start_thread)
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            queues: queues.into(),
        })
    }

    /// How many there are; a listener has one socket for each.
    pub fn count(&self) -> usize {
        self.queues.len()
    }

    /// Runs the future that `make` returns on worker `index`. A panic in it ends that future only.
    ///
    /// # Errors
    /// [`WorkerGone`] when that thread takes no work any more.
    pub fn spawn<F, Fut>(&self, index: usize, make: F) -> Result<(), WorkerGone>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let job: Job = Box::new(move || Box::pin(make()));
        self.queues
            .get(index)
            .ok_or(WorkerGone(index))?
            .try_send(job)
            .map_err(|_| WorkerGone(index))
    }
}

fn start_thread(index: usize) -> io::Result<mpsc::Sender<Job>> {
    let (queue, mut jobs) = mpsc::channel::<Job>(WAITING_JOBS);
    let (started, start) = std::sync::mpsc::channel();
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            let built = Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build_local(LocalOptions::default());
            let runtime = match built {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            drop(started.send(Ok(())));
            runtime.block_on(async {
                while let Some(job) = jobs.recv().await {
                    spawn_local(async move { job().await });
                }
            });
        })?;
    start
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the thread ended at its start")))?;
    Ok(queue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[tokio::test]
    async fn runs_futures_that_are_not_send_and_outlives_a_panic() {
        let workers = Workers::start(2).unwrap();
        workers
            .spawn(1, || async { panic!("one connection's fault") })
            .unwrap();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        workers
            .spawn(1, || async move {
                let local = Rc::new(7);
                tokio::task::yield_now().await;
                let _ = sender.send(*local);
            })
            .unwrap();
        assert_eq!(receiver.await.unwrap(), 7);
        assert!(workers.spawn(2, || async {}).is_err());
    }
}
