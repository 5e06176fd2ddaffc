//! The thread that reads standard input, one for the process, and those who wait for it.
//!
//! A read of a terminal or pipe can't be given up, so it runs on a thread that no runtime waits
//! for. It reads only when somebody asks, and takes no more than was asked for: the rest stays in
//! the standard library's buffer, where `std::io::stdin` finds it, or in the kernel.
//!
//! ```text
//! row  asked  got    the thread             a reader that finds this
//!  1    0     none   waits (or is not yet)  asks: row 2
//!  2    n     none   reads up to n bytes    asks for more if it wants more, and waits
//!  3    0     some   waits                  takes it; what it has no room for stays
//! (1) ask 1→2, wakes the thread   (2) deliver 2→3, wakes all readers   (3) take 3→3|1
//! ```
//!
//! All under one lock. `asked` is cleared by the delivery and not when the read begins: who asks
//! meanwhile is woken by that delivery and asks anew. What was read belongs to nobody until it is
//! taken, so a reader that is dropped, or its runtime, loses nothing.
//!
//! Rejected: a read in the blocking pool, as Tokio has it. A runtime then can't end before
//! somebody presses a key, and bytes that were read for a handle are lost with it.

use shinkan_base::wakers::Wakers;
use shinkan_driver::ops;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

// What a pipe holds. A longer read would come in pieces in most cases.
const READ_MAX: usize = 64 << 10;

/// What is known of standard input.
struct Input {
    asked: usize,
    got: Got,
    has_thread: bool,
    /// Readers that wait, by their numbers.
    waiting: Vec<(u64, Waker)>,
}

enum Got {
    None,
    /// Bytes, of which those before the number were taken.
    Bytes(Vec<u8>, usize),
    End,
    Error(io::Error),
}

static INPUT: Mutex<Input> =
    Mutex::new(Input { asked: 0, got: Got::None, has_thread: false, waiting: Vec::new() });
static ASKED: Condvar = Condvar::new();

/// What a reader gets.
pub(super) enum Taken {
    /// Nothing yet: the waker will be called.
    Waits,
    /// It got something, or the end, or an error.
    Done(io::Result<()>),
}

// No foreign code runs under the lock, so a poisoned one is whole.
fn lock() -> MutexGuard<'static, Input> {
    INPUT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes bytes for `reader` by `put`, which is given what there is and says how much it took; or
/// asks for up to `want` bytes, and calls `waker` when they are there.
pub(super) fn take(
    reader: u64,
    waker: Waker,
    want: usize,
    put: impl FnOnce(&[u8]) -> usize,
) -> Taken {
    let mut waker = Some(waker);
    let mut input = lock();
    if let Some(done) = input.got.take(put) {
        drop(input);
        return Taken::Done(done);
    }
    input.asked = input.asked.max(want.min(READ_MAX));
    match input.waiting.iter_mut().find(|(number, _)| *number == reader) {
        Some((_, old)) => core::mem::swap(old, waker.as_mut().expect("just wrapped")),
        None => input.waiting.extend(waker.take().map(|waker| (reader, waker))),
    }
    let starts = !core::mem::replace(&mut input.has_thread, true);
    drop(input);
    // What is left of `waker` is dropped after the lock.
    if !starts {
        ASKED.notify_one();
        return Taken::Waits;
    }
    match ops::spawn_thread("shinkan-stdin".to_owned(), None, read_for_ever) {
        Ok(_detached) => Taken::Waits,
        Err(error) => {
            // Others may wait by now for the thread that was not to be: each tries again, and gets
            // a thread or an error of its own.
            let mut input = lock();
            input.has_thread = false;
            let waiting = core::mem::take(&mut input.waiting);
            drop(input);
            for (_, waker) in waiting.into_iter().filter(|(number, _)| *number != reader) {
                waker.wake();
            }
            Taken::Done(Err(error))
        }
    }
}

/// The reader waits no more.
pub(super) fn forget(reader: u64) {
    let mut input = lock();
    let at = input.waiting.iter().position(|(number, _)| *number == reader);
    let waiter = at.map(|at| input.waiting.swap_remove(at));
    drop(input);
    drop(waiter);
}

impl Got {
    /// Gives out what there is; nothing where nothing is.
    fn take(&mut self, put: impl FnOnce(&[u8]) -> usize) -> Option<io::Result<()>> {
        match core::mem::replace(self, Got::None) {
            Got::None => None,
            Got::Bytes(bytes, from) => {
                let from = from + put(&bytes[from..]);
                if from < bytes.len() {
                    *self = Got::Bytes(bytes, from);
                }
                Some(Ok(()))
            }
            // Once: a terminal goes on after its end, and a pipe says so again.
            Got::End => Some(Ok(())),
            Got::Error(error) => Some(Err(error)),
        }
    }
}

/// The thread.
fn read_for_ever() {
    let mut buf = Vec::new();
    loop {
        let mut input = lock();
        while input.asked == 0 {
            input = ASKED.wait(input).unwrap_or_else(PoisonError::into_inner);
        }
        let len = input.asked;
        drop(input);
        if buf.len() < len {
            buf.resize(len, 0);
        }
        let got = match ops::read_stdin(&mut buf[..len]) {
            Ok(0) => Got::End,
            Ok(n) => Got::Bytes(buf[..n].to_vec(), 0),
            Err(error) => Got::Error(error),
        };
        deliver(got);
    }
}

fn deliver(got: Got) {
    let mut input = lock();
    input.asked = 0;
    input.got = got;
    let waiting = core::mem::take(&mut input.waiting);
    drop(input);
    let mut wakers = Wakers::new();
    waiting.into_iter().for_each(|(_, waker)| wakers.push(waker));
    // A waker's panic has no caller to tell here; the others are woken before it comes.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wakers.wake_all()));
}
