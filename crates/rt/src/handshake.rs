//! The handshake by which a worker's core can be taken from it. See `HANDSHAKE.md` beside this
//! file for the argument; `models/tests/handshake_*.rs` walks its interleavings.
//!
//! A [`Seat`] is one thread's tenure of one core. It is made when a thread takes a core over and
//! is never used for a second tenure, so that a thread that lost its core can go on writing to
//! its seat without touching its successor's. Never calls user code, never blocks.

use core::sync::atomic::compiler_fence;
use shinkan_base::atomics::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use shinkan_base::canary;

/// ```text
/// row  state    inside  want         the core belongs to
///  1   HELD     0       QUIET        nobody's hands: its tenant is in user code
///  2   HELD     1       QUIET        the tenant, which is inside
///  3   HELD     0       ASKED        nobody's hands: the monitor is about to decide
///  4   HELD     1       ASKED        the tenant, inside since before `want`; else nobody yet
///  5   CLAIMED  1       any          the tenant, which saw `want` and won the exchange
///  6   TAKEN    any     ASKED, OVER  whoever took it; the tenant finds out when it next enters
///
/// (1) enter         1→2       (2) leave        2→1, 4→3, 5→3|1
/// (3) ask           1→3, 2→4  (4) give up      3→1, 4→2 (exchange ASKED→QUIET)
/// (5) take          3→6 (exchange HELD→TAKEN)
/// (6) enter_slow    4→5 (exchange HELD→CLAIMED), or 6: Gone
/// (7) surrender     2|4|5→6
/// ```
#[derive(Debug)]
pub struct Seat {
    /// Set by the tenant while it may touch the core.
    inside: AtomicBool,
    /// `ASKED` by the monitor while it means to take the core; `OVER` once the tenure is, for ever.
    want: AtomicU32,
    state: AtomicU32,
    /// Odd while the tenant runs user code; the monitor samples it.
    sequence: AtomicU64,
    /// The kernel can fence all threads at once, so the tenant's side needs no fence.
    asymmetric: bool,
}

const QUIET: u32 = 0;
const ASKED: u32 = 1;
const OVER: u32 = 2;

const HELD: u32 = 0;
const CLAIMED: u32 = 1;
const TAKEN: u32 = 2;

impl Seat {
    /// A tenure that starts inside. `asymmetric` says that [`Seat::try_take`] will be called with
    /// a fence that reaches every thread of the process.
    pub fn new(asymmetric: bool) -> Self {
        Self {
            inside: AtomicBool::new(true),
            want: AtomicU32::new(QUIET),
            state: AtomicU32::new(HELD),
            sequence: AtomicU64::new(0),
            asymmetric,
        }
    }

    /// Goes inside: the core is the tenant's until [`Seat::leave`]. False: it is gone for good.
    #[inline]
    #[must_use]
    pub fn enter(&self) -> bool {
        debug_assert!(!self.inside.load(Ordering::Relaxed), "entered twice");
        if canary("handshake_step_swapped") {
            let wanted = self.want.load(Ordering::Relaxed) != QUIET;
            self.inside.store(true, Ordering::Relaxed);
            self.light_fence();
            return if wanted { self.enter_slow() } else { true };
        }
        self.inside.store(true, Ordering::Relaxed);
        self.light_fence();
        // Acquire: with the successor's word that it took the core comes nothing that we read;
        // it is here for the pair (leave, take) when a tenant re-enters after a give-up.
        if self.want.load(Ordering::Acquire) == QUIET { true } else { self.enter_slow() }
    }

    #[cold]
    fn enter_slow(&self) -> bool {
        if canary("handshake_no_recheck") {
            return true;
        }
        match self.state.compare_exchange(HELD, CLAIMED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(state) => {
                debug_assert_eq!(state, TAKEN);
                self.inside.store(false, Ordering::Relaxed);
                false
            }
        }
    }

    /// Goes outside: what the tenant did to the core is visible to whoever takes it.
    #[inline]
    pub fn leave(&self) {
        debug_assert!(self.inside.load(Ordering::Relaxed), "left twice");
        if self.state.load(Ordering::Relaxed) == CLAIMED {
            self.state.store(HELD, Ordering::Release);
        }
        let order =
            if canary("handshake_weak_leave") { Ordering::Relaxed } else { Ordering::Release };
        self.inside.store(false, order);
    }

    /// The tenant, inside, gives the core away for good.
    pub fn surrender(&self) {
        debug_assert!(self.inside.load(Ordering::Relaxed), "surrendered from outside");
        // The monitor may have asked meanwhile, and be about to give up: it takes back its own
        // ASKED alone, so that this tenant finds out at its next `enter`.
        if canary("handshake_want_taken_back") {
            self.want.store(ASKED, Ordering::Relaxed);
        } else {
            // An exchange, as the monitor's are: it has its place in the one order of this word.
            self.want.swap(OVER, Ordering::AcqRel);
        }
        self.state.store(TAKEN, Ordering::Release);
        self.inside.store(false, Ordering::Release);
    }

    /// Whether this tenure is over.
    pub fn is_gone(&self) -> bool {
        self.state.load(Ordering::Acquire) == TAKEN
    }

    /// User code starts or ends. One store; the monitor reads no more than its parity and
    /// whether it moved.
    #[inline]
    pub fn bump(&self) {
        let next = self.sequence.load(Ordering::Relaxed).wrapping_add(1);
        self.sequence.store(next, Ordering::Relaxed);
    }

    /// What the monitor samples: odd while user code runs.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// The monitor tries to take the core from a tenant that it saw in user code at `sequence`.
    /// True: the core is the caller's, and the tenure is over. One monitor at a time.
    ///
    /// `heavy_fence` is membarrier(2)'s where the seat is asymmetric, else a SeqCst fence.
    #[must_use]
    pub fn try_take(&self, sequence: u64, heavy_fence: impl FnOnce()) -> bool {
        if sequence.is_multiple_of(2) || self.state.load(Ordering::Relaxed) == TAKEN {
            return false;
        }
        if self.want.compare_exchange(QUIET, ASKED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        heavy_fence();
        let outside = !self.inside.load(Ordering::Acquire) || canary("handshake_blind_take");
        let taken = outside
            && self.sequence.load(Ordering::Relaxed) == sequence
            && self
                .state
                .compare_exchange(HELD, TAKEN, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        if taken {
            self.want.store(OVER, Ordering::Relaxed);
        } else {
            // Not where the tenant has surrendered in between.
            let _ = self.want.compare_exchange(ASKED, QUIET, Ordering::Release, Ordering::Relaxed);
        }
        taken
    }

    #[inline(always)]
    fn light_fence(&self) {
        if self.asymmetric {
            compiler_fence(Ordering::SeqCst);
        } else if !canary("handshake_no_fence") {
            fence(Ordering::SeqCst);
        }
    }
}
