//! The node of a timer, inside the future that waits for it, and what the future does with it.
//! Who may touch which field when: the table in `word.rs`.
//!
//! A timeout that never fires costs two lock words: one to register, one to unlink. A poll with
//! the waker that is registered already, a drop after it has fired, and a move to a later deadline
//! take no lock.
//!
//! Of the four exchanges on shared words that are left of such a timeout, two count its waker, 15 of
//! its 180 ns. An entry in the memory of the task that the waker names could do without: the task
//! outlives it, and `fire` could count under the lock. Not tried.

#![allow(unsafe_code)]

use crate::shard::Shard;
use crate::word::{LAST, State, Word};
use core::fmt;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Poll, Waker};
use shinkan_base::atomics::UnsafeCell;
use shinkan_base::canary;
use shinkan_base::list::{Links, Node};

/// The shard was closed: its runtime has ended, and no timer of it will fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the runtime of this timer has ended")
    }
}

impl core::error::Error for Closed {}

/// One timer. Its owner is the future that it is a field of; all methods but the shard's are the
/// owner's.
pub struct Entry {
    word: Word,
    // Filled in row 2 (Linked) alone.
    waker: UnsafeCell<MaybeUninit<Waker>>,
    slot: UnsafeCell<u16>,
    links: Links<Entry>,
    // The owner's alone.
    shard: Option<&'static Shard>,
}

// SAFETY:
// - shared references reach the word alone; the other fields are the owner's, by `&mut`, or the
//   lock holder's, as the table in `word.rs` says.
unsafe impl Sync for Entry {}

// SAFETY: always the one field, which only lists touch.
unsafe impl Node for Entry {
    #[inline(always)]
    unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>> {
        // SAFETY: alive (the caller's word); no reference is made.
        let links = unsafe { &raw mut (*node.as_ptr()).links };
        // SAFETY: a field of a live node is not null.
        unsafe { NonNull::new_unchecked(links) }
    }
}

impl Entry {
    /// A timer that is not registered.
    #[inline]
    pub fn new() -> Self {
        Self {
            word: Word::new(),
            waker: UnsafeCell::new(MaybeUninit::uninit()),
            slot: UnsafeCell::new(0),
            links: Links::new(),
            shard: None,
        }
    }

