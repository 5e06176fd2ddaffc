//! Standard input as a reader.

use super::input::{self, Taken};
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::wait::WaitKind;
use shinkan_context::{self as context, budget};
use shinkan_driver::ops;
use shinkan_io::{AsyncRead, ReadBuf};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Standard input of the process. See [`stdin`].
pub struct Stdin {
    std: io::Stdin,
    number: u64,
    place: &'static Location<'static>,
}

/// Standard input of the process.
///
/// It is read by a thread of its own, of which there is one for the process, and only when
/// somebody asks. No runtime waits for that thread: one ends although nobody presses a key.
///
/// All handles share what was read: a read that is dropped loses nothing, and neither does a
/// handle or a runtime. If several read at once, each byte goes to one of them. Bytes come through
/// the buffer of [`std::io::stdin`], so both can be used in turn; while a read here waits,
/// one there waits for it.
///
/// For a dialogue with a person it is better to block a thread of one's own, on `std`'s: a program
/// can't tell a terminal's line apart from its pieces here.
///
/// # Examples
/// ```no_run
/// use shinkan::io::{AsyncBufReadExt, BufReader, stdin};
///
/// #[shinkan::main]
/// async fn main() -> std::io::Result<()> {
///     let mut lines = BufReader::new(stdin()).lines();
///     while let Some(line) = lines.next_line().await? {
///         println!("{} bytes", line.len());
///     }
///     Ok(())
/// }
/// ```
#[track_caller]
pub fn stdin() -> Stdin {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    Stdin { std: ops::stdin(), number, place: Location::caller() }
}

impl AsyncRead for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let resource = self.as_raw_fd() as usize;
        let Poll::Ready(unit) = budget::poll_proceed(cx) else {
            context::pending(WaitKind::Budget, resource, self.place);
            return Poll::Pending;
        };
        let want = buf.remaining();
        let put = |bytes: &[u8]| {
            let len = bytes.len().min(want);
            buf.put_slice(&bytes[..len]);
            len
        };
        match input::take(self.number, cx.waker().clone(), want, put) {
            Taken::Done(done) => {
                unit.made_progress();
                Poll::Ready(done)
            }
            Taken::Waits => {
                context::pending(WaitKind::Read, resource, self.place);
                Poll::Pending
            }
        }
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        input::forget(self.number);
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}
