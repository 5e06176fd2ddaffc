//! The one board and bell of the process, and the handlers that use them.

#![allow(unsafe_code)]

use super::board::Board;
use shinkan_base::atomics::Arc;
use shinkan_sys::eventfd::Eventfd;
use shinkan_sys::signals::{self, SIGNAL_MAX};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, OnceLock, PoisonError};

pub(super) struct Hub {
    pub(super) board: Arc<Board>,
    bell: Eventfd,
    /// The signals that have their handler.
    installed: Mutex<Vec<i32>>,
}

/// Made at first use, for ever.
///
/// # Errors
/// No descriptors left.
pub(super) fn hub() -> io::Result<&'static Hub> {
    static HUB: OnceLock<Hub> = OnceLock::new();
    if let Some(hub) = HUB.get() {
        return Ok(hub);
    }
    let bell = Eventfd::new()?;
    Ok(HUB.get_or_init(|| Hub {
        board: Arc::new(Board::new(SIGNAL_MAX)),
        bell,
        installed: Mutex::default(),
    }))
}

impl Hub {
    pub(super) fn bell(&self) -> RawFd {
        self.bell.as_raw_fd()
    }

    /// Installs the handler of an allowed signal, once.
    pub(super) fn install(&'static self, signal: i32) -> io::Result<()> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if installed.contains(&signal) {
            return Ok(());
        }
        let handler = move || self.board.raise(signal, || self.bell.ring());
        // SAFETY:
        // - signal-safe: `raise` is one atomic operation on a place that exists (`listen` has
        //   checked the number), and `ring` one write(2) to an eventfd; neither takes a lock,
        //   allocates or panics.
        unsafe { signals::install(signal, handler) }?;
        installed.push(signal);
        Ok(())
    }
}
