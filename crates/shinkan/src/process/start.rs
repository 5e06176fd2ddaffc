//! Starting children by a builder.

use super::child::Child;
use super::command::Command;
use shinkan_driver::ops;
use shinkan_rt::Handle;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::process::{Child as StdChild, Command as StdCommand, ExitStatus, Output, Stdio};

impl Command {
    /// Starts the child, with this process's standard streams where no others were set.
    ///
    /// Returns once the program runs: a program that does not exist is an error of this call. That
    /// takes as long as fork(2) and execve(2) do.
    ///
    /// # Errors
    /// Those of fork(2) and execve(2); no descriptors or memory left, in which case no child is
    /// left running.
    ///
    /// # Panics
    /// Outside a runtime with I/O; nothing was started.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::io::ErrorKind;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("true").spawn()?;
    /// assert!(child.wait().await?.success());
    /// let error = Command::new("this is no program").spawn().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.spawn_with(ops::spawn)
    }

    /// As [`Command::spawn`], with the call that starts the child given: for one that must be made
    /// on another thread, or under a lock.
    ///
    /// # Errors
    /// Those of `with`, and no descriptors or memory left.
    ///
    /// # Panics
    /// Outside a runtime with I/O; `with` was not called.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("true").spawn_with(|command| command.spawn())?;
    /// assert!(child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_with(
        &mut self,
        with: impl FnOnce(&mut StdCommand) -> io::Result<StdChild>,
    ) -> io::Result<Child> {
        let handle = Handle::current();
        // Asked before there is a child: it panics where there is none.
        let io = handle.io();
        let child = with(&mut self.std)?;
        Child::new(child, io, self.get_kill_on_drop(), Location::caller())
    }

    /// Starts the child at once, and waits until it has ended. Pipes that were set are closed.
    ///
    /// # Errors
    /// Those of [`Command::spawn`] and [`Child::wait`], when it is polled.
    ///
    /// # Cancel safety
    /// The child runs on, unless [`Command::kill_on_drop`] was set.
    ///
    /// # Panics
    /// As [`Command::spawn`].
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let status = Command::new("sh").args(["-c", "exit 3"]).status();
    /// assert_eq!(status.await?.code(), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let place = Location::caller();
        let child = self.spawn();
        async move {
            let mut child = child?;
            // A child that waits for what is never written would never end.
            drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
            child.wait_at(place).await
        }
    }

    /// Starts the child at once, waits until it has ended, and returns all that it wrote to its
    /// outputs, which are set to pipes for this and each later child.
    ///
    /// # Errors
    /// Those of [`Command::spawn`] and [`Child::wait_with_output`], when it is polled.
    ///
    /// # Cancel safety
    /// What was read is lost; the child runs on, unless [`Command::kill_on_drop`] was set.
    ///
    /// # Panics
    /// As [`Command::spawn`].
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = Command::new("sh").args(["-c", "echo yes; echo no >&2"]).output().await?;
    /// assert_eq!((&*output.stdout, &*output.stderr), (&b"yes\n"[..], &b"no\n"[..]));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        let place = Location::caller();
        self.std.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.spawn();
        async move { child?.wait_with_output_at(place).await }
    }
}
