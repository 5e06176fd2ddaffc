//! The monitor's sleep: a worker starts to work while the monitor goes to sleep. Either the monitor
//! sees that it works, or the worker wakes it; else a stuck worker would be watched by nobody.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use loom::thread;
use shinkan_rt::alarm::Alarm;

#[test]
fn whoever_works_is_watched() {
    loom::model(|| {
        let alarm = Arc::new(Alarm::new());
        let working = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(AtomicU32::new(0));
        let (its_alarm, its_working, its_woken) = (alarm.clone(), working.clone(), woken.clone());
        let worker = thread::spawn(move || {
            its_working.store(true, Ordering::Relaxed);
            if its_alarm.must_wake(|| fence(Ordering::SeqCst)) {
                its_woken.fetch_add(1, Ordering::Relaxed);
            }
        });
        let sleeps = alarm.arm(|| fence(Ordering::SeqCst), || !working.load(Ordering::Relaxed));
        worker.join().unwrap();
        let woken = woken.load(Ordering::Relaxed);
        assert!(!sleeps || woken == 1, "the monitor sleeps and a worker works");
    });
}

#[test]
fn two_who_start_together_wake_it_once() {
    loom::model(|| {
        let alarm = Arc::new(Alarm::new());
        assert!(alarm.arm(|| fence(Ordering::SeqCst), || true));
        let other = {
            let alarm = alarm.clone();
            thread::spawn(move || u32::from(alarm.must_wake(|| fence(Ordering::SeqCst))))
        };
        let here = u32::from(alarm.must_wake(|| fence(Ordering::SeqCst)));
        assert_eq!(here + other.join().unwrap(), 1);
    });
}
