//! Building a runtime. `builder/observe.rs` has what watches it, `builder/policy.rs` what tunes it.

mod observe;
mod policy;

use crate::blocking::{Job, NameFn, Pool, PoolConfig, Refused, ThreadHook};
use crate::core::Slot;
use crate::current::Current;
use crate::handle::Handle;
use crate::histogram::Wanted;
use crate::hooks::{Hook, Hooks};
use crate::measures::{Histograms, Measures};
use crate::runtime::Runtime;
use crate::seed::RngSeed;
use crate::seize;
use crate::shared::{Config, Flavor, Multi, Parts, Shared};
use crate::stall::StallConfig;
use core::fmt;
use core::time::Duration;
use shinkan_base::atomics;
use shinkan_base::atomics::plain::{AtomicU64, AtomicUsize, Ordering};
use shinkan_base::rng::Rng;
use shinkan_driver::Driver;
use std::io;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CurrentThread,
    MultiThread,
}

/// Builds a [`Runtime`].
///
/// # Examples
/// ```
/// let runtime = shinkan_rt::Builder::new_multi_thread()
///     .worker_threads(2)
///     .thread_name("service")
///     .enable_all()
///     .build()?;
/// runtime.block_on(async {});
/// # std::io::Result::Ok(())
/// ```
pub struct Builder {
    kind: Kind,
    name: Option<String>,
    workers: Option<usize>,
    max_blocking: usize,
    keep_alive: Duration,
    stack_size: Option<usize>,
    thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    on_start: Option<ThreadHook>,
    on_stop: Option<ThreadHook>,
    hooks: Hooks,
    io: bool,
    time: bool,
    event_interval: Option<u32>,
    inject_interval: Option<u32>,
    lifo: bool,
    seed: Option<RngSeed>,
    histograms: Histograms,
    tracks_latency: bool,
    paused: bool,
    shutdown_on_panic: bool,
    may_seize: bool,
    pub(crate) stall: StallConfig,
    /// Its workers are stepped by a caller, who loses no core.
    pub(crate) stepped: bool,
}

