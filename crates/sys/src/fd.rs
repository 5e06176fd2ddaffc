//! Descriptors: what every kind of them can do.

use rustix::buffer::Buffer;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// A number as a descriptor, for the length of one call that touches no memory: a number that
/// is none, or has become another descriptor's, gets the kernel's error or that one's answer.
///
/// # Errors
/// A negative number is none.
pub(crate) fn borrow<'a>(fd: RawFd) -> io::Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY:
    // - not -1: tested above.
    // - open: callers pass what their own callers hold open; where those break their word, the
    //   kernel's table is asked, and no memory depends on the answer.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Makes calls on the descriptor's file return `WouldBlock` instead of waiting, or wait again.
///
/// # Errors
/// Those of fcntl(2).
pub fn set_nonblocking(fd: impl AsFd, nonblocking: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let before = fcntl_getfl(&fd)?;
    let mut after = before;
    after.set(OFlags::NONBLOCK, nonblocking);
    if after != before {
        fcntl_setfl(&fd, after)?;
    }
    Ok(())
}

/// Whether calls on it return `WouldBlock` instead of waiting.
///
/// # Errors
/// Those of fcntl(2).
pub fn is_nonblocking(fd: impl AsFd) -> io::Result<bool> {
    Ok(rustix::fs::fcntl_getfl(fd)?.contains(rustix::fs::OFlags::NONBLOCK))
}

/// Whether it may be read and whether it may be written, as it was opened.
///
/// # Errors
/// Those of fcntl(2).
pub fn access(fd: impl AsFd) -> io::Result<(bool, bool)> {
    Ok(rustix::io::fcntl_getfd(&fd).and_then(|_| rustix::fs::fcntl_getfl(&fd)).map(|flags| {
        let mode = flags & rustix::fs::OFlags::ACCMODE;
        let both = mode == rustix::fs::OFlags::RDWR;
        (both || mode == rustix::fs::OFlags::RDONLY, both || mode == rustix::fs::OFlags::WRONLY)
    })?)
}

/// Whether it is a pipe or FIFO.
///
/// # Errors
/// Those of fstat(2).
pub fn is_pipe(fd: impl AsFd) -> io::Result<bool> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode).is_fifo())
}

/// A pipe whose ends do not block: what is written to the second is read from the first.
///
/// # Errors
/// No descriptors left.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::pipe::PipeFlags;
    Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?)
}

/// Opens a FIFO without waiting for its other end.
///
/// # Errors
/// Those of open(2).
pub fn open_fifo(path: &std::path::Path, read: bool, write: bool) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let access = match (read, write) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Makes the process's table of descriptors hold `count` of them. False: the process may not have so
/// many. The table doubles as numbers are given out; in a process of several threads whoever needs a
/// larger one then waits until every processor has left the old one alone (in `accept`, say, for 8 to
/// 24 ms), and so does the caller. It does not shrink, but a child of fork(2) begins with a smaller
/// one. The kernel holds 8 bytes for each.
///
/// # Errors
/// No descriptors left.
pub fn make_room(count: u32) -> io::Result<bool> {
    let Some(last) = count.checked_sub(1).and_then(|last| RawFd::try_from(last).ok()) else {
        return Ok(count == 0);
    };
    let any = crate::eventfd::Eventfd::new()?;
    // The first number that is free from the last one on, for a moment.
    match rustix::io::fcntl_dupfd_cloexec(&any, last) {
        Ok(_) => Ok(true),
        Err(rustix::io::Errno::INVAL) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads into a buffer; into one that need not be initialised, too, of which the part that was
/// filled is then returned with the rest.
///
/// # Errors
/// Those of read(2).
#[inline]
pub fn read<B: Buffer<u8>>(fd: impl AsFd, buf: B) -> io::Result<B::Output> {
    Ok(rustix::io::read(fd, buf)?)
}

/// Reads into several buffers and returns how many bytes.
///
/// # Errors
/// Those of readv(2).
#[inline]
pub fn readv(fd: impl AsFd, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let len = bufs.len().min(IOV_MAX);
    Ok(rustix::io::readv(fd, &mut bufs[..len])?)
}

/// Writes and returns how many bytes were taken.
///
/// # Errors
/// Those of write(2).
#[inline]
pub fn write(fd: impl AsFd, buf: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(fd, buf)?)
}

/// Writes from several buffers and returns how many bytes were taken.
///
/// # Errors
/// Those of writev(2).
#[inline]
pub fn writev(fd: impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    Ok(rustix::io::writev(fd, &bufs[..bufs.len().min(IOV_MAX)])?)
}

// The kernel refuses more buffers than this in one call.
pub(crate) const IOV_MAX: usize = 1024;
