//! `Notify`: wakes tasks, carries no value.
//!
//! ```text
//! state = calls << 2 | EMPTY (0) | WAITING (1) | NOTIFIED (2)
//! row  state     queue       permit   who may change the word
//!  1   EMPTY     empty       no       everybody
//!  2   NOTIFIED  empty       yes      everybody
//!  3   WAITING   not empty   no       the holder of the lock
//! (1) notify_one 1→2, 2→2 without the lock, 3→3, 3→1 with it   (2) consume 2→1
//! (3) enqueue 1→3, 3→3 with the lock
//! (4) notify_waiters 1→1, 2→2 without the lock, 3→1 with it, and one more call each time
//! (5) cancel 3→3, 3→1 with the lock
//! ```
//!
//! `calls` counts `notify_waiters`, so that a future that was made before one of them ends though
//! it was not polled. Every notifier's change is a read-modify-write with Release, or the Release
//! store into the waiter's node; every waiter sees it with Acquire.

#![allow(unsafe_code)]

mod future;
mod waiter;

pub use future::{Notified, OwnedNotified};
pub(crate) use waiter::{ALL, Wait, Waiter, refresh};

use core::panic::{Location, RefUnwindSafe, UnwindSafe};
use core::task::Waker;
use shinkan_base::atomics::{AtomicUsize, Mutex, Ordering};
use shinkan_base::canary;
use shinkan_base::list::List;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;
use std::sync::Arc;
use waiter::{ONE_FIRST, ONE_LAST};

const EMPTY: usize = 0;
const WAITING: usize = 1;
const NOTIFIED: usize = 2;
const STATE: usize = 3;
const CALL: usize = 4;

/// Wakes tasks that wait for something to happen.
///
/// It holds one permit at most. [`notify_one`](Notify::notify_one) wakes the task that waits
/// longest; if none waits it stores the permit, which the next [`notified`](Notify::notified)
/// takes at once. [`notify_waiters`](Notify::notify_waiters) wakes all that wait and stores
/// nothing.
///
/// # Examples
/// ```
/// use shinkan_sync::Notify;
/// use std::sync::Arc;
///
/// # futures::executor::block_on(async {
/// let done = Arc::new(Notify::new());
/// let other = done.clone();
/// std::thread::spawn(move || other.notify_one());
/// done.notified().await;
/// # });
/// ```
#[derive(Debug)]
pub struct Notify {
    pub(crate) state: AtomicUsize,
    pub(crate) queue: Mutex<List<Waiter>>,
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

impl Notify {
    /// Without a permit.
    pub fn new() -> Self {
        Self { state: AtomicUsize::new(EMPTY), queue: Mutex::new(List::new()) }
    }

    /// Waits for a notification.
    ///
    /// The future gets the notifications of `notify_waiters` from this call on, those of
    /// `notify_one` from its first poll or [`Notified::enable`] on; so make it, then look whether
    /// there is still something to wait for, then await it.
    ///
    /// # Cancel safety
    /// The place in the queue is lost if it is dropped. A notification that it got from
    /// `notify_one` goes to the next in the queue.
    #[inline]
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        Notified::new(self, Wait::new(self, WaitKind::Notify, Location::caller()))
    }

