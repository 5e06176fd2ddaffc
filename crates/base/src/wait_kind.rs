//! The kinds of resources that a task can wait for, and their words.

/// What kind of resource a leaf waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum WaitKind {
    /// Not waiting on a leaf that is known to this runtime.
    None,
    /// The budget of the poll was used up.
    Budget,
    /// `yield_now`.
    Yield,
    /// A timer.
    Sleep,
    /// A task to end.
    Join,
    /// A set of tasks of which one must end.
    JoinSet,
    /// A blocking closure to end.
    Blocking,
    /// The end of a runtime's `block_on` in another thread's hands.
    BlockOn,
    /// A descriptor to become readable.
    Read,
    /// A descriptor to become writable.
    Write,
    /// A connection to be accepted.
    Accept,
    /// A connection to be made.
    Connect,
    /// A datagram to arrive.
    Recv,
    /// A datagram to be sent.
    Send,
    /// A name to be looked up.
    Lookup,
    /// The lock of a `Mutex`.
    Mutex,
    /// A shared lock of an `RwLock`.
    RwLockRead,
    /// The exclusive lock of an `RwLock`.
    RwLockWrite,
    /// Permits of a `Semaphore`.
    Semaphore,
    /// A `Notify`.
    Notify,
    /// A `Barrier`.
    Barrier,
    /// A `OnceCell` that another task fills.
    OnceCell,
    /// A value of a `oneshot` channel.
    OneshotRecv,
    /// The closing of a `oneshot` receiver.
    OneshotClosed,
    /// A message of an `mpsc` channel.
    MpscRecv,
    /// Room in an `mpsc` channel.
    MpscSend,
    /// The closing of an `mpsc` receiver.
    MpscClosed,
    /// A message of a `broadcast` channel.
    BroadcastRecv,
    /// The closing of a `broadcast` channel.
    BroadcastClosed,
    /// A change of a `watch` channel.
    WatchChanged,
    /// The closing of a `watch` channel.
    WatchClosed,
    /// Bytes of an in-memory pipe.
    DuplexRead,
    /// Room in an in-memory pipe.
    DuplexWrite,
    /// The tasks of a `LocalSet`.
    LocalSet,
    /// A signal of the operating system.
    Signal,
    /// A child process to end.
    Process,
}

impl WaitKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: &[WaitKind] = &[
        WaitKind::None,
        WaitKind::Budget,
        WaitKind::Yield,
        WaitKind::Sleep,
        WaitKind::Join,
        WaitKind::JoinSet,
        WaitKind::Blocking,
        WaitKind::BlockOn,
        WaitKind::Read,
        WaitKind::Write,
        WaitKind::Accept,
        WaitKind::Connect,
        WaitKind::Recv,
        WaitKind::Send,
        WaitKind::Lookup,
        WaitKind::Mutex,
        WaitKind::RwLockRead,
        WaitKind::RwLockWrite,
        WaitKind::Semaphore,
        WaitKind::Notify,
        WaitKind::Barrier,
        WaitKind::OnceCell,
        WaitKind::OneshotRecv,
        WaitKind::OneshotClosed,
        WaitKind::MpscRecv,
        WaitKind::MpscSend,
        WaitKind::MpscClosed,
        WaitKind::BroadcastRecv,
        WaitKind::BroadcastClosed,
        WaitKind::WatchChanged,
        WaitKind::WatchClosed,
        WaitKind::DuplexRead,
        WaitKind::DuplexWrite,
        WaitKind::LocalSet,
        WaitKind::Signal,
        WaitKind::Process,
    ];

    /// A word for a person to read.
    pub const fn as_str(self) -> &'static str {
        match self {
            WaitKind::None => "-",
            WaitKind::Budget => "budget",
            WaitKind::Yield => "yield",
            WaitKind::Sleep => "sleep",
            WaitKind::Join => "join",
            WaitKind::JoinSet => "join_set",
            WaitKind::Blocking => "blocking",
            WaitKind::BlockOn => "block_on",
            WaitKind::Read => "read",
            WaitKind::Write => "write",
            WaitKind::Accept => "accept",
            WaitKind::Connect => "connect",
            WaitKind::Recv => "recv",
            WaitKind::Send => "send",
            WaitKind::Lookup => "lookup",
            WaitKind::Mutex => "mutex",
            WaitKind::RwLockRead => "rwlock read",
            WaitKind::RwLockWrite => "rwlock write",
            WaitKind::Semaphore => "semaphore",
            WaitKind::Notify => "notify",
            WaitKind::Barrier => "barrier",
            WaitKind::OnceCell => "once_cell",
            WaitKind::OneshotRecv => "oneshot recv",
            WaitKind::OneshotClosed => "oneshot closed",
            WaitKind::MpscRecv => "mpsc recv",
            WaitKind::MpscSend => "mpsc send",
            WaitKind::MpscClosed => "mpsc closed",
            WaitKind::BroadcastRecv => "broadcast recv",
            WaitKind::BroadcastClosed => "broadcast closed",
            WaitKind::WatchChanged => "watch changed",
            WaitKind::WatchClosed => "watch closed",
            WaitKind::DuplexRead => "duplex read",
            WaitKind::DuplexWrite => "duplex write",
            WaitKind::LocalSet => "local_set",
            WaitKind::Signal => "signal",
            WaitKind::Process => "process",
        }
    }
}

// A kind that is missing from the list could not be read back from a record.
const _: () = assert!(WaitKind::Process as usize + 1 == WaitKind::ALL.len());
