//! What all threads of a runtime share, and the numbers it was built with.

use crate::blocking::Pool;
use crate::core::Slot;
use crate::current::Current;
use crate::fate::Fate;
use crate::hooks::Hooks;
use crate::idle::{Bell, Duty, Idle};
use crate::inject::Inject;
use crate::nap::Arrivals;
use crate::stall::StallConfig;
use crate::watch::Watch;
use shinkan_base::atomics::plain::{AtomicBool, AtomicU64, Ordering};
use shinkan_base::atomics::{self, Mutex};
use shinkan_base::pad::Padded;
use shinkan_base::wakers::Wakers;
use shinkan_driver::Driver;
use shinkan_sys::clock::COARSE_BEHIND_NS;
use shinkan_sys::park;
use shinkan_task::Registry;
use shinkan_wheel::Shard;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

/// What the builder decided.
pub(crate) struct Config {
    pub(crate) name: Option<String>,
    /// Steps between two looks at the driver and the timers; as below.
    pub(crate) event_interval: Option<u32>,
    /// Steps between two looks at the inject queue while there is work in the worker's own, where
    /// the builder was told; else it is learned (`pace.rs`). One thread takes the default.
    pub(crate) inject_interval: Option<u32>,
    pub(crate) lifo: bool,
    pub(crate) io: bool,
    pub(crate) time: bool,
    pub(crate) seed: u64,
    /// Microseconds between two seizures of a random core; the test mode of the handshake.
    pub(crate) seize_us: Option<u64>,
    pub(crate) stall: StallConfig,
    pub(crate) shutdown_on_panic: bool,
    /// Something is done before or after each poll of a task: see `hooks.rs`.
    pub(crate) watches_polls: bool,
    /// Tasks know when they were queued.
    pub(crate) tracks_latency: bool,
    /// The seed was given, and so decides also what programs draw.
    pub(crate) is_seeded: bool,
}

pub(crate) struct Multi {
    /// Each by itself, so that its worker reaches it in one step.
    pub(crate) slots: Box<[atomics::Arc<Slot>]>,
    /// Cores whose holders have not yet seen the end.
    pub(crate) cores_left: AtomicU64,
}

// One a runtime, reached at each poll: a box would save nothing and cost a step.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Flavor {
    Multi(Multi),
    Current(Current),
}

pub(crate) struct Shared {
    pub(crate) flavor: Flavor,
    pub(crate) config: Config,
    pub(crate) hooks: Hooks,
    pub(crate) driver: Driver,
    pub(crate) registry: Registry,
    pub(crate) inject: Inject,
    pub(crate) blocking: Arc<Pool>,
    idle: Idle,
    pub(crate) watch: Watch,
    pub(crate) arrivals: Arrivals,
    pub(crate) duty: Padded<Duty>,
    /// Timers of sleeps that are polled off the workers; a current-thread runtime's only wheel.
    pub(crate) timers: Shard,
    /// What tick 0 of every wheel means.
    pub(crate) start: Instant,
    /// The same, or a little before, in the clock's nanoseconds: what they say has passed is not less
    /// than what instants say.
    start_ns: u64,
    /// The same, or a little before, on the clock's coarse hand.
    coarse_start_ns: u64,
    pub(crate) asymmetric: bool,
    pub(crate) id: u64,
    closed: AtomicBool,
    pub(crate) forced_yields: AtomicU64,
    /// Seeded sequences that were begun by threads that are no workers.
    pub(crate) sequences: AtomicU64,
    pub(crate) fate: Fate,
    /// The tasks of a local runtime that need not be `Send`.
    pub(crate) local: OnceLock<Weak<crate::local::Shared>>,
    pub(crate) seizures: AtomicU64,
    /// Held by the one monitor while it decides, and by the end of the runtime.
    pub(crate) monitor: Mutex<()>,
}

impl Bell for Driver {
    fn ring(&self) {
        Driver::ring(self);
    }

    fn take(&self) -> bool {
        self.take_bell()
    }
}

pub(crate) struct Parts {
    pub(crate) flavor: Flavor,
    pub(crate) config: Config,
    pub(crate) hooks: Hooks,
    pub(crate) driver: Driver,
    pub(crate) blocking: Arc<Pool>,
    pub(crate) start: Instant,
}

/// In seconds. Three of them are less than what 64 bits of nanoseconds hold.
const CENTURY: u64 = 100 * 366 * 86_400;

