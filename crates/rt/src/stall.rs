//! What the user says about stuck polls, and is told of them.

use crate::builder::Builder;
use crate::stack::StallStack;
use core::fmt;
use core::panic::Location;
use core::time::Duration;
use shinkan_task::Id;
use std::sync::Arc;

pub(crate) type StallHook = Arc<dyn Fn(&Stall) + Send + Sync>;

/// How the thread of a stuck poll spends its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StallKind {
    /// It waits in the kernel: for a lock, a sleep, a file, a process.
    Blocked,
    /// It computes.
    Computing,
}

/// What user code is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StallIn {
    /// The poll of a task.
    Task,
    /// The poll of a task of a `LocalSet` or a local runtime.
    LocalTask,
    /// The future that `block_on` of a current-thread runtime was given.
    BlockOn,
    /// A waker, or one of the user's hooks.
    Callback,
}

/// A poll that did not come to its next `.await` in time.
///
/// Its `Display` is the line that is written to standard error; the stack's lines follow there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stall {
    /// The name of the runtime, where its builder gave it one.
    pub runtime: Option<String>,
    /// The number of the worker.
    pub worker: usize,
    /// The kernel's number of the thread.
    pub thread: i32,
    /// What is stuck.
    pub polled: StallIn,
    /// The task that is polled.
    pub task: Option<Id>,
    /// Its name, where it was given one; looked for once a place and ten seconds, and not of local
    /// tasks.
    pub name: Option<String>,
    /// Where that task was spawned, or `block_on` was called.
    pub spawned_at: Option<&'static Location<'static>>,
    /// For how long at least.
    pub duration: Duration,
    /// What its thread does meanwhile.
    pub kind: StallKind,
    /// Whether the other tasks of that thread have to stay on it: those of a current-thread runtime,
    /// and of a `LocalSet`. They wait.
    pub stays: bool,
    /// Whether the worker's other tasks go on on another thread. They do not (yet: it is tried again)
    /// where so many threads are stuck as the ceiling allows, or where no thread can be started.
    pub moved: bool,
    /// What its thread is at, from the innermost function to the task's own. Taken once a place and
    /// ten seconds, where the poll goes on for long enough, and where stacks were built in.
    pub stack: Option<StallStack>,
}

