//! From a copy of registers and stack to the addresses of the calls.
//!
//! Where the registers come from proc(5), the frame pointer is not among them: it matters to
//! functions that find their frame by it alone, as those of the standard library do. It is then
//! looked for in the copy: it points at a pair of saved frame pointer and return address, the latter
//! stands behind a call, and where that call says whom it calls, it calls the function that needs
//! the frame pointer.

use crate::arch::{self, Call, LONGEST};
use crate::image::Section;
use crate::names::Book;
use crate::signal::Copied;
use framehop::{
    CacheNative, FrameAddress, MayAllocateDuringUnwind, UnwindRegsNative, Unwinder, UnwinderNative,
};
use shinkan_sys::memory;

/// More than any stack of sense has.
const FRAMES_MAX: usize = 512;

/// In place of a frame pointer that is not known. No frame lies there, and it is not 0, which says
/// that the stack ends.
pub(crate) const UNKNOWN: u64 = 1;

/// Pairs that are tried where no call says whom it calls.
const GUESSES_MAX: usize = 8;

type Cache = CacheNative<MayAllocateDuringUnwind>;

/// Walks one copy.
pub(crate) struct Walk<'a, 'b> {
    book: &'a Book<'b>,
    stack: &'a [u64],
    /// The address of its first word.
    base: u64,
    unwinder: UnwinderNative<Section, MayAllocateDuringUnwind>,
    /// Starts of the images that the unwinder knows.
    known: Vec<u64>,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// At the function with which the thread starts.
    Start,
    /// Where the copy does, or where nothing tells the next frame.
    Lost,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(crate) fn new(book: &'a Book<'b>, copied: &'a Copied) -> Self {
        let (stack, base) = (&copied.stack[..], copied.registers.sp);
        Self { book, stack, base, unwinder: UnwinderNative::new(), known: Vec::new() }
    }

    /// The addresses to look names up for, the innermost first.
    pub(crate) fn addresses(mut self, copied: &Copied) -> Vec<u64> {
        let first = FrameAddress::InstructionPointer(copied.registers.ip);
        let mut found = vec![copied.registers.ip];
        let mut registers = arch::start(&copied.registers);
        let (address, end) = self.walk(first, &mut registers, &mut found);
        if end == End::Lost && arch::fp(&registers) == UNKNOWN {
            self.with_guesses(address, registers, &mut found);
        }
        found
    }

    /// Walks until it ends. The last frame, which it could not leave.
    fn walk(
        &mut self,
        first: FrameAddress,
        registers: &mut UnwindRegsNative,
        found: &mut Vec<u64>,
    ) -> (FrameAddress, End) {
        let mut cache = Cache::new();
        let mut address = first;
        while found.len() < FRAMES_MAX {
            self.learn(address.address_for_lookup());
            let (stack, base) = (self.stack, self.base);
            let mut read = |at: u64| {
                let word = (at.checked_sub(base).ok_or(())? / 8) as usize;
                stack.get(word).copied().ok_or(())
            };
            let mut next = *registers;
            match self.unwinder.unwind_frame(address, &mut next, &mut cache, &mut read) {
                Ok(Some(returns_to)) => {
                    let Some(caller) = FrameAddress::from_return_address(returns_to) else {
                        return (address, End::Start);
                    };
                    if self.book.images.of(caller.address_for_lookup()).is_none() {
                        return (address, End::Lost);
                    }
                    found.push(caller.address_for_lookup());
                    (address, *registers) = (caller, next);
                }
                Ok(None) => return (address, End::Start),
                Err(_) => return (address, End::Lost),
            }
        }
        (address, End::Lost)
    }

    /// Goes on from a frame whose frame pointer is not known: with the pair whose call calls its
    /// function, else with the first from which a walk ends at the thread's start.
    fn with_guesses(
        &mut self,
        address: FrameAddress,
        registers: UnwindRegsNative,
        found: &mut Vec<u64>,
    ) {
        let function = self.book.function_start(address.address_for_lookup());
        let mut calls = self.calls(arch::sp(&registers));
        // The one that is certain comes first.
        calls.sort_by_key(|(_, target)| function.is_none() || *target != function);
        let mut best: Vec<u64> = Vec::new();
        for (pair, target) in calls.into_iter().take(GUESSES_MAX) {
            let mut registers = registers;
            arch::set_fp(&mut registers, pair);
            let mut more = Vec::new();
            let (_, end) = self.walk(address, &mut registers, &mut more);
            let is_certain = function.is_some() && target == function;
            if end == End::Start || is_certain && !more.is_empty() {
                best = more;
                break;
            }
        }
        found.append(&mut best);
    }

    /// The addresses of all pairs in the copy from `sp` on whose second word is behind a call, and
    /// whom that calls.
    fn calls(&self, sp: u64) -> Vec<(u64, Option<u64>)> {
        let first = (sp.saturating_sub(self.base) / 8) as usize;
        let words = self.stack.iter().enumerate().skip(first + 1);
        let pair = |(at, word): (usize, &u64)| {
            let pair = self.base + 8 * (at as u64 - 1);
            Some((pair, self.call_before(*word)?))
        };
        words.filter_map(pair).collect()
    }

    /// Whom the call in front of this address calls; nothing if there is none in front.
    fn call_before(&self, address: u64) -> Option<Option<u64>> {
        self.book.images.of(address)?;
        let mut code = [0; LONGEST];
        let start = address.checked_sub(LONGEST as u64)? as usize;
        (memory::read(start, &mut code) == LONGEST).then_some(())?;
        match arch::call(&code, address)? {
            Call::Of(target) => Some(Some(target)),
            Call::Through(pointer) => {
                let mut target = [0; 8];
                let all = memory::read(pointer as usize, &mut target) == 8;
                Some(all.then(|| u64::from_le_bytes(target)))
            }
            Call::Unknown => Some(None),
        }
    }

    /// Tells the unwinder of the file at that address.
    fn learn(&mut self, address: u64) {
        if let Some((_, image)) = self.book.images.of(address)
            && !self.known.contains(&image.mapping.start)
        {
            self.known.push(image.mapping.start);
            if let Some(module) = image.module() {
                self.unwinder.add_module(module);
            }
        }
    }
}
