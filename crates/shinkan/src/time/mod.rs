//! Timers: sleeping, ticking, and giving a future a limit.
//!
//! Times are rounded up to the next millisecond, so nothing ends early. The clock is the
//! runtime's: under a simulation it is virtual, and [`Instant`] reads it.
//!
//! ```
//! # shinkan::runtime::Runtime::new().unwrap().block_on(async {
//! use shinkan::time::{Duration, Instant, sleep, timeout};
//!
//! let start = Instant::now();
//! sleep(Duration::from_millis(2)).await;
//! assert!(start.elapsed() >= Duration::from_millis(2));
//!
//! let never = std::future::pending::<()>();
//! assert!(timeout(Duration::from_millis(1), never).await.is_err());
//! # });
//! ```

mod clock;
pub mod error;
mod instant;
mod interval;
mod sleep;
mod timeout;

pub use clock::{advance, pause, resume};
pub use core::time::Duration;
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};

/// What is longer than this is "never": 30 years are further away than any program runs, and
/// near enough to add to any instant.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// `instant + duration`, or an instant that is far away where the clock cannot say that.
fn saturating_add(instant: Instant, duration: Duration) -> Instant {
    instant.checked_add(duration).or_else(|| Instant::now().checked_add(FAR)).unwrap_or(instant)
}
