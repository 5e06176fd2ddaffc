//! The parent's ends of a child's pipes.

use crate::fill;
use shinkan_driver::{Direction, Interest, Io, Ready, Registered, ops};
use shinkan_io::{AsyncRead, AsyncWrite, ReadBuf};
use shinkan_rt::Handle;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

/// What a child reads from its standard input is written here. Dropping it is the end of that
/// input.
///
/// # Examples
/// ```
/// use shinkan::io::AsyncWriteExt;
/// use shinkan::process::Command;
/// use std::process::Stdio;
///
/// # #[shinkan::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut child = Command::new("grep").args(["-q", "tea"]).stdin(Stdio::piped()).spawn()?;
/// let mut stdin = child.stdin.take().expect("it was asked for");
/// stdin.write_all(b"milk\ntea\n").await?;
/// drop(stdin);
/// assert!(child.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdin {
    io: Registered<OwnedFd>,
}

/// What a child writes to its standard output is read here. It ends when the last process that has
/// the pipe has closed it, which may be a child of the child.
///
/// # Examples
/// ```
/// use shinkan::io::AsyncReadExt;
/// use shinkan::process::Command;
/// use std::process::Stdio;
///
/// # #[shinkan::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
/// let mut text = String::new();
/// child.stdout.take().expect("it was asked for").read_to_string(&mut text).await?;
/// assert_eq!(text, "hello\n");
/// # child.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStdout {
    io: Registered<OwnedFd>,
}

/// What a child writes to its standard error is read here. It ends as [`ChildStdout`] does.
///
/// # Examples
/// ```
/// use shinkan::io::AsyncReadExt;
/// use shinkan::process::Command;
/// use std::process::Stdio;
///
/// # #[shinkan::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut child =
///     Command::new("sh").args(["-c", "echo no >&2; exit 1"]).stderr(Stdio::piped()).spawn()?;
/// let mut text = String::new();
/// child.stderr.take().expect("it was asked for").read_to_string(&mut text).await?;
/// assert_eq!((child.wait().await?.code(), &*text), (Some(1), "no\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChildStderr {
    io: Registered<OwnedFd>,
}

impl ChildStdin {
    /// Takes over the pipe of a child that the standard library has started, and makes it not
    /// block.
    ///
    /// # Errors
    /// Those of fcntl(2) and of registration.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    ///
    /// # Examples
    /// ```
    /// use shinkan::io::AsyncWriteExt;
    /// use shinkan::process::ChildStdin;
    /// use std::process::{Command, Stdio};
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("true").stdin(Stdio::piped()).spawn()?;
    /// let mut stdin = ChildStdin::from_std(child.stdin.take().expect("it was asked for"))?;
    /// stdin.shutdown().await?;
    /// # child.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(inner: std::process::ChildStdin) -> io::Result<Self> {
        Self::new(inner.into(), Handle::current().io(), Location::caller())
    }

    pub(super) fn new(fd: OwnedFd, io: &Io, place: &'static Location<'static>) -> io::Result<Self> {
        Ok(Self { io: register(fd, io, Interest::WRITABLE, place)? })
    }

    /// Deregisters, and gives the descriptor, which blocks from now on.
    ///
    /// # Errors
    /// Those of fcntl(2).
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::fs::File;
    /// use std::io::Write;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("grep").args(["-q", "tea"]).stdin(Stdio::piped()).spawn()?;
    /// let stdin = child.stdin.take().expect("it was asked for").into_owned_fd()?;
    /// File::from(stdin).write_all(b"tea\n")?;
    /// assert!(child.wait().await?.success());
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
        into_blocking(self.io)
    }
}

impl ChildStdout {
    /// Takes over the pipe of a child that the standard library has started, and makes it not
    /// block.
    ///
    /// # Errors
    /// Those of fcntl(2) and of registration.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    ///
    /// # Examples
    /// ```
    /// use shinkan::io::AsyncReadExt;
    /// use shinkan::process::ChildStdout;
    /// use std::process::{Command, Stdio};
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// let mut stdout = ChildStdout::from_std(child.stdout.take().expect("it was asked for"))?;
    /// let mut text = String::new();
    /// stdout.read_to_string(&mut text).await?;
    /// assert_eq!(text, "hello\n");
    /// # child.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(inner: std::process::ChildStdout) -> io::Result<Self> {
        Self::new(inner.into(), Handle::current().io(), Location::caller())
    }

    pub(super) fn new(fd: OwnedFd, io: &Io, place: &'static Location<'static>) -> io::Result<Self> {
        Ok(Self { io: register(fd, io, Interest::READABLE, place)? })
    }

    /// Deregisters, and gives the descriptor, which blocks from now on.
    ///
    /// # Errors
    /// Those of fcntl(2).
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// let stdout = child.stdout.take().expect("it was asked for").into_owned_fd()?;
    /// assert_eq!(std::io::read_to_string(std::fs::File::from(stdout))?, "hello\n");
    /// # child.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
        into_blocking(self.io)
    }
}

