//! Asking a running program: which tasks there are and what each waits for.
//!
//! The read side of the wait records that every task carries. It reads what the tasks' own polls
//! wrote and re-polls nothing. The local endpoint, wait graph and recorder are not here yet.

#![deny(unsafe_code)]

use core::fmt;
use core::panic::Location;
use shinkan_base::wait::Wait;
use shinkan_rt::Handle;

/// What is known of one task.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// The task's number.
    pub id: u64,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// What it waits for: nothing while it is polled or queued, or where it waits for a waker
    /// that no part of this runtime knows.
    pub wait: Option<Wait>,
}

/// All live tasks of a runtime at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The tasks, by number.
    pub tasks: Vec<TaskInfo>,
}

impl Snapshot {
    /// Asks the runtime. Tasks that start or end meanwhile may be in it or not.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Runtime::new()?;
    /// println!("{}", shinkan_diag::Snapshot::take(runtime.handle()));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn take(handle: &Handle) -> Self {
        let mut tasks = Vec::new();
        handle.for_each_task(|task| {
            let (id, spawned_at) = (task.id().as_u64(), task.place());
            tasks.push(TaskInfo { id, spawned_at, wait: task.wait() });
        });
        tasks.sort_by_key(|task| task.id);
        Self { tasks }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} tasks", self.tasks.len())?;
        self.tasks.iter().try_for_each(|task| writeln!(f, "{task}"))
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} spawned at {}", self.id, self.spawned_at)?;
        match &self.wait {
            None => f.write_str(": runs, or waits for a waker of its own"),
            Some(wait) => {
                let (kind, place) = (wait.kind.as_str(), wait.place);
                write!(f, ": waits for {kind} {:#x} at {place}", wait.resource)?;
                if wait.leaves > 1 {
                    write!(f, " and {} more", wait.leaves - 1)?;
                }
                Ok(())
            }
        }
    }
}
