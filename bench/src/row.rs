//! What is known of a row before it runs, the same on both sides: its name, its length, and what it
//! must reach.

use crate::floors::Floor;
use crate::load::Lasts;

/// A row's name and plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Info {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Operations in a round of normal length, a tenth of a second or less on Tokio.
    pub(crate) ops: u64,
    /// Its instructions are kept in the repository: they are the same on each run with one worker.
    pub(crate) counted: bool,
    /// Another process loads it, for a time or for a number of messages.
    pub(crate) served: bool,
    /// The least that an operation can take on this machine: so many of such a floor.
    pub(crate) floor: Option<(Floor, f64)>,
    pub(crate) goal: Goal,
}

/// The most that shinkan may need of what Tokio needs. None: there is no goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Goal {
    /// Of time. The median may be above 1 by what a run's noise is, if the interval is not.
    pub(crate) wall: f64,
    /// Of CPU time, user and kernel: nothing is won by spinning.
    pub(crate) cpu: f64,
    /// Of CPU time in user space.
    pub(crate) user: Option<f64>,
    /// Of the latencies that 99% and 99.9% of the messages stay below.
    pub(crate) p99: Option<f64>,
    pub(crate) p999: Option<f64>,
}

/// What every row must reach.
pub(crate) const NO_WORSE: Goal = Goal { wall: 1.0, cpu: 1.1, user: None, p99: None, p999: None };

impl Info {
    pub(crate) const fn new(name: &'static str, about: &'static str, ops: u64) -> Info {
        Info { name, about, ops, counted: false, served: false, floor: None, goal: NO_WORSE }
    }
}

/// How long a round is and how many workers it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Operations before the measured ones.
    pub(crate) warm: u64,
    pub(crate) ops: u64,
    pub(crate) workers: usize,
    /// How long a served row is under load.
    pub(crate) served: Lasts,
    /// Looks at sockets and at what comes from outside follow from the number of polls alone, not
    /// from the clock.
    pub(crate) steady: bool,
}
