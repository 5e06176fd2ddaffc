//! Many pages: one task for each, of which only so many work at the same time.

use crate::client;
use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use shinkan::sync::Semaphore;
use shinkan::task::JoinSet;
use shinkan::time::{sleep, timeout};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::TlsConnector;

/// One page to fetch.
pub(crate) struct Target {
    pub(crate) url: String,
    /// The kind of failure that this page was made for, in the demo.
    pub(crate) expected: Option<&'static str>,
}

impl Target {
    pub(crate) fn new(url: String) -> Target {
        Target { url, expected: None }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) parallel: usize,
    /// For one attempt, from the name's look-up to the last byte.
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
}

/// A page that was fetched.
pub(crate) struct Page {
    pub(crate) bytes: u64,
    /// How long the attempt took that succeeded.
    pub(crate) latency: Duration,
}

/// How it went with one target.
pub(crate) struct Outcome {
    pub(crate) target: Target,
    pub(crate) result: Result<Page, Failure>,
    pub(crate) attempts: u32,
}

impl Outcome {
    pub(crate) fn is_as_expected(&self) -> bool {
        self.result.as_ref().err().map(Failure::kind) == self.target.expected
    }
}

/// Fetches all targets; the outcomes come in the order of the targets.
pub(crate) async fn crawl(
    targets: Vec<Target>,
    connector: TlsConnector,
    limits: Limits,
) -> Vec<Outcome> {
    let bar = progress_bar(targets.len());
    let permits = Arc::new(Semaphore::new(limits.parallel));
    let mut tasks = JoinSet::new();
    for (index, target) in targets.into_iter().enumerate() {
        let (permits, connector) = (permits.clone(), connector.clone());
        tasks.spawn(async move {
            let _permit = permits.acquire().await.expect("nobody closes the semaphore");
            (index, fetch(target, &connector, limits).await)
        });
    }

    let mut outcomes = Vec::new();
    while let Some(done) = tasks.join_next().await {
        outcomes.push(done.expect("fetching a page does not panic"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Tries until the page is there, or the failure is final, or the retries are used up.
async fn fetch(target: Target, connector: &TlsConnector, limits: Limits) -> Outcome {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let start = Instant::now();
        let attempt = timeout(limits.timeout, client::get(&target.url, connector)).await;
        match attempt.unwrap_or(Err(Failure::Timeout(limits.timeout))) {
            Err(failure) if failure.may_pass() && attempts <= limits.retries => {
                sleep(pause_before(attempts)).await;
            }
            result => {
                let latency = start.elapsed();
                let result = result.map(|bytes| Page { bytes, latency });
                return Outcome { target, result, attempts };
            }
        }
    }
}

/// 50 ms, then twice as long each time, at most 3.2 s.
fn pause_before(retry: u32) -> Duration {
    Duration::from_millis(50 << (retry - 1).min(6))
}

/// Draws to standard error, and only where that is a terminal.
fn progress_bar(pages: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pages  {elapsed}")
        .expect("the template is well formed");
    ProgressBar::new(pages as u64).with_style(style)
}
