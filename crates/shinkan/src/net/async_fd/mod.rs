//! Any descriptor that knows readiness, for those who have their own calls for it.

#![allow(unsafe_code)]

mod error;
mod guard;

pub use error::{AsyncFdRegisterError, TryIoError};
pub use guard::{AsyncFdReadyGuard, AsyncFdReadyMutGuard};

use shinkan_base::wait::WaitKind;
use shinkan_driver::{Direction, Interest, Ready, Source};
use shinkan_rt::Handle;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::task::{Context, Poll, ready};

/// A descriptor, registered with the runtime for as long as this lives.
///
/// It must not block, and it stays registered with the number it had at first. After an operation
/// said `WouldBlock` its readiness must be cleared, by the guard's `try_io` or by `clear_ready`;
/// else the next wait returns at once.
///
/// # Examples
/// ```
/// use shinkan::io::unix::AsyncFd;
/// use std::io::Read;
/// use std::os::unix::net::UnixStream;
/// # async fn example(stream: UnixStream) -> std::io::Result<usize> {
/// stream.set_nonblocking(true)?;
/// // SAFETY: the stream keeps its descriptor open until it is dropped.
/// let stream = unsafe { AsyncFd::register(stream)? };
/// let mut buf = [0; 64];
/// loop {
///     let mut guard = stream.readable().await?;
///     if let Ok(result) = guard.try_io(|stream| stream.get_ref().read(&mut buf)) {
///         return result;
///     }
/// }
/// # }
/// ```
pub struct AsyncFd<T: AsRawFd> {
    // Gone only while it is being taken apart. Dropped in this order: a descriptor that is closed
    // first could have become another's.
    parts: Option<(Source, T)>,
}

impl<T: AsRawFd> AsyncFd<T> {
    /// Registers for reading and writing.
    ///
    /// # Errors
    /// As registration: `PermissionDenied` where the descriptor knows no readiness,
    /// `AlreadyExists` where it is registered. `inner` comes back in the error.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    ///
    /// # Safety
    /// `inner` gives the same descriptor each time, and keeps it open until it is dropped or
    /// taken out again.
    #[track_caller]
    pub unsafe fn register(inner: T) -> Result<Self, AsyncFdRegisterError<T>> {
        // SAFETY: the caller's word.
        unsafe { Self::register_with_interest(inner, Interest::READABLE | Interest::WRITABLE) }
    }

    /// Registers for an interest; only that can be waited for.
    ///
    /// # Errors
    /// As [`AsyncFd::register`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    ///
    /// # Safety
    /// As [`AsyncFd::register`].
    #[track_caller]
    pub unsafe fn register_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<Self, AsyncFdRegisterError<T>> {
        let handle = Handle::current();
        match handle.io().register(inner.as_raw_fd(), interest, Ready::EMPTY) {
            Ok(source) => Ok(AsyncFd { parts: Some((source, inner)) }),
            Err(cause) => Err(AsyncFdRegisterError::new(inner, cause)),
        }
    }

    /// As [`AsyncFd::register`], without its promise.
    ///
    /// # Errors
    /// As [`AsyncFd::register`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[deprecated(note = "nothing keeps the descriptor open: use `AsyncFd::register`")]
    #[track_caller]
    pub fn new(inner: T) -> io::Result<Self> {
        // SAFETY:
        // - open: not promised by a safe function, which is why this one is deprecated; where it
        //   is broken, another descriptor's readiness is reported, and no memory is at stake.
        Ok(unsafe { Self::register(inner) }?)
    }

    /// As [`AsyncFd::register_with_interest`], without its promise.
    ///
    /// # Errors
    /// As [`AsyncFd::register_with_interest`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[deprecated(note = "nothing keeps the descriptor open: use `AsyncFd::register_with_interest`")]
    #[track_caller]
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<Self> {
        // SAFETY:
        // - open: not promised by a safe function, which is why this one is deprecated; where it
        //   is broken, another descriptor's readiness is reported, and no memory is at stake.
        Ok(unsafe { Self::register_with_interest(inner, interest) }?)
    }

    /// As [`AsyncFd::register`], without its promise.
    ///
    /// # Errors
    /// As [`AsyncFd::register`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[deprecated(note = "nothing keeps the descriptor open: use `AsyncFd::register`")]
    #[track_caller]
    pub fn try_new(inner: T) -> Result<Self, AsyncFdRegisterError<T>> {
        // SAFETY:
        // - open: not promised by a safe function, which is why this one is deprecated; where it
        //   is broken, another descriptor's readiness is reported, and no memory is at stake.
        unsafe { Self::register(inner) }
    }

    /// As [`AsyncFd::register_with_interest`], without its promise.
    ///
    /// # Errors
    /// As [`AsyncFd::register_with_interest`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[deprecated(note = "nothing keeps the descriptor open: use `AsyncFd::register_with_interest`")]
    #[track_caller]
    pub fn try_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<Self, AsyncFdRegisterError<T>> {
        // SAFETY:
        // - open: not promised by a safe function, which is why this one is deprecated; where it
        //   is broken, another descriptor's readiness is reported, and no memory is at stake.
        unsafe { Self::register_with_interest(inner, interest) }
    }

