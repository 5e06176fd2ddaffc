//! Who has work of its own looks after the others, too: what a worker does not get to goes to one
//! that does.
//!
//! A thief comes where it has nothing else to do. But while all have work, nobody would: a worker
//! whose thread lost its processor, or whose task computes on, would keep what waits behind it, for
//! the milliseconds that this takes, while the others serve the same few clients again and again.
//! With 64 clients of an HTTP server, one of a hundred answers was late by that.
//!
//! So with each look at sockets and timers (`pace.rs`: some 200 us apart) a worker looks at one
//! other. If that one has had the same task to run next for some time, and for longer than the
//! worker's own tasks will take, half of its queue is taken over, behind the worker's own.
//!
//! Rejected: to look at all of them each time. The lines that this reads are those that their
//! owners write with each task.

use crate::core::Slot;
use shinkan_base::atomics::Arc;
use shinkan_base::lifo::Mark;

/// A worker that takes no task for so long is stuck with the one before.
const STUCK_NS: u64 = 100_000;

/// Whom a worker looks at, and what it saw there.
#[derive(Default)]
pub(crate) struct Relief {
    /// Of the others, by its distance from this one.
    victim: usize,
    seen: Option<Next>,
    since_ns: u64,
}

/// What a worker runs next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The index in its queue.
    Queued(u32),
    /// It has no other, and so many polls before it: two tasks that wake each other take turns.
    Lifo(Mark, u64),
}

/// What may be taken from a worker that is stuck.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// Half of its queue.
    Queue(usize),
    /// The task that it would run next.
    Lifo(usize, Mark),
}

impl Relief {
    /// Looks at one of the others. `own` is the worker's index, and `own_ns` what its queue takes.
    pub(crate) fn look(
        &mut self,
        slots: &[Arc<Slot>],
        own: usize,
        own_ns: u64,
        now_ns: impl FnOnce() -> u64,
    ) -> Option<Stuck> {
        let others = slots.len() - 1;
        if others == 0 {
            return None;
        }
        let at = (own + 1 + self.victim % others) % slots.len();
        let now = next(&slots[at]);
        match now {
            Some(next) if self.seen == now => {
                let stuck = now_ns().saturating_sub(self.since_ns) >= STUCK_NS.max(own_ns);
                return stuck.then_some(match next {
                    Next::Queued(_) => Stuck::Queue(at),
                    Next::Lifo(mark, _) => Stuck::Lifo(at, mark),
                });
            }
            // It goes on: the next one, from the next look on.
            _ if self.seen.is_some() || now.is_none() => {
                self.victim = (self.victim + 1) % others;
                self.seen = None;
            }
            _ => {
                self.seen = now;
                self.since_ns = now_ns();
            }
        }
        None
    }

    /// So many tasks were taken from the one that it looks at: what is left has waited as long, if
    /// that one has not gone on since.
    pub(crate) fn took(&mut self, slots: &[Arc<Slot>], own: usize, taken: u32) {
        let at = (own + 1 + self.victim % (slots.len() - 1)) % slots.len();
        let left = match self.seen {
            Some(Next::Queued(first)) => Some(Next::Queued(first.wrapping_add(taken))),
            _ => None,
        };
        self.seen = left.filter(|_| next(&slots[at]) == left);
    }
}

fn next(slot: &Slot) -> Option<Next> {
    match slot.stealer.first() {
        Some(first) => Some(Next::Queued(first)),
        None => slot.lifo.mark().map(|mark| Next::Lifo(mark, slot.polls())),
    }
}
