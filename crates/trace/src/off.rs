//! The face without the feature: nothing has a size, and nothing is done.

use crate::kind::{Kind, Stuck};
use core::fmt;
use core::panic::Location;
use core::time::Duration;

/// Whether a subscriber may want to be told: never.
#[inline(always)]
pub const fn is_on() -> bool {
    false
}

/// The span of a task.
#[derive(Debug)]
pub struct TaskSpan(());

impl TaskSpan {
    /// Of a future that is spawned.
    #[inline(always)]
    pub fn task<F>(
        _: &'static str,
        _: Option<&str>,
        _: u64,
        _: &'static Location<'static>,
    ) -> Self {
        Self(())
    }

    /// Of a closure that is spawned for a thread of its own.
    #[inline(always)]
    pub fn blocking<F>(_: Option<&str>, _: u64, _: &'static Location<'static>) -> Self {
        Self(())
    }

    /// What the task's wakers name it by.
    #[inline(always)]
    pub fn mark(&self) -> Mark {
        Mark::NONE
    }

    /// The future as it is.
    #[inline(always)]
    pub fn instrument<F>(self, future: F) -> F {
        future
    }
}

/// What the wakers of a task name it by.
#[derive(Clone, Copy)]
pub struct Mark(());

impl Mark {
    /// Of a task without a span.
    pub const NONE: Self = Self(());

    /// Whether nobody is told of the wakers.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        true
    }

    /// A waker was cloned.
    #[inline(always)]
    pub fn cloned(self) {}

    /// A waker was dropped.
    #[inline(always)]
    pub fn dropped(self) {}

    /// A waker wakes, by value.
    #[inline(always)]
    pub fn wakes(self) {}

    /// A waker wakes, by reference.
    #[inline(always)]
    pub fn wakes_by_ref(self) {}
}

/// The span of something that tasks wait for.
#[derive(Clone)]
pub struct Resource(());

impl Resource {
    /// Without a span.
    #[inline(always)]
    pub const fn none() -> Self {
        Self(())
    }

    /// Of a new resource.
    #[inline(always)]
    pub fn new(_: Kind, _: usize, _: &'static Location<'static>) -> Self {
        Self(())
    }

    /// Whether it has a span: never.
    #[inline(always)]
    pub const fn is_seen(&self) -> bool {
        false
    }

    /// There are so many permits now.
    #[inline(always)]
    pub fn permits(&self, _: impl FnOnce() -> usize) {}

    /// A task arrived at a barrier.
    #[inline(always)]
    pub fn arrived(&self) {}

    /// All tasks have arrived at a barrier, which is as new.
    #[inline(always)]
    pub fn complete(&self) {}

    /// The value of a channel was sent.
    #[inline(always)]
    pub fn sent(&self) {}

    /// The value of a channel was received.
    #[inline(always)]
    pub fn received(&self) {}

    /// The sender of a channel is gone.
    #[inline(always)]
    pub fn sender_dropped(&self) {}

    /// The receiver of a channel is gone.
    #[inline(always)]
    pub fn receiver_dropped(&self) {}

    /// A sleep ends after so long.
    #[inline(always)]
    pub fn lasts(&self, _: impl FnOnce() -> Duration) {}
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resource")
    }
}

/// The spans of one wait.
#[derive(Debug)]
pub struct Operation(());

impl Operation {
    /// A wait that was not polled yet.
    #[inline(always)]
    pub const fn none() -> Self {
        Self(())
    }

    /// A wait that is told of at once.
    #[inline(always)]
    pub fn new(_: &Resource, _: &'static str) -> Self {
        Self(())
    }

    /// Its poll begins.
    #[inline(always)]
    pub fn poll(&mut self, _: &Resource, _: &'static str, _: &'static str) -> Polling {
        Polling(())
    }

    /// Its poll begins; says whether it is the first.
    #[inline(always)]
    pub fn poll_made(&mut self, _: &Resource, _: &'static str) -> (Polling, bool) {
        (Polling(()), false)
    }
}

/// A poll of a wait.
#[derive(Debug)]
pub struct Polling(());

impl Polling {
    /// Of no wait.
    #[inline(always)]
    pub const fn none() -> Self {
        Self(())
    }

    /// A sleep ends after so long.
    #[inline(always)]
    pub fn lasts(&self, _: impl FnOnce() -> Duration) {}

    /// How far the poll came.
    #[inline(always)]
    pub fn note(&self, _: bool) {}

    /// How the poll ended.
    #[inline(always)]
    pub fn end(self, _: bool) {}
}

/// The future as it is.
#[inline(always)]
pub fn operation<F>(future: F, _: &Resource, _: &'static str, _: &'static str) -> F {
    future
}

/// Whether a subscriber was told of a stuck poll: no.
#[inline(always)]
pub fn stall(_: &dyn fmt::Display, _: Stuck<'_>) -> bool {
    false
}
