//! The reader-writer lock: sharing, order, guards.

mod common;

use common::{panics, task};
use shinkan_sync::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
use std::sync::Arc;

#[test]
fn many_read_and_one_writes() {
    let lock = RwLock::new(1);
    let (a, b) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    assert!(lock.try_write().is_err());
    drop((a, b));
    let w = lock.try_write().unwrap();
    assert!(lock.try_read().is_err() && lock.try_write().is_err());
    drop(w);
    assert!(lock.try_read().is_ok());
}

#[test]
fn a_waiting_writer_is_not_overtaken_by_readers() {
    let lock = RwLock::new(1);
    let reader = lock.try_read().unwrap();
    let mut writer = task(lock.write());
    writer.is_pending();
    let mut late = task(lock.read());
    late.is_pending();
    assert!(lock.try_read().is_err());
    drop(reader);
    assert!(!late.is_woken());
    drop(writer.woken_and_ready());
    drop(late.woken_and_ready());
}

#[test]
fn a_dropped_writer_lets_the_readers_behind_it_in() {
    let lock = Arc::new(RwLock::new(1));
    let reader = lock.try_read().unwrap();
    let mut writer = task(lock.clone().write_owned());
    writer.is_pending();
    let mut late = task(lock.clone().read_owned());
    late.is_pending();
    drop(writer);
    drop(late.woken_and_ready());
    drop(reader);
    assert!(lock.try_write().is_ok());
}

#[test]
fn only_so_many_readers_are_let_in() {
    let lock = RwLock::with_max_readers(1, 2);
    let (a, _b) = (lock.try_read().unwrap(), lock.try_read().unwrap());
    assert!(lock.try_read().is_err());
    drop(a);
    assert!(lock.try_read().is_ok());
    assert!(panics(|| RwLock::with_max_readers(1, 0)).contains("nobody could read"));
    assert!(panics(|| RwLock::with_max_readers(1, u32::MAX)).contains("at most"));
}

#[test]
fn a_downgrade_lets_readers_in_and_no_writer_between() {
    let lock = Arc::new(RwLock::new((1, 2)));
    let write = lock.try_write().unwrap();
    let (mut writer, mut reader) = (task(lock.write()), task(lock.read()));
    writer.is_pending();
    reader.is_pending();
    let read = write.downgrade();
    assert!(!writer.is_woken(), "it was first, and waits for this reader");
    assert_eq!(*read, (1, 2));
    drop(read);
    drop(writer.woken_and_ready());
    drop(reader.woken_and_ready());
    let read = RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |v| &v.0);
    assert_eq!((*read, lock.try_read().unwrap().1), (1, 2));
    drop(read);
    let write = lock.try_write().unwrap();
    let write = RwLockWriteGuard::try_downgrade_map(write, |_| None::<&i32>).unwrap_err();
    let read = RwLockWriteGuard::try_downgrade_map(write, |v| Some(&v.1)).unwrap();
    assert_eq!(format!("{read} {read:?}"), "2 2");
    drop(read);
    let write = lock.clone().try_write_owned().unwrap();
    let write = OwnedRwLockWriteGuard::try_downgrade_map(write, |_| None::<&i32>).unwrap_err();
    let read = OwnedRwLockWriteGuard::try_downgrade_map(write, |v| Some(&v.1)).unwrap();
    assert!(lock.try_read().is_ok());
    drop(read);
    let read =
        OwnedRwLockWriteGuard::downgrade_map(lock.clone().try_write_owned().unwrap(), |v| &v.0);
    assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&read), &lock));
    drop(read);
    drop(lock.clone().try_write_owned().unwrap().downgrade());
    assert!(lock.try_write().is_ok());
}

#[test]
fn guards_are_narrowed_and_unlock() {
    let lock = Arc::new(RwLock::new((1, [2, 3])));
    {
        let guard =
            RwLockReadGuard::try_map(lock.try_read().unwrap(), |_| None::<&i32>).unwrap_err();
        let guard = RwLockReadGuard::map(guard, |v| &v.1);
        assert_eq!(*RwLockReadGuard::try_map(guard, |v| v.first()).unwrap(), 2);
    }
    {
        let guard = lock.clone().try_read_owned().unwrap();
        let guard = OwnedRwLockReadGuard::try_map(guard, |_| None::<&i32>).unwrap_err();
        let guard = OwnedRwLockReadGuard::map(guard, |v| &v.1);
        assert_eq!(*OwnedRwLockReadGuard::try_map(guard, |v| v.first()).unwrap(), 2);
    }
    {
        let guard = lock.try_write().unwrap();
        let guard = RwLockWriteGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        let guard = RwLockWriteGuard::into_mapped(guard);
        let guard = RwLockMappedWriteGuard::map(guard, |v| &mut v.1);
        let guard = RwLockMappedWriteGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        *RwLockMappedWriteGuard::try_map(guard, |v| v.first_mut()).unwrap() = 7;
    }
    {
        let guard = lock.clone().try_write_owned().unwrap();
        assert!(Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&guard), &lock));
        let guard = OwnedRwLockWriteGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        let guard = OwnedRwLockWriteGuard::into_mapped(guard);
        let guard = OwnedRwLockMappedWriteGuard::map(guard, |v| &mut v.1);
        assert!(Arc::ptr_eq(OwnedRwLockMappedWriteGuard::rwlock(&guard), &lock));
        let guard = OwnedRwLockMappedWriteGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        *OwnedRwLockMappedWriteGuard::try_map(guard, |v| v.last_mut()).unwrap() = 8;
    }
    assert!(lock.try_write().is_ok());
    let mut lock = Arc::try_unwrap(lock).unwrap();
    lock.get_mut().0 = 9;
    assert_eq!(format!("{lock:?}"), "RwLock { data: (9, [7, 8]) }");
    assert_eq!(lock.into_inner(), (9, [7, 8]));
}

#[test]
fn threads_see_whole_values() {
    let lock = Arc::new(RwLock::new((0u64, 0u64)));
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let lock = lock.clone();
            std::thread::spawn(move || {
                for _ in 0..3_000 {
                    if i == 0 {
                        let mut v = lock.blocking_write();
                        v.0 += 1;
                        v.1 += 1;
                    } else {
                        let v = futures::executor::block_on(lock.read());
                        assert_eq!(v.0, v.1);
                    }
                }
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    assert_eq!(lock.blocking_read().0, 3_000);
}
