//! Which way a copy is taken, and what becomes of it.

use crate::image::Images;
use crate::names::Book;
use crate::signal::{self, Copied, Signal};
use crate::unwind::{UNKNOWN, Walk};
use shinkan_sys::interrupt::Registers;
use shinkan_sys::kernel_side::{self, At, Call};
use shinkan_sys::{maps, memory};
use std::cell::Cell;
use std::ops::Range;

/// What is copied of a stack that is read from outside.
const STACK_BYTES: usize = 256 * 1024;

/// A thread that does not answer in time may have no processor, or be on its way out of its wait.
const ATTEMPTS: usize = 4;

/// A copy of a thread's registers and its stack.
#[derive(Debug)]
pub struct Taken {
    copied: Copied,
    call: Option<Call>,
}

/// A function on a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its name, where the file has symbols.
    pub function: Option<String>,
    /// The source file, where there is debug information.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// The program or library, where no source file is known.
    pub object: Option<String>,
}

/// Copies what the thread of that number has on its stack now. Nothing where it has ended, does not
/// answer, or where the kernel forbids it. Takes some microseconds; where the thread gets no
/// processor, 200 ms at most.
///
/// `on_stack` is an address on the stack that it is on. No memory beyond that stack is read: it may
/// be another program's, a device's, or have a fault that somebody has to serve first.
///
/// The caller makes sure that the thread is the one that it means.
pub fn take(thread: i32, on_stack: usize, signal: Signal) -> Option<Taken> {
    let stack = maps::around(on_stack as u64).unwrap_or_default();
    // By itself where it does no harm, also if it waits: the frame pointer is then known.
    let mut asks = true;
    for _ in 0..ATTEMPTS {
        let at = kernel_side::at(thread)?;
        let (call, sp, ip) = match at {
            At::Call(call) => (Some(call), call.sp, call.ip),
            At::Elsewhere { sp, ip } => (None, sp, ip),
            At::Running => {
                if let Some(copied) = signal::ask(thread, at, &stack, signal) {
                    return Some(Taken { copied, call: None });
                }
                continue;
            }
        };
        if asks && call.is_some_and(|call| call.survives_a_signal()) {
            if let Some(copied) = signal::ask(thread, at, &stack, signal) {
                return Some(Taken { copied, call });
            }
            asks = false;
            continue;
        }
        let copied = from_outside(&stack, sp, ip);
        // It may have gone on while its stack was read, of which a part is then older.
        if kernel_side::at(thread)? == at {
            return Some(Taken { copied, call });
        }
    }
    None
}

fn from_outside(stack: &Range<u64>, sp: u64, ip: u64) -> Copied {
    // On another one: an alternative one for signals, a coroutine's, or the first one, which grows.
    let other = (!stack.contains(&sp)).then(|| maps::around(sp)).flatten();
    let left = memory::left_of(other.as_ref().unwrap_or(stack), sp);
    let mut bytes = vec![0; left.min(STACK_BYTES)];
    let read = memory::read(sp as usize, &mut bytes);
    let word = |chunk: &[u8]| u64::from_ne_bytes(chunk.try_into().expect("eight of them"));
    let stack = bytes[..read].chunks_exact(8).map(word).collect();
    Copied { registers: Registers { ip, sp, fp: UNKNOWN, lr: 0 }, stack }
}

impl Taken {
    /// The system call that the thread waits in; nothing where it waits in none.
    pub fn call(&self) -> Option<&Call> {
        self.call.as_ref()
    }

    /// The functions on the stack, the innermost first. Takes as long as [`Code::frames`] does the
    /// first time.
    pub fn frames(&self) -> Vec<Frame> {
        with_code(|code| code.frames(self).unwrap_or_default())
    }
}

/// What is known of the program's code, which serves for several stacks.
pub struct Code<'a> {
    book: Book<'a>,
    is_new: Cell<bool>,
}

/// Calls `f` with what is loaded now. Nothing of its files was read yet.
pub fn with_code<R>(f: impl FnOnce(&Code<'_>) -> R) -> R {
    let images = Images::now().unwrap_or_default();
    f(&Code { book: Book::of(&images), is_new: Cell::new(true) })
}

impl Code<'_> {
    /// The functions on a stack, the innermost first; nothing where other code was loaded since.
    /// Reads the program's own file and those of its libraries, each the first time that one of its
    /// functions is on a stack: that takes milliseconds, or a tenth of a second for large programs.
    pub fn frames(&self, taken: &Taken) -> Option<Vec<Frame>> {
        if !self.is_new.replace(false) && !self.book.images.are_current() {
            return None;
        }
        let mut frames = Vec::new();
        for address in Walk::new(&self.book, &taken.copied).addresses(&taken.copied) {
            self.book.describe(address, &mut frames);
        }
        Some(frames)
    }

    /// How many bytes of those files are in memory.
    pub fn bytes(&self) -> u64 {
        self.book.images.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shinkan_sys::threads;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    #[test]
    fn a_copy_from_outside_ends_with_the_mapping() {
        // Behind the program's code lies another part of it.
        let here = (from_outside as fn(&Range<u64>, u64, u64) -> Copied) as usize as u64;
        let code = maps::around(here).unwrap();
        assert!(maps::around(code.end).is_some(), "what follows can be read");
        for known in [0..0, code.clone()] {
            assert_eq!(from_outside(&known, code.end - 800, 0).stack.len(), 100);
        }
    }

    #[test]
    fn a_thread_that_is_asked_copies_no_more_than_its_stack() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            tell.send((threads::kernel_id(), threads::on_stack() as u64 & !7)).unwrap();
            while !STOP.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let (number, inner) = told.recv().unwrap();
        let all = maps::around(inner).unwrap();
        let asked = |stack: Range<u64>| loop {
            if let Some(copied) = signal::ask(number, At::Running, &stack, Signal::Free) {
                break copied;
            }
            threads::yield_now();
        };
        // As if the stack ended with a function in its middle.
        let end = inner + 4096;
        let Copied { registers, stack } = asked(all.start..end);
        assert_eq!(registers.sp + 8 * stack.len() as u64, end);
        // As if it were another one.
        let Copied { registers, stack } = asked(0..0);
        assert_eq!((registers.sp + 8 * stack.len() as u64) % 4096, 0);
        assert!(stack.len() <= 512);
        STOP.store(true, Ordering::Relaxed);
        thread.join().unwrap();
    }
}
