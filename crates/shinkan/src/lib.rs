//! An async runtime that runs what is written for Tokio, and does not let one task starve the
//! others.
//!
//! The modules and names are Tokio's. A program starts a runtime, by `#[shinkan::main]` or by
//! `runtime::Runtime`, gives it tasks with `spawn`, and waits with `.await` for sockets
//! (`net`), timers ([`time`]) and other tasks (`sync`, [`task`]).
//!
//!
//! # Features
//!
//! The names are Tokio's, and all but `test-util` are on by default: `rt`, `rt-multi-thread`,
//! `time`, `net`, `io-util`, `io-std`, `sync`, `macros`, `fs`, `process`, `signal`,
//! `parking_lot`. `sync` alone compiles neither the scheduler nor anything that enters the kernel.
//!
//! # The rooms
//!
//! Each module is a thin room over the crates below, and no room imports another.

#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("shinkan runs on Linux: elsewhere it has no driver yet");

#[cfg(any(feature = "fs", feature = "net", feature = "process"))]
mod fill;
#[cfg(doctest)]
mod from_tokio;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod macros;
mod pin;
#[cfg(doctest)]
mod readme;
#[cfg(doctest)]
mod stalls;

#[cfg(all(feature = "macros", feature = "rt-multi-thread"))]
pub use shinkan_macros::{main, test};
#[cfg(all(feature = "macros", not(feature = "rt")))]
pub use shinkan_macros::{main_fail as main, test_fail as test};
#[cfg(all(feature = "macros", feature = "rt", not(feature = "rt-multi-thread")))]
pub use shinkan_macros::{main_rt as main, test_rt as test};

#[cfg(feature = "io-std")]
mod io_std;

/// Asynchronous reading and writing.
pub mod io {
    #[cfg(feature = "io-std")]
    pub use crate::io_std::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
    #[cfg(feature = "net")]
    pub use shinkan_driver::{Interest, Ready};
    #[cfg(feature = "io-util")]
    pub use shinkan_io::*;
    pub use shinkan_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

    /// Descriptors of any kind.
    #[cfg(feature = "net")]
    pub mod unix {
        pub use crate::net::async_fd::{
            AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, TryIoError,
        };
    }

    #[doc(no_inline)]
    pub use std::io::{Error, ErrorKind, Result, SeekFrom};
}

#[cfg(feature = "fs")]
pub mod fs;
#[cfg(feature = "net")]
pub mod net;

#[cfg(feature = "process")]
pub mod process;

#[cfg(feature = "signal")]
pub mod signal;

#[cfg(feature = "sync")]
#[doc(inline)]
pub use shinkan_sync as sync;

#[cfg(feature = "rt")]
pub mod runtime;
#[cfg(feature = "rt")]
pub mod task;
#[cfg(feature = "time")]
pub mod time;

#[cfg(feature = "rt")]
#[doc(inline)]
pub use task::spawn;

/// A place that Tokio has, and leaves empty: streams are `tokio-stream`'s.
pub mod stream {}
