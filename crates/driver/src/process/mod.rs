//! A child process: told of its end by the driver, and never left as a zombie.
//!
//! The kernel makes a pidfd readable when its process has ended, so a child is one more descriptor
//! in the epoll that the workers wait in. Where there is none (no descriptors left, an old kernel,
//! a sandbox), and after the runtime's end, a thread waits for that one child.
//!
//! Rejected for these cases: SIGCHLD, of which there is one for the whole program. Another part may
//! replace its handler, the kernel merges several into one, so that each asks after every child,
//! and it too needs a runtime that goes on. The thread costs a stack where something is amiss
//! already, and nothing elsewhere.
//!
//! Who takes the status, which frees the child's entry in the system's table:
//!
//! ```text
//! the handle   is waited for   `poll_wait` or `try_wait`
//!              is dropped      at once where it has ended; else the child is an orphan:
//! an orphan    of a runtime    the waker that it leaves with its pidfd (orphan.rs)
//!              of a thread     that thread (thread.rs)
//!              of nobody       the next child that is started or dropped (`Left`): no thread could
//!                              be started
//! ```
//!
//! Called by the API's `process`. Never blocks but for the start of a thread.

mod orphan;
mod thread;

use crate::driver::{Io, is_rt_shutdown_err};
use crate::ready::{Direction, Interest, Ready};
use crate::source::Source;
use core::fmt;
use core::panic::Location;
use core::task::{Context, Poll, ready};
use shinkan_sys::process as sys;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use thread::Waiting;

/// A child process. Dropping it neither ends nor waits for it; its status is then taken when it
/// has ended, and forgotten.
pub struct Process {
    // There until the drop. Before the descriptor: what watches it is dropped first.
    watch: Option<Watch>,
    pidfd: Option<OwnedFd>,
    child: Option<Child>,
    place: &'static Location<'static>,
}

enum Watch {
    Source(Source),
    Thread(Arc<Waiting>),
}

impl Process {
    /// Takes over a child that was just started.
    ///
    /// # Errors
    /// The runtime has ended, or neither descriptor nor thread can be had to wait with. The child
    /// is ended then: nobody could ask for it.
    pub fn new(
        mut child: Child,
        io: &Io,
        place: &'static Location<'static>,
    ) -> io::Result<Process> {
        orphan::sweep();
        let pidfd = sys::pidfd(&child).ok();
        let source = pidfd.as_ref().map(|pidfd| watch(pidfd, io, place));
        let watch = match source {
            Some(Ok(source)) => Ok(Watch::Source(source)),
            Some(Err(error)) if is_rt_shutdown_err(&error) => Err(error),
            // Of its reasons the thread's is the one that can be mended.
            Some(Err(_)) | None => thread::wait_for(child.id()).map(Watch::Thread),
        };
        match watch {
            Ok(watch) => Ok(Process { watch: Some(watch), pidfd, child: Some(child), place }),
            Err(error) => {
                let _ = sys::kill(&mut child);
                thread::adopt(child);
                Err(error)
            }
        }
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Ends it with SIGKILL, and does not wait. Where it has ended already that is all right, until
    /// somebody else takes its status.
    ///
    /// # Errors
    /// Those of pidfd_send_signal(2), or of kill(2).
    pub fn kill(&mut self) -> io::Result<()> {
        match &self.pidfd {
            // Also right where somebody else has taken the status and the number is another's.
            Some(pidfd) => sys::kill_by(pidfd),
            None => sys::kill(self.child()),
        }
    }

    /// Its status, where it has ended. The first time takes it out of the system's table.
    ///
    /// # Errors
    /// Somebody else has taken the status.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        sys::try_wait(self.child())
    }

    /// Waits for its end in the runtime of `current`, where there is one, and else in the one where
    /// it was last. The last one to poll is woken. Takes no budget and leaves no record.
    ///
    /// # Errors
    /// Somebody else has taken the status; no thread for what needs one.
    pub fn poll_wait(
        &mut self,
        cx: &mut Context<'_>,
        current: Option<&Io>,
    ) -> Poll<io::Result<ExitStatus>> {
        self.follow(current);
        if let Some(Watch::Source(source)) = &self.watch {
            // Nothing is the runtime's end.
            if ready!(source.poll_event(cx, Direction::Read)).is_some()
                && let Some(status) = self.try_wait()?
            {
                return Poll::Ready(Ok(status));
            }
            // It has ended for whoever traces it, and not yet for us. A thread waits, since
            // there is no event of which all kernels say when.
            self.watch = Some(Watch::Thread(thread::wait_for(self.id())?));
        }
        if let Some(Watch::Thread(waiting)) = &self.watch {
            ready!(waiting.poll(cx));
        }
        match self.try_wait()? {
            Some(status) => Poll::Ready(Ok(status)),
            None => Poll::Ready(Err(io::Error::other("the child's end was reported too early"))),
        }
    }

    /// Has the runtime that waits watch it: the one in which it was started may have ended, or
    /// nobody may be driving it.
    fn follow(&mut self, current: Option<&Io>) {
        let (Some(Watch::Source(source)), Some(pidfd), Some(io)) =
            (&self.watch, &self.pidfd, current)
        else {
            return;
        };
        if !source.is_of(io)
            && let Ok(source) = watch(pidfd, io, self.place)
        {
            self.watch = Some(Watch::Source(source));
        }
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("there until the drop")
    }
}

fn watch(pidfd: &OwnedFd, io: &Io, place: &'static Location<'static>) -> io::Result<Source> {
    io.register_at(pidfd.as_raw_fd(), Interest::READABLE, Ready::EMPTY, place)
}

/// Whether there is nothing left to take.
fn is_over(child: &mut Child) -> bool {
    !matches!(sys::try_wait(child), Ok(None))
}

impl Drop for Process {
    fn drop(&mut self) {
        orphan::sweep();
        let Some(mut child) = self.child.take() else { return };
        if is_over(&mut child) {
            return;
        }
        match (self.watch.take(), self.pidfd.take()) {
            (Some(Watch::Source(source)), Some(pidfd)) => orphan::keep(source, pidfd, child),
            (Some(Watch::Thread(waiting)), _) => waiting.leave(child),
            _ => thread::adopt(child),
        }
    }
}

// A panic leaves nothing half done in here.
impl UnwindSafe for Process {}
impl RefUnwindSafe for Process {}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("pid", &self.id()).field("place", &self.place).finish()
    }
}
