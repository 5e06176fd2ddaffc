//! A running child: waiting for its end, and ending it.

use super::stdio::{ChildStderr, ChildStdin, ChildStdout};
use shinkan_base::wait::WaitKind;
use shinkan_context::{self as context, budget};
use shinkan_driver::{Io, Process};
use shinkan_io::{AsyncRead, AsyncReadExt};
use shinkan_rt::Handle;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Output};
use std::task::{Context, Poll};

/// A child process.
///
/// Dropping it lets the child run on, unless [`Command::kill_on_drop`](super::Command::kill_on_drop)
/// was set; its status is taken once it has ended, so that it leaves no zombie.
///
/// # Examples
/// ```
/// use shinkan::process::Command;
///
/// # #[shinkan::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut child = Command::new("true").spawn()?;
/// assert!(child.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Child {
    state: State,

    /// The child's standard input, if it was piped. Take it to write to it while waiting.
    pub stdin: Option<ChildStdin>,

    /// The child's standard output, if it was piped.
    pub stdout: Option<ChildStdout>,

    /// The child's standard error, if it was piped.
    pub stderr: Option<ChildStderr>,
}

#[derive(Debug)]
enum State {
    Running(Running),
    Ended(ExitStatus),
}

#[derive(Debug)]
struct Running {
    process: Process,
    kill_on_drop: bool,
}

impl Child {
    pub(super) fn new(
        mut child: std::process::Child,
        io: &Io,
        kill_on_drop: bool,
        place: &'static Location<'static>,
    ) -> io::Result<Child> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Process::new(child, io, place)?;
        // Until the pipes are there an error ends the child: nobody could ask for it.
        let mut running = Running { process, kill_on_drop: true };
        let stdin = stdin.map(|pipe| ChildStdin::new(pipe.into(), io, place)).transpose()?;
        let stdout = stdout.map(|pipe| ChildStdout::new(pipe.into(), io, place)).transpose()?;
        let stderr = stderr.map(|pipe| ChildStderr::new(pipe.into(), io, place)).transpose()?;
        running.kill_on_drop = kill_on_drop;
        Ok(Child { state: State::Running(running), stdin, stdout, stderr })
    }

    /// The child's number in the system; `None` once it was waited for, since the number may then
    /// be another's.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("true").spawn()?;
    /// assert!(child.id().is_some());
    /// child.wait().await?;
    /// assert!(child.id().is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> Option<u32> {
        match &self.state {
            State::Running(running) => Some(running.process.id()),
            State::Ended(_) => None,
        }
    }

    /// Ends the child with SIGKILL, and does not wait until it has ended. One that has ended is
    /// left alone.
    ///
    /// # Errors
    /// Those of pidfd_send_signal(2), or of kill(2).
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sleep").arg("3600").spawn()?;
    /// child.start_kill()?;
    /// assert!(!child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_kill(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Running(running) => running.kill(),
            State::Ended(_) => Ok(()),
        }
    }

    /// Ends the child with SIGKILL, and waits until it has ended.
    ///
    /// # Errors
    /// Those of [`Child::start_kill`] and [`Child::wait`].
    ///
    /// # Cancel safety
    /// From its first poll on the child is being ended; nothing else is lost.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sleep").arg("3600").spawn()?;
    /// child.kill().await?;
    /// assert!(child.id().is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn kill(&mut self) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move {
            self.start_kill()?;
            self.wait_at(place).await.map(drop)
        }
    }

    /// Waits until the child has ended. Drops [`Child::stdin`] before, so that a child that reads
    /// its input to the end comes to it.
    ///
    /// # Errors
    /// Somebody else has taken the child's status: a wait for any child, in another part of the
    /// program, or a program that ignores SIGCHLD.
    ///
    /// # Cancel safety
    /// Nothing is lost but the child's input, which its first poll closes. Each call after the
    /// child's end answers with the same status.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn()?;
    /// assert_eq!(child.wait().await?.code(), Some(3));
    /// assert_eq!(child.wait().await?.code(), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn wait(&mut self) -> impl Future<Output = io::Result<ExitStatus>> {
        self.wait_at(Location::caller())
    }

    pub(super) async fn wait_at(
        &mut self,
        place: &'static Location<'static>,
    ) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        poll_fn(|cx| self.poll_wait(cx, place)).await
    }

    /// The child's status if it has ended, without waiting. Leaves [`Child::stdin`] open.
    ///
    /// # Errors
    /// As [`Child::wait`].
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sleep").arg("3600").spawn()?;
    /// assert!(child.try_wait()?.is_none());
    /// child.kill().await?;
    /// assert!(child.try_wait()?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match &mut self.state {
            State::Ended(status) => Ok(Some(*status)),
            State::Running(running) => {
                let status = running.process.try_wait()?;
                if let Some(status) = status {
                    self.end(status);
                }
                Ok(status)
            }
        }
    }

    /// Waits until the child has ended, and meanwhile reads all that it writes, if it was piped, from
    /// both of its outputs at once. Closes its input.
    ///
    /// It returns when the pipes are closed, too: by the child's own children, where it has any.
    ///
    /// # Errors
    /// Those of [`Child::wait`] and of reading.
    ///
    /// # Cancel safety
    /// The child is dropped with what was read.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = Command::new("sh");
    /// command.args(["-c", "echo yes; echo no >&2"]);
    /// let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    /// let output = child.wait_with_output().await?;
    /// assert_eq!((&*output.stdout, &*output.stderr), (&b"yes\n"[..], &b"no\n"[..]));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn wait_with_output(self) -> impl Future<Output = io::Result<Output>> {
        self.wait_with_output_at(Location::caller())
    }

    pub(super) async fn wait_with_output_at(
        mut self,
        place: &'static Location<'static>,
    ) -> io::Result<Output> {
        // Both pipes stay open until all is over: one that is closed early would end the child
        // where it goes on writing.
        let (mut stdout, mut stderr) = (self.stdout.take(), self.stderr.take());
        let (status, stdout, stderr) =
            all(self.wait_at(place), read_to_end(&mut stdout), read_to_end(&mut stderr)).await?;
        Ok(Output { status, stdout, stderr })
    }

    fn poll_wait(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<io::Result<ExitStatus>> {
        let running = match &mut self.state {
            State::Ended(status) => return Poll::Ready(Ok(*status)),
            State::Running(running) => running,
        };
        let resource = running.process.id() as usize;
        let Poll::Ready(unit) = budget::poll_proceed(cx) else {
            context::pending(WaitKind::Budget, resource, place);
            return Poll::Pending;
        };
        let handle = Handle::try_current().ok();
        let io = handle.as_ref().and_then(Handle::io_if_enabled);
        let Poll::Ready(result) = running.process.poll_wait(cx, io) else {
            context::pending(WaitKind::Process, resource, place);
            return Poll::Pending;
        };
        unit.made_progress();
        if let Ok(status) = result {
            self.end(status);
        }
        Poll::Ready(result)
    }

    fn end(&mut self, status: ExitStatus) {
        if let State::Running(running) = &mut self.state {
            running.kill_on_drop = false;
        }
        self.state = State::Ended(status);
    }
}

