//! What is measured of one round, and how rounds become a line of the report.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

use crate::allocations::{self, Count};

/// What one operation cost in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Nanoseconds of wall time.
    pub(crate) wall: f64,
    /// Nanoseconds of CPU time, user and kernel, of all threads of the process.
    pub(crate) cpu: f64,
    /// Allocations, where they are counted.
    pub(crate) allocations: f64,
    /// Bytes that those allocations asked for.
    pub(crate) bytes: f64,
}

/// The moment at which a measurement starts.
pub(crate) struct Mark {
    wall: Instant,
    cpu: f64,
    count: Count,
}

impl Mark {
    pub(crate) fn now() -> Mark {
        Mark { count: allocations::count(), cpu: cpu_ns(), wall: Instant::now() }
    }

    pub(crate) fn sample(self, ops: u64) -> Sample {
        let wall = self.wall.elapsed().as_nanos() as f64;
        let cpu = cpu_ns() - self.cpu;
        let count = allocations::count();
        let per = |value: f64| value / ops as f64;
        Sample {
            wall: per(wall),
            cpu: per(cpu),
            allocations: per((count.calls - self.count.calls) as f64),
            bytes: per((count.bytes - self.count.bytes) as f64),
        }
    }
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The middle value; of an even number, the mean of the two.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    assert!(n > 0, "a row has at least one round");
    (values[(n - 1) / 2] + values[n / 2]) / 2.0
}
