//! Histograms of durations: their shapes, and the buckets that one worker fills.
//!
//! A shape maps nanoseconds to buckets and back; `histogram/log.rs` has the logarithmic one. The
//! buckets are counters that the worker alone writes, by a load and a store.

mod log;

pub use log::{InvalidHistogramConfiguration, LogHistogram, LogHistogramBuilder};

use core::ops::Range;
use core::time::Duration;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};

/// How the buckets of the older configuration methods grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistogramScale {
    /// All are of the same width.
    Linear,
    /// Each is twice as wide as the one before.
    Log,
}

/// The buckets of a histogram of durations.
///
/// # Examples
/// ```
/// use shinkan_rt::{HistogramConfiguration, LogHistogram};
/// use std::time::Duration;
///
/// // 0 to 1 ms, 1 to 2 ms, and all above.
/// let even = HistogramConfiguration::linear(Duration::from_millis(1), 3);
/// // From 20 µs to 4 ms, each bucket twice as wide as the one before.
/// let doubling = HistogramConfiguration::log(
///     LogHistogram::builder()
///         .min_value(Duration::from_micros(20))
///         .max_value(Duration::from_millis(4))
///         .precision_exact(0),
/// );
/// # drop((even, doubling));
/// ```
#[derive(Clone, Debug)]
pub struct HistogramConfiguration {
    pub(crate) shape: Shape,
}

impl HistogramConfiguration {
    /// `num_buckets` buckets of `bucket_width` each. The last one takes all above, too.
    ///
    /// # Panics
    /// If either is zero.
    #[track_caller]
    pub fn linear(bucket_width: Duration, num_buckets: usize) -> Self {
        assert!(
            !bucket_width.is_zero() && num_buckets > 0,
            "`HistogramConfiguration::linear` was given {num_buckets} buckets of \
             {bucket_width:?}: give one or more, of a width above zero"
        );
        Self { shape: Shape::Linear { width: nanoseconds(bucket_width), buckets: num_buckets } }
    }

    /// Buckets whose width grows with their values, so that the relative error stays bounded.
    pub fn log(configuration: impl Into<LogHistogram>) -> Self {
        Self { shape: Shape::Log(configuration.into()) }
    }
}

/// Which duration belongs to which bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Linear {
        width: u64,
        buckets: usize,
    },
    /// The first ends at `first`, a power of two; each further one at twice the one before.
    Doubling {
        first: u64,
        buckets: usize,
    },
    Log(LogHistogram),
}

impl Shape {
    /// What a runtime has whose builder was not told anything else.
    pub(crate) const DEFAULT: Self = Self::Linear { width: 100_000, buckets: 10 };

    fn buckets(self) -> usize {
        match self {
            Self::Linear { buckets, .. } | Self::Doubling { buckets, .. } => buckets,
            Self::Log(log) => log.buckets(),
        }
    }

    fn bucket_of(self, ns: u64) -> usize {
        let (bucket, buckets) = match self {
            Self::Linear { width, buckets } => (ns / width, buckets),
            Self::Doubling { first, buckets } => {
                let doublings = (ns / first).checked_ilog2().map_or(0, |power| power + 1);
                (u64::from(doublings), buckets)
            }
            Self::Log(log) => return log.bucket_of(ns),
        };
        usize::try_from(bucket).unwrap_or(usize::MAX).min(buckets - 1)
    }

    fn range(self, bucket: usize) -> Range<u64> {
        let at = bucket as u64;
        let (start, end) = match self {
            Self::Linear { width, .. } => (width.saturating_mul(at), width.saturating_mul(at + 1)),
            Self::Doubling { first, .. } => {
                let start = if at == 0 { 0 } else { doubled(first, at - 1) };
                (start, doubled(first, at))
            }
            Self::Log(log) => return log.range(bucket),
        };
        start..if bucket + 1 == self.buckets() { u64::MAX } else { end }
    }
}

fn doubled(first: u64, times: u64) -> u64 {
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    2u64.checked_pow(times).and_then(|factor| first.checked_mul(factor)).unwrap_or(u64::MAX)
}

/// What a builder was told of one histogram.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) is_on: bool,
    shape: Shape,
    older: Option<Older>,
}

/// What the older methods of the builder set; once one was called, only these count.
#[derive(Clone, Copy, Debug)]
struct Older {
    scale: HistogramScale,
    width: u64,
    buckets: usize,
}

impl Wanted {
    pub(crate) const OFF: Self = Self { is_on: false, shape: Shape::DEFAULT, older: None };

    pub(crate) fn set(&mut self, configuration: HistogramConfiguration) {
        self.shape = configuration.shape;
    }

    pub(crate) fn set_scale(&mut self, scale: HistogramScale) {
        self.older().scale = scale;
    }

    pub(crate) fn set_resolution(&mut self, resolution: Duration) {
        self.older().width = nanoseconds(resolution);
    }

