//! `Barrier`: a count and a `Notify`.

use crate::{Notify, leaf};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::atomics::Mutex;
use shinkan_base::canary;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;
use shinkan_trace::{Kind, Resource};

/// Lets tasks wait until so many of them have arrived.
///
/// # Examples
/// ```
/// use shinkan_sync::Barrier;
///
/// # futures::executor::block_on(async {
/// let barrier = Barrier::new(2);
/// let (a, b) = futures::join!(barrier.wait(), barrier.wait());
/// assert!(a.is_leader() != b.is_leader());
/// # });
/// ```
pub struct Barrier {
    arrived: Mutex<usize>,
    all_here: Notify,
    n: usize,
    trace: Resource,
}

/// What a task gets that has waited at a [`Barrier`].
#[derive(Clone, Debug)]
pub struct BarrierWaitResult(bool);

impl Barrier {
    /// A barrier for `n` tasks; 0 counts as 1.
    #[track_caller]
    pub fn new(n: usize) -> Self {
        let n = n.max(1);
        let trace = Resource::new(Kind::Barrier, n, Location::caller());
        Self { arrived: Mutex::new(0), all_here: Notify::new(), n, trace }
    }

    /// Arrives, and waits until `n` tasks have. Then the barrier is as new. One of the tasks, the
    /// last to arrive, is told that it is the leader.
    ///
    /// # Cancel safety
    /// None: a task that was polled has arrived, also when the future is dropped.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        let place = Location::caller();
        let wait = async move {
            self.trace.arrived();
            let all_here = {
                let mut wakers = Wakers::new();
                let mut arrived = self.arrived.lock();
                *arrived += 1;
                if *arrived == self.n {
                    if !canary("barrier_reset_late") {
                        *arrived = 0;
                    }
                    // Under the lock, so that no task of the next round is woken too.
                    if !canary("barrier_notify_late") {
                        self.all_here.notify_waiters_into(&mut wakers);
                    }
                    drop(arrived);
                    if canary("barrier_notify_late") {
                        self.all_here.notify_waiters_into(&mut wakers);
                    }
                    wake_all(&mut wakers);
                    self.trace.complete();
                    if canary("barrier_reset_late") {
                        *self.arrived.lock() = 0;
                    }
                    return BarrierWaitResult(true);
                }
                if canary("barrier_wait_late") {
                    drop(arrived);
                }
                self.all_here.notified_as(WaitKind::Barrier, place)
            };
            leaf::cooperative(leaf::address(self), place, all_here).await;
            BarrierWaitResult(false)
        };
        shinkan_trace::operation(wait, &self.trace, "Barrier::wait", "poll")
    }
}

impl BarrierWaitResult {
    /// Whether this task was the last to arrive.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("n", &self.n).finish_non_exhaustive()
    }
}
