//! The semaphore under `Semaphore`, `Mutex`, `RwLock`, `OnceCell` and the bounded channel: many
//! permits may be asked for at once, and whoever asked first is served first.
//!
//! One word says everything while nobody waits, so that an acquire and a release are one
//! compare-and-swap each. Waiters stand in a queue under a lock, as nodes inside their futures.
//!
//! ```text
//! word = permits << 2 | WAITERS << 1 | CLOSED
//! row  CLOSED WAITERS permits   queue      who may change the word
//!  1     0      0      any      empty      everybody
//!  2     0      1      0        not empty  the holder of the lock
//!  3     1      0      any      empty      everybody, but none acquires
//! (1) try_acquire 1→1   (2) release 1→1, 3→3 without the lock   (3) enqueue 1→2, 2→2
//! (4) grant 2→2, 2→1 (releases with waiters go to them, never into the word)
//! (5) cancel 2→2, 2→1   (6) close 1→3, 2→3
//! ```
//!
//! Row 2 keeps the order: while somebody waits there are no permits in the word, so that a
//! newcomer cannot overtake the queue. The first waiter collects what is released bit by bit
//! until it has all that it asked for.
//!
//! Orderings: a release publishes what its holder did (Release on the word, or on the waiter's
//! state); an acquire sees it (Acquire on the same). A close does too, and who is refused sees it. Every change of the word is a
//! read-modify-write, so that an acquire also sees releases before the last one.
//!
//! A waiter's node belongs to the queue (under the lock) while its state is QUEUED, and to its
//! future alone from the Release store of GRANTED or REFUSED on: that store is the last access.

#![allow(unsafe_code)]

mod acquire;
mod told;

pub(crate) use acquire::{Acquire, Gate};

use core::fmt;
use core::panic::Location;
use core::ptr::NonNull;
use core::task::Waker;
use shinkan_base::atomics::{AtomicU8, AtomicUsize, Mutex, Ordering, UnsafeCell, fence};
use shinkan_base::canary;
use shinkan_base::list::{Links, List, Node};
use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;
use shinkan_trace::{Kind, Resource};

const CLOSED: usize = Batch::CLOSED;
const WAITERS: usize = 2;
const PERMIT: usize = Batch::PERMIT;

const QUEUED: u8 = 0;
const GRANTED: u8 = 1;
const REFUSED: u8 = 2;

pub(crate) struct Batch {
    pub(crate) word: AtomicUsize,
    pub(crate) queue: Mutex<List<Waiter>>,
    pub(crate) trace: Resource,
}

/// Why an acquire that does not wait got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    NoPermits,
}

/// What a waiter stands in the queue with.
pub(crate) struct Waiter {
    links: Links<Waiter>,
    state: AtomicU8,
    inner: UnsafeCell<Inner>,
}

/// Guarded by the queue's lock while the waiter's state is QUEUED.
struct Inner {
    asked: usize,
    missing: usize,
    waker: Option<Waker>,
}

// SAFETY:
// - always the one field.
unsafe impl Node for Waiter {
    #[inline(always)]
    unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>> {
        // SAFETY: alive (the caller's word); no reference is made.
        let links = unsafe { &raw mut (*node.as_ptr()).links };
        // SAFETY: a field of a live node is not null.
        unsafe { NonNull::new_unchecked(links) }
    }
}

impl Inner {
    fn collected(&self) -> usize {
        self.asked - self.missing
    }
}

impl Waiter {
    fn new(asked: usize, waker: Waker) -> Self {
        Self {
            links: Links::new(),
            state: AtomicU8::new(QUEUED),
            inner: UnsafeCell::new(Inner { asked, missing: asked, waker: Some(waker) }),
        }
    }

