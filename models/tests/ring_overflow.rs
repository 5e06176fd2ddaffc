//! The owner of a full ring gives half of it away while a thief comes.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_base::ring;

static ITEMS: [u32; 5] = [0, 1, 2, 3, 4];

/// Every item is taken once, whoever comes first; and after it there is room, or the item goes
/// where the half would have gone.
#[test]
fn half_of_a_full_ring_or_nothing() {
    loom::model(|| {
        let (mut local, stealer) = ring::new_at::<&'static u32, 4>(u32::MAX - 1);
        for item in &ITEMS[..4] {
            assert!(local.push(item).is_ok());
        }
        let thief = thread::spawn(move || {
            let (mut mine, _) = ring::new::<&'static u32, 4>();
            let mut stolen: Vec<u32> = stealer.steal_into(&mut mine).into_iter().copied().collect();
            stolen.extend(core::iter::from_fn(|| mine.pop()));
            stolen
        });
        let mut taken = Vec::new();
        if let Err(item) = local.push(&ITEMS[4]) {
            let half = local.take_half(|item| taken.push(*item));
            assert!(half == taken.len() && (half == 0 || taken == ITEMS[2..4]));
            match local.push(item) {
                Ok(_) => {}
                Err(item) => taken.push(*item),
            }
        }
        taken.extend(thief.join().unwrap());
        taken.extend(core::iter::from_fn(|| local.pop()));
        taken.sort_unstable();
        assert_eq!(taken, ITEMS);
    });
}
