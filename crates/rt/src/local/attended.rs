//! Says to the monitor which local task this thread polls. Where the set is polled by a task of its
//! own, or by `block_on`, the monitor is told of the local task, and of the outer one again after it.

use super::current::Context;
use crate::guests::Attendance;
use crate::seated::{self, Seated};
use crate::tenure::{Said, Tenure};
use core::cell::OnceCell;
use shinkan_base::atomics::Arc;
use shinkan_task::Runnable;

/// The set's own place with the monitor, for threads that have none.
#[derive(Debug, Default)]
pub(super) struct Attended(OnceCell<Option<Attendance>>);

/// Polls of local tasks, one after the other.
pub(super) struct Turn<'a> {
    tenure: Option<Arc<Tenure>>,
    /// What the thread was in before: user code that goes on after these polls.
    outer: Option<Said>,
    guest: Option<&'a Attendance>,
}

impl<'a> Turn<'a> {
    pub(super) fn begin(context: &'a Context) -> Self {
        let seated = seated::with(|seated| match seated {
            Some(Seated::Current(worker)) => Some(worker.tenure.clone()),
            _ => None,
        });
        if let Some(tenure) = seated {
            let outer = tenure.seat.is_outside().then(|| tenure.said());
            return Self { tenure: Some(tenure), outer, guest: None };
        }
        let guest = context.attended.0.get_or_init(Attendance::here).as_ref();
        Self { tenure: guest.map(|guest| guest.tenure.clone()), outer: None, guest }
    }

    /// Calls `poll` as the poll of this task. `poll` must not unwind.
    pub(super) fn poll(&self, task: Runnable, poll: impl FnOnce(Runnable)) {
        let Some(tenure) = &self.tenure else { return poll(task) };
        if self.outer.is_some() {
            tenure.seat.enter_kept();
        }
        tenure.leave_to_call(Said::local(&task));
        if let Some(guest) = self.guest {
            guest.note_work();
        }
        poll(task);
        if self.outer.is_none() {
            tenure.seat.enter_kept();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let (Some(tenure), Some(outer)) = (&self.tenure, self.outer) {
            tenure.seat.enter_kept();
            // It goes on, as a call of its own.
            tenure.leave_to_call(outer);
        }
    }
}
