//! A descriptor and its registration in one value.

use crate::driver::Io;
use crate::ready::{Interest, Ready};
use crate::source::Source;
use core::fmt;
use core::ops::Deref;
use core::panic::Location;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Something that owns a descriptor, registered. Both leave together: first the registration.
pub struct Registered<T> {
    // Dropped in this order: a descriptor that is closed first could have become another's.
    source: Source,
    inner: T,
}

impl<T: AsFd> Registered<T> {
    /// Registers for reading and writing.
    ///
    /// # Errors
    /// As [`Io::register`]; the descriptor is closed.
    #[track_caller]
    pub fn new(inner: T, io: &Io) -> io::Result<Self> {
        Self::with(inner, io, Interest::READABLE | Interest::WRITABLE, Ready::EMPTY)
    }

    /// Registers for an interest, with a readiness to start with.
    ///
    /// # Errors
    /// As [`Registered::new`].
    #[track_caller]
    pub fn with(inner: T, io: &Io, interest: Interest, start: Ready) -> io::Result<Self> {
        Self::at(inner, io, interest, start, Location::caller())
    }

    /// The same for a future, which registers long after the call that made it.
    ///
    /// # Errors
    /// As [`Registered::new`].
    pub fn at(
        inner: T,
        io: &Io,
        interest: Interest,
        start: Ready,
        place: &'static Location<'static>,
    ) -> io::Result<Self> {
        let source = io.register_at(inner.as_fd().as_raw_fd(), interest, start, place)?;
        Ok(Self { source, inner })
    }
}

impl<T> Registered<T> {
    /// The registration.
    #[inline]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Deregisters, and gives the owner of the descriptor back.
    pub fn into_inner(self) -> T {
        drop(self.source);
        self.inner
    }
}

impl<T> Deref for Registered<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: AsFd> AsFd for Registered<T> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<T: AsFd> AsRawFd for Registered<T> {
    #[inline]
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_fd().as_raw_fd()
    }
}

// What a panic may leave half done in here is a waker too many.
impl<T> UnwindSafe for Registered<T> {}
impl<T> RefUnwindSafe for Registered<T> {}

impl<T: fmt::Debug> fmt::Debug for Registered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
