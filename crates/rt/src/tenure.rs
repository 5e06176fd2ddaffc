//! One thread's tenure of one core: the seat, and what the monitor wants to know of the tenant.

use crate::handshake::Seat;
use core::panic::Location;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::place::PlaceCell;
use shinkan_task::Runnable;

/// Never used for a second tenure, as its seat.
#[derive(Debug)]
pub(crate) struct Tenure {
    pub(crate) seat: Seat,
    /// The kernel's number of the tenant; 0 before the first.
    pub(crate) thread: i32,
    // Written by the tenant while the sequence is even, so that whoever finds it odd and unmoved
    // around its reads has read what belongs to that poll.
    task: AtomicU64,
    place: PlaceCell,
}

impl Tenure {
    /// The calling thread's.
    pub(crate) fn new(asymmetric: bool) -> Self {
        Self {
            seat: Seat::new(asymmetric),
            thread: shinkan_sys::threads::kernel_id(),
            task: AtomicU64::new(0),
            place: PlaceCell::new(),
        }
    }

    /// Nobody's: it is over from the start.
    pub(crate) fn over() -> Self {
        let seat = Seat::new(false);
        seat.surrender();
        Self { seat, thread: 0, task: AtomicU64::new(0), place: PlaceCell::new() }
    }

    /// The user code that starts now is a poll of this task.
    #[inline(always)]
    pub(crate) fn will_poll(&self, task: &Runnable) {
        self.task.store(task.id().as_u64(), Ordering::Relaxed);
        self.place.set(Some(task.place()));
    }

    /// The user code that starts now is a waker or a hook.
    #[inline]
    pub(crate) fn will_call(&self) {
        self.place.set(None);
    }

    /// The task that is polled, and where it was spawned; nothing where a waker or a hook is called.
    pub(crate) fn task(&self) -> Option<(u64, &'static Location<'static>)> {
        Some((self.task.load(Ordering::Relaxed), self.place.get()?))
    }
}
