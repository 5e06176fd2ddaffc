//! A worker's core, and the only way to it.
//!
//! The core (queue, LIFO slot, random sequence) stands in its [`Slot`]; which thread may touch it
//! is decided by the seat (`handshake.rs`). [`Worker::enter`] gives an [`Inside`], through which
//! the core is reached, or nothing once the core was taken. No user code runs while an `Inside`
//! lives: [`Inside::user`] leaves, calls, and enters again.

#![allow(unsafe_code)]

use crate::handle::Handle;
use crate::measures::Measures;
use crate::nap::Napper;
use crate::pace::Pace;
use crate::relief::Relief;
use crate::scheduler::Spare;
use crate::tenure::{Said, Tenure};
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use shinkan_base::atomics::{Arc, Mutex, UnsafeCell};
use shinkan_base::lifo::LifoSlot;
use shinkan_base::pad::Padded;
use shinkan_base::ring::{self, Local, Stealer};
use shinkan_base::rng::Rng;
use shinkan_probe::Counters;
use shinkan_sys::park;
use shinkan_task::{RunQueue, Runnable};
use shinkan_wheel::Shard;

/// Tasks that a worker's own queue holds; what is over goes to the inject queue.
pub(crate) const QUEUE: usize = 256;

/// What a worker works with.
pub(crate) struct Core {
    /// Which of the runtime's it is.
    pub(crate) index: usize,
    pub(crate) local: Local<Runnable, QUEUE>,
    /// The queue went from empty to not without a thief being told.
    pub(crate) unannounced: bool,
    /// From this index of the queue on there may be tasks that yielded, and the driver had no look
    /// since: it has one before they run. They stay where thieves can take them.
    pub(crate) yielded_from: Option<u32>,
    /// So many of the next tasks are likely in no cache of this processor: many were woken at once,
    /// or came from another worker.
    pub(crate) cold: u32,
    /// Tasks that the inject queue refused because the runtime ends.
    pub(crate) refused: RunQueue,
    pub(crate) tick: u32,
    /// The tick of the last look at sockets and timers.
    pub(crate) looked: u32,
    /// The tick of the last look at the inject queue that was due.
    pub(crate) injected: u32,
    pub(crate) searching: bool,
    /// When the worker last came back from waiting.
    pub(crate) awake_since_ns: u64,
    pub(crate) napper: Napper,
    pub(crate) pace: Pace,
    pub(crate) relief: Relief,
    pub(crate) rng: Rng,
}

/// One core's place in the runtime: what all threads may use of it, and the core itself.
pub(crate) struct Slot {
    pub(crate) stealer: Stealer<Runnable, QUEUE>,
    /// The task that was woken last, if the worker was the one that woke it: it runs next, while
    /// what its waker wrote is still in this processor's cache. Whoever holds the core puts it in;
    /// a thief takes it where the worker is stuck before it.
    pub(crate) lifo: Padded<LifoSlot<Runnable>>,
    pub(crate) timers: Shard,
    /// Its polls are those of past tenures.
    pub(crate) counters: Counters,
    pub(crate) measures: Measures,
    /// The current tenure; replaced by whoever takes the core over.
    tenure: Mutex<Arc<Tenure>>,
    core: Padded<UnsafeCell<Core>>,
}

// SAFETY:
// - the core is reached through `Inside` alone, whose seat admits one thread at a time
//   (HANDSHAKE.md); every part of it may be sent to another thread.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

impl Slot {
    /// A slot that nobody has taken over yet; its first seat is over from the start.
    pub(crate) fn new(index: usize, measures: Measures, seed: u64, now_ns: u64) -> Self {
        let (local, stealer) = ring::new();
        let rng = Rng::new(seed);
        Self {
            stealer,
            lifo: Padded(LifoSlot::new()),
            timers: Shard::new(0, park::pause),
            counters: Counters::new(),
            measures,
            tenure: Mutex::new(Arc::new(Tenure::over())),
            core: Padded(UnsafeCell::new(Core {
                index,
                local,
                unannounced: false,
                yielded_from: None,
                cold: 0,
                refused: RunQueue::new(),
                tick: 0,
                looked: 0,
                injected: 0,
                awake_since_ns: now_ns,
                napper: Napper::new(now_ns),
                pace: Pace::new(now_ns),
                relief: Relief::default(),
                searching: false,
                rng,
            })),
        }
    }

    /// The tenure that the monitor looks at.
    pub(crate) fn tenure(&self) -> Arc<Tenure> {
        self.tenure.lock().clone()
    }

