//! The last events of one worker. The worker writes and never waits; a reader on another thread
//! takes a copy, and leaves out what was overwritten meanwhile.
//!
//! Events are counted from 0; event n stands in slot n modulo the capacity. Two counters: `begun`
//! is raised before a slot is written and `done` after it.
//!
//! - writer: `begun = n + 1`; fence(Release); the slot; `done = n + 1` (Release).
//! - reader: `done` (Acquire); the slots; fence(Acquire); `begun`. Event n is whole if
//!   `begun <= n + capacity`.
//!
//! Pairs: `done` (Release) with its load: every event below it is in its slot. The two fences:
//! if the reader saw any word of event n + capacity in the slot of n, then it sees its `begun` too
//! (Boehm, "Can seqlocks get along with programming language memory models?", 2012).

use crate::event::Event;
use core::fmt;
use shinkan_base::atomics::{AtomicU64, Ordering, fence};

/// A ring of the last events of one writer.
pub struct EventRing {
    begun: AtomicU64,
    done: AtomicU64,
    slots: Box<[[AtomicU64; 3]]>,
}

impl EventRing {
    /// An empty ring of at least `capacity` events, rounded up to a power of two.
    pub fn new(capacity: usize) -> Self {
        let slots = 0..capacity.max(1).next_power_of_two();
        let slot = || [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
        Self {
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            slots: slots.map(|_| slot()).collect(),
        }
    }

    /// Writes an event over the oldest one. For one thread at a time: two would mix their words.
    #[inline]
    pub fn push(&self, event: Event) {
        let n = self.done.load(Ordering::Relaxed);
        self.begun.store(n + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        let slot = &self.slots[n as usize & (self.slots.len() - 1)];
        for (word, value) in slot.iter().zip(event.to_words()) {
            word.store(value, Ordering::Relaxed);
        }
        self.done.store(n + 1, Ordering::Release);
    }

    /// How many events were ever written.
    pub fn written(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }

    /// How many events the ring holds.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The events from number `since` on that are still there, oldest first, and the number to
    /// pass the next time.
    pub fn read(&self, since: u64) -> (Vec<Event>, u64) {
        let capacity = self.slots.len() as u64;
        let end = self.done.load(Ordering::Acquire);
        let start = since.max(end.saturating_sub(capacity)).min(end);
        let copies: Vec<[u64; 3]> = (start..end)
            .map(|n| {
                let slot = &self.slots[n as usize & (self.slots.len() - 1)];
                slot.each_ref().map(|word| word.load(Ordering::Relaxed))
            })
            .collect();
        fence(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Relaxed);
        let whole = (start..end).zip(copies).filter(|(n, _)| begun <= n + capacity);
        (whole.filter_map(|(_, words)| Event::from_words(words)).collect(), end)
    }
}

impl fmt::Debug for EventRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.done.load(Ordering::Relaxed);
        f.debug_struct("EventRing").field("written", &written).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::EventRing;
    use crate::{Event, EventKind};
    use std::sync::atomic::{AtomicBool, Ordering};

    fn event(n: u64) -> Event {
        Event { at_ns: n, task: !n, kind: EventKind::Woken, detail: n as u32 }
    }

    #[test]
    fn holds_the_last_ones_in_order() {
        let ring = EventRing::new(6);
        assert_eq!(ring.capacity(), 8);
        assert_eq!(ring.read(0), (vec![], 0));
        (0..5).for_each(|n| ring.push(event(n)));
        assert_eq!(ring.read(0), ((0..5).map(event).collect(), 5));
        assert_eq!(ring.read(3), ((3..5).map(event).collect(), 5));
        (5..21).for_each(|n| ring.push(event(n)));
        assert_eq!(ring.read(5), ((13..21).map(event).collect(), 21));
        assert_eq!(ring.read(21), (vec![], 21));
        assert_eq!(ring.read(99), (vec![], 21));
        assert_eq!(ring.written(), 21);
    }

    #[test]
    fn a_reader_beside_the_writer_gets_whole_events_in_order() {
        let ring = EventRing::new(8);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    ring.push(event(n));
                    n += 1;
                }
            });
            let (mut seen, mut since) = (0, 0);
            while seen < 1_000 {
                let (events, next) = ring.read(since);
                for got in &events {
                    assert!(got.at_ns >= since && got.at_ns < next);
                    assert_eq!(*got, event(got.at_ns));
                }
                assert!(events.is_sorted_by_key(|event| event.at_ns));
                seen += events.len();
                since = next;
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}
