//! Pipes in memory: `duplex` and `simplex`.

use crate::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf, split};
use shinkan_base::atomics::Mutex;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_context::{budget, pending};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::panic::Location;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

/// A pipe in one direction: what is written to it is read from it.
///
/// Made whole by [`new_unsplit`](Self::new_unsplit), or as two halves by [`simplex`].
#[derive(Debug)]
pub struct SimplexStream {
    // Never longer than `capacity`. Its memory grows as it is needed.
    bytes: VecDeque<u8>,
    capacity: usize,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    place: &'static Location<'static>,
}

/// What an operation leaves to be done when the pipe is unlocked: a waker is foreign code, also
/// where it is dropped.
#[derive(Default)]
struct After {
    wake: Option<Waker>,
    replaced: Option<Waker>,
}

impl After {
    #[inline]
    fn run(self) {
        if let Some(waker) = self.wake {
            waker.wake();
        }
    }

    fn keep(&mut self, slot: &mut Option<Waker>, cx: &Context<'_>) {
        match slot {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => self.replaced = slot.replace(cx.waker().clone()),
        }
    }
}

/// Makes a pipe in one direction that holds at most `max_buf_size` bytes, as two halves.
///
/// [`ReadHalf::unsplit`] makes it whole. The reader sees the end of the stream once the writer
/// was shut down; to drop the writer is not enough, as with every [`split`](fn@split) stream.
///
/// # Panics
/// Where `max_buf_size` is 0.
#[track_caller]
pub fn simplex(max_buf_size: usize) -> (ReadHalf<SimplexStream>, WriteHalf<SimplexStream>) {
    split(SimplexStream::new_unsplit(max_buf_size))
}

impl SimplexStream {
    /// Makes a pipe that holds at most `max_buf_size` bytes.
    ///
    /// # Panics
    /// Where `max_buf_size` is 0.
    #[track_caller]
    pub fn new_unsplit(max_buf_size: usize) -> SimplexStream {
        assert!(
            max_buf_size > 0,
            "a pipe (`duplex`, `simplex`) with room for 0 bytes can't carry any: give it 1 or more"
        );
        SimplexStream {
            bytes: VecDeque::new(),
            capacity: max_buf_size,
            closed: false,
            reader: None,
            writer: None,
            place: Location::caller(),
        }
    }

    #[must_use]
    fn close_write(&mut self) -> Option<Waker> {
        self.closed = true;
        self.reader.take()
    }

    #[must_use]
    fn close_read(&mut self) -> Option<Waker> {
        self.closed = true;
        self.writer.take()
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn poll_read_then(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        after: &mut After,
    ) -> Poll<io::Result<()>> {
        let unit = ready!(budget::poll_proceed(cx));
        let amount = self.bytes.len().min(buf.remaining());
        if amount == 0 && buf.remaining() > 0 && !self.closed {
            after.keep(&mut self.reader, cx);
            pending(WaitKind::DuplexRead, self.address(), self.place);
            return Poll::Pending;
        }
        unit.made_progress();
        if amount > 0 {
            let (first, second) = self.bytes.as_slices();
            let of_first = amount.min(first.len());
            buf.put_slice(&first[..of_first]);
            buf.put_slice(&second[..amount - of_first]);
            self.bytes.drain(..amount);
            after.wake = self.writer.take();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_then<'b>(
        &mut self,
        cx: &mut Context<'_>,
        bufs: impl Iterator<Item = &'b [u8]> + Clone,
        after: &mut After,
    ) -> Poll<io::Result<usize>> {
        let unit = ready!(budget::poll_proceed(cx));
        let room = self.capacity - self.bytes.len();
        let empty = bufs.clone().all(<[u8]>::is_empty);
        if room == 0 && !empty && !self.closed {
            after.keep(&mut self.writer, cx);
            pending(WaitKind::DuplexWrite, self.address(), self.place);
            return Poll::Pending;
        }
        unit.made_progress();
        if self.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut left = room;
        for buf in bufs {
            let amount = left.min(buf.len());
            self.bytes.extend(&buf[..amount]);
            left -= amount;
        }
        if left < room {
            after.wake = self.reader.take();
        }
        Poll::Ready(Ok(room - left))
    }
}

impl AsyncRead for SimplexStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut after = After::default();
        let answer = self.get_mut().poll_read_then(cx, buf, &mut after);
        after.run();
        answer
    }
}

impl AsyncWrite for SimplexStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut after = After::default();
        let answer = self.get_mut().poll_write_then(cx, [buf].into_iter(), &mut after);
        after.run();
        answer
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut after = After::default();
        let bufs = bufs.iter().map(|buf| &**buf);
        let answer = self.get_mut().poll_write_then(cx, bufs, &mut after);
        after.run();
        answer
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(reader) = self.get_mut().close_write() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}

/// One end of a pipe in both directions, from [`duplex`]. Dropping it, or shutting it down, ends
/// the stream that the other end reads; once it is dropped, the other end's writes fail.
#[derive(Debug)]
pub struct DuplexStream {
    read: Arc<Mutex<SimplexStream>>,
    write: Arc<Mutex<SimplexStream>>,
}

/// Makes two ends of a connection in memory. Each direction holds at most `max_buf_size` bytes;
/// a write waits for room.
///
/// # Panics
/// Where `max_buf_size` is 0.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::{AsyncReadExt, AsyncWriteExt, duplex};
/// let (mut client, mut server) = duplex(64);
/// client.write_all(b"ping").await?;
/// let mut request = [0; 4];
/// server.read_exact(&mut request).await?;
/// assert_eq!(&request, b"ping");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let one = Arc::new(Mutex::new(SimplexStream::new_unsplit(max_buf_size)));
    let two = Arc::new(Mutex::new(SimplexStream::new_unsplit(max_buf_size)));
    (DuplexStream { read: one.clone(), write: two.clone() }, DuplexStream { read: two, write: one })
}

impl AsyncRead for DuplexStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut after = After::default();
        let answer = self.read.lock().poll_read_then(cx, buf, &mut after);
        after.run();
        answer
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut after = After::default();
        let answer = self.write.lock().poll_write_then(cx, [buf].into_iter(), &mut after);
        after.run();
        answer
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut after = After::default();
        let bufs = bufs.iter().map(|buf| &**buf);
        let answer = self.write.lock().poll_write_then(cx, bufs, &mut after);
        after.run();
        answer
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let reader = self.write.lock().close_write();
        if let Some(reader) = reader {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        let reader = self.write.lock().close_write();
        let writer = self.read.lock().close_read();
        let mut wakers = Wakers::new();
        reader.into_iter().chain(writer).for_each(|waker| wakers.push(waker));
        wakers.wake_all();
    }
}
