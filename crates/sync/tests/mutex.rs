//! The mutex: exclusion, order, guards.

mod common;

use common::{panics, task};
use shinkan_sync::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
use std::sync::Arc;

#[test]
fn the_lock_is_handed_over_in_order() {
    let lock = Mutex::new(0);
    let held = lock.try_lock().unwrap();
    let (mut a, mut b) = (task(lock.lock()), task(lock.lock()));
    a.is_pending();
    b.is_pending();
    drop(held);
    assert!(lock.try_lock().is_err(), "it was handed over");
    assert!(!b.is_woken());
    let first = a.woken_and_ready();
    b.is_pending();
    drop(first);
    drop(b.woken_and_ready());
    assert!(lock.try_lock().is_ok());
}

#[test]
fn dropping_the_next_in_turn_passes_the_lock_on() {
    let lock = Arc::new(Mutex::new(0));
    let held = lock.clone().try_lock_owned().unwrap();
    let (mut a, mut b) = (task(lock.clone().lock_owned()), task(lock.lock()));
    a.is_pending();
    b.is_pending();
    drop(held);
    drop(a);
    drop(b.woken_and_ready());
    assert!(lock.try_lock().is_ok());
}

#[test]
fn guards_are_narrowed_and_unlock() {
    let lock = Arc::new(Mutex::new((1, [2, 3])));
    {
        let guard = lock.try_lock().unwrap();
        assert!(std::ptr::eq(MutexGuard::mutex(&guard), &*lock));
        let guard = MutexGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        let guard = MutexGuard::map(guard, |pair| &mut pair.1);
        let guard = MappedMutexGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        let mut guard = MappedMutexGuard::map(guard, |array| &mut array[1]);
        *guard += 10;
        assert!(lock.try_lock().is_err());
        assert_eq!(format!("{guard} {guard:?}"), "13 13");
    }
    {
        let guard = lock.clone().try_lock_owned().unwrap();
        assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &lock));
        let guard = OwnedMutexGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        let guard = OwnedMutexGuard::map(guard, |pair| &mut pair.1);
        let guard = OwnedMappedMutexGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        let mut guard = OwnedMappedMutexGuard::map(guard, |array| &mut array[0]);
        *guard += 10;
        assert!(lock.try_lock().is_err());
    }
    let lock = Arc::try_unwrap(lock).unwrap();
    assert_eq!(lock.into_inner(), (1, [12, 13]));
}

#[test]
fn a_panic_while_narrowing_unlocks() {
    let lock = Mutex::new(1);
    let guard = lock.try_lock().unwrap();
    panics(|| MutexGuard::map::<i32, _>(guard, |_| panic!("no part")));
    assert!(lock.try_lock().is_ok());
}

#[test]
fn debug_shows_the_value_or_that_it_is_locked() {
    let lock: Mutex<i32> = 3.into();
    assert_eq!(format!("{lock:?}"), "Mutex { data: 3 }");
    let guard = lock.try_lock().unwrap();
    assert_eq!(format!("{lock:?}"), "Mutex { data: <locked> }");
    drop(guard);
    let mut lock = Mutex::<i32>::default();
    *lock.get_mut() = 4;
    assert_eq!(lock.into_inner(), 4);
}

#[test]
fn an_unsized_value_can_be_locked() {
    let lock: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    assert_eq!(task(lock.lock()).ready().len(), 3);
    assert_eq!(task(lock.lock_owned()).ready().len(), 3);
}

#[test]
fn threads_and_tasks_count_together() {
    let lock = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let lock = lock.clone();
            std::thread::spawn(move || {
                for _ in 0..5_000 {
                    if i % 2 == 0 {
                        *lock.blocking_lock() += 1;
                    } else {
                        *futures::executor::block_on(lock.lock()) += 1;
                    }
                }
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    assert_eq!(*lock.blocking_lock_owned(), 20_000);
}
