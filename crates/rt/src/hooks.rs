//! The user's functions that the runtime calls at certain points.

use core::panic::Location;
use shinkan_task::{Id, Runnable};
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
    spawned_at: &'a Location<'static>,
}

impl<'a> TaskMeta<'a> {
    pub(crate) fn new(id: Id, spawned_at: &'a Location<'static>) -> Self {
        Self { id, spawned_at }
    }

    /// The task's number.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> &Location<'static> {
        self.spawned_at
    }
}

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) before_park: Option<Hook>,
    pub(crate) after_unpark: Option<Hook>,
    pub(crate) on_spawn: Option<TaskHook>,
    pub(crate) before_poll: Option<TaskHook>,
    pub(crate) after_poll: Option<TaskHook>,
}

impl Hooks {
    /// Polls a task between its hooks. Never unwinds: a hook's panic has been printed by the panic
    /// hook and is nobody else's.
    #[inline]
    pub(crate) fn poll(&self, task: Runnable) {
        if self.before_poll.is_none() && self.after_poll.is_none() {
            return task.run();
        }
        self.poll_slow(task);
    }

    #[cold]
    fn poll_slow(&self, task: Runnable) {
        let (id, place) = (task.id(), task.place());
        let meta = TaskMeta::new(id, place);
        if let Some(hook) = &self.before_poll {
            quietly(|| hook(&meta));
        }
        task.run();
        if let Some(hook) = &self.after_poll {
            quietly(|| hook(&meta));
        }
    }

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
}
