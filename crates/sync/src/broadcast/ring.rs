//! The ring of a broadcast channel: the last so many messages, each behind a lock of its own.
//!
//! Locks are taken in the order tail, slot, and both are short; but a message is cloned under its
//! slot's lock, since it need not be `Sync`. Messages are dropped, and wakers called, under none.

use super::error::TryRecvError;
use crate::Notify;
use shinkan_base::atomics::{AtomicUsize, Mutex, MutexGuard, Ordering};
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;

pub(super) struct Ring<T> {
    slots: Box<[Mutex<Slot<T>>]>,
    tail: Mutex<Tail>,
    pub(super) senders: AtomicUsize,
    pub(super) weak: AtomicUsize,
    /// A message was sent, or the last sender dropped.
    pub(super) sent: Notify,
    /// The last receiver was dropped.
    pub(super) unheard: Notify,
}

#[derive(Clone, Copy)]
struct Tail {
    /// The position of the next message.
    position: u64,
    receivers: usize,
}

struct Slot<T> {
    /// Of the message that is in it, or was.
    position: u64,
    /// How many receivers have not had it.
    missing: usize,
    value: Option<T>,
}

impl<T> Slot<T> {
    /// One receiver less misses it. The value, if it was the last one.
    #[inline]
    fn pass(&mut self) -> Option<T> {
        self.missing -= 1;
        if self.missing == 0 { self.value.take() } else { None }
    }
}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize, receivers: usize) -> Self {
        let capacity = capacity.next_power_of_two();
        let slots = (0..capacity as u64).map(|i| {
            // As if it held the message of the round before the first.
            let position = i.wrapping_sub(capacity as u64);
            Mutex::new(Slot { position, missing: 0, value: None })
        });
        Self {
            slots: slots.collect(),
            tail: Mutex::new(Tail { position: 0, receivers }),
            senders: AtomicUsize::new(1),
            weak: AtomicUsize::new(0),
            sent: Notify::new(),
            unheard: Notify::new(),
        }
    }

    #[inline]
    fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    #[inline]
    fn slot(&self, position: u64) -> &Mutex<Slot<T>> {
        &self.slots[(position & (self.capacity() - 1)) as usize]
    }

    fn tail(&self) -> Tail {
        *self.tail.lock()
    }

    pub(super) fn position(&self) -> u64 {
        self.tail().position
    }

    pub(super) fn receivers(&self) -> usize {
        self.tail().receivers
    }

    /// Sends to all receivers that there are; how many.
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let mut wakers = Wakers::new();
        if canary("broadcast_notify_early") {
            self.sent.notify_waiters_into(&mut wakers);
        }
        let mut tail = self.tail.lock();
        let Tail { position, receivers } = *tail;
        if receivers == 0 {
            return Err(value);
        }
        tail.position += 1;
        let new = Slot { position, missing: receivers, value: Some(value) };
        let old = core::mem::replace(&mut *self.slot(position).lock(), new);
        // Under the lock: a receiver that finds nothing under it is counted as waiting.
        if !canary("broadcast_notify_early") {
            self.sent.notify_waiters_into(&mut wakers);
        }
        drop(tail);
        wakers.wake_all();
        drop(old);
        Ok(receivers)
    }

    /// Counts a receiver more; the first position that it gets.
    pub(super) fn join(&self) -> u64 {
        let mut tail = self.tail.lock();
        tail.receivers += 1;
        tail.position
    }

    /// Counts a receiver less, which has had all before `next`.
    pub(super) fn leave(&self, next: u64) {
        if canary("broadcast_unheard_first") {
            self.unheard.notify_waiters();
        }
        let Tail { position, receivers } = {
            let mut tail = self.tail.lock();
            tail.receivers -= 1;
            *tail
        };
        let next = next.max(position.saturating_sub(self.capacity()));
        // Told after the messages are gone, and also where the drop of one panics.
        let _unheard = Unheard(self, receivers == 0 && !canary("broadcast_unheard_first"));
        Rest { ring: self, next, end: position }.pass();
    }

    /// A clone of the message at `next`, if it is there; moves `next` on. The last receiver gets a
    /// clone too, since a clone may be told from what it was made of.
    #[inline(always)]
    pub(super) fn receive(&self, next: &mut u64) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        let mut slot = self.slot(*next).lock();
        if slot.position != *next {
            drop(slot);
            slot = self.receive_slow(next)?;
        }
        *next += 1;
        // Where the clone panics the message counts as received.
        let had = Had { slot, rest: None };
        had.slot.value.clone().ok_or(TryRecvError::Closed)
    }

    /// The slot of `next`, where it was not there at a first look but is now.
    #[cold]
    fn receive_slow(&self, next: &mut u64) -> Result<MutexGuard<'_, Slot<T>>, TryRecvError> {
        let tail = self.tail.lock();
        let slot = self.slot(*next).lock();
        if slot.position == *next && !canary("broadcast_no_second_look") {
            return Ok(slot);
        }
        if *next == tail.position {
            // A sender's messages come before its drop, and none is sent while we hold the lock.
            let closed = self.senders.load(Ordering::Acquire) == 0;
            return Err(if closed { TryRecvError::Closed } else { TryRecvError::Empty });
        }
        let oldest = tail.position - self.capacity();
        let missed = oldest - *next;
        *next = oldest;
        Err(TryRecvError::Lagged(missed))
    }

    /// Messages that some receiver has not had.
    pub(super) fn len(&self) -> usize {
        let tail = self.tail.lock();
        let is_had =
            |back: u64| back > tail.position || self.slot(tail.position - back).lock().missing == 0;
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
    slot: MutexGuard<'a, Slot<T>>,
    rest: Option<T>,
}

impl<T> Drop for Had<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.rest = self.slot.pass();
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
            let mut slot = self.ring.slot(position).lock();
            // It may have been overwritten meanwhile.
            let value = if slot.position == position { slot.pass() } else { None };
            drop(slot);
            drop(value);
        }
    }
}

impl<T> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        self.pass();
    }
}
