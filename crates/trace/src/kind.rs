//! What both faces name.

use core::panic::Location;
use core::time::Duration;

/// What kind of resource is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A `Mutex`.
    Mutex,
    /// An `RwLock` for so many readers.
    RwLock,
    /// A `Semaphore`.
    Semaphore,
    /// The room in a bounded channel.
    Channel,
    /// A `Barrier` for so many tasks.
    Barrier,
    /// A channel for one value.
    Oneshot,
    /// A `Sleep`.
    Sleep,
    /// An `Interval`.
    Interval,
}

/// A poll that does not come to its end, as the monitor found it.
#[derive(Clone, Copy, Debug)]
pub struct Stuck<'a> {
    /// The number of the task; nothing where it is a waker or a hook that is stuck.
    pub task: Option<u64>,
    /// Its name, where it has one.
    pub name: Option<&'a str>,
    /// Where it was spawned.
    pub place: Option<&'static Location<'static>>,
    /// For how long at least.
    pub duration: Duration,
    /// `blocked` or `computing`.
    pub kind: &'static str,
    /// The number of the worker.
    pub worker: usize,
}
