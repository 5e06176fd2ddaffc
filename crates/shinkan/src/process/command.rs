//! The builder of child processes: its settings. `start.rs` starts them.

#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command as StdCommand, Stdio};

/// What to start, and how: the standard library's builder, whose children are waited for with
/// futures.
///
/// It may start any number of children. Settings stay as they are.
///
/// # Examples
/// ```
/// use shinkan::process::Command;
///
/// # #[shinkan::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut command = Command::new("sh");
/// command.args(["-c", "exit $CODE"]);
/// for code in [0, 3] {
///     assert_eq!(command.env("CODE", code.to_string()).status().await?.code(), Some(code));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    pub(super) std: StdCommand,
    kill_on_drop: bool,
}

impl Command {
    /// Starts `program`, which is looked for in `PATH` where its name has no slash: without
    /// arguments, with this process's environment, folder and standard streams.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// assert!(Command::new("true").status().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command::from(StdCommand::new(program))
    }

    /// The standard library's builder with these settings, to be read.
    ///
    /// # Examples
    /// ```
    /// let command = shinkan::process::Command::new("true");
    /// assert_eq!(command.as_std().get_program(), "true");
    /// ```
    pub fn as_std(&self) -> &StdCommand {
        &self.std
    }

    /// The same, to be changed: for what this type has no method for.
    ///
    /// # Examples
    /// ```
    /// let mut command = shinkan::process::Command::new("true");
    /// command.as_std_mut().arg("of this");
    /// assert_eq!(command.as_std().get_args().count(), 1);
    /// ```
    pub fn as_std_mut(&mut self) -> &mut StdCommand {
        &mut self.std
    }

    /// The standard library's builder with these settings, except for [`Command::kill_on_drop`],
    /// which it does not have.
    ///
    /// # Examples
    /// ```
    /// let command = shinkan::process::Command::new("true");
    /// assert!(command.into_std().status()?.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_std(self) -> StdCommand {
        self.std
    }

    /// Adds one argument, which no shell looks at.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = Command::new("echo").arg("a  b").arg("$HOME").output().await?;
    /// assert_eq!(output.stdout, b"a  b $HOME\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.std.arg(arg);
        self
    }

    /// Adds several arguments.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = Command::new("echo").args(["one", "two"]).output().await?;
    /// assert_eq!(output.stdout, b"one two\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.std.args(args);
        self
    }

    /// Sets a variable of the child's environment.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output =
    ///     Command::new("sh").args(["-c", "echo $TEA"]).env("TEA", "green").output().await?;
    /// assert_eq!(output.stdout, b"green\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.env(key, val);
        self
    }

    /// Sets several variables.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = Command::new("sh");
    /// command.args(["-c", "echo $TEA $CUPS"]).envs([("TEA", "green"), ("CUPS", "2")]);
    /// assert_eq!(command.output().await?.stdout, b"green 2\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.std.envs(vars);
        self
    }

    /// Leaves a variable out of the child's environment.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = Command::new("sh");
    /// command.args(["-c", "test -z \"$HOME\""]).env_remove("HOME");
    /// assert!(command.status().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.std.env_remove(key);
        self
    }

    /// Starts the child with no variable but those that are set after this.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = Command::new("/usr/bin/env").env_clear().env("A", "1").output().await?;
    /// assert_eq!(output.stdout, b"A=1\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_clear(&mut self) -> &mut Command {
        self.std.env_clear();
        self
    }

    /// Starts the child in another folder. Give the program an absolute path or a name without a
    /// slash: in which folder another one is looked for is not said.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// assert_eq!(Command::new("pwd").current_dir("/").output().await?.stdout, b"/\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.std.current_dir(dir);
        self
    }

    /// What the child's standard input is: this process's, unless something else is set.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// assert!(Command::new("cat").stdin(Stdio::null()).output().await?.stdout.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdin(cfg);
        self
    }

    /// What the child's standard output is: this process's, unless something else is set, or a
    /// pipe for [`Command::output`].
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let child = Command::new("echo").stdout(Stdio::piped()).spawn()?;
    /// assert_eq!(child.wait_with_output().await?.stdout, b"\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stdout(cfg);
        self
    }

    /// What the child's standard error is: this process's, unless something else is set, or a pipe
    /// for [`Command::output`].
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = Command::new("sh");
    /// let child = command.args(["-c", "echo no >&2"]).stderr(Stdio::piped()).spawn()?;
    /// assert_eq!(child.wait_with_output().await?.stderr, b"no\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.std.stderr(cfg);
        self
    }

    /// Whether a [`Child`](super::Child) that is dropped before its end was waited for is ended with SIGKILL, also
    /// when its runtime is gone. Not so unless it is set. The futures of [`Command::status`] and
    /// [`Command::output`] hold a `Child` too.
    ///
    /// # Examples
    /// ```
    /// use shinkan::io::AsyncReadExt;
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = Command::new("sleep");
    /// let mut child = command.arg("3600").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    /// let mut stdout = child.stdout.take().expect("it was asked for");
    /// drop(child);
    /// assert_eq!(stdout.read(&mut [0]).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// What [`Command::kill_on_drop`] was set to.
    ///
    /// # Examples
    /// ```
    /// let mut command = shinkan::process::Command::new("true");
    /// assert!(!command.get_kill_on_drop());
    /// assert!(command.kill_on_drop(true).get_kill_on_drop());
    /// ```
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// Runs the child as another user, by setuid(2). Where that is not allowed, it fails to start.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::os::unix::fs::MetadataExt;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// // Root may choose any; others only themselves.
    /// let me = std::fs::metadata("/proc/self")?.uid();
    /// let output = Command::new("id").arg("-u").uid(me).output().await?;
    /// assert_eq!(output.stdout, format!("{me}\n").into_bytes());
    /// # Ok(())
    /// # }
    /// ```
    pub fn uid(&mut self, id: u32) -> &mut Command {
        self.std.uid(id);
        self
    }

    /// Runs the child in another group, by setgid(2). Where that is not allowed, it fails to start.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::os::unix::fs::MetadataExt;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mine = std::fs::metadata("/proc/self")?.gid();
    /// let output = Command::new("id").arg("-g").gid(mine).output().await?;
    /// assert_eq!(output.stdout, format!("{mine}\n").into_bytes());
    /// # Ok(())
    /// # }
    /// ```
    pub fn gid(&mut self, id: u32) -> &mut Command {
        self.std.gid(id);
        self
    }

    /// What the child is told that it is called, instead of the program's name.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let output = Command::new("sh").arg0("shell").args(["-c", "echo $0"]).output().await?;
    /// assert_eq!(output.stdout, b"shell\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg0<S>(&mut self, arg: S) -> &mut Command
    where
        S: AsRef<OsStr>,
    {
        self.std.arg0(arg);
        self
    }

    /// Calls `f` in the child, after fork(2) and before execve(2). With an error the child ends, and
    /// [`Command::spawn`] returns that error.
    ///
    /// # Safety
    /// `f` runs in a copy of this process that has one thread: it may only do what signal handlers
    /// may (signal-safety(7)), so neither allocate nor lock. See
    /// [the standard library](CommandExt::pre_exec).
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut command = Command::new("true");
    /// // SAFETY:
    /// // - neither allocates nor locks: it makes an error of a number.
    /// unsafe { command.pre_exec(|| Err(std::io::Error::from_raw_os_error(1))) };
    /// assert_eq!(command.spawn().unwrap_err().raw_os_error(), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY:
        // - `f` does only what is allowed there: our caller's word.
        unsafe { self.std.pre_exec(f) };
        self
    }

    /// Puts the child into a process group: a new one of its own for 0. A signal from the terminal
    /// then does not reach it.
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sleep").arg("3600").process_group(0).spawn()?;
    /// child.kill().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.std.process_group(pgroup);
        self
    }
}

impl From<StdCommand> for Command {
    fn from(std: StdCommand) -> Command {
        Command { std, kill_on_drop: false }
    }
}
