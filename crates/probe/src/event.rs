//! One thing that happened: 24 bytes.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum EventKind {
    /// A task was spawned; the detail is the size of its future.
    Spawned,
    /// A task was woken.
    Woken,
    /// A poll began.
    PollStart,
    /// A poll ended; the detail is 1 if the task did.
    PollEnd,
    /// Tasks were stolen; the task is the one that runs next, the detail how many came.
    Stolen,
    /// The worker's queue was full; the detail is how many tasks left it.
    Overflowed,
    /// The worker went to sleep.
    Parked,
    /// The worker woke up; the detail is how many events the driver had.
    Unparked,
}

impl EventKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: &[EventKind] = &[
        EventKind::Spawned,
        EventKind::Woken,
        EventKind::PollStart,
        EventKind::PollEnd,
        EventKind::Stolen,
        EventKind::Overflowed,
        EventKind::Parked,
        EventKind::Unparked,
    ];
}

/// What happened, when, to which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds on the writer's clock.
    pub at_ns: u64,
    /// The number of the task; 0 for none.
    pub task: u64,
    /// What happened.
    pub kind: EventKind,
    /// What the kind says it is.
    pub detail: u32,
}

impl Event {
    #[inline(always)]
    pub(crate) fn to_words(self) -> [u64; 3] {
        [self.at_ns, self.task, (self.kind as u64) << 32 | u64::from(self.detail)]
    }

    /// Nothing, if no event has these words.
    pub(crate) fn from_words([at_ns, task, rest]: [u64; 3]) -> Option<Self> {
        let kind = *EventKind::ALL.get(usize::try_from(rest >> 32).ok()?)?;
        Some(Self { at_ns, task, kind, detail: (rest & u64::from(u32::MAX)) as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, EventKind};

    #[test]
    fn every_kind_survives_its_words() {
        for (number, &kind) in EventKind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, number);
            let event = Event { at_ns: u64::MAX, task: 7, kind, detail: u32::MAX };
            assert_eq!(Event::from_words(event.to_words()), Some(event));
        }
        assert_eq!(Event::from_words([1, 2, 99 << 32]), None);
        assert_eq!(size_of::<Event>(), 24);
    }
}
