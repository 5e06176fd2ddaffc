//! What a wait for a descriptor returns: its readiness, to be used or taken away.

use super::{AsyncFd, TryIoError};
use shinkan_driver::{Ready, ReadyEvent};
use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

/// A descriptor that was found ready.
#[must_use = "the descriptor stays ready until its guard is told otherwise"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    async_fd: &'a AsyncFd<T>,
    event: Option<ReadyEvent>,
}

/// A descriptor that was found ready, borrowed exclusively.
#[must_use = "the descriptor stays ready until its guard is told otherwise"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    async_fd: &'a mut AsyncFd<T>,
    event: Option<ReadyEvent>,
}

impl<'a, T: AsRawFd> AsyncFdReadyGuard<'a, T> {
    pub(super) fn new(async_fd: &'a AsyncFd<T>, event: ReadyEvent) -> Self {
        Self { async_fd, event: Some(event) }
    }

    /// Says that the descriptor is no longer ready for what was found; the peer's ends stay. An
    /// event that came since keeps it ready.
    pub fn clear_ready(&mut self) {
        if let Some(event) = self.event.take() {
            self.async_fd.source().clear(event);
        }
    }

    /// The same for a part of it.
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        if let Some(event) = self.event.take() {
            self.async_fd.source().clear(event.with_ready(ready));
            let left = event.ready - ready;
            self.event = (!left.is_empty()).then(|| event.with_ready(left));
        }
    }

    /// Leaves the readiness as it is: it says so, and does nothing.
    pub fn retain_ready(&mut self) {}

    /// What the descriptor was ready for and was not cleared.
    pub fn ready(&self) -> Ready {
        self.event.map_or(Ready::EMPTY, |event| event.ready)
    }

    /// Calls `f`, and takes the readiness away where it says `WouldBlock`.
    ///
    /// # Errors
    /// `f` said `WouldBlock`. Its other errors are in the inner result.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.async_fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError::new())
            }
            result => Ok(result),
        }
    }

    /// The descriptor that is ready.
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.async_fd
    }

    /// What was registered.
    pub fn get_inner(&self) -> &'a T {
        self.async_fd.get_ref()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyGuard").field("async_fd", &self.async_fd).finish()
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    pub(super) fn new(async_fd: &'a mut AsyncFd<T>, event: ReadyEvent) -> Self {
        Self { async_fd, event: Some(event) }
    }

    /// Says that the descriptor is no longer ready for what was found; the peer's ends stay. An
    /// event that came since keeps it ready.
    pub fn clear_ready(&mut self) {
        if let Some(event) = self.event.take() {
            self.async_fd.source().clear(event);
        }
    }

    /// The same for a part of it.
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        if let Some(event) = self.event.take() {
            self.async_fd.source().clear(event.with_ready(ready));
            let left = event.ready - ready;
            self.event = (!left.is_empty()).then(|| event.with_ready(left));
        }
    }

    /// Leaves the readiness as it is: it says so, and does nothing.
    pub fn retain_ready(&mut self) {}

    /// What the descriptor was ready for and was not cleared.
    pub fn ready(&self) -> Ready {
        self.event.map_or(Ready::EMPTY, |event| event.ready)
    }

    /// Calls `f`, and takes the readiness away where it says `WouldBlock`.
    ///
    /// # Errors
    /// `f` said `WouldBlock`. Its other errors are in the inner result.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&mut AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.async_fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError::new())
            }
            result => Ok(result),
        }
    }

    /// The descriptor that is ready.
    pub fn get_ref(&self) -> &AsyncFd<T> {
        self.async_fd
    }

    /// The descriptor that is ready.
    pub fn get_mut(&mut self) -> &mut AsyncFd<T> {
        self.async_fd
    }

    /// What was registered.
    pub fn get_inner(&self) -> &T {
        self.async_fd.get_ref()
    }

    /// What was registered.
    pub fn get_inner_mut(&mut self) -> &mut T {
        self.async_fd.get_mut()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyMutGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyMutGuard").field("async_fd", &self.async_fd).finish()
    }
}
