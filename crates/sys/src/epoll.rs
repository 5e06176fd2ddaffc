//! epoll(7): one queue of events in which any number of threads wait.
//!
//! The kernel hands one edge-triggered event to one waiting thread. An event that was harvested
//! may be looked at long after its descriptor was deleted: who gives out the 64 bits of user data
//! must be able to tell.

use crate::fd::borrow;
use core::fmt;
use core::mem::MaybeUninit;
use core::time::Duration;
use rustix::event::Timespec;
use rustix::event::epoll::{self as raw, CreateFlags, EventData, EventFlags};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// What one call of [`Epoll::wait`] can return.
pub const EVENTS_MAX: usize = 128;

/// The queue.
#[derive(Debug)]
pub struct Epoll {
    fd: OwnedFd,
}

/// What a descriptor is registered for. Errors and the full close are always reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Data or a connection to read, and the peer's half close.
    pub read: bool,
    /// Room to write.
    pub write: bool,
    /// Urgent data.
    pub priority: bool,
    /// Reported as long as it lasts, instead of once when it begins.
    pub level: bool,
    /// Where it stands in several queues, one of them is told, the first to which it was added of
    /// those in which somebody waits; the peer's half close is not reported then. See `EPOLLEXCLUSIVE`
    /// in epoll_ctl(2).
    pub exclusive: bool,
}

/// Room for the events of one wait: made on the stack at no cost, filled by the kernel.
pub struct Buffer {
    events: [MaybeUninit<raw::Event>; EVENTS_MAX],
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the descriptor was registered with.
    pub data: u64,
    flags: EventFlags,
}

impl Epoll {
    /// Makes a queue.
    ///
    /// # Errors
    /// No descriptors or no memory left.
    pub fn new() -> io::Result<Self> {
        Ok(Self { fd: raw::create(CreateFlags::CLOEXEC)? })
    }

    /// Has the events of a descriptor reported with `data`.
    ///
    /// # Errors
    /// `PermissionDenied` where the descriptor knows no readiness (a plain file), `AlreadyExists`
    /// where it was added before, or the kernel's limit of watches.
    pub fn add(&self, fd: RawFd, data: u64, wanted: Wanted) -> io::Result<()> {
        Ok(raw::add(&self.fd, borrow(fd)?, EventData::new_u64(data), wanted.flags())?)
    }

    /// Has them reported no more. Those that a thread has harvested are still on their way.
    ///
    /// # Errors
    /// `NotFound` where the descriptor was not added.
    pub fn delete(&self, fd: RawFd) -> io::Result<()> {
        Ok(raw::delete(&self.fd, borrow(fd)?)?)
    }

    /// Waits until there is an event or `timeout` has passed (rounded up to milliseconds; `None`
    /// is for ever) and returns what there is, at most `most` and [`EVENTS_MAX`]; of 0 it makes 1.
    ///
    /// # Errors
    /// `Interrupted` by a signal.
    #[inline]
    pub fn wait<'b>(
        &self,
        buffer: &'b mut Buffer,
        timeout: Option<Duration>,
        most: usize,
    ) -> io::Result<impl ExactSizeIterator<Item = Event> + Clone + use<'b>> {
        let room = &mut buffer.events[..most.clamp(1, EVENTS_MAX)];
        // Past the range of a timespec there is no difference to "for ever".
        let timeout = timeout.and_then(|t| Timespec::try_from(t).ok());
        let (events, _) = raw::wait(&self.fd, room, timeout.as_ref())?;
        Ok(events.iter().map(|e| Event { data: { e.data }.u64(), flags: e.flags }))
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Wanted {
    fn flags(self) -> EventFlags {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.read);
        // The two exclude each other.
        flags.set(EventFlags::RDHUP, self.read && !self.exclusive);
        flags.set(EventFlags::OUT, self.write);
        flags.set(EventFlags::PRI, self.priority);
        flags.set(EventFlags::ET, !self.level);
        flags.set(EventFlags::EXCLUSIVE, self.exclusive);
        flags
    }
}

impl Buffer {
    /// Room that holds nothing yet.
    #[inline]
    pub const fn new() -> Self {
        Self { events: [const { MaybeUninit::uninit() }; EVENTS_MAX] }
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buffer")
    }
}

impl Event {
    /// There is something to read, room to write, and nothing else to say: what most events are.
    #[inline]
    pub fn is_room_and_data_alone(self) -> bool {
        self.flags == EventFlags::IN | EventFlags::OUT
    }

    /// A read returns something: data, a connection, urgent data.
    #[inline]
    pub fn is_readable(self) -> bool {
        self.flags.intersects(EventFlags::IN | EventFlags::PRI)
    }

    /// A write is taken.
    #[inline]
    pub fn is_writable(self) -> bool {
        self.flags.contains(EventFlags::OUT)
    }

    /// No more will be read than is there.
    #[inline]
    pub fn is_read_closed(self) -> bool {
        self.flags.contains(EventFlags::HUP)
            || self.flags.contains(EventFlags::IN | EventFlags::RDHUP)
    }

    /// A write will fail.
    #[inline]
    pub fn is_write_closed(self) -> bool {
        self.flags.contains(EventFlags::HUP)
            || self.flags.contains(EventFlags::OUT | EventFlags::ERR)
            // The reading end of a pipe is gone.
            || self.flags == EventFlags::ERR
    }

    /// The descriptor has an error to take.
    #[inline]
    pub fn is_error(self) -> bool {
        self.flags.contains(EventFlags::ERR)
    }

    /// Urgent data.
    #[inline]
    pub fn is_priority(self) -> bool {
        self.flags.contains(EventFlags::PRI)
    }
}
