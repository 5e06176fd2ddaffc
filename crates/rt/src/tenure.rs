//! One thread's tenure of one core: the seat, and what the monitor wants to know of the tenant.

use crate::handshake::Seat;
use crate::stall::StallIn;
use core::panic::Location;
use shinkan_base::place::PlaceWord;
use shinkan_task::Runnable;

/// In place of a task's number: the future of a `block_on`. No task has it.
const MAIN: u64 = 0;

/// In a task's number: it is a local one.
const LOCAL: u64 = 1 << 63;

/// What user code it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    task: u64,
    place: PlaceWord,
}

impl Said {
    /// A waker or a hook.
    pub(crate) const CALLBACK: Self = Self { task: MAIN, place: PlaceWord::NONE };

    /// A poll of this task.
    #[inline(always)]
    pub(crate) fn task(task: &Runnable) -> Self {
        Self { task: task.number(), place: task.place_word() }
    }

    /// A poll of this task of a set of local tasks.
    #[inline]
    pub(crate) fn local(task: &Runnable) -> Self {
        // Nobody could look a tag up: the set is its thread's alone.
        Self { task: task.number() | LOCAL, place: PlaceWord::of(task.place()) }
    }

    /// A poll of the future of a `block_on` that was called at `place`.
    #[inline]
    pub(crate) fn main(place: &'static Location<'static>) -> Self {
        Self { task: MAIN, place: PlaceWord::of(place) }
    }

    /// What is polled, the task's number, and where it was spawned or `block_on` was called. For a
    /// task that is tagged its tag knows the place.
    pub(crate) fn polled(&self) -> (StallIn, Option<u64>, Option<&'static Location<'static>>) {
        let place = self.place.place();
        match self.task {
            _ if self.place.is_none() => (StallIn::Callback, None, None),
            MAIN => (StallIn::BlockOn, None, place),
            task if task & LOCAL != 0 => (StallIn::LocalTask, Some(task & !LOCAL), place),
            task => (StallIn::Task, Some(task), place),
        }
    }

    /// Whether the task has a tag, which may have a name for it.
    pub(crate) fn is_tagged(&self) -> bool {
        self.place.is_tagged()
    }
}

/// User code that a thread is in which keeps its tasks: it is outside until this is dropped.
pub(crate) struct InUser<'a>(&'a Tenure);

impl<'a> InUser<'a> {
    #[inline]
    pub(crate) fn new(tenure: &'a Tenure, said: Said) -> Self {
        tenure.leave_to_call(said);
        Self(tenure)
    }
}

impl Drop for InUser<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.seat.enter_kept();
    }
}

/// Never used for a second tenure, as its seat. On lines of its own: its tenant writes it at each call
/// of user code, and the next worker's would lie beside it.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Tenure {
    pub(crate) seat: Seat,
    /// The kernel's number of the tenant; 0 before the first.
    pub(crate) thread: i32,
    /// An address on the stack that it is on.
    pub(crate) on_stack: usize,
}

impl Tenure {
    /// The calling thread's.
    pub(crate) fn new(asymmetric: bool) -> Self {
        let thread = shinkan_sys::threads::kernel_id();
        let on_stack = shinkan_sys::threads::on_stack();
        Self { seat: Seat::new(asymmetric), thread, on_stack }
    }

    /// Nobody's: it is over from the start.
    pub(crate) fn over() -> Self {
        let seat = Seat::new(false);
        seat.surrender();
        Self { seat, thread: 0, on_stack: 0 }
    }

    /// Goes outside, to poll a task.
    #[inline(always)]
    pub(crate) fn leave_to_poll(&self, said: Said) {
        self.seat.leave_to_poll(said.task, said.place);
    }

    /// Goes outside, to call other user code.
    #[inline]
    pub(crate) fn leave_to_call(&self, said: Said) {
        self.seat.leave_to_call(said.task, said.place);
    }

    /// What was said last of the user code.
    pub(crate) fn said(&self) -> Said {
        let (task, place) = self.seat.said();
        Said { task, place }
    }
}
