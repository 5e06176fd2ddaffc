//! The methods that block a thread, and errors that say which case they are.

use shinkan_sync::{OnceCell, RwLock, Semaphore, SetError, mpsc};
use std::sync::Arc;
use std::thread;

#[test]
fn permits_are_waited_for_on_a_thread() {
    let semaphore = Arc::new(Semaphore::new(0));
    let waiters: Vec<_> = (0..3)
        .map(|n| {
            let semaphore = semaphore.clone();
            thread::spawn(move || match n {
                0 => drop(semaphore.blocking_acquire().unwrap()),
                1 => drop(semaphore.blocking_acquire_many(2).unwrap()),
                _ => {
                    let permits = semaphore.blocking_acquire_many_owned(3).unwrap();
                    assert_eq!(permits.num_permits(), 3);
                }
            })
        })
        .collect();
    semaphore.add_permits(3);
    for waiter in waiters {
        waiter.join().unwrap();
    }
    assert_eq!(semaphore.available_permits(), 3);
    semaphore.close();
    assert!(semaphore.blocking_acquire().is_err());
    assert!(semaphore.blocking_acquire_many_owned(1).is_err());
}

#[test]
fn a_lock_in_a_constant_with_few_readers() {
    static LOCK: RwLock<u8> = RwLock::const_with_max_readers(7, 2);
    let (first, second) = (LOCK.try_read().unwrap(), LOCK.try_read().unwrap());
    assert_eq!((*first, *second), (7, 7));
    assert!(LOCK.try_read().is_err(), "the third");
    drop(first);
    assert_eq!(*LOCK.try_read().unwrap(), 7);
    drop(second);
    *LOCK.try_write().unwrap() = 8;
    assert_eq!(*LOCK.blocking_read(), 8);
}

#[test]
fn why_a_cell_was_not_set() {
    let cell = OnceCell::new();
    cell.set(1).unwrap();
    let error = cell.set(2).unwrap_err();
    assert!(error.is_already_init_err() && !error.is_initializing_err());
    let SetError::AlreadyInitializedError(value) = error else { panic!("{error:?}") };
    assert_eq!(value, 2);

    let cell = OnceCell::new();
    let value = shinkan_context::services::block_on(cell.get_or_init(|| async {
        // While the cell is being filled.
        let error = cell.set(3).unwrap_err();
        assert!(error.is_initializing_err() && !error.is_already_init_err());
        4
    }));
    assert_eq!(value, &4);
}

#[test]
fn a_thread_waits_for_messages() {
    let (tx, mut rx) = mpsc::channel(4);
    let sender = std::thread::spawn(move || (0..100).for_each(|i| tx.blocking_send(i).unwrap()));
    let mut got = Vec::new();
    while rx.blocking_recv_many(&mut got, 8) > 0 {}
    sender.join().unwrap();
    assert_eq!(got, (0..100).collect::<Vec<_>>());

    let (tx, mut rx) = mpsc::unbounded_channel();
    let sender = std::thread::spawn(move || tx.send(7).unwrap());
    assert_eq!((rx.blocking_recv(), rx.blocking_recv()), (Some(7), None));
    sender.join().unwrap();
}
