//! `split`: a stream shared by a task that reads and a task that writes.
//!
//! A lock is held while the stream is polled, and no longer: the halves never wait for each other's
//! readiness. The stream's own waker is called by the stream, so one that wakes inside its poll
//! runs the waker under the lock; a waker that polls a half at once, instead of scheduling it, would
//! lock itself out.

#![allow(unsafe_code)]

use crate::{AsyncRead, AsyncWrite, ReadBuf};
use shinkan_base::atomics::Mutex;
use std::fmt;
use std::io::{self, IoSlice};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Invariant: the stream is not moved while it is shared, so it may be pinned (`with`); it is
/// moved out only where it is `Unpin` (`unsplit`).
struct Shared<T> {
    stream: Mutex<T>,
    is_write_vectored: bool,
}

impl<T> Shared<T> {
    fn with<U>(&self, f: impl FnOnce(Pin<&mut T>) -> U) -> U {
        let mut stream = self.stream.lock();
        // SAFETY:
        // - not moved before it is dropped: this struct's invariant; it lies in an `Arc`.
        f(unsafe { Pin::new_unchecked(&mut *stream) })
    }
}

/// The half of a stream that reads, from [`split`].
pub struct ReadHalf<T> {
    shared: Arc<Shared<T>>,
}

/// The half of a stream that writes, from [`split`].
///
/// To drop it does not end the writing side: the stream lives as long as the other half. Call
/// `shutdown`.
pub struct WriteHalf<T> {
    shared: Arc<Shared<T>>,
}

// A panic inside the stream's own code leaves the stream as that code left it; nothing of the halves
// is broken by it.
impl<T> UnwindSafe for ReadHalf<T> {}
impl<T> RefUnwindSafe for ReadHalf<T> {}
impl<T> UnwindSafe for WriteHalf<T> {}
impl<T> RefUnwindSafe for WriteHalf<T> {}

/// Splits a stream in two halves, which may be moved to different tasks. Streams of this crate's
/// users mostly have a split of their own that needs no lock.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::{AsyncReadExt, AsyncWriteExt, duplex, split};
/// let (here, mut there) = duplex(64);
/// let (mut read, mut write) = split(here);
/// write.write_all(b"question").await?;
/// there.write_all(b"answer").await?;
/// let mut answer = [0; 6];
/// read.read_exact(&mut answer).await?;
/// let whole = read.unsplit(write);
/// # drop(whole);
/// # Ok(())
/// # }
/// ```
pub fn split<T: AsyncRead + AsyncWrite>(stream: T) -> (ReadHalf<T>, WriteHalf<T>) {
    let is_write_vectored = stream.is_write_vectored();
    let shared = Arc::new(Shared { stream: Mutex::new(stream), is_write_vectored });
    (ReadHalf { shared: shared.clone() }, WriteHalf { shared })
}

impl<T> ReadHalf<T> {
    /// Whether the two halves are of one stream.
    pub fn is_pair_of(&self, other: &WriteHalf<T>) -> bool {
        other.is_pair_of(self)
    }

    /// Makes the stream whole again.
    ///
    /// # Panics
    /// Where the halves are not of one stream: ask [`is_pair_of`](Self::is_pair_of).
    #[track_caller]
    pub fn unsplit(self, wr: WriteHalf<T>) -> T
    where
        T: Unpin,
    {
        assert!(
            self.is_pair_of(&wr),
            "`ReadHalf::unsplit` was given the half of another stream: ask `is_pair_of` first"
        );
        drop(wr);
        let shared = Arc::into_inner(self.shared).expect("a stream has two halves");
        shared.stream.into_inner()
    }
}

impl<T> WriteHalf<T> {
    /// Whether the two halves are of one stream.
    pub fn is_pair_of(&self, other: &ReadHalf<T>) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T: AsyncRead> AsyncRead for ReadHalf<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.shared.with(|stream| stream.poll_read(cx, buf))
    }
}

impl<T: AsyncWrite> AsyncWrite for WriteHalf<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.shared.with(|stream| stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|stream| stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shared.with(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.shared.is_write_vectored
    }
}

// SAFETY:
// - a shared half reaches the stream by no method but `is_pair_of` and `fmt`, which don't touch
//   it; `T: Sync` is what Tokio asks, and more than is needed.
unsafe impl<T: Sync> Sync for ReadHalf<T> {}
// SAFETY:
// - as for `ReadHalf`.
unsafe impl<T: Sync> Sync for WriteHalf<T> {}
// SAFETY:
// - the stream is reached under the lock from one thread at a time, and `T: Send` lets it be on
//   any; the last half drops it.
unsafe impl<T: Send> Send for ReadHalf<T> {}
// SAFETY:
// - as for `ReadHalf`.
unsafe impl<T: Send> Send for WriteHalf<T> {}

impl<T: fmt::Debug> fmt::Debug for ReadHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::ReadHalf").finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::WriteHalf").finish()
    }
}
