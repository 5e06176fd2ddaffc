//! Two words in which a thread says what user code it is in, for the monitor to read.

use core::panic::Location;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::place::PlaceCell;

/// Written by the tenant while the sequence is even, so that whoever finds it odd and unmoved
/// around its reads has read what belongs to that poll.
#[derive(Debug)]
pub(crate) struct SaidCell {
    task: AtomicU64,
    place: PlaceCell,
}

impl SaidCell {
    pub(crate) fn new() -> Self {
        Self { task: AtomicU64::new(0), place: PlaceCell::new() }
    }

    #[inline(always)]
    pub(crate) fn set(&self, task: u64, place: Option<&'static Location<'static>>) {
        self.task.store(task, Ordering::Relaxed);
        self.place.set(place);
    }

    #[inline]
    pub(crate) fn clear(&self) {
        self.place.set(None);
    }

    pub(crate) fn read(&self) -> (u64, Option<&'static Location<'static>>) {
        (self.task.load(Ordering::Relaxed), self.place.get())
    }
}
