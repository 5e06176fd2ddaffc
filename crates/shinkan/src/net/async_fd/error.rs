//! What can go wrong with a descriptor.

use std::error::Error;
use std::fmt;
use std::io;

/// The operation said `WouldBlock`: the readiness is gone, and one waits again.
#[derive(Debug)]
pub struct TryIoError(());

/// A registration that failed, with what was to be registered.
pub struct AsyncFdRegisterError<T> {
    inner: T,
    cause: io::Error,
}

impl TryIoError {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl<T> AsyncFdRegisterError<T> {
    pub(super) fn new(inner: T, cause: io::Error) -> Self {
        Self { inner, cause }
    }

    /// What was to be registered, and the error.
    pub fn into_parts(self) -> (T, io::Error) {
        (self.inner, self.cause)
    }
}

impl<T> fmt::Display for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl<T> fmt::Debug for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.cause, f)
    }
}

impl<T> Error for AsyncFdRegisterError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl<T> From<AsyncFdRegisterError<T>> for io::Error {
    fn from(error: AsyncFdRegisterError<T>) -> Self {
        error.cause
    }
}
