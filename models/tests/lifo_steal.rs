//! A worker puts what it woke beside its queue, while a thief comes for it.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use shinkan_base::lifo::LifoSlot;

static ITEMS: [u32; 2] = [0, 1];

/// Each item is had once, by the owner or the thief.
#[test]
fn an_item_goes_to_one() {
    loom::model(|| {
        let slot = Arc::new(LifoSlot::<&'static u32>::new());
        assert_eq!(slot.put(&ITEMS[0]), None);
        let its = slot.clone();
        let thief = thread::spawn(move || its.mark().and_then(|mark| its.take_marked(mark)));
        let displaced = slot.put(&ITEMS[1]);
        let taken = slot.take();
        let stolen = thief.join().unwrap();
        let mut had: Vec<u32> = [displaced, taken, stolen].into_iter().flatten().copied().collect();
        had.sort_unstable();
        assert_eq!(had, [0, 1]);
        assert!(slot.is_empty());
    });
}

/// Who takes an item sees what was written before it was put.
#[test]
fn an_item_comes_with_what_was_written_before() {
    loom::model(|| {
        let slot = Arc::new(LifoSlot::<&'static u32>::new());
        let written = Arc::new(AtomicU32::new(0));
        let (its, its_written) = (slot.clone(), written.clone());
        let thief = thread::spawn(move || {
            if its.mark().and_then(|mark| its.take_marked(mark)).is_some() {
                assert_eq!(its_written.load(Ordering::Relaxed), 1);
            }
        });
        written.store(1, Ordering::Relaxed);
        assert_eq!(slot.put(&ITEMS[0]), None);
        thief.join().unwrap();
    });
}