impl ChildStderr {
    /// Takes over the pipe of a child that the standard library has started, and makes it not
    /// block.
    ///
    /// # Errors
    /// Those of fcntl(2) and of registration.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    ///
    /// # Examples
    /// ```
    /// use shinkan::io::AsyncReadExt;
    /// use shinkan::process::ChildStderr;
    /// use std::process::{Command, Stdio};
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sh").args(["-c", "echo no >&2"]).stderr(Stdio::piped()).spawn()?;
    /// let mut stderr = ChildStderr::from_std(child.stderr.take().expect("it was asked for"))?;
    /// let mut text = String::new();
    /// stderr.read_to_string(&mut text).await?;
    /// assert_eq!(text, "no\n");
    /// # child.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_std(inner: std::process::ChildStderr) -> io::Result<Self> {
        Self::new(inner.into(), Handle::current().io(), Location::caller())
    }

    pub(super) fn new(fd: OwnedFd, io: &Io, place: &'static Location<'static>) -> io::Result<Self> {
        Ok(Self { io: register(fd, io, Interest::READABLE, place)? })
    }

    /// Deregisters, and gives the descriptor, which blocks from now on.
    ///
    /// # Errors
    /// Those of fcntl(2).
    ///
    /// # Examples
    /// ```
    /// use shinkan::process::Command;
    /// use std::process::Stdio;
    ///
    /// # #[shinkan::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut child = Command::new("sh").args(["-c", "echo no >&2"]).stderr(Stdio::piped()).spawn()?;
    /// let stderr = child.stderr.take().expect("it was asked for").into_owned_fd()?;
    /// assert_eq!(std::io::read_to_string(std::fs::File::from(stderr))?, "no\n");
    /// # child.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
        into_blocking(self.io)
    }
}

/// For another child: it gets a descriptor that blocks.
impl TryInto<Stdio> for ChildStdin {
    type Error = io::Error;

    fn try_into(self) -> io::Result<Stdio> {
        self.into_owned_fd().map(Stdio::from)
    }
}

/// For another child, which then reads what this one writes.
///
/// # Examples
/// ```
/// use shinkan::process::Command;
/// use std::process::Stdio;
///
/// # #[shinkan::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut echo = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
/// let stdout: Stdio = echo.stdout.take().expect("it was asked for").try_into()?;
/// let tr = Command::new("tr").args(["a-z", "A-Z"]).stdin(stdout).output().await?;
/// assert_eq!(tr.stdout, b"HELLO\n");
/// # echo.wait().await?;
/// # Ok(())
/// # }
/// ```
impl TryInto<Stdio> for ChildStdout {
    type Error = io::Error;

    fn try_into(self) -> io::Result<Stdio> {
        self.into_owned_fd().map(Stdio::from)
    }
}

/// For another child, which then reads what this one writes.
impl TryInto<Stdio> for ChildStderr {
    type Error = io::Error;

    fn try_into(self) -> io::Result<Stdio> {
        self.into_owned_fd().map(Stdio::from)
    }
}

impl AsyncWrite for ChildStdin {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = || ops::write(&self.io, buf);
        self.io.source().poll_stream(cx, Direction::Write, buf.len(), write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.source().poll_io(cx, Direction::Write, || ops::writev(&self.io, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: only a drop is the end of the child's input.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ChildStdout {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_read(&self.io, cx, buf)
    }
}

impl AsyncRead for ChildStderr {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_read(&self.io, cx, buf)
    }
}

impl AsRawFd for ChildStdin {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsRawFd for ChildStdout {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsRawFd for ChildStderr {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsFd for ChildStdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl AsFd for ChildStdout {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl AsFd for ChildStderr {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

fn register(
    fd: OwnedFd,
    io: &Io,
    interest: Interest,
    place: &'static Location<'static>,
) -> io::Result<Registered<OwnedFd>> {
    ops::set_nonblocking(&fd, true)?;
    Registered::at(fd, io, interest, Ready::EMPTY, place)
}

fn into_blocking(io: Registered<OwnedFd>) -> io::Result<OwnedFd> {
    let fd = io.into_inner();
    ops::set_nonblocking(&fd, false)?;
    Ok(fd)
}

fn poll_read(
    io: &Registered<OwnedFd>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let room = buf.remaining();
    let read = || Ok(fill::read_buf(buf, |free| Ok((ops::read(io, free)?, ())))?.0);
    io.source().poll_stream(cx, Direction::Read, room, read).map_ok(drop)
}
