//! The ring of a broadcast channel: the last so many messages, each behind a lock of its own, and
//! the list of those who wait for the next.
//!
//! ```text
//! guarded by the tail's lock   `position` (anybody reads it), `receivers`, the list, `wait`'s nodes
//! guarded by a slot's lock     its message, the message's position, `missing` (anybody reads it)
//!
//! step                         locks                  what others may see
//! (1) send fills the slot      tail, slot             who is at this position still waits
//! (2) send moves `position`    tail                   looks find the message
//! (3) send takes the list      tail                   the nodes are their futures' again
//! (4) enqueue                  tail                   only where `position` is still the receiver's
//! (5) receive                  slot                   the last one takes the message out
//! (6) the last sender ends     none, then tail        `senders` is 0, then as (3)
//! ```
//!
//! No wake-up is lost: (1) to (3) are one hold of the lock, so (4) comes before it, and the node is
//! in the list that (3) takes, or after it, and sees (2). For (6) the same: `senders` is 0 before
//! the lock is taken, and (4) looks at it. A look without a lock that finds `senders` 0 looks at
//! `position` again, as a sender's messages come before its end (AcqRel on `senders`).
//!
//! A message is cloned under its slot's lock: it need not be `Sync`, so two receivers cannot clone
//! it at once. Nobody waits for that lock with the tail's in hand, so whoever wants another slot or
//! none is not kept, the clone among them. Messages are dropped, and wakers called, under no lock.
//!
//! A receiver remembers up to where messages were sent, so that one that is behind, as most are,
//! reads no word that senders write but the slot.

use super::error::TryRecvError;
use super::wait;
use crate::Notify;
use crate::notify::Waiter;
use shinkan_base::atomics::{AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering};
use shinkan_base::canary;
use shinkan_base::list::List;
use shinkan_base::pad::Padded;
use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;

pub(super) struct Ring<T> {
    slots: Box<[Slot<T>]>,
    pub(super) senders: AtomicUsize,
    pub(super) weak: AtomicUsize,
    /// The last receiver was dropped.
    pub(super) unheard: Notify,
    /// Of the next message.
    position: Padded<AtomicU64>,
    pub(super) tail: Padded<Mutex<Tail>>,
}

pub(super) struct Tail {
    receivers: usize,
    pub(super) waiters: List<Waiter>,
}

struct Slot<T> {
    /// How many receivers have not had it.
    missing: AtomicUsize,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    /// Of the message that is in it, or was.
    position: u64,
    value: Option<T>,
}

/// Where a receiver stands.
pub(super) struct Seat {
    /// The next message that it gets.
    pub(super) next: u64,
    /// Those before it were sent, and perhaps more.
    sent: u64,
}

impl Seat {
    fn at(position: u64) -> Self {
        Self { next: position, sent: position }
    }
}

impl<T> Slot<T> {
    /// One receiver less misses it. The value, if it was the last one.
    #[inline]
    fn pass(&self, held: &mut Held<T>) -> Option<T> {
        // Only the holder of the lock writes it.
        let missing = self.missing.load(Ordering::Relaxed) - 1;
        self.missing.store(missing, Ordering::Relaxed);
        if missing == 0 { held.value.take() } else { None }
    }
}