impl Builder {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            name: None,
            workers: None,
            max_blocking: 512,
            keep_alive: Duration::from_secs(10),
            stack_size: None,
            thread_name: Arc::new(|| "shinkan-worker".into()),
            on_start: None,
            on_stop: None,
            hooks: Hooks::default(),
            io: false,
            time: false,
            event_interval: None,
            inject_interval: None,
            lifo: true,
            seed: None,
            histograms: Histograms { poll_time: Wanted::OFF, latency: Wanted::OFF },
            tracks_latency: false,
            paused: false,
            shutdown_on_panic: false,
            may_seize: true,
            stall: StallConfig::default(),
            stepped: false,
        }
    }

    /// A runtime whose tasks all run on the thread that calls `block_on`.
    pub fn new_current_thread() -> Self {
        Self::new(Kind::CurrentThread)
    }

    /// A runtime whose tasks run on several threads.
    pub fn new_multi_thread() -> Self {
        Self::new(Kind::MultiThread)
    }

    /// Sockets and timers, both.
    pub fn enable_all(&mut self) -> &mut Self {
        self.enable_io().enable_time()
    }

    /// Sockets.
    pub fn enable_io(&mut self) -> &mut Self {
        self.io = true;
        self
    }

    /// Timers.
    pub fn enable_time(&mut self) -> &mut Self {
        self.time = true;
        self
    }

    /// How many threads poll tasks; by default one for each processor, or what
    /// `TOKIO_WORKER_THREADS` says. No effect on a current-thread runtime.
    ///
    /// # Panics
    /// If `count` is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, count: usize) -> &mut Self {
        assert!(count > 0, "`worker_threads(0)`: a runtime needs at least one worker");
        self.workers = Some(count);
        self
    }

    /// How many threads run blocking closures at once; further ones wait. 512 by default.
    ///
    /// # Panics
    /// If `count` is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, count: usize) -> &mut Self {
        assert!(count > 0, "`max_blocking_threads(0)`: blocking closures need a thread");
        self.max_blocking = count;
        self
    }

    /// How long a thread of the blocking pool waits for work before it ends. 10 s by default.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.keep_alive = duration;
        self
    }

    /// The runtime's name, which its handle tells.
    ///
    /// # Panics
    /// If there is nothing but white space in it.
    #[track_caller]
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        assert!(!name.trim().is_empty(), "`name`: a runtime's name must have a letter or more");
        self.name = Some(name);
        self
    }

    /// The name of every thread of the runtime.
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// A function that names each thread.
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.thread_name = Arc::new(f);
        self
    }

    /// The stack of each thread, in bytes.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.stack_size = Some(bytes);
        self
    }

    /// A function that each thread calls before its first work; spare threads too.
    pub fn on_thread_start<F: Fn() + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.on_start = Some(Arc::new(f));
        self
    }

    /// A function that each thread calls before it ends.
    pub fn on_thread_stop<F: Fn() + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.on_stop = Some(Arc::new(f));
        self
    }

    /// A function that a worker calls before it sleeps.
    pub fn on_thread_park<F: Fn() + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.hooks.before_park = Some(Arc::new(f) as Hook);
        self
    }

    /// A function that a worker calls after it slept.
    pub fn on_thread_unpark<F: Fn() + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.hooks.after_unpark = Some(Arc::new(f) as Hook);
        self
    }

    /// Polls between two looks at sockets and timers while there is work. By default 61 on one
    /// thread, and with several workers as many as take about 200 µs, 61 at most.
    ///
    /// # Panics
    /// If `polls` is 0.
    #[track_caller]
    pub fn event_interval(&mut self, polls: u32) -> &mut Self {
        assert!(polls > 0, "`event_interval(0)`: there must be a poll between two looks");
        self.event_interval = Some(polls);
        self
    }

    /// Polls between two looks at what came from outside while there is work in the worker's own
    /// queue. By default 31 on one thread, and with several workers as many as take about 200 µs.
    ///
    /// # Panics
    /// If `polls` is 0.
    #[track_caller]
    pub fn global_queue_interval(&mut self, polls: u32) -> &mut Self {
        assert!(polls > 0, "`global_queue_interval(0)`: there must be a poll between two looks");
        self.inject_interval = Some(polls);
        self
    }

    /// Kept for programs that set it: the events that one look takes are limited anyway.
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_tick must be non-zero: give at least 1");
        self
    }

    /// As [`Builder::max_io_events_per_tick`].
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_busy_tick must be non-zero: give at least 1");
        self
    }

    /// The runtime's clock stands still from the start, and is moved by `time::advance`, or to
    /// the next deadline when there is nothing else to do. For tests; on one thread alone.
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Self {
        self.paused = start_paused;
        self
    }

    /// Builds the runtime and starts its threads.
    ///
    /// # Errors
    /// Where the operating system gives no descriptor or no thread; what was started has ended.
    ///
    /// # Panics
    /// If `TOKIO_WORKER_THREADS` or `SHINKAN_SEIZE` is set to what is no number; if the clock is
    /// to stand still and there are several workers.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        crate::services::install();
        assert!(
            !self.paused || self.kind == Kind::CurrentThread,
            "`start_paused` was asked of a runtime with several workers: a clock that stands \
             still requires the `current_thread` flavor"
        );
        let driver = Driver::epoll()?;
        if self.paused {
            driver.clock().pause();
        }
        let handle = self.assemble(driver);
        self.start(handle)
    }

    /// The runtime's parts over a driver of the caller's choice; no thread is started.
    pub(crate) fn assemble(&mut self, driver: Driver) -> Handle {
        let seed = self.seed.as_ref().map_or_else(any_seed, RngSeed::as_u64);
        let start = driver.clock().now();
        let start_ns = driver.clock().ns();
        let workers = self.worker_count();
        let name = self.thread_name.clone();
        let blocking = Pool::new(PoolConfig {
            max: self.max_blocking,
            keep_alive: self.keep_alive,
            stack_size: self.stack_size,
            name: Box::new(move || name()) as NameFn,
            on_start: self.on_start.clone(),
            on_stop: self.on_stop.clone(),
        });
        let flavor = match self.kind {
            Kind::CurrentThread => Flavor::Current(Current::new(Measures::new(&self.histograms))),
            Kind::MultiThread => {
                let mut seeds = Rng::new(seed);
                let slot = |index| {
                    let measures = Measures::new(&self.histograms);
                    atomics::Arc::new(Slot::new(index, measures, seeds.next_u64(), start_ns))
                };
                Flavor::Multi(Multi {
                    slots: (0..workers).map(slot).collect(),
                    cores_left: AtomicU64::new(workers as u64),
                })
            }
        };
        let config = Config {
            name: self.name.clone(),
            event_interval: self.event_interval,
            inject_interval: self.inject_interval,
            lifo: self.lifo,
            io: self.io,
            time: self.time,
            seed,
            seize_us: self.seize_pause(),
            stall: self.stall_config(),
            shutdown_on_panic: self.shutdown_on_panic,
            watches_polls: self.watches_polls(),
            tracks_latency: self.tracks_latency,
            is_seeded: self.seed.is_some(),
        };
        Handle::from_arc(Arc::new(Shared::new(Parts {
            flavor,
            config,
            hooks: self.hooks.clone(),
            driver,
            blocking: Arc::new(blocking),
            start,
        })))
    }

    fn start(&self, handle: Handle) -> io::Result<Runtime> {
        let shared = handle.shared();
        if let Flavor::Multi(multi) = &shared.flavor {
            for index in 0..multi.slots.len() {
                let started = shared.blocking.submit(&handle, Job::Core(index));
                if let Err(Refused::Closed(_)) = started {
                    unreachable!("a new pool is open");
                }
                if let Err(Refused::NoThread(_, error)) = started {
                    // The workers that run see the end; the cores that nobody took have none.
                    let missing = (multi.slots.len() - index) as u64;
                    multi.cores_left.fetch_sub(missing, Ordering::AcqRel);
                    drop(Runtime::from_parts(handle.clone(), None));
                    return Err(error);
                }
            }
        }
        let pause = shared.config.seize_us;
        let watched = shared.config.stall.on;
        // A runtime from here on, so that a seizer that cannot start ends the workers.
        let mut runtime = Runtime::from_parts(handle, None);
        if let Some(pause) = pause {
            runtime.seize_every(pause)?;
        }
        if watched {
            let watched = runtime.watch_for_stalls();
            // A runtime of one thread needs no other, and goes on unwatched.
            if self.kind == Kind::MultiThread {
                watched?;
            }
        }
        Ok(runtime)
    }

    /// The environment's random seizures are not for this runtime: it has no threads to lose cores
    /// to, or takes them itself and counts.
    #[doc(hidden)]
    pub fn no_seizing(&mut self) -> &mut Self {
        self.may_seize = false;
        self
    }

    pub(crate) fn is_current_thread(&self) -> bool {
        self.kind == Kind::CurrentThread
    }

    fn seize_pause(&self) -> Option<u64> {
        if !self.may_seize || self.kind == Kind::CurrentThread {
            return None;
        }
        seize::pause_from_environment()
    }

    fn stall_config(&self) -> StallConfig {
        let mut config = self.stall.with_environment();
        config.on &= !self.stepped;
        config
    }

    fn worker_count(&self) -> usize {
        if self.kind == Kind::CurrentThread {
            return 1;
        }
        self.workers.or_else(workers_from_environment).unwrap_or_else(|| {
            static CORES: AtomicUsize = AtomicUsize::new(0);
            // Asked once a process: the answer takes several system calls.
            match CORES.load(Ordering::Relaxed) {
                0 => {
                    let cores = shinkan_sys::threads::available_parallelism().max(1);
                    CORES.store(cores, Ordering::Relaxed);
                    cores
                }
                cores => cores,
            }
        })
    }
}

fn workers_from_environment() -> Option<usize> {
    let value = shinkan_sys::env::var("TOKIO_WORKER_THREADS")?;
    let text = value.to_string_lossy();
    match text.parse() {
        Ok(count) if count > 0 => Some(count),
        _ => panic!("TOKIO_WORKER_THREADS is `{text}`: it must be a number above 0"),
    }
}

fn any_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0u8)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &self.kind)
            .field("worker_threads", &self.workers)
            .field("max_blocking_threads", &self.max_blocking)
            .field("io", &self.io)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
