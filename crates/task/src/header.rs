//! The part of a task that is the same for every future: what queues, wakers, handles and the
//! registry know of it. One cache line is what a wake-up and a poll need; behind it stands what is
//! used once a life.
//!
//! The line also holds the task's origin and its frame (number and wait record), so that
//! a dump reads one line a task.

use crate::origin::Origin;
use crate::state::State;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::task::Waker;
use shinkan_base::atomics::UnsafeCell;
use shinkan_base::list::{Links, Node};
use shinkan_base::wait::TaskFrame;

/// A counted pointer to a task is a pointer to this, with the right to the whole cell behind it.
pub(crate) type Ptr = NonNull<Header>;

/// The fixed part.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    pub(crate) vtable: &'static Vtable,
    /// The next in a `RunQueue`; whoever holds the Runnable owns it.
    pub(crate) next: UnsafeCell<Option<Ptr>>,
    /// Where the task was spawned, and its name.
    pub(crate) origin: Origin,
    pub(crate) frame: TaskFrame,

    // The first line ends here.
    /// Links of the registry, owned by the lock of its shard.
    links: Links<Header>,
    /// Whose the slot is stands in the state word.
    pub(crate) join_waker: UnsafeCell<MaybeUninit<Waker>>,
}

/// What only the one who spawned the task could write: it knew future and scheduler.
///
/// Each takes a pointer to a live task, and says in its `# Safety` line which right its caller
/// must have.
pub(crate) struct Vtable {
    /// Polls once. Safety: `begin` answered `Poll` to the caller.
    pub(crate) poll: unsafe fn(Ptr),
    /// Drops the future and completes the task. Safety: `begin` answered `Cancel`, or `close` true.
    pub(crate) cancel: unsafe fn(Ptr, crate::outcome::Completer),
    /// Gives the Runnable to the scheduler. Safety: the caller holds the Runnable's reference, and
    /// with `Kept` one more, which outlives the call.
    pub(crate) schedule: unsafe fn(Ptr, Hold),
    /// What its scheduler says that it belongs to: `Schedule::home`. Safety: the task is alive.
    pub(crate) home: unsafe fn(Ptr) -> Option<NonNull<()>>,
    /// Moves the output to where the pointer points. Safety: the output is the caller's, it is
    /// there, and the pointer is good for a `Result<Output, JoinError>`.
    pub(crate) take_output: unsafe fn(Ptr, *mut ()),
    /// Drops the output. Safety: the output is the caller's and is there.
    pub(crate) drop_output: unsafe fn(Ptr),
    /// Frees the task, and the future with it if the task never ended. Safety: the caller had the
    /// last reference.
    pub(crate) free: unsafe fn(Ptr),
    /// Bytes of the future.
    pub(crate) future_size: usize,
}

/// Whether the caller of `Vtable::schedule` keeps the task alive while the scheduler works.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Kept,
    Given,
}

impl Header {
    #[inline]
    pub(crate) fn new(id: u64, origin: Origin, vtable: &'static Vtable) -> Self {
        Self {
            state: State::new(),
            vtable,
            next: UnsafeCell::new(None),
            origin,
            frame: TaskFrame::new(id),
            links: Links::new(),
            join_waker: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }
}

// SAFETY: always the one field; `Registry` touches it through `List` alone.
unsafe impl Node for Header {
    #[inline(always)]
    unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>> {
        // SAFETY: alive (the caller's word); no reference is made.
        let links = unsafe { &raw mut (*node.as_ptr()).links };
        // SAFETY: a field of a live node is not null.
        unsafe { NonNull::new_unchecked(links) }
    }
}

#[cfg(test)]
mod tests {
    use super::Header;
    use core::mem::offset_of;

    #[test]
    fn what_a_poll_needs_is_one_line() {
        assert_eq!(offset_of!(Header, links), 64);
        assert_eq!(size_of::<Header>(), 96);
    }
}
