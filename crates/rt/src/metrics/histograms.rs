//! The histograms of a runtime: how long polls take, and how long tasks wait for one.

use crate::histogram::Histogram;
use crate::measures::Measures;
use crate::metrics::RuntimeMetrics;
use core::ops::Range;
use core::time::Duration;

type Which = fn(&Measures) -> Option<&Histogram>;

const POLL_TIME: Which = |measures| measures.poll_time.as_ref();
const LATENCY: Which = |measures| measures.latency.as_ref();

impl RuntimeMetrics {
    fn buckets(&self, which: Which) -> usize {
        which(self.worker(0).1).map_or(0, Histogram::buckets)
    }

    #[track_caller]
    fn range(&self, which: Which, bucket: usize) -> Range<Duration> {
        let Some(histogram) = which(self.worker(0).1) else {
            return Duration::ZERO..Duration::ZERO;
        };
        match histogram.range(bucket) {
            Some(range) => range,
            None => no_bucket(bucket, histogram),
        }
    }

    #[track_caller]
    fn count(&self, which: Which, worker: usize, bucket: usize) -> u64 {
        let Some(histogram) = which(self.worker(worker).1) else { return 0 };
        match histogram.count(bucket) {
            Some(count) => count,
            None => no_bucket(bucket, histogram),
        }
    }

    /// Whether the builder was asked to count how long polls take:
    /// [`Builder::enable_metrics_poll_time_histogram`](crate::Builder::enable_metrics_poll_time_histogram).
    pub fn poll_time_histogram_enabled(&self) -> bool {
        POLL_TIME(self.worker(0).1).is_some()
    }

    /// How many buckets there are for poll times. 0 where they are not counted.
    pub fn poll_time_histogram_num_buckets(&self) -> usize {
        self.buckets(POLL_TIME)
    }

    /// Which poll times a bucket counts; the last bucket has no end. An empty range where they are
    /// not counted.
    ///
    /// # Panics
    /// If there is no such bucket.
    #[track_caller]
    pub fn poll_time_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.range(POLL_TIME, bucket)
    }

    /// How many polls of worker `worker` took as long as a bucket says. 0 where they are not
    /// counted.
    ///
    /// # Panics
    /// If there is no such worker or bucket.
    #[track_caller]
    pub fn poll_time_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.count(POLL_TIME, worker, bucket)
    }

    /// Whether the builder was asked to count how long tasks wait in a queue: see
    /// [`Builder::enable_metrics_schedule_latency_histogram`](crate::Builder::enable_metrics_schedule_latency_histogram).
    pub fn schedule_latency_histogram_enabled(&self) -> bool {
        LATENCY(self.worker(0).1).is_some()
    }

    /// How many buckets there are for the times in a queue. 0 where they are not counted.
    pub fn schedule_latency_histogram_num_buckets(&self) -> usize {
        self.buckets(LATENCY)
    }

    /// Which times in a queue a bucket counts; the last bucket has no end. An empty range where
    /// they are not counted.
    ///
    /// # Panics
    /// If there is no such bucket.
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.range(LATENCY, bucket)
    }

    /// How many tasks that worker `worker` polled had waited as long as a bucket says. 0 where that
    /// is not counted.
    ///
    /// # Panics
    /// If there is no such worker or bucket.
    #[track_caller]
    pub fn schedule_latency_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.count(LATENCY, worker, bucket)
    }

    /// The older name of [`RuntimeMetrics::poll_time_histogram_enabled`].
    #[deprecated = "renamed to `poll_time_histogram_enabled`"]
    #[doc(hidden)]
    pub fn poll_count_histogram_enabled(&self) -> bool {
        self.poll_time_histogram_enabled()
    }

    /// The older name of [`RuntimeMetrics::poll_time_histogram_num_buckets`].
    #[deprecated = "renamed to `poll_time_histogram_num_buckets`"]
    #[doc(hidden)]
    pub fn poll_count_histogram_num_buckets(&self) -> usize {
        self.poll_time_histogram_num_buckets()
    }

    /// The older name of [`RuntimeMetrics::poll_time_histogram_bucket_range`].
    #[deprecated = "renamed to `poll_time_histogram_bucket_range`"]
    #[doc(hidden)]
    #[track_caller]
    pub fn poll_count_histogram_bucket_range(&self, bucket: usize) -> Range<Duration> {
        self.poll_time_histogram_bucket_range(bucket)
    }

    /// The older name of [`RuntimeMetrics::poll_time_histogram_bucket_count`].
    #[deprecated = "renamed to `poll_time_histogram_bucket_count`"]
    #[doc(hidden)]
    #[track_caller]
    pub fn poll_count_histogram_bucket_count(&self, worker: usize, bucket: usize) -> u64 {
        self.poll_time_histogram_bucket_count(worker, bucket)
    }
}

#[cold]
#[track_caller]
fn no_bucket(bucket: usize, histogram: &Histogram) -> ! {
    panic!(
        "there is no bucket {bucket}: the histogram has {}, the first of which is 0",
        histogram.buckets()
    )
}