    pub(crate) fn set_buckets(&mut self, buckets: usize) {
        self.older().buckets = buckets;
    }

    fn older(&mut self) -> &mut Older {
        let none = Older { scale: HistogramScale::Linear, width: 100_000, buckets: 10 };
        self.older.get_or_insert(none)
    }

    /// The buckets of one worker, where the histogram was asked for.
    pub(crate) fn make(&self) -> Option<Histogram> {
        let shape = match self.older {
            None => self.shape,
            Some(Older { scale: HistogramScale::Linear, width, buckets }) => {
                Shape::Linear { width, buckets }
            }
            Some(Older { scale: HistogramScale::Log, width, buckets }) => {
                Shape::Doubling { first: width.next_power_of_two(), buckets }
            }
        };
        self.is_on.then(|| Histogram::new(shape))
    }
}

/// Buckets and what fell into them.
#[derive(Debug)]
pub(crate) struct Histogram {
    shape: Shape,
    counts: Box<[AtomicU64]>,
}

impl Histogram {
    fn new(shape: Shape) -> Self {
        Self { shape, counts: (0..shape.buckets()).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Counts one duration. A poll whose core was taken counts beside its successor.
    pub(crate) fn note(&self, duration: Duration) {
        self.counts[self.shape.bucket_of(nanoseconds(duration))].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn buckets(&self) -> usize {
        self.counts.len()
    }

    /// How many durations fell into a bucket; nothing where there is no such bucket.
    pub(crate) fn count(&self, bucket: usize) -> Option<u64> {
        Some(self.counts.get(bucket)?.load(Ordering::Relaxed))
    }

    /// What belongs to a bucket; nothing where there is no such bucket.
    pub(crate) fn range(&self, bucket: usize) -> Option<Range<Duration>> {
        let _ = self.counts.get(bucket)?;
        let range = self.shape.range(bucket);
        Some(Duration::from_nanos(range.start)..Duration::from_nanos(range.end))
    }
}

/// A duration as the buckets count it; beyond 584 years it is the last number.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value lies in the range of its bucket, and ranges follow each other without a gap.
    fn check(shape: Shape) {
        let mut end = 0;
        for bucket in 0..shape.buckets() {
            let range = shape.range(bucket);
            assert_eq!(range.start, end, "{shape:?} {bucket}");
            assert!(range.start < range.end, "{shape:?} {bucket}");
            assert_eq!(shape.bucket_of(range.start), bucket, "{shape:?}");
            assert_eq!(shape.bucket_of(range.end - 1), bucket, "{shape:?}");
            end = range.end;
        }
        assert_eq!(end, u64::MAX);
        assert_eq!(shape.bucket_of(u64::MAX), shape.buckets() - 1);
    }

    #[test]
    fn values_lie_in_their_buckets_ranges() {
        check(Shape::DEFAULT);
        check(Shape::Linear { width: 1, buckets: 1 });
        for first in [1, 2, 1 << 16] {
            check(Shape::Doubling { first, buckets: 1 });
            check(Shape::Doubling { first, buckets: 12 });
        }
        for precision in 0..=10 {
            let base = LogHistogram::builder().precision_exact(precision);
            check(Shape::Log(base.build()));
            check(Shape::Log(base.min_value(Duration::ZERO).build()));
            check(Shape::Log(base.max_value(Duration::MAX).build()));
            check(Shape::Log(base.min_value(Duration::from_secs(90)).build()));
            check(Shape::Log(base.max_value(Duration::from_nanos(1)).build()));
        }
    }

    #[test]
    fn the_older_methods_win_once_one_was_called() {
        let mut wanted = Wanted { is_on: true, ..Wanted::OFF };
        wanted.set(HistogramConfiguration::linear(Duration::from_nanos(7), 3));
        assert_eq!(wanted.make().map(|made| made.buckets()), Some(3));
        wanted.set_buckets(5);
        wanted.set_scale(HistogramScale::Log);
        wanted.set_resolution(Duration::from_nanos(50_000));
        let made = wanted.make().expect("it is on");
        let first = Duration::from_nanos(65_536);
        assert_eq!((made.buckets(), made.range(1)), (5, Some(first..first * 2)));
        assert_eq!(made.range(5), None);
    }

    #[test]
    fn what_was_noted_is_counted() {
        let mut wanted = Wanted { is_on: true, ..Wanted::OFF };
        wanted.set(HistogramConfiguration::linear(Duration::from_nanos(10), 2));
        let made = wanted.make().expect("it is on");
        [3, 9, 10, u64::MAX].map(Duration::from_nanos).iter().for_each(|ns| made.note(*ns));
        assert_eq!((made.count(0), made.count(1), made.count(2)), (Some(2), Some(2), None));
        assert!(Wanted::OFF.make().is_none());
    }
}
