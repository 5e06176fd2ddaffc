//! The `RwLock`: readers hand it to a writer, and a writer that becomes a reader does not.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shinkan_models::guarded::Guarded;
use shinkan_sync::RwLock;

#[test]
fn a_writer_meets_two_readers() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Guarded::new(), 2));
        let (first, second) = (lock.try_read().unwrap(), lock.try_read().unwrap());
        let its_lock = lock.clone();
        let writer = thread::spawn(move || {
            assert_eq!(block_on(its_lock.write()).add(), 1);
        });
        drop(first);
        assert_eq!(second.look(), 0);
        drop(second);
        writer.join().unwrap();
        assert_eq!(lock.try_write().unwrap().add(), 2);
    });
}

#[test]
fn a_writer_meets_a_downgrade() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Guarded::new(), 2));
        let first = lock.try_write().unwrap();
        let its_lock = lock.clone();
        let writer = thread::spawn(move || {
            assert_eq!(block_on(its_lock.write()).add(), 2);
        });
        first.add();
        let reader = first.downgrade();
        assert_eq!(reader.look(), 1);
        drop(reader);
        writer.join().unwrap();
    });
}
