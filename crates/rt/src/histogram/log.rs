//! The logarithmic shape: a histogram of the kind that is called H2
//! (<https://iop.systems/blog/h2-histogram/>).
//!
//! With precision `p` each power of two from `2^p` on is split into `2^p` buckets of one width, so
//! a value is known to `2^-p` of itself. In binary: a bucket's number holds the value's highest
//! `p + 1` digits and how many digits follow. Two changes to that: all buckets below the smallest
//! value of interest are one, the first; and the last goes up to the largest number.

use super::nanoseconds;
use core::fmt;
use core::ops::Range;
use core::time::Duration;
use std::error::Error;

/// Precision goes up to one in 1024.
const PRECISION_MAX: u32 = 10;
const PRECISION: u32 = 2;
const MIN_VALUE: Duration = Duration::from_nanos(100);
const MAX_VALUE: Duration = Duration::from_secs(60);

/// Buckets whose width grows with their values. Made by its [builder](LogHistogram::builder).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHistogram {
    precision: u32,
    /// So many of the whole scale's buckets are part of the first one, beside its own.
    skipped: usize,
    buckets: usize,
}

/// Says what a [`LogHistogram`] should tell apart: from 100 ns to 60 s to a quarter, unless it is
/// told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogHistogramBuilder {
    precision: Option<u32>,
    min_value: Option<Duration>,
    max_value: Option<Duration>,
}

/// What was asked of a histogram cannot be had.
#[derive(Debug)]
pub enum InvalidHistogramConfiguration {
    /// It takes more buckets than it may have.
    TooManyBuckets {
        /// So many it takes.
        required_bucket_count: usize,
    },
}

/// The bucket of a value in the whole scale.
fn index(value: u64, precision: u32) -> usize {
    // Digits behind the highest `precision + 1`.
    let dropped = value.checked_ilog2().unwrap_or(0).saturating_sub(precision);
    ((u64::from(dropped) << precision) + (value >> dropped)) as usize
}

/// The smallest value of a bucket of the whole scale; nothing behind the last one.
fn start(index: usize, precision: u32) -> Option<u64> {
    let index = index as u64;
    let dropped = (index >> precision).saturating_sub(1);
    let highest = index - (dropped << precision);
    let value = u128::from(highest) << u32::try_from(dropped).ok().filter(|d| *d < 64)?;
    u64::try_from(value).ok()
}

impl LogHistogram {
    /// A builder with the defaults.
    pub fn builder() -> LogHistogramBuilder {
        LogHistogramBuilder::default()
    }

    /// The first value, in nanoseconds, that falls into the last bucket, which has no end.
    pub fn max_value(&self) -> u64 {
        self.range(self.buckets - 1).start
    }

    pub(crate) fn buckets(self) -> usize {
        self.buckets
    }

    pub(crate) fn bucket_of(self, ns: u64) -> usize {
        index(ns, self.precision).saturating_sub(self.skipped).min(self.buckets - 1)
    }

    pub(crate) fn range(self, bucket: usize) -> Range<u64> {
        let at = |bucket| start(bucket + self.skipped, self.precision).unwrap_or(u64::MAX);
        let from = if bucket == 0 { 0 } else { at(bucket) };
        from..if bucket + 1 == self.buckets { u64::MAX } else { at(bucket + 1) }
    }
}

impl Default for LogHistogram {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl From<LogHistogramBuilder> for LogHistogram {
    fn from(builder: LogHistogramBuilder) -> Self {
        builder.build()
    }
}

impl LogHistogramBuilder {
    /// A value is to be known to this fraction of itself. The next finer power of two is taken,
    /// between a quarter and one in 1024; [`LogHistogramBuilder::precision_exact`] takes coarser
    /// ones, too.
    ///
    /// # Panics
    /// If `max_error` is not between 0 and 1.
    #[track_caller]
    pub fn max_error(mut self, max_error: f64) -> Self {
        assert!(
            max_error > 0.0 && max_error < 1.0,
            "`max_error({max_error})`: an error is a fraction between 0 and 1, such as 0.25"
        );
        let fine = |precision: &u32| 1.0 / f64::from(1u32 << precision) <= max_error;
        self.precision = (PRECISION..PRECISION_MAX).find(fine).or(Some(PRECISION_MAX));
        self
    }