    /// Ready once the deadline has passed, and from then on; until then `waker` is called when it
    /// does, or when the shard is closed.
    ///
    /// A timer that is not registered asks `register` for its shard and deadline. Whoever frees
    /// shards keeps this one for as long as the entry lives, by a count that he has of it in any
    /// case: one here would be two more writes of a shared word a timeout. `earliest` is set
    /// to true if it is now the first that is due there: who sleeps until the first deadline must
    /// be told.
    ///
    /// # Errors
    /// The shard is closed.
    #[inline]
    pub fn poll(
        self: Pin<&mut Self>,
        waker: &Waker,
        earliest: &mut bool,
        register: impl FnOnce() -> (&'static Shard, u64),
    ) -> Poll<Result<(), Closed>> {
        match self.word.load() {
            State::Linked(_) if self.has_waker(waker) => Poll::Pending,
            State::Linked(_) => self.replace_waker(waker),
            State::Idle => {
                let (shard, deadline) = register();
                self.register(shard, deadline.min(LAST), waker, earliest)
            }
            State::Fired => Poll::Ready(Ok(())),
            State::Closed => Poll::Ready(Err(Closed)),
        }
    }

    /// Whether the deadline has passed and the timer knows it.
    #[inline]
    pub fn is_fired(&self) -> bool {
        self.word.load() == State::Fired
    }

    /// Unlinks it: the next poll registers it anew.
    #[inline]
    pub fn reset(self: Pin<&mut Self>) {
        if let State::Linked(_) = self.word.load() {
            drop(self.unlink());
        }
        self.word.idle();
    }

    /// Moves a registered timer to another deadline, in the same shard and with the waker that it
    /// has; a deadline that has passed wakes at once. One that is not registered, or that has
    /// fired, is registered anew by the next poll.
    ///
    /// The answer is whether it is now the first that is due there.
    #[inline]
    pub fn move_to(self: Pin<&mut Self>, deadline: u64) -> bool {
        let deadline = deadline.min(LAST);
        match self.word.load() {
            State::Linked(at) if at <= deadline && self.word.extend(at, deadline) => false,
            State::Linked(_) => self.move_linked(deadline),
            _ => {
                self.word.idle();
                false
            }
        }
    }

    /// Whether the registered waker wakes the same task. For the owner, who has seen Linked.
    ///
    /// If the timer fires meanwhile, that waker is called after this poll has begun, and its task
    /// is the one that polls: as good as if it fired a moment later.
    #[inline]
    fn has_waker(&self, waker: &Waker) -> bool {
        self.waker.with(|slot| {
            // SAFETY: the owner alone writes it while it is Linked, and that is us.
            let slot = unsafe { &*slot };
            // SAFETY: filled, since the state was Linked; `fire` copies it out and leaves the bits.
            let registered = unsafe { slot.assume_init_ref() };
            // Compares two pointers; it does not use a waker that `fire` may own by now.
            registered.will_wake(waker)
        })
    }

    fn register(
        mut self: Pin<&mut Self>,
        shard: &'static Shard,
        deadline: u64,
        waker: &Waker,
        earliest: &mut bool,
    ) -> Poll<Result<(), Closed>> {
        // Foreign code: before the lock.
        let waker = waker.clone();
        // SAFETY: nothing is moved out of it, and `shard` is the owner's in each row.
        unsafe { self.as_mut().get_unchecked_mut() }.shard = Some(shard);
        let mut wheel = shard.lock();
        if wheel.is_closed() && !canary("timer_register_unchecked") {
            drop(wheel);
            self.word.refused();
            return Poll::Ready(Err(Closed));
        }
        if wheel.is_past(deadline) {
            drop(wheel);
            self.word.fired();
            return Poll::Ready(Ok(()));
        }
        self.waker.with_mut(|slot| {
            // SAFETY: row 1, Idle: the fields are ours.
            unsafe { (*slot).write(waker) };
        });
        self.word.link(deadline);
        // SAFETY:
        // - alive and in place: pinned, and `drop` unlinks.
        // - in no wheel: row 1.
        unsafe { wheel.link(self.node(), deadline) };
        *earliest = shard.linked(deadline);
        Poll::Pending
    }

    /// The same timer is polled for another task.
    fn replace_waker(self: Pin<&mut Self>, waker: &Waker) -> Poll<Result<(), Closed>> {
        // Foreign code: the clone before the lock, the drop of the old one after it.
        let waker = MaybeUninit::new(waker.clone());
        let wheel = self.shard().lock();
        let state = self.word.load_locked();
        let linked = matches!(state, State::Linked(_)) || canary("timer_waker_unchecked");
        let unused = if linked {
            self.waker.with_mut(|slot| {
                // SAFETY: row 2, and we hold the lock.
                unsafe { slot.replace(waker) }
            })
        } else {
            waker
        };
        drop(wheel);
        // SAFETY: filled, either by the clone above, or since the state was Linked.
        drop(unsafe { unused.assume_init() });
        match state {
            State::Fired => Poll::Ready(Ok(())),
            State::Closed => Poll::Ready(Err(Closed)),
            State::Idle | State::Linked(_) => Poll::Pending,
        }
    }

    /// Out of the wheel, if it is still in it: row 2→1. The waker is foreign code, for the caller
    /// to drop.
    fn unlink(&self) -> Option<Waker> {
        let shard = self.shard();
        let mut wheel = shard.lock();
        let linked = matches!(self.word.load_locked(), State::Linked(_));
        if !linked && !canary("timer_unlink_unchecked") {
            return None;
        }
        // SAFETY: Linked under the lock, so it is linked in the wheel of its shard.
        let gone = unsafe { wheel.unlink(self.node()) };
        self.word.idle();
        shard.unlinked(&wheel, gone);
        drop(wheel);
        let waker = self.copy_waker();
        // SAFETY:
        // - filled: it was Linked.
        // - once: it is Idle now, and the owner's.
        Some(unsafe { waker.assume_init() })
    }

    /// To an earlier deadline, or to a later one when it fires at this moment.
    fn move_linked(&self, deadline: u64) -> bool {
        let shard = self.shard();
        let mut wheel = shard.lock();
        if !matches!(self.word.load_locked(), State::Linked(_)) {
            drop(wheel);
            self.word.idle();
            return false;
        }
        // SAFETY: Linked under the lock, so it is linked in the wheel of its shard.
        let gone = unsafe { wheel.unlink(self.node()) };
        if wheel.is_past(deadline) {
            self.word.fired();
            shard.unlinked(&wheel, gone);
            drop(wheel);
            let waker = self.copy_waker();
            // SAFETY:
            // - filled: it was Linked.
            // - once: it is Fired now, and the owner's.
            unsafe { waker.assume_init() }.wake();
            return false;
        }
        self.word.link(deadline);
        // SAFETY: unlinked above, under the same lock; alive and pinned as before.
        unsafe { wheel.link(self.node(), deadline) };
        let earliest = shard.linked(deadline);
        if !earliest {
            shard.unlinked(&wheel, gone);
        }
        earliest
    }

    /// The bits of the waker, for the owner in a row that makes it his.
    #[inline(always)]
    fn copy_waker(&self) -> MaybeUninit<Waker> {
        // SAFETY: a `MaybeUninit` may be read in any state; that nobody writes it is the caller's
        // row in the table.
        self.waker.with(|slot| unsafe { slot.read() })
    }

    #[inline(always)]
    fn node(&self) -> NonNull<Self> {
        NonNull::from(self)
    }

    /// The shard of an entry that is or was linked.
    #[inline]
    fn shard(&self) -> &'static Shard {
        self.shard.expect("a linked timer has no shard")
    }
}