    /// What the lock guards in a linked node.
    ///
    /// # Safety
    /// `node` is alive; the caller holds the lock of the queue that the node is in, or the node
    /// is in none and is the caller's; the borrow ends before the lock does.
    #[inline]
    unsafe fn inner<'a>(node: NonNull<Self>) -> &'a mut Inner {
        // SAFETY: alive (the caller's word).
        let cell = unsafe { &(*node.as_ptr()).inner };
        // SAFETY: exclusive: the lock, or the caller's own node.
        cell.with_mut(|inner| unsafe { &mut *inner })
    }

    /// Gives the node back to its future: the last access to it.
    ///
    /// # Safety
    /// As [`Waiter::inner`], and the node was just unlinked.
    #[inline]
    unsafe fn settle(node: NonNull<Self>, state: u8) {
        // SAFETY: alive until the store is seen (the caller's word).
        let word = unsafe { &(*node.as_ptr()).state };
        word.store(state, Ordering::Release);
    }
}

impl Batch {
    /// The most permits there can be.
    pub(crate) const MAX: usize = usize::MAX >> 3;
    /// The word's bit that says so.
    pub(crate) const CLOSED: usize = 1;
    /// One permit in the word.
    pub(crate) const PERMIT: usize = 4;

    /// A semaphore of `permits` permits, of which `tracing` is told as `kind`.
    #[track_caller]
    pub(crate) fn new(kind: Kind, permits: usize) -> Self {
        assert!(
            permits <= Self::MAX,
            "a semaphore of {permits} permits was asked for; it can have {} at most",
            Self::MAX
        );
        Self {
            word: AtomicUsize::new(permits * PERMIT),
            queue: Mutex::new(List::new()),
            trace: Resource::new(kind, permits, Location::caller()),
        }
    }

    pub(crate) fn new_closed() -> Self {
        let trace = Resource::none();
        Self { word: AtomicUsize::new(CLOSED), queue: Mutex::new(List::new()), trace }
    }

