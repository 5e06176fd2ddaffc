//! The test mode of the handshake: cores are taken at random from workers that run user code.
//!
//! Whoever sets `SHINKAN_SEIZE` (microseconds between two attempts; 1 means 100) runs a program in
//! which every poll may be the one whose core is taken. A suite that passes in this mode does not
//! rely on a worker keeping its core.

use crate::blocking::Job;
use crate::handle::Handle;
use crate::tenure::Tenure;
use core::time::Duration;
use shinkan_base::atomics::plain::{AtomicBool, Ordering};
use shinkan_base::rng::Rng;
use shinkan_sys::{membarrier, park::Parker, threads};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The thread that takes cores; dropping it ends the thread first.
#[derive(Debug)]
pub(crate) struct Seizer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Seizer {
    pub(crate) fn start(handle: &Handle, pause_us: u64) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (its_stop, handle) = (stop.clone(), handle.clone());
        let pause = Duration::from_micros(if pause_us <= 1 { 100 } else { pause_us });
        let thread = threads::spawn("shinkan-seizer".into(), None, move || {
            let mut rng = Rng::new(handle.shared().config.seed);
            let mut parker = Parker::new();
            while !its_stop.load(Ordering::Acquire) {
                let cores = handle.shared().multi().slots.len() as u32;
                seize(&handle, rng.below(cores) as usize);
                parker.park_timeout(pause);
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Seizer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It holds no core when it ends: each one it took was passed on.
            let _ = thread.join();
        }
    }
}

/// What came of an attempt to take a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// Its holder was in the runtime at that moment, or is in another poll, or the runtime ends.
    NotNow,
    /// No other thread can be had.
    NoThread,
}

/// Takes core `index` if its holder runs user code now, and passes it to a spare thread.
pub(crate) fn seize(handle: &Handle, index: usize) -> bool {
    let shared = handle.shared();
    let tenure = shared.multi().slots[index].tenure();
    let sequence = tenure.seat.sequence();
    tenure.seat.is_outside() && take(handle, index, &tenure, sequence) == Taken::Yes
}

/// Takes core `index` from its holder if that is still in the user code that it was in at
/// `sequence`, and passes it to a spare thread.
pub(crate) fn take(handle: &Handle, index: usize, tenure: &Tenure, sequence: u64) -> Taken {
    let shared = handle.shared();
    // The spare first: a core that was taken must not wait for a thread that cannot be had.
    let Ok(spare) = shared.blocking.reserve(handle) else { return Taken::NoThread };
    let _one_monitor = shared.monitor.lock();
    if shared.is_closed() || !tenure.seat.try_take(sequence, membarrier::heavy) {
        spare.release();
        return Taken::NotNow;
    }
    shared.seizures.fetch_add(1, Ordering::Relaxed);
    spare.give(Job::Core(index));
    Taken::Yes
}

/// The pause that the environment asks for.
///
/// # Panics
/// If the variable is not a number.
pub(crate) fn pause_from_environment() -> Option<u64> {
    let value = shinkan_sys::env::var("SHINKAN_SEIZE")?;
    let text = value.to_string_lossy();
    if text.is_empty() || text == "0" {
        return None;
    }
    match text.parse() {
        Ok(pause) => Some(pause),
        Err(_) => panic!(
            "SHINKAN_SEIZE is `{text}`: it must be the number of microseconds between two \
             seizures, or 0 or unset for none"
        ),
    }
}
