//! membarrier(2): a fence that one side pays for both.
//!
//! Two threads that each write a word and then read the other's need a full fence on both sides.
//! Where one side runs a million times more often, it uses [`light_fence`], which costs it
//! nothing, and the rare side uses [`heavy`], which makes every running thread of the process
//! pass a fence. Both must be asked with the same answer of [`supported`].

use core::sync::atomic::{AtomicU8, Ordering, compiler_fence, fence};
use rustix::thread::{MembarrierCommand, MembarrierQuery, membarrier, membarrier_query};

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

static SUPPORTED: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether the kernel has it. The first call registers the process. Constant after that.
#[inline]
pub fn supported() -> bool {
    match SUPPORTED.load(Ordering::Relaxed) {
        UNKNOWN => register_slow(),
        known => known == YES,
    }
}

#[cold]
fn register_slow() -> bool {
    let needed = MembarrierQuery::PRIVATE_EXPEDITED | MembarrierQuery::REGISTER_PRIVATE_EXPEDITED;
    let yes = membarrier_query().contains(needed)
        && membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
    // Two first calls may disagree only if the kernel does; the first answer counts for all.
    let mine = if yes { YES } else { NO };
    match SUPPORTED.compare_exchange(UNKNOWN, mine, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => yes,
        Err(first) => first == YES,
    }
}

/// The frequent side: nothing for the processor where `asymmetric` (the answer of
/// [`supported`]), else a full fence.
#[inline(always)]
pub fn light_fence(asymmetric: bool) {
    if asymmetric {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The rare side: every thread of the process that runs now passes a full fence. Some
/// microseconds. Where the kernel can't, a full fence of this thread, which [`light_fence`] meets.
pub fn heavy() {
    fence(Ordering::SeqCst);
    if supported() {
        // Registered, so it can't fail; if it did, a missed wake-up would be the price.
        membarrier(MembarrierCommand::PrivateExpedited)
            .expect("membarrier(2) failed after it was registered");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answer_stays() {
        let first = super::supported();
        super::heavy();
        assert_eq!(first, super::supported());
    }
}
