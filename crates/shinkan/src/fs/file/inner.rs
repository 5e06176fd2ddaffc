//! What a file is doing: at most one operation at a time, on a thread of the pool.
//!
//! | state   | the buffer                 | the file's position is moved by |
//! |---------|----------------------------|---------------------------------|
//! | `Idle`  | here; may hold bytes read  | whoever has the `File`          |
//! | `Busy`  | with the operation         | the operation                   |
//! | `Ended` | here; empty                | whoever has the `File`          |
//!
//! (1) `start` Idle→Busy (2) `poll_done` Busy→Idle, with what the operation gave (3) `ended`
//! Idle→Ended, for what needed no thread (4) `poll_done` Ended→Idle. A future that is dropped while
//! it waits leaves Busy or Ended, and whoever comes next finishes it: so nothing is lost. What is
//! refused, or panics, leaves Idle with an empty buffer.

use super::at_once::AtOnce;
use super::buf::Buf;
use crate::fs::pool;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget::{self, RestoreOnPending};
use shinkan_io::ReadBuf;
use shinkan_rt::AtTheEnd;
use shinkan_task::JoinHandle;
use std::fs;
use std::io;
use std::mem::take;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A read at once takes one unit of budget more for each of these: at the speed of a copy of what is
/// in no cache, a task's turn ends after about a millisecond.
const BYTES_A_UNIT: usize = 32 << 10;

/// What a wait record says of a file.
#[derive(Clone, Copy)]
pub(super) struct Leaf {
    pub(super) resource: usize,
    pub(super) place: &'static Location<'static>,
}

impl Leaf {
    /// Takes one unit of budget.
    #[inline]
    fn proceed(self, cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
        let unit = budget::poll_proceed(cx);
        if unit.is_pending() {
            shinkan_context::pending(WaitKind::Budget, self.resource, self.place);
        }
        unit
    }
}

/// What an operation gave.
pub(super) enum Done {
    Read(io::Result<()>),
    Write(io::Result<()>),
    Seek(io::Result<u64>),
    Other(io::Result<()>),
}

enum State {
    Idle(Buf),
    Busy(JoinHandle<(Done, Buf)>),
    Ended(Done, Buf),
}

pub(super) struct Inner {
    state: State,
    /// Of a write that was answered before it failed; the next write or flush says so.
    write_error: Option<io::Error>,
    /// Where the last seek led.
    pub(super) position: u64,
    pub(super) at_once: AtOnce,
}

impl Inner {
    pub(super) fn new(at_once: AtOnce) -> Self {
        Self { state: State::Idle(Buf::default()), write_error: None, position: 0, at_once }
    }

    /// The buffer, where there is no operation.
    #[inline]
    pub(super) fn idle(&mut self) -> Option<&mut Buf> {
        match &mut self.state {
            State::Idle(buf) => Some(buf),
            State::Busy(_) | State::Ended(..) => None,
        }
    }

    /// Begins an operation; there is none.
    ///
    /// # Errors
    /// No thread will do it.
    pub(super) fn start(
        &mut self,
        file: &Arc<fs::File>,
        at_the_end: AtTheEnd,
        f: impl FnOnce(&fs::File, &mut Buf) -> Done + Send + 'static,
    ) -> io::Result<()> {
        let mut buf = self.idle().map(take).expect("one operation at a time");
        let file = file.clone();
        let operation = move || {
            let done = f(&file, &mut buf);
            // Before the file's user hears of the end, who may want to be its only owner then.
            drop(file);
            (done, buf)
        };
        self.state = State::Busy(pool::start(operation, at_the_end)?);
        Ok(())
    }

    /// Leaves what was done without a thread for `poll_done`.
    pub(super) fn ended(&mut self, done: Done) {
        let buf = self.idle().map(take).expect("one operation at a time");
        self.state = State::Ended(done, buf);
    }

    /// Waits for the operation and says what it gave; there may be none.
    ///
    /// # Errors
    /// It was not done, or panicked.
    pub(super) fn poll_done(
        &mut self,
        cx: &mut Context<'_>,
        leaf: Leaf,
    ) -> Poll<io::Result<Option<Done>>> {
        let ended = match &mut self.state {
            State::Idle(_) => return Poll::Ready(Ok(None)),
            State::Busy(task) => {
                ready!(task.poll_as(cx, WaitKind::Blocking, leaf.resource, leaf.place))
            }
            State::Ended(done, buf) => {
                ready!(leaf.proceed(cx)).made_progress();
                Ok((std::mem::replace(done, Done::Other(Ok(()))), take(buf)))
            }
        };
        let Ok((done, buf)) = ended else {
            self.state = State::Idle(Buf::default());
            return Poll::Ready(Err(pool::failed()));
        };
        self.state = State::Idle(buf);
        if let Done::Seek(Ok(position)) = done {
            self.position = position;
        }
        Poll::Ready(Ok(Some(done)))
    }

    /// Keeps what has to be told later of an operation that nobody waits for any more.
    pub(super) fn settle(&mut self, done: Option<Done>) {
        if let Some(Done::Write(Err(error))) = done {
            self.write_error.get_or_insert(error);
        }
    }

    /// Waits until there is no operation; the error of a write is kept for later.
    pub(super) fn poll_settled(&mut self, cx: &mut Context<'_>, leaf: Leaf) -> Poll<()> {
        // Not done, it was no write: those are done in any case.
        if let Ok(done) = ready!(self.poll_done(cx, leaf)) {
            self.settle(done);
        }
        Poll::Ready(())
    }

    /// Waits until there is no operation; the error of a write is told.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, leaf: Leaf) -> Poll<io::Result<()>> {
        if let Some(error) = self.write_error.take() {
            return Poll::Ready(Err(error));
        }
        match ready!(self.poll_done(cx, leaf))? {
            Some(Done::Write(written)) => Poll::Ready(written),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Reads into `dst` without a thread, where there is no operation. False: a thread has to.
    #[inline]
    pub(super) fn poll_read_at_once(
        &mut self,
        cx: &mut Context<'_>,
        leaf: Leaf,
        file: &fs::File,
        dst: &mut ReadBuf<'_>,
        limit: usize,
    ) -> Poll<bool> {
        // Outside a runtime a read is a mistake, and should be one each time.
        if self.at_once == AtOnce::No || shinkan_rt::with_current(|_| ()).is_err() {
            return Poll::Ready(false);
        }
        let unit = ready!(leaf.proceed(cx));
        let before = dst.filled().len();
        let read = self.at_once.read(file, dst, limit);
        if read {
            unit.made_progress();
            budget::spend((dst.filled().len() - before) / BYTES_A_UNIT);
        }
        Poll::Ready(read)
    }
}
