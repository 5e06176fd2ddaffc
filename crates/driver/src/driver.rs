//! The driver: one closed choice between the backends, made when the runtime is built.

use crate::clock::Clock;
use crate::fake::Fake;
use crate::poll::Poll;
use crate::ready::{Interest, Ready};
use crate::slots::{Owned, Refused, Slots};
use crate::source::Source;
use crate::token::Token;
use core::fmt;
use core::panic::Location;
use core::time::Duration;
use shinkan_base::atomics::{AtomicBool, Ordering};
use shinkan_base::wakers::Wakers;
use std::error::Error;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

/// Harvests readiness. One for a runtime, shared by all its workers, any number of which may
/// turn it at the same time.
#[derive(Debug)]
pub struct Driver {
    io: Io,
    clock: Clock,
}

/// How long a turn may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Takes what there is.
    Look,
    /// Takes what there is, but so many events at most, and one at least. The others stay, for this
    /// thread's next turn, and for another's that waits.
    LookFor(usize),
    /// Waits for an event or a ring; at most so long, where there is a time.
    Wait(Option<Duration>),
    /// Waits at most so long for a ring, and not for events.
    Nap(Duration),
}

/// What one turn takes at most.
const MOST: usize = shinkan_sys::epoll::EVENTS_MAX;

/// What a turn found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// The doorbell holds a unit. It is still there: [`Driver::take_bell`] takes it.
    pub bell: bool,
    /// Events of descriptors that were applied.
    pub events: u32,
    /// Nothing came in the time given.
    pub timed_out: bool,
}

/// Registers descriptors. Clones share the table and the backend, which live as long as the last
/// clone or [`Source`], also after the runtime.
#[derive(Clone, Debug)]
pub struct Io {
    shared: Arc<Shared>,
}

/// What the driver, each `Io` and each source hold.
#[derive(Debug)]
pub(crate) struct Shared {
    slots: Slots,
    backend: Backend,
    /// A reader of signals is registered here.
    watches_signals: AtomicBool,
}

#[derive(Debug)]
enum Backend {
    Poll(Poll),
    Sim(Fake),
}

impl AsRef<Slots> for Shared {
    #[inline]
    fn as_ref(&self) -> &Slots {
        &self.slots
    }
}

impl Driver {
    /// A driver over epoll, with the machine's clock.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn epoll() -> io::Result<Self> {
        Ok(Self::with(Backend::Poll(Poll::new()?), Clock::real()))
    }

    /// A driver of a simulation: its clock stands still until a turn has nothing else to do, and
    /// readiness comes from [`Driver::inject`]. No turn blocks.
    pub fn sim(seed: u64) -> Self {
        Self::with(Backend::Sim(Fake::new(seed)), Clock::paused())
    }

    fn with(backend: Backend, clock: Clock) -> Self {
        let watches_signals = AtomicBool::new(false);
        let shared = Shared { slots: Slots::new(), backend, watches_signals };
        Self { io: Io { shared: Arc::new(shared) }, clock }
    }

    /// Harvests up to 128 events: sets readiness and collects in `out` the wakers of those who
    /// waited for it. Calls none of them. Never takes a unit from the doorbell.
    ///
    /// Where the clock is paused and may be moved, a wait with a time moves it instead of waiting.
    /// A signal ends a turn early, with nothing found.
    #[inline]
    pub fn turn(&self, mode: Turn, out: &mut Wakers) -> Turned {
        let shared = &*self.io.shared;
        match (&shared.backend, mode) {
            (Backend::Poll(poll), Turn::Look) => {
                poll.turn(&shared.slots, Some(Duration::ZERO), MOST, out)
            }
            (Backend::Poll(poll), Turn::LookFor(most)) => {
                poll.turn(&shared.slots, Some(Duration::ZERO), most, out)
            }
            (Backend::Poll(poll), Turn::Wait(Some(time))) if self.clock.can_auto_advance() => {
                let turned = poll.turn(&shared.slots, Some(Duration::ZERO), MOST, out);
                if turned.timed_out {
                    self.clock.advance(time);
                }
                turned
            }
            (Backend::Poll(poll), Turn::Wait(time)) => poll.turn(&shared.slots, time, MOST, out),
            (Backend::Poll(poll), Turn::Nap(time)) => poll.nap(time),
            (Backend::Sim(fake), mode) => {
                let (wait, most) = match mode {
                    Turn::Look => (None, usize::MAX),
                    Turn::LookFor(most) => (None, most),
                    Turn::Wait(time) => (time, usize::MAX),
                    Turn::Nap(time) => (Some(time), usize::MAX),
                };
                fake.turn(&shared.slots, &self.clock, wait, most, out)
            }
        }
    }

    /// Adds one unit to the doorbell: one worker that waits, now or later, will return.
    #[inline]
    pub fn ring(&self) {
        match &self.io.shared.backend {
            Backend::Poll(poll) => poll.ring(),
            Backend::Sim(fake) => fake.ring(),
        }
    }

    /// Takes one unit, if there is one; never blocks. For the worker that returned from waiting.
    #[inline]
    pub fn take_bell(&self) -> bool {
        match &self.io.shared.backend {
            Backend::Poll(poll) => poll.take_bell(),
            Backend::Sim(fake) => fake.take_bell(),
        }
    }

    /// Where descriptors are registered.
    #[inline]
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// The clock.
    #[inline]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Ends all waits for readiness, with an error, and refuses later registrations. Collects the
    /// wakers and calls none.
    pub fn shutdown(&self, out: &mut Wakers) {
        self.io.shared.slots.shut_down(out);
    }

    /// Applies an event that was harvested before, as a turn does. For the models, which let a
    /// thread be late between the two.
    #[doc(hidden)]
    pub fn apply(&self, token: Token, ready: Ready, out: &mut Wakers) {
        self.io.shared.slots.applying().set(token, ready, out);
    }

    /// Has the next turn of a simulation report readiness, as if the kernel had.
    ///
    /// # Panics
    /// Where this is no driver of a simulation.
    #[track_caller]
    pub fn inject(&self, token: Token, ready: Ready) {
        match &self.io.shared.backend {
            Backend::Poll(_) => panic!("`inject` was called on a driver that asks the kernel"),
            Backend::Sim(fake) => fake.inject(token, ready),
        }
    }
}

