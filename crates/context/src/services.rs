//! What crates below `rt` need of a runtime: `rt` installs it when the first runtime is built.
//! `sync` alone then compiles neither the runtime nor the kernel's wrappers.

use crate::thread::{Entered, entered};
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use shinkan_base::wakers::Wakers;
use std::sync::{Arc, OnceLock};
use std::task::Wake;
use std::thread::Thread;

/// The table. A simulation installs its own.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    /// A future that ends after a time, on the runtime that the calling thread has entered.
    /// Panics, with the place of its caller, where there is none.
    pub sleep: fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Counts, for the runtime that the calling thread has entered, a poll that used its budget up.
    pub forced_yield: fn(),
    /// Queues those of the wakers' tasks that belong to the runtime whose worker the calling thread is,
    /// and sleep; the others stay, to be called.
    pub queue_woken: fn(&mut Wakers),
}

static SERVICES: OnceLock<Services> = OnceLock::new();

/// Installs the table; the first one stays.
pub fn install(services: Services) {
    let _ = SERVICES.set(services);
}

/// The table, where a runtime was built in this process.
pub fn installed() -> Option<&'static Services> {
    SERVICES.get()
}

/// Calls each waker, as [`Wakers::wake_all`]; but on a worker its runtime's own tasks are queued all at
/// once, before anybody else's wakers are called.
///
/// # Panics
/// As there.
pub fn wake_all(wakers: &mut Wakers) {
    // One alone takes as long by its own way.
    if wakers.len() > 1
        && let Some(services) = installed()
    {
        (services.queue_woken)(wakers);
    }
    wakers.wake_all();
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until `future` is done. For the `blocking_*` methods, which may be called
/// on any thread that drives no runtime.
///
/// # Panics
/// On a thread that drives a runtime: its other tasks would stand still.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    assert!(
        entered() == Entered::No,
        "Cannot block the current thread from within a runtime: a blocking method was called on a \
         thread whose other tasks would stand still. Use the async method, or move the call into `spawn_blocking` or \
         `block_in_place`"
    );
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        // A wake-up between the poll and here left its token, so this returns at once.
        std::thread::park();
    }
}
