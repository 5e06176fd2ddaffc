//! Asks a thread for its registers and its stack by a signal. The protocol is `request.rs`.
//!
//! The handler copies, and nothing else; the asker waits 50 ms at most. A thread in an
//! uninterruptible wait (a disk that does not answer) gets the signal later, and finds that the
//! request was withdrawn.

#![allow(unsafe_code)]

use crate::request::{Request, Ticket};
// The type that `sys` fills, also in a build that counts writes.
use core::sync::atomic::AtomicU64;
use shinkan_base::atomics::plain::{AtomicUsize, Ordering};
use shinkan_sys::interrupt::{self, Interruption, Registers};
use shinkan_sys::kernel_side::{self, At};
use shinkan_sys::{clock, park::Parker, stdio};
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What of a stack is copied: enough for the frames from the innermost to a task's poll, but for
/// frames that hold large arrays.
const STACK_WORDS: usize = 64 * 1024 / 8;

/// A request that is not answered by then is withdrawn.
const PATIENCE: Duration = Duration::from_millis(50);

/// Between two looks for the answer, which takes some microseconds from a thread that runs.
const PAUSE: Duration = Duration::from_micros(100);

/// Several, since a handler that was stopped while it writes keeps its own. When none is left,
/// nobody is asked any more.
static SLOTS: [Slot; 4] = [const { Slot::const_new() }; 4];

/// In the word that comes with the signal: it is one of ours. Who else sends this signal does not
/// say so.
const TAG: u64 = 0x5348 << 48;
const TAG_BITS: u64 = 0xffff << 48;

struct Slot {
    request: Request,
    // Written by the handler and read by the asker, as the request says. Atomics, so that even a
    // wrong protocol would only mix two copies up.
    /// Of the stack that the thread is known to have, start and end. Written by the asker before it
    /// asks.
    bounds: [AtomicU64; 2],
    registers: [AtomicU64; 4],
    bytes: AtomicUsize,
    stack: [AtomicU64; STACK_WORDS],
}

/// Which signal is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// A real-time signal that nobody handles when the first stack is taken.
    #[default]
    Free,
    /// This one. Who handles it gets what is not ours.
    Number(i32),
    /// None: only threads that wait in the kernel can be asked about.
    Off,
}

/// Registers and stack of a thread at one moment.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) registers: Registers,
    /// From `registers.sp` on.
    pub(crate) stack: Vec<u64>,
}

impl Slot {
    const fn const_new() -> Self {
        Self {
            request: Request::const_new(),
            bounds: [const { AtomicU64::new(0) }; 2],
            registers: [const { AtomicU64::new(0) }; 4],
            bytes: AtomicUsize::new(0),
            stack: [const { AtomicU64::new(0) }; STACK_WORDS],
        }
    }

    /// The next request; nothing while a handler still has the slot.
    fn ask(&self, bounds: [u64; 2]) -> Option<Ticket> {
        self.request.ask_with(|| {
            for (to, bound) in self.bounds.iter().zip(bounds) {
                to.store(bound, Ordering::Relaxed);
            }
        })
    }

    /// By the handler, while the slot is its own. Plain stores, and one system call that reads the
    /// stack and cannot fault.
    fn fill(&self, interruption: &Interruption<'_>) {
        let Registers { ip, sp, fp, lr } = interruption.registers();
        for (to, value) in self.registers.iter().zip([ip, sp, fp, lr]) {
            to.store(value, Ordering::Relaxed);
        }
        let [start, end] = &self.bounds;
        let stack = start.load(Ordering::Relaxed)..end.load(Ordering::Relaxed);
        self.bytes.store(interruption.copy_stack(&stack, &self.stack), Ordering::Relaxed);
    }

    /// Leaves nothing: a stack may hold keys, and the slots are never given back.
    fn read(&self) -> Copied {
        let take = |word: &AtomicU64| {
            let value = word.load(Ordering::Relaxed);
            word.store(0, Ordering::Relaxed);
            value
        };
        let register = |at: usize| take(&self.registers[at]);
        let registers =
            Registers { ip: register(0), sp: register(1), fp: register(2), lr: register(3) };
        let words = self.bytes.load(Ordering::Relaxed) / 8;
        let stack = self.stack[..words].iter().map(take).collect();
        Copied { registers, stack }
    }
}

