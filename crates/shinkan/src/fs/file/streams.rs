//! The file as a stream: reading, writing and seeking.

use super::File;
use super::at_once::AtOnce;
use super::buf::Buf;
use super::inner::Done;
use shinkan_driver::files;
use shinkan_io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use shinkan_rt::AtTheEnd;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

impl AsyncRead for File {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        dst: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let leaf = this.leaf();
        let inner = this.inner.get_mut();
        loop {
            if let Some(buf) = inner.idle() {
                if !buf.is_empty() || dst.remaining() == 0 {
                    buf.copy_to(dst);
                    return Poll::Ready(Ok(()));
                }
                let limit = this.max_buf_size;
                if ready!(inner.poll_read_at_once(cx, leaf, &this.std, dst, limit)) {
                    return Poll::Ready(Ok(()));
                }
                let room = dst.remaining().min(limit);
                let read = move |file: &_, buf: &mut Buf| Done::Read(buf.read(file, room));
                inner.start(&this.std, AtTheEnd::Cancel, read)?;
            }
            match ready!(inner.poll_done(cx, leaf))? {
                Some(Done::Read(Ok(()))) => {
                    if let Some(buf) = inner.idle() {
                        buf.copy_to(dst);
                    }
                    return Poll::Ready(Ok(()));
                }
                Some(Done::Read(Err(error))) => return Poll::Ready(Err(error)),
                other => inner.settle(other),
            }
        }
    }
}

impl AsyncSeek for File {
    fn start_seek(self: Pin<&mut Self>, mut to: SeekFrom) -> io::Result<()> {
        let this = self.get_mut();
        let inner = this.inner.get_mut();
        let Some(buf) = inner.idle() else {
            return Err(io::Error::other(
                "another operation of this file is under way: call `poll_complete` before \
                 `start_seek`",
            ));
        };
        let mut back = buf.discard();
        if let SeekFrom::Current(offset) = to {
            // One call for both, unless their sum is no offset.
            if let Some(sum) = offset.checked_add(back) {
                (to, back) = (SeekFrom::Current(sum), 0);
            }
        } else {
            back = 0;
        }
        let seek = move |file: &_, _: &mut Buf| {
            Done::Seek(rewind(file, back).and_then(|()| files::seek(file, to)))
        };
        if inner.at_once == AtOnce::Yes {
            let done = seek(&this.std, &mut Buf::default());
            inner.ended(done);
            return Ok(());
        }
        inner.start(&this.std, AtTheEnd::Cancel, seek)
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let this = self.get_mut();
        let leaf = this.leaf();
        let inner = this.inner.get_mut();
        match ready!(inner.poll_done(cx, leaf))? {
            Some(Done::Seek(position)) => Poll::Ready(position),
            other => {
                inner.settle(other);
                Poll::Ready(Ok(inner.position))
            }
        }
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        src: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(src)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        src: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let leaf = this.leaf();
        let inner = this.inner.get_mut();
        ready!(inner.poll_flush(cx, leaf))?;
        let Some(buf) = inner.idle() else { unreachable!("a flushed file has no operation") };
        if src.iter().all(|part| part.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let back = buf.discard();
        let taken = buf.take_from(src, this.max_buf_size);
        let write = move |file: &_, buf: &mut Buf| {
            let written = rewind(file, back).and_then(|()| buf.write(file));
            // Where some of it is left, it is lost, and nothing that was read.
            buf.discard();
            Done::Write(written)
        };
        // It is answered now, so it is done also where the runtime ends before.
        inner.start(&this.std, AtTheEnd::Run, write)?;
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let leaf = this.leaf();
        this.inner.get_mut().poll_flush(cx, leaf)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// Takes the file's position back to where its user is.
pub(super) fn rewind(file: &std::fs::File, back: i64) -> io::Result<()> {
    if back != 0 {
        files::seek(file, SeekFrom::Current(back))?;
    }
    Ok(())
}
