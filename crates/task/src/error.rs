//! Why a task gave no output.

use crate::id::Id;
use core::any::Any;
use core::fmt;
use std::io;

/// A task did not run to its end: it was cancelled or it panicked.
pub struct JoinError {
    id: Id,
    cause: Cause,
}

enum Cause {
    Cancelled,
    Panic(Payload),
}

/// A panic's payload is `Send` alone, the error is `Sync` too.
struct Payload(sync::Exclusive<Box<dyn Any + Send>>);

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> Self {
        Self { id, cause: Cause::Cancelled }
    }

    pub(crate) fn panic(id: Id, payload: Box<dyn Any + Send>) -> Self {
        Self { id, cause: Cause::Panic(Payload(sync::Exclusive::new(payload))) }
    }

    /// Whether the task was cancelled: aborted, or its runtime shut down.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cause, Cause::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panic(_))
    }

    /// The payload of the task's panic, as `std::panic::resume_unwind` takes it.
    ///
    /// # Panics
    /// If the task did not panic; [`JoinError::try_into_panic`] does not.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!(
                "`JoinError::into_panic` was called on the error of a task that did not panic \
                 ({error}): ask `is_panic` first, or use `try_into_panic`"
            ),
        }
    }

    /// The payload of the task's panic.
    ///
    /// # Errors
    /// The error itself, if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.cause {
            Cause::Panic(payload) => Ok(payload.0.into_inner()),
            Cause::Cancelled => Err(self),
        }
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl Payload {
    /// The message of a `panic!`: other types may not be looked at from two threads at once.
    fn message(&self) -> Option<&str> {
        if let Some(text) = self.0.downcast_ref::<&'static str>() {
            return Some(text);
        }
        self.0.downcast_ref::<String>().map(String::as_str)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.cause {
            Cause::Cancelled => write!(f, "task {id} was cancelled"),
            Cause::Panic(payload) => match payload.message() {
                Some(message) => write!(f, "task {id} panicked with message {message:?}"),
                None => write!(f, "task {id} panicked"),
            },
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.cause {
            Cause::Cancelled => write!(f, "JoinError::Cancelled({id:?})"),
            Cause::Panic(payload) => match payload.message() {
                Some(message) => write!(f, "JoinError::Panic({id:?}, {message:?}, ...)"),
                None => write!(f, "JoinError::Panic({id:?}, ...)"),
            },
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        io::Error::other(match error.cause {
            Cause::Cancelled => "task was cancelled",
            Cause::Panic(_) => "task panicked",
        })
    }
}

/// A `Sync` box around what is only `Send`.
mod sync {
    use core::any::Any;

    pub(super) struct Exclusive<T>(T);

    // SAFETY:
    // - a shared borrow gives nothing out but borrows of types that are `Sync` (`downcast_ref`).
    unsafe impl<T: Send> Sync for Exclusive<T> {}

    impl<T> Exclusive<T> {
        pub(super) fn new(value: T) -> Self {
            Self(value)
        }

        pub(super) fn into_inner(self) -> T {
            self.0
        }
    }

    impl Exclusive<Box<dyn Any + Send>> {
        pub(super) fn downcast_ref<T: Any + Send + Sync>(&self) -> Option<&T> {
            // `type_id` and the cast look at the table, not at the value.
            self.0.downcast_ref()
        }
    }
}
