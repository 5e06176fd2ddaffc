//! What is measured of one round.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use std::time::{Duration, Instant};

use crate::allocations::{self, Count};

/// What one operation cost in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Nanoseconds of wall time.
    pub(crate) wall: f64,
    /// Nanoseconds of CPU time, user and kernel, of all threads of the process.
    pub(crate) cpu: f64,
    /// The part of it in user space.
    pub(crate) user: f64,
    /// Allocations, where they are counted.
    pub(crate) allocations: f64,
    /// Bytes that those allocations asked for.
    pub(crate) bytes: f64,
    /// Where a load generator measured them.
    pub(crate) latency: Option<Latency>,
}

/// Nanoseconds that so many of the messages stayed below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// The moment at which a measurement starts.
pub(crate) struct Mark {
    wall: Instant,
    cpu: Cpu,
    count: Count,
}

impl Mark {
    pub(crate) fn now() -> Mark {
        Mark { count: allocations::count(), cpu: Cpu::now(), wall: Instant::now() }
    }

    pub(crate) fn sample(self, ops: u64) -> Sample {
        let wall = self.wall.elapsed();
        self.sample_of(ops, wall, None)
    }

    /// Where another process has measured the time.
    pub(crate) fn sample_of(self, ops: u64, wall: Duration, latency: Option<Latency>) -> Sample {
        let cpu = Cpu::now();
        let count = allocations::count();
        let per = |value: f64| value / ops as f64;
        Sample {
            wall: per(wall.as_nanos() as f64),
            cpu: per(cpu.all - self.cpu.all),
            user: per(cpu.user - self.cpu.user),
            allocations: per((count.calls - self.count.calls) as f64),
            bytes: per((count.bytes - self.count.bytes) as f64),
            latency,
        }
    }
}

/// CPU time of this process in nanoseconds. The sum is exact; the kernel splits it by samples.
struct Cpu {
    all: f64,
    user: f64,
}

impl Cpu {
    fn now() -> Cpu {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may ask for its own usage");
        let ns = |time: TimeVal| time.num_microseconds() as f64 * 1e3;
        let user = ns(usage.user_time());
        Cpu { all: user + ns(usage.system_time()), user }
    }
}
