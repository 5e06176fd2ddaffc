//! The handshake by which a worker's core can be taken from it. See `HANDSHAKE.md` beside this
//! file for the argument; `models/tests/handshake_*.rs` walks its interleavings.
//!
//! A [`Seat`] is one thread's tenure of one core. It is made when a thread takes a core over and
//! is never used for a second tenure, so that a thread that lost its core can go on writing to
//! its seat without touching its successor's. Never calls user code, never blocks.

use crate::calls::Calls;
use core::sync::atomic::compiler_fence;
use shinkan_base::atomics::{AtomicBool, AtomicU32, Ordering, fence};
use shinkan_base::canary;
use shinkan_base::place::PlaceWord;

/// ```text
/// row  state    inside  want         the core belongs to
///  1   HELD     0       quiet        nobody's hands: its tenant is in user code
///  2   HELD     1       quiet        the tenant, which is inside
///  3   HELD     0       ASKED        nobody's hands: the monitor is about to decide
///  4   HELD     1       ASKED        the tenant, inside since before `want`; else nobody yet
///  5   CLAIMED  1       any          the tenant, which saw `want` and won the exchange
///  6   CLAIMED  0       any          nobody's hands; but the monitor can take it no more this time
///  7   TAKEN    any     ASKED, OVER  whoever took it; the tenant finds out when it next enters
///
/// (1) enter      1→2, 6→5 (quiet)  (2) leave    2→1, 4→3, 5→6
/// (3) ask        1→3, 2→4, 5, 6    (4) give up  5→2|4, 6→1|3 (exchange CLAIMED→HELD), then
///                                               3→1, 4→2 (exchange of `want`)
/// (5) take       3→7 (exchange HELD→TAKEN)
/// (6) claim      4→5 (exchange HELD→CLAIMED), or it stands: 5, or 7: Gone
/// (7) surrender  2|4|5→7
/// ```
///
/// A claim that comes after the monitor has put HELD back stays until it gives up the next time:
/// it costs an attempt. So a tenant that leaves need not look whether it has claimed.
#[derive(Debug)]
pub struct Seat {
    /// Set by the tenant while it may touch the core.
    inside: AtomicBool,
    /// With `ASKED` while the monitor means to take the core; `OVER` once the tenure is, for ever.
    want: AtomicU32,
    state: AtomicU32,
    /// What `want` is while nobody wants anything: `FENCED`, unless the kernel can fence all threads
    /// at once.
    quiet: u32,
    /// The tenant is back from the call in which its core was taken.
    returned: AtomicBool,
    /// Which call of user code it is, and of what.
    calls: Calls,
}

/// The way in without a fence is open.
const QUIET: u32 = 0;
const ASKED: u32 = 1;
const OVER: u32 = 2;
/// The tenant's side of the fence is its own: each entry is a slow one.
const FENCED: u32 = 4;

const HELD: u32 = 0;
const CLAIMED: u32 = 1;
const TAKEN: u32 = 2;

impl Seat {
    /// A tenure that starts inside. `asymmetric` says that [`Seat::try_take`] will be called with
    /// a fence that reaches every thread of the process.
    pub fn new(asymmetric: bool) -> Self {
        let quiet = if asymmetric { QUIET } else { FENCED };
        Self {
            inside: AtomicBool::new(true),
            want: AtomicU32::new(quiet),
            state: AtomicU32::new(HELD),
            quiet,
            returned: AtomicBool::new(false),
            calls: Calls::new(),
        }
    }

    /// Goes inside: the core is the tenant's until [`Seat::leave`]. False: it is gone for good.
    #[inline]
    #[must_use]
    pub fn enter(&self) -> bool {
        debug_assert!(!self.inside.load(Ordering::Relaxed), "entered twice");
        if canary("handshake_step_swapped") {
            let want = self.want.load(Ordering::Relaxed);
            self.inside.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            return want == self.quiet || self.claim();
        }
        self.inside.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        // Acquire: with the successor's word that it took the core comes nothing that we read;
        // it is here for the pair (leave, take) when a tenant re-enters after a give-up.
        if self.want.load(Ordering::Acquire) == QUIET { true } else { self.enter_slow() }
    }

