//! The user's functions that the runtime calls at certain points, and what they are told.
//!
//! None of them costs anything where it was not asked for but a look at one flag a poll, which is
//! also the one for the histograms.

use crate::measures::Measures;
use crate::shared::Shared;
use core::panic::Location;
use core::time::Duration;
use shinkan_task::{Id, Origin, Runnable, Tag, TaskRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;
pub(crate) type TaskHook = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

/// Calls user code that has no caller to unwind to. Its panic has been printed by the panic hook;
/// what it carries may panic again when it is dropped, and is then leaked rather than let through.
pub(crate) fn quietly(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code))
        && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        core::mem::forget(again);
    }
}

/// What a hook is told of a task.
#[derive(Debug)]
pub struct TaskMeta<'a> {
    id: Id,
    spawned_at: &'static Location<'static>,
    name: Option<&'a str>,
    schedule_latency: Option<Duration>,
}

impl TaskMeta<'_> {
    /// The task's number.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// The name that the task was spawned with, by a `task::Builder`.
    pub fn name(&self) -> Option<&str> {
        self.name
    }

    /// How long the task had waited in a queue when this poll began. Told before and after a poll,
    /// where [`Builder::track_task_schedule_latency`](crate::Builder::track_task_schedule_latency)
    /// or the histogram of these times is on; nothing elsewhere.
    pub fn schedule_latency(&self) -> Option<Duration> {
        self.schedule_latency
    }
}

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) before_park: Option<Hook>,
    pub(crate) after_unpark: Option<Hook>,
    pub(crate) on_spawn: Option<TaskHook>,
    pub(crate) before_poll: Option<TaskHook>,
    pub(crate) after_poll: Option<TaskHook>,
    pub(crate) on_end: Option<TaskHook>,
}

impl Hooks {
    pub(crate) fn park(&self) {
        if let Some(hook) = &self.before_park {
            quietly(|| hook());
        }
    }

    pub(crate) fn unpark(&self) {
        if let Some(hook) = &self.after_unpark {
            quietly(|| hook());
        }
    }

    /// A task is being spawned. A panic of the hook is its spawner's.
    #[inline]
    pub(crate) fn spawned(&self, id: Id, origin: &Origin) {
        if let Some(hook) = &self.on_spawn {
            let name = origin.tag().and_then(Tag::name);
            let spawned_at = origin.place();
            hook(&TaskMeta { id, spawned_at, name, schedule_latency: None });
        }
    }

    /// A task has ended, and its future is gone.
    #[inline(always)]
    pub(crate) fn ended(&self, task: &TaskRef) {
        if let Some(hook) = &self.on_end {
            ended_slow(hook, task);
        }
    }
}

#[cold]
fn ended_slow(hook: &TaskHook, task: &TaskRef) {
    let (id, spawned_at, name) = (task.id(), task.place(), task.name());
    quietly(|| hook(&TaskMeta { id, spawned_at, name, schedule_latency: None }));
}

impl Shared {
    /// Polls a task, and does before and after it what the builder asked for. Never unwinds: a
    /// hook's panic has been printed by the panic hook and is nobody else's.
    #[inline]
    pub(crate) fn poll<'a>(&self, task: Runnable, measures: impl FnOnce() -> &'a Measures) {
        if self.config.watches_polls {
            self.poll_watched_slow(task, measures());
        } else {
            task.run();
        }
    }

    #[cold]
    fn poll_watched_slow(&self, task: Runnable, measures: &Measures) {
        let schedule_latency = task.tag().and_then(|tag| self.queued_for(tag));
        if let (Some(histogram), Some(latency)) = (&measures.latency, schedule_latency) {
            histogram.note(latency);
        }
        // The task may be gone after its poll, and its name with it.
        let name: Option<Box<str>> = task.name().map(Box::from);
        let (id, spawned_at, name) = (task.id(), task.place(), name.as_deref());
        let meta = TaskMeta { id, spawned_at, name, schedule_latency };
        if let Some(hook) = &self.hooks.before_poll {
            quietly(|| hook(&meta));
        }
        match &measures.poll_time {
            None => task.run(),
            Some(histogram) => {
                let clock = self.driver.clock();
                let start = clock.now();
                task.run();
                histogram.note(clock.now().saturating_duration_since(start));
            }
        }
        if let Some(hook) = &self.hooks.after_poll {
            quietly(|| hook(&meta));
        }
    }

    /// A task is being queued: notes when, where that is asked for.
    #[inline(always)]
    pub(crate) fn note_queued(&self, task: &Runnable) {
        if self.config.tracks_latency {
            self.note_queued_slow(task);
        }
    }

    #[cold]
    fn note_queued_slow(&self, task: &Runnable) {
        if let Some(tag) = task.tag() {
            tag.set_queued_at(self.nanoseconds_now().saturating_add(1));
        }
    }

    fn queued_for(&self, tag: &Tag) -> Option<Duration> {
        // One more than the time, so that 0 means never.
        let at = tag.queued_at().checked_sub(1)?;
        Some(Duration::from_nanos(self.nanoseconds_now().saturating_sub(at)))
    }

    fn nanoseconds_now(&self) -> u64 {
        let passed = self.driver.clock().now().saturating_duration_since(self.start);
        u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
    }

    /// What a new task is said to come from.
    #[inline]
    pub(crate) fn origin(&self, place: &'static Location<'static>, name: Option<&str>) -> Origin {
        if self.config.tracks_latency || name.is_some() {
            return Origin::tagged(place, name);
        }
        Origin::from(place)
    }
}
