//! The thread that tells of stuck polls, apart from the monitor: to find a stack's names takes
//! milliseconds, a hook may take longer, and a standard error that nobody reads for ever. The
//! monitor goes on meanwhile.
//!
//! Started with the first report. Holds nothing of a runtime but the user's hook.

use crate::aside::Aside;
use crate::hooks::quietly;
use crate::monitor;
use crate::stall::{Stall, StallConfig};
use crate::stall_sink;
use crate::taker;
use crate::tenure::Tenure;
use core::time::Duration;
use shinkan_base::atomics::Arc;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_sys::{stdio, threads};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// For names to be found, in files that may lie on a disk that does not answer: the report is told
/// without a stack then.
const NAMES_MAX: Duration = Duration::from_secs(10);

/// Reports that wait while one is told. Beyond, they are counted only.
const WAITING_MAX: usize = 64;

static REPORTS: OnceLock<SyncSender<Report>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

/// What is to be told.
pub(crate) struct Report {
    pub(crate) stall: Stall,
    pub(crate) config: StallConfig,
    /// The first of this place in a while: it goes to standard error, and has a stack.
    pub(crate) is_due: bool,
    pub(crate) poll: Poll,
}

/// A poll that may have come back since.
pub(crate) struct Poll {
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) sequence: u64,
}

impl Poll {
    fn goes_on(&self) -> bool {
        self.tenure.seat.sequence() == self.sequence
    }
}

/// Has it told. Never waits. Called by the monitor alone.
pub(crate) fn tell(report: Report) {
    if report.config.hook.is_none() && !(report.is_due && report.config.report) {
        return;
    }
    let Some(reports) = REPORTS.get().or_else(started) else {
        // No thread to be had now: the monitor does it.
        return quietly(|| report.tell());
    };
    if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = reports.try_send(report) {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

fn started() -> Option<&'static SyncSender<Report>> {
    let (reports, received) = sync_channel(WAITING_MAX);
    threads::spawn("shinkan-reports".into(), None, move || run(&received)).ok()?;
    Some(REPORTS.get_or_init(|| reports))
}

fn run(received: &Receiver<Report>) {
    while let Ok(report) = received.recv() {
        // Also what is no hook may panic: a subscriber of `tracing`, and what a hook holds.
        quietly(|| report.tell());
        match LOST.swap(0, Ordering::Relaxed) {
            0 => {}
            lost => stdio::warn(&format!("shinkan: {lost} more stuck polls were not told\n")),
        }
    }
}

impl Report {
    fn tell(mut self) {
        // Nobody is asked for a stack that is another poll's by now.
        if self.is_due && self.config.stacks && self.poll.goes_on() {
            let copied = taker::take(&self.poll.tenure, self.config.signal);
            // A poll that came back meanwhile has left another one's stack, or none.
            let copied = copied.filter(|_| self.poll.goes_on());
            let monitor = monitor::thread();
            self.stall.stack = copied.and_then(|copied| {
                static NAMES: Aside = Aside::new();
                NAMES.within(NAMES_MAX, move || copied.stack(monitor))
            });
        }
        if let Some(hook) = &self.config.hook {
            quietly(|| hook(&self.stall));
        }
        if self.is_due && self.config.report {
            stall_sink::report(&self.stall);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stall::{StallIn, StallKind};
    use std::sync::mpsc::channel;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("of the test: a hook's own");
        }
    }

    fn report(hook: impl Fn(&Stall) + Send + Sync + 'static) -> Report {
        let stall = Stall {
            runtime: None,
            worker: 0,
            thread: threads::kernel_id(),
            polled: StallIn::Task,
            task: None,
            name: None,
            spawned_at: None,
            duration: Duration::from_millis(10),
            kind: StallKind::Blocked,
            stays: false,
            moved: true,
            stack: None,
        };
        let config =
            StallConfig { hook: Some(std::sync::Arc::new(hook)), ..StallConfig::default() };
        let tenure = Arc::new(Tenure::new(false));
        Report { stall, config, is_due: false, poll: Poll { tenure, sequence: 1 } }
    }

    #[test]
    fn a_panic_of_what_a_hook_holds_does_not_end_the_reports() {
        let (reports, received) = sync_channel(2);
        let (tell, told) = channel();
        let bomb = PanicsWhenDropped;
        let first = report(move |_| {
            let _holds = &bomb;
        });
        assert!(reports.send(first).is_ok());
        let second = report(move |_| tell.send(()).expect("the test listens"));
        assert!(reports.send(second).is_ok());
        drop(reports);
        run(&received);
        assert!(told.recv().is_ok());
    }
}