impl<T> Ring<T> {
    /// With one sender and no receiver.
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.next_power_of_two();
        let slots = (0..capacity as u64).map(|i| {
            // As if it held the message of the round before the first.
            let position = i.wrapping_sub(capacity as u64);
            let held = Mutex::new(Held { position, value: None });
            Slot { missing: AtomicUsize::new(0), held }
        });
        Self {
            slots: slots.collect(),
            senders: AtomicUsize::new(1),
            weak: AtomicUsize::new(0),
            unheard: Notify::new(),
            position: Padded(AtomicU64::new(0)),
            tail: Padded(Mutex::new(Tail { receivers: 0, waiters: List::new() })),
        }
    }

    #[inline]
    fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    #[inline]
    fn slot(&self, position: u64) -> &Slot<T> {
        &self.slots[(position & (self.capacity() - 1)) as usize]
    }

    #[inline]
    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    pub(super) fn receivers(&self) -> usize {
        self.tail.lock().receivers
    }

    /// Sends to all receivers that there are; how many.
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let mut wakers = Wakers::new();
        if canary("broadcast_notify_early") {
            wait::settle_all(&mut self.tail.lock(), &mut wakers);
        }
        let (mut tail, slot, mut held) = loop {
            let tail = self.tail.lock();
            if tail.receivers == 0 {
                return Err(value);
            }
            let slot = self.slot(self.position());
            if let Some(held) = slot.held.try_lock() {
                break (tail, slot, held);
            }
            // What is to be overwritten is being cloned.
            drop(tail);
            drop(slot.held.lock());
        };
        let (position, receivers) = (self.position(), tail.receivers);
        if canary("broadcast_position_early") {
            drop(held);
            self.position.store(position + 1, Ordering::Release);
            held = slot.held.lock();
        }
        let old = core::mem::replace(&mut *held, Held { position, value: Some(value) });
        slot.missing.store(receivers, Ordering::Relaxed);
        drop(held);
        self.position.store(position + 1, Ordering::Release);
        if !canary("broadcast_notify_early") {
            wait::settle_all(&mut tail, &mut wakers);
        }
        drop(tail);
        wake_all(&mut wakers);
        drop(old);
        Ok(receivers)
    }

    /// Wakes all that wait, since no message will come any more.
    pub(super) fn end(&self) {
        let mut wakers = Wakers::new();
        wait::settle_all(&mut self.tail.lock(), &mut wakers);
        wake_all(&mut wakers);
    }

    /// Counts a receiver more.
    pub(super) fn join(&self) -> Seat {
        let mut tail = self.tail.lock();
        tail.receivers += 1;
        Seat::at(self.position())
    }

    /// Counts a receiver less, which has had all before `next`.
    pub(super) fn leave(&self, next: u64) {
        if canary("broadcast_unheard_first") {
            self.unheard.notify_waiters();
        }
        let (position, receivers) = {
            let mut tail = self.tail.lock();
            tail.receivers -= 1;
            (self.position(), tail.receivers)
        };
        let next = next.max(position.saturating_sub(self.capacity()));
        // Told after the messages are gone, and also where the drop of one panics.
        let _unheard = Unheard(self, receivers == 0 && !canary("broadcast_unheard_first"));
        Rest { ring: self, next, end: position }.pass();
    }

    /// A clone of the message at `seat`, if it is there; moves `seat` on. The last receiver gets a
    /// clone too, since a clone may be told from what it was made of.
    #[inline(always)]
    pub(super) fn receive(&self, seat: &mut Seat) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        if seat.next == seat.sent {
            seat.sent = self.position();
            if seat.next == seat.sent {
                self.look_at_the_end(seat)?;
            }
        }
        let slot = self.slot(seat.next);
        let held = slot.held.lock();
        if held.position != seat.next {
            drop(held);
            return Err(self.skip_slow(seat));
        }
        seat.next += 1;
        // Where the clone panics the message counts as received.
        let had = Had { slot, held, rest: None };
        had.held.value.clone().ok_or(TryRecvError::Closed)
    }

    /// Whether there is a message at `seat` after all, where there was none at a first look.
    fn look_at_the_end(&self, seat: &mut Seat) -> Result<(), TryRecvError> {
        if self.senders.load(Ordering::Acquire) > 0 {
            return Err(TryRecvError::Empty);
        }
        // A sender's messages come before its end.
        if !canary("broadcast_end_at_first_look") {
            seat.sent = self.position();
        }
        if seat.next == seat.sent { Err(TryRecvError::Closed) } else { Ok(()) }
    }

    /// Whether a receiver that found nothing at `next` must wait. Under the tail's lock.
    #[inline]
    pub(super) fn is_to_wait(&self, next: u64) -> bool {
        canary("broadcast_no_second_look")
            || self.position() == next && self.senders.load(Ordering::Acquire) > 0
    }

    /// Moves `seat` to the oldest message, where its own was overwritten.
    #[cold]
    fn skip_slow(&self, seat: &mut Seat) -> TryRecvError {
        // With the lock: a sender that has filled a slot may not have moved `position` yet.
        let tail = self.tail.lock();
        seat.sent = self.position();
        drop(tail);
        let missed = seat.sent - self.capacity() - seat.next;
        debug_assert!(missed > 0, "a message was sent and not overwritten, but is not in its slot");
        seat.next += missed;
        TryRecvError::Lagged(missed)
    }

    /// Messages that some receiver has not had.
    pub(super) fn len(&self) -> usize {
        let _tail = self.tail.lock();
        let position = self.position();
        let missing = |back: u64| self.slot(position - back).missing.load(Ordering::Relaxed);
        let is_had = |back: u64| back > position || missing(back) == 0;
        // Every receiver has the older ones before the newer ones.
        let (mut low, mut high) = (0, self.capacity());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if is_had(middle) { high = middle - 1 } else { low = middle }
        }
        low as usize
    }
}

/// A message that a receiver is having. If nobody else misses it, it is dropped after the unlock:
/// fields are dropped in their order.
struct Had<'a, T> {
    slot: &'a Slot<T>,
    held: MutexGuard<'a, Held<T>>,
    rest: Option<T>,
}

impl<T> Drop for Had<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.rest = self.slot.pass(&mut self.held);
    }
}

/// Tells those who wait for it that the last receiver is gone, if it is.
struct Unheard<'a, T>(&'a Ring<T>, bool);

impl<T> Drop for Unheard<'_, T> {
    fn drop(&mut self) {
        if self.1 {
            self.0.unheard.notify_waiters();
        }
    }
}

/// Messages that a receiver leaves behind; goes on after one whose drop panics.
struct Rest<'a, T> {
    ring: &'a Ring<T>,
    next: u64,
    end: u64,
}

impl<T> Rest<'_, T> {
    fn pass(&mut self) {
        while self.next < self.end {
            let position = self.next;
            self.next += 1;
            let slot = self.ring.slot(position);
            let mut held = slot.held.lock();
            // It may have been overwritten meanwhile.
            let value = if held.position == position { slot.pass(&mut held) } else { None };
            drop(held);
            drop(value);
        }
    }
}

impl<T> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        self.pass();
    }
}
