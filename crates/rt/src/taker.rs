//! Takes the stack of a stuck thread. `no_taker.rs` stands for this where it was not built in.

use crate::stack::{StallFrame, StallStack, of_the_user};
use core::time::Duration;
use shinkan_stacks::{Frame, Signal, Taken};
use shinkan_sys::kernel_side::{self, At};
use shinkan_sys::park::Parker;

/// A copy that was not looked at yet.
pub(crate) struct Copied {
    thread: i32,
    taken: Taken,
}

/// Looks for a moment at which nobody runs: a spare thread that has just got the core settles first.
const LOOKS: u32 = 20;

/// Between two such looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Copies the stack of a thread; `signal` 0 means any that is free, and nothing none.
pub(crate) fn take(thread: i32, signal: Option<i32>) -> Option<Copied> {
    let signal = match signal {
        None => Signal::Off,
        Some(0) => Signal::Free,
        Some(number) => Signal::Number(number),
    };
    shinkan_stacks::take(thread, signal).map(|taken| Copied { thread, taken })
}

impl Copied {
    /// With names. `monitor` is the number of the thread that looks on meanwhile.
    pub(crate) fn stack(&self, monitor: i32) -> StallStack {
        let frame =
            |Frame { function, file, line, object }| StallFrame { function, file, line, object };
        let call = self.taken.call();
        let futex = call.and_then(|call| call.futex());
        StallStack {
            frames: of_the_user(self.taken.frames().into_iter().map(frame).collect()),
            call: call.and_then(|call| call.name()),
            futex,
            alone: futex.is_some_and(|futex| self.is_alone(futex, monitor)),
        }
    }

    /// Whether the thread still waits there, and nobody else runs.
    fn is_alone(&self, futex: u64, monitor: i32) -> bool {
        let mut parker = Parker::new();
        let waits = || match kernel_side::at(self.thread) {
            Some(At::Call(call)) => call.futex() == Some(futex),
            _ => false,
        };
        (0..LOOKS).any(|look| {
            if look > 0 {
                parker.park_timeout(PAUSE);
            }
            waits() && !kernel_side::another_runs(&[self.thread, monitor]) && waits()
        })
    }
}