impl Io {
    /// Registers a descriptor, once and for as long as the source lives. It counts as ready for
    /// `start` until an operation finds that it is not.
    ///
    /// The caller keeps the descriptor open for as long as the source lives, and non-blocking.
    ///
    /// # Errors
    /// `PermissionDenied` where it knows no readiness, `AlreadyExists` where it was registered
    /// before, the kernel's limit of watches, or the runtime has ended.
    #[track_caller]
    pub fn register(&self, fd: RawFd, interest: Interest, start: Ready) -> io::Result<Source> {
        self.register_at(fd, interest, start, Location::caller())
    }

    /// The same for a future, which registers long after the call that made it.
    ///
    /// # Errors
    /// As [`Io::register`].
    pub fn register_at(
        &self,
        fd: RawFd,
        interest: Interest,
        start: Ready,
        place: &'static Location<'static>,
    ) -> io::Result<Source> {
        let owned = Slots::own(&self.shared, start).map_err(refused)?;
        // An error gives the slot back.
        if let Backend::Poll(poll) = &self.shared.backend {
            poll.add(fd, owned.token(), interest)?;
        }
        Ok(Source::new(owned, fd, place))
    }

    /// Whether a reader of signals is registered here. See `signals`.
    #[inline]
    pub(crate) fn watches_signals(&self) -> bool {
        self.shared.watches_signals.load(Ordering::Acquire)
    }

    pub(crate) fn set_watches_signals(&self, watches: bool) {
        self.shared.watches_signals.store(watches, Ordering::Release);
    }

    pub(crate) fn is(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }

    /// Whether no descriptor was ever registered, so that a look finds nothing but the doorbell.
    #[inline]
    pub fn is_unused(&self) -> bool {
        self.shared.slots.are_unused()
    }

    /// How many descriptors are registered.
    pub fn registered_count(&self) -> u32 {
        self.shared.slots.owned().0
    }

    /// The same, and how many were ever registered; those included whose registration failed.
    pub fn registrations(&self) -> (u32, u64) {
        self.shared.slots.owned()
    }
}

impl Shared {
    pub(crate) fn deregister(owned: &Owned<Shared>, fd: RawFd) -> io::Result<()> {
        match &owned.table().backend {
            Backend::Poll(poll) => poll.delete(fd),
            Backend::Sim(_) => Ok(()),
        }
    }
}

#[cold]
fn refused(why: Refused) -> io::Error {
    match why {
        Refused::Closed => gone(),
        Refused::Full => io::Error::new(
            io::ErrorKind::QuotaExceeded,
            "the runtime's table of descriptors is full",
        ),
    }
}

/// The error of every operation that a runtime's end leaves behind.
#[cold]
pub(crate) fn gone() -> io::Error {
    rt_shutdown_err("the runtime that this descriptor is registered with has shut down")
}

/// The error of an operation whose runtime has ended. `what` is its text.
#[cold]
pub fn rt_shutdown_err(what: &'static str) -> io::Error {
    io::Error::other(Gone(what))
}

/// Whether an I/O error says that the runtime that a socket or another operation belongs to has
/// ended.
pub fn is_rt_shutdown_err(err: &io::Error) -> bool {
    err.get_ref().is_some_and(|inner| inner.is::<Gone>())
}

/// Known by its type, whatever its text.
#[derive(Debug)]
struct Gone(&'static str);

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Gone {}
