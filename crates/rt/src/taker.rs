//! Takes the stack of a stuck thread. `no_taker.rs` stands for this where it was not built in.

use crate::hooks::quietly;
use crate::stack::{StallFrame, StallStack};
use core::time::Duration;
use shinkan_stacks::{Code, Frame, Signal, Taken};
use shinkan_sys::kernel_side::{self, At};
use shinkan_sys::park::Parker;

/// A copy that was not looked at yet.
pub(crate) struct Copied {
    thread: i32,
    monitor: i32,
    taken: Taken,
}

/// Looks for a moment at which nobody runs: a spare thread that has just got the core settles first.
const LOOKS: u32 = 20;

/// Between two such looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Copies the stack of the thread `thread`, to which the address `on_stack` belongs; `monitor` is the
/// thread that looks on meanwhile. `signal` 0 means any that is free, and nothing none.
pub(crate) fn take(
    thread: i32,
    on_stack: usize,
    monitor: i32,
    signal: Option<i32>,
) -> Option<Copied> {
    let signal = match signal {
        None => Signal::Off,
        Some(0) => Signal::Free,
        Some(number) => Signal::Number(number),
    };
    let taken = shinkan_stacks::take(thread, on_stack, signal)?;
    Some(Copied { thread, monitor, taken })
}

/// What is kept of the program's files between two stacks, at most.
const KEPT_MAX: u64 = 64 << 20;

/// Names each copy that comes, until none does.
pub(crate) fn serve(
    mut next: impl FnMut() -> Option<Copied>,
    mut answer: impl FnMut(Option<StallStack>),
) {
    let mut left = None;
    while let Some(first) = left.take().or_else(&mut next) {
        shinkan_stacks::with_code(|code| left = serve_with(code, first, &mut next, &mut answer));
    }
}

/// The same while `code` is of use. The copy for which it is of none, if there is one.
fn serve_with(
    code: &Code<'_>,
    first: Copied,
    next: &mut impl FnMut() -> Option<Copied>,
    answer: &mut impl FnMut(Option<StallStack>),
) -> Option<Copied> {
    let mut copied = first;
    loop {
        let mut named = None;
        // Who asked waits for an answer.
        quietly(|| named = Some(copied.stack(code)));
        match named {
            Some(Some(stack)) => answer(Some(stack)),
            Some(None) => return Some(copied),
            None => {
                answer(None);
                return None;
            }
        }
        if code.bytes() > KEPT_MAX {
            return None;
        }
        copied = next()?;
    }
}

impl Copied {
    /// With names; nothing where other code was loaded since `code` was read.
    fn stack(&self, code: &Code<'_>) -> Option<StallStack> {
        let frames = code.frames(&self.taken)?;
        let frame =
            |Frame { function, file, line, object }| StallFrame { function, file, line, object };
        let call = self.taken.call();
        let futex = call.and_then(|call| call.futex());
        Some(StallStack {
            frames: of_the_user(frames.into_iter().map(frame).collect()),
            call: call.and_then(|call| call.name()),
            futex,
            alone: futex.is_some_and(|futex| self.is_alone(futex)),
        })
    }

    /// Whether the thread still waits there, and nobody else runs.
    fn is_alone(&self, futex: u64) -> bool {
        let mut parker = Parker::new();
        let waits = || match kernel_side::at(self.thread) {
            Some(At::Call(call)) => call.futex() == Some(futex),
            _ => false,
        };
        (0..LOOKS).any(|look| {
            if look > 0 {
                parker.park_timeout(PAUSE);
            }
            waits() && !kernel_side::another_runs(&[self.thread, self.monitor]) && waits()
        })
    }
}

/// Where the runtime calls the user's code. What is called from there is the user's.
const CALLERS: [&str; 6] = [
    "shinkan_task::cell::Typed<",
    "shinkan_rt::multi::poll_main",
    "shinkan_rt::multi::park_on",
    "shinkan_rt::current::drive",
    "shinkan_rt::hooks::",
    "shinkan_base::wakers::",
];

/// Where these stand, as debug information says it.
const FILES: [&str; 3] = [
    shinkan_task::POLLED_IN,
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/multi.rs"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/current.rs"),
];

/// A closure, and what calls it, that are inlined into the function that polls.
const CLOSURE: usize = 2;

fn is_there(frame: &StallFrame) -> bool {
    frame.file.as_ref().is_some_and(|file| FILES.iter().any(|own| file == own))
}

/// Whether it is the runtime's, and calls the user's code.
fn calls_the_user(frame: &StallFrame) -> bool {
    let Some(name) = &frame.function else { return false };
    // An inlined function may be told without its path.
    let is_poll = name.starts_with("poll_") && is_there(frame);
    let name = name.trim_start_matches('<');
    let is_caller = CALLERS.iter().any(|caller| name.starts_with(caller));
    is_poll || is_caller && !name.contains("drop")
}

/// Without the runtime's functions that lie behind the user's.
fn of_the_user(mut frames: Vec<StallFrame>) -> Vec<StallFrame> {
    if let Some(at) = frames.iter().position(calls_the_user) {
        // Where the first of them is all that there is, the user's code was inlined into it.
        frames.truncate(at.max(1));
        // Its closures, inlined and told without a path, and what calls them.
        while let Some(at) = frames.iter().rposition(is_there)
            && at > 0
            && at + CLOSURE >= frames.len()
        {
            frames.truncate(at);
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str) -> StallFrame {
        StallFrame { function: Some(name.into()), ..StallFrame::default() }
    }

    #[test]
    fn what_lies_behind_the_users_functions_is_cut() {
        let frames = || ["read", "app::load", "app::main::{{closure}}"].map(frame).to_vec();
        let mut all = frames();
        all.push(frame("<shinkan_task::cell::Typed<F,S>>::poll_future"));
        all.push(frame("shinkan_rt::worker::run"));
        assert_eq!(of_the_user(all), frames());
        assert_eq!(of_the_user(frames()), frames(), "nothing of the runtime's in it");
        let closure = |file: &str| StallFrame {
            file: Some(file.into()),
            ..frame("{closure#0}<app::main::{async_block_env#0}>")
        };
        let own = shinkan_task::POLLED_IN;
        for behind in [vec![closure(own)], vec![closure(own), frame("with_mut<app>")]] {
            let mut all = frames();
            all.extend(behind);
            all.push(frame("<shinkan_task::cell::Typed<F,S>>::poll_future"));
            assert_eq!(of_the_user(all), frames());
        }
        let mut all = frames();
        all.extend([closure("/x/app/src/cell.rs"), frame("shinkan_rt::multi::poll_main")]);
        assert_eq!(of_the_user(all).len(), 4, "the user's own");
        let inlined = vec![frame("shinkan_rt::multi::poll_main"), frame("main")];
        assert_eq!(of_the_user(inlined).len(), 1);
    }

    #[test]
    fn a_future_that_drops_another_is_not_cut_there() {
        let all = ["close", "shinkan_task::cell::Typed<F,S>::drop_future", "app::stop"];
        assert_eq!(of_the_user(all.map(frame).to_vec()).len(), 3);
    }
}