    /// A value is to be known to `2^-p` of itself; with 0 each bucket is twice as wide as the one
    /// before.
    ///
    /// # Panics
    /// If `p` is above 10.
    #[track_caller]
    pub fn precision_exact(mut self, p: u32) -> Self {
        assert!(
            p <= PRECISION_MAX,
            "`precision_exact({p})`: the finest precision is {PRECISION_MAX}"
        );
        self.precision = Some(p);
        self
    }

    /// Durations below this need not be told apart. The first bucket ends here, or a little
    /// before.
    pub fn min_value(mut self, duration: Duration) -> Self {
        self.min_value = Some(duration);
        self
    }

    /// Durations above this need not be told apart: they are in the last bucket, which starts
    /// here, or a little behind.
    ///
    /// # Panics
    /// If it is zero.
    #[track_caller]
    pub fn max_value(mut self, duration: Duration) -> Self {
        assert!(!duration.is_zero(), "`max_value(0)`: every duration would be above the largest");
        self.max_value = Some(duration);
        self
    }

    /// The histogram, if it takes no more than `max_buckets`.
    ///
    /// # Errors
    /// It takes more; the error says how many.
    pub fn max_buckets(
        &mut self,
        max_buckets: usize,
    ) -> Result<LogHistogram, InvalidHistogramConfiguration> {
        let built = self.build();
        if built.buckets > max_buckets {
            let required_bucket_count = built.buckets;
            return Err(InvalidHistogramConfiguration::TooManyBuckets { required_bucket_count });
        }
        Ok(built)
    }

    /// The histogram.
    pub fn build(&self) -> LogHistogram {
        let precision = self.precision.unwrap_or(PRECISION);
        // One bucket finer than the smallest value, so that the first ends at it or before.
        let smallest = index(nanoseconds(self.min_value.unwrap_or(MIN_VALUE)), precision);
        let skipped = smallest.saturating_sub(1);
        let largest = nanoseconds(self.max_value.unwrap_or(MAX_VALUE));
        let mut last = index(largest, precision);
        if start(last, precision).is_some_and(|from| from < largest)
            && start(last + 1, precision).is_some()
        {
            last += 1;
        }
        // A largest value below the smallest leaves two buckets: below and above the smallest.
        let buckets = last.max(skipped + 1) - skipped + 1;
        LogHistogram { precision, skipped, buckets }
    }
}

impl fmt::Display for InvalidHistogramConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::TooManyBuckets { required_bucket_count } = self;
        write!(
            f,
            "the histogram takes {required_bucket_count} buckets, more than it may have: ask for \
             less precision or a narrower range"
        )
    }
}

impl Error for InvalidHistogramConfiguration {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_by_what_is_asked() {
        let builder = LogHistogram::builder();
        assert_eq!(LogHistogram::default().buckets(), 119);
        assert_eq!(builder.max_error(0.25).build().buckets(), 119);
        let (min, max) = (Duration::from_micros(20), Duration::from_millis(4));
        assert_eq!(builder.min_value(min).max_value(max).precision_exact(0).build().buckets(), 10);
        let error = builder.max_error(0.001).max_buckets(5).unwrap_err();
        assert!(error.to_string().contains("27291 buckets"), "{error}");
        assert_eq!(builder.max_error(0.000_01).max_buckets(27_291).unwrap().precision, 10);
    }

    #[test]
    fn the_range_of_interest_is_told_apart() {
        for (min, max) in [(1, 10_000), (100, 60_000_000_000), (4096, 8192), (77, 78)] {
            for precision in 0..=10 {
                let built = LogHistogram::builder()
                    .min_value(Duration::from_nanos(min))
                    .max_value(Duration::from_nanos(max))
                    .precision_exact(precision)
                    .build();
                assert!(built.range(0).end <= min.max(1), "{built:?}");
                assert!(built.max_value() >= max, "{built:?}");
                for bucket in 1..built.buckets() - 1 {
                    let range = built.range(bucket);
                    assert!(
                        (range.end - range.start) << precision <= range.start.max(1 << precision)
                    );
                }
            }
        }
    }
}
