//! The runtime: workers and their cores, who sleeps and who is woken, timers, the blocking pool.
//!
//! The way of one wake-up: `worker` turns the driver, which sets readiness and hands out wakers;
//! `task` makes the transition and calls `schedule`, which queues the task and wakes a sleeper if
//! one is needed; back in `worker` it is polled. `HANDSHAKE.md` and `IDLE.md` in `src/` have the
//! arguments of the two protocols between threads.
//!
//! Never imports net, time, sync or any other room of the API; enters the kernel through `sys` and
//! `driver` alone.

#![deny(unsafe_code)]

pub mod alarm;
#[cfg(not(shinkan_unwatched))]
pub mod handshake;
pub mod idle;
pub mod local;

mod blocking;
mod builder;
#[cfg(not(any(shinkan_unwatched, shinkan_unmonitored)))]
mod calls;
#[cfg(any(shinkan_unwatched, shinkan_unmonitored))]
#[path = "unsaid.rs"]
mod calls;
mod clock;
mod closure;
mod core;
mod current;
mod enter;
mod fate;
mod guests;
mod handle;
#[cfg(shinkan_unwatched)]
#[path = "unwatched.rs"]
mod handshake;
mod histogram;
mod hooks;
mod inject;
mod letters;
mod look;
mod measures;
mod metrics;
mod monitor;
mod multi;
mod namer;
mod naming;
mod nap;
mod pace;
mod relief;
mod reporter;
mod runtime;
mod schedule;
mod scheduler;
mod seated;
mod seed;
mod seize;
mod services;
mod shared;
mod spawn;
mod spin;
mod stack;
mod stall;
mod stall_sink;
mod stepper;
#[cfg(not(feature = "stacks"))]
#[path = "no_taker.rs"]
mod taker;
#[cfg(feature = "stacks")]
mod taker;
mod tenure;
mod threads;
mod timer;
mod verdict;
mod watch;
mod watched;
mod worker;
mod yield_now;

pub use builder::Builder;
pub use enter::{EnterGuard, with_current};
pub use fate::UnhandledPanic;
pub use handle::{Handle, Id, RuntimeFlavor, TryCurrentError};
pub use histogram::{
    HistogramConfiguration, HistogramScale, InvalidHistogramConfiguration, LogHistogram,
    LogHistogramBuilder,
};
pub use hooks::TaskMeta;
pub use metrics::RuntimeMetrics;
pub use multi::block_in_place;
pub use runtime::Runtime;
pub use seated::worker_index;
pub use seed::RngSeed;
pub use shinkan_driver::is_rt_shutdown_err;
pub use spawn::{AtTheEnd, NotTaken, spawn, spawn_blocking, spawn_operation, takes_operations};
pub use stack::{StallFrame, StallStack};
pub use stall::{Stall, StallIn, StallKind};
pub use stepper::Stepper;
pub use timer::{Limit, Timer, now};
pub use yield_now::yield_now;