impl Stall {
    /// All of it in words, without a line's end behind the last.
    pub(crate) fn report(&self) -> String {
        match &self.stack {
            Some(stack) => format!("{self}\n{stack}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_who(f)?;
        let (does, remedy) = match self.kind {
            StallKind::Blocked => ("blocked", "`spawn_blocking` is for calls that block"),
            StallKind::Computing => (
                "computed on",
                "`spawn_blocking` is for long computations, and `yield_now` splits them",
            ),
        };
        match self.stays {
            true => write!(f, "has {does} its thread (thread {}", self.thread)?,
            false => write!(f, "has {does} worker {} (thread {}", self.worker, self.thread)?,
        }
        if let Some(name) = &self.runtime {
            write!(f, " of runtime `{name}`")?;
        }
        write!(f, ") for {} ms without an `.await` that waits; ", self.duration.as_millis())?;
        f.write_str(if self.moved {
            "other tasks go on on another thread. "
        } else if self.stays {
            "the other tasks of this thread stay on it, and wait. "
        } else {
            "no thread may take over, so what is queued there waits. "
        })?;
        f.write_str(remedy)
    }
}

impl Stall {
    fn write_who(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = self.spawned_at else { return f.write_str("a waker or a hook ") };
        let Some(id) = self.task else { return write!(f, "the future of `block_on` at {place} ") };
        f.write_str(if self.polled == StallIn::LocalTask { "local task " } else { "task " })?;
        write!(f, "{id}")?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        write!(f, ", spawned at {place}, ")
    }
}

/// What the builder and the environment decided.
#[derive(Clone)]
pub(crate) struct StallConfig {
    pub(crate) on: bool,
    pub(crate) threshold: Duration,
    /// Threads that may be stuck at once beside the workers; nothing: eight for each worker.
    pub(crate) ceiling: Option<usize>,
    pub(crate) report: bool,
    pub(crate) stacks: bool,
    /// The signal that asks a running thread for its stack; 0 for any that is free.
    pub(crate) signal: Option<i32>,
    pub(crate) hook: Option<StallHook>,
}

impl Default for StallConfig {
    fn default() -> Self {
        Self {
            on: true,
            threshold: Duration::from_millis(10),
            ceiling: None,
            report: true,
            stacks: true,
            signal: Some(0),
            hook: None,
        }
    }
}

impl Builder {
    /// Whether a monitor looks for polls that are stuck and moves the other tasks of their worker
    /// to another thread. On by default; the environment's `SHINKAN_STALL=off` switches it off. The
    /// tasks of a current-thread runtime and of a `LocalSet` have to stay on their thread: there a
    /// stuck poll is reported, and the others wait.
    pub fn stall_monitor(&mut self, on: bool) -> &mut Self {
        self.stall.on = on;
        self
    }

    /// How long a poll may take before it counts as stuck; 10 ms by default. A poll that computes
    /// counts by the processor's time that it used, so a busy machine makes none.
    ///
    /// # Panics
    /// Below a millisecond.
    #[track_caller]
    pub fn stall_threshold(&mut self, threshold: Duration) -> &mut Self {
        assert!(
            threshold >= MIN_THRESHOLD,
            "`stall_threshold` was given {threshold:?}: it must be at least 1 ms"
        );
        self.stall.threshold = threshold;
        self
    }

    /// How many threads may be stuck at once beside the workers; eight for each worker by default.
    /// Of these, at most as many as there are workers may be computing. Beyond, a stuck poll is
    /// reported, and what is queued behind it can still be stolen by workers that are not stuck.
    pub fn stall_threads(&mut self, count: usize) -> &mut Self {
        self.stall.ceiling = Some(count);
        self
    }

    /// Whether stuck polls are reported on standard error, each place where a task was spawned at
    /// most once in ten seconds. On by default.
    pub fn stall_report(&mut self, on: bool) -> &mut Self {
        self.stall.report = on;
        self
    }

    /// Whether the stack of a stuck thread is part of the report. On by default, where it was built
    /// in (feature `stacks`).
    pub fn stall_stacks(&mut self, on: bool) -> &mut Self {
        self.stall.stacks = on;
        self
    }

    /// The signal by which a thread that computes is asked for its stack; by default a real-time
    /// signal that nobody handles when the first stack is taken. With nothing, no thread is
    /// interrupted: then those that compute are reported without a stack. One signal a process: the
    /// first stack that is taken decides. A signal below the real-time ones has a handler by then, or
    /// is SIGURG; else it is not used, and standard error says so.
    ///
    /// # Panics
    /// On a number that is no signal.
    #[track_caller]
    pub fn stall_signal(&mut self, signal: Option<i32>) -> &mut Self {
        assert!(
            signal.is_none_or(|signal| (1..=64).contains(&signal)),
            "`stall_signal` was given {signal:?}: signals have the numbers 1 to 64"
        );
        self.stall.signal = signal;
        self
    }

    /// Calls `f` for each stuck poll that is found, on a thread for reports. While it blocks, other
    /// reports wait.
    ///
    /// # Examples
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (stalls, stalled) = mpsc::channel();
    /// let runtime = shinkan_rt::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .stall_report(false)
    ///     .on_stall(move |stall| drop(stalls.send(stall.clone())))
    /// #   .no_seizing()
    ///     .build()?;
    /// let (release, released) = mpsc::channel::<()>();
    /// let stuck = runtime.spawn(async move { released.recv() });
    /// let stall = stalled.recv().unwrap();
    /// assert_eq!(stall.task, Some(stuck.id()));
    ///
    /// // The one worker goes on.
    /// runtime.block_on(runtime.spawn(async move { release.send(()) })).unwrap().unwrap();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_stall<F: Fn(&Stall) + Send + Sync + 'static>(&mut self, f: F) -> &mut Self {
        self.stall.hook = Some(Arc::new(f));
        self
    }
}

const MIN_THRESHOLD: Duration = Duration::from_millis(1);

impl StallConfig {
    /// As the operator says, who comes after the program: `SHINKAN_STALL` is `off`, `on`, or a
    /// list of `threshold=MS`, `threads=N`, `report=on|off`, `stacks=on|off`,
    /// `signal=N|off` with commas between.
    ///
    /// # Panics
    /// If the variable says anything else.
    pub(crate) fn with_environment(&self) -> Self {
        let Some(value) = shinkan_sys::env::var("SHINKAN_STALL") else { return self.clone() };
        let text = value.to_string_lossy();
        match self.with_words(&text) {
            Some(config) => config,
            None => panic!(
                "SHINKAN_STALL is `{text}`: it must be `off`, `on`, or a list of \
                 `threshold=MILLISECONDS` (1 or more), `threads=COUNT`, `report=on|off`, \
                 `stacks=on|off`, `signal=NUMBER|off`, with commas between"
            ),
        }
    }

    fn with_words(&self, text: &str) -> Option<Self> {
        let mut config = self.clone();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.split_once('=').unwrap_or((word, "")) {
                ("off", "") => config.on = false,
                ("on", "") => config.on = true,
                ("report", "on") => config.report = true,
                ("report", "off") => config.report = false,
                ("stacks", "on") => config.stacks = true,
                ("stacks", "off") => config.stacks = false,
                ("signal", "off") => config.signal = None,
                ("signal", number) => {
                    let number = number.parse().ok().filter(|number| (1..=64).contains(number))?;
                    config.signal = Some(number);
                }
                ("threads", count) => config.ceiling = Some(count.parse().ok()?),
                ("threshold", ms) => {
                    config.threshold = Duration::from_millis(ms.parse().ok()?);
                    if config.threshold < MIN_THRESHOLD {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        Some(config)
    }
}

#[cfg(test)]
mod tests {
    use super::StallConfig;
    use core::time::Duration;

    #[test]
    fn the_operator_has_the_last_word() {
        let config = StallConfig::default();
        assert!(!config.with_words("off").unwrap().on);
        let all = config.with_words("threshold=25, threads=3,report=off").unwrap();
        assert_eq!(all.threshold, Duration::from_millis(25));
        assert_eq!((all.ceiling, all.report, all.on), (Some(3), false, true));
        assert!(config.with_words("").unwrap().on);
        let quiet = config.with_words("stacks=off,signal=off").unwrap();
        assert_eq!((quiet.stacks, quiet.signal), (false, None));
        assert_eq!(config.with_words("signal=50").unwrap().signal, Some(50));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "signal=0",
            "signal=65",
            "stacks",
            "of",
            "threshold",
            "threshold=0",
            "threshold=1s",
            "report=maybe",
            "on=1",
        ] {
            assert!(StallConfig::default().with_words(text).is_none(), "{text}");
        }
    }
}