    #[cold]
    fn enter_slow(&self) -> bool {
        if self.quiet == FENCED {
            if !canary("handshake_no_fence") {
                fence(Ordering::SeqCst);
            }
            if self.want.load(Ordering::Acquire) == FENCED {
                return true;
            }
        }
        self.claim()
    }

    fn claim(&self) -> bool {
        if canary("handshake_no_recheck") {
            return true;
        }
        match self.state.compare_exchange(HELD, CLAIMED, Ordering::AcqRel, Ordering::Acquire) {
            // Claimed already: the monitor has not put HELD back, so it has not taken it since.
            Ok(_) | Err(CLAIMED) => true,
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
            self.want.store(self.quiet | ASKED, Ordering::Relaxed);
        } else {
            // An exchange, as the monitor's are: it has its place in the one order of this word.
            self.want.swap(OVER, Ordering::AcqRel);
        }
        // An exchange for the same reason: the monitor may be putting HELD back.
        self.state.swap(TAKEN, Ordering::AcqRel);
        self.inside.store(false, Ordering::Release);
    }

    /// Whether this tenure is over.
    pub fn is_gone(&self) -> bool {
        self.state.load(Ordering::Acquire) == TAKEN
    }

    /// Goes outside, to poll this task.
    #[inline]
    pub fn leave_to_poll(&self, task: u64, place: PlaceWord) {
        if canary("calls_counted_outside") {
            self.leave();
            return self.calls.poll(task, place);
        }
        self.calls.poll(task, place);
        self.leave();
    }

    /// Goes outside, to call user code that is no poll of one of the worker's tasks.
    #[inline]
    pub fn leave_to_call(&self, task: u64, place: PlaceWord) {
        self.calls.other(task, place);
        self.leave();
    }

    /// Goes inside, where nobody asks for the core: the tenant keeps it.
    #[inline]
    pub fn enter_kept(&self) {
        debug_assert!(!self.inside.load(Ordering::Relaxed), "entered twice");
        self.inside.store(true, Ordering::Relaxed);
    }

    /// The tenant is back from user code, and has no core any more.
    #[cold]
    pub fn note_return(&self) {
        self.returned.store(true, Ordering::Release);
    }

    /// Whether it has said so.
    pub fn has_returned(&self) -> bool {
        self.returned.load(Ordering::Acquire)
    }

    /// Which call of user code it is, or was the last.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.calls.sequence()
    }

    /// Whether user code runs, or the thread is on its way to or from it. To be asked after
    /// [`Seat::sequence`].
    #[inline]
    pub fn is_outside(&self) -> bool {
        !self.inside.load(Ordering::Acquire)
    }

    /// What the tenant said of its last call. It belongs to a sequence that was read before, if the
    /// tenant was outside then, and the sequence is the same after.
    pub fn said(&self) -> (u64, PlaceWord) {
        self.calls.said()
    }

    /// How many of its calls were polls of the worker's tasks.
    #[inline]
    pub fn polls(&self) -> u64 {
        self.calls.polls()
    }

    /// The monitor tries to take the core from a tenant that it saw outside at `sequence`.
    /// True: the core is the caller's, and the tenure is over. One monitor at a time.
    ///
    /// `heavy_fence` is membarrier(2)'s where the seat is asymmetric, else a SeqCst fence.
    #[must_use]
    pub fn try_take(&self, sequence: u64, heavy_fence: impl FnOnce()) -> bool {
        if self.state.load(Ordering::Relaxed) == TAKEN {
            return false;
        }
        let (quiet, asked) = (self.quiet, self.quiet | ASKED);
        if self.want.compare_exchange(quiet, asked, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        heavy_fence();
        let outside = !self.inside.load(Ordering::Acquire) || canary("handshake_blind_take");
        let taken = outside
            && (self.sequence() == sequence || canary("calls_any_sequence"))
            && self
                .state
                .compare_exchange(HELD, TAKEN, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        if taken {
            self.want.store(OVER, Ordering::Relaxed);
        } else {
            let (held, done) = (Ordering::Release, Ordering::Relaxed);
            let _ = self.state.compare_exchange(CLAIMED, HELD, held, done);
            // Not where the tenant has surrendered in between.
            let _ = self.want.compare_exchange(asked, quiet, held, done);
        }
        taken
    }
}
