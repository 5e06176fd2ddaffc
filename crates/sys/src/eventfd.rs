//! eventfd(2) as a counting doorbell: each write adds one unit, each read takes one.

use rustix::event::EventfdFlags;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The doorbell.
#[derive(Debug)]
pub struct Eventfd {
    fd: OwnedFd,
}

impl Eventfd {
    /// A doorbell that nobody has rung.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new() -> io::Result<Self> {
        let flags = EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        Ok(Self { fd: rustix::event::eventfd(0, flags)? })
    }

    /// Adds a unit.
    #[inline]
    pub fn ring(&self) {
        // It can only refuse when 2^64 - 2 units wait, and then everybody is awake.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }

    /// Takes a unit, where there is one.
    #[inline]
    pub fn take(&self) -> bool {
        let mut unit = [0; 8];
        rustix::io::read(&self.fd, &mut unit).is_ok()
    }
}

impl AsFd for Eventfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Eventfd {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
