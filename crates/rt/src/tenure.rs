//! One thread's tenure of one core: the seat, and what the monitor wants to know of the tenant.

use crate::handshake::Seat;
use crate::said::SaidCell;
use crate::stall::StallIn;
use core::panic::Location;
use shinkan_task::Runnable;

/// In place of a task's number: the future of a `block_on`. No task has it.
const MAIN: u64 = 0;

/// In a task's number: it is a local one.
const LOCAL: u64 = 1 << 63;

/// What user code it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    task: u64,
    place: Option<&'static Location<'static>>,
}

impl Said {
    /// What is polled, the task's number, and where it was spawned or `block_on` was called.
    pub(crate) fn polled(&self) -> (StallIn, Option<u64>, Option<&'static Location<'static>>) {
        match (self.place, self.task) {
            (None, _) => (StallIn::Callback, None, None),
            (place, MAIN) => (StallIn::BlockOn, None, place),
            (place, task) if task & LOCAL != 0 => (StallIn::LocalTask, Some(task & !LOCAL), place),
            (place, task) => (StallIn::Task, Some(task), place),
        }
    }
}

/// User code that a thread is in which keeps its tasks: the sequence is odd until this is dropped.
pub(crate) struct InUser<'a>(&'a Tenure);

impl<'a> InUser<'a> {
    /// After one of the `will_` functions.
    #[inline]
    pub(crate) fn new(tenure: &'a Tenure) -> Self {
        tenure.seat.bump();
        Self(tenure)
    }
}

impl Drop for InUser<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.seat.bump();
    }
}

/// Never used for a second tenure, as its seat.
#[derive(Debug)]
pub(crate) struct Tenure {
    pub(crate) seat: Seat,
    /// The kernel's number of the tenant; 0 before the first.
    pub(crate) thread: i32,
    /// An address on the stack that it is on.
    pub(crate) on_stack: usize,
    said: SaidCell,
}

impl Tenure {
    /// The calling thread's.
    pub(crate) fn new(asymmetric: bool) -> Self {
        Self {
            seat: Seat::new(asymmetric),
            thread: shinkan_sys::threads::kernel_id(),
            on_stack: shinkan_sys::threads::on_stack(),
            said: SaidCell::new(),
        }
    }

    /// Nobody's: it is over from the start.
    pub(crate) fn over() -> Self {
        let seat = Seat::new(false);
        seat.surrender();
        Self { seat, thread: 0, on_stack: 0, said: SaidCell::new() }
    }

    /// The user code that starts now is a poll of this task.
    #[inline(always)]
    pub(crate) fn will_poll(&self, task: &Runnable) {
        self.said.set(task.id().as_u64(), Some(task.place()));
    }

    /// The user code that starts now is the future of a `block_on` that was called at `place`.
    #[inline]
    pub(crate) fn will_poll_main(&self, place: &'static Location<'static>) {
        self.said.set(MAIN, Some(place));
    }

    /// The user code that starts now is a poll of this task of a set of local tasks.
    #[inline]
    pub(crate) fn will_poll_local(&self, task: &Runnable) {
        self.said.set(task.id().as_u64() | LOCAL, Some(task.place()));
    }

    /// The user code that starts now is a waker or a hook.
    #[inline]
    pub(crate) fn will_call(&self) {
        self.said.clear();
    }

    /// What was said last of the user code, to say it again.
    pub(crate) fn said(&self) -> Said {
        let (task, place) = self.said.read();
        Said { task, place }
    }

    /// The user code that goes on now is what it was before.
    pub(crate) fn say(&self, said: Said) {
        self.said.set(said.task, said.place);
    }
}