/// For the holder of the shard's lock.
impl Entry {
    /// # Safety
    /// The entry is alive, and in no wheel, or the lock of its wheel is held.
    #[inline(always)]
    pub(crate) unsafe fn set_slot(entry: NonNull<Self>, index: u16) {
        // SAFETY: alive (the caller's word).
        let slot = unsafe { &(*entry.as_ptr()).slot };
        // SAFETY: the owner's or the lock holder's, which the caller is.
        slot.with_mut(|slot| unsafe { slot.write(index) });
    }

    /// # Safety
    /// The entry is linked in a wheel whose lock is held.
    #[inline(always)]
    pub(crate) unsafe fn slot(entry: NonNull<Self>) -> u16 {
        // SAFETY: linked, so alive.
        let slot = unsafe { &(*entry.as_ptr()).slot };
        // SAFETY: the lock holder's.
        slot.with(|slot| unsafe { slot.read() })
    }

    /// When it is due; it may be moved to later at any time.
    ///
    /// # Safety
    /// As [`Entry::slot`].
    #[inline]
    pub(crate) unsafe fn deadline(entry: NonNull<Self>) -> u64 {
        // SAFETY: linked, so alive.
        match unsafe { Self::word_of(entry) }.load_locked() {
            State::Linked(deadline) => deadline,
            state => unreachable!("a linked timer is {state:?}"),
        }
    }

    /// Row 2→3, unless its deadline is not `tick` any more: then the deadline.
    ///
    /// # Safety
    /// It was linked in a wheel whose lock is still held, and is in no list now. If a waker is
    /// returned, it is not to be touched again.
    #[inline]
    pub(crate) unsafe fn fire(entry: NonNull<Self>, tick: u64) -> Result<Waker, u64> {
        // SAFETY: row 2.
        let word = unsafe { Self::word_of(entry) };
        if canary("timer_fire_before_waker") {
            word.fire(tick)?;
        }
        // Before the owner may reuse the entry; the copy counts only if it has fired.
        // SAFETY: row 2, under the lock.
        let waker = unsafe { Self::waker_of(entry) };
        if !canary("timer_fire_before_waker") {
            word.fire(tick)?;
        }
        // SAFETY: filled in row 2, and this copy is now the only one.
        Ok(unsafe { waker.assume_init() })
    }

    /// Row 2→4.
    ///
    /// # Safety
    /// As [`Entry::fire`].
    pub(crate) unsafe fn close(entry: NonNull<Self>) -> Waker {
        // SAFETY: row 2, under the lock.
        let waker = unsafe { Self::waker_of(entry) };
        // SAFETY: row 2, so it is alive until its state changes.
        unsafe { Self::word_of(entry) }.close();
        // SAFETY: filled in row 2, and this copy is now the only one.
        unsafe { waker.assume_init() }
    }

    /// # Safety
    /// The entry is alive. The word is not used after it has left row 2: the owner may free it.
    #[inline(always)]
    unsafe fn word_of<'a>(entry: NonNull<Self>) -> &'a Word {
        // SAFETY: alive (the caller's word). The owner's other fields are not borrowed.
        unsafe { &(*entry.as_ptr()).word }
    }

    /// # Safety
    /// The entry is in row 2, and the lock of its wheel is held.
    #[inline(always)]
    unsafe fn waker_of(entry: NonNull<Self>) -> MaybeUninit<Waker> {
        // SAFETY: in row 2, so alive.
        let waker = unsafe { &(*entry.as_ptr()).waker };
        // SAFETY: in row 2 it is written under the lock alone.
        waker.with(|waker| unsafe { waker.read() })
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        if let State::Linked(_) = self.word.load() {
            drop(self.unlink());
        }
        // Nothing in production; the model checker learns that the fields end here.
        self.waker.with_mut(drop);
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("state", &self.word.load()).finish()
    }
}
