//! `AsyncSeekExt`: what programs call on a stream with a position.

use crate::AsyncSeek;
use pin_project_lite::pin_project;
use std::future::Future;
use std::io::{self, SeekFrom};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Moves the position of a stream. Every [`AsyncSeek`] has these methods.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::{AsyncReadExt, AsyncSeekExt};
/// use std::io::{Cursor, SeekFrom};
///
/// let mut file = Cursor::new(b"abcdef");
/// assert_eq!(file.seek(SeekFrom::End(-2)).await?, 4);
/// assert_eq!(file.read_u8().await?, b'e');
/// # Ok(())
/// # }
/// ```
pub trait AsyncSeekExt: AsyncSeek {
    /// Moves to an offset in bytes and returns the new position from the start. An earlier move
    /// that was not waited for is completed first.
    ///
    /// # Errors
    /// What the stream answers, such as `InvalidInput` for a position before its start.
    ///
    /// # Cancel safety
    /// The position is not known after it.
    fn seek(&mut self, pos: SeekFrom) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        Seek { stream: self, target: Some(pos), _pin: PhantomPinned }
    }

    /// Moves to the start.
    ///
    /// # Errors
    /// As [`seek`](AsyncSeekExt::seek).
    ///
    /// # Cancel safety
    /// As [`seek`](AsyncSeekExt::seek).
    fn rewind(&mut self) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Start(0))
    }

    /// Returns the position in bytes from the start.
    ///
    /// # Errors
    /// As [`seek`](AsyncSeekExt::seek).
    ///
    /// # Cancel safety
    /// Nothing is lost.
    fn stream_position(&mut self) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Current(0))
    }
}

impl<S: AsyncSeek + ?Sized> AsyncSeekExt for S {}

pin_project! {
    /// The future of `AsyncSeekExt::seek`.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct Seek<'a, S: ?Sized> {
        stream: &'a mut S,
        // Until the move is begun.
        target: Option<SeekFrom>,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<S: AsyncSeek + Unpin + ?Sized> Future for Seek<'_, S> {
    type Output = io::Result<u64>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let me = self.project();
        let mut stream = Pin::new(&mut **me.stream);
        if let Some(target) = *me.target {
            ready!(stream.as_mut().poll_complete(cx))?;
            stream.as_mut().start_seek(target)?;
            *me.target = None;
        }
        stream.poll_complete(cx)
    }
}
