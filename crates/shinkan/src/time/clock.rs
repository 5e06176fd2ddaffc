//! Stopping the clock, for tests.

use core::future::Future;
use core::panic::Location;
use core::time::Duration;
use shinkan_rt::{Handle, RuntimeFlavor};

#[track_caller]
fn runtime(call: &str) -> Handle {
    match Handle::try_current() {
        Ok(handle) => handle,
        Err(_) => panic!(
            "`time::{call}` was called outside a runtime, whose clock it is about: call it inside \
             `block_on` or a task"
        ),
    }
}

/// Stops the runtime's clock. Timers end only when the clock is moved: by [`advance`], or by the
/// runtime itself, to the next deadline, when all its tasks wait. So a test that sleeps for an
/// hour ends at once.
///
/// [`Instant`](super::Instant) reads this clock; the standard library's does not.
///
/// # Panics
/// Where the clock stands still already, on a runtime of several workers, and outside a runtime.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use shinkan::time::{self, Duration, Instant};
///
/// time::pause();
/// let start = Instant::now();
/// time::sleep(Duration::from_secs(3600)).await;
/// assert!(start.elapsed() >= Duration::from_secs(3600));
/// # });
/// ```
#[track_caller]
pub fn pause() {
    let handle = runtime("pause");
    assert!(
        handle.runtime_flavor() == RuntimeFlavor::CurrentThread,
        "`time::pause` was called on a runtime of several workers: it requires the \
         `current_thread` flavor, which `#[test]` has by default"
    );
    assert!(handle.clock().pause(), "`time::pause` was called while the clock stands still");
}

/// Lets the clock run again, from the time that it shows.
///
/// # Panics
/// Where the clock runs, and outside a runtime.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use shinkan::time;
///
/// time::pause();
/// time::resume();
/// # });
/// ```
#[track_caller]
pub fn resume() {
    let handle = runtime("resume");
    assert!(handle.clock().resume(), "`time::resume` was called while the clock runs");
}

/// Moves the stopped clock, wakes whose time has come, and gives them their turn.
///
/// # Cancel safety
/// Before its first poll the clock is not moved; after it, it is.
///
/// # Panics
/// The future panics where the clock runs, and outside a runtime.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use shinkan::time::{self, Duration, sleep};
///
/// time::pause();
/// let task = shinkan::spawn(sleep(Duration::from_secs(60)));
/// shinkan::task::yield_now().await;
/// time::advance(Duration::from_secs(61)).await;
/// assert!(task.is_finished());
/// # });
/// ```
#[track_caller]
pub fn advance(duration: Duration) -> impl Future<Output = ()> + Send + Sync {
    let place = Location::caller();
    async move {
        let moved = Handle::try_current().map(|handle| handle.advance_clock(duration));
        match moved {
            Ok(true) => shinkan_rt::yield_now().await,
            Ok(false) => panic!("`time::advance` at {place} was polled while the clock runs"),
            Err(_) => panic!("`time::advance` at {place} was polled outside a runtime"),
        }
    }
}
