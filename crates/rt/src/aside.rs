//! Work that may hang, on a thread of its own: names of functions lie in files, and a disk may not
//! answer. Called by the thread for reports.

use crate::hooks::quietly;
use core::time::Duration;
use shinkan_base::atomics::plain::{AtomicBool, Ordering};
use shinkan_sys::threads;
use std::sync::mpsc::sync_channel;

/// One such piece of work at a time: while one hangs, no other is begun.
pub(crate) struct Aside {
    goes_on: AtomicBool,
}

impl Aside {
    pub(crate) const fn new() -> Self {
        Self { goes_on: AtomicBool::new(false) }
    }

    /// What `work` gives; nothing where it takes longer than `most`, panics, or an earlier one goes
    /// on still, or there is no thread for it.
    pub(crate) fn within<T: Send + 'static>(
        &'static self,
        most: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.goes_on.swap(true, Ordering::Acquire) {
            return None;
        }
        let (tell, told) = sync_channel(1);
        let done = move || {
            let mut result = None;
            quietly(|| result = Some(work()));
            self.goes_on.store(false, Ordering::Release);
            // Nobody listens any more where it took too long.
            let _ = tell.send(result);
        };
        match threads::spawn("shinkan-names".into(), None, done) {
            Ok(_thread) => told.recv_timeout(most).ok().flatten(),
            Err(_) => {
                self.goes_on.store(false, Ordering::Release);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn what_is_done_is_given_and_a_panic_is_nothing() {
        static ASIDE: Aside = Aside::new();
        assert_eq!(ASIDE.within(LONG, || 7), Some(7));
        assert_eq!(ASIDE.within(LONG, || -> u8 { panic!("of the test") }), None);
        assert_eq!(ASIDE.within(LONG, || 8), Some(8));
    }

    #[test]
    fn what_hangs_holds_nobody_up() {
        static ASIDE: Aside = Aside::new();
        let (release, released) = channel::<()>();
        let (tell, told) = channel::<()>();
        let hangs = move || {
            let _ = released.recv();
            drop(tell);
        };
        assert_eq!(ASIDE.within(Duration::ZERO, hangs), None);
        assert_eq!(ASIDE.within(LONG, || ()), None, "one hangs");
        drop(release);
        assert!(told.recv().is_err());
        while ASIDE.within(LONG, || ()).is_none() {
            threads::yield_now();
        }
    }
}
