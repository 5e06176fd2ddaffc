//! What watches a runtime: hooks around its tasks, and histograms. All of it is off unless it is
//! asked for, and costs a poll one look at a flag then.

use crate::builder::Builder;
use crate::histogram::{HistogramConfiguration, HistogramScale};
use crate::hooks::TaskMeta;
use core::time::Duration;
use std::sync::Arc;

impl Builder {
    /// A function that is called for each task that is spawned, by who spawns it, before the task
    /// can run. Its panics are the spawner's. Closures of `spawn_blocking` and the tasks of a
    /// `LocalSet` are none of the runtime's tasks; those of a `LocalRuntime` are.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let spawned = Arc::new(AtomicUsize::new(0));
    /// let count = spawned.clone();
    /// let runtime = shinkan_rt::Builder::new_current_thread()
    ///     .on_task_spawn(move |task| {
    ///         assert!(task.spawned_at().line() > 0);
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .build()?;
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// assert_eq!(spawned.load(Ordering::Relaxed), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.on_spawn = Some(Arc::new(f));
        self
    }

    /// A function that a worker calls before each poll of a task. A panic of it is printed and
    /// changes nothing.
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.before_poll = Some(Arc::new(f));
        self
    }

    /// A function that a worker calls after each poll of a task, also of one that has ended by it.
    /// A panic of it is printed and changes nothing.
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.after_poll = Some(Arc::new(f));
        self
    }

    /// A function that is called for each task that has ended, whether it gave its output, panicked
    /// or was cancelled: after its future was dropped, and before its join handle can tell. A panic
    /// of it is printed and changes nothing.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let ended = Arc::new(AtomicUsize::new(0));
    /// let count = ended.clone();
    /// let runtime = shinkan_rt::Builder::new_current_thread()
    ///     .on_task_terminate(move |_| {
    ///         count.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .build()?;
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// assert_eq!(ended.load(Ordering::Relaxed), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.on_end = Some(Arc::new(f));
        self
    }

    /// Tasks know how long they waited in a queue: [`TaskMeta::schedule_latency`] tells the hooks
    /// around their polls. Costs a second allocation a task, and two looks at the clock a poll.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_current_thread()
    ///     .track_task_schedule_latency()
    ///     .on_before_task_poll(|task| {
    ///         let waited = task.schedule_latency().expect("it is tracked");
    ///         println!("task {} waited {waited:?}", task.id());
    ///     })
    ///     .build()?;
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn track_task_schedule_latency(&mut self) -> &mut Self {
        self.tracks_latency = true;
        self
    }

    /// Counts how long tasks wait in a queue, by worker and in buckets; implies
    /// [`Builder::track_task_schedule_latency`], and costs what that costs.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_current_thread()
    ///     .enable_metrics_schedule_latency_histogram()
    ///     .build()?;
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// let metrics = runtime.metrics();
    /// let buckets = 0..metrics.schedule_latency_histogram_num_buckets();
    /// let count = |bucket| metrics.schedule_latency_histogram_bucket_count(0, bucket);
    /// assert_eq!(buckets.map(count).sum::<u64>(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn enable_metrics_schedule_latency_histogram(&mut self) -> &mut Self {
        self.histograms.latency.is_on = true;
        self.track_task_schedule_latency()
    }

    /// The buckets of the histogram that
    /// [`Builder::enable_metrics_schedule_latency_histogram`] turns on. By default ten of 100 µs
    /// each, the last without an end.
    pub fn metrics_schedule_latency_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Self {
        self.histograms.latency.set(configuration);
        self
    }

    /// Counts how long polls of tasks take, by worker and in buckets. Costs two looks at the clock a
    /// poll.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .build()?;
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// let metrics = runtime.metrics();
    /// let buckets = 0..metrics.poll_time_histogram_num_buckets();
    /// let count = |bucket| metrics.poll_time_histogram_bucket_count(0, bucket);
    /// assert_eq!(buckets.map(count).sum::<u64>(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn enable_metrics_poll_time_histogram(&mut self) -> &mut Self {
        self.histograms.poll_time.is_on = true;
        self
    }

    /// The buckets of the histogram that [`Builder::enable_metrics_poll_time_histogram`] turns on.
    /// By default ten of 100 µs each, the last without an end.
    ///
    /// # Examples
    /// ```
    /// use shinkan_rt::{HistogramConfiguration, LogHistogram};
    ///
    /// let runtime = shinkan_rt::Builder::new_current_thread()
    ///     .enable_metrics_poll_time_histogram()
    ///     .metrics_poll_time_histogram_configuration(HistogramConfiguration::log(
    ///         LogHistogram::default(),
    ///     ))
    ///     .build()?;
    /// assert_eq!(runtime.metrics().poll_time_histogram_num_buckets(), 119);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn metrics_poll_time_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Self {
        self.histograms.poll_time.set(configuration);
        self
    }

    /// The older name of [`Builder::enable_metrics_poll_time_histogram`].
    #[deprecated = "renamed to `enable_metrics_poll_time_histogram`"]
    #[doc(hidden)]
    pub fn enable_metrics_poll_count_histogram(&mut self) -> &mut Self {
        self.enable_metrics_poll_time_histogram()
    }

    /// How the buckets of the poll times grow. Once this or one of the two below is called,
    /// [`Builder::metrics_poll_time_histogram_configuration`] has no effect.
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    pub fn metrics_poll_count_histogram_scale(
        &mut self,
        histogram_scale: HistogramScale,
    ) -> &mut Self {
        self.histograms.poll_time.set_scale(histogram_scale);
        self
    }

    /// How wide the buckets of the poll times are; with [`HistogramScale::Log`] the first one,
    /// rounded up to a power of two of nanoseconds. 100 µs by default.
    ///
    /// # Panics
    /// If it is zero or above a second.
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    #[track_caller]
    pub fn metrics_poll_count_histogram_resolution(&mut self, resolution: Duration) -> &mut Self {
        assert!(
            !resolution.is_zero() && resolution <= Duration::from_secs(1),
            "`metrics_poll_count_histogram_resolution({resolution:?})`: give a width above zero, \
             and a second at most"
        );
        self.histograms.poll_time.set_resolution(resolution);
        self
    }

    /// How many buckets of poll times there are. 10 by default.
    ///
    /// # Panics
    /// If it is zero.
    #[deprecated = "use `metrics_poll_time_histogram_configuration`"]
    #[track_caller]
    pub fn metrics_poll_count_histogram_buckets(&mut self, buckets: usize) -> &mut Self {
        assert!(buckets > 0, "`metrics_poll_count_histogram_buckets(0)`: give one or more");
        self.histograms.poll_time.set_buckets(buckets);
        self
    }

    /// Whether something is done before or after each poll of a task.
    pub(super) fn watches_polls(&self) -> bool {
        self.hooks.before_poll.is_some()
            || self.hooks.after_poll.is_some()
            || self.histograms.poll_time.is_on
            || self.histograms.latency.is_on
    }
}