    /// Polls in all tenures.
    pub(crate) fn polls(&self) -> u64 {
        self.polls_with(&self.tenure.lock())
    }

    /// With those of the tenure that is the slot's now.
    #[inline]
    pub(crate) fn polls_with(&self, tenure: &Tenure) -> u64 {
        self.counters.polls() + tenure.seat.polls()
    }
}

/// One thread's tenure of one core.
pub(crate) struct Worker {
    pub(crate) handle: Handle,
    pub(crate) index: usize,
    pub(crate) tenure: Arc<Tenure>,
    slot: Arc<Slot>,
    /// Counted handles for the tasks that this thread spawns.
    pub(crate) spare: Spare,
    /// Polls that `block_in_place` or the monitor left without a core.
    _not_sync: PhantomData<Cell<()>>,
}

/// The right to touch the core, until it is dropped.
pub(crate) struct Inside<'a> {
    worker: &'a Worker,
}

impl Worker {
    /// Takes over the core of slot `index`, whose last tenure is over. The caller is the one to
    /// whom it was given: at the start, or by who ended that tenure. The worker starts inside;
    /// [`Worker::first`] gives the token, once.
    pub(crate) fn take_over(handle: Handle, index: usize) -> Self {
        let shared = handle.shared();
        let tenure = Arc::new(Tenure::new(shared.asymmetric));
        let slot = shared.multi().slots[index].clone();
        {
            let mut now = slot.tenure.lock();
            let previous = core::mem::replace(&mut *now, tenure.clone());
            assert!(previous.seat.is_gone(), "core {index} was given to two threads");
            // It counts no more.
            slot.counters.add_polls(previous.seat.polls());
        }
        let spare = Spare::new(&handle);
        Self { handle, index, tenure, slot, spare, _not_sync: PhantomData }
    }

    /// The token with which the tenure starts.
    pub(crate) fn first(&self) -> Inside<'_> {
        Inside { worker: self }
    }

    #[inline(always)]
    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Goes inside; nothing once the core is gone. Called from user code on this worker's thread.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Inside<'_>> {
        // Not `then_some`: a token that is made and dropped would leave.
        if self.tenure.seat.enter() { Some(Inside { worker: self }) } else { None }
    }

    /// Goes inside after user code.
    #[inline]
    fn back(&self) -> Option<Inside<'_>> {
        let inside = self.enter();
        if inside.is_none() {
            self.tenure.seat.note_return();
        }
        inside
    }

    /// Whether this thread has lost its core.
    pub(crate) fn is_gone(&self) -> bool {
        self.tenure.seat.is_gone()
    }
}

impl<'a> Inside<'a> {
    pub(crate) fn worker(&self) -> &'a Worker {
        self.worker
    }

    /// Leaves, polls this task, and enters again: nothing if the core was taken meanwhile. `poll`
    /// must not unwind: it catches its own panics.
    #[inline]
    pub(crate) fn poll(self, task: Runnable, poll: impl FnOnce(Runnable)) -> Option<Inside<'a>> {
        let worker = self.out();
        worker.tenure.leave_to_poll(Said::task(&task));
        poll(task);
        worker.back()
    }

    /// Leaves, calls a waker or a hook, and enters again, as [`Inside::poll`].
    #[inline]
    pub(crate) fn user(self, code: impl FnOnce()) -> Option<Inside<'a>> {
        let worker = self.out();
        worker.tenure.leave_to_call(Said::CALLBACK);
        code();
        worker.back()
    }

    /// The caller leaves.
    #[inline(always)]
    fn out(self) -> &'a Worker {
        core::mem::ManuallyDrop::new(self).worker
    }

    /// Gives the core away for good: the caller passes it on.
    pub(crate) fn surrender(self) {
        self.worker.tenure.seat.surrender();
        core::mem::forget(self);
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        self.worker.tenure.seat.leave();
    }
}

impl Deref for Inside<'_> {
    type Target = Core;

    #[inline(always)]
    fn deref(&self) -> &Core {
        // SAFETY:
        // - exclusive: the seat admitted this thread and holds everybody else off until `leave`,
        //   which `Drop` calls (HANDSHAKE.md); the token is neither Clone nor Send.
        // - no second borrow: the core is reached through this token alone, and it borrows.
        self.worker.slot().core.with(|core| unsafe { &*core })
    }
}

impl DerefMut for Inside<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Core {
        // SAFETY: as in `deref`; `&mut self` makes it the only borrow.
        self.worker.slot().core.with_mut(|core| unsafe { &mut *core })
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).field("gone", &self.is_gone()).finish()
    }
}
