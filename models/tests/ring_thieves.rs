//! Two thieves at one ring, whose owner goes on.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_base::ring::{self, Stealer};

static ITEMS: [u32; 3] = [0, 1, 2];

fn steal(from: &Stealer<&'static u32, 2>) -> Vec<u32> {
    let (mut mine, _) = ring::new::<&'static u32, 2>();
    let mut stolen: Vec<u32> = from.steal_into(&mut mine).into_iter().copied().collect();
    stolen.extend(core::iter::from_fn(|| mine.pop()));
    stolen
}

/// Every item is taken once, and none is overwritten while one of them reads it.
#[test]
fn one_thief_at_a_time() {
    loom::model(|| {
        let (mut local, stealer) = ring::new_at::<&'static u32, 2>(u32::MAX);
        assert!(local.push(&ITEMS[0]).is_ok());
        assert!(local.push(&ITEMS[1]).is_ok());
        let from = stealer.clone();
        let slow = thread::spawn(move || steal(&from));
        let fast = thread::spawn(move || steal(&stealer));
        let mut taken = fast.join().unwrap();
        // The slow one may still be reading.
        let pushed = 2 + usize::from(local.push(&ITEMS[2]).is_ok());
        taken.extend(slow.join().unwrap());
        taken.extend(core::iter::from_fn(|| local.pop()));
        taken.sort_unstable();
        assert_eq!(taken, ITEMS[..pushed]);
    });
}