impl Running {
    fn kill(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.kill_on_drop = false;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.kill_on_drop {
            // What can't be ended has ended.
            let _ = self.kill();
        }
    }
}

async fn read_to_end(pipe: &mut Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// The outcome of all three, which wait side by side; or the first error.
async fn all<A, B, C>(
    a: impl Future<Output = io::Result<A>>,
    b: impl Future<Output = io::Result<B>>,
    c: impl Future<Output = io::Result<C>>,
) -> io::Result<(A, B, C)> {
    let (mut a, mut b, mut c) = (pin!(a), pin!(b), pin!(c));
    let mut outcomes = (None, None, None);
    poll_fn(|cx| {
        let (first, second, third) = &mut outcomes;
        // Each is polled, whatever the others say.
        let is_over = poll_into(first, a.as_mut(), cx)?
            & poll_into(second, b.as_mut(), cx)?
            & poll_into(third, c.as_mut(), cx)?;
        if is_over { Poll::Ready(io::Result::Ok(())) } else { Poll::Pending }
    })
    .await?;
    let (Some(a), Some(b), Some(c)) = outcomes else { unreachable!("all are over") };
    Ok((a, b, c))
}

fn poll_into<T>(
    outcome: &mut Option<T>,
    future: Pin<&mut impl Future<Output = io::Result<T>>>,
    cx: &mut Context<'_>,
) -> io::Result<bool> {
    if outcome.is_none()
        && let Poll::Ready(result) = future.poll(cx)
    {
        *outcome = Some(result?);
    }
    Ok(outcome.is_some())
}
