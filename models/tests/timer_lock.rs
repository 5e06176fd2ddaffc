//! Two threads want a wheel.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_models::guarded::Guarded;
use shinkan_models::leaked;
use shinkan_wheel::Lock;

/// One after the other has it, and the second sees what the first did.
#[test]
fn one_at_a_time() {
    loom::model(|| {
        let lock = leaked(Lock::new(Guarded::new(), thread::yield_now));
        let other = thread::spawn(move || lock.lock().add());
        let mine = lock.lock().add();
        let other = other.join().unwrap();
        assert_eq!((mine.min(other), mine.max(other)), (1, 2));
    });
}
