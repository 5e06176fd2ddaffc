//! Threads of the operating system.

use crate::arch;
use std::io;
use std::thread::{self, JoinHandle, ThreadId};

/// Starts a thread.
///
/// # Errors
/// The system has no thread to give, or the name holds a NUL; nothing was started.
pub fn spawn<F>(name: String, stack_bytes: Option<usize>, f: F) -> io::Result<JoinHandle<()>>
where
    F: FnOnce() + Send + 'static,
{
    if name.contains('\0') {
        let words = format!("the name of a thread must hold no NUL, as {name:?} does");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    }
    let mut builder = thread::Builder::new().name(name);
    if let Some(bytes) = stack_bytes {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(f)
}

/// How many threads can run at once, as affinity and cgroup allow; 1 where the system won't say.
pub fn available_parallelism() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The standard library's identity of this thread.
#[inline]
pub fn id() -> ThreadId {
    thread::current().id()
}

/// The kernel's number of this thread.
pub fn kernel_id() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// An address on the stack that this thread is on now.
pub fn on_stack() -> usize {
    arch::stack_pointer()
}

/// Lets another thread run.
pub fn yield_now() {
    thread::yield_now();
}
