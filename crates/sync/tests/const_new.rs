//! What a static may be made with makes the same as `new`, also while the program runs.

mod common;

use common::task;
use shinkan_sync::{Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce};

#[test]
fn locks_and_permits() {
    let lock = Mutex::const_new(1);
    *lock.try_lock().unwrap() += 1;
    assert_eq!(lock.into_inner(), 2);

    let lock = RwLock::const_new(1);
    *lock.try_write().unwrap() += 1;
    assert_eq!(lock.into_inner(), 2);

    let lock = RwLock::const_with_max_readers((), 2);
    let readers = (lock.try_read().unwrap(), lock.try_read().unwrap());
    assert!(lock.try_read().is_err());
    drop(readers);
    assert!(lock.try_write().is_ok());

    let semaphore = Semaphore::const_new(2);
    let _permits = semaphore.try_acquire_many(2).unwrap();
    assert!(semaphore.try_acquire().is_err());
}

#[test]
fn notifications_and_cells() {
    let notify = Notify::const_new();
    let mut waits = task(notify.notified());
    waits.is_pending();
    notify.notify_one();
    waits.woken_and_ready();

    let cell = OnceCell::const_new();
    assert_eq!(cell.get(), None);
    cell.set(1).unwrap();
    assert_eq!(cell.into_inner(), Some(1));
    assert!(OnceCell::const_new_with(2).set(3).unwrap_err().is_already_init_err());

    let cell = SetOnce::const_new();
    let mut waits = task(cell.wait());
    waits.is_pending();
    cell.set(1).unwrap();
    assert_eq!(waits.woken_and_ready(), &1);
    assert_eq!(SetOnce::const_new_with(2).set(3).unwrap_err().0, 3);
}
