//! How the service ends: one token says so to everything, one tracker knows what still runs.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Handed to everything that has to end. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    token: CancellationToken,
    running: TaskTracker,
}

impl Stop {
    /// Asks everything to end.
    pub fn ask(&self) {
        self.token.cancel();
        self.running.close();
    }

    /// Waits until it is time to end.
    pub fn asked(&self) -> impl Future<Output = ()> + Send + use<> {
        self.token.clone().cancelled_owned()
    }

    /// Starts a task that the end of the service waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(task);
    }

    /// While it lives, the end of the service waits.
    pub fn hold(&self) -> TaskTrackerToken {
        self.running.token()
    }

    /// Waits until all that was started and held has ended, after [`Stop::ask`].
    pub async fn ended(&self) {
        self.running.wait().await;
    }

    /// How much has not ended yet.
    pub fn running(&self) -> usize {
        self.running.len()
    }
}

/// Listens for SIGTERM and SIGINT from here on; the future ends with the first.
pub fn signals() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM"),
            _ = interrupt.recv() => tracing::info!("SIGINT"),
        }
    })
}