    /// What was registered.
    #[inline]
    pub fn get_ref(&self) -> &T {
        self.parts().1
    }

    /// What was registered. Its descriptor must stay the same.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.parts_mut().1
    }

    /// Deregisters, and gives what was registered back.
    pub fn into_inner(mut self) -> T {
        let (source, inner) = self.parts.take().expect(THERE);
        drop(source);
        inner
    }

    #[inline]
    fn parts(&self) -> (&Source, &T) {
        let (source, inner) = self.parts.as_ref().expect(THERE);
        (source, inner)
    }

    #[inline]
    fn parts_mut(&mut self) -> (&Source, &mut T) {
        let (source, inner) = self.parts.as_mut().expect(THERE);
        (source, inner)
    }

    #[inline]
    fn source(&self) -> &Source {
        self.parts().0
    }

    /// Waits until there is something to read. At most one task waits in this way; the
    /// last one to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.source().poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event)))
    }

    /// Waits until there is something to read, with the exclusive borrow kept. At most one
    /// task waits in this way; the last one to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.source().poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event)))
    }

    /// Waits until there is room to write. At most one task waits in this way; the
    /// last one to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.source().poll_ready(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event)))
    }

    /// Waits until there is room to write, with the exclusive borrow kept. At most one
    /// task waits in this way; the last one to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.source().poll_ready(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event)))
    }

    /// Waits for an interest. The guard decides whether the readiness stays.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn ready(
        &self,
        interest: Interest,
    ) -> impl Future<Output = io::Result<AsyncFdReadyGuard<'_, T>>> {
        let place = Location::caller();
        async move {
            let event = self.source().readiness(interest, kind(interest), place).await?;
            Ok(AsyncFdReadyGuard::new(self, event))
        }
    }

    /// Waits until there is something to read; as [`AsyncFd::ready`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<AsyncFdReadyGuard<'_, T>>> {
        self.ready(Interest::READABLE)
    }

    /// Waits until there is room to write; as [`AsyncFd::ready`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<AsyncFdReadyGuard<'_, T>>> {
        self.ready(Interest::WRITABLE)
    }

    /// Waits for an interest, with the exclusive borrow kept. The guard decides whether the
    /// readiness stays.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn ready_mut(
        &mut self,
        interest: Interest,
    ) -> impl Future<Output = io::Result<AsyncFdReadyMutGuard<'_, T>>> {
        let place = Location::caller();
        async move {
            let event = self.source().readiness(interest, kind(interest), place).await?;
            Ok(AsyncFdReadyMutGuard::new(self, event))
        }
    }

    /// Waits until there is something to read; as [`AsyncFd::ready_mut`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn readable_mut(
        &mut self,
    ) -> impl Future<Output = io::Result<AsyncFdReadyMutGuard<'_, T>>> {
        self.ready_mut(Interest::READABLE)
    }

    /// Waits until there is room to write; as [`AsyncFd::ready_mut`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn writable_mut(
        &mut self,
    ) -> impl Future<Output = io::Result<AsyncFdReadyMutGuard<'_, T>>> {
        self.ready_mut(Interest::WRITABLE)
    }

    /// Calls `f` each time when the descriptor is ready, until it says something else than
    /// `WouldBlock`.
    ///
    /// # Errors
    /// Those of `f`, or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, as long as `f` takes nothing when it says `WouldBlock`.
    #[track_caller]
    pub fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        let (source, inner) = self.parts();
        source.async_io(interest, kind(interest), Location::caller(), move || f(inner))
    }

    /// Calls `f` where the descriptor counts as ready, and takes the readiness away where `f`
    /// says `WouldBlock`.
    ///
    /// # Errors
    /// `WouldBlock` where the descriptor is not ready; else those of `f`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let (source, inner) = self.parts();
        source.try_io(interest, || f(inner))
    }

    /// Calls `f` each time when the descriptor is ready, until it says something else than
    /// `WouldBlock`.
    ///
    /// # Errors
    /// Those of `f`, or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, as long as `f` takes nothing when it says `WouldBlock`.
    #[track_caller]
    pub fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut f: impl FnMut(&mut T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        let (source, inner) = self.parts_mut();
        source.async_io(interest, kind(interest), Location::caller(), move || f(inner))
    }

    /// Calls `f` where the descriptor counts as ready, and takes the readiness away where `f`
    /// says `WouldBlock`.
    ///
    /// # Errors
    /// `WouldBlock` where the descriptor is not ready; else those of `f`.
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        f: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let (source, inner) = self.parts_mut();
        source.try_io(interest, || f(inner))
    }
}

const THERE: &str = "an `AsyncFd` holds its descriptor until it is taken apart";

fn kind(interest: Interest) -> WaitKind {
    if interest.is_writable() && !interest.is_readable() { WaitKind::Write } else { WaitKind::Read }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

impl<T: AsRawFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY:
        // - open: `register` had the promise that `inner` keeps it open.
        unsafe { BorrowedFd::borrow_raw(self.get_ref().as_raw_fd()) }
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd").field("inner", self.get_ref()).finish()
    }
}

impl<T: AsRawFd> Drop for AsyncFd<T> {
    /// Deregisters, and drops what was registered.
    fn drop(&mut self) {
        drop(self.parts.take());
    }
}
