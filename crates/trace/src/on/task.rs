//! Tasks and their wakers.

use core::panic::Location;
use tracing::instrument::{Instrument, Instrumented};
use tracing::{Span, trace, trace_span};

/// The span of a task, which stands from its spawning until its future is gone. It has no parent:
/// who spawned it may end first.
#[derive(Debug)]
pub struct TaskSpan(Span);

impl TaskSpan {
    /// Of a future of type `F` that is spawned, or blocked on. Kinds are `task`, `local` and
    /// `block_on`.
    pub fn task<F>(
        kind: &'static str,
        name: Option<&str>,
        id: u64,
        place: &'static Location<'static>,
    ) -> Self {
        Self(trace_span!(
            target: "tokio::task",
            parent: None,
            "runtime.spawn",
            %kind,
            task.name = %name.unwrap_or_default(),
            task.id = id,
            size.bytes = size_of::<F>(),
            loc.file = place.file(),
            loc.line = place.line(),
            loc.col = place.column(),
        ))
    }

    /// Of a closure of type `F` that is spawned for a thread of its own.
    pub fn blocking<F>(name: Option<&str>, id: u64, place: &'static Location<'static>) -> Self {
        Self(trace_span!(
            target: "tokio::task::blocking",
            "runtime.spawn",
            kind = %"blocking",
            task.name = %name.unwrap_or_default(),
            task.id = id,
            "fn" = %std::any::type_name::<F>(),
            size.bytes = size_of::<F>(),
            loc.file = place.file(),
            loc.line = place.line(),
            loc.col = place.column(),
        ))
    }

    /// What the task's wakers name it by.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark(self.0.id().map_or(0, |id| id.into_u64()))
    }

    /// The future inside of the span: each poll of it, and its drop.
    #[inline]
    pub fn instrument<F>(self, future: F) -> Instrumented<F> {
        future.instrument(self.0)
    }
}

/// What the wakers of a task name it by: the number of its span, as `console-subscriber` wants it,
/// and 0 for one that has none.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Mark {
    /// Of a task without a span.
    pub const NONE: Self = Self(0);

    /// Whether nobody is told of the wakers.
    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// A waker was cloned.
    #[inline]
    pub fn cloned(self) {
        if self.0 != 0 {
            self.tell_slow("waker.clone");
        }
    }

    /// A waker was dropped.
    #[inline]
    pub fn dropped(self) {
        if self.0 != 0 {
            self.tell_slow("waker.drop");
        }
    }

    /// A waker wakes, by value.
    #[inline]
    pub fn wakes(self) {
        if self.0 != 0 {
            self.tell_slow("waker.wake");
        }
    }

    /// A waker wakes, by reference.
    #[inline]
    pub fn wakes_by_ref(self) {
        if self.0 != 0 {
            self.tell_slow("waker.wake_by_ref");
        }
    }

    #[cold]
    fn tell_slow(self, op: &'static str) {
        // Not left out where this thread is telling already: a waker that a subscriber keeps must
        // be counted, or its drop would be one too many.
        trace!(target: "tokio::task::waker", op = op, task.id = self.0);
    }
}