    #[inline]
    pub(crate) fn available(&self) -> usize {
        self.word.load(Ordering::Acquire) / PERMIT
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// (1)
    #[inline]
    pub(crate) fn try_acquire(&self, n: usize) -> Result<(), Refusal> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                self.see_close();
                return Err(Refusal::Closed);
            }
            if word / PERMIT < n {
                return Err(Refusal::NoPermits);
            }
            match self.word.compare_exchange_weak(
                word,
                word - n * PERMIT,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    told::taken(self, n);
                    return Ok(());
                }
                Err(now) => word = now,
            }
        }
    }

    /// Who is refused sees what was done before the close: a cell whose semaphore is closed is
    /// filled.
    #[cold]
    fn see_close(&self) {
        if !canary("semaphore_close_unseen") {
            fence(Ordering::Acquire);
        }
    }

    /// (1) where all permits but one are expected to be there: a lock.
    #[inline]
    pub(crate) fn try_acquire_last(&self) -> Result<(), Refusal> {
        match self.word.compare_exchange(PERMIT, 0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                told::taken(self, 1);
                Ok(())
            }
            Err(_) => self.try_acquire(1),
        }
    }

    /// (2) of a lock's one permit.
    #[inline]
    pub(crate) fn release_last(&self) {
        match self.word.compare_exchange(0, PERMIT, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => told::changed(self),
            Err(_) => self.release(1),
        }
    }

    /// (2), or (4) where somebody waits. Panics where there would be more than [`Batch::MAX`].
    #[inline]
    #[track_caller]
    pub(crate) fn release(&self, n: usize) {
        if n == 0 {
            return;
        }
        let order =
            if canary("semaphore_release_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        let mut word = self.word.load(Ordering::Relaxed);
        while word & WAITERS == 0 {
            let next = added(word, n);
            match self.word.compare_exchange_weak(word, next, order, Ordering::Relaxed) {
                Ok(_) => return told::changed(self),
                Err(now) => word = now,
            }
        }
        self.release_slow(n);
    }

    #[cold]
    #[track_caller]
    fn release_slow(&self, n: usize) {
        // Asked before anybody is served, who would then not be woken.
        if n > Self::MAX {
            too_many(n);
        }
        let mut wakers = Wakers::new();
        let mut queue = self.queue.lock();
        self.grant(n, &mut queue, &mut wakers);
        drop(queue);
        wake_all(&mut wakers);
        told::changed(self);
    }

    /// (4) Hands `n` permits to those who wait, in their order, and what is left to the word.
    #[track_caller]
    fn grant(&self, mut n: usize, queue: &mut List<Waiter>, wakers: &mut Wakers) {
        let waited = !queue.is_empty();
        while n > 0
            && let Some(node) = queue.front()
        {
            // SAFETY: linked, so alive, and we hold the lock.
            let inner = unsafe { Waiter::inner(node) };
            let part = inner.missing.min(n);
            inner.missing -= part;
            n -= part;
            if inner.missing > 0 && !canary("semaphore_grant_part") {
                break;
            }
            queue.pop_front();
            // SAFETY: just unlinked, under the lock.
            unsafe { Self::hand_over(node, GRANTED, wakers) };
        }
        if waited && queue.is_empty() {
            // The lock is ours and the bit is set, so nobody else changes the word.
            self.word.fetch_sub(WAITERS, Ordering::Relaxed);
        }
        if n > 0 {
            self.deposit(n);
        }
    }

    /// Takes a node's waker out, then lets go of the node.
    ///
    /// # Safety
    /// `node` was just unlinked under the lock, which is still held.
    unsafe fn hand_over(node: NonNull<Waiter>, state: u8, wakers: &mut Wakers) {
        if canary("semaphore_settle_first") {
            // SAFETY: none: this is the bug that the model must find.
            unsafe { Waiter::settle(node, state) };
        }
        // SAFETY: unlinked under the lock and not yet settled.
        if let Some(waker) = unsafe { Waiter::inner(node) }.waker.take() {
            wakers.push(waker);
        }
        // SAFETY: as above.
        unsafe { Waiter::settle(node, state) };
    }

    /// Adds to the word where the queue is known to be empty.
    #[track_caller]
    fn deposit(&self, n: usize) {
        let mut word = self.word.load(Ordering::Relaxed);
        while let Err(now) = self.word.compare_exchange_weak(
            word,
            added(word, n),
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            word = now;
        }
    }

    /// (3) Links `node`, which holds all but what it misses, unless there are enough permits now.
    ///
    /// # Safety
    /// `node` is alive, in no queue, QUEUED, and stays where it is until it is settled or removed
    /// by [`Batch::cancel`].
    #[cold]
    unsafe fn enqueue(&self, node: NonNull<Waiter>) -> Result<bool, Refusal> {
        let mut queue = self.queue.lock();
        // SAFETY: the node is the caller's still.
        let inner = unsafe { Waiter::inner(node) };
        let n = inner.asked;
        // Without this look under the lock a release since the last one would wake nobody.
        let mut word = self.word.load(Ordering::Relaxed);
        if canary("semaphore_no_recheck") {
            word &= WAITERS;
            self.word.store(WAITERS, Ordering::Relaxed);
        }
        let missing = loop {
            if word & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            let (next, missing) = match (word / PERMIT).checked_sub(n) {
                Some(_) => (word - n * PERMIT, 0),
                None if canary("semaphore_part_lost") => (WAITERS, n),
                None => (WAITERS, n - word / PERMIT),
            };
            match self.word.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => break missing,
                Err(now) => word = now,
            }
        };
        if missing == 0 {
            return Ok(true);
        }
        inner.missing = missing;
        // SAFETY: alive, unlinked and pinned (the caller's word).
        unsafe { queue.push_back(node) };
        Ok(false)
    }

    /// (5) Takes a node out of the queue and gives its permits to the others, whose wakers the
    /// caller wakes. The node is the caller's again, with its waker.
    ///
    /// # Safety
    /// `node` was enqueued here by its owner, who calls this.
    #[cold]
    unsafe fn cancel(&self, node: NonNull<Waiter>, wakers: &mut Wakers) {
        let mut queue = self.queue.lock();
        // SAFETY: alive (the caller's word), and linked here or nowhere.
        let linked = unsafe { queue.remove(node) };
        // SAFETY: alive (the caller's word).
        let state = unsafe { &(*node.as_ptr()).state }.load(Ordering::Acquire);
        // SAFETY: unlinked under the lock, or settled: the caller's own.
        let inner = unsafe { Waiter::inner(node) };
        let held = match state {
            GRANTED if canary("semaphore_cancel_forgets") => 0,
            _ => inner.collected(),
        };
        if linked && queue.is_empty() {
            self.word.fetch_sub(WAITERS, Ordering::Relaxed);
        }
        if held > 0 {
            self.grant(held, &mut queue, wakers);
        }
    }

    /// Has a node's waker replaced where it would wake another task. False where the node is
    /// settled.
    ///
    /// # Safety
    /// As [`Batch::cancel`].
    #[cold]
    unsafe fn refresh(&self, node: NonNull<Waiter>, waker: &Waker) -> bool {
        // A waker's clone and drop are foreign code, so they are done outside the lock.
        let mut fresh = None;
        loop {
            let queue = self.queue.lock();
            // SAFETY: alive (the caller's word).
            let state = unsafe { &(*node.as_ptr()).state };
            if state.load(Ordering::Relaxed) != QUEUED {
                return false;
            }
            // SAFETY: linked, and we hold the lock.
            let inner = unsafe { Waiter::inner(node) };
            if inner.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
                return true;
            }
            if fresh.is_some() {
                core::mem::swap(&mut inner.waker, &mut fresh);
                drop(queue);
                return true;
            }
            drop(queue);
            fresh = Some(waker.clone());
        }
    }

    /// (6) Refuses all that wait, and all that come. What the first one has collected stays its own
    /// until it is polled or dropped: a closed channel is not idle before.
    pub(crate) fn close(&self) {
        let mut wakers = Wakers::new();
        self.close_into(&mut wakers);
        wake_all(&mut wakers);
    }

    /// (6) The wakers are to be called by the caller, when it holds no lock.
    pub(crate) fn close_into(&self, wakers: &mut Wakers) {
        let mut queue = self.queue.lock();
        // Nobody enqueues or is granted anything while we hold the lock.
        let before = if canary("semaphore_close_late") {
            self.word.load(Ordering::Relaxed)
        } else {
            self.word.fetch_or(CLOSED, Ordering::AcqRel)
        };
        while let Some(node) = queue.pop_front() {
            // SAFETY: unlinked under the lock.
            unsafe { Self::hand_over(node, REFUSED, wakers) };
        }
        if before & WAITERS != 0 {
            self.word.fetch_sub(WAITERS, Ordering::Relaxed);
        }
        drop(queue);
        if canary("semaphore_close_late") {
            self.word.fetch_or(CLOSED, Ordering::AcqRel);
        }
    }

    /// Takes up to `n` permits out of circulation; how many it took.
    pub(crate) fn forget(&self, n: usize) -> usize {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let taken = n.min(word / PERMIT);
            let next = word - taken * PERMIT;
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return taken,
                Err(now) => word = now,
            }
        }
    }
}

/// `word` with `n` more permits.
#[inline]
#[track_caller]
fn added(word: usize, n: usize) -> usize {
    if n > Batch::MAX - word / PERMIT {
        too_many(n);
    }
    word + n * PERMIT
}

#[cold]
#[track_caller]
fn too_many(n: usize) -> ! {
    panic!(
        "{n} permits were added to a semaphore that would then have more than the {} it can have",
        Batch::MAX
    )
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("permits", &self.available()).finish()
    }
}