/// What the signal calls. Safe in a handler, line by line: `word` reads the kernel's record and
/// calls getpid(2); the tag and the index are arithmetic, and `get` checks the index instead of
/// panicking; `serve` is one compare-and-exchange, `fill`, and one store. Nothing allocates, locks
/// or panics. Errno is kept by the caller, `sys::interrupt`.
fn handle(interruption: &Interruption<'_>) -> bool {
    let Some(word) = interruption.word() else { return false };
    if word & TAG_BITS != TAG {
        return false;
    }
    if let Some(slot) = SLOTS.get((word & 0xff) as usize) {
        let ticket = Ticket::from_u64((word & !TAG_BITS) >> 8);
        // One that was withdrawn is ours, too, and is nobody else's.
        slot.request.serve(ticket, || slot.fill(interruption));
    }
    true
}

/// The signal that is used; nothing where none is to be had.
fn number(which: Signal) -> Option<i32> {
    static NUMBER: OnceLock<Option<i32>> = OnceLock::new();
    let install = || {
        let number = match which {
            Signal::Off => return None,
            Signal::Free => interrupt::free()?,
            Signal::Number(number) => number,
        };
        // SAFETY:
        // - `handle` is safe in a handler: its own comment goes through it.
        let installed = unsafe { interrupt::install(number, handle) };
        if let Err(error) = &installed {
            stdio::warn(&format!("shinkan: signal {number} is not used for stacks: {error}\n"));
        }
        installed.ok().map(|()| number)
    };
    if which == Signal::Off {
        return None;
    }
    // Who replaced our handler meanwhile would get what we send.
    NUMBER.get_or_init(install).filter(|number| interrupt::is_ours(*number))
}

/// Where the thread is, by its own word; nothing where it does not answer, or is not any more where
/// it was `seen`: that must not be a call that a signal ends. `stack` is where its stack lies.
pub(crate) fn ask(thread: i32, seen: At, stack: &Range<u64>, which: Signal) -> Option<Copied> {
    static ONE_ASKER: Mutex<()> = Mutex::new(());
    let number = number(which)?;
    if kernel_side::blocks(thread, number)? {
        return None;
    }
    let _one = ONE_ASKER.lock().unwrap_or_else(PoisonError::into_inner);
    // As late as can be: what comes between this and the signal may be a call that it ends.
    if kernel_side::at(thread)? != seen {
        return None;
    }
    let bounds = [stack.start, stack.end];
    let (index, slot, ticket) = SLOTS
        .iter()
        .enumerate()
        .find_map(|(index, slot)| Some((index, slot, slot.ask(bounds)?)))?;
    let word = TAG | ticket.as_u64() << 8 | index as u64;
    let sent = interrupt::send(thread, number, word).is_ok();
    let until = clock::now() + PATIENCE;
    let mut parker = Parker::new();
    while sent && !slot.request.is_done(ticket) && clock::now() < until {
        parker.park_timeout(PAUSE);
    }
    // Where it cannot be withdrawn the handler has begun, and is done or keeps the slot.
    if slot.request.withdraw(ticket) || !slot.request.is_done(ticket) {
        return None;
    }
    Some(slot.read())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_was_read_is_empty() {
        static SLOT: Slot = Slot::const_new();
        SLOT.bytes.store(16, Ordering::Relaxed);
        for (nth, word) in SLOT.stack[..2].iter().enumerate() {
            word.store(7 + nth as u64, Ordering::Relaxed);
        }
        SLOT.registers[1].store(5, Ordering::Relaxed);
        let copied = SLOT.read();
        assert_eq!((copied.stack, copied.registers.sp), (vec![7, 8], 5));
        let all = SLOT.stack.iter().chain(&SLOT.registers);
        assert!(all.map(|word| word.load(Ordering::Relaxed)).all(|word| word == 0));
    }
}
