//! What the transitions of a task's state answer; `state` says when.

/// What `State::begin` found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// The future is the caller's, to be polled.
    Poll,
    /// The future is the caller's, to be dropped.
    Cancel,
    /// The Runnable was void: `State::give_back` is due.
    Void,
}

/// What `State::end_poll` made of a poll that ended Pending.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndPoll {
    /// The task sleeps; the caller's reference is gone, and with it the right to touch the task.
    Idle,
    /// It was woken: the caller holds its Runnable.
    Requeue,
    /// It was aborted: the future is still the caller's, to be dropped.
    Cancel,
    /// It sleeps and nobody is left who could wake it: free it.
    Free,
}

/// What a wake-up asks of its caller.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Queue the Runnable, whose reference is counted.
    Submit,
    /// Nothing.
    Nothing,
    /// The last reference went: free the task.
    Free,
}

/// Who completes a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completer {
    /// The worker in rows 3 and 4.
    Poller,
    /// The one in rows 5 to 7.
    Closer,
}

/// What `State::complete` left to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Complete {
    /// Nothing; the task may be gone.
    Finished,
    /// Take the join waker, then call `State::joiner_told`.
    TellJoiner,
    /// Nothing was changed: nobody wants the output. Drop it, then complete again without it.
    Unwanted,
    /// The last reference went: free the task.
    Free,
}

/// What a join handle finds of its task.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// The output is the handle's.
    Done,
    /// Not done; the waker's slot is empty and the handle's.
    Empty,
    /// Not done; the slot holds a waker, which the handle may look at.
    Registered,
}

/// What `State::leave_join` left to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaveJoin {
    /// Nothing; the handle's reference is gone.
    Left,
    /// The slot is the caller's: drop its waker, then the reference.
    DropWaker,
    /// The output is the caller's: drop it, then call `State::leave_done`.
    DropOutput,
    /// The last reference went: free the task.
    Free,
}

/// What a reader sees of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It waits for a wake-up.
    Idle,
    /// It waits for a worker.
    Queued,
    /// A worker polls it.
    Polling,
    /// It has ended, or its future is being dropped.
    Ended,
}