/// The number of a new runtime, or of a set of local tasks.
pub(crate) fn next_id() -> u64 {
    static IDS: AtomicU64 = AtomicU64::new(1);
    IDS.fetch_add(1, Ordering::Relaxed)
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let workers = match &parts.flavor {
            Flavor::Multi(multi) => multi.slots.len(),
            Flavor::Current(_) => 1,
        };
        let clock = parts.driver.clock();
        let coarse_ns = clock.coarse_ns().unwrap_or(0);
        let now_ns = clock.now_ns().unwrap_or(0);
        let passed = clock.now().saturating_duration_since(parts.start);
        let passed_ns = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
        Self {
            flavor: parts.flavor,
            config: parts.config,
            hooks: parts.hooks,
            driver: parts.driver,
            registry: Registry::new(4 * workers),
            inject: Inject::new(),
            blocking: parts.blocking,
            idle: Idle::new(u32::try_from(workers).expect("checked by the builder")),
            watch: Watch::new(),
            arrivals: Arrivals::default(),
            duty: Padded(Duty::new()),
            timers: Shard::new(0, park::pause),
            start: parts.start,
            start_ns: now_ns.saturating_sub(passed_ns),
            coarse_start_ns: coarse_ns.saturating_sub(passed_ns),
            asymmetric: shinkan_sys::membarrier::supported(),
            id: next_id(),
            closed: AtomicBool::new(false),
            forced_yields: AtomicU64::new(0),
            sequences: AtomicU64::new(0),
            fate: Fate::default(),
            local: OnceLock::new(),
            seizures: AtomicU64::new(0),
            monitor: Mutex::new(()),
        }
    }

    /// The several workers' part. Called only where the flavor is known.
    #[inline]
    pub(crate) fn multi(&self) -> &Multi {
        match &self.flavor {
            Flavor::Multi(multi) => multi,
            Flavor::Current(_) => unreachable!("a current-thread runtime has no cores"),
        }
    }

    #[inline]
    pub(crate) fn idle(&self) -> &Idle {
        &self.idle
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The runtime ends: no task starts any more, and every worker comes to see it. True for the
    /// first caller.
    pub(crate) fn close(&self) -> bool {
        self.closed.store(true, Ordering::SeqCst);
        let first = self.inject.close();
        self.idle.wake_all(&self.driver);
        first
    }

    /// The driver and all timers end: who waits for them is woken and told. True: there is more
    /// than a batch; wake these and call again.
    pub(crate) fn close_resources(&self, wakers: &mut Wakers) -> bool {
        self.driver.shutdown(wakers);
        self.timers.close(wakers)
            || match &self.flavor {
                Flavor::Current(_) => false,
                Flavor::Multi(multi) => multi.slots.iter().any(|slot| slot.timers.close(wakers)),
            }
    }

    /// A task panicked: the runtime ends where it was built to.
    pub(crate) fn panicked(&self) {
        if self.config.shutdown_on_panic {
            self.fate.seal();
            self.close();
            self.fate.tell();
        }
    }

    /// The ticks that have passed, rounded down: what is due now.
    #[inline]
    pub(crate) fn now_tick(&self) -> u64 {
        let passed = self.driver.clock().now().saturating_duration_since(self.start);
        milliseconds(passed, passed.subsec_millis())
    }

    /// The tick at which `deadline` has passed for certain: rounded up.
    // Not a part of each poll of a sleep, most of which do not need it.
    #[inline(never)]
    pub(crate) fn deadline_tick(&self, deadline: Instant) -> u64 {
        let left = deadline.saturating_duration_since(self.start);
        let ticks = milliseconds(left, left.subsec_nanos().div_ceil(1_000_000));
        // The last tick means "never" to the wheels.
        ticks.min(u64::MAX - 1)
    }

    /// The nanoseconds from the start to the end of `duration` that begins now. Nothing where the
    /// clock was ever paused or `duration` is more than a century: then instants say it.
    #[inline]
    pub(crate) fn ns_after(&self, duration: Duration) -> Option<u64> {
        let seconds = duration.as_secs();
        if seconds > CENTURY {
            return None;
        }
        let passed = self.driver.clock().now_ns()?.saturating_sub(self.start_ns);
        Some(passed + seconds * 1_000_000_000 + u64::from(duration.subsec_nanos()))
    }

    /// The earliest tick for which any wheel of the runtime has to be turned.
    pub(crate) fn next_deadline(&self) -> u64 {
        let shared = self.timers.next_deadline();
        match &self.flavor {
            Flavor::Current(_) => shared,
            Flavor::Multi(multi) => {
                multi.slots.iter().map(|slot| slot.timers.next_deadline()).fold(shared, u64::min)
            }
        }
    }

    /// Turns the wheels that have something due; a worker that wakes does it for busy ones too.
    /// True: there is more than a batch; wake these and call again.
    #[inline]
    pub(crate) fn fire_due(&self, wakers: &mut Wakers) -> bool {
        let next = self.next_deadline();
        next != u64::MAX && self.fire_due_slow(next, wakers)
    }

    fn fire_due_slow(&self, next: u64, wakers: &mut Wakers) -> bool {
        let now = self.now_tick();
        if next > now {
            return false;
        }
        self.timers.fire(now, wakers)
            || match &self.flavor {
                Flavor::Current(_) => false,
                Flavor::Multi(multi) => {
                    multi.slots.iter().any(|slot| slot.timers.fire(now, wakers))
                }
            }
    }

    /// Whether nothing is due for certain, by a look at the clock that costs little.
    #[inline]
    pub(crate) fn nothing_is_due(&self) -> bool {
        let next = self.next_deadline();
        next == u64::MAX
            || self.driver.clock().coarse_ns().is_some_and(|ns| {
                let passed =
                    ns.saturating_sub(self.coarse_start_ns).saturating_add(COARSE_BEHIND_NS);
                next > passed / 1_000_000
            })
    }

    /// How long a sleeper may wait for `tick`; nothing for ever.
    pub(crate) fn until(&self, tick: u64) -> Option<Duration> {
        if tick == u64::MAX {
            return None;
        }
        let at = self.start.checked_add(Duration::from_millis(tick))?;
        Some(at.saturating_duration_since(self.driver.clock().now()))
    }
}

/// Whole seconds of `time`, and `rest` of the last one. Without the 128 bits of `as_millis`.
#[inline]
fn milliseconds(time: Duration, rest: u32) -> u64 {
    time.as_secs().saturating_mul(1_000).saturating_add(rest.into())
}
