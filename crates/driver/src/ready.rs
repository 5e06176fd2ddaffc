//! What a descriptor is ready for, and what one can wait for.

use core::fmt;
use core::ops;

/// What a descriptor is ready for.
///
/// A hint: another task may have taken what made it ready.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const EMPTY: Ready = Ready(0);
    /// There is something to read.
    pub const READABLE: Ready = Ready(1);
    /// There is room to write.
    pub const WRITABLE: Ready = Ready(1 << 1);
    /// The peer sends no more.
    pub const READ_CLOSED: Ready = Ready(1 << 2);
    /// The peer receives no more.
    pub const WRITE_CLOSED: Ready = Ready(1 << 3);
    /// There is urgent data.
    pub const PRIORITY: Ready = Ready(1 << 4);
    /// There is an error to take.
    pub const ERROR: Ready = Ready(1 << 5);
    /// All of these.
    pub const ALL: Ready = Ready(0b11_1111);

    // Ends are final: no clear takes them away.
    pub(crate) const CLOSED: Ready = Ready(Self::READ_CLOSED.0 | Self::WRITE_CLOSED.0);

    /// Whether it is ready for nothing.
    #[inline]
    pub fn is_empty(self) -> bool {
        self == Ready::EMPTY
    }

    /// Whether a read returns at once: with data, with the end or with an error.
    #[inline]
    pub fn is_readable(self) -> bool {
        self.intersects(Ready(Self::READABLE.0 | Self::READ_CLOSED.0))
    }

    /// Whether a write returns at once: with room or with an error.
    #[inline]
    pub fn is_writable(self) -> bool {
        self.intersects(Ready(Self::WRITABLE.0 | Self::WRITE_CLOSED.0))
    }

    /// Whether the peer sends no more.
    #[inline]
    pub fn is_read_closed(self) -> bool {
        self.intersects(Self::READ_CLOSED)
    }

    /// Whether the peer receives no more.
    #[inline]
    pub fn is_write_closed(self) -> bool {
        self.intersects(Self::WRITE_CLOSED)
    }

    /// Whether there is urgent data.
    #[inline]
    pub fn is_priority(self) -> bool {
        self.intersects(Self::PRIORITY)
    }

    /// Whether there is an error to take.
    #[inline]
    pub fn is_error(self) -> bool {
        self.intersects(Self::ERROR)
    }

    /// Whether it shares a bit with `other`.
    #[inline]
    pub(crate) fn intersects(self, other: Ready) -> bool {
        self.0 & other.0 != 0
    }

    /// What of it answers an interest.
    #[doc(hidden)]
    #[inline]
    pub fn intersection(self, interest: Interest) -> Ready {
        self & interest.mask()
    }

    #[inline]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u8) -> Ready {
        Ready(bits & Self::ALL.0)
    }
}

impl ops::BitOr for Ready {
    type Output = Ready;

    #[inline]
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Ready {
    #[inline]
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl ops::BitAnd for Ready {
    type Output = Ready;

    #[inline]
    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl ops::Sub for Ready {
    type Output = Ready;

    #[inline]
    fn sub(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error())
            .field("is_priority", &self.is_priority())
            .finish()
    }
}

/// What one waits for: one kind of readiness or several.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Something to read, or the end.
    pub const READABLE: Interest = Interest(1);
    /// Room to write, or the end.
    pub const WRITABLE: Interest = Interest(1 << 1);
    /// Urgent data.
    pub const PRIORITY: Interest = Interest(1 << 2);
    /// An error.
    pub const ERROR: Interest = Interest(1 << 3);

    /// Whether it has [`Interest::READABLE`] in it.
    #[inline]
    pub const fn is_readable(self) -> bool {
        self.0 & Self::READABLE.0 != 0
    }

    /// Whether it has [`Interest::WRITABLE`] in it.
    #[inline]
    pub const fn is_writable(self) -> bool {
        self.0 & Self::WRITABLE.0 != 0
    }

    /// Whether it has [`Interest::ERROR`] in it.
    #[inline]
    pub const fn is_error(self) -> bool {
        self.0 & Self::ERROR.0 != 0
    }

    /// Whether it has [`Interest::PRIORITY`] in it.
    #[inline]
    pub const fn is_priority(self) -> bool {
        self.0 & Self::PRIORITY.0 != 0
    }

    /// Both.
    #[inline]
    #[must_use = "the sum is returned; neither is changed"]
    pub const fn add(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// This without the other; `None` where nothing is left.
    #[inline]
    #[must_use = "the rest is returned; neither is changed"]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        let left = self.0 & !other.0;
        (left != 0).then_some(Interest(left))
    }

    /// The readiness that ends a wait for it.
    #[doc(hidden)]
    #[inline]
    pub fn mask(self) -> Ready {
        let mut ready = Ready::EMPTY;
        if self.is_readable() {
            ready |= Ready::READABLE | Ready::READ_CLOSED;
        }
        if self.is_writable() {
            ready |= Ready::WRITABLE | Ready::WRITE_CLOSED;
        }
        if self.is_priority() {
            ready |= Ready::PRIORITY | Ready::READ_CLOSED;
        }
        if self.is_error() {
            ready |= Ready::ERROR;
        }
        ready
    }
}

impl ops::BitOr for Interest {
    type Output = Interest;

    #[inline]
    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl ops::BitOrAssign for Interest {
    #[inline]
    fn bitor_assign(&mut self, other: Interest) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.is_readable(), "READABLE"),
            (self.is_writable(), "WRITABLE"),
            (self.is_priority(), "PRIORITY"),
            (self.is_error(), "ERROR"),
        ];
        let mut separator = "";
        for (_, name) in names.iter().filter(|(is_set, _)| *is_set) {
            write!(f, "{separator}{name}")?;
            separator = " | ";
        }
        Ok(())
    }
}

/// A readiness and the tick at which it was seen, for a later clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyEvent {
    /// What the descriptor was ready for, of what was asked.
    pub ready: Ready,
    pub(crate) tick: u32,
    pub(crate) is_shutdown: bool,
}

/// The half of a descriptor that a `poll_*` method waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// Reading, accepting, receiving.
    Read,
    /// Writing, connecting, sending.
    Write,
}

impl ReadyEvent {
    /// An event of its own making: what `ready` says, at the same moment.
    #[doc(hidden)]
    pub fn with_ready(self, ready: Ready) -> ReadyEvent {
        ReadyEvent { ready, ..self }
    }

    /// Whether the runtime has ended.
    pub(crate) fn is_shutdown(self) -> bool {
        self.is_shutdown
    }
}

impl Direction {
    /// The readiness by which something can be moved in this direction.
    #[inline]
    pub(crate) const fn open(self) -> Ready {
        const {
            let write = Ready::WRITABLE.0;
            assert!(write == Ready::READABLE.0 << Direction::Write as u32, "one bit further");
        }
        Ready(Ready::READABLE.0 << self as u32)
    }

    /// The readiness that ends a wait in this direction.
    #[inline]
    pub(crate) const fn mask(self) -> Ready {
        const READ: u8 = Ready::READABLE.0 | Ready::READ_CLOSED.0;
        const {
            let write = Ready::WRITABLE.0 | Ready::WRITE_CLOSED.0;
            assert!(write == READ << Direction::Write as u32, "each one bit further");
        }
        Ready(READ << self as u32)
    }
}
