//! A moment of the runtime's clock.

use core::fmt;
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::time::Duration;
use std::time;

/// A moment, as the runtime's clock counts. Only differences have a meaning.
///
/// Outside a runtime it is the operating system's monotonic clock; inside one that has a virtual
/// clock it is that.
///
/// # Examples
/// ```
/// use shinkan::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let end = start + Duration::from_secs(3);
/// assert_eq!(end - start, Duration::from_secs(3));
/// assert_eq!(start - end, Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: time::Instant,
}

impl Instant {
    /// Now.
    ///
    /// # Under simulation
    /// The virtual clock's now.
    #[inline]
    pub fn now() -> Self {
        Self { std: shinkan_rt::now() }
    }

    /// The same moment, from the standard library's type.
    #[inline]
    pub fn from_std(std: time::Instant) -> Self {
        Self { std }
    }

    /// The same moment, as the standard library's type.
    #[inline]
    pub fn into_std(self) -> time::Instant {
        self.std
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }

    /// The time from `earlier` to this; nothing if `earlier` is later.
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time from this to now; zero if this is in the future.
    pub fn elapsed(&self) -> Duration {
        Self::now().saturating_duration_since(*self)
    }

    /// The moment `duration` later; nothing where the clock cannot say that.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Self::from_std)
    }

    /// The moment `duration` earlier; nothing where the clock cannot say that.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Self::from_std)
    }
}

impl From<time::Instant> for Instant {
    fn from(std: time::Instant) -> Self {
        Self::from_std(std)
    }
}

impl From<Instant> for time::Instant {
    fn from(instant: Instant) -> Self {
        instant.into_std()
    }
}

/// # Panics
/// Where the clock cannot say the sum.
impl Add<Duration> for Instant {
    type Output = Instant;

    #[track_caller]
    fn add(self, duration: Duration) -> Instant {
        Self { std: self.std + duration }
    }
}

impl AddAssign<Duration> for Instant {
    #[track_caller]
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// Zero if the other is later.
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// # Panics
/// Where the clock cannot say the difference.
impl Sub<Duration> for Instant {
    type Output = Instant;

    #[track_caller]
    fn sub(self, duration: Duration) -> Instant {
        Self { std: self.std - duration }
    }
}

impl SubAssign<Duration> for Instant {
    #[track_caller]
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
