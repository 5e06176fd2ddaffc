//! Pipes, and FIFOs in the file system.

mod receiver;
mod sender;

pub use receiver::Receiver;
pub use sender::Sender;

use shinkan_driver::ops;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Makes a pipe: what is written to the sender is read from the receiver.
///
/// # Errors
/// No descriptors left.
///
/// # Panics
/// Outside a runtime with I/O.
///
/// # Examples
/// ```
/// use shinkan::net::unix::pipe;
/// # async fn example() -> std::io::Result<()> {
/// let (sender, receiver) = pipe::pipe()?;
/// sender.writable().await?;
/// sender.try_write(b"hello")?;
/// receiver.readable().await?;
/// let mut buf = [0; 5];
/// assert_eq!(receiver.try_read(&mut buf)?, 5);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    let (receiver, sender) = ops::pipe()?;
    Ok((Sender::from_owned_fd_unchecked(sender)?, Receiver::from_owned_fd_unchecked(receiver)?))
}

/// How a FIFO is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    read_write: bool,
    unchecked: bool,
}

impl OpenOptions {
    /// For one direction, and only where the file is a FIFO.
    pub fn new() -> OpenOptions {
        OpenOptions { read_write: false, unchecked: false }
    }

    /// Opens for both directions, so that the FIFO never lacks its other end.
    pub fn read_write(&mut self, value: bool) -> &mut Self {
        self.read_write = value;
        self
    }

    /// Does not ask whether the file is a FIFO.
    pub fn unchecked(&mut self, value: bool) -> &mut Self {
        self.unchecked = value;
        self
    }

    /// Opens the end to read from.
    ///
    /// # Errors
    /// Those of open(2); `InvalidInput` where the file is no FIFO.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        Receiver::from_owned_fd_unchecked(self.open(path.as_ref(), true, self.read_write)?)
    }

    /// Opens the end to write to.
    ///
    /// # Errors
    /// Those of open(2): ENXIO where nobody has it open for reading. `InvalidInput` where the file
    /// is no FIFO.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        Sender::from_owned_fd_unchecked(self.open(path.as_ref(), self.read_write, true)?)
    }

    fn open(&self, path: &Path, read: bool, write: bool) -> io::Result<OwnedFd> {
        let fd = ops::open_fifo(path, read, write)?;
        if !self.unchecked {
            expect_pipe(&fd)?;
        }
        Ok(fd)
    }
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions::new()
    }
}

fn expect_pipe(fd: &OwnedFd) -> io::Result<()> {
    if ops::is_pipe(fd)? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the file is neither a pipe nor a FIFO"))
}