    /// As [`Notify::notified`], but the future keeps the `Notify` alive.
    ///
    /// # Cancel safety
    /// As [`Notify::notified`].
    #[inline]
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let wait = Wait::new(&self, WaitKind::Notify, Location::caller());
        OwnedNotified::new(self, wait)
    }

    /// For the other types of this crate: the wait record names what they are.
    #[inline]
    pub(crate) fn notified_as(
        &self,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> Notified<'_> {
        Notified::new(self, Wait::new(self, kind, place))
    }

    /// Wakes the task that waits longest, or stores the permit.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Notify;
    /// # futures::executor::block_on(async {
    /// let notify = Notify::new();
    /// notify.notify_one();
    /// notify.notify_one();
    /// notify.notified().await; // takes the one permit that the two calls left
    /// # });
    /// ```
    #[inline]
    pub fn notify_one(&self) {
        self.notify(ONE_FIRST);
    }

    /// Wakes the task that has waited for the shortest time, or stores the permit.
    #[inline]
    pub fn notify_last(&self) {
        self.notify(ONE_LAST);
    }

    #[inline]
    fn notify(&self, which: u8) {
        if !self.store_permit() {
            self.notify_slow(which);
        }
    }

    /// (1) without the lock; false in row 3.
    #[inline]
    fn store_permit(&self) -> bool {
        let mut word = self.state.load(Ordering::Relaxed);
        while word & STATE != WAITING {
            let next = word & !STATE | NOTIFIED;
            match self.state.compare_exchange_weak(word, next, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    #[cold]
    fn notify_slow(&self, which: u8) {
        let mut queue = self.queue.lock();
        let waker = self.notify_locked(&mut queue, which);
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// (1) with the lock. The waker is to be called after it.
    fn notify_locked(&self, queue: &mut List<Waiter>, which: u8) -> Option<Waker> {
        let node = match which {
            ONE_LAST => queue.pop_back(),
            _ => queue.pop_front(),
        };
        let Some(node) = node else {
            // The last waiter left before we had the lock; none comes while we hold it.
            let stored = self.store_permit();
            debug_assert!(stored, "the state says that somebody waits, the queue that nobody does");
            return None;
        };
        if queue.is_empty() {
            // WAITING is cleared: the bit is set, and the lock is ours.
            self.state.fetch_sub(WAITING, Ordering::Relaxed);
        }
        // SAFETY: just unlinked, under the lock.
        unsafe { Waiter::settle(node, which) }
    }

    /// Wakes all tasks that wait now, and all futures that were made before this call. Stores no
    /// permit.
    pub fn notify_waiters(&self) {
        let mut wakers = Wakers::new();
        self.notify_waiters_into(&mut wakers);
        wake_all(&mut wakers);
    }

    /// (4) The wakers are to be called by the caller, when it holds no lock.
    #[inline]
    pub(crate) fn notify_waiters_into(&self, wakers: &mut Wakers) {
        if !self.count_call() {
            self.notify_waiters_slow(wakers);
        }
    }

    /// (4) without the lock; false in row 3.
    #[inline]
    fn count_call(&self) -> bool {
        let mut word = self.state.load(Ordering::Relaxed);
        while word & STATE != WAITING {
            let next = word.wrapping_add(CALL);
            match self.state.compare_exchange_weak(word, next, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    #[cold]
    fn notify_waiters_slow(&self, wakers: &mut Wakers) {
        let mut queue = self.queue.lock();
        if queue.is_empty() {
            // The last waiter left before we had the lock; none comes while we hold it.
            let counted = self.count_call();
            debug_assert!(
                counted,
                "the state says that somebody waits, the queue that nobody does"
            );
            return;
        }
        self.state.fetch_add(CALL - WAITING, Ordering::AcqRel);
        while let Some(node) = queue.pop_front() {
            // SAFETY: just unlinked, under the lock.
            if let Some(waker) = unsafe { Waiter::settle(node, ALL) } {
                wakers.push(waker);
            }
        }
    }

    #[inline]
    fn calls(&self) -> usize {
        self.state.load(Ordering::Acquire) & !STATE
    }

    /// (2) Whether a future that was made after `calls` may end now.
    #[inline]
    fn consume(&self, calls: usize) -> bool {
        let mut word = self.state.load(Ordering::Acquire);
        loop {
            if word & !STATE != calls {
                return true;
            }
            if word & STATE != NOTIFIED {
                return false;
            }
            match self.state.compare_exchange_weak(
                word,
                word - NOTIFIED,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// (3) True: `node` is queued. False: the future may end.
    ///
    /// # Safety
    /// `node` is alive, in no queue, and stays where it is until it is settled or cancelled.
    #[cold]
    unsafe fn enqueue(&self, node: core::ptr::NonNull<Waiter>, calls: usize) -> bool {
        let mut queue = self.queue.lock();
        let mut word = self.state.load(Ordering::Acquire);
        loop {
            // Without this look under the lock a notification since the last one would be lost.
            let ends = word & !STATE != calls || word & STATE == NOTIFIED;
            if ends && !canary("notify_no_recheck") {
                if self.consume(calls) {
                    return false;
                }
                word = self.state.load(Ordering::Acquire);
                continue;
            }
            if word & STATE == WAITING {
                break;
            }
            match self.state.compare_exchange_weak(
                word,
                word & !STATE | WAITING,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        // SAFETY: alive, unlinked and pinned (the caller's word).
        unsafe { queue.push_back(node) };
        true
    }

    /// (5) Takes a node out; what it was given goes to the next.
    ///
    /// # Safety
    /// `node` was enqueued here by its owner, who calls this.
    #[cold]
    unsafe fn cancel(&self, node: core::ptr::NonNull<Waiter>) -> Option<Waker> {
        let mut queue = self.queue.lock();
        // SAFETY: alive (the caller's word), and linked here or nowhere.
        let linked = unsafe { queue.remove(node) };
        if linked && queue.is_empty() {
            self.state.fetch_sub(WAITING, Ordering::Relaxed);
        }
        // SAFETY: alive (the caller's word).
        match unsafe { Waiter::notification(node) } {
            _ if canary("notify_cancel_forgets") => None,
            which @ (ONE_FIRST | ONE_LAST) => self.notify_locked(&mut queue, which),
            _ => None,
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}
